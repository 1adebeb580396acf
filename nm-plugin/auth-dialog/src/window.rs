//! The window beside a login: a child of ours, talked to over pipes, or the agent itself.
//!
//! It is a comfort. Where there is no display, where it is not installed, fails or ends too soon,
//! the login goes on without it.

use crate::browser::has_display;
use crate::journal::Journal;
use aws_client_vpn_keyring::session_dir::session_file;
use aws_client_vpn_sign_in::window::{Screen, UserAction};
use aws_client_vpn_sign_in::wire::Lines;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

/// The program, in the directory of ours.
const PROGRAM: &str = "nm-aws-client-vpn-login-window";

/// An open window. It closes when this value is dropped.
pub(crate) struct Window {
    running: Option<Running>,
    lines: Lines,
    actions: VecDeque<UserAction>,
    dismissed: Dismissed,
}

/// Whether NetworkManager has taken the request back, maybe to make it again: then the window stays
/// for a moment, for the next dialog to go on with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dismissed(Rc<Cell<bool>>);

impl Dismissed {
    pub(crate) fn set(&self) {
        self.0.set(true);
    }
}

struct Running {
    /// What it shows. Its end is the window's, too.
    screens: Box<dyn AsyncWrite + Unpin>,
    actions: Box<dyn AsyncRead + Unpin>,
    /// Unless the agent is the window.
    child: Option<Child>,
    /// Where it awaits the next dialog.
    socket: Option<PathBuf>,
}

impl Window {
    /// Opens one for the connection `uuid`, if there is a display and the program. With a `token`
    /// from the desktop, it may come to the front.
    pub(crate) fn open(
        uuid: &str,
        token: Option<&str>,
        dismissed: &Dismissed,
        journal: &Journal,
    ) -> Self {
        let running = program().filter(|_| has_display()).and_then(|program| {
            Running::start(&program, socket(uuid).as_deref(), token)
                .inspect_err(|error| journal.info(&format!("no window: {error}")))
                .ok()
        });
        Self::of(running, dismissed)
    }

    /// The one that the dialog before has left for us, if it has.
    pub(crate) fn left_open(uuid: &str, dismissed: &Dismissed) -> Option<Self> {
        let socket = UnixStream::connect(socket(uuid)?).ok()?;
        let running = Running::at(socket).ok()?;
        Some(Self::of(Some(running), dismissed))
    }

    /// The agent itself, at the other end of `socket`.
    pub(crate) fn at(socket: &File) -> io::Result<Self> {
        let socket = UnixStream::from(OwnedFd::from(socket.try_clone()?));
        // It is there as long as the agent is.
        Ok(Self::of(Some(Running::at(socket)?), &Dismissed::default()))
    }

    fn of(running: Option<Running>, dismissed: &Dismissed) -> Self {
        Self {
            running,
            lines: Lines::default(),
            actions: VecDeque::new(),
            dismissed: dismissed.clone(),
        }
    }

    /// Whether there is (still) a window.
    pub(crate) fn is_open(&self) -> bool {
        self.running.is_some()
    }

    /// Shows `screen`. It takes no longer than a pipe takes to be written to.
    pub(crate) async fn show(&mut self, screen: &Screen) {
        if let Some(running) = &mut self.running
            && running
                .screens
                .write_all(screen.to_line().expose().as_bytes())
                .await
                .is_err()
        {
            self.close();
        }
    }

    /// What the person at it does next; `None` if the window is gone.
    ///
    /// A call that is dropped loses nothing.
    pub(crate) async fn action(&mut self) -> Option<UserAction> {
        let mut buffer = Zeroizing::new([0; 4096]);
        loop {
            if let Some(action) = self.actions.pop_front() {
                return Some(action);
            }
            let running = self.running.as_mut()?;
            let length = running.actions.read(&mut *buffer).await.unwrap_or(0);
            match self.lines.push(&buffer[..length]) {
                Ok(lines) if length > 0 => self
                    .actions
                    .extend(lines.iter().filter_map(UserAction::from_line)),
                _ => self.close(),
            }
        }
    }

    /// Takes leave of a window that is gone, or closes it.
    fn close(&mut self) {
        if let Some(running) = self.running.take() {
            running.close();
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if self.dismissed.0.get()
            && let Some(running) = self.running.take()
        {
            running.leave_open();
        }
        self.close();
    }
}

impl Running {
    /// The window at the other end of `socket`.
    fn at(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // Not `into_split`, whose half for writing shuts the socket down when it is dropped, also for the
        // window that a later part of the same dialog makes of it.
        let (actions, screens) = tokio::io::split(tokio::net::UnixStream::from_std(socket)?);
        Ok(Self {
            screens: Box::new(screens),
            actions: Box::new(actions),
            child: None,
            socket: None,
        })
    }

    /// Starts `program`, which leaves its window to whoever comes to `socket`, when it may.
    fn start(
        program: &PathBuf,
        socket: Option<&Path>,
        token: Option<&str>,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", program.display());
        let mut command = Command::new(program);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .args(socket)
            .kill_on_drop(true);
        if let Some(token) = token {
            command
                .env("XDG_ACTIVATION_TOKEN", token)
                .env("DESKTOP_STARTUP_ID", token);
        }
        // Drawn by the processor: starting a driver for graphics takes longer than all of the
        // window's drawing.
        if std::env::var_os("GSK_RENDERER").is_none() {
            command.env("GSK_RENDERER", "cairo");
        }
        let mut child = command.spawn().map_err(failed)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(screens), Some(actions)) => Ok(Self {
                screens: Box::new(screens),
                actions: Box::new(actions),
                child: Some(child),
                socket: socket.map(Path::to_owned),
            }),
            _ => Err("no pipes".to_owned()),
        }
    }

    /// The end of its standard input is what it goes by; if it hangs, it is killed when we end.
    fn close(self) {
        let Self {
            screens,
            child,
            socket,
            ..
        } = self;
        drop(screens);
        // Nobody is to come any more, and killed it could not take that away itself.
        drop(socket.map(std::fs::remove_file));
        if let Some(mut child) = child {
            tokio::spawn(async move { child.wait().await });
        }
    }

    /// Leaves it to the next dialog.
    fn leave_open(self) {
        let Self {
            mut screens, child, ..
        } = self;
        let line = Screen::KeepOpen.to_line();
        let mut context = Context::from_waker(Waker::noop());
        // So short a line goes into the pipe at once, or nobody reads it.
        let sent = Pin::new(&mut screens).poll_write(&mut context, line.expose().as_bytes());
        if matches!(sent, Poll::Ready(Ok(_))) {
            // Dropped, it would be killed; we end in a moment, and whoever is first takes leave of
            // it.
            std::mem::forget(child);
        }
    }
}

/// Where the window of the connection `uuid` waits for the next dialog.
fn socket(uuid: &str) -> Option<PathBuf> {
    session_file(PROGRAM, uuid)
}

/// The program that belongs to this one.
fn program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    Some(own.with_file_name(PROGRAM)).filter(|program| program.exists())
}
