//! Several connections, with and without a kill switch: each comes up, each tunnel carries its
//! traffic, and what is outside all of them stays stopped until the last that wants it is down.

use super::{OUTSIDE, is_let_out, mark_of, reaches, stops, tables};
use crate::{SOON, endpoint};
use aws_client_vpn_harness::{Lab, Options, Snapshot, eventually};
use rustix::process::Signal;

/// Each with a way to an endpoint and a host of its own behind it.
const CONNECTIONS: [(&str, u16, &str); 2] =
    [("one", 443, "10.101.0.2"), ("two", 1194, "10.102.0.2")];

/// Two connections whose endpoint's name is known outside only; those of `guarded` have a kill
/// switch.
fn two(options: &Options, guarded: &[&str]) -> (Lab, Snapshot) {
    let lab = Lab::start(options);
    let outside = format!("{OUTSIDE}/32");
    lab.server
        .check(["ip", "address", "add", &outside, "dev", "lo"]);
    for (name, port, host) in CONNECTIONS {
        let host = format!("{host}/32");
        lab.server
            .check(["ip", "address", "add", &host, "dev", "lo"]);
        let network = host.replace(".0.2/32", ".0.0 255.255.0.0");
        let lines = format!("route-nopull\nroute {network}\n");
        lab.import_as(name, "udp", port, &lines);
        if guarded.contains(&name) {
            lab.client.check([
                "nmcli",
                "connection",
                "modify",
                name,
                "+vpn.data",
                "kill-switch=yes",
            ]);
        }
    }
    is_let_out(&lab);
    let before = lab.snapshot();
    (lab, before)
}

#[track_caller]
fn up(lab: &Lab, name: &str) {
    let up = lab.begin_up_of(name).finish();
    assert!(
        up.success,
        "{name}: {}\n{}\n{}",
        up.text,
        lab.client.check(["nft", "list", "ruleset"]),
        lab.journal()
    );
    carries(lab, name);
}

fn down(lab: &Lab, name: &str) {
    lab.client
        .check(["nmcli", "--wait", "300", "connection", "down", name]);
}

#[track_caller]
fn carries(lab: &Lab, name: &str) {
    let (_, _, host) = CONNECTIONS
        .into_iter()
        .find(|(own, ..)| *own == name)
        .unwrap();
    eventually(&format!("{name} carries its traffic"), SOON, || {
        reaches(lab, host).then_some(())
    });
}

#[test]
fn two_kill_switches_live_together_whoever_comes_and_goes_first() {
    let (lab, before) = two(&endpoint(&["--sign-in=certificate"]), &["one", "two"]);
    for (first, second) in [("one", "two"), ("two", "one")] {
        for (goes, stays) in [(first, second), (second, first)] {
            up(&lab, first);
            assert!(stops(&lab));
            up(&lab, second);
            carries(&lab, first);
            assert!(stops(&lab));
            // Both are lost for a moment.
            lab.client.signal("nm-aws-client-vpn/openvpn", Signal::USR1);
            for (name, ..) in CONNECTIONS {
                carries(&lab, name);
            }
            assert!(stops(&lab));
            down(&lab, goes);
            carries(&lab, stays);
            assert!(stops(&lab), "{stays} still wants it");
            down(&lab, stays);
            is_let_out(&lab);
        }
    }
    assert_eq!(tables(&lab), "");
    lab.assert_clean(&before);
}

#[test]
fn one_without_a_kill_switch_lives_beside_one_that_has_one_whoever_comes_first() {
    let (lab, before) = two(&endpoint(&["--sign-in=certificate"]), &["one"]);
    for (first, second) in [("one", "two"), ("two", "one")] {
        for (goes, stays) in [("one", "two"), ("two", "one")] {
            up(&lab, first);
            up(&lab, second);
            carries(&lab, first);
            assert!(stops(&lab));
            down(&lab, goes);
            carries(&lab, stays);
            // NetworkManager is done before the service has taken note.
            eventually(&format!("{goes} is down"), SOON, || {
                (stops(&lab) == (stays == "one")).then_some(())
            });
            down(&lab, stays);
            is_let_out(&lab);
        }
    }
    assert_eq!(tables(&lab), "");
    lab.assert_clean(&before);
}

#[test]
fn a_kill_switch_whose_service_was_killed_lets_another_connection_come_up() {
    let (lab, before) = two(&endpoint(&["--sign-in=certificate"]), &["one", "two"]);
    up(&lab, "one");
    kill_service_of(&lab, "one");
    assert!(stops(&lab));
    up(&lab, "two");
    assert!(stops(&lab));
    down(&lab, "two");
    assert!(stops(&lab), "one was not taken down");
    // Killed with the other one up, and up again beside it.
    up(&lab, "one");
    up(&lab, "two");
    kill_service_of(&lab, "one");
    carries(&lab, "two");
    assert!(stops(&lab));
    up(&lab, "one");
    carries(&lab, "two");
    down(&lab, "one");
    assert!(stops(&lab));
    down(&lab, "two");
    is_let_out(&lab);
    lab.assert_clean(&before);
}

fn kill_service_of(lab: &Lab, name: &str) {
    let mark = mark_of(lab, name).expect("it has one");
    let pid = mark.split('.').nth(1).expect("it names its process");
    lab.client.check(["kill", "-KILL", pid]);
    eventually("its tunnel is gone", SOON, || {
        let active = lab.client.check([
            "nmcli",
            "--get-values",
            "NAME",
            "connection",
            "show",
            "--active",
        ]);
        (!active.lines().any(|active| active == name)).then_some(())
    });
}

#[test]
fn a_person_can_sign_in_to_another_connection_while_traffic_is_stopped() {
    let (lab, before) = two(&Options::default(), &["one"]);
    up(&lab, "one");
    assert!(stops(&lab));
    // Its page is outside, and so is the name server that knows its endpoint.
    up(&lab, "two");
    assert!(stops(&lab));
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    assert!(!rules.contains("dport @open"), "{rules}");
    down(&lab, "one");
    is_let_out(&lab);
    carries(&lab, "two");
    down(&lab, "two");
    lab.assert_clean(&before);
}
