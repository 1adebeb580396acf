//! Logins at the emulated endpoint, and each strictness of it, with real OpenVPN processes in
//! network namespaces of their own (needs root and `make openvpn-for-tests`).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by a panic"
)]

mod browser;
mod client;
mod machine;
mod program;

use aws_client_vpn_endpoint::{Event, Options, Refusal, SignIn, Transport};
use browser::{Browser, saml_response};
use client::{Client, Outcome, patched};
use machine::{Machine, NODES, in_own_network, options};
use std::path::Path;

const REFUSED: &str = "Invalid username or password";

async fn start(options: Options) -> (Machine, Browser) {
    let machine = Machine::start(options).await;
    let browser = Browser::new(&machine.endpoint.ready().ca);
    (machine, browser)
}

async fn client(machine: &Machine, transport: Transport, node: usize) -> Client {
    Client::start(&patched(), &machine.profile(transport), NODES[node - 1]).await
}

fn refusal(event: &Event) -> Option<Refusal> {
    if let Event::Refused { reason, .. } = event {
        Some(*reason)
    } else {
        None
    }
}

/// The outcome is a refusal that does not tell why; the endpoint reports that it was `reason`.
async fn assert_refused(machine: &mut Machine, outcome: Outcome, reason: Refusal) {
    assert_eq!(outcome, Outcome::Failed(REFUSED.to_owned()));
    assert_eq!(machine.event(refusal).await, reason);
}

async fn whole_login(transport: Transport) {
    let (mut machine, browser) = start(options(&[transport])).await;
    let mut client = client(&machine, transport, 2).await;
    let challenge = client.first_phase().await;
    assert_eq!(challenge.user, "b'Ti9B'");
    assert_eq!(challenge.url.len(), 1_500);
    assert!(challenge.url.contains("?SAMLRequest=") && challenge.url.contains("&RelayState="));
    let framed = |event: &Event| {
        if let Event::Phase1 {
            node, aws_framing, ..
        } = event
        {
            Some((*node, *aws_framing))
        } else {
            None
        }
    };
    assert_eq!(machine.event(framed).await, (2, true));

    let response = browser.log_in(&challenge.url).await;
    assert!(
        (11_000..12_500).contains(&response.len()),
        "{}",
        response.len()
    );
    let outcome = client.second_phase(&challenge.session, &response).await;
    let Outcome::Connected(address) = outcome else {
        panic!("{outcome:?}")
    };
    let connected = |event: &Event| {
        if let Event::Connected { node, address, .. } = event {
            Some((*node, *address))
        } else {
            None
        }
    };
    assert_eq!(machine.event(connected).await, (2, Some(address)));
    let pushed = client.push_reply.take().unwrap();
    // The peer of phase 1 lingers for some seconds, so this one is the second or the first.
    let pushed = pushed.replace("peer-id 1", "peer-id 0");
    insta::allow_duplicates! {
        insta::assert_snapshot!(pushed, @"dhcp-option DNS 10.99.0.2,route 10.99.0.0 255.255.0.0,route-gateway 10.88.0.33,topology subnet,ping 1,ping-restart 20,echo,echo,echo,ifconfig 10.88.0.34 255.255.255.224,peer-id 0,cipher AES-256-GCM,protocol-flags cc-exit tls-ekm dyn-tls-crypt,tun-mtu 1500");
    }
    machine.command(r#"{"halt": true}"#).await;
    assert_eq!(client.end().await, "server-pushed-halt");
}

#[test]
fn a_whole_login_over_udp() {
    in_own_network(|| whole_login(Transport::Udp));
}

#[test]
fn a_whole_login_over_tcp() {
    in_own_network(|| whole_login(Transport::Tcp));
}

#[test]
fn a_response_of_128_kib_and_a_challenge_of_10_kb_arrive_whole() {
    in_own_network(|| async {
        // Percent-encoded, this is just below 131072 bytes.
        let sizes = Options {
            response_bytes: 122_000,
            challenge_bytes: 10_000,
            ..options(&[Transport::Udp])
        };
        let (machine, browser) = start(sizes).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        let challenge = client.first_phase().await;
        assert_eq!(challenge.url.len(), 10_000);
        let response = browser.log_in(&challenge.url).await;
        let outcome = client.second_phase(&challenge.session, &response).await;
        assert!(matches!(outcome, Outcome::Connected(_)), "{outcome:?}");
    });
}

#[test]
fn a_wrong_password_shows_the_page_again() {
    in_own_network(|| async {
        let (machine, browser) = start(options(&[Transport::Udp])).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        let url = client.first_phase().await.url;
        let page = browser.open(&url).await;
        let page = browser
            .submit(&url, &page, "ada@example.com", "wrong horse")
            .await;
        assert!(page.contains("are wrong. Try again.") && saml_response(&page).is_none());
        let page = browser
            .submit(&url, &page, "ada@example.com", "correct horse")
            .await;
        assert!(saml_response(&page).is_some());
    });
}

#[test]
fn a_scripted_login_gets_its_response_without_a_page() {
    in_own_network(|| async {
        let (machine, browser) = start(options(&[Transport::Udp])).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        let challenge = client.first_phase().await;
        let page = browser.open(&format!("{}&login=auto", challenge.url)).await;
        let response = saml_response(&page).unwrap();
        let outcome = client.second_phase(&challenge.session, &response).await;
        assert!(matches!(outcome, Outcome::Connected(_)), "{outcome:?}");
    });
}

#[test]
fn a_replayed_answer_is_refused() {
    in_own_network(|| async {
        let (mut machine, browser) = start(options(&[Transport::Udp])).await;
        let mut first = client(&machine, Transport::Udp, 1).await;
        let challenge = first.first_phase().await;
        let response = browser.log_in(&challenge.url).await;
        let outcome = first.second_phase(&challenge.session, &response).await;
        assert!(matches!(outcome, Outcome::Connected(_)), "{outcome:?}");
        drop(first);
        let mut second = client(&machine, Transport::Udp, 1).await;
        let outcome = second.second_phase(&challenge.session, &response).await;
        assert_refused(&mut machine, outcome, Refusal::SessionUsed).await;
    });
}

#[test]
fn an_answer_at_the_other_node_is_refused() {
    in_own_network(|| async {
        let (mut machine, browser) = start(options(&[Transport::Udp])).await;
        let mut first = client(&machine, Transport::Udp, 1).await;
        let challenge = first.first_phase().await;
        let response = browser.log_in(&challenge.url).await;
        let mut second = client(&machine, Transport::Udp, 2).await;
        let outcome = second.second_phase(&challenge.session, &response).await;
        assert_refused(&mut machine, outcome, Refusal::OtherNode).await;
    });
}

#[test]
fn an_answer_for_another_session_is_refused() {
    in_own_network(|| async {
        let (mut machine, browser) = start(options(&[Transport::Udp])).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        let challenge = client.first_phase().await;
        let response = browser.log_in(&challenge.url).await;
        let later = client.first_phase().await;
        let outcome = client.second_phase(&later.session, &response).await;
        assert_refused(&mut machine, outcome, Refusal::OtherRequest).await;
        let outcome = client
            .second_phase("instance-1/1000000000000000000/x", &response)
            .await;
        assert_refused(&mut machine, outcome, Refusal::UnknownSession).await;
    });
}

#[test]
fn a_late_answer_is_refused() {
    in_own_network(|| async {
        let (mut machine, browser) = start(options(&[Transport::Udp])).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        for (setting, reason) in [
            (
                r#"{"set": {"saml_lifetime": 0}}"#,
                Refusal::AssertionExpired,
            ),
            (
                r#"{"set": {"session_lifetime": 0}}"#,
                Refusal::SessionExpired,
            ),
        ] {
            machine.command(setting).await;
            let challenge = client.first_phase().await;
            let response = browser.log_in(&challenge.url).await;
            let outcome = client.second_phase(&challenge.session, &response).await;
            assert_refused(&mut machine, outcome, reason).await;
        }
    });
}

#[test]
fn a_wrong_response_is_refused() {
    in_own_network(|| async {
        let (mut machine, browser) = start(options(&[Transport::Udp])).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        for (mode, reason) in [
            ("broken-signature", Refusal::BrokenSignature),
            ("unsigned", Refusal::Unsigned),
            ("late", Refusal::AssertionExpired),
            ("other-request", Refusal::OtherRequest),
            ("other-audience", Refusal::OtherAudience),
            ("failed", Refusal::LoginFailed),
            ("replay", Refusal::LoginFailed),
        ] {
            machine.command(&format!(r#"{{"idp": "{mode}"}}"#)).await;
            let challenge = client.first_phase().await;
            let response = browser.log_in(&challenge.url).await;
            let outcome = client.second_phase(&challenge.session, &response).await;
            assert_refused(&mut machine, outcome, reason).await;
        }
    });
}

#[test]
fn stock_framing_is_refused_in_the_second_phase() {
    in_own_network(|| async {
        let (mut machine, _) = start(options(&[Transport::Udp])).await;
        let profile = machine
            .profile(Transport::Udp)
            .replace("auth-federate", "auth-user-pass");
        let mut client = Client::start(Path::new("/usr/sbin/openvpn"), &profile, NODES[0]).await;
        let session = client.first_phase().await.session;
        // Stock OpenVPN takes no more than 256 bytes here; the framing is looked at first.
        let outcome = client
            .second_phase(&session, "PHNhbWxwOlJlc3BvbnNlLz4%3D")
            .await;
        assert_refused(&mut machine, outcome, Refusal::StockFraming).await;
    });
}

#[test]
fn other_first_phases_are_refused() {
    in_own_network(|| async {
        let (mut machine, _) = start(options(&[Transport::Udp])).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        for (user, password) in [("N/A", "ACS::35002"), ("ada", "ACS::35001"), ("N/A", "")] {
            let outcome = client.sign_in(user, password).await;
            assert_refused(&mut machine, outcome, Refusal::NotSaml).await;
        }
    });
}

#[test]
fn the_other_ways_to_sign_in() {
    in_own_network(|| async {
        let mfa = "SCRV1:Y29ycmVjdCBob3JzZQ==:MTIzNDU2";
        for (sign_in, good, bad) in [
            (SignIn::Password, "correct horse", "wrong horse"),
            (
                SignIn::PasswordMfa,
                mfa,
                "SCRV1:Y29ycmVjdCBob3JzZQ==:MDAwMDAw",
            ),
        ] {
            let (mut machine, _) = start(Options {
                sign_in,
                ..options(&[Transport::Udp])
            })
            .await;
            let mut client = client(&machine, Transport::Udp, 1).await;
            let outcome = client.sign_in("ada@example.com", bad).await;
            assert_refused(&mut machine, outcome, Refusal::WrongPassword).await;
            let outcome = client.sign_in("ada@example.com", good).await;
            assert!(matches!(outcome, Outcome::Connected(_)), "{outcome:?}");
            drop(client);
            machine.endpoint.stop().await;
        }
        let sign_in = SignIn::Certificate;
        let (machine, _) = start(Options {
            sign_in,
            ..options(&[Transport::Udp])
        })
        .await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        let outcome = client.sign_in("", "").await;
        assert!(matches!(outcome, Outcome::Connected(_)), "{outcome:?}");
        drop(client);
        machine.endpoint.stop().await;

        let sign_in = SignIn::SamlCertificate;
        let (machine, browser) = start(Options {
            sign_in,
            ..options(&[Transport::Udp])
        })
        .await;
        let mut client = self::client(&machine, Transport::Udp, 1).await;
        let challenge = client.first_phase().await;
        let response = browser.log_in(&challenge.url).await;
        let outcome = client.second_phase(&challenge.session, &response).await;
        assert!(matches!(outcome, Outcome::Connected(_)), "{outcome:?}");
    });
}

#[test]
fn an_endpoint_that_pushes_only_when_asked_brings_tunnels_up() {
    in_own_network(|| async {
        let lazy = Options {
            push_request_only: true,
            ..options(&[Transport::Udp])
        };
        let (machine, browser) = start(lazy).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        let challenge = client.first_phase().await;
        let response = browser.log_in(&challenge.url).await;
        let outcome = client.second_phase(&challenge.session, &response).await;
        assert!(matches!(outcome, Outcome::Connected(_)), "{outcome:?}");
    });
}

#[test]
fn a_denial_of_the_connection_handler_is_told_as_it_is() {
    in_own_network(|| async {
        let (mut machine, browser) = start(options(&[Transport::Udp])).await;
        let text = "Your laptop has no \"disk\" encryption; ask C:\\IT";
        let command = serde_json::json!({"set": {"deny": text}});
        machine.command(&command.to_string()).await;
        let mut client = client(&machine, Transport::Udp, 1).await;
        let challenge = client.first_phase().await;
        let response = browser.log_in(&challenge.url).await;
        let outcome = client.second_phase(&challenge.session, &response).await;
        assert_eq!(outcome, Outcome::Failed(text.to_owned()));
    });
}

#[test]
fn a_client_is_thrown_out_and_a_node_stops_and_starts() {
    in_own_network(|| async {
        let password = Options {
            sign_in: SignIn::Password,
            ..options(&[Transport::Tcp])
        };
        let (mut machine, _) = start(password).await;
        let mut client = client(&machine, Transport::Tcp, 1).await;
        let sign_in = ("ada@example.com", "correct horse");
        assert!(matches!(
            client.sign_in(sign_in.0, sign_in.1).await,
            Outcome::Connected(_)
        ));
        machine
            .event(|event| matches!(event, Event::Connected { .. }).then_some(()))
            .await;
        machine.command(r#"{"kick": "all"}"#).await;
        assert_eq!(client.end().await, "server-pushed-connection-reset");
        machine
            .event(|event| matches!(event, Event::Disconnected { .. }).then_some(()))
            .await;

        assert!(matches!(
            client.sign_in(sign_in.0, sign_in.1).await,
            Outcome::Connected(_)
        ));
        machine.command(r#"{"stop_node": 1}"#).await;
        assert_eq!(client.end().await, "connection-reset");
        machine.command(r#"{"start_node": 1}"#).await;
        assert!(matches!(
            client.sign_in(sign_in.0, sign_in.1).await,
            Outcome::Connected(_)
        ));
    });
}
