//! What serves one request: who asked, where it is told about, and the windows it can show.

use crate::agent::Agent;
use crate::cli::Request;
use crate::journal::Journal;
use crate::window::{Dismissed, Window};
use std::fs::File;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The service counts the same time and says more when it is over, so it goes first.
pub(crate) const SERVICE_FIRST: Duration = Duration::from_secs(1);

/// Where a request is served.
pub(crate) struct Stage<'a> {
    pub(crate) request: &'a Request,
    pub(crate) journal: &'a Journal,
    /// The agent as a window, if it is one.
    pub(crate) own_window: Option<File>,
    pub(crate) dismissed: Dismissed,
}

impl Stage<'_> {
    /// The window, if there can be one.
    pub(crate) fn window(&self) -> Window {
        let uuid = &self.request.uuid;
        if let Some(socket) = &self.own_window {
            match Window::at(socket) {
                Ok(window) => return window,
                Err(error) => self.journal.error(&format!("--own-window: {error}")),
            }
        }
        Window::left_open(uuid, &self.dismissed).unwrap_or_else(|| self.new_window())
    }

    /// A window of our own.
    pub(crate) fn new_window(&self) -> Window {
        Window::open(&self.request.uuid, &self.dismissed, self.journal)
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
