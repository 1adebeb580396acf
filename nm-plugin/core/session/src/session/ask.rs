//! What a person types: when it is asked for, and what becomes of the answer.
//!
//! What is known to be missing is asked for before OpenVPN begins, so that nothing waits for a
//! person; the rest when OpenVPN or the endpoint wants it. OpenVPN stands still meanwhile.

use super::credentials::Unhelpful;
use super::login::Login;
use super::renewal::Renewal;
use super::{Effect, Failure, Phase, SECRETS_REQUEST_LIFETIME, ServiceState, Session, State};
use crate::challenge::Challenge;
use crate::management::NeedKind;
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_sign_in::again::a_credential;
use aws_client_vpn_sign_in::answer::unfolded;
use aws_client_vpn_sign_in::form::{Question, form_hints};
use aws_client_vpn_text::mark;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::time::Instant;

/// A person is being asked.
#[derive(Debug)]
pub(super) struct Asking {
    wanted: Vec<Credential>,
    why: Why,
    pub(super) until: Instant,
    pub(super) ask_again: Instant,
}

/// What the answer is for.
#[derive(Debug)]
pub(super) enum Why {
    /// It will be needed.
    Beforehand,
    /// OpenVPN waits for it.
    Needed { realm: String, kind: NeedKind },
    /// The endpoint has asked a question.
    Challenged(Challenge),
}

impl Asking {
    /// OpenVPN begins again, and does not wait for an answer any more.
    pub(super) fn starts_anew(&mut self) {
        if let Why::Needed { .. } = self.why {
            self.why = Why::Beforehand;
        }
    }
}

impl Session {
    /// Asks for what is known to be missing; whether there is anything. Once a tunnel was up,
    /// OpenVPN may have a token that spares the person, so nothing is asked before it is needed.
    pub(super) fn ask_beforehand(&mut self, now: Instant) -> bool {
        if self.generation > 0 {
            return false;
        }
        let missing = self.credentials.missing_for(&self.profile);
        if missing.is_empty() {
            return false;
        }
        self.ask(missing, Why::Beforehand, now);
        true
    }

    pub(super) fn ask(&mut self, wanted: Vec<Credential>, why: Why, now: Instant) {
        if !self.interactive {
            self.fail(Failure::NobodyToAsk(in_a_sentence(&wanted)), now);
            return;
        }
        self.note(format!(
            "asking for {}; waiting up to {} s",
            in_a_sentence(&wanted),
            self.limits.login.as_secs()
        ));
        // NetworkManager takes a request for secrets only while it believes us to be starting.
        self.announce(ServiceState::Starting);
        let asking = Asking {
            wanted,
            why,
            until: now + self.limits.login,
            ask_again: now + SECRETS_REQUEST_LIFETIME,
        };
        self.request_credentials(&asking, now);
        self.state = State::Asking(asking);
    }

    /// The time of [`Asking::until`] or [`Asking::ask_again`] has come.
    pub(super) fn nobody_answered(&mut self, now: Instant) {
        let is_over = match &self.state {
            State::Asking(asking) => now >= asking.until,
            State::Connecting { .. }
            | State::MakingWay(_)
            | State::AwaitingLogin(_)
            | State::Connected
            | State::Stopping { .. }
            | State::Failing { .. }
            | State::TakenDown
            | State::Stopped => false,
        };
        if is_over {
            let minutes = self.limits.login.as_secs().div_ceil(60);
            self.fail(Failure::LoginTimedOut { minutes }, now);
        } else {
            self.note("still waiting for an answer".to_owned());
            self.ask_anew(now);
        }
    }

    /// The login that waits for a person, beside the tunnel or without one.
    pub(super) fn login(&mut self) -> Option<&mut Login> {
        match (&mut self.state, &mut self.renewal) {
            (State::AwaitingLogin(login), _) | (_, Some(Renewal::AwaitingLogin(login))) => {
                Some(login)
            }
            (
                State::Connecting { .. }
                | State::MakingWay(_)
                | State::Asking(_)
                | State::Connected
                | State::Stopping { .. }
                | State::Failing { .. }
                | State::TakenDown
                | State::Stopped,
                Some(Renewal::Fetching { .. }) | None,
            ) => None,
        }
    }

    /// Asks once more for what is being waited for.
    pub(super) fn ask_anew(&mut self, now: Instant) {
        if let Some(login) = self.login() {
            let request = login.ask_anew(now);
            self.effects.push_back(request);
        }
        if let State::Asking(asking) = &mut self.state {
            asking.ask_again = now + SECRETS_REQUEST_LIFETIME;
            if let State::Asking(asking) = std::mem::replace(&mut self.state, State::Connected) {
                self.request_credentials(&asking, now);
                self.state = State::Asking(asking);
            }
        }
    }

    fn request_credentials(&mut self, asking: &Asking, now: Instant) {
        let question = self.question(asking);
        let refused = self.credentials.refused();
        let what = in_a_sentence(&asking.wanted);
        let message = match (&self.refusal, &question) {
            (Some(refusal), _) => refusal.request(&what),
            (None, Some(question)) => question.text.clone(),
            (None, None) => format!("Enter {what} to connect."),
        };
        let seconds_left = asking.until.saturating_duration_since(now).as_secs();
        self.effects.push_back(Effect::RequestSecrets {
            message,
            hints: form_hints(&asking.wanted, &refused, question.as_ref(), seconds_left),
        });
    }

    /// The endpoint's own question, if an answer to it is wanted.
    fn question(&self, asking: &Asking) -> Option<Question> {
        if !asking.wanted.contains(&Credential::ChallengeResponse) {
            return None;
        }
        match (&asking.why, self.profile.sign_in()) {
            (Why::Challenged(challenge), _) => Some(Question {
                text: challenge.text.clone(),
                echo: challenge.may_be_shown(),
            }),
            (
                Why::Beforehand | Why::Needed { .. },
                SignIn::Password {
                    static_challenge: Some(challenge),
                },
            ) => Some(Question {
                text: challenge.text.clone(),
                echo: challenge.echo,
            }),
            (
                Why::Beforehand | Why::Needed { .. },
                SignIn::Password {
                    static_challenge: None,
                }
                | SignIn::Saml
                | SignIn::Certificate,
            ) => None,
        }
    }

    /// What was asked for has come.
    pub(super) fn answered(&mut self, secrets: BTreeMap<String, Secret>, now: Instant) {
        let State::Asking(Asking { wanted, why, .. }) =
            std::mem::replace(&mut self.state, State::Connected)
        else {
            return;
        };
        self.connect(Phase::First, now);
        if let Err(unhelpful) = self.credentials.take(&wanted, unfolded(secrets)) {
            let failure = match unhelpful {
                Unhelpful::Missing(missing) => Failure::SecretMissing(a_credential(missing)),
                Unhelpful::SameAgain => Failure::SameAgain(in_a_sentence(&wanted)),
            };
            self.fail(failure, now);
            return;
        }
        self.refusal = None;
        match why {
            Why::Beforehand => {}
            Why::Needed { realm, kind } => {
                self.password_needed(realm, &kind, now);
                return;
            }
            Why::Challenged(challenge) => {
                let answer = self.credentials.get(Credential::ChallengeResponse).cloned();
                self.answer_challenge(&challenge, &answer.unwrap_or_else(|| Secret::from("")), now);
            }
        }
        self.release_hold(now);
    }

    /// Goes on to the second phase with `answer`.
    pub(super) fn answer_challenge(
        &mut self,
        challenge: &Challenge,
        answer: &Secret,
        now: Instant,
    ) {
        self.last_answer = Some(challenge.reply(answer));
        self.credentials.forget(Credential::ChallengeResponse);
        self.connect(Phase::Answer, now);
    }
}

/// What was asked for, for the middle of a sentence.
fn in_a_sentence(credentials: &[Credential]) -> String {
    let words: Vec<_> = credentials.iter().map(|c| your_credential(*c)).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

fn your_credential(credential: Credential) -> &'static str {
    match credential {
        Credential::UserName => mark!("your user name"),
        Credential::Password => mark!("your password"),
        Credential::ChallengeResponse => mark!("your one-time code"),
        Credential::KeyPassphrase => mark!("the passphrase of your private key"),
        Credential::TokenPin => mark!("the PIN of your security token"),
    }
}
