//! A profile as the settings of a NetworkManager connection, as they travel over D-Bus.

use aws_client_vpn_profile::keys::{AT_LOGIN, YES};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{
    self, PERSISTENT, Property, SettingsError, Update, have_same_endpoint,
};
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use aws_client_vpn_text::secret::Secret;
use gtk::glib::Variant;
use gtk::glib::variant::{FromVariant, ToVariant};
use std::collections::BTreeMap;

/// NetworkManager's `a{sa{sv}}`: settings by name, each with properties by name.
pub type Settings = BTreeMap<String, BTreeMap<String, Variant>>;

/// A connection for `profile`; with a `user` it is for them alone. `at_login` has an agent connect
/// when its user logs in.
#[must_use]
pub fn new(
    name: &str,
    uuid: &str,
    user: Option<&str>,
    at_login: bool,
    profile: &Profile,
) -> Settings {
    let mut settings = settings::new_connection(name, uuid, user, profile);
    if at_login {
        for (_, property) in settings.iter_mut().flat_map(|(_, properties)| properties) {
            if let Property::Items(data) = property {
                data.insert(AT_LOGIN.to_owned(), YES.to_owned());
            }
        }
    }
    let named = |(name, property): (&str, Property)| (name.to_owned(), variant(&property));
    let settings = settings.into_iter();
    settings
        .map(|(name, properties)| (name.to_owned(), properties.into_iter().map(named).collect()))
        .collect()
}

fn variant(property: &Property) -> Variant {
    match property {
        Property::Text(text) => text.to_variant(),
        Property::Number(number) => number.to_variant(),
        Property::Flag(flag) => flag.to_variant(),
        Property::Texts(texts) => texts.to_variant(),
        Property::Items(items) => items.to_variant(),
        Property::Secrets(secrets) => exposed(secrets),
    }
}

/// The connection `old`, whose stored secrets are in `secrets`, brought up to `profile`; name,
/// uuid, permissions and all that the user has set otherwise stay. One that an older version made
/// is persistent from now on.
pub fn updated(
    old: &Settings,
    secrets: &Settings,
    profile: &Profile,
) -> Result<Settings, SettingsError> {
    let old_secrets: BTreeMap<String, String> =
        property(secrets, "vpn", "secrets").unwrap_or_default();
    let old_secrets = old_secrets
        .into_iter()
        .map(|(name, value)| (name, Secret::new(value)))
        .collect();
    let update = Update::new(&data(old), &old_secrets, profile)?;
    let mut new = old.clone();
    let vpn = new.entry("vpn".to_owned()).or_default();
    vpn.insert("data".to_owned(), update.data.to_variant());
    vpn.insert("secrets".to_owned(), exposed(&update.secrets));
    vpn.insert(PERSISTENT.to_owned(), true.to_variant());
    Ok(new)
}

/// Whether these are the settings of a connection of ours to an endpoint of `profile`.
pub fn is_of_endpoint(settings: &Settings, profile: &Profile) -> bool {
    let service: Option<String> = property(settings, "vpn", "service-type");
    service.as_deref() == Some(SERVICE_TYPE) && have_same_endpoint(&data(settings), profile)
}

/// The connection's name.
pub fn name(settings: &Settings) -> String {
    property(settings, "connection", "id").unwrap_or_default()
}

/// The connection's UUID.
pub fn uuid(settings: &Settings) -> String {
    property(settings, "connection", "uuid").unwrap_or_default()
}

fn data(settings: &Settings) -> BTreeMap<String, String> {
    property(settings, "vpn", "data").unwrap_or_default()
}

fn property<T: FromVariant>(settings: &Settings, setting: &str, name: &str) -> Option<T> {
    settings.get(setting)?.get(name)?.get()
}

/// The secrets for NetworkManager, the only one who gets them.
fn exposed(secrets: &BTreeMap<String, Secret>) -> Variant {
    let exposed: BTreeMap<&str, &str> = secrets
        .iter()
        .map(|(name, secret)| (name.as_str(), secret.expose()))
        .collect();
    exposed.to_variant()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(port: u16) -> Profile {
        let text = format!(
            "remote x.clientvpn.eu-north-1.amazonaws.com {port}\nauth-federate\n<ca>\n\
             -----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n"
        );
        Profile::parse(&text, &mut |_| Err(String::new()))
            .unwrap()
            .profile
    }

    #[test]
    fn a_connection_is_for_one_user_or_for_all() {
        let permissions = |user| {
            let settings = new("Work", "u", user, false, &profile(443));
            property::<Vec<String>>(&settings, "connection", "permissions").unwrap()
        };
        assert_eq!(permissions(Some("zoe")), ["user:zoe"]);
        assert!(permissions(None).is_empty());
    }

    #[test]
    fn a_connection_outlives_its_network_and_an_update_brings_that_to_old_ones() {
        let mut settings = new("Work", "u", None, false, &profile(443));
        let persistent = |settings: &Settings| property(settings, "vpn", "persistent");
        assert_eq!(persistent(&settings), Some(true));
        settings.get_mut("vpn").unwrap().remove("persistent");
        let new = updated(&settings, &Settings::new(), &profile(443)).unwrap();
        assert_eq!(persistent(&new), Some(true));
    }

    #[test]
    fn an_update_changes_the_profile_and_nothing_else() {
        let mut old = new("Work", "u", Some("zoe"), false, &profile(443));
        let ipv4 = BTreeMap::from([("never-default".to_owned(), true.to_variant())]);
        old.insert("ipv4".to_owned(), ipv4);
        assert!(is_of_endpoint(&old, &profile(1194)));
        let new = updated(&old, &Settings::new(), &profile(1194)).unwrap();
        assert!(data(&new)["remote"].ends_with(" 1194 udp"));
        assert_eq!(name(&new), "Work");
        for setting in ["connection", "ipv4"] {
            assert_eq!(new[setting], old[setting]);
        }
    }

    #[test]
    fn another_plugin_s_connection_is_none_of_ours() {
        let mut settings = new("Work", "u", None, false, &profile(443));
        let other = "org.freedesktop.NetworkManager.openvpn".to_variant();
        let vpn = settings.get_mut("vpn").unwrap();
        vpn.insert("service-type".to_owned(), other);
        assert!(!is_of_endpoint(&settings, &profile(443)));
        assert!(!is_of_endpoint(&Settings::new(), &profile(443)));
    }
}
