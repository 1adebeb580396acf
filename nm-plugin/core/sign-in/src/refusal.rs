//! Why an endpoint refuses a sign-in.

use aws_client_vpn_text::gettext_noop;
use aws_client_vpn_text::message::{Argument, Message, ToArgument};
use aws_client_vpn_text::printable::printable;
use std::fmt;

/// What OpenVPN writes before the reason, if there is one, why a session is over
/// (`AUTH_FAILED,SESSION: token expired`).
const SESSION_OVER: &str = "SESSION";

/// The endpoint's reason for a refusal, as it goes into a sentence: without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    /// In the endpoint's own words.
    Given(String),
    /// The endpoint gave no reason.
    NotGiven,
    /// The session that the sign-in was for is over.
    SessionExpired,
}

impl RefusalReason {
    /// Reads what follows `AUTH_FAILED,`.
    pub fn parse(reason: &str) -> Self {
        let given = |words: &str, otherwise| match words.trim() {
            "" => otherwise,
            words => Self::Given(printable(words.strip_suffix('.').unwrap_or(words))),
        };
        match reason.strip_prefix(SESSION_OVER) {
            Some("") => Self::SessionExpired,
            Some(rest) if rest.starts_with(':') => given(&rest[1..], Self::SessionExpired),
            Some(_) | None => given(reason, Self::NotGiven),
        }
    }
}

impl ToArgument for RefusalReason {
    fn to_argument(&self) -> Argument {
        Argument::Message(Message::new(match self {
            Self::Given(words) => return Argument::Literal(words.clone()),
            // TRANSLATORS: Follows “The endpoint refused the sign-in:”
            Self::NotGiven => gettext_noop!("no reason given"),
            // TRANSLATORS: Follows “The endpoint refused the sign-in:”
            Self::SessionExpired => gettext_noop!("the session has expired"),
        }))
    }
}

/// In English.
impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_argument().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_what_the_endpoint_says_without_the_protocols_words() {
        let given = |words: &str| RefusalReason::Given(words.to_owned());
        for (reason, expected) in [
            ("", RefusalReason::NotGiven),
            (" ", RefusalReason::NotGiven),
            ("SESSION", RefusalReason::SessionExpired),
            ("SESSION:", RefusalReason::SessionExpired),
            ("SESSION: ", RefusalReason::SessionExpired),
            ("SESSION: token expired", given("token expired")),
            ("SESSION:token expired", given("token expired")),
            ("SESSIONS are full", given("SESSIONS are full")),
            ("Call 4711.", given("Call 4711")),
            ("SESSION: Call 4711.", given("Call 4711")),
        ] {
            assert_eq!(RefusalReason::parse(reason), expected, "{reason}");
        }
    }

    #[test]
    fn only_our_own_words_are_translated() {
        let is_translated =
            |reason: RefusalReason| matches!(reason.to_argument(), Argument::Message(_));
        assert!(is_translated(RefusalReason::NotGiven));
        assert!(is_translated(RefusalReason::SessionExpired));
        assert!(!is_translated(RefusalReason::Given(
            "no reason given".to_owned()
        )));
    }
}
