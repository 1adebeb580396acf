//! What endpoints do seldom, or as nobody has seen it yet: each is taken for what it is.

use crate::{
    SOON, assert_failed, assert_up, assert_warning, endpoint, lab, lab_with, reason, state,
    take_down,
};
use aws_client_vpn_harness::{DnsMode, Options, eventually};
use serde_json::json;

#[test]
fn a_refusal_without_a_reason_is_explained() {
    let (mut lab, before) = lab(&Options::default());
    lab.endpoint()
        .command(&json!({"set": {"deny_in_silence": true}}));
    let up = lab.up();
    let words = ["no reason given", "assigned"];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
}

/// `AUTH_FAILED,SESSION: …` for OpenVPN's token: its user signs in again, and stays connected.
#[test]
fn a_session_that_is_over_is_followed_by_a_new_sign_in() {
    let (mut lab, before) = lab(&endpoint(&["--auth-token"]));
    assert_up(&lab, &lab.up());
    lab.endpoint()
        .command(&json!({"set": {"accept_tokens": false}}));
    let seen = lab.endpoint_events().count();
    lab.endpoint().command(&json!({"kick": "all"}));
    let refused = lab.endpoint_events().wait_after(seen, "refused", SOON);
    assert_eq!(refused["reason"], "token-refused");
    lab.endpoint_events().wait_after(seen, "accepted", SOON);
    eventually("the tunnel is back", SOON, || {
        lab.has_traffic().then_some(())
    });
    assert_eq!(lab.warnings(), [""; 0]);
    take_down(&lab, &before);
}

/// The same words for a sign-in that was new.
#[test]
fn a_sign_in_whose_session_is_over_at_once_is_explained() {
    for (says, words) in [
        (
            "SESSION: Your working day is over",
            "refused the sign-in: Your working day is over",
        ),
        ("SESSION", "refused the sign-in: the session has expired"),
    ] {
        let (mut lab, before) = lab(&Options::default());
        lab.endpoint().command(&json!({"set": {"deny": says}}));
        let up = lab.up();
        let words = [words, "Connect to sign in again"];
        assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
    }
}

#[test]
fn a_challenge_leads_to_the_browser_whoever_it_names() {
    let (mut lab, before) = lab(&Options::default());
    for (flags, user) in [
        ("R", ""),
        ("R,E", "dXNlcg=="),
        ("R", "Ti9B"),
        ("", "b'Ti9B'"),
    ] {
        lab.endpoint()
            .command(&json!({"set": {"challenge_flags": flags, "challenge_user": user}}));
        assert_up(&lab, &lab.up());
        take_down(&lab, &before);
    }
}

#[test]
fn an_endpoint_that_takes_six_seconds_for_each_answer_is_waited_for() {
    let (mut lab, before) = lab(&Options::default());
    lab.endpoint()
        .command(&json!({"set": {"answer_delay_ms": 6000}}));
    assert_up(&lab, &lab.up());
    assert_eq!(lab.endpoint_events().named("accepted").len(), 1);
    assert_eq!(lab.endpoint_events().named("refused"), [""; 0]);
    take_down(&lab, &before);
}

/// As AWS does with one that is revoked: no alert, and after a while TCP is reset.
#[test]
fn a_certificate_that_is_ignored_over_tcp_is_named_at_whatever_moment_the_time_is_over() {
    for is_reset in [false, true] {
        let (mut lab, before) = lab_with("tcp", &endpoint(&["--sign-in=certificate"]));
        lab.modify("+vpn.data", "connect-timeout=20");
        lab.endpoint()
            .command(&json!({"set": {"answer_phase2": false}}));
        let up = lab.begin_up();
        lab.endpoint_events().wait("ignored", SOON);
        if is_reset {
            for node in [1, 2] {
                lab.endpoint().command(&json!({"stop_node": node}));
            }
        }
        let up = up.finish();
        let words = ["refused the client certificate", "Ask your administrator"];
        assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
    }
}

#[test]
fn an_endpoint_that_ends_the_connection_for_good_is_believed() {
    let (mut lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    lab.endpoint().command(&json!({"halt": true}));
    let end = lab.vpn_ended(SOON);
    let expected = (state::FAILED, reason::UNKNOWN);
    assert_eq!((end.state, end.reason), expected, "{}", lab.journal());
    assert_warning(&lab, &["The endpoint ended the connection"]);
    lab.assert_clean(&before);
    assert_eq!(lab.endpoint_events().named("accepted").len(), 1);
}

#[test]
fn an_endpoint_whose_bare_name_has_an_address_is_found_as_well() {
    let (lab, before) = lab(&endpoint(&["--bare-name"]));
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

/// A VPC's resolver: the server behind the tunnel is reached under that address, too.
#[test]
fn a_name_server_on_169_254_is_asked_through_the_tunnel() {
    const RESOLVER: &str = "169.254.169.253";
    for dns in [DnsMode::ResolvConf, DnsMode::Resolved] {
        let (mut lab, before) = lab(&Options {
            dns,
            ..Options::default()
        });
        lab.server.check([
            "nft",
            &format!(
                "add table ip resolver; \
                 add chain ip resolver pre {{ type nat hook prerouting priority dstnat; }}; \
                 add rule ip resolver pre ip daddr {RESOLVER} dnat to 10.99.0.2"
            ),
        ]);
        let server = format!("dhcp-option DNS {RESOLVER}");
        lab.endpoint()
            .command(&json!({"push": [server, "route 10.99.0.0 255.255.0.0"]}));
        assert_up(&lab, &lab.up());
        let way = lab.client.check(["ip", "route", "get", RESOLVER]);
        assert!(way.contains("dev awsvpn"), "{way}");
        eventually(&format!("{dns:?}: a name resolves"), SOON, || {
            let found = lab.client.run(["getent", "ahosts", "wiki.corp.example"]);
            let found = String::from_utf8_lossy(&found.stdout).into_owned();
            found.contains("10.99.0.2 ").then_some(())
        });
        take_down(&lab, &before);
    }
}

#[test]
fn an_endpoint_that_blocks_the_local_network_says_so_and_gets_all_traffic() {
    let (lab, before) = lab(&endpoint(&["--block-local", "--route=10.99.0.0/16"]));
    assert_up(&lab, &lab.up());
    let way = lab.client.check(["ip", "route", "get", "203.0.113.7"]);
    assert!(way.contains("dev awsvpn"), "{way}\n{}", lab.journal());
    let node = lab.client.check(["ip", "route", "get", "192.0.2.1"]);
    assert!(node.contains("dev eth0"), "{node}");
    let told = lab.journal().contains("local network");
    assert!(told, "{}", lab.journal());
    take_down(&lab, &before);
}
