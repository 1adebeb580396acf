//! One line that a person types, seen or not.

use aws_client_vpn_text::secret::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

/// What a terminal hands over at once, at most.
const LINE_LIMIT: usize = 4096;

/// Nothing that is typed is seen while this value lives.
pub(super) struct EchoOff<'a> {
    tty: &'a File,
    before: Option<Termios>,
}

impl<'a> EchoOff<'a> {
    pub(super) fn on(tty: &'a File) -> Self {
        let before = tcgetattr(tty).ok();
        let off = Self { tty, before };
        off.again();
        off
    }

    /// Once more, where something else has set the terminal.
    pub(super) fn again(&self) {
        if let Some(before) = &self.before {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            // What was typed ahead goes: it was not meant for a password.
            let _ = tcsetattr(self.tty, OptionalActions::Flush, &silent);
        }
    }
}

impl Drop for EchoOff<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(self.tty, OptionalActions::Now, before);
        }
    }
}

/// The times at which this program goes on after it was stopped (Ctrl+Z, and `fg`).
pub(super) struct Continued(Option<Signal>);

impl Continued {
    pub(super) fn listen() -> Self {
        let number = rustix::process::Signal::CONT.as_raw();
        Self(signal(SignalKind::from_raw(number)).ok())
    }

    pub(super) async fn next(&mut self) {
        if let Some(signals) = &mut self.0
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

/// The line, without its end; `None` when the person ends the input, or the terminal is gone.
pub(super) async fn read_line(tty: &File) -> Option<Secret> {
    // Unchecked: it is a terminal, which is waited for like a pipe.
    let mut tty = pipe::Receiver::from_file_unchecked(tty.try_clone().ok()?).ok()?;
    // The whole room at once: a vector that grows leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_LIMIT));
    let mut buffer = Zeroizing::new([0; LINE_LIMIT]);
    loop {
        let length = tty.read(&mut *buffer).await.ok()?;
        line.extend_from_slice(&buffer[..length]);
        if length == 0 || line.len() > LINE_LIMIT {
            return None;
        }
        if line.ends_with(b"\n") {
            let text = std::str::from_utf8(&line).ok()?;
            return Some(Secret::from(text.trim_end_matches(['\n', '\r'])));
        }
    }
}
