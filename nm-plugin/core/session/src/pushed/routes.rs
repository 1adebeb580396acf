//! The pushed routes, and whether they make the tunnel the default.

use super::{Environment, PushedOptions, prefix_of};
use crate::ip::{Network, Route};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many routes of each family are taken from one endpoint; AWS allows 100.
pub const ROUTE_LIMIT: usize = 1024;

/// What OpenVPN up to 2.6 makes of a pushed `redirect-gateway ipv6` (init.c).
const IPV6_REDIRECT: [Network<Ipv6Addr>; 4] = [
    ipv6_network(0, 3),
    ipv6_network(0x2000, 4),
    ipv6_network(0x3000, 4),
    ipv6_network(0xfc00, 7),
];

impl PushedOptions {
    pub(super) fn read_ipv4_routes(&mut self, environment: &Environment) {
        self.redirect_ipv4 = redirects(environment, "route_redirect_gateway_ipv4");
        let outside = environment.parsed::<Ipv4Addr>("route_net_gateway");
        for number in 1.. {
            let name = |part: &str| format!("route_{part}_{number}");
            let Some(text) = environment.text(&name("network")) else {
                break;
            };
            if number > ROUTE_LIMIT {
                self.warn(&format!("routes after the first {ROUTE_LIMIT}"));
                break;
            }
            let address = text.parse().ok();
            let prefix = match environment.text(&name("netmask")) {
                Some(mask) => mask.parse().ok().and_then(prefix_of),
                None => Some(32),
            };
            let host = address.filter(|_| prefix == Some(32));
            if host.is_some_and(|host| self.has_link_local_server(host)) {
                continue;
            }
            let Some(network) = address.zip(prefix).and_then(routable_ipv4) else {
                self.warn(&format!("the route to {text}"));
                continue;
            };
            let gateway = environment
                .parsed(&name("gateway"))
                .filter(|gateway: &Ipv4Addr| !gateway.is_unspecified());
            // Pushed with `net_gateway`: it is to stay outside of the tunnel.
            if gateway.is_some() && gateway == outside && gateway != self.ipv4_gateway {
                self.warn(&format!("the route to {text}, which is not for the tunnel"));
                continue;
            }
            self.ipv4_routes.push(Route { network, gateway });
        }
        self.route_to_link_local_servers();
        let everything = ipv4_network(0, 0);
        let halves = [ipv4_network(0, 1), ipv4_network(128, 1)];
        if has(&self.ipv4_routes, &[everything]) || has(&self.ipv4_routes, &halves) {
            self.redirect_ipv4 = true;
        }
        if self.redirect_ipv4 {
            let implied = [everything, halves[0], halves[1]];
            self.ipv4_routes
                .retain(|route| !implied.contains(&route.network));
        }
    }

    /// A resolver of a VPC is reached at 169.254.169.253, through the tunnel and never on the link,
    /// whatever routes are pushed.
    fn route_to_link_local_servers(&mut self) {
        for server in &self.name_servers {
            if let IpAddr::V4(address) = server
                && address.is_link_local()
            {
                let network = Network {
                    address: *address,
                    prefix: 32,
                };
                let gateway = None;
                self.ipv4_routes.push(Route { network, gateway });
            }
        }
    }

    fn has_link_local_server(&self, address: Ipv4Addr) -> bool {
        address.is_link_local() && self.name_servers.contains(&IpAddr::V4(address))
    }

    pub(super) fn read_ipv6_routes(&mut self, environment: &Environment) {
        self.redirect_ipv6 = redirects(environment, "route_redirect_gateway_ipv6");
        for number in 1.. {
            let Some(text) = environment.text(&format!("route_ipv6_network_{number}")) else {
                break;
            };
            if number > ROUTE_LIMIT {
                self.warn(&format!("IPv6 routes after the first {ROUTE_LIMIT}"));
                break;
            }
            let network = text.split_once('/').and_then(|(address, prefix)| {
                routable_ipv6((address.parse().ok()?, prefix.parse().ok()?))
            });
            let Some(network) = network else {
                self.warn(&format!("the route to {text}"));
                continue;
            };
            let gateway = environment
                .parsed(&format!("route_ipv6_gateway_{number}"))
                .filter(|gateway: &Ipv6Addr| !gateway.is_unspecified());
            self.ipv6_routes.push(Route { network, gateway });
        }
        let everything = ipv6_network(0, 0);
        let halves = [ipv6_network(0, 1), ipv6_network(0x8000, 1)];
        if has(&self.ipv6_routes, &[everything])
            || has(&self.ipv6_routes, &halves)
            || has(&self.ipv6_routes, &IPV6_REDIRECT)
        {
            self.redirect_ipv6 = true;
        }
        if self.redirect_ipv6 {
            self.ipv6_routes.retain(|Route { network, .. }| {
                *network != everything
                    && !halves.contains(network)
                    && !IPV6_REDIRECT.contains(network)
            });
        }
    }
}

/// OpenVPN 2.7 says so itself, and the patch teaches it to 2.6: 1, or 2 where the local network is
/// to be blocked as well (which is not done).
fn redirects(environment: &Environment, name: &str) -> bool {
    matches!(environment.text(name), Some("1" | "2"))
}

fn has<A: PartialEq>(routes: &[Route<A>], networks: &[Network<A>]) -> bool {
    networks
        .iter()
        .all(|network| routes.iter().any(|route| route.network == *network))
}

/// A network that may be routed into the tunnel: not the machine itself, not its own links.
fn routable_ipv4((address, prefix): (Ipv4Addr, u8)) -> Option<Network<Ipv4Addr>> {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    let network = Ipv4Addr::from(u32::from(address) & mask);
    let forbidden = network.is_loopback()
        || network.is_link_local()
        || network.is_multicast()
        || network.is_broadcast()
        // 0.0.0.0/8 is this machine; what is wider begins with zeros only because it is wide.
        || (network.octets()[0] == 0 && prefix >= 8);
    let network = Network {
        address: network,
        prefix,
    };
    // 10.0.0.0 with the mask 0.0.0.0 is a mistake, and would take everything.
    (!forbidden && (prefix > 0 || address.is_unspecified())).then_some(network)
}

fn routable_ipv6((address, prefix): (Ipv6Addr, u8)) -> Option<Network<Ipv6Addr>> {
    if prefix > 128 {
        return None;
    }
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    let network = Ipv6Addr::from(u128::from(address) & mask);
    let forbidden = network.is_loopback()
        || network.is_unicast_link_local()
        || network.is_multicast()
        // ::/8 holds the machine itself and embedded IPv4 addresses, but also 64:ff9b::/96.
        || (network.segments()[0] == 0 && prefix >= 8);
    let network = Network {
        address: network,
        prefix,
    };
    (!forbidden && (prefix > 0 || address.is_unspecified())).then_some(network)
}

const fn ipv4_network(first: u8, prefix: u8) -> Network<Ipv4Addr> {
    let address = Ipv4Addr::new(first, 0, 0, 0);
    Network { address, prefix }
}

const fn ipv6_network(first: u16, prefix: u8) -> Network<Ipv6Addr> {
    let address = Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0);
    Network { address, prefix }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;
    use super::*;
    use proptest::prelude::*;

    fn ipv4(routes: &[(&str, &str, &str)]) -> PushedOptions {
        let variables: Vec<(String, &str)> = routes
            .iter()
            .zip(1..)
            .flat_map(|((network, mask, gateway), number)| {
                [
                    (format!("route_network_{number}"), *network),
                    (format!("route_netmask_{number}"), *mask),
                    (format!("route_gateway_{number}"), *gateway),
                ]
            })
            .collect();
        let variables: Vec<_> = variables.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        with(&variables)
    }

    fn ipv6(routes: &[&str]) -> PushedOptions {
        let names: Vec<String> = (1..=routes.len())
            .map(|number| format!("route_ipv6_network_{number}"))
            .collect();
        let variables = names.iter().map(String::as_str).zip(routes.iter().copied());
        with(&variables.collect::<Vec<_>>())
    }

    #[test]
    fn a_name_server_on_169_254_is_reached_through_the_tunnel() {
        let server = Network {
            address: Ipv4Addr::new(169, 254, 169, 253),
            prefix: 32,
        };
        let dns = ("foreign_option_1", "dhcp-option DNS 169.254.169.253");
        let route = |network| [("route_network_1", network)];
        for (variables, warnings) in [
            (vec![dns], 0),
            ([&[dns][..], &route("169.254.169.253")].concat(), 0),
            ([&[dns][..], &route("169.254.169.254")].concat(), 1),
        ] {
            let tunnel = with(&variables);
            let networks: Vec<_> = tunnel.ipv4_routes.iter().map(|r| r.network).collect();
            assert_eq!(networks, [server], "{variables:?}");
            assert_eq!(tunnel.warnings().len(), warnings, "{variables:?}");
        }
        assert!(with(&route("169.254.169.253")).ipv4_routes.is_empty());
    }

    #[test]
    fn a_route_is_masked_and_keeps_its_gateway() {
        let tunnel = ipv4(&[
            ("10.20.3.4", "255.255.0.0", "10.88.0.1"),
            ("10.30.0.1", "255.255.255.255", "0.0.0.0"),
        ]);
        let route = |address: [u8; 4], prefix, gateway| Route {
            network: Network {
                address: Ipv4Addr::from(address),
                prefix,
            },
            gateway,
        };
        let gateway = Some(Ipv4Addr::new(10, 88, 0, 1));
        assert_eq!(
            tunnel.ipv4_routes,
            [
                route([10, 20, 0, 0], 16, gateway),
                route([10, 30, 0, 1], 32, None)
            ]
        );
        assert!(tunnel.warnings().is_empty() && !tunnel.redirect_ipv4);
        let tunnel = ipv6(&["fd00:20::1/32"]);
        assert_eq!(
            tunnel.ipv6_routes[0].network.address,
            "fd00:20::".parse::<Ipv6Addr>().unwrap()
        );
        let tunnel = ipv6(&["fd00:20::1/128"]);
        assert_eq!(tunnel.ipv6_routes[0].network.prefix, 128);
    }

    #[test]
    fn a_redirected_gateway_is_seen_in_each_of_its_forms() {
        for value in ["1", "2"] {
            let tunnel = with(&[("route_redirect_gateway_ipv4", value)]);
            assert!(tunnel.redirect_ipv4 && !tunnel.redirect_ipv6);
            assert!(with(&[("route_redirect_gateway_ipv6", value)]).redirect_ipv6);
        }
        assert!(!with(&[("route_redirect_gateway_ipv4", "0")]).redirect_ipv4);
        let everything = ipv4(&[("0.0.0.0", "0.0.0.0", "")]);
        let halves = ipv4(&[("0.0.0.0", "128.0.0.0", ""), ("128.0.0.0", "128.0.0.0", "")]);
        for tunnel in [everything, halves] {
            assert!(tunnel.redirect_ipv4 && tunnel.ipv4_routes.is_empty());
        }
        let of_openvpn = ["::/3", "2000::/4", "3000::/4", "fc00::/7"];
        for routes in [&["::/0"][..], &["::/1", "8000::/1"], &of_openvpn] {
            let tunnel = ipv6(routes);
            assert!(
                tunnel.redirect_ipv6 && tunnel.ipv6_routes.is_empty(),
                "{routes:?}"
            );
        }
        // Half of everything is a route as any other.
        let half = ipv4(&[("128.0.0.0", "128.0.0.0", "")]);
        assert!(!half.redirect_ipv4);
        assert_eq!(half.ipv4_routes.len(), 1);
        assert!(!ipv6(&["2000::/4"]).redirect_ipv6);
    }

    #[test]
    fn what_is_not_for_the_tunnel_is_left_out_with_a_warning() {
        for (network, mask) in [
            ("127.0.0.0", "255.0.0.0"),
            ("127.1.2.3", "255.255.255.255"),
            ("169.254.169.254", "255.255.255.255"),
            ("224.0.0.0", "240.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
            ("0.0.0.0", "255.255.255.255"),
            ("0.1.2.3", "255.0.0.0"),
            ("10.1.0.0", "255.0.255.0"),
            ("10.1.0.0", "0.0.0.0"),
            ("10.1.0", "255.255.0.0"),
        ] {
            let tunnel = ipv4(&[(network, mask, "10.88.0.1")]);
            assert!(tunnel.ipv4_routes.is_empty(), "{network} {mask}");
            assert!(!tunnel.redirect_ipv4, "{network} {mask}");
            assert_eq!(tunnel.warnings(), [format!("the route to {network}")]);
        }
        for route in [
            "fe80::/10",
            "ff00::/8",
            "::1/128",
            "::/128",
            "fd00::/129",
            "fd00::1",
            "fd00::/0",
        ] {
            let tunnel = ipv6(&[route]);
            assert!(tunnel.ipv6_routes.is_empty(), "{route}");
            assert!(!tunnel.redirect_ipv6, "{route}");
            assert_eq!(tunnel.warnings().len(), 1, "{route}");
        }
        // `route 192.0.2.1 255.255.255.255 net_gateway`; OpenVPN has put the address in.
        let outside = ipv4(&[("192.0.2.1", "255.255.255.255", "192.168.1.1")]);
        assert!(outside.ipv4_routes.is_empty());
        assert_eq!(outside.warnings().len(), 1);
    }

    #[test]
    fn all_but_some_networks_can_be_routed() {
        // How everything but 10.0.0.0/8 is written: it begins with 0.0.0.0/5.
        let tunnel = ipv4(&[("0.0.0.0", "248.0.0.0", ""), ("8.0.0.0", "254.0.0.0", "")]);
        assert_eq!(tunnel.ipv4_routes.len(), 2);
        assert!(!tunnel.redirect_ipv4 && tunnel.warnings().is_empty());
    }

    #[test]
    fn the_number_of_routes_is_bounded() {
        for (count, warnings) in [(ROUTE_LIMIT, 0), (ROUTE_LIMIT + 1, 2)] {
            let names: Vec<String> = (1..=count)
                .flat_map(|number| ["", "_ipv6"].map(|of| format!("route{of}_network_{number}")))
                .collect();
            let routes: Vec<_> = names
                .iter()
                .map(|name| match name.contains("ipv6") {
                    true => (name.as_str(), "fd00:99::/32"),
                    false => (name.as_str(), "10.0.0.1"),
                })
                .collect();
            let tunnel = with(&routes);
            assert_eq!(tunnel.ipv4_routes.len(), ROUTE_LIMIT);
            assert_eq!(tunnel.ipv6_routes.len(), ROUTE_LIMIT);
            assert_eq!(tunnel.warnings().len(), warnings);
        }
    }

    proptest! {
        #[test]
        fn a_route_never_covers_the_machine_itself(address: [u8; 4], prefix in 0_u8..=32) {
            if let Some(network) = routable_ipv4((Ipv4Addr::from(address), prefix)) {
                let ends = !u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                let last = Ipv4Addr::from(u32::from(network.address) | ends);
                // The whole of it would have to lie in 127.0.0.0/8, 169.254.0.0/16 or 224.0.0.0/4.
                prop_assert!(!(network.address.is_loopback() && last.is_loopback()));
                prop_assert!(!(network.address.is_link_local() && last.is_link_local()));
                prop_assert!(!network.address.is_multicast());
                prop_assert_eq!(u32::from(network.address) & ends, 0);
            }
        }
    }
}
