//! The `CRV1` challenge: what a server answers when a password alone does not do.
//!
//! `CRV1:<flags>:<session>:<base64 of the user name>:<text>` (OpenVPN's management-notes.txt). For
//! a SAML sign-in AWS puts a URL into the text, and writes the user name as Python shows bytes:
//! `b'Ti9B'`. The session id is accepted by the node that made it, once, so it is a secret.

use aws_client_vpn_profile::well_known::ACS_PORT;
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;
use url::Url;

/// What the SAML sign-in sends as user name, in both phases.
pub(crate) const SAML_USER_NAME: &str = "N/A";
const PREFIX: &str = "CRV1:";
/// The longest URL that is handed to a browser, in bytes.
const URL_LIMIT: usize = 65_536;

/// How much of a challenge's parts is shown, in characters and in names.
const MOST_SHOWN: usize = 100;
const MOST_NAMES: usize = 10;

/// What the first phase sends as password: the port the answer is expected on.
pub(crate) fn saml_first_password() -> Secret {
    Secret::new(format!("ACS::{ACS_PORT}"))
}

/// A challenge. `Debug` does not show the session id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// `R` (an answer is needed), `E` (it may be shown), …, in any combination.
    pub flags: String,
    /// What the answer has to carry.
    pub session: Secret,
    /// The user name the server understood, in whatever form it was sent.
    pub user_name: String,
    /// A question to the user, or a URL.
    pub text: String,
}

/// A challenge cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum ChallengeError {
    // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
    #[error("The request is not a challenge.")]
    NotAChallenge,
    // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
    #[error("The request is incomplete.")]
    Incomplete,
    // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
    #[error("The session ID in the request cannot be used.")]
    BadSession,
    // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
    #[error("The request contains no link for the sign-in.")]
    NoUrl,
    // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
    #[error(
        "The link for the sign-in does not begin with https, so the sign-in would not be private."
    )]
    NotHttps,
    // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
    #[error("The link for the sign-in contains a user name or password.")]
    Credentials,
    /// The URL is too long.
    // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
    #[error("The link for the sign-in is longer than {limit} characters.", limit = URL_LIMIT)]
    TooLong,
}

impl Challenge {
    /// Whether the server's reason for a refusal is a challenge at all.
    pub fn is_challenge(reason: &str) -> bool {
        reason.starts_with(PREFIX)
    }

    /// Reads the server's reason for a refusal.
    pub fn parse(reason: &str) -> Result<Self, ChallengeError> {
        let rest = reason
            .strip_prefix(PREFIX)
            .ok_or(ChallengeError::NotAChallenge)?;
        let mut fields = rest.splitn(4, ':');
        let mut field = || fields.next().ok_or(ChallengeError::Incomplete);
        let (flags, session, user_name, text) = (field()?, field()?, field()?, field()?);
        let sendable = |byte: u8| byte.is_ascii_graphic();
        if session.is_empty() || !session.bytes().all(sendable) {
            return Err(ChallengeError::BadSession);
        }
        Ok(Self {
            flags: flags.to_owned(),
            session: Secret::from(session),
            user_name: user_name.to_owned(),
            text: text.to_owned(),
        })
    }

    /// Whether it takes an answer; else its text is all there is to it.
    pub fn wants_answer(&self) -> bool {
        self.has_flag("R")
    }

    /// Whether the answer may be seen while it is typed.
    pub fn may_be_shown(&self) -> bool {
        self.has_flag("E")
    }

    /// What it looks like: for whoever has to find out what endpoints send. Of the session id, each
    /// letter is an `x`, each digit a `9`; of the link, it has the site and the names of what is
    /// carried.
    pub fn form(&self) -> String {
        let user_name = match self.user_name.contains(&BASE64.encode(SAML_USER_NAME)) {
            true => self.user_name.clone(),
            false => masked(&self.user_name),
        };
        let text = match self.url() {
            Ok(url) => {
                let names = url.query_pairs().map(|(name, _)| masked_name(&name));
                let names: Vec<_> = names.take(MOST_NAMES).collect();
                format!(
                    "a link of {} bytes to {} with {}",
                    self.text.len(),
                    url.host_str().unwrap_or_default(),
                    names.join(", ")
                )
            }
            Err(_) => format!("a text of {} bytes", self.text.len()),
        };
        format!(
            "flags {}, session id {}, user name {user_name}, {text}",
            masked_name(&self.flags),
            masked(self.session.expose())
        )
    }

    fn has_flag(&self, wanted: &str) -> bool {
        self.flags.split(',').any(|flag| flag.trim() == wanted)
    }

    /// The URL in the text, fit for a browser: absolute, `https`, without credentials.
    pub fn url(&self) -> Result<Url, ChallengeError> {
        if self.text.len() > URL_LIMIT {
            return Err(ChallengeError::TooLong);
        }
        // The parser would drop them in silence, and take `https:idp.example` as absolute.
        if self
            .text
            .chars()
            .any(|character| character.is_control() || character == ' ')
        {
            return Err(ChallengeError::NoUrl);
        }
        let url = Url::parse(&self.text).map_err(|_| ChallengeError::NoUrl)?;
        if url.scheme() != "https" {
            return Err(ChallengeError::NotHttps);
        }
        let after_scheme = self.text.get("https:".len()..).unwrap_or_default();
        let is_absolute = after_scheme
            .strip_prefix("//")
            .is_some_and(|rest| !rest.starts_with(['/', '\\']));
        if !is_absolute {
            return Err(ChallengeError::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ChallengeError::Credentials);
        }
        Ok(url)
    }

    /// The password that answers the challenge.
    #[must_use]
    pub fn reply(&self, answer: &Secret) -> Secret {
        joined(&["CRV1::", self.session.expose(), "::", answer.expose()])
    }
}

/// The password that carries the answer to a `static-challenge`:
/// `SCRV1:<base64 of the password>:<base64 of the answer>` (management-notes.txt).
#[must_use]
pub fn static_challenge_reply(password: &Secret, answer: &Secret) -> Secret {
    let password = Secret::new(BASE64.encode(password.expose()));
    let answer = Secret::new(BASE64.encode(answer.expose()));
    joined(&["SCRV1:", password.expose(), ":", answer.expose()])
}

/// A text's form: `x` for each letter, `9` for each digit.
fn masked(text: &str) -> String {
    let mask = |c: char| match c {
        _ if c.is_ascii_digit() => '9',
        _ if c.is_alphanumeric() => 'x',
        _ if c.is_ascii_punctuation() => c,
        _ => '?',
    };
    text.chars().take(MOST_SHOWN).map(mask).collect()
}

/// A name of the protocol as it is, and the form of anything else.
fn masked_name(name: &str) -> String {
    let is_name =
        |name: &str| name.len() <= 20 && name.bytes().all(|c| c.is_ascii_alphabetic() || c == b',');
    match is_name(name) {
        true => name.to_owned(),
        false => masked(name),
    }
}

/// In one piece: a string that grows leaves copies behind.
fn joined(parts: &[&str]) -> Secret {
    Secret::new(parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SESSION: &str = "instance-1/8123456789012345678/0f8fad5b-d9cb-469f-a165-70867728950e";

    fn aws(url: &str) -> String {
        format!("CRV1:R:{SESSION}:b'Ti9B':{url}")
    }

    #[test]
    fn aws_s_form_and_the_documented_form_are_both_read() {
        for (flags, user_name) in [("R", "b'Ti9B'"), ("R,E", "dXNlcg=="), ("", "")] {
            let reason = format!("CRV1:{flags}:{SESSION}:{user_name}:https://idp.example/a?b=c:d");
            let challenge = Challenge::parse(&reason).unwrap();
            assert_eq!(challenge.flags, flags);
            assert_eq!(challenge.session.expose(), SESSION);
            assert_eq!(challenge.user_name, user_name);
            assert_eq!(
                challenge.url().unwrap().as_str(),
                "https://idp.example/a?b=c:d"
            );
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let parse = |reason: &str| Challenge::parse(reason).unwrap_err();
        assert_eq!(
            parse("Invalid username or password"),
            ChallengeError::NotAChallenge
        );
        assert_eq!(parse("CRV1:R:id:user"), ChallengeError::Incomplete);
        assert_eq!(parse("CRV1:R::user:text"), ChallengeError::BadSession);
        assert_eq!(parse("CRV1:R:a b:user:text"), ChallengeError::BadSession);
        let url = |url: &str| Challenge::parse(&aws(url)).unwrap().url().unwrap_err();
        assert_eq!(url("http://idp.example/"), ChallengeError::NotHttps);
        assert_eq!(url("file:///etc/passwd"), ChallengeError::NotHttps);
        assert_eq!(url("javascript:alert(1)"), ChallengeError::NotHttps);
        assert_eq!(url("Enter your code"), ChallengeError::NoUrl);
        assert_eq!(url(""), ChallengeError::NoUrl);
        assert_eq!(url("/relative"), ChallengeError::NoUrl);
        assert_eq!(url("//idp.example/"), ChallengeError::NoUrl);
        assert_eq!(url("https:idp.example"), ChallengeError::NoUrl);
        assert_eq!(url("https:/idp.example"), ChallengeError::NoUrl);
        assert_eq!(url("https:///idp.example"), ChallengeError::NoUrl);
        assert_eq!(url("https:\\\\idp.example"), ChallengeError::NoUrl);
        assert_eq!(url("https://"), ChallengeError::NoUrl);
        assert_eq!(url("https://idp.example/a b"), ChallengeError::NoUrl);
        assert_eq!(url(" https://idp.example/"), ChallengeError::NoUrl);
        assert_eq!(url("https://a\u{7}b/"), ChallengeError::NoUrl);
        for text in [
            "https://user:word@idp.example/",
            "https://user@idp.example/",
        ] {
            assert_eq!(url(text), ChallengeError::Credentials, "{text}");
        }
        let long = format!("https://idp.example/{}", "a".repeat(URL_LIMIT));
        assert_eq!(url(&long), ChallengeError::TooLong);
        let longest = Challenge::parse(&aws(&long[..URL_LIMIT])).unwrap();
        assert_eq!(longest.url().unwrap().as_str().len(), URL_LIMIT);
    }

    #[test]
    fn the_reply_carries_the_session_and_the_answer_as_they_came() {
        let challenge = Challenge::parse(&aws("https://idp.example/")).unwrap();
        let reply = challenge.reply(&Secret::from("PHNhbWw%2B"));
        assert_eq!(reply.expose(), format!("CRV1::{SESSION}::PHNhbWw%2B"));
        let reply = static_challenge_reply(&Secret::from("pass"), &Secret::from("123456"));
        assert_eq!(reply.expose(), "SCRV1:cGFzcw==:MTIzNDU2");
    }

    #[test]
    fn a_question_in_words_is_kept_as_it_is() {
        let reason = "CRV1:R,E:Om01u7Fh4LrGBS7uh0SWmzwabUiGiW6l:Y3Ix:Please enter token: PIN";
        let challenge = Challenge::parse(reason).unwrap();
        assert_eq!(challenge.text, "Please enter token: PIN");
        assert_eq!(challenge.url(), Err(ChallengeError::NoUrl));
        assert!(challenge.wants_answer() && challenge.may_be_shown());
        let quiet = Challenge::parse("CRV1:R:id:Y3Ix:PIN").unwrap();
        assert!(quiet.wants_answer() && !quiet.may_be_shown());
        assert!(
            !Challenge::parse("CRV1::id:Y3Ix:Welcome")
                .unwrap()
                .wants_answer()
        );
    }

    #[test]
    fn the_session_is_never_shown() {
        let challenge = Challenge::parse(&aws("https://idp.example/")).unwrap();
        assert!(!format!("{challenge:?}").contains("instance-1"));
        let errors = [
            Challenge::parse("CRV1:R:instance-1/secret").unwrap_err(),
            Challenge::parse("CRV1:R:instance-1/ secret:user:https://a/").unwrap_err(),
            Challenge::parse(&aws("http://instance-1/"))
                .unwrap()
                .url()
                .unwrap_err(),
        ];
        for error in errors {
            assert!(!format!("{error} {error:?}").contains("instance-1"));
        }
    }

    #[test]
    fn the_form_of_a_challenge_tells_no_secret() {
        let form = |reason: &str| Challenge::parse(reason).unwrap().form();
        let url = "https://idp.example/sso?SAMLRequest=fVLL&RelayState=secret&token9=x";
        let shown = form(&aws(url));
        assert_eq!(
            shown,
            "flags R, session id xxxxxxxx-9/9999999999999999999/\
             9x9xxx9x-x9xx-999x-x999-99999999999x, user name b'Ti9B', \
             a link of 67 bytes to idp.example with SAMLRequest, RelayState, xxxxx9"
        );
        let question = form("CRV1:R,E:id7:YWRh:What is the code?");
        assert_eq!(
            question,
            "flags R,E, session id xx9, user name xxxx, a text of 17 bytes"
        );
        let other = form("CRV1:R:id7:a b\u{20ac}-9:PIN");
        assert_eq!(
            other,
            "flags R, session id xx9, user name x?x?-9, a text of 3 bytes"
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(reason in "\\PC{0,120}|[a-z':/,]{0,30}") {
            for reason in [reason.clone(), format!("CRV1:{reason}"), aws(&reason)] {
                if let Ok(challenge) = Challenge::parse(&reason) {
                    let _ = challenge.url();
                }
            }
        }

        #[test]
        fn a_challenge_survives_its_line(
            flags in "[A-Z]?(,[A-Z]){0,2}",
            session in "[!-9;-~]{1,80}",
            user_name in "b'[A-Za-z0-9+/]{0,12}={0,2}'|[A-Za-z0-9+/]{0,12}={0,2}",
            text in "\\PC{0,80}",
            answer in "[!-~]{0,40}",
        ) {
            let reason = format!("CRV1:{flags}:{session}:{user_name}:{text}");
            let challenge = Challenge::parse(&reason).unwrap();
            prop_assert_eq!(&challenge.flags, &flags);
            prop_assert_eq!(&challenge.user_name, &user_name);
            prop_assert_eq!(&challenge.text, &text);
            let reply = challenge.reply(&Secret::from(answer.as_str()));
            prop_assert_eq!(reply.expose(), format!("CRV1::{session}::{answer}"));
        }

        #[test]
        fn what_a_browser_gets_is_an_https_address(text in "https?:[/\\\\]{0,3}[a-z@:.\\\\/?#%]{0,30}") {
            if let Ok(url) = Challenge::parse(&aws(&text)).unwrap().url() {
                prop_assert!(url.as_str().starts_with("https://"));
                prop_assert!(url.host_str().is_some_and(|host| !host.is_empty()));
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
