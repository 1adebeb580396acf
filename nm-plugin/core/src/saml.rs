//! The answer of the identity provider, on its way from the browser to the endpoint.
//!
//! The browser posts a form to `http://127.0.0.1:35001/`. AWS takes the value of `SAMLResponse`
//! exactly as it stands in that form, percent-encoding included: decoding turns `+` into a space
//! and has broken logins of other clients. So the value is cut out, checked, and never decoded;
//! what is in it is between the identity provider and AWS.

use crate::message::Worded;
use crate::secret::Secret;
use crate::secret_prompt;
use std::fmt;
use thiserror::Error;

/// The longest response AWS takes, in octets as sent (its documentation: 128 KB).
pub const RESPONSE_LIMIT: usize = 128 * 1024;
/// The longest form that can hold a response of [`RESPONSE_LIMIT`], in octets: room for the
/// names of the fields and for a RelayState of 16 KiB.
pub const FORM_LIMIT: usize = RESPONSE_LIMIT + 16 * 1024;

const RESPONSE_FIELD: &str = "SAMLResponse";
const RELAY_STATE_FIELD: &str = "RelayState";

/// Why something is not a response of an identity provider.
#[derive(Debug, Error, PartialEq, Eq, Worded)]
pub enum SamlError {
    /// The form has no field `SAMLResponse`, or an empty one.
    #[error("the form holds no SAMLResponse")]
    Missing,
    /// The form has the field more than once; which one counts is nobody's guess to make.
    #[error("the form holds more than one SAMLResponse")]
    Repeated,
    /// The response is longer than [`RESPONSE_LIMIT`].
    #[error(
        "the SAML response has {0} octets and AWS takes {RESPONSE_LIMIT}; ask the administrator \
         of the identity provider to send fewer groups"
    )]
    TooLong(usize),
    /// The response has an octet that neither base64 nor a form's encoding uses.
    #[error("the SAML response holds a character that a browser would have encoded")]
    NotEncoded,
    /// The form is for another login than the one that is waiting.
    #[error("the answer belongs to another login; go on in the newest tab or connect again")]
    OtherLogin,
    /// The auth dialog sent the reason of a failure instead, see
    /// [`LoginFailure`](secret_prompt::LoginFailure).
    #[error("{0}")]
    LoginFailed(String),
}

/// A SAML response as the browser sent it: 1 to [`RESPONSE_LIMIT`] octets of percent-encoded
/// base64, in one line. Its content is never looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct SamlResponse(Secret);

impl SamlResponse {
    /// Cuts the response out of the body of a form post (`application/x-www-form-urlencoded`).
    ///
    /// `relay_state` is the one the login began with, decoded, if it had one. A form that carries
    /// another RelayState is refused. One that carries none is taken: not every identity provider
    /// sends it back.
    ///
    /// # Errors
    /// [`SamlError`] if there is not exactly one usable response, or if it is for another login.
    pub fn from_form_body(body: &[u8], relay_state: Option<&str>) -> Result<Self, SamlError> {
        let mut response = None;
        for field in body.split(|octet| *octet == b'&') {
            let equals = field
                .iter()
                .position(|octet| *octet == b'=')
                .unwrap_or(field.len());
            let (name, value) = field.split_at(equals);
            let value = value.strip_prefix(b"=").unwrap_or(value);
            if is_named(name, RESPONSE_FIELD) {
                if response.replace(value).is_some() {
                    return Err(SamlError::Repeated);
                }
            } else if is_named(name, RELAY_STATE_FIELD)
                && !value.is_empty()
                && relay_state.is_some_and(|expected| !is_same_state(value, expected))
            {
                return Err(SamlError::OtherLogin);
            }
        }
        Self::from_raw(response.unwrap_or_default())
    }

    /// Takes what a secret agent handed over.
    ///
    /// # Errors
    /// [`SamlError`] if it is not a response; [`SamlError::LoginFailed`] if it says why there is
    /// none.
    pub fn from_secret(secret: Secret) -> Result<Self, SamlError> {
        if let Some(failure) = secret_prompt::login_failure_text(&secret) {
            return Err(SamlError::LoginFailed(failure));
        }
        check(secret.expose().as_bytes())?;
        Ok(Self(secret))
    }

    /// The response, for the reply to the challenge.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// Length in octets.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a response is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn from_raw(value: &[u8]) -> Result<Self, SamlError> {
        check(value)?;
        let text = std::str::from_utf8(value).map_err(|_| SamlError::NotEncoded)?;
        Ok(Self(Secret::from(text)))
    }
}

impl fmt::Debug for SamlResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SamlResponse({} octets)", self.len())
    }
}

/// The RelayState of a login that begins at `url`, decoded.
#[must_use]
pub fn relay_state(url: &url::Url) -> Option<String> {
    url.query_pairs()
        .find(|(name, value)| name == RELAY_STATE_FIELD && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

fn check(value: &[u8]) -> Result<(), SamlError> {
    if value.is_empty() {
        Err(SamlError::Missing)
    } else if value.len() > RESPONSE_LIMIT {
        Err(SamlError::TooLong(value.len()))
    } else if value
        .iter()
        .all(|octet| octet.is_ascii_alphanumeric() || b"+/=%*-._~".contains(octet))
    {
        Ok(())
    } else {
        Err(SamlError::NotEncoded)
    }
}

/// Whether a field's name, as sent, stands for `expected`, whichever way it is written.
fn is_named(name: &[u8], expected: &str) -> bool {
    name == expected.as_bytes() || decodes_to(name, expected)
}

/// Whether a RelayState, as sent, is `expected`. A plus sign and a space count as the same: it
/// depends on how often the identity provider decoded the address.
fn is_same_state(encoded: &[u8], expected: &str) -> bool {
    decoded(encoded).is_some_and(|value| value.replace('+', " ") == expected.replace('+', " "))
}

fn decodes_to(encoded: &[u8], expected: &str) -> bool {
    decoded(encoded).is_some_and(|value| value == expected)
}

fn decoded(encoded: &[u8]) -> Option<String> {
    // With `=` in front, all of it is a value.
    let pair = [b"=", encoded].concat();
    form_urlencoded::parse(&pair)
        .next()
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(body: &str, relay_state: Option<&str>) -> Result<String, SamlError> {
        SamlResponse::from_form_body(body.as_bytes(), relay_state)
            .map(|response| response.secret().expose().to_owned())
    }

    #[test]
    fn the_value_is_taken_as_it_stands() {
        for (body, value) in [
            ("SAMLResponse=PHNhbWw%2BYWJj%3D", "PHNhbWw%2BYWJj%3D"),
            ("SAMLResponse=a+b/c==&RelayState=x", "a+b/c=="),
            ("RelayState=x&SAMLResponse=abc", "abc"),
            ("SAMLResponse=abc&other", "abc"),
            ("SAMLResponses=no&SAMLResponse=abc", "abc"),
            ("SAMLResponse=PD94%0D%0AbWw%3D", "PD94%0D%0AbWw%3D"),
        ] {
            assert_eq!(parse(body, None).as_deref(), Ok(value), "{body}");
        }
    }

    #[test]
    fn what_is_not_exactly_one_response_is_refused() {
        for (body, error) in [
            ("", SamlError::Missing),
            ("RelayState=x", SamlError::Missing),
            ("SAMLResponse", SamlError::Missing),
            ("SAMLResponse=", SamlError::Missing),
            ("SAMLResponse=a&SAMLResponse=b", SamlError::Repeated),
            ("SAMLResponse=a&SAMLResponse", SamlError::Repeated),
            ("SAMLResponse=a&%53AMLResponse=b", SamlError::Repeated),
            ("SAMLResponse=a b", SamlError::NotEncoded),
            ("SAMLResponse=a\nb", SamlError::NotEncoded),
            ("SAMLResponse=a\u{e9}", SamlError::NotEncoded),
            ("SAMLResponse=login-failure:no", SamlError::NotEncoded),
        ] {
            assert_eq!(parse(body, None), Err(error), "{body}");
        }
    }

    #[test]
    fn another_login_s_answer_is_refused() {
        for (sent, expected, accepted) in [
            ("&RelayState=a%2Fb+c", Some("a/b c"), true),
            ("&RelayState=a%2Fb%2Bc", Some("a/b c"), true),
            ("&RelayState=other", Some("a/b c"), false),
            ("&RelayState=a%2Fb+c&RelayState=other", Some("a/b c"), false),
            ("&%52elayState=other", Some("a/b c"), false),
            ("&RelayState=", Some("a/b c"), true),
            ("", Some("a/b c"), true),
            ("&RelayState=any", None, true),
        ] {
            let result = parse(&format!("SAMLResponse=abc{sent}"), expected);
            let wanted = if accepted {
                Ok("abc".to_owned())
            } else {
                Err(SamlError::OtherLogin)
            };
            assert_eq!(result, wanted, "{sent}");
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let body = |length| format!("SAMLResponse={}", "a".repeat(length));
        assert_eq!(
            parse(&body(RESPONSE_LIMIT), None).map(|value| value.len()),
            Ok(RESPONSE_LIMIT)
        );
        let over = RESPONSE_LIMIT + 1;
        assert_eq!(parse(&body(over), None), Err(SamlError::TooLong(over)));
        let secret = Secret::new("a".repeat(over));
        assert_eq!(
            SamlResponse::from_secret(secret),
            Err(SamlError::TooLong(over))
        );
    }

    #[test]
    fn a_failure_that_came_instead_is_told() {
        let secret =
            secret_prompt::LoginFailure::NoBrowser(crate::message!("none found")).to_secret();
        let Err(SamlError::LoginFailed(text)) = SamlResponse::from_secret(secret) else {
            panic!("a failure passed for a response");
        };
        assert!(text.ends_with("none found"), "{text}");
    }

    #[test]
    fn debug_shows_the_length_only() {
        let response = SamlResponse::from_form_body(b"SAMLResponse=abc", None);
        assert_eq!(format!("{response:?}"), "Ok(SamlResponse(3 octets))");
    }

    #[test]
    fn the_relay_state_of_a_login_is_found() {
        for (url, expected) in [
            (
                "https://idp.example/sso?SAMLRequest=x&RelayState=a%2Fb+c",
                Some("a/b c"),
            ),
            ("https://idp.example/sso?RelayState=", None),
            ("https://idp.example/sso", None),
        ] {
            let url = url::Url::parse(url).unwrap();
            assert_eq!(relay_state(&url).as_deref(), expected, "{url}");
        }
    }

    proptest! {
        #[test]
        fn a_response_goes_through_unchanged(value in "[A-Za-z0-9+/=%]{1,300}", state in ".{0,40}") {
            let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
            let body = format!("RelayState={state}&SAMLResponse={value}");
            prop_assert_eq!(parse(&body, None), Ok(value.clone()));
            let again = SamlResponse::from_secret(Secret::new(value.clone()));
            prop_assert_eq!(again.map(|response| response.len()), Ok(value.len()));
        }

        #[test]
        fn no_octets_confuse_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(response) = SamlResponse::from_form_body(&body, Some("state")) {
                prop_assert!(!response.secret().expose().contains(['&', '\n', ' ', ':']));
            }
        }
    }
}
