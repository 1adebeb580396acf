//! A program like nmcli or GNOME Settings: it loads the built library through libnm and calls it
//! through libnm, editors included.
#![expect(unsafe_code, reason = "the host's side of a C interface")]
#![expect(missing_docs, reason = "their names say what they do")]

pub mod display;
pub mod installed;
mod memory;
pub mod scenarios;

pub use memory::resident_kib;

use aws_client_vpn_libnm::connection::VpnProfile;
use aws_client_vpn_libnm::ffi::{NMConnection, NMVpnEditor, NMVpnEditorPlugin};
use aws_client_vpn_libnm::{Connection, VpnEditor, VpnEditorPlugin};
use aws_client_vpn_text::secret::Secret;
use glib::ffi::{GError, gboolean, gpointer};
use glib::prelude::*;
use glib::translate::{ToGlibPtr, from_glib_full, from_glib_none};
use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int};
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::ptr;

pub const SERVICE: &str = "org.freedesktop.NetworkManager.aws-client-vpn";

#[link(name = "nm")]
unsafe extern "C" {
    fn nm_vpn_editor_plugin_load_from_file(
        file: *const c_char,
        service: *const c_char,
        owner: c_int,
        check: Option<unsafe extern "C" fn()>,
        data: gpointer,
        error: *mut *mut GError,
    ) -> *mut NMVpnEditorPlugin;
    fn nm_vpn_editor_plugin_get_capabilities(plugin: *mut NMVpnEditorPlugin) -> u32;
    fn nm_vpn_editor_plugin_import(
        plugin: *mut NMVpnEditorPlugin,
        path: *const c_char,
        error: *mut *mut GError,
    ) -> *mut NMConnection;
    fn nm_vpn_editor_plugin_export(
        plugin: *mut NMVpnEditorPlugin,
        path: *const c_char,
        connection: *mut NMConnection,
        error: *mut *mut GError,
    ) -> gboolean;
    fn nm_vpn_editor_plugin_get_suggested_filename(
        plugin: *mut NMVpnEditorPlugin,
        connection: *mut NMConnection,
    ) -> *mut c_char;
    fn nm_vpn_editor_plugin_get_editor(
        plugin: *mut NMVpnEditorPlugin,
        connection: *mut NMConnection,
        error: *mut *mut GError,
    ) -> *mut NMVpnEditor;
    fn nm_vpn_editor_get_widget(editor: *mut NMVpnEditor) -> *mut glib::gobject_ffi::GObject;
    fn nm_vpn_editor_update_connection(
        editor: *mut NMVpnEditor,
        connection: *mut NMConnection,
        error: *mut *mut GError,
    ) -> gboolean;
    fn nm_connection_get_setting_by_name(
        connection: *mut NMConnection,
        name: *const c_char,
    ) -> *mut glib::gobject_ffi::GObject;
    fn nm_connection_normalize(
        connection: *mut NMConnection,
        parameters: gpointer,
        modified: *mut gboolean,
        error: *mut *mut GError,
    ) -> gboolean;
}

/// The plugin, as a host program holds it.
pub struct Host {
    pub plugin: VpnEditorPlugin,
}

impl Host {
    /// The plugin that cargo built.
    pub fn new() -> Self {
        Self::with(&library())
    }

    /// The plugin at `library`.
    #[must_use]
    pub fn with(library: &Path) -> Self {
        // libnm refuses a library that others may write to, which a developer's umask can make.
        fs::set_permissions(library, Permissions::from_mode(0o755)).expect("own file");
        let (path, service) = (c_path(library), CString::new(SERVICE).expect("no NUL"));
        let plugin = result(|error| {
            // SAFETY: C strings, and an error to write to.
            unsafe {
                nm_vpn_editor_plugin_load_from_file(
                    path.as_ptr(),
                    service.as_ptr(),
                    -1,
                    None,
                    ptr::null_mut(),
                    error,
                )
            }
        })
        .expect("libnm loads the library");
        // SAFETY: libnm returned a new reference.
        Self {
            plugin: unsafe { from_glib_full(plugin) },
        }
    }

    pub fn capabilities(&self) -> u32 {
        // SAFETY: a live plugin.
        unsafe { nm_vpn_editor_plugin_get_capabilities(self.raw()) }
    }

    pub fn import(&self, path: &Path) -> Result<Imported, glib::Error> {
        let path = c_path(path);
        // SAFETY: a live plugin, a C string, an error to write to.
        result(|error| unsafe { nm_vpn_editor_plugin_import(self.raw(), path.as_ptr(), error) })
            .map(Imported)
    }

    /// The call with a null `GError **`: the caller does not want to know why.
    pub fn import_silently(&self, path: &Path) -> bool {
        let path = c_path(path);
        // SAFETY: as above; a null error is allowed.
        let connection =
            unsafe { nm_vpn_editor_plugin_import(self.raw(), path.as_ptr(), ptr::null_mut()) };
        if connection.is_null() {
            return false;
        }
        drop(Imported(connection));
        true
    }

    pub fn export(&self, path: &Path, connection: &Imported) -> Result<(), glib::Error> {
        let path = c_path(path);
        result(|error| {
            // SAFETY: a live plugin and connection, a C string, an error to write to.
            let ok = unsafe {
                nm_vpn_editor_plugin_export(self.raw(), path.as_ptr(), connection.0, error)
            };
            // `result` takes null for failure.
            ptr::without_provenance_mut::<u8>(usize::from(ok != 0))
        })
        .map(|_| ())
    }

    pub fn suggested_filename(&self, connection: &Imported) -> Option<String> {
        // SAFETY: a live plugin and connection; the string is ours and freed with g_free.
        unsafe {
            from_glib_full(nm_vpn_editor_plugin_get_suggested_filename(
                self.raw(),
                connection.0,
            ))
        }
    }

    pub fn editor(&self, connection: &Imported) -> Result<Editor, glib::Error> {
        // SAFETY: a live plugin and connection, an error to write to; what comes back is ours.
        result(|error| unsafe { nm_vpn_editor_plugin_get_editor(self.raw(), connection.0, error) })
            .map(|editor| Editor(unsafe { from_glib_full(editor) }))
    }

    fn raw(&self) -> *mut NMVpnEditorPlugin {
        self.plugin.to_glib_none().0
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

/// An editor that the host got from the plugin.
#[derive(Debug)]
pub struct Editor(VpnEditor);

impl Editor {
    /// The object.
    #[must_use]
    pub fn object(&self) -> &VpnEditor {
        &self.0
    }

    /// The widget, borrowed from the editor as a host does.
    #[must_use]
    pub fn widget(&self) -> Option<glib::Object> {
        // SAFETY: a live editor; the host takes a reference of its own.
        unsafe { from_glib_none(nm_vpn_editor_get_widget(self.0.as_ptr())) }
    }

    /// Puts what was changed into a connection.
    pub fn update(&self, connection: &Imported) -> Result<(), glib::Error> {
        result(|error| {
            // SAFETY: a live editor and connection, an error to write to.
            let ok =
                unsafe { nm_vpn_editor_update_connection(self.0.as_ptr(), connection.0, error) };
            ptr::without_provenance_mut::<u8>(usize::from(ok != 0))
        })
        .map(|_| ())
    }
}

/// A connection that the host got from the plugin.
pub struct Imported(*mut NMConnection);

impl Imported {
    /// A connection made by hand.
    pub fn vpn(id: &str, service_type: &str, data: &BTreeMap<String, String>) -> Self {
        let connection = Connection::vpn(&VpnProfile {
            id,
            // As a host makes a new one: NetworkManager's own defaults.
            service_type,
            timeout: 0,
            persistent: false,
            data,
            secrets: &BTreeMap::<String, Secret>::new(),
        })
        .expect("valid texts");
        Self(connection.into_raw())
    }

    /// The connection through our own reading of libnm.
    pub fn read(&self) -> Connection {
        // SAFETY: a live connection.
        unsafe { Connection::borrowed(self.0) }.expect("a connection")
    }

    pub fn property(&self, setting: &str, property: &str) -> String {
        use glib::prelude::*;
        // SAFETY: a live connection; the setting belongs to it.
        let object: glib::Object = unsafe {
            let name = CString::new(setting).expect("no NUL");
            glib::translate::from_glib_none(nm_connection_get_setting_by_name(
                self.0,
                name.as_ptr(),
            ))
        };
        object.property::<String>(property)
    }

    /// What NetworkManager does when it gets the connection: complete it and judge it.
    pub fn verify(&self) -> Result<(), glib::Error> {
        result(|error| {
            // SAFETY: a live connection, an error to write to.
            let ok = unsafe {
                nm_connection_normalize(self.0, ptr::null_mut(), ptr::null_mut(), error) != 0
            };
            ptr::without_provenance_mut::<u8>(usize::from(ok))
        })
        .map(|_| ())
    }
}

impl Drop for Imported {
    fn drop(&mut self) {
        // SAFETY: the host's reference.
        unsafe { glib::gobject_ffi::g_object_unref(self.0.cast()) };
    }
}

/// The library that cargo built along with this program.
#[must_use]
pub fn library() -> PathBuf {
    installed::find("libnm_vpn_plugin_aws_client_vpn.so").expect("the library")
}

/// A profile as AWS exports it for an endpoint with SAML.
pub fn saml_profile() -> String {
    format!("{}auth-federate\n", certificate_free_profile())
}

pub fn certificate_free_profile() -> String {
    format!(
        "client\ndev tun\nproto udp\n\
         remote cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com 443\n\
         remote-random-hostname\nresolv-retry infinite\nnobind\nremote-cert-tls server\n\
         cipher AES-256-GCM\nverb 3\n<ca>\n{}</ca>\n\nreneg-sec 0\nverify-x509-name server.example name\n",
        ca()
    )
}

pub fn ca() -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n{}\n-----END CERTIFICATE-----\n",
        "MIIB".repeat(16),
        "AQID".repeat(16)
    )
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("no NUL")
}

/// The two ways a C function ends: a pointer, or null and a `GError`; never both or neither.
fn result<T>(call: impl FnOnce(*mut *mut GError) -> *mut T) -> Result<*mut T, glib::Error> {
    let mut error = ptr::null_mut();
    let value = call(&raw mut error);
    assert_ne!(
        value.is_null(),
        error.is_null(),
        "either a value or an error"
    );
    if value.is_null() {
        // SAFETY: set by the callee, owned by us.
        return Err(unsafe { from_glib_full(error) });
    }
    Ok(value)
}
