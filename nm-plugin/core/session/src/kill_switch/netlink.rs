//! Rules as the kernel reads them: one batch of messages of nfnetlink, which takes effect as a
//! whole or not at all.
//!
//! The service has no right that a program it starts could use, so `nft` could do nothing for it;
//! and a table is a handful of messages. Numbers: linux/netlink.h, linux/netfilter/nfnetlink.h and
//! linux/netfilter/nf_tables.h. Lengths and numbers of netlink itself are in the machine's order of
//! octets, those of nf_tables in the network's.

use super::{Direction, Protocol, Rule, Ruleset, Verdict};
use crate::ip::Network;
use aws_client_vpn_profile::parts::Transport;
use std::net::IpAddr;

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;
const NLMSG_ERROR: u16 = 2;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NFTABLES: u16 = 10;
const NEW_TABLE: u16 = NFTABLES << 8;
const DELETE_TABLE: u16 = NFTABLES << 8 | 2;
const NEW_CHAIN: u16 = NFTABLES << 8 | 3;
const NEW_RULE: u16 = NFTABLES << 8 | 6;
/// `NFPROTO_INET`: IPv4 and IPv6 in one table.
const INET: u8 = 1;
const NESTED: u16 = 0x8000;
const HEADER: usize = 16;

/// `NF_INET_LOCAL_OUT` and `NF_INET_FORWARD`.
const HOOKS: [(&str, u32); 2] = [("output", 3), ("forward", 2)];

impl Ruleset {
    /// The batch that puts these rules in the place of those that the table had.
    #[must_use]
    pub fn replacement(&self) -> Vec<u8> {
        let mut batch = Batch::begin();
        batch.delete_table(&self.table);
        batch.message(NEW_TABLE, NLM_F_CREATE, |to| to.text(1, &self.table));
        for ((name, hook), rules) in HOOKS.into_iter().zip([&self.output, &self.forward]) {
            batch.message(NEW_CHAIN, NLM_F_CREATE, |to| {
                to.text(1, &self.table);
                to.text(3, name);
                to.nested(4, |to| {
                    to.number(1, hook);
                    // The priority of filters is 0.
                    to.number(2, 0);
                });
                // What no rule takes is dropped: NF_DROP.
                to.number(5, 0);
                to.text(7, "filter");
            });
            for rule in rules {
                batch.message(NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, |to| {
                    to.text(1, &self.table);
                    to.text(2, name);
                    to.nested(4, |to| rule.write(to));
                });
            }
        }
        batch.end()
    }
}

/// The batch after which there is no such table, whether or not there was one.
#[must_use]
pub fn removal(table: &str) -> Vec<u8> {
    let mut batch = Batch::begin();
    batch.delete_table(table);
    batch.end()
}

/// What the kernel answered to a batch.
///
/// # Errors
/// The number of the first error. The kernel has then changed nothing.
pub fn outcome(mut answers: &[u8]) -> Result<(), i32> {
    while let Some((header, rest)) = answers.split_first_chunk::<HEADER>() {
        let [l0, l1, l2, l3, t0, t1, ..] = *header;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        if u16::from_ne_bytes([t0, t1]) == NLMSG_ERROR
            && let Some((code, _)) = rest.split_first_chunk()
        {
            match i32::from_ne_bytes(*code) {
                0 => {}
                error => return Err(error.saturating_neg()),
            }
        }
        let length = length.max(HEADER).next_multiple_of(4);
        answers = answers.get(length..).unwrap_or_default();
    }
    Ok(())
}

#[derive(Debug)]
struct Batch {
    octets: Vec<u8>,
    sequence: u32,
}

impl Batch {
    fn begin() -> Self {
        let mut batch = Self {
            octets: Vec::new(),
            sequence: 0,
        };
        batch.frame(BATCH_BEGIN, 0, 0, NFTABLES, |_| {});
        batch
    }

    /// A table that is not there cannot be deleted, so it is made first.
    fn delete_table(&mut self, table: &str) {
        let name = |to: &mut Attributes<'_>| to.text(1, table);
        self.message(NEW_TABLE, NLM_F_CREATE | NLM_F_ACK, name);
        self.message(DELETE_TABLE, 0, name);
    }

    fn message(&mut self, kind: u16, flags: u16, write: impl FnOnce(&mut Attributes<'_>)) {
        self.frame(kind, flags, INET, 0, write);
    }

    fn frame(
        &mut self,
        kind: u16,
        flags: u16,
        family: u8,
        resource: u16,
        write: impl FnOnce(&mut Attributes<'_>),
    ) {
        let start = self.octets.len();
        self.octets.extend([0; 4]);
        self.octets.extend(kind.to_ne_bytes());
        self.octets.extend((NLM_F_REQUEST | flags).to_ne_bytes());
        self.octets.extend(self.sequence.to_ne_bytes());
        self.octets.extend([0; 4]);
        self.sequence += 1;
        self.octets.extend([family, 0]);
        self.octets.extend(resource.to_be_bytes());
        write(&mut Attributes(&mut self.octets));
        let length = u32::try_from(self.octets.len() - start).unwrap_or(u32::MAX);
        self.octets[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }

    fn end(mut self) -> Vec<u8> {
        self.frame(BATCH_END, 0, 0, NFTABLES, |_| {});
        self.octets
    }
}

struct Attributes<'a>(&'a mut Vec<u8>);

impl Attributes<'_> {
    fn attribute(&mut self, kind: u16, write: impl FnOnce(&mut Attributes<'_>)) {
        let start = self.0.len();
        self.0.extend([0; 2]);
        self.0.extend(kind.to_ne_bytes());
        write(&mut Attributes(self.0));
        let length = u16::try_from(self.0.len() - start).unwrap_or(u16::MAX);
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        let padded = self.0.len().next_multiple_of(4);
        self.0.resize(padded, 0);
    }

    fn octets(&mut self, kind: u16, octets: &[u8]) {
        self.attribute(kind, |to| to.0.extend_from_slice(octets));
    }

    fn nested(&mut self, kind: u16, write: impl FnOnce(&mut Attributes<'_>)) {
        self.attribute(kind | NESTED, write);
    }

    fn text(&mut self, kind: u16, text: &str) {
        self.octets(kind, &[text.as_bytes(), &[0]].concat());
    }

    fn number(&mut self, kind: u16, number: u32) {
        self.octets(kind, &number.to_be_bytes());
    }

    /// One step of a rule, with its own attributes.
    fn expression(&mut self, name: &str, write: impl FnOnce(&mut Attributes<'_>)) {
        self.nested(1, |to| {
            to.text(1, name);
            to.nested(2, write);
        });
    }

    /// Loads something about a packet: `NFT_META_…`.
    fn meta(&mut self, key: u32) {
        self.expression("meta", |to| {
            to.number(1, REGISTER);
            to.number(2, key);
        });
    }

    /// Loads octets of a packet; `base` is 1 for its network header, 2 for the transport's.
    fn payload(&mut self, base: u32, offset: u32, length: u32) {
        self.expression("payload", |to| {
            to.number(1, REGISTER);
            to.number(2, base);
            to.number(3, offset);
            to.number(4, length);
        });
    }

    /// Goes on only if what was loaded compares so with `value`.
    fn compare(&mut self, operation: u32, value: &[u8]) {
        self.expression("cmp", |to| {
            to.number(1, REGISTER);
            to.number(2, operation);
            to.nested(3, |to| to.octets(1, value));
        });
    }

    fn is(&mut self, value: &[u8]) {
        self.compare(EQUAL, value);
    }

    /// Leaves of what was loaded only the bits of `mask`.
    fn mask(&mut self, mask: &[u8]) {
        let zeroes = vec![0; mask.len()];
        let length = u32::try_from(mask.len()).unwrap_or(0);
        self.expression("bitwise", |to| {
            to.number(1, REGISTER);
            to.number(2, REGISTER);
            to.number(3, length);
            to.nested(4, |to| to.octets(1, mask));
            to.nested(5, |to| to.octets(1, &zeroes));
        });
    }
}

const REGISTER: u32 = 1;
const EQUAL: u32 = 0;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;
const META_IN_NAME: u32 = 6;
const META_OUT_NAME: u32 = 7;
const META_FAMILY: u32 = 15;
const META_PROTOCOL: u32 = 16;
const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;
/// `NFPROTO_IPV4` and `NFPROTO_IPV6`.
const FAMILY_IPV4: u8 = 2;
const FAMILY_IPV6: u8 = 10;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
/// The length of an interface's name in a register.
const NAME_LENGTH: usize = 16;

impl Rule {
    fn write(&self, to: &mut Attributes<'_>) {
        if let Some((direction, name)) = &self.device {
            to.meta(match direction {
                Direction::In => META_IN_NAME,
                Direction::Out => META_OUT_NAME,
            });
            let mut padded = [0; NAME_LENGTH];
            // The last one stays: it ends the name.
            for (to, from) in padded.iter_mut().take(NAME_LENGTH - 1).zip(name.bytes()) {
                *to = from;
            }
            to.is(&padded);
        }
        if let Some(network) = self.destination {
            write_destination(to, network);
        }
        match self.protocol {
            None => {}
            Some(Protocol::Port(transport, port)) => {
                to.meta(META_PROTOCOL);
                to.is(&[match transport {
                    Transport::Udp => UDP,
                    Transport::Tcp => TCP,
                }]);
                to.payload(TRANSPORT_HEADER, 2, 2);
                to.is(&port.to_be_bytes());
            }
            Some(Protocol::Dhcp {
                ipv6,
                from,
                to: port,
            }) => {
                to.meta(META_FAMILY);
                to.is(&[if ipv6 { FAMILY_IPV6 } else { FAMILY_IPV4 }]);
                to.meta(META_PROTOCOL);
                to.is(&[UDP]);
                to.payload(TRANSPORT_HEADER, 0, 2);
                to.is(&from.to_be_bytes());
                to.payload(TRANSPORT_HEADER, 2, 2);
                to.is(&port.to_be_bytes());
            }
            Some(Protocol::IcmpV6(first, last)) => {
                to.meta(META_PROTOCOL);
                to.is(&[ICMPV6]);
                to.payload(TRANSPORT_HEADER, 0, 1);
                if first == last {
                    to.is(&[first]);
                } else {
                    to.compare(AT_LEAST, &[first]);
                    to.compare(AT_MOST, &[last]);
                }
            }
        }
        match self.verdict {
            // NF_ACCEPT, into the register of verdicts.
            Verdict::Accept => to.expression("immediate", |to| {
                to.number(1, 0);
                to.nested(2, |to| to.nested(2, |to| to.number(1, 1)));
            }),
            // For both versions of IP (NFT_REJECT_ICMPX_UNREACH): administratively prohibited.
            Verdict::Reject => to.expression("reject", |to| {
                to.number(1, 2);
                to.octets(2, &[3]);
            }),
        }
    }
}

fn write_destination(to: &mut Attributes<'_>, network: Network<IpAddr>) {
    // Where a header has the destination, and how long it is.
    let (family, offset, address) = match network.address {
        IpAddr::V4(address) => (FAMILY_IPV4, 16, address.octets().to_vec()),
        IpAddr::V6(address) => (FAMILY_IPV6, 24, address.octets().to_vec()),
    };
    let length = u32::try_from(address.len()).unwrap_or(0);
    to.meta(META_FAMILY);
    to.is(&[family]);
    to.payload(NETWORK_HEADER, offset, length);
    let mask = mask(address.len(), network.prefix);
    if mask.iter().any(|octet| *octet != u8::MAX) {
        to.mask(&mask);
    }
    let masked: Vec<u8> = address.iter().zip(&mask).map(|(a, m)| a & m).collect();
    to.is(&masked);
}

fn mask(length: usize, prefix: u8) -> Vec<u8> {
    let mut bits = usize::from(prefix);
    let octets = (0..length).map(|_| {
        let here = bits.min(8);
        bits -= here;
        u8::MAX
            .checked_shl(8 - u32::try_from(here).unwrap_or(8))
            .unwrap_or(0)
    });
    octets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_as_many_bits_as_the_prefix() {
        assert_eq!(mask(4, 0), [0, 0, 0, 0]);
        assert_eq!(mask(4, 10), [0xff, 0xc0, 0, 0]);
        assert_eq!(mask(4, 32), [0xff; 4]);
        assert_eq!(mask(16, 64)[7..9], [0xff, 0]);
    }

    #[test]
    fn an_error_among_the_answers_is_found_and_garbage_is_none() {
        let answer = |code: i32| {
            let mut octets = 36_u32.to_ne_bytes().to_vec();
            octets.extend(NLMSG_ERROR.to_ne_bytes());
            octets.extend([0; 10]);
            octets.extend(code.to_ne_bytes());
            octets.extend([0; 16]);
            octets
        };
        assert_eq!(outcome(&[]), Ok(()));
        assert_eq!(outcome(&answer(0)), Ok(()));
        assert_eq!(outcome(&[answer(0), answer(-1)].concat()), Err(1));
        assert_eq!(outcome(&answer(i32::MIN)), Err(i32::MAX));
        assert_eq!(outcome(&[0; 40]), Ok(()));
        assert_eq!(outcome(&[0xff; 17]), Ok(()));
    }
}
