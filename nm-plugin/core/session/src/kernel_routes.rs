//! Networks that are reached through more than one interface.
//!
//! With several VPNs, or a home network that uses the company's addresses, packets take the more
//! specific way, or the one that came up last, and nobody sees why something does not answer. So
//! it is said once, when a tunnel comes up.

use crate::ip::Network;
use crate::network_manager::ip_config::IpConfig;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many overlaps are told of.
const LIMIT: usize = 20;

/// A route that the computer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelRoute {
    /// The interface.
    pub device: String,
    /// Where to.
    pub network: Network<IpAddr>,
    /// Whether no router is on the way.
    pub is_on_link: bool,
}

impl KernelRoute {
    /// The routes in the kernel's tables, `/proc/net/route` and `/proc/net/ipv6_route`.
    pub fn read(ipv4: &str, ipv6: &str) -> Vec<Self> {
        let ipv4 = ipv4.lines().filter_map(|line| {
            let mut columns = line.split_ascii_whitespace();
            let device = columns.next()?.to_owned();
            let number = |text: Option<&str>| u32::from_str_radix(text?, 16).ok();
            // In the bytes' order in memory, as the kernel prints them.
            let address = Ipv4Addr::from(number(columns.next())?.to_ne_bytes());
            let router = number(columns.next())?;
            let mask = u32::from_be_bytes(number(columns.nth(4))?.to_ne_bytes());
            Some(Self {
                device,
                network: Network {
                    address: address.into(),
                    prefix: u8::try_from(mask.leading_ones()).ok()?,
                },
                is_on_link: router == 0,
            })
        });
        let ipv6 = ipv6.lines().filter_map(|line| {
            let columns: Vec<_> = line.split_ascii_whitespace().collect();
            let address = u128::from_str_radix(columns.first()?, 16).ok()?;
            Some(Self {
                device: (*columns.last()?).to_owned(),
                network: Network {
                    address: Ipv6Addr::from(address).into(),
                    prefix: u8::from_str_radix(columns.get(1)?, 16).ok()?,
                },
                is_on_link: columns.get(4)?.bytes().all(|digit| digit == b'0'),
            })
        });
        ipv4.chain(ipv6).collect()
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

/// What of `config` overlaps with routes of other interfaces than `device`, each in a sentence, and
/// which way it goes: `is_enforced` says whether the tunnel's routes go before all others.
#[must_use]
pub fn overlaps(
    config: &IpConfig,
    device: &str,
    routes: &[KernelRoute],
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
                    other.network, other.device
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network_manager::ip_config::ip_config;
    use crate::pushed::PushedOptions;

    /// As an x86 prints it.
    const IPV4: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\tFE0200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth0\t010200C0\t00000000\t0005\t0\t0\t50\tFFFFFFFF\t0\t0\t0
awsvpn1\t0000630A\t0100580A\t0003\t0\t0\t50\t0000FFFF\t0\t0\t0
awsvpn0\t0000630A\t0100580A\t0003\t0\t0\t50\t0000FFFF\t0\t0\t0
";
    const IPV6: &str = "\
fd000099000000000000000000000000 20 00000000000000000000000000000000 00 fd000088000000000000000000000001 00000032 00000001 00000000 00000003 awsvpn1
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001   eth0
";

    fn routes() -> Vec<KernelRoute> {
        KernelRoute::read(IPV4, IPV6)
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn the_kernel_s_tables_are_read() {
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
                "eth0 0.0.0.0/0 by a router",
                "eth0 192.0.2.0/24",
                "eth0 192.0.2.1/32",
                "awsvpn1 10.99.0.0/16 by a router",
                "awsvpn0 10.99.0.0/16 by a router",
                "awsvpn1 fd00:99::/32 by a router",
                "eth0 fe80::/64",
            ]
        );
        assert!(KernelRoute::read("nonsense\n\nx y", "z").is_empty());
    }

    #[test]
    fn a_way_to_a_host_to_everything_or_to_a_link_is_none_to_a_network() {
        let is_of_a_network = |address: &str, prefix| {
            let route = KernelRoute {
                device: "eth0".to_owned(),
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

    #[cfg(target_endian = "little")]
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
            overlaps(&config, "awsvpn0", &routes(), false).len()
        };
        assert_eq!(overlapping("10.99.7.0", "255.255.255.0", "fd01::/16"), 1);
        assert_eq!(overlapping("10.0.0.0", "255.0.0.0", "fd00::/16"), 2);
        assert_eq!(overlapping("192.0.0.0", "255.255.0.0", "fd01::/16"), 1);
        assert_eq!(overlapping("10.98.0.0", "255.255.0.0", "fd01::/16"), 0);
    }
}
