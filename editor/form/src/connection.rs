//! Between a page and the connection of its host.

use crate::form::Form;
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_libnm::connection::VpnChanges;
use aws_client_vpn_libnm::guard::plugin_error;
use aws_client_vpn_libnm::{Connection, ffi};
use aws_client_vpn_profile::well_known::SERVICE_TYPE;

/// The page of a connection.
#[must_use]
pub fn open(connection: &Connection) -> Form {
    Form::new(connection.data(), connection.secrets())
}

/// Puts what was changed on the page into a connection: all of it, or nothing. Else an error that
/// names the field that is wrong.
pub fn save(form: &Form, connection: &Connection) -> Result<(), glib::Error> {
    let changes = form.changes().map_err(|(field, problem)| {
        let label = i18n::translate(field.label()).replace('_', "");
        let problem = i18n::localize(&problem);
        plugin_error(
            ffi::NM_VPN_PLUGIN_ERROR_INVALID_CONNECTION,
            // TRANSLATORS: {field} is the label of a field, {problem} a sentence.
            &gettext!("{field}: {problem}", field = label, problem = problem),
        )
    })?;
    connection.change_vpn(&VpnChanges {
        service_type: SERVICE_TYPE,
        timeout: changes.timeout(connection.timeout()),
        // One that the host has just made; an older one's is its user's choice.
        persistent: connection.data().is_empty().then_some(true),
        data: &changes.data,
        secrets: &changes.secrets,
    })
}
