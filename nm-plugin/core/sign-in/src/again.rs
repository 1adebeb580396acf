//! Why a person is asked once more.
//!
//! The service says it in the one text that every agent shows, and knows nobody's language; our
//! dialog finds it in there and says it in the user's.

use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_text::mark;
use aws_client_vpn_text::message::{Message, Worded};

const REFUSED: &str = mark!("The endpoint refused the sign-in: {reason}.");
const WRONG: &str = mark!("Wrong: {what}.");
/// Begins the sentence behind it, which no dialog needs that shows what is asked.
const REQUEST: &str = " Enter ";

/// What became of what was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// The endpoint did not take it.
    Refused {
        /// The endpoint's own words.
        reason: String,
    },
    /// It opens no key.
    Wrong(Credential),
}

impl Again {
    /// The service's text, with a request for `what`.
    #[must_use]
    pub fn request(&self, what: &str) -> String {
        format!("{}{REQUEST}{what} once more.", self.message())
    }

    /// What a text of [`request`](Self::request) says; `None` if it is another.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (why, _) = text.rsplit_once(REQUEST)?;
        let is = |credential: &Credential| Self::Wrong(*credential).message().to_string() == why;
        if let Some(credential) = Credential::ALL.into_iter().find(is) {
            return Some(Self::Wrong(credential));
        }
        let (before, behind) = REFUSED.split_once("{reason}")?;
        let reason = why.strip_prefix(before)?.strip_suffix(behind)?;
        Some(Self::Refused {
            reason: reason.to_owned(),
        })
    }
}

impl Worded for Again {
    fn message(&self) -> Message {
        match self {
            Self::Refused { reason } => Message::new(REFUSED).with("reason", reason),
            Self::Wrong(credential) => Message::new(WRONG).with("what", &a_credential(*credential)),
        }
    }
}

/// What a credential is called in the middle of a sentence.
#[must_use]
pub fn a_credential(credential: Credential) -> &'static str {
    match credential {
        Credential::UserName => mark!("a user name"),
        Credential::Password => mark!("a password"),
        Credential::ChallengeResponse => mark!("a one-time code"),
        Credential::KeyPassphrase => mark!("the passphrase of the private key"),
        Credential::TokenPin => mark!("the PIN of the security token"),
        Credential::ProxyUserName => mark!("a user name at the proxy"),
        Credential::ProxyPassword => mark!("a password at the proxy"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_says_is_found_again() {
        for (again, text) in [
            (
                Again::Refused {
                    reason: "Do not Enter {here}. It is closed.".to_owned(),
                },
                "The endpoint refused the sign-in: Do not Enter {here}. It is closed.. Enter your \
                 password once more.",
            ),
            (
                Again::Wrong(Credential::TokenPin),
                "Wrong: the PIN of the security token. Enter your password once more.",
            ),
        ] {
            assert_eq!(again.request("your password"), text);
            assert_eq!(Again::read(text), Some(again));
        }
        for other in [
            "",
            "Enter your password to connect.",
            "The endpoint refused the sign-in: x",
            "Wrong: what Enter",
        ] {
            assert_eq!(Again::read(other), None, "{other}");
        }
    }
}
