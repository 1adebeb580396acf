//! The parts of an `NMConnection` that a VPN plugin reads and writes.

use crate::ffi;
use crate::guard::plugin_error;
use aws_client_vpn_text::secret::Secret;
use glib::ffi::gpointer;
use glib::prelude::*;
use glib::translate::from_glib_none;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;
use zeroize::Zeroizing;

/// A connection of NetworkManager: a profile, held by a counted reference.
///
/// A connection belongs to the thread it came from, like every object of the host.
pub struct Connection(NonNull<ffi::NMConnection>);

/// What a new VPN connection consists of.
pub struct VpnProfile<'a> {
    /// `connection.id`: the name a user sees.
    pub id: &'a str,
    /// `vpn.service-type`.
    pub service_type: &'a str,
    /// `vpn.timeout`, seconds.
    pub timeout: u32,
    /// `vpn.persistent`.
    pub persistent: bool,
    /// `vpn.data`; an empty value means that there is none.
    pub data: &'a BTreeMap<String, String>,
    /// `vpn.secrets`.
    pub secrets: &'a BTreeMap<String, Secret>,
}

/// What an editor changes in a VPN connection; all else of it stays as it is.
pub struct VpnChanges<'a> {
    /// `vpn.service-type`.
    pub service_type: &'a str,
    /// `vpn.timeout`, seconds; `None` leaves it.
    pub timeout: Option<u32>,
    /// `vpn.persistent`; `None` leaves it.
    pub persistent: Option<bool>,
    /// Items of `vpn.data`: a new value, or `None` for an item that goes.
    pub data: &'a BTreeMap<String, Option<String>>,
    /// Likewise of `vpn.secrets`.
    pub secrets: &'a BTreeMap<String, Option<Secret>>,
}

impl Connection {
    /// A VPN connection whose addresses, routes and name servers come from the VPN. Fails if a text
    /// holds a NUL, which NetworkManager cannot store.
    pub fn vpn(profile: &VpnProfile<'_>) -> Result<Self, glib::Error> {
        // SAFETY: a new object, owned by us.
        let raw = unsafe { ffi::nm_simple_connection_new() };
        let connection = Self(NonNull::new(raw).ok_or_else(|| invalid("out of memory"))?);

        // SAFETY: each constructor returns a new setting that `add` gives to the connection.
        unsafe {
            connection.add(ffi::nm_setting_connection_new(), &[("id", &profile.id)])?;
            connection.add(ffi::nm_setting_ip4_config_new(), &[("method", &"auto")])?;
            connection.add(ffi::nm_setting_ip6_config_new(), &[("method", &"auto")])?;
        }

        connection.change_vpn(&VpnChanges {
            service_type: profile.service_type,
            timeout: Some(profile.timeout),
            persistent: Some(profile.persistent),
            data: &all_of(profile.data),
            secrets: &all_of(profile.secrets),
        })?;
        Ok(connection)
    }

    /// `connection.id`: the name a user sees.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        // SAFETY: a live connection; the string is copied before anything can change it.
        unsafe { text(ffi::nm_connection_get_id(self.0.as_ptr())) }
    }

    /// `vpn.service-type`; `None` if this is no VPN.
    #[must_use]
    pub fn service_type(&self) -> Option<String> {
        let setting = self.setting_vpn()?;
        // SAFETY: a live setting; the string is copied before anything can change it.
        unsafe { text(ffi::nm_setting_vpn_get_service_type(setting)) }
    }

    /// `vpn.timeout`, seconds; 0 is NetworkManager's default of 60.
    pub fn timeout(&self) -> u32 {
        // SAFETY: a live setting.
        self.setting_vpn().map_or(0, |setting| unsafe {
            ffi::nm_setting_vpn_get_timeout(setting)
        })
    }

    /// `vpn.persistent`: whether it outlives the network that it was begun on.
    pub fn is_persistent(&self) -> bool {
        // SAFETY: a live setting.
        self.setting_vpn().is_some_and(|setting| unsafe {
            ffi::nm_setting_vpn_get_persistent(setting) != glib::ffi::GFALSE
        })
    }

    /// `vpn.data`; empty if this is no VPN.
    #[must_use]
    pub fn data(&self) -> BTreeMap<String, String> {
        let mut data = BTreeMap::new();
        if let Some(setting) = self.setting_vpn() {
            // SAFETY: a live setting; `insert_text` gets the map it expects.
            unsafe {
                ffi::nm_setting_vpn_foreach_data_item(setting, insert_text, (&raw mut data).cast());
            }
        }
        data
    }

    /// `vpn.secrets`, as far as the host has asked for them; empty if this is no VPN.
    #[must_use]
    pub fn secrets(&self) -> BTreeMap<String, Secret> {
        let mut secrets = BTreeMap::new();
        if let Some(setting) = self.setting_vpn() {
            // SAFETY: a live setting; `insert_secret` gets the map it expects.
            unsafe {
                ffi::nm_setting_vpn_foreach_secret(
                    setting,
                    insert_secret,
                    (&raw mut secrets).cast(),
                );
            }
        }
        secrets
    }

    /// Changes the VPN setting: all of `changes`, or nothing. Fails if a text holds a NUL, which
    /// NetworkManager cannot store.
    pub fn change_vpn(&self, changes: &VpnChanges<'_>) -> Result<(), glib::Error> {
        let data = changes
            .data
            .iter()
            .map(|(key, value)| {
                let value = value.as_ref().filter(|value| !value.is_empty());
                Ok((
                    c_string(key)?,
                    value.map(|text| c_string(text)).transpose()?,
                ))
            })
            .collect::<Result<Vec<_>, glib::Error>>()?;
        let secrets = changes
            .secrets
            .iter()
            .map(|(key, secret)| {
                let secret = secret.as_ref().filter(|secret| !secret.is_empty());
                Ok((c_string(key)?, secret.map(secret_c_string).transpose()?))
            })
            .collect::<Result<Vec<_>, glib::Error>>()?;
        let mut properties: Vec<(&str, &dyn ToValue)> =
            vec![("service-type", &changes.service_type)];
        if let Some(timeout) = &changes.timeout {
            properties.push(("timeout", timeout));
        }
        if let Some(persistent) = &changes.persistent {
            properties.push(("persistent", persistent));
        }

        // SAFETY: a new setting, owned by us: a copy, so that the connection never has half of the
        // changes, and whoever watches it hears of them at once.
        let setting = unsafe {
            match self.setting_vpn() {
                Some(setting) => ffi::nm_setting_duplicate(setting.cast()),
                None => ffi::nm_setting_vpn_new(),
            }
        };
        for (key, value) in &data {
            // SAFETY: a live setting and C strings, which libnm copies.
            unsafe {
                ffi::nm_setting_vpn_remove_data_item(setting.cast(), key.as_ptr());
                if let Some(value) = value {
                    ffi::nm_setting_vpn_add_data_item(setting.cast(), key.as_ptr(), value.as_ptr());
                }
            }
        }
        for (key, secret) in &secrets {
            // SAFETY: as above; the copy made here is wiped when `secrets` is dropped.
            unsafe {
                ffi::nm_setting_vpn_remove_secret(setting.cast(), key.as_ptr());
                if let Some(secret) = secret {
                    ffi::nm_setting_vpn_add_secret(
                        setting.cast(),
                        key.as_ptr(),
                        secret.as_ptr().cast(),
                    );
                }
            }
        }
        // SAFETY: the new setting takes the place of the old one.
        unsafe { self.add(setting, &properties) }
    }

    /// Another reference to a connection that a C caller holds.
    ///
    /// # Safety
    /// `connection` is null or a live GObject.
    pub unsafe fn borrowed(connection: *mut ffi::NMConnection) -> Result<Self, glib::Error> {
        let connection = NonNull::new(connection).ok_or_else(|| invalid("there is none"))?;
        // SAFETY: not null, and by this function's contract a live GObject.
        let is_connection = unsafe {
            glib::gobject_ffi::g_type_check_instance_is_a(
                connection.as_ptr().cast(),
                ffi::nm_connection_get_type(),
            )
        };
        if is_connection == glib::ffi::GFALSE {
            return Err(invalid("it is another kind of object"));
        }
        // SAFETY: a live GObject; the reference is given back on drop.
        unsafe { glib::gobject_ffi::g_object_ref(connection.as_ptr().cast()) };
        Ok(Self(connection))
    }

    /// The pointer for a C function that borrows the connection.
    pub(crate) fn as_raw(&self) -> *mut ffi::NMConnection {
        self.0.as_ptr()
    }

    /// Gives the reference to a C caller, who unrefs it.
    #[must_use]
    pub fn into_raw(self) -> *mut ffi::NMConnection {
        std::mem::ManuallyDrop::new(self).0.as_ptr()
    }

    /// Sets `properties` of a new setting and hands it to the connection.
    ///
    /// # Safety
    /// `setting` is null or a new setting that nobody else owns.
    unsafe fn add(
        &self,
        setting: *mut ffi::NMSetting,
        properties: &[(&str, &dyn ToValue)],
    ) -> Result<(), glib::Error> {
        // SAFETY: by this function's contract a live GObject; this takes a second reference.
        let object: glib::Object =
            unsafe { from_glib_none(setting.cast::<glib::gobject_ffi::GObject>()) };
        // SAFETY: the connection takes over the first reference.
        unsafe { ffi::nm_connection_add_setting(self.0.as_ptr(), setting) };
        for (name, value) in properties {
            let value = value.to_value();
            if value.get::<&str>().is_ok_and(|text| text.contains('\0')) {
                return Err(invalid("a text holds a NUL"));
            }
            object.set_property_from_value(name, &value);
        }
        Ok(())
    }

    fn setting_vpn(&self) -> Option<*mut ffi::NMSettingVpn> {
        // SAFETY: a live connection, which keeps the setting alive.
        let setting = unsafe { ffi::nm_connection_get_setting_vpn(self.0.as_ptr()) };
        (!setting.is_null()).then_some(setting)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the reference this value has held since it was made.
        unsafe { glib::gobject_ffi::g_object_unref(self.0.as_ptr().cast()) };
    }
}

fn all_of<T: Clone>(items: &BTreeMap<String, T>) -> BTreeMap<String, Option<T>> {
    let items = items.iter();
    items
        .map(|(key, value)| (key.clone(), Some(value.clone())))
        .collect()
}

fn invalid(why: &str) -> glib::Error {
    plugin_error(
        ffi::NM_VPN_PLUGIN_ERROR_INVALID_CONNECTION,
        &format!("this connection cannot be used: {why}"),
    )
}

fn c_string(text: &str) -> Result<CString, glib::Error> {
    CString::new(text).map_err(|_| invalid("a text holds a NUL"))
}

fn secret_c_string(secret: &Secret) -> Result<Zeroizing<Vec<u8>>, glib::Error> {
    let bytes = secret.expose().as_bytes();
    if bytes.contains(&0) {
        return Err(invalid("a secret holds a NUL"));
    }
    let mut copy = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    copy.extend_from_slice(bytes);
    copy.push(0);
    Ok(copy)
}

/// # Safety
/// `text` is null or a C string.
unsafe fn text(text: *const c_char) -> Option<String> {
    // SAFETY: not null, and by this function's contract a C string.
    (!text.is_null()).then(|| {
        unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned()
    })
}

unsafe extern "C" fn insert_text(key: *const c_char, value: *const c_char, map: gpointer) {
    // SAFETY: libnm passes two C strings and the map that `data` gave it.
    if let (Some(key), Some(value), map) = unsafe {
        (
            text(key),
            text(value),
            &mut *map.cast::<BTreeMap<String, String>>(),
        )
    } {
        map.insert(key, value);
    }
}

unsafe extern "C" fn insert_secret(key: *const c_char, value: *const c_char, map: gpointer) {
    // SAFETY: libnm passes two C strings and the map that `secrets` gave it.
    if let (Some(key), Some(value), map) = unsafe {
        (
            text(key),
            text(value),
            &mut *map.cast::<BTreeMap<String, Secret>>(),
        )
    } {
        map.insert(key, Secret::new(value));
    }
}
