//! What OpenVPN is given when it asks for credentials, and what the user is asked for it.

use super::ask::Why;
use super::credentials::{KEY_REALM, key_credential};
use super::put_off::PutOff;
use super::{BrowsersStopped, Failure, Phase, Session, State};
use crate::challenge::{Challenge, SAML_USER_NAME, saml_first_password};
use crate::management::{Command, NeedKind};
use crate::tunnel_env;
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_profile::settings::credentials;
use aws_client_vpn_sign_in::again::{Again, a_credential};
use aws_client_vpn_text::mark;
use aws_client_vpn_text::redact::for_journal;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// NetworkManager gives a secret agent 120 s (nm-secret-agent.c) and can only be asked for more
/// by a new request; this leaves it ten seconds to arrive.
pub(super) const SECRETS_REQUEST_LIFETIME: Duration = Duration::from_secs(110);

/// How many questions of the endpoint are passed on to a person in one activation.
const MOST_CHALLENGES: u32 = 8;
/// OpenSSL's words for a key or PKCS #12 file whose encryption is too old for it (RC2, in most).
const UNSUPPORTED: &str = "digital envelope routines::unsupported";
/// What an endpoint says whose policies look at the device, which AWS's own client tells it of.
const DEVICE_POSTURE: &str = "Authorization policy evaluation failed";
/// What an endpoint says of an answer of the browser that it does not take, whatever the cause.
const BAD_ANSWER: &str = "Invalid username or password";
const NO_REASON: &str = "no reason given";

impl Session {
    /// OpenVPN asks for a password, and stands still until it has one.
    pub(super) fn password_needed(&mut self, realm: String, kind: &NeedKind, now: Instant) {
        if let Some(credential) = key_credential(&realm) {
            self.key_credential_needed(credential, realm, kind, now);
            return;
        }
        self.given = match self.state {
            State::Connecting { phase, .. } => Some(phase),
            State::Connected => Some(Phase::Reuse),
            State::MakingWay(_)
            | State::AwaitingLogin(_)
            | State::Asking(_)
            | State::Stopping { .. }
            | State::Failing { .. }
            | State::TakenDown
            | State::Stopped => None,
        };
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

    /// A passphrase or PIN is sent once: pkcs11-helper asks again when one was wrong, without a
    /// word that it was.
    fn key_credential_needed(
        &mut self,
        credential: Credential,
        realm: String,
        kind: &NeedKind,
        now: Instant,
    ) {
        if self.key_credential_sent == Some(credential) {
            self.key_credential_sent = None;
            if !self.key_credential_refused(credential, now) {
                return;
            }
        }
        match self.credentials.get(credential).cloned() {
            Some(password) => {
                self.key_credential_sent = Some(credential);
                self.send(Command::Password { realm, password });
            }
            None => {
                let kind = kind.clone();
                self.ask(vec![credential], Why::Needed { realm, kind }, now);
            }
        }
    }

    /// Whether a person may try again.
    fn key_credential_refused(&mut self, credential: Credential, now: Instant) -> bool {
        let failure = match credential {
            Credential::TokenPin => Failure::WrongPin,
            Credential::KeyPassphrase
            | Credential::UserName
            | Credential::Password
            | Credential::ChallengeResponse => Failure::WrongPassphrase,
        };
        let again = self.credentials.refuse(&[credential]) && self.interactive;
        if again {
            self.note(format!("{} was wrong", a_credential(credential)));
            self.refusal = Some(Again::Wrong(credential));
        } else {
            self.fail(failure, now);
        }
        again
    }

    /// OpenVPN could not load the certificate and its key, and is about to start anew.
    pub(super) fn key_not_loaded(&mut self, now: Instant) {
        let is_unsupported = self.is_unsupported();
        match self.key_credential_sent.take().filter(|_| !is_unsupported) {
            Some(credential) => {
                // Asked for again at the hold that follows.
                if self.key_credential_refused(credential, now) {
                    self.connect(Phase::First, now);
                }
            }
            None => {
                let why = self.key_complaint.take();
                let why = why.unwrap_or_else(|| "OpenVPN cannot load it".to_owned());
                self.fail(Failure::BadKey(why), now);
            }
        }
    }

    /// Keeps what OpenVPN says of a certificate or key, to explain the restart that follows.
    pub(super) fn logged(&mut self, text: &str, now: Instant) {
        if text.contains("unknown control message") && text.contains("CRV1:") {
            // OpenVPN has thrown the challenge away, and waits for an answer that will not come.
            let why = "it came in a form that OpenVPN does not know";
            self.fail(Failure::BadChallenge(why.to_owned()), now);
            return;
        }
        const ABOUT_KEYS: [&str; 4] = ["Cannot load", "OpenSSL: error", "PKCS#11", "PKCS12"];
        if !self.is_unsupported() && ABOUT_KEYS.iter().any(|start| text.contains(start)) {
            self.key_complaint = Some(for_journal(text).into_owned());
        }
        if text.starts_with("VERIFY OK: depth=0") {
            self.endpoint_recognised = true;
        }
        if tunnel_env::blocks_local_network(text) {
            self.note(
                "the endpoint takes all traffic into the tunnel, also where only some networks are \
                 its own, because this computer's local network has addresses that are not private \
                 (redirect-gateway block-local)"
                    .to_owned(),
            );
        }
        if let Some(mtu) = tunnel_env::pushed_mtu(text) {
            self.pushed_mtu = Some(mtu);
        }
    }

    /// Whether OpenVPN has said that the key's encryption is too old for OpenSSL.
    fn is_unsupported(&self) -> bool {
        let complaint = self.key_complaint.as_ref();
        complaint.is_some_and(|complaint| complaint.contains(UNSUPPORTED))
    }

    /// Why the endpoint says nothing: once it is recognised, it has most likely refused the
    /// client's certificate, which OpenVPN's servers do without a word.
    pub(super) fn silence(&self, step: &'static str, seconds: u64) -> Failure {
        if (self.endpoint_recognised || self.endpoint_broke_off)
            && self.profile.has_client_certificate()
        {
            Failure::CertificateIgnored { seconds }
        } else {
            let host = self.profile.display_endpoint();
            Failure::NoAnswer {
                host,
                seconds,
                step,
            }
        }
    }

    /// Whether the endpoint has refused the client's certificate (RFC 8446, 6.2): then no further
    /// attempt and no other node will do.
    pub(super) fn certificate_refused(&mut self, now: Instant) -> bool {
        let complaint = self.key_complaint.take().unwrap_or_default();
        let Some((_, alert)) = complaint.split_once(" alert ") else {
            return false;
        };
        let is_about_it = ["certificate", "unknown ca", "access denied"]
            .iter()
            .any(|words| alert.contains(words));
        if is_about_it {
            // What follows the alert's name is where OpenSSL met it.
            let alert = alert.split(':').next().unwrap_or_default();
            self.fail(Failure::CertificateRefused(alert.to_owned()), now);
        }
        is_about_it
    }

    /// OpenVPN asks for something to be done, for example for a token to be plugged in.
    pub(super) fn deed_needed(&mut self, name: String, message: String, now: Instant) {
        let is_token = name == "token-insertion-request";
        self.send(Command::NeedOk { name, ok: false });
        if is_token {
            self.fail(Failure::TokenMissing(message), now);
        }
    }

    fn saml_password(&self) -> Secret {
        let has_answer = match self.state {
            State::Connecting { phase, .. } => match phase {
                Phase::Answer | Phase::Reuse => true,
                Phase::First => false,
            },
            // A renegotiation inside a live connection takes the answer that made it.
            State::Connected => true,
            State::MakingWay(_)
            | State::AwaitingLogin(_)
            | State::Asking(_)
            | State::Stopping { .. }
            | State::Failing { .. }
            | State::TakenDown
            | State::Stopped => false,
        };
        match (&self.last_answer, has_answer) {
            (Some(answer), true) => answer.clone(),
            _ => saml_first_password(),
        }
    }

    /// What goes into the two fields of a sign-in with a password, as far as it is the person's.
    fn wanted_passwords(&self) -> Vec<Credential> {
        let is_password = |credential: &Credential| match credential {
            Credential::UserName | Credential::Password | Credential::ChallengeResponse => true,
            Credential::KeyPassphrase | Credential::TokenPin => false,
        };
        let needed = credentials::needed(&self.profile);
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
            State::MakingWay(_)
            | State::AwaitingLogin(_)
            | State::Asking(_)
            | State::Stopping { .. }
            | State::Failing { .. }
            | State::TakenDown
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
        let is_put_off = reason.and_then(|reason| PutOff::parse(reason.expose()));
        if let (Some(put_off), State::Connecting { .. } | State::Connected) =
            (is_put_off, &self.state)
        {
            self.put_off(put_off, now);
            return;
        }
        let phase = match self.state {
            State::Connecting { phase, .. } => phase,
            // The keys of a live connection were to be renewed.
            State::Connected => {
                self.lost("the endpoint wants a new sign-in", now);
                Phase::Reuse
            }
            State::MakingWay(_)
            | State::AwaitingLogin(_)
            | State::Asking(_)
            | State::Stopping { .. }
            | State::Failing { .. }
            | State::TakenDown
            | State::Stopped => return,
        };
        self.endpoint_broke_off = false;
        let reason = reason.map_or(NO_REASON, Secret::expose);
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
            (SignIn::Saml, Phase::First | Phase::Reuse) => self.begin_login(challenge, now),
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
        let given = self.given.take();
        // No other means changes what this endpoint wants.
        if reason.contains(DEVICE_POSTURE) {
            self.fail(Failure::DeviceChecked(reason.to_owned()), now);
            return;
        }
        if self.reconnect.is_some() {
            // What was good for the tunnel before costs nobody anything: go on to the next means.
            if given.is_none() && self.has_token {
                self.has_token = false;
                self.note(format!(
                    "the endpoint does not take its token any more: {reason}"
                ));
                return;
            }
            if phase == Phase::Reuse || given == Some(Phase::Reuse) {
                self.last_answer = None;
                self.note(format!(
                    "the endpoint does not take the last sign-in again: {reason}"
                ));
                self.connect(Phase::First, now);
                return;
            }
        }
        let wanted = match (self.profile.sign_in(), phase) {
            (SignIn::Saml | SignIn::Certificate, _) => Vec::new(),
            // The password was right, or the endpoint would not have asked its question.
            (SignIn::Password { .. }, Phase::Answer) => vec![Credential::ChallengeResponse],
            (SignIn::Password { .. }, Phase::First | Phase::Reuse) => self.wanted_passwords(),
        };
        self.last_answer = None;
        let is_askable = !wanted.is_empty() && self.interactive;
        if !self.credentials.refuse(&wanted) || !is_askable {
            let is_unexplained = reason.contains(BAD_ANSWER) || reason == NO_REASON;
            let reason = reason.to_owned();
            let is_browser = *self.profile.sign_in() == SignIn::Saml && phase == Phase::Answer;
            self.fail(
                if is_browser && is_unexplained {
                    Failure::RefusedAfterBrowser(reason)
                } else {
                    Failure::Refused(reason)
                },
                now,
            );
            return;
        }
        self.note(format!("the endpoint refused the sign-in: {reason}"));
        self.refusal = Some(Again::Refused {
            reason: reason.to_owned(),
        });
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
        let is_stopped = match self.browsers.stopped {
            BrowsersStopped::Never => false,
            BrowsersStopped::OnceUp => self.reconnect.is_some(),
            BrowsersStopped::FromTheStart => true,
        };
        if is_stopped && !self.is_renewed() {
            self.fail(Failure::BrowsersStopped, now);
            return;
        }
        if self.reconnect.is_some() {
            self.begin_login_after_a_loss(challenge, url, now);
            return;
        }
        let is_wanted = self.browsers.activation_is_asked_for;
        let login = self.ask_for_login(challenge, url, is_wanted, now);
        self.state = State::AwaitingLogin(login);
    }

    pub(super) fn new_secrets(&mut self, secrets: BTreeMap<String, Secret>, now: Instant) {
        match &self.state {
            State::AwaitingLogin(_) => self.login_answered(secrets, now),
            State::Asking(_) => self.answered(secrets, now),
            State::Connected if self.awaits_login_beside_the_tunnel() => {
                self.answered_beside_the_tunnel(secrets, now);
            }
            State::Connecting { .. }
            | State::MakingWay(_)
            | State::Connected
            | State::Stopping { .. }
            | State::Failing { .. }
            | State::TakenDown
            | State::Stopped => {
                self.note("NetworkManager sent secrets that nobody asked for; ignored".to_owned());
            }
        }
    }

    fn login_answered(&mut self, secrets: BTreeMap<String, Secret>, now: Instant) {
        let State::AwaitingLogin(login) = std::mem::replace(&mut self.state, State::Connected)
        else {
            return;
        };
        let answer = self.take_answer(&login, secrets);
        self.connect(Phase::Answer, now);
        match answer {
            Ok(answer) => {
                self.last_answer = Some(answer);
                self.release_hold(now);
            }
            Err(why) => self.fail(Failure::LoginUnavailable(why), now),
        }
    }
}
