//! The page of a connection, without a toolkit: its fields, what they say, and what they change.
//!
//! GNOME Settings has GTK 4 and nm-connection-editor GTK 3, and a connection has to look and behave
//! the same in both. So everything but the widgets is decided here: which fields there are and when
//! they are shown ([`GROUPS`], [`Row`]), what is wrong with what was typed, and which items of
//! `vpn.data` and `vpn.secrets` an edit changes ([`Changes`]). What was not touched stays as it is,
//! byte for byte; items that nobody here knows survive. A [`Toolkit`] makes the widgets and sets
//! what they show.
//!
//! * [`field`]: the fields with their texts
//! * [`form`]: the state of a page
//! * [`page`]: what an edit does, whatever the widgets
//! * [`toolkit`]: what a page needs of GTK 3 or GTK 4
//! * [`editor`]: the object that a host gets
//! * [`connection`]: from and to libnm's `NMConnection`
//! * [`file`]: the files a user names
//! * [`certificate`]: a certificate or key, as a person recognises it
#![forbid(unsafe_code)]

pub mod certificate;
mod check;
pub mod connection;
mod directives;
pub mod editor;
mod endpoint;
pub mod field;
pub mod form;
pub mod page;
mod read;
pub mod toolkit;
mod visibility;
mod widgets;

pub use aws_client_vpn_profile_file::file;
pub use editor::Editor;
pub use field::{Field, GROUPS, Group, Kind, Value};
pub use form::{Changes, Form, Row};
pub use page::{PageField, Title};
pub use toolkit::Toolkit;
