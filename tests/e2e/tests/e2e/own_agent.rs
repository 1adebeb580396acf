//! Sessions whose desktop runs no auth dialogs: our own agent, at a terminal.

use crate::{SOON, assert_up, endpoint, reason, state, take_down};
use aws_client_vpn_harness::{Browser, Lab, Options, Snapshot, Terminal, VpnState, eventually};
use serde_json::json;

const READY: &str = "Waiting for connections that need a sign-in.";
const BROWSER: &str = "BROWSER=/run/lab/bin/xdg-open";
const SSH: &str = "USER=ada SSH_CONNECTION='192.0.2.99 50000 192.0.2.10 22'";

/// A lab without a desktop, with our agent at a terminal with `variables` in its environment.
fn console(flags: &[&str], variables: &str) -> (Lab, Terminal, Snapshot) {
    let lab = Lab::start(&Options {
        agent: None,
        ..endpoint(flags)
    });
    lab.import("udp", 443);
    let mut agent = lab.agent_at_terminal(variables);
    agent.expect(READY, SOON);
    let before = lab.snapshot();
    (lab, agent, before)
}

/// The link that the terminal shows.
fn link(agent: &Terminal) -> String {
    let shown = agent.shown();
    let link = shown
        .split_whitespace()
        .find(|word| word.starts_with("https://"));
    link.expect("a link is shown").to_owned()
}

#[test]
fn a_login_at_a_console_opens_the_browser_and_tells_the_result() {
    let (lab, mut agent, before) = console(&[], BROWSER);
    let up = lab.begin_up();
    agent.expect("vpn: sign in at ", SOON);
    agent.expect("Waiting for the sign-in, ", SOON);
    assert_up(&lab, &up.finish());
    agent.expect("vpn is connected.", SOON);
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn a_login_over_ssh_shows_the_link_and_how_to_answer_from_afar() {
    let (lab, mut agent, before) = console(&[], &format!("{BROWSER} {SSH}"));
    let up = lab.begin_up();
    agent.expect("ssh -L 35001:127.0.0.1:35001 ada@192.0.2.10", SOON);
    agent.expect("Waiting for the sign-in, ", SOON);
    assert_eq!(
        lab.browser_events(),
        [""; 0],
        "nobody sits at this computer"
    );
    // The tunnel of ssh ends at this computer's loopback.
    lab.client.check(["/run/lab/bin/xdg-open", &link(&agent)]);
    assert_up(&lab, &up.finish());
    agent.expect("vpn is connected.", SOON);
    take_down(&lab, &before);
}

#[test]
fn ctrl_c_cancels_the_login_and_the_next_one_ends_the_agent() {
    let (lab, mut agent, before) = console(&[], BROWSER);
    lab.set_browser(&Browser::Closed);
    let up = lab.begin_up();
    agent.expect("Waiting for the sign-in, ", SOON);
    agent.interrupt();
    agent.expect("Cancelled.", SOON);
    assert!(!up.finish().success);
    let end = VpnState {
        state: state::FAILED,
        reason: reason::NO_SECRETS,
    };
    assert_eq!(lab.vpn_ended(SOON), end);
    agent.expect("vpn is not connected.", SOON);
    lab.assert_clean(&before);
    // A renewal that is cancelled leaves the connection as it is.
    lab.set_browser(&Browser::Scripted);
    assert_up(&lab, &lab.up());
    agent.expect("vpn is connected.", SOON);
    lab.set_browser(&Browser::Closed);
    lab.client.check(["aws-client-vpn", "renew", "vpn"]);
    agent.expect("Waiting for the sign-in, ", SOON);
    agent.interrupt();
    agent.expect("Cancelled.", SOON);
    eventually("NetworkManager shows it as up again", SOON, || {
        let goes_on = lab.journal().contains("goes on with the old one");
        let last = lab.vpn_states().last().copied()?;
        (goes_on && last.state == state::ACTIVATED).then_some(())
    });
    lab.traffic_flows();
    take_down(&lab, &before);
    agent.interrupt();
    assert!(agent.finish().success);
}

/// NetworkManager tells it with the number of a connection that is up.
#[test]
fn what_is_switched_off_during_the_sign_in_is_not_connected() {
    let (lab, mut agent, before) = console(&[], BROWSER);
    lab.set_browser(&Browser::Closed);
    let up = lab.begin_up();
    agent.expect("Waiting for the sign-in, ", SOON);
    let down = lab.down();
    assert!(down.status.success(), "{down:?}");
    assert!(!up.finish().success);
    agent.expect("vpn is not connected. Somebody disconnected it.", SOON);
    assert!(
        !agent.shown().contains("vpn is connected."),
        "{}",
        agent.shown()
    );
    lab.assert_clean(&before);
}

#[test]
fn looking_at_what_is_kept_does_not_end_the_sign_in() {
    let (lab, mut agent, before) = console(&[], BROWSER);
    lab.set_browser(&Browser::Waiting);
    let up = lab.begin_up();
    agent.expect("Waiting for the sign-in, ", SOON);
    let shown = lab.nmcli(["--show-secrets", "connection", "show", "vpn"]);
    assert!(shown.status.success(), "{shown:?}");
    lab.browser_goes_on();
    assert_up(&lab, &up.finish());
    agent.expect("vpn is connected.", SOON);
    take_down(&lab, &before);
}

#[test]
fn a_networkmanager_that_was_restarted_finds_the_agent_again() {
    let (mut lab, mut agent, _) = console(&[], BROWSER);
    lab.kill_network_manager();
    agent.expect("NetworkManager is not running.", SOON);
    lab.start_network_manager();
    agent.expect(READY, SOON);
    let before = lab.snapshot();
    assert_up(&lab, &lab.up());
    agent.expect("vpn is connected.", SOON);
    take_down(&lab, &before);
}

#[test]
fn passwords_are_asked_for_unseen() {
    let (mut lab, mut agent, before) = console(&["--sign-in=password-mfa"], BROWSER);
    let up = lab.begin_up();
    agent.expect("User name: ", SOON);
    agent.type_line("ada@example.com");
    agent.expect("Password: ", SOON);
    agent.type_line("correct horse");
    // The endpoint's own words come last.
    agent.expect(": ", SOON);
    agent.type_line("123456");
    assert_up(&lab, &up.finish());
    agent.expect("vpn is connected.", SOON);
    assert!(
        !agent.shown().contains("correct horse"),
        "{}",
        agent.shown()
    );
    // It is lost, and whoever is asked for another code does not want to. NetworkManager would keep the
    // name servers of a VPN that an agent's error ends while it is shown as connecting.
    lab.endpoint().command(&json!({"kick": "all"}));
    agent.expect("Enter MFA code", SOON);
    agent.interrupt();
    agent.expect("Cancelled.", SOON);
    let end = VpnState {
        state: state::FAILED,
        reason: reason::LOGIN_FAILED,
    };
    assert_eq!(lab.vpn_ended(SOON), end);
    let told = "The sign-in was cancelled, so the connection has ended.";
    assert!(lab.journal().contains(told), "{}", lab.journal());
    lab.assert_clean(&before);
    // Without a keyring nothing is kept.
    let secrets = lab.nmcli(["--show-secrets", "connection", "show", "vpn"]);
    assert!(!String::from_utf8_lossy(&secrets.stdout).contains("correct horse"));
}
