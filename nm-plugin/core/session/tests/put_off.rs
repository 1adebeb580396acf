//! An endpoint that wants the sign-in later: nothing that was good is thrown away.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod play;

use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::session::Failure;
use play::Play;
use play::said::{HOLD, LOST, NEED, REFUSED, challenge, remote};
use std::collections::BTreeMap;
use std::time::Duration;

const NOTHING: [&str; 0] = [];
const BUSY: &str = ">PASSWORD:Verification Failed: 'Auth' ['TEMP:busy']";
const BUSY_FOR_NINE: &str = ">PASSWORD:Verification Failed: 'Auth' ['TEMP[backoff 9]:busy']";
const LATER: &str = ">STATE:1,RECONNECTING,auth-temp-failure (server temporary reject),,,,,";

/// The endpoint puts the sign-in off; OpenVPN is let go `seconds` later, and not before.
#[track_caller]
fn put_off(play: &mut Play, how: &str, seconds: u64) {
    assert_eq!(play.lines(&[how, LATER]), NOTHING);
    if seconds == 0 {
        assert_eq!(play.line(HOLD), ["hold release"]);
        return;
    }
    assert_eq!(play.line(HOLD), NOTHING);
    assert!(!play.after(seconds - 1).contains(&"hold release".to_owned()));
    assert!(play.after(1).contains(&"hold release".to_owned()));
}

#[test]
fn a_first_sign_in_is_tried_again_when_the_endpoint_wants_it() {
    let mut play = Play::saml();
    play.first_phase();
    play.line(NEED);
    put_off(&mut play, BUSY, 0);
    assert_eq!(play.line(&remote()), ["remote MOD 10.77.0.2 443"]);
    assert_eq!(
        play.line(NEED),
        ["username Auth N/A", "password ACS::35001"]
    );
    put_off(&mut play, BUSY_FOR_NINE, 9);
    play.lines(&[&remote(), NEED]);
    assert_eq!(play.line(&challenge()), ["ask"]);
    assert!(play.failures.is_empty(), "{:?}", play.failures);
}

#[test]
fn an_answer_that_is_put_off_is_sent_again_to_the_same_node() {
    let mut play = Play::saml();
    play.challenged();
    play.answered();
    let first = play.lines(&[&remote(), NEED]);
    put_off(&mut play, BUSY_FOR_NINE, 9);
    assert_eq!(play.lines(&[&remote(), NEED]), first);
    play.up();
    assert!(play.failures.is_empty(), "{:?}", play.failures);
    assert_eq!(play.hints.len(), 1, "one page");
}

#[test]
fn a_token_that_is_put_off_is_kept() {
    let mut play = Play::connected();
    play.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    play.lines(&[LOST, HOLD, &remote()]);
    put_off(&mut play, BUSY_FOR_NINE, 9);
    // OpenVPN has the token, and asks for nothing.
    play.line(&remote());
    play.up();
    assert_eq!(play.hints.len(), 1, "one page");
    // It is still known to have it: its refusal is the token's.
    play.lines(&[LOST, HOLD, &remote(), REFUSED]);
    let of_the_token = |note: &String| note.contains("does not take its token any more");
    assert!(play.notes.iter().any(of_the_token), "{:?}", play.notes);
}

#[test]
fn the_last_answer_that_is_put_off_after_a_loss_is_kept() {
    let mut play = Play::connected();
    play.lines(&[LOST, HOLD, &remote()]);
    let first = play.line(NEED);
    assert!(first[1].starts_with("password CRV1::"), "{first:?}");
    put_off(&mut play, BUSY_FOR_NINE, 9);
    assert_eq!(play.lines(&[&remote(), NEED])[1..], first);
}

#[test]
fn a_password_that_is_put_off_is_not_asked_for_again() {
    let mut play = Play::begin(
        "auth-user-pass",
        true,
        BTreeMap::from([
            ("username".to_owned(), "ada".into()),
            ("password".to_owned(), "horse".into()),
        ]),
    );
    play.first_phase();
    let first = play.line(NEED);
    assert_eq!(first, ["username Auth ada", "password horse"]);
    put_off(&mut play, BUSY, 0);
    assert_eq!(play.lines(&[&remote(), NEED])[1..], first);
    assert!(play.hints.is_empty());
}

#[test]
fn keys_that_are_to_be_renewed_are_put_off_too() {
    let mut play = Play::connected();
    play.lines(&[BUSY_FOR_NINE, LATER]);
    let lost = |note: &String| note.contains("the connection was lost");
    assert!(play.notes.iter().any(lost), "{:?}", play.notes);
    assert_eq!(play.line(HOLD), NOTHING);
    assert!(play.after(9).contains(&"hold release".to_owned()));
    // The answer that made the tunnel is there still.
    let did = play.lines(&[&remote(), NEED]);
    assert!(did[2].starts_with("password CRV1::"), "{did:?}");
}

#[test]
fn whoever_wants_it_too_late_is_told_on() {
    let timeouts = Timeouts {
        connect: Duration::from_secs(20),
        ..Timeouts::default()
    };
    let begin = || {
        let mut play = Play::begin_with("auth-federate", true, BTreeMap::new(), timeouts);
        play.first_phase();
        play.line(NEED);
        play
    };
    let busy = [Failure::NotNow("busy".to_owned())];
    // At once, if it is clear.
    let mut play = begin();
    play.line(">PASSWORD:Verification Failed: 'Auth' ['TEMP[backoff 300]:busy']");
    assert_eq!(play.failures, busy);
    // When the time is over: it was not silent.
    let mut play = begin();
    play.lines(&[BUSY, LATER, HOLD, &remote()]);
    play.after(20);
    assert_eq!(play.failures, busy);
    // A silence after it is one.
    let mut play = begin();
    play.lines(&[BUSY, LATER, HOLD, &remote(), play::said::NO_ANSWER, HOLD]);
    play.after(20);
    let silent = |failure: &Failure| matches!(failure, Failure::NoAnswer { .. });
    assert!(play.failures.iter().all(silent), "{:?}", play.failures);
    assert_eq!(play.failures.len(), 1);
}

#[test]
fn a_challenge_that_openvpn_throws_away_ends_the_connection() {
    let mut play = Play::saml();
    play.first_phase();
    play.line(NEED);
    let log = ">LOG:1,W,WARNING: Received unknown control message: _FAILED,CRV1:R:instance-2/1";
    assert_eq!(
        play.line(log),
        ["fail LoginFailed", "Stopping", "terminate"]
    );
    assert!(matches!(play.failures[..], [Failure::BadChallenge(_)]));
    // Anything else that OpenVPN does not know is nobody's end.
    let mut play = Play::saml();
    play.first_phase();
    let log = ">LOG:1,W,WARNING: Received unknown control message: INFO,hello";
    assert_eq!(play.line(log), NOTHING);
}
