//! A new sign-in before the endpoint ends the old one: the tunnel stays up until it is there.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::management;
use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::session::{Failure, Input, WebAccess, WebBlocked};
use aws_client_vpn_sign_in::answer::cancelled;
use aws_client_vpn_sign_in::hints::cancel_is_an_answer;
use simulation::Simulation;
use simulation::lines::{
    AGAIN, CONNECTED, HOLD, LOST, NEED, REFUSED, RESTARTED, challenge, remote,
};
use std::collections::BTreeMap;
use std::time::Duration;

const NOTHING: [&str; 0] = [];

/// What the renewal's OpenVPN says.
fn second(simulation: &mut Simulation, line: &str) -> Vec<String> {
    simulation.input(Input::RenewalSaid(management::decode(line)))
}

/// Whether it is said that the tunnel `does` this, and not that it was lost.
fn says_only_that_the_tunnel(does: &str, notes: &[String]) -> bool {
    let says = |words: &str| notes.iter().any(|note| note.contains(words));
    says(&format!("the tunnel {does}")) && !says("lost")
}

/// A connection that is up, with a sign-in that counts for an hour.
fn connected() -> Simulation {
    Simulation::connected_with(Timeouts {
        session: Some(Duration::from_secs(3600)),
        ..Timeouts::default()
    })
}

/// Up to the person at the browser.
fn asked() -> Simulation {
    let mut simulation = connected();
    ask(&mut simulation);
    simulation
}

fn ask(simulation: &mut Simulation) {
    simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    assert_eq!(simulation.input(Input::Renew), ["launch second"]);
    assert_eq!(
        second(simulation, HOLD),
        ["second: log on", "second: hold release"]
    );
    // The node that has the tunnel is the one that takes the answer.
    assert_eq!(
        second(simulation, &remote()),
        ["second: remote MOD 10.77.0.2 443"]
    );
    assert_eq!(
        second(simulation, NEED),
        ["second: username Auth N/A", "second: password ACS::35001"]
    );
    assert_eq!(
        second(simulation, &challenge()),
        ["end second", "Starting", "ask"]
    );
    assert!(simulation.session.is_up() && simulation.session.expects_secrets());
    assert!(
        simulation.session.firewall().web,
        "a kill switch may let it out"
    );
}

#[test]
fn the_tunnel_stays_up_until_the_person_has_signed_in() {
    let mut simulation = asked();
    // What the second one says while it ends changes nothing.
    assert_eq!(second(&mut simulation, AGAIN), NOTHING);
    assert_eq!(
        simulation.input(Input::RenewalEnded("signal 15".to_owned())),
        NOTHING
    );
    simulation.after(90);
    assert_eq!(
        simulation.answered(),
        ["forget-passwords", "signal SIGUSR1"]
    );
    assert_eq!(simulation.line(RESTARTED), NOTHING);
    assert_eq!(simulation.line(HOLD), ["hold release"]);
    assert_eq!(simulation.line(&remote()), ["remote MOD 10.77.0.2 443"]);
    let did = simulation.line(NEED);
    assert!(did[1].starts_with("password CRV1::"), "{did:?}");
    assert_eq!(simulation.line(CONNECTED), ["configure", "Started"]);
    assert_eq!(simulation.after(3000), ["sign-in ends in 600 s"]);
    assert!(simulation.failures.is_empty());
    let notes = &simulation.notes;
    assert!(
        says_only_that_the_tunnel("is made again", notes),
        "{notes:?}"
    );
}

#[test]
fn who_does_not_sign_in_keeps_the_old_sign_in() {
    let mut simulation = asked();
    assert_eq!(simulation.after(110), ["ask"]);
    assert_eq!(simulation.after(600), ["configure", "Started"]);
    assert!(simulation.session.is_up() && !simulation.session.expects_secrets());
    assert_eq!(simulation.session.deadline().map(|_| ()), Some(()));
}

/// An agent's error would have NetworkManager end the connection.
#[test]
fn who_cancels_a_renewal_keeps_the_old_sign_in() {
    let mut simulation = asked();
    let asks_for_an_answer: Vec<_> = simulation
        .hints
        .iter()
        .map(|hints| cancel_is_an_answer(hints))
        .collect();
    assert_eq!(
        asks_for_an_answer,
        [false, true],
        "only where there is a tunnel"
    );
    assert_eq!(
        simulation.input(cancelled_by_a_person()),
        ["configure", "Started"]
    );
    assert!(simulation.session.is_up() && !simulation.session.expects_secrets());
    assert!(simulation.failures.is_empty());
}

/// What belongs to a connection that is lost is taken away first.
#[test]
fn who_cancels_the_sign_in_of_a_lost_connection_leaves_no_names_behind() {
    let mut simulation = asked();
    simulation.lines(&[LOST, HOLD, &remote(), &challenge(), AGAIN, HOLD]);
    simulation.input(Input::VpnState(VpnState::Activated));
    assert!(simulation.session.expects_secrets());
    // It takes settings once it has processed the answer.
    simulation.input(Input::VpnState(VpnState::NeedAuth));
    let did = simulation.input(cancelled_by_a_person());
    assert_eq!(did, ["Started", "Starting"]);
    let did = simulation.input(Input::VpnState(VpnState::Connecting));
    assert_eq!(did, ["configure", "Started"]);
    let names = |simulation: &Simulation| {
        let ipv4 = simulation.config.as_ref().unwrap().ipv4.as_ref();
        ipv4.map(|ipv4| ipv4.name_servers.len())
    };
    assert_eq!(names(&simulation), Some(0));
    let did = simulation.input(Input::VpnState(VpnState::Activated));
    assert_eq!(did[0], "fail LoginFailed", "{did:?}");
    assert_eq!(simulation.failures, [Failure::Cancelled]);
}

fn cancelled_by_a_person() -> Input {
    let (name, value) = cancelled();
    Input::NewSecrets(BTreeMap::from([(name.to_owned(), value)]))
}

/// A person is asked for one thing at a time.
#[test]
fn a_question_inside_the_tunnel_ends_the_page_of_a_renewal_and_that_is_said() {
    let mut simulation = asked();
    let did = simulation.line(">PASSWORD:Need 'Private Key' password");
    assert_eq!(did.last().map(String::as_str), Some("ask"), "{did:?}");
    let notes = simulation.notes.join("\n");
    assert!(notes.contains("the page is given up"), "{notes}");
    let notes = &simulation.notes;
    assert!(says_only_that_the_tunnel("stays up", notes), "{notes:?}");
}

#[test]
fn the_banner_of_the_tunnel_is_shown_again_with_it() {
    let timeouts = Timeouts {
        session: Some(Duration::from_secs(3600)),
        ..Timeouts::default()
    };
    let mut simulation = Simulation::begin_with("auth-federate", true, BTreeMap::new(), timeouts);
    simulation.challenged();
    simulation.answered();
    simulation.lines(&[NEED, &remote(), ">ECHO:1,msg Authorised use only"]);
    simulation.up();
    let banner = |simulation: &Simulation| {
        simulation
            .config
            .as_ref()
            .and_then(|it| it.general.banner.clone())
    };
    assert_eq!(banner(&simulation).as_deref(), Some("Authorised use only"));
    // What comes later is not of this tunnel.
    simulation.line(">ECHO:1,msg Something else");
    let before = simulation.config.clone();
    ask(&mut simulation);
    simulation.after(600);
    assert_eq!(banner(&simulation).as_deref(), Some("Authorised use only"));
    // NetworkManager takes no notice of settings that it has.
    assert_ne!(simulation.config, before);
}

#[test]
fn networkmanager_is_told_again_where_it_drops_the_question() {
    let mut simulation = asked();
    let activated = || Input::VpnState(VpnState::Activated);
    assert_eq!(
        simulation.input(activated()),
        ["Started", "Starting", "ask"]
    );
    assert_eq!(
        simulation.hints[1], simulation.hints[2],
        "there is no page yet"
    );
    simulation.input(Input::VpnState(VpnState::NeedAuth));
    assert_eq!(
        simulation.input(activated()),
        ["Started", "Starting", "ask"]
    );
    assert_ne!(simulation.hints[1], simulation.hints[3], "a page is open");
}

#[test]
fn whoever_takes_the_connection_down_is_not_asked_to_sign_in_any_more() {
    let mut simulation = asked();
    let taken_down = Input::VpnState(VpnState::of_vpn(5, 2));
    assert_eq!(simulation.input(taken_down), NOTHING);
    assert!(!simulation.session.expects_secrets() && !simulation.session.firewall().web);
    assert_eq!(simulation.after(700), NOTHING);
    assert_eq!(
        simulation.input(Input::Disconnect),
        ["Stopping", "terminate"]
    );
    // Nor does the renewal's OpenVPN fetch a challenge that nobody wants.
    let mut simulation = connected();
    simulation.input(Input::Renew);
    let taken_down = Input::VpnState(VpnState::of_vpn(5, 11));
    assert_eq!(simulation.input(taken_down), ["end second"]);
}

/// With a full tunnel, the page would not load any more.
#[test]
fn a_page_that_is_open_is_given_up_with_the_tunnel() {
    let lost = || {
        let mut simulation = asked();
        // NetworkManager takes its question back.
        assert_eq!(simulation.line(LOST), ["Started", "Starting"]);
        assert!(!simulation.session.expects_secrets());
        // An answer may be on its way already.
        assert!(simulation.session.may_get_late_secrets());
        assert_eq!(simulation.answered(), NOTHING);
        assert_eq!(simulation.line(HOLD), ["hold release"]);
        assert_eq!(simulation.line(&remote()), ["remote MOD 10.77.0.2 443"]);
        simulation
    };
    let mut simulation = lost();
    assert_eq!(simulation.line(CONNECTED), ["configure", "Started"]);
    assert_eq!(simulation.hints.len(), 2, "the token was enough");
    // Else another page opens, once it can load.
    let mut simulation = lost();
    let withdrawn = ["configure", "Started"];
    assert_eq!(simulation.line(&challenge()), withdrawn);
    let applied = Input::VpnState(VpnState::Activated);
    assert_eq!(simulation.input(applied), ["Starting", "ask"]);
    simulation.lines(&[AGAIN, HOLD]);
    assert_eq!(simulation.answered(), ["hold release"]);
    assert_eq!(simulation.line(CONNECTED), ["configure", "Started"]);
}

#[test]
fn without_its_settings_of_before_it_keeps_the_old_sign_in_or_ends() {
    let edited = || Input::SettingsChanged;
    let mut simulation = asked();
    assert_eq!(simulation.input(edited()), ["configure", "Started"]);
    assert!(simulation.session.is_up() && !simulation.session.expects_secrets());
    // NetworkManager ignores settings while it asks.
    let mut simulation = asked();
    simulation.input(Input::VpnState(VpnState::NeedAuth));
    assert_eq!(
        simulation.input(edited()),
        ["Started", "Starting", "configure", "Started"]
    );
    assert_eq!(simulation.failures, []);

    let mut simulation = connected();
    simulation.lines(&[LOST, HOLD, &remote(), &challenge()]);
    let asking = simulation.input(Input::VpnState(VpnState::Activated));
    assert_eq!(asking, ["Starting", "ask"]);
    // First NetworkManager takes the tunnel's names back.
    assert_eq!(simulation.input(edited()), ["configure", "Started"]);
    assert_eq!(simulation.failures, []);
    simulation.input(Input::VpnState(VpnState::Activated));
    assert_eq!(simulation.failures, [Failure::SettingsChanged]);
}

#[test]
fn an_answer_that_crosses_the_end_of_its_page_leaves_the_tunnel_up() {
    let mut simulation = asked();
    simulation.after(700);
    assert!(simulation.session.is_up() && !simulation.session.expects_secrets());
    assert!(simulation.session.may_get_late_secrets());
    // NetworkManager, which goes on connecting with it, is told once more that the tunnel is up.
    assert_eq!(simulation.answered(), ["Starting", "configure", "Started"]);
    assert!(simulation.session.is_up());
}

#[test]
fn where_no_challenge_can_be_had_beside_it_the_tunnel_pauses() {
    for why in ["silence", "it ended", "no challenge"] {
        let mut simulation = connected();
        simulation.input(Input::Renew);
        let did = match why {
            "silence" => simulation.after(60),
            "it ended" => simulation.input(Input::RenewalEnded("exit code 1".to_owned())),
            _ => second(
                &mut simulation,
                ">PASSWORD:Verification Failed: 'Auth' ['Invalid username or password']",
            ),
        };
        assert_eq!(
            did,
            ["end second", "forget-passwords", "signal SIGUSR1"],
            "{why}"
        );
        let notes = &simulation.notes;
        assert!(says_only_that_the_tunnel("pauses for", notes), "{notes:?}");
        assert_eq!(simulation.line(RESTARTED), NOTHING);
        assert_eq!(simulation.line(HOLD), ["hold release"]);
        assert_eq!(
            simulation.line(NEED),
            ["username Auth N/A", "password ACS::35001"]
        );
        // Names and default route go, and NetworkManager takes a moment for it.
        assert_eq!(
            simulation.line(&challenge()),
            ["Starting", "configure", "Started"]
        );
        let applied = Input::VpnState(VpnState::Activated);
        assert_eq!(simulation.input(applied), ["Starting", "ask"]);
        simulation.lines(&[AGAIN, HOLD]);
        simulation.answered();
        assert_eq!(simulation.line(CONNECTED), ["configure", "Started"]);
        assert!(simulation.failures.is_empty());
    }
}

#[test]
fn a_connection_that_goes_down_takes_the_second_openvpn_along() {
    let mut simulation = connected();
    simulation.input(Input::Renew);
    assert_eq!(simulation.input(Input::Renew), NOTHING, "one at a time");
    assert_eq!(
        simulation.input(Input::Disconnect),
        ["end second", "Stopping", "terminate"]
    );
}

#[test]
fn a_closed_kill_switch_lets_the_browser_out_also_where_the_tunnel_pauses_for_a_renewal() {
    for is_lost_meanwhile in [false, true] {
        let mut simulation = connected();
        simulation.session.set_web_access(WebAccess {
            blocked: WebBlocked::OnceUp,
            ..WebAccess::default()
        });
        simulation.input(Input::Renew);
        if is_lost_meanwhile {
            // The endpoint does not know the last answer any more, either.
            simulation.lines(&[LOST, HOLD, &remote(), NEED, REFUSED, AGAIN, HOLD]);
        } else {
            simulation.input(Input::RenewalEnded("exit code 1".to_owned()));
            simulation.lines(&[RESTARTED, HOLD]);
        }
        simulation.lines(&[&remote(), NEED, &challenge()]);
        assert!(!simulation.session.firewall().web, "there is no page yet");
        simulation.input(Input::VpnState(VpnState::Activated));
        assert_eq!(simulation.failures, []);
        assert!(simulation.session.expects_secrets() && simulation.session.firewall().web);
    }
}
