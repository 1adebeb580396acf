//! A `.ovpn` file becomes a connection.

use aws_client_vpn_core::message::Worded;
use aws_client_vpn_core::profile::{ParseError, Profile};
use aws_client_vpn_core::secret::Secret;
use aws_client_vpn_core::settings::{
    self, DEFAULT_VPN_TIMEOUT_SECONDS, SAML_RESPONSE, SERVICE_TYPE,
};
use aws_client_vpn_editor_form::file::{self, FileError};
use aws_client_vpn_libnm::Connection;
use aws_client_vpn_libnm::connection::VpnProfile;
use aws_client_vpn_words::{self as words, text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error, Worded)]
pub(crate) enum ImportError {
    /// The file itself cannot be read.
    #[error("cannot read {file}: {reason}", file = path.display())]
    File {
        /// As the user wrote it.
        path: PathBuf,
        /// Why.
        reason: FileError,
    },
    /// It is not a profile that this plugin can use.
    #[error("{file}: {reason}", file = path.display())]
    Profile {
        /// As the user wrote it.
        path: PathBuf,
        /// With line and directive.
        reason: ParseError,
    },
}

/// A profile that was read, as NetworkManager keeps it.
pub(crate) struct Import {
    id: String,
    data: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
    /// What the profile says and the connection leaves out.
    pub(crate) notes: Vec<String>,
}

impl Import {
    /// The connection, ready to be given to NetworkManager.
    pub(crate) fn connection(&self) -> Result<Connection, glib::Error> {
        Connection::vpn(&VpnProfile {
            id: &self.id,
            service_type: SERVICE_TYPE,
            timeout: DEFAULT_VPN_TIMEOUT_SECONDS,
            data: &self.data,
            secrets: &self.secrets,
        })
    }
}

/// Reads the profile at `path`; files it refers to are read beside it, as the importing user, and
/// kept in the connection: nothing is read when it connects.
pub(crate) fn import(path: &Path) -> Result<Import, ImportError> {
    let text = file::read(path).map_err(|reason| ImportError::File {
        path: path.to_owned(),
        reason,
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut read_file = |name: &str| {
        file::read_octets(&folder.join(name)).map_err(|reason| {
            text!(
                "cannot read '{name}': {reason}",
                name = name,
                reason = words::of(&reason)
            )
        })
    };
    let imported =
        Profile::parse(&text, &mut read_file).map_err(|reason| ImportError::Profile {
            path: path.to_owned(),
            reason,
        })?;

    let mut data = settings::to_data(&imported.profile);
    // Asked from the user's session at each login, and kept nowhere: agent-owned and not saved.
    data.insert(format!("{SAML_RESPONSE}-flags"), "3".to_owned());
    Ok(Import {
        id: connection_id(path),
        data,
        secrets: settings::to_secrets(&imported.profile),
        notes: imported.notes.iter().map(ToString::to_string).collect(),
    })
}

/// The file's name without its ending: what the user will see in the list of VPNs.
fn connection_id(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.trim();
    if stem.is_empty() {
        "AWS Client VPN".to_owned()
    } else {
        stem.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_called_as_its_file() {
        for (path, id) in [
            ("/home/u/Company VPN.ovpn", "Company VPN"),
            ("downloaded-client-config.ovpn", "downloaded-client-config"),
            ("a.b.ovpn", "a.b"),
            ("no-ending", "no-ending"),
            ("/tmp/ .ovpn", "AWS Client VPN"),
        ] {
            assert_eq!(connection_id(Path::new(path)), id);
        }
    }
}
