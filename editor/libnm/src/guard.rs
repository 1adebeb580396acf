//! The way in from C: a panic becomes a `GError`, never the end of the host program.

use crate::ffi;
use glib::ffi::GError;
use glib::subclass::prelude::*;
use glib::translate::{FromGlib, IntoGlibPtr};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An error of libnm's domain for VPN plugins, with one of its codes
/// (`ffi::NM_VPN_PLUGIN_ERROR_…`).
#[must_use]
pub fn plugin_error(code: i32, message: &str) -> glib::Error {
    // SAFETY: takes nothing, returns a quark that lives as long as the process.
    let domain = unsafe { glib::Quark::from_glib(ffi::nm_vpn_plugin_error_quark()) };
    // A GError's message is a C string: nothing after a NUL would be seen.
    glib::Error::with_domain(domain, code, &message.replace('\0', "\u{fffd}"))
}

/// Runs `body` for a C caller: its error, or its panic, is stored in `error`, and `fallback` is
/// returned.
///
/// # Safety
/// `error` is null (the caller wants no reason) or points to a `GError *` that may be written.
pub unsafe fn guarded<T>(
    error: *mut *mut GError,
    fallback: T,
    body: impl FnOnce() -> Result<T, glib::Error>,
) -> T {
    // Whatever `body` borrowed is not used again after a panic.
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => return value,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            // Dropping the payload may panic too; it is a few bytes.
            std::mem::forget(panic);
            plugin_error(
                ffi::NM_VPN_PLUGIN_ERROR_FAILED,
                "the AWS Client VPN plugin failed because of a mistake in it; please report this",
            )
        }
    };
    if !error.is_null() {
        // SAFETY: not null, and by this function's contract writable.
        unsafe { *error = failure.into_glib_ptr() };
    }
    fallback
}

/// Runs `body` for a C caller that has no way to hear of an error.
pub fn guarded_silently<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    // SAFETY: a null error is always allowed.
    unsafe { guarded(std::ptr::null_mut(), fallback, || Ok(body())) }
}

/// The Rust side of an object.
///
/// # Safety
/// `object` is a live instance of T's class, whose instance struct begins with the GObject.
pub(crate) unsafe fn implementation<'a, T: ObjectSubclass>(object: *mut T::Instance) -> &'a T {
    // SAFETY: by this function's contract.
    unsafe { &*object }.imp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use glib::translate::from_glib_full;

    #[test]
    fn a_panic_becomes_an_error() {
        let mut error = std::ptr::null_mut();
        // SAFETY: `error` is writable.
        let value = unsafe { guarded(&raw mut error, 7, || panic!("on purpose")) };
        assert_eq!(value, 7);
        // SAFETY: just set by `guarded`, owned by us.
        let error: glib::Error = unsafe { from_glib_full(error) };
        assert!(error.message().contains("please report"), "{error}");
    }

    #[test]
    fn a_caller_may_want_no_error() {
        // SAFETY: a null error is always allowed.
        let value = unsafe {
            guarded(std::ptr::null_mut(), 7, || {
                Err(plugin_error(0, "not wanted"))
            })
        };
        assert_eq!(value, 7);
        assert_eq!(guarded_silently(7, || panic!("on purpose")), 7);
    }

    #[test]
    fn a_message_with_nul_is_kept_whole() {
        assert_eq!(plugin_error(0, "a\0b").message(), "a\u{fffd}b");
    }
}
