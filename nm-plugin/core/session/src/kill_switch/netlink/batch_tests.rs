//! What a batch says, message by message. That the kernel takes it for the rules that are meant is
//! seen by the service's tests, which have `nft` list them.

use super::super::{Endpoint, FirewallPolicy};
use super::*;

/// All kinds of rules that there are.
fn ruleset() -> Ruleset {
    let endpoint = |address: &str, transport| Endpoint {
        address: address.parse().unwrap(),
        port: 1194,
        transport,
    };
    let policy = FirewallPolicy {
        stops_the_rest: true,
        device: Some("awsvpn0".to_owned()),
        endpoints: vec![
            endpoint("203.0.113.5", Transport::Udp),
            endpoint("2001:db8::5", Transport::Tcp),
        ],
        // With bits behind the prefix, which are no part of the network.
        local_networks: Some(vec![Network {
            address: "192.168.77.9".parse().unwrap(),
            prefix: 18,
        }]),
        names: true,
        web: true,
    };
    // The same in both orders of bytes.
    Ruleset::of(&[policy], Some(0x0100_0001)).unwrap()
}

/// Attributes: the number of each, and what is in it.
fn attributes(mut bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    while let Some(([l0, l1, k0, k1], _)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_ne_bytes([*l0, *l1]));
        let kind = u16::from_ne_bytes([*k0, *k1]);
        let value = &bytes[4..length];
        let number = kind & !NLA_F_NESTED;
        shown.push(match value {
            _ if kind & NLA_F_NESTED != 0 => format!("{number}({})", attributes(value)),
            [0, a, b, c] => format!("{number}={}", u32::from_be_bytes([0, *a, *b, *c])),
            [text @ .., 0] if text.iter().all(u8::is_ascii_graphic) => {
                format!("{number}={}", String::from_utf8_lossy(text))
            }
            _ => {
                let digits: Vec<_> = value.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{number}=0x{}", digits.concat())
            }
        });
        bytes = &bytes[length.next_multiple_of(4)..];
    }
    shown.join(" ")
}

/// Messages: number, kind, flags, and the header of netfilter, before what is in them.
fn told(batch: &Batch) -> Vec<String> {
    let mut told = Vec::new();
    for message in messages(batch.bytes()) {
        let (netfilter, rest) = message.payload().split_at(NETFILTER_HEADER);
        let line = format!(
            "{} {:#x} {:#x} {netfilter:?} {}",
            message.sequence_number(),
            message.message_type(),
            message.flags(),
            attributes(rest)
        );
        told.push(line.trim_end().to_owned());
    }
    told
}

#[test]
fn a_table_is_taken_away_whether_or_not_it_is_there() {
    let expected = [
        "5 0x10 0x1 [0, 0, 0, 10]",
        "6 0xa00 0x405 [1, 0, 0, 0] 1=aws-client-vpn-kill-switch",
        "7 0xa02 0x1 [1, 0, 0, 0] 1=aws-client-vpn-kill-switch",
        "8 0x11 0x1 [0, 0, 0, 10]",
    ];
    assert_eq!(told(&replacement(None, 5)), expected);
}

#[test]
fn rules_are_written_as_nf_tables_reads_them() {
    let told = told(&replacement(Some(&ruleset()), 1));
    let expected: Vec<_> = include_str!("batch.txt").lines().collect();
    assert_eq!(told, expected);
}
