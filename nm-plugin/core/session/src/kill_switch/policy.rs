//! What one connection wants of the firewall, and the mark by which the others know.
//!
//! Each activation is a process of its own, and each may be killed at any time. So every activation
//! leaves its policy in a file, the mark, and whoever changes its own mark builds the rules from all.

use super::{Endpoint, MOST_ENDPOINTS, MOST_NETWORKS};
use crate::ip::Network;
use aws_client_vpn_profile::parts::Transport;
use std::net::IpAddr;

/// The longest name of an interface.
const LONGEST_DEVICE: usize = 15;
/// The last line of a mark: without it, it was not written to its end.
const END: &str = "whole";

/// What one connection wants of the firewall.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirewallPolicy {
    /// Whether all that no policy lets through is stopped.
    pub stops_the_rest: bool,
    /// The tunnel's interface.
    pub device: Option<String>,
    /// Where packets to the endpoint go.
    pub endpoints: Vec<Endpoint>,
    /// The networks around, where the user wants them let through, see
    /// [`local_networks`](super::local_networks).
    pub local_networks: Option<Vec<Network<IpAddr>>>,
    /// Whether the endpoint's name is being looked up: name servers are open to every program.
    pub names: bool,
    /// Whether a person signs in in a browser: name servers and the web are open to every program.
    pub web: bool,
}

impl FirewallPolicy {
    /// Whether it needs ports that are open for [`OPENING_LIFETIME`](super::OPENING_LIFETIME) only.
    pub fn has_openings(&self) -> bool {
        self.names || self.web
    }

    /// What is left of it when its process is gone: nobody looks anything up or signs in any more.
    pub fn of_a_process_that_is_gone(self) -> Self {
        Self {
            names: false,
            web: false,
            ..self
        }
    }

    /// The mark's text. That it stops the rest is said by its name.
    pub fn to_mark(&self) -> String {
        let mut lines = Vec::new();
        let mut line =
            |key: &str, value: &dyn std::fmt::Display| lines.push(format!("{key} {value}\n"));
        for (key, value) in [
            ("lets-local-networks", self.local_networks.is_some()),
            ("lets-names", self.names),
            ("lets-web", self.web),
        ] {
            line(key, &if value { "yes" } else { "no" });
        }
        if let Some(device) = &self.device {
            line("device", device);
        }
        for Endpoint {
            address,
            port,
            transport,
        } in self.endpoints.iter().take(MOST_ENDPOINTS)
        {
            line(
                "endpoint",
                &format_args!("{} {address} {port}", transport.as_str()),
            );
        }
        let networks = self.local_networks.iter().flatten().take(MOST_NETWORKS);
        for network in networks {
            line("network", network);
        }
        lines.concat() + END + "\n"
    }

    /// Reads the text of a mark whose name says whether it stops the rest; one that is not whole
    /// lets nothing through.
    pub fn from_mark(stops_the_rest: bool, text: &str) -> Self {
        let empty = Self {
            stops_the_rest,
            ..Self::default()
        };
        let mut policy = empty.clone();
        let mut local_networks = Vec::new();
        let mut lets_local_networks = false;
        let mut is_whole = false;
        for line in text.lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match (key, value) {
                ("lets-local-networks", value) => lets_local_networks = value == "yes",
                ("lets-names", value) => policy.names = value == "yes",
                ("lets-web", value) => policy.web = value == "yes",
                ("device", name) => policy.device = device(name),
                ("endpoint", value) if policy.endpoints.len() < MOST_ENDPOINTS => {
                    policy.endpoints.extend(endpoint(value));
                }
                ("network", value) if local_networks.len() < MOST_NETWORKS => {
                    local_networks.extend(network(value));
                }
                (END, "") => {
                    is_whole = true;
                    break;
                }
                _ => {}
            }
        }
        if !is_whole {
            return empty;
        }
        policy.local_networks = lets_local_networks.then_some(local_networks);
        policy
    }
}

fn device(name: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    let is_one = (1..=LONGEST_DEVICE).contains(&name.len()) && name.bytes().all(fits);
    is_one.then(|| name.to_owned())
}

fn endpoint(text: &str) -> Option<Endpoint> {
    let mut words = text.split(' ');
    let transport = match words.next()? {
        "udp" => Transport::Udp,
        "tcp" => Transport::Tcp,
        _ => return None,
    };
    Some(Endpoint {
        transport,
        address: words.next()?.parse().ok()?,
        port: words.next()?.parse().ok()?,
    })
}

fn network(text: &str) -> Option<Network<IpAddr>> {
    let (address, prefix) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix = prefix.parse().ok()?;
    (1..=Network::host(address).prefix)
        .contains(&prefix)
        .then_some(Network { address, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> FirewallPolicy {
        FirewallPolicy {
            stops_the_rest: true,
            device: Some("awsvpn0".to_owned()),
            endpoints: vec![
                Endpoint {
                    address: "203.0.113.5".parse().unwrap(),
                    port: 443,
                    transport: Transport::Udp,
                },
                Endpoint {
                    address: "2001:db8::5".parse().unwrap(),
                    port: 1194,
                    transport: Transport::Tcp,
                },
            ],
            local_networks: Some(vec![Network {
                address: "192.168.7.0".parse().unwrap(),
                prefix: 24,
            }]),
            names: true,
            web: true,
        }
    }

    #[test]
    fn a_mark_says_all_of_a_policy() {
        let none_around = FirewallPolicy {
            local_networks: Some(Vec::new()),
            ..policy()
        };
        for policy in [policy(), none_around, FirewallPolicy::default()] {
            let read = FirewallPolicy::from_mark(policy.stops_the_rest, &policy.to_mark());
            assert_eq!(read, policy);
        }
    }

    #[test]
    fn a_mark_that_was_not_written_to_its_end_lets_nothing_through() {
        let whole = policy().to_mark();
        for length in 0..whole.len() - 1 {
            let read = FirewallPolicy::from_mark(true, &whole[..length]);
            let nothing = FirewallPolicy {
                stops_the_rest: true,
                ..FirewallPolicy::default()
            };
            assert_eq!(read, nothing, "{length}");
        }
        // What a longer one had after it is no part of it.
        let rest = "endpoint udp 203.0.113.9 443\n";
        assert_eq!(FirewallPolicy::from_mark(true, &(whole + rest)), policy());
    }

    #[test]
    fn names_and_the_web_are_open_for_a_while_only() {
        let has_openings = |names, web| {
            let policy = FirewallPolicy {
                names,
                web,
                ..policy()
            };
            policy.has_openings()
        };
        assert!(has_openings(true, false) && has_openings(false, true));
        assert!(!has_openings(false, false));
    }

    #[test]
    fn who_is_gone_signs_in_no_more() {
        let left = policy().of_a_process_that_is_gone();
        assert!(left.stops_the_rest && !left.names && !left.web);
        assert_eq!(left.endpoints, policy().endpoints);
    }

    #[test]
    fn what_is_read_of_a_mark_is_bounded() {
        let lines = |number: u8| {
            format!("endpoint udp 203.0.113.{number} 443\nnetwork 10.0.{number}.0/24\n")
        };
        let all: String = (0..100).map(lines).collect();
        let mark = format!("lets-local-networks yes\n{all}whole\n");
        let read = FirewallPolicy::from_mark(false, &mark);
        assert_eq!(read.endpoints.len(), MOST_ENDPOINTS);
        assert_eq!(
            read.local_networks.map(|all| all.len()),
            Some(MOST_NETWORKS)
        );
    }

    #[test]
    fn a_device_has_a_name_that_the_kernel_takes() {
        let device = |name: &str| {
            let mark = format!("device {name}\nwhole\n");
            FirewallPolicy::from_mark(false, &mark).device
        };
        for name in ["a", "awsvpn0", "awsvpn012345678"] {
            assert_eq!(device(name).as_deref(), Some(name));
        }
        for name in [
            "",
            "awsvpn0123456789",
            "aws/vpn0",
            "aws vpn0",
            "awsvpn\u{e4}",
        ] {
            assert_eq!(device(name), None, "{name}");
        }
    }

    #[test]
    fn a_network_of_everything_is_none() {
        for line in ["network 0.0.0.0/0", "network ::/0", "network 192.0.2.0/33"] {
            let mark = format!("lets-local-networks yes\n{line}\nwhole\n");
            let read = FirewallPolicy::from_mark(false, &mark);
            assert_eq!(read.local_networks, Some(Vec::new()), "{line}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_mark_holds_what_is_read_is_bounded(text in "\\PC{0,400}", lines: Vec<String>) {
            for text in [text, lines.join("\n")] {
                let read = FirewallPolicy::from_mark(false, &text);
                prop_assert!(read.endpoints.len() <= MOST_ENDPOINTS);
                prop_assert!(read.device.is_none_or(|name| name.len() <= LONGEST_DEVICE));
            }
        }
    }
}
