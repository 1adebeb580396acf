//! The directives of a profile: how a line is read, which there are, and what they may say.

pub(crate) mod check;
pub(crate) mod line;
pub(crate) mod table;

pub use check::{Directive, is_host, is_pkcs11_id};
pub use line::join as line;
