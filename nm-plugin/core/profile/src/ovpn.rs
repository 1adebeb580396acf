//! A [`Profile`](crate::profile::Profile) as the text of a `.ovpn` file, and back.

mod parse;
mod write;

pub use parse::Imported;
pub use write::push_line;
