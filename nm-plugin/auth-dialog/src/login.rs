//! One login: the port, the browser, the window, and whichever of them ends it.
//!
//! The window comes last. It has something to show only when the browser is on its way, and its
//! start must not cost the browser any time.

use crate::acs::{self, Answered};
use crate::browser;
use crate::dialog::{SERVICE_FIRST, Stage};
use crate::journal::Journal;
use crate::port;
use crate::queue::Place;
use crate::window::Window;
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_sign_in::answer::LoginFailure;
use aws_client_vpn_sign_in::request::Prompt;
use aws_client_vpn_sign_in::saml;
use aws_client_vpn_sign_in::window::{Gesture, View};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How a login ends without an answer.
#[derive(Debug)]
pub(crate) enum End {
    /// The user does not want to.
    Cancelled,
    /// It cannot be done.
    Failed(LoginFailure),
}

/// Opens the browser and waits for its answer.
pub(crate) async fn login(prompt: &Prompt, stage: &Stage<'_>) -> Result<Answered, End> {
    let deadline = Instant::now() + prompt.time_left;
    // Whoever was told to go while it still waited for its turn has opened no page yet.
    let place = Place::of(&stage.request.uuid);
    let is_open = prompt.retry && !place.was_left();
    let queues = || {
        stage
            .journal
            .info("another login waits for its browser; this one waits for its turn");
        place.take();
    };
    let listener = port::listen(prompt.retry, deadline.into_std(), queues).await;
    let listener = listener.map_err(End::Failed)?;
    place.give_up();
    let login = acs::Login {
        connection: stage.request.connection.clone(),
        request: saml::Request::of(&prompt.url),
    };
    let answer = timeout_at(deadline + SERVICE_FIRST, acs::receive(listener, login));
    let launched = Notify::new();
    let company = async {
        let company = Company {
            prompt,
            is_open,
            launched: &launched,
            stage,
            journal: stage.journal,
        };
        company.keep(deadline).await
    };
    tokio::select! {
        answered = answer => answered.map_err(|_elapsed| End::Failed(LoginFailure::TimedOut)),
        end = company => Err(end),
    }
}

/// What goes on beside the waiting for the answer: the browser and the window.
struct Company<'a> {
    prompt: &'a Prompt,
    /// Whether the page is open already.
    is_open: bool,
    launched: &'a Notify,
    stage: &'a Stage<'a>,
    journal: &'a Journal,
}

impl Company<'_> {
    /// Returns only if the login has to end.
    async fn keep(&self, deadline: Instant) -> End {
        let opening = self.open_browser(self.is_open || self.stage.request.no_browser);
        tokio::pin!(opening);
        let mut failure = tokio::select! {
            biased;
            failure = &mut opening => Some(failure),
            () = self.launched.notified() => None,
        };
        let mut window = self.stage.window();
        window
            .show(&View::Login {
                connection: self.stage.request.connection.clone(),
                url: self.prompt.url.clone(),
                time_left: deadline.saturating_duration_since(Instant::now()),
            })
            .await;
        if let Some(failure) = &failure {
            self.tell(&mut window, failure).await;
        }
        loop {
            // With a window, there still is the link to copy.
            if let Some(failure) = failure.take_if(|_| !window.is_open()) {
                return End::Failed(failure);
            }
            tokio::select! {
                gesture = window.gesture(), if window.is_open() => match gesture {
                    Some(Gesture::Cancel) => return End::Cancelled,
                    Some(Gesture::OpenAgain) => {
                        failure = None;
                        opening.set(self.open_browser(false));
                    }
                    // To a form that is not shown.
                    Some(Gesture::Answer(_)) => {}
                    None => self.journal.info("the window is gone"),
                },
                ended = &mut opening, if failure.is_none() => {
                    self.tell(&mut window, &ended).await;
                    failure = Some(ended);
                }
            }
        }
    }

    async fn tell(&self, window: &mut Window, failure: &LoginFailure) {
        self.journal.error(&failure.to_string());
        let reason = i18n::of(failure);
        window.show(&View::NoBrowser { reason }).await;
    }

    /// Returns only if the browser cannot be opened.
    async fn open_browser(&self, is_open: bool) -> LoginFailure {
        if is_open {
            let which = if self.prompt.retry {
                "waiting for the login in the tab that is open"
            } else {
                "waiting for the login in a browser that the user opens"
            };
            self.journal.info(which);
            self.launched.notify_one();
            return std::future::pending().await;
        }
        browser::open(&self.prompt.url, self.launched, self.journal).await
    }
}
