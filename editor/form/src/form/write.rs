//! What an edit changes in `vpn.data` and `vpn.secrets`: the items of the fields that were
//! touched, and nothing else.

use super::Form;
use crate::field::{Field, Value, protocol, proxy, sign_in, source};
use crate::read::{SECRET_FLAGS, SECRETS, SWITCHES, TEXTS, directives_of};
use crate::visibility::{has_certificate, has_password, is_shown};
use crate::{directives, endpoint};
use aws_client_vpn_profile::credential::{Credential, SecretFlags};
use aws_client_vpn_profile::keys::{
    CHALLENGE_RESPONSE, DEFAULT_VPN_TIMEOUT_SECONDS, NO, OPTIONS, PKCS11_ID, PKCS11_PROVIDER,
    PROXY_AUTHENTICATES, PROXY_PORT, PROXY_SERVER, PROXY_TYPE, REMOTE, SAML_RESPONSE, SIGN_IN,
    SIGN_IN_CERTIFICATE, SIGN_IN_PASSWORD, SIGN_IN_SAML, STATIC_CHALLENGE, STATIC_CHALLENGE_ECHO,
    USER_NAME, YES,
};
use aws_client_vpn_profile::parts::{InlineFile, Transport};
use aws_client_vpn_profile::settings;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;

/// What is different after an edit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Items of `vpn.data`: a new value, or `None` for an item that goes.
    pub data: BTreeMap<String, Option<String>>,
    /// Likewise of `vpn.secrets`.
    pub secrets: BTreeMap<String, Option<Secret>>,
    /// What `vpn.timeout` must be at least, in seconds: NetworkManager would end a longer login.
    pub least_timeout: Option<u32>,
}

impl Changes {
    /// `vpn.timeout` of a connection that has `timeout` now; `None` if it stays.
    #[must_use]
    pub fn timeout(&self, timeout: u32) -> Option<u32> {
        let wanted = match timeout {
            0 => DEFAULT_VPN_TIMEOUT_SECONDS,
            set => set,
        };
        let wanted = wanted.max(self.least_timeout.unwrap_or(0));
        (wanted != timeout).then_some(wanted)
    }

    /// The items after the changes.
    pub(super) fn applied(
        &self,
        data: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, Secret>,
    ) -> (BTreeMap<String, String>, BTreeMap<String, Secret>) {
        (apply(data, &self.data), apply(secrets, &self.secrets))
    }

    fn set(&mut self, key: &str, value: &str) {
        let value = (!value.is_empty()).then(|| value.to_owned());
        self.data.insert(key.to_owned(), value);
    }

    fn remove(&mut self, key: &str) {
        self.data.insert(key.to_owned(), None);
    }

    fn set_secret(&mut self, key: &str, secret: Secret) {
        let secret = (!secret.is_empty()).then_some(secret);
        self.secrets.insert(key.to_owned(), secret);
    }

    fn remove_secret(&mut self, key: &str) {
        self.secrets.insert(key.to_owned(), None);
    }

    /// Nothing is kept of a credential any more.
    fn remove_credential(&mut self, credential: Credential) {
        self.remove(&credential.flags_key());
        self.remove_secret(credential.name());
    }
}

fn apply<T: Clone>(
    items: &BTreeMap<String, T>,
    changes: &BTreeMap<String, Option<T>>,
) -> BTreeMap<String, T> {
    let mut items = items.clone();
    for (key, value) in changes {
        match value {
            Some(value) => items.insert(key.clone(), value.clone()),
            None => items.remove(key),
        };
    }
    items
}

impl Form {
    /// What is not shown says nothing, whatever was filled in before.
    fn is_touched(&self, field: Field) -> bool {
        is_shown(&self.new, field) && self.old.get(&field) != self.new.get(&field)
    }

    fn any_touched(&self, fields: &[Field]) -> bool {
        fields.iter().any(|field| self.is_touched(*field))
    }

    fn text(&self, field: Field) -> &str {
        self.value(field).text().trim()
    }

    /// All that is different.
    pub(super) fn edited(&self) -> Changes {
        let mut wanted = Changes::default();
        for (field, key) in TEXTS {
            if self.is_touched(field) {
                wanted.set(key, self.text(field));
            }
        }
        for (field, key, _) in SWITCHES {
            if self.is_touched(field) {
                let on = self.value(field).is_on();
                wanted.set(key, if on { YES } else { NO });
            }
        }
        self.endpoint(&mut wanted);
        self.sign_in(&mut wanted);
        self.certificate(&mut wanted);
        self.proxy(&mut wanted);
        self.credentials(&mut wanted);
        self.directives(&mut wanted);
        let flags = format!("{SAML_RESPONSE}-flags");
        wanted.set(&flags, SecretFlags::NotSaved.flags());

        // What is so already is no change.
        let changed = |key: &String, value: &mut Option<_>| self.data.get(key) != value.as_ref();
        wanted.data.retain(changed);
        let changed = |key: &String, value: &mut Option<_>| self.secrets.get(key) != value.as_ref();
        wanted.secrets.retain(changed);
        wanted.least_timeout = self.least_timeout();
        self.guard_new_credentials(&mut wanted);
        wanted
    }

    fn endpoint(&self, wanted: &mut Changes) {
        if self.any_touched(&[Field::Endpoint, Field::Port, Field::Protocol]) {
            let port = self.text(Field::Port).parse().unwrap_or(0);
            let transport = match self.value(Field::Protocol).choice() {
                protocol::TCP => Transport::Tcp,
                _ => Transport::Udp,
            };
            // What makes no sense is refused before anything is saved.
            if let Ok(remotes) = endpoint::meant(self.text(Field::Endpoint), port, transport) {
                wanted.set(REMOTE, &settings::remotes_text(&remotes));
            }
        }
    }

    fn sign_in(&self, wanted: &mut Changes) {
        let choice = self.value(Field::SignIn).choice();
        let is_touched = self.is_touched(Field::SignIn);
        if is_touched {
            match choice {
                sign_in::BROWSER | sign_in::BROWSER_AND_CERTIFICATE => {
                    wanted.set(SIGN_IN, SIGN_IN_SAML);
                }
                sign_in::PASSWORD | sign_in::PASSWORD_AND_CERTIFICATE => {
                    wanted.set(SIGN_IN, SIGN_IN_PASSWORD);
                }
                sign_in::CERTIFICATE => wanted.set(SIGN_IN, SIGN_IN_CERTIFICATE),
                _ => {}
            }
        }
        if is_touched && !has_password(choice) {
            for key in [USER_NAME, STATIC_CHALLENGE, STATIC_CHALLENGE_ECHO] {
                wanted.remove(key);
            }
            for credential in [
                Credential::UserName,
                Credential::Password,
                Credential::ChallengeResponse,
            ] {
                wanted.remove_credential(credential);
            }
            return;
        }
        if self.any_touched(&[Field::Challenge, Field::ChallengeEcho]) {
            let text = self.text(Field::Challenge);
            wanted.set(STATIC_CHALLENGE, text);
            let echo = match (text, self.value(Field::ChallengeEcho).is_on()) {
                ("", _) => "",
                (_, true) => YES,
                (_, false) => NO,
            };
            wanted.set(STATIC_CHALLENGE_ECHO, echo);
            if text.is_empty() {
                wanted.remove_secret(CHALLENGE_RESPONSE);
            }
        }
    }

    fn proxy(&self, wanted: &mut Changes) {
        let choice = self.value(Field::ProxyType).choice();
        if self.is_touched(Field::ProxyType) && choice == proxy::NONE {
            for key in [PROXY_TYPE, PROXY_SERVER, PROXY_PORT, PROXY_AUTHENTICATES] {
                wanted.remove(key);
            }
            for credential in [Credential::ProxyUserName, Credential::ProxyPassword] {
                wanted.remove_credential(credential);
            }
            return;
        }
        if self.is_touched(Field::ProxyType)
            && let Some(name) = proxy::NAMES.get(choice)
        {
            wanted.set(PROXY_TYPE, name);
        }
    }

    /// The source that certificate and key come from; `None` if there is no certificate.
    fn source(&self) -> Option<usize> {
        has_certificate(self.value(Field::SignIn).choice())
            .then(|| self.value(Field::CertificateSource).choice())
    }

    fn certificate(&self, wanted: &mut Changes) {
        let source = self.source();
        let is_moved = self.any_touched(&[Field::SignIn, Field::CertificateSource]);
        for (field, inline, own) in [
            (Field::Ca, InlineFile::Ca, None),
            (Field::Certificate, InlineFile::Cert, Some(source::FILES)),
            (Field::PrivateKey, InlineFile::Key, Some(source::FILES)),
            (Field::Pkcs12, InlineFile::Pkcs12, Some(source::PKCS12)),
        ] {
            let is_used = own.is_none() || own == source;
            let content = match (is_used, is_moved || self.is_touched(field)) {
                (true, true) if self.is_touched(field) => self.text(field),
                (false, true) => "",
                (true | false, _) => continue,
            };
            let line = settings::escape(content);
            if inline.is_secret() {
                wanted.set_secret(inline.name(), Secret::new(line));
            } else {
                wanted.set(inline.name(), &line);
            }
        }
        if is_moved && source != Some(source::FILES) {
            wanted.remove(InlineFile::ExtraCerts.name());
        }
        if is_moved && source != Some(source::TOKEN) {
            wanted.remove(PKCS11_ID);
            wanted.remove(PKCS11_PROVIDER);
        }
    }

    fn credentials(&self, wanted: &mut Changes) {
        let is_moved = self.any_touched(&[
            Field::SignIn,
            Field::CertificateSource,
            Field::PrivateKey,
            Field::Pkcs12,
        ]);
        for (credential, field, flags_field) in SECRETS {
            let is_used = is_shown(&self.new, field);
            if !is_used {
                if is_moved {
                    wanted.remove_credential(credential);
                }
                continue;
            }
            if !self.any_touched(&[field, flags_field]) {
                continue;
            }
            let flags = SECRET_FLAGS.get(self.value(flags_field).choice());
            let flags = flags.copied().unwrap_or(credential.default_flags());
            wanted.set(&credential.flags_key(), flags.flags());
            match (flags, self.value(field)) {
                (SecretFlags::AgentOwned | SecretFlags::SystemOwned, Value::Secret(secret)) => {
                    wanted.set_secret(credential.name(), secret.clone());
                }
                _ => wanted.remove_secret(credential.name()),
            }
        }
    }

    fn directives(&self, wanted: &mut Changes) {
        let old = directives_of(&self.old);
        let new = directives_of(&self.new);
        if old != new {
            let options = self.data.get(OPTIONS).map_or("", String::as_str);
            let options = settings::unescape(options).unwrap_or_else(|| options.to_owned());
            let edited = directives::edited(&options, &new, |field| self.is_touched(field));
            wanted.set(OPTIONS, &settings::escape(edited.trim_end()));
        }
    }

    fn least_timeout(&self) -> Option<u32> {
        let is_touched = self.is_touched(Field::LoginLimit);
        is_touched
            .then(|| self.text(Field::LoginLimit).parse().ok())
            .flatten()
    }

    /// What can now be asked for gets flags, or NetworkManager would write answers to disk.
    fn guard_new_credentials(&self, changes: &mut Changes) {
        if !self.any_touched(&[
            Field::SignIn,
            Field::UserName,
            Field::Challenge,
            Field::CertificateSource,
            Field::PrivateKey,
            Field::Pkcs12,
            Field::ProxyType,
            Field::ProxyAuth,
        ]) {
            return;
        }
        let (data, secrets) = changes.applied(&self.data, &self.secrets);
        let Ok(profile) = settings::from_settings(&data, &secrets) else {
            return;
        };
        let usual = settings::to_data(&profile);
        for credential in Credential::ALL {
            let key = credential.flags_key();
            if let Some(flags) = usual.get(&key).filter(|_| !data.contains_key(&key)) {
                changes.data.insert(key, Some(flags.clone()));
            }
        }
    }
}
