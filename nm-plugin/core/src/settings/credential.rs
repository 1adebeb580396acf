//! What a person gives to sign in, and what NetworkManager and its agents do with it.
//!
//! Each travels as a secret of the connection, the user name too: that is the only way in which
//! NetworkManager asks anybody for anything. Beside each stand its flags in `vpn.data`; without
//! them NetworkManager would write an answer to disk.

use crate::mark;
use crate::profile::{Inline, Profile, SignIn, parts::is_encrypted};
use crate::secret::Secret;
use std::collections::BTreeMap;

/// Something a person is asked for, by the name that it has among the connection's secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// The user name, where the profile has none.
    UserName,
    /// The user's password.
    Password,
    /// The answer to the endpoint's question: mostly a one-time code.
    ChallengeResponse,
    /// The passphrase of the private key or of the PKCS #12 file.
    KeyPassphrase,
    /// The PIN of the security token (PKCS #11).
    TokenPin,
}

impl Credential {
    /// All of them, in the order in which they are asked for.
    pub const ALL: [Self; 5] = [
        Self::KeyPassphrase,
        Self::TokenPin,
        Self::UserName,
        Self::Password,
        Self::ChallengeResponse,
    ];

    /// The name of the secret.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UserName => super::USER_NAME,
            Self::Password => super::PASSWORD,
            Self::ChallengeResponse => super::CHALLENGE_RESPONSE,
            Self::KeyPassphrase => super::KEY_PASSPHRASE,
            Self::TokenPin => super::TOKEN_PIN,
        }
    }

    /// The credential with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|credential| credential.name() == name)
    }

    /// The key in `vpn.data` that says what becomes of it: see [`Keeping`].
    #[must_use]
    pub fn flags_key(self) -> String {
        super::flags(self.name())
    }

    /// What it is called, for a person; English, to be looked up in the catalogue of translations.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::UserName => mark!("User name"),
            Self::Password => mark!("Password"),
            Self::ChallengeResponse => mark!("One-time code"),
            Self::KeyPassphrase => mark!("Passphrase of the private key"),
            Self::TokenPin => mark!("PIN of the security token"),
        }
    }

    /// What becomes of it where a connection does not say: what counts once is asked for each
    /// time, the rest is kept for the user.
    #[must_use]
    pub fn usual_keeping(self) -> Keeping {
        match self {
            Self::ChallengeResponse => Keeping::AskedEachTime,
            Self::UserName | Self::Password | Self::KeyPassphrase | Self::TokenPin => {
                Keeping::ForTheUser
            }
        }
    }
}

/// What becomes of a credential once it has been given: NetworkManager's `NMSettingSecretFlags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// NetworkManager keeps it in the connection's file, for all users.
    ForAllUsers,
    /// The agent of the user keeps it, in the keyring.
    ForTheUser,
    /// Nobody keeps it.
    AskedEachTime,
    /// There is none.
    NotNeeded,
}

impl Keeping {
    const AGENT_OWNED: u32 = 1;
    const NOT_SAVED: u32 = 2;
    const NOT_REQUIRED: u32 = 4;

    /// The value in `vpn.data`. What is not saved is the agent's too: else NetworkManager before
    /// 1.56.1 drops it where the user may not change the connection.
    #[must_use]
    pub fn flags(self) -> &'static str {
        match self {
            Self::ForAllUsers => "0",
            Self::ForTheUser => "1",
            Self::AskedEachTime => "3",
            Self::NotNeeded => "4",
        }
    }

    /// What the connection says of `credential`; `None` if it says nothing that is understood.
    #[must_use]
    pub fn of(data: &BTreeMap<String, String>, credential: Credential) -> Option<Self> {
        let flags: u32 = data.get(&credential.flags_key())?.parse().ok()?;
        Some(if flags & Self::NOT_REQUIRED != 0 {
            Self::NotNeeded
        } else if flags & Self::NOT_SAVED != 0 {
            Self::AskedEachTime
        } else if flags & Self::AGENT_OWNED != 0 {
            Self::ForTheUser
        } else {
            Self::ForAllUsers
        })
    }
}

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
    };
    Credential::ALL
        .into_iter()
        .filter(is_needed)
        .filter(|credential| !profile.goes_without(*credential))
        .collect()
}

/// What a connection of `profile` may ever ask for, so that the flags of each are set: an endpoint
/// with passwords may ask a question of its own, and only the endpoint knows.
pub(super) fn conceivable(profile: &Profile) -> Vec<Credential> {
    let with_password = match profile.sign_in() {
        SignIn::Saml | SignIn::Certificate => false,
        SignIn::Password { .. } => true,
    };
    let may_come = |credential: &Credential| match credential {
        Credential::UserName => with_password && profile.user_name().is_none(),
        Credential::Password | Credential::ChallengeResponse => with_password,
        Credential::KeyPassphrase => {
            profile.private_key_is_encrypted() || profile.inline(Inline::Pkcs12).is_some()
        }
        Credential::TokenPin => profile.pkcs11_id().is_some(),
    };
    Credential::ALL
        .into_iter()
        .filter(|credential| may_come(credential) || profile.goes_without(*credential))
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
    let sign_in = super::sign_in(data);
    let with_password = matches!(sign_in, Ok(SignIn::Password { .. }));
    let with_code = matches!(
        sign_in,
        Ok(SignIn::Password {
            static_challenge: Some(_)
        })
    );
    let has_encrypted_key = secrets
        .get(Inline::Key.name())
        .is_some_and(|key| is_encrypted(key.expose()));
    let is_askable = |credential: &Credential| match credential {
        Credential::UserName => {
            with_password && data.get(super::USER_NAME).is_none_or(String::is_empty)
        }
        Credential::Password => with_password,
        Credential::ChallengeResponse => with_code,
        Credential::KeyPassphrase => {
            has_encrypted_key || data.contains_key(&credential.flags_key())
        }
        Credential::TokenPin => data.contains_key(super::PKCS11_ID),
    };
    Credential::ALL
        .into_iter()
        .filter(is_askable)
        .filter(|credential| Keeping::of(data, *credential) != Some(Keeping::NotNeeded))
        .collect()
}

/// Whether an agent may have kept something that the connection needs and `secrets` lack: then it
/// is worth asking before the user is.
#[must_use]
pub fn may_be_kept(data: &BTreeMap<String, String>, secrets: &BTreeMap<String, Secret>) -> bool {
    askable(data, secrets).into_iter().any(|credential| {
        Keeping::of(data, credential) == Some(Keeping::ForTheUser)
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
    fn a_name_leads_back_to_its_credential() {
        for credential in Credential::ALL {
            assert_eq!(Credential::from_name(credential.name()), Some(credential));
            assert!(credential.flags_key().ends_with("-flags"));
        }
        assert_eq!(Credential::from_name("saml-response"), None);
    }

    #[test]
    fn flags_are_read_as_networkmanager_means_them() {
        for (flags, keeping) in [
            ("0", Some(Keeping::ForAllUsers)),
            ("1", Some(Keeping::ForTheUser)),
            ("2", Some(Keeping::AskedEachTime)),
            ("3", Some(Keeping::AskedEachTime)),
            ("4", Some(Keeping::NotNeeded)),
            ("5", Some(Keeping::NotNeeded)),
            ("", None),
            ("x", None),
        ] {
            let data = data(&[("password-flags", flags)]);
            assert_eq!(Keeping::of(&data, Credential::Password), keeping, "{flags}");
        }
        for keeping in [
            Keeping::ForAllUsers,
            Keeping::ForTheUser,
            Keeping::AskedEachTime,
            Keeping::NotNeeded,
        ] {
            let data = data(&[("password-flags", keeping.flags())]);
            assert_eq!(Keeping::of(&data, Credential::Password), Some(keeping));
        }
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
