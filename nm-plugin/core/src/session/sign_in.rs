//! What OpenVPN is given when it asks for credentials, and what the user is asked for it.

use super::ask::Why;
use super::{Effect, Failure, Phase, ServiceState, Session, State};
use crate::challenge::Challenge;
use crate::management::{Command, NeedKind};
use crate::mark;
use crate::profile::SignIn;
use crate::secret::Secret;
use crate::settings::{self, Credential, credential};
use crate::{saml, secret_prompt};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What the SAML sign-in sends as user name, in both phases.
const SAML_USER_NAME: &str = "N/A";
/// What the first phase sends as password: the port the answer is expected on.
const SAML_FIRST_PASSWORD: &str = "ACS::35001";
/// NetworkManager gives a secret agent 120 s (nm-secret-agent.c) and can only be asked for more
/// by a new request; this leaves it ten seconds to arrive.
pub(super) const SECRETS_REQUEST_LIFETIME: Duration = Duration::from_secs(110);

/// How many questions of the endpoint are passed on to a person in one activation.
const MOST_CHALLENGES: u32 = 8;
/// The realm of a private key's passphrase, and what the realm of a token's PIN ends with.
const KEY_REALM: &str = "Private Key";
const TOKEN_REALM_END: &str = " token";

impl Session {
    /// OpenVPN asks for a password, and stands still until it has one.
    pub(super) fn password_needed(&mut self, realm: String, kind: &NeedKind, now: Instant) {
        let key_credential = if realm == KEY_REALM {
            Some(Credential::KeyPassphrase)
        } else if realm.ends_with(TOKEN_REALM_END) {
            Some(Credential::TokenPin)
        } else {
            None
        };
        if let Some(credential) = key_credential {
            self.key_credential_needed(credential, realm, kind, now);
            return;
        }
        let credentials = match self.profile.sign_in() {
            SignIn::Saml => (SAML_USER_NAME.to_owned(), self.saml_password()),
            SignIn::Password { .. } => {
                let missing = self.credentials.missing(&self.wanted_passwords());
                match self.password_credentials() {
                    Some(credentials) => credentials,
                    None => {
                        let kind = kind.clone();
                        self.ask(missing, Why::Needed { realm, kind }, now);
                        return;
                    }
                }
            }
            SignIn::Certificate => {
                let what = mark!(
                    "a user name and password, although the profile signs in with a certificate \
                     only"
                );
                self.fail(Failure::SecretMissing(what), now);
                return;
            }
        };
        let (name, password) = credentials;
        self.send(Command::Username {
            realm: realm.clone(),
            name,
        });
        self.send(Command::Password { realm, password });
    }

    fn saml_password(&self) -> Secret {
        let has_answer = match self.state {
            State::Connecting { phase, .. } => phase == Phase::Answer,
            // A renegotiation inside a live connection takes the answer that made it.
            State::Connected => true,
            State::AwaitingLogin { .. }
            | State::Asking(_)
            | State::Stopping { .. }
            | State::Stopped => false,
        };
        match (&self.last_answer, has_answer) {
            (Some(answer), true) => answer.clone(),
            _ => Secret::from(SAML_FIRST_PASSWORD),
        }
    }

    /// What goes into the two fields of a sign-in with a password, as far as it is the person's.
    fn wanted_passwords(&self) -> Vec<Credential> {
        let is_password = |credential: &Credential| match credential {
            Credential::UserName | Credential::Password | Credential::ChallengeResponse => true,
            Credential::KeyPassphrase | Credential::TokenPin => false,
        };
        let needed = credential::needed(&self.profile);
        needed.into_iter().filter(is_password).collect()
    }

    /// User name and password, if all that belongs to them is there.
    fn password_credentials(&self) -> Option<(String, Secret)> {
        let name = match self.profile.user_name() {
            Some(name) => name.to_owned(),
            None => self
                .credentials
                .get(Credential::UserName)
                .map(|name| name.expose().to_owned())
                .unwrap_or_default(),
        };
        let answers = match self.state {
            State::Connecting { phase, .. } => phase == Phase::Answer,
            // A renegotiation inside a live connection takes the answer that made it.
            State::Connected => true,
            State::AwaitingLogin { .. }
            | State::Asking(_)
            | State::Stopping { .. }
            | State::Stopped => false,
        };
        if let (Some(answer), true) = (&self.last_answer, answers) {
            return Some((name, answer.clone()));
        }
        if !self
            .credentials
            .missing(&self.wanted_passwords())
            .is_empty()
        {
            return None;
        }
        let given = |credential| self.credentials.get(credential).cloned();
        let password = given(Credential::Password).unwrap_or_else(|| Secret::from(""));
        let password = match given(Credential::ChallengeResponse) {
            Some(code) => crate::challenge::static_challenge_reply(&password, &code),
            None => password,
        };
        Some((name, password))
    }

    pub(super) fn verification_failed(
        &mut self,
        realm: &str,
        reason: Option<&Secret>,
        now: Instant,
    ) {
        // Not said of every key; what is, is `private-key-password-failure`, which follows.
        if realm == KEY_REALM {
            return;
        }
        let phase = match self.state {
            State::Connecting { phase, .. } => phase,
            State::Connected => Phase::First,
            State::AwaitingLogin { .. }
            | State::Asking(_)
            | State::Stopping { .. }
            | State::Stopped => return,
        };
        let reason = reason.map_or("no reason given", Secret::expose);
        if !Challenge::is_challenge(reason) {
            self.refused(phase, reason, now);
            return;
        }
        let challenge = match Challenge::parse(reason) {
            Ok(challenge) => challenge,
            Err(error) => {
                self.fail(Failure::BadChallenge(error.to_string()), now);
                return;
            }
        };
        match (self.profile.sign_in(), phase) {
            (SignIn::Saml, Phase::First) => self.begin_login(challenge, now),
            (SignIn::Saml, Phase::Answer) => {
                let why = "it asked for another sign-in instead of accepting this one".to_owned();
                self.fail(Failure::Refused(why), now);
            }
            (SignIn::Password { .. }, _) => self.challenged(challenge, now),
            (SignIn::Certificate, _) => {
                let why = "it is a question for the user, which this profile does not expect";
                self.fail(Failure::BadChallenge(why.to_owned()), now);
            }
        }
    }

    /// The endpoint refused what was given, for good or for this time.
    fn refused(&mut self, phase: Phase, reason: &str, now: Instant) {
        let wanted = match (self.profile.sign_in(), phase) {
            (SignIn::Saml | SignIn::Certificate, _) => Vec::new(),
            // The password was right, or the endpoint would not have asked its question.
            (SignIn::Password { .. }, Phase::Answer) => vec![Credential::ChallengeResponse],
            (SignIn::Password { .. }, Phase::First) => self.wanted_passwords(),
        };
        self.last_answer = None;
        let is_askable = !wanted.is_empty() && self.interactive;
        if !self.credentials.refuse(&wanted) || !is_askable {
            self.fail(Failure::Refused(reason.to_owned()), now);
            return;
        }
        self.note(format!("the endpoint refused the sign-in: {reason}"));
        self.refusal = Some(format!("The endpoint refused the sign-in: {reason}."));
        // What is missing now is asked for at the hold that follows, before a further attempt.
        self.connect(Phase::First, now);
    }

    /// The endpoint asks a question before it lets the user in.
    fn challenged(&mut self, challenge: Challenge, now: Instant) {
        self.challenges += 1;
        if self.challenges > MOST_CHALLENGES {
            let why = "it asks one question after the other".to_owned();
            self.fail(Failure::BadChallenge(why), now);
        } else if challenge.wants_answer() {
            self.note("the endpoint asks a question".to_owned());
            let wanted = vec![Credential::ChallengeResponse];
            self.ask(wanted, Why::Challenged(challenge), now);
        } else {
            self.answer_challenge(&challenge, &Secret::from(""), now);
        }
    }

    fn begin_login(&mut self, challenge: Challenge, now: Instant) {
        let url = match challenge.url() {
            Ok(url) => url,
            Err(error) => {
                self.fail(Failure::BadChallenge(error.to_string()), now);
                return;
            }
        };
        if !self.interactive {
            self.fail(Failure::NotInteractive, now);
            return;
        }
        self.note(format!(
            "the endpoint asks for a browser login at {}; waiting up to {} s",
            url.host_str().unwrap_or_default(),
            self.limits.login.as_secs()
        ));
        // NetworkManager takes a request for secrets only while it believes us to be starting.
        self.announce(ServiceState::Starting);
        let until = now + self.limits.login;
        self.request_login(&url, until, false, now);
        self.state = State::AwaitingLogin {
            challenge,
            url,
            until,
            ask_again: now + SECRETS_REQUEST_LIFETIME,
        };
    }

    pub(super) fn request_login(
        &mut self,
        url: &url::Url,
        until: Instant,
        again: bool,
        now: Instant,
    ) {
        let seconds_left = until.saturating_duration_since(now).as_secs();
        self.effects.push_back(Effect::RequestSecrets {
            message: format!(
                "Sign in at {} in your browser to connect.",
                url.host_str().unwrap_or("the identity provider")
            ),
            hints: secret_prompt::login_hints(url, seconds_left, again),
        });
    }

    pub(super) fn new_secrets(&mut self, mut secrets: BTreeMap<String, Secret>, now: Instant) {
        let challenge = match &self.state {
            State::AwaitingLogin { challenge, .. } => challenge,
            State::Asking(_) => {
                self.answered(secrets, now);
                return;
            }
            State::Connecting { .. }
            | State::Connected
            | State::Stopping { .. }
            | State::Stopped => {
                self.note("NetworkManager sent secrets that nobody asked for; ignored".to_owned());
                return;
            }
        };
        let Some(response) = secrets.remove(settings::SAML_RESPONSE) else {
            let why = "the secret agent sent no answer of the browser login".to_owned();
            self.fail(Failure::LoginUnavailable(why), now);
            return;
        };
        match saml::SamlResponse::from_secret(response) {
            Ok(response) => {
                let octets = response.len();
                self.last_answer = Some(challenge.reply(response.secret()));
                self.note(format!("the browser login is done ({octets} octets)"));
                self.connect(Phase::Answer, now);
                self.release_hold();
            }
            Err(error) => self.fail(Failure::LoginUnavailable(error.to_string()), now),
        }
    }
}
