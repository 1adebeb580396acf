//! Addresses, routes and names of a connection that is up.

use crate::{assert_up, endpoint, lab, take_down};
use aws_client_vpn_harness::{DnsMode, Options};

#[test]
fn a_split_tunnel_takes_its_networks_only() {
    let (lab, before) = lab(&endpoint(&["--route=10.99.0.0/16", "--route=10.7.0.0/16"]));
    assert_up(&lab, &lab.up());
    let routes = lab.client.check(["ip", "route"]);
    for network in ["10.99.0.0/16", "10.7.0.0/16"] {
        let route = routes.lines().find(|line| line.starts_with(network));
        assert!(
            route.is_some_and(|route| route.contains("dev awsvpn")),
            "{routes}"
        );
    }
    let default: Vec<_> = routes
        .lines()
        .filter(|line| line.starts_with("default"))
        .collect();
    assert!(
        default.len() == 1 && default[0].contains("dev eth0"),
        "{routes}"
    );
    // The endpoint itself is reached beside the tunnel, whatever the routes say.
    let node = lab.client.check(["ip", "route", "get", "192.0.2.1"]);
    assert!(node.contains("dev eth0"), "{node}");
    let address = lab
        .client
        .check(["sh", "-c", "ip -4 -o address | grep awsvpn"]);
    assert!(
        address.contains("10.88.0.") && address.contains("/27"),
        "{address}"
    );
    take_down(&lab, &before);
}

#[test]
fn a_full_tunnel_takes_everything() {
    let (lab, before) = lab(&endpoint(&["--full-tunnel"]));
    assert_up(&lab, &lab.up());
    let elsewhere = lab.client.check(["ip", "route", "get", "203.0.113.7"]);
    assert!(elsewhere.contains("dev awsvpn"), "{elsewhere}");
    let node = lab.client.check(["ip", "route", "get", "192.0.2.1"]);
    assert!(node.contains("dev eth0"), "{node}");
    take_down(&lab, &before);
}

#[test]
fn the_pushed_dns_server_knows_the_inside_names() {
    let (lab, before) = lab(&endpoint(&["--push=dhcp-option DOMAIN corp.example"]));
    assert_up(&lab, &lab.up());
    let address = lab
        .client
        .check(["getent", "ahostsv4", "wiki.corp.example"]);
    assert!(address.starts_with("10.99.0.2 "), "{address}");
    let resolv = lab.client.check(["cat", "/etc/resolv.conf"]);
    assert!(resolv.contains("nameserver 10.99.0.2"), "{resolv}");
    take_down(&lab, &before);
}

#[test]
fn dnsmasq_asks_the_pushed_server_for_its_domain_only() {
    let options = endpoint(&["--push=dhcp-option DOMAIN corp.example"]);
    let (lab, before) = lab(&Options {
        dns: DnsMode::Dnsmasq,
        ..options
    });
    assert_up(&lab, &lab.up());
    let address = lab
        .client
        .check(["getent", "ahostsv4", "wiki.corp.example"]);
    assert!(address.starts_with("10.99.0.2 "), "{address}");
    take_down(&lab, &before);
    let gone = lab.client.run(["getent", "ahostsv4", "wiki.corp.example"]);
    assert!(
        !gone.status.success(),
        "a name of the inside is still answered"
    );
}
