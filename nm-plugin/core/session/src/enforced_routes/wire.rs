//! Our table and its rule as the kernel writes them (linux/rtnetlink.h, linux/fib_rules.h).

use super::{Entry, Tables, Way};
use crate::ip::Network;
use crate::netlink::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, frame,
    push_attribute,
};
use crate::own_table::{device_of, is_own_table, table_of};
use crate::route_guard::rtnetlink::{
    AF_INET, AF_INET6, FLAG_CLONED, MESSAGE, Message, PROTOCOL_KERNEL, RTA_DST, RTA_GATEWAY,
    RTA_OIF, RTA_TABLE, RTM_DELROUTE, RTM_NEWROUTE, TYPE_UNICAST,
};
use std::net::IpAddr;

/// Before the main table's rule (32766) and those of WireGuard's tools (32764); after what an
/// administrator is likely to have put in front.
const PRIORITY: u32 = 32_000;

const RTM_NEWRULE: u16 = 32;
const RTM_DELRULE: u16 = 33;
const RTM_GETRULE: u16 = 34;
const TABLE_MAIN: u32 = 254;
const PROTOCOL_STATIC: u8 = 4;
const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
/// "Go on with the next table."
const TYPE_THROW: u8 = 9;
const RTA_PREFSRC: u16 = 7;
const FRA_PRIORITY: u16 = 6;
const FRA_TABLE: u16 = 15;
const ACTION_TO_TABLE: u8 = 1;

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4
    Ipv4,
    /// IPv6
    Ipv6,
}

impl Family {
    fn number(self) -> u8 {
        match self {
            Self::Ipv4 => AF_INET,
            Self::Ipv6 => AF_INET6,
        }
    }
}

/// The question for all rules.
#[must_use]
pub fn rules_request() -> Vec<u8> {
    frame(RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, 0, &[0; MESSAGE])
}

impl Tables {
    /// Takes in a message of the kernel's list of routes, for the tunnel whose interface has the
    /// number `device`.
    pub fn take_in(&mut self, kind: u16, payload: &[u8], device: u32) {
        let Some(message) = Message::read(payload).filter(|_| kind == RTM_NEWROUTE) else {
            return;
        };
        let [_, _, _, _, table, protocol, _, kind, f0, f1, f2, f3] = message.header;
        if u32::from_ne_bytes([f0, f1, f2, f3]) & FLAG_CLONED != 0 {
            return;
        }
        let table = message.number(RTA_TABLE).unwrap_or(u32::from(table));
        let is_of_the_tunnel = message.number(RTA_OIF) == Some(device);
        let Some(network) = message.network() else {
            return;
        };
        let into_tunnel = Entry {
            network,
            way: Way::Tunnel(message.address(RTA_PREFSRC)),
        };
        if table == table_of(device) {
            match kind {
                TYPE_UNICAST if is_of_the_tunnel => self.own.push(into_tunnel),
                TYPE_THROW => self.own.push(Entry {
                    way: Way::AsOtherwise,
                    ..into_tunnel
                }),
                _ => {}
            }
        } else if table == TABLE_MAIN && kind == TYPE_UNICAST {
            if !is_of_the_tunnel {
                let router = message.address(RTA_GATEWAY);
                let is_new = |router: &IpAddr| !self.routers.contains(router);
                self.routers.extend(router.filter(is_new));
            } else if protocol != PROTOCOL_KERNEL {
                self.tunnel.push(into_tunnel);
            }
        }
    }
}

/// What is left of tunnels that are gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOver {
    /// The family of each rule, and its table.
    rules: Vec<(u8, u32)>,
    /// The table of each route, and the route.
    routes: Vec<(u32, Entry)>,
}

impl LeftOver {
    /// Takes in a message of the answer to a [`rules_request`].
    pub fn take_in_rule(&mut self, kind: u16, payload: &[u8]) {
        if let Some(message) = Message::read(payload)
            && kind == RTM_NEWRULE
            && message.number(FRA_PRIORITY) == Some(PRIORITY)
            && let Some(table) = message.number(FRA_TABLE)
            && is_own_table(table)
        {
            self.rules.push((message.header[0], table));
        }
    }

    /// Leaves the tunnels alone whose interfaces are there.
    pub fn leave(&mut self, is_there: impl Fn(u32) -> bool) {
        self.rules.retain(|(_, table)| !is_there(device_of(*table)));
    }

    /// Takes in a message of the kernel's list of routes, after the rules.
    pub fn take_in_route(&mut self, kind: u16, payload: &[u8]) {
        if let Some(message) = Message::read(payload)
            && kind == RTM_NEWROUTE
            && message.header[7] == TYPE_THROW
            && let Some(table) = message.number(RTA_TABLE)
            && let Some(address) = message.address(RTA_DST)
            && self.rules.iter().any(|(_, own)| *own == table)
        {
            let prefix = message.header[1];
            let entry = Entry {
                network: Network { address, prefix },
                way: Way::AsOtherwise,
            };
            self.routes.push((table, entry));
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What takes it away.
    pub fn requests(&self) -> impl Iterator<Item = Vec<u8>> {
        let flags = NLM_F_REQUEST | NLM_F_ACK;
        let rules = self.rules.iter();
        let rules = rules.map(move |(family, table)| rule_of(*family, *table, RTM_DELRULE, flags));
        let routes = self.routes.iter();
        rules.chain(routes.map(|(table, entry)| removal_from(*table, entry, None)))
    }
}

/// The request that puts `entry` into the table of `device`, in the place of another one to the
/// same network.
#[must_use]
pub fn addition(entry: &Entry, device: u32) -> Vec<u8> {
    let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    route(RTM_NEWROUTE, flags, entry, table_of(device), Some(device))
}

/// The request that takes `entry` out of the table of `device`.
#[must_use]
pub fn removal(entry: &Entry, device: u32) -> Vec<u8> {
    removal_from(table_of(device), entry, Some(device))
}

fn removal_from(table: u32, entry: &Entry, device: Option<u32>) -> Vec<u8> {
    route(
        RTM_DELROUTE,
        NLM_F_REQUEST | NLM_F_ACK,
        entry,
        table,
        device,
    )
}

/// The request that has the kernel ask the table of `device` before the main one. It fails with
/// `EEXIST` where that is so.
#[must_use]
pub fn rule(family: Family, device: u32) -> Vec<u8> {
    let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    rule_of(family.number(), table_of(device), RTM_NEWRULE, flags)
}

/// The end of [`rule`].
#[must_use]
pub fn no_rule(family: Family, device: u32) -> Vec<u8> {
    let flags = NLM_F_REQUEST | NLM_F_ACK;
    rule_of(family.number(), table_of(device), RTM_DELRULE, flags)
}

fn rule_of(family: u8, table: u32, kind: u16, flags: u16) -> Vec<u8> {
    let mut body = vec![family, 0, 0, 0, 0, 0, 0, ACTION_TO_TABLE, 0, 0, 0, 0];
    push_attribute(&mut body, FRA_PRIORITY, &PRIORITY.to_ne_bytes());
    push_attribute(&mut body, FRA_TABLE, &table.to_ne_bytes());
    frame(kind, flags, 0, &body)
}

fn route(kind: u16, flags: u16, entry: &Entry, table: u32, device: Option<u32>) -> Vec<u8> {
    let Network { address, prefix } = entry.network;
    let (type_, scope) = match entry.way {
        Way::Tunnel(_) => (TYPE_UNICAST, SCOPE_LINK),
        Way::AsOtherwise => (TYPE_THROW, SCOPE_UNIVERSE),
    };
    let (family, scope) = match address {
        IpAddr::V4(_) => (AF_INET, scope),
        IpAddr::V6(_) => (AF_INET6, SCOPE_UNIVERSE),
    };
    let mut body = vec![family, prefix, 0, 0, 0, PROTOCOL_STATIC, scope, type_];
    body.extend([0; 4]);
    let octets = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    push_attribute(&mut body, RTA_DST, &octets(address));
    push_attribute(&mut body, RTA_TABLE, &table.to_ne_bytes());
    if let (Way::Tunnel(source), Some(device)) = (entry.way, device) {
        push_attribute(&mut body, RTA_OIF, &device.to_ne_bytes());
        if let Some(source) = source {
            push_attribute(&mut body, RTA_PREFSRC, &octets(source));
        }
    }
    frame(kind, flags, 0, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::messages;
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

    fn tables_of(bytes: &[u8], device: u32) -> Tables {
        let mut tables = Tables::default();
        for message in messages(bytes) {
            tables.take_in(message.kind, message.content, device);
        }
        tables
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
        let tables = tables_of(&bytes, 7);
        assert_eq!(tables.own, entries);
        assert!(tables.tunnel.is_empty() && tables.routers.is_empty());
        // It is another tunnel's.
        assert_eq!(tables_of(&bytes, 8), Tables::default());
        let removal = removal(&entries[0], 7);
        assert_eq!(removal[4..6], 25_u16.to_ne_bytes());
    }

    /// Kind and flags of a request (`struct nlmsghdr`), and what follows.
    fn parts(request: &[u8]) -> (u16, u16, &[u8]) {
        let number = |at: usize| u16::from_ne_bytes([request[at], request[at + 1]]);
        assert_eq!(usize::from(number(0)), request.len());
        (number(4), number(6), &request[16..])
    }

    /// A header, and the attributes after it.
    fn body(header: [u8; 12], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = header.to_vec();
        for (kind, value) in attributes {
            push_attribute(&mut body, *kind, value);
        }
        body
    }

    #[test]
    fn requests_are_as_the_kernel_s_headers_say() {
        // NLM_F_REQUEST and NLM_F_DUMP.
        assert_eq!(parts(&rules_request()), (34, 0x301, &[0; 12][..]));

        let (priority, table) = (32_000_u32.to_ne_bytes(), 35_001_007_u32.to_ne_bytes());
        let rule_of = |family| {
            let header = [family, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
            body(header, &[(6, &priority), (15, &table)])
        };
        // NLM_F_REQUEST, _ACK, _EXCL and _CREATE.
        let request = rule(Family::Ipv4, 7);
        assert_eq!(parts(&request), (32, 0x605, &rule_of(2)[..]));
        let request = no_rule(Family::Ipv6, 7);
        assert_eq!(parts(&request), (33, 0x5, &rule_of(10)[..]));

        let device = 7_u32.to_ne_bytes();
        let tunnel = body(
            [2, 8, 0, 0, 0, 4, 253, 1, 0, 0, 0, 0],
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
            [10, 32, 0, 0, 0, 4, 0, 9, 0, 0, 0, 0],
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
            let message = frame(RTM_NEWROUTE, 0, 0, &body(header, &attributes));
            let tables = tables_of(&[message.clone(), message].concat(), 7);
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
            let message = frame(RTM_NEWROUTE, 0, 0, &body(header, &[(4, &device)]));
            assert_eq!(
                tables_of(&message, 7).tunnel,
                [entry(expected, Way::Tunnel(None))]
            );
        }
    }

    #[test]
    fn a_rule_is_left_over_once_its_interface_is_gone() {
        let rules = [rule(Family::Ipv4, 7), rule(Family::Ipv6, 8)].concat();
        let mut left_over = LeftOver::default();
        for message in messages(&rules) {
            left_over.take_in_rule(message.kind, message.content);
        }
        left_over.leave(|device| device == 8);
        assert!(!left_over.is_empty());
        let routes = [
            addition(&entry("10.0.0.1/32", Way::AsOtherwise), 7),
            addition(&entry("10.0.0.2/32", Way::AsOtherwise), 8),
        ];
        for message in messages(&routes.concat()) {
            left_over.take_in_route(message.kind, message.content);
        }
        let requests: Vec<_> = left_over.requests().collect();
        assert_eq!(
            requests,
            [
                no_rule(Family::Ipv4, 7),
                removal(&entry("10.0.0.1/32", Way::AsOtherwise), 7)
            ]
        );
        left_over.leave(|_| true);
        assert!(left_over.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, device: u32) {
            for kind in [RTM_NEWROUTE, RTM_NEWRULE] {
                Tables::default().take_in(kind, &bytes, device);
                let mut left_over = LeftOver::default();
                left_over.take_in_rule(kind, &bytes);
                left_over.leave(|_| false);
                left_over.take_in_route(kind, &bytes);
            }
        }
    }
}
