//! The notification of a login that waits in the browser: it takes no keyboard and lies over no page.

use aws_client_vpn_i18n::gettext;
use aws_client_vpn_notification::{Content, Event, Notification, NotificationError, Urgency};
use aws_client_vpn_sign_in::window::{UserAction, site};
use std::time::Duration;
use url::Url;

const OPEN_AGAIN: &str = "open-again";
const COPY_LINK: &str = "copy-link";
const CANCEL: &str = "cancel";
/// A click on the notification itself.
const DEFAULT: &str = "default";

/// How long the desktop has for each answer, before a window shows in its place what nobody needs as long
/// as the page is there.
const DESKTOP_TIME: Duration = Duration::from_secs(25);

/// The notification of one login.
#[derive(Debug)]
pub(crate) struct Notice(Notification);

/// What a person does with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// What they could do in the window as well.
    UserAction(UserAction),
    /// They want the link on the clipboard, which takes a window; it may come to the front with the
    /// token.
    CopyLink(Option<String>),
    /// They have put it away; the login goes on.
    PutAway,
}

impl Notice {
    /// Shows that of a login at `url`, where there is a desktop that gives notifications buttons. `is_new`
    /// says that the page has just been opened; else it is one more notification of the same login. It goes
    /// by itself when the time for the login is over: a desktop may show it when nobody is left to take it
    /// away.
    pub(crate) async fn of_login(
        connection: String,
        url: Url,
        is_new: bool,
        time_left: Duration,
    ) -> Result<Option<Self>, NotificationError> {
        let body = gettext!(
            "Sign in at {site} in your browser to connect.",
            site = site(&url)
        );
        let (open_again, copy_link) = (gettext!("Open Again"), gettext!("Copy Link"));
        let buttons = [
            (DEFAULT, &*open_again),
            (OPEN_AGAIN, &open_again),
            (COPY_LINK, &copy_link),
        ];
        Self::show(&connection, &body, &buttons, is_new, time_left).await
    }

    /// The same of a login that waits until another one is over.
    pub(crate) async fn of_queue(
        connection: String,
        is_new: bool,
        time_left: Duration,
    ) -> Result<Option<Self>, NotificationError> {
        let body = gettext!(
            "Another sign-in is open on this computer. This one begins when that is done or cancelled."
        );
        Self::show(&connection, &body, &[], is_new, time_left).await
    }

    async fn show(
        connection: &str,
        body: &str,
        buttons: &[(&str, &str)],
        is_new: bool,
        time_left: Duration,
    ) -> Result<Option<Self>, NotificationError> {
        let mut notification = Notification::new(DESKTOP_TIME).await?;
        if !notification.has_buttons() {
            return Ok(None);
        }
        let cancel = gettext!("Cancel");
        let content = Content {
            headline: connection,
            body,
            buttons: &[buttons, &[(CANCEL, &cancel)]].concat(),
            urgency: if is_new {
                Urgency::Normal
            } else {
                Urgency::Low
            },
            stays: Some(time_left),
        };
        notification.show(&content).await?;
        Ok(Some(Self(notification)))
    }

    /// Waits for what a person does with it. A call that is dropped loses nothing.
    pub(crate) async fn deed(&mut self) -> Deed {
        loop {
            let (button, token) = match self.0.event().await {
                Event::Closed => return Deed::PutAway,
                Event::Pressed {
                    button,
                    activation_token,
                } => (button, activation_token),
            };
            match button.as_str() {
                OPEN_AGAIN | DEFAULT => return Deed::UserAction(UserAction::OpenAgain { token }),
                COPY_LINK => return Deed::CopyLink(token),
                CANCEL => return Deed::UserAction(UserAction::Cancel),
                _ => {}
            }
        }
    }

    /// Takes it away.
    pub(crate) async fn close(self) {
        self.0.close().await;
    }
}
