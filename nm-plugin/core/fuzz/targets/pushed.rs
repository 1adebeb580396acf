//! Whatever a server pushes: the machine's own addresses stay out of the tunnel, names are plain,
//! everything is bounded, and one generation of settings never equals the next.
#![no_main]

use aws_client_vpn_session::network_manager::ip_config::ip_config;
use aws_client_vpn_session::pushed::{PushedOptions, ROUTE_LIMIT};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};

fuzz_target!(|text: &str| {
    let environment = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let Ok(tunnel) = PushedOptions::from_environment(environment) else {
        return;
    };
    assert!(tunnel.ipv4_routes.len() <= ROUTE_LIMIT && tunnel.ipv6_routes.len() <= ROUTE_LIMIT);
    for route in &tunnel.ipv4_routes {
        let address = route.network.address;
        assert!((1..=32).contains(&route.network.prefix));
        assert!(!address.is_loopback() && !address.is_multicast() && !address.is_link_local());
    }
    for route in &tunnel.ipv6_routes {
        let address = route.network.address;
        assert!((1..=128).contains(&route.network.prefix));
        assert!(!address.is_loopback() && !address.is_multicast());
        assert!(!address.is_unicast_link_local());
    }
    for domain in tunnel.search_domains.iter().chain(&tunnel.route_domains) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        assert!(domain.bytes().all(plain) && !domain.starts_with(['.', '-']));
    }
    for warning in tunnel.warnings() {
        assert!(!warning.chars().any(char::is_control));
    }
    let server = Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5)));
    let config = |generation| ip_config(&tunnel, server, generation).expect("the server is known");
    // Unless an endpoint pushes routes to the very hosts that are used for the difference.
    let host_routes = tunnel
        .ipv4_routes
        .iter()
        .any(|route| route.network.prefix == 32)
        || tunnel
            .ipv6_routes
            .iter()
            .any(|route| route.network.prefix == 128);
    assert!(config(0) != config(1) || host_routes);
});
