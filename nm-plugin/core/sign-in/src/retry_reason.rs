//! Why a person is asked once more.
//!
//! The service says it in the one text that every agent shows, and knows nobody's language. So it
//! also stands in a hint, for our dialog, which says it in the user's.

use crate::refusal::RefusalReason;
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::printable::one_line;
use aws_client_vpn_text::{gettext_noop, message};

/// Starts the hint with the endpoint's own words.
const REFUSED_HINT_PREFIX: &str = "x-aws-client-vpn-again:refused:";
/// The hint of an endpoint that gives no reason.
const NO_REASON_HINT: &str = "x-aws-client-vpn-again:refused-without-reason";
/// The hint of a session that is over.
const SESSION_EXPIRED_HINT: &str = "x-aws-client-vpn-again:session-expired";
/// Starts the hint with the name of what opens no key.
const WRONG_HINT_PREFIX: &str = "x-aws-client-vpn-again:wrong:";

/// What became of what was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryReason {
    /// The endpoint did not take it.
    Refused {
        /// Why not.
        reason: RefusalReason,
    },
    /// The credential does not unlock the key, or does not satisfy the proxy.
    Wrong(Credential),
}

impl RetryReason {
    /// The service's text, with a request for `what`.
    pub fn request(&self, what: &str) -> String {
        format!("{} Enter {what} once more.", self.message())
    }

    /// The hint that says it to the dialog.
    pub fn hint(&self) -> String {
        match self {
            Self::Refused { reason } => match reason {
                RefusalReason::Given(words) => format!("{REFUSED_HINT_PREFIX}{}", one_line(words)),
                RefusalReason::NotGiven => NO_REASON_HINT.to_owned(),
                RefusalReason::SessionExpired => SESSION_EXPIRED_HINT.to_owned(),
            },
            Self::Wrong(credential) => format!("{WRONG_HINT_PREFIX}{}", credential.name()),
        }
    }

    /// What a [`hint`](Self::hint) says; `None` if it is another.
    pub fn from_hint(hint: &str) -> Option<Self> {
        let refusal = match hint.strip_prefix(REFUSED_HINT_PREFIX) {
            Some(words) => Some(RefusalReason::Given(one_line(words))),
            None if hint == NO_REASON_HINT => Some(RefusalReason::NotGiven),
            None if hint == SESSION_EXPIRED_HINT => Some(RefusalReason::SessionExpired),
            None => None,
        };
        if let Some(reason) = refusal {
            return Some(Self::Refused { reason });
        }
        let name = hint.strip_prefix(WRONG_HINT_PREFIX)?;
        Credential::from_name(name).map(Self::Wrong)
    }
}

impl Localize for RetryReason {
    fn message(&self) -> Message {
        match self {
            Self::Refused { reason } => {
                message!(
                    "The endpoint refused the sign-in: {reason}.",
                    reason = *reason
                )
            }
            Self::Wrong(credential) => Message::new(incorrect(*credential)),
        }
    }
}

fn incorrect(credential: Credential) -> &'static str {
    match credential {
        Credential::UserName => gettext_noop!("The user name is incorrect."),
        Credential::Password => gettext_noop!("The password is incorrect."),
        Credential::ChallengeResponse => gettext_noop!("The one-time code is incorrect."),
        Credential::KeyPassphrase => {
            gettext_noop!("The passphrase of the private key is incorrect.")
        }
        Credential::TokenPin => gettext_noop!("The PIN of the security token is incorrect."),
        Credential::ProxyUserName => gettext_noop!("The user name for the proxy is incorrect."),
        Credential::ProxyPassword => gettext_noop!("The password for the proxy is incorrect."),
    }
}

/// What a credential is called in the middle of a sentence.
pub fn a_credential(credential: Credential) -> &'static str {
    match credential {
        // TRANSLATORS: Goes into “The sign-in needs {0}, which was not entered.”: an object, in the accusative.
        Credential::UserName => gettext_noop!("a user name"),
        // TRANSLATORS: Goes into “The sign-in needs {0}, which was not entered.”: an object, in the accusative.
        Credential::Password => gettext_noop!("a password"),
        // TRANSLATORS: Goes into “The sign-in needs {0}, which was not entered.”: an object, in the accusative.
        Credential::ChallengeResponse => gettext_noop!("a one-time code"),
        // TRANSLATORS: Goes into “The sign-in needs {0}, which was not entered.”: an object, in the accusative.
        Credential::KeyPassphrase => gettext_noop!("the passphrase of the private key"),
        // TRANSLATORS: Goes into “The sign-in needs {0}, which was not entered.”: an object, in the accusative.
        Credential::TokenPin => gettext_noop!("the PIN of the security token"),
        // TRANSLATORS: Goes into “The sign-in needs {0}, which was not entered.”: an object, in the accusative.
        Credential::ProxyUserName => gettext_noop!("a user name for the proxy"),
        // TRANSLATORS: Goes into “The sign-in needs {0}, which was not entered.”: an object, in the accusative.
        Credential::ProxyPassword => gettext_noop!("a password for the proxy"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_called_the_same_in_each_sentence() {
        for credential in Credential::ALL {
            let (_, name) = a_credential(credential).split_once(' ').unwrap();
            assert_eq!(incorrect(credential), format!("The {name} is incorrect."));
        }
        let wanted = [Credential::UserName, Credential::KeyPassphrase].map(a_credential);
        assert_eq!(wanted, ["a user name", "the passphrase of the private key"]);
    }

    #[test]
    fn what_the_service_says_is_a_sentence_for_all_and_a_hint_for_the_dialog() {
        let reason = "Do not Enter {here}: it is closed";
        for (again, text, hint) in [
            (
                RetryReason::Refused {
                    reason: RefusalReason::Given(reason.to_owned()),
                },
                "The endpoint refused the sign-in: Do not Enter {here}: it is closed. Enter your \
                 password once more.",
                format!("x-aws-client-vpn-again:refused:{reason}"),
            ),
            (
                RetryReason::Refused {
                    reason: RefusalReason::NotGiven,
                },
                "The endpoint refused the sign-in: no reason given. Enter your password once more.",
                "x-aws-client-vpn-again:refused-without-reason".to_owned(),
            ),
            (
                RetryReason::Refused {
                    reason: RefusalReason::SessionExpired,
                },
                "The endpoint refused the sign-in: the session has expired. Enter your password \
                 once more.",
                "x-aws-client-vpn-again:session-expired".to_owned(),
            ),
            (
                RetryReason::Wrong(Credential::TokenPin),
                "The PIN of the security token is incorrect. Enter your password once more.",
                format!(
                    "x-aws-client-vpn-again:wrong:{}",
                    Credential::TokenPin.name()
                ),
            ),
        ] {
            assert_eq!(again.request("your password"), text);
            assert_eq!(again.hint(), hint);
            assert_eq!(RetryReason::from_hint(&hint), Some(again));
        }
        for other in [
            "",
            "x-aws-client-vpn-again",
            "x-aws-client-vpn-again:wrong:x",
            "x-aws-client-vpn-refused:password",
        ] {
            assert_eq!(RetryReason::from_hint(other), None, "{other}");
        }
        let foreign = RetryReason::Refused {
            reason: RefusalReason::Given("two\nlines\u{202e}".to_owned()),
        };
        assert!(!foreign.hint().contains('\n'));
    }
}
