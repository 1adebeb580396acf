//! `early-push-request`: when a client asks for the pushed options.
//!
//! The clock is the client's own log, so that what the tests themselves take counts for nothing.

use crate::value;
use aws_client_vpn_openvpn_patch_tests::{OpenVpn, Program, Transport};

const REQUEST: &str = "SENT CONTROL [server]: 'PUSH_REQUEST'";

/// A client that has asked once a server that is not ready, and what makes the server ready.
fn waiting_client(options: &[&str]) -> (OpenVpn, OpenVpn, String) {
    let (mut server, port) = OpenVpn::server(
        Program::TestServer,
        Transport::Udp,
        &["--management-client-auth", "--push-request-only"],
    );
    let mut all = vec!["--auth-federate", "--auth-user-pass"];
    all.extend(options);
    let mut client = OpenVpn::client(Program::Patched, Transport::Udp, port, &all);
    client.management.sign_in("N/A", "password");
    let (number, key, environment) = server.management.client();
    assert_eq!(value(&environment, "password"), "password");
    client.wait_log(REQUEST, 1);
    (server, client, format!("client-auth-nt {number} {key}"))
}

/// When the client logged `mark` for the `nth` time (from 0), in seconds of the day.
fn logged(client: &OpenVpn, mark: &str, nth: usize) -> f64 {
    let log = client.log();
    let line = log.lines().filter(|line| line.contains(mark)).nth(nth);
    let mut words = line.expect("a line").split(' ').skip(1);
    let (clock, micros) = (words.next().expect("a time"), words.next().expect("us="));
    let seconds = clock.split(':').fold(0.0, |sum, part| {
        sum * 60.0 + part.parse::<f64>().expect("a number")
    });
    seconds + micros[3..].parse::<f64>().expect("a number") / 1e6
}

/// Seconds from one time of a day to the next.
fn seconds_between(earlier: f64, later: f64) -> f64 {
    (later - earlier).rem_euclid(86_400.0)
}

/// Seconds from the first question to the second, of a server that is not ready; it is then.
fn seconds_until_asked_again(options: &[&str]) -> f64 {
    let (mut server, mut client, ready) = waiting_client(options);
    client.wait_log(REQUEST, 2);
    server.management.send(&ready);
    client.management.wait_state("CONNECTED");
    seconds_between(logged(&client, REQUEST, 0), logged(&client, REQUEST, 1))
}

#[test]
fn a_client_asks_again_each_second_with_the_option_and_is_served_when_the_server_is_ready() {
    // A machine that stands still just then makes one of them long.
    let tries = [0; 4].map(|_| seconds_until_asked_again(&["--early-push-request"]));
    assert!(tries.iter().any(|&seconds| seconds < 3.5), "{tries:?}");
}

#[test]
fn a_client_asks_again_as_stock_openvpn_does_without_the_option() {
    let seconds = seconds_until_asked_again(&[]);
    assert!(seconds > 3.5, "{seconds}");
}

/// Whether the client of a server that is ready asks as soon as the control channel is up.
fn asks_at_once(options: &[&str]) -> bool {
    let (mut server, mut client, ready) = waiting_client(options);
    server.management.send(&ready);
    client.management.wait_state("CONNECTED");
    let up = logged(&client, "Peer Connection Initiated", 0);
    seconds_between(up, logged(&client, REQUEST, 0)) < 0.2
}

#[test]
fn a_client_asks_at_once_with_the_option_only() {
    // One try may be disturbed by what else the machine does.
    let early = (0..4).any(|_| asks_at_once(&["--early-push-request"]));
    assert!(early, "it waits though it should not");
    let late = (0..4).any(|_| !asks_at_once(&[]));
    assert!(late, "it does not wait though it should");
}

#[test]
fn an_early_question_does_no_harm_to_a_server_that_pushes_by_itself() {
    let (mut server, port) = crate::test_server(Transport::Udp);
    let mut client = OpenVpn::client(
        Program::Patched,
        Transport::Udp,
        port,
        &[
            "--auth-federate",
            "--auth-user-pass",
            "--early-push-request",
        ],
    );
    client.management.sign_in("N/A", "password");
    let (number, key, _) = server.management.client();
    server
        .management
        .send(&format!("client-auth-nt {number} {key}"));
    client.management.wait_state("CONNECTED");
    client.wait_log("Initialization Sequence Completed", 1);
    // A second answer would be taken for changed options, and restart the tunnel.
    client.management.send("bytecount 1");
    client.management.answer();
    for _ in 0..3 {
        client.management.wait(">BYTECOUNT:");
    }
    let log = client.log();
    assert_eq!(log.matches("Initialization Sequence Completed").count(), 1);
}
