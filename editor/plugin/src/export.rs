//! A connection becomes a `.ovpn` file.

use aws_client_vpn_libnm::Connection;
use aws_client_vpn_profile::settings::{self, SettingsError};
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use aws_client_vpn_profile_file::file::{self, WriteError};
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::printable::is_control;
use std::path::Path;

/// Why a connection cannot be exported.
#[derive(Debug, thiserror::Error, Localize)]
pub(crate) enum ExportError {
    #[error("This is not an AWS Client VPN connection.")]
    OtherService,
    /// The connection's settings do not make a profile.
    #[error("The connection cannot be exported. {0}")]
    Settings(#[from] SettingsError),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] WriteError),
}

/// Writes the profile of `connection`, with its private key where the host passes it along, to a
/// file at `path` that only its owner may read.
pub(crate) fn export(path: &Path, connection: &Connection) -> Result<(), ExportError> {
    if connection.service_type().as_deref() != Some(SERVICE_TYPE) {
        return Err(ExportError::OtherService);
    }
    let profile = settings::from_settings(&connection.data(), &connection.secrets())?;
    file::write(path, &profile.to_ovpn())?;
    Ok(())
}

/// The connection's name as a file name: no path separators or control characters in it, no dot
/// in front.
pub(crate) fn suggested_filename(id: &str) -> String {
    let name: String = id
        .chars()
        .map(|c| if c == '/' || is_control(c) { '_' } else { c })
        .collect();
    match name.trim().trim_start_matches('.') {
        "" => "AWS Client VPN.ovpn".to_owned(),
        name => format!("{name}.ovpn"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_name_stays_in_its_directory() {
        for (id, name) in [
            ("Company VPN", "Company VPN.ovpn"),
            ("../../etc/passwd", "_.._etc_passwd.ovpn"),
            ("a/b\nc", "a_b_c.ovpn"),
            (" .. ", "AWS Client VPN.ovpn"),
        ] {
            assert_eq!(suggested_filename(id), name);
        }
    }
}
