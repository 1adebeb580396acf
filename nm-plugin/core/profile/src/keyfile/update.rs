//! A user's own copy of a connection that a package brings, brought up to a newer release.
//!
//! NetworkManager never writes to what a package has installed. A user's change makes a copy of the
//! whole connection, which from then on stands in the package's place; the next release of the
//! package would not reach it. So what the profile says is taken from the new release here, and
//! what the user chose stays, as it does when a profile is imported again.

use super::{PERSISTENT, SECRETS, entry, group, push_secrets};
use crate::settings::{SettingsError, Update, from_settings};
use crate::well_known::SERVICE_TYPE;
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use thiserror::Error;
use zeroize::Zeroizing;

/// What is set in the group of a VPN besides the plugin's own data.
const PROPERTIES: [&str; 4] = ["service-type", "timeout", "user-name", PERSISTENT];
const VPN: &str = "vpn";

/// Why a copy is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
pub enum UpdateError {
    /// Something else than a connection of ours.
    #[error("The file is not a keyfile of an AWS Client VPN connection.")]
    Foreign,
    /// The new release makes no profile.
    #[error("The updated settings cannot be used. {0}")]
    Release(#[from] SettingsError),
}

/// The UUID of the connection in a keyfile.
#[must_use]
pub fn uuid_of(keyfile: &str) -> Option<String> {
    Some(unescaped(value(&lines_of(keyfile, "connection"), "uuid")?))
}

/// The name of the connection in a keyfile, if it is one of ours.
#[must_use]
pub fn name_of(keyfile: &str) -> Option<String> {
    data_of(keyfile).ok()?;
    Some(unescaped(value(&lines_of(keyfile, "connection"), "id")?))
}

/// The text of `copy` after it was brought up to `release`, or `None` if nothing changes. A copy
/// that an older version made is persistent from now on.
pub fn bring_up_to(copy: &str, release: &str) -> Result<Option<Zeroizing<String>>, UpdateError> {
    let profile = from_settings(&data_of(release)?, &secrets_of(release))?;
    let old_data = data_of(copy)?;
    let old_secrets = secrets_of(copy);
    let new = Update::new(&old_data, &old_secrets, &profile)?;
    let is_persistent = value(&lines_of(copy, VPN), PERSISTENT) == Some("true");
    if is_persistent && new.data == old_data && exposed(&new.secrets) == exposed(&old_secrets) {
        return Ok(None);
    }
    // All of it is of these two, and does not grow, which would leave unwiped copies.
    let most = copy.len() + release.len() + PERSISTENT.len();
    let mut text = Zeroizing::new(String::with_capacity(most + 64));
    for (name, lines) in groups(copy) {
        match name {
            VPN => {
                group(&mut text, VPN);
                for (key, value) in lines.iter().filter_map(|line| line.split_once('=')) {
                    let key = key.trim();
                    if PROPERTIES.contains(&key) && key != PERSISTENT {
                        entry(&mut text, key, &unescaped(value));
                    }
                }
                entry(&mut text, PERSISTENT, "true");
                for (key, value) in &new.data {
                    entry(&mut text, key, value);
                }
                push_secrets(&mut text, &new.secrets);
            }
            SECRETS => {}
            name => {
                group(&mut text, name);
                for line in lines {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    Ok(Some(text))
}

fn exposed(secrets: &BTreeMap<String, Secret>) -> BTreeMap<&str, &str> {
    let pairs = secrets.iter();
    pairs
        .map(|(key, secret)| (key.as_str(), secret.expose()))
        .collect()
}

fn data_of(keyfile: &str) -> Result<BTreeMap<String, String>, UpdateError> {
    let lines = lines_of(keyfile, VPN);
    if value(&lines, "service-type").is_none_or(|found| unescaped(found) != SERVICE_TYPE) {
        return Err(UpdateError::Foreign);
    }
    let pairs = lines.iter().filter_map(|line| line.split_once('='));
    Ok(pairs
        .map(|(key, value)| (key.trim(), value))
        .filter(|(key, _)| !PROPERTIES.contains(key))
        .map(|(key, value)| (key.to_owned(), unescaped(value)))
        .collect())
}

fn secrets_of(keyfile: &str) -> BTreeMap<String, Secret> {
    let lines = lines_of(keyfile, SECRETS);
    let pairs = lines.iter().filter_map(|line| line.split_once('='));
    pairs
        .map(|(key, value)| (key.trim().to_owned(), Secret::new(unescaped(value))))
        .collect()
}

/// The groups in their order, each with its lines, comments and blank lines left out.
fn groups(keyfile: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in keyfile.lines() {
        let trimmed = line.trim();
        let heading = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(name) = heading {
            found.push((name, Vec::new()));
        } else if let Some((_, lines)) = found.last_mut()
            && !trimmed.is_empty()
            && !trimmed.starts_with('#')
        {
            lines.push(line.trim_start());
        }
    }
    found
}

fn lines_of<'a>(keyfile: &'a str, name: &str) -> Vec<&'a str> {
    let all = groups(keyfile).into_iter();
    all.filter(|(found, _)| *found == name)
        .flat_map(|(_, lines)| lines)
        .collect()
}

fn value<'a>(lines: &[&'a str], key: &str) -> Option<&'a str> {
    let mut pairs = lines.iter().filter_map(|line| line.split_once('='));
    pairs
        .find(|(found, _)| found.trim() == key)
        .map(|(_, value)| value)
}

/// A value as GLib reads it; blanks before it mean nothing.
fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.trim_start_matches([' ', '\t']).chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('s') => text.push(' '),
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyfile::{Identity, to_keyfile};
    use crate::profile::Profile;
    use proptest::prelude::*;

    fn release(port: u16, certificate: &str) -> String {
        let text = format!(
            "remote cvpn-endpoint-01.prod.clientvpn.eu-central-1.amazonaws.com {port}\nproto udp\n\
             auth-federate\n<ca>\n-----BEGIN CERTIFICATE-----\n{certificate}\n\
             -----END CERTIFICATE-----\n</ca>\n"
        );
        let profile = Profile::parse(&text, &mut |_| Err("no file".to_owned())).unwrap();
        let identity = Identity {
            id: "Work".to_owned(),
            uuid: "6a1f5c2e-0000-5000-8000-000000000001".to_owned(),
            user: None,
        };
        to_keyfile(&identity, &profile.profile).unwrap().to_string()
    }

    #[test]
    fn the_profile_is_the_release_s_and_the_choices_are_the_users() {
        let copy = release(443, "TUlJ")
            .replace("id=Work", "id=Office")
            .replace("timeout=600\n", "timeout=600\nlogin-timeout=90\n")
            .replace(
                "[ipv4]\nmethod=auto",
                "[ipv4]\nmethod=auto\nnever-default=true",
            );
        let new = bring_up_to(&copy, &release(1194, "QUJD")).unwrap().unwrap();
        for line in [
            "id=Office",
            "timeout=600",
            "login-timeout=90",
            "never-default=true",
            "remote=cvpn-endpoint-01.prod.clientvpn.eu-central-1.amazonaws.com 1194 udp",
            "ca=-----BEGIN CERTIFICATE-----\\\\nQUJD\\\\n-----END CERTIFICATE-----",
        ] {
            assert!(
                new.lines().any(|found| found == line),
                "no {line} in\n{}",
                *new
            );
        }
        assert!(!new.contains("TUlJ") && !new.contains(" 443 "), "{}", *new);
    }

    #[test]
    fn a_copy_that_is_up_to_date_stays_as_it_is() {
        let copy = release(443, "TUlJ").replace("id=Work", "# mine\nid=Office");
        assert_eq!(bring_up_to(&copy, &release(443, "TUlJ")), Ok(None));
    }

    #[test]
    fn a_copy_of_an_older_version_becomes_persistent() {
        let release = release(443, "TUlJ");
        for before in ["", "persistent=false\n"] {
            let copy = release.replace("persistent=true\n", before);
            let new = bring_up_to(&copy, &release).unwrap().unwrap();
            assert_eq!(new.matches("persistent=").count(), 1, "{}", *new);
            assert!(new.contains("\npersistent=true\n"), "{}", *new);
            assert_eq!(bring_up_to(&new, &release), Ok(None));
        }
    }

    #[test]
    fn another_connection_is_not_touched() {
        let copy = "[connection]\nid=x\nuuid=u\n[vpn]\nservice-type=org.example.other\n";
        let refused = bring_up_to(copy, &release(443, "TUlJ"));
        assert_eq!(refused, Err(UpdateError::Foreign));
    }

    #[test]
    fn a_connection_is_known_by_its_uuid() {
        let uuid = uuid_of(&release(443, "TUlJ"));
        assert_eq!(
            uuid.as_deref(),
            Some("6a1f5c2e-0000-5000-8000-000000000001")
        );
        assert_eq!(uuid_of("[vpn]\nuuid=not this\n"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in "\\PC*|[ \\t\\n\\r\\\\a;#]*") {
            let mut text = String::new();
            entry(&mut text, "key", &value);
            let line = text.strip_prefix("key=").unwrap().strip_suffix('\n').unwrap();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(unescaped(line), value);
        }
    }
}
