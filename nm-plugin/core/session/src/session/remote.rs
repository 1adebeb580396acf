//! Which address OpenVPN connects to.
//!
//! Both phases of a login have to reach the same node. A connection that was lost first tries where
//! it was, and then the other addresses it knows already: while the tunnel is down its name servers
//! are still the system's first ones, and asking them would take long and lead nowhere.

use super::{Effect, Failure, Phase, Session, State};
use crate::kill_switch::Endpoint;
use crate::management::Command;
use aws_client_vpn_profile::parts::{Remote as Way, Transport};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

/// What is known of the endpoint's addresses.
#[derive(Debug, Default)]
pub(super) struct Remote {
    known: BTreeMap<String, Vec<IpAddr>>,
    /// Names that the resolver has found nothing for in this attempt, and why.
    unresolved: BTreeMap<String, String>,
    /// Whether the current address did not answer, so that the next is to be tried.
    failed: bool,
    /// Whether the resolver is at work.
    resolving: bool,
    /// What OpenVPN waits for: the host and port of its `>REMOTE` question.
    waiting: Option<(String, u16)>,
    /// The address the current attempt uses.
    pub(super) current: Option<IpAddr>,
    pub(super) transport: Option<Transport>,
}

impl Remote {
    /// OpenVPN's question for the address of `host`.
    pub(super) fn asked(&mut self, host: String, port: u16, transport: Transport) {
        self.waiting = Some((host, port));
        self.transport = Some(transport);
    }

    /// The current address does not answer.
    pub(super) fn failed(&mut self) {
        self.failed = true;
        self.unresolved.clear();
    }

    /// Whether `host` has addresses, or may have.
    fn may_be_reached(&self, host: &str) -> bool {
        self.known.contains_key(host) || !self.unresolved.contains_key(host)
    }

    /// The current address does.
    pub(super) fn reached(&mut self) {
        self.failed = false;
    }

    /// Whether an address is being looked up.
    pub(super) fn is_resolving(&self) -> bool {
        self.resolving
    }

    /// Where packets may go: each known address of each of `remotes`.
    pub(super) fn endpoints(&self, remotes: &[Way]) -> Vec<Endpoint> {
        let of = |remote: &Way| {
            let (port, transport) = (remote.port, remote.transport);
            let known = self.known.get(&remote.host).cloned().unwrap_or_default();
            known.into_iter().map(move |address| Endpoint {
                address,
                port,
                transport,
            })
        };
        let mut endpoints: Vec<_> = remotes.iter().flat_map(of).collect();
        endpoints.dedup();
        endpoints
    }

    fn choose(&self, host: &str, pinned: bool) -> Option<IpAddr> {
        if let (true, Some(current)) = (pinned, self.current) {
            return Some(current);
        }
        let known = self.known.get(host)?;
        let position = known.iter().position(|own| Some(*own) == self.current);
        match position {
            Some(position) if self.failed => known.get((position + 1) % known.len()),
            Some(position) => known.get(position),
            None => known.first(),
        }
        .copied()
    }
}

/// Whether `host` is the name of an AWS endpoint: it has no address of its own, only names with a
/// label in front of it have.
fn is_aws_endpoint(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.starts_with("cvpn-endpoint-")
        && host.contains(".clientvpn.")
        && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
}

impl Session {
    pub(super) fn resolve_first_remote(&mut self) {
        if let Some(remote) = self.profile.remotes().first() {
            let host = remote.host.clone();
            self.resolve(host);
        }
    }

    fn resolve(&mut self, host: String) {
        if std::mem::replace(&mut self.remote.resolving, true) {
            return;
        }
        let random_label = (self.profile.random_hostname() || is_aws_endpoint(&host))
            && host.parse::<IpAddr>().is_err();
        self.effects
            .push_back(Effect::Resolve { host, random_label });
    }

    pub(super) fn resolved(
        &mut self,
        host: String,
        result: Result<Vec<IpAddr>, String>,
        now: Instant,
    ) {
        self.remote.resolving = false;
        let reason = match result {
            Ok(addresses) if !addresses.is_empty() => {
                self.note(format!("{host} has the addresses {addresses:?}"));
                self.remote.known.insert(host, addresses);
                self.answer_remote(now);
                return;
            }
            Ok(_) => "it has no address".to_owned(),
            Err(reason) => reason,
        };
        self.note(format!("could not find an address of {host}: {reason}"));
        self.remote.unresolved.insert(host.clone(), reason.clone());
        let mut hosts = self.profile.remotes().iter().map(|remote| &remote.host);
        let next = hosts.find(|host| self.remote.may_be_reached(host));
        match next.cloned() {
            Some(next) => {
                if !self.remote.known.contains_key(&next) {
                    self.resolve(next);
                }
                self.answer_remote(now);
            }
            None => self.fail(Failure::NameNotResolved { host, reason }, now),
        }
    }

    /// Tells OpenVPN the address to use, once both the question and the addresses are there.
    pub(super) fn answer_remote(&mut self, now: Instant) {
        let Some((host, port)) = self.remote.waiting.take() else {
            return;
        };
        let pinned = matches!(
            self.state,
            State::Connecting {
                phase: Phase::Answer | Phase::Reuse,
                ..
            }
        );
        let Some(address) = self.remote.choose(&host, pinned) else {
            if self.remote.may_be_reached(&host) {
                self.resolve(host.clone());
                self.remote.waiting = Some((host, port));
            } else {
                // There is another one that may be, or the connection had failed.
                self.send(Command::RemoteSkip);
            }
            return;
        };
        self.remote.current = Some(address);
        self.remote.failed = false;
        self.lead_past_the_tunnel(address, now);
        self.note(format!("connecting to {host} at {address} port {port}"));
        self.send(Command::RemoteModify {
            host: address.to_string(),
            port,
        });
    }

    /// A tunnel that takes everything would take packets to another node too: NetworkManager is
    /// told the new address before OpenVPN is, and leads it past the tunnel.
    fn lead_past_the_tunnel(&mut self, address: IpAddr, now: Instant) {
        let Some(configured) = &self.configured else {
            return;
        };
        let takes_all = match address {
            IpAddr::V4(_) => configured.tunnel.redirect_ipv4,
            IpAddr::V6(_) => configured.tunnel.redirect_ipv6,
        };
        let is_led = configured.server == Some(address) || self.has_made_way;
        if !takes_all || is_led || self.reconnect.is_none() {
            return;
        }
        let configured = super::Configured {
            server: Some(address),
            ..configured.clone()
        };
        let Ok(config) = configured.ip_config(self.generation) else {
            return;
        };
        self.configured = Some(configured);
        self.configure(config, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_s_own_names_are_known() {
        for (host, expected) in [
            (
                "cvpn-endpoint-0a.prod.clientvpn.eu-west-1.amazonaws.com",
                true,
            ),
            (
                "CVPN-endpoint-0a.prod.clientvpn.eu-west-1.amazonaws.com.",
                true,
            ),
            (
                "cvpn-endpoint-0a.prod.clientvpn.cn-north-1.amazonaws.com.cn",
                true,
            ),
            (
                "x.cvpn-endpoint-0a.prod.clientvpn.eu-west-1.amazonaws.com",
                false,
            ),
            (
                "cvpn-endpoint-0a.prod.clientvpn.eu-west-1.amazonaws.com.example",
                false,
            ),
            ("vpn.example.com", false),
            ("192.0.2.1", false),
        ] {
            assert_eq!(is_aws_endpoint(host), expected, "{host}");
        }
    }
}
