//! The editor in GTK 4, for GNOME Settings.
//!
//! What the page shows and checks is decided in `editor/form`; here are only the widgets. The
//! library is opened by the plugin, inside a program that has GTK 4 already.

mod page;
mod row;

use aws_client_vpn_editor_form::{Editor, Page};
use aws_client_vpn_libnm::{Connection, editor, ffi, guard::plugin_error};
use page::PageWidgets;

/// The plugin's way in; the only symbol of the library.
///
/// # Safety
/// For the plugin only: `connection` is null or a live GObject, `error` is null or points to a
/// `GError *` that may be written.
#[expect(unsafe_code, reason = "a C entry point")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nm_vpn_editor_factory_aws_client_vpn(
    _plugin: *mut ffi::NMVpnEditorPlugin,
    connection: *mut ffi::NMConnection,
    error: *mut *mut glib::ffi::GError,
) -> *mut ffi::NMVpnEditor {
    // SAFETY: passed on.
    unsafe { editor::factory(connection, error, new_editor) }
}

fn new_editor(connection: &Connection) -> Result<Editor, glib::Error> {
    // The host has done it for itself; this lets the bindings know.
    gtk4::init()
        .map_err(|error| plugin_error(ffi::NM_VPN_PLUGIN_ERROR_FAILED, &error.to_string()))?;
    Ok(Editor::new(connection, |form| {
        Page::new(form, PageWidgets::new)
    }))
}
