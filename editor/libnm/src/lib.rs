//! The side of an editor plugin that faces C: all `unsafe` code of the editors is in this crate.
//!
//! libnm loads an editor plugin into programs that are not ours: nmcli, GNOME Settings,
//! nm-connection-editor. A panic that reaches C ends such a program, a wrong pointer corrupts it.
//! So the plugins implement safe traits ([`VpnEditorPluginImpl`], [`VpnEditorImpl`]) on safe types ([`Connection`]),
//! and what lies between these and C is small enough to be read at once:
//!
//! * [`ffi`]: the C declarations, compared with the installed header by `tests/abi.rs`
//! * [`guard`]: every entry from C, with panics turned into a `GError`
//! * [`editor_plugin`]: libnm's interface `NMVpnEditorPlugin`
//! * [`editor`]: libnm's interface `NMVpnEditor`
//! * [`library`]: how the plugin finds the editor for the toolkit of its host
//! * [`connection`]: the parts of `NMConnection` that a VPN plugin reads and writes
#![expect(
    unsafe_code,
    reason = "this crate is where the project keeps its unsafe code"
)]

pub mod connection;
pub mod editor;
pub mod editor_plugin;
pub mod ffi;
pub mod guard;
pub mod library;

pub use connection::Connection;
pub use editor::{VpnEditor, VpnEditorImpl};
pub use editor_plugin::{VpnEditorPlugin, VpnEditorPluginImpl};
pub use library::{EditorLibrary, Toolkit};
