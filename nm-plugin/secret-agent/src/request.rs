//! What NetworkManager asks for, as the auth dialog is told.

use aws_client_vpn_network_manager::settings::{Settings, Stored, secrets};
use aws_client_vpn_profile::credential::{Credential, SecretFlags};
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;

/// `NM_SECRET_AGENT_GET_SECRETS_FLAG_ALLOW_INTERACTION`
pub(crate) const ALLOW_INTERACTION: u32 = 0x1;
/// `NM_SECRET_AGENT_GET_SECRETS_FLAG_REQUEST_NEW`
const REQUEST_NEW: u32 = 0x2;

/// A connection of our type.
#[derive(Debug)]
pub struct Connection {
    /// As it is stored.
    pub stored: Stored,
    secrets: BTreeMap<String, Secret>,
}

impl Connection {
    /// Reads it; `None` if it is another plugin's, or none.
    pub fn read(path: &str, settings: &Settings) -> Option<Self> {
        Some(Self {
            stored: Stored::read(path, settings)?,
            secrets: secrets(settings),
        })
    }

    /// The dialog's arguments, but for those that say how it is to be seen.
    #[must_use]
    pub fn arguments(&self, hints: &[String], flags: u32) -> Vec<String> {
        let mut arguments = vec![
            format!("--uuid={}", self.stored.uuid),
            format!("--name={}", self.stored.name),
            format!("--service={SERVICE_TYPE}"),
            "--keep".to_owned(),
        ];
        for (flag, option) in [
            (ALLOW_INTERACTION, "--allow-interaction"),
            (REQUEST_NEW, "--reprompt"),
        ] {
            if flags & flag != 0 {
                arguments.push(option.to_owned());
            }
        }
        arguments.extend(hints.iter().map(|hint| format!("--hint={hint}")));
        arguments
    }

    /// What the dialog reads first: what a person may have given, and no key.
    #[must_use]
    pub fn input(&self) -> Secret {
        let data = self.stored.data.iter();
        let data = data.map(|(key, value)| ("DATA", key, value.as_str()));
        let secrets = self.secrets.iter();
        let secrets = secrets.filter(|(name, _)| Credential::from_name(name).is_some());
        let all = data.chain(secrets.map(|(name, value)| ("SECRET", name, value.expose())));
        // The whole room at once: a string that grows leaves copies behind.
        let length = |(_, key, value): (_, &String, &str)| key.len() + value.len() + 32;
        let length: usize = all.clone().map(length).sum();
        let mut text = String::with_capacity(length + 8);
        for (kind, key, value) in all {
            for part in [kind, "_KEY=", key, "\n", kind, "_VAL=", value, "\n\n"] {
                text.push_str(part);
            }
        }
        text.push_str("DONE\n\n");
        Secret::new(text)
    }

    /// What is to be kept for the user of what came with the connection.
    #[must_use]
    pub fn to_keep(&self) -> Vec<(&'static str, &Secret)> {
        Credential::ALL
            .into_iter()
            .filter(|c| SecretFlags::of(&self.stored.data, *c) == Some(SecretFlags::AgentOwned))
            .filter_map(|c| Some((c.name(), self.secrets.get(c.name())?)))
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use zbus::zvariant::{OwnedValue, Value};

    fn dictionary(service: &str) -> Settings {
        let own = |value: Value<'_>| OwnedValue::try_from(value).unwrap();
        let text = |value: &str| own(Value::from(value.to_owned()));
        let strings = |pairs: &[(&str, &str)]| {
            let map: HashMap<String, String> = pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            own(Value::from(map))
        };
        let connection = [("uuid", text("1-2")), ("id", text("Work -i"))];
        let vpn = [
            ("service-type", text(service)),
            ("data", strings(&[("password-flags", "1")])),
            ("secrets", strings(&[("password", "x"), ("key", "PRIVATE")])),
        ];
        let own = |settings: Vec<(&str, OwnedValue)>| {
            let own = settings.into_iter();
            own.map(|(key, value)| (key.to_owned(), value)).collect()
        };
        HashMap::from([
            ("connection".to_owned(), own(connection.into())),
            ("vpn".to_owned(), own(vpn.into())),
        ])
    }

    #[test]
    fn only_our_own_connections_are_read() {
        let other = dictionary("org.freedesktop.NetworkManager.openvpn");
        assert!(Connection::read("/", &other).is_none());
        assert!(Connection::read("/", &HashMap::new()).is_none());
    }

    #[test]
    fn the_dialog_is_told_as_agents_tell_it() {
        let connection = Connection::read("/", &dictionary(SERVICE_TYPE)).unwrap();
        let hints = ["a=b".to_owned(), "-i".to_owned()];
        assert_eq!(
            connection.arguments(&hints, 0x5).join(" "),
            format!(
                "--uuid=1-2 --name=Work -i --service={SERVICE_TYPE} --keep --allow-interaction \
                 --hint=a=b --hint=-i"
            )
        );
        assert!(
            connection
                .arguments(&[], 0x2)
                .contains(&"--reprompt".to_owned())
        );
        assert_eq!(
            connection.input().expose(),
            "DATA_KEY=password-flags\nDATA_VAL=1\n\nSECRET_KEY=password\nSECRET_VAL=x\n\nDONE\n\n"
        );
        assert_eq!(connection.to_keep(), [("password", &Secret::from("x"))]);
    }
}
