//! A notification on the user's desktop (Desktop Notifications Specification 1.3).
//!
//! Every wait for the desktop has the limit of who shows the notification: it is a comfort, and what it
//! tells of goes on without it.

use futures_lite::StreamExt;
use std::collections::HashMap;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;
use zbus::zvariant::Value;
use zbus::{Connection, MatchRule, MessageStream};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// The program's icon, as the desktop knows it.
const ICON: &str = "org.freedesktop.NetworkManager.AwsClientVpn";
/// The desktop entry whose name is over the notification: that of the window, not of the importer.
const DESKTOP_ENTRY: &str = "org.freedesktop.NetworkManager.AwsClientVpn.Login";
/// The program, as people know it.
const PROGRAM: &str = "AWS Client VPN";
/// What a click on the notification itself is called on the bus.
const DEFAULT: &str = "default";
/// What shows that as one more button.
const SHOWS_DEFAULT: &str = "lxqt-notificationd";
/// The desktop's own time for a notification.
const OWN_TIME: i32 = -1;
/// How many signals may wait: the desktop also tells of the notifications of other programs.
const QUEUE: usize = 256;

/// What is to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content<'a> {
    /// The first line.
    pub headline: &'a str,
    /// What follows: plain text, whatever the desktop makes of markup.
    pub body: &'a str,
    /// The buttons: what each is called on the bus, and what stands on it.
    pub buttons: &'a [(&'a str, &'a str)],
    /// How much it matters.
    pub urgency: Urgency,
    /// For how long it is there at most, until it is put away or taken away; `None`: for as long as
    /// the desktop shows what matters for a moment.
    pub stays: Option<Duration>,
}

/// How much a notification matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Urgency {
    /// The notification is listed, and disturbs nobody.
    Low = 0,
    /// The notification is shown for a moment.
    Normal = 1,
    /// The notification stays until it is seen.
    Critical = 2,
}

/// What a person does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A button was pressed, or, as `default`, the notification itself.
    Pressed {
        /// What the button is called on the bus.
        button: String,
        /// With which a window may come to the front, if the desktop gives one.
        activation_token: Option<String>,
    },
    /// The notification is gone, by itself or because somebody has dismissed it.
    Closed,
}

/// Why there is none.
#[derive(Debug, Error)]
pub enum NotificationError {
    /// There is no desktop, or it refuses.
    #[error("{0}")]
    Bus(#[from] zbus::Error),
    /// The desktop does not answer.
    #[error("the desktop does not answer")]
    Silent,
}

/// A notification, and the service that shows it. It stays when this value is dropped, as long as the
/// connection to the bus does: see [`Notification::on`] and [`Notification::close`].
#[derive(Debug)]
pub struct Notification {
    session: Connection,
    limit: Duration,
    signals: MessageStream,
    capabilities: Vec<String>,
    shows_default: bool,
    /// 0 before it is shown.
    id: u32,
    activation_token: Option<String>,
}

impl Notification {
    /// As [`Self::on`] a connection of its own, which ends with this value.
    pub async fn new(limit: Duration) -> Result<Self, NotificationError> {
        Self::on(within(limit, Connection::session()).await?, limit).await
    }

    /// Asks the desktop, which has `limit` for each answer, whether it shows notifications; nothing is to
    /// be seen yet. GNOME takes a notification away when the connection ends over which it was shown: what
    /// is to stay is for one that lives as long as the program.
    pub async fn on(session: Connection, limit: Duration) -> Result<Self, NotificationError> {
        within(limit, async {
            let rule = MatchRule::builder()
                .msg_type(zbus::message::Type::Signal)
                .sender(NAME)?
                .path(PATH)?
                .interface(NAME)?
                .build();
            // Heard before it is shown, so that no press is missed.
            let signals = MessageStream::for_match_rule(rule, &session, Some(QUEUE)).await?;
            let ask = |method| session.call_method(Some(NAME), PATH, Some(NAME), method, &());
            let capabilities = ask("GetCapabilities").await?.body().deserialize()?;
            let information = ask("GetServerInformation").await.ok();
            let shows_default = information.is_some_and(|information| {
                let read = information.body().deserialize();
                read.is_ok_and(|(name, ..): (String, String, String, String)| name == SHOWS_DEFAULT)
            });
            Ok(Self {
                session,
                limit,
                signals,
                capabilities,
                shows_default,
                id: 0,
                activation_token: None,
            })
        })
        .await
    }

    /// Whether it can have buttons.
    pub fn has_buttons(&self) -> bool {
        self.can("actions")
    }

    fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|name| name == capability)
    }

    /// Shows it, or changes it in place.
    pub async fn show(&mut self, content: &Content<'_>) -> Result<(), NotificationError> {
        let body = if self.can("body-markup") {
            plain(content.body)
        } else {
            content.body.to_owned()
        };
        let buttons = content.buttons.iter();
        let buttons = buttons.filter(|(name, _)| !self.shows_default || *name != DEFAULT);
        let actions: Vec<&str> = buttons.flat_map(|(name, label)| [*name, *label]).collect();
        let urgency = content.urgency as u8;
        let hints = HashMap::from([
            ("desktop-entry", Value::from(DESKTOP_ENTRY)),
            ("urgency", Value::from(urgency)),
            // Pressed, it stays: what it tells of goes on.
            ("resident", Value::from(true)),
        ]);
        let timeout = content.stays.map_or(OWN_TIME, milliseconds);
        let arguments = (
            PROGRAM,
            self.id,
            ICON,
            content.headline,
            body.as_str(),
            actions,
            hints,
            timeout,
        );
        let session = &self.session;
        self.id = within(self.limit, async {
            let shown = session.call_method(Some(NAME), PATH, Some(NAME), "Notify", &arguments);
            shown.await?.body().deserialize()
        })
        .await?;
        Ok(())
    }

    /// Waits for what a person does with it next. A call that is dropped loses nothing.
    pub async fn event(&mut self) -> Event {
        loop {
            // Without a bus there is nothing to be seen.
            let Some(Ok(signal)) = self.signals.next().await else {
                return Event::Closed;
            };
            let header = signal.header();
            let body = signal.body();
            match header.member().map(|member| member.as_str()) {
                Some("ActivationToken") => {
                    if let Ok((id, token)) = body.deserialize::<(u32, String)>()
                        && id == self.id
                    {
                        self.activation_token = Some(token);
                    }
                }
                Some("ActionInvoked") => {
                    if let Ok((id, button)) = body.deserialize::<(u32, String)>()
                        && id == self.id
                    {
                        return Event::Pressed {
                            button,
                            activation_token: self.activation_token.take(),
                        };
                    }
                }
                Some("NotificationClosed") => {
                    if let Ok((id, _reason)) = body.deserialize::<(u32, u32)>()
                        && id == self.id
                    {
                        return Event::Closed;
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes it away.
    pub async fn close(self) {
        if self.id == 0 {
            return;
        }
        let (to, method) = (Some(NAME), "CloseNotification");
        let closed = self.session.call_method(to, PATH, to, method, &self.id);
        // One that is gone already is no loss.
        drop(within(self.limit, closed).await);
    }
}

/// As the desktop counts a time; 0 would be without an end.
fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = zbus::Result<T>>,
) -> Result<T, NotificationError> {
    match timeout(limit, call).await {
        Ok(done) => Ok(done?),
        Err(_elapsed) => Err(NotificationError::Silent),
    }
}

/// Text that is shown as it is where a desktop takes markup: nobody whose words it repeats must make
/// links.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_without_an_end() {
        assert_eq!(milliseconds(Duration::from_secs(60)), 60_000);
        assert_eq!(milliseconds(Duration::ZERO), 1);
        assert_eq!(milliseconds(Duration::MAX), i32::MAX);
    }

    #[test]
    fn nobody_s_words_make_links() {
        assert_eq!(
            plain("a < b & <a href='x'>c</a>"),
            "a &lt; b &amp; &lt;a href='x'&gt;c&lt;/a&gt;"
        );
    }
}
