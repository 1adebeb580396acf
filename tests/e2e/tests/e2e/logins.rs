//! Logins that succeed.

use crate::{SOON, assert_up, endpoint, lab, lab_with, take_down};
use aws_client_vpn_harness::{AgentStyle, Browser, Options, eventually};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn a_login_over_udp() {
    let (lab, before) = lab_with("udp", &Options::default());
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn a_login_over_tcp() {
    let (lab, before) = lab_with("tcp", &Options::default());
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
    // A network goes and another one comes: OpenVPN alone would wait for an answer until it calls the
    // connection lost.
    assert_up(&lab, &lab.up());
    lab.client
        .check(["nmcli", "--wait", "300", "device", "disconnect", "eth0"]);
    lab.second_cable();
    eventually("it is made again from the other address", SOON, || {
        let told = lab.journal().contains("has another address on the way");
        (told && lab.has_traffic()).then_some(())
    });
    assert!(lab.down().status.success());
}

#[test]
fn a_login_in_the_real_chromium() {
    let (lab, before) = lab(&Options {
        browser: Browser::Chromium,
        ..Options::default()
    });
    assert_up(&lab, &lab.up());
    let done = lab.browser_did("done", SOON);
    assert_eq!(done["what"], "logged in");
    // The page that the auth dialog shows says what to do next.
    let pages: Vec<_> = lab.browser_events();
    let last = pages
        .iter()
        .rfind(|event| event["event"] == "page")
        .unwrap();
    assert!(
        last["text"]
            .as_str()
            .is_some_and(|text| text.contains("close")),
        "{last}"
    );
    take_down(&lab, &before);
}

#[test]
fn a_login_with_an_agent_like_nm_applet() {
    let agent = Some(AgentStyle::NmApplet);
    let (lab, before) = lab(&Options {
        agent,
        ..Options::default()
    });
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

#[test]
fn twenty_logins_in_a_row_on_both_nodes() {
    let (lab, before) = lab(&Options::default());
    for number in 1..=20 {
        let up = lab.up();
        assert!(up.success, "login {number}: {}\n{}", up.text, lab.journal());
        let down = lab.down();
        assert!(down.status.success(), "login {number}");
    }
    lab.assert_clean(&before);
    let accepted = lab.endpoint_events().named("accepted");
    assert_eq!(accepted.len(), 20);
    let nodes: BTreeSet<u64> = accepted
        .iter()
        .filter_map(|event| event["node"].as_u64())
        .collect();
    // Twenty logins on one of two nodes only: once in half a million runs.
    assert_eq!(nodes, BTreeSet::from([1, 2]));
    assert_eq!(lab.endpoint_events().named("refused").len(), 0);
}

#[test]
fn a_login_that_takes_130_seconds() {
    let (mut lab, before) = lab(&Options::default());
    lab.endpoint().identity_provider("delay 130");
    let up = lab.up();
    assert_up(&lab, &up);
    assert!(up.elapsed > Duration::from_secs(130));
    // NetworkManager was asked again for more time, and the person saw one page only.
    let opened = lab
        .browser_events()
        .iter()
        .filter(|event| event["event"] == "opened")
        .count();
    assert_eq!(opened, 1, "{:?}", lab.browser_events());
    let agent = lab.agent.as_ref().unwrap();
    assert_eq!(
        agent.events.named("asked").len(),
        2,
        "{:?}",
        agent.events.all()
    );
    take_down(&lab, &before);
}

#[test]
fn the_largest_response_and_a_challenge_of_ten_kilobytes() {
    let flags = ["--response-bytes=120000", "--challenge-bytes=10000"];
    let (lab, before) = lab(&endpoint(&flags));
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

#[test]
fn an_endpoint_that_pushes_only_when_asked() {
    let (lab, before) = lab(&endpoint(&["--push-request-only"]));
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

#[test]
fn a_certificate_needs_no_agent() {
    let options = endpoint(&["--sign-in=certificate"]);
    let (lab, before) = lab(&Options {
        agent: None,
        ..options
    });
    assert_up(&lab, &lab.up());
    assert_eq!(lab.browser_events(), [""; 0]);
    take_down(&lab, &before);
}

#[test]
fn saml_together_with_a_certificate() {
    let (lab, before) = lab(&endpoint(&["--sign-in=saml-certificate"]));
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

#[test]
fn a_client_that_is_thrown_out_signs_in_again() {
    let (mut lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    let events = lab.endpoint_events().clone();
    let count = events.count();
    lab.endpoint().command(&serde_json::json!({"kick": "all"}));
    events.wait_after(count, "accepted", SOON);
    events.wait_after(count, "connected", SOON);
    // NetworkManager has to say so too, and let packets through.
    aws_client_vpn_harness::eventually("the VPN is up again", SOON, || {
        let last = lab.vpn_states().last().copied();
        last.filter(|last| last.state == crate::state::ACTIVATED && lab.has_traffic())
    });
    take_down(&lab, &before);
}
