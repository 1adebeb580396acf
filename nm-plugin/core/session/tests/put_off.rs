//! An endpoint that wants the sign-in later: nothing that was good is thrown away.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::session::Failure;
use aws_client_vpn_sign_in::refusal::RefusalReason;
use simulation::Simulation;
use simulation::lines::{HOLD, LOST, NEED, REFUSED, challenge, remote};
use std::collections::BTreeMap;
use std::time::Duration;

const NOTHING: [&str; 0] = [];
const BUSY: &str = ">PASSWORD:Verification Failed: 'Auth' ['TEMP:busy']";
const BUSY_FOR_NINE: &str = ">PASSWORD:Verification Failed: 'Auth' ['TEMP[backoff 9]:busy']";
const LATER: &str = ">STATE:1,RECONNECTING,auth-temp-failure (server temporary reject),,,,,";

/// The endpoint puts the sign-in off; OpenVPN is let go `seconds` later, and not before.
#[track_caller]
fn put_off(simulation: &mut Simulation, how: &str, seconds: u64) {
    assert_eq!(simulation.lines(&[how, LATER]), NOTHING);
    if seconds == 0 {
        assert_eq!(simulation.line(HOLD), ["hold release"]);
        return;
    }
    assert_eq!(simulation.line(HOLD), NOTHING);
    assert!(
        !simulation
            .after(seconds - 1)
            .contains(&"hold release".to_owned())
    );
    assert!(simulation.after(1).contains(&"hold release".to_owned()));
}

#[test]
fn a_first_sign_in_is_tried_again_when_the_endpoint_wants_it() {
    let mut simulation = Simulation::saml();
    simulation.first_phase();
    simulation.line(NEED);
    put_off(&mut simulation, BUSY, 0);
    assert_eq!(simulation.line(&remote()), ["remote MOD 10.77.0.2 443"]);
    assert_eq!(
        simulation.line(NEED),
        ["username Auth N/A", "password ACS::35001"]
    );
    put_off(&mut simulation, BUSY_FOR_NINE, 9);
    simulation.lines(&[&remote(), NEED]);
    assert_eq!(simulation.line(&challenge()), ["ask"]);
    assert!(simulation.failures.is_empty(), "{:?}", simulation.failures);
}

#[test]
fn an_answer_that_is_put_off_is_sent_again_to_the_same_node() {
    let mut simulation = Simulation::saml();
    simulation.challenged();
    simulation.answered();
    let first = simulation.lines(&[&remote(), NEED]);
    put_off(&mut simulation, BUSY_FOR_NINE, 9);
    assert_eq!(simulation.lines(&[&remote(), NEED]), first);
    simulation.up();
    assert!(simulation.failures.is_empty(), "{:?}", simulation.failures);
    assert_eq!(simulation.hints.len(), 1, "one page");
}

#[test]
fn a_token_that_is_put_off_is_kept() {
    let mut simulation = Simulation::connected();
    simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    simulation.lines(&[LOST, HOLD, &remote()]);
    put_off(&mut simulation, BUSY_FOR_NINE, 9);
    // OpenVPN has the token, and asks for nothing.
    simulation.line(&remote());
    simulation.up();
    assert_eq!(simulation.hints.len(), 1, "one page");
    // It is still known to have it: its refusal is the token's.
    simulation.lines(&[LOST, HOLD, &remote(), REFUSED]);
    let of_the_token = |note: &String| note.contains("does not take its token any more");
    assert!(
        simulation.notes.iter().any(of_the_token),
        "{:?}",
        simulation.notes
    );
}

#[test]
fn the_last_answer_that_is_put_off_after_a_loss_is_kept() {
    let mut simulation = Simulation::connected();
    simulation.lines(&[LOST, HOLD, &remote()]);
    let first = simulation.line(NEED);
    assert!(first[1].starts_with("password CRV1::"), "{first:?}");
    put_off(&mut simulation, BUSY_FOR_NINE, 9);
    assert_eq!(simulation.lines(&[&remote(), NEED])[1..], first);
}

#[test]
fn a_password_that_is_put_off_is_not_asked_for_again() {
    let mut simulation = Simulation::begin(
        "auth-user-pass",
        true,
        BTreeMap::from([
            ("username".to_owned(), "ada".into()),
            ("password".to_owned(), "horse".into()),
        ]),
    );
    simulation.first_phase();
    let first = simulation.line(NEED);
    assert_eq!(first, ["username Auth ada", "password horse"]);
    put_off(&mut simulation, BUSY, 0);
    assert_eq!(simulation.lines(&[&remote(), NEED])[1..], first);
    assert!(simulation.hints.is_empty());
}

#[test]
fn keys_that_are_to_be_renewed_are_put_off_too() {
    let mut simulation = Simulation::connected();
    simulation.lines(&[BUSY_FOR_NINE, LATER]);
    let lost = |note: &String| note.contains("the connection was lost");
    assert!(simulation.notes.iter().any(lost), "{:?}", simulation.notes);
    assert_eq!(simulation.line(HOLD), NOTHING);
    assert!(simulation.after(9).contains(&"hold release".to_owned()));
    // The answer that made the tunnel is there still.
    let did = simulation.lines(&[&remote(), NEED]);
    assert!(did[2].starts_with("password CRV1::"), "{did:?}");
}

#[test]
fn whoever_wants_it_too_late_is_told_on() {
    let timeouts = Timeouts {
        connect: Duration::from_secs(20),
        ..Timeouts::default()
    };
    let begin = || {
        let mut simulation =
            Simulation::begin_with("auth-federate", true, BTreeMap::new(), timeouts);
        simulation.first_phase();
        simulation.line(NEED);
        simulation
    };
    let busy = RefusalReason::Given("busy".to_owned());
    let busy = [Failure::TemporarilyRefused(busy)];
    // At once, if it is clear.
    let mut simulation = begin();
    simulation.line(">PASSWORD:Verification Failed: 'Auth' ['TEMP[backoff 300]:busy']");
    assert_eq!(simulation.failures, busy);
    // When the time is over: it was not silent.
    let mut simulation = begin();
    simulation.lines(&[BUSY, LATER, HOLD, &remote()]);
    simulation.after(20);
    assert_eq!(simulation.failures, busy);
    // A silence after it is one.
    let mut simulation = begin();
    simulation.lines(&[
        BUSY,
        LATER,
        HOLD,
        &remote(),
        simulation::lines::NO_ANSWER,
        HOLD,
    ]);
    simulation.after(20);
    let silent = |failure: &Failure| matches!(failure, Failure::NoAnswer { .. });
    assert!(
        simulation.failures.iter().all(silent),
        "{:?}",
        simulation.failures
    );
    assert_eq!(simulation.failures.len(), 1);
}

#[test]
fn a_challenge_that_openvpn_throws_away_ends_the_connection() {
    let mut simulation = Simulation::saml();
    simulation.first_phase();
    simulation.line(NEED);
    let log = ">LOG:1,W,WARNING: Received unknown control message: _FAILED,CRV1:R:instance-2/1";
    assert_eq!(
        simulation.line(log),
        ["fail LoginFailed", "Stopping", "terminate"]
    );
    assert!(matches!(
        simulation.failures[..],
        [Failure::BadChallenge(_)]
    ));
    // Anything else that OpenVPN does not know is nobody's end.
    let mut simulation = Simulation::saml();
    simulation.first_phase();
    let log = ">LOG:1,W,WARNING: Received unknown control message: INFO,hello";
    assert_eq!(simulation.line(log), NOTHING);
}
