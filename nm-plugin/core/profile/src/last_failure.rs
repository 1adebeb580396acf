//! Why the last attempt at a connection failed, as the service leaves it for the person who asked
//! for it: a small file for each connection, which nobody else can read.
//!
//! NetworkManager's own signal has room for a number, and the service is gone some seconds later.
//! What is kept is a text of ours with its arguments, so that each program says it in its user's
//! language.

use crate::message_text;
use crate::named::named;
use aws_client_vpn_text::message::Message;

/// Where the files are, each called as the connection's UUID.
pub const DIRECTORY: &str = "/run/nm-aws-client-vpn/last-failure";
/// No file is longer, in bytes.
pub const LONGEST: usize = 16_384;

named! {
    /// What a script can act on; the name is for files and for programs.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    FailureKind {
        /// The endpoint does not let this person or computer in.
        Refused = "refused",
        /// Nobody signed in in time.
        TimedOut = "timed-out",
        /// The endpoint cannot be reached.
        Unreachable = "unreachable",
        /// Something has to be asked, and there is nobody to ask.
        NobodyToAsk = "nobody-to-ask",
        /// A connection that was up is over, because the endpoint or a setting says so.
        Ended = "ended",
        /// The person did not want to sign in again.
        Cancelled = "cancelled",
        /// Anything else.
        Other = "other",
    }
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// As it is kept: a line for each part.
    pub fn to_text(&self) -> String {
        let head = format!("{}\n{}\n{}\n", self.activation, self.at, self.kind.name());
        head + &message_text::write(&self.reason)
    }

    /// What was kept; `None` if it is none of ours.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut rest = text.lines();
        let activation = rest.next()?.to_owned();
        let at = rest.next()?.parse().ok()?;
        let kind = FailureKind::from_name(rest.next()?)?;
        let reason = message_text::read(&mut rest)?;
        Some(Self {
            activation,
            at,
            kind,
            reason,
        })
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
        for kind in FailureKind::ALL {
            let failure = LastFailure { kind, ..failure() };
            assert_eq!(LastFailure::from_text(&failure.to_text()), Some(failure));
        }
    }

    #[test]
    fn a_part_of_it_is_nothing() {
        let text = failure().to_text();
        let lines: Vec<&str> = text.lines().collect();
        for count in 0..lines.len() {
            let part = lines[..count].join("\n");
            assert_eq!(LastFailure::from_text(&part), None, "{part}");
        }
    }
}
