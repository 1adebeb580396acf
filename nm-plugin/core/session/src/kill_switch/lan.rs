//! Which networks are the local ones.
//!
//! A network that somebody else's DHCP server names is not local because it says so: with a route
//! to half the internet it could lead everything past the tunnel. So only networks that the
//! computer reaches without a router, has an address of its own in, and that are no larger than
//! home and office networks are, count.

use super::MOST_NETWORKS;
use crate::ip::Network;
use crate::kernel_routes::KernelRoute;
use std::net::{IpAddr, Ipv6Addr};

/// The largest networks that count.
const SHORTEST_PREFIX_IPV4: u8 = 16;
const SHORTEST_PREFIX_IPV6: u8 = 64;

/// The local networks among the routes of the computer, but for those of tunnels: of interfaces
/// whose names begin with `tunnels`.
///
/// `ipv4_addresses` is `/proc/net/fib_trie`, `ipv6_addresses` `/proc/net/if_inet6`.
#[must_use]
pub fn local_networks(
    routes: &[KernelRoute],
    ipv4_addresses: &str,
    ipv6_addresses: &str,
    tunnels: &str,
) -> Vec<Network<IpAddr>> {
    let own: Vec<IpAddr> = ipv4_of(ipv4_addresses)
        .chain(ipv6_addresses.lines().filter_map(|line| {
            let address = line.split_ascii_whitespace().next()?;
            let address = u128::from_str_radix(address, 16).ok()?;
            Some(Ipv6Addr::from(address).into())
        }))
        .collect();
    let mut networks: Vec<Network<IpAddr>> = routes
        .iter()
        .filter(|route| route.is_on_link)
        .filter(|route| !route.device.starts_with(tunnels) && route.device != "lo")
        .map(|route| route.network)
        .filter(|network| match network.address {
            IpAddr::V4(_) => (SHORTEST_PREFIX_IPV4..32).contains(&network.prefix),
            IpAddr::V6(address) => {
                (SHORTEST_PREFIX_IPV6..128).contains(&network.prefix)
                    && !address.is_multicast()
                    && !address.is_unicast_link_local()
            }
        })
        .filter(|network| {
            own.iter()
                .any(|address| network.covers(Network::host(*address)))
        })
        .collect();
    networks.sort_by_key(|network| (network.address, network.prefix));
    networks.dedup();
    networks.truncate(MOST_NETWORKS);
    networks
}

/// The addresses of this computer in the kernel's trie: those of whose node the next line says that
/// they are local hosts.
fn ipv4_of(trie: &str) -> impl Iterator<Item = IpAddr> {
    let mut node = None;
    trie.lines().filter_map(move |line| {
        let line = line.trim_start();
        if let Some(address) = line.strip_prefix("|-- ") {
            node = address.parse().ok();
            return None;
        }
        let is_local = line.starts_with("/32 host LOCAL");
        node.filter(|_| is_local)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.10
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
     |-- 10.88.0.2
        /32 host LOCAL
";

    fn route(device: &str, address: &str, prefix: u8, is_on_link: bool) -> KernelRoute {
        KernelRoute {
            device: device.to_owned(),
            network: Network {
                address: address.parse().unwrap(),
                prefix,
            },
            is_on_link,
        }
    }

    #[test]
    fn only_networks_that_the_computer_is_in_are_local() {
        let routes = [
            route("eth0", "0.0.0.0", 0, false),
            route("eth0", "192.0.2.0", 24, true),
            // As a hostile DHCP server would have it.
            route("eth0", "0.0.0.0", 1, true),
            route("eth0", "198.51.100.0", 24, true),
            route("eth0", "192.0.0.0", 14, true),
            route("eth0", "192.0.2.10", 32, true),
            route("eth0", "192.0.2.0", 25, false),
            route("awsvpn0", "10.88.0.0", 27, true),
            route("eth0", "2001:db8::", 64, true),
            route("eth0", "2001:db8:1::", 64, true),
            route("eth0", "fe80::", 64, true),
            route("eth0", "2000::", 3, true),
        ];
        let ipv6 = "20010db8000000000000000000000010 02 40 00 80     eth0\n\
                    fe800000000000000000000000000010 02 40 20 80     eth0\nnonsense\n";
        let shown: Vec<_> = local_networks(&routes, TRIE, ipv6, "awsvpn")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["192.0.2.0/24", "2001:db8::/64"]);
        assert!(local_networks(&routes, "", "", "awsvpn").is_empty());
    }
}
