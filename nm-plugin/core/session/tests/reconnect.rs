//! A tunnel that was up is lost, and comes back: what that costs the person, and what is shown.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_profile::waiting::WaitsFor;
use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::session::{Conditions, Failure, Input, Presence, Ways};
use aws_client_vpn_text::message::Message;
use simulation::lines::{
    AGAIN, CONNECTED, HOLD, LOST, NEED, NO_ANSWER, REFUSED, challenge, remote,
};
use simulation::{HOST, Simulation};
use std::collections::BTreeMap;
use std::time::Duration;

const NOTHING: [&str; 0] = [];

fn ways(ipv4: Option<&str>, ipv6: Option<&str>) -> Ways {
    Ways {
        ipv4: ipv4.map(|address| address.parse().unwrap()),
        ipv6: ipv6.map(|address| address.parse().unwrap()),
    }
}

fn around(online: bool, presence: Presence) -> Input {
    Input::Conditions(Conditions {
        ways: Some(if online {
            ways(Some("192.0.2.10"), None)
        } else {
            Ways::default()
        }),
        presence,
        ..Conditions::default()
    })
}

/// The endpoint refuses the answer of the login before.
fn answer_refused(simulation: &mut Simulation) {
    assert_eq!(simulation.line(LOST), NOTHING);
    assert_eq!(simulation.line(HOLD), ["hold release"]);
    // At the node that gave the session out.
    assert_eq!(simulation.line(&remote()), ["remote MOD 10.77.0.2 443"]);
    answer_tried_in_vain(simulation);
}

/// The answer of the login before is tried once more, and refused.
fn answer_tried_in_vain(simulation: &mut Simulation) {
    let did = simulation.line(NEED);
    assert!(did[1].starts_with("password CRV1::"), "{did:?}");
    assert_eq!(simulation.lines(&[REFUSED, AGAIN]), NOTHING);
}

/// The endpoint is asked for a challenge, which needs no way past the tunnel.
fn released_for_a_login(simulation: &mut Simulation) {
    assert_eq!(simulation.line(HOLD), ["hold release"]);
}

/// NetworkManager has applied settings.
fn applied() -> Input {
    Input::VpnState(VpnState::Activated)
}

/// Before a page is opened, names and default route go, and NetworkManager takes a moment for it.
fn page_opens(simulation: &mut Simulation) {
    let did = simulation.line(&challenge());
    assert!(
        did.ends_with(&["configure".to_owned(), "Started".to_owned()]),
        "{did:?}"
    );
    assert_eq!(simulation.after(2), NOTHING);
    assert!(!simulation.session.is_shown_as_up());
    assert_eq!(simulation.input(applied()), ["Starting", "ask"]);
}

/// NetworkManager has taken in the browser's answer.
fn answer_taken() -> Input {
    Input::VpnState(VpnState::of_vpn(3, 0))
}

/// A tunnel that takes everything, which an endpoint gives tokens for or not.
fn full_tunnel() -> Simulation {
    let mut simulation = Simulation::connected();
    simulation.lines(&[
        ">UPDOWN:UP",
        ">UPDOWN:ENV,ifconfig_local=10.88.0.2",
        ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
        ">UPDOWN:ENV,route_redirect_gateway_ipv4=1",
        ">UPDOWN:ENV,foreign_option_1=dhcp-option DNS 10.99.0.2",
        ">UPDOWN:ENV,END",
        LOST,
        HOLD,
        CONNECTED,
    ]);
    assert!(takes_everything(&simulation));
    simulation
}

fn takes_everything(simulation: &Simulation) -> bool {
    let ipv4 = simulation
        .config
        .as_ref()
        .and_then(|config| config.ipv4.as_ref());
    ipv4.is_some_and(|ipv4| !ipv4.never_default && !ipv4.name_servers.is_empty())
}

#[test]
fn a_token_brings_the_tunnel_back_before_anybody_notices() {
    let mut simulation = Simulation::connected();
    simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    assert_eq!(simulation.line(LOST), NOTHING);
    assert_eq!(simulation.line(HOLD), ["hold release"]);
    assert_eq!(simulation.line(&remote()), ["remote MOD 10.77.0.2 443"]);
    // Nothing is resolved, for the tunnel's name servers are still the first; nothing is asked.
    assert_eq!(simulation.line(CONNECTED), NOTHING);
    assert_eq!((simulation.configs, simulation.hints.len()), (1, 1));
}

#[test]
fn a_loss_is_shown_after_five_seconds_and_so_is_its_end() {
    let mut simulation = Simulation::connected();
    simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    simulation.line(LOST);
    assert_eq!(simulation.after(4), NOTHING);
    assert_eq!(simulation.after(1), ["Starting"]);
    assert_eq!(simulation.line(HOLD), ["hold release"]);
    // NetworkManager needs other settings than before to see that it is over.
    assert_eq!(simulation.line(CONNECTED), ["configure", "Started"]);
}

#[test]
fn other_addresses_after_a_loss_are_handed_on_although_nobody_noticed_it() {
    let mut simulation = Simulation::connected();
    simulation.line(LOST);
    simulation.line(HOLD);
    let did = simulation.lines(&[
        ">UPDOWN:UP",
        ">UPDOWN:ENV,ifconfig_local=10.88.0.9",
        ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
        ">UPDOWN:ENV,END",
        CONNECTED,
    ]);
    assert_eq!(did, ["Starting", "configure", "Started"]);
}

#[test]
fn the_last_answer_is_tried_once_and_then_the_person_signs_in_again() {
    let mut simulation = Simulation::connected();
    answer_refused(&mut simulation);
    released_for_a_login(&mut simulation);
    assert_eq!(
        simulation.line(NEED),
        ["username Auth N/A", "password ACS::35001"]
    );
    page_opens(&mut simulation);
    simulation.lines(&[AGAIN, ">HOLD:Waiting for hold release:4"]);
    assert_eq!(simulation.answered(), ["hold release"]);
    assert_eq!(simulation.line(CONNECTED), ["configure", "Started"]);
    assert_eq!(simulation.hints.len(), 2);
}

#[test]
fn a_token_that_is_refused_does_not_end_the_connection() {
    let mut simulation = Simulation::connected();
    simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    simulation.lines(&[LOST, HOLD, &remote()]);
    let refused = ">PASSWORD:Verification Failed: 'Auth' ['SESSION: token expired']";
    assert_eq!(simulation.line(refused), NOTHING);
    assert_eq!(simulation.lines(&[AGAIN, HOLD]), ["hold release"]);
    // Then the last answer, and then a login.
    answer_tried_in_vain(&mut simulation);
    released_for_a_login(&mut simulation);
    assert_eq!(
        simulation.line(NEED),
        ["username Auth N/A", "password ACS::35001"]
    );
    assert!(simulation.failures.is_empty());
}

/// OpenVPN drops its token with each refusal.
#[test]
fn a_challenge_in_answer_to_a_token_waits_for_somebody_who_can_see_the_page() {
    let mut simulation = Simulation::connected();
    simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    simulation.input(around(true, Presence::Locked));
    simulation.lines(&[LOST, HOLD, &remote()]);
    assert_eq!(simulation.line(&challenge()), NOTHING);
    assert_eq!(simulation.lines(&[AGAIN, HOLD]), NOTHING);
    assert_eq!(
        simulation.input(around(true, Presence::Active)),
        ["hold release"]
    );
}

#[test]
fn without_a_network_it_waits_and_is_shown_as_waiting() {
    let mut simulation = Simulation::connected();
    simulation.line(LOST);
    simulation.input(around(false, Presence::Active));
    assert_eq!(simulation.line(HOLD), NOTHING);
    assert_eq!(simulation.after(5), ["Starting"]);
    // A night.
    assert_eq!(simulation.after(8 * 3600), NOTHING);
    assert_eq!(simulation.session.waits_for(), Some(WaitsFor::Network));
    assert_eq!(simulation.session.deadline(), None);
    assert_eq!(
        simulation.input(around(true, Presence::Active)),
        ["hold release"]
    );
    // The endpoint's time begins only now.
    assert_eq!(simulation.after(599), NOTHING);
    // NetworkManager would keep the tunnel's name servers otherwise.
    assert_eq!(simulation.after(1), ["configure", "Started"]);
    assert_eq!(simulation.line(LOST), NOTHING);
    let taken_in = Input::VpnState(VpnState::Activated);
    assert_eq!(
        simulation.input(taken_in),
        ["fail ConnectFailed", "Stopping", "terminate"]
    );
    assert!(simulation.failures[0].to_string().contains("within 600 s"));
}

/// The end of a lost connection that is shown as "connecting".
fn failing() -> Simulation {
    let mut simulation = Simulation::connected();
    simulation.lines(&[LOST, HOLD]);
    assert_eq!(simulation.after(5), ["Starting"]);
    assert_eq!(simulation.after(595), ["configure", "Started"]);
    simulation
}

#[test]
fn a_networkmanager_that_takes_nothing_in_is_not_waited_for_long() {
    let mut simulation = failing();
    assert_eq!(
        simulation.input(Input::VpnState(VpnState::Connecting)),
        NOTHING
    );
    assert_eq!(
        simulation.after(5),
        ["fail ConnectFailed", "Stopping", "terminate"]
    );
}

#[test]
fn what_ends_a_connection_while_it_is_failing_ends_it_at_once() {
    let mut simulation = failing();
    assert_eq!(
        simulation.input(Input::Disconnect),
        ["Stopping", "terminate"]
    );
    let mut simulation = failing();
    let gone = Input::OpenVpnEnded(Message::new("exit code 1"));
    assert_eq!(
        simulation.input(gone)[..2],
        ["fail ConnectFailed", "Stopping"]
    );
    let mut simulation = failing();
    // NetworkManager is "deactivating" it, at a user's wish.
    let taken_down = Input::VpnState(VpnState::of_active_connection(3, 2).unwrap());
    assert_eq!(simulation.input(taken_down), NOTHING);
    assert_eq!(simulation.after(600), NOTHING);
    assert_eq!(
        simulation.input(Input::Disconnect),
        ["Stopping", "terminate"]
    );
}

#[test]
fn while_the_computer_sleeps_nothing_is_tried() {
    let mut simulation = Simulation::connected();
    let asleep = |asleep| {
        Input::Conditions(Conditions {
            asleep,
            ..Conditions::default()
        })
    };
    simulation.input(asleep(true));
    assert_eq!(simulation.lines(&[LOST, HOLD]), NOTHING);
    assert_eq!(simulation.input(asleep(false)), ["hold release"]);
}

#[test]
fn a_login_waits_until_somebody_is_there_to_see_it() {
    for away in [Presence::Locked, Presence::Away] {
        let mut simulation = Simulation::connected();
        simulation.input(around(true, away));
        // What needs nobody is tried all the same.
        answer_refused(&mut simulation);
        assert_eq!(simulation.line(HOLD), NOTHING, "{away:?}");
        // The journal says why nothing is done.
        let why = match away {
            Presence::Locked => "the screen is locked",
            Presence::Away | Presence::Active => "nobody is there who could sign in",
        };
        assert!(simulation.notes.contains(&why.to_owned()), "{away:?}");
        // Nobody is told of the loss yet.
        assert_eq!(simulation.session.waits_for(), None);
        assert_eq!(simulation.after(5), ["Starting"]);
        let waits_for = match away {
            Presence::Locked => WaitsFor::Unlock,
            Presence::Away | Presence::Active => WaitsFor::Person,
        };
        assert_eq!(simulation.session.waits_for(), Some(waits_for));
        assert_eq!(simulation.after(3600), NOTHING);
        assert_eq!(simulation.hints.len(), 1);
        assert_eq!(
            simulation.input(around(true, Presence::Active)),
            ["hold release"]
        );
        assert_eq!(simulation.session.waits_for(), None);
        simulation.line(NEED);
        page_opens(&mut simulation);
    }
}

#[test]
fn who_leaves_while_the_endpoint_thinks_is_not_asked() {
    let mut simulation = Simulation::connected();
    answer_refused(&mut simulation);
    released_for_a_login(&mut simulation);
    simulation.line(NEED);
    simulation.input(around(true, Presence::Locked));
    assert_eq!(simulation.line(&challenge()), NOTHING);
    assert_eq!(simulation.lines(&[AGAIN, HOLD]), NOTHING);
    assert_eq!(
        simulation.input(around(true, Presence::Active)),
        ["hold release"]
    );
    assert!(simulation.failures.is_empty());
}

#[test]
fn who_leaves_a_moment_before_the_page_is_opened_is_not_asked() {
    for leaves_by in [
        around(true, Presence::Locked),
        around(false, Presence::Active),
        without_agent(),
    ] {
        let mut simulation = full_tunnel();
        answer_refused(&mut simulation);
        released_for_a_login(&mut simulation);
        simulation.line(NEED);
        simulation.line(&challenge());
        assert!(!takes_everything(&simulation));
        simulation.lines(&[AGAIN, HOLD]);
        // Everything is led into the tunnel again at once.
        assert_eq!(
            simulation.input(leaves_by),
            ["Starting", "configure", "Started"]
        );
        assert!(takes_everything(&simulation));
        assert_eq!(simulation.input(applied()), ["Starting"]);
        assert_eq!(simulation.after(3600), NOTHING);
        assert_eq!(simulation.hints.len(), 1);
        assert_eq!(
            simulation.input(around(true, Presence::Active)),
            ["hold release"]
        );
        simulation.line(NEED);
        page_opens(&mut simulation);
    }
}

fn without_agent() -> Input {
    Input::Conditions(Conditions {
        has_agent: false,
        ..Conditions::default()
    })
}

#[test]
fn a_login_waits_for_an_agent_that_would_show_it() {
    let mut simulation = Simulation::connected();
    simulation.input(without_agent());
    answer_refused(&mut simulation);
    assert_eq!(simulation.line(HOLD), NOTHING);
    assert!(simulation.session.may_ask_a_person());
    assert_eq!(simulation.after(5), ["Starting"]);
    assert_eq!(simulation.after(3600), NOTHING);
    assert_eq!(
        simulation.input(around(true, Presence::Active)),
        ["hold release"]
    );
    simulation.line(NEED);
    page_opens(&mut simulation);
    assert_eq!(simulation.hints.len(), 2);
    assert!(simulation.failures.is_empty());
}

#[test]
fn nothing_is_led_past_the_tunnel_until_a_page_is_opened() {
    let asleep = Conditions {
        asleep: true,
        ..Conditions::default()
    };
    for wait in [
        around(false, Presence::Active),
        around(true, Presence::Locked),
        around(true, Presence::Away),
        Input::Conditions(asleep),
        without_agent(),
    ] {
        let mut simulation = full_tunnel();
        let configs = simulation.configs;
        simulation.input(wait);
        simulation.lines(&[LOST, HOLD, &remote(), NEED, REFUSED, AGAIN, HOLD]);
        simulation.after(5);
        simulation.after(8 * 3600);
        assert_eq!(simulation.configs, configs, "{:?}", simulation.notes);
    }
    // Nor by an attempt that the endpoint does not answer, with a token or the last answer.
    for token in [true, false] {
        let mut simulation = full_tunnel();
        if token {
            simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
        }
        let configs = simulation.configs;
        simulation.lines(&[LOST, HOLD, &remote()]);
        assert_eq!(simulation.after(5), ["Starting"]);
        simulation.after(500);
        assert_eq!(simulation.configs, configs);
        // And not while a challenge is fetched.
        simulation.lines(&[NEED, REFUSED, AGAIN, HOLD, NEED]);
        assert_eq!(simulation.configs, configs);
    }
}

#[test]
fn everything_is_led_into_the_tunnel_again_once_the_browser_has_answered() {
    let mut simulation = full_tunnel();
    answer_refused(&mut simulation);
    released_for_a_login(&mut simulation);
    simulation.line(NEED);
    page_opens(&mut simulation);
    assert!(!takes_everything(&simulation));
    simulation.lines(&[AGAIN, HOLD]);
    // NetworkManager would keep settings to itself until it has taken the answer in.
    assert_eq!(simulation.answered(), ["hold release"]);
    assert_eq!(simulation.input(answer_taken()), ["configure", "Started"]);
    assert!(takes_everything(&simulation));
    // The endpoint takes its time, so it is not up yet, whatever NetworkManager makes of it.
    let activated = Input::VpnState(VpnState::Activated);
    assert_eq!(simulation.input(activated), ["Starting"]);
    assert_eq!(simulation.after(5), NOTHING);
    assert_eq!(simulation.line(CONNECTED), ["configure", "Started"]);
    assert!(takes_everything(&simulation));
}

#[test]
fn an_endpoint_that_throws_everybody_out_opens_one_page_and_not_a_storm() {
    let mut simulation = Simulation::connected();
    let mut pages = Vec::new();
    while pages.len() < 6 {
        simulation.line(LOST);
        loop {
            let mut did = simulation.line(HOLD);
            while !did.contains(&"hold release".to_owned()) {
                simulation.now = simulation.session.deadline().unwrap();
                did = simulation.input(Input::TimePassed);
            }
            if simulation.line(NEED)[1].starts_with("password ACS") {
                break;
            }
            simulation.lines(&[REFUSED, AGAIN]);
        }
        page_opens(&mut simulation);
        pages.push(simulation.now);
        simulation.lines(&[AGAIN, HOLD]);
        simulation.answered();
        simulation.line(CONNECTED);
    }
    let pauses: Vec<u64> = pages
        .windows(2)
        .map(|two| (two[1] - two[0]).as_secs())
        .collect();
    // Two seconds for the way past the tunnel.
    assert_eq!(pauses, [62, 122, 242, 482, 962]);
}

#[test]
fn networkmanager_is_told_again_where_it_takes_a_lost_connection_for_one_that_is_up() {
    let mut simulation = Simulation::connected();
    let activated = || Input::VpnState(VpnState::Activated);
    // That is how it begins.
    assert_eq!(simulation.input(activated()), NOTHING);
    answer_refused(&mut simulation);
    released_for_a_login(&mut simulation);
    assert!(simulation.session.is_shown_as_up());
    assert_eq!(simulation.after(5), ["Starting"]);
    assert_eq!(simulation.input(activated()), ["Started", "Starting"]);
    assert!(!simulation.session.is_shown_as_up());
    simulation.line(NEED);
    page_opens(&mut simulation);
    let opens_a_page = |simulation: &Simulation| simulation.hints.last().cloned();
    let first = opens_a_page(&simulation);
    // It had not heard the question, so there is no page yet.
    assert_eq!(
        simulation.input(activated()),
        ["Started", "Starting", "ask"]
    );
    assert_eq!(opens_a_page(&simulation), first);
    simulation.input(Input::VpnState(VpnState::NeedAuth));
    assert_eq!(
        simulation.input(activated()),
        ["Started", "Starting", "ask"]
    );
    assert_ne!(opens_a_page(&simulation), first);
    simulation.lines(&[AGAIN, HOLD]);
    simulation.answered();
    assert!(!simulation.session.is_shown_as_up());
    assert_eq!(simulation.line(CONNECTED), ["configure", "Started"]);
    assert_eq!(simulation.input(activated()), NOTHING);
    assert!(simulation.session.is_shown_as_up());
}

/// NetworkManager runs its pre-down scripts, for a user who wants the connection to end.
fn taken_down() -> Input {
    Input::VpnState(VpnState::of_vpn(5, 2))
}

/// A connection in each state from which a user may want to take it down.
fn in_each_state() -> Vec<(&'static str, Simulation)> {
    let lost = |presence| {
        let mut simulation = Simulation::connected();
        simulation.input(around(true, presence));
        answer_refused(&mut simulation);
        simulation.line(HOLD);
        simulation
    };
    let mut first_login = Simulation::saml();
    first_login.challenged();
    let mut just_lost = Simulation::connected();
    just_lost.lines(&[LOST, HOLD]);
    let mut retrying = Simulation::connected();
    retrying.lines(&[LOST, HOLD]);
    retrying.after(5);
    retrying.lines(&[NO_ANSWER, HOLD]);
    let mut offline = Simulation::connected();
    offline.line(LOST);
    offline.input(around(false, Presence::Active));
    offline.line(HOLD);
    offline.after(5);
    let mut making_way = lost(Presence::Active);
    making_way.line(NEED);
    making_way.line(&challenge());
    making_way.lines(&[AGAIN, HOLD]);
    let mut login = lost(Presence::Active);
    login.line(NEED);
    page_opens(&mut login);
    login.lines(&[AGAIN, HOLD]);
    vec![
        ("first login", first_login),
        ("connected", Simulation::connected()),
        ("just lost", just_lost),
        ("retrying", retrying),
        ("no network", offline),
        ("screen locked", lost(Presence::Locked)),
        ("nobody there", lost(Presence::Away)),
        ("page about to open", making_way),
        ("login open", login),
    ]
}

#[test]
fn nothing_is_said_while_networkmanager_takes_the_connection_down() {
    for (what, mut simulation) in in_each_state() {
        assert_eq!(simulation.input(taken_down()), NOTHING, "{what}");
        let crossing = [
            around(true, Presence::Active),
            around(true, Presence::Locked),
            Input::Renew,
        ];
        for input in crossing {
            assert_eq!(simulation.input(input), NOTHING, "{what}");
        }
        assert_eq!(simulation.session.deadline(), None, "{what}");
        assert_eq!(simulation.after(700), NOTHING, "{what}");
        assert_eq!(
            simulation.lines(&[NEED, &challenge(), AGAIN, HOLD, CONNECTED, LOST, HOLD]),
            NOTHING,
            "{what}"
        );
        assert_eq!(simulation.answered(), NOTHING, "{what}");
        // It says so twice, and a third time when the scripts are done.
        assert_eq!(simulation.input(taken_down()), NOTHING, "{what}");
        let down = Input::VpnState(VpnState::of_vpn(7, 2));
        assert_eq!(simulation.input(down), NOTHING, "{what}");
        assert_eq!(
            simulation.input(Input::Disconnect),
            ["Stopping", "terminate"],
            "{what}"
        );
        assert!(simulation.failures.is_empty(), "{what}");
    }
}

#[test]
fn openvpn_may_end_while_networkmanager_takes_the_connection_down() {
    let mut simulation = Simulation::connected();
    simulation.input(taken_down());
    let ended = Input::OpenVpnEnded(Message::new("signal 15"));
    assert_eq!(simulation.input(ended), NOTHING);
    assert_eq!(
        simulation.input(Input::NetworkManagerGone),
        ["Stopping", "clean up", "Stopped", "finish"]
    );
}

#[test]
fn what_crossed_the_news_of_the_end_does_not_undo_it() {
    for (what, mut simulation) in in_each_state() {
        simulation.input(taken_down());
        // Said a moment before, "starting" takes NetworkManager out of "deactivating".
        let connecting = Input::VpnState(VpnState::of_vpn(3, 6));
        assert_eq!(
            simulation.input(connecting),
            ["Stopping", "terminate"],
            "{what}"
        );
    }
}

#[test]
fn another_node_is_tried_without_asking_the_tunnel_s_name_servers() {
    let mut simulation = Simulation::connected();
    simulation.lines(&[LOST, HOLD, &remote(), NEED]);
    // The node is gone. The name is resolved again beside, for as long as that takes.
    // OpenVPN still has the answer, which means nothing to another node.
    assert_eq!(
        simulation.line(NO_ANSWER),
        ["resolve, random label: true", "forget-passwords"]
    );
    released_for_a_login(&mut simulation);
    assert_eq!(simulation.line(&remote()), ["remote MOD 10.77.0.1 443"]);
    // The answer was for the other one.
    assert_eq!(
        simulation.line(NEED),
        ["username Auth N/A", "password ACS::35001"]
    );
    let failed = Input::Resolved {
        host: HOST.to_owned(),
        result: Err("timed out".to_owned()),
    };
    assert_eq!(simulation.input(failed), NOTHING);
    assert!(simulation.failures.is_empty());
}

#[test]
fn attempts_that_fail_at_once_are_made_ever_more_seldom() {
    let mut simulation = Simulation::connected();
    simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    simulation.line(LOST);
    assert_eq!(simulation.line(HOLD), ["hold release"]);
    let pauses: Vec<u64> = (0..7)
        .map(|_| {
            simulation.line(NO_ANSWER);
            let mut pause = 0;
            let mut did = simulation.line(HOLD);
            while !did.contains(&"hold release".to_owned()) {
                pause += 1;
                did = simulation.after(1);
            }
            pause
        })
        .collect();
    assert_eq!(pauses, [0, 1, 2, 4, 8, 8, 8]);
}

#[test]
fn a_connection_of_tcp_does_not_survive_another_address_and_one_of_udp_may() {
    let at = |source: Option<&str>| {
        Input::Conditions(Conditions {
            ways: Some(ways(source, None)),
            ..Conditions::default()
        })
    };
    // From one network to the other at once, or with none in between; which is also what comes back.
    for (is_offline_between, then, restarts) in [
        (false, "192.0.2.11", true),
        (true, "192.0.2.11", true),
        (true, "192.0.2.10", false),
    ] {
        for transport in ["udp", "tcp-client"] {
            let mut simulation = Simulation::connected();
            let question = format!(">REMOTE:{HOST},443,{transport}");
            simulation.lines(&[LOST, HOLD, &question, CONNECTED]);
            simulation.input(at(Some("192.0.2.10")));
            if is_offline_between {
                assert_eq!(simulation.input(at(None)), NOTHING);
            }
            let expected: &[_] = match transport {
                "tcp-client" if restarts => &["signal SIGUSR1"],
                _ => &[],
            };
            assert_eq!(simulation.input(at(Some(then))), expected, "{transport}");
        }
    }
}

/// The first network leads to the endpoint in one family, the second in the other.
#[test]
fn a_network_of_the_other_family_is_used() {
    let at = |ipv4, ipv6| {
        Input::Conditions(Conditions {
            ways: Some(ways(ipv4, ipv6)),
            ..Conditions::default()
        })
    };
    let (ipv4, ipv6) = (Some("192.0.2.10"), Some("2001:db8::10"));
    let up = |addresses: &[&str]| {
        let mut simulation = Simulation::saml();
        simulation.line(HOLD);
        simulation.resolved(addresses);
        let first = simulation.line(&remote());
        simulation.lines(&[NEED, &challenge(), AGAIN, HOLD]);
        simulation.answered();
        simulation.lines(&[NEED, &remote()]);
        simulation.up();
        simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
        (simulation, first)
    };
    let both = ["2001:db8:1::1", "192.0.2.1", "192.0.2.2"];
    let (mut simulation, first) = up(&both);
    assert_eq!(first, ["remote MOD 2001:db8:1::1 443"]);
    simulation.input(at(None, ipv6));
    simulation.line(LOST);
    simulation.input(at(None, None));
    assert_eq!(simulation.line(HOLD), NOTHING);
    assert_eq!(simulation.input(at(ipv4, None)), ["hold release"]);
    assert_eq!(simulation.line(&remote()), ["remote MOD 192.0.2.1 443"]);
    // An address that no way leads to is nobody's turn.
    for expected in ["remote MOD 192.0.2.2 443", "remote MOD 192.0.2.1 443"] {
        simulation.line(NO_ANSWER);
        simulation.resolved(&both);
        simulation.line(HOLD);
        simulation.after(8);
        assert_eq!(simulation.line(&remote()), [expected]);
    }
    // Of one family only, as AWS's are: the new network may have a NAT64, and its names lead there.
    let (mut simulation, _) = up(&["192.0.2.1"]);
    simulation.input(at(ipv4, None));
    simulation.line(LOST);
    simulation.input(at(None, None));
    assert_eq!(simulation.line(HOLD), NOTHING);
    let did = simulation.input(at(None, ipv6));
    assert_eq!(did, ["resolve, random label: true"]);
    assert_eq!(simulation.resolved(&["192.0.2.1"]), NOTHING);
    // Its name servers may not answer yet.
    assert_eq!(simulation.after(29), ["Starting"]);
    assert_eq!(simulation.after(1), ["resolve, random label: true"]);
    assert_eq!(simulation.resolved(&[]), NOTHING);
    assert_eq!(simulation.after(30), ["resolve, random label: true"]);
    assert_eq!(simulation.resolved(&[]), NOTHING);
    let of_it = |note: &&String| note.contains("could not find an address");
    assert_eq!(simulation.notes.iter().filter(of_it).count(), 1);
    let did = simulation.input(at(None, Some("2001:db8::11")));
    assert_eq!(did, ["resolve, random label: true"]);
    let did = simulation.resolved(&["64:ff9b::c000:201", "192.0.2.1"]);
    assert_eq!(did, ["hold release"]);
    let did = simulation.line(&remote());
    assert_eq!(did, ["remote MOD 64:ff9b::c000:201 443"]);
    assert_eq!(simulation.after(30), NOTHING, "that is known now");
}

/// A dispatcher's pre-up script takes as long as it takes.
#[test]
fn a_page_waits_until_networkmanager_has_applied_what_it_was_given_but_not_for_ever() {
    for is_applied in [true, false] {
        let mut simulation = full_tunnel();
        simulation.lines(&[LOST, HOLD, &remote()]);
        answer_tried_in_vain(&mut simulation);
        simulation.lines(&[HOLD, &remote(), NEED, &challenge(), AGAIN, HOLD]);
        assert_eq!(simulation.after(59), NOTHING);
        let did = if is_applied {
            simulation.input(applied())
        } else {
            simulation.after(1)
        };
        assert_eq!(did, ["Starting", "ask"]);
    }
}

#[test]
fn a_page_that_nobody_sees_any_more_leads_nothing_past_the_tunnel() {
    let asleep = Conditions {
        asleep: true,
        ..Conditions::default()
    };
    for wait in [
        around(true, Presence::Locked),
        around(true, Presence::Away),
        Input::Conditions(asleep),
    ] {
        let mut simulation = full_tunnel();
        simulation.lines(&[LOST, HOLD, &remote()]);
        answer_tried_in_vain(&mut simulation);
        simulation.lines(&[HOLD, &remote(), NEED]);
        page_opens(&mut simulation);
        simulation.lines(&[AGAIN, HOLD]);
        // Without a network, somebody still sees it.
        assert_eq!(simulation.input(around(false, Presence::Active)), NOTHING);
        assert!(!takes_everything(&simulation));
        let did = simulation.input(wait);
        assert_eq!(did, ["Started", "Starting", "configure", "Started"]);
        assert!(takes_everything(&simulation) && !simulation.session.expects_secrets());
        assert_eq!(simulation.input(applied()), ["Starting"]);
        assert_eq!(simulation.after(8 * 3600), NOTHING);
        // The next page does not have to wait because of the one that nobody saw.
        let back = simulation.input(around(true, Presence::Active));
        assert_eq!(back, ["hold release"]);
        simulation.lines(&[&remote(), NEED]);
        page_opens(&mut simulation);
        assert!(simulation.failures.is_empty());
    }
}

#[test]
fn a_new_sign_in_in_the_midst_of_a_connection_is_asked_for_inside_it() {
    let mut simulation = Simulation::connected();
    // The endpoint wants other keys, and does not take the answer again.
    answer_tried_in_vain(&mut simulation);
    released_for_a_login(&mut simulation);
    assert_eq!(
        simulation.line(NEED),
        ["username Auth N/A", "password ACS::35001"]
    );
    page_opens(&mut simulation);
    assert!(simulation.failures.is_empty());
}

#[test]
fn why_openvpn_ended_is_told_in_words_for_users() {
    for (detail, failure) in [
        ("inactive", Failure::Inactive),
        ("server-pushed-halt", Failure::EndedByEndpoint),
    ] {
        let mut simulation = Simulation::connected();
        simulation.line(&format!(">STATE:1,EXITING,{detail},,,,,"));
        simulation.input(Input::OpenVpnEnded(Message::new("exit code 0")));
        assert_eq!(simulation.failures, [failure]);
    }
}

#[test]
fn the_end_of_a_sign_in_is_told_ten_minutes_before() {
    let timeouts = Timeouts {
        session: Some(Duration::from_secs(8 * 3600)),
        ..Timeouts::default()
    };
    let mut simulation = Simulation::connected_with(timeouts);
    assert_eq!(simulation.after(8 * 3600 - 601), NOTHING);
    assert_eq!(simulation.after(1), ["sign-in ends in 600 s"]);
    assert_eq!(simulation.after(600), NOTHING);
    // A token prolongs nothing; a login does.
    simulation.line(">PASSWORD:Auth-Token:SESS_ID_AT_x");
    simulation.lines(&[LOST, HOLD, CONNECTED]);
    assert_eq!(simulation.session.deadline(), None);
}

#[test]
fn what_the_endpoint_pushes_as_echo_is_a_banner_if_it_reads_like_one() {
    let mut simulation = Simulation::begin("auth-user-pass", true, BTreeMap::new());
    assert_eq!(simulation.line(">ECHO:1,Authorised use only"), NOTHING);
    assert_eq!(simulation.line(">ECHO:1,"), NOTHING);
    assert!(simulation.notes.is_empty());
    simulation.line(">ECHO:1,{cre:1}");
    assert!(simulation.notes[0].contains("{cre:1}"));
}
