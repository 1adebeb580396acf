//! Routes as the kernel writes them (linux/rtnetlink.h).
//!
//! A route is kept as the bytes it came in, but for what only the kernel may say, so that it is
//! put back exactly as NetworkManager had set it, whatever attributes that has.

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
/// Attributes that are set and not only told.
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

/// A route that a program has set.
#[derive(Clone, PartialEq, Eq)]
pub struct RtRoute {
    /// Of the message that sets it.
    body: Vec<u8>,
}

/// The question for all routes.
#[must_use]
pub fn dump_request() -> Vec<u8> {
    // AF_UNSPEC: of each family.
    frame(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 0, &[0; MESSAGE])
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

impl RtRoute {
    /// Reads a message of the answer to a [`dump_request`]: a route that a program has set for the
    /// interface with number `device`.
    pub fn read(kind: u16, payload: &[u8], device: u32) -> Option<Self> {
        let message = Message::read(payload).filter(|_| kind == RTM_NEWROUTE)?;
        let [family, _, _, _, table, protocol, _, kind, f0, f1, f2, f3] = message.header;
        let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
        // A copy goes with what it is a copy of.
        let is_copy = message.number(RTA_TABLE).is_some_and(is_own_table);
        let is_ours = matches!(family, AF_INET | AF_INET6)
            && table != TABLE_LOCAL
            && protocol != PROTOCOL_KERNEL
            && kind == TYPE_UNICAST
            && flags & FLAG_CLONED == 0
            && message.number(RTA_OIF) == Some(device)
            && !is_copy;
        if !is_ours {
            return None;
        }
        let mut body = message.header.to_vec();
        body[8..].copy_from_slice(&(flags & FLAG_ON_LINK).to_ne_bytes());
        for (kind, value) in message.attributes {
            if SETTABLE.contains(&kind) {
                push_attribute(&mut body, kind, value);
            }
        }
        Some(Self { body })
    }

    /// The request that sets the route, in the place of another one to the same network.
    #[must_use]
    pub fn addition(&self) -> Vec<u8> {
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
        frame(RTM_NEWROUTE, flags, 0, &self.body)
    }
}

/// As a person writes it: the network, and the next hop.
impl fmt::Display for RtRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(message) = Message::read(&self.body) else {
            return Err(fmt::Error);
        };
        match message.address(RTA_DST) {
            Some(network) => write!(f, "{network}/{}", message.header[1])?,
            None if message.header[0] == AF_INET => f.write_str("0.0.0.0/0")?,
            None => f.write_str("::/0")?,
        }
        match message.address(RTA_GATEWAY) {
            Some(gateway) => write!(f, " through {gateway}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RtRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RtRoute({self})")
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

    /// The routes in what the kernel sends.
    fn read(bytes: &[u8], device: u32) -> Vec<RtRoute> {
        messages(bytes)
            .filter_map(|message| RtRoute::read(message.kind, message.content, device))
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
    ) -> RtRoute {
        let mut routes = read(&message(device, protocol, network, prefix), device);
        routes.pop().unwrap()
    }

    #[test]
    fn only_what_programs_have_set_for_the_device_is_read() {
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
        assert_eq!(shown, ["10.1.0.0/16 through 10.88.0.1"]);
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
        assert_eq!([shown(AF_INET), shown(AF_INET6)], ["0.0.0.0/0", "::/0"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, device: u32) {
            let _ = read(&bytes, device);
            let framed = frame(RTM_NEWROUTE, 0, 0, &bytes);
            for route in read(&framed, device) {
                let _ = (route.to_string(), route.addition());
            }
        }
    }
}
