//! Endpoints whose certificate does not verify, and those that push what OpenVPN refuses: the attempt ends at
//! once, with what is wrong.

use crate::clock::{jump, with_clock};
use crate::{
    SOON, assert_failed, assert_up, assert_warning, endpoint, lab, lab_with, reason, state,
    take_down,
};
use aws_client_vpn_harness::{Lab, Options, eventually};
use serde_json::{Value, json};
use std::time::Duration;

/// Far less than an endpoint has for its answer (`connect-timeout`), and much for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(45);
/// Before every certificate of the endpoint (1975).
const YEARS: i64 = -53 * 365 * 24 * 60 * 60;

/// The profile with another authority in it.
fn with_another_authority(lab: &Lab, profile: &str) -> String {
    let other = lab.client.check([
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-days",
        "9",
        "-subj",
        "/CN=Another authority",
    ]);
    let (before, rest) = profile.split_once("<ca>\n").unwrap();
    let (_, after) = rest.split_once("</ca>").unwrap();
    format!("{before}<ca>\n{other}</ca>{after}")
}

#[test]
fn a_certificate_that_does_not_verify_ends_the_attempt_at_once_and_is_explained() {
    let client = "remote-cert-eku \"TLS Web Client Authentication\"";
    for (flags, transport, instead, words) in [
        (
            &["--sign-in=certificate"][..],
            "udp",
            None,
            "not from the authority in the profile (self-signed",
        ),
        (
            &[],
            "tcp",
            Some(("verify-x509-name server.", "verify-x509-name other.")),
            "another name",
        ),
        (
            &[],
            "udp",
            Some(("remote-cert-tls server", client)),
            "lacks a usage",
        ),
    ] {
        let lab = Lab::start(&endpoint(flags));
        lab.import_changed(
            "vpn",
            transport,
            if transport == "tcp" { 1194 } else { 443 },
            |profile| match instead {
                Some((from, to)) => {
                    assert!(profile.contains(from), "{profile}");
                    profile.replace(from, to)
                }
                None => with_another_authority(&lab, &profile),
            },
        );
        let before = lab.snapshot();
        let up = lab.up();
        let words = [
            words,
            "could not be verified",
            "pretending to be the endpoint",
        ];
        assert_failed(&lab, &up, reason::UNKNOWN, &words, &before);
        assert!(up.elapsed < AT_ONCE, "{:?}\n{}", up.elapsed, lab.journal());
        let tried = lab.journal().matches("no success at this address").count();
        assert_eq!(tried, 2, "each address once\n{}", lab.journal());
        assert_eq!(lab.browser_events(), [""; 0]);
    }
}

/// OpenVPN's server says nothing more when it finds no cipher; what it has said shows that it is there.
#[test]
fn an_endpoint_without_a_common_cipher_is_not_called_silent() {
    for (transport, port) in [("udp", 443), ("tcp", 443)] {
        let lab = Lab::start(&endpoint(&[]));
        lab.import_changed("vpn", transport, port, |profile| {
            let cipher = "tls-cipher TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384";
            format!("{profile}tls-version-max 1.2\n{cipher}\n")
        });
        lab.modify("+vpn.data", "connect-timeout=20");
        let before = lab.snapshot();
        let words = ["answered, but no encrypted connection was established within 20 s"];
        assert_failed(&lab, &lab.up(), reason::UNKNOWN, &words, &before);
    }
}

#[test]
fn a_script_does_not_take_it_for_an_endpoint_that_is_not_there() {
    let lab = Lab::start(&endpoint(&["--sign-in=certificate"]));
    lab.import_changed("vpn", "udp", 443, |profile| {
        with_another_authority(&lab, &profile)
    });
    let connect = lab
        .client
        .run(["aws-client-vpn", "connect", "vpn", "--json"]);
    assert_eq!(connect.status.code(), Some(1), "{connect:?}");
    let status = lab
        .client
        .run(["aws-client-vpn", "status", "vpn", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let failure = &status["connections"][0]["last_failure"];
    assert_eq!(failure["kind"], "other", "{failure}");
    let reason = failure["reason"].as_str().unwrap();
    assert!(reason.contains("could not be verified"), "{reason}");
}

/// The tunnel is not given up for a clock that is wrong.
#[test]
fn a_renewal_whose_endpoint_does_not_verify_leaves_the_tunnel_up() {
    let (lab, before) = with_clock(&Options::default());
    assert_up(&lab, &lab.up());
    lab.browser_did("done", SOON);
    lab.forget_browser_events();
    jump(&lab, YEARS);
    let mut journal = lab.journal_from_now();
    let renewed = lab.client.run(["aws-client-vpn", "renew", "vpn"]);
    let said = String::from_utf8_lossy(&renewed.stderr).into_owned();
    assert_eq!(renewed.status.code(), Some(1), "{said}");
    assert!(
        said.contains("The endpoint could not be verified, so you were not asked"),
        "{said}"
    );
    eventually("the renewal ends with its reason", SOON, || {
        let text = journal.text();
        let told = text.contains("is not yet valid. Check the date")
            && text.contains("goes on with the old one");
        told.then_some(())
    });
    lab.traffic_flows();
    assert_eq!(lab.vpn_states().last().unwrap().state, state::ACTIVATED);
    assert_eq!(lab.browser_events(), [""; 0]);
    assert_eq!(lab.warnings(), [""; 0]);
    lab.set_clock(0);
    take_down(&lab, &before);
}

#[test]
fn a_lost_tunnel_waits_for_an_endpoint_that_verifies_and_ends_with_the_reason() {
    for is_set_right in [true, false] {
        let (mut lab, before) = with_clock(&endpoint(&["--sign-in=certificate"]));
        if !is_set_right {
            lab.modify("+vpn.data", "reconnect-timeout=20");
        }
        assert_up(&lab, &lab.up());
        jump(&lab, YEARS);
        let mut journal = lab.journal_from_now();
        lab.endpoint().command(&json!({"kick": "all"}));
        eventually("it does not verify", SOON, || {
            journal
                .text()
                .contains("no success at this address")
                .then_some(())
        });
        if is_set_right {
            lab.set_clock(0);
            eventually("the tunnel is back", SOON, || {
                lab.has_traffic().then_some(())
            });
            assert_eq!(lab.warnings(), [""; 0]);
            take_down(&lab, &before);
        } else {
            let end = lab.vpn_ended(SOON);
            assert_eq!((end.state, end.reason), (state::FAILED, reason::UNKNOWN));
            assert_warning(&lab, &["could not be verified", "is not yet valid"]);
            lab.assert_clean(&before);
        }
    }
}

#[test]
fn options_that_openvpn_refuses_end_the_attempt_at_once_in_its_words() {
    let words = [
        "settings that cannot be used",
        "OpenVPN says: server pushed compression",
    ];
    for flags in [&["--sign-in=certificate"][..], &[]] {
        let (mut lab, before) = lab(&endpoint(flags));
        lab.endpoint().command(&json!({"push": ["comp-lzo yes"]}));
        let up = lab.up();
        assert_failed(&lab, &up, reason::IP_CONFIG_INVALID, &words, &before);
        assert!(up.elapsed < AT_ONCE, "{:?}\n{}", up.elapsed, lab.journal());
    }
    // Also for one that was up.
    let (mut lab, before) = lab_with("tcp", &endpoint(&["--sign-in=certificate"]));
    assert_up(&lab, &lab.up());
    lab.endpoint().command(&json!({"push": ["comp-lzo yes"]}));
    lab.endpoint().command(&json!({"kick": "all"}));
    let end = lab.vpn_ended(SOON);
    assert_eq!(end.state, state::FAILED);
    assert_warning(&lab, &words);
    lab.assert_clean(&before);
}
