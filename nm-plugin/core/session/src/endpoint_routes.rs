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
//!
//! A tunnel of others that came after ours and takes everything (0/0, or two halves) may be inside it:
//! ours would lead into itself. So it is only taken where there is nothing else, as it may be a modem.
//! One that was there before is outside: ours is inside that one. Made again, it counts as new.

use crate::interface::tunnel_like;
use crate::ip::Network;
use crate::netlink::{NLM_F_SET, RTM_DELROUTE, RTM_NEWROUTE, attribute, is_way};
use crate::netlink::{network, request, route_to, routes, table};
use netlink_packet_core::NLM_F_ACK;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteHeader};
use netlink_packet_route::route::{RouteMessage, RouteNextHopFlags, RouteProtocol, RouteScope};
use std::cmp::Reverse;
use std::net::IpAddr;

/// Who has set a route (`rtm_protocol`): a number that no program is known to use (iproute2's
/// `rt_protos`).
const PROTOCOL_OURS: RouteProtocol = RouteProtocol::Other(201);
/// Before NetworkManager's route to the endpoint, which has the metric of its device.
const METRIC: u32 = 1;

/// A next hop: an interface, and the router there, as the kernel writes both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) device: u32,
    /// `RTA_GATEWAY`, or `RTA_VIA` with a router of the other family; none on the link.
    pub(crate) router: Option<RouteAttribute>,
    /// The address of this computer that packets come from, where the route says so.
    source: Option<RouteAddress>,
    is_on_link: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Outside {
    network: Network<IpAddr>,
    metric: u32,
    hop: Hop,
    /// Whether it may lead into a tunnel inside ours.
    may_be_inside: bool,
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
    /// Reads the kernel's lists of routes and of interfaces; `tunnels` are the numbers of ours, and
    /// `newest` of the newest interface that was there before the tunnel was used.
    #[must_use]
    pub fn read(list: &[u8], interfaces: &[u8], tunnels: &[u32], newest: u32) -> Self {
        let mut ways = Self::default();
        let later = tunnel_like(interfaces).filter(|number| *number > newest);
        let later: Vec<_> = later.collect();
        let usable = routes(list).filter(|route| {
            table(route) == u32::from(RouteHeader::RT_TABLE_MAIN)
                && is_way(route)
                && !route.header.flags.contains(RouteFlags::Dead)
        });
        for route in usable {
            let (Some(network), Some(hop)) = (network(&route), Hop::read(&route)) else {
                continue;
            };
            let metric = attribute!(route, RouteAttribute::Priority).copied();
            let metric = metric.unwrap_or(0);
            if route.header.protocol == PROTOCOL_OURS {
                ways.own.push((network.address, hop));
            } else if !tunnels.contains(&hop.device) {
                ways.outside.push(Outside {
                    may_be_inside: later.contains(&hop.device),
                    network,
                    metric,
                    hop,
                });
            }
        }
        ways
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
        let best = ways.rev().max_by_key(|way| {
            let (prefix, metric) = (way.network.prefix, Reverse(way.metric));
            let is_for_all = prefix <= 1;
            (!(way.may_be_inside && is_for_all), prefix, metric)
        })?;
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
    pub(crate) fn read(route: &RouteMessage) -> Option<Self> {
        let source = attribute!(route, RouteAttribute::PrefSource).cloned();
        if let Some(device) = attribute!(route, RouteAttribute::Oif) {
            return Some(Self {
                device: *device,
                router: router(&route.attributes),
                source,
                is_on_link: route.header.flags.contains(RouteFlags::Onlink),
            });
        }
        let first = attribute!(route, RouteAttribute::MultiPath)?.first()?;
        Some(Self {
            device: first.interface_index,
            router: router(&first.attributes),
            source,
            is_on_link: first.flags.contains(RouteNextHopFlags::Onlink),
        })
    }

    fn route_to(&self, address: IpAddr) -> Vec<u8> {
        let scope = match (address, &self.router) {
            (IpAddr::V4(_), None) => RouteScope::Link,
            (IpAddr::V4(_), Some(_)) | (IpAddr::V6(_), _) => RouteScope::Universe,
        };
        let mut route = route(address, scope);
        if self.is_on_link {
            route.header.flags = RouteFlags::Onlink;
        }
        route.attributes.push(RouteAttribute::Oif(self.device));
        route.attributes.extend(self.router.clone());
        let source = self.source.clone().map(RouteAttribute::PrefSource);
        route.attributes.extend(source);
        request(RTM_NEWROUTE, NLM_F_SET, &route)
    }
}

fn router(attributes: &[RouteAttribute]) -> Option<RouteAttribute> {
    use RouteAttribute::{Gateway, Via};
    let mut routers = attributes
        .iter()
        .filter(|of| matches!(of, Gateway(_) | Via(_)));
    routers.next().cloned()
}

/// The request that takes our route to `address` away.
#[must_use]
pub fn removal(address: IpAddr) -> Vec<u8> {
    // Whatever scope it has.
    let route = route(address, RouteScope::NoWhere);
    request(RTM_DELROUTE, NLM_F_ACK, &route)
}

fn route(address: IpAddr, scope: RouteScope) -> RouteMessage {
    let mut route = route_to(Network::host(address));
    route.header.table = RouteHeader::RT_TABLE_MAIN;
    route.header.protocol = PROTOCOL_OURS;
    route.header.scope = scope;
    route.attributes.push(RouteAttribute::Priority(METRIC));
    route
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::{attribute_of, body};
    use crate::netlink::{frame, ip};
    use proptest::prelude::*;

    const ENDPOINT: [u8; 4] = [192, 0, 2, 1];
    const TUNNEL: u32 = 9;

    /// A route of the kernel's list: IPv4, of this metric, through a router on an interface.
    fn listed(network: [u8; 4], prefix: u8, metric: u32, router: u8, device: u32) -> Vec<u8> {
        let (metric, device) = (metric.to_ne_bytes(), device.to_ne_bytes());
        let attributes: [(u16, &[u8]); 4] = [
            (6, &metric),
            (5, &[10, 0, 0, router]),
            (4, &device),
            (1, &network),
        ];
        // The kernel names no network that is everything.
        let attributes = if prefix == 0 {
            &attributes[..3]
        } else {
            &attributes
        };
        let header = [2, prefix, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
        frame(RTM_NEWROUTE, 0, 0, &body(&header, attributes))
    }

    fn ways(routes: &[Vec<u8>]) -> Ways {
        Ways::read(&routes.concat(), &[], &[TUNNEL], 0)
    }

    /// The router that the endpoint's route leads to, as the kernel would list it.
    fn router_of(changes: &[Change]) -> Option<IpAddr> {
        let [Change::Set(_, request)] = changes else {
            return None;
        };
        let route = routes(request).next().unwrap();
        attribute!(route, RouteAttribute::Gateway).and_then(ip)
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
        assert_eq!(to(&routes), Some(IpAddr::from([10, 0, 0, 1])));
        assert_eq!(
            to(&[&routes[..], &[network]].concat()),
            Some(IpAddr::from([10, 0, 0, 4]))
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
            Some(IpAddr::from([10, 0, 0, 7]))
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
            hops.extend(attribute_of(5, &[10, 0, 0, router]));
        }
        let bytes = body(&[2, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0], &[(9, &hops)]);
        let ways = ways(&[frame(RTM_NEWROUTE, 0, 0, &bytes)]);
        let changes = ways.changes(&[ENDPOINT.into()]);
        assert_eq!(router_of(&changes), Some(IpAddr::from([10, 0, 0, 1])));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, address: IpAddr) {
            let ways = ways(&[frame(RTM_NEWROUTE, 0, 0, &bytes)]);
            let _ = (ways.changes(&[address]), ways.has_route_of_others(address));
        }
    }
}
