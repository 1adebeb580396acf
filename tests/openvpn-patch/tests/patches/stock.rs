//! Without `auth-federate`, the same program talks to any OpenVPN server, as before.

use crate::{assert_same, text, value};
use aws_client_vpn_openvpn_patch_tests::{Certificates, OpenVpn, Program, Transport};

#[test]
fn a_stock_server_takes_a_certificate() {
    for transport in Transport::ALL {
        let (_server, port) = OpenVpn::server_with(Program::Stock, transport, true, &[]);
        let certificates = Certificates::shared();
        let (cert, key) = (certificates.path("client"), certificates.path("client-key"));
        let mut client = OpenVpn::client(
            Program::Patched,
            transport,
            port,
            &[
                "--cert",
                &cert.to_string_lossy(),
                "--key",
                &key.to_string_lossy(),
            ],
        );
        client.management.wait_state("CONNECTED");
    }
}

#[test]
fn a_stock_server_takes_user_and_password() {
    for transport in Transport::ALL {
        let (mut server, port) =
            OpenVpn::server(Program::Stock, transport, &["--management-client-auth"]);
        // OpenVPN as it comes takes 256 characters from the management interface.
        for size in [8, 256, 257, 1_000] {
            let password = text(size);
            let mut client =
                OpenVpn::client(Program::Patched, transport, port, &["--auth-user-pass"]);
            let answer = client.management.sign_in("somebody", &password);
            assert!(answer.starts_with("SUCCESS:"), "{size}: {answer}");
            let (number, key, environment) = server.management.client();
            assert_eq!(value(&environment, "username"), "somebody");
            assert_same(
                value(&environment, "password"),
                &password,
                &format!("{transport:?} {size}"),
            );
            server
                .management
                .send(&format!("client-auth-nt {number} {key}"));
            client.management.wait_state("CONNECTED");
        }
    }
}

#[test]
fn without_auth_federate_the_framing_is_openvpns() {
    let (mut server, port) = crate::test_server(Transport::Udp);
    let mut client = OpenVpn::client(
        Program::Patched,
        Transport::Udp,
        port,
        &["--auth-user-pass"],
    );
    client.management.sign_in("somebody", "password");
    let (_, _, environment) = server.management.client();
    assert_ne!(value(&environment, "aws_framing"), "1");
    assert_eq!(value(&environment, "password"), "password");
}

#[test]
fn without_auth_federate_a_password_that_has_no_room_is_refused_rather_than_cut() {
    let (_server, port) = OpenVpn::server(
        Program::Stock,
        Transport::Udp,
        &["--management-client-auth"],
    );
    let mut client = OpenVpn::client(
        Program::Patched,
        Transport::Udp,
        port,
        &["--auth-user-pass"],
    );
    let answer = client.management.sign_in("somebody", &text(5_000));
    assert!(answer.starts_with("ERROR:"), "{answer}");
    assert!(answer.contains("at most 4095"), "{answer}");
}
