//! Signals with which a person, or systemd, ends the command.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl+C, SIGTERM, and a terminal that goes.
pub(super) struct Quit {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Quit {
    /// From here on, they do not end the process.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one. Cancel safe.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
