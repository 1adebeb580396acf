//! What a server pushes: what reaches who sets the routes, and what a server may not switch on.

use crate::test_server;
use aws_client_vpn_openvpn_patch_tests::{OpenVpn, Program, Transport};

/// A client that is connected, and the environment that came with `>UPDOWN:UP`.
fn connected(pushed: &[&str]) -> (OpenVpn, Vec<String>) {
    let (mut server, port) = test_server(Transport::Udp);
    let mut client = OpenVpn::client(
        Program::Patched,
        Transport::Udp,
        port,
        &[
            "--auth-federate",
            "--auth-user-pass",
            "--management-up-down",
            "--early-push-request",
        ],
    );
    client.management.sign_in("N/A", "password");
    let (number, key, _) = server.management.client();
    let mut answer = format!("client-auth {number} {key}\n");
    for option in pushed {
        answer += &format!("push \"{option}\"\n");
    }
    server.management.send(&(answer + "END"));
    client.management.wait(">UPDOWN:UP");
    let mut environment = Vec::new();
    loop {
        let line = client.management.wait(">UPDOWN:ENV,");
        match &line[">UPDOWN:ENV,".len()..] {
            "END" => break,
            variable => environment.push(variable.to_owned()),
        }
    }
    client.management.wait_state("CONNECTED");
    (client, environment)
}

fn has(environment: &[String], variable: &str) -> bool {
    environment.iter().any(|one| one == variable)
}

#[test]
fn a_pushed_default_route_is_told_to_who_sets_the_routes() {
    const IPV4: &str = "route_redirect_gateway_ipv4=1";
    const IPV6: &str = "route_redirect_gateway_ipv6=1";
    let (_client, environment) = connected(&["redirect-gateway def1"]);
    assert!(has(&environment, IPV4), "{environment:?}");
    assert!(!has(&environment, IPV6), "{environment:?}");
    let (_client, environment) = connected(&["redirect-gateway def1 ipv6"]);
    assert!(has(&environment, IPV4), "{environment:?}");
    assert!(has(&environment, IPV6), "{environment:?}");
    let (_client, environment) = connected(&["route 10.20.0.0 255.255.0.0"]);
    assert!(!has(&environment, IPV4), "{environment:?}");
}

#[test]
fn a_server_cannot_push_the_options_of_the_patches() {
    let (client, _) = connected(&["auth-federate", "early-push-request"]);
    for option in ["auth-federate", "early-push-request"] {
        client.wait_log(
            &format!("option '{option}' cannot be used in this context"),
            1,
        );
    }
}
