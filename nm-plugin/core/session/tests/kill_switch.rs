//! What a session does for its kill switch.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::session::{Failure, Input, WebAccess, WebBlocked};
use aws_client_vpn_text::message::Message;
use simulation::Simulation;
use simulation::lines::{AGAIN, CONNECTED, HOLD, LOST, NEED, REFUSED, challenge, remote};

#[test]
fn without_its_kill_switch_a_connection_is_not_made() {
    let mut simulation = Simulation::saml();
    simulation.challenged();
    simulation.answered();
    let did = simulation.input(Input::KillSwitchFailed(Message::new("no nftables")));
    assert_eq!(did, ["fail ConnectFailed", "Stopping", "terminate"]);
    assert_eq!(
        simulation.failures,
        [Failure::KillSwitchFailed(Message::new("no nftables"))]
    );
}

#[test]
fn every_known_address_of_the_endpoint_is_let_through() {
    let mut simulation = Simulation::saml();
    assert!(simulation.session.firewall().endpoints.is_empty());
    simulation.first_phase();
    let endpoints: Vec<_> = simulation
        .session
        .firewall()
        .endpoints
        .iter()
        .map(|to| format!("{} {} {}", to.address, to.port, to.transport.as_str()))
        .collect();
    assert_eq!(endpoints, ["10.77.0.2 443 udp", "10.77.0.1 443 udp"]);
}

#[test]
fn names_are_let_out_for_the_first_lookup_only() {
    let mut simulation = Simulation::saml();
    assert!(simulation.session.firewall().names);
    simulation.resolved(&["10.77.0.2", "10.77.0.1"]);
    assert!(!simulation.session.firewall().names);
    // A connection that was up looks its endpoint up again; that finds its way, or does not.
    let mut simulation = Simulation::connected();
    let lookups = |simulation: &Simulation| {
        let lookups = simulation
            .did
            .iter()
            .filter(|did| did.starts_with("resolve"));
        lookups.count()
    };
    let before = lookups(&simulation);
    simulation.lines(&[LOST, HOLD, &remote(), LOST]);
    assert_eq!(lookups(&simulation), before + 1);
    assert!(!simulation.session.firewall().names);
}

/// What a connection does that was up, is lost, and needs a new sign-in; and what it says of a
/// browser meanwhile: at the first sign-in, and at the second.
fn signs_in_twice(web_access: Option<WebAccess>) -> (Simulation, [bool; 2]) {
    let mut simulation = Simulation::saml();
    if let Some(web_access) = web_access {
        simulation.session.set_web_access(web_access);
    }
    simulation.challenged();
    let first = simulation.session.firewall().web;
    if !simulation.failures.is_empty() {
        return (simulation, [first, false]);
    }
    simulation.answered();
    simulation.lines(&[
        ">UPDOWN:UP",
        ">UPDOWN:ENV,ifconfig_local=10.88.0.2",
        ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
        ">UPDOWN:ENV,END",
        CONNECTED,
    ]);
    assert!(!simulation.session.firewall().web);
    simulation.lines(&[LOST, HOLD, &remote(), NEED, REFUSED, AGAIN, HOLD]);
    simulation.after(5);
    simulation.after(5);
    simulation.lines(&[&remote(), NEED]);
    simulation.line(&challenge());
    // The way past the lost tunnel is made first.
    simulation.input(Input::VpnState(VpnState::Activated));
    let second = simulation.session.firewall().web;
    (simulation, [first, second])
}

#[test]
fn a_browser_is_let_out_for_a_sign_in_that_a_person_asked_for() {
    // Without a kill switch of its own, by hand: the page of the second one opens, but no kill
    // switch of another connection is opened for it.
    let (simulation, web) = signs_in_twice(None);
    assert_eq!((simulation.failures.len(), web), (0, [true, false]));
    // Its own lets no browser out, once it is closed.
    let strict = WebAccess {
        blocked: WebBlocked::OnceUp,
        ..WebAccess::default()
    };
    let (simulation, web) = signs_in_twice(Some(strict));
    assert_eq!(simulation.failures, [Failure::WebBlocked]);
    assert_eq!(web, [true, false]);
    // Its own lets browsers out, whoever asked.
    let lenient = WebAccess {
        activation_requested_by_user: false,
        for_any_sign_in: true,
        ..WebAccess::default()
    };
    let (simulation, web) = signs_in_twice(Some(lenient));
    assert_eq!((simulation.failures.len(), web), (0, [true, true]));
    // NetworkManager began by itself.
    let by_itself = WebAccess {
        activation_requested_by_user: false,
        ..WebAccess::default()
    };
    let (simulation, web) = signs_in_twice(Some(by_itself));
    assert_eq!((simulation.failures.len(), web), (0, [false, false]));
}

#[test]
fn where_traffic_is_stopped_no_page_opens_that_nobody_asked_for() {
    let (simulation, web) = signs_in_twice(Some(WebAccess {
        activation_requested_by_user: false,
        for_any_sign_in: false,
        blocked: WebBlocked::FromTheStart,
    }));
    assert_eq!(simulation.failures, [Failure::WebBlocked]);
    assert!(
        !simulation.did.contains(&"ask".to_owned()),
        "{:?}",
        simulation.did
    );
    assert_eq!(web, [false, false]);
}
