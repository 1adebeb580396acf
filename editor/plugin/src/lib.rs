//! What nmcli and the settings programs load to import and export AWS Client VPN profiles.
//!
//! It runs inside other people's programs, as their user: it reads and writes the file that the
//! user named and nothing else, starts no thread, links no toolkit (programs with GTK 3 and with
//! GTK 4 load this same library, which opens the editor for theirs), and prints nothing. What a profile means is decided in `core`.

mod export;
mod import;

use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_libnm::{
    Connection, EditorLibrary, Toolkit, VpnEditor, VpnEditorPlugin, VpnEditorPluginImpl,
    editor_plugin, ffi, guard::plugin_error, library,
};
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use glib::prelude::*;
use glib::subclass::prelude::*;
use std::path::Path;
use std::sync::OnceLock;

/// The domain of the plugin's messages: `G_MESSAGES_DEBUG=nm-aws-client-vpn` shows what an import
/// left out.
const LOG_DOMAIN: &str = "nm-aws-client-vpn";

/// libnm's way in; the only symbol of the library.
///
/// # Safety
/// Only libnm calls this: `error` is null or points to a `GError *` that may be written.
#[expect(unsafe_code, reason = "a C entry point")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nm_vpn_editor_plugin_factory(
    error: *mut *mut glib::ffi::GError,
) -> *mut ffi::NMVpnEditorPlugin {
    i18n::init_library();
    // SAFETY: passed on.
    unsafe { editor_plugin::factory(error, glib::Object::new::<Plugin>) }
}

glib::wrapper! {
    /// The plugin object.
    struct Plugin(ObjectSubclass<PluginClass>) @implements VpnEditorPlugin;
}

/// The plugin's class; it has no state.
#[derive(Default)]
struct PluginClass;

#[glib::object_subclass]
impl ObjectSubclass for PluginClass {
    const NAME: &'static str = "AwsClientVpnEditorPlugin";
    type Type = Plugin;
    type Interfaces = (VpnEditorPlugin,);
}

impl ObjectImpl for PluginClass {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: OnceLock<Vec<glib::ParamSpec>> = OnceLock::new();
        PROPERTIES.get_or_init(|| {
            ["name", "description", "service"]
                .map(glib::ParamSpecOverride::for_interface::<VpnEditorPlugin>)
                .into()
        })
    }

    fn property(&self, _id: usize, property: &glib::ParamSpec) -> glib::Value {
        match property.name() {
            "name" => "AWS Client VPN".to_value(),
            "description" => {
                gettext!("Endpoints of AWS Client VPN, with single sign-on in the browser.")
                    .to_value()
            }
            "service" => SERVICE_TYPE.to_value(),
            // A panic here would end the host; an empty text does not.
            _ => "".to_value(),
        }
    }
}

/// The library with the editor for this program's toolkit, beside this one; opened once.
fn editor_library() -> Result<EditorLibrary, glib::Error> {
    static LIBRARY: OnceLock<EditorLibrary> = OnceLock::new();
    if let Some(library) = LIBRARY.get() {
        return Ok(*library);
    }
    let not_installed = || {
        glib::Error::new(
            glib::FileError::Noent,
            &gettext!(
                "No editor for AWS Client VPN is installed. Use nmcli to import, change and export \
                 these connections."
            ),
        )
    };
    let directory = library::own_directory().ok_or_else(not_installed)?;
    let path = directory.join(Toolkit::of_this_program().library_name());
    let opened = EditorLibrary::open(&path).map_err(|error| {
        if error.matches(glib::FileError::Noent) {
            not_installed()
        } else {
            error
        }
    })?;
    Ok(*LIBRARY.get_or_init(|| opened))
}

/// A reason as hosts show it, who put a full stop behind it themselves.
fn clause(text: &str) -> &str {
    text.strip_suffix('.').unwrap_or(text)
}

impl VpnEditorPluginImpl for PluginClass {
    fn editor(&self, connection: &Connection) -> Result<VpnEditor, glib::Error> {
        let plugin = self.obj();
        editor_library()?.editor(plugin.upcast_ref(), connection)
    }

    fn import(&self, path: &Path) -> Result<Connection, glib::Error> {
        let imported = import::import(path, Toolkit::is_in_this_program()).map_err(|error| {
            let text = i18n::localize(error.reason());
            plugin_error(ffi::NM_VPN_PLUGIN_ERROR_BAD_ARGUMENTS, clause(&text))
        })?;
        for warning in &imported.warnings {
            glib::g_info!(LOG_DOMAIN, "{}: {warning}", path.display());
        }
        imported.connection()
    }

    fn export(&self, path: &Path, connection: &Connection) -> Result<(), glib::Error> {
        export::export(path, connection).map_err(|error| {
            let text = i18n::localize(&error);
            plugin_error(ffi::NM_VPN_PLUGIN_ERROR_INVALID_CONNECTION, clause(&text))
        })
    }

    fn suggested_filename(&self, connection: &Connection) -> Option<String> {
        connection.id().map(|id| export::suggested_filename(&id))
    }
}
