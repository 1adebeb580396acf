//! Signals with which a person, or systemd, ends the command.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl+C, SIGTERM, and a terminal that goes.
pub(super) struct Quit(Signal, Signal, Signal);

impl Quit {
    /// From here on, they do not end the process.
    pub(super) fn listen() -> io::Result<Self> {
        let (terminate, hang_up) = (SignalKind::terminate(), SignalKind::hangup());
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self(interrupt, signal(terminate)?, signal(hang_up)?))
    }

    /// Waits for one. Cancel safe.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
            _ = self.2.recv() => {}
        }
    }
}
