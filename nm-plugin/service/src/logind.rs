//! What logind tells: whether the computer is about to sleep, who is logged in, which screens are
//! locked.
//!
//! Any user can have logind send signals without end (`SetIdleHint` on a session of one's own), and
//! a bus connection whose signals are not taken off stands still. So what users can cause comes on
//! a connection of its own, where it holds up nothing that NetworkManager says. A task takes the
//! signals off as they come; each only says that what is known is old.

use crate::dbus::{properties, property};
use aws_client_vpn_session::session::LoginSession;
use futures_lite::StreamExt;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use zbus::zvariant::OwnedObjectPath;
use zbus::{MatchRule, MessageStream, fdo, message};

const NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
/// How long logind may take for an answer.
const LIMIT: Duration = Duration::from_secs(2);
/// How long logind may take once NetworkManager is gone.
const LAST_LIMIT: Duration = Duration::from_secs(10);
/// The least time between two questions, however many signals come, and before the first.
const PAUSE: Duration = Duration::from_millis(250);
/// More sessions than a computer has.
const SESSION_LIMIT: usize = 64;

/// What logind has told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whether the computer is about to sleep.
    pub(crate) asleep: bool,
    /// Who is logged in; `None` where there is no logind.
    pub(crate) sessions: Option<Vec<LoginSession>>,
}

/// Begins to listen. The task behind it ends with the receiver.
pub(crate) fn follow(bus: &zbus::Connection) -> watch::Receiver<Told> {
    let (sender, receiver) = watch::channel(Told::default());
    let bus = bus.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = sender.closed() => {}
            Err(error) = listen(&bus, &sender) => {
                tracing::warn!("what logind tells does not arrive: {error}");
            }
        }
    });
    receiver
}

async fn listen(bus: &zbus::Connection, sender: &watch::Sender<Told>) -> zbus::Result<()> {
    let rule = || -> zbus::Result<_> {
        let rule = MatchRule::builder().msg_type(message::Type::Signal);
        rule.sender(NAME)
    };
    let sleep = rule()?.path(PATH)?.interface(MANAGER)?;
    let sleep = sleep.member("PrepareForSleep")?.build();
    let sleep = MessageStream::for_match_rule(sleep, bus, None).await?;

    // The tunnel has just come up. NetworkManager sets it up now, and is to have the bus to itself.
    tokio::time::sleep(PAUSE).await;
    let crowded = zbus::connection::Builder::system()?.build().await?;
    let signals = MessageStream::from(&crowded);
    let rules = fdo::DBusProxy::new(&crowded).await?;
    for member in ["SessionNew", "SessionRemoved"] {
        let rule = rule()?.path(PATH)?.interface(MANAGER)?.member(member)?;
        rules.add_match_rule(rule.build()).await?;
    }
    let rule = rule()?.path_namespace("/org/freedesktop/login1/session")?;
    let rule = rule.interface("org.freedesktop.DBus.Properties")?;
    let rule = rule.member("PropertiesChanged")?.arg(0, SESSION)?;
    rules.add_match_rule(rule.build()).await?;

    // Nothing is known yet, and from now on no change is missed.
    let is_old = Notify::new();
    is_old.notify_one();
    tokio::join!(
        take_off(signals, &is_old),
        keep_up(bus, &is_old, sender),
        follow_sleep(sleep, sender),
    );
    Ok(())
}

async fn take_off(mut signals: MessageStream, is_old: &Notify) {
    while let Some(message) = signals.next().await {
        if message.is_ok_and(|message| message.message_type() == message::Type::Signal) {
            is_old.notify_one();
        }
    }
}

async fn keep_up(bus: &zbus::Connection, is_old: &Notify, sender: &watch::Sender<Told>) {
    loop {
        is_old.notified().await;
        match ask(bus).await {
            Some(sessions) => {
                sender.send_if_modified(|told| {
                    let before = std::mem::replace(&mut told.sessions, sessions);
                    before != told.sessions
                });
            }
            // What was known is the best guess until it answers.
            None => is_old.notify_one(),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow_sleep(mut signals: MessageStream, sender: &watch::Sender<Told>) {
    while let Some(message) = signals.next().await {
        if let Some(asleep) = message.ok().and_then(|it| it.body().deserialize().ok()) {
            sender.send_modify(|told| told.asleep = asleep);
        }
    }
}

/// Who is logged in; `Some(None)` if there is no logind, `None` if it does not answer in time.
async fn ask(bus: &zbus::Connection) -> Option<Option<Vec<LoginSession>>> {
    match tokio::time::timeout(LIMIT, list_sessions(bus)).await {
        Ok(Ok(sessions)) => Some(Some(sessions)),
        Ok(Err(error)) => {
            tracing::debug!("no sessions are known: {error}");
            Some(None)
        }
        Err(_) => {
            tracing::info!("logind does not answer");
            None
        }
    }
}

/// Whether the computer is being shut down.
pub(crate) async fn is_shutting_down(bus: &zbus::Connection) -> bool {
    let asked = property::<bool>(bus, NAME, PATH, MANAGER, "PreparingForShutdown");
    matches!(tokio::time::timeout(LAST_LIMIT, asked).await, Ok(Ok(true)))
}

/// Who is logged in, if logind tells.
pub(crate) async fn sessions(bus: &zbus::Connection) -> Option<Vec<LoginSession>> {
    ask(bus).await.flatten()
}

async fn list_sessions(bus: &zbus::Connection) -> zbus::Result<Vec<LoginSession>> {
    type Row = (String, u32, String, String, OwnedObjectPath);
    let listed = bus
        .call_method(Some(NAME), PATH, Some(MANAGER), "ListSessions", &())
        .await?;
    let rows: Vec<Row> = listed.body().deserialize()?;
    let mut sessions = Vec::new();
    for (_, uid, user, _, path) in rows.into_iter().take(SESSION_LIMIT) {
        // A session may end while it is asked about.
        let Ok(properties) = properties(bus, NAME, &path, SESSION).await else {
            continue;
        };
        let text = |name: &str| -> &str {
            let value = properties.get(name).and_then(|value| value.try_into().ok());
            value.unwrap_or_default()
        };
        let flag = |name: &str| -> bool {
            let value = properties.get(name).and_then(|value| value.try_into().ok());
            value.unwrap_or_default()
        };
        if is_of_a_person(text("Class")) {
            sessions.push(LoginSession {
                user,
                uid,
                is_graphical: matches!(text("Type"), "x11" | "wayland" | "mir"),
                is_active: flag("Active"),
                is_locked: flag("LockedHint"),
            });
        }
    }
    Ok(sessions)
}

/// Whether a session of this class is a person's login (pam_systemd(8)): since systemd 256, root's own
/// is of the class `user-early`.
fn is_of_a_person(class: &str) -> bool {
    matches!(
        class,
        "user" | "user-early" | "user-light" | "user-early-light"
    )
}

#[cfg(test)]
mod tests {
    use super::is_of_a_person;

    #[test]
    fn root_s_login_at_a_console_is_a_person_s() {
        for class in ["user", "user-early", "user-light", "user-early-light"] {
            assert!(is_of_a_person(class), "{class}");
        }
        for class in [
            "greeter",
            "lock-screen",
            "background",
            "manager",
            "user-incomplete",
            "",
        ] {
            assert!(!is_of_a_person(class), "{class}");
        }
    }
}
