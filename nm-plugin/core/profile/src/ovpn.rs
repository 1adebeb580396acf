//! A [`Profile`](crate::profile::Profile) as the text of a `.ovpn` file, and back.

mod incomplete;
mod parse;
mod scripts;
mod text;
mod write;

pub use incomplete::Incomplete;
pub use parse::{ParsedProfile, is_aws_host};
pub use text::decode;
pub use write::push_line;
