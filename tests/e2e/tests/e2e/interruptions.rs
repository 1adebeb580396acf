//! What happens when something goes away in the midst of it.

use crate::{SOON, assert_failed, assert_up, assert_warning, lab, reason, state, take_down};
use aws_client_vpn_harness::{Browser, Lab, Options, PendingUp, Snapshot, VpnState, eventually};
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;

pub(crate) const SERVICE: &str = "nm-aws-client-vpn-service";
pub(crate) const OPENVPN: &str = "nm-aws-client-vpn/openvpn";

/// The steps of a connection at which it is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The endpoint has not answered the first connection.
    FirstPhase,
    /// A person is at the browser.
    Login,
    /// The endpoint has the answer of the login, and is silent.
    SecondPhase,
    /// Packets flow.
    Connected,
}

pub(crate) const ALL_STEPS: [Step; 4] = [
    Step::FirstPhase,
    Step::Login,
    Step::SecondPhase,
    Step::Connected,
];

/// Brings a connection to `step` and keeps it there.
pub(crate) fn bring_to(step: Step, lab: &mut Lab) -> PendingUp {
    let seen = lab.endpoint_events().count();
    lab.forget_browser_events();
    let closed = step == Step::Login;
    lab.set_browser(if closed {
        &Browser::Closed
    } else {
        &Browser::Scripted
    });
    let answers = json!({
        "answer_phase1": step != Step::FirstPhase,
        "answer_phase2": step != Step::SecondPhase,
    });
    lab.endpoint().command(&json!({"set": answers}));
    let up = lab.begin_up();
    match step {
        Step::FirstPhase | Step::SecondPhase => {
            lab.endpoint_events().wait_after(seen, "ignored", SOON);
        }
        Step::Login => {
            lab.browser_did("done", SOON);
        }
        Step::Connected => {
            lab.endpoint_events().wait_after(seen, "connected", SOON);
            eventually("NetworkManager has it up", SOON, || {
                lab.vpn_states()
                    .last()
                    .filter(|last| last.state == state::ACTIVATED)
                    .copied()
            });
        }
    }
    up
}

/// Ends the endpoint's servers, without a word to OpenVPN, which is told that the connection is lost.
pub(crate) fn lose_the_endpoint(lab: &mut Lab) {
    for node in [1, 2] {
        let seen = lab.endpoint_events().count();
        lab.endpoint().command(&json!({"stop_node": node}));
        lab.endpoint_events().wait_after(seen, "node-stopped", SOON);
    }
    lab.client.signal(OPENVPN, Signal::USR1);
}

/// Starts them again.
pub(crate) fn find_the_endpoint(lab: &mut Lab) {
    for node in [1, 2] {
        lab.endpoint().command(&json!({"start_node": node}));
    }
}

/// A process has lost its memory, by which it is known here, before it lets go of its device.
#[track_caller]
pub(crate) fn interface_goes(lab: &Lab, what: &str) {
    eventually(&format!("{what}: the interface goes"), SOON, || {
        let links = lab.client.check(["ip", "-brief", "link"]);
        (!links.contains("awsvpn")).then_some(())
    });
}

fn each_step(interrupt: impl Fn(Step, &mut Lab, &Snapshot)) {
    let (mut lab, before) = lab(&Options::default());
    for step in ALL_STEPS {
        let up = bring_to(step, &mut lab);
        interrupt(step, &mut lab, &before);
        up.abandon();
        lab.assert_clean(&before);
    }
}

#[test]
fn nmcli_down_in_each_state() {
    each_step(|step, lab, before| {
        eprintln!("down at {step:?}");
        take_down(lab, before);
        assert_eq!(lab.warnings(), [""; 0], "{step:?}");
    });
}

#[test]
fn openvpn_is_killed_in_each_state() {
    let warnings = std::cell::Cell::new(0);
    each_step(|step, lab, before| {
        kill(lab, Role::OpenVpn);
        let end = lab.vpn_ended(SOON);
        let failed = VpnState {
            state: state::FAILED,
            reason: reason::UNKNOWN,
        };
        assert_eq!(end, failed, "{step:?}\n{}", lab.journal());
        lab.assert_clean(before);
        warnings.set(warnings.get() + 1);
        assert_eq!(
            lab.warnings().len(),
            warnings.get(),
            "{step:?}: {:?}",
            lab.warnings()
        );
        assert!(
            lab.warnings()
                .last()
                .unwrap()
                .contains("OpenVPN ended unexpectedly")
        );
    });
}

/// What the next start of the service does for one that was killed: of its kill switch's mark,
/// which stopped nothing, and of routes only a process with the service's rights can dispose.
pub(crate) fn tidy_up_after_a_killed_service(lab: &Lab) {
    lab.client
        .check(["/usr/libexec/nm-aws-client-vpn-service", "--clear-away"]);
}

#[test]
fn the_service_is_killed_in_each_state() {
    each_step(|step, lab, before| {
        kill(lab, Role::Service);
        let end = lab.vpn_ended(SOON);
        let stopped = VpnState {
            state: state::DISCONNECTED,
            reason: reason::SERVICE_STOPPED,
        };
        assert_eq!(end, stopped, "{step:?}\n{}", lab.journal());
        tidy_up_after_a_killed_service(lab);
        lab.assert_clean(before);
    });
}

#[test]
fn openvpn_s_supervisor_is_killed_in_each_state() {
    each_step(|step, lab, before| {
        kill(lab, Role::Supervisor);
        let end = lab.vpn_ended(SOON);
        assert_eq!(end.state, state::FAILED, "{step:?}\n{}", lab.journal());
        lab.assert_clean(before);
    });
}

#[test]
fn networkmanager_is_killed_in_each_state() {
    each_step(|step, lab, before| {
        lab.kill_network_manager();
        // Without NetworkManager already, nothing of ours may be left.
        eventually(&format!("{step:?}: all processes end"), SOON, || {
            let left = [SERVICE, "openvpn", "nm-aws-client-vpn-auth-dialog"]
                .iter()
                .flat_map(|name| lab.client.processes_called(name))
                .count();
            (left == 0).then_some(())
        });
        interface_goes(lab, &format!("{step:?}"));
        // What NetworkManager itself wrote, it takes back when it comes again.
        lab.start_network_manager();
        lab.assert_clean(before);
    });
}

#[test]
fn the_endpoint_goes_during_the_first_phase() {
    let (mut lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "connect-timeout=20");
    stop_nodes(&mut lab);
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["did not answer", "firewall"],
        &before,
    );
}

#[test]
fn the_endpoint_goes_while_somebody_is_at_the_browser() {
    let (mut lab, before) = lab(&Options {
        browser: Browser::Waiting,
        ..Options::default()
    });
    // NetworkManager itself gives up after 60 s.
    lab.modify("+vpn.data", "connect-timeout=45");
    let up = lab.begin_up();
    lab.browser_did("opened", SOON);
    stop_nodes(&mut lab);
    lab.browser_goes_on();
    let up = up.finish();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["while it checked the sign-in"],
        &before,
    );
}

#[test]
fn the_endpoint_goes_during_the_second_phase() {
    let (mut lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "connect-timeout=20");
    let up = bring_to(Step::SecondPhase, &mut lab);
    stop_nodes(&mut lab);
    let up = up.finish();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["did not answer", "sign-in"],
        &before,
    );
}

#[test]
fn the_endpoint_goes_while_connected() {
    let (mut lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "reconnect-timeout=10");
    assert_up(&lab, &lab.up());
    stop_nodes(&mut lab);
    // 20 s of silence, as the endpoint pushes; then new attempts, without an answer.
    let end = lab.vpn_ended(SOON * 3);
    assert_eq!(
        end,
        VpnState {
            state: state::FAILED,
            reason: reason::UNKNOWN
        }
    );
    assert_warning(&lab, &["did not answer"]);
    lab.assert_clean(&before);
}

#[test]
fn a_networkmanager_that_is_slow_when_a_lost_connection_ends_hears_why_and_keeps_no_names() {
    let (mut lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "reconnect-timeout=10");
    assert_up(&lab, &lab.up());
    stop_nodes(&mut lab);
    let attempts = |lab: &Lab| lab.journal().matches(" port 443").count();
    let ended = |lab: &Lab| lab.vpn_states().last().is_some_and(|last| last.state > 5);
    let mut seen = attempts(&lab);
    // An attempt ends after 10 s, and it is left to OpenVPN whether another follows.
    while !ended(&lab) {
        let begun = eventually("an attempt, or the end", SOON, || {
            (ended(&lab) || attempts(&lab) > seen).then(|| attempts(&lab))
        });
        seen = begun;
        std::thread::sleep(Duration::from_secs(9));
        lab.client.signal("NetworkManager", Signal::STOP);
        std::thread::sleep(Duration::from_secs(2));
        lab.client.signal("NetworkManager", Signal::CONT);
    }
    assert_eq!(
        lab.vpn_ended(SOON),
        VpnState {
            state: state::FAILED,
            reason: reason::UNKNOWN
        },
        "{}",
        lab.journal()
    );
    assert_warning(&lab, &["did not answer"]);
    lab.assert_clean(&before);
}

#[test]
fn a_connection_comes_up_after_each_interruption() {
    let (mut lab, before) = lab(&Options::default());
    for role in [Role::Service, Role::Supervisor, Role::OpenVpn] {
        let up = bring_to(Step::Connected, &mut lab);
        drop(up.finish());
        kill(&lab, role);
        lab.vpn_ended(SOON);
        if role == Role::Service {
            tidy_up_after_a_killed_service(&lab);
        }
        lab.assert_clean(&before);
        assert_up(&lab, &lab.up());
        take_down(&lab, &before);
    }
}

/// The three processes of a connection. Two of them are the same executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Service,
    Supervisor,
    OpenVpn,
}

#[track_caller]
pub(crate) fn kill(lab: &Lab, role: Role) {
    let name = match role {
        Role::Service => SERVICE,
        Role::Supervisor => "openvpn-superv",
        Role::OpenVpn => "nm-aws-client-vpn/openvpn",
    };
    let pids = lab.client.processes_called(name);
    assert_eq!(pids.len(), 1, "one {role:?}: {pids:?}");
    let pid = rustix::process::Pid::from_raw(pids[0]).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
}

fn stop_nodes(lab: &mut Lab) {
    for node in [1, 2] {
        lab.endpoint().command(&json!({ "stop_node": node }));
    }
    eventually("both nodes are stopped", SOON, || {
        (lab.endpoint_events().named("node-stopped").len() == 2).then_some(())
    });
}
