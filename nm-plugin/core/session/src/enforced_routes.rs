//! Routes into the tunnel that go before every other route, where the user wants that.
//!
//! In the main table the more specific route wins: a home network with the company's numbers, or
//! one that a foreign network hands out by DHCP, leads packets past the tunnel. So the tunnel's
//! routes are copied into a table of its own, which a rule has the kernel ask before the main one.
//! What NetworkManager has set, with the user's own settings, is what is copied, so nothing has to
//! be decided twice. The table also says what is not for it, and the kernel then goes on to the
//! main one: the endpoint, the local routers, and what is of a link or of this computer.

pub mod wire;

use crate::ip::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// More routes than are ever pushed (`pushed::ROUTE_LIMIT` for each family).
const MOST_ROUTES: usize = 4096;
/// What is never led into a tunnel, as it is of this computer or of a link: loopback, link-local,
/// multicast and broadcast. (The kernel's table `local` goes before ours, but only has the
/// addresses and broadcasts that there are.)
const NOT_ROUTED: [Network<IpAddr>; 6] = [
    ipv4([127, 0, 0, 0], 8),
    ipv4([169, 254, 0, 0], 16),
    ipv4([224, 0, 0, 0], 4),
    ipv4([255, 255, 255, 255], 32),
    ipv6(0xfe80, 10),
    ipv6(0xff00, 8),
];

/// Where packets to a network go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Into the tunnel, from this address where NetworkManager says so.
    Tunnel(Option<IpAddr>),
    /// As the other tables say.
    AsOtherwise,
}

/// A route of our table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where to.
    pub network: Network<IpAddr>,
    /// Which way.
    pub way: Way,
}

/// What the kernel's tables say of the tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tables {
    /// The routes into the tunnel in the main table, as programs have set them.
    pub tunnel: Vec<Entry>,
    /// The routes of our table.
    pub own: Vec<Entry>,
    /// The routers that the main table has on other interfaces.
    pub routers: Vec<IpAddr>,
}

/// What is to be done, in this order: the endpoint stays reachable between any two of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// What is to be in our table, and is not.
    pub add: Vec<Entry>,
    /// What is not to be there.
    pub remove: Vec<Entry>,
    /// How many routes our table then has into the tunnel: of IPv4, of IPv6.
    pub routes: [usize; 2],
}

/// What makes our table say what the main one says of the tunnel, but for the addresses of
/// `endpoints`.
#[must_use]
pub fn changes(tables: &Tables, endpoints: &[IpAddr]) -> Changes {
    let wanted = wanted(tables, endpoints);
    let count = |is_of: fn(&IpAddr) -> bool| {
        let into_it = |entry: &&Entry| matches!(entry.way, Way::Tunnel(_));
        let routes = wanted.iter().filter(into_it);
        routes.filter(|entry| is_of(&entry.network.address)).count()
    };
    let not_in = |entries: &[Entry], others: &[Entry]| -> Vec<Entry> {
        let missing = entries.iter().filter(|entry| !others.contains(entry));
        missing.copied().collect()
    };
    // What replaces another is added in its place: it is not removed after that.
    let is_replaced = |entry: &Entry| wanted.iter().any(|other| other.network == entry.network);
    let mut remove = not_in(&tables.own, &wanted);
    remove.retain(|entry| !is_replaced(entry));
    remove.sort_by_key(|entry| entry.way == Way::AsOtherwise);
    Changes {
        add: not_in(&wanted, &tables.own),
        remove,
        routes: [count(IpAddr::is_ipv4), count(IpAddr::is_ipv6)],
    }
}

/// The exceptions come first.
fn wanted(tables: &Tables, endpoints: &[IpAddr]) -> Vec<Entry> {
    let hosts = endpoints.iter().chain(&tables.routers).copied();
    let hosts = hosts.map(Network::host);
    let mut exceptions: Vec<_> = NOT_ROUTED.into_iter().chain(hosts).collect();
    exceptions.retain(|exception| {
        let covers = |route: &Entry| route.network.covers(*exception);
        tables.tunnel.iter().any(covers)
    });
    let mut wanted: Vec<Entry> = Vec::new();
    let excepted = exceptions.into_iter().map(|network| Entry {
        network,
        way: Way::AsOtherwise,
    });
    let routes = tables.tunnel.iter().take(MOST_ROUTES).copied();
    for entry in excepted.chain(routes) {
        if !wanted.iter().any(|other| other.network == entry.network) {
            wanted.push(entry);
        }
    }
    wanted
}

const fn ipv4(octets: [u8; 4], prefix: u8) -> Network<IpAddr> {
    let [a, b, c, d] = octets;
    Network {
        address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        prefix,
    }
}

const fn ipv6(first: u16, prefix: u8) -> Network<IpAddr> {
    Network {
        address: IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0)),
        prefix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network<IpAddr> {
        let (address, prefix) = text.split_once('/').unwrap();
        Network {
            address: address.parse().unwrap(),
            prefix: prefix.parse().unwrap(),
        }
    }

    fn into_tunnel(text: &str) -> Entry {
        Entry {
            network: network(text),
            way: Way::Tunnel(None),
        }
    }

    fn as_otherwise(text: &str) -> Entry {
        Entry {
            network: network(text),
            way: Way::AsOtherwise,
        }
    }

    fn tables(tunnel: &[&str], routers: &[&str]) -> Tables {
        Tables {
            tunnel: tunnel.iter().copied().map(into_tunnel).collect(),
            own: Vec::new(),
            routers: routers
                .iter()
                .map(|router| router.parse().unwrap())
                .collect(),
        }
    }

    #[test]
    fn the_endpoint_and_the_router_are_left_out_where_a_route_covers_them() {
        let tables = tables(
            &["192.168.0.0/16", "198.51.100.0/24", "fd00:99::/32"],
            &["192.168.1.1", "10.0.0.1", "fd00:99::1", "fe80::1"],
        );
        let endpoints = [
            "198.51.100.7".parse().unwrap(),
            "203.0.113.5".parse().unwrap(),
        ];
        let changes = changes(&tables, &endpoints);
        assert_eq!(
            changes.add,
            [
                as_otherwise("198.51.100.7/32"),
                as_otherwise("192.168.1.1/32"),
                as_otherwise("fd00:99::1/128"),
                into_tunnel("192.168.0.0/16"),
                into_tunnel("198.51.100.0/24"),
                into_tunnel("fd00:99::/32"),
            ]
        );
        assert_eq!((changes.remove, changes.routes), (vec![], [2, 1]));
    }

    #[test]
    fn a_full_tunnel_leaves_out_what_is_of_the_computer_and_of_its_links() {
        let changes = changes(&tables(&["0.0.0.0/0", "::/0"], &[]), &[]);
        let excepted: Vec<_> = changes
            .add
            .iter()
            .filter(|entry| entry.way == Way::AsOtherwise)
            .map(|entry| entry.network)
            .collect();
        assert_eq!(excepted, NOT_ROUTED);
        assert_eq!(changes.add.len(), NOT_ROUTED.len() + 2);
    }

    #[test]
    fn a_name_server_on_169_254_goes_through_the_tunnel() {
        let changes = changes(&tables(&["169.254.169.253/32"], &[]), &[]);
        assert_eq!(changes.add, [into_tunnel("169.254.169.253/32")]);
    }

    #[test]
    fn a_route_to_the_endpoint_alone_is_not_copied() {
        let endpoints = ["203.0.113.5".parse().unwrap()];
        let changes = changes(&tables(&["203.0.113.5/32"], &[]), &endpoints);
        assert_eq!(changes.add, [as_otherwise("203.0.113.5/32")]);
        assert_eq!(changes.routes, [0, 0]);
    }

    #[test]
    fn the_table_follows_what_is_set_and_what_is_an_exception() {
        let mut now = tables(&["10.0.0.0/8"], &["10.0.0.1"]);
        now.own = vec![
            as_otherwise("10.0.0.2/32"),
            into_tunnel("10.0.0.0/8"),
            into_tunnel("172.16.0.0/12"),
            into_tunnel("10.0.0.1/32"),
        ];
        let changes = changes(&now, &[]);
        assert_eq!(changes.add, [as_otherwise("10.0.0.1/32")]);
        // Of the two that go, the way into the tunnel is first: its exception is needed until then.
        assert_eq!(
            changes.remove,
            [into_tunnel("172.16.0.0/12"), as_otherwise("10.0.0.2/32")]
        );
        let changes = super::changes(
            &Tables {
                own: now.own,
                ..Tables::default()
            },
            &[],
        );
        assert_eq!((changes.add, changes.remove.len()), (vec![], 4));
        assert_eq!(changes.routes, [0, 0]);
    }
}
