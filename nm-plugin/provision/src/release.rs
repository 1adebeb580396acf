//! One release of a connection: read from a profile, or brought to the copies that users have changed.

use crate::command_line::Make;
use aws_client_vpn_i18n::{gettext, ngettext};
use aws_client_vpn_profile::keyfile::{
    Identity, KeyfileError, UpdateError, bring_up_to, to_keyfile, uuid_of,
};
use aws_client_vpn_profile_file::file::WriteError;
use aws_client_vpn_profile_file::{self as profile_file, ImportError};
use aws_client_vpn_text::message::Localize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};
use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Why nothing came of it.
#[derive(Debug, Error, Localize)]
pub(crate) enum ProvisionError {
    #[error(transparent)]
    Profile(#[from] ImportError),
    #[error(transparent)]
    Keyfile(#[from] KeyfileError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{file}: {reason}", file = file.display())]
    File { file: PathBuf, reason: io::Error },
    #[error("{file}: {reason}", file = file.display())]
    Update { file: PathBuf, reason: UpdateError },
    #[error(
        "'{0}' is not a valid version. A version begins with a digit and has only digits, letters, \
         dots and '+'."
    )]
    Version(String),
    #[error("{program} cannot be run: {reason}. Install it, or choose another format.")]
    NoProgram {
        program: &'static str,
        reason: io::Error,
    },
    #[error("{program} failed: {text}")]
    Program { program: &'static str, text: String },
}

impl ProvisionError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |reason| Self::File {
            file: path.to_owned(),
            reason,
        }
    }
}

/// A connection, ready to be written.
pub(crate) struct Release {
    /// The connection's name in names of files and packages.
    pub(crate) slug: String,
    /// The connection's name as people see it.
    pub(crate) name: String,
    /// The connection's UUID.
    pub(crate) uuid: String,
    pub(crate) version: String,
    pub(crate) keyfile: Zeroizing<String>,
}

/// Reads the profile.
pub(crate) fn read(make: &Make) -> Result<Release, ProvisionError> {
    if !is_version(&make.package_version) {
        return Err(ProvisionError::Version(make.package_version.clone()));
    }
    let profile = profile_file::read(&make.profile)?.profile;
    let name = make.name.clone();
    let name = name.unwrap_or_else(|| profile_file::connection_name(&make.profile));
    // The endpoint decides: a changed profile of the same endpoint replaces the one before.
    let host = profile.remotes().first().map_or("", |remote| &remote.host);
    let identity = Identity {
        uuid: uuid_of_endpoint(host, make.user.as_deref()),
        id: name.clone(),
        user: make.user.clone(),
    };
    Ok(Release {
        slug: slug(&name),
        keyfile: to_keyfile(&identity, &profile)?,
        uuid: identity.uuid,
        version: make.package_version.clone(),
        name,
    })
}

/// Each user's own connection is another one: a computer may have several of one endpoint.
fn uuid_of_endpoint(host: &str, user: Option<&str>) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let of_all = Uuid::new_v5(&Uuid::NAMESPACE_DNS, host.as_bytes());
    let uuid = user.map_or(of_all, |user| Uuid::new_v5(&of_all, user.as_bytes()));
    uuid.to_string()
}

fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+'))
}

/// A name as packages may have it: small letters, digits, single dashes.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "connection".to_owned()
    } else {
        slug.to_owned()
    }
}

/// Brings the copies in a directory up to a release; each is replaced as a whole, or left alone.
pub(crate) fn update_overrides(release: &Path, overrides: &Path) -> Result<String, ProvisionError> {
    let text = Zeroizing::new(fs::read_to_string(release).map_err(ProvisionError::file(release))?);
    let uuid = uuid_of(&text);
    let entries = match fs::read_dir(overrides) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(told(0)),
        Err(error) => return Err(ProvisionError::file(overrides)(error)),
    };
    let mut updated = 0;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path
            .extension()
            .is_none_or(|ending| ending != "nmconnection")
        {
            continue;
        }
        let Ok(copy) = fs::read_to_string(&path).map(Zeroizing::new) else {
            continue;
        };
        if uuid.is_none() || uuid_of(&copy) != uuid {
            continue;
        }
        let new = bring_up_to(&copy, &text).map_err(|reason| ProvisionError::Update {
            file: path.clone(),
            reason,
        })?;
        if let Some(new) = new {
            replace(&path, &new).map_err(ProvisionError::file(&path))?;
            updated += 1;
        }
    }
    Ok(told(updated))
}

fn told(updated: u64) -> String {
    match updated {
        0 => gettext!("No connection that users have changed needed an update."),
        some => ngettext!(
            some,
            "{count} connection that users have changed was updated.",
            "{count} connections that users have changed were updated."
        ),
    }
}

/// Never half a file, and readable for root only from its first byte: tempfile makes it so.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new()
        .prefix(".")
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_one_uuid_however_it_is_written() {
        let uuid = uuid_of_endpoint(
            "cvpn-endpoint-01.prod.clientvpn.eu-central-1.amazonaws.com",
            None,
        );
        assert_eq!(
            uuid_of_endpoint(
                "CVPN-endpoint-01.prod.clientvpn.eu-central-1.amazonaws.com.",
                None
            ),
            uuid
        );
        assert_ne!(uuid_of_endpoint("cvpn-endpoint-02.example", None), uuid);
        let host = "cvpn-endpoint-01.prod.clientvpn.eu-central-1.amazonaws.com";
        assert_ne!(uuid_of_endpoint(host, Some("zoe")), uuid);
        assert!(Uuid::parse_str(&uuid).is_ok());
    }

    #[test]
    fn names_become_names_of_packages() {
        for (name, expected) in [
            ("Company VPN (EU)", "company-vpn-eu"),
            ("downloaded-client-config", "downloaded-client-config"),
            ("../../etc/passwd", "etc-passwd"),
            ("Zürich", "z-rich"),
            ("会社", "connection"),
        ] {
            assert_eq!(slug(name), expected);
        }
    }

    #[test]
    fn a_version_is_one_for_deb_and_rpm() {
        for good in ["1", "2026.11.24", "1.0+b2"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "v1", "1-2", "1 2", "1\n", "1:2"] {
            assert!(!is_version(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_copy_is_replaced_and_another_connection_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let keyfile = |uuid: &str, port: u16| {
            format!(
                "[connection]\nid=w\nuuid={uuid}\ntype=vpn\n\n[vpn]\n\
                 service-type=org.freedesktop.NetworkManager.aws-client-vpn\n\
                 remote=host.example {port} udp\nsign-in=saml\nsaml-response-flags=3\n\
                 ca=-----BEGIN CERTIFICATE-----\\\\nTUlJ\\\\n-----END CERTIFICATE-----\n"
            )
        };
        let release = directory.path().join("release");
        fs::write(&release, keyfile("one", 1194)).unwrap();
        let copies = directory.path().join("copies");
        fs::create_dir(&copies).unwrap();
        fs::write(copies.join("mine.nmconnection"), keyfile("one", 443)).unwrap();
        fs::write(copies.join("other.nmconnection"), keyfile("two", 443)).unwrap();

        let told = update_overrides(&release, &copies).unwrap();
        assert_eq!(told, "1 connection that users have changed was updated.");
        let mine = fs::read_to_string(copies.join("mine.nmconnection")).unwrap();
        assert!(mine.contains("host.example 1194 udp"), "{mine}");
        let other = fs::read_to_string(copies.join("other.nmconnection")).unwrap();
        assert_eq!(other, keyfile("two", 443));
        let again = update_overrides(&release, &copies).unwrap();
        assert_eq!(
            again,
            "No connection that users have changed needed an update."
        );
    }
}
