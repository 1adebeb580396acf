//! What the kernel is asked of interfaces (linux/rtnetlink.h, linux/if_link.h).

use crate::netlink::{bytes_of, frame, of_kind};
use netlink_packet_core::{DefaultNla, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use netlink_packet_route::link::{LinkFlags, LinkHeader};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const IFLA_IFALIAS: u16 = 20;

/// The question for the interface with number `index`; the answer is an error where it is gone.
#[must_use]
pub fn link_request(index: u32) -> Vec<u8> {
    frame(RTM_GETLINK, NLM_F_REQUEST, 0, &interface(index))
}

/// The question for all interfaces.
#[must_use]
pub fn links_request() -> Vec<u8> {
    frame(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 0, &interface(0))
}

/// The number of the newest interface in the answer: the kernel counts them.
#[must_use]
pub fn newest(answer: &[u8]) -> u32 {
    headers(answer).map(|it| it.index).max().unwrap_or(0)
}

/// The numbers of those interfaces in the answer that have nobody to ask for the address of a
/// router, as tunnels have, and some modems.
pub(crate) fn tunnel_like(answer: &[u8]) -> impl Iterator<Item = u32> {
    let marks = LinkFlags::Pointopoint | LinkFlags::Noarp;
    let alike = headers(answer).filter(move |it| it.flags.intersects(marks));
    alike.map(|it| it.index)
}

fn headers(answer: &[u8]) -> impl Iterator<Item = LinkHeader> {
    of_kind(answer, RTM_NEWLINK).flat_map(LinkHeader::parse)
}

/// The request that gives the interface with number `index` this alias.
#[must_use]
pub fn alias_request(index: u32, alias: &str) -> Vec<u8> {
    let alias = DefaultNla::new(IFLA_IFALIAS, alias.into());
    let body = [interface(index), bytes_of(&alias)].concat();
    frame(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 0, &body)
}

fn interface(index: u32) -> Vec<u8> {
    bytes_of(&LinkHeader {
        index,
        ..LinkHeader::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_asked_for_as_the_kernel_s_headers_say() {
        // RTM_GETLINK with NLM_F_REQUEST, `struct ifinfomsg`.
        let expected = [
            &32_u32.to_ne_bytes()[..],
            &18_u16.to_ne_bytes(),
            &0x1_u16.to_ne_bytes(),
            &[0; 8],
            &[0; 4],
            &7_u32.to_ne_bytes(),
            &[0; 8],
        ];
        assert_eq!(link_request(7), expected.concat());
    }

    #[test]
    fn an_alias_is_set_as_the_kernel_s_headers_say() {
        for (alias, padding) in [("abc", &[0][..]), ("abcd", &[])] {
            let length = u16::try_from(4 + alias.len()).unwrap();
            // RTM_NEWLINK with NLM_F_REQUEST and _ACK, `struct ifinfomsg`, IFLA_IFALIAS.
            let expected = [
                &40_u32.to_ne_bytes()[..],
                &16_u16.to_ne_bytes(),
                &0x5_u16.to_ne_bytes(),
                &[0; 8],
                &[0; 4],
                &7_u32.to_ne_bytes(),
                &[0; 8],
                &length.to_ne_bytes(),
                &20_u16.to_ne_bytes(),
                alias.as_bytes(),
                padding,
            ];
            assert_eq!(alias_request(7, alias), expected.concat());
        }
    }
}
