//! Notifications: the end of a sign-in, told in time, with a button; and what an endpoint says.
//!
//! The service tells everybody on the system bus; whoever signed in is shown it. A signal may be
//! anybody's: only one of a service that runs as root counts.

use crate::banner::Banner;
use crate::complaint::complain;
use aws_client_vpn_core::message;
use aws_client_vpn_core::well_known::{self, SIGN_IN, SIGN_IN_PATH};
use aws_client_vpn_i18n::text;
use futures_lite::StreamExt;
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zbus::fdo::DBusProxy;
use zbus::zvariant::Value;
use zbus::{Connection, MatchRule, Message, MessageStream};

const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_PATH: &str = "/org/freedesktop/Notifications";
const ICON: &str = "org.freedesktop.NetworkManager.AwsClientVpn";
/// What the button is called on the bus.
const RENEW: &str = "renew";
/// Urgencies of the Desktop Notifications Specification.
const NORMAL: u8 = 1;
const URGENT: u8 = 2;
/// For a bus to answer.
const BUS_TIME: Duration = Duration::from_secs(5);
/// How many signals may wait.
const QUEUE: usize = 16;
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

/// Everything that services of ours tell of ends.
pub(crate) async fn follow(system: &Connection) -> zbus::Result<MessageStream> {
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .path(SIGN_IN_PATH)?
        .interface(SIGN_IN)?
        .member("Ends")?
        .build();
    MessageStream::for_match_rule(rule, system, Some(QUEUE)).await
}

/// What a signal says, if it comes from a service that runs as root (or, in a test, as we do).
pub(crate) async fn read(system: &Connection, signal: &Message) -> Option<End> {
    let header = signal.header();
    let sender = header.sender()?.to_owned();
    let daemon = DBusProxy::new(system).await.ok()?;
    let uid = daemon
        .get_connection_unix_user(sender.clone().into())
        .await
        .ok()?;
    let (uuid, name, user, at) = signal.body().deserialize().ok()?;
    (uid == 0).then(|| End {
        service: sender.to_string(),
        uuid,
        name,
        user,
        at,
    })
}

impl End {
    /// Whether it is `user`'s; of a sign-in without a known person, it is everybody's.
    pub(crate) fn concerns(&self, user: Option<&str>) -> bool {
        self.user.is_empty() || user.is_none_or(|user| user == self.user)
    }

    fn minutes_left(&self, now: SystemTime) -> u64 {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.at.saturating_sub(now).div_ceil(60)
    }

    fn headline(&self, now: SystemTime) -> String {
        text!(
            "{connection}: your sign-in ends in {minutes} min",
            connection = self.name,
            minutes = self.minutes_left(now),
        )
    }

    /// For a terminal, which has no button.
    pub(crate) fn line(&self, now: SystemTime) -> String {
        let headline = self.headline(now);
        text!(
            "{headline}. To sign in anew before: aws-client-vpn renew {uuid}",
            headline = headline,
            uuid = self.uuid,
        )
    }
}

/// Shows a notification, and renews the sign-in if the button is pressed. Returns when the
/// notification is gone, or the sign-in has ended.
pub(crate) async fn show_end(system: Connection, end: End) {
    let headline = end.headline(SystemTime::now());
    let body = text!("Sign in again now to stay connected. The tunnel stays up meanwhile.");
    let label = text!("Renew");
    // It stays until it is seen.
    let shown = show(&headline, &body, &[RENEW, &label], URGENT).await;
    let Some(mut notification) = shown else {
        return;
    };
    let left = Duration::from_secs(60 * end.minutes_left(SystemTime::now())).min(LONGEST_NOTICE);
    match tokio::time::timeout(left, notification.pressed()).await {
        Ok(true) => {
            let renewed = renew(&system, &end.service);
            if let Ok(Err(error)) = tokio::time::timeout(BUS_TIME, renewed).await {
                let reason = error.to_string();
                complain(&message!(
                    "the sign-in was not renewed: {reason}",
                    reason = reason
                ));
            }
        }
        Ok(false) => {}
        Err(_) => {
            drop(tokio::time::timeout(BUS_TIME, notification.close()).await);
        }
    }
}

/// Shows what an endpoint says.
pub(crate) async fn show_banner(banner: Banner) {
    drop(show(&banner.name, &banner.text, &[], NORMAL).await);
}

async fn show(headline: &str, body: &str, actions: &[&str], urgency: u8) -> Option<Notification> {
    let shown = Notification::show(headline, body, actions, urgency);
    let why = match tokio::time::timeout(BUS_TIME, shown).await {
        Ok(Ok(notification)) => return Some(notification),
        Ok(Err(error)) => {
            let reason = error.to_string();
            message!("no notification can be shown: {reason}", reason = reason)
        }
        Err(_) => message!("no notification can be shown: the desktop does not answer"),
    };
    complain(&why);
    None
}

async fn renew(system: &Connection, service: &str) -> zbus::Result<()> {
    let proxy = zbus::Proxy::new(system, service, SIGN_IN_PATH, SIGN_IN).await?;
    proxy.call(well_known::RENEW, &()).await
}

/// A notification on the desktop (Desktop Notifications Specification 1.2).
struct Notification {
    session: Connection,
    signals: MessageStream,
    id: u32,
}

impl Notification {
    async fn show(headline: &str, body: &str, actions: &[&str], urgency: u8) -> zbus::Result<Self> {
        let session = Connection::session().await?;
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .path(NOTIFICATIONS_PATH)?
            .interface(NOTIFICATIONS)?
            .build();
        // Heard before it is shown, so that no press is missed.
        let signals = MessageStream::for_match_rule(rule, &session, Some(QUEUE)).await?;
        let proxy =
            zbus::Proxy::new(&session, NOTIFICATIONS, NOTIFICATIONS_PATH, NOTIFICATIONS).await?;
        let capabilities: Vec<String> = proxy.call("GetCapabilities", &()).await?;
        let has_markup = capabilities.iter().any(|name| name == "body-markup");
        let body = if has_markup {
            plain(body)
        } else {
            body.to_owned()
        };
        let hints = HashMap::from([
            ("desktop-entry", Value::from(ICON)),
            ("urgency", Value::from(urgency)),
        ]);
        let id = proxy
            .call(
                "Notify",
                &(
                    "AWS Client VPN",
                    0_u32,
                    ICON,
                    headline,
                    body.as_str(),
                    actions,
                    hints,
                    -1_i32,
                ),
            )
            .await?;
        Ok(Self {
            session,
            signals,
            id,
        })
    }

    /// Waits until the button is pressed (true), or the notification is gone (false).
    async fn pressed(&mut self) -> bool {
        while let Some(Ok(signal)) = self.signals.next().await {
            let header = signal.header();
            let Some(member) = header.member() else {
                continue;
            };
            match member.as_str() {
                "ActionInvoked" => {
                    let invoked = signal.body().deserialize::<(u32, String)>();
                    if invoked.is_ok_and(|(id, _action)| id == self.id) {
                        return true;
                    }
                }
                "NotificationClosed" => {
                    let closed = signal.body().deserialize::<(u32, u32)>();
                    if closed.is_ok_and(|(id, _reason)| id == self.id) {
                        return false;
                    }
                }
                _ => {}
            }
        }
        false
    }

    async fn close(&self) -> zbus::Result<()> {
        let session = &self.session;
        let proxy =
            zbus::Proxy::new(session, NOTIFICATIONS, NOTIFICATIONS_PATH, NOTIFICATIONS).await?;
        proxy.call("CloseNotification", &self.id).await
    }
}

/// Text that is shown as it is where a desktop takes markup: an endpoint must not make links.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_cannot_make_links() {
        assert_eq!(
            plain("a < b & <a href='x'>c</a>"),
            "a &lt; b &amp; &lt;a href='x'&gt;c&lt;/a&gt;"
        );
    }

    #[test]
    fn the_end_is_told_to_whose_it_is_with_the_time_that_is_left() {
        let end = End {
            service: ":1.7".to_owned(),
            uuid: "u".to_owned(),
            name: "Work".to_owned(),
            user: "ada".to_owned(),
            at: 1_000_600,
        };
        assert!(end.concerns(Some("ada")) && !end.concerns(Some("bob")));
        assert!(end.concerns(None));
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(
            end.headline(at(1_000_000)),
            "Work: your sign-in ends in 10 min"
        );
        assert_eq!(
            end.line(at(1_000_541)),
            "Work: your sign-in ends in 1 min. To sign in anew before: aws-client-vpn renew u"
        );
        // A clock that was set meanwhile.
        assert_eq!(end.minutes_left(at(2_000_000)), 0);
    }
}
