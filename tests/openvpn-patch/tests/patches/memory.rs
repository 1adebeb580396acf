//! What a sign-in leaves in the memory of the client, and how much memory it takes.

use crate::{LINES, federate_client, test_server, text};
use aws_client_vpn_openvpn_patch_tests::{Line, OpenVpn, Program, Transport};

fn connect(client: &mut OpenVpn, server: &mut OpenVpn, password: &str) {
    let answer = client.management.sign_in("N/A", password);
    assert!(answer.starts_with("SUCCESS:"), "{answer}");
    let (number, key, _) = server.management.client();
    server
        .management
        .send(&format!("client-auth-nt {number} {key}"));
    client.management.wait_state("CONNECTED");
}

#[test]
fn no_part_of_a_password_is_left_when_connected() {
    let (mut server, port) = test_server(Transport::Udp);
    for line in LINES {
        for size in [300, 4_000, 12_000, 60_000, 131_072] {
            let password = text(size);
            let mut client = federate_client(line, Transport::Udp, port);
            // The scan does find what is there.
            assert!(client.copies_in_memory(b"127.0.0.1") > 0);
            connect(&mut client, &mut server, &password);
            for start in (0..size - 24).step_by((size / 40).max(24)) {
                let part = &password.as_bytes()[start..start + 24];
                let copies = client.copies_in_memory(part);
                assert_eq!(copies, 0, "{line:?}: {size} bytes, those at {start}");
            }
        }
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
    let mut patched = federate_client(Line::V26, Transport::Udp, port);
    connect(&mut patched, &mut server, &text(12_000));
    let (stock, patched) = (stock.resident_memory(), patched.resident_memory());
    println!("resident memory when connected: stock {stock} KiB, patched {patched} KiB");
    assert!(
        patched * 100 <= stock * 115,
        "stock {stock} KiB, patched {patched} KiB"
    );
}
