//! What nobody asked for opens no kill switch; and what nobody can take down any more, others do.

use super::{LIFT, guarded, is_let_out, mark_of, stops, tables};
use crate::down::HeldService;
use crate::interruptions::SERVICE;
use crate::{SOON, assert_up, endpoint, reason, state};
use aws_client_vpn_harness::{Browser, Lab, Options, eventually, typed};
use rustix::process::Signal;
use std::time::Duration;

/// Up, and killed: traffic is stopped, and nobody is there to open it.
pub(crate) fn left_closed(lab: &Lab) {
    assert_up(lab, &lab.up());
    lab.client.signal(SERVICE, Signal::KILL);
    lab.vpn_ended(SOON);
    assert!(stops(lab));
}

/// Has NetworkManager activate the connection by itself, with the wired one.
pub(crate) fn activate_as_secondary(lab: &Lab) {
    lab.client.check([
        "nmcli",
        "connection",
        "modify",
        "base",
        "connection.secondaries",
        &lab.setting("vpn", "connection.uuid"),
    ]);
    // Its end is not waited for: it depends on the secondary one's.
    let line = ["nmcli", "--wait", "0", "connection", "up", "base"];
    lab.client.check(line);
}

/// The network as it was, without the secondary connection.
fn deactivate_secondary(lab: &Lab) {
    lab.client.check([
        "nmcli",
        "connection",
        "modify",
        "base",
        "connection.secondaries",
        "",
    ]);
    lab.client
        .check(["nmcli", "--wait", "300", "connection", "up", "base"]);
}

#[test]
fn networkmanager_s_own_activation_opens_nothing_and_no_page() {
    let (lab, _) = guarded(&Options::default(), &["kill-switch=yes"]);
    left_closed(&lab);
    lab.forget_browser_events();
    activate_as_secondary(&lab);
    eventually("it ends without a sign-in", SOON, || {
        assert!(stops(&lab));
        let told = lab.journal().contains("the kill switch blocks the browser");
        told.then_some(())
    });
    let end = lab.vpn_ended(SOON);
    let expected = (state::FAILED, reason::LOGIN_FAILED);
    assert_eq!((end.state, end.reason), expected, "{}", lab.journal());
    deactivate_secondary(&lab);
    assert!(stops(&lab));
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    assert!(!rules.contains("dport @open"), "{rules}");
    assert!(
        !lab.browser_events()
            .iter()
            .any(|event| event["event"] == "opened")
    );
    // A person may sign in, and take it down.
    assert_up(&lab, &lab.up());
    assert!(stops(&lab));
    assert!(lab.down().status.success());
    is_let_out(&lab);
}

#[test]
fn networkmanager_s_own_activation_reaches_the_endpoint_where_nobody_has_to_sign_in() {
    let (lab, _) = guarded(&endpoint(&["--sign-in=certificate"]), &["kill-switch=yes"]);
    left_closed(&lab);
    activate_as_secondary(&lab);
    eventually("the tunnel is up", SOON * 2, || {
        assert!(stops(&lab));
        lab.has_traffic().then_some(())
    });
    assert!(stops(&lab));
    assert!(lab.down().status.success());
    is_let_out(&lab);
}

#[test]
fn a_login_that_comes_to_nothing_leaves_traffic_stopped_as_it_was() {
    let (lab, before) = guarded(
        &Options::default(),
        &["kill-switch=yes", "login-timeout=30"],
    );
    left_closed(&lab);
    // The tunnel that was is gone, with its interface.
    let rules = || {
        let rules = lab.client.check(["nft", "list", "ruleset"]);
        let lasting = rules.lines().filter(|rule| !rule.contains("awsvpn"));
        lasting.map(|rule| format!("{rule}\n")).collect::<String>()
    };
    let before_it = rules();
    for browser in [Browser::Missing, Browser::Closed] {
        lab.set_browser(&browser);
        let states = lab.vpn_states().len();
        let up = lab.begin_up();
        eventually(
            "the login has failed, and the service has ended",
            SOON,
            || {
                assert!(stops(&lab));
                let mut states = lab.vpn_states().into_iter().skip(states);
                let has_failed = states.any(|seen| seen.state == state::FAILED);
                (has_failed && lab.client.processes_called(SERVICE).is_empty()).then_some(())
            },
        );
        assert!(!up.finish().success, "{browser:?}");
        assert_eq!(rules(), before_it, "{browser:?}");
    }
    // A person who takes it down while it is being made wants the network.
    lab.forget_browser_events();
    let up = lab.begin_up();
    lab.browser_did("done", SOON);
    assert!(stops(&lab));
    assert!(lab.down().status.success());
    is_let_out(&lab);
    up.abandon();
    lab.assert_clean(&before);
}

#[test]
fn a_connection_that_is_taken_down_while_an_agent_looks_for_its_password_stops_nothing() {
    let (lab, before) = guarded(&endpoint(&["--sign-in=password"]), &["kill-switch=yes"]);
    let password = [
        ("username", "ada@example.com"),
        ("password", "correct horse"),
    ];
    lab.set_typed(&[typed(&password)]);
    left_closed(&lab);
    eventually("the service has ended", SOON, || {
        let services = lab.client.processes_called(SERVICE);
        services.is_empty().then_some(())
    });
    // NetworkManager asks what is kept before it tells the service anything.
    lab.client.signal("lab-tool", Signal::STOP);
    let up = lab.begin_up();
    eventually("NetworkManager waits for the agent", SOON, || {
        let shown = lab.nmcli(["connection", "show", "vpn"]);
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        shown.contains("need authentication").then_some(())
    });
    assert!(stops(&lab));
    assert!(lab.down().status.success());
    lab.client.signal("lab-tool", Signal::CONT);
    is_let_out(&lab);
    up.abandon();
    lab.assert_clean(&before);
}

#[test]
fn a_connection_that_is_taken_down_before_its_service_has_started_stops_nothing() {
    let (lab, before) = guarded(&Options::default(), &["kill-switch=yes"]);
    left_closed(&lab);
    eventually("the service has ended", SOON, || {
        let services = lab.client.processes_called(SERVICE);
        services.is_empty().then_some(())
    });
    let scripts = lab.pre_down_calls().len();
    lab.set_pre_down_delay(Duration::from_secs(7));
    let service = HeldService::hold(&lab);
    let up = lab.begin_up();
    service.has_started();
    let mut command = lab.client.command("nmcli");
    command.args(["--wait", "300", "connection", "down", "vpn"]);
    let mut nmcli = lab.client.spawn_logged("nmcli", command);
    eventually("the scripts run", SOON, || {
        (lab.pre_down_calls().len() > scripts).then_some(())
    });
    assert!(stops(&lab));
    service.let_go();
    is_let_out(&lab);
    assert!(nmcli.entrance.wait().unwrap().success());
    up.abandon();
    lab.set_pre_down_delay(Duration::ZERO);
    lab.assert_clean(&before);
}

#[test]
fn a_connection_that_is_deleted_while_it_is_off_stops_nothing_for_long() {
    let (lab, _) = guarded(&endpoint(&["--sign-in=certificate"]), &["kill-switch=yes"]);
    let lift_deleted = [
        "/usr/libexec/nm-aws-client-vpn-service",
        "--lift-deleted-kill-switches",
    ];
    left_closed(&lab);
    lab.client.check(lift_deleted);
    assert!(stops(&lab), "it is there still");
    lab.client
        .check(["nmcli", "--wait", "300", "connection", "delete", "vpn"]);
    lab.client.check(lift_deleted);
    is_let_out(&lab);
    assert_eq!(tables(&lab), "");
    // So does the next connection, without having a kill switch.
    lab.import("udp", 443);
    lab.modify("+vpn.data", "kill-switch=yes");
    left_closed(&lab);
    lab.client
        .check(["nmcli", "--wait", "300", "connection", "delete", "vpn"]);
    lab.import("udp", 443);
    assert_up(&lab, &lab.up());
    is_let_out(&lab);
    assert_eq!(tables(&lab), "");
}

#[test]
fn a_kill_switch_that_is_wanted_is_not_lifted() {
    let (lab, before) = guarded(&endpoint(&["--sign-in=certificate"]), &["kill-switch=yes"]);
    assert_up(&lab, &lab.up());
    let lift = lab.client.run(LIFT);
    let errors = String::from_utf8_lossy(&lift.stderr);
    assert!(
        !lift.status.success() && errors.contains("take it down"),
        "{errors}"
    );
    assert!(stops(&lab));
    assert!(mark_of(&lab, "vpn").is_some());
    crate::take_down(&lab, &before);
}
