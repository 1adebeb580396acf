//! The kill switch: which packets may leave the computer while the user wants the VPN up.
//!
//! A set of rules for nftables, in a table of the connection's own, that lets through the tunnel,
//! what keeps it up, and what the user chose; all else is rejected, so that programs are told at
//! once. The table belongs to nobody: it stays when the service is killed, and traffic stays
//! stopped. Here it is decided what is in it; [`netlink`] writes it as the kernel reads it.
//!
//! The endpoint's name is never asked for while the table is there: the addresses that were found
//! before it was made are let through, so no name server has to be.

mod lan;
pub mod netlink;

pub use lan::local_networks;

use crate::ip::Network;
use aws_client_vpn_profile::parts::Transport;
use aws_client_vpn_profile::settings::Choices;
use aws_client_vpn_profile::well_known::TABLE_PREFIX;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How much of a connection's UUID is taken; NetworkManager's have 36 characters.
const LONGEST_UUID: usize = 64;
/// How many addresses of an endpoint are let through.
const MOST_ENDPOINTS: usize = 64;

/// Where packets to the endpoint go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// One of its addresses.
    pub address: IpAddr,
    /// UDP or TCP.
    pub port: u16,
    /// Which of them.
    pub transport: Transport,
}

/// What is let through at the moment.
#[derive(Debug, Clone, Copy)]
pub struct Openings<'a> {
    /// The tunnel's interface.
    pub device: &'a str,
    /// The endpoint.
    pub endpoints: &'a [Endpoint],
    /// The networks around, see [`local_networks`].
    pub lan: &'a [Network<IpAddr>],
    /// Whether a person signs in in a browser.
    pub browser: bool,
}

/// The name of the table of the connection `uuid`.
#[must_use]
pub fn table_name(uuid: &str) -> String {
    let fit = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let uuid: String = uuid.chars().filter(fit).take(LONGEST_UUID).collect();
    format!("{TABLE_PREFIX}{uuid}")
}

/// The rules of one connection. `Display` shows them in the words of `nft`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruleset {
    table: String,
    /// What this computer sends.
    output: Vec<Rule>,
    /// What it passes on, for containers and virtual machines.
    forward: Vec<Rule>,
}

/// Packets of one kind, and what becomes of them. The last rule of a chain matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Rule {
    device: Option<(Direction, String)>,
    destination: Option<Network<IpAddr>>,
    protocol: Option<Protocol>,
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// To a port.
    Port(Transport, u16),
    /// From one port of UDP to another one, over one version of IP.
    Dhcp { ipv6: bool, from: u16, to: u16 },
    /// Messages of ICMPv6 of these types.
    IcmpV6(u8, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Verdict {
    #[default]
    Accept,
    Reject,
}

/// Names in plain and encrypted form (RFC 1035, 7858).
const DNS_PORTS: [u16; 2] = [53, 853];
const TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

impl Ruleset {
    /// The rules for the connection with this [`table_name`], for what is open now.
    #[must_use]
    pub fn new(table: &str, choices: Choices, openings: &Openings<'_>) -> Self {
        let device = |direction, name: &str| Rule {
            device: Some((direction, name.to_owned())),
            ..Rule::default()
        };
        let tunnel = device(Direction::Out, openings.device);
        let mut output = vec![device(Direction::Out, "lo"), tunnel.clone()];
        let endpoints = openings.endpoints.iter().take(MOST_ENDPOINTS);
        output.extend(endpoints.map(|endpoint| Rule {
            destination: Some(host(endpoint.address)),
            protocol: Some(Protocol::Port(endpoint.transport, endpoint.port)),
            ..Rule::default()
        }));
        output.extend(UPKEEP.map(Rule::of));
        if choices.sign_in && openings.browser {
            output.extend(WEB.map(|(transport, port)| Rule::of(Protocol::Port(transport, port))));
        }
        let mut forward = vec![tunnel, device(Direction::In, openings.device)];
        if choices.lan {
            let around = around(openings.lan);
            output.extend_from_slice(&around);
            forward.extend(around);
        }
        let rest = Rule {
            verdict: Verdict::Reject,
            ..Rule::default()
        };
        output.push(rest.clone());
        forward.push(rest);
        Self {
            table: table.to_owned(),
            output,
            forward,
        }
    }
}

/// What keeps a computer on its network: addresses by DHCP, neighbours and routers by ICMPv6
/// (router and neighbour discovery, and the reports that let switches pass it on).
const UPKEEP: [Protocol; 4] = [
    Protocol::Dhcp {
        ipv6: false,
        from: 68,
        to: 67,
    },
    Protocol::Dhcp {
        ipv6: true,
        from: 546,
        to: 547,
    },
    Protocol::IcmpV6(133, 136),
    Protocol::IcmpV6(143, 143),
];

/// What a browser needs to find and load a page.
const WEB: [(Transport, u16); 5] = [
    (Transport::Udp, 53),
    (Transport::Tcp, 53),
    (Transport::Tcp, 80),
    (Transport::Tcp, 443),
    (Transport::Udp, 443),
];

/// The networks around, but not their name servers: what they are asked for they ask outside.
fn around(lan: &[Network<IpAddr>]) -> Vec<Rule> {
    let names = TRANSPORTS.into_iter().flat_map(|transport| {
        DNS_PORTS.map(|port| Rule {
            verdict: Verdict::Reject,
            ..Rule::of(Protocol::Port(transport, port))
        })
    });
    let link: [Network<IpAddr>; 5] = [
        network(Ipv4Addr::new(224, 0, 0, 0).into(), 24),
        host(Ipv4Addr::new(239, 255, 255, 250).into()),
        host(Ipv4Addr::BROADCAST.into()),
        network(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0).into(), 10),
        network(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0).into(), 16),
    ];
    let networks = lan.iter().copied().chain(link).map(|network| Rule {
        destination: Some(network),
        ..Rule::default()
    });
    names.chain(networks).collect()
}

fn network(address: IpAddr, prefix: u8) -> Network<IpAddr> {
    Network { address, prefix }
}

fn host(address: IpAddr) -> Network<IpAddr> {
    network(address, if address.is_ipv4() { 32 } else { 128 })
}

impl Rule {
    fn of(protocol: Protocol) -> Self {
        Self {
            protocol: Some(protocol),
            ..Self::default()
        }
    }
}

impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "table inet {} {{", self.table)?;
        for (hook, rules) in [("output", &self.output), ("forward", &self.forward)] {
            writeln!(f, "\tchain {hook} {{")?;
            writeln!(
                f,
                "\t\ttype filter hook {hook} priority filter; policy drop;"
            )?;
            for rule in rules {
                writeln!(f, "\t\t{rule}")?;
            }
            writeln!(f, "\t}}")?;
            if hook == "output" {
                writeln!(f)?;
            }
        }
        writeln!(f, "}}")
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((direction, name)) = &self.device {
            let which = match direction {
                Direction::In => "iifname",
                Direction::Out => "oifname",
            };
            write!(f, "{which} \"{name}\" ")?;
        }
        if let Some(Network { address, prefix }) = self.destination {
            let (family, length) = match address {
                IpAddr::V4(_) => ("ip", 32),
                IpAddr::V6(_) => ("ip6", 128),
            };
            write!(f, "{family} daddr {address}")?;
            if prefix < length {
                write!(f, "/{prefix}")?;
            }
            write!(f, " ")?;
        }
        match self.protocol {
            None => {}
            Some(Protocol::Port(transport, port)) => {
                write!(f, "{} dport {port} ", transport.as_str())?;
            }
            Some(Protocol::Dhcp { ipv6, from, to }) => {
                let family = if ipv6 { "ipv6" } else { "ipv4" };
                write!(f, "meta nfproto {family} udp sport {from} udp dport {to} ")?;
            }
            Some(Protocol::IcmpV6(first, last)) => {
                write!(f, "icmpv6 type {first}")?;
                if last > first {
                    write!(f, "-{last}")?;
                }
                write!(f, " ")?;
            }
        }
        f.write_str(match self.verdict {
            Verdict::Accept => "accept",
            Verdict::Reject => "reject with icmpx admin-prohibited",
        })
    }
}

#[cfg(test)]
mod tests;
