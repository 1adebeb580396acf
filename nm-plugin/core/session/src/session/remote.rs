//! Which address OpenVPN connects to.
//!
//! Both phases of a login have to reach the same node. A connection that was lost first tries where
//! it was, and then the other addresses it knows already: while the tunnel is down its name servers
//! are still the system's first ones, and asking them would take long and lead nowhere.

use super::conditions::Ways;
use crate::kill_switch::Endpoint;
use aws_client_vpn_profile::ovpn::is_aws_host;
use aws_client_vpn_profile::parts;
use aws_client_vpn_profile::parts::Transport;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What is known of the endpoint's addresses.
#[derive(Debug, Default)]
pub(super) struct Remote {
    pub(super) known: BTreeMap<String, Vec<IpAddr>>,
    /// Names that the resolver has found nothing for since the last try failed.
    pub(super) unresolved: BTreeSet<String>,
    /// The address that did not answer last, for each of the profile's remotes that failed since one
    /// was reached: the next one is tried there.
    failed: Vec<(parts::Remote, IpAddr)>,
    /// Whether the resolver is at work.
    pub(super) resolving: bool,
    /// What OpenVPN waits for: its `>REMOTE` question.
    pub(super) waiting: Option<parts::Remote>,
    /// Where the current try goes, and the address that it uses.
    current: Option<(parts::Remote, IpAddr)>,
}

impl Remote {
    /// The address the current try uses.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.current.as_ref().map(|(_, address)| *address)
    }

    /// Where the current try goes.
    pub(super) fn node(&self) -> Option<&(parts::Remote, IpAddr)> {
        self.current.as_ref()
    }

    /// How packets of the current try are sent.
    pub(super) fn transport(&self) -> Option<Transport> {
        self.current.as_ref().map(|(remote, _)| remote.transport)
    }

    /// `host` has these addresses. The one that is used stays known: packets go there still.
    pub(super) fn learn(&mut self, host: String, mut addresses: Vec<IpAddr>) {
        if let Some((remote, used)) = &self.current
            && remote.host == host
            && !addresses.contains(used)
        {
            addresses.push(*used);
        }
        self.known.insert(host, addresses);
    }

    /// The current address does not answer.
    pub(super) fn mark_failed(&mut self) {
        if let Some((remote, address)) = &self.current {
            self.failed.retain(|(failed, _)| failed != remote);
            self.failed.push((remote.clone(), *address));
        }
        self.unresolved.clear();
    }

    /// Whether `host` has addresses, or may have.
    pub(super) fn may_be_reached(&self, host: &str) -> bool {
        self.known.contains_key(host) || !self.unresolved.contains(host)
    }

    /// The current address answers.
    pub(super) fn mark_reached(&mut self) {
        self.failed.clear();
    }

    /// Whether an address is being looked up.
    pub(super) fn is_resolving(&self) -> bool {
        self.resolving
    }

    /// Where packets may go: each known address of each of `remotes`.
    pub(super) fn endpoints(&self, remotes: &[parts::Remote]) -> Vec<Endpoint> {
        let of = |remote: &parts::Remote| {
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

    /// Has the next attempt use an address of `remote`, if one is known: the last one, if that is
    /// `pinned`; else, if it can be, one that a way leads to.
    pub(super) fn choose(
        &mut self,
        remote: &parts::Remote,
        pinned: bool,
        ways: Option<Ways>,
    ) -> Option<IpAddr> {
        let pinned = self.address().filter(|_| pinned);
        let address = pinned.or_else(|| self.next_of(remote, ways))?;
        self.current = Some((remote.clone(), address));
        Some(address)
    }

    /// The address of `remote` that is its turn.
    fn next_of(&self, remote: &parts::Remote, ways: Option<Ways>) -> Option<IpAddr> {
        let known = self.known.get(&remote.host)?;
        let position = |wanted| known.iter().position(|address| *address == wanted);
        let failed = self.failed.iter().find(|(failed, _)| failed == remote);
        let failed = failed.map(|(_, address)| *address);
        // Where it is, or was, goes on.
        let current = self.address().filter(|address| Some(*address) != failed);
        let current = current.and_then(position);
        let first = current.or_else(|| Some(failed.and_then(position)? + 1));
        let (before, from) = known.split_at_checked(first.unwrap_or(0))?;
        let in_turn = || from.iter().chain(before).copied();
        let is_reached = |address: &IpAddr| ways.is_none_or(|ways| ways.to(*address).is_some());
        in_turn().find(is_reached).or_else(|| in_turn().next())
    }
}

/// Why a name that the resolver knows leads nowhere.
pub(super) fn no_address() -> Message {
    // TRANSLATORS: Follows “The address of the endpoint {host} could not be found:”
    message!("the name has no address")
}

/// Whether `host` is the name of an AWS endpoint: it has no address of its own, only names with a
/// label in front of it have.
pub(super) fn is_aws_endpoint(host: &str) -> bool {
    host.to_ascii_lowercase().starts_with("cvpn-endpoint-") && is_aws_host(host)
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
