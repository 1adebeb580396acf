//! A request for what a person types: user name, password, code, passphrase, PIN.
//!
//! Its hints begin with the bare names of the secrets. Those have flags in `vpn.data`, so nmcli too
//! takes them for what it has to ask for in the terminal (`--ask`) or to find in its `passwd-file`.
//! What else there is to say stands in hints that nmcli does not know, and in the message, which it
//! shows.

use crate::hints::{
    DEFAULT_TIME_LEFT, LONGEST_TIME_LEFT, MESSAGE_HINT_PREFIX, SECONDS_LEFT_HINT_PREFIX,
};
use crate::retry_reason::RetryReason;
use aws_client_vpn_profile::credential::{Credential, SecretFlags};
use aws_client_vpn_profile::keys::STATIC_CHALLENGE;
use aws_client_vpn_profile::settings::{credentials, static_challenge_echo};
use aws_client_vpn_text::printable::one_line;
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Starts the hint with the name of a secret whose last value was refused: it has to be typed
/// again, wherever a value is kept.
const REFUSED_HINT_PREFIX: &str = "x-aws-client-vpn-refused:";
/// Starts the hint with the question that [`Credential::ChallengeResponse`] answers.
const QUESTION_HINT_PREFIX: &str = "x-aws-client-vpn-question:";
/// The hint that the answer to the question may be seen while it is typed.
const ECHO_HINT: &str = "x-aws-client-vpn-echo";

/// The endpoint's own question, which [`Credential::ChallengeResponse`] answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengePrompt {
    /// As the endpoint words it.
    pub text: String,
    /// Whether the answer may be seen while it is typed.
    pub echo: bool,
}

/// What the auth dialog is to ask for, unless an agent has kept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialForm {
    /// What the service says to the user, in one line.
    pub message: Option<String>,
    /// Why it is asked once more, if it is.
    pub retry_reason: Option<RetryReason>,
    /// What is asked, in this order; never empty.
    pub fields: Vec<Field>,
    /// How long the answer may take from now on.
    pub time_left: Duration,
}

/// A field of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What it is.
    pub credential: Credential,
    /// The endpoint's own words for it, where it has any, in one line; they are not translated.
    pub question: Option<String>,
    /// Whether it must not be seen while it is typed.
    pub masked: bool,
    /// Whether the agent of the user keeps it for the next time.
    pub kept: bool,
    /// Whether what was given last was refused: a kept value must not be used again.
    pub refused: bool,
}

impl Field {
    /// The answer that is `known`, unless it was refused.
    fn answer(&self, known: &BTreeMap<String, Secret>) -> Option<(Credential, Secret)> {
        let value = known.get(self.credential.name())?;
        let is_usable = !self.refused && !value.is_empty();
        is_usable.then(|| (self.credential, value.clone()))
    }
}

/// The hints with which the service asks for `wanted`, of which those in `refused` have just been
/// given wrongly; `again` is what became of them.
#[must_use]
pub fn form_hints(
    wanted: &[Credential],
    refused: &BTreeSet<Credential>,
    retry_reason: Option<&RetryReason>,
    question: Option<&ChallengePrompt>,
    seconds_left: u64,
) -> Vec<String> {
    let mut hints: Vec<String> = wanted.iter().map(|c| c.name().to_owned()).collect();
    let refused = wanted.iter().filter(|c| refused.contains(c));
    hints.extend(refused.map(|c| format!("{REFUSED_HINT_PREFIX}{}", c.name())));
    hints.extend(retry_reason.map(RetryReason::hint));
    if let Some(question) = question {
        hints.push(format!(
            "{QUESTION_HINT_PREFIX}{}",
            one_line(&question.text)
        ));
        if question.echo {
            hints.push(ECHO_HINT.to_owned());
        }
    }
    hints.push(format!("{SECONDS_LEFT_HINT_PREFIX}{seconds_left}"));
    hints
}

impl CredentialForm {
    /// The form that the hints of a request name, or else the one of everything that the settings
    /// in `data` may ask for; `None` if that is nothing.
    pub fn parse<'a>(
        hints: impl IntoIterator<Item = &'a str>,
        data: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let mut wanted = Vec::new();
        let mut refused = BTreeSet::new();
        let (mut message, mut retry_reason, mut question) = (None, None, None);
        let mut echo = false;
        let mut time_left = DEFAULT_TIME_LEFT;
        for hint in hints {
            if let Some(credential) = Credential::from_name(hint) {
                if !wanted.contains(&credential) {
                    wanted.push(credential);
                }
            } else if let Some(name) = hint.strip_prefix(REFUSED_HINT_PREFIX) {
                refused.extend(Credential::from_name(name));
            } else if let Some(text) = hint.strip_prefix(QUESTION_HINT_PREFIX) {
                question = Some(one_line(text)).filter(|text| !text.is_empty());
            } else if let Some(text) = hint.strip_prefix(SECONDS_LEFT_HINT_PREFIX) {
                time_left = text.parse().map_or(time_left, Duration::from_secs);
            } else if let Some(text) = hint.strip_prefix(MESSAGE_HINT_PREFIX) {
                message = Some(one_line(text)).filter(|text| !text.is_empty());
            } else if hint == ECHO_HINT {
                echo = true;
            } else if let Some(why) = RetryReason::from_hint(hint) {
                retry_reason = Some(why);
            }
        }
        if wanted.is_empty() {
            wanted = credentials::askable(data, &BTreeMap::new());
            question = data.get(STATIC_CHALLENGE).map(|text| one_line(text));
            echo = static_challenge_echo(data);
        }
        if wanted.is_empty() {
            return None;
        }
        let field = |credential: Credential| {
            let is_response = credential == Credential::ChallengeResponse;
            let is_name = credential == Credential::UserName;
            Field {
                credential,
                question: question.clone().filter(|_| is_response),
                masked: !(is_name || is_response && echo),
                kept: SecretFlags::of(data, credential) == Some(SecretFlags::AgentOwned),
                refused: refused.contains(&credential),
            }
        };
        Some(Self {
            message,
            retry_reason,
            fields: wanted.into_iter().map(field).collect(),
            time_left: time_left.min(LONGEST_TIME_LEFT),
        })
    }

    /// What an agent may answer without asking: of the fields that may be kept, those that are
    /// `known`.
    #[must_use]
    pub fn kept_answers(&self, known: &BTreeMap<String, Secret>) -> Vec<(Credential, Secret)> {
        let kept = self.fields.iter().filter(|field| field.kept);
        kept.filter_map(|field| field.answer(known)).collect()
    }

    /// The form of what is not `known`, and what is.
    #[must_use]
    pub fn divided(&self, known: &BTreeMap<String, Secret>) -> (Self, Vec<(Credential, Secret)>) {
        let (mut rest, mut answers) = (self.clone(), Vec::new());
        rest.fields.retain(|field| match field.answer(known) {
            Some(answer) => {
                answers.push(answer);
                false
            }
            None => true,
        });
        (rest, answers)
    }

    /// Whether everything is asked for once more, because what was given was refused.
    pub fn is_repeated(&self) -> bool {
        self.fields.iter().any(|field| field.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::RefusalReason;
    use proptest::prelude::*;

    fn data() -> BTreeMap<String, String> {
        [
            ("sign-in", "password"),
            ("static-challenge", "Enter MFA code"),
            ("static-challenge-echo", "yes"),
            ("username-flags", "1"),
            ("password-flags", "1"),
            ("challenge-response-flags", "3"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    fn parse(hints: &[String]) -> Option<CredentialForm> {
        CredentialForm::parse(hints.iter().map(String::as_str), &data())
    }

    #[test]
    fn a_form_is_read_as_it_was_asked_for() {
        use Credential::{ChallengeResponse, Password, UserName};
        let question = ChallengePrompt {
            text: "Enter\nMFA code".to_owned(),
            echo: true,
        };
        let wanted = [UserName, Password, ChallengeResponse];
        let refused = BTreeSet::from([Password]);
        let retry_reason = RetryReason::Refused {
            reason: RefusalReason::Given("No: {x}".to_owned()),
        };
        let mut hints = form_hints(&wanted, &refused, Some(&retry_reason), Some(&question), 42);
        hints.push("x-vpn-message:Sign in to\tWork".to_owned());
        let form = parse(&hints).unwrap();
        assert_eq!(form.message.as_deref(), Some("Sign in to Work"));
        assert_eq!(form.retry_reason, Some(retry_reason));
        assert_eq!(form.time_left, Duration::from_secs(42));
        assert!(form.is_repeated());
        let field = |credential, question: Option<&str>, masked, kept, refused| Field {
            credential,
            question: question.map(str::to_owned),
            masked,
            kept,
            refused,
        };
        assert_eq!(
            form.fields,
            [
                field(UserName, None, false, true, false),
                field(Password, None, true, true, true),
                field(
                    ChallengeResponse,
                    Some("Enter MFA code"),
                    false,
                    false,
                    false
                ),
            ]
        );
        let questions = form.fields.iter().map(|field| field.question.as_deref());
        let questions: Vec<_> = questions.collect();
        assert_eq!(questions, [None, None, Some("Enter MFA code")]);
    }

    #[test]
    fn nmcli_asks_for_the_bare_names_and_for_nothing_else() {
        let question = ChallengePrompt {
            text: "password".to_owned(),
            echo: true,
        };
        let wanted = [Credential::Password, Credential::ChallengeResponse];
        let hints = form_hints(&wanted, &wanted.into(), None, Some(&question), 600);
        let data = data();
        let asked: Vec<_> = hints
            .iter()
            .filter(|hint| data.contains_key(&format!("{hint}-flags")))
            .collect();
        assert_eq!(asked, ["password", "challenge-response"]);
    }

    #[test]
    fn without_hints_it_is_the_form_of_the_settings() {
        let form = parse(&[]).unwrap();
        let asked: Vec<_> = form.fields.iter().map(|field| field.credential).collect();
        assert_eq!(
            asked,
            [
                Credential::UserName,
                Credential::Password,
                Credential::ChallengeResponse
            ]
        );
        assert_eq!(form.fields[2].question.as_deref(), Some("Enter MFA code"));
        assert!(!form.fields[2].masked && !form.is_repeated());
        let saml = BTreeMap::from([("sign-in".to_owned(), "saml".to_owned())]);
        assert_eq!(CredentialForm::parse([], &saml), None);
    }

    #[test]
    fn nobody_is_asked_for_what_is_known_unless_it_was_refused() {
        let known = BTreeMap::from([("password".to_owned(), Secret::from("x"))]);
        let form = |refused: &[Credential]| {
            let refused = refused.iter().copied().collect();
            parse(&form_hints(
                &[Credential::Password],
                &refused,
                None,
                None,
                60,
            ))
            .unwrap()
        };
        let (rest, answers) = form(&[]).divided(&known);
        assert_eq!(rest.fields, []);
        assert_eq!(answers, [(Credential::Password, Secret::from("x"))]);
        let refused = form(&[Credential::Password]);
        assert_eq!(refused.divided(&known), (refused.clone(), Vec::new()));
        let (rest, answers) = form(&[]).divided(&BTreeMap::new());
        assert_eq!((rest, answers), (form(&[]), Vec::new()));
    }

    #[test]
    fn an_agent_that_must_not_ask_tells_what_it_has_kept_and_a_person_is_asked_the_rest() {
        let known = BTreeMap::from([
            ("password".to_owned(), Secret::from("x")),
            ("challenge-response".to_owned(), Secret::from("1")),
            ("username".to_owned(), Secret::from("")),
        ]);
        let form = parse(&[]).unwrap();
        let password = (Credential::Password, Secret::from("x"));
        assert_eq!(form.kept_answers(&known), std::slice::from_ref(&password));
        let known = BTreeMap::from([("password".to_owned(), Secret::from("x"))]);
        let (rest, answers) = form.divided(&known);
        assert_eq!(answers, [password]);
        let asked: Vec<_> = rest.fields.iter().map(|field| field.credential).collect();
        assert_eq!(asked, [Credential::UserName, Credential::ChallengeResponse]);
    }

    proptest! {
        #[test]
        fn any_hints_are_survived_and_what_is_shown_is_one_line(
            hints in proptest::collection::vec("[a-z:-]{0,30}|.{0,60}", 0..6),
            question in ".{0,600}",
        ) {
            let mut hints = hints;
            hints.push(format!("{QUESTION_HINT_PREFIX}{question}"));
            hints.push("challenge-response".to_owned());
            let form = parse(&hints).unwrap();
            for field in &form.fields {
                let question = field.question.as_deref().unwrap_or("?");
                prop_assert!(!question.is_empty() && !question.contains(char::is_control));
            }
            prop_assert!(form.time_left <= LONGEST_TIME_LEFT);
        }
    }
}
