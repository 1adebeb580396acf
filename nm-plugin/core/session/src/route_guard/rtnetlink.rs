//! Routes and addresses as the kernel writes them (linux/rtnetlink.h, linux/if_addr.h).
//!
//! Each is kept as the bytes it came in, but for what only the kernel may say, so that it is put
//! back exactly as NetworkManager had set it, whatever attributes that has.

use crate::ip::Network;
use crate::netlink::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE, NLM_F_REQUEST, attributes, frame,
    push_attribute,
};
use crate::own_table::is_own_table;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `struct rtmsg`, and `struct fib_rule_hdr`, which is of the same length.
pub(crate) const MESSAGE: usize = 12;
/// `struct ifaddrmsg`.
const ADDRESS_MESSAGE: usize = 8;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
pub(crate) const RTM_NEWROUTE: u16 = 24;
pub(crate) const RTM_DELROUTE: u16 = 25;
pub(crate) const RTM_GETROUTE: u16 = 26;
pub(crate) const AF_INET: u8 = 2;
pub(crate) const AF_INET6: u8 = 10;
/// Set by the kernel itself, or by NetworkManager in its place, with an address.
pub(crate) const PROTOCOL_KERNEL: u8 = 2;
const TABLE_LOCAL: u8 = 255;
pub(crate) const TYPE_UNICAST: u8 = 1;
pub(crate) const FLAG_CLONED: u32 = 0x200;
/// A next hop's flag that is set and not seen: `RTNH_F_ONLINK`. The others say how it is.
pub(crate) const FLAG_ON_LINK: u32 = 0x4;
pub(crate) const RTA_DST: u16 = 1;
pub(crate) const RTA_OIF: u16 = 4;
pub(crate) const RTA_GATEWAY: u16 = 5;
pub(crate) const RTA_TABLE: u16 = 15;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;
/// Not for a time only: `IFA_F_PERMANENT`.
const ADDRESS_IS_PERMANENT: u32 = 0x80;
/// With it `IFA_F_NODAD` and `IFA_F_NOPREFIXROUTE`; the others say how an address is.
const ADDRESS_FLAGS: u32 = ADDRESS_IS_PERMANENT | 0x02 | 0x200;
/// Attributes of a route that are set and not only told.
const SETTABLE: [u16; 8] = [
    RTA_DST,
    RTA_OIF,
    RTA_GATEWAY,
    6, // RTA_PRIORITY
    7, // RTA_PREFSRC
    8, // RTA_METRICS
    RTA_TABLE,
    20, // RTA_PREF
];
/// The same of an address.
const SETTABLE_OF_ADDRESS: [u16; 4] = [
    IFA_ADDRESS,
    IFA_LOCAL,
    4, // IFA_BROADCAST
    9, // IFA_RT_PRIORITY
];

/// An address of the tunnel's interface, or a route into it.
#[derive(Clone, PartialEq, Eq)]
pub struct RtEntry {
    /// The kind of the message that sets it.
    kind: u16,
    /// The rest of that message.
    body: Vec<u8>,
}

/// The question for all addresses.
fn addresses_request() -> Vec<u8> {
    let flags = NLM_F_REQUEST | NLM_F_DUMP;
    frame(RTM_GETADDR, flags, 0, &[0; ADDRESS_MESSAGE])
}

/// The question for all routes.
#[must_use]
pub fn dump_request() -> Vec<u8> {
    // AF_UNSPEC: of each family.
    frame(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 0, &[0; MESSAGE])
}

/// The questions for what a tunnel has, in this order: NetworkManager takes the addresses away before
/// the routes, so where it is seen that routes are gone, it is seen that the addresses are.
#[must_use]
pub fn questions() -> [Vec<u8>; 2] {
    [dump_request(), addresses_request()]
}

/// A message of a route or a rule: its header, and what follows.
pub(crate) struct Message<'a> {
    pub(crate) header: [u8; MESSAGE],
    attributes: Vec<(u16, &'a [u8])>,
}

impl<'a> Message<'a> {
    /// `None` if it is not whole.
    pub(crate) fn read(payload: &'a [u8]) -> Option<Self> {
        let (header, rest) = payload.split_first_chunk()?;
        Self::of(*header, rest)
    }

    /// One that has no header: what belongs to a next hop.
    pub(crate) fn of_attributes(attributes: &'a [u8]) -> Option<Self> {
        Self::of([0; MESSAGE], attributes)
    }

    fn of(header: [u8; MESSAGE], rest: &'a [u8]) -> Option<Self> {
        let attributes = attributes(rest).collect::<Option<_>>()?;
        Some(Self { header, attributes })
    }

    pub(crate) fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        let (_, value) = self.attributes.iter().find(|(own, _)| *own == kind)?;
        Some(value)
    }

    pub(crate) fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_ne_bytes(self.attribute(kind)?.try_into().ok()?))
    }

    pub(crate) fn address(&self, kind: u16) -> Option<IpAddr> {
        let value = self.attribute(kind)?;
        if let Ok(octets) = <[u8; 4]>::try_from(value) {
            return Some(Ipv4Addr::from(octets).into());
        }
        let octets = <[u8; 16]>::try_from(value).ok()?;
        Some(Ipv6Addr::from(octets).into())
    }

    /// Writes those of its attributes at the end of `body` that are of these `kinds`.
    fn push_attributes(&self, kinds: &[u16], body: &mut Vec<u8>) {
        for (kind, value) in &self.attributes {
            if kinds.contains(kind) {
                push_attribute(body, *kind, value);
            }
        }
    }

    /// Where a route of IPv4 or IPv6 leads to; the kernel leaves an address out that is all zeros.
    pub(crate) fn network(&self) -> Option<Network<IpAddr>> {
        let [family, prefix, ..] = self.header;
        let zeros = match family {
            AF_INET => Ipv4Addr::UNSPECIFIED.into(),
            AF_INET6 => Ipv6Addr::UNSPECIFIED.into(),
            _ => return None,
        };
        let address = self.address(RTA_DST).unwrap_or(zeros);
        Some(Network { address, prefix })
    }
}

impl RtEntry {
    /// Reads a message of the answer to a [`dump_request`] or to an [`addresses_request`]: what the
    /// interface with number `device` has, but for what IPv6 has on each link by itself.
    ///
    /// The route to the network of an address is NetworkManager's, although it says that it is the
    /// kernel's (`IFA_F_NOPREFIXROUTE`): the kernel does not bring it back.
    pub fn read(kind: u16, payload: &[u8], device: u32) -> Option<Self> {
        match kind {
            RTM_NEWROUTE => Self::read_route(payload, device),
            RTM_NEWADDR => Self::read_address(payload, device),
            _ => None,
        }
    }

    fn read_route(payload: &[u8], device: u32) -> Option<Self> {
        let message = Message::read(payload)?;
        let [family, _, _, _, table, _, _, kind, f0, f1, f2, f3] = message.header;
        let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
        // A copy goes with what it is a copy of.
        let is_copy = message.number(RTA_TABLE).is_some_and(is_own_table);
        let is_ours = matches!(family, AF_INET | AF_INET6)
            && table != TABLE_LOCAL
            && kind == TYPE_UNICAST
            && flags & FLAG_CLONED == 0
            && message.number(RTA_OIF) == Some(device)
            && !message.address(RTA_DST).is_some_and(is_link_local)
            && !is_copy;
        if !is_ours {
            return None;
        }
        let mut body = message.header.to_vec();
        body[8..].copy_from_slice(&(flags & FLAG_ON_LINK).to_ne_bytes());
        message.push_attributes(&SETTABLE, &mut body);
        Some(Self {
            kind: RTM_NEWROUTE,
            body,
        })
    }

    fn read_address(payload: &[u8], device: u32) -> Option<Self> {
        let (header, rest) = payload.split_first_chunk::<ADDRESS_MESSAGE>()?;
        let [family, prefix, _, scope, i0, i1, i2, i3] = *header;
        let message = Message::of_attributes(rest)?;
        let flags = message.number(IFA_FLAGS)?;
        let is_ours = u32::from_ne_bytes([i0, i1, i2, i3]) == device
            && flags & ADDRESS_IS_PERMANENT != 0
            && !message.address(IFA_ADDRESS).is_some_and(is_link_local);
        if !is_ours {
            return None;
        }
        let mut body = vec![family, prefix, 0, scope];
        body.extend(device.to_ne_bytes());
        message.push_attributes(&SETTABLE_OF_ADDRESS, &mut body);
        push_attribute(&mut body, IFA_FLAGS, &(flags & ADDRESS_FLAGS).to_ne_bytes());
        Some(Self {
            kind: RTM_NEWADDR,
            body,
        })
    }

    /// Whether it is an address.
    pub(super) fn is_address(&self) -> bool {
        self.kind == RTM_NEWADDR
    }

    /// Its place among those that are set together: an address, then the network that it is of, then
    /// what is behind a router in that network.
    pub(super) fn order(&self) -> u8 {
        match self.route() {
            None => 0,
            Some(route) if route.attribute(RTA_GATEWAY).is_none() => 1,
            Some(_) => 2,
        }
    }

    fn route(&self) -> Option<Message<'_>> {
        Message::read(&self.body).filter(|_| self.kind == RTM_NEWROUTE)
    }

    /// The request that sets it, a route in the place of another one to the same network.
    #[must_use]
    pub fn addition(&self) -> Vec<u8> {
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
        frame(self.kind, flags, 0, &self.body)
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// As a person says it: of a route, the network and the next hop.
impl fmt::Display for RtEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(route) = self.route() else {
            let attributes = self.body.get(ADDRESS_MESSAGE..).unwrap_or_default();
            let message = Message::of_attributes(attributes).ok_or(fmt::Error)?;
            let address = message.address(IFA_LOCAL);
            let address = address.or_else(|| message.address(IFA_ADDRESS));
            return write!(f, "the address {}", address.ok_or(fmt::Error)?);
        };
        let Network { address, prefix } = route.network().ok_or(fmt::Error)?;
        write!(f, "the route to {address}/{prefix}")?;
        match route.address(RTA_GATEWAY) {
            Some(gateway) => write!(f, " through {gateway}"),
            None => Ok(()),
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
    use crate::netlink::{HEADER, messages};
    use proptest::prelude::*;

    /// Length, kind and flags of a request (`struct nlmsghdr`).
    fn header(request: &[u8]) -> (usize, u16, u16) {
        let number = |at: usize| u16::from_ne_bytes([request[at], request[at + 1]]);
        let length = u32::from_ne_bytes(request[..4].try_into().unwrap());
        (usize::try_from(length).unwrap(), number(4), number(6))
    }

    #[test]
    fn the_kernel_is_asked_for_all_routes_and_to_set_one_in_the_place_of_another() {
        // RTM_GETROUTE with NLM_F_REQUEST and NLM_F_DUMP, and an empty `struct rtmsg`.
        assert_eq!(dump_request().len(), 16 + 12);
        assert_eq!(header(&dump_request()), (28, 26, 0x301));
        // RTM_NEWROUTE with NLM_F_REQUEST, _ACK, _REPLACE and _CREATE.
        let addition = route(7, 4, [10, 1, 0, 0], 16).addition();
        assert_eq!(header(&addition), (addition.len(), 24, 0x505));
    }

    #[test]
    fn routes_are_read_before_addresses_as_networkmanager_takes_addresses_away_first() {
        assert_eq!(questions().map(|question| header(&question).1), [26, 22]);
    }

    /// The routes in what the kernel sends.
    fn read(bytes: &[u8], device: u32) -> Vec<RtEntry> {
        messages(bytes)
            .filter_map(|message| RtEntry::read(message.kind, message.content, device))
            .collect()
    }

    /// A message of the kernel's, with what it adds itself.
    fn message(device: u32, protocol: u8, network: [u8; 4], prefix: u8) -> Vec<u8> {
        let mut body = vec![AF_INET, prefix, 0, 0, 254, protocol, 0, TYPE_UNICAST];
        body.extend((0x10_u32 | FLAG_ON_LINK).to_ne_bytes());
        let mut attribute = |kind, value: &[u8]| push_attribute(&mut body, kind, value);
        attribute(RTA_DST, &network);
        attribute(RTA_OIF, &device.to_ne_bytes());
        attribute(RTA_GATEWAY, &[10, 88, 0, 1]);
        // RTA_CACHEINFO
        attribute(12, &[0; 32]);
        frame(RTM_NEWROUTE, 0, 0, &body)
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
            message(7, PROTOCOL_KERNEL, [10, 3, 0, 0], 16),
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
        assert_eq!(addition.len(), HEADER + MESSAGE + 3 * 8);
        let flags = u32::from_ne_bytes(addition[HEADER + 8..HEADER + 12].try_into().unwrap());
        assert_eq!(flags, FLAG_ON_LINK, "not that the link is down");
    }

    #[test]
    fn a_default_route_is_shown_as_one_to_everything() {
        let shown = |family: u8| {
            let mut body = vec![family, 0, 0, 0, 254, 4, 0, TYPE_UNICAST, 0, 0, 0, 0];
            push_attribute(&mut body, RTA_OIF, &7_u32.to_ne_bytes());
            read(&frame(RTM_NEWROUTE, 0, 0, &body), 7)[0].to_string()
        };
        assert_eq!(
            [shown(AF_INET), shown(AF_INET6)],
            ["the route to 0.0.0.0/0", "the route to ::/0"]
        );
    }

    /// An address as the kernel tells it, of IPv4 or IPv6, with what it adds itself.
    fn address(device: u32, bytes: &[u8], flags: u32) -> Vec<u8> {
        let family = if bytes.len() == 4 { AF_INET } else { AF_INET6 };
        let mut body = vec![family, 27, flags.to_le_bytes()[0], 0];
        body.extend(device.to_ne_bytes());
        push_attribute(&mut body, IFA_ADDRESS, bytes);
        push_attribute(&mut body, IFA_LOCAL, bytes);
        // IFA_LABEL, IFA_CACHEINFO
        push_attribute(&mut body, 3, b"awsvpn0\0");
        push_attribute(&mut body, 6, &[0xff; 16]);
        push_attribute(&mut body, IFA_FLAGS, &flags.to_ne_bytes());
        frame(RTM_NEWADDR, 0, 0, &body)
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
        ]
        .concat();
        let addresses = read(&dump, 7);
        let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["the address 10.88.0.2"]);
        let addition = addresses[0].addition();
        // RTM_NEWADDR with NLM_F_REQUEST, _ACK, _REPLACE and _CREATE.
        assert_eq!(header(&addition), (addition.len(), 20, 0x505));
        let flags = [&8_u16.to_ne_bytes()[..], &IFA_FLAGS.to_ne_bytes()].concat();
        assert!(addition.ends_with(&[&flags[..], &0x280_u32.to_ne_bytes()].concat()));
        // Whoever reads it finds the same address.
        assert_eq!(read(&addition, 7), addresses);
        // RTM_GETADDR with NLM_F_REQUEST and NLM_F_DUMP, and an empty `struct ifaddrmsg`.
        assert_eq!(header(&addresses_request()), (24, 22, 0x301));
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
