//! What OpenVPN is given when it asks for credentials, and what follows when they are refused.

use super::ask::PromptReason;
use super::attempt::{Attempt, Sent, Step};
use super::context::Context;
use super::credentials::key_credential;
use super::events::WebBlocked;
use super::failure::Failure;
use super::phase::Phase;
use super::proxy;
use crate::challenge::{Challenge, SAML_USER_NAME, saml_first_password, static_challenge_reply};
use crate::management::Command;
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_profile::settings::credentials;
use aws_client_vpn_sign_in::refusal::RefusalReason;
use aws_client_vpn_sign_in::retry_reason::{RetryReason, a_credential};
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::secret::Secret;

/// What an endpoint says whose policies look at the device, which AWS's own client tells it of.
const DEVICE_POSTURE: &str = "Authorization policy evaluation failed";
/// What an endpoint says when it does not accept the browser's response, whatever the cause.
const BAD_ANSWER: &str = "Invalid username or password";
/// How many questions of the endpoint are passed on to a person before a tunnel is up.
const MAX_QUESTIONS: u32 = 8;

impl Attempt {
    /// OpenVPN asks for a password, and blocks until it has one.
    pub(super) fn password_needed(
        &mut self,
        realm: String,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let Step::Trying { phase, .. } = &self.step else {
            return Ok(());
        };
        if let Some(credential) = key_credential(&realm) {
            return self.key_credential_needed(credential, realm, cx);
        }
        if proxy::is_realm(&realm) {
            return self.proxy_credentials_needed(realm, cx);
        }
        self.sent = Some(match phase {
            Phase::First | Phase::Reply(_) => Sent::New,
            Phase::Replay(_) => Sent::Again,
        });
        if !cx.give_credentials(&realm, phase.reply())? {
            let wanted = cx.missing_passwords();
            self.ask(wanted, realm, cx)?;
        }
        Ok(())
    }

    pub(super) fn ask(
        &mut self,
        wanted: Vec<Credential>,
        realm: String,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        // What the try was to bring is brought with the answer.
        let phase = match self.replace_with_first_try(cx) {
            Step::Trying { phase, .. } => phase,
            Step::WithdrawingRoute(_) | Step::AwaitingLogin(_) | Step::Asking(_) => Phase::First,
        };
        let why = PromptReason::Needed {
            realm,
            phase,
            is_up: false,
        };
        self.step = Step::Asking(cx.ask(wanted, why)?);
        Ok(())
    }

    /// A passphrase or PIN is sent once: pkcs11-helper asks again when one was wrong, and does not
    /// say that it was.
    fn key_credential_needed(
        &mut self,
        credential: Credential,
        realm: String,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let is_sent = |sent: &mut Credential| *sent == credential;
        if self.key_credential_sent.take_if(is_sent).is_some() {
            cx.key_credential_refused(credential)?;
        }
        match cx.credentials.get(credential).cloned() {
            Some(password) => {
                self.key_credential_sent = Some(credential);
                cx.send(Command::Password { realm, password });
                Ok(())
            }
            None => self.ask(vec![credential], realm, cx),
        }
    }

    /// OpenVPN could not load the certificate and its key, and is about to restart.
    pub(super) fn key_not_loaded(&mut self, cx: &mut Context) -> Result<(), Failure> {
        let sent = self.key_credential_sent.take();
        let sent = sent.filter(|_| !self.diagnostics.is_unsupported());
        let credential = sent.ok_or_else(|| self.diagnostics.bad_key())?;
        cx.key_credential_refused(credential)?;
        // Asked for again at the hold that follows.
        self.start_try(Phase::First, cx);
        Ok(())
    }

    /// The endpoint refused what was `sent`, for good or for this time.
    pub(super) fn refused(
        &mut self,
        reason: RefusalReason,
        sent: Option<Sent>,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let Step::Trying { phase, .. } = &self.step else {
            return Ok(());
        };
        // No other means changes what this endpoint wants.
        if let RefusalReason::Given(words) = &reason
            && words.contains(DEVICE_POSTURE)
        {
            return Err(Failure::DeviceChecked(words.clone()));
        }
        if self.loss.is_some() {
            // What was good for the tunnel before costs nobody anything: go on to the next means.
            if sent.is_none() && self.resume.has_token {
                self.resume.has_token = false;
                cx.note_of_endpoint(format!(
                    "the endpoint does not take its token any more: {reason}"
                ));
                return Ok(());
            }
            if matches!(phase, Phase::Replay(_)) || sent == Some(Sent::Again) {
                self.resume.reply = None;
                cx.note_of_endpoint(format!(
                    "the endpoint does not take the last sign-in again: {reason}"
                ));
                self.start_try(Phase::First, cx);
                return Ok(());
            }
        }
        let wanted = match (cx.profile.sign_in(), phase) {
            (SignIn::Saml | SignIn::Certificate, _) => Vec::new(),
            // The password was right, or the endpoint would not have asked its question.
            (SignIn::Password { .. }, Phase::Reply(_)) => vec![Credential::ChallengeResponse],
            (SignIn::Password { .. }, Phase::First | Phase::Replay(_)) => cx.wanted_passwords(),
        };
        self.resume.reply = None;
        let is_askable = !wanted.is_empty() && cx.interactive;
        if !cx.credentials.mark_refused(&wanted) || !is_askable {
            let is_unexplained = match &reason {
                RefusalReason::Given(words) => words.contains(BAD_ANSWER),
                RefusalReason::NotGiven => true,
                RefusalReason::SessionExpired => false,
            };
            let is_browser =
                *cx.profile.sign_in() == SignIn::Saml && matches!(phase, Phase::Reply(_));
            return Err(if is_browser && is_unexplained {
                Failure::RefusedAfterBrowser(reason)
            } else {
                Failure::Refused(reason)
            });
        }
        cx.note_of_endpoint(format!("the endpoint refused the sign-in: {reason}"));
        cx.credentials.refusal = Some(RetryReason::Refused { reason });
        // What is missing now is asked for at the hold that follows, before a further try.
        self.start_try(Phase::First, cx);
        Ok(())
    }

    /// The endpoint asks a question, or for a browser login, before it lets the user in.
    pub(super) fn challenged(
        &mut self,
        challenge: Challenge,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        match (cx.profile.sign_in(), &self.step) {
            (
                SignIn::Saml,
                Step::Trying {
                    phase: Phase::Reply(_),
                    ..
                },
            ) => {
                return Err(Failure::SignInAskedAgain);
            }
            (SignIn::Saml, _) => return self.start_browser_login(challenge, cx),
            (SignIn::Password { .. }, _) => {}
            (SignIn::Certificate, _) => {
                return Err(Failure::BadChallenge(message!(
                    // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
                    "The request is a question for the user, which this profile does not expect."
                )));
            }
        }
        self.questions += 1;
        if self.questions > MAX_QUESTIONS {
            return Err(Failure::BadChallenge(message!(
                // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
                "The endpoint keeps asking further questions."
            )));
        }
        if challenge.wants_answer() {
            cx.note_of_endpoint("the endpoint asks a question".to_owned());
            let wanted = vec![Credential::ChallengeResponse];
            self.step = Step::Asking(cx.ask(wanted, PromptReason::Challenged(challenge))?);
        } else {
            self.answer_challenge(&challenge, &Secret::from(""), cx);
        }
        Ok(())
    }

    /// Goes on to the second phase with `answer`.
    pub(super) fn answer_challenge(
        &mut self,
        challenge: &Challenge,
        answer: &Secret,
        cx: &mut Context,
    ) {
        cx.credentials.forget(Credential::ChallengeResponse);
        self.start_try(Phase::Reply(challenge.reply(answer)), cx);
    }

    fn start_browser_login(
        &mut self,
        challenge: Challenge,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let url = challenge.url();
        let url = url.map_err(|error| Failure::BadChallenge(error.message()))?;
        if !cx.interactive {
            return Err(Failure::NotInteractive);
        }
        let is_blocked = match cx.web_access.blocked {
            WebBlocked::Never => false,
            WebBlocked::OnceUp => self.loss.is_some(),
            WebBlocked::FromTheStart => true,
        };
        if is_blocked && !self.login_requested_by_user() {
            return Err(Failure::WebBlocked);
        }
        if self.loss.is_some() {
            self.start_browser_login_after_loss(challenge, url, cx);
        } else {
            let requested_by_user = cx.web_access.activation_requested_by_user;
            self.step = Step::AwaitingLogin(cx.ask_for_login(challenge, url, requested_by_user));
        }
        Ok(())
    }
}

impl Context {
    /// Gives OpenVPN a name and a password, which is the `reply` to a challenge if there is one.
    /// Returns whether all that belongs to them was there.
    pub(super) fn give_credentials(
        &mut self,
        realm: &str,
        reply: Option<&Secret>,
    ) -> Result<bool, Failure> {
        let (name, password) = match (self.profile.sign_in(), reply) {
            (SignIn::Saml, Some(reply)) => (SAML_USER_NAME.to_owned(), reply.clone()),
            (SignIn::Saml, None) => (SAML_USER_NAME.to_owned(), saml_first_password()),
            (SignIn::Password { .. }, Some(reply)) => (self.user_name(), reply.clone()),
            (SignIn::Password { .. }, None) if !self.missing_passwords().is_empty() => {
                return Ok(false);
            }
            (SignIn::Password { .. }, None) => (self.user_name(), self.password()),
            (SignIn::Certificate, _) => {
                return Err(Failure::PasswordUnexpected);
            }
        };
        let realm = realm.to_owned();
        self.send(Command::Username {
            realm: realm.clone(),
            name,
        });
        self.send(Command::Password { realm, password });
        Ok(true)
    }

    fn user_name(&self) -> String {
        match self.profile.user_name() {
            Some(name) => name.to_owned(),
            None => {
                let given = self.credentials.get(Credential::UserName);
                given
                    .map(|name| name.expose().to_owned())
                    .unwrap_or_default()
            }
        }
    }

    fn password(&self) -> Secret {
        let given = |credential| self.credentials.get(credential).cloned();
        let password = given(Credential::Password).unwrap_or_else(|| Secret::from(""));
        match given(Credential::ChallengeResponse) {
            Some(code) => static_challenge_reply(&password, &code),
            None => password,
        }
    }

    /// What goes into the two fields of a sign-in with a password, as far as it is the person's.
    fn wanted_passwords(&self) -> Vec<Credential> {
        let is_password = |credential: &Credential| match credential {
            Credential::UserName | Credential::Password | Credential::ChallengeResponse => true,
            Credential::KeyPassphrase
            | Credential::TokenPin
            | Credential::ProxyUserName
            | Credential::ProxyPassword => false,
        };
        let needed = credentials::needed(&self.profile);
        needed.into_iter().filter(is_password).collect()
    }

    /// What of it is not there.
    pub(super) fn missing_passwords(&self) -> Vec<Credential> {
        self.credentials.missing(&self.wanted_passwords())
    }

    /// What unlocks the key was wrong; a person may try again, but not for ever.
    fn key_credential_refused(&mut self, credential: Credential) -> Result<(), Failure> {
        if !self.credentials.mark_refused(&[credential]) || !self.interactive {
            return Err(match credential {
                Credential::TokenPin => Failure::WrongPin,
                Credential::KeyPassphrase
                | Credential::UserName
                | Credential::Password
                | Credential::ChallengeResponse
                | Credential::ProxyUserName
                | Credential::ProxyPassword => Failure::WrongPassphrase,
            });
        }
        self.note(format!("{} was wrong", a_credential(credential)));
        self.credentials.refusal = Some(RetryReason::Wrong(credential));
        Ok(())
    }

    pub(super) fn unasked_secrets(&mut self) {
        self.note("NetworkManager sent secrets that nobody asked for; ignored".to_owned());
    }
}
