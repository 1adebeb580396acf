//! What OpenVPN is given when it asks for credentials, and what the user is asked for it.

use super::{Effect, Failure, Phase, ServiceState, Session, State};
use crate::challenge::Challenge;
use crate::management::{Command, NeedKind};
use crate::mark;
use crate::profile::SignIn;
use crate::secret::Secret;
use crate::{saml, secret_prompt, settings};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What the SAML sign-in sends as user name, in both phases.
const SAML_USER_NAME: &str = "N/A";
/// What the first phase sends as password: the port the answer is expected on.
const SAML_FIRST_PASSWORD: &str = "ACS::35001";
/// NetworkManager gives a secret agent 120 s (nm-secret-agent.c) and can only be asked for more
/// by a new request; this leaves it ten seconds to arrive.
pub(super) const SECRETS_REQUEST_LIFETIME: Duration = Duration::from_secs(110);

impl Session {
    pub(super) fn password_needed(&mut self, realm: String, kind: &NeedKind, now: Instant) {
        if realm == "Private Key" {
            match self.secrets.get(settings::KEY_PASSPHRASE).cloned() {
                Some(password) => self.send(Command::Password { realm, password }),
                None => self.fail(
                    Failure::SecretMissing(mark!("the private key's passphrase")),
                    now,
                ),
            }
            return;
        }
        let credentials = match self.profile.sign_in() {
            SignIn::Saml => Ok((SAML_USER_NAME.to_owned(), self.saml_password())),
            SignIn::Password { .. } => self.password_credentials(kind),
            SignIn::Certificate => Err(Failure::SecretMissing(mark!(
                "a user name and password, although the profile signs in with a certificate only"
            ))),
        };
        match credentials {
            Ok((name, password)) => {
                self.send(Command::Username {
                    realm: realm.clone(),
                    name,
                });
                self.send(Command::Password { realm, password });
            }
            Err(failure) => self.fail(failure, now),
        }
    }

    fn saml_password(&self) -> Secret {
        let has_answer = match self.state {
            State::Connecting { phase, .. } => phase == Phase::Answer,
            // A renegotiation inside a live connection takes the answer that made it.
            State::Connected => true,
            State::AwaitingLogin { .. } | State::Stopping { .. } | State::Stopped => false,
        };
        match (&self.last_answer, has_answer) {
            (Some(answer), true) => answer.clone(),
            _ => Secret::from(SAML_FIRST_PASSWORD),
        }
    }

    fn password_credentials(&self, kind: &NeedKind) -> Result<(String, Secret), Failure> {
        let name = self
            .profile
            .user_name()
            .ok_or(Failure::SecretMissing(mark!("a user name")))?;
        let password = self
            .secrets
            .get(settings::PASSWORD)
            .ok_or(Failure::SecretMissing(mark!("a password")))?;
        let password = match kind {
            NeedKind::UserPassword {
                static_challenge: Some(_),
            } => {
                let code = self
                    .secrets
                    .get(settings::CHALLENGE_RESPONSE)
                    .ok_or(Failure::SecretMissing(mark!("a one-time code")))?;
                crate::challenge::static_challenge_reply(password, code)
            }
            NeedKind::UserPassword {
                static_challenge: None,
            }
            | NeedKind::Password => password.clone(),
        };
        Ok((name.to_owned(), password))
    }

    pub(super) fn verification_failed(
        &mut self,
        realm: &str,
        reason: Option<&Secret>,
        now: Instant,
    ) {
        if realm == "Private Key" {
            self.fail(Failure::WrongPassphrase, now);
            return;
        }
        let phase = match self.state {
            State::Connecting { phase, .. } => phase,
            State::Connected => Phase::First,
            State::AwaitingLogin { .. } | State::Stopping { .. } | State::Stopped => return,
        };
        let Some(reason) = reason else {
            self.fail(Failure::Refused("no reason given".to_owned()), now);
            return;
        };
        if !Challenge::is_challenge(reason.expose()) {
            self.fail(Failure::Refused(reason.expose().to_owned()), now);
            return;
        }
        let challenge = match Challenge::parse(reason.expose()) {
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
            (SignIn::Password { .. } | SignIn::Certificate, _) => {
                let why = "it is a question for the user, which this profile does not expect";
                self.fail(Failure::BadChallenge(why.to_owned()), now);
            }
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
        let State::AwaitingLogin { challenge, .. } = &self.state else {
            self.note("NetworkManager sent secrets that nobody asked for; ignored".to_owned());
            return;
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
