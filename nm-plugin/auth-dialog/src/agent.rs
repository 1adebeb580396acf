//! The secret agent at the other end of standard input and output.
//!
//! gnome-shell keeps standard input open and writes `QUIT` when it has read the answer or gives
//! up; nm-applet and nmcli write `QUIT` right after `DONE`, close the pipe, and give up with a
//! signal. So a `QUIT` or an end that comes at once means nothing, and a later one means "stop".
//! How late that is depends on who asks: gnome-shell, which closes its end of standard error at
//! once, may give up any moment.

use crate::journal::Journal;
use aws_client_vpn_sign_in::agent_stdin::{AgentCommand, AgentStdin};
use aws_client_vpn_text::secret::Secret;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// An end that comes this soon after `DONE` (or the start) was sent in advance, and cancels nothing.
const IN_ADVANCE: Duration = Duration::from_millis(300);
/// How long the agent may take to read the answer, as NetworkManager-openvpn's dialog has it.
const READING_TIME: Duration = Duration::from_secs(20);

/// How long the agent may take to tell the settings and secrets that it has.
const TELLING_TIME: Duration = Duration::from_secs(5);

/// What the agent tells of the connection.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    /// `vpn.data`.
    pub(crate) data: BTreeMap<String, String>,
    /// What it has kept.
    pub(crate) secrets: BTreeMap<String, Secret>,
}

/// The agent: listened to from the moment this value is made.
#[derive(Debug)]
pub(crate) struct Agent {
    heard: mpsc::UnboundedReceiver<(AgentCommand, Instant)>,
    connection: Option<oneshot::Receiver<Connection>>,
    /// From when the time of [`IN_ADVANCE`] counts.
    settled: Instant,
    /// The agent has said the last it will say.
    silent: bool,
    answer: File,
    /// Standard error, if it is that.
    heard_by: Option<File>,
}

impl Agent {
    /// Begins to listen to standard input. `answer` is the way to the agent, `heard_by` standard
    /// error as it was passed, if it is no window.
    pub(crate) fn listen(answer: File, heard_by: Option<File>) -> io::Result<Self> {
        let (words, heard) = mpsc::unbounded_channel();
        let (tell, connection) = oneshot::channel();
        // A thread, because standard input may be anything: a pipe, a file, a terminal.
        std::thread::Builder::new()
            .name("agent".to_owned())
            .spawn(move || read_words(&words, tell))?;
        Ok(Self {
            heard,
            connection: Some(connection),
            settled: Instant::now(),
            silent: false,
            answer,
            heard_by,
        })
    }

    /// What the agent tells of the connection, once it has told everything; nothing, if it does not.
    pub(crate) async fn connection(&mut self) -> Connection {
        match self.connection.take() {
            Some(told) => timeout(TELLING_TIME, told)
                .await
                .ok()
                .and_then(Result::ok)
                .unwrap_or_default(),
            None => Connection::default(),
        }
    }

    /// Returns when the agent does not want an answer any more. It may be called again.
    pub(crate) async fn gives_up(&mut self) {
        let nobody_reads = nobody_reads(&self.answer);
        tokio::pin!(nobody_reads);
        while !self.silent {
            tokio::select! {
                () = &mut nobody_reads => return,
                heard = self.heard.recv() => match heard {
                    Some((AgentCommand::Done, when)) => self.settled = when,
                    Some((AgentCommand::Quit, when)) => {
                        self.silent = true;
                        if self.counts(when.duration_since(self.settled)) {
                            return;
                        }
                    }
                    None => self.silent = true,
                }
            }
        }
        nobody_reads.await;
    }

    /// Whether an end counts that comes this long after `DONE`. gnome-shell sends none in advance.
    fn counts(&self, after_done: Duration) -> bool {
        after_done > IN_ADVANCE || self.heard_by.as_ref().is_some_and(has_no_reader)
    }

    /// Hands `text` to the agent.
    pub(crate) async fn tell(&mut self, text: Secret) -> io::Result<()> {
        let mut answer = self.answer.try_clone()?;
        // A response can be longer than a pipe takes at once, and the browser waits for its page.
        let writing = tokio::task::spawn_blocking(move || {
            answer.write_all(text.expose().as_bytes())?;
            answer.flush()
        });
        timeout(READING_TIME, writing)
            .await?
            .map_err(io::Error::other)?
    }

    /// Waits until the agent has read what it was told. gnome-shell loses an answer if the dialog
    /// is gone before it writes `QUIT`.
    pub(crate) async fn has_read(&mut self, journal: &Journal) {
        let quit = async {
            while !self.silent {
                match self.heard.recv().await {
                    Some((AgentCommand::Done, _)) => {}
                    Some((AgentCommand::Quit, _)) | None => self.silent = true,
                }
            }
        };
        if timeout(READING_TIME, quit).await.is_err() {
            journal.error("the secret agent did not say that it has read the answer");
        }
    }
}

/// Returns when the other end of `answer` is closed, if that can ever be known.
async fn nobody_reads(answer: &File) {
    if let Ok(copy) = answer.try_clone()
        // Unchecked: it may also be a socket, and it stays blocking, for nothing is written here.
        && let Ok(watched) = pipe::Sender::from_file_unchecked(copy)
        && watched.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Whether `pipe` is a pipe whose other end is closed.
fn has_no_reader(pipe: &File) -> bool {
    let mut polled = [PollFd::new(pipe, PollFlags::empty())];
    let at_once = Timespec::default();
    poll(&mut polled, Some(&at_once)).is_ok() && polled[0].revents().contains(PollFlags::ERR)
}

/// Passes on what standard input says; its end, and an error, is a last `QUIT`.
fn read_words(
    words: &mpsc::UnboundedSender<(AgentCommand, Instant)>,
    tell: oneshot::Sender<Connection>,
) {
    let mut tell = Some(tell);
    // Settings and secrets of the connection pass through here.
    let mut buffer = Zeroizing::new([0; 4096]);
    let mut lines = AgentStdin::default();
    loop {
        let heard = match rustix::io::read(io::stdin(), &mut *buffer) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(0) | Err(_) => vec![AgentCommand::Quit],
            Ok(length) => lines.push(&buffer[..length]),
        };
        // What came together was said together.
        let when = Instant::now();
        for word in heard {
            if word == AgentCommand::Done
                && let Some(tell) = tell.take()
            {
                drop(tell.send(Connection {
                    data: lines.data().clone(),
                    secrets: lines.secrets().clone(),
                }));
            }
            if words.send((word, when)).is_err() || word == AgentCommand::Quit {
                return;
            }
        }
    }
}
