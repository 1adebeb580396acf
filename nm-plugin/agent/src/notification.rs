//! Notifications: the end of a sign-in, told in time, with a button; and what an endpoint says.
//!
//! The service tells everybody on the system bus; whoever signed in is shown it. A signal may be
//! anybody's: whether it is a service's is for the caller to know.

use crate::banner::Banner;
use aws_client_vpn_i18n::{self as i18n, gettext, ngettext};
use aws_client_vpn_network_manager::{call_service, sign_in_end};
use aws_client_vpn_notification::{Content, Event, Notification, NotificationError, Urgency};
use aws_client_vpn_profile::renewal;
use aws_client_vpn_profile::well_known::{self, SIGN_IN, SIGN_IN_PATH};
use aws_client_vpn_secret_agent::report::report;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Message;
use std::future::pending;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::{Connection, MatchRule};

/// What the button is called on the bus.
const RENEW: &str = "renew";
/// The names of nm-applet, which shows what endpoints say itself.
const APPLET: [&str; 2] = [
    "org.freedesktop.network-manager-applet",
    "org.freedesktop.nm-applet",
];
/// How long a bus has to answer.
const BUS_TIME: Duration = Duration::from_secs(5);
/// How long the desktop has for each answer: at the first login after a boot, its notification service may
/// still have to be started.
const DESKTOP_TIME: Duration = Duration::from_secs(60);
/// Longer than any time between the notice and the end.
const LONGEST_NOTICE: Duration = Duration::from_secs(3600);

/// A sign-in that ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// Who told: the service of the connection.
    service: String,
    uuid: String,
    /// The connection's name.
    name: String,
    /// The account of who signed in; empty if it is not known.
    user: String,
    /// Seconds since 1970.
    at: u64,
}

/// Matches what services of ours announce of expiring sign-ins. Others can forge it: the sender is
/// checked later.
pub(crate) fn rule() -> zbus::Result<MatchRule<'static>> {
    Ok(MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .path(SIGN_IN_PATH)?
        .interface(SIGN_IN)?
        .member("Ends")?
        .build())
}

/// What a signal says.
pub(crate) fn read(signal: &zbus::Message) -> Option<End> {
    let header = signal.header();
    let service = header.sender()?.to_string();
    let (uuid, name, user, at) = signal.body().deserialize().ok()?;
    Some(End {
        service,
        uuid,
        name,
        user,
        at,
    })
}

impl End {
    /// Who signed in.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Whether there is anything left of it.
    pub(crate) fn is_ahead(&self, now: SystemTime) -> bool {
        self.minutes_left(now) > 0
    }

    /// Whether the service is gone, or knows of a later end.
    async fn is_over(&self, system: &Connection) -> bool {
        match timeout(BUS_TIME, sign_in_end(system, &self.service)).await {
            Ok(Ok(at)) => self.is_before(at),
            Ok(Err(_)) => true,
            // It is busy.
            Err(_elapsed) => false,
        }
    }

    /// Whether the end `at` is another one. The service computes it from the time that is left, so
    /// that the same one may differ by a second.
    fn is_before(&self, at: u64) -> bool {
        at > self.at + 1
    }

    fn minutes_left(&self, now: SystemTime) -> u64 {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.at.saturating_sub(now).div_ceil(60)
    }

    fn headline(&self, now: SystemTime) -> String {
        ngettext!(
            self.minutes_left(now),
            "{connection}: your sign-in expires in {count} minute",
            "{connection}: your sign-in expires in {count} minutes",
            connection = self.name,
        )
    }

    /// The notice as a line for a terminal, which has no button.
    pub(crate) fn line(&self, now: SystemTime) -> String {
        ngettext!(
            self.minutes_left(now),
            "{connection}: your sign-in expires in {count} minute. To sign in again before then: aws-client-vpn renew {uuid}",
            "{connection}: your sign-in expires in {count} minutes. To sign in again before then: aws-client-vpn renew {uuid}",
            connection = self.name,
            uuid = self.uuid,
        )
    }
}

/// What shows this program's notifications.
#[derive(Debug, Clone)]
pub(crate) struct Notices {
    session: Option<Connection>,
}

impl Notices {
    /// Over the connection `session`, which lives as long as this program, if there is one: nobody takes
    /// a notification away that stays to be read.
    pub(crate) fn new(session: Option<Connection>) -> Self {
        Self { session }
    }

    /// Shows a notification, and renews the sign-in if its button is pressed. Returns when the
    /// notification is gone, or there is nothing to renew any more: the sign-in has ended or was renewed,
    /// or the connection is down. `changes` tells that something has changed about connections.
    pub(crate) async fn show_end(
        &self,
        system: Connection,
        end: End,
        mut changes: watch::Receiver<()>,
    ) {
        let headline = end.headline(SystemTime::now());
        let left =
            Duration::from_secs(60 * end.minutes_left(SystemTime::now())).min(LONGEST_NOTICE);
        let until = Instant::now() + left;
        let content = Content {
            headline: &headline,
            body: &gettext!("Sign in again now to stay connected."),
            // TRANSLATORS: A button: sign in again before the sign-in expires.
            buttons: &[(RENEW, &gettext!("Renew"))],
            urgency: Urgency::Critical,
            stays: Some(left),
        };
        let Some(mut notification) = self.show(&content).await else {
            return;
        };
        let pressed = async {
            loop {
                match notification.event().await {
                    Event::Pressed { button, .. } if button == RENEW => return true,
                    // A click on the notification itself means that it was read.
                    Event::Pressed { .. } => {}
                    Event::Closed => return false,
                }
            }
        };
        let over = async {
            while changes.changed().await.is_ok() {
                if end.is_over(&system).await {
                    return;
                }
            }
            pending().await
        };
        let is_pressed = tokio::select! {
            is_pressed = timeout_at(until, pressed) => is_pressed.unwrap_or(false),
            () = over => false,
        };
        notification.close().await;
        if is_pressed {
            self.renew(&system, &end).await;
        }
    }

    /// Has the service ask for a sign-in, and tells the person if it does not.
    async fn renew(&self, system: &Connection, end: &End) {
        // It answers when it knows whether there can be one; one that is stuck is killed.
        let why = match call_service(system, &end.service, well_known::RENEW).await {
            Ok(()) => return,
            Err(zbus::Error::MethodError(name, said, _)) => renewal::reason(&name, said.as_deref()),
            Err(error) => Message::literal(error.to_string()),
        };
        let why = message!("The sign-in was not renewed. {reason}", reason = why);
        report(&why);
        self.tell(&end.name, &i18n::localize(&why)).await;
    }

    /// Shows what an endpoint says, unless nm-applet does.
    pub(crate) async fn show_banner(&self, banner: Banner) {
        if matches!(timeout(BUS_TIME, applet_runs()).await, Ok(Ok(true))) {
            return;
        }
        self.tell(&banner.name, &banner.text).await;
    }

    /// Tells why a connection is not up any more, or did not come up.
    pub(crate) async fn show_failure(&self, name: String, reason: String) {
        let headline = gettext!("{connection} is not connected", connection = name);
        self.tell(&headline, &reason).await;
    }

    /// Shows what there is nothing to do about.
    async fn tell(&self, headline: &str, body: &str) {
        let content = Content {
            headline,
            body,
            buttons: &[],
            urgency: Urgency::Normal,
            stays: None,
        };
        self.show(&content).await;
    }

    async fn show(&self, content: &Content<'_>) -> Option<Notification> {
        let shown = async {
            let mut notification = match &self.session {
                Some(session) => Notification::on(session.clone(), DESKTOP_TIME).await?,
                None => Notification::new(DESKTOP_TIME).await?,
            };
            notification.show(content).await?;
            Ok::<_, NotificationError>(notification)
        };
        shown
            .await
            .inspect_err(|error| {
                let reason = error.to_string();
                report(&message!(
                    "No notification can be shown: {reason}",
                    reason = reason
                ));
            })
            .ok()
    }
}

async fn applet_runs() -> zbus::Result<bool> {
    let session = Connection::session().await?;
    let daemon = DBusProxy::new(&session).await?;
    for name in APPLET {
        if daemon.name_has_owner(BusName::try_from(name)?).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_with_the_time_that_is_left() {
        let end = End {
            service: ":1.7".to_owned(),
            uuid: "u".to_owned(),
            name: "Work".to_owned(),
            user: "ada".to_owned(),
            at: 1_000_600,
        };
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(
            end.headline(at(1_000_000)),
            "Work: your sign-in expires in 10 minutes"
        );
        assert_eq!(
            end.line(at(1_000_541)),
            "Work: your sign-in expires in 1 minute. To sign in again before then: aws-client-vpn renew u"
        );
        // A clock that was set meanwhile.
        assert_eq!(end.minutes_left(at(2_000_000)), 0);
        assert!(end.is_ahead(at(1_000_599)) && !end.is_ahead(at(1_000_600)));
        let others = [0, 1_000_599, 1_000_600, 1_000_601, 1_000_602, 1_001_200];
        let are_later = others.map(|at| end.is_before(at));
        assert_eq!(are_later, [false, false, false, false, true, true]);
    }
}
