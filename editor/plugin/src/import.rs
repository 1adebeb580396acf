//! A `.ovpn` file becomes a connection.

use aws_client_vpn_libnm::Connection;
use aws_client_vpn_libnm::connection::VpnProfile;
use aws_client_vpn_profile::keys::{DEFAULT_VPN_TIMEOUT_SECONDS, SAML_RESPONSE};
use aws_client_vpn_profile::ovpn::ParsedProfile;
use aws_client_vpn_profile::problem::Warning;
use aws_client_vpn_profile::settings;
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use aws_client_vpn_profile_file::{self as profile_file, ImportError};
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::path::Path;

/// A profile that was read, as NetworkManager keeps it.
pub(crate) struct Import {
    id: String,
    data: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
    /// What the profile says and the connection leaves out.
    pub(crate) warnings: Vec<String>,
}

impl Import {
    /// The connection, ready to be given to NetworkManager.
    pub(crate) fn connection(&self) -> Result<Connection, glib::Error> {
        Connection::vpn(&VpnProfile {
            id: &self.id,
            service_type: SERVICE_TYPE,
            timeout: DEFAULT_VPN_TIMEOUT_SECONDS,
            persistent: true,
            data: &self.data,
            secrets: &self.secrets,
        })
    }
}

/// Reads the profile at `path`; files it refers to are read beside it, as the importing user, and
/// kept in the connection: nothing is read when it connects.
///
/// A profile without its client certificate is a connection only for a program that opens an editor
/// next, as those with a toolkit do: there the certificate is chosen. `nmcli` would add it as it is.
pub(crate) fn import(path: &Path, an_editor_follows: bool) -> Result<Import, ImportError> {
    let (mut data, secrets, warnings) = match profile_file::read(path) {
        Ok(imported) => settled(&imported),
        Err(ImportError::NoCertificate { reason, .. }) if an_editor_follows => {
            match reason.with_what_is_beside() {
                Some(imported) => settled(&imported),
                None => {
                    let warnings = reason.profile.warnings().to_vec();
                    (reason.profile.to_data(), BTreeMap::new(), warnings)
                }
            }
        }
        Err(error) => return Err(error),
    };
    // Asked from the user's session at each login, and kept nowhere: agent-owned and not saved.
    data.insert(format!("{SAML_RESPONSE}-flags"), "3".to_owned());
    Ok(Import {
        id: profile_file::connection_name(path),
        data,
        secrets,
        warnings: warnings.iter().map(ToString::to_string).collect(),
    })
}

type Settled = (
    BTreeMap<String, String>,
    BTreeMap<String, Secret>,
    Vec<Warning>,
);

fn settled(imported: &ParsedProfile) -> Settled {
    let data = settings::to_data(&imported.profile);
    let secrets = settings::to_secrets(&imported.profile);
    (data, secrets, imported.warnings.clone())
}
