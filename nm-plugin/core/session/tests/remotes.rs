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
