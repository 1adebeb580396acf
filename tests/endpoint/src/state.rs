//! What all parts of a running endpoint share.

use crate::command::{IdpMode, SettingChanges};
use crate::event::Event;
use crate::options::{Options, Year};
use crate::saml::Verifier;
use crate::session::Sessions;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// What a test may change while the endpoint runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) saml_lifetime: Duration,
    pub(crate) session_lifetime: Duration,
    pub(crate) response_bytes: usize,
    pub(crate) challenge_bytes: usize,
    pub(crate) answer_phase1: bool,
    pub(crate) answer_phase2: bool,
    pub(crate) require_aws_framing: bool,
    pub(crate) accept_tokens: bool,
    pub(crate) deny: Option<String>,
    /// In the challenge of a SAML login.
    pub(crate) challenge_flags: String,
    pub(crate) challenge_user: String,
    pub(crate) answer_delay: Duration,
    pub(crate) idp: IdpMode,
    /// Options to push, apart from those that depend on the server.
    pub(crate) push: Vec<String>,
}

impl Settings {
    pub(crate) fn new(options: &Options) -> Result<Self, NotANetwork> {
        Ok(Self {
            saml_lifetime: Duration::from_secs(options.saml_lifetime),
            session_lifetime: Duration::from_secs(options.session_lifetime),
            response_bytes: options.response_bytes as usize,
            challenge_bytes: options.challenge_bytes as usize,
            answer_phase1: true,
            answer_phase2: true,
            require_aws_framing: true,
            accept_tokens: true,
            deny: None,
            challenge_flags: "R".to_owned(),
            challenge_user: "b'Ti9B'".to_owned(),
            answer_delay: Duration::ZERO,
            idp: if options.auto_login {
                IdpMode::Auto
            } else {
                IdpMode::Normal
            },
            push: pushed(options)?,
        })
    }

    pub(crate) fn change(&mut self, changes: SettingChanges) {
        fn set<T>(setting: &mut T, change: Option<T>) {
            if let Some(value) = change {
                *setting = value;
            }
        }
        set(
            &mut self.saml_lifetime,
            changes.saml_lifetime.map(Duration::from_secs),
        );
        set(
            &mut self.session_lifetime,
            changes.session_lifetime.map(Duration::from_secs),
        );
        set(&mut self.response_bytes, changes.response_bytes);
        set(&mut self.challenge_bytes, changes.challenge_bytes);
        set(&mut self.answer_phase1, changes.answer_phase1);
        set(&mut self.answer_phase2, changes.answer_phase2);
        set(&mut self.require_aws_framing, changes.require_aws_framing);
        set(&mut self.accept_tokens, changes.accept_tokens);
        set(
            &mut self.deny,
            changes.deny.map(|text| (!text.is_empty()).then_some(text)),
        );
        set(
            &mut self.deny,
            changes
                .deny_in_silence
                .map(|silent| silent.then(String::new)),
        );
        set(&mut self.challenge_flags, changes.challenge_flags);
        set(&mut self.challenge_user, changes.challenge_user);
        set(
            &mut self.answer_delay,
            changes.answer_delay_ms.map(Duration::from_millis),
        );
    }
}

/// A route is not written as `10.99.0.0/16` or `fd00:99::/32`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no network; write it as 10.99.0.0/16 or fd00:99::/32")]
pub struct NotANetwork(String);

/// In the order in which AWS pushes them.
fn pushed(options: &Options) -> Result<Vec<String>, NotANetwork> {
    let mut push = Vec::new();
    if options.full_tunnel {
        let ipv6 = if options.ipv6 { " ipv6" } else { "" };
        push.push(format!("redirect-gateway def1 bypass-dhcp{ipv6}"));
        if options.pushes_of != Year::Of2019 {
            push.push("block-outside-dns".to_owned());
        }
    }
    if options.block_local {
        push.push("redirect-gateway block-local".to_owned());
    }
    push.extend(
        options
            .push_dns
            .iter()
            .map(|server| format!("dhcp-option DNS {server}")),
    );
    if options.full_tunnel {
        if options.pushes_of != Year::Of2019 {
            push.push("dhcp-option DOMAIN-ROUTE .".to_owned());
        }
    } else {
        for route in &options.routes {
            push.push(route_option(route).ok_or_else(|| NotANetwork(route.clone()))?);
        }
    }
    push.extend(options.push.iter().cloned());
    Ok(push)
}

fn route_option(network: &str) -> Option<String> {
    let (address, bits) = network.split_once('/')?;
    if let Ok(address) = address.parse::<Ipv6Addr>() {
        let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 128)?;
        return Some(format!("route-ipv6 {address}/{bits}"));
    }
    let address: Ipv4Addr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
    let mask = Ipv4Addr::from(u32::MAX.checked_shl(32 - bits).unwrap_or(0));
    Some(format!("route {address} {mask}"))
}

/// The shared state.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) idp_url: String,
    /// Where browsers take the request of a login.
    pub(crate) sign_on: String,
    pub(crate) verifier: Verifier,
    pub(crate) events: UnboundedSender<Event>,
    settings: Mutex<Settings>,
    sessions: Mutex<Sessions>,
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        idp_url: String,
        sign_on: String,
        verifier: Verifier,
        settings: Settings,
        events: UnboundedSender<Event>,
    ) -> Self {
        let (settings, sessions) = (Mutex::new(settings), Mutex::default());
        Self {
            options,
            idp_url,
            sign_on,
            verifier,
            events,
            settings,
            sessions,
        }
    }

    /// The settings of this moment.
    pub(crate) fn settings(&self) -> Settings {
        self.settings_mut().clone()
    }

    /// The settings, to change them.
    pub(crate) fn settings_mut(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sessions of all nodes.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports a step. That nobody listens is no error.
    pub(crate) fn report(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_pushed_with_their_mask() {
        let table = [
            ("10.99.0.0/16", Some("route 10.99.0.0 255.255.0.0")),
            ("0.0.0.0/0", Some("route 0.0.0.0 0.0.0.0")),
            ("192.0.2.1/32", Some("route 192.0.2.1 255.255.255.255")),
            ("fd00:99::/32", Some("route-ipv6 fd00:99::/32")),
            ("fd00:99::/129", None),
            ("192.0.2.1", None),
            ("192.0.2.1/33", None),
            ("example/8", None),
        ];
        for (network, option) in table {
            assert_eq!(route_option(network).as_deref(), option, "{network}");
        }
    }

    #[test]
    fn a_full_tunnel_has_no_routes_of_its_own() {
        let options = Options {
            full_tunnel: true,
            ..Options::default()
        };
        assert_eq!(
            pushed(&options).unwrap(),
            [
                "redirect-gateway def1 bypass-dhcp",
                "block-outside-dns",
                "dhcp-option DNS 10.99.0.2",
                "dhcp-option DOMAIN-ROUTE ."
            ]
        );
        let options = Options {
            pushes_of: Year::Of2019,
            ..options
        };
        assert_eq!(
            pushed(&options).unwrap(),
            [
                "redirect-gateway def1 bypass-dhcp",
                "dhcp-option DNS 10.99.0.2"
            ]
        );
    }
}
