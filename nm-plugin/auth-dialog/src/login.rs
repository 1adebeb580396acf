//! One login: the port, the browser, the notification or window, and whichever of them ends it.
//!
//! The notification or window comes last. It has something to show only once the browser is being
//! started, and must not delay that.

use crate::acs::{self, Answered};
use crate::browser;
use crate::dialog::{Dialog, SERVICE_FIRST};
use crate::notice::{Deed, Notice};
use crate::opened_page::OpenedPage;
use crate::port;
use crate::window::Window;
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_keyring::session_dir::{AWAITS_TURN, session_file};
use aws_client_vpn_sign_in::answer::LoginFailure;
use aws_client_vpn_sign_in::request::BrowserRequest;
use aws_client_vpn_sign_in::saml;
use aws_client_vpn_sign_in::window::{Screen, UserAction};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// With so little time left, nobody signs in any more: who has waited for another login is told of it,
/// before the service says that nobody signed in.
const TOO_LATE: Duration = Duration::from_secs(3);

/// How a login ends without an answer.
#[derive(Debug)]
pub(crate) enum End {
    /// The user does not want to.
    Cancelled,
    /// The agent does not want an answer any more.
    Dismissed,
    /// The sign-in cannot be done.
    Failed(LoginFailure),
}

/// Opens the browser and waits for its answer.
pub(crate) async fn login(prompt: &BrowserRequest, dialog: &Dialog<'_>) -> Result<Answered, End> {
    let deadline = Instant::now() + prompt.time_left;
    let turn_by = deadline - TOO_LATE.min(prompt.time_left);
    // One that was killed may have left it.
    drop(session_file(AWAITS_TURN, &dialog.request.uuid).map(fs::remove_file));
    let queues = Notify::new();
    let listening = port::listen(prompt.retry, turn_by.into_std(), || queues.notify_one());
    let listener = tokio::select! {
        listener = listening => listener.map_err(End::Failed)?,
        end = await_turn(&queues, prompt, dialog) => return Err(end),
    };
    let page = OpenedPage::of(&dialog.request.uuid);
    let login = acs::Login {
        connection: dialog.request.connection.clone(),
        request: saml::Request::of(&prompt.url),
    };
    let answer = timeout_at(deadline + SERVICE_FIRST, acs::receive(listener, login));
    let launched = Notify::new();
    let ui = async {
        let ui = LoginUi {
            prompt,
            is_open: page.is(&prompt.url).unwrap_or(prompt.retry),
            page: &page,
            launched: &launched,
            dialog,
        };
        ui.keep(deadline).await
    };
    let end = tokio::select! {
        answered = answer => answered.map_err(|_elapsed| End::Failed(LoginFailure::TimedOut)),
        end = ui => Err(end),
    };
    // Nobody comes back to this page.
    page.forget();
    end
}

/// Tells, once the login `queues`, that another one has to be over first. Returns only if the login has to
/// end.
async fn await_turn(queues: &Notify, prompt: &BrowserRequest, dialog: &Dialog<'_>) -> End {
    queues.notified().await;
    let said = "another login waits for its browser; this one waits for its turn";
    dialog.journal.info(said);
    let _note = Note::that_it_awaits_its_turn(&dialog.request.uuid);
    let connection = dialog.request.connection.clone();
    // A window that the dialog before has left open has no such screen.
    let mut beside = dialog.agent_s_window();
    if let Some(window) = &mut beside {
        window.show(&Screen::Queue { connection }).await;
    } else {
        let show = Notice::of_queue(connection, !prompt.retry, prompt.time_left);
        // `status` tells of it, too.
        drop(dialog.show_notice(show).await);
    }
    loop {
        match dialog.deed(&mut beside).await {
            Some(Deed::UserAction(UserAction::Cancel)) => return End::Cancelled,
            Some(Deed::PutAway) => drop(dialog.notice.lock().await.take()),
            Some(_) => {}
            None => beside = None,
        }
    }
}

/// A file that is there as long as this value.
struct Note(Option<PathBuf>);

impl Note {
    fn that_it_awaits_its_turn(uuid: &str) -> Self {
        let path = session_file(AWAITS_TURN, uuid);
        Self(path.filter(|path| fs::write(path, "").is_ok()))
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            drop(fs::remove_file(path));
        }
    }
}

/// What goes on beside the waiting for the answer: the browser, and what tells of the login.
struct LoginUi<'a> {
    prompt: &'a BrowserRequest,
    /// Whether a browser has the page already.
    is_open: bool,
    page: &'a OpenedPage,
    launched: &'a Notify,
    dialog: &'a Dialog<'a>,
}

/// The window that tells of the login; without one, it is the notification of the dialog, or nothing
/// any more.
type Beside = Option<Window>;

impl LoginUi<'_> {
    /// Returns only if the login has to end.
    async fn keep(&self, deadline: Instant) -> End {
        let opening = self.open_browser(self.is_open || self.dialog.request.no_browser, None);
        tokio::pin!(opening);
        let mut failure = tokio::select! {
            biased;
            failure = &mut opening => Some(failure),
            () = self.launched.notified() => None,
        };
        self.take_note(failure.as_ref());
        let mut beside = {
            let choosing = self.beside(failure.is_none(), deadline);
            tokio::select! {
                chosen = choosing => chosen,
                // What tells of that is a window.
                ended = &mut opening, if failure.is_none() => {
                    failure = Some(ended);
                    None
                }
            }
        };
        if let Some(failure) = &failure {
            beside = self.tell(beside, failure, deadline).await;
        }
        loop {
            // With a window, there still is the link to copy.
            let has_window = beside.as_ref().is_some_and(Window::is_open);
            if let Some(failure) = failure.take_if(|_| !has_window) {
                return End::Failed(failure);
            }
            tokio::select! {
                deed = self.dialog.deed(&mut beside) => match deed {
                    Some(Deed::UserAction(UserAction::Cancel)) => return End::Cancelled,
                    Some(Deed::UserAction(UserAction::OpenAgain { token })) => {
                        failure = None;
                        self.page.set(&self.prompt.url);
                        opening.set(self.open_browser(false, token));
                    }
                    // To a form that is not shown.
                    Some(Deed::UserAction(UserAction::Answer(_))) => {}
                    Some(Deed::CopyLink(token)) => {
                        let mut window = self.dialog.new_window(token.as_deref());
                        self.show_login(&mut window, deadline).await;
                        window.show(&Screen::CopyLink).await;
                        if window.is_open() {
                            self.dialog.clear().await;
                            beside = Some(window);
                        }
                    }
                    Some(Deed::PutAway) => {
                        self.dialog.notice.lock().await.take();
                    }
                    None => {
                        self.dialog.journal.info("the window is gone");
                        beside = None;
                    }
                },
                ended = &mut opening, if failure.is_none() => {
                    beside = self.tell(beside, &ended, deadline).await;
                    failure = Some(ended);
                }
            }
        }
    }

    /// What tells of a login: a notification where the browser has the page, for a window would lie
    /// over it and take the keyboard; a window where there is no such notification.
    async fn beside(&self, has_page: bool, deadline: Instant) -> Beside {
        // That it waited for its turn.
        self.dialog.clear().await;
        let mut window = self.dialog.window_that_is_there();
        if window.is_none() && has_page {
            let time_left = deadline.saturating_duration_since(Instant::now());
            let (name, url) = (&self.dialog.request.connection, &self.prompt.url);
            let show = Notice::of_login(name.clone(), url.clone(), !self.is_open, time_left);
            match self.dialog.show_notice(show).await {
                Ok(true) => return None,
                Ok(false) => self
                    .dialog
                    .journal
                    .info("notifications have no buttons here"),
                Err(error) => self
                    .dialog
                    .journal
                    .info(&format!("no notification: {error}")),
            }
        }
        let mut window = window
            .take()
            .unwrap_or_else(|| self.dialog.new_window(None));
        self.show_login(&mut window, deadline).await;
        Some(window)
    }

    async fn show_login(&self, window: &mut Window, deadline: Instant) {
        window
            .show(&Screen::Login {
                connection: self.dialog.request.connection.clone(),
                url: self.prompt.url.clone(),
                time_left: deadline.saturating_duration_since(Instant::now()),
            })
            .await;
    }

    /// Tells in a window that no browser opened: there is a link to copy.
    async fn tell(&self, beside: Beside, failure: &LoginFailure, deadline: Instant) -> Beside {
        self.take_note(Some(failure));
        self.dialog.journal.error(&failure.to_string());
        let mut window = match beside {
            Some(window) => window,
            None => {
                self.dialog.clear().await;
                let mut window = self.dialog.window();
                self.show_login(&mut window, deadline).await;
                window
            }
        };
        let reason = i18n::localize(failure);
        window.show(&Screen::NoBrowser { reason }).await;
        Some(window)
    }

    /// Writes down whether a browser has the page, for the dialog that may follow.
    fn take_note(&self, failure: Option<&LoginFailure>) {
        match failure {
            Some(_) => self.page.forget(),
            None if self.dialog.request.no_browser => {}
            None => self.page.set(&self.prompt.url),
        }
    }

    /// Returns only if the browser cannot be opened.
    async fn open_browser(&self, is_open: bool, token: Option<String>) -> LoginFailure {
        if is_open {
            let which = if self.is_open {
                "waiting for the login in the tab that is open"
            } else {
                "waiting for the login in a browser that the user opens"
            };
            self.dialog.journal.info(which);
            self.launched.notify_one();
            return std::future::pending().await;
        }
        browser::open(
            &self.prompt.url,
            token.as_deref(),
            self.launched,
            self.dialog.journal,
        )
        .await
    }
}
