//! Long passwords to the server, long challenges from it, and what is refused.

use crate::{SESSION, assert_same, federate_client, test_server, text, value};
use aws_client_vpn_openvpn_patch_tests::{OpenVpn, Program, Transport, quote};

const SIZES: [usize; 9] = [1, 127, 128, 4_095, 4_096, 11_000, 65_535, 65_536, 131_072];

fn passwords_arrive(transport: Transport) {
    let (mut server, port) = test_server(transport);
    for size in SIZES {
        let password = text(size);
        let mut client = federate_client(transport, port);
        let answer = client.management.sign_in("N/A", &password);
        assert!(answer.starts_with("SUCCESS:"), "{size}: {answer}");
        let (number, key, environment) = server.management.client();
        let context = format!("{transport:?} {size}");
        assert_same(value(&environment, "password"), &password, &context);
        assert_eq!(value(&environment, "username"), "N/A", "{context}");
        assert_eq!(value(&environment, "aws_framing"), "1", "{context}");
        server
            .management
            .send(&format!("client-auth-nt {number} {key}"));
        client.management.wait_state("CONNECTED");
    }
}

#[test]
fn passwords_of_every_size_arrive_over_udp() {
    passwords_arrive(Transport::Udp);
}

#[test]
fn passwords_of_every_size_arrive_over_tcp() {
    passwords_arrive(Transport::Tcp);
}

#[test]
fn the_answer_to_a_challenge_may_have_128_kib_beside_its_session() {
    let (mut server, port) = test_server(Transport::Udp);
    let password = format!("CRV1::{SESSION}::{}", text(131_072));
    let mut client = federate_client(Transport::Udp, port);
    let answer = client.management.sign_in("N/A", &password);
    assert!(answer.starts_with("SUCCESS:"), "{answer}");
    let (_, _, environment) = server.management.client();
    assert_same(value(&environment, "password"), &password, "the answer");
}

#[test]
fn a_longer_password_is_refused_without_being_quoted() {
    let (mut server, port) = test_server(Transport::Udp);
    let long = text(131_073);
    let mut client = federate_client(Transport::Udp, port);
    for password in [long.clone(), format!("CRV1::{SESSION}::{long}")] {
        let answer = if password == long {
            client.management.sign_in("N/A", &password)
        } else {
            client.management.enter("N/A", &password)
        };
        assert!(answer.starts_with("ERROR:"), "{answer}");
        assert!(answer.contains("at most 131072"), "{answer}");
        assert!(
            !answer.contains(&long[..12]) && !answer.contains(SESSION),
            "the answer quotes the password"
        );
    }
    // The question stands, and a shorter answer is taken.
    let answer = client.management.enter("N/A", "short");
    assert!(answer.starts_with("SUCCESS:"), "{answer}");
    let (_, _, environment) = server.management.client();
    assert_eq!(value(&environment, "password"), "short");
}

#[test]
fn an_endless_command_is_refused_whole() {
    let (_server, port) = test_server(Transport::Udp);
    let secret = text(600_000);
    let mut client = federate_client(Transport::Udp, port);
    client.management.wait(">PASSWORD:Need 'Auth'");
    client
        .management
        .send(&format!("password \"Auth\" {}", quote(&secret)));
    let answer = client.management.answer();
    assert!(answer.starts_with("ERROR:"), "{answer}");
    // Nothing of it was taken for a command of its own.
    client.management.send("pid");
    let answer = client.management.answer();
    assert_eq!(answer, format!("SUCCESS: pid={}", client.pid()));
    let log = client.log();
    for start in (0..secret.len()).step_by(10_000) {
        assert!(!log.contains(&secret[start..start + 16]), "it is logged");
    }
}

fn challenges_arrive(transport: Transport) {
    let (mut server, port) = test_server(transport);
    // 10 KB, and sizes around the buffers of stock OpenVPN; 15 KB nearly fill a TLS record.
    for size in [1_500, 2_000, 2_048, 10_140, 10_240, 15_000] {
        let url = format!("https://idp.example.com/sso?SAMLRequest={}", text(size));
        let challenge = format!("CRV1:R:{SESSION}:b'Ti9B':{url}");
        let mut client = federate_client(transport, port);
        client.management.sign_in("N/A", "ACS::35001");
        let (number, key, _) = server.management.client();
        server.management.send(&format!(
            "client-deny {number} {key} \"saml\" {}",
            quote(&challenge)
        ));
        let received = client.management.wait(">PASSWORD:Verification Failed");
        assert_same(
            &received,
            &format!(">PASSWORD:Verification Failed: 'Auth' ['{challenge}']"),
            &format!("{transport:?} {size}"),
        );
        client.wait_log("AUTH: Received control message: AUTH_FAILED", 1);
        let log = client.log();
        assert!(!log.contains(SESSION), "the log has the session");
        assert!(!log.contains(&url[60..90]), "the log has the URL");
        // The second phase, in the same process.
        client.management.wait(">HOLD:");
        client.management.send("hold release");
        let password = format!("CRV1::{SESSION}::{}", text(11_000));
        client.management.sign_in("N/A", &password);
        let (number, key, environment) = server.management.client();
        assert_same(value(&environment, "password"), &password, "second phase");
        server
            .management
            .send(&format!("client-auth-nt {number} {key}"));
        client.management.wait_state("CONNECTED");
    }
}

#[test]
fn challenges_of_10_kb_arrive_whole() {
    for transport in Transport::ALL {
        challenges_arrive(transport);
    }
}

#[test]
fn auth_federate_alone_asks_for_a_password_as_in_the_profiles_of_aws() {
    let (mut server, port) = test_server(Transport::Udp);
    let mut client = OpenVpn::client(Program::Patched, Transport::Udp, port, &["--auth-federate"]);
    let answer = client.management.sign_in("N/A", "ACS::35001");
    assert!(answer.starts_with("SUCCESS:"), "{answer}");
    let (_, _, environment) = server.management.client();
    assert_eq!(value(&environment, "password"), "ACS::35001");
}
