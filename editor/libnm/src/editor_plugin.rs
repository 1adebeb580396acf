//! libnm's interface `NMVpnEditorPlugin`, to be implemented in safe Rust.

use crate::connection::Connection;
use crate::editor::VpnEditor;
use crate::ffi;
use crate::guard::{guarded, guarded_silently, implementation, plugin_error};
use glib::ffi::{GError, gboolean};
use glib::prelude::*;
use glib::subclass::prelude::*;
use glib::translate::{IntoGlib, IntoGlibPtr, ToGlibPtr};
use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

glib::wrapper! {
    /// An object that libnm can ask to import and export profiles and to make an editor.
    pub struct VpnEditorPlugin(Interface<ffi::NMVpnEditorPlugin, ffi::NMVpnEditorPluginInterface>);

    match fn {
        type_ => || ffi::nm_vpn_editor_plugin_get_type(),
    }
}

/// What each plugin can do, as libnm's bit mask.
const CAPABILITIES: u32 = ffi::NM_VPN_EDITOR_PLUGIN_CAPABILITY_IMPORT
    | ffi::NM_VPN_EDITOR_PLUGIN_CAPABILITY_EXPORT
    | ffi::NM_VPN_EDITOR_PLUGIN_CAPABILITY_IPV6;

/// What a plugin does. Its class also overrides the interface's properties `name`,
/// `description` and `service`.
///
/// A panic in any of these is caught and reported to the host as an error.
pub trait VpnEditorPluginImpl: ObjectImpl {
    /// An editor page for `connection`. `G_FILE_ERROR_NOENT` where none for the host's toolkit is
    /// installed: hosts take this as "the client's package is missing", not as a fault.
    fn editor(&self, connection: &Connection) -> Result<VpnEditor, glib::Error>;

    /// Reads the file at `path` into a new connection. Hosts try each plugin in turn, so a file
    /// that is not the plugin's own is declined at once.
    fn import(&self, path: &Path) -> Result<Connection, glib::Error>;

    /// Writes `connection` to a file at `path`.
    fn export(&self, path: &Path, connection: &Connection) -> Result<(), glib::Error>;

    /// A name, without a directory, for the file that [`export`](Self::export) would write.
    fn suggested_filename(&self, connection: &Connection) -> Option<String>;
}

// SAFETY: each vtable entry below has the signature of its slot, accepts what libnm passes, and
// lets no panic out. The interface struct is `#[repr(C)]` and as large as C's (`tests/abi.rs`).
unsafe impl<T: VpnEditorPluginImpl> IsImplementable<T> for VpnEditorPlugin {
    fn interface_init(interface: &mut glib::Interface<Self>) {
        let interface = interface.as_mut();
        interface.get_editor = Some(editor::<T>);
        interface.get_capabilities = Some(capabilities);
        interface.import_from_file = Some(import::<T>);
        interface.export_to_file = Some(export::<T>);
        interface.get_suggested_filename = Some(suggested_filename::<T>);
    }
}

/// The factory that libnm calls: a new plugin object, owned by the caller, or null and `error`.
///
/// # Safety
/// `error` is null or points to a `GError *` that may be written. Call it as libnm calls
/// `nm_vpn_editor_plugin_factory`.
pub unsafe fn factory<P: IsA<VpnEditorPlugin> + IsA<glib::Object>>(
    error: *mut *mut GError,
    make: impl FnOnce() -> P,
) -> *mut ffi::NMVpnEditorPlugin {
    // SAFETY: passed on.
    unsafe {
        guarded(error, ptr::null_mut(), || {
            Ok(make().upcast::<VpnEditorPlugin>().into_glib_ptr())
        })
    }
}

unsafe extern "C" fn capabilities(_plugin: *mut ffi::NMVpnEditorPlugin) -> u32 {
    CAPABILITIES
}

unsafe extern "C" fn editor<T: VpnEditorPluginImpl>(
    plugin: *mut ffi::NMVpnEditorPlugin,
    connection: *mut ffi::NMConnection,
    error: *mut *mut GError,
) -> *mut ffi::NMVpnEditor {
    // SAFETY: libnm passes an instance of T's class, its caller a connection and an error or null.
    unsafe {
        guarded(error, ptr::null_mut(), || {
            let connection = Connection::borrowed(connection)?;
            let editor = implementation::<T>(plugin.cast()).editor(&connection)?;
            Ok(editor.into_glib_ptr())
        })
    }
}

unsafe extern "C" fn import<T: VpnEditorPluginImpl>(
    plugin: *mut ffi::NMVpnEditorPlugin,
    path: *const c_char,
    error: *mut *mut GError,
) -> *mut ffi::NMConnection {
    // SAFETY: as for `editor`; `path` is a C string or null.
    unsafe {
        guarded(error, ptr::null_mut(), || {
            Ok(implementation::<T>(plugin.cast())
                .import(path_from_c(path)?)?
                .into_raw())
        })
    }
}

unsafe extern "C" fn export<T: VpnEditorPluginImpl>(
    plugin: *mut ffi::NMVpnEditorPlugin,
    path: *const c_char,
    connection: *mut ffi::NMConnection,
    error: *mut *mut GError,
) -> gboolean {
    // SAFETY: as for `import`.
    unsafe {
        guarded(error, false.into_glib(), || {
            let connection = Connection::borrowed(connection)?;
            implementation::<T>(plugin.cast()).export(path_from_c(path)?, &connection)?;
            Ok(true.into_glib())
        })
    }
}

unsafe extern "C" fn suggested_filename<T: VpnEditorPluginImpl>(
    plugin: *mut ffi::NMVpnEditorPlugin,
    connection: *mut ffi::NMConnection,
) -> *mut c_char {
    guarded_silently(ptr::null_mut(), || {
        // SAFETY: as for `editor`.
        let (plugin, connection) = unsafe {
            (
                implementation::<T>(plugin.cast()),
                Connection::borrowed(connection),
            )
        };
        let name = connection
            .ok()
            .and_then(|connection| plugin.suggested_filename(&connection));
        // The caller frees it with g_free: this copies with g_strdup.
        name.map_or(ptr::null_mut(), |name| {
            name.replace('\0', "").to_glib_full()
        })
    })
}

/// # Safety
/// `path` is null or a C string that outlives the call.
unsafe fn path_from_c<'a>(path: *const c_char) -> Result<&'a Path, glib::Error> {
    if path.is_null() {
        return Err(plugin_error(
            ffi::NM_VPN_PLUGIN_ERROR_BAD_ARGUMENTS,
            "no file was named",
        ));
    }
    // SAFETY: not null, and by this function's contract a C string.
    let path = unsafe { CStr::from_ptr(path) };
    Ok(Path::new(OsStr::from_bytes(path.to_bytes())))
}
