//! A new connection as NetworkManager is given it, whoever makes it.

use super::{to_data, to_secrets};
use crate::keys::DEFAULT_VPN_TIMEOUT_SECONDS;
use crate::profile::Profile;
use crate::well_known::SERVICE_TYPE;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;

/// The value of a property, without the way it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Property {
    /// `s`
    Text(String),
    /// `u`
    Number(u32),
    /// `b`
    Flag(bool),
    /// `as`
    Texts(Vec<String>),
    /// `a{ss}`
    Items(BTreeMap<String, String>),
    /// `a{ss}` that nobody but NetworkManager gets.
    Secrets(BTreeMap<String, Secret>),
}

/// The property by which a connection is not over when the cable is pulled or the lid closed; all of
/// ours begin with it. NetworkManager leaves it out while it is off.
pub const PERSISTENT: &str = "persistent";

/// The settings of a connection for `profile`, each with its properties; with a `user` it is for them
/// alone.
#[must_use]
pub fn new_connection(
    name: &str,
    uuid: &str,
    user: Option<&str>,
    profile: &Profile,
) -> [(&'static str, Vec<(&'static str, Property)>); 2] {
    let text = |text: &str| Property::Text(text.to_owned());
    let permissions = user.map(|user| format!("user:{user}"));
    let connection = vec![
        ("id", text(name)),
        ("uuid", text(uuid)),
        ("type", text("vpn")),
        ("autoconnect", Property::Flag(false)),
        (
            "permissions",
            Property::Texts(permissions.into_iter().collect()),
        ),
    ];
    let vpn = vec![
        ("service-type", text(SERVICE_TYPE)),
        ("timeout", Property::Number(DEFAULT_VPN_TIMEOUT_SECONDS)),
        (PERSISTENT, Property::Flag(true)),
        ("data", Property::Items(to_data(profile))),
        ("secrets", Property::Secrets(to_secrets(profile))),
    ];
    [("connection", connection), ("vpn", vpn)]
}
