//! A connection as NetworkManager sends it, `a{sa{sv}}`, as far as it concerns us.

use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{self, KillSwitchOptions, SettingsError, Timeouts};
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, HashMap};
use thiserror::Error;
use zbus::zvariant::OwnedValue;

/// Settings by name, each a dictionary of properties.
pub(crate) type Dictionary = HashMap<String, HashMap<String, OwnedValue>>;

/// NetworkManager's own limit where a profile sets none: `vpn.timeout`, in seconds.
const DEFAULT_TIMEOUT_SECONDS: u32 = 60;

/// The parts of a connection that a VPN service needs.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The name the user gave it.
    pub(crate) id: String,
    /// The connection's UUID.
    pub(crate) uuid: String,
    /// `vpn.user-name`: the account whose secret agent gave the secrets.
    pub(crate) user: Option<String>,
    /// The person who has the connection, if `connection.permissions` names one.
    pub(crate) owner: Option<String>,
    /// `vpn.timeout` in seconds, the default filled in.
    pub(crate) timeout_seconds: u32,
    data: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
}

/// The connection is not one of ours, or not usable.
#[derive(Debug, Error)]
pub(crate) enum InvalidConnection {
    #[error("the connection has no VPN settings")]
    NoVpnSettings,
    #[error("the connection's settings cannot be used; import the profile again")]
    Settings(#[from] SettingsError),
}

impl Connection {
    /// The profile in the settings.
    pub(crate) fn profile(&self) -> Result<Profile, InvalidConnection> {
        Ok(settings::from_settings(&self.data, &self.secrets)?)
    }

    /// How long it waits; fails if any of its other settings makes no sense, too.
    pub(crate) fn timeouts(&self) -> Result<Timeouts, InvalidConnection> {
        settings::check(&self.data)?;
        Ok(settings::timeouts(&self.data)?)
    }

    /// What its kill switch lets through, if it has one.
    pub(crate) fn kill_switch(&self) -> Result<Option<KillSwitchOptions>, InvalidConnection> {
        Ok(settings::kill_switch(&self.data)?)
    }

    /// Whether routes into the tunnel, and its addresses, are put back that somebody takes away.
    pub(crate) fn keeps_routes(&self) -> Result<bool, InvalidConnection> {
        Ok(settings::keeps_routes(&self.data)?)
    }

    /// Whether the tunnel's routes go before all others.
    pub(crate) fn enforces_routes(&self) -> Result<bool, InvalidConnection> {
        Ok(settings::enforces_routes(&self.data)?)
    }

    /// The secrets NetworkManager sent along.
    pub(crate) fn into_secrets(self) -> BTreeMap<String, Secret> {
        self.secrets
    }

    /// Whether an agent may have kept something that is needed.
    pub(crate) fn may_have_kept_secrets(&self) -> bool {
        settings::credentials::may_be_kept(&self.data, &self.secrets)
    }
}

impl TryFrom<Dictionary> for Connection {
    type Error = InvalidConnection;

    fn try_from(mut dictionary: Dictionary) -> Result<Self, InvalidConnection> {
        let connection = dictionary.remove("connection").unwrap_or_default();
        let mut vpn = dictionary
            .remove("vpn")
            .ok_or(InvalidConnection::NoVpnSettings)?;
        let data = vpn
            .remove("data")
            .and_then(texts)
            .ok_or(InvalidConnection::NoVpnSettings)?;
        let secrets = vpn.remove("secrets").and_then(texts).unwrap_or_default();
        let timeout = vpn
            .remove("timeout")
            .and_then(|value| u32::try_from(value).ok());
        let user = vpn
            .remove("user-name")
            .and_then(|value| String::try_from(value).ok())
            .filter(|name| !name.is_empty());
        let property = |name: &str| -> String {
            let value = connection
                .get(name)
                .and_then(|value| <&str>::try_from(value).ok());
            value.unwrap_or_default().to_owned()
        };
        let permissions = connection.get("permissions").and_then(entries);
        let owner = permissions.and_then(|permissions| owner_of(&permissions));
        Ok(Self {
            id: property("id"),
            uuid: property("uuid"),
            user,
            owner,
            timeout_seconds: timeout
                .filter(|&set| set != 0)
                .unwrap_or(DEFAULT_TIMEOUT_SECONDS),
            data: data.into_iter().collect(),
            secrets: secrets
                .into_iter()
                .map(|(name, text)| (name, Secret::new(text)))
                .collect(),
        })
    }
}

fn entries(value: &OwnedValue) -> Option<Vec<String>> {
    Vec::try_from(value.try_clone().ok()?).ok()
}

/// Of entries like `user:ada:`, the last colon of which may be missing.
fn owner_of(permissions: &[String]) -> Option<String> {
    let [only] = permissions else { return None };
    let name = only.strip_prefix("user:")?.split(':').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

fn texts(value: OwnedValue) -> Option<HashMap<String, String>> {
    HashMap::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zbus::zvariant::Value;

    fn setting(items: &[(&str, Value<'_>)]) -> HashMap<String, OwnedValue> {
        let own =
            |(name, value): &(&str, Value<'_>)| ((*name).to_owned(), value.try_to_owned().unwrap());
        items.iter().map(own).collect()
    }

    #[test]
    fn one_person_s_connection_is_known_for_it() {
        let owner = |permissions: &[&str]| {
            let own: Vec<String> = permissions.iter().map(ToString::to_string).collect();
            owner_of(&own)
        };
        for one in ["user:ada:", "user:ada"] {
            assert_eq!(owner(&[one]).as_deref(), Some("ada"));
        }
        for others in [&["user:ada:", "user:bob:"][..], &[], &["user::"]] {
            assert_eq!(owner(others), None);
        }
    }

    #[test]
    fn the_parts_are_found_and_a_timeout_of_zero_is_the_default() {
        let data = HashMap::from([("a", "b")]);
        let secrets = HashMap::from([("password", "hunter2")]);
        let connection = Connection::try_from(HashMap::from([
            (
                "connection".to_owned(),
                setting(&[("id", "Work".into()), ("uuid", "u".into())]),
            ),
            (
                "vpn".to_owned(),
                setting(&[
                    ("data", data.into()),
                    ("secrets", secrets.into()),
                    ("timeout", 0_u32.into()),
                    ("user-name", "ada".into()),
                ]),
            ),
        ]))
        .unwrap();
        assert_eq!(
            (connection.id.as_str(), connection.uuid.as_str()),
            ("Work", "u")
        );
        assert_eq!(connection.timeout_seconds, 60);
        assert_eq!(connection.user.as_deref(), Some("ada"));
        assert_eq!(connection.data["a"], "b");
        assert!(!format!("{connection:?}").contains("hunter2"));
        assert_eq!(connection.into_secrets()["password"].expose(), "hunter2");
    }

    #[test]
    fn a_connection_without_vpn_settings_is_refused() {
        assert!(matches!(
            Connection::try_from(HashMap::new()),
            Err(InvalidConnection::NoVpnSettings)
        ));
    }
}
