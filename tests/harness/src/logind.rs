//! A logind on the client's private bus, for sleep and locked screens.

use crate::agent;
use crate::events::Events;
use crate::process::Process;
use crate::wait::START_LIMIT;
use crate::world::World;
use std::io::Write;

/// The computer's sleep, and the session of the one person at it.
#[derive(Debug)]
pub struct Logind {
    process: Process,
    events: Events,
}

impl Logind {
    pub(crate) fn start(client: &World) -> Self {
        let (process, events) = agent::tool(client, &["logind"]);
        events.wait("logind", START_LIMIT);
        Self { process, events }
    }

    /// The lid is closed.
    pub fn sleep(&mut self) {
        self.command("sleep");
    }

    /// The lid is opened.
    pub fn wake(&mut self) {
        self.command("wake");
    }

    /// The computer is being shut down.
    pub fn shut_down(&mut self) {
        self.command("shut-down");
    }

    /// The screen is locked.
    pub fn lock(&mut self) {
        self.command("lock");
    }

    /// The screen is unlocked.
    pub fn unlock(&mut self) {
        self.command("unlock");
    }

    /// The person logs out.
    pub fn leave(&mut self) {
        self.command("leave");
    }

    /// The person logs in.
    pub fn arrive(&mut self) {
        self.command("arrive");
    }

    /// The person is `name`, whose account has the number `uid`.
    pub fn become_user(&mut self, name: &str, uid: u32) {
        self.command(&format!("become {name} {uid}"));
    }

    /// Returns when it is so, and everybody has been told.
    fn command(&mut self, command: &str) {
        let seen = self.events.count();
        let stdin = self.process.entrance.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{command}")
            .and_then(|()| stdin.flush())
            .expect("logind runs");
        self.events.wait_after(seen, "done", START_LIMIT);
    }
}
