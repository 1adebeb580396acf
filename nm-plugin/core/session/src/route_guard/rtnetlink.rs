//! Addresses and routes as they are kept: what of them can be set, so that each is put back exactly
//! as NetworkManager had set it, and not what the kernel adds.

use crate::netlink::{NLM_F_SET, RTM_NEWADDR, RTM_NEWROUTE, address, addresses, addresses_request};
use crate::netlink::{attribute, ip, is_way, network, request, routes, routes_request, table};
use crate::own_table::is_own_table;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};
use netlink_packet_route::route::{RouteAttribute, RouteFlags, RouteMessage};
use std::fmt;
use std::net::IpAddr;

const TABLE_LOCAL: u32 = 255;
/// The flags of an address that are set; the others say how it is.
const ADDRESS_FLAGS: AddressFlags = AddressFlags::Permanent
    .union(AddressFlags::Nodad)
    .union(AddressFlags::Noprefixroute);

/// An address of the tunnel's interface, or a route into it.
#[derive(Clone, PartialEq, Eq)]
pub enum RtEntry {
    /// An address.
    Address(AddressMessage),
    /// A route.
    Route(RouteMessage),
}

/// The questions for what a tunnel has, in this order: NetworkManager takes the addresses away before
/// the routes, so where it is seen that routes are gone, it is seen that the addresses are.
#[must_use]
pub fn questions() -> [Vec<u8>; 2] {
    [routes_request(), addresses_request()]
}

impl RtEntry {
    /// Reads the answer to one of the [`questions`]: what the interface with number `device` has, but
    /// for what IPv6 has on each link by itself.
    ///
    /// The route to the network of an address is NetworkManager's, although it says that it is the
    /// kernel's (`IFA_F_NOPREFIXROUTE`): the kernel does not bring it back.
    pub fn read(answer: &[u8], device: u32) -> impl Iterator<Item = Self> {
        let routes = routes(answer).filter_map(move |route| kept_route(route, device));
        let addresses = addresses(answer).filter_map(move |address| kept_address(address, device));
        routes.map(Self::Route).chain(addresses.map(Self::Address))
    }

    /// Whether it is an address.
    pub(super) fn is_address(&self) -> bool {
        matches!(self, Self::Address(_))
    }

    /// Its place among those that are set together: an address, then the network that it is of, then
    /// what is behind a router in that network.
    pub(super) fn order(&self) -> u8 {
        match self {
            Self::Address(_) => 0,
            Self::Route(route) if attribute!(route, RouteAttribute::Gateway).is_none() => 1,
            Self::Route(_) => 2,
        }
    }

    /// The request that sets it, a route in the place of another one to the same network.
    #[must_use]
    pub fn addition(&self) -> Vec<u8> {
        match self {
            Self::Address(address) => request(RTM_NEWADDR, NLM_F_SET, address),
            Self::Route(route) => request(RTM_NEWROUTE, NLM_F_SET, route),
        }
    }
}

fn kept_route(mut route: RouteMessage, device: u32) -> Option<RouteMessage> {
    let destination = attribute!(route, RouteAttribute::Destination).and_then(ip);
    let is_ours = network(&route).is_some()
        && table(&route) != TABLE_LOCAL
        && is_way(&route)
        && attribute!(route, RouteAttribute::Oif) == Some(&device)
        && !destination.is_some_and(is_link_local)
        // A copy goes with what it is a copy of.
        && !is_own_table(table(&route));
    // The others say how it is.
    route.header.flags &= RouteFlags::Onlink;
    route.attributes.retain(|attribute| {
        use RouteAttribute::*;
        matches!(
            attribute,
            Destination(_) | Oif(_) | Gateway(_) | Priority(_) | PrefSource(_)
        ) || matches!(attribute, Metrics(_) | Table(_) | Preference(_))
    });
    is_ours.then_some(route)
}

fn kept_address(mut message: AddressMessage, device: u32) -> Option<AddressMessage> {
    let flags = *attribute!(message, AddressAttribute::Flags)?;
    let is_ours = message.header.index == device
        && flags.contains(AddressFlags::Permanent)
        && address(&message).is_some()
        && !attribute!(message, AddressAttribute::Address).is_some_and(|it| is_link_local(*it));
    message.header.flags = AddressHeaderFlags::empty();
    message.attributes.retain(|attribute| {
        use AddressAttribute::*;
        matches!(
            attribute,
            Address(_) | Local(_) | Broadcast(_) | RoutePriority(_)
        )
    });
    let flags = flags & ADDRESS_FLAGS;
    message.attributes.push(AddressAttribute::Flags(flags));
    is_ours.then_some(message)
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// As a person says it: of a route, the network and the next hop.
impl fmt::Display for RtEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(message) => {
                write!(f, "the address {}", address(message).ok_or(fmt::Error)?)
            }
            Self::Route(route) => {
                write!(f, "the route to {}", network(route).ok_or(fmt::Error)?)?;
                match attribute!(route, RouteAttribute::Gateway).and_then(ip) {
                    Some(gateway) => write!(f, " through {gateway}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Debug for RtEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RtEntry({self})")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::netlink::frame;
    use crate::netlink::tests::{body, parts};
    use proptest::prelude::*;

    #[test]
    fn routes_are_read_before_addresses_as_networkmanager_takes_addresses_away_first() {
        assert_eq!(questions().map(|question| parts(&question).0), [26, 22]);
    }

    fn read(answer: &[u8], device: u32) -> Vec<RtEntry> {
        RtEntry::read(answer, device).collect()
    }

    /// A message of the kernel's, with what it adds itself: how it is, and RTA_CACHEINFO.
    fn message(device: u32, protocol: u8, network: [u8; 4], prefix: u8) -> Vec<u8> {
        let flags = 0x10_u32 | RouteFlags::Onlink.bits();
        let header = [
            &[2, prefix, 0, 0, 254, protocol, 0, 1][..],
            &flags.to_ne_bytes(),
        ]
        .concat();
        let device = device.to_ne_bytes();
        let attributes: [(u16, &[u8]); 4] = [
            (1, &network),
            (4, &device),
            (5, &[10, 88, 0, 1]),
            (12, &[0; 32]),
        ];
        frame(RTM_NEWROUTE, 0, 0, &body(&header, &attributes))
    }

    pub(in super::super) fn route(
        device: u32,
        protocol: u8,
        network: [u8; 4],
        prefix: u8,
    ) -> RtEntry {
        let mut routes = read(&message(device, protocol, network, prefix), device);
        routes.pop().unwrap()
    }

    #[test]
    fn only_what_the_device_has_is_read() {
        let mut deleted = message(7, 4, [10, 4, 0, 0], 16);
        // RTM_DELROUTE
        deleted[4..6].copy_from_slice(&25_u16.to_ne_bytes());
        let dump = [
            message(7, 4, [10, 1, 0, 0], 16),
            message(8, 4, [10, 2, 0, 0], 16),
            message(7, 2, [10, 3, 0, 0], 16),
            deleted,
        ]
        .concat();
        let shown: Vec<_> = read(&dump, 7).iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "the route to 10.1.0.0/16 through 10.88.0.1",
                "the route to 10.3.0.0/16 through 10.88.0.1",
            ]
        );
    }

    #[test]
    fn a_route_is_set_as_it_was_without_what_the_kernel_adds() {
        let route = route(7, 4, [10, 1, 0, 0], 16);
        let addition = route.addition();
        // Whoever reads it finds the same route.
        assert_eq!(read(&addition, 7), [route]);
        // With RTNH_F_ONLINK, and not that the link is down.
        let header = [&[2, 16, 0, 0, 254, 4, 0, 1][..], &4_u32.to_ne_bytes()].concat();
        let device = 7_u32.to_ne_bytes();
        let expected = body(
            &header,
            &[(1, &[10, 1, 0, 0]), (4, &device), (5, &[10, 88, 0, 1])],
        );
        // RTM_NEWROUTE with NLM_F_REQUEST, _ACK, _REPLACE and _CREATE.
        assert_eq!(parts(&addition), (24, 0x505, &expected[..]));
    }

    #[test]
    fn what_a_route_is_set_with_is_kept() {
        let (device, number) = (7_u32.to_ne_bytes(), 50_u32.to_ne_bytes());
        // RTA_PRIORITY, _PREFSRC, _METRICS (an MTU, one that nobody knows), _TABLE, _PREF.
        let metrics = body(&[], &[(2, &number), (77, b"abc")]);
        let mut address = [0; 16];
        address[0] = 0xfd;
        let attributes: [(u16, &[u8]); 8] = [
            (15, &number),
            (1, &address),
            (6, &number),
            (8, &metrics),
            (7, &address),
            (5, &address),
            (4, &device),
            (20, &[3]),
        ];
        let bytes = body(&[10, 64, 0, 0, 0, 4, 0, 1, 0, 0, 0, 0], &attributes);
        let routes = read(&frame(RTM_NEWROUTE, 0, 0, &bytes), 7);
        assert_eq!(parts(&routes[0].addition()).2, bytes);
    }

    #[test]
    fn a_default_route_is_shown_as_one_to_everything() {
        let shown = |family: u8| {
            let header = [family, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
            let bytes = body(&header, &[(4, &7_u32.to_ne_bytes())]);
            read(&frame(RTM_NEWROUTE, 0, 0, &bytes), 7)[0].to_string()
        };
        assert_eq!(
            [shown(2), shown(10)],
            ["the route to 0.0.0.0/0", "the route to ::/0"]
        );
    }

    /// An address as the kernel tells it, of IPv4 or IPv6, with what it adds itself.
    fn address(device: u32, bytes: &[u8], flags: u32) -> Vec<u8> {
        let family = if bytes.len() == 4 { 2 } else { 10 };
        let header = [
            &[family, 27, flags.to_le_bytes()[0], 0][..],
            &device.to_ne_bytes(),
        ]
        .concat();
        let flags = flags.to_ne_bytes();
        // IFA_ADDRESS, _LOCAL, _LABEL, _CACHEINFO, _FLAGS.
        let attributes: [(u16, &[u8]); 5] = [
            (1, bytes),
            (2, bytes),
            (3, b"awsvpn0\0"),
            (6, &[0xff; 16]),
            (8, &flags),
        ];
        frame(RTM_NEWADDR, 0, 0, &body(&header, &attributes))
    }

    pub(in super::super) fn address_of(device: u32) -> RtEntry {
        read(&address(device, &[10, 88, 0, 2], 0x280), device).remove(0)
    }

    #[test]
    fn an_address_is_set_as_it_was_without_what_the_kernel_adds() {
        let own = [10, 88, 0, 2];
        let mut link_local = [0; 16];
        link_local[..2].copy_from_slice(&[0xfe, 0x80]);
        let dump = [
            // Permanent, and NetworkManager sets its network's route.
            address(7, &own, 0x280),
            // Of another interface, for a time only, of each link.
            address(8, &own, 0x280),
            address(7, &[10, 88, 0, 3], 0x200),
            address(7, &link_local, 0x80),
            // That says no address.
            frame(
                RTM_NEWADDR,
                0,
                0,
                &body(
                    &[2, 27, 0x80, 0, 7, 0, 0, 0],
                    &[(8, &0x280_u32.to_ne_bytes())],
                ),
            ),
        ]
        .concat();
        let addresses = read(&dump, 7);
        let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["the address 10.88.0.2"]);
        let addition = addresses[0].addition();
        let header = [&[2, 27, 0, 0][..], &7_u32.to_ne_bytes()].concat();
        let flags = 0x280_u32.to_ne_bytes();
        let expected = body(&header, &[(1, &own), (2, &own), (8, &flags)]);
        // RTM_NEWADDR with NLM_F_REQUEST, _ACK, _REPLACE and _CREATE.
        assert_eq!(parts(&addition), (20, 0x505, &expected[..]));
        // Whoever reads it finds the same address.
        assert_eq!(read(&addition, 7), addresses);
        // One that is still looked for duplicates is the same.
        assert_eq!(read(&address(7, &own, 0x2c0), 7), addresses);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, device: u32) {
            let _ = read(&bytes, device);
            for kind in [RTM_NEWROUTE, RTM_NEWADDR] {
                for entry in read(&frame(kind, 0, 0, &bytes), device) {
                    let _ = (format!("{entry:?}"), entry.order(), entry.addition());
                }
            }
        }
    }
}
