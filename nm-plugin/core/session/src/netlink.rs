//! Requests to the kernel and its answers, as messages of netlink (linux/netlink.h).

use crate::ip::Network;
use netlink_packet_core::{
    Emitable, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REPLACE, NLM_F_REQUEST,
    NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkHeader, NlasIterator, Parseable,
    ParseableParametrized,
};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteLwEnCapType, RouteMessage,
    RouteType,
};
use netlink_packet_route::rule::RuleMessage;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
pub(crate) const RTM_NEWROUTE: u16 = 24;
pub(crate) const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;
pub(crate) const RTM_NEWRULE: u16 = 32;
/// Of a request that sets something, in the place of what is like it.
pub(crate) const NLM_F_SET: u16 = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
/// The error that an answer with [`NLM_F_DUMP_INTR`] ends with.
const EINTR: i32 = 4;

/// What is in the first attribute of this kind.
macro_rules! attribute {
    ($message:expr, $kind:path) => {
        $message.attributes.iter().find_map(|attribute| {
            if let $kind(value) = attribute {
                Some(value)
            } else {
                None
            }
        })
    };
}
pub(crate) use attribute;

/// The bytes of it.
pub(crate) fn bytes_of(emitable: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; emitable.buffer_len()];
    emitable.emit(&mut bytes);
    bytes
}

/// A message with its header.
pub(crate) fn frame(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.message_type = kind;
    header.flags = flags;
    header.sequence_number = sequence;
    header.length = u32::try_from(header.buffer_len() + body.len()).unwrap_or(u32::MAX);
    [&bytes_of(&header), body].concat()
}

/// A request of rtnetlink.
pub(crate) fn request(kind: u16, flags: u16, message: &impl Emitable) -> Vec<u8> {
    frame(kind, NLM_F_REQUEST | flags, 0, &bytes_of(message))
}

/// The question for all routes.
#[must_use]
pub fn routes_request() -> Vec<u8> {
    // AF_UNSPEC: of each family.
    request(RTM_GETROUTE, NLM_F_DUMP, &RouteMessage::default())
}

/// The question for all addresses.
#[must_use]
pub fn addresses_request() -> Vec<u8> {
    request(RTM_GETADDR, NLM_F_DUMP, &AddressMessage::default())
}

/// The messages in what was received.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = NetlinkBuffer<&[u8]>> {
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(bytes).ok()?;
        let length = usize::try_from(message.length()).ok()?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

/// What is in the messages of this kind.
pub(crate) fn of_kind(bytes: &[u8], kind: u16) -> impl Iterator<Item = &[u8]> {
    let messages = messages(bytes).filter(move |message| message.message_type() == kind);
    messages.map(|message| message.payload())
}

/// The routes in the kernel's answer. One is also seen where an attribute of it is none that is
/// expected, as a newer kernel may send.
pub(crate) fn routes(answer: &[u8]) -> impl Iterator<Item = RouteMessage> {
    of_kind(answer, RTM_NEWROUTE).filter_map(|payload| {
        let mut route = RouteMessage::default();
        route.header = RouteHeader::parse(payload).ok()?;
        let (family, kind) = (route.header.address_family, route.header.kind);
        let parameters = (family, kind, RouteLwEnCapType::None);
        for attribute in NlasIterator::new(payload.get(route.header.buffer_len()..)?) {
            let read = RouteAttribute::parse_with_param(&attribute.ok()?, parameters);
            route.attributes.extend(read);
        }
        Some(route)
    })
}

/// The addresses in the kernel's answer.
pub(crate) fn addresses(answer: &[u8]) -> impl Iterator<Item = AddressMessage> {
    of_kind(answer, RTM_NEWADDR).flat_map(AddressMessage::parse)
}

/// The address that it is about: this computer's, not that of the other end of a link.
pub(crate) fn address(message: &AddressMessage) -> Option<IpAddr> {
    let local = attribute!(message, AddressAttribute::Local);
    local
        .or_else(|| attribute!(message, AddressAttribute::Address))
        .copied()
}

/// The rules in the kernel's answer.
pub(crate) fn rules(answer: &[u8]) -> impl Iterator<Item = RuleMessage> {
    of_kind(answer, RTM_NEWRULE).flat_map(RuleMessage::parse)
}

pub(crate) fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        RouteAddress::Mpls(_) | RouteAddress::Other(_) | _ => None,
    }
}

/// Where a route of IPv4 or IPv6 leads to; the kernel leaves an address out that is all zeros.
pub(crate) fn network(route: &RouteMessage) -> Option<Network<IpAddr>> {
    let zeros: IpAddr = if route.header.address_family == AddressFamily::Inet {
        Ipv4Addr::UNSPECIFIED.into()
    } else if route.header.address_family == AddressFamily::Inet6 {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        return None;
    };
    let destination = attribute!(route, RouteAttribute::Destination).and_then(ip);
    Some(Network {
        address: destination.unwrap_or(zeros),
        prefix: route.header.destination_prefix_length,
    })
}

/// A message about the route to `network`.
pub(crate) fn route_to(network: Network<IpAddr>) -> RouteMessage {
    let mut route = RouteMessage::default();
    route.header.address_family = match network.address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    route.header.destination_prefix_length = network.prefix;
    route.header.kind = RouteType::Unicast;
    let destination = RouteAttribute::Destination(network.address.into());
    route.attributes.push(destination);
    route
}

/// The table that a route is in.
pub(crate) fn table(route: &RouteMessage) -> u32 {
    let table = attribute!(route, RouteAttribute::Table);
    table.copied().unwrap_or(route.header.table.into())
}

/// Whether packets go by it: no copy of another that the kernel has made for an address.
pub(crate) fn is_way(route: &RouteMessage) -> bool {
    route.header.kind == RouteType::Unicast && !route.header.flags.contains(RouteFlags::Cloned)
}

/// Whether the kernel's answer ends with this part of it. After an error, of which this is the
/// number, what was read is not all of it.
pub fn is_last(part: &[u8]) -> Result<bool, i32> {
    for message in messages(part) {
        if message.flags() & NLM_F_DUMP_INTR != 0 {
            return Err(EINTR);
        }
        // Both begin with the number of an error, or 0.
        if matches!(message.message_type(), NLMSG_DONE | NLMSG_ERROR) {
            return error_in(&message).map(|()| true);
        }
    }
    Ok(false)
}

/// What the kernel answered to a request.
pub fn outcome(bytes: &[u8]) -> Result<(), i32> {
    let mut errors = messages(bytes).filter(|message| message.message_type() == NLMSG_ERROR);
    errors.next().map_or(Ok(()), |error| error_in(&error))
}

pub(crate) fn error_in(message: &NetlinkBuffer<&[u8]>) -> Result<(), i32> {
    match message.payload().first_chunk() {
        Some([0, 0, 0, 0]) | None => Ok(()),
        Some(code) => Err(i32::from_ne_bytes(*code).saturating_neg()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An attribute as the kernel writes it.
    pub(crate) fn attribute_of(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [&length.to_ne_bytes(), &kind.to_ne_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// What comes after a message's header: another one, of its kind, and attributes.
    pub(crate) fn body(header: &[u8], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let attributes = attributes.iter();
        let attributes = attributes.flat_map(|(kind, value)| attribute_of(*kind, value));
        header.iter().copied().chain(attributes).collect()
    }

    /// Kind and flags of a request (`struct nlmsghdr`), and what follows.
    pub(crate) fn parts(request: &[u8]) -> (u16, u16, &[u8]) {
        let number = |at: usize| u16::from_ne_bytes([request[at], request[at + 1]]);
        assert_eq!(usize::from(number(0)), request.len());
        (number(4), number(6), &request[16..])
    }

    #[test]
    fn a_message_is_framed_as_the_kernel_s_headers_say() {
        let expected = [
            &20_u32.to_ne_bytes()[..],
            &24_u16.to_ne_bytes(),
            &0x305_u16.to_ne_bytes(),
            &7_u32.to_ne_bytes(),
            &[0; 4],
            b"abcd",
        ];
        assert_eq!(frame(24, 0x305, 7, b"abcd"), expected.concat());
    }

    #[test]
    fn the_kernel_is_asked_for_everything() {
        // RTM_GETROUTE with NLM_F_REQUEST and NLM_F_DUMP, and an empty `struct rtmsg`.
        assert_eq!(parts(&routes_request()), (26, 0x301, &[0; 12][..]));
        // RTM_GETADDR with the same, and an empty `struct ifaddrmsg`.
        assert_eq!(parts(&addresses_request()), (22, 0x301, &[0; 8][..]));
    }

    #[test]
    fn an_error_is_told() {
        let answer = |code: i32| frame(NLMSG_ERROR, 0, 0, &[code.to_ne_bytes(), [0; 4]].concat());
        assert_eq!(outcome(&answer(0)), Ok(()));
        assert_eq!(outcome(&answer(-101)), Err(101));
        assert_eq!(outcome(&[]), Ok(()));
    }

    #[test]
    fn an_answer_goes_on_until_its_end() {
        let (one, other) = (frame(24, 0, 0, &[0; 4]), frame(32, 0, 0, &[]));
        let done = frame(NLMSG_DONE, 0, 0, &[0; 4]);
        assert_eq!(is_last(&[&one[..], &other].concat()), Ok(false));
        assert_eq!(is_last(&[&one[..], &other, &done].concat()), Ok(true));
        assert_eq!(is_last(&done), Ok(true));
    }

    #[test]
    fn an_answer_that_ends_with_an_error_is_not_whole() {
        let read = |kind, code: i32| {
            let route = frame(24, 0, 0, &[0; 4]);
            let end = frame(kind, 0, 0, &code.to_ne_bytes());
            is_last(&[route, end].concat())
        };
        assert_eq!(read(NLMSG_DONE, -12), Err(12));
        assert_eq!(read(NLMSG_ERROR, -95), Err(95));
        assert_eq!(
            (read(NLMSG_DONE, 0), read(NLMSG_ERROR, 0)),
            (Ok(true), Ok(true))
        );
    }

    #[test]
    fn an_answer_whose_contents_have_changed_meanwhile_is_not_whole() {
        let (whole, torn) = (frame(24, 2, 0, &[0; 4]), frame(24, 0x12, 0, &[0; 4]));
        let end = frame(NLMSG_DONE, 0x12, 0, &[0; 4]);
        let read = |parts: &[&[u8]]| is_last(&parts.concat());
        assert_eq!(read(&[&whole]), Ok(false));
        assert_eq!(read(&[&whole, &torn]), Err(EINTR));
        assert_eq!(read(&[&whole, &end]), Err(EINTR));
    }

    #[test]
    fn a_route_with_attributes_of_a_newer_kernel_is_seen() {
        let header = [2, 16, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
        let device = 7_u32.to_ne_bytes();
        // None that there is, a metric that is longer, an encapsulation: all before what counts.
        let attributes: [(u16, &[u8]); 6] = [
            (99, b"whatever"),
            (6, &[1; 8]),
            (22, &[7; 5]),
            (0x8000 | 22, &[8, 0, 1, 0, 1, 0, 0, 0]),
            (4, &device),
            (1, &[10, 20, 0, 0]),
        ];
        let bytes = frame(RTM_NEWROUTE, 0, 0, &body(&header, &attributes));
        let routes: Vec<_> = routes(&bytes).collect();
        assert_eq!(routes.len(), 1);
        assert_eq!(network(&routes[0]).unwrap().to_string(), "10.20.0.0/16");
        assert_eq!(attribute!(routes[0], RouteAttribute::Oif), Some(&7));
        assert_eq!(attribute!(routes[0], RouteAttribute::Priority), None);
    }

    #[test]
    fn a_route_that_is_cut_is_none() {
        let header = [2, 16, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
        let whole = body(&header, &[(1, &[10, 20, 0, 0]), (4, &[7; 4])]);
        let count = |body: &[u8]| routes(&frame(RTM_NEWROUTE, 0, 0, body)).count();
        assert_eq!([count(&whole), count(&header)], [1, 1]);
        assert_eq!(
            [count(&whole[..whole.len() - 1]), count(&header[..11])],
            [0, 0]
        );
        // The length is that of no attribute.
        assert_eq!(count(&[&header[..], &[0; 8]].concat()), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (outcome(&bytes), is_last(&bytes), routes(&bytes).count());
            let of = |kind| frame(kind, 0, 0, &bytes);
            let _ = (routes(&of(RTM_NEWROUTE)).count(), rules(&of(RTM_NEWRULE)).count());
            let _ = addresses(&of(RTM_NEWADDR)).count();
        }
    }
}
