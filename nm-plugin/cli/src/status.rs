//! `aws-client-vpn status`: the connections as NetworkManager has them, in the user's words and language.
//! Programs are told in English.

mod collect;

pub use collect::collect;
pub(crate) use collect::look;

use crate::choice::{ChoiceError, activation_of};
use crate::line::width;
use crate::network_manager::{Activation, Stored};
use crate::waiting::Waiting;
use crate::{json, when};
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_profile::last_failure::{FailureKind, LastFailure};
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_profile::settings;
use aws_client_vpn_profile::well_known::vpn_state;
use aws_client_vpn_text::gettext_noop;
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::printable::printable;
use serde::Serialize;
use std::fmt;
use std::net::Ipv6Addr;

/// How a profile becomes a connection.
const IMPORT: &str = "aws-client-vpn import PROFILE.ovpn";

/// All connections of this VPN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// In the order of their names.
    pub connections: Vec<Connection>,
}

/// A connection, as `status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// The connection's name.
    pub name: String,
    /// The connection's UUID.
    pub uuid: String,
    /// What it does now.
    pub state: State,
    /// What it waits for, if it was lost and waits for something.
    pub waits_for: Option<Waiting>,
    /// When it was last switched on, in seconds since 1970, if it is on.
    pub since: Option<u64>,
    /// The endpoint's name; `None` if its settings cannot be used.
    pub endpoint: Option<String>,
    /// How one signs in.
    pub sign_in: Option<Way>,
    /// When the endpoint ends the sign-in, in seconds since 1970, if that is known.
    pub sign_in_ends: Option<u64>,
    /// The addresses in the tunnel, with prefix lengths.
    pub addresses: Vec<String>,
    /// The domains whose names are asked inside.
    pub domains: Vec<String>,
    /// The name servers inside.
    pub name_servers: Vec<String>,
    /// Why the last attempt failed, if it did, and this user may know.
    pub last_failure: Option<Failed>,
    /// What is wrong with its settings, if something is.
    #[serde(serialize_with = "json::english_if_any")]
    pub problem: Option<Message>,
}

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing.
    Off,
    /// NetworkManager is starting the connection.
    Starting,
    /// The connection waits for the sign-in, or for a password.
    SigningIn,
    /// The same, and another sign-in on this computer has to be over first.
    Queued,
    /// The connection is being made.
    Connecting,
    /// Packets flow.
    Up,
    /// The connection is being taken down.
    Ending,
}

impl State {
    /// From NetworkManager's numbers, and what the service says where NetworkManager calls it up.
    pub(crate) fn of(activation: &Activation) -> Self {
        match activation.vpn_state {
            _ if activation.is_ending() => Self::Ending,
            vpn_state::NEED_AUTH => Self::SigningIn,
            vpn_state::CONNECT | vpn_state::IP_CONFIG_GET => Self::Connecting,
            vpn_state::ACTIVATED if activation.is_lost => Self::Connecting,
            vpn_state::ACTIVATED => Self::Up,
            _ => Self::Starting,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            // TRANSLATORS: The state of a connection.
            Self::Off => gettext_noop!("off"),
            // TRANSLATORS: A state of a connection.
            Self::Starting => gettext_noop!("starting"),
            // TRANSLATORS: A state of a connection.
            Self::SigningIn => gettext_noop!("waiting for the sign-in"),
            // TRANSLATORS: A state of a connection.
            Self::Queued => gettext_noop!("waiting until another sign-in on this computer is over"),
            // TRANSLATORS: The state of a connection.
            Self::Connecting => gettext_noop!("connecting"),
            // TRANSLATORS: The state of a connection.
            Self::Up => gettext_noop!("up"),
            // TRANSLATORS: A state of a connection.
            Self::Ending => gettext_noop!("ending"),
        }
    }
}

impl Status {
    /// `started` says of a service's process number when it was started.
    pub(crate) fn of(
        stored: Vec<Stored>,
        active: &[Activation],
        started: impl Fn(u32) -> Option<u64>,
        failed: impl Fn(&str) -> Option<LastFailure>,
    ) -> Self {
        let connections = stored.into_iter().map(|stored| {
            let activation = activation_of(&stored, active);
            Connection::of(stored, activation, &started, &failed)
        });
        Self {
            connections: connections.collect(),
        }
    }

    /// Only the connection called `wanted`.
    pub(crate) fn only(mut self, wanted: &str) -> Result<Self, ChoiceError> {
        let is_meant = |one: &Connection| one.name == wanted || one.uuid == wanted;
        self.connections.retain(is_meant);
        match self.connections.is_empty() {
            true => Err(ChoiceError::Unknown(wanted.to_owned())),
            false => Ok(self),
        }
    }

    /// Whether one of them is up.
    pub(crate) fn is_up(&self) -> bool {
        self.connections.iter().any(|one| one.state == State::Up)
    }

    /// What is beside schema and outcome in JSON.
    pub fn fields(&self) -> serde_json::Value {
        serde_json::json!({ "connections": self.connections })
    }

    /// For people.
    pub(crate) fn text(&self, is_short: bool) -> String {
        match is_short {
            true => self.short(),
            false => self.to_string(),
        }
    }

    /// In one line, for a bar: what is up or on its way; empty if nothing is.
    pub(crate) fn short(&self) -> String {
        let active = self.connections.iter().filter(|it| it.state != State::Off);
        let words = active.map(|connection| {
            let name = printable(&connection.name);
            if connection.state == State::Up {
                name
            } else {
                format!("{name}: {}", i18n::translate(connection.state.words()))
            }
        });
        words.collect::<Vec<_>>().join(", ") + "\n"
    }
}

impl Connection {
    fn of(
        stored: Stored,
        activation: Option<&Activation>,
        started: impl Fn(u32) -> Option<u64>,
        failed: impl Fn(&str) -> Option<LastFailure>,
    ) -> Self {
        let summary = settings::summary(&stored.data);
        let sound = summary.as_ref().map(drop).map_err(Clone::clone);
        let problem = sound.and_then(|()| settings::check(&stored.data)).err();
        let summary = summary.ok();
        // What is on its way has not failed.
        let last_failure = match activation {
            None => failed(&stored.uuid).map(Failed::from),
            Some(_) => None,
        };
        let of_it = |list: fn(&Activation) -> &Vec<String>| {
            activation.map(|it| list(it).clone()).unwrap_or_default()
        };
        Self {
            last_failure,
            addresses: of_it(|it| &it.addresses)
                .into_iter()
                .filter(|address| !is_link_local(address))
                .collect(),
            domains: of_it(|it| &it.domains),
            name_servers: of_it(|it| &it.name_servers),
            name: stored.name,
            uuid: stored.uuid,
            state: activation.map_or(State::Off, State::of),
            waits_for: activation
                .filter(|activation| State::of(activation) == State::Connecting)
                .and_then(|activation| activation.waiting.clone()),
            since: activation
                .and_then(|activation| activation.service_process)
                .and_then(started),
            sign_in_ends: activation.and_then(|activation| activation.sign_in_ends),
            sign_in: summary.as_ref().map(|summary| Way::of(&summary.sign_in)),
            endpoint: summary.map(|summary| summary.endpoint),
            problem: problem.map(|error| error.message()),
        }
    }
}

/// Whether the kernel has given this address, with a prefix length, to the device by itself.
fn is_link_local(address: &str) -> bool {
    let (address, _) = address.split_once('/').unwrap_or((address, ""));
    address
        .parse()
        .is_ok_and(|address: Ipv6Addr| address.is_unicast_link_local())
}

/// The last attempt, which failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// When, in seconds since 1970.
    pub at: u64,
    /// What a script can act on.
    pub kind: FailureKind,
    /// What happened, why, what to do.
    #[serde(serialize_with = "json::english")]
    pub reason: Message,
}

impl From<LastFailure> for Failed {
    fn from(failure: LastFailure) -> Self {
        Self {
            at: failure.at,
            kind: failure.kind,
            reason: failure.reason,
        }
    }
}

/// How one signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// In the browser.
    Saml,
    /// With a client certificate alone.
    Certificate,
    /// With a user name and a password.
    Password,
    /// With a code besides.
    PasswordAndCode,
}

impl Way {
    fn of(sign_in: &SignIn) -> Self {
        match sign_in {
            SignIn::Saml => Self::Saml,
            SignIn::Certificate => Self::Certificate,
            SignIn::Password {
                static_challenge: None,
            } => Self::Password,
            SignIn::Password {
                static_challenge: Some(_),
            } => Self::PasswordAndCode,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Saml => gettext_noop!("single sign-on in the browser"),
            Self::Certificate => gettext_noop!("client certificate"),
            Self::Password => gettext_noop!("user name and password"),
            Self::PasswordAndCode => gettext_noop!("user name, password and code"),
        }
    }
}

/// In the user's language.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.connections.is_empty() {
            let words =
                gettext!("There is no AWS Client VPN connection yet. To make one from a profile:");
            return writeln!(f, "{words}\n  {IMPORT}");
        }
        for (number, connection) in self.connections.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            connection.fmt(f)?;
        }
        Ok(())
    }
}

impl Connection {
    /// As systemd-resolved writes it, `~` alone is every name, and before a domain means that it is
    /// only asked for there.
    fn names(&self) -> Option<String> {
        let names = self
            .domains
            .iter()
            .map(|domain| match domain.strip_prefix('~') {
                // TRANSLATORS: All names are looked up in the tunnel.
                Some("" | ".") => gettext!("all names"),
                Some(domain) => domain.to_owned(),
                None => domain.clone(),
            });
        listed(&names.collect::<Vec<_>>())
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", printable(&self.name))?;
        let state = i18n::translate(self.state.words());
        let state = match self.since {
            Some(since) => gettext!(
                // TRANSLATORS: {state} is one of off, up, connecting and so on; {time} a date and time.
                "{state}, started {time}",
                state = state,
                time = when::local(since),
            ),
            None => state,
        };
        let sign_in = self.sign_in.map(|sign_in| {
            let sign_in = i18n::translate(sign_in.words());
            match self.sign_in_ends {
                Some(ends) => gettext!(
                    // TRANSLATORS: {sign_in} is how to sign in, such as single sign-on in the
                    // browser.
                    "{sign_in}, valid until {time}",
                    sign_in = sign_in,
                    time = when::local(ends),
                ),
                None => sign_in,
            }
        });
        let rows = [
            // TRANSLATORS: A label in the output of aws-client-vpn status.
            (gettext_noop!("state"), Some(state)),
            (
                // TRANSLATORS: A label in the output of aws-client-vpn status: what the connection waits for.
                gettext_noop!("now"),
                self.waits_for.as_ref().map(Waiting::words),
            ),
            // TRANSLATORS: A label in the output of aws-client-vpn status.
            (gettext_noop!("endpoint"), self.endpoint.clone()),
            // TRANSLATORS: A label in the output of aws-client-vpn status.
            (gettext_noop!("sign-in"), sign_in),
            // TRANSLATORS: A label in the output of aws-client-vpn status.
            (gettext_noop!("addresses"), listed(&self.addresses)),
            // TRANSLATORS: A label: the domains whose names are looked up in the tunnel.
            (gettext_noop!("VPN domains"), self.names()),
            // TRANSLATORS: A label in the output of aws-client-vpn status.
            (gettext_noop!("name servers"), listed(&self.name_servers)),
            (
                // TRANSLATORS: A label in the output of aws-client-vpn status.
                gettext_noop!("last attempt"),
                self.last_failure.as_ref().map(Failed::words),
            ),
            (
                // TRANSLATORS: A label in the output of aws-client-vpn status.
                gettext_noop!("problem"),
                self.problem.as_ref().map(i18n::localize),
            ),
            // TRANSLATORS: A label in the output of aws-client-vpn status.
            (gettext_noop!("uuid"), Some(self.uuid.clone())),
        ];
        // The same for all connections, whatever there is to say of them.
        let keys = width(rows.iter().map(|(key, _)| *key));
        for (key, value) in rows {
            if let Some(value) = value {
                let (key, value) = (i18n::translate(key), printable(&value));
                writeln!(f, "  {key:<keys$}  {value}")?;
            }
        }
        Ok(())
    }
}

fn listed(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(", "))
}

impl Failed {
    fn words(&self) -> String {
        gettext!(
            // TRANSLATORS: {reason} is a sentence, {time} a date and time.
            "failed {time}: {reason}",
            time = when::local(self.at),
            reason = i18n::localize(&self.reason),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(name: &str, remote: &str) -> Stored {
        Stored {
            name: name.to_owned(),
            uuid: format!("uuid of {name}"),
            path: String::new(),
            is_shared: true,
            data: [("remote", remote), ("sign-in", "saml")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        }
    }

    #[test]
    fn every_state_of_networkmanager_has_words() {
        for (active_state, vpn_state, words) in [
            (1, 0, "starting"),
            (1, 1, "starting"),
            (1, 2, "waiting for the sign-in"),
            (1, 3, "connecting"),
            (1, 4, "connecting"),
            (2, 5, "up"),
            (3, 5, "ending"),
            (4, 6, "ending"),
            (4, 7, "ending"),
        ] {
            let activation = Activation {
                active_state,
                vpn_state,
                ..Activation::default()
            };
            assert_eq!(State::of(&activation).words(), words);
        }
        let lost = Activation {
            active_state: 2,
            vpn_state: 5,
            is_lost: true,
            ..Activation::default()
        };
        assert_eq!(State::of(&lost), State::Connecting);
    }

    #[test]
    fn a_connection_is_joined_with_its_activation() {
        let active = Activation {
            uuid: "uuid of work".to_owned(),
            vpn_state: 5,
            addresses: ["10.0.0.2/27", "fd00::2/64", "fe80::3cfa:2061:8b3c:f9fc/64"]
                .map(str::to_owned)
                .to_vec(),
            service_process: Some(7),
            sign_in_ends: Some(1_795_568_401),
            service: String::new(),
            ..Activation::default()
        };
        let started = |process| (process == 7).then_some(1_795_539_601);
        let status = Status::of(
            vec![
                stored("home", "host 443 udp"),
                stored("work", "host 443 tcp"),
            ],
            &[active],
            started,
            |_| None,
        );
        let [home, work] = &status.connections[..] else {
            panic!("{status:?}");
        };
        assert_eq!((home.state, home.since), (State::Off, None));
        assert_eq!((work.state, work.since), (State::Up, Some(1_795_539_601)));
        assert_eq!(work.addresses, ["10.0.0.2/27", "fd00::2/64"]);
        assert_eq!(work.endpoint.as_deref(), Some("host"));
        let text = status.to_string();
        assert!(
            text.contains("state         up, started 2026-11-24 17:00:01 UTC\n"),
            "{text}"
        );
        assert!(text.contains("10.0.0.2/27, fd00::2/64"), "{text}");
        let end = "single sign-on in the browser, valid until 2026-11-25 01:00:01 UTC\n";
        assert!(text.contains(end), "{text}");
    }

    #[test]
    fn settings_that_cannot_be_used_are_said_to_be_so() {
        let status = Status::of(vec![stored("work", "")], &[], |_| None, |_| None);
        let connection = &status.connections[0];
        assert_eq!(connection.endpoint, None);
        assert!(
            connection
                .problem
                .as_ref()
                .unwrap()
                .to_string()
                .contains("remote")
        );
    }

    #[test]
    fn a_name_cannot_draw_on_the_terminal() {
        let status = Status::of(
            vec![stored("a\u{1b}[2Jb\nstate up", "")],
            &[],
            |_| None,
            |_| None,
        );
        assert!(
            status.to_string().starts_with("a [2Jb state up\n"),
            "{status}"
        );
    }

    #[test]
    fn without_a_connection_the_way_to_one_is_shown() {
        let status = Status::of(Vec::new(), &[], |_| None, |_| None);
        assert!(status.to_string().contains("aws-client-vpn import"));
    }
}
