//! The services of our connections on the system bus: what they say counts, what others say in
//! their name does not.
//!
//! The bus lets only root have their names (`nm-aws-client-vpn-service.conf`), so nobody has to be
//! asked whose a signal is.

use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use std::collections::HashMap;
use zbus::fdo::DBusProxy;
use zbus::match_rule;
use zbus::names::{BusName, UniqueName};
use zbus::{MatchRule, Message};

/// The services that are there.
#[derive(Debug, Default)]
pub(crate) struct Services {
    /// Unique names, by the names of the services.
    owners: HashMap<String, String>,
}

impl Services {
    /// The rule for signals that one has come or gone.
    pub(crate) fn rule(changes: match_rule::Builder<'static>) -> zbus::Result<MatchRule<'static>> {
        Ok(changes.arg0ns(SERVICE_TYPE)?.build())
    }

    /// The services that are on the bus already.
    pub(crate) async fn find(daemon: &DBusProxy<'_>) -> zbus::Result<Self> {
        let mut found = Self::default();
        for name in daemon.list_names().await? {
            if is_service(&name)
                && let Ok(owner) = daemon.get_name_owner(BusName::from(name.clone())).await
            {
                found.owners.insert(name.to_string(), owner.to_string());
            }
        }
        Ok(found)
    }

    /// Takes note of a `NameOwnerChanged`.
    pub(crate) fn changed(&mut self, signal: &Message) {
        let body = signal.body();
        let Ok((name, _before, owner)) = body.deserialize::<(&str, &str, &str)>() else {
            return;
        };
        if owner.is_empty() {
            self.owners.remove(name);
        } else {
            self.owners.insert(name.to_owned(), owner.to_owned());
        }
    }

    /// Whether `sender` is one of them.
    pub(crate) fn have(&self, sender: &UniqueName<'_>) -> bool {
        self.owners.values().any(|owner| owner == sender.as_str())
    }
}

fn is_service(name: &str) -> bool {
    name.strip_prefix(SERVICE_TYPE)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_as_long_as_it_has_its_name() {
        let mut services = Services::default();
        let name = format!("{SERVICE_TYPE}.Connection_7");
        let sender = UniqueName::try_from(":1.9").unwrap();
        let mut change = |before: &str, after: &str| {
            let body = (name.as_str(), before, after);
            let signal = Message::signal("/", "org.freedesktop.DBus", "NameOwnerChanged");
            services.changed(&signal.unwrap().build(&body).unwrap());
            services.have(&sender)
        };
        assert!(change("", ":1.9"));
        assert!(!change(":1.9", ":1.10"));
        assert!(change(":1.10", ":1.9"));
        assert!(!change(":1.9", ""));
    }

    #[test]
    fn only_names_of_ours_are_services() {
        assert!(is_service(SERVICE_TYPE));
        assert!(is_service(&format!("{SERVICE_TYPE}.Connection_1")));
        assert!(!is_service(&format!("{SERVICE_TYPE}x")));
        assert!(!is_service("org.freedesktop.NetworkManager"));
    }
}
