//! What became of connections: those that the person at the terminal signed in to, and those that
//! failed for a reason that is for this user to know.

use aws_client_vpn_attempt::failure_of;
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_network_manager::{properties_in_time, service_is_up, value};
use aws_client_vpn_profile::well_known::network_manager::ACTIVE;
use aws_client_vpn_profile::well_known::service_of;
use aws_client_vpn_profile::well_known::state_reason::USER_DISCONNECTED;
use aws_client_vpn_profile::well_known::vpn_state::{DISCONNECTED, FAILED, is_up};
use std::collections::{HashMap, HashSet};
use zbus::Connection;
use zbus::zvariant::OwnedObjectPath;

/// Connections that are on their way.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// The paths of those that the person signs in to.
    expected: HashSet<String>,
    /// The activations, which are gone when they end, by their paths.
    activations: HashMap<String, Activation>,
}

#[derive(Debug)]
struct Activation {
    /// The connection's path.
    connection: String,
    uuid: String,
    name: String,
}

/// The end of an activation's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What people call the connection.
    pub(crate) name: String,
    /// Whether the person signed in to it.
    pub(crate) was_expected: bool,
    /// Whether it is up.
    pub(crate) is_up: bool,
    /// Whether somebody took it down.
    pub(crate) is_switched_off: bool,
    /// Why not, in the user's language, if that is for this user to know.
    pub(crate) reason: Option<String>,
}

impl Outcome {
    /// The outcome as a line for a terminal.
    pub(crate) fn line(&self) -> String {
        match (self.is_up, &self.reason) {
            (true, _) => gettext!("{connection} is connected.", connection = self.name),
            (false, Some(reason)) => gettext!(
                "{connection} is not connected. {reason}",
                connection = self.name,
                reason = reason,
            ),
            (false, None) if self.is_switched_off => gettext!(
                "{connection} is not connected. {reason}",
                connection = self.name,
                // TRANSLATORS: Follows “'{name}' is not connected.”: it is the connection.
                reason = gettext!("Somebody disconnected it."),
            ),
            (false, None) => gettext!(
                "{connection} is not connected. To find out why: sudo journalctl -e -t \
                 nm-aws-client-vpn-service",
                connection = self.name,
            ),
        }
    }
}

impl Outcomes {
    /// Somebody signs in to this connection.
    pub(crate) fn expect(&mut self, path: &str) {
        self.expected.insert(path.to_owned());
    }

    /// Takes note of a change, and returns what became of the activation if this was its end.
    pub(crate) async fn heard(
        &mut self,
        bus: &Connection,
        activation: &str,
        state: u32,
        reason: u32,
    ) -> Option<Outcome> {
        if !self.activations.contains_key(activation)
            && let Some(known) = Activation::look_up(bus, activation).await
        {
            self.activations.insert(activation.to_owned(), known);
        }
        if is_up(state, reason) && service_is_up(bus, &service_of(activation)).await == Some(false)
        {
            return None;
        }
        self.ended(activation, state, reason, |uuid| {
            let failure = failure_of(uuid, activation)?;
            Some(i18n::localize(&failure.reason))
        })
    }

    fn ended(
        &mut self,
        path: &str,
        state: u32,
        reason: u32,
        why: impl FnOnce(&str) -> Option<String>,
    ) -> Option<Outcome> {
        if is_up(state, reason) {
            // This is the end of the way there; a second one comes when it goes down.
            let activation = self.activations.get(path)?;
            return Some(Outcome {
                name: activation.name.clone(),
                was_expected: self.expected.remove(&activation.connection),
                is_up: true,
                is_switched_off: false,
                reason: None,
            });
        }
        if !matches!(state, FAILED | DISCONNECTED) {
            return None;
        }
        let activation = self.activations.remove(path)?;
        Some(Outcome {
            was_expected: self.expected.remove(&activation.connection),
            is_up: false,
            is_switched_off: reason == USER_DISCONNECTED,
            reason: why(&activation.uuid),
            name: activation.name,
        })
    }
}

impl Activation {
    async fn look_up(bus: &Connection, path: &str) -> Option<Self> {
        let active = properties_in_time(bus, path, ACTIVE).await?;
        let connection: OwnedObjectPath = value(&active, "Connection")?;
        Some(Self {
            connection: connection.to_string(),
            uuid: value(&active, "Uuid")?,
            name: value(&active, "Id")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_profile::well_known::vpn_state::ACTIVATED;

    #[test]
    fn the_end_of_a_connection_is_told_once_and_those_signed_in_to_are_known() {
        let mut outcomes = Outcomes::default();
        outcomes.expect("/c/1");
        for number in [1, 2] {
            let activation = Activation {
                connection: format!("/c/{number}"),
                uuid: format!("u{number}"),
                name: format!("Work {number}"),
            };
            outcomes
                .activations
                .insert(format!("/a/{number}"), activation);
        }
        let mut heard = |path: &str, (state, reason)| {
            outcomes.ended(path, state, reason, |uuid| Some(uuid.to_owned()))
        };
        let up_now = (ACTIVATED, 1);
        assert_eq!(heard("/a/1", (3, 0)), None);
        let up = heard("/a/1", up_now).unwrap();
        assert!(up.was_expected && up.is_up);
        assert_eq!(up.line(), "Work 1 is connected.");
        // It comes back, and ends.
        assert!(!heard("/a/1", up_now).unwrap().was_expected);
        let end = heard("/a/1", (DISCONNECTED, 6)).unwrap();
        assert_eq!((end.was_expected, end.is_up), (false, false));
        assert_eq!(end.line(), "Work 1 is not connected. u1");
        assert_eq!(heard("/a/1", (DISCONNECTED, 6)), None);
        assert!(!heard("/a/2", (FAILED, 9)).unwrap().was_expected);
    }

    #[test]
    fn what_is_switched_off_on_its_way_was_never_up_and_needs_no_journal() {
        let mut outcomes = Outcomes::default();
        outcomes.expect("/c/1");
        let activation = Activation {
            connection: "/c/1".to_owned(),
            uuid: "u1".to_owned(),
            name: "Work".to_owned(),
        };
        outcomes.activations.insert("/a/1".to_owned(), activation);
        assert_eq!(outcomes.ended("/a/1", ACTIVATED, 2, |_| None), None);
        let end = outcomes.ended("/a/1", DISCONNECTED, 2, |_| None).unwrap();
        assert!(end.was_expected);
        assert_eq!(
            end.line(),
            "Work is not connected. Somebody disconnected it."
        );
    }
}
