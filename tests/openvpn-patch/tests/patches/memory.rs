//! What a sign-in leaves in the memory of the client, and how much memory it takes.

use crate::{federate_client, test_server, text};
use aws_client_vpn_openvpn_patch_tests::{OpenVpn, Program, Transport};

fn connect(client: &mut OpenVpn, server: &mut OpenVpn, password: &str) {
    let answer = client.management.sign_in("N/A", password);
    assert!(answer.starts_with("SUCCESS:"), "{answer}");
    let (number, key, _) = server.management.client();
    server
        .management
        .send(&format!("client-auth-nt {number} {key}"));
    client.management.wait_state("CONNECTED");
}

/// Looks for some forty parts of the secret.
fn assert_not_in_memory(client: &OpenVpn, secret: &str, context: &str) {
    let size = secret.len();
    for start in (0..size - 24).step_by((size / 40).max(24)) {
        let part = &secret.as_bytes()[start..start + 24];
        let copies = client.copies_in_memory(part);
        assert_eq!(copies, 0, "{context}, those at {start}");
    }
}

#[test]
fn no_part_of_a_password_is_left_when_connected() {
    let (mut server, port) = test_server(Transport::Udp);
    for size in [300, 4_000, 12_000, 60_000, 131_072] {
        let password = text(size);
        let mut client = federate_client(Transport::Udp, port);
        // The scan does find what is there.
        assert!(client.copies_in_memory(b"127.0.0.1") > 0);
        connect(&mut client, &mut server, &password);
        assert_not_in_memory(&client, &password, &format!("{size} bytes"));
    }
}

/// The key method 2 message is written as soon as the server is there, and waits for the end of the
/// TLS handshake; this one fails, as the certificate is not the one that the client wants.
#[test]
fn no_part_of_a_password_is_left_after_a_handshake_that_failed() {
    let (_server, port) = test_server(Transport::Udp);
    for size in [300, 4_000, 12_000, 131_072] {
        let password = text(size);
        let mut client = OpenVpn::client(
            Program::Patched,
            Transport::Udp,
            port,
            &[
                "--auth-federate",
                "--verify-x509-name",
                "somebody-else",
                "name",
            ],
        );
        let answer = client.management.sign_in("N/A", &password);
        assert!(answer.starts_with("SUCCESS:"), "{answer}");
        // It has given up, and would start again.
        client.management.wait(">HOLD:");
        client.wait_log("TLS Error: TLS handshake failed", 1);
        assert_not_in_memory(&client, &password, &format!("{size} bytes"));
    }
}

#[test]
fn a_sign_in_with_12_kb_takes_at_most_15_percent_more_memory_than_stock() {
    let (mut stock_server, stock_port) = OpenVpn::server(
        Program::Stock,
        Transport::Udp,
        &["--management-client-auth"],
    );
    let mut stock = OpenVpn::client(
        Program::Stock,
        Transport::Udp,
        stock_port,
        &["--auth-user-pass"],
    );
    connect(&mut stock, &mut stock_server, "password");
    let (mut server, port) = test_server(Transport::Udp);
    let mut patched = federate_client(Transport::Udp, port);
    connect(&mut patched, &mut server, &text(12_000));
    let (stock, patched) = (stock.resident_memory(), patched.resident_memory());
    println!("resident memory when connected: stock {stock} KiB, patched {patched} KiB");
    assert!(
        patched * 100 <= stock * 115,
        "stock {stock} KiB, patched {patched} KiB"
    );
}
