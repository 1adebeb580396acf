//! Tests on the real desktop programs: gnome-shell, GNOME Settings, nm-connection-editor and
//! nm-applet, each in a lab of its own, operated as a person operates them.
//!
//! Pictures of what they showed are kept in `target/screenshots`.

mod applet;
mod connection_editor;
mod importer;
mod pictures;
mod prompts;
mod settings;
mod shell;

use aws_client_vpn_desktop::{Accessible, Desktop, Role};
use aws_client_vpn_harness::{Lab, Options, PendingUp, Snapshot, VpnState, wait_for};
use std::time::{Duration, Instant};

/// How long a step may take on a busy machine: Chromium alone takes a minute there to start.
const SOON: Duration = Duration::from_secs(180);

/// `NMVpnConnectionState`
mod state {
    pub(crate) const ACTIVATED: u32 = 5;
}

/// `NMActiveConnectionStateReason`
mod reason {
    pub(crate) const USER_DISCONNECTED: u32 = 2;
    pub(crate) const NO_SECRETS: u32 = 9;
}

/// A lab without a secret agent: the desktop is the agent.
fn lab(options: Options) -> Lab {
    Lab::start(&Options {
        agent: None,
        desktop: true,
        ..options
    })
}

/// Waits until the desktop's secret agent `name` is registered with NetworkManager.
#[track_caller]
fn await_agent(lab: &Lab, name: &str) {
    let registered = || {
        let journal = lab.journal();
        let line = |line: &str| line.contains(name) && line.contains("agent registered");
        journal.lines().any(line).then_some(())
    };
    if wait_for(SOON, registered).is_none() {
        panic!("{name} is not registered\n{}", lab.journal());
    }
}

/// Waits until the last state that NetworkManager gave a VPN is `wanted`.
#[track_caller]
fn await_state(lab: &Lab, wanted: u32) -> VpnState {
    let reached = || {
        lab.vpn_states()
            .last()
            .copied()
            .filter(|last| last.state == wanted)
    };
    match wait_for(SOON, reached) {
        Some(state) => state,
        None => panic!(
            "state {wanted} not within {SOON:?}: {:?}\n{:?}\n{}",
            lab.vpn_states(),
            lab.browser_events(),
            lab.journal()
        ),
    }
}

/// Waits until the VPN that was going up, or was up, is down; the state that ended it.
#[track_caller]
fn await_end(lab: &Lab) -> VpnState {
    lab.vpn_ended(SOON)
}

/// Waits for the window that the auth dialog shows beside a login.
#[track_caller]
fn await_waiting_window(desktop: &Desktop<'_>) -> Accessible {
    let program = desktop.program("org.freedesktop.NetworkManager.AwsClientVpn.Login");
    let window = program.wait(Role::Frame, "Sign In");
    window.wait(Role::Button, "Open Again");
    window
}

/// Begins a login, up to the notification of it that gnome-shell shows; by then, the session has been
/// used for a while.
#[track_caller]
fn begin_notified_login(lab: &Lab, desktop: &Desktop<'_>) -> (PendingUp, Accessible) {
    desktop.put_warnings_away();
    desktop.await_idle();
    let up = lab.begin_up();
    let is_body = |node: &Accessible| {
        node.is(Role::Label) && node.name().starts_with("Sign in at ") && node.is_showing()
    };
    let shell = desktop.program("gnome-shell");
    (up, shell.wait_for("the notification of the login", is_body))
}

/// Presses a button of that notification, which shows them to somebody who points at it.
#[track_caller]
fn press_in(notification: &Accessible, desktop: &Desktop<'_>, button: &str) {
    desktop.point_at(notification);
    desktop.click(&desktop.program("gnome-shell").wait(Role::Button, button));
}

/// Waits until nothing of a connection is left on the client. A desktop starts and ends programs
/// and writes files as it likes, so of those only the product's and the browser's count.
#[track_caller]
fn assert_nothing_left(lab: &Lab, before: &Snapshot) {
    let ours = |line: &String| {
        let of_desktop = line.contains(": process ") || line.contains(": file ");
        let product = ["aws-client-vpn", "openvpn", "chrom", "auth-dialog"];
        // Which page a browser has is known until the session ends, for the dialog that may follow.
        let is_note = line.contains("/nm-aws-client-vpn-page-");
        !is_note && (!of_desktop || product.iter().any(|word| line.contains(word)))
    };
    let mut left = Vec::new();
    let clean = || {
        left = lab.snapshot().differences(before);
        left.retain(ours);
        left.is_empty().then_some(())
    };
    if wait_for(SOON, clean).is_none() {
        panic!("left or missing: {left:#?}\n{}", lab.journal());
    }
}

/// A whole connection by nmcli, with the desktop's agent; nothing of it is left.
#[track_caller]
fn goes_up_and_down(lab: &Lab, before: &Snapshot) {
    let up = lab.up();
    assert!(up.success, "{}\n{}", up.text, lab.journal());
    lab.traffic_flows();
    assert!(lab.down().status.success());
    assert_nothing_left(lab, before);
}

/// Tells how long the steps of a test take.
struct Steps(Instant);

impl Steps {
    fn begin() -> Self {
        Self(Instant::now())
    }

    fn done(&self, what: &str) {
        eprintln!("{:6.1} s  {what}", self.0.elapsed().as_secs_f32());
    }
}
