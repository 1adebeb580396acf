//! libnm's C declarations, as far as a VPN plugin needs them.
//!
//! Written by hand from `nm-vpn-editor-plugin.h`, `nm-vpn-editor.h`, `nm-connection.h` and
//! `nm-setting-vpn.h` of libnm 1.42, whose ABI has not changed since 1.4. Names are C's.
#![expect(missing_docs, reason = "libnm's reference manual documents them")]

use glib::ffi::{GError, GQuark, GType, gboolean, gpointer};
use glib::gobject_ffi::{GObject, GTypeInterface};
use std::ffi::{c_char, c_void};

/// Import of a file works.
pub const NM_VPN_EDITOR_PLUGIN_CAPABILITY_IMPORT: u32 = 1;
/// Export to a file works.
pub const NM_VPN_EDITOR_PLUGIN_CAPABILITY_EXPORT: u32 = 2;
/// The VPN can carry IPv6.
pub const NM_VPN_EDITOR_PLUGIN_CAPABILITY_IPV6: u32 = 4;

/// `NMVpnPluginError`: unclassified.
pub const NM_VPN_PLUGIN_ERROR_FAILED: i32 = 0;
/// `NMVpnPluginError`: an argument (here: the file) is not what it should be.
pub const NM_VPN_PLUGIN_ERROR_BAD_ARGUMENTS: i32 = 6;
/// `NMVpnPluginError`: the connection's settings do not make a usable VPN.
pub const NM_VPN_PLUGIN_ERROR_INVALID_CONNECTION: i32 = 8;

macro_rules! opaque {
    ($($name:ident)*) => {$(
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
        }
    )*};
}

opaque! {
    NMConnection NMSetting NMSettingConnection NMSettingVpn
    NMVpnEditor NMVpnEditorPlugin NMVpnEditorPluginVT NMVpnPluginInfo
}

pub type NMVpnIterFunc =
    unsafe extern "C" fn(key: *const c_char, value: *const c_char, user_data: gpointer);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct NMVpnEditorPluginInterface {
    pub g_iface: GTypeInterface,
    pub get_editor: Option<
        unsafe extern "C" fn(
            *mut NMVpnEditorPlugin,
            *mut NMConnection,
            *mut *mut GError,
        ) -> *mut NMVpnEditor,
    >,
    pub get_capabilities: Option<unsafe extern "C" fn(*mut NMVpnEditorPlugin) -> u32>,
    pub import_from_file: Option<
        unsafe extern "C" fn(
            *mut NMVpnEditorPlugin,
            *const c_char,
            *mut *mut GError,
        ) -> *mut NMConnection,
    >,
    pub export_to_file: Option<
        unsafe extern "C" fn(
            *mut NMVpnEditorPlugin,
            *const c_char,
            *mut NMConnection,
            *mut *mut GError,
        ) -> gboolean,
    >,
    pub get_suggested_filename:
        Option<unsafe extern "C" fn(*mut NMVpnEditorPlugin, *mut NMConnection) -> *mut c_char>,
    pub notify_plugin_info_set:
        Option<unsafe extern "C" fn(*mut NMVpnEditorPlugin, *mut NMVpnPluginInfo)>,
    pub get_vt: Option<
        unsafe extern "C" fn(*mut NMVpnEditorPlugin, *mut usize) -> *const NMVpnEditorPluginVT,
    >,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct NMVpnEditorInterface {
    pub g_iface: GTypeInterface,
    pub get_widget: Option<unsafe extern "C" fn(*mut NMVpnEditor) -> *mut GObject>,
    pub placeholder: Option<unsafe extern "C" fn()>,
    pub update_connection: Option<
        unsafe extern "C" fn(*mut NMVpnEditor, *mut NMConnection, *mut *mut GError) -> gboolean,
    >,
    pub changed: Option<unsafe extern "C" fn(*mut NMVpnEditor)>,
}

#[link(name = "nm")]
unsafe extern "C" {
    pub fn nm_vpn_editor_plugin_get_type() -> GType;
    pub fn nm_vpn_editor_get_type() -> GType;
    pub fn nm_vpn_plugin_error_quark() -> GQuark;

    pub fn nm_connection_get_type() -> GType;
    pub fn nm_simple_connection_new() -> *mut NMConnection;
    pub fn nm_connection_add_setting(connection: *mut NMConnection, setting: *mut NMSetting);
    pub fn nm_connection_get_id(connection: *mut NMConnection) -> *const c_char;
    pub fn nm_connection_get_setting_vpn(connection: *mut NMConnection) -> *mut NMSettingVpn;

    pub fn nm_setting_connection_new() -> *mut NMSetting;
    pub fn nm_setting_ip4_config_new() -> *mut NMSetting;
    pub fn nm_setting_ip6_config_new() -> *mut NMSetting;

    pub fn nm_setting_duplicate(setting: *mut NMSetting) -> *mut NMSetting;

    pub fn nm_setting_vpn_new() -> *mut NMSetting;
    pub fn nm_setting_vpn_get_service_type(setting: *mut NMSettingVpn) -> *const c_char;
    pub fn nm_setting_vpn_get_timeout(setting: *mut NMSettingVpn) -> u32;
    pub fn nm_setting_vpn_get_persistent(setting: *mut NMSettingVpn) -> gboolean;
    pub fn nm_setting_vpn_add_data_item(
        setting: *mut NMSettingVpn,
        key: *const c_char,
        item: *const c_char,
    );
    pub fn nm_setting_vpn_remove_data_item(
        setting: *mut NMSettingVpn,
        key: *const c_char,
    ) -> gboolean;
    pub fn nm_setting_vpn_foreach_data_item(
        setting: *mut NMSettingVpn,
        func: NMVpnIterFunc,
        user_data: *mut c_void,
    );
    pub fn nm_setting_vpn_add_secret(
        setting: *mut NMSettingVpn,
        key: *const c_char,
        secret: *const c_char,
    );
    pub fn nm_setting_vpn_remove_secret(setting: *mut NMSettingVpn, key: *const c_char)
    -> gboolean;
    pub fn nm_setting_vpn_foreach_secret(
        setting: *mut NMSettingVpn,
        func: NMVpnIterFunc,
        user_data: *mut c_void,
    );
}
