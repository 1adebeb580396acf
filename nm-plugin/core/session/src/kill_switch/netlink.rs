//! Rules as the kernel reads them: one batch of messages of nfnetlink, which takes effect as a
//! whole or not at all.
//!
//! The service has no right that a program it starts could use, so `nft` could do nothing for it;
//! and a table is a handful of messages. Numbers: linux/netlink.h, linux/netfilter/nfnetlink.h and
//! linux/netfilter/nf_tables.h. Lengths and numbers of netlink itself are in the machine's order of
//! bytes, those of nf_tables in the network's.

use super::{Direction, OPENING_LIFETIME, Protocol, Rule, Ruleset, TABLE, TRANSPORTS, Verdict};
use crate::ip::Network;
use crate::netlink::{bytes_of, error_in, frame, messages};
use aws_client_vpn_profile::parts::Transport;
use netlink_packet_core::{
    DefaultNla, NLA_F_NESTED, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST, NLMSG_ERROR,
    NlasIterator,
};
use std::net::IpAddr;

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NFTABLES: u16 = 10;
const NEW_TABLE: u16 = NFTABLES << 8;
const GET_TABLE: u16 = NFTABLES << 8 | 1;
const DELETE_TABLE: u16 = NFTABLES << 8 | 2;
const NEW_CHAIN: u16 = NFTABLES << 8 | 3;
const NEW_RULE: u16 = NFTABLES << 8 | 6;
const NEW_SET: u16 = NFTABLES << 8 | 9;
const NEW_SET_ELEMENT: u16 = NFTABLES << 8 | 12;
const NEW_GENERATION: u16 = NFTABLES << 8 | 15;
/// `NFTA_…_TABLE` of all kinds of messages about what is in a table, and `NFTA_TABLE_NAME`.
const NAME_OF_TABLE: u16 = 1;
/// `NFPROTO_INET`: IPv4 and IPv6 in one table.
const INET: u8 = 1;
/// `struct nfgenmsg`, after the header.
const NETFILTER_HEADER: usize = 4;

/// `NF_INET_LOCAL_OUT` and `NF_INET_FORWARD`.
const HOOKS: [(&str, u32); 2] = [("output", 3), ("forward", 2)];

/// The first of the numbers (`nl_pid`) that our sockets bind to, one for each process: with them,
/// each service knows what another one has changed. The kernel itself gives sockets the number of
/// their process, which is below 2²², or a negative one.
pub const FIRST_PORT: u32 = 0x4157_0000;
/// How many there are.
pub const PORTS: u32 = 0x1_0000;

/// The batch that puts these rules in the place of those that the table had, or takes the table
/// away, whether or not there is one. Its messages are numbered from `first`.
#[must_use]
pub fn replacement(rules: Option<&Ruleset>, first: u32) -> Batch {
    let mut batch = Batch::begin(first);
    // A table that is not there cannot be deleted, so it is made first.
    let name = |to: &mut Attributes| to.text(NAME_OF_TABLE, TABLE);
    batch.message(NEW_TABLE, NLM_F_CREATE | NLM_F_ACK, name);
    batch.message(DELETE_TABLE, 0, name);
    if let Some(rules) = rules {
        batch.message(NEW_TABLE, NLM_F_CREATE, name);
        batch.rules(rules);
    }
    batch.frame(BATCH_END, 0, 0, NFTABLES, |_| {});
    batch
}

/// The question for our table.
#[must_use]
pub fn table_request() -> Vec<u8> {
    let mut batch = Batch::default();
    batch.message(GET_TABLE, 0, |to| to.text(NAME_OF_TABLE, TABLE));
    batch.bytes
}

/// Whether the answer to it is that there is one.
#[must_use]
pub fn is_table(answer: &[u8]) -> bool {
    messages(answer).any(|message| message.message_type() == NEW_TABLE)
}

/// Messages that the kernel carries out as a whole, or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    first: u32,
    next: u32,
    acknowledged: bool,
}

impl Batch {
    fn begin(first: u32) -> Self {
        let mut batch = Self {
            first,
            next: first,
            ..Self::default()
        };
        batch.frame(BATCH_BEGIN, 0, 0, NFTABLES, |_| {});
        batch
    }

    /// What is sent to the kernel.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number for the first message of the next batch on the same socket.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Whether the kernel has said that this batch was carried out, see [`Self::answered`].
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// Takes in what the kernel answers. Answers to other batches mean nothing. After an error, of
    /// which this is the number, the kernel has changed nothing.
    pub fn answered(&mut self, answers: &[u8]) -> Result<(), i32> {
        for message in messages(answers) {
            let from_first = message.sequence_number().wrapping_sub(self.first);
            let is_ours = self.next.wrapping_sub(self.first) > from_first;
            if message.message_type() == NLMSG_ERROR && is_ours {
                error_in(&message)?;
                self.acknowledged = true;
            }
        }
        Ok(())
    }

    /// The set of the ports of `transport` that are open for a while; it empties itself.
    fn openings(&mut self, transport: Transport, ports: &[u16]) {
        let milliseconds = u64::try_from(OPENING_LIFETIME.as_millis()).unwrap_or(u64::MAX);
        self.message(NEW_SET, NLM_F_CREATE, |to| {
            to.text(NAME_OF_TABLE, TABLE);
            to.text(2, opening_set(transport));
            // NFT_SET_TIMEOUT: its elements go by themselves.
            to.number(3, 0x10);
            // What nft calls the keys (inet_service), and their length.
            to.number(4, 13);
            to.number(5, 2);
            // The number by which a message of this batch could name it.
            to.number(10, protocol_number(transport).into());
            to.bytes(11, &milliseconds.to_be_bytes());
        });
        self.message(NEW_SET_ELEMENT, NLM_F_CREATE, |to| {
            to.text(NAME_OF_TABLE, TABLE);
            to.text(2, opening_set(transport));
            to.nested(3, |to| {
                for port in ports {
                    to.nested(1, |to| {
                        to.nested(1, |to| to.bytes(1, &port.to_be_bytes()));
                    });
                }
            });
        });
    }

    fn rules(&mut self, rules: &Ruleset) {
        for transport in TRANSPORTS {
            let own = rules.openings.iter().filter(|(of, _)| *of == transport);
            let ports: Vec<u16> = own.map(|(_, port)| *port).collect();
            if !ports.is_empty() {
                self.openings(transport, &ports);
            }
        }
        for ((name, hook), rules) in HOOKS.into_iter().zip([&rules.output, &rules.forward]) {
            self.message(NEW_CHAIN, NLM_F_CREATE, |to| {
                to.text(NAME_OF_TABLE, TABLE);
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
                self.message(NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, |to| {
                    to.text(NAME_OF_TABLE, TABLE);
                    to.text(2, name);
                    to.nested(4, |to| rule.write(to));
                });
            }
        }
    }

    fn message(&mut self, kind: u16, flags: u16, write: impl FnOnce(&mut Attributes)) {
        self.frame(kind, flags, INET, 0, write);
    }

    fn frame(
        &mut self,
        kind: u16,
        flags: u16,
        family: u8,
        resource: u16,
        write: impl FnOnce(&mut Attributes),
    ) {
        let mut body = vec![family, 0];
        body.extend(resource.to_be_bytes());
        let mut attributes = Attributes::default();
        write(&mut attributes);
        body.extend(bytes_of(&attributes.0.as_slice()));
        let message = frame(kind, NLM_F_REQUEST | flags, self.next, &body);
        self.bytes.extend(message);
        self.next = self.next.wrapping_add(1);
    }
}

/// Who has changed our table last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The change was made by a service of ours, which knows what belongs into the table.
    Ours,
    /// Somebody else.
    Foreign,
}

/// Who changed our table last, by the events in one datagram of the kernel; `None` if nobody did.
#[must_use]
pub fn last_change(events: &[u8]) -> Option<Change> {
    let changes = messages(events).filter(|message| {
        message.message_type() >> 8 == NFTABLES
            && message.message_type() != NEW_GENERATION
            && is_about_our_table(message.payload())
    });
    let from = changes.last()?.port_number();
    let is_ours = (FIRST_PORT..FIRST_PORT + PORTS).contains(&from);
    Some(if is_ours {
        Change::Ours
    } else {
        Change::Foreign
    })
}

fn is_about_our_table(content: &[u8]) -> bool {
    let attributes = NlasIterator::new(content.get(NETFILTER_HEADER..).unwrap_or_default());
    let mut names = attributes
        .flatten()
        .filter(|attribute| attribute.kind() == NAME_OF_TABLE);
    names
        .next()
        .is_some_and(|name| name.value().strip_suffix(&[0]) == Some(TABLE.as_bytes()))
}

#[derive(Default)]
struct Attributes(Vec<DefaultNla>);

impl Attributes {
    fn bytes(&mut self, kind: u16, bytes: &[u8]) {
        self.0.push(DefaultNla::new(kind, bytes.to_vec()));
    }

    fn nested(&mut self, kind: u16, write: impl FnOnce(&mut Attributes)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(kind | NLA_F_NESTED, &bytes_of(&inner.0.as_slice()));
    }

    fn text(&mut self, kind: u16, text: &str) {
        self.bytes(kind, &[text.as_bytes(), &[0]].concat());
    }

    fn number(&mut self, kind: u16, number: u32) {
        self.bytes(kind, &number.to_be_bytes());
    }

    /// Adds an expression of a rule, with its own attributes.
    fn expression(&mut self, name: &str, write: impl FnOnce(&mut Attributes)) {
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

    /// Loads bytes of a packet; `base` is 1 for its network header, 2 for the transport's.
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
            to.nested(3, |to| to.bytes(1, value));
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
            to.nested(4, |to| to.bytes(1, mask));
            to.nested(5, |to| to.bytes(1, &zeroes));
        });
    }
}

const REGISTER: u32 = 1;
const EQUAL: u32 = 0;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;
const META_IN_NAME: u32 = 6;
const META_OUT_NAME: u32 = 7;
const META_SOCKET_USER: u32 = 10;
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
    fn write(&self, to: &mut Attributes) {
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
        if let Some(user) = self.user {
            to.meta(META_SOCKET_USER);
            // In the machine's order of bytes, unlike what comes out of packets.
            to.is(&user.to_ne_bytes());
        }
        if let Some(network) = self.destination {
            write_destination(to, network);
        }
        match self.protocol {
            None => {}
            Some(Protocol::Port(transport, port)) => {
                to.meta(META_PROTOCOL);
                to.is(&[protocol_number(transport)]);
                to.payload(TRANSPORT_HEADER, 2, 2);
                to.is(&port.to_be_bytes());
            }
            Some(Protocol::Opening(transport)) => {
                to.meta(META_PROTOCOL);
                to.is(&[protocol_number(transport)]);
                to.payload(TRANSPORT_HEADER, 2, 2);
                to.expression("lookup", |to| {
                    to.text(1, opening_set(transport));
                    to.number(2, REGISTER);
                });
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
                to.bytes(2, &[3]);
            }),
        }
    }
}

/// The name of the set that holds the ports of `transport` which are open for a while.
fn opening_set(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "open-udp",
        Transport::Tcp => "open-tcp",
    }
}

fn protocol_number(transport: Transport) -> u8 {
    match transport {
        Transport::Udp => UDP,
        Transport::Tcp => TCP,
    }
}

fn write_destination(to: &mut Attributes, network: Network<IpAddr>) {
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
    if mask.iter().any(|byte| *byte != u8::MAX) {
        to.mask(&mask);
    }
    let masked: Vec<u8> = address.iter().zip(&mask).map(|(a, m)| a & m).collect();
    to.is(&masked);
}

fn mask(length: usize, prefix: u8) -> Vec<u8> {
    let mut bits = usize::from(prefix);
    let bytes = (0..length).map(|_| {
        let here = bits.min(8);
        bits -= here;
        u8::MAX
            .checked_shl(8 - u32::try_from(here).unwrap_or(8))
            .unwrap_or(0)
    });
    bytes.collect()
}

#[cfg(test)]
mod batch_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::body;

    #[test]
    fn a_mask_has_as_many_bits_as_the_prefix() {
        assert_eq!(mask(4, 0), [0, 0, 0, 0]);
        assert_eq!(mask(4, 10), [0xff, 0xc0, 0, 0]);
        assert_eq!(mask(4, 32), [0xff; 4]);
        assert_eq!(mask(16, 64)[7..9], [0xff, 0]);
    }

    fn message(kind: u16, sequence: u32, port: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = frame(kind, 0, sequence, content);
        bytes[12..16].copy_from_slice(&port.to_ne_bytes());
        bytes
    }

    fn answer(sequence: u32, code: i32) -> Vec<u8> {
        message(NLMSG_ERROR, sequence, 7, &code.to_ne_bytes())
    }

    #[test]
    fn an_error_among_the_answers_is_found_and_garbage_is_none() {
        let answered = |answers: &[u8]| {
            let mut batch = replacement(None, 5);
            let outcome = batch.answered(answers);
            (outcome, batch.is_acknowledged())
        };
        assert_eq!(replacement(None, 5).next(), 9);
        assert_eq!(answered(&[]), (Ok(()), false));
        assert_eq!(answered(&answer(6, 0)), (Ok(()), true));
        let both = [answer(6, 0), answer(7, -1)].concat();
        assert_eq!(answered(&both).0, Err(1));
        assert_eq!(answered(&answer(5, i32::MIN)).0, Err(i32::MAX));
        assert_eq!(answered(&[0; 40]), (Ok(()), false));
        assert_eq!(answered(&[0xff; 17]), (Ok(()), false));
    }

    #[test]
    fn answers_to_another_batch_are_not_taken_for_this_one_s() {
        for (sequence, of_another) in [(4, true), (5, false), (8, false), (9, true)] {
            let mut batch = replacement(None, 5);
            let outcome = batch.answered(&answer(sequence, -1));
            assert_eq!(outcome.is_ok(), of_another, "{sequence}");
        }
        // The numbers start again after the last one.
        let mut batch = replacement(None, u32::MAX);
        assert_eq!(batch.answered(&answer(1, -1)), Err(1));
    }

    fn event(kind: u16, port: u32, table: &str) -> Vec<u8> {
        let name = [table.as_bytes(), &[0]].concat();
        message(
            kind,
            1,
            port,
            &body(&[INET, 0, 0, 0], &[(NAME_OF_TABLE, &name)]),
        )
    }

    #[test]
    fn a_change_is_told_by_its_table_and_the_socket_it_came_from() {
        let ours = event(NEW_TABLE, FIRST_PORT + 17, TABLE);
        let foreign = event(DELETE_TABLE, 4711, TABLE);
        let elsewhere = event(NEW_RULE, 4711, "aws-client-vpn-kill-switch-2");
        assert_eq!(last_change(&ours), Some(Change::Ours));
        assert_eq!(last_change(&foreign), Some(Change::Foreign));
        assert_eq!(last_change(&elsewhere), None);
        // NFT_MSG_NEWGEN
        assert_eq!(last_change(&event(0x0a0f, 4711, TABLE)), None);
        // Not of nftables; a part only.
        assert_eq!(last_change(&event(NLMSG_ERROR, 4711, TABLE)), None);
        assert_eq!(last_change(&foreign[..foreign.len() - 5]), None);
        // The last one counts: who comes after somebody else has put it right.
        let both = [foreign.clone(), ours.clone()].concat();
        assert_eq!(last_change(&both), Some(Change::Ours));
        let both = [ours, foreign, elsewhere].concat();
        assert_eq!(last_change(&both), Some(Change::Foreign));
        for port in [0, 1, 1 << 22, FIRST_PORT - 1, FIRST_PORT + PORTS, u32::MAX] {
            let change = last_change(&event(NEW_RULE, port, TABLE));
            assert_eq!(change, Some(Change::Foreign), "{port}");
        }
    }
}
