//! A connection as a keyfile of NetworkManager's, for a fleet: an administrator makes it once from
//! the profile, and a package puts it on every machine, where all users find the connection.
//!
//! The format is GLib's key file: a value is one line, in which a backslash, line ends and leading
//! blanks are escaped. Settings that are not written have NetworkManager's defaults.

mod update;

pub use update::{UpdateError, bring_up_to, name_of, uuid_of};

use crate::keys::DEFAULT_VPN_TIMEOUT_SECONDS;
use crate::profile::Profile;
use crate::settings::{PERSISTENT, to_data, to_secrets};
use crate::well_known::SERVICE_TYPE;
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use thiserror::Error;
use zeroize::Zeroizing;

const SECRETS: &str = "vpn-secrets";

/// What a connection is called, to people and to NetworkManager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name in the list of networks.
    pub id: String,
    /// Stays the same in all editions of a connection, so that one takes the other's place.
    pub uuid: String,
    /// The one user who has it; all users of the computer where it is not given.
    pub user: Option<String>,
}

/// Why there is no keyfile for a profile.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
pub enum KeyfileError {
    /// A name that people could not see, or that would be two lines.
    #[error("The name of a connection must be a single line of text.")]
    Name,
    /// A name that no account has, or that would be two entries of a list.
    #[error("'{0}' is not a valid user name.")]
    User(String),
}

/// The text of the keyfile. It may hold the private key that the profile brings, so it is wiped
/// when it is dropped, and belongs in a file that only root can read.
pub fn to_keyfile(
    identity: &Identity,
    profile: &Profile,
) -> Result<Zeroizing<String>, KeyfileError> {
    if identity.id.trim().is_empty() || identity.id.contains(char::is_control) {
        return Err(KeyfileError::Name);
    }
    // Beside blanks, what separates entries of NetworkManager's list.
    let separates = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | ';');
    let is_no_user = |user: &&String| user.is_empty() || user.contains(separates);
    if let Some(user) = identity.user.as_ref().filter(is_no_user) {
        return Err(KeyfileError::User(user.clone()));
    }
    let mut text = Zeroizing::new(String::new());
    group(&mut text, "connection");
    entry(&mut text, "id", &identity.id);
    entry(&mut text, "uuid", &identity.uuid);
    entry(&mut text, "type", "vpn");
    if let Some(user) = &identity.user {
        entry(&mut text, "permissions", &format!("user:{user}:;"));
    }
    group(&mut text, "vpn");
    entry(&mut text, "service-type", SERVICE_TYPE);
    entry(
        &mut text,
        "timeout",
        &DEFAULT_VPN_TIMEOUT_SECONDS.to_string(),
    );
    entry(&mut text, PERSISTENT, "true");
    for (key, value) in to_data(profile) {
        entry(&mut text, &key, &value);
    }
    for family in ["ipv4", "ipv6"] {
        group(&mut text, family);
        entry(&mut text, "method", "auto");
    }
    push_secrets(&mut text, &to_secrets(profile));
    Ok(text)
}

/// Whether somebody who reads the keyfile has a secret of the connection's: its private key.
pub fn holds_secrets(keyfile: &str) -> bool {
    keyfile.lines().any(|line| line.trim() == "[vpn-secrets]")
}

fn push_secrets(text: &mut String, secrets: &BTreeMap<String, Secret>) {
    if !secrets.is_empty() {
        group(text, SECRETS);
    }
    // Reserve up front: reallocating would leave unwiped copies. Escaped, a text is at most twice as long.
    let lengths = secrets
        .iter()
        .map(|(key, secret)| key.len() + 2 * secret.len() + 2);
    text.reserve(lengths.sum());
    for (key, secret) in secrets {
        entry(text, key, secret.expose());
    }
}

fn group(text: &mut String, name: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push('[');
    text.push_str(name);
    text.push_str("]\n");
}

/// Keys are our own, of letters and dashes; values may be anything.
fn entry(text: &mut String, key: &str, value: &str) {
    text.push_str(key);
    text.push('=');
    let mut leading = true;
    for character in value.chars() {
        match character {
            ' ' if leading => text.push_str("\\s"),
            '\t' if leading => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\\' => text.push_str("\\\\"),
            other => text.push(other),
        }
        leading = leading && matches!(character, ' ' | '\t');
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";

    fn profile(more: &str) -> Profile {
        let text = format!(
            "remote cvpn-endpoint-01.prod.clientvpn.eu-central-1.amazonaws.com 443\nproto udp\n\
             <ca>\n{CERTIFICATE}</ca>\n{more}"
        );
        Profile::parse(&text, &mut |_| Err("no file".to_owned()))
            .unwrap()
            .profile
    }

    fn identity(id: &str) -> Identity {
        Identity {
            id: id.to_owned(),
            uuid: "6a1f5c2e-0000-5000-8000-000000000001".to_owned(),
            user: None,
        }
    }

    fn value_of(value: &str) -> String {
        let mut text = String::new();
        entry(&mut text, "key", value);
        text
    }

    #[test]
    fn values_are_escaped_as_glib_reads_them() {
        for (value, line) in [
            ("plain", "key=plain\n"),
            ("two words ", "key=two words \n"),
            ("  leading", "key=\\s\\sleading\n"),
            ("\t x\ty", "key=\\t\\sx\ty\n"),
            ("a\nb\r\n", "key=a\\nb\\r\\n\n"),
            ("C:\\new", "key=C:\\\\new\n"),
            ("a;b # c", "key=a;b # c\n"),
            ("Zürich", "key=Zürich\n"),
            ("", "key=\n"),
        ] {
            assert_eq!(value_of(value), line);
        }
    }

    #[test]
    fn a_connection_has_name_number_endpoint_and_certificate() {
        let text = to_keyfile(&identity("Work"), &profile("auth-federate\n")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for line in [
            "[connection]",
            "id=Work",
            "uuid=6a1f5c2e-0000-5000-8000-000000000001",
            "type=vpn",
            "[vpn]",
            "service-type=org.freedesktop.NetworkManager.aws-client-vpn",
            "timeout=600",
            "persistent=true",
            "remote=cvpn-endpoint-01.prod.clientvpn.eu-central-1.amazonaws.com 443 udp",
            "sign-in=saml",
            "saml-response-flags=3",
            // The line end of the settings, and GLib's backslash before it.
            "ca=-----BEGIN CERTIFICATE-----\\\\nTUlJ\\\\n-----END CERTIFICATE-----",
            "[ipv4]",
            "[ipv6]",
        ] {
            assert!(lines.contains(&line), "{line} is not in\n{}", *text);
        }
        assert!(!holds_secrets(&text), "{}", *text);
    }

    #[test]
    fn a_private_key_is_a_secret_of_the_connection() {
        let key = "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n";
        let more = format!("<cert>\n{CERTIFICATE}</cert>\n<key>\n{key}</key>\n");
        let text = to_keyfile(&identity("Work"), &profile(&more)).unwrap();
        let (before, secrets) = text.split_once("[vpn-secrets]\n").unwrap();
        assert!(secrets.starts_with("key=-----BEGIN PRIVATE KEY-----\\\\n"));
        assert!(!before.contains("PRIVATE KEY"));
        assert!(holds_secrets(&text));
    }

    #[test]
    fn a_connection_can_be_one_user_s() {
        let of = |user: &str| Identity {
            user: Some(user.to_owned()),
            ..identity("Work")
        };
        let profile = profile("auth-federate\n");
        let text = to_keyfile(&of("zoe"), &profile).unwrap();
        assert!(text.contains("\npermissions=user:zoe:;\n"), "{}", *text);
        for user in ["", "two words", "zoe:;user:bob", "zoe\nid=x"] {
            let error = to_keyfile(&of(user), &profile).unwrap_err();
            assert_eq!(error, KeyfileError::User(user.to_owned()));
        }
    }

    #[test]
    fn a_name_is_one_line_that_can_be_seen() {
        for id in ["", "  ", "two\nlines", "bell\u{7}"] {
            let made = to_keyfile(&identity(id), &profile("auth-federate\n"));
            assert_eq!(made.unwrap_err(), KeyfileError::Name);
        }
    }
}
