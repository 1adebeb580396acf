//! The library with the editor for the toolkit of the host.
//!
//! The plugin itself has no toolkit, because programs with GTK 3 and with GTK 4 load it, and a
//! process can hold one of the two only. Each editor is a library of its own beside the plugin; it
//! is opened when a host first wants an editor, and never closed: its GObject classes cannot be
//! taken back.

use crate::connection::Connection;
use crate::editor::VpnEditor;
use crate::editor_plugin::VpnEditorPlugin;
use crate::ffi;
use crate::ffi::{NMConnection, NMVpnEditor, NMVpnEditorPlugin};
use crate::guard::plugin_error;
use glib::ffi::GError;
use glib::translate::{ToGlibPtr, from_glib_full};
use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};
use std::ffi::{CStr, OsStr, c_void};
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

/// The symbol of a library with an editor.
pub const EDITOR_FACTORY: &CStr = c"nm_vpn_editor_factory_aws_client_vpn";

/// What [`EDITOR_FACTORY`] is.
type EditorFactory = unsafe extern "C" fn(
    *mut NMVpnEditorPlugin,
    *mut NMConnection,
    *mut *mut GError,
) -> *mut NMVpnEditor;

/// Exports [`EDITOR_FACTORY`], the only symbol of a library with an editor. `$make` makes the editor
/// of a [`Connection`](crate::Connection).
#[macro_export]
macro_rules! editor_factory {
    ($make:expr) => {
        /// The plugin's way in; the only symbol of the library.
        ///
        /// # Safety
        /// Only the plugin calls this: `connection` is null or a live GObject, `error` is null or
        /// points to a `GError *` that may be written.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn nm_vpn_editor_factory_aws_client_vpn(
            _plugin: *mut $crate::ffi::NMVpnEditorPlugin,
            connection: *mut $crate::ffi::NMConnection,
            error: *mut *mut glib::ffi::GError,
        ) -> *mut $crate::ffi::NMVpnEditor {
            // SAFETY: passed on.
            unsafe { $crate::editor::factory(connection, error, $make) }
        }
    };
}

/// The toolkit of the host program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolkit {
    /// GTK 3: nm-connection-editor.
    Gtk3,
    /// GTK 4: GNOME Settings.
    Gtk4,
}

impl Toolkit {
    /// The toolkit of this program: a function that only GTK 3 has tells, as in the other plugins.
    pub fn of_this_program() -> Self {
        if program_has(c"gtk_container_add") {
            Self::Gtk3
        } else {
            Self::Gtk4
        }
    }

    /// Whether this program has a toolkit, so that it can show an editor.
    pub fn is_in_this_program() -> bool {
        program_has(c"gtk_widget_get_type")
    }

    /// The name of the library with the editor.
    pub fn library_name(self) -> &'static str {
        match self {
            Self::Gtk3 => "libnm-vpn-plugin-aws-client-vpn-editor.so",
            Self::Gtk4 => "libnm-gtk4-vpn-plugin-aws-client-vpn-editor.so",
        }
    }
}

fn program_has(symbol: &CStr) -> bool {
    // SAFETY: the symbol is looked up and not called.
    unsafe { Library::this().get::<*const c_void>(symbol.to_bytes_with_nul()) }.is_ok()
}

/// The directory of the library or program that this code has become part of.
#[must_use]
pub fn own_directory() -> Option<PathBuf> {
    // SAFETY: a struct of pointers and numbers, for which zeros are valid.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    let own = own_directory as *const c_void;
    // SAFETY: any address may be asked for; `found` is writable.
    let is_found = unsafe { libc::dladdr(own, &raw mut found) } != 0;
    if !is_found || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: a C string that lives as long as the library is loaded: as long as this code runs.
    let path = unsafe { CStr::from_ptr(found.dli_fname) };
    Some(
        Path::new(OsStr::from_bytes(path.to_bytes()))
            .parent()?
            .to_owned(),
    )
}

/// A library with an editor, open until the process ends.
#[derive(Clone, Copy, Debug)]
pub struct EditorLibrary(EditorFactory);

impl EditorLibrary {
    /// Opens the library at `path`. `G_FILE_ERROR_NOENT` if there is none: hosts take that for a
    /// package that is not installed.
    pub fn open(path: &Path) -> Result<Self, glib::Error> {
        if !path.is_file() {
            let message = format!("{} is not installed", path.display());
            return Err(glib::Error::new(glib::FileError::Noent, &message));
        }
        let broken = |why: libloading::Error| {
            plugin_error(
                ffi::NM_VPN_PLUGIN_ERROR_FAILED,
                &format!("{} cannot be loaded: {why}", path.display()),
            )
        };
        // SAFETY: what the library does when it is loaded is what Rust's and GTK's libraries do:
        // nothing.
        let library = unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_LOCAL) };
        let library = ManuallyDrop::new(library.map_err(broken)?);
        // SAFETY: the libraries of this project give the symbol this type.
        let factory = unsafe { library.get::<EditorFactory>(EDITOR_FACTORY.to_bytes_with_nul()) };
        Ok(Self(*factory.map_err(broken)?))
    }

    /// An editor for `connection`.
    pub fn editor(
        self,
        plugin: &VpnEditorPlugin,
        connection: &Connection,
    ) -> Result<VpnEditor, glib::Error> {
        let mut error = ptr::null_mut();
        // SAFETY: live objects and an error to write to; what comes back is ours.
        unsafe {
            let editor = (self.0)(plugin.to_glib_none().0, connection.as_raw(), &raw mut error);
            match (editor.is_null(), error.is_null()) {
                (false, _) => Ok(from_glib_full(editor)),
                (true, false) => Err(from_glib_full(error)),
                (true, true) => Err(plugin_error(
                    ffi::NM_VPN_PLUGIN_ERROR_FAILED,
                    "the editor did not say what is wrong",
                )),
            }
        }
    }
}
