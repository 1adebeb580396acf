//! A process inside a world, as seen from outside.

use crate::wait::{START_LIMIT, eventually, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::Child;
use std::time::Duration;

/// A process that was started in a world. `nsenter` stands between it and us.
#[derive(Debug)]
pub struct Process {
    /// `nsenter`, whose standard streams are the process's.
    pub entrance: Child,
    name: String,
}

impl Process {
    pub(crate) fn new(name: &str, entrance: Child) -> Self {
        Self {
            entrance,
            name: name.to_owned(),
        }
    }

    /// Its number, counted from outside.
    #[must_use]
    pub fn pid(&self) -> i32 {
        eventually(&format!("{} runs", self.name), START_LIMIT, || {
            children(self.entrance.id().cast_signed()).first().copied()
        })
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Whether it runs still.
    pub fn is_running(&mut self) -> bool {
        matches!(self.entrance.try_wait(), Ok(None))
    }

    /// Ends it at once and waits for the end.
    pub fn kill(&mut self) {
        if self.is_running()
            && let Some(pid) = children(self.entrance.id().cast_signed()).first()
        {
            send(*pid, Signal::KILL);
        }
        drop(self.entrance.wait());
    }

    /// Waits for its end.
    pub fn ended_within(&mut self, limit: Duration) -> bool {
        wait_for(limit, || (!self.is_running()).then_some(())).is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.entrance.kill());
        drop(self.entrance.wait());
    }
}

/// Sends a signal to the process of that number, which may be gone already.
pub(crate) fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// All processes whose parent is `parent`.
pub(crate) fn children(parent: i32) -> Vec<i32> {
    all()
        .into_iter()
        .filter(|&pid| parent_of(pid) == Some(parent))
        .collect()
}

/// The systemd that is the first process of a container somewhere below the process `ancestor`.
pub(crate) fn booted_below(ancestor: i32) -> Option<i32> {
    children(ancestor).into_iter().find_map(|pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let is_systemd = name.trim() == "systemd";
        is_systemd.then_some(pid).or_else(|| booted_below(pid))
    })
}

/// The numbers of all processes that can be seen from here.
pub(crate) fn all() -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc is there");
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // "12 (a name) S 1 …": the name may hold anything, its end is the last parenthesis.
    let mut after_name = stat[stat.rfind(')')? + 1..].split_whitespace();
    if after_name.next()? == "Z" {
        return None;
    }
    after_name.next()?.parse().ok()
}
