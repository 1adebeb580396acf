//! Texts in JSON: English, whatever the user's language is, so that programs read the same everywhere.

use aws_client_vpn_text::message::Message;
use serde::{Serialize, Serializer};

/// The version of all that is printed as JSON.
pub(crate) const SCHEMA: u32 = 1;

pub(crate) fn english<S: Serializer>(text: &Message, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
pub(crate) fn english_if_any<S: Serializer>(
    text: &Option<Message>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    text.as_ref().map(ToString::to_string).serialize(serializer)
}
