//! Profiles as files: what the libnm plugin, the editors and the importer read and write.
//!
//! They are read as the user who names them, when they import, and never again: what is read is
//! kept in the connection.

pub mod file;

use crate::file::FileError;
use aws_client_vpn_i18n::{self as i18n, text};
use aws_client_vpn_profile::ovpn::Imported;
use aws_client_vpn_profile::problem::ParseError;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_text::message::Worded;
use std::path::{Path, PathBuf};

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error, Worded)]
pub enum ImportError {
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

/// Reads the profile at `path`; files it refers to are read beside it.
///
/// # Errors
/// [`ImportError`]
pub fn read(path: &Path) -> Result<Imported, ImportError> {
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
                reason = i18n::of(&reason)
            )
        })
    };
    Profile::parse(&text, &mut read_file).map_err(|reason| ImportError::Profile {
        path: path.to_owned(),
        reason,
    })
}

/// The file's name without its ending: what the user will see in the list of VPNs.
#[must_use]
pub fn connection_name(path: &Path) -> String {
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
        for (path, name) in [
            ("/home/u/Company VPN.ovpn", "Company VPN"),
            ("downloaded-client-config.ovpn", "downloaded-client-config"),
            ("a.b.ovpn", "a.b"),
            ("no-ending", "no-ending"),
            ("/tmp/ .ovpn", "AWS Client VPN"),
        ] {
            assert_eq!(connection_name(Path::new(path)), name);
        }
    }
}
