//! Which networks are the local ones.
//!
//! A network that somebody else's DHCP server names is not local because it says so: with a route
//! to half the internet it could lead everything past the tunnel. So only networks that the
//! computer reaches without a router, has an address of its own in, and that are no larger than
//! home and office networks are, count.

use super::MOST_NETWORKS;
use crate::ip::Network;
use crate::kernel_routes::KernelRoute;
use crate::netlink::{address, addresses};
use std::net::IpAddr;

/// The largest networks that count.
const SHORTEST_PREFIX_IPV4: u8 = 16;
const SHORTEST_PREFIX_IPV6: u8 = 64;
/// The number that `lo` has everywhere.
const LOOPBACK: u32 = 1;

/// The local networks among the routes of the computer, but for those of `tunnels`, which are numbers
/// of interfaces. `answer` is the kernel's list of addresses.
#[must_use]
pub fn local_networks(
    routes: &[KernelRoute],
    answer: &[u8],
    tunnels: &[u32],
) -> Vec<Network<IpAddr>> {
    let own = addresses(answer).filter_map(|own| address(&own));
    let own: Vec<IpAddr> = own.collect();
    let mut networks: Vec<Network<IpAddr>> = routes
        .iter()
        .filter(|route| route.is_on_link)
        .filter(|route| !tunnels.contains(&route.device) && route.device != LOOPBACK)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::body;
    use crate::netlink::{RTM_NEWADDR, frame};

    fn route(device: u32, address: &str, prefix: u8, is_on_link: bool) -> KernelRoute {
        KernelRoute {
            device,
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
            route(2, "0.0.0.0", 0, false),
            route(2, "192.0.2.0", 24, true),
            // As a hostile DHCP server would have it.
            route(2, "0.0.0.0", 1, true),
            route(2, "198.51.100.0", 24, true),
            route(2, "192.0.0.0", 14, true),
            route(2, "192.0.2.10", 32, true),
            route(2, "192.0.2.0", 25, false),
            route(7, "10.88.0.0", 27, true),
            route(2, "2001:db8::", 64, true),
            route(2, "2001:db8:1::", 64, true),
            route(2, "fe80::", 64, true),
            route(2, "2000::", 3, true),
            route(LOOPBACK, "127.0.0.0", 16, true),
        ];
        let addresses = [
            "192.0.2.10",
            "10.88.0.2",
            "2001:db8::10",
            "fe80::10",
            "127.0.0.1",
        ];
        let listed = addresses.map(|address| {
            let (family, octets) = match address.parse().unwrap() {
                IpAddr::V4(address) => (2, address.octets().to_vec()),
                IpAddr::V6(address) => (10, address.octets().to_vec()),
            };
            frame(
                RTM_NEWADDR,
                0,
                0,
                &body(&[family, 24, 0, 0, 2, 0, 0, 0], &[(1, &octets)]),
            )
        });
        let shown: Vec<_> = local_networks(&routes, &listed.concat(), &[7])
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["192.0.2.0/24", "2001:db8::/64"]);
        assert!(local_networks(&routes, &[], &[7]).is_empty());
    }
}
