//! The secret agent of the client's session, and what NetworkManager says of VPN connections.

use crate::events::{Event, Events};
use crate::process::Process;
use crate::wait::{START_LIMIT, wait_for};
use crate::world::{PROGRAMS_INSIDE, World};
use std::io::Write;
use std::process::Stdio;
use std::sync::Mutex;

/// Which desktop's agent is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStyle {
    /// Standard input stays open, QUIT comes after the answer, standard error is a closed pipe.
    GnomeShell,
    /// QUIT is sent at once and standard input closed; a dialog is cancelled by a signal.
    NmApplet,
}

/// A running secret agent.
#[derive(Debug)]
pub struct Agent {
    process: Process,
    /// What it was asked, and what its dialogs did.
    pub events: Events,
}

impl Agent {
    /// Starts and registers one.
    pub(crate) fn start(client: &World, style: AgentStyle) -> Self {
        let style = match style {
            AgentStyle::GnomeShell => "gnome-shell",
            AgentStyle::NmApplet => "nm-applet",
        };
        let (process, events) = tool(client, &["agent", style]);
        events.wait("registered", START_LIMIT);
        Self { process, events }
    }

    /// Does what a user does who presses Cancel.
    pub fn cancel(&mut self) {
        self.command("cancel");
    }

    /// Does what gnome-shell does when it locks the screen: it says that the user cancels, and is no
    /// agent any more.
    pub fn lock(&mut self) {
        let seen = self.events.count();
        self.command("lock");
        self.events.wait_after(seen, "unregistered", START_LIMIT);
    }

    fn command(&mut self, command: &str) {
        let stdin = self.process.entrance.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{command}")
            .and_then(|()| stdin.flush())
            .expect("the agent runs");
    }
}

/// A state of a VPN connection as NetworkManager announces it, with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VpnState {
    /// `NMVpnConnectionState`: 2 needs auth, 3 connecting, 4 getting the IP configuration,
    /// 5 activated, 6 failed, 7 disconnected.
    pub state: u32,
    /// `NMActiveConnectionStateReason`: 2 user disconnected, 4 service stopped,
    /// 5 IP configuration invalid, 6 connect timeout, 9 no secrets, 10 login failed.
    pub reason: u32,
}

/// Follows the states of all VPN connections.
#[derive(Debug)]
pub(crate) struct Watch {
    /// With the number of questions that it was asked.
    process: Mutex<(Process, u64)>,
    events: Events,
}

impl Watch {
    pub(crate) fn start(client: &World) -> Self {
        let (process, events) = tool(client, &["watch"]);
        events.wait("watching", START_LIMIT);
        Self {
            process: Mutex::new((process, 0)),
            events,
        }
    }

    /// Waits until all has come that NetworkManager has told up to now.
    fn catch_up(&self) {
        let mut guard = self.process.lock().expect("not poisoned");
        let (process, asked) = &mut *guard;
        *asked += 1;
        let line = asked.to_string();
        let stdin = process.entrance.stdin.as_mut().expect("it is piped");
        let sent = writeln!(stdin, "{line}").and_then(|()| stdin.flush());
        // Without a bus, nothing more comes.
        let _ = sent.is_ok().then(|| {
            wait_for(START_LIMIT, || {
                let is_answer = |it: &Event| it["event"] == "told" && it["line"] == *line;
                (self.events.take(is_answer) || !process.is_running()).then_some(())
            })
        });
    }

    pub(crate) fn states(&self) -> Vec<VpnState> {
        self.catch_up();
        let number = |event: &serde_json::Value, key: &str| {
            u32::try_from(event[key].as_u64().unwrap_or_default()).unwrap_or_default()
        };
        let read = |event: &serde_json::Value| VpnState {
            state: number(event, "state"),
            reason: number(event, "reason"),
        };
        self.events.named("vpn-state").iter().map(read).collect()
    }
}

pub(crate) fn tool(world: &World, arguments: &[&str]) -> (Process, Events) {
    tool_in(world, arguments, &[])
}

/// The lab's tool, with these variables in its environment.
pub(crate) fn tool_in(
    world: &World,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (Process, Events) {
    let mut command = world.command(&format!("{PROGRAMS_INSIDE}/lab-tool"));
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut process = world.spawn("lab-tool", &mut command);
    let stdout = process.entrance.stdout.take().expect("it is piped");
    (process, Events::of(stdout))
}
