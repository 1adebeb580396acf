//! What a session does for its kill switch.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod play;

use aws_client_vpn_session::session::{Failure, Input};
use play::Play;
use play::said::{AGAIN, CONNECTED, HOLD, LOST, NEED, REFUSED, challenge, remote};

#[test]
fn without_its_kill_switch_a_connection_is_not_made() {
    let mut play = Play::saml();
    play.challenged();
    play.answered();
    let did = play.input(Input::Unprotected("no nftables".to_owned()));
    assert_eq!(did, ["fail ConnectFailed", "Stopping", "terminate"]);
    assert_eq!(
        play.failures,
        [Failure::Unprotected("no nftables".to_owned())]
    );
}

#[test]
fn every_known_address_of_the_endpoint_is_let_through() {
    let mut play = Play::saml();
    assert!(play.session.endpoints().is_empty());
    play.first_phase();
    let endpoints: Vec<_> = play
        .session
        .endpoints()
        .iter()
        .map(|to| format!("{} {} {}", to.address, to.port, to.transport.as_str()))
        .collect();
    assert_eq!(endpoints, ["10.77.0.2 443 udp", "10.77.0.1 443 udp"]);
}

#[test]
fn where_browsers_are_stopped_a_new_sign_in_takes_a_new_connection() {
    for stopped in [false, true] {
        let mut play = Play::saml();
        if stopped {
            play.session.stop_browsers();
        }
        // The first sign-in is let out: the switch closes when the tunnel is up.
        play.challenged();
        assert!(play.session.awaits_browser());
        play.answered();
        play.lines(&[
            ">UPDOWN:UP",
            ">UPDOWN:ENV,ifconfig_local=10.88.0.2",
            ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
            ">UPDOWN:ENV,END",
            CONNECTED,
        ]);
        assert!(!play.session.awaits_browser());
        play.lines(&[LOST, HOLD, &remote(), NEED, REFUSED, AGAIN, HOLD]);
        play.after(5);
        play.after(5);
        play.lines(&[&remote(), NEED]);
        play.line(&challenge());
        let failed = play.failures == [Failure::BrowsersStopped];
        assert_eq!(failed, stopped, "{:?}", play.failures);
        // Not before the page is opened.
        assert!(!play.session.awaits_browser());
        play.after(2);
        assert_eq!(play.session.awaits_browser(), !stopped);
    }
}
