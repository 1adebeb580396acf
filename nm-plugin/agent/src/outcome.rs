//! What became of the connections that the person at the terminal signed in to.

use aws_client_vpn_i18n::text;
use aws_client_vpn_profile::well_known::network_manager::ACTIVE;
use aws_client_vpn_profile::well_known::vpn_state::{ACTIVATED, DISCONNECTED, FAILED};
use aws_client_vpn_secret_agent::property::property;
use std::collections::HashMap;
use zbus::Connection;
use zbus::zvariant::OwnedObjectPath;

/// Connections that are on their way.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// What people call them, by their paths.
    expected: HashMap<String, String>,
    /// The connection of an activation, which is gone when that ends.
    activations: HashMap<String, String>,
}

impl Outcomes {
    /// Somebody signs in to this connection.
    pub(crate) fn expect(&mut self, path: &str, name: &str) {
        self.expected.insert(path.to_owned(), name.to_owned());
    }

    /// Takes note of a change, and returns what there is to say of it.
    pub(crate) async fn heard(
        &mut self,
        bus: &Connection,
        activation: &str,
        state: u32,
    ) -> Option<String> {
        if !self.activations.contains_key(activation)
            && let Some(connection) = connection_of(bus, activation).await
        {
            self.activations.insert(activation.to_owned(), connection);
        }
        self.ended(activation, state)
    }

    fn ended(&mut self, activation: &str, state: u32) -> Option<String> {
        if !matches!(state, ACTIVATED | FAILED | DISCONNECTED) {
            return None;
        }
        let path = self.activations.remove(activation)?;
        let name = self.expected.remove(&path)?;
        Some(if state == ACTIVATED {
            text!("{connection} is connected.", connection = name)
        } else {
            text!(
                "{connection} is not connected. The story is in the journal: journalctl -e -t \
                 nm-aws-client-vpn-service",
                connection = name,
            )
        })
    }
}

async fn connection_of(bus: &Connection, activation: &str) -> Option<String> {
    let value = property(bus, activation, ACTIVE, "Connection").await?;
    Some(OwnedObjectPath::try_from(value).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_connection_is_told_once_and_only_of_those_signed_in_to() {
        let mut outcomes = Outcomes::default();
        outcomes.expect("/c/1", "Work");
        for (activation, connection) in [("/a/1", "/c/1"), ("/a/2", "/c/2")] {
            let (activation, connection) = (activation.to_owned(), connection.to_owned());
            outcomes.activations.insert(activation, connection);
        }
        assert_eq!(outcomes.ended("/a/2", ACTIVATED), None);
        assert_eq!(outcomes.ended("/a/1", 3), None);
        assert_eq!(
            outcomes.ended("/a/1", ACTIVATED).as_deref(),
            Some("Work is connected.")
        );
        assert_eq!(outcomes.ended("/a/1", DISCONNECTED), None);
    }
}
