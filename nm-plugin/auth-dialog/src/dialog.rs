//! What serves one request: who asked, where it is told about, and the windows it can show.

use crate::agent::Agent;
use crate::cli::Request;
use crate::journal::Journal;
use crate::notice::Notice;
use crate::window::{Dismissed, Window};
use std::fs::File;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

/// The service counts the same time and says more when it is over, so it goes first.
pub(crate) const SERVICE_FIRST: Duration = Duration::from_secs(1);

/// Where a request is served.
pub(crate) struct Dialog<'a> {
    pub(crate) request: &'a Request,
    pub(crate) journal: &'a Journal,
    /// The agent as a window, if it is one.
    pub(crate) own_window: Option<File>,
    pub(crate) dismissed: Dismissed,
    /// The notification of a login, which has to be taken away whatever ends this.
    pub(crate) notice: Mutex<Option<Notice>>,
}

impl Dialog<'_> {
    /// The window, if there can be one.
    pub(crate) fn window(&self) -> Window {
        self.window_that_is_there()
            .unwrap_or_else(|| self.new_window(None))
    }

    /// The agent as a window, or what the dialog before has left open.
    pub(crate) fn window_that_is_there(&self) -> Option<Window> {
        if let Some(socket) = &self.own_window {
            match Window::at(socket) {
                Ok(window) => return Some(window),
                Err(error) => self.journal.error(&format!("--own-window: {error}")),
            }
        }
        Window::left_open(&self.request.uuid, &self.dismissed)
    }

    /// A window of our own; with a `token` from the desktop, it may come to the front.
    pub(crate) fn new_window(&self, token: Option<&str>) -> Window {
        Window::open(&self.request.uuid, token, &self.dismissed, self.journal)
    }

    /// Takes the notification away, if there is one.
    pub(crate) async fn clear(&self) {
        if let Some(notice) = self.notice.lock().await.take() {
            notice.close().await;
        }
    }

    /// Returns when the agent does not want an answer any more.
    pub(crate) async fn dismissed_by(&self, agent: &mut Agent) {
        let terminated = async {
            match signal(SignalKind::terminate()) {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = agent.gives_up() => {}
            () = terminated => {}
        }
        self.dismissed.set();
    }
}
