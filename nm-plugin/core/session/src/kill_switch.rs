//! The kill switch: which packets may leave the computer while the user wants the VPN up.
//!
//! One set of rules for nftables, in one table for all connections, made of what each of them wants
//! (its [`FirewallPolicy`]): it lets through the tunnels, what keeps them up, and what the user
//! chose; all else is rejected, so that programs are told at once. There is a table as long as one
//! connection blocks traffic. It belongs to no process: it stays when a service is killed, and traffic
//! stays blocked. Here it is decided what is in it; [`netlink`] writes it as the kernel reads it.
//!
//! In the code a kill switch is *closed* while it blocks traffic, and *open* otherwise. To *lift* one is to
//! open it although nobody has taken its connection down.
//!
//! One table for all, because nftables evaluates every table: what one accepts, another still rejects.

mod lan;
pub mod netlink;
mod policy;

pub use lan::local_networks;
pub use policy::FirewallPolicy;

use crate::ip::Network;
use aws_client_vpn_profile::parts::Transport;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// How long ports stay open that are opened for a name lookup or a sign-in. Whoever needs them
/// longer has the rules made again; nobody has to close them after a service that was killed.
pub const OPENING_LIFETIME: Duration = Duration::from_secs(120);
/// The table.
pub const TABLE: &str = "aws-client-vpn-kill-switch";
/// How many addresses of one endpoint are let through, and how many of all.
const MOST_ENDPOINTS: usize = 64;
const MOST_ENDPOINTS_OF_ALL: usize = 256;
/// How many of the networks around are let through.
const MOST_NETWORKS: usize = 16;
/// How many connections count.
const MOST_CONNECTIONS: usize = 64;

/// Where packets to the endpoint go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// An address of the endpoint.
    pub address: IpAddr,
    /// The port that it listens on.
    pub port: u16,
    /// UDP or TCP.
    pub transport: Transport,
}

/// The rules of all connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruleset {
    /// What this computer sends.
    output: Vec<Rule>,
    /// What it passes on, for containers and virtual machines.
    forward: Vec<Rule>,
    /// The ports that are open to every destination for [`OPENING_LIFETIME`].
    openings: Vec<(Transport, u16)>,
}

/// Packets of one kind, and what becomes of them. The last rule of a chain matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Rule {
    device: Option<(Direction, String)>,
    /// Whose programs send them.
    user: Option<u32>,
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
    /// To one of the ports that are open for a while.
    Opening(Transport),
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

impl Ruleset {
    /// The rules that connections with these policies need; `None` if none of them stops anything.
    ///
    /// Each is let through what keeps it up: to its endpoint what runs as `user`, OpenVPN, or every
    /// program, where that account is not known. The networks around are let through only if all that
    /// stop the rest let them through: what one of them is to stop stays stopped.
    pub fn of(policies: &[FirewallPolicy], user: Option<u32>) -> Option<Self> {
        let policies = policies.get(..MOST_CONNECTIONS).unwrap_or(policies);
        let mut stopping = policies.iter().filter(|policy| policy.stops_the_rest);
        stopping.clone().next()?;
        let device = |direction, name: &str| Rule {
            device: Some((direction, name.to_owned())),
            ..Rule::default()
        };
        let mut devices: Vec<&str> = policies
            .iter()
            .filter_map(|policy| policy.device.as_deref())
            .collect();
        devices.sort_unstable();
        devices.dedup();
        let mut output = vec![device(Direction::Out, "lo")];
        output.extend(devices.iter().map(|name| device(Direction::Out, name)));
        for endpoint in endpoints(policies) {
            output.push(Rule {
                user,
                destination: Some(Network::host(endpoint.address)),
                ..Rule::of(Protocol::Port(endpoint.transport, endpoint.port))
            });
        }
        output.extend(LINK_UPKEEP.map(Rule::of));
        let web = policies.iter().any(|policy| policy.web);
        let mut openings = Vec::new();
        if web || policies.iter().any(|policy| policy.names) {
            openings.extend(NAMES);
        }
        if web {
            openings.extend(WEB);
        }
        if !openings.is_empty() {
            output.extend(TRANSPORTS.map(|transport| Rule::of(Protocol::Opening(transport))));
        }
        let mut forward: Vec<Rule> = devices
            .iter()
            .flat_map(|name| [device(Direction::Out, name), device(Direction::In, name)])
            .collect();
        if stopping.all(|policy| policy.local_networks.is_some()) {
            let mut networks: Vec<_> = policies
                .iter()
                .flat_map(|policy| policy.local_networks.iter().flatten().copied())
                .collect();
            networks.sort_by_key(|network| (network.address, network.prefix));
            networks.dedup();
            networks.truncate(MOST_NETWORKS);
            let lan_rules = lan_rules(&networks);
            output.extend_from_slice(&lan_rules);
            forward.extend(lan_rules);
        }
        let rest = Rule {
            verdict: Verdict::Reject,
            ..Rule::default()
        };
        output.push(rest.clone());
        forward.push(rest);
        Some(Self {
            output,
            forward,
            openings,
        })
    }
}

/// Where the endpoints of all are, each once, in an order that does not depend on whose they are:
/// the same policies make the same rules.
fn endpoints(policies: &[FirewallPolicy]) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for policy in policies {
        for endpoint in policy.endpoints.iter().take(MOST_ENDPOINTS) {
            if !endpoints.contains(endpoint) && endpoints.len() < MOST_ENDPOINTS_OF_ALL {
                endpoints.push(*endpoint);
            }
        }
    }
    let port = |to: &Endpoint| (to.port, to.transport.as_str());
    endpoints.sort_by(|one, other| {
        let by_address = one.address.cmp(&other.address);
        by_address.then_with(|| port(one).cmp(&port(other)))
    });
    endpoints
}

/// What keeps a computer on its network: addresses by DHCP, neighbours and routers by ICMPv6
/// (router and neighbour discovery, and the reports that let switches pass it on).
const LINK_UPKEEP: [Protocol; 4] = [
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

/// How names are asked for, in plain and encrypted form (RFC 1035, 7858).
const NAMES: [(Transport, u16); 4] = [
    (Transport::Udp, 53),
    (Transport::Tcp, 53),
    (Transport::Udp, 853),
    (Transport::Tcp, 853),
];

const TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

/// What a browser loads pages with.
const WEB: [(Transport, u16); 3] = [
    (Transport::Tcp, 80),
    (Transport::Tcp, 443),
    (Transport::Udp, 443),
];

/// Lets the local networks through, but not their name servers: what they are asked for they ask outside.
fn lan_rules(lan: &[Network<IpAddr>]) -> Vec<Rule> {
    let names = NAMES.into_iter().map(|(transport, port)| Rule {
        verdict: Verdict::Reject,
        ..Rule::of(Protocol::Port(transport, port))
    });
    let link: [Network<IpAddr>; 5] = [
        network(Ipv4Addr::new(224, 0, 0, 0).into(), 24),
        Network::host(Ipv4Addr::new(239, 255, 255, 250).into()),
        Network::host(Ipv4Addr::BROADCAST.into()),
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

impl Rule {
    fn of(protocol: Protocol) -> Self {
        Self {
            protocol: Some(protocol),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;
