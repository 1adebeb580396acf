//! Profiles with more than one endpoint, and names without an address.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::session::Failure;
use simulation::lines::{HOLD, NO_ANSWER};
use simulation::{HOST, Simulation};
use std::collections::BTreeMap;

const FIRST: &str = ">REMOTE:one.example,443,udp";
const SECOND: &str = ">REMOTE:two.example,1194,udp";
const TWO: &str = "remote one.example 443 udp\nremote two.example 1194 udp";
const NOTHING: [&str; 0] = [];

fn begin(remotes: &str) -> Simulation {
    let profile = format!("{remotes}\nauth-federate");
    Simulation::with_remotes(&profile, true, BTreeMap::new(), Timeouts::default())
}

#[test]
fn the_second_is_tried_if_the_first_has_no_address() {
    let second_is_resolved = "resolve two.example, random label: false";
    // The resolver answers before OpenVPN asks, or after.
    for is_early in [true, false] {
        let mut simulation = begin(TWO);
        let first_is_resolved = "resolve one.example, random label: false";
        assert_eq!(simulation.did, ["Starting", first_is_resolved, "launch"]);
        simulation.line(HOLD);
        if is_early {
            let did = simulation.lookup_ended("one.example", &[]);
            assert_eq!(did, [second_is_resolved]);
            assert_eq!(simulation.line(FIRST), ["remote SKIP"]);
        } else {
            assert_eq!(simulation.line(FIRST), NOTHING);
            let did = simulation.lookup_ended("one.example", &[]);
            assert_eq!(did, [second_is_resolved, "remote SKIP"]);
        }
        assert_eq!(simulation.line(SECOND), NOTHING);
        let did = simulation.lookup_ended("two.example", &["192.0.2.7"]);
        assert_eq!(did, ["remote MOD 192.0.2.7 1194"]);
        // If that one does not answer, the first may have an address by now.
        simulation.lines(&[NO_ANSWER, HOLD]);
        assert_eq!(simulation.line(FIRST), [first_is_resolved]);
        let did = simulation.lookup_ended("one.example", &["192.0.2.6"]);
        assert_eq!(did, ["remote MOD 192.0.2.6 443"]);
    }
}

/// OpenVPN goes from one to the next, and back to the first.
#[test]
fn each_address_of_each_is_tried_in_turn() {
    let tried = |simulation: &mut Simulation, question| {
        simulation.lines(&[NO_ANSWER, HOLD]);
        simulation.after(8);
        simulation.line(question)
    };
    let mut simulation = begin(TWO);
    simulation.line(HOLD);
    simulation.lookup_ended("one.example", &["192.0.2.6", "192.0.2.7"]);
    assert_eq!(simulation.line(FIRST), ["remote MOD 192.0.2.6 443"]);
    simulation.lines(&[NO_ANSWER, HOLD, SECOND]);
    let did = simulation.lookup_ended("two.example", &["192.0.2.8", "192.0.2.9"]);
    assert_eq!(did, ["remote MOD 192.0.2.8 1194"]);
    for (question, expected) in [
        (FIRST, "remote MOD 192.0.2.7 443"),
        (SECOND, "remote MOD 192.0.2.9 1194"),
        (FIRST, "remote MOD 192.0.2.6 443"),
        (SECOND, "remote MOD 192.0.2.8 1194"),
    ] {
        assert_eq!(tried(&mut simulation, question), [expected]);
    }
    // Also where both are the same name, and a network lets only one of them through.
    let udp = ">REMOTE:one.example,443,udp";
    let tcp = ">REMOTE:one.example,443,tcp-client";
    let mut simulation = begin("remote one.example 443 udp\nremote one.example 443 tcp");
    simulation.line(HOLD);
    simulation.lookup_ended("one.example", &["192.0.2.6", "192.0.2.7"]);
    assert_eq!(simulation.line(udp), ["remote MOD 192.0.2.6 443"]);
    for (question, expected) in [
        (tcp, "remote MOD 192.0.2.6 443"),
        (udp, "remote MOD 192.0.2.7 443"),
        (tcp, "remote MOD 192.0.2.7 443"),
        (udp, "remote MOD 192.0.2.6 443"),
    ] {
        assert_eq!(tried(&mut simulation, question), [expected]);
    }
}

/// The name that a connection failed for.
fn not_resolved(simulation: &Simulation) -> &str {
    match &simulation.failures[..] {
        [Failure::NameNotResolved { host, .. }] => host,
        failures => panic!("{failures:?}"),
    }
}

#[test]
fn without_an_address_of_any_the_connection_fails() {
    let mut simulation = begin(TWO);
    simulation.lines(&[HOLD, FIRST]);
    simulation.lookup_ended("one.example", &[]);
    simulation.line(SECOND);
    assert!(simulation.failures.is_empty());
    simulation.lookup_ended("two.example", &[]);
    assert_eq!(not_resolved(&simulation), "two.example");
    // Two ways to one name are one name.
    let mut simulation = begin("remote one.example 443 udp\nremote one.example 443 tcp");
    simulation.lookup_ended("one.example", &[]);
    assert_eq!(not_resolved(&simulation), "one.example");
}

#[test]
fn a_name_of_aws_has_a_label_in_front_whatever_the_profile_says() {
    let simulation = begin(&format!("remote {HOST} 443 udp"));
    assert!(
        simulation
            .did
            .contains(&"resolve, random label: true".to_owned()),
        "{:?}",
        simulation.did
    );
    let simulation = begin("remote one.example 443 udp\nremote-random-hostname");
    let resolved = "resolve one.example, random label: true";
    assert!(
        simulation.did.contains(&resolved.to_owned()),
        "{:?}",
        simulation.did
    );
}
