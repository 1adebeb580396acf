//! A [`Profile`](crate::profile::Profile) as the text of a `.ovpn` file, and back.

mod parse;
pub(crate) mod write;

pub use parse::Imported;
