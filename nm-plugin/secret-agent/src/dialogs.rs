//! The dialogs that run, one for each connection that secrets are asked for of.

use crate::dialog::{self, NoAnswer};
use crate::exchange::{Get, Reply};
use crate::report::report;
use crate::request::{ALLOW_INTERACTION, Connection};
use crate::terminal::Terminal;
use aws_client_vpn_i18n::gettext;
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Runs in a `LocalSet`.
#[derive(Debug, Default)]
pub struct Dialogs {
    terminal: Option<Rc<Terminal>>,
    /// How to end those that run, by the connection's path.
    running: HashMap<String, oneshot::Sender<Reply>>,
    tasks: JoinSet<()>,
    was_cancelled: Rc<Cell<bool>>,
}

impl Dialogs {
    /// Dialogs whose window is `terminal`, if there is one.
    #[must_use]
    pub fn new(terminal: Option<Rc<Terminal>>) -> Self {
        Self {
            terminal,
            ..Self::default()
        }
    }

    /// Starts one for a request, in the place of the one before for that connection.
    pub fn begin(&mut self, get: Get) {
        let Get {
            connection,
            path,
            hints,
            flags,
            reply,
        } = get;
        self.running.retain(|_, end| !end.is_closed());
        self.take_back(&path);
        let (end, ended) = oneshot::channel();
        self.running.insert(path, end);
        let terminal = self.terminal.clone();
        let was_cancelled = Rc::clone(&self.was_cancelled);
        self.tasks.spawn_local(async move {
            let mut running = None;
            let answer = tokio::select! {
                answer = answer(
                    &connection, &hints, flags, terminal.as_ref(), &mut running
                ) => answer,
                Ok(end) = ended => end,
            };
            was_cancelled.set(matches!(answer, Reply::Cancelled));
            // NetworkManager may have gone.
            drop(reply.send(answer));
            dialog::end(running).await;
        });
    }

    /// Ends the one for the connection at `path`.
    pub fn take_back(&mut self, path: &str) {
        if let Some(end) = self.running.remove(path) {
            drop(end.send(Reply::TakenBack));
        }
    }

    /// Ends all.
    pub fn take_back_all(&mut self) {
        for (_, end) in self.running.drain() {
            drop(end.send(Reply::TakenBack));
        }
    }

    /// The user cancels everything that runs. Whether there was nothing.
    pub fn cancel_all(&mut self) -> bool {
        self.running.retain(|_, end| !end.is_closed());
        let idle = self.running.is_empty();
        for (_, end) in self.running.drain() {
            drop(end.send(Reply::Cancelled));
        }
        if !idle && let Some(terminal) = &self.terminal {
            terminal.say(&gettext!("Cancelled."));
        }
        idle
    }

    /// Whether the user cancelled the last one that ended.
    #[must_use]
    pub fn was_cancelled(&self) -> bool {
        self.was_cancelled.get()
    }

    /// Waits for the next end of one; `None` if none runs.
    pub async fn next_end(&mut self) -> Option<()> {
        self.tasks.join_next().await.map(drop)
    }

    /// Waits until all have ended.
    pub async fn ended(&mut self) {
        while self.next_end().await.is_some() {}
        // Replies that were given just now go out first.
        tokio::task::yield_now().await;
    }
}

async fn answer(
    connection: &Connection,
    hints: &[String],
    flags: u32,
    terminal: Option<&Rc<Terminal>>,
    running: &mut Option<Child>,
) -> Reply {
    let is_silent = flags & ALLOW_INTERACTION == 0;
    match dialog::run(connection, hints, flags, terminal, running).await {
        Ok(secrets) => Reply::Secrets(secrets),
        Err(NoAnswer::Cancelled) => Reply::Cancelled,
        // Who asks for what is kept gets nothing from NetworkManager where no agent answers, not
        // even what NetworkManager keeps itself: an editor or an update would lose that. And the
        // next agent may be Plasma's, which would open its wallet to look, and make one first.
        Err(NoAnswer::Nothing) if is_silent => Reply::Secrets(Vec::new()),
        Err(NoAnswer::Nothing) => Reply::Nothing(NoAnswer::Nothing.to_string()),
        Err(error @ (NoAnswer::Broken(_) | NoAnswer::Talkative | NoAnswer::Endless)) => {
            report(&error);
            match is_silent {
                true => Reply::Secrets(Vec::new()),
                false => Reply::Nothing(error.to_string()),
            }
        }
    }
}
