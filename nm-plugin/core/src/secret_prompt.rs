//! What the service and its auth dialog say to each other through NetworkManager.
//!
//! Between them stand NetworkManager and whatever secret agent the user's desktop has, so the
//! only ways are the hints of a secrets request (they become `-t` arguments of the dialog, which
//! every user of the machine can read) and the secrets of its answer. Both ends take the words
//! from here. The agent itself talks to the dialog in lines: its settings and secrets, `DONE`,
//! later `QUIT`.

use crate::secret::Secret;
use crate::settings;
use std::fmt;
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// Starts the hint with the address the browser is to open.
///
/// No hint may be named like a secret that has flags: nmcli would ask for it in the terminal.
pub const URL_HINT_PREFIX: &str = "x-aws-client-vpn-url:";
/// The hint that the browser has been opened already: NetworkManager gives an agent 120 s, so
/// for a longer login it is asked again, and a second tab would be in the way.
pub const RETRY_HINT: &str = "x-aws-client-vpn-retry";
/// Starts the hint with the time that is left for the login, in whole seconds.
pub const SECONDS_LEFT_HINT_PREFIX: &str = "x-aws-client-vpn-seconds-left:";
/// Starts the hint that NetworkManager makes of the service's message to the user.
pub const MESSAGE_HINT_PREFIX: &str = "x-vpn-message:";
/// What stands, with a colon, in front of the reason when the secret
/// [`settings::SAML_RESPONSE`] is not a response but says why there is none.
///
/// The reason does not travel as a secret of its own: that one would have no flags, and
/// NetworkManager writes a secret without flags to disk.
pub const LOGIN_FAILURE: &str = "login-failure";

/// The time for a login if the hints name none: AWS's own ten minutes.
const DEFAULT_TIME_LEFT: Duration = Duration::from_secs(600);
const LONGEST_TIME_LEFT: Duration = Duration::from_secs(3600);
/// The most octets of a reason: it comes from a user's process and goes into root's log.
const FAILURE_LIMIT: usize = 400;

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
pub struct Prompt {
    /// What the browser opens. Always `https`, unless `http` on loopback was explicitly allowed.
    pub url: Url,
    /// The browser has it open already.
    pub retry: bool,
    /// How long the login may take from now on.
    pub time_left: Duration,
}

/// Why hints do not ask for a login that can be done.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum PromptError {
    /// There is no address among the hints: nothing this dialog can do.
    #[error("the request names no address to sign in at")]
    NoAddress,
    /// The address is not one a browser may be sent to.
    #[error(
        "the address to sign in at is not an https address, so it was not opened; ask the \
         administrator of the VPN"
    )]
    UnsafeAddress,
}

impl Prompt {
    /// Reads the hints of a secrets request.
    ///
    /// Besides the hints of [`login_hints`] it takes an address that is the whole message of the
    /// request, as agents show it to the user. `loopback_http` also takes `http` on a loopback
    /// address; it is for builds that test against the emulated endpoint. A time over an hour
    /// counts as an hour.
    ///
    /// # Errors
    /// [`PromptError`] if there is no address, or one that is not safe to open.
    pub fn parse<'a>(
        hints: impl IntoIterator<Item = &'a str>,
        loopback_http: bool,
    ) -> Result<Self, PromptError> {
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
        let address = address.or(message).ok_or(PromptError::NoAddress)?;
        let url = Url::parse(address).map_err(|_| PromptError::UnsafeAddress)?;
        if !(is_https(&url) || loopback_http && is_loopback_http(&url)) {
            return Err(PromptError::UnsafeAddress);
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

/// Why the auth dialog could not do a login, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginFailure {
    /// The port that AWS sends the browser to is not free.
    #[error(
        "port 35001 on 127.0.0.1, which AWS sends the answer to, is in use by {holder}; close it \
         and connect again"
    )]
    PortInUse {
        /// The program that has it, as far as is known.
        holder: String,
    },
    /// The port cannot be listened on for another reason.
    #[error("cannot listen on 127.0.0.1 port 35001 for the answer of the browser: {0}")]
    PortUnusable(String),
    /// No browser could be started.
    #[error("no web browser could be opened for the login: {0}")]
    NoBrowser(String),
    /// The address is not safe to open.
    #[error(transparent)]
    BadPrompt(#[from] PromptError),
    /// The time for the login is over.
    #[error("nobody signed in within the time for it; connect again")]
    TimedOut,
}

impl LoginFailure {
    /// The failure as the value of the secret [`settings::SAML_RESPONSE`]: one line.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        Secret::new(format!("{LOGIN_FAILURE}:{}", one_line(&self.to_string())))
    }
}

/// The reason of a failed login, if `secret` is not a response but such a reason.
///
/// It is one line without control characters, whatever the sender put into it.
#[must_use]
pub fn login_failure_text(secret: &Secret) -> Option<String> {
    secret
        .expose()
        .strip_prefix(LOGIN_FAILURE)?
        .strip_prefix(':')
        .map(one_line)
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
    {
        if line.len() + character.len_utf8() > FAILURE_LIMIT {
            break;
        }
        line.push(character);
    }
    line
}

/// What a dialog prints when it has nothing: the agent passes the request on.
pub const EMPTY_ANSWER: &str = "\n\n";

/// What a dialog prints to hand over `value` as [`settings::SAML_RESPONSE`]: name, value, and two
/// empty lines, after which the agent reads no further.
#[must_use]
pub fn answer(value: &Secret) -> Secret {
    let (name, value) = (settings::SAML_RESPONSE, value.expose());
    let mut text = String::with_capacity(name.len() + value.len() + 4);
    for part in [name, "\n", value, "\n\n\n"] {
        text.push_str(part);
    }
    Secret::new(text)
}

/// A word of the agent that the dialog has to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentWord {
    /// Settings and secrets have been sent.
    Done,
    /// The agent has its answer, or wants none any more.
    Quit,
}

/// Finds the agent's words in what it writes to the dialog.
///
/// The settings and secrets in between are of no use to this dialog. It keeps no more of a line
/// than a word's length, so lines may have any length and no secret is held.
#[derive(Default)]
pub struct AgentLines {
    start: [u8; 4],
    length: usize,
}

impl AgentLines {
    /// Takes what was read next and returns the words that it completes, in order.
    pub fn push(&mut self, octets: &[u8]) -> Vec<AgentWord> {
        let mut words = Vec::new();
        for octet in octets {
            // libnm's own reader takes NUL for the end of a line, too.
            if matches!(octet, b'\n' | 0) {
                words.extend(self.word());
                self.length = 0;
            } else {
                if let Some(place) = self.start.get_mut(self.length) {
                    *place = *octet;
                }
                self.length = self.length.saturating_add(1);
            }
        }
        words
    }

    fn word(&self) -> Option<AgentWord> {
        match (&self.start, self.length) {
            (b"DONE", 4) => Some(AgentWord::Done),
            (b"QUIT", 4) => Some(AgentWord::Quit),
            _ => None,
        }
    }
}

impl fmt::Debug for AgentLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentLines(a line of {} octets so far)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ADDRESS: &str = "https://idp.example/sso?SAMLRequest=fZ%2B&RelayState=a+b";

    fn prompt(hints: &[&str]) -> Result<Prompt, PromptError> {
        Prompt::parse(hints.iter().copied(), false)
    }

    #[test]
    fn hints_are_read_as_they_were_built() {
        let url = Url::parse(ADDRESS).unwrap();
        for (seconds, retry) in [(600, false), (37, true), (0, true)] {
            let hints = login_hints(&url, seconds, retry);
            let parsed = Prompt::parse(hints.iter().map(String::as_str), false).unwrap();
            let time_left = Duration::from_secs(seconds);
            assert_eq!(
                parsed,
                Prompt {
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
            (&[][..], PromptError::NoAddress),
            (&["x-vpn-message:Please sign in"], PromptError::NoAddress),
            (
                &["x-aws-client-vpn-url:http://127.0.0.1/"],
                PromptError::UnsafeAddress,
            ),
            (
                &["x-aws-client-vpn-url:file:///etc/passwd"],
                PromptError::UnsafeAddress,
            ),
            (
                &["x-aws-client-vpn-url:javascript:alert(1)"],
                PromptError::UnsafeAddress,
            ),
            (
                &["x-aws-client-vpn-url:--version"],
                PromptError::UnsafeAddress,
            ),
            (&["x-aws-client-vpn-url:"], PromptError::UnsafeAddress),
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
                Prompt::parse([hint.as_str()], true).is_ok(),
                allowed,
                "{address}"
            );
            assert_eq!(
                prompt(&[&hint]),
                Err(PromptError::UnsafeAddress),
                "{address}"
            );
        }
    }

    #[test]
    fn a_failure_travels_as_one_line() {
        let failure = LoginFailure::PortInUse {
            holder: "evil\nname\u{1b}[2J".repeat(90),
        };
        let secret = failure.to_secret();
        assert!(!secret.expose().contains(char::is_control));
        let text = login_failure_text(&secret).unwrap();
        assert!(text.starts_with("port 35001 on 127.0.0.1"), "{text}");
        assert!(text.len() <= FAILURE_LIMIT);
        assert_eq!(login_failure_text(&Secret::from("PHNhbWw")), None);
    }

    #[test]
    fn the_answer_is_what_agents_read() {
        let answer = answer(&Secret::from("abc"));
        assert_eq!(answer.expose(), "saml-response\nabc\n\n\n");
    }

    #[test]
    fn words_of_the_agent_are_found() {
        use AgentWord::{Done, Quit};
        for (text, words) in [
            ("DONE\n\n", &[Done][..]),
            ("DATA_KEY=a\nDATA_VAL=DONE\n\nDONE\nQUIT\n", &[Done, Quit]),
            ("SECRET_VAL=\n=QUIT\nQUITE\nQUI\n\nQUIT", &[]),
            ("DONE\0QUIT\0", &[Done, Quit]),
        ] {
            assert_eq!(
                AgentLines::default().push(text.as_bytes()),
                words,
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn how_the_agent_cuts_its_words_does_not_matter(
            lines in proptest::collection::vec("(DONE|QUIT|DATA_KEY=[a-z]{0,9}|)", 0..12),
            cut in 1..9_usize,
        ) {
            let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let whole = AgentLines::default().push(text.as_bytes());
            let mut pieces = AgentLines::default();
            let found: Vec<_> =
                text.as_bytes().chunks(cut).flat_map(|piece| pieces.push(piece)).collect();
            prop_assert_eq!(found, whole);
        }

        #[test]
        fn any_hint_is_survived(hint in ".{0,80}") {
            if let Ok(prompt) = prompt(&[&hint, &format!("{URL_HINT_PREFIX}{hint}")]) {
                prop_assert!(prompt.url.as_str().starts_with("https://"));
            }
        }
    }
}
