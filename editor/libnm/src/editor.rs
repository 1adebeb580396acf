//! libnm's interface `NMVpnEditor`: the page of one connection in a settings program, to be
//! implemented in safe Rust.

use crate::connection::Connection;
use crate::ffi;
use crate::guard::{guarded, guarded_silently, implementation};
use glib::ffi::{GError, gboolean};
use glib::gobject_ffi::GObject;
use glib::prelude::*;
use glib::subclass::prelude::*;
use glib::translate::{IntoGlib, IntoGlibPtr, ToGlibPtr};
use std::ptr;

glib::wrapper! {
    /// The page of one connection in a settings program.
    pub struct VpnEditor(Interface<ffi::NMVpnEditor, ffi::NMVpnEditorInterface>);

    match fn {
        type_ => || ffi::nm_vpn_editor_get_type(),
    }
}

/// What an editor does. A panic in any of these is caught and reported to the host.
pub trait VpnEditorImpl: ObjectImpl {
    /// The widget that the host shows, of the host's own toolkit. The editor keeps it: the host
    /// borrows it and takes a reference of its own.
    fn widget(&self) -> Option<glib::Object>;

    /// Puts what the user changed into `connection`.
    ///
    /// Hosts call it after each change too, with a copy: an error keeps their Apply button off. An
    /// error names the field that is wrong.
    fn update(&self, connection: &Connection) -> Result<(), glib::Error>;
}

// SAFETY: each vtable entry below has the signature of its slot, accepts what libnm passes, and
// lets no panic out. The interface struct is `#[repr(C)]` and as large as C's (`tests/abi.rs`).
unsafe impl<T: VpnEditorImpl> IsImplementable<T> for VpnEditor {
    fn interface_init(interface: &mut glib::Interface<Self>) {
        let interface = interface.as_mut();
        interface.get_widget = Some(widget::<T>);
        interface.update_connection = Some(update_connection::<T>);
    }
}

/// The factory that the plugin calls, in the library that has the editor: a new editor object,
/// owned by the caller, or null and `error`.
///
/// # Safety
/// `error` is null or points to a `GError *` that may be written; `connection` is null or a live
/// GObject.
pub unsafe fn factory<E: IsA<VpnEditor> + IsA<glib::Object>>(
    connection: *mut ffi::NMConnection,
    error: *mut *mut GError,
    make: impl FnOnce(&Connection) -> Result<E, glib::Error>,
) -> *mut ffi::NMVpnEditor {
    // SAFETY: passed on.
    unsafe {
        guarded(error, ptr::null_mut(), || {
            let connection = Connection::borrowed(connection)?;
            Ok(make(&connection)?.upcast::<VpnEditor>().into_glib_ptr())
        })
    }
}

unsafe extern "C" fn widget<T: VpnEditorImpl>(editor: *mut ffi::NMVpnEditor) -> *mut GObject {
    guarded_silently(ptr::null_mut(), || {
        // SAFETY: libnm passes an instance of T's class.
        let widget = unsafe { implementation::<T>(editor.cast()) }.widget();
        // Borrowed by the host; the editor has a reference of its own.
        widget.map_or(ptr::null_mut(), |widget| widget.to_glib_none().0)
    })
}

unsafe extern "C" fn update_connection<T: VpnEditorImpl>(
    editor: *mut ffi::NMVpnEditor,
    connection: *mut ffi::NMConnection,
    error: *mut *mut GError,
) -> gboolean {
    // SAFETY: libnm passes an instance of T's class, its caller a connection and an error or null.
    unsafe {
        guarded(error, false.into_glib(), || {
            let connection = Connection::borrowed(connection)?;
            implementation::<T>(editor.cast()).update(&connection)?;
            Ok(true.into_glib())
        })
    }
}
