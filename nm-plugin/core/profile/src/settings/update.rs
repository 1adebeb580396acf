//! A newer profile for a connection that is there already.
//!
//! An administrator sends a new profile when something about the endpoint changes. What the
//! profile says is taken from the new one; what the user has chosen since stays: time limits,
//! user name, where passwords are kept, their own certificate and proxy, and keys that a newer
//! version of this program may know.

use super::{SettingsError, to_data, to_secrets};
use crate::credential::Credential;
use crate::keys::{
    CONNECT_TIMEOUT, EARLY_PUSH_REQUEST, INACTIVITY_TIMEOUT, KEY_PASSPHRASE, LOGIN_TIMEOUT, MSSFIX,
    OPTIONS, PKCS11_ID, PKCS11_PROVIDER, PROXY_AUTHENTICATES, PROXY_PORT, PROXY_SERVER, PROXY_TYPE,
    RANDOM_HOSTNAME, RECONNECT_TIMEOUT, REMOTE, SESSION_LENGTH, SIGN_IN, STATIC_CHALLENGE,
    STATIC_CHALLENGE_ECHO, TOKEN_PIN, USER_NAME, flags_key,
};
use crate::parts::{InlineFile, Transport};
use crate::profile::Profile;
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

/// A connection's settings after it was brought up to a newer profile.
pub struct Update {
    /// `vpn.data`.
    pub data: BTreeMap<String, String>,
    /// `vpn.secrets`, all of those that NetworkManager keeps.
    pub secrets: BTreeMap<String, Secret>,
}

/// Whether a connection leads to an endpoint of `profile`; ports and protocols may have changed.
pub fn have_same_endpoint(data: &BTreeMap<String, String>, profile: &Profile) -> bool {
    let old = data.get(REMOTE).map_or("", String::as_str);
    let old: BTreeSet<String> = old
        .split(',')
        .filter_map(|remote| remote.split_whitespace().next())
        .map(normal)
        .collect();
    profile
        .remotes()
        .iter()
        .any(|remote| old.contains(&normal(&remote.host)))
}

/// Names of hosts mean the same in capitals and with a dot at their end.
fn normal(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// What a user adds to a profile to sign in with a certificate.
const OWN_CERTIFICATE: [&str; 6] = [
    "cert",
    "key",
    "extra-certs",
    "pkcs12",
    PKCS11_ID,
    PKCS11_PROVIDER,
];

/// What a user sets for a proxy, if the profile has none.
const OWN_PROXY: [&str; 4] = [PROXY_TYPE, PROXY_SERVER, PROXY_PORT, PROXY_AUTHENTICATES];

impl Update {
    /// Brings a connection with these settings up to `profile`.
    pub fn new(
        old_data: &BTreeMap<String, String>,
        old_secrets: &BTreeMap<String, Secret>,
        profile: &Profile,
    ) -> Result<Self, SettingsError> {
        let has_proxy = old_data
            .get(PROXY_TYPE)
            .is_some_and(|kind| !kind.is_empty());
        let keeps_proxy = has_proxy && profile.proxy().is_none();
        let is_udp = profile
            .remotes()
            .iter()
            .any(|remote| remote.transport == Transport::Udp);
        if keeps_proxy && is_udp {
            return Err(SettingsError::UdpPastProxy);
        }
        let is_of_proxy = |key: &str| {
            let credentials = [Credential::ProxyUserName, Credential::ProxyPassword];
            OWN_PROXY.contains(&key)
                || keeps_proxy && credentials.iter().any(|it| it.flags_key() == key)
        };
        let mut data = to_data(profile);
        let mut secrets = to_secrets(profile);
        let brings_certificate = OWN_CERTIFICATE
            .iter()
            .any(|key| data.contains_key(*key) || secrets.contains_key(*key));
        let is_of_certificate = |key: &str| {
            OWN_CERTIFICATE.contains(&key)
                || key == KEY_PASSPHRASE
                || key == TOKEN_PIN
                || key == flags_key(KEY_PASSPHRASE)
                || key == flags_key(TOKEN_PIN)
        };
        for (key, value) in old_data {
            let of_certificate = is_of_certificate(key);
            let chosen = matches!(
                key.as_str(),
                LOGIN_TIMEOUT
                    | CONNECT_TIMEOUT
                    | RECONNECT_TIMEOUT
                    | SESSION_LENGTH
                    | INACTIVITY_TIMEOUT
                    | MSSFIX
                    | EARLY_PUSH_REQUEST
                    | USER_NAME
            );
            let kept = if of_certificate {
                !brings_certificate
            } else if is_of_proxy(key) {
                keeps_proxy
            } else {
                // Where a password is kept was asked of the user; whether there is one was not.
                let is_flag = key.ends_with("-flags");
                chosen || is_flag && data.contains_key(key) || !is_known(key)
            };
            if kept {
                data.insert(key.clone(), value.clone());
            }
        }
        for (name, value) in old_secrets {
            let kept = match InlineFile::ALL.into_iter().find(|i| i.name() == name) {
                Some(_) => is_of_certificate(name) && !brings_certificate,
                None => !is_of_certificate(name) || !brings_certificate,
            };
            if kept {
                secrets.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(Self { data, secrets })
    }
}

/// Whether a key is one that profiles are kept in, so that its absence says something, too.
fn is_known(key: &str) -> bool {
    let fixed = [
        REMOTE,
        RANDOM_HOSTNAME,
        SIGN_IN,
        STATIC_CHALLENGE,
        STATIC_CHALLENGE_ECHO,
        OPTIONS,
    ];
    fixed.contains(&key)
        || key.ends_with("-flags")
        || InlineFile::ALL.iter().any(|inline| inline.name() == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "cvpn-endpoint-0123.prod.clientvpn.eu-central-1.amazonaws.com";
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";

    fn profile(more: &str) -> Profile {
        let text = format!("remote {HOST} 443\n<ca>\n{CERTIFICATE}</ca>\n{more}");
        Profile::parse(&text, &mut |_| Err("no file".to_owned()))
            .unwrap()
            .profile
    }

    fn updated(
        data: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, Secret>,
        profile: &Profile,
    ) -> Update {
        Update::new(data, secrets, profile).unwrap()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        pairs.collect()
    }

    #[test]
    fn an_endpoint_is_known_by_its_name() {
        let profile = profile("auth-federate\n");
        for (remote, same) in [
            (format!("{HOST} 1194 tcp"), true),
            (
                format!("other.example 443 udp, {}. 1 udp", HOST.to_uppercase()),
                true,
            ),
            ("other.example 443 udp".to_owned(), false),
            (String::new(), false),
        ] {
            let data = map(&[("remote", &remote)]);
            assert_eq!(have_same_endpoint(&data, &profile), same, "{remote}");
        }
        assert!(!have_same_endpoint(&map(&[]), &profile));
    }

    #[test]
    fn the_profile_s_settings_are_new_and_the_user_s_stay() {
        let old = map(&[
            ("remote", "old 443 udp"),
            ("options", "tun-mtu 1400"),
            ("sign-in", "password"),
            ("static-challenge", "Code"),
            ("tls-crypt", "x"),
            ("login-timeout", "120"),
            ("username", "zoe"),
            ("password-flags", "3"),
            ("challenge-response-flags", "1"),
            ("from-the-future", "1"),
        ]);
        let secrets = BTreeMap::from([
            ("password".to_owned(), Secret::from("p")),
            ("tls-auth".to_owned(), Secret::from("old")),
        ]);
        let update = updated(&old, &secrets, &profile("auth-user-pass\nreneg-sec 0\n"));
        assert_eq!(update.data["remote"], format!("{HOST} 443 udp"));
        assert_eq!(update.data["options"], "reneg-sec 0");
        assert!(!update.data.contains_key("static-challenge"));
        assert!(!update.data.contains_key("tls-crypt"));
        for key in [
            "login-timeout",
            "username",
            "password-flags",
            "from-the-future",
        ] {
            assert_eq!(update.data[key], old[key], "{key}");
        }
        assert_eq!(update.secrets.keys().collect::<Vec<_>>(), ["password"]);

        // The kind of sign-in has changed: no password is left to be kept anywhere.
        let update = updated(&old, &secrets, &profile("auth-federate\n"));
        assert_eq!(update.data["sign-in"], "saml");
        assert!(!update.data.contains_key("password-flags"));
    }

    #[test]
    fn a_certificate_of_the_user_s_own_stays_unless_a_new_one_comes() {
        let old = map(&[("cert", "old"), ("key-passphrase-flags", "1")]);
        let secrets = BTreeMap::from([("key".to_owned(), Secret::from("old"))]);
        let update = updated(&old, &secrets, &profile("auth-federate\n"));
        assert_eq!(update.data["cert"], "old");
        assert_eq!(update.data["key-passphrase-flags"], "1");
        assert_eq!(update.secrets["key"].expose(), "old");

        let pem = CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY");
        let more = format!("<cert>\n{CERTIFICATE}</cert>\n<key>\n{pem}</key>\n");
        let update = updated(&old, &secrets, &profile(&more));
        assert!(update.data["cert"].contains("TUlJ"));
        assert!(!update.data.contains_key("key-passphrase-flags"));
        assert!(update.secrets["key"].expose().contains("PRIVATE"));
    }

    /// Without its flags, NetworkManager would write the next answer to disk.
    #[test]
    fn a_proxy_of_the_user_s_own_stays_with_where_its_password_is_kept() {
        let old = map(&[
            ("proxy-type", "http"),
            ("proxy-server", "own.example"),
            ("proxy-port", "3128"),
            ("proxy-auth", "yes"),
            ("proxy-username-flags", "1"),
            ("proxy-password-flags", "3"),
        ]);
        let secrets = BTreeMap::new();
        let update = updated(&old, &secrets, &profile("proto tcp\nauth-federate\n"));
        for (key, value) in &old {
            assert_eq!(update.data.get(key), Some(value), "{key}");
        }

        // What the profile brings goes before.
        let more = "proto tcp\nhttp-proxy new.example 8080\nauth-federate\n";
        let update = updated(&old, &secrets, &profile(more));
        assert_eq!(update.data["proxy-server"], "new.example");
        assert_eq!(update.data["proxy-port"], "8080");
        assert!(!update.data.contains_key("proxy-auth"));
        assert_eq!(update.data["proxy-password-flags"], "3");

        // Nothing would connect.
        let refused = Update::new(&old, &secrets, &profile("auth-federate\n"));
        assert_eq!(refused.err(), Some(SettingsError::UdpPastProxy));
        let none = map(&[("proxy-type", ""), ("proxy-password-flags", "1")]);
        let update = updated(&none, &secrets, &profile("auth-federate\n"));
        assert!(!update.data.contains_key("proxy-password-flags"));
    }
}
