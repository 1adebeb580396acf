//! What is passed on to people and programs: banners, dispatcher events, limits.

use crate::{SOON, assert_up, endpoint, lab, reason, state, take_down};
use aws_client_vpn_harness::{Options, VpnState, eventually};

#[test]
fn a_banner_that_is_pushed_is_networkmanager_s_and_what_is_none_is_told_of() {
    let (lab, _) = lab(&endpoint(&[
        "--push=echo Authorised use only.",
        "--push=echo {cre:1}",
    ]));
    let desktop = lab.desktop();
    let before = lab.snapshot();
    assert_up(&lab, &lab.up());
    // The setting and what is active are both called VPN, so nmcli is asked for everything.
    let shown = lab
        .client
        .check(["nmcli", "--terse", "connection", "show", "vpn"]);
    let banner = shown
        .lines()
        .find_map(|line| line.strip_prefix("VPN.BANNER:"));
    assert_eq!(banner, Some("Authorised use only."), "{shown}");
    let notification = desktop.notifications.wait("notification", SOON);
    assert_eq!(notification["summary"], "vpn");
    assert_eq!(notification["body"], "Authorised use only.");
    assert_eq!(notification["by_agent"], true, "GNOME takes it away");
    let journal = lab.journal();
    assert!(
        journal.contains("the endpoint sent what is not understood: {cre:1}"),
        "{journal}"
    );
    take_down(&lab, &before);
}

/// The example of the README.
const DISPATCHER: &str = include_str!("../../../../docs/50-aws-client-vpn-example");

#[test]
fn dispatcher_scripts_are_told_of_each_connection() {
    let (lab, _) = lab(&Options::default());
    let directory = "/etc/NetworkManager/dispatcher.d";
    std::fs::write(lab.dir().join("hook"), DISPATCHER).unwrap();
    lab.client.check([
        "sh",
        "-ec",
        &format!("mkdir -p {directory} && install -m 755 /run/lab/hook {directory}/50-example"),
    ]);
    assert_up(&lab, &lab.up());
    let log = lab.client.root().join("run/aws-client-vpn-example.log");
    let has = |line: &str| {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.lines().any(|own| own.starts_with(line)).then_some(())
    };
    eventually("a script is told that it is up", SOON, || {
        has("vpn is up on awsvpn0, 10.88.")
    });
    assert!(lab.down().status.success());
    eventually("a script is told that it is down", SOON, || {
        has("vpn is down")
    });
    // A user's name for a connection.
    let name = "CONNECTION_ID=mine\u{1b}[2J\nvpn is up\\033[2J";
    let line = ["env", name, "sh", "/run/lab/hook", "awsvpn0", "vpn-down"];
    lab.client.check(line);
    assert_eq!(has("mine[2Jvpn is up\\033[2J is down"), Some(()));
}

#[test]
fn a_connection_that_is_not_used_ends_as_its_settings_say() {
    let (lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "inactivity-timeout=20");
    assert_up(&lab, &lab.up());
    let end = lab.vpn_ended(SOON);
    let ended = VpnState {
        state: state::FAILED,
        reason: reason::UNKNOWN,
    };
    assert_eq!(end, ended);
    crate::assert_warning(&lab, &["was idle"]);
    lab.assert_clean(&before);
}

#[test]
fn the_end_of_a_sign_in_is_told_in_time() {
    let (lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "session-length=8s");
    assert_up(&lab, &lab.up());
    eventually("it is told", SOON, || {
        let told = lab
            .journal()
            .contains("the endpoint ends the connection in");
        told.then_some(())
    });
    take_down(&lab, &before);
}
