//! What a person has to give to sign in, by the profile or by the settings of the connection.

use super::sign_in;
use crate::credential::{Credential, SecretFlags};
use crate::keys::{PKCS11_ID, PROXY_AUTHENTICATES, USER_NAME, YES};
use crate::parts::{InlineFile, SignIn};
use crate::pem::is_encrypted;
use crate::profile::Profile;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;

/// What has to be given before `profile` can sign in, as far as it tells: a PKCS #12 file does not
/// show whether it has a passphrase, and an endpoint may ask more.
#[must_use]
pub fn needed(profile: &Profile) -> Vec<Credential> {
    let (with_password, with_code) = match profile.sign_in() {
        SignIn::Saml | SignIn::Certificate => (false, false),
        SignIn::Password { static_challenge } => (true, static_challenge.is_some()),
    };
    let is_needed = |credential: &Credential| match credential {
        Credential::UserName => with_password && profile.user_name().is_none(),
        Credential::Password => with_password,
        Credential::ChallengeResponse => with_code,
        Credential::KeyPassphrase => profile.private_key_is_encrypted(),
        Credential::TokenPin => profile.pkcs11_id().is_some(),
        Credential::ProxyUserName | Credential::ProxyPassword => {
            profile.proxy().is_some_and(|proxy| proxy.authenticates)
        }
    };
    Credential::ALL
        .into_iter()
        .filter(is_needed)
        .filter(|credential| !profile.does_not_require(*credential))
        .collect()
}

/// What a connection of `profile` may ever ask for, so that the flags of each are set: an endpoint
/// with passwords may ask a question of its own, and only the endpoint knows.
pub(crate) fn conceivable(profile: &Profile) -> Vec<Credential> {
    let with_password = match profile.sign_in() {
        SignIn::Saml | SignIn::Certificate => false,
        SignIn::Password { .. } => true,
    };
    let may_come = |credential: &Credential| match credential {
        Credential::UserName => with_password && profile.user_name().is_none(),
        Credential::Password | Credential::ChallengeResponse => with_password,
        Credential::KeyPassphrase => {
            profile.private_key_is_encrypted() || profile.inline(InlineFile::Pkcs12).is_some()
        }
        Credential::TokenPin => profile.pkcs11_id().is_some(),
        Credential::ProxyUserName | Credential::ProxyPassword => profile.proxy().is_some(),
    };
    Credential::ALL
        .into_iter()
        .filter(|credential| may_come(credential) || profile.does_not_require(*credential))
        .collect()
}

/// What a connection may ask its user for, in the order of asking, from its settings alone: for
/// whoever shows or keeps it. The certificate and key are not among `data`, so a passphrase is
/// among these only if its flags or a key in `secrets` tell of it.
#[must_use]
pub fn askable(
    data: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, Secret>,
) -> Vec<Credential> {
    let sign_in = sign_in(data);
    let with_password = matches!(sign_in, Ok(SignIn::Password { .. }));
    let with_code = matches!(
        sign_in,
        Ok(SignIn::Password {
            static_challenge: Some(_)
        })
    );
    let has_encrypted_key = secrets
        .get(InlineFile::Key.name())
        .is_some_and(|key| is_encrypted(key.expose()));
    let is_askable = |credential: &Credential| match credential {
        Credential::UserName => with_password && data.get(USER_NAME).is_none_or(String::is_empty),
        Credential::Password => with_password,
        Credential::ChallengeResponse => with_code,
        Credential::KeyPassphrase => {
            has_encrypted_key || data.contains_key(&credential.flags_key())
        }
        Credential::TokenPin => data.contains_key(PKCS11_ID),
        Credential::ProxyUserName | Credential::ProxyPassword => data
            .get(PROXY_AUTHENTICATES)
            .is_some_and(|value| value == YES),
    };
    Credential::ALL
        .into_iter()
        .filter(is_askable)
        .filter(|credential| SecretFlags::of(data, *credential) != Some(SecretFlags::NotRequired))
        .collect()
}

/// Whether an agent may have kept something that the connection needs and `secrets` lack: then it
/// is worth asking before the user is.
pub fn may_be_kept(data: &BTreeMap<String, String>, secrets: &BTreeMap<String, Secret>) -> bool {
    askable(data, secrets).into_iter().any(|credential| {
        SecretFlags::of(data, credential) == Some(SecretFlags::AgentOwned)
            && !secrets.contains_key(credential.name())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn what_is_asked_follows_from_the_settings() {
        use Credential::{ChallengeResponse, KeyPassphrase, Password, TokenPin, UserName};
        let none = BTreeMap::new();
        let asked = |pairs: &[(&str, &str)]| askable(&data(pairs), &none);
        assert_eq!(asked(&[("sign-in", "saml")]), []);
        assert_eq!(asked(&[("sign-in", "password")]), [UserName, Password]);
        assert_eq!(
            asked(&[
                ("sign-in", "password"),
                ("username", "ada"),
                ("static-challenge", "Code"),
            ]),
            [Password, ChallengeResponse]
        );
        assert_eq!(
            asked(&[("sign-in", "saml"), ("key-passphrase-flags", "1")]),
            [KeyPassphrase]
        );
        assert_eq!(
            asked(&[("sign-in", "saml"), ("key-passphrase-flags", "4")]),
            []
        );
        assert_eq!(
            asked(&[("sign-in", "certificate"), ("pkcs11-id", "pkcs11:id=%01")]),
            [TokenPin]
        );
        let key = Secret::from("-----BEGIN ENCRYPTED PRIVATE KEY-----\\nTUlJ\\n");
        let secrets = BTreeMap::from([("key".to_owned(), key)]);
        assert_eq!(
            askable(&data(&[("sign-in", "certificate")]), &secrets),
            [KeyPassphrase]
        );
    }

    #[test]
    fn an_agent_is_worth_asking_for_what_it_may_have_kept() {
        let none = BTreeMap::new();
        let with = |flags: &str| {
            data(&[
                ("sign-in", "password"),
                ("username", "ada"),
                ("password-flags", flags),
            ])
        };
        assert!(may_be_kept(&with("1"), &none));
        assert!(!may_be_kept(&with("3"), &none));
        assert!(!may_be_kept(&with("0"), &none));
        let given = BTreeMap::from([("password".to_owned(), Secret::from("x"))]);
        assert!(!may_be_kept(&with("1"), &given));
        assert!(!may_be_kept(&data(&[("sign-in", "saml")]), &none));
    }
}
