//! What a person types: when it is asked for, and what becomes of the answer.
//!
//! What is known to be missing is asked for before OpenVPN begins, so that nothing waits for a
//! person; the rest when OpenVPN or the endpoint wants it. OpenVPN blocks meanwhile.

use super::context::Context;
use super::credentials::{Credentials, Rejected};
use super::events::{Effect, ServiceState};
use super::failure::Failure;
use super::login::SECRETS_REQUEST_LIFETIME;
use super::phase::Phase;
use crate::challenge::Challenge;
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_sign_in::answer::decode_unsaved;
use aws_client_vpn_sign_in::form::{ChallengePrompt, form_hints};
use aws_client_vpn_sign_in::hints::CANCEL_HINT;
use aws_client_vpn_sign_in::retry_reason::a_credential;
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::secret::Secret;
use aws_client_vpn_text::{gettext_noop, message};
use std::collections::BTreeMap;
use std::time::Instant;

/// A person is being asked.
#[derive(Debug)]
pub(super) struct Prompt {
    wanted: Vec<Credential>,
    why: PromptReason,
    pub(super) until: Instant,
    ask_again: Instant,
}

/// What the answer is for.
#[derive(Debug)]
pub(super) enum PromptReason {
    /// The answer will be needed for the try that follows.
    Beforehand(Phase),
    /// OpenVPN waits for it in the middle of a try; if `is_up`, inside a tunnel that goes on with the
    /// answer.
    Needed {
        realm: String,
        phase: Phase,
        is_up: bool,
    },
    /// The endpoint has asked a question.
    Challenged(Challenge),
}

impl Prompt {
    /// When to ask again, or to give up.
    pub(super) fn deadline(&self) -> Instant {
        self.until.min(self.ask_again)
    }

    /// OpenVPN begins again, and does not wait for an answer any more.
    pub(super) fn restarts(&mut self) {
        if let PromptReason::Needed { phase, .. } = &mut self.why {
            let phase = std::mem::replace(phase, Phase::First);
            self.why = PromptReason::Beforehand(phase);
        }
    }

    /// Asks once more.
    pub(super) fn ask_again(&mut self, cx: &mut Context) {
        self.ask_again = cx.now + SECRETS_REQUEST_LIFETIME;
        self.request(cx);
    }

    fn request(&self, cx: &mut Context) {
        let question = self.question(&cx.profile);
        let what = in_a_sentence(&self.wanted).to_string();
        let message = match (&cx.credentials.refusal, &question) {
            (Some(refusal), _) => refusal.request(&what),
            (None, Some(question)) => question.text.clone(),
            (None, None) => format!("Enter {what} to connect."),
        };
        let refused = cx.credentials.refused();
        let seconds_left = self.until.saturating_duration_since(cx.now).as_secs();
        let hints = form_hints(
            &self.wanted,
            &refused,
            cx.credentials.refusal.as_ref(),
            question.as_ref(),
            seconds_left,
        );
        cx.request_secrets(message, hints);
    }

    /// The endpoint's own question, if an answer to it is wanted.
    fn question(&self, profile: &Profile) -> Option<ChallengePrompt> {
        if !self.wanted.contains(&Credential::ChallengeResponse) {
            return None;
        }
        if let PromptReason::Challenged(challenge) = &self.why {
            return Some(ChallengePrompt {
                text: challenge.text.clone(),
                echo: challenge.may_be_shown(),
            });
        }
        let SignIn::Password {
            static_challenge: Some(challenge),
        } = profile.sign_in()
        else {
            return None;
        };
        Some(ChallengePrompt {
            text: challenge.text.clone(),
            echo: challenge.echo,
        })
    }

    /// Takes what was asked for out of what NetworkManager brought.
    pub(super) fn take(
        self,
        secrets: BTreeMap<String, Secret>,
        credentials: &mut Credentials,
    ) -> Result<PromptReason, Failure> {
        match credentials.take(&self.wanted, decode_unsaved(secrets)) {
            Ok(()) => Ok(self.why),
            Err(Rejected::Missing(missing)) => Err(Failure::SecretMissing(a_credential(missing))),
            Err(Rejected::Unchanged) => Err(Failure::Unchanged(in_a_sentence(&self.wanted))),
        }
    }
}

impl Context {
    /// Has NetworkManager ask a person. If there is, or was, a tunnel, Cancel is an answer: the connection
    /// does not end as if there had been none.
    pub(super) fn request_secrets(&mut self, message: String, mut hints: Vec<String>) {
        if self.network_manager.installed.is_some() {
            hints.push(CANCEL_HINT.to_owned());
        }
        self.effects
            .push_back(Effect::RequestSecrets { message, hints });
    }

    /// Asks a person for what is `wanted`.
    pub(super) fn ask(
        &mut self,
        wanted: Vec<Credential>,
        why: PromptReason,
    ) -> Result<Prompt, Failure> {
        if !self.interactive {
            return Err(Failure::NobodyToAsk(in_a_sentence(&wanted)));
        }
        self.note(format!(
            "asking for {}; waiting up to {} s",
            in_a_sentence(&wanted),
            self.timeouts.login.as_secs()
        ));
        // NetworkManager takes a request for secrets only while it believes us to be starting.
        self.announce(ServiceState::Starting);
        let asking = Prompt {
            wanted,
            why,
            until: self.now + self.timeouts.login,
            ask_again: self.now + SECRETS_REQUEST_LIFETIME,
        };
        asking.request(self);
        Ok(asking)
    }
}

/// What was asked for, for the middle of a sentence.
fn in_a_sentence(credentials: &[Credential]) -> Message {
    let mut words = credentials
        .iter()
        .map(|c| Message::new(your_credential(*c)));
    let last = words.next_back().unwrap_or(Message::new(""));
    // TRANSLATORS: A list of things to enter: your user name, your password.
    match words.reduce(|before, next| message!("{before}, {next}", before = before, next = next)) {
        // TRANSLATORS: The end of a list of things to enter.
        Some(before) => message!("{before} and {last}", before = before, last = last),
        None => last,
    }
}

fn your_credential(credential: Credential) -> &'static str {
    match credential {
        // TRANSLATORS: Goes into “The sign-in needs {0}”: an object, in the accusative.
        Credential::UserName => gettext_noop!("your user name"),
        // TRANSLATORS: Goes into “The sign-in needs {0}”: an object, in the accusative.
        Credential::Password => gettext_noop!("your password"),
        // TRANSLATORS: Goes into “The sign-in needs {0}”: an object, in the accusative.
        Credential::ChallengeResponse => gettext_noop!("your one-time code"),
        // TRANSLATORS: Goes into “The sign-in needs {0}”: an object, in the accusative.
        Credential::KeyPassphrase => gettext_noop!("the passphrase of your private key"),
        // TRANSLATORS: Goes into “The sign-in needs {0}”: an object, in the accusative.
        Credential::TokenPin => gettext_noop!("the PIN of your security token"),
        // TRANSLATORS: Goes into “The sign-in needs {0}”: an object, in the accusative.
        Credential::ProxyUserName => gettext_noop!("your user name for the proxy"),
        // TRANSLATORS: Goes into “The sign-in needs {0}”: an object, in the accusative.
        Credential::ProxyPassword => gettext_noop!("your password for the proxy"),
    }
}
