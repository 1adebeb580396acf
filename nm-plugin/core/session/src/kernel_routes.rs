//! Networks that are reached through more than one interface.
//!
//! With several VPNs, or a home network that uses the company's addresses, packets take the more
//! specific way, or the one that came up last, and nobody sees why something does not answer. So
//! it is said once, when a tunnel comes up.

use crate::endpoint_routes::Hop;
use crate::ip::Network;
use crate::netlink::{is_way, network, routes, table};
use crate::network_manager::ip_config::IpConfig;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{RouteHeader, RouteMessage};
use std::net::IpAddr;

/// How many overlaps are told of.
const LIMIT: usize = 20;

/// A route that the computer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelRoute {
    /// The number of the interface.
    pub device: u32,
    /// Where to.
    pub network: Network<IpAddr>,
    /// Whether no router is on the way.
    pub is_on_link: bool,
}

impl KernelRoute {
    /// Reads the kernel's list of routes: the main table of IPv4, and all of IPv6.
    #[must_use]
    pub fn read(answer: &[u8]) -> Vec<Self> {
        let listed = routes(answer).filter(|route| {
            let is_of_ipv6 = route.header.address_family == AddressFamily::Inet6;
            is_way(route) && (is_of_ipv6 || table(route) == u32::from(RouteHeader::RT_TABLE_MAIN))
        });
        let read = |route: RouteMessage| {
            let hop = Hop::read(&route)?;
            Some(Self {
                device: hop.device,
                network: network(&route)?,
                is_on_link: hop.router.is_none(),
            })
        };
        listed.filter_map(read).collect()
    }

    /// Whether it is the way to a network somewhere, not to a host, to everything or to a link.
    fn is_of_a_network(&self) -> bool {
        let Network { address, prefix } = self.network;
        match address {
            IpAddr::V4(address) => {
                (1..32).contains(&prefix) && !address.is_loopback() && !address.is_multicast()
            }
            IpAddr::V6(address) => {
                (1..128).contains(&prefix)
                    && !address.is_unicast_link_local()
                    && !address.is_multicast()
            }
        }
    }
}

/// What of `config` overlaps with routes of other interfaces than `device`, each in a sentence with
/// the name that `name_of` gives the interface, and which way it goes: `is_enforced` says whether the
/// tunnel's routes go before all others.
#[must_use]
pub fn overlaps(
    config: &IpConfig,
    device: u32,
    routes: &[KernelRoute],
    name_of: impl Fn(u32) -> String,
    is_enforced: bool,
) -> Vec<String> {
    let ipv4 = config.ipv4.iter().flat_map(|family| &family.routes);
    let ipv6 = config.ipv6.iter().flat_map(|family| &family.routes);
    let own = ipv4
        .map(|route| (IpAddr::V4(route.network.address), route.network.prefix))
        .chain(ipv6.map(|route| (IpAddr::V6(route.network.address), route.network.prefix)))
        .map(|(address, prefix)| Network { address, prefix });
    let others: Vec<_> = routes
        .iter()
        .filter(|other| other.device != device && other.is_of_a_network())
        .collect();
    let mut found = Vec::new();
    for network in own {
        for other in &others {
            if found.len() < LIMIT && network.overlaps(other.network) {
                let which = if is_enforced {
                    "goes through this connection, as enforce-routes is on"
                } else {
                    "goes the way of the smaller one, or of the one with the lower metric; with \
                     enforce-routes=yes it would go through this connection"
                };
                found.push(format!(
                    "{network} goes through this connection, but {} through {}: what is in both \
                     {which}",
                    other.network,
                    name_of(other.device)
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::body;
    use crate::netlink::{RTM_NEWROUTE, frame};
    use crate::network_manager::ip_config::ip_config;
    use crate::pushed::PushedOptions;

    const HOME: u32 = 2;
    const TUNNEL: u32 = 7;
    const OTHER_TUNNEL: u32 = 8;

    /// A route of the kernel's list, in this table and of this type.
    fn listed(device: u32, network: &str, router: Option<&str>, table: u8, kind: u8) -> Vec<u8> {
        let octets = |address: &str| match address.parse().unwrap() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let (address, prefix) = network.split_once('/').unwrap();
        let family = if address.contains(':') { 10 } else { 2 };
        let header = [
            family,
            prefix.parse().unwrap(),
            0,
            0,
            table,
            4,
            0,
            kind,
            0,
            0,
            0,
            0,
        ];
        let (address, device) = (octets(address), device.to_ne_bytes());
        let router = router.map(octets);
        let mut attributes: Vec<(u16, &[u8])> = vec![(1, &address), (4, &device)];
        attributes.extend(router.as_ref().map(|router| (5, &router[..])));
        frame(RTM_NEWROUTE, 0, 0, &body(&header, &attributes))
    }

    fn routes() -> Vec<KernelRoute> {
        let way = |device, network, router| listed(device, network, router, 254, 1);
        let answer = [
            way(HOME, "0.0.0.0/0", Some("192.0.2.254")),
            way(HOME, "192.0.2.0/24", None),
            way(HOME, "192.0.2.1/32", None),
            way(OTHER_TUNNEL, "10.99.0.0/16", Some("10.88.0.1")),
            way(TUNNEL, "10.99.0.0/16", Some("10.88.0.1")),
            way(OTHER_TUNNEL, "fd00:99::/32", Some("fd00:88::1")),
            way(HOME, "fe80::/64", None),
            // Another table, of each family; a broadcast, and what leads nowhere.
            listed(HOME, "10.99.1.0/24", None, 100, 1),
            listed(HOME, "fd02:98::/32", None, 100, 1),
            listed(HOME, "192.0.2.255/32", None, 255, 3),
            listed(HOME, "10.99.2.0/24", None, 254, 7),
        ];
        KernelRoute::read(&answer.concat())
    }

    #[test]
    fn the_kernel_s_routes_are_read() {
        let shown: Vec<_> = routes()
            .iter()
            .map(|route| {
                let way = if route.is_on_link { "" } else { " by a router" };
                format!("{} {}{way}", route.device, route.network)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "2 0.0.0.0/0 by a router",
                "2 192.0.2.0/24",
                "2 192.0.2.1/32",
                "8 10.99.0.0/16 by a router",
                "7 10.99.0.0/16 by a router",
                "8 fd00:99::/32 by a router",
                "2 fe80::/64",
                "2 fd02:98::/32",
            ]
        );
    }

    #[test]
    fn a_way_to_a_host_to_everything_or_to_a_link_is_none_to_a_network() {
        let is_of_a_network = |address: &str, prefix| {
            let route = KernelRoute {
                device: HOME,
                network: Network {
                    address: address.parse().unwrap(),
                    prefix,
                },
                is_on_link: true,
            };
            route.is_of_a_network()
        };
        for (address, longest) in [("10.0.0.0", 32), ("fd00::", 128)] {
            assert!(is_of_a_network(address, 1) && is_of_a_network(address, longest - 1));
            assert!(!is_of_a_network(address, 0) && !is_of_a_network(address, longest));
        }
        for (address, prefix) in [
            ("127.0.0.0", 8),
            ("224.0.0.0", 4),
            ("fe80::", 64),
            ("ff00::", 8),
        ] {
            assert!(!is_of_a_network(address, prefix), "{address}");
        }
    }

    #[test]
    fn what_goes_two_ways_is_told() {
        let overlapping = |network: &str, mask: &str, ipv6: &str| {
            let variables = [
                ("ifconfig_local", "10.88.0.2"),
                ("ifconfig_netmask", "255.255.255.224"),
                ("ifconfig_ipv6_local", "fd00:88::2"),
                ("trusted_ip", "192.0.2.1"),
                ("route_network_1", network),
                ("route_netmask_1", mask),
                ("route_ipv6_network_1", ipv6),
            ];
            let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            let tunnel = PushedOptions::from_environment(variables.map(own)).unwrap();
            let config = ip_config(&tunnel, None, 0).unwrap();
            overlaps(&config, TUNNEL, &routes(), |index| index.to_string(), false).len()
        };
        assert_eq!(overlapping("10.99.7.0", "255.255.255.0", "fd01::/16"), 1);
        assert_eq!(overlapping("10.0.0.0", "255.0.0.0", "fd00::/16"), 2);
        assert_eq!(overlapping("192.0.0.0", "255.255.0.0", "fd01::/16"), 1);
        assert_eq!(overlapping("10.98.0.0", "255.255.0.0", "fd01::/16"), 0);
    }
}
