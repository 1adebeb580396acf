//! The resolver is asked, and OpenVPN is told what it has found.

use super::context::Context;
use super::events::Effect;
use super::failure::Failure;
use super::remote::{is_aws_endpoint, no_address};
use crate::management::Command;
use aws_client_vpn_text::message::Argument;
use std::net::IpAddr;

/// Where OpenVPN is to connect to.
#[derive(Debug)]
pub(super) struct RemoteAddress {
    host: String,
    pub(super) address: IpAddr,
    port: u16,
}

impl Context {
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

    /// The resolver has answered.
    pub(super) fn resolved(
        &mut self,
        host: String,
        result: Result<Vec<IpAddr>, String>,
    ) -> Result<(), Failure> {
        if self.proxy_resolved(&host, &result)? {
            return Ok(());
        }
        self.remote.resolving = false;
        let reason = match result {
            Ok(addresses) if !addresses.is_empty() => {
                if self.remote.known.get(&host) != Some(&addresses) {
                    self.note(format!("{host} has the addresses {addresses:?}"));
                }
                self.remote.learn(host, addresses);
                return Ok(());
            }
            Ok(_) => no_address().into(),
            Err(reason) => Argument::from(reason),
        };
        // It is looked for again and again while there is no way to the endpoint.
        if self.remote.unresolved.insert(host.clone()) {
            self.note(format!("could not find an address of {host}: {reason}"));
        }
        let mut hosts = self.profile.remotes().iter().map(|remote| &remote.host);
        let next = hosts.find(|host| self.remote.may_be_reached(host));
        let next = next.cloned();
        let next = next.ok_or(Failure::NameNotResolved { host, reason })?;
        if !self.remote.known.contains_key(&next) {
            self.resolve(next);
        }
        Ok(())
    }

    /// The address to tell OpenVPN, once both its question and the addresses are there; the last
    /// one, if that is `pinned`.
    pub(super) fn next_address(&mut self, pinned: bool) -> Option<RemoteAddress> {
        let remote = self.remote.waiting.take()?;
        if let Some(address) = self.remote.choose(&remote, pinned, self.ways_to_endpoint()) {
            return Some(RemoteAddress {
                host: remote.host,
                address,
                port: remote.port,
            });
        }
        if self.remote.may_be_reached(&remote.host) {
            self.resolve(remote.host.clone());
            self.remote.waiting = Some(remote);
        } else {
            // There is another one that may be, or the connection had failed.
            self.send(Command::RemoteSkip);
        }
        None
    }

    /// Tells OpenVPN the address to use.
    pub(super) fn send_remote(&mut self, remote: RemoteAddress) {
        let RemoteAddress {
            host,
            address,
            port,
        } = remote;
        self.note_of_endpoint(format!("connecting to {host} at {address} port {port}"));
        self.send(Command::RemoteModify {
            host: address.to_string(),
            port,
        });
    }
}
