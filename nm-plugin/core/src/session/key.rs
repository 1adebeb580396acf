//! The client's certificate and its key: passphrase, PIN, and what is wrong with them.
//!
//! OpenVPN says little of it: it restarts, or stands still, or the endpoint falls silent. What
//! happened has to be told from its log.

use super::ask::{Why, a_credential};
use super::{Failure, Phase, Session, for_journal};
use crate::management::{Command, NeedKind};
use crate::settings::Credential;
use std::time::Instant;

/// OpenSSL's words for a key or PKCS #12 file whose encryption is too old for it (RC2, in most).
const UNSUPPORTED: &str = "digital envelope routines::unsupported";

impl Session {
    /// A passphrase or PIN is sent once: pkcs11-helper asks again when one was wrong, without a
    /// word that it was.
    pub(super) fn key_credential_needed(
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
            let what = a_credential(credential);
            self.note(format!("{what} was wrong"));
            self.refusal = Some(format!("Wrong: {what}."));
        } else {
            self.fail(failure, now);
        }
        again
    }

    /// OpenVPN could not load the certificate and its key, and is about to start anew.
    pub(super) fn key_not_loaded(&mut self, now: Instant) {
        let is_unsupported = self
            .key_complaint
            .as_ref()
            .is_some_and(|complaint| complaint.contains(UNSUPPORTED));
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
    pub(super) fn logged(&mut self, text: &str) {
        const ABOUT_KEYS: [&str; 4] = ["Cannot load", "OpenSSL: error", "PKCS#11", "PKCS12"];
        let is_explained = self
            .key_complaint
            .as_ref()
            .is_some_and(|complaint| complaint.contains(UNSUPPORTED));
        if !is_explained && ABOUT_KEYS.iter().any(|start| text.contains(start)) {
            self.key_complaint = Some(for_journal(text).into_owned());
        }
        if text.starts_with("VERIFY OK: depth=0") {
            self.endpoint_recognised = true;
        }
    }

    /// Why the endpoint says nothing: once it is recognised, it has most likely refused the
    /// client's certificate, which OpenVPN's servers do without a word.
    pub(super) fn silence(&self, step: &'static str) -> Failure {
        let seconds = self.limits.connect.as_secs();
        if self.endpoint_recognised && self.profile.has_client_certificate() {
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
}
