//! What the service and its auth dialog say to each other through NetworkManager.
//!
//! A request asks for one of two things: a login in the browser ([`BrowserRequest`]), or what a person
//! types ([`CredentialForm`](crate::form::CredentialForm)).
//!
//! Between them stand NetworkManager and whatever secret agent the user's desktop has, so the
//! only ways are the hints of a secrets request (they become `-t` arguments of the dialog, which
//! every user of the machine can read) and the secrets of its answer. Both ends take the words
//! from here. The agent itself talks to the dialog in lines: its settings and secrets, `DONE`,
//! later `QUIT`.

use crate::hints::{
    DEFAULT_TIME_LEFT, LONGEST_TIME_LEFT, MESSAGE_HINT_PREFIX, RETRY_HINT,
    SECONDS_LEFT_HINT_PREFIX, URL_HINT_PREFIX,
};
use aws_client_vpn_text::message::Localize;
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// The hints with which the service asks for a login at `url`.
///
/// `retry` says that the same login has been asked for before and its tab is open.
#[must_use]
pub fn login_hints(url: &Url, seconds_left: u64, retry: bool) -> Vec<String> {
    let mut hints = vec![
        format!("{URL_HINT_PREFIX}{url}"),
        format!("{SECONDS_LEFT_HINT_PREFIX}{seconds_left}"),
    ];
    if retry {
        hints.push(RETRY_HINT.to_owned());
    }
    hints
}

/// A login that the auth dialog is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserRequest {
    /// What the browser opens. Always `https`, unless `http` on loopback was explicitly allowed.
    pub url: Url,
    /// The browser has it open already.
    pub retry: bool,
    /// How long the login may take from now on.
    pub time_left: Duration,
}

/// Why hints do not ask for a login that can be done.
#[derive(Debug, Clone, Error, PartialEq, Eq, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum BrowserRequestError {
    #[error("The request contains no link for the sign-in.")]
    NoAddress,
    #[error(
        "The link for the sign-in does not begin with https, so it was not opened. Tell the \
         administrator of the endpoint."
    )]
    UnsafeAddress,
}

impl BrowserRequest {
    /// Reads the hints of a secrets request.
    ///
    /// Besides the hints of [`login_hints`] it takes an address that is the whole message of the
    /// request, as agents show it to the user. `loopback_http` also takes `http` on a loopback
    /// address; it is for builds that test against the emulated endpoint. A time over an hour
    /// counts as an hour.
    pub fn parse<'a>(
        hints: impl IntoIterator<Item = &'a str>,
        loopback_http: bool,
    ) -> Result<Self, BrowserRequestError> {
        let (mut address, mut message, mut retry) = (None, None, false);
        let mut time_left = DEFAULT_TIME_LEFT;
        for hint in hints {
            if let Some(text) = hint.strip_prefix(URL_HINT_PREFIX) {
                address = Some(text);
            } else if let Some(text) = hint.strip_prefix(SECONDS_LEFT_HINT_PREFIX) {
                time_left = text.parse().map_or(time_left, Duration::from_secs);
            } else if let Some(text) = hint.strip_prefix(MESSAGE_HINT_PREFIX) {
                message = Some(text).filter(|text| text.starts_with("https://"));
            } else if hint == RETRY_HINT {
                retry = true;
            }
        }
        let address = address.or(message).ok_or(BrowserRequestError::NoAddress)?;
        let url = Url::parse(address).map_err(|_| BrowserRequestError::UnsafeAddress)?;
        if !(is_https(&url) || loopback_http && is_loopback_http(&url)) {
            return Err(BrowserRequestError::UnsafeAddress);
        }
        Ok(Self {
            url,
            retry,
            time_left: time_left.min(LONGEST_TIME_LEFT),
        })
    }
}

fn is_https(url: &Url) -> bool {
    url.as_str().starts_with("https://") && url.host_str().is_some_and(|host| !host.is_empty())
}

fn is_loopback_http(url: &Url) -> bool {
    url.as_str().starts_with("http://")
        && match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ADDRESS: &str = "https://idp.example/sso?SAMLRequest=fZ%2B&RelayState=a+b";

    fn prompt(hints: &[&str]) -> Result<BrowserRequest, BrowserRequestError> {
        BrowserRequest::parse(hints.iter().copied(), false)
    }

    #[test]
    fn hints_are_read_as_they_were_built() {
        let url = Url::parse(ADDRESS).unwrap();
        for (seconds, retry) in [(600, false), (37, true), (0, true)] {
            let hints = login_hints(&url, seconds, retry);
            let parsed = BrowserRequest::parse(hints.iter().map(String::as_str), false).unwrap();
            let time_left = Duration::from_secs(seconds);
            assert_eq!(
                parsed,
                BrowserRequest {
                    url: url.clone(),
                    retry,
                    time_left
                }
            );
        }
    }

    #[test]
    fn foreign_hints_do_no_harm() {
        let url = format!("{URL_HINT_PREFIX}{ADDRESS}");
        let parsed = prompt(&[
            "x-vpn-message:Sign in at https://elsewhere.example/",
            &url,
            "password",
            "x-aws-client-vpn-seconds-left:soon",
        ])
        .unwrap();
        assert_eq!(parsed.url.as_str(), ADDRESS);
        assert_eq!(parsed.time_left, DEFAULT_TIME_LEFT);
        assert!(!parsed.retry);
    }

    #[test]
    fn a_message_that_is_an_address_will_do() {
        let message = format!("{MESSAGE_HINT_PREFIX}{ADDRESS}");
        assert_eq!(prompt(&[&message]).unwrap().url.as_str(), ADDRESS);
    }

    #[test]
    fn only_https_is_opened() {
        for (hints, error) in [
            (&[][..], BrowserRequestError::NoAddress),
            (
                &["x-vpn-message:Please sign in"],
                BrowserRequestError::NoAddress,
            ),
            (
                &["x-aws-client-vpn-url:http://127.0.0.1/"],
                BrowserRequestError::UnsafeAddress,
            ),
            (
                &["x-aws-client-vpn-url:file:///etc/passwd"],
                BrowserRequestError::UnsafeAddress,
            ),
            (
                &["x-aws-client-vpn-url:javascript:alert(1)"],
                BrowserRequestError::UnsafeAddress,
            ),
            (
                &["x-aws-client-vpn-url:--version"],
                BrowserRequestError::UnsafeAddress,
            ),
            (
                &["x-aws-client-vpn-url:"],
                BrowserRequestError::UnsafeAddress,
            ),
        ] {
            assert_eq!(prompt(hints), Err(error), "{hints:?}");
        }
    }

    #[test]
    fn http_is_opened_on_loopback_only_and_only_when_allowed() {
        for (address, allowed) in [
            ("http://127.0.0.1:8080/sso", true),
            ("http://[::1]:8080/sso", true),
            ("http://localhost/sso", true),
            ("http://127.0.0.1.example/", false),
            ("http://192.0.2.1/", false),
            ("ftp://127.0.0.1/", false),
        ] {
            let hint = format!("{URL_HINT_PREFIX}{address}");
            assert_eq!(
                BrowserRequest::parse([hint.as_str()], true).is_ok(),
                allowed,
                "{address}"
            );
            assert_eq!(
                prompt(&[&hint]),
                Err(BrowserRequestError::UnsafeAddress),
                "{address}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_hint_is_survived(hint in ".{0,80}") {
            if let Ok(prompt) = prompt(&[&hint, &format!("{URL_HINT_PREFIX}{hint}")]) {
                prop_assert!(prompt.url.as_str().starts_with("https://"));
            }
        }
    }
}
