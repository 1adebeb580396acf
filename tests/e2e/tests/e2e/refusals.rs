//! Logins that fail, by somebody's decision.

use crate::{
    SOON, assert_failed, assert_up, assert_warning, endpoint, lab, reason, state, take_down,
};
use aws_client_vpn_harness::{AgentStyle, Browser, Lab, LogTail, Options, VpnState, eventually};
use serde_json::json;
use std::time::Duration;

/// Time enough for what a browser does meanwhile on a busy machine.
const LOGIN_TIMEOUT: &str = "login-timeout=30";

#[test]
fn a_wrong_password_at_the_identity_provider() {
    let (lab, before) = lab(&Options {
        browser: Browser::WrongPassword,
        ..Options::default()
    });
    lab.modify("+vpn.data", LOGIN_TIMEOUT);
    let up = lab.up();
    assert_eq!(
        lab.browser_did("done", SOON)["what"],
        "was refused by the identity provider"
    );
    assert_failed(
        &lab,
        &up,
        reason::LOGIN_FAILED,
        &["signed in", "Connect again"],
        &before,
    );
}

#[test]
fn the_browser_is_closed() {
    let (lab, before) = lab(&Options {
        browser: Browser::Closed,
        ..Options::default()
    });
    lab.modify("+vpn.data", LOGIN_TIMEOUT);
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::LOGIN_FAILED,
        &["signed in", "Connect again"],
        &before,
    );
}

/// It is done with a connection that has failed only once it is idle.
#[test]
fn the_reason_stays_the_last_word_where_networkmanager_is_never_idle() {
    let options = Options {
        browser: Browser::Closed,
        agent: Some(AgentStyle::GnomeShell),
        ..Options::default()
    };
    let (mut lab, before) = lab(&options);
    lab.modify("+vpn.data", "login-timeout=10");
    // It fails by itself, then the service does.
    for (cancels, reason) in [(true, reason::NO_SECRETS), (false, reason::LOGIN_FAILED)] {
        lab.forget_browser_events();
        let up = lab.begin_up();
        lab.browser_did("opened", SOON);
        let flood = lab.flood("NetworkManager");
        if cancels {
            lab.agent.as_mut().unwrap().cancel();
        }
        assert!(!up.finish().success);
        // What it may add comes at once.
        std::thread::sleep(Duration::from_secs(1));
        drop(flood);
        lab.assert_clean(&before);
        let failed = VpnState {
            state: state::FAILED,
            reason,
        };
        assert_eq!(lab.vpn_states().last(), Some(&failed));
    }
}

#[test]
fn there_is_no_browser() {
    let (lab, before) = lab(&Options {
        browser: Browser::Missing,
        ..Options::default()
    });
    let up = lab.up();
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &["browser"], &before);
}

fn the_user_cancels(style: AgentStyle) {
    let options = Options {
        browser: Browser::Closed,
        agent: Some(style),
        ..Options::default()
    };
    let (mut lab, before) = lab(&options);
    let up = lab.begin_up();
    lab.browser_did("opened", SOON);
    lab.agent.as_mut().unwrap().cancel();
    let up = up.finish();
    assert!(!up.success);
    let end = lab.vpn_ended(SOON);
    assert_eq!(
        end,
        VpnState {
            state: state::FAILED,
            reason: reason::NO_SECRETS
        }
    );
    // The user knows; the service warns of nothing.
    assert_eq!(lab.warnings(), [""; 0]);
    lab.assert_clean(&before);
}

#[test]
fn the_user_cancels_in_gnome_shell() {
    the_user_cancels(AgentStyle::GnomeShell);
}

#[test]
fn the_user_cancels_in_nm_applet() {
    the_user_cancels(AgentStyle::NmApplet);
}

#[test]
fn there_is_no_agent() {
    let (lab, before) = lab(&Options {
        agent: None,
        ..Options::default()
    });
    let up = lab.up();
    assert!(!up.success);
    assert_eq!(lab.vpn_ended(SOON).reason, reason::NO_SECRETS);
    lab.assert_clean(&before);
}

#[test]
fn port_35001_is_taken() {
    let lab = Lab::start(&Options::default());
    lab.import("udp", 443);
    let _other = lab.occupy_port(35001);
    let before = lab.snapshot();
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::LOGIN_FAILED,
        &["35001", "lab-tool"],
        &before,
    );
    // Nobody is sent to a page whose answer could not be taken.
    assert_eq!(lab.browser_events(), [""; 0]);
}

#[test]
fn a_saml_response_is_sent_again() {
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    assert!(lab.down().status.success());
    lab.assert_clean(&before);
    lab.set_browser(&Browser::Replay);
    lab.modify("+vpn.data", LOGIN_TIMEOUT);
    lab.forget_browser_events();
    let up = lab.up();
    assert_eq!(
        lab.browser_did("done", SOON)["what"],
        "sent the old response again"
    );
    // It answers another request than the one that waits, so it neither ends the login nor reaches
    // the endpoint.
    let words = ["signed in", "Connect again"];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
    assert!(lab.endpoint_events().named("refused").is_empty());
}

#[test]
fn the_endpoint_refuses_what_is_wrong_with_a_response() {
    let (mut lab, before) = lab(&Options::default());
    for (mode, expected) in [
        ("broken-signature", "broken-signature"),
        ("late", "assertion-expired"),
    ] {
        lab.endpoint().identity_provider(mode);
        let seen = lab.endpoint_events().count();
        let up = lab.up();
        assert!(!up.success, "{mode}");
        let refused = lab.endpoint_events().wait_after(seen, "refused", SOON);
        assert_eq!(refused["reason"], expected);
        let end = lab.vpn_ended(SOON);
        assert_eq!(
            end,
            VpnState {
                state: state::FAILED,
                reason: reason::LOGIN_FAILED
            }
        );
        lab.assert_clean(&before);
    }
    assert!(
        lab.warnings()
            .iter()
            .all(|text| text.contains("Invalid username or password"))
    );
}

#[test]
fn a_response_of_another_login_is_not_sent() {
    let (mut lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", LOGIN_TIMEOUT);
    lab.endpoint().identity_provider("other-request");
    let up = lab.up();
    assert_eq!(lab.browser_did("done", SOON)["what"], "logged in");
    let words = ["signed in", "Connect again"];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
    assert!(lab.endpoint_events().named("refused").is_empty());
}

#[test]
fn the_administrator_s_denial_is_shown_as_it_is() {
    let (mut lab, before) = lab(&Options::default());
    let text = "Your laptop needs an update. Call 4711.";
    lab.endpoint().command(&json!({"set": {"deny": text}}));
    let up = lab.up();
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &[text], &before);
}

#[test]
fn the_name_of_the_endpoint_is_unknown() {
    let (lab, before) = lab(&Options::default());
    lab.client
        .check(["sh", "-c", "echo nameserver 192.0.2.99 >/etc/resolv.conf"]);
    let started = lab.snapshot();
    drop(before);
    let up = lab.up();
    assert!(!up.success);
    assert_warning(&lab, &["could not be found", "Check the network"]);
    lab.assert_clean(&started);
}

/// The endpoint takes no sign-in for the moment, and says so; or takes them again.
fn put_off(lab: &mut Lab, reason: &str) {
    lab.endpoint().command(&json!({"set": {"deny": reason}}));
}

#[track_caller]
fn is_put_off(journal: &mut LogTail) {
    eventually("the sign-in is put off", SOON, || {
        let told = journal.text().contains("cannot take the sign-in now");
        told.then_some(())
    });
}

const LATER: [&str; 2] = ["TEMP[backoff 2]:busy", "TEMP"];

#[test]
fn a_sign_in_that_is_put_off_is_tried_again() {
    let (mut lab, before) = lab(&endpoint(&["--sign-in=certificate"]));
    for reason in LATER {
        let mut journal = lab.journal_from_now();
        put_off(&mut lab, reason);
        let up = lab.begin_up();
        is_put_off(&mut journal);
        put_off(&mut lab, "");
        assert_up(&lab, &up.finish());
        // After a loss, too.
        let mut journal = lab.journal_from_now();
        put_off(&mut lab, reason);
        lab.endpoint().command(&json!({"kick": "all"}));
        is_put_off(&mut journal);
        put_off(&mut lab, "");
        eventually("the tunnel is back", SOON, || {
            lab.has_traffic().then_some(())
        });
        assert_eq!(lab.warnings(), [""; 0]);
        take_down(&lab, &before);
    }
}
