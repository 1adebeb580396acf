//! Why the last attempt at a connection failed, as the service leaves it for the person who asked
//! for it: a small file for each connection, which nobody else can read.
//!
//! NetworkManager's own signal has room for a number, and the service is gone some seconds later.
//! What is kept is a text of ours with its arguments, so that each program says it in its user's
//! language.

use aws_client_vpn_text::message::Message;
use serde::{Deserialize, Serialize};

/// Where the files are, each called as the connection's UUID.
pub const DIRECTORY: &str = "/run/nm-aws-client-vpn/last-failure";
/// No file is longer, in bytes.
pub const LONGEST: usize = 16_384;

/// What a script can act on, by its name in files and for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The endpoint does not let this person or computer in.
    Refused,
    /// Nobody signed in in time.
    TimedOut,
    /// The endpoint cannot be reached.
    Unreachable,
    /// Something has to be asked, and there is nobody to ask.
    NobodyToAsk,
    /// A connection that was up is over, because the endpoint or a setting says so.
    Ended,
    /// The person did not want to sign in again.
    Cancelled,
    /// Anything else.
    Other,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// NetworkManager's object of the attempt; empty if it is not known.
    pub activation: String,
    /// When it was, in seconds since 1970.
    pub at: u64,
    /// What kind it is of.
    pub kind: FailureKind,
    /// What happened, why, what to do.
    pub reason: Message,
}

impl LastFailure {
    /// As it is kept.
    pub fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// What was kept; `None` if it is none of ours.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_text::message;

    fn failure() -> LastFailure {
        let inner = message!("it {what}", what = "is\ntoo \\ long".to_owned());
        LastFailure {
            activation: "/a/7".to_owned(),
            at: 1_795_539_601,
            kind: FailureKind::Refused,
            reason: message!("{host}: {why}", host = "h".to_owned(), why = inner),
        }
    }

    #[test]
    fn what_is_read_is_what_was_kept() {
        assert_eq!(
            LastFailure::from_text(&failure().to_text()),
            Some(failure())
        );
    }

    #[test]
    fn a_part_of_it_is_nothing() {
        let text = failure().to_text();
        for length in 0..text.len() {
            let part = &text[..length];
            assert_eq!(LastFailure::from_text(part), None, "{part}");
        }
    }
}
