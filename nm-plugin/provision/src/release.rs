//! One release of a connection: read from a profile, or brought to the copies that users have changed.

use crate::command_line::Make;
use aws_client_vpn_i18n::{gettext, ngettext};
use aws_client_vpn_profile::keyfile::{
    Identity, KeyfileError, UpdateError, bring_up_to, name_of, to_keyfile, uuid_of,
};
use aws_client_vpn_profile_file::file::{self, WriteError};
use aws_client_vpn_profile_file::{self as profile_file, ImportError};
use aws_client_vpn_text::message::Localize;
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
        slug: slug(&name, &identity.uuid),
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

/// A name as packages may have it: small letters, digits, single dashes. What they may not have of it
/// could be all that tells two connections apart; then the first digits of `uuid` do.
fn slug(name: &str, uuid: &str) -> String {
    let ascii = name.replace(|character: char| !character.is_ascii_alphanumeric(), " ");
    let mut words: Vec<_> = ascii
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() {
        words.push("connection".to_owned());
    }
    if !name.is_ascii() {
        words.extend(uuid.split('-').next().map(ToOwned::to_owned));
    }
    words.join("-")
}

/// Brings the copies in a directory up to a release; each is replaced as a whole, or left alone. Says
/// also what else is there that hides the release, or is taken for it.
pub(crate) fn update_overrides(release: &Path, overrides: &Path) -> Result<String, ProvisionError> {
    let text = Zeroizing::new(fs::read_to_string(release).map_err(ProvisionError::file(release))?);
    let (uuid, name) = (uuid_of(&text), name_of(&text));
    let entries = match fs::read_dir(overrides) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(told(0)),
        Err(error) => return Err(ProvisionError::file(overrides)(error)),
    };
    let mut updated = 0;
    let mut others = Vec::new();
    let paths = entries.flatten().map(|entry| entry.path());
    for path in paths.filter(|it| it.extension().is_some_and(|it| it == "nmconnection")) {
        let Ok(copy) = fs::read_to_string(&path).map(Zeroizing::new) else {
            continue;
        };
        let its = uuid_of(&copy);
        if uuid.is_none() || its != uuid {
            others.extend(its.filter(|_| name.is_some() && name_of(&copy) == name));
            continue;
        }
        let new = bring_up_to(&copy, &text).map_err(|reason| ProvisionError::Update {
            file: path.clone(),
            reason,
        })?;
        if let Some(new) = new {
            // A link is replaced, as NetworkManager does.
            let replaced = file::replace(&path, new.as_bytes(), 0o600);
            replaced.map_err(|reason| WriteError { path, reason })?;
            updated += 1;
        }
    }
    let mut lines = vec![told(updated)];
    if let (Some(name), Some(uuid)) = (&name, &uuid) {
        lines.extend(others.iter().map(|other| {
            gettext!(
                "There is another connection called '{name}' on this computer. If it is an earlier version of \
                 this one, delete it: nmcli connection delete {other}",
                name = name,
                other = other
            )
        }));
        let deleted = overrides.join(format!("{uuid}.nmmeta"));
        if fs::read_link(&deleted).is_ok_and(|target| target == Path::new("/dev/null")) {
            lines.push(gettext!(
                "Somebody has deleted '{name}' on this computer, so it stays hidden. To bring it back: \
                 rm {file} && nmcli connection reload",
                name = name,
                file = deleted.display()
            ));
        }
    }
    Ok(lines.join("\n"))
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
            ("Zürich", "z-rich-5a1f0000"),
            ("会社", "connection-5a1f0000"),
            ("!", "connection"),
        ] {
            let uuid = "5a1f0000-0000-5000-8000-000000000000";
            assert_eq!(slug(name, uuid), expected);
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
                "[connection]\nid={uuid}\nuuid={uuid}\ntype=vpn\n\n[vpn]\n\
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

    #[test]
    fn what_hides_a_release_or_is_taken_for_it_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let keyfile = |uuid: &str, id: &str, service: &str| {
            format!(
                "[connection]\nid={id}\nuuid={uuid}\ntype=vpn\n\n[vpn]\n\
                 service-type=org.freedesktop.NetworkManager.{service}\n"
            )
        };
        let release = directory.path().join("release");
        fs::write(&release, keyfile("one", "Work", "aws-client-vpn")).unwrap();
        let told = || {
            let told = update_overrides(&release, directory.path()).unwrap();
            told.lines()
                .skip(1)
                .map(ToOwned::to_owned)
                .collect::<Vec<_>>()
        };
        for (file, uuid, id, service) in [
            ("a", "two", "Work", "openvpn"),
            ("b", "three", "Home", "aws-client-vpn"),
        ] {
            let file = directory.path().join(file).with_extension("nmconnection");
            fs::write(file, keyfile(uuid, id, service)).unwrap();
        }
        // Any other of these files says something else.
        let deleted = directory.path().join("one.nmmeta");
        std::os::unix::fs::symlink("/elsewhere", &deleted).unwrap();
        assert_eq!(told(), [""; 0]);

        fs::remove_file(&deleted).unwrap();
        std::os::unix::fs::symlink("/dev/null", &deleted).unwrap();
        for uuid in ["four", "five"] {
            let file = directory.path().join(uuid).with_extension("nmconnection");
            fs::write(file, keyfile(uuid, "Work", "aws-client-vpn")).unwrap();
        }
        let mut both = told();
        assert!(both[0] != both[1] && both.remove(1).contains("nmcli connection delete f"));
        fs::remove_file(directory.path().join("five.nmconnection")).unwrap();
        assert_eq!(
            told(),
            [
                "There is another connection called 'Work' on this computer. If it is an earlier \
                 version of this one, delete it: nmcli connection delete four"
                    .to_owned(),
                format!(
                    "Somebody has deleted 'Work' on this computer, so it stays hidden. To bring it back: \
                     rm {} && nmcli connection reload",
                    deleted.display()
                ),
            ]
        );
    }
}
