//! Waiting for something that another process does.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a program may take to start on a busy machine.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(180);
/// How often a condition is looked at. Short beside what is measured in whole seconds, long
/// beside what looking costs.
const INTERVAL: Duration = Duration::from_millis(20);

/// Looks at `condition` until it yields a value, and returns that; `None` after `limit`.
pub fn wait_for<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(INTERVAL);
    }
}

/// As [`wait_for`]; panics with `what` when the time is over.
#[track_caller]
pub fn eventually<T>(what: &str, limit: Duration, condition: impl FnMut() -> Option<T>) -> T {
    match wait_for(limit, condition) {
        Some(value) => value,
        None => panic!("{what}: not within {limit:?}"),
    }
}

/// Waits until a program takes connections at `socket`, whose file is there a moment before.
#[track_caller]
pub(crate) fn until_it_listens(what: &str, socket: &Path, limit: Duration) {
    eventually(what, limit, || UnixStream::connect(socket).ok());
}
