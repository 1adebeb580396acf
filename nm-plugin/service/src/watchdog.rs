//! A service that does not answer any more is ended.
//!
//! Nobody else would do it: NetworkManager takes a connection down without waiting for its service,
//! and one that was stopped, or hangs, would keep its tunnel. So the kernel is asked to kill this
//! process some time from now, and each turn of the service's work puts that off. The supervisor
//! then ends OpenVPN and takes the device away, as after any death of the service.

use crate::kernel::DeadMansSwitch;
use std::time::Duration;

/// How long the service may do nothing. What it waits for has shorter timeouts.
const LIMIT: Duration = Duration::from_secs(30);

/// Ends this process unless it is heard of.
pub(crate) struct Watchdog(Option<DeadMansSwitch>);

impl Watchdog {
    /// Begins with the first [`Self::alive`].
    pub(crate) fn new() -> Self {
        Self(note(DeadMansSwitch::new()))
    }

    /// The service is at work.
    pub(crate) fn alive(&self) {
        if let Some(switch) = &self.0 {
            note(switch.put_off(LIMIT));
        }
    }
}

fn note<T>(result: std::io::Result<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::warn!("nobody watches over this service: {error}"))
        .ok()
}
