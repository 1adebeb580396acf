//! Endpoints that are not what the profile says, or push what OpenVPN refuses: the attempt ends with that
//! reason, and a tunnel that was up is not given up for it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_profile::last_failure::FailureKind;
use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::management;
use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::session::{
    Conditions, Failure, FailureReason, Input, Presence, Unverified, Ways,
};
use simulation::Simulation;
use simulation::lines::{HOLD, LOST, NEED, NO_ANSWER, challenge, remote};
use std::collections::BTreeMap;

const NOTHING: [&str; 0] = [];
const OF_ANOTHER: &str = ">LOG:1,N,VERIFY ERROR: depth=1, error=self-signed certificate in certificate \
    chain: CN=evil, serial=1";
const EXPIRED: &str =
    ">LOG:1,N,VERIFY ERROR: depth=0, error=certificate has expired: CN=evil, serial=1";
const RECOGNISED: &str = ">LOG:1,,VERIFY OK: depth=0, CN=server";
const ANSWERED: &str = ">LOG:1,,TLS: Initial packet from [AF_INET]10.77.0.1:443, sid=1 2";
const TLS_ERROR: &str = ">STATE:1,RECONNECTING,tls-error,,,,,";
const NOT_TAKEN: &str = ">STATE:1,RECONNECTING,process-push-msg-failed,,,,,";
const COMPRESSION: &str = ">LOG:1,N,OPTIONS ERROR: server pushed compression settings that are not \
    allowed and will result in a non-working connection. See also allow-compression in the manual.";

/// The one failure.
#[track_caller]
fn failure(simulation: &Simulation) -> &Failure {
    match &simulation.failures[..] {
        [failure] => failure,
        failures => panic!("{failures:?}"),
    }
}

/// OpenVPN's next try, up to the address that it is given.
fn tries_again(simulation: &mut Simulation) -> Vec<String> {
    simulation.line(HOLD);
    simulation.after(8);
    simulation.line(&remote())
}

#[test]
fn an_endpoint_that_does_not_verify_ends_it_once_each_address_was_tried() {
    let mut simulation = Simulation::saml();
    simulation.first_phase();
    simulation.lines(&[NEED, OF_ANOTHER, TLS_ERROR]);
    assert_eq!(
        tries_again(&mut simulation),
        ["remote MOD 10.77.0.1 443"],
        "another address may be the endpoint's"
    );
    simulation.lines(&[OF_ANOTHER, TLS_ERROR]);
    let did = tries_again(&mut simulation);
    assert_eq!(did[0], "fail ConnectFailed", "{did:?}");
    let failure = failure(&simulation);
    assert_eq!(failure.kind(), FailureKind::Other);
    let text = failure.to_string();
    for words in [
        "could not be verified",
        "authority in the profile (self-signed certificate in certificate chain)",
        "ask for the current profile",
        "pretending to be the endpoint",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(!text.contains("evil"), "{text}");
}

#[test]
fn with_one_address_the_first_certificate_that_does_not_verify_ends_it() {
    for addresses in [&["10.77.0.2"][..], &["10.77.0.2", "10.77.0.1"]] {
        let mut simulation = Simulation::saml();
        simulation.line(HOLD);
        simulation.resolved(addresses);
        simulation.lines(&[&remote(), NEED, EXPIRED, TLS_ERROR]);
        let did = tries_again(&mut simulation);
        if addresses.len() == 1 {
            assert_eq!(did[0], "fail ConnectFailed");
        } else {
            // One that is silent does not hide it, whose turn ever it is when the time is over.
            assert_eq!(did, ["remote MOD 10.77.0.1 443"]);
            simulation.after(60);
        }
        assert_eq!(
            *failure(&simulation),
            Failure::Unverified(Unverified::Expired)
        );
    }
}

/// Each `remote` has ways of its own.
#[test]
fn the_other_remotes_are_tried_first() {
    let (udp, tcp) = (
        ">REMOTE:one.example,443,udp",
        ">REMOTE:one.example,443,tcp-client",
    );
    let profile = "remote one.example 443 udp\nremote one.example 443 tcp\nauth-federate";
    let mut simulation =
        Simulation::with_remotes(profile, true, BTreeMap::new(), Timeouts::default());
    simulation.line(HOLD);
    simulation.lookup_ended("one.example", &["192.0.2.6"]);
    simulation.lines(&[udp, EXPIRED, TLS_ERROR, HOLD]);
    assert_eq!(simulation.line(tcp), ["remote MOD 192.0.2.6 443"]);
    simulation.lines(&[NO_ANSWER, HOLD]);
    simulation.after(8);
    assert_eq!(simulation.failures, []);
    simulation.line(udp);
    assert_eq!(
        *failure(&simulation),
        Failure::Unverified(Unverified::Expired)
    );
}

#[test]
fn an_endpoint_that_verifies_at_last_was_no_impostor() {
    let mut simulation = Simulation::saml();
    simulation.first_phase();
    simulation.lines(&[NEED, OF_ANOTHER, TLS_ERROR]);
    tries_again(&mut simulation);
    simulation.lines(&[RECOGNISED, NO_ANSWER]);
    assert_eq!(tries_again(&mut simulation), ["remote MOD 10.77.0.2 443"]);
    simulation.after(60);
    let failure = failure(&simulation);
    assert!(matches!(failure, Failure::NoAnswer { .. }), "{failure:?}");
}

#[test]
fn an_endpoint_that_answers_without_tls_is_not_called_silent() {
    for (then, is_silent) in [
        (&[][..], false),
        (&[TLS_ERROR, HOLD], false),
        (&[TLS_ERROR, HOLD, NO_ANSWER], true),
    ] {
        let mut simulation = Simulation::saml();
        simulation.first_phase();
        simulation.lines(&[NEED, ANSWERED]);
        simulation.lines(then);
        simulation.after(60);
        let failure = failure(&simulation);
        assert_eq!(failure.kind(), FailureKind::Unreachable);
        let is_as_expected = match is_silent {
            true => matches!(failure, Failure::NoAnswer { .. }),
            false => matches!(failure, Failure::NoTls { .. }),
        };
        assert!(is_as_expected, "{then:?}: {failure:?}");
    }
}

#[test]
fn an_endpoint_that_has_sent_a_challenge_was_no_impostor() {
    let mut simulation = Simulation::saml();
    simulation.first_phase();
    simulation.lines(&[NEED, OF_ANOTHER, TLS_ERROR]);
    tries_again(&mut simulation);
    simulation.lines(&[RECOGNISED, &challenge()]);
    simulation.answered();
    simulation.after(60);
    let failure = failure(&simulation);
    assert!(!matches!(failure, Failure::Unverified(_)), "{failure:?}");
}

#[test]
fn an_answer_is_not_sent_to_who_does_not_verify() {
    let mut simulation = Simulation::saml();
    simulation.challenged();
    simulation.answered();
    simulation.lines(&[&remote(), EXPIRED, TLS_ERROR]);
    assert_eq!(
        *failure(&simulation),
        Failure::Unverified(Unverified::Expired)
    );
}

#[test]
fn a_lost_tunnel_is_tried_for_until_its_time_is_over_and_ends_with_the_reason() {
    let mut simulation = Simulation::connected();
    simulation.line(LOST);
    for _ in 0..4 {
        simulation.lines(&[HOLD, &remote(), EXPIRED, TLS_ERROR]);
        simulation.after(8);
    }
    assert_eq!(simulation.failures, []);
    simulation.after(600);
    // NetworkManager takes the names back first.
    simulation.input(Input::VpnState(VpnState::Activated));
    assert_eq!(
        *failure(&simulation),
        Failure::Unverified(Unverified::Expired)
    );
}

#[test]
fn what_answered_in_a_network_that_was_left_is_no_reason_in_the_next() {
    let network = |address: Option<&str>| {
        Input::Conditions(Conditions {
            ways: Some(Ways {
                ipv4: address.map(|address| address.parse().unwrap()),
                ipv6: None,
            }),
            presence: Presence::Active,
            ..Conditions::default()
        })
    };
    let mut simulation = Simulation::connected();
    simulation.input(network(Some("192.0.2.10")));
    simulation.lines(&[LOST, HOLD, &remote(), EXPIRED, TLS_ERROR]);
    simulation.input(network(None));
    simulation.line(HOLD);
    simulation.input(network(Some("192.0.2.20")));
    simulation.after(600);
    simulation.input(Input::VpnState(VpnState::Activated));
    let failure = failure(&simulation);
    assert!(matches!(failure, Failure::NoAnswer { .. }), "{failure:?}");
}

#[test]
fn a_renewal_that_does_not_verify_leaves_the_tunnel_up_and_says_why() {
    let mut simulation = Simulation::connected();
    simulation.input(Input::Renew);
    let mut second = |line: &str| simulation.input(Input::RenewalSaid(management::decode(line)));
    assert_eq!(second(HOLD), ["second: log on", "second: hold release"]);
    second(&remote());
    second(NEED);
    assert_eq!(second(EXPIRED), ["end second", "refuse renewal"]);
    assert_eq!(second(TLS_ERROR), NOTHING);
    assert_eq!(second(&challenge()), NOTHING);
    assert_eq!(simulation.after(60), NOTHING);
    assert!(simulation.session.is_up());
    let notes = simulation.notes.join("\n");
    assert!(notes.contains("has expired"), "{notes}");
    assert!(notes.contains("goes on with the old one"), "{notes}");
}

#[test]
fn options_that_openvpn_refuses_end_it_at_once_in_its_words() {
    let mut simulation = Simulation::saml();
    simulation.challenged();
    simulation.answered();
    simulation.lines(&[&remote(), RECOGNISED, COMPRESSION]);
    assert_eq!(simulation.line(NOT_TAKEN)[0], "fail BadIpConfig");
    let refused = |log: &[&str]| {
        let mut simulation = Simulation::saml();
        simulation.first_phase();
        simulation.lines(log);
        simulation.line(NOT_TAKEN);
        let failure = failure(&simulation);
        assert_eq!(failure.reason(), FailureReason::BadIpConfig);
        failure.to_string()
    };
    let text = refused(&[COMPRESSION]);
    assert!(text.contains("settings that cannot be used"), "{text}");
    assert!(
        text.contains("OpenVPN says: server pushed compression"),
        "{text}"
    );
    assert!(text.contains("in the manual. Tell"), "{text}");
    // The first line has the cause.
    let text = refused(&[
        ">LOG:1,N,Error: negotiated cipher not allowed - NULL not in AES-256-GCM",
        ">LOG:1,N,OPTIONS ERROR: failed to import crypto options",
    ]);
    assert!(text.contains("cipher not allowed - NULL"), "{text}");
    let text = refused(&[">LOG:1,N,ERROR: dns server 1 does not have an address assigned"]);
    assert!(text.contains("dns server 1 does not have"), "{text}");
    let text = refused(&[]);
    assert!(text.contains("OpenVPN says: they are refused."), "{text}");
}

#[test]
fn a_lost_tunnel_whose_options_are_refused_ends_too() {
    let mut simulation = Simulation::connected();
    simulation.lines(&[LOST, HOLD, &remote(), RECOGNISED, COMPRESSION, NOT_TAKEN]);
    simulation.input(Input::VpnState(VpnState::Activated));
    assert_eq!(failure(&simulation).reason(), FailureReason::BadIpConfig);
}
