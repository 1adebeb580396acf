//! The IPv6 addresses of this computer.

use crate::netlink::{address, addresses, attribute};
use netlink_packet_route::address::{AddressAttribute, AddressFlags};
use std::net::Ipv6Addr;

/// Whether `before` is still an address of the interface that has `now`, by the kernel's list of
/// addresses: what was begun from it goes on. Privacy extensions prefer a new address each day and
/// keep the old ones for a week.
#[must_use]
pub fn is_kept(answer: &[u8], before: Ipv6Addr, now: Ipv6Addr) -> bool {
    let interface = |wanted: Ipv6Addr| {
        let mut usable = addresses(answer).filter(|message| {
            let unusable = AddressFlags::Tentative | AddressFlags::Dadfailed;
            attribute!(message, AddressAttribute::Flags)
                .is_some_and(|flags| !flags.intersects(unusable))
        });
        let found = usable.find(|message| address(message) == Some(wanted.into()))?;
        Some(found.header.index)
    };
    let before = interface(before);
    before.is_some() && before == interface(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::body;
    use crate::netlink::{RTM_NEWADDR, frame};

    #[test]
    fn an_address_is_kept_while_its_interface_has_it_and_is_the_way() {
        let address = |last: u16| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
        let listed = |last: u16, interface: u32, flags: u32| {
            let header = [&[10, 64, 0, 0][..], &interface.to_ne_bytes()].concat();
            let attributes: [(u16, &[u8]); 2] =
                [(1, &address(last).octets()), (8, &flags.to_ne_bytes())];
            frame(RTM_NEWADDR, 0, 0, &body(&header, &attributes))
        };
        let answer = [
            // IFA_F_DEPRECATED and IFA_F_TEMPORARY, IFA_F_TEMPORARY, IFA_F_TENTATIVE,
            // IFA_F_DADFAILED, IFA_F_PERMANENT.
            listed(0x10, 2, 0x21),
            listed(0x11, 2, 0x01),
            listed(0x12, 2, 0x40),
            listed(0x15, 2, 0x08),
            listed(0x20, 3, 0x80),
        ]
        .concat();
        for (before, now, expected) in [
            // Deprecated, and there still.
            (0x10, 0x11, true),
            (0x11, 0x11, true),
            // Gone.
            (0x13, 0x11, false),
            // Not usable.
            (0x12, 0x11, false),
            (0x15, 0x11, false),
            // There still, but packets go out at another interface.
            (0x10, 0x20, false),
            (0x13, 0x14, false),
        ] {
            let kept = is_kept(&answer, address(before), address(now));
            assert_eq!(kept, expected, "{before:x} {now:x}");
        }
    }
}
