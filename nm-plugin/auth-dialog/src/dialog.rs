//! What serves one request: who asked, where it is told about, and the windows it can show.

use crate::agent::Agent;
use crate::cli::Request;
use crate::journal::Journal;
use crate::notice::{Deed, Notice};
use crate::window::{Dismissed, Window};
use aws_client_vpn_notification::NotificationError;
use std::fs::File;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The service counts the same time and says more when it is over, so it goes first.
pub(crate) const SERVICE_FIRST: Duration = Duration::from_secs(1);

/// How long a notification that is only now being shown is waited for, to take it away again. Agents
/// wait for the end of this process before they use the answer, gnome-shell without a limit.
const LATE_NOTICE: Duration = Duration::from_secs(2);

/// Where a request is served.
pub(crate) struct Dialog<'a> {
    pub(crate) request: &'a Request,
    pub(crate) journal: &'a Journal,
    /// The agent as a window, if it is one.
    pub(crate) own_window: Option<File>,
    pub(crate) dismissed: Dismissed,
    /// The notification of a login, which has to be taken away whatever ends this.
    pub(crate) notice: Mutex<Option<Notice>>,
    /// The one that is about to be shown. A desktop takes its time, and shows it although nobody waits
    /// for it any more.
    pub(crate) showing: Mutex<Option<JoinHandle<Shown>>>,
}

/// The notification, where notifications have buttons.
type Shown = Result<Option<Notice>, NotificationError>;

impl Dialog<'_> {
    /// The window, if there can be one.
    pub(crate) fn window(&self) -> Window {
        self.window_that_is_there()
            .unwrap_or_else(|| self.new_window(None))
    }

    /// The agent as a window, or what the dialog before has left open.
    pub(crate) fn window_that_is_there(&self) -> Option<Window> {
        self.agent_s_window()
            .or_else(|| Window::left_open(&self.request.uuid, &self.dismissed))
    }

    /// The agent as a window, if it is one.
    pub(crate) fn agent_s_window(&self) -> Option<Window> {
        Window::at(self.own_window.as_ref()?)
            .inspect_err(|error| self.journal.error(&format!("--own-window: {error}")))
            .ok()
    }

    /// A window of our own; with a `token` from the desktop, it may come to the front.
    pub(crate) fn new_window(&self, token: Option<&str>) -> Window {
        Window::open(&self.request.uuid, token, &self.dismissed, self.journal)
    }

    /// Has `show` show the notification; whether it is there. What a call that is dropped has begun is
    /// taken away by [`Self::clear`].
    pub(crate) async fn show_notice(
        &self,
        show: impl Future<Output = Shown> + Send + 'static,
    ) -> Result<bool, NotificationError> {
        let mut notice = self.notice.lock().await;
        let mut showing = self.showing.lock().await;
        let shown = showing.insert(tokio::spawn(show)).await;
        *showing = None;
        // A task that has panicked shows nothing.
        *notice = shown.unwrap_or(Ok(None))?;
        Ok(notice.is_some())
    }

    /// What the person does next with `beside` or, without one, with the notification; `None` if the
    /// window is gone. A call that is dropped loses nothing.
    pub(crate) async fn deed(&self, beside: &mut Option<Window>) -> Option<Deed> {
        match beside {
            Some(window) => window.action().await.map(Deed::UserAction),
            None => match &mut *self.notice.lock().await {
                Some(notice) => Some(notice.deed().await),
                None => std::future::pending().await,
            },
        }
    }

    /// Takes the notification away, if there is one.
    pub(crate) async fn clear(&self) {
        let begun = self.showing.lock().await.take();
        if let Some(begun) = begun
            && let Ok(Ok(Ok(Some(notice)))) = timeout(LATE_NOTICE, begun).await
        {
            notice.close().await;
        }
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
