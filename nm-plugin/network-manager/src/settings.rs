//! Connections of ours, as NetworkManager stores them and hands them over.

use crate::{Properties, value};
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, HashMap};

/// NetworkManager's `a{sa{sv}}`: settings by name, each with properties by name.
pub type Settings = HashMap<String, Properties>;

/// A connection of ours as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// `connection.id`
    pub name: String,
    /// `connection.uuid`
    pub uuid: String,
    /// The connection's D-Bus object.
    pub path: String,
    /// Whether more than one user has it.
    pub is_shared: bool,
    /// `vpn.data`
    pub data: BTreeMap<String, String>,
}

impl Stored {
    /// Reads what is stored at `path`; `None` if it is another plugin's, or none.
    pub fn read(path: &str, settings: &Settings) -> Option<Self> {
        let service: String = value(settings.get("vpn")?, "service-type")?;
        let general = settings.get("connection")?;
        let users: Vec<String> = value(general, "permissions").unwrap_or_default();
        (service == SERVICE_TYPE).then_some(Self {
            name: value(general, "id")?,
            uuid: value(general, "uuid")?,
            path: path.to_owned(),
            is_shared: users.len() != 1,
            data: data(settings),
        })
    }
}

/// `vpn.data`
pub fn data(settings: &Settings) -> BTreeMap<String, String> {
    strings(settings, "data").collect()
}

/// `vpn.secrets`
pub fn secrets(settings: &Settings) -> BTreeMap<String, Secret> {
    let secrets = strings(settings, "secrets");
    secrets
        .map(|(name, value)| (name, Secret::new(value)))
        .collect()
}

fn strings(settings: &Settings, name: &str) -> impl Iterator<Item = (String, String)> {
    let vpn = settings.get("vpn");
    let strings = vpn.and_then(|vpn| value::<HashMap<_, _>>(vpn, name));
    strings.unwrap_or_default().into_iter()
}
