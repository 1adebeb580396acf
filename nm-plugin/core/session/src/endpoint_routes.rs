//! The way to the endpoint, which never goes through a tunnel.
//!
//! A full tunnel's default route, or any other that covers the endpoint's addresses, would take
//! OpenVPN's own packets as well. NetworkManager sets a route to the endpoint when it is given the
//! settings of a tunnel, and keeps that one: with another router on the same interface it leads
//! nowhere (nm-vpn-connection.c looks again only for another device), and while a VPN has the default
//! route, NetworkManager's policy gives it no other device (`get_best_ip_config` and
//! `update_ip4_routing` in nm-policy.c, 1.42 to 1.58). So each known address of the endpoint has a
//! host route of ours, which follows the best way outside all our tunnels and, by its metric, takes
//! precedence over NetworkManager's.

use crate::ip::Network;
use crate::netlink::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, frame, push_attribute,
};
use crate::route_guard::rtnetlink::{
    AF_INET, AF_INET6, FLAG_CLONED, FLAG_ON_LINK, Message, RTA_DST, RTA_GATEWAY, RTA_OIF,
    RTA_TABLE, RTM_DELROUTE, RTM_NEWROUTE, TYPE_UNICAST,
};
use std::cmp::Reverse;
use std::net::IpAddr;

const TABLE_MAIN: u8 = 254;
/// Who has set a route (`rtm_protocol`): a number that no program is known to use (iproute2's
/// `rt_protos`).
const PROTOCOL_OURS: u8 = 201;
/// Before NetworkManager's route to the endpoint, which has the metric of its device.
const METRIC: u32 = 1;
/// `RT_SCOPE_LINK`, of an IPv4 route without a router.
const SCOPE_LINK: u8 = 253;
/// `RTNH_F_DEAD`
const FLAG_DEAD: u32 = 0x1;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
/// The next hops of a route that has several.
const RTA_MULTIPATH: u16 = 9;
/// A router of the other family.
const RTA_VIA: u16 = 18;
/// The size of `struct rtnexthop`.
const NEXT_HOP: usize = 8;

/// A next hop: an interface, and the router there, as the kernel writes both.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hop {
    device: u32,
    /// `RTA_GATEWAY` or `RTA_VIA`; none on the link.
    router: Option<(u16, Vec<u8>)>,
    /// The address of this computer that packets come from, where the route says so.
    source: Option<Vec<u8>>,
    flags: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Outside {
    network: Network<IpAddr>,
    metric: u32,
    hop: Hop,
}

/// What the kernel's main table says of the ways outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    outside: Vec<Outside>,
    /// Our own routes.
    own: Vec<(IpAddr, Hop)>,
}

/// What is to be done so that each address has its route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The address gets this request for a route.
    Set(IpAddr, Vec<u8>),
    /// There is no way to it any more: the request takes its route away.
    Remove(IpAddr, Vec<u8>),
}

impl Ways {
    /// Takes in a message of the kernel's list of routes; `tunnels` are the numbers of our interfaces.
    pub fn take_in(&mut self, kind: u16, payload: &[u8], tunnels: &[u32]) {
        if kind == RTM_NEWROUTE {
            self.take_in_route(payload, tunnels);
        }
    }

    fn take_in_route(&mut self, payload: &[u8], tunnels: &[u32]) -> Option<()> {
        let message = Message::read(payload)?;
        let [_, _, _, _, table, protocol, _, kind, f0, f1, f2, f3] = message.header;
        let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
        let table = message.number(RTA_TABLE).unwrap_or(table.into());
        if table != TABLE_MAIN.into()
            || kind != TYPE_UNICAST
            || flags & (FLAG_CLONED | FLAG_DEAD) != 0
        {
            return None;
        }
        let network = message.network()?;
        let hop = Hop::read(&message, flags)?;
        if protocol == PROTOCOL_OURS {
            self.own.push((network.address, hop));
        } else if !tunnels.contains(&hop.device) {
            self.outside.push(Outside {
                network,
                metric: message.number(RTA_PRIORITY).unwrap_or(0),
                hop,
            });
        }
        Some(())
    }

    /// Whether somebody else has set a route to just this address, and we have not.
    pub fn has_route_of_others(&self, address: IpAddr) -> bool {
        let is_own = self.own.iter().any(|(own, _)| *own == address);
        !is_own && self.outside.iter().any(|other| other.is_to(address))
    }

    /// What makes our routes lead to `addresses` by the best way outside. What else leads to just one
    /// of them is NetworkManager's, and may be of yesterday's network.
    #[must_use]
    pub fn changes(&self, addresses: &[IpAddr]) -> Vec<Change> {
        let of = |address: &IpAddr| {
            let own = self.own.iter().find(|(own, _)| own == address);
            match (self.best(*address), own) {
                (Some(best), Some((_, own))) if best == own => None,
                (Some(best), _) => Some(Change::Set(*address, best.route_to(*address))),
                (None, Some(_)) => Some(Change::Remove(*address, removal(*address))),
                (None, None) => None,
            }
        };
        addresses.iter().filter_map(of).collect()
    }

    fn best(&self, address: IpAddr) -> Option<&Hop> {
        let leads_there = |other: &&Outside| {
            other.network.covers(Network::host(address)) && !other.is_to(address)
        };
        let ways = self.outside.iter().filter(leads_there);
        // Of several that are alike, the first one.
        let best = ways
            .rev()
            .max_by_key(|way| (way.network.prefix, Reverse(way.metric)))?;
        Some(&best.hop)
    }

    /// The addresses that we have routes to.
    pub fn own(&self) -> impl Iterator<Item = IpAddr> {
        self.own.iter().map(|(address, _)| *address)
    }
}

impl Outside {
    fn is_to(&self, address: IpAddr) -> bool {
        self.network == Network::host(address)
    }
}

impl Hop {
    /// The only next hop of a route, or the first.
    fn read(route: &Message<'_>, flags: u32) -> Option<Self> {
        let source = route.attribute(RTA_PREFSRC).map(<[u8]>::to_vec);
        if let Some(device) = route.number(RTA_OIF) {
            return Some(Self {
                device,
                router: router(route),
                source,
                flags: flags & FLAG_ON_LINK,
            });
        }
        // `struct rtnexthop`: length, flags, hops, interface; then its attributes.
        let several = route.attribute(RTA_MULTIPATH)?;
        let ([l0, l1, flags, _, d0, d1, d2, d3], _) = several.split_first_chunk::<NEXT_HOP>()?;
        let length = usize::from(u16::from_ne_bytes([*l0, *l1]));
        let attributes = Message::of_attributes(several.get(NEXT_HOP..length)?)?;
        Some(Self {
            device: u32::from_ne_bytes([*d0, *d1, *d2, *d3]),
            router: router(&attributes),
            source,
            flags: u32::from(*flags) & FLAG_ON_LINK,
        })
    }

    fn route_to(&self, address: IpAddr) -> Vec<u8> {
        let scope = match (address, &self.router) {
            (IpAddr::V4(_), None) => SCOPE_LINK,
            (IpAddr::V4(_), Some(_)) | (IpAddr::V6(_), _) => 0,
        };
        let mut body = route(address, scope, self.flags);
        push_attribute(&mut body, RTA_OIF, &self.device.to_ne_bytes());
        if let Some((kind, value)) = &self.router {
            push_attribute(&mut body, *kind, value);
        }
        if let Some(source) = &self.source {
            push_attribute(&mut body, RTA_PREFSRC, source);
        }
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
        frame(RTM_NEWROUTE, flags, 0, &body)
    }
}

fn router(message: &Message<'_>) -> Option<(u16, Vec<u8>)> {
    let of = |kind| Some((kind, message.attribute(kind)?.to_vec()));
    of(RTA_GATEWAY).or_else(|| of(RTA_VIA))
}

/// The request that takes our route to `address` away.
#[must_use]
pub fn removal(address: IpAddr) -> Vec<u8> {
    // `RT_SCOPE_NOWHERE`: whatever scope it has.
    let body = route(address, 255, 0);
    frame(RTM_DELROUTE, NLM_F_REQUEST | NLM_F_ACK, 0, &body)
}

fn route(address: IpAddr, scope: u8, flags: u32) -> Vec<u8> {
    let (family, bytes) = match address {
        IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
    };
    let prefix = Network::host(address).prefix;
    let mut body = vec![
        family,
        prefix,
        0,
        0,
        TABLE_MAIN,
        PROTOCOL_OURS,
        scope,
        TYPE_UNICAST,
    ];
    body.extend(flags.to_ne_bytes());
    push_attribute(&mut body, RTA_DST, &bytes);
    push_attribute(&mut body, RTA_PRIORITY, &METRIC.to_ne_bytes());
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::messages;
    use proptest::prelude::*;

    const ENDPOINT: [u8; 4] = [192, 0, 2, 1];
    const TUNNEL: u32 = 9;

    /// A route of the kernel's list: IPv4, of this metric, through a router on an interface.
    fn listed(network: [u8; 4], prefix: u8, metric: u32, router: u8, device: u32) -> Vec<u8> {
        let mut body = vec![
            AF_INET,
            prefix,
            0,
            0,
            TABLE_MAIN,
            4,
            0,
            TYPE_UNICAST,
            0,
            0,
            0,
            0,
        ];
        if prefix > 0 {
            push_attribute(&mut body, RTA_DST, &network);
        }
        push_attribute(&mut body, RTA_PRIORITY, &metric.to_ne_bytes());
        push_attribute(&mut body, RTA_GATEWAY, &[10, 0, 0, router]);
        push_attribute(&mut body, RTA_OIF, &device.to_ne_bytes());
        frame(RTM_NEWROUTE, 0, 0, &body)
    }

    fn ways(routes: &[Vec<u8>]) -> Ways {
        let mut ways = Ways::default();
        for message in messages(&routes.concat()) {
            ways.take_in(message.kind, message.content, &[TUNNEL]);
        }
        ways
    }

    /// The router that the endpoint's route leads to, as the kernel would list it.
    fn router_of(changes: &[Change]) -> Option<Vec<u8>> {
        let [Change::Set(_, request)] = changes else {
            return None;
        };
        let message = Message::read(&request[16..]).unwrap();
        message.attribute(RTA_GATEWAY).map(<[u8]>::to_vec)
    }

    #[test]
    fn the_best_way_is_the_most_specific_and_then_the_one_with_the_lowest_metric() {
        let address = [IpAddr::from(ENDPOINT)];
        let everything = listed([0; 4], 0, 100, 1, 2);
        let other = listed([0; 4], 0, 600, 2, 3);
        let into_tunnel = listed([0; 4], 0, 50, 3, TUNNEL);
        let network = listed([192, 0, 2, 0], 24, 700, 4, 3);
        let elsewhere = listed([198, 51, 100, 0], 24, 1, 5, 3);
        let routes = [other, into_tunnel, everything, elsewhere];
        let to = |routes: &[Vec<u8>]| router_of(&ways(routes).changes(&address));
        assert_eq!(to(&routes), Some(vec![10, 0, 0, 1]));
        assert_eq!(
            to(&[&routes[..], &[network]].concat()),
            Some(vec![10, 0, 0, 4])
        );
        assert_eq!(to(&routes[1..2]), None, "there is only the tunnel");
    }

    #[test]
    fn a_route_follows_the_way_and_goes_with_it() {
        let address = IpAddr::from(ENDPOINT);
        let before = ways(&[listed([0; 4], 0, 100, 1, 2)]);
        let [Change::Set(set, request)] = &before.changes(&[address])[..] else {
            panic!("{before:?}");
        };
        assert_eq!(*set, address);
        // NetworkManager's own, through the router of before, counts for nothing.
        let stale = listed(ENDPOINT, 32, 100, 1, 2);
        let now = |default: &[Vec<u8>]| {
            let all = [&[request.clone(), stale.clone()], default].concat();
            ways(&all)
        };
        let same = now(&[listed([0; 4], 0, 100, 1, 2)]);
        assert_eq!(same.changes(&[address]), []);
        assert_eq!(same.own().collect::<Vec<_>>(), [address]);
        let other = now(&[listed([0; 4], 0, 100, 7, 2)]);
        assert_eq!(
            router_of(&other.changes(&[address])),
            Some(vec![10, 0, 0, 7])
        );
        let gone = now(&[]).changes(&[address]);
        assert_eq!(gone, [Change::Remove(address, removal(address))]);
        assert_eq!(ways(&[stale]).changes(&[address]), []);
    }

    #[test]
    fn what_others_have_set_for_the_address_before_is_known() {
        let address = IpAddr::from(ENDPOINT);
        let others = listed(ENDPOINT, 32, 0, 1, 2);
        assert!(ways(std::slice::from_ref(&others)).has_route_of_others(address));
        assert!(!ways(&[listed([0; 4], 0, 0, 1, 2)]).has_route_of_others(address));
        let [Change::Set(_, own)] = &ways(&[listed([0; 4], 0, 0, 1, 2)]).changes(&[address])[..]
        else {
            panic!();
        };
        assert!(!ways(&[others, own.clone()]).has_route_of_others(address));
    }

    #[test]
    fn of_several_next_hops_the_first_is_taken() {
        let mut hops = Vec::new();
        for (router, device) in [(1, 2_u32), (2, 3)] {
            hops.extend([16, 0, 0, 0]);
            hops.extend(device.to_ne_bytes());
            push_attribute(&mut hops, RTA_GATEWAY, &[10, 0, 0, router]);
        }
        let mut body = vec![AF_INET, 0, 0, 0, TABLE_MAIN, 4, 0, TYPE_UNICAST, 0, 0, 0, 0];
        push_attribute(&mut body, RTA_MULTIPATH, &hops);
        let ways = ways(&[frame(RTM_NEWROUTE, 0, 0, &body)]);
        let changes = ways.changes(&[ENDPOINT.into()]);
        assert_eq!(router_of(&changes), Some(vec![10, 0, 0, 1]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, address: IpAddr) {
            let mut ways = Ways::default();
            ways.take_in(RTM_NEWROUTE, &bytes, &[TUNNEL]);
            let _ = (ways.changes(&[address]), ways.has_route_of_others(address));
        }
    }
}
