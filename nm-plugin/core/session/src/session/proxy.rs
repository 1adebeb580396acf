//! The proxy on the way to the endpoint.
//!
//! It is looked up before OpenVPN is started, which has no resolver of its own and does not ask for a
//! proxy where it asks for the endpoint's address. A proxy has credentials of its own.

use super::attempt::Attempt;
use super::context::{Context, ProxyCredentials};
use super::events::Effect;
use super::failure::Failure;
use super::remote::no_address;
use crate::kill_switch::Endpoint;
use crate::management::Command;
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::parts::Transport;
use aws_client_vpn_sign_in::retry_reason::RetryReason;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Argument;
use aws_client_vpn_text::redact::for_journal;
use std::net::IpAddr;

/// What OpenVPN calls them when it asks for a user name and a password.
const REALMS: [&str; 2] = ["HTTP Proxy", "SOCKS Proxy"];
const CREDENTIALS: [Credential; 2] = [Credential::ProxyUserName, Credential::ProxyPassword];

/// What OpenVPN writes before the first line of an HTTP proxy's answer.
const HTTP_ANSWER: &str = "HTTP proxy returned: ";
/// An HTTP proxy wants to know who it is, or does not take what it was told; tinyproxy says the latter
/// as a web server would.
const WHO: [&str; 2] = ["407", "401"];
const OPEN: &str = "200";
const SOCKS_REFUSAL: &str = "socks_username_password_auth: server refused the authentication";

/// Whether a password is for a proxy.
pub(super) fn is_realm(realm: &str) -> bool {
    REALMS.contains(&realm)
}

impl Context {
    /// Looks the proxy up, where there is one with a name; whether that is under way.
    pub(super) fn resolve_proxy(&mut self) -> bool {
        let Some(proxy) = self.profile.proxy() else {
            return false;
        };
        self.proxy.address = proxy.host.parse().ok();
        if self.proxy.address.is_some() {
            return false;
        }
        self.effects.push_back(Effect::Resolve {
            host: proxy.host.clone(),
            random_label: false,
        });
        true
    }

    /// Whether its address is being looked for: nothing goes on before that is known.
    pub(super) fn is_resolving_proxy(&self) -> bool {
        self.profile.proxy().is_some() && self.proxy.address.is_none()
    }

    /// Starts OpenVPN, with the endpoint's address to come.
    pub(super) fn launch(&mut self) {
        self.resolve_first_remote();
        self.openvpn.is_running = true;
        self.effects.push_back(Effect::Launch);
    }

    /// Whether `host` is the proxy, whose address was looked for.
    pub(super) fn proxy_resolved(
        &mut self,
        host: &str,
        result: &Result<Vec<IpAddr>, String>,
    ) -> Result<bool, Failure> {
        let is_proxy = self.profile.proxy().is_some_and(|proxy| proxy.host == host);
        if !is_proxy || self.proxy.address.is_some() {
            return Ok(false);
        }
        match result.as_ref().map(|addresses| addresses.first()) {
            Ok(Some(address)) => {
                self.note(format!("the proxy {host} has the address {address}"));
                self.proxy.address = Some(*address);
                self.profile = self.profile.with_proxy_at(*address);
                self.launch();
                Ok(true)
            }
            Ok(None) => Err(proxy_failure(host, no_address().into())),
            Err(reason) => Err(proxy_failure(host, reason.clone().into())),
        }
    }

    /// Where packets leave the computer for: the proxy, and nothing behind it.
    pub(super) fn proxy_endpoint(&self) -> Option<Endpoint> {
        let proxy = self.profile.proxy()?;
        Some(Endpoint {
            address: self.proxy.address?,
            port: proxy.port,
            transport: Transport::Tcp,
        })
    }

    /// Where packets go: to the endpoint's address, or to the proxy's.
    pub(super) fn outer_address(&self) -> Option<IpAddr> {
        match self.proxy_endpoint() {
            Some(proxy) => Some(proxy.address),
            None => self.remote.address(),
        }
    }

    /// That one, and the others that it may be.
    pub(super) fn outer_addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<_> = self.outer_address().into_iter().collect();
        if self.profile.proxy().is_none() {
            let others = self.remote.known.values().flatten();
            let others = others.filter(|other| !addresses.contains(other));
            let others: Vec<_> = others.copied().collect();
            addresses.extend(others);
        }
        addresses
    }

    /// Name and password at the proxy; nothing if they are not there.
    pub(super) fn proxy_answers(&self, realm: &str) -> Vec<Command> {
        let [name, password] = CREDENTIALS.map(|credential| self.credentials.get(credential));
        let (Some(name), Some(password)) = (name, password) else {
            return Vec::new();
        };
        vec![
            Command::Username {
                realm: realm.to_owned(),
                name: name.expose().to_owned(),
            },
            Command::Password {
                realm: realm.to_owned(),
                password: password.clone(),
            },
        ]
    }

    /// Keeps what OpenVPN says of a proxy that lets nobody through.
    pub(super) fn proxy_says(&mut self, text: &str) {
        if self.profile.proxy().is_none() {
            return;
        }
        let status = http_status(text);
        if status == Some(OPEN) {
            // Also after a 407 that was only a step of the proxy's own, as with NTLM.
            self.proxy.credentials = ProxyCredentials::Fine;
        } else if self.proxy.credentials == ProxyCredentials::Sent {
            // Whatever else it says, it has read them.
            if status.is_some_and(|status| WHO.contains(&status)) || text.starts_with(SOCKS_REFUSAL)
            {
                self.proxy.credentials = ProxyCredentials::Refused;
            } else if status.is_some() {
                self.proxy.credentials = ProxyCredentials::Fine;
            }
        }
        let is_in_the_way = status.is_some_and(|status| status != OPEN)
            || (text.starts_with("TCP: connect to ") && text.contains(" failed"))
            || text.starts_with("socks_");
        // What is met behind it, was let through.
        let lets_through = status == Some(OPEN) || text.starts_with("VERIFY OK: depth=0");
        if is_in_the_way {
            self.proxy.said = Some(for_journal(text).into_owned());
        } else if lets_through {
            self.proxy.said = None;
        }
    }

    /// A try is over: what the proxy has not refused by now, it has not refused.
    pub(super) fn proxy_try_over(&mut self) {
        if self.proxy.credentials == ProxyCredentials::Sent {
            self.proxy.credentials = ProxyCredentials::Fine;
        }
    }

    /// Why nothing comes back, if the proxy has said so.
    pub(super) fn proxy_in_the_way(&mut self) -> Option<Failure> {
        let said = self.proxy.said.take()?;
        Some(proxy_failure(&self.profile.proxy()?.host, said.into()))
    }
}

impl Attempt {
    /// The proxy wants to know who it is. OpenVPN asks for it in each try.
    pub(super) fn proxy_credentials_needed(
        &mut self,
        realm: String,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        if std::mem::take(&mut cx.proxy.credentials) == ProxyCredentials::Refused {
            if !cx.credentials.mark_refused(&CREDENTIALS) || !cx.interactive {
                let host = cx.profile.proxy().map(|proxy| proxy.host.clone());
                // TRANSLATORS: Follows “The endpoint could not be reached through the proxy {host}:”
                let why = message!("the proxy refused the user name or the password");
                return Err(proxy_failure(&host.unwrap_or_default(), why.into()));
            }
            cx.note("the proxy refused the user name or the password".to_owned());
            cx.credentials.refusal = Some(RetryReason::Wrong(Credential::ProxyPassword));
        }
        let missing = cx.credentials.missing(&CREDENTIALS);
        if !missing.is_empty() {
            return self.ask(missing, realm, cx);
        }
        for command in cx.proxy_answers(&realm) {
            cx.send(command);
        }
        cx.proxy.credentials = ProxyCredentials::Sent;
        Ok(())
    }
}

/// The status of what an HTTP proxy answers: `HTTP proxy returned: 'HTTP/1.0 403 Access violation'`.
fn http_status(text: &str) -> Option<&str> {
    let answer = text.strip_prefix(HTTP_ANSWER)?;
    answer.trim_matches('\'').split_ascii_whitespace().nth(1)
}

fn proxy_failure(host: &str, reason: Argument) -> Failure {
    Failure::Proxy {
        host: host.to_owned(),
        reason,
    }
}
