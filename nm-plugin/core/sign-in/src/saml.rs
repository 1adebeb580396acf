//! The answer of the identity provider, on its way from the browser to the endpoint.
//!
//! The browser posts a form to `http://127.0.0.1:35001/`. AWS takes the value of `SAMLResponse`
//! exactly as it stands in that form, percent-encoding included: decoding turns `+` into a space
//! and has broken logins of other clients. So the value is cut out, checked and passed on as it is.
//!
//! What is in it is between the identity provider and AWS, but for one thing: any page can send a
//! form to that address, so it is looked at whether it is a response at all, and to which request
//! it says it answers ([`Request`]).

mod root;

use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::secret::Secret;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::{Decompress, FlushDecompress};
use root::Root;
use std::fmt;
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

/// The longest response AWS takes, in bytes as sent (its documentation: 128 KB).
pub const RESPONSE_LIMIT: usize = 128 * 1024;
/// The longest form that can hold a response of [`RESPONSE_LIMIT`], in bytes: room for the
/// names of the fields and for a RelayState of 16 KiB.
pub const FORM_LIMIT: usize = RESPONSE_LIMIT + 16 * 1024;

const RESPONSE_FIELD: &str = "SAMLResponse";
const RELAY_STATE_FIELD: &str = "RelayState";
const REQUEST_FIELD: &str = "SAMLRequest";
/// More than any request has; one that says it is longer is not read.
const REQUEST_LIMIT: usize = 64 * 1024;
/// As providers write it: the padding is often lost on the way.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Why something is not a response of an identity provider.
#[derive(Debug, Error, PartialEq, Eq, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum SamlError {
    #[error("The form contains no SAMLResponse. Tell the administrator of the identity provider.")]
    Missing,
    /// The form has the field more than once; which one counts is nobody's guess to make.
    #[error(
        "The form contains more than one SAMLResponse. Tell the administrator of the identity \
         provider."
    )]
    Repeated,
    /// The response is longer than [`RESPONSE_LIMIT`].
    #[error(
        "The SAML response has {0} bytes, and AWS accepts at most {limit}. Ask the administrator \
         of the identity provider to send fewer groups.",
        limit = RESPONSE_LIMIT
    )]
    TooLong(usize),
    #[error(
        "The SAML response is not encoded correctly. Tell the administrator of the identity \
         provider."
    )]
    NotEncoded,
    #[error(
        "The form contains something other than a SAML response. Tell the administrator of the \
         identity provider."
    )]
    NoResponse,
    #[error(
        "The response belongs to another sign-in. Continue in the newest tab, or connect again."
    )]
    OtherLogin,
    /// The auth dialog sent the reason of a failure instead, see
    /// [`LoginFailure`](crate::answer::LoginFailure).
    #[error("{0}")]
    LoginFailed(Message),
}

/// The request that a login begins with, as far as an answer tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The request's `ID`, which the response brings back as `InResponseTo`.
    id: Option<String>,
    /// The request's RelayState, decoded. A provider has to send that back, but some cut it, change
    /// it or leave it out.
    relay_state: Option<String>,
}

impl Request {
    /// The request in the address that the browser opens (SAML's HTTP-Redirect binding).
    pub fn of(url: &Url) -> Self {
        let value = |field: &str| {
            let mut pairs = url.query_pairs();
            let found = pairs.find(|(name, value)| name == field && !value.is_empty());
            found.map(|(_, value)| value.into_owned())
        };
        Self {
            id: value(REQUEST_FIELD).and_then(|request| request_id(&request)),
            relay_state: value(RELAY_STATE_FIELD),
        }
    }

    /// Whether a response that names `answered` as the request, in a form with this RelayState as
    /// it was sent, is for this one. What the response says counts; the RelayState does only where
    /// it says nothing.
    fn is_answered_by(&self, answered: Option<&str>, relay_state: Option<&[u8]>) -> bool {
        match (&self.id, answered) {
            (Some(id), Some(answered)) => id == answered,
            _ => match (&self.relay_state, relay_state) {
                (Some(expected), Some(sent)) => is_same_state(sent, expected),
                _ => true,
            },
        }
    }
}

/// The `ID` of a request: base64 of a deflated document.
fn request_id(encoded: &str) -> Option<String> {
    let compressed = BASE64.decode(encoded).ok()?;
    let mut document = Vec::with_capacity(REQUEST_LIMIT);
    // As much as there is room for: the root element stands at the beginning.
    Decompress::new(false)
        .decompress_vec(&compressed, &mut document, FlushDecompress::Finish)
        .ok()?;
    let id = Root::of(&document)?.attribute("ID")?.into_owned();
    Some(id).filter(|id| !id.is_empty())
}

/// A SAML response as the browser sent it: 1 to [`RESPONSE_LIMIT`] bytes of percent-encoded
/// base64, in one line.
#[derive(Clone, PartialEq, Eq)]
pub struct SamlResponse(Secret);

impl SamlResponse {
    /// Cuts the response out of the body of a form post (`application/x-www-form-urlencoded`).
    /// Fails if there is not exactly one usable response, or if it is for another login than the
    /// one that begins with `request`.
    pub fn from_form_body(body: &[u8], request: &Request) -> Result<Self, SamlError> {
        let mut response = None;
        let mut relay_state = None;
        for field in body.split(|byte| *byte == b'&') {
            let equals = field
                .iter()
                .position(|byte| *byte == b'=')
                .unwrap_or(field.len());
            let (name, value) = field.split_at(equals);
            let value = value.strip_prefix(b"=").unwrap_or(value);
            if is_named(name, RESPONSE_FIELD) {
                if response.replace(value).is_some() {
                    return Err(SamlError::Repeated);
                }
            } else if is_named(name, RELAY_STATE_FIELD) && !value.is_empty() {
                relay_state.get_or_insert(value);
            }
        }
        let response = Self::from_raw(response.unwrap_or_default())?;
        let document = response.document().ok_or(SamlError::NoResponse)?;
        let root = Root::of(&document).filter(|root| root.local_name() == "Response");
        let answered = root.ok_or(SamlError::NoResponse)?.attribute("InResponseTo");
        if !request.is_answered_by(answered.as_deref(), relay_state) {
            return Err(SamlError::OtherLogin);
        }
        Ok(response)
    }

    /// What is in it.
    fn document(&self) -> Option<Zeroizing<Vec<u8>>> {
        let value = self.0.expose();
        let plain = Zeroizing::new(plain(value.as_bytes()));
        // The whole room at once: a buffer that grows leaves copies behind.
        let mut document = Zeroizing::new(Vec::with_capacity(plain.len()));
        BASE64.decode_vec(&*plain, &mut document).ok()?;
        Some(document)
    }

    /// Takes what a secret agent handed over.
    pub fn from_secret(secret: Secret) -> Result<Self, SamlError> {
        check(secret.expose().as_bytes())?;
        Ok(Self(secret))
    }

    /// The response, for the reply to the challenge.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// Length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a response is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn from_raw(value: &[u8]) -> Result<Self, SamlError> {
        match check(value) {
            // AWS's limit is that of the base64 itself, which it takes, too.
            Err(SamlError::TooLong(length)) => {
                let plain = Zeroizing::new(plain(value));
                check(&plain).map_err(|_| SamlError::TooLong(length))?;
                Self::of_bytes(&plain)
            }
            Err(error) => Err(error),
            Ok(()) => Self::of_bytes(value),
        }
    }

    fn of_bytes(value: &[u8]) -> Result<Self, SamlError> {
        let text = std::str::from_utf8(value).map_err(|_| SamlError::NotEncoded)?;
        Ok(Self(Secret::from(text)))
    }
}

impl fmt::Debug for SamlResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SamlResponse({} bytes)", self.len())
    }
}

/// The base64 that a form's field stands for.
fn plain(value: &[u8]) -> Vec<u8> {
    // The whole room at once: a buffer that grows leaves copies behind.
    let mut plain = Vec::with_capacity(value.len());
    let encoded = percent_encoding::percent_decode(value);
    // Providers break the lines.
    plain.extend(encoded.filter(|byte| !byte.is_ascii_whitespace()));
    plain
}

fn check(value: &[u8]) -> Result<(), SamlError> {
    if value.is_empty() {
        Err(SamlError::Missing)
    } else if value.len() > RESPONSE_LIMIT {
        Err(SamlError::TooLong(value.len()))
    } else if value
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+/=%*-._~".contains(byte))
    {
        Ok(())
    } else {
        Err(SamlError::NotEncoded)
    }
}

/// Whether a field's name, as sent, stands for `expected`, whichever way it is written.
fn is_named(name: &[u8], expected: &str) -> bool {
    decoded(name).is_some_and(|name| name == expected)
}

/// Whether a RelayState, as sent, is `expected`. A plus sign and a space count as the same: it
/// depends on how often the identity provider decoded the address.
fn is_same_state(encoded: &[u8], expected: &str) -> bool {
    decoded(encoded).is_some_and(|value| value.replace('+', " ") == expected.replace('+', " "))
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

    /// Base64 of a response, whose end may be anything.
    const RESPONSE: &str = "PFJlc3BvbnNlPg";

    fn parse(body: &str, request: &Request) -> Result<String, SamlError> {
        SamlResponse::from_form_body(body.as_bytes(), request)
            .map(|response| response.secret().expose().to_owned())
    }

    fn parse_any(body: &str) -> Result<String, SamlError> {
        parse(body, &Request::default())
    }

    fn request(id: Option<&str>, relay_state: Option<&str>) -> Request {
        Request {
            id: id.map(str::to_owned),
            relay_state: relay_state.map(str::to_owned),
        }
    }

    #[test]
    fn the_value_is_taken_as_it_stands() {
        for (body, value) in [
            ("SAMLResponse=PFJlc3BvbnNlPiA%2B", "PFJlc3BvbnNlPiA%2B"),
            (
                "SAMLResponse=PFJlc3BvbnNlPiA+/w==&RelayState=x",
                "PFJlc3BvbnNlPiA+/w==",
            ),
            ("RelayState=x&SAMLResponse=PFJlc3BvbnNlPg", RESPONSE),
            ("SAMLResponse=PFJlc3BvbnNlPg&other", RESPONSE),
            ("SAMLResponses=no&SAMLResponse=PFJlc3BvbnNlPg", RESPONSE),
            (
                "SAMLResponse=PFJlc3%0D%0ABvbnNlPg%3D%3D",
                "PFJlc3%0D%0ABvbnNlPg%3D%3D",
            ),
        ] {
            assert_eq!(parse_any(body).as_deref(), Ok(value), "{body}");
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
            ("SAMLResponse=AAAA", SamlError::NoResponse),
            ("SAMLResponse=-_.~", SamlError::NoResponse),
            // <Request>, <Response/
            ("SAMLResponse=PFJlcXVlc3Q%2B", SamlError::NoResponse),
            ("SAMLResponse=UmVzcG9uc2U%3D", SamlError::NoResponse),
        ] {
            assert_eq!(parse_any(body), Err(error), "{body}");
        }
    }

    #[test]
    fn an_answer_counts_for_the_request_that_it_names() {
        let id = Some("_1");
        let state = Some("a/b c");
        let answer = |to: Option<&str>| {
            let to = to.map(|to| format!(" InResponseTo=\"{to}\""));
            BASE64.encode(format!(
                "<samlp:Response{} ID=\"_9\"/>",
                to.unwrap_or_default()
            ))
        };
        for (expected, answered, sent, accepted) in [
            (request(id, None), Some("_1"), "", true),
            (request(id, None), Some("_2"), "", false),
            // What a provider does to the RelayState does not matter then.
            (request(id, state), Some("_1"), "&RelayState=a%2F", true),
            (request(id, state), Some("_2"), "&RelayState=a%2Fb+c", false),
            // A response that names no request, or a request that cannot be read.
            (request(id, state), None, "&RelayState=a%2Fb+c", true),
            (request(id, state), None, "&RelayState=a%2Fb%2Bc", true),
            (request(id, state), None, "&RelayState=other", false),
            (request(id, state), None, "&%52elayState=other", false),
            (request(id, state), None, "&RelayState=", true),
            (request(id, state), None, "", true),
            (request(None, state), Some("_2"), "&RelayState=other", false),
            (request(None, None), Some("_2"), "&RelayState=any", true),
        ] {
            let response: String =
                form_urlencoded::byte_serialize(answer(answered).as_bytes()).collect();
            let result = parse(&format!("SAMLResponse={response}{sent}"), &expected);
            let wanted = if accepted {
                Ok(response)
            } else {
                Err(SamlError::OtherLogin)
            };
            assert_eq!(result, wanted, "{expected:?} {answered:?} {sent}");
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let body = |length| {
            let rest = "a".repeat(length - RESPONSE.len() - 2);
            format!("SAMLResponse={RESPONSE}Ig{rest}")
        };
        assert_eq!(
            parse_any(&body(RESPONSE_LIMIT)).map(|value| value.len()),
            Ok(RESPONSE_LIMIT)
        );
        let over = RESPONSE_LIMIT + 1;
        assert_eq!(parse_any(&body(over)), Err(SamlError::TooLong(over)));
        let secret = Secret::new("a".repeat(over));
        assert_eq!(
            SamlResponse::from_secret(secret),
            Err(SamlError::TooLong(over))
        );
    }

    #[test]
    fn what_fits_only_without_its_encoding_goes_without_it() {
        let plain = |length: usize| format!("{RESPONSE}{}", "a/".repeat((length - 14) / 2));
        let body = |length| {
            let field: String = form_urlencoded::byte_serialize(plain(length).as_bytes()).collect();
            format!("SAMLResponse={field}")
        };
        let sent = parse_any(&body(RESPONSE_LIMIT)).unwrap();
        assert_eq!(sent, plain(RESPONSE_LIMIT));
        let over = parse_any(&body(RESPONSE_LIMIT + 2));
        assert!(matches!(over, Err(SamlError::TooLong(_))), "{over:?}");
        // What fits is left as it came.
        let short = parse_any(&body(1000)).unwrap();
        assert!(short.contains("%2F"));
    }

    #[test]
    fn debug_shows_the_length_only() {
        let body = format!("SAMLResponse={RESPONSE}");
        let response = SamlResponse::from_form_body(body.as_bytes(), &Request::default());
        assert_eq!(format!("{response:?}"), "Ok(SamlResponse(14 bytes))");
    }

    /// As AWS writes it: deflated, in base64, in an address.
    fn address(document: &str) -> Url {
        let mut compressed = Vec::with_capacity(4096);
        flate2::Compress::new(flate2::Compression::default(), false)
            .compress_vec(
                document.as_bytes(),
                &mut compressed,
                flate2::FlushCompress::Finish,
            )
            .unwrap();
        let encoded = BASE64.encode(compressed);
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("SAMLRequest", &encoded)
            .append_pair("RelayState", "a/b c")
            .finish();
        Url::parse(&format!("https://idp.example/sso?{query}")).unwrap()
    }

    #[test]
    fn the_request_of_a_login_is_read_from_its_address() {
        let document = "<?xml version=\"1.0\"?><saml2p:AuthnRequest Destination=\"https://x/?a&amp;b\" \
                        ID=\"_c0ffee\" Version=\"2.0\"><a/></saml2p:AuthnRequest>";
        let expected = request(Some("_c0ffee"), Some("a/b c"));
        assert_eq!(Request::of(&address(document)), expected);
        // What cannot be read binds nothing.
        for url in [
            address("no document"),
            Url::parse("https://idp.example/sso?SAMLRequest=x&RelayState=a%2Fb+c").unwrap(),
        ] {
            assert_eq!(Request::of(&url), request(None, Some("a/b c")), "{url}");
        }
        let nothing = Url::parse("https://idp.example/sso?RelayState=").unwrap();
        assert_eq!(Request::of(&nothing), Request::default());
    }

    #[test]
    fn a_request_that_swells_is_not_followed() {
        let bomb = format!("<a {}ID=\"_1\">", " ".repeat(4 * REQUEST_LIMIT));
        assert_eq!(Request::of(&address(&bomb)).id, None);
    }

    proptest! {
        #[test]
        fn a_response_goes_through_unchanged(rest in "[A-Za-z0-9+/]{1,300}", state in ".{0,40}") {
            let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
            let value = format!("{RESPONSE}Ig{}", &rest[..rest.len() / 4 * 4]);
            let body = format!("RelayState={state}&SAMLResponse={value}");
            prop_assert_eq!(parse_any(&body), Ok(value.clone()));
            let again = SamlResponse::from_secret(Secret::new(value.clone()));
            prop_assert_eq!(again.map(|response| response.len()), Ok(value.len()));
        }

        #[test]
        fn no_bytes_confuse_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let request = request(Some("_1"), Some("state"));
            if let Ok(response) = SamlResponse::from_form_body(&body, &request) {
                prop_assert!(!response.secret().expose().contains(['&', '\n', ' ', ':']));
            }
        }
    }
}
