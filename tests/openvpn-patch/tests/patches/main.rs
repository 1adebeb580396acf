//! What the patches promise, asked of real processes.

mod framing;
mod memory;
mod push_request;
mod pushed;
mod stock;
mod window;

use aws_client_vpn_openvpn_patch_tests::{OpenVpn, Program, Transport};

/// A session id as AWS makes them.
const SESSION: &str = "instance-1/8123456789012345678/a4c1f0de-5f39-4c5e-9a53-0a1b2c3d36b3";

/// Printable text of which each part differs from the others, as a SAML response does.
fn text(length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+-_";
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ length as u64;
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push(char::from(LETTERS[(state % LETTERS.len() as u64) as usize]));
    }
    text
}

fn federate_client(transport: Transport, port: u16) -> OpenVpn {
    OpenVpn::client(
        Program::Patched,
        transport,
        port,
        &["--auth-federate", "--auth-user-pass"],
    )
}

fn test_server(transport: Transport) -> (OpenVpn, u16) {
    OpenVpn::server(
        Program::TestServer,
        transport,
        &["--management-client-auth"],
    )
}

fn value<'a>(environment: &'a [String], name: &str) -> &'a str {
    environment
        .iter()
        .find_map(|variable| variable.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or("")
}

/// Equal, or a message that has lengths rather than 131072 characters.
fn assert_same(received: &str, sent: &str, context: &str) {
    assert!(
        received == sent,
        "{context}: {} bytes were sent and {} came, the first {} of them intact",
        sent.len(),
        received.len(),
        received
            .bytes()
            .zip(sent.bytes())
            .take_while(|(one, other)| one == other)
            .count()
    );
}
