//! What a log may say of what OpenVPN says.

use std::borrow::Cow;

/// A line of OpenVPN's log as it may stand in the journal: what carries a session id, a login or a
/// token is cut off.
#[must_use]
pub fn for_journal(line: &str) -> Cow<'_, str> {
    const SECRET_FROM: [&str; 4] = ["CRV1:", "SAMLResponse", "auth-token ", "SESS_ID"];
    match SECRET_FROM
        .iter()
        .filter_map(|start| line.find(start))
        .min()
    {
        Some(cut) => Cow::Owned(format!("{}[not shown]", &line[..cut])),
        None => Cow::Borrowed(line),
    }
}
