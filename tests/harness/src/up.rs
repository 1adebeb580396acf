//! `nmcli connection up`, while it runs and when it has ended.

use crate::process::Process;
use std::io::Read;
use std::time::{Duration, Instant};

/// What came of `nmcli connection up`.
#[derive(Debug)]
pub struct Up {
    /// Whether the connection is up.
    pub success: bool,
    /// Its exit code, if no signal ended it.
    pub code: Option<i32>,
    /// What nmcli printed.
    pub text: String,
    /// How long it took.
    pub elapsed: Duration,
}

/// An `nmcli connection up` that runs.
#[derive(Debug)]
pub struct PendingUp {
    started: Instant,
    nmcli: Process,
}

impl PendingUp {
    /// What `process` is running, which prints to pipes.
    #[must_use]
    pub fn new(nmcli: Process) -> Self {
        Self {
            started: Instant::now(),
            nmcli,
        }
    }

    /// Ends nmcli, which waits on and on for a NetworkManager that was killed.
    pub fn abandon(mut self) {
        self.nmcli.kill();
    }

    /// Waits for its end.
    #[must_use]
    pub fn finish(mut self) -> Up {
        let mut text = String::new();
        // nmcli prints little: neither pipe fills while the other is read.
        if let Some(mut stdout) = self.nmcli.entrance.stdout.take() {
            drop(stdout.read_to_string(&mut text));
        }
        if let Some(mut stderr) = self.nmcli.entrance.stderr.take() {
            drop(stderr.read_to_string(&mut text));
        }
        let status = self.nmcli.entrance.wait().expect("nmcli was started");
        Up {
            success: status.success(),
            code: status.code(),
            text,
            elapsed: self.started.elapsed(),
        }
    }
}
