//! A new sign-in before the endpoint ends the old one: the tunnel stays up until it is there.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod play;

use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::management;
use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::session::{Browsers, BrowsersStopped, Input};
use play::Play;
use play::said::{AGAIN, CONNECTED, HOLD, LOST, NEED, REFUSED, RESTARTED, challenge, remote};
use std::collections::BTreeMap;
use std::time::Duration;

const NOTHING: [&str; 0] = [];

/// What the renewal's OpenVPN says.
fn second(play: &mut Play, line: &str) -> Vec<String> {
    play.input(Input::RenewalSaid(management::decode(line)))
}

/// A connection that is up, with a sign-in that counts for an hour.
fn connected() -> Play {
    Play::connected_with(Timeouts {
        session: Some(Duration::from_secs(3600)),
        ..Timeouts::default()
    })
}

/// Up to the person at the browser.
fn asked() -> Play {
    let mut play = connected();
    ask(&mut play);
    play
}

fn ask(play: &mut Play) {
    play.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    assert_eq!(play.input(Input::Renew), ["launch second"]);
    assert_eq!(second(play, HOLD), ["second: hold release"]);
    // The node that has the tunnel is the one that takes the answer.
    assert_eq!(
        second(play, &remote()),
        ["second: remote MOD 10.77.0.2 443"]
    );
    assert_eq!(
        second(play, NEED),
        ["second: username Auth N/A", "second: password ACS::35001"]
    );
    assert_eq!(
        second(play, &challenge()),
        ["end second", "Starting", "ask"]
    );
    assert!(play.session.is_up() && play.session.expects_secrets());
    assert!(play.session.firewall().web, "a kill switch may let it out");
}

#[test]
fn the_tunnel_stays_up_until_the_person_has_signed_in() {
    let mut play = asked();
    // What the second one says while it ends changes nothing.
    assert_eq!(second(&mut play, AGAIN), NOTHING);
    assert_eq!(
        play.input(Input::RenewalEnded("signal 15".to_owned())),
        NOTHING
    );
    play.after(90);
    assert_eq!(play.answered(), ["forget-passwords", "signal SIGUSR1"]);
    assert_eq!(play.line(RESTARTED), NOTHING);
    assert_eq!(play.line(HOLD), ["hold release"]);
    assert_eq!(play.line(&remote()), ["remote MOD 10.77.0.2 443"]);
    let did = play.line(NEED);
    assert!(did[1].starts_with("password CRV1::"), "{did:?}");
    assert_eq!(play.line(CONNECTED), ["configure", "Started"]);
    assert_eq!(play.after(3000), ["sign-in ends in 600 s"]);
    assert!(play.failures.is_empty());
}

#[test]
fn who_does_not_sign_in_keeps_the_old_sign_in() {
    let mut play = asked();
    assert_eq!(play.after(110), ["ask"]);
    assert_eq!(play.after(600), ["configure", "Started"]);
    assert!(play.session.is_up() && !play.session.expects_secrets());
    assert_eq!(play.session.deadline().map(|_| ()), Some(()));
}

#[test]
fn the_banner_of_the_tunnel_is_shown_again_with_it() {
    let timeouts = Timeouts {
        session: Some(Duration::from_secs(3600)),
        ..Timeouts::default()
    };
    let mut play = Play::begin_with("auth-federate", true, BTreeMap::new(), timeouts);
    play.challenged();
    play.answered();
    play.lines(&[NEED, &remote(), ">ECHO:1,msg Authorised use only"]);
    play.up();
    let banner = |play: &Play| {
        play.config
            .as_ref()
            .and_then(|it| it.general.banner.clone())
    };
    assert_eq!(banner(&play).as_deref(), Some("Authorised use only"));
    // What comes later is not of this tunnel.
    play.line(">ECHO:1,msg Something else");
    let before = play.config.clone();
    ask(&mut play);
    play.after(600);
    assert_eq!(banner(&play).as_deref(), Some("Authorised use only"));
    // NetworkManager takes no notice of settings that it has.
    assert_ne!(play.config, before);
}

#[test]
fn networkmanager_is_told_again_where_it_drops_the_question() {
    let mut play = asked();
    let activated = || Input::VpnState(VpnState::Activated);
    assert_eq!(play.input(activated()), ["Started", "Starting", "ask"]);
    assert_eq!(play.hints[1], play.hints[2], "there is no page yet");
    play.input(Input::VpnState(VpnState::NeedAuth));
    assert_eq!(play.input(activated()), ["Started", "Starting", "ask"]);
    assert_ne!(play.hints[1], play.hints[3], "a page is open");
}

#[test]
fn whoever_takes_the_connection_down_is_not_asked_to_sign_in_any_more() {
    let mut play = asked();
    let taken_down = Input::VpnState(VpnState::of_vpn(5, 2));
    assert_eq!(play.input(taken_down), NOTHING);
    assert!(!play.session.expects_secrets() && !play.session.firewall().web);
    assert_eq!(play.after(700), NOTHING);
    assert_eq!(play.input(Input::Disconnect), ["Stopping", "terminate"]);
    // Nor does the renewal's OpenVPN fetch a challenge that nobody wants.
    let mut play = connected();
    play.input(Input::Renew);
    let taken_down = Input::VpnState(VpnState::of_vpn(5, 11));
    assert_eq!(play.input(taken_down), ["end second"]);
}

#[test]
fn a_page_that_is_open_brings_back_a_tunnel_that_is_lost_meanwhile() {
    let mut play = asked();
    assert_eq!(play.lines(&[LOST, HOLD]), NOTHING);
    assert_eq!(play.answered(), ["hold release"]);
    assert_eq!(play.line(&remote()), ["remote MOD 10.77.0.2 443"]);
    assert_eq!(play.line(CONNECTED), ["configure", "Started"]);
}

#[test]
fn where_no_challenge_can_be_had_beside_it_the_tunnel_pauses() {
    for why in ["silence", "it ended", "no challenge"] {
        let mut play = connected();
        play.input(Input::Renew);
        let did = match why {
            "silence" => play.after(60),
            "it ended" => play.input(Input::RenewalEnded("exit code 1".to_owned())),
            _ => second(
                &mut play,
                ">PASSWORD:Verification Failed: 'Auth' ['Invalid username or password']",
            ),
        };
        assert_eq!(
            did,
            ["end second", "forget-passwords", "signal SIGUSR1"],
            "{why}"
        );
        assert_eq!(play.line(RESTARTED), NOTHING);
        assert_eq!(play.line(HOLD), ["hold release"]);
        assert_eq!(
            play.line(NEED),
            ["username Auth N/A", "password ACS::35001"]
        );
        // Names and default route go, and NetworkManager takes a moment for it.
        assert_eq!(
            play.line(&challenge()),
            ["Starting", "configure", "Started"]
        );
        assert_eq!(play.after(2), ["Starting", "ask"]);
        play.lines(&[AGAIN, HOLD]);
        play.answered();
        assert_eq!(play.line(CONNECTED), ["configure", "Started"]);
        assert!(play.failures.is_empty());
    }
}

#[test]
fn a_connection_that_goes_down_takes_the_second_openvpn_along() {
    let mut play = connected();
    play.input(Input::Renew);
    assert_eq!(play.input(Input::Renew), NOTHING, "one at a time");
    assert_eq!(
        play.input(Input::Disconnect),
        ["end second", "Stopping", "terminate"]
    );
}

#[test]
fn a_closed_kill_switch_lets_the_browser_out_also_where_the_tunnel_pauses_for_a_renewal() {
    for is_lost_meanwhile in [false, true] {
        let mut play = connected();
        play.session.let_browsers_out(Browsers {
            stopped: BrowsersStopped::OnceUp,
            ..Browsers::default()
        });
        play.input(Input::Renew);
        if is_lost_meanwhile {
            // The endpoint does not know the last answer any more, either.
            play.lines(&[LOST, HOLD, &remote(), NEED, REFUSED, AGAIN, HOLD]);
        } else {
            play.input(Input::RenewalEnded("exit code 1".to_owned()));
            play.lines(&[RESTARTED, HOLD]);
        }
        play.lines(&[&remote(), NEED, &challenge()]);
        assert!(!play.session.firewall().web, "there is no page yet");
        play.after(2);
        play.after(2);
        assert_eq!(play.failures, []);
        assert!(play.session.expects_secrets() && play.session.firewall().web);
    }
}
