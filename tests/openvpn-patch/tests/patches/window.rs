//! How much of a long password is on the way at once.

use crate::{federate_client, test_server, text, value};
use aws_client_vpn_openvpn_patch_tests::{FarPath, Transport};

/// OpenVPN's own window (TLS_RELIABLE_N_SEND_BUFFERS).
const STOCK: usize = 6;
/// That of `auth-federate`.
const LONG: usize = 12;

#[test]
fn a_saml_answer_is_sent_in_one_burst() {
    let (mut server, port) = test_server(Transport::Udp);
    let path = FarPath::to(env!("CARGO_BIN_EXE_far-path"), port);
    let mut client = federate_client(Transport::Udp, path.port());
    // In packets of some 1,200 bytes, these are ten.
    let password = text(11_000);
    client.management.sign_in("N/A", &password);
    let (number, key, environment) = server.management.client();
    assert_eq!(value(&environment, "password"), password);
    server
        .management
        .send(&format!("client-auth-nt {number} {key}"));
    client.management.wait_state("CONNECTED");
    let most = path.most_unacknowledged();
    assert!(most > STOCK && most <= LONG, "{most} packets at once");
}
