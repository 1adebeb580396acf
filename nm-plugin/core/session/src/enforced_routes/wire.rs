//! Our table and its rule as the kernel has them.

use super::{Entry, Tables, Way};
use crate::netlink::{NLM_F_SET, RTM_DELROUTE, RTM_NEWROUTE, RTM_NEWRULE, attribute, ip, network};
use crate::netlink::{request, route_to, routes, rules, table};
use crate::own_table::{device_of, is_own_table, table_of};
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{RouteAttribute, RouteFlags, RouteHeader, RouteMessage};
use netlink_packet_route::route::{RouteProtocol, RouteScope, RouteType};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};
use std::net::IpAddr;

/// Before the main table's rule (32766) and those of WireGuard's tools (32764); after what an
/// administrator is likely to have put in front.
const PRIORITY: u32 = 32_000;

const RTM_DELRULE: u16 = 33;
const RTM_GETRULE: u16 = 34;

/// IPv4 and IPv6, each of which has rules of its own.
pub const FAMILIES: [AddressFamily; 2] = [AddressFamily::Inet, AddressFamily::Inet6];

/// The question for all rules.
#[must_use]
pub fn rules_request() -> Vec<u8> {
    request(RTM_GETRULE, NLM_F_DUMP, &RuleMessage::default())
}

impl Tables {
    /// Reads the kernel's list of routes, for the tunnel whose interface has the number `device`.
    #[must_use]
    pub fn read(answer: &[u8], device: u32) -> Self {
        let mut tables = Self::default();
        for route in routes(answer) {
            let is_copy = route.header.flags.contains(RouteFlags::Cloned);
            let Some(network) = network(&route).filter(|_| !is_copy) else {
                continue;
            };
            let is_of_the_tunnel = attribute!(route, RouteAttribute::Oif) == Some(&device);
            let is_unicast = route.header.kind == RouteType::Unicast;
            let source = attribute!(route, RouteAttribute::PrefSource).and_then(ip);
            let way = Way::Tunnel(source);
            if table(&route) == table_of(device) {
                if is_unicast && is_of_the_tunnel {
                    tables.own.push(Entry { network, way });
                } else if route.header.kind == RouteType::Throw {
                    let way = Way::AsOtherwise;
                    tables.own.push(Entry { network, way });
                }
            } else if table(&route) == u32::from(RouteHeader::RT_TABLE_MAIN) && is_unicast {
                if !is_of_the_tunnel {
                    let router = attribute!(route, RouteAttribute::Gateway).and_then(ip);
                    let is_new = |router: &IpAddr| !tables.routers.contains(router);
                    tables.routers.extend(router.filter(is_new));
                } else if route.header.protocol != RouteProtocol::Kernel {
                    tables.tunnel.push(Entry { network, way });
                }
            }
        }
        tables
    }
}

/// What is left of tunnels that are gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOver {
    /// The family of each rule, and its table.
    rules: Vec<(AddressFamily, u32)>,
    /// The table of each route, and the route.
    routes: Vec<(u32, Entry)>,
}

impl LeftOver {
    /// Reads the answer to a [`rules_request`]. Leaves the tunnels alone whose interfaces are there.
    pub fn read(answer: &[u8], is_there: impl Fn(u32) -> bool) -> Self {
        let tables = rules(answer).filter_map(|rule| {
            let is_ours = attribute!(rule, RuleAttribute::Priority) == Some(&PRIORITY);
            let table = *attribute!(rule, RuleAttribute::Table)?;
            let is_left = is_ours && is_own_table(table) && !is_there(device_of(table));
            is_left.then_some((rule.header.family, table))
        });
        Self {
            rules: tables.collect(),
            routes: Vec::new(),
        }
    }

    /// Reads the kernel's list of routes.
    pub fn read_routes(&mut self, answer: &[u8]) {
        let throws = routes(answer).filter(|route| route.header.kind == RouteType::Throw);
        let entries = throws.filter_map(|route| {
            let way = Way::AsOtherwise;
            let network = network(&route)?;
            Some((table(&route), Entry { network, way }))
        });
        let is_left = |of: u32| self.rules.iter().any(|(_, table)| *table == of);
        self.routes = entries.filter(|(table, _)| is_left(*table)).collect();
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What takes it away.
    pub fn requests(&self) -> impl Iterator<Item = Vec<u8>> {
        let rules = self.rules.iter();
        let rules = rules.map(|(family, table)| rule_of(*family, *table, RTM_DELRULE, NLM_F_ACK));
        let routes = self.routes.iter();
        rules.chain(routes.map(|(table, entry)| removal_from(*table, entry, None)))
    }
}

/// The request that puts `entry` into the table of `device`, in the place of another one to the
/// same network.
#[must_use]
pub fn addition(entry: &Entry, device: u32) -> Vec<u8> {
    let route = route(entry, table_of(device), Some(device));
    request(RTM_NEWROUTE, NLM_F_SET, &route)
}

/// The request that takes `entry` out of the table of `device`.
#[must_use]
pub fn removal(entry: &Entry, device: u32) -> Vec<u8> {
    removal_from(table_of(device), entry, Some(device))
}

fn removal_from(table: u32, entry: &Entry, device: Option<u32>) -> Vec<u8> {
    request(RTM_DELROUTE, NLM_F_ACK, &route(entry, table, device))
}

/// The request that has the kernel ask the table of `device` before the main one. It fails with
/// `EEXIST` where that is so.
#[must_use]
pub fn rule(family: AddressFamily, device: u32) -> Vec<u8> {
    let flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    rule_of(family, table_of(device), RTM_NEWRULE, flags)
}

/// The end of [`rule`].
#[must_use]
pub fn no_rule(family: AddressFamily, device: u32) -> Vec<u8> {
    rule_of(family, table_of(device), RTM_DELRULE, NLM_F_ACK)
}

fn rule_of(family: AddressFamily, table: u32, kind: u16, flags: u16) -> Vec<u8> {
    let mut rule = RuleMessage::default();
    rule.header.family = family;
    rule.header.action = RuleAction::ToTable;
    rule.attributes = vec![
        RuleAttribute::Priority(PRIORITY),
        RuleAttribute::Table(table),
    ];
    request(kind, flags, &rule)
}

fn route(entry: &Entry, table: u32, device: Option<u32>) -> RouteMessage {
    let mut route = route_to(entry.network);
    route.header.protocol = RouteProtocol::Static;
    route.attributes.push(RouteAttribute::Table(table));
    let Way::Tunnel(source) = entry.way else {
        route.header.kind = RouteType::Throw;
        return route;
    };
    if entry.network.address.is_ipv4() {
        route.header.scope = RouteScope::Link;
    }
    if let Some(device) = device {
        route.attributes.push(RouteAttribute::Oif(device));
        let source = source.map(|source| RouteAttribute::PrefSource(source.into()));
        route.attributes.extend(source);
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::Network;
    use crate::netlink::frame;
    use crate::netlink::tests::{body, parts};
    use proptest::prelude::*;
    use std::net::Ipv6Addr;

    fn entry(network: &str, way: Way) -> Entry {
        let (address, prefix) = network.split_once('/').unwrap();
        Entry {
            network: Network {
                address: address.parse().unwrap(),
                prefix: prefix.parse().unwrap(),
            },
            way,
        }
    }

    #[test]
    fn what_is_put_into_the_table_is_what_is_read_of_it() {
        let source = Some("10.88.0.2".parse().unwrap());
        let entries = [
            entry("10.0.0.1/32", Way::AsOtherwise),
            entry("10.0.0.0/8", Way::Tunnel(source)),
            entry("fe80::/10", Way::AsOtherwise),
            entry("fd00:99::/32", Way::Tunnel(None)),
        ];
        let bytes: Vec<u8> = entries
            .iter()
            .flat_map(|entry| addition(entry, 7))
            .collect();
        let tables = Tables::read(&bytes, 7);
        assert_eq!(tables.own, entries);
        assert!(tables.tunnel.is_empty() && tables.routers.is_empty());
        // It is another tunnel's.
        assert_eq!(Tables::read(&bytes, 8), Tables::default());
        let removal = removal(&entries[0], 7);
        assert_eq!(removal[4..6], 25_u16.to_ne_bytes());
    }

    #[test]
    fn requests_are_as_the_kernel_s_headers_say() {
        // NLM_F_REQUEST and NLM_F_DUMP.
        assert_eq!(parts(&rules_request()), (34, 0x301, &[0; 12][..]));

        let (priority, table) = (32_000_u32.to_ne_bytes(), 35_001_007_u32.to_ne_bytes());
        let rule_of = |family| {
            let header = [family, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
            body(&header, &[(6, &priority), (15, &table)])
        };
        // NLM_F_REQUEST, _ACK, _EXCL and _CREATE.
        let request = rule(AddressFamily::Inet, 7);
        assert_eq!(parts(&request), (32, 0x605, &rule_of(2)[..]));
        let request = no_rule(AddressFamily::Inet6, 7);
        assert_eq!(parts(&request), (33, 0x5, &rule_of(10)[..]));

        let device = 7_u32.to_ne_bytes();
        let tunnel = body(
            &[2, 8, 0, 0, 0, 4, 253, 1, 0, 0, 0, 0],
            &[
                (1, &[10, 0, 0, 0]),
                (15, &table),
                (4, &device),
                (7, &[10, 88, 0, 2]),
            ],
        );
        let source = Some("10.88.0.2".parse().unwrap());
        let entry_of_tunnel = entry("10.0.0.0/8", Way::Tunnel(source));
        // NLM_F_REQUEST, _ACK, _REPLACE and _CREATE.
        let request = addition(&entry_of_tunnel, 7);
        assert_eq!(parts(&request), (24, 0x505, &tunnel[..]));
        let request = removal(&entry_of_tunnel, 7);
        assert_eq!(parts(&request), (25, 0x5, &tunnel[..]));
        let ipv6: Ipv6Addr = "fd00:99::".parse().unwrap();
        let otherwise = body(
            &[10, 32, 0, 0, 0, 4, 0, 9, 0, 0, 0, 0],
            &[(1, &ipv6.octets()), (15, &table)],
        );
        let request = addition(&entry("fd00:99::/32", Way::AsOtherwise), 7);
        assert_eq!(parts(&request), (24, 0x505, &otherwise[..]));
    }

    #[test]
    fn of_the_kernel_s_routes_those_count_that_programs_have_set() {
        let (main, own, unicast, throw, static_, kernel) = (254, 35_001_007, 1, 9, 4, 2);
        let taken = |device: u32, table: u32, protocol: u8, kind: u8, flags: u32| {
            let [f0, f1, f2, f3] = flags.to_ne_bytes();
            let table_byte = u8::try_from(table).unwrap_or(0);
            let header = [2, 16, 0, 0, table_byte, protocol, 0, kind, f0, f1, f2, f3];
            let (table, device) = (table.to_ne_bytes(), device.to_ne_bytes());
            let attributes: [(u16, &[u8]); 4] = [
                (1, &[10, 20, 0, 0]),
                (15, &table),
                (4, &device),
                (5, &[192, 168, 1, 1]),
            ];
            let message = frame(RTM_NEWROUTE, 0, 0, &body(&header, &attributes));
            let tables = Tables::read(&[message.clone(), message].concat(), 7);
            (tables.own.len(), tables.tunnel.len(), tables.routers.len())
        };
        assert_eq!(taken(7, main, static_, unicast, 0), (0, 2, 0));
        assert_eq!(taken(7, own, static_, unicast, 0), (2, 0, 0));
        assert_eq!(taken(7, own, static_, throw, 0), (2, 0, 0));
        // A router is known once.
        assert_eq!(taken(3, main, static_, unicast, 0), (0, 0, 1));
        for (device, table, protocol, kind, flags) in [
            // With an address of the interface, by the kernel or by NetworkManager in its place.
            (7, main, kernel, unicast, 0),
            // Another interface's in our table, and one of another table.
            (3, own, static_, unicast, 0),
            (7, 100, static_, unicast, 0),
            (7, main, static_, throw, 0),
            // What the kernel has learnt of a route (RTM_F_CLONED).
            (7, main, static_, unicast, 0x200),
        ] {
            let taken = taken(device, table, protocol, kind, flags);
            assert_eq!(
                taken,
                (0, 0, 0),
                "{device} {table} {protocol} {kind} {flags}"
            );
        }
    }

    #[test]
    fn a_default_route_is_one_to_everything_of_its_family() {
        let device = 7_u32.to_ne_bytes();
        for (family, expected) in [(2, "0.0.0.0/0"), (10, "::/0")] {
            let header = [family, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
            let message = frame(RTM_NEWROUTE, 0, 0, &body(&header, &[(4, &device)]));
            assert_eq!(
                Tables::read(&message, 7).tunnel,
                [entry(expected, Way::Tunnel(None))]
            );
        }
    }

    #[test]
    fn a_rule_is_left_over_once_its_interface_is_gone() {
        let rules = [rule(AddressFamily::Inet, 7), rule(AddressFamily::Inet6, 8)].concat();
        let mut left_over = LeftOver::read(&rules, |device| device == 8);
        assert!(!left_over.is_empty());
        let routes = [
            addition(&entry("10.0.0.1/32", Way::AsOtherwise), 7),
            addition(&entry("10.0.0.2/32", Way::AsOtherwise), 8),
        ];
        left_over.read_routes(&routes.concat());
        let requests: Vec<_> = left_over.requests().collect();
        assert_eq!(
            requests,
            [
                no_rule(AddressFamily::Inet, 7),
                removal(&entry("10.0.0.1/32", Way::AsOtherwise), 7)
            ]
        );
        assert!(LeftOver::read(&rules, |_| true).is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, device: u32) {
            let _ = Tables::read(&frame(RTM_NEWROUTE, 0, 0, &bytes), device);
            let mut left_over = LeftOver::read(&frame(RTM_NEWRULE, 0, 0, &bytes), |_| false);
            left_over.read_routes(&frame(RTM_NEWROUTE, 0, 0, &bytes));
        }
    }
}
