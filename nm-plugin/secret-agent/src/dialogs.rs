//! The dialogs that run: one that asks for each connection, and beside it those that only look at
//! what is kept.

use crate::dialog::{self, NoAnswer};
use crate::exchange::{Get, Reply};
use crate::report::report;
use crate::request::Connection;
use crate::terminal::Terminal;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_sign_in::answer::cancelled;
use aws_client_vpn_sign_in::hints::cancel_is_an_answer;
use std::cell::Cell;
use std::rc::Rc;
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

const TAKEN_BACK: fn() -> Reply = || Reply::TakenBack;
/// How many may run at a time; each is a process.
const MOST: usize = 64;

/// Runs in a `LocalSet`.
#[derive(Debug, Default)]
pub struct Dialogs {
    terminal: Option<Rc<Terminal>>,
    running: Vec<Running>,
    tasks: JoinSet<()>,
    was_cancelled: Rc<Cell<bool>>,
}

#[derive(Debug)]
struct Running {
    /// The connection's.
    path: String,
    /// Whether it asks a person.
    asks: bool,
    /// How to end it.
    end: oneshot::Sender<Reply>,
}

impl Dialogs {
    /// Dialogs whose window is `terminal`, if there is one.
    pub fn new(terminal: Option<Rc<Terminal>>) -> Self {
        Self {
            terminal,
            ..Self::default()
        }
    }

    /// Starts one for a request. One that asks takes the place of the one before that asks for that
    /// connection; whoever only looks at what is kept, such as `nmcli --show-secrets`, ends nothing.
    pub fn begin(&mut self, get: Get) {
        let asks = get.may_ask();
        let Get {
            connection,
            hints,
            flags,
            reply,
        } = get;
        let path = connection.stored.path.clone();
        if asks {
            self.end(|running| running.asks && running.path == path, TAKEN_BACK);
        }
        self.running.retain(|running| !running.end.is_closed());
        if self.running.len() >= MOST {
            drop(reply.send(Reply::Nothing("too many requests at a time".to_owned())));
            return;
        }
        let (end, ended) = oneshot::channel();
        self.running.push(Running { path, asks, end });
        let terminal = self.terminal.clone();
        let was_cancelled = Rc::clone(&self.was_cancelled);
        self.tasks.spawn_local(async move {
            let mut running = None;
            let answer = tokio::select! {
                answer = answer(
                    &connection, &hints, flags, asks, terminal.as_ref(), &mut running
                ) => answer,
                Ok(end) = ended => end,
            };
            let is_cancelled = matches!(answer, Reply::Cancelled);
            if asks {
                was_cancelled.set(is_cancelled);
            }
            let answer = if is_cancelled && cancel_is_an_answer(&hints) {
                let (name, value) = cancelled();
                Reply::Secrets(vec![(name.to_owned(), value)])
            } else {
                answer
            };
            // NetworkManager may have gone.
            drop(reply.send(answer));
            dialog::end(running).await;
        });
    }

    /// Ends those for the connection at `path`: NetworkManager does not say which it means.
    pub fn take_back(&mut self, path: &str) {
        self.end(|running| running.path == path, TAKEN_BACK);
    }

    /// Ends all.
    pub fn take_back_all(&mut self) {
        self.end(|_| true, TAKEN_BACK);
    }

    /// The user cancels everything that asks. Whether there was nothing.
    pub fn cancel_all(&mut self) -> bool {
        let is_idle = self.end(|running| running.asks, || Reply::Cancelled) == 0;
        if !is_idle && let Some(terminal) = &self.terminal {
            terminal.say(&gettext!("Cancelled."));
        }
        is_idle
    }

    /// Ends those that are `meant` with `reply`, and says how many there were.
    fn end(&mut self, meant: impl Fn(&Running) -> bool, reply: fn() -> Reply) -> usize {
        let ended = self.running.extract_if(.., |running| meant(running));
        let sent = ended.map(|running| running.end.send(reply()));
        sent.filter(Result::is_ok).count()
    }

    /// Whether the user cancelled the last one that ended.
    pub fn was_cancelled(&self) -> bool {
        self.was_cancelled.get()
    }

    /// Whether a person is being asked.
    pub fn is_asking(&self) -> bool {
        self.running
            .iter()
            .any(|running| running.asks && !running.end.is_closed())
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
    asks: bool,
    terminal: Option<&Rc<Terminal>>,
    running: &mut Option<Child>,
) -> Reply {
    match dialog::run(connection, hints, flags, terminal, running).await {
        Ok(secrets) => Reply::Secrets(secrets),
        Err(NoAnswer::Cancelled) => Reply::Cancelled,
        // Who asks for what is kept gets nothing from NetworkManager where no agent answers, not
        // even what NetworkManager keeps itself: an editor or an update would lose that. And the
        // next agent may be Plasma's, which would open its wallet to look, and make one first.
        Err(NoAnswer::Nothing) if !asks => Reply::Secrets(Vec::new()),
        Err(NoAnswer::Nothing) => Reply::Nothing(NoAnswer::Nothing.to_string()),
        Err(error @ (NoAnswer::Broken(_) | NoAnswer::Talkative | NoAnswer::Endless)) => {
            report(&error);
            match asks {
                true => Reply::Nothing(error.to_string()),
                false => Reply::Secrets(Vec::new()),
            }
        }
    }
}
