//! What the dialog answers to a request, and how the service reads it.

use crate::request::BrowserRequestError;
use crate::saml::{SamlError, SamlResponse};
use crate::wire::{decode, encode, pairs};
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::keys::SAML_RESPONSE;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Argument, Localize, Message};
use aws_client_vpn_text::printable::{is_control, one_line};
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use thiserror::Error;

/// What stands, with a colon, in front of the reason when the secret
/// [`SAML_RESPONSE`] is not a response but says why there is none.
///
/// The reason does not travel as a secret of its own: that one would have no flags, and
/// NetworkManager writes a secret without flags to disk.
pub const LOGIN_FAILURE: &str = "login-failure";

/// The longest reason that is passed on as it is, in bytes.
const REASON_LIMIT: usize = 1000;
/// The longest that is written out at all, in bytes.
const SWELL_LIMIT: usize = 64 * 1024;
/// Starts the value of [`SAML_RESPONSE`] when it carries what nobody shall keep.
const TYPED_ONCE: &str = "typed-once";
/// Why the auth dialog could not do a login, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum LoginFailure {
    /// The port that AWS sends the browser to is not free.
    // TRANSLATORS: {holder} is the name of a program, or such as “another program”.
    #[error(
        "Port 35001 on 127.0.0.1, to which AWS sends the response, is in use by {holder}. Close \
         that program and connect again."
    )]
    PortInUse {
        /// The program that has it, as far as is known.
        holder: Argument,
    },
    /// The port is another login's, which is not over.
    #[error(
        "Port 35001 on 127.0.0.1, to which AWS sends the response, is in use by another sign-in. \
         Finish or cancel it, and connect again."
    )]
    PortInUseBySignIn,
    /// The port is taken where this user cannot look.
    #[error(
        "Port 35001 on 127.0.0.1, to which AWS sends the response, is in use by a program of \
         another user. Ask that user to close it, or restart the computer, and connect again."
    )]
    PortInUseByOtherUser,
    /// The port cannot be listened on for another reason.
    #[error(
        "The response cannot be received on port 35001 of 127.0.0.1: {0}. To check the port: \
         aws-client-vpn doctor"
    )]
    PortUnusable(String),
    /// No browser could be started.
    #[error("No web browser could be opened for the sign-in. {0}")]
    NoBrowser(Message),
    /// The address is not safe to open.
    #[error(transparent)]
    BadPrompt(#[from] BrowserRequestError),
    #[error("The sign-in was cancelled.")]
    Cancelled,
    #[error("The time to sign in ran out. Connect again.")]
    TimedOut,
}

impl LoginFailure {
    /// The failure as the value of the secret [`SAML_RESPONSE`]: one line.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let mut why = self.message();
        // Where a window or a terminal is there, it has the link, and this is not the answer.
        if matches!(self, Self::NoBrowser(_)) {
            why = message!(
                // TRANSLATORS: {reason} is a sentence.
                "{reason} Connect in a terminal, which shows the link: aws-client-vpn connect NAME",
                reason = why
            );
        }
        let why = serde_json::json!(shortened(why));
        Secret::new(format!("{LOGIN_FAILURE}:{why}"))
    }
}

/// The reason of a failed login, if `secret` is not a response but such a reason.
///
/// What the sender put into it has no control characters in the end, and is short.
#[must_use]
pub fn login_failure(secret: &Secret) -> Option<Message> {
    let text = secret.expose().strip_prefix(LOGIN_FAILURE)?;
    let text = text.strip_prefix(':')?;
    if text.len() > SWELL_LIMIT {
        return Some(Message::literal(one_line(text)));
    }
    // Else somebody else's words, in a language that we do not know.
    let literal = |_| Message::literal(one_line(text));
    Some(serde_json::from_str(text).map_or_else(literal, shortened))
}

/// `message`, or its beginning in English if it is long or has control characters: a user's process
/// may send it to root's service.
fn shortened(message: Message) -> Message {
    if length(&message) > SWELL_LIMIT {
        return Message::literal(one_line(message.text()));
    }
    let english = message.to_string();
    match english.len() > REASON_LIMIT || english.contains(is_control) {
        true => Message::literal(one_line(&english)),
        false => message,
    }
}

/// How long a message is in English, in bytes, without writing it out: a text may name what goes
/// into it any number of times.
fn length(message: &Message) -> usize {
    let inside = message.arguments().map(|(name, argument)| {
        let length = match argument {
            Argument::Literal(text) => text.len(),
            Argument::Message(message) => length(message),
        };
        let times = message.text().matches(&format!("{{{name}}}")).count();
        length.saturating_mul(times)
    });
    inside.fold(message.text().len(), usize::saturating_add)
}

/// What a dialog prints when it has nothing: the agent passes the request on.
pub const EMPTY_ANSWER: &str = "\n\n";

/// What a dialog prints to hand over `value` as [`SAML_RESPONSE`].
#[must_use]
pub fn answer(value: &Secret) -> Secret {
    printed(&[(SAML_RESPONSE, value)])
}

/// Name and value of each secret, a line each, and two empty lines, after which the agent reads no
/// further.
fn printed(secrets: &[(&str, &Secret)]) -> Secret {
    let lines = secrets
        .iter()
        .flat_map(|(name, value)| [name, "\n", value.expose(), "\n"]);
    // It has the whole room at once: a string that grows leaves copies behind.
    Secret::new(lines.chain([EMPTY_ANSWER]).collect::<Vec<_>>().concat())
}

/// Name and value of the answer that a person has cancelled, where Cancel is an answer.
#[must_use]
pub fn cancelled() -> (&'static str, Secret) {
    (SAML_RESPONSE, LoginFailure::Cancelled.to_secret())
}

/// Whether `secrets` are that answer.
pub fn is_cancelled(secrets: &BTreeMap<String, Secret>) -> bool {
    let (name, value) = cancelled();
    secrets.get(name) == Some(&value)
}

/// The SAML response that a secret agent handed over as [`SAML_RESPONSE`].
/// [`SamlError::LoginFailed`] if it says why there is none.
pub fn saml_response(secret: Secret) -> Result<SamlResponse, SamlError> {
    match login_failure(&secret) {
        Some(failure) => Err(SamlError::LoginFailed(failure)),
        None => SamlResponse::from_secret(secret),
    }
}

/// What a dialog prints to hand over what was typed; empty answers are left out, and with them
/// what would break the lines.
#[must_use]
pub fn form_answer(answers: &[(Credential, Secret)]) -> Secret {
    let usable = answers
        .iter()
        .filter(|(_, value)| !value.is_empty() && !value.expose().contains(['\n', '\r', '\0']));
    let pairs: Vec<_> = usable
        .map(|(credential, value)| (credential.name(), value))
        .collect();
    printed(&pairs)
}

/// As [`form_answer`], where the user does not want an agent to keep anything.
///
/// Agents keep what the flags in `vpn.data` say, without asking, so it does not travel under the
/// names of the secrets but within [`SAML_RESPONSE`], whose flags forbid to keep it. The service
/// calls [`decode_unsaved`].
#[must_use]
pub fn encode_unsaved(answers: &[(Credential, Secret)]) -> Secret {
    let values = answers
        .iter()
        .flat_map(|(c, value)| [c.name(), value.expose()]);
    let line = encode([TYPED_ONCE].into_iter().chain(values));
    let line = Secret::from(line.expose().trim_end_matches('\n'));
    printed(&[(SAML_RESPONSE, &line)])
}

/// The secrets of an answer, each under its own name again.
#[must_use]
pub fn decode_unsaved(mut secrets: BTreeMap<String, Secret>) -> BTreeMap<String, Secret> {
    let folded = secrets.get(SAML_RESPONSE).and_then(decode);
    let values: Vec<_> = folded.iter().flatten().map(Secret::expose).collect();
    if let [TYPED_ONCE, values @ ..] = &values[..]
        && let Some(pairs) = pairs(values)
    {
        secrets.remove(SAML_RESPONSE);
        secrets.extend(
            pairs
                .into_iter()
                .map(|(c, value)| (c.name().to_owned(), value)),
        );
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_travels_as_one_line() {
        let in_use_by = |holder: &str| LoginFailure::PortInUse {
            holder: holder.to_owned().into(),
        };
        let failure = in_use_by("java");
        let secret = failure.to_secret();
        assert!(!secret.expose().contains(char::is_control));
        assert_eq!(login_failure(&secret), Some(failure.message()));
        assert_eq!(login_failure(&Secret::from("PHNhbWw")), None);
        // What is neither short nor text alone is cut down to that.
        for evil in ["evil\nname", "\u{1b}[2J", &"long".repeat(300)] {
            let message = login_failure(&in_use_by(evil).to_secret()).unwrap();
            let text = message.to_string();
            assert!(!text.contains(is_control), "{text:?}");
            assert!(text.len() <= REASON_LIMIT, "{text}");
            assert_ne!(message, in_use_by(evil).message());
        }
    }

    #[test]
    fn a_reason_that_would_swell_is_not_written_out() {
        let bomb = (0..7).fold(Message::new("x"), |inner, _| {
            Message::new(&*"{a}".repeat(200).leak()).with("a", &inner)
        });
        assert!(length(&bomb) > 200_usize.pow(7));
        let secret = format!("{LOGIN_FAILURE}:{}", serde_json::json!(bomb));
        let message = login_failure(&Secret::new(secret)).unwrap();
        assert!(message.to_string().len() <= REASON_LIMIT);
    }

    #[test]
    fn a_reason_in_other_words_stays_as_it_is() {
        for text in ["port 35001 is in use by sshd", "C:\\new", r#"{"text":"a"}"#] {
            let secret = Secret::new(format!("{LOGIN_FAILURE}:{text}"));
            let message = login_failure(&secret);
            assert_eq!(message, Some(Message::literal(text)), "{text}");
        }
    }

    #[test]
    fn the_answer_is_what_agents_read() {
        let answer = answer(&Secret::from("abc"));
        assert_eq!(answer.expose(), "saml-response\nabc\n\n\n");
    }

    #[test]
    fn an_answer_that_would_break_the_lines_is_left_out() {
        let answers = [
            (Credential::UserName, Secret::from("a\nb")),
            (Credential::Password, Secret::from("")),
            (Credential::ChallengeResponse, Secret::from("123456")),
        ];
        assert_eq!(
            form_answer(&answers).expose(),
            "challenge-response\n123456\n\n\n"
        );
    }

    #[test]
    fn what_nobody_shall_keep_travels_under_another_name() {
        let answers = [
            (Credential::Password, Secret::from("a\tb\\")),
            (Credential::ChallengeResponse, Secret::from("123456")),
        ];
        let printed = encode_unsaved(&answers);
        assert_eq!(
            printed.expose(),
            "saml-response\ntyped-once\tpassword\ta\\tb\\\\\tchallenge-response\t123456\n\n\n"
        );
        let value = printed.expose().lines().nth(1).unwrap();
        let secrets = decode_unsaved([("saml-response".to_owned(), Secret::from(value))].into());
        let expected = [("challenge-response", "123456"), ("password", "a\tb\\")];
        let expected = expected.map(|(name, value)| (name.to_owned(), Secret::from(value)));
        assert_eq!(secrets, expected.into());
        for other in [
            "PHNhbWw",
            "login-failure:typed-once",
            "typed-once\tpassword",
        ] {
            let secrets = BTreeMap::from([("saml-response".to_owned(), Secret::from(other))]);
            assert_eq!(decode_unsaved(secrets.clone()), secrets, "{other}");
        }
    }

    #[test]
    fn a_failure_that_came_instead_is_told() {
        let secret = LoginFailure::NoBrowser(message!("none found")).to_secret();
        let Err(SamlError::LoginFailed(text)) = saml_response(secret) else {
            panic!("a failure passed for a response");
        };
        let expected =
            "none found Connect in a terminal, which shows the link: aws-client-vpn connect NAME";
        assert!(text.to_string().ends_with(expected), "{text}");
    }
}
