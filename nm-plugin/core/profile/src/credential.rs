//! What a person gives to sign in, and what NetworkManager and its agents do with it.
//!
//! Each travels as a secret of the connection, the user name too: that is the only way in which
//! NetworkManager asks anybody for anything. Beside each stand its flags in `vpn.data`; without
//! them NetworkManager would write an answer to disk.

use crate::keys::{self, flags_key};
use crate::named::named;
use aws_client_vpn_text::gettext_noop;
use std::collections::BTreeMap;

named! {
    /// Something a person is asked for, by the name that it has among the connection's secrets. They
    /// are asked for in this order.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Credential {
        /// The user name at the proxy.
        ProxyUserName = keys::PROXY_USER_NAME,
        /// The password at the proxy.
        ProxyPassword = keys::PROXY_PASSWORD,
        /// The passphrase of the private key or of the PKCS #12 file.
        KeyPassphrase = keys::KEY_PASSPHRASE,
        /// The PIN of the security token (PKCS #11).
        TokenPin = keys::TOKEN_PIN,
        /// The user name, where the profile has none.
        UserName = keys::USER_NAME,
        /// The user's password.
        Password = keys::PASSWORD,
        /// The answer to the endpoint's question: mostly a one-time code.
        ChallengeResponse = keys::CHALLENGE_RESPONSE,
    }
}

impl Credential {
    /// The key in `vpn.data` that says what becomes of it: see [`SecretFlags`].
    pub fn flags_key(self) -> String {
        flags_key(self.name())
    }

    /// What it is called, for a person; English, to be looked up in the catalogue of translations.
    pub fn label(self) -> &'static str {
        match self {
            Self::UserName => gettext_noop!("User name"),
            Self::Password => gettext_noop!("Password"),
            Self::ChallengeResponse => gettext_noop!("One-time code"),
            Self::KeyPassphrase => gettext_noop!("Passphrase of the private key"),
            Self::TokenPin => gettext_noop!("PIN of the security token"),
            Self::ProxyUserName => gettext_noop!("User name for the proxy"),
            Self::ProxyPassword => gettext_noop!("Password for the proxy"),
        }
    }

    /// What becomes of it where a connection does not say: what counts once is asked for each
    /// time, the rest is kept for the user.
    #[must_use]
    pub fn default_flags(self) -> SecretFlags {
        match self {
            Self::ChallengeResponse => SecretFlags::NotSaved,
            Self::UserName
            | Self::Password
            | Self::KeyPassphrase
            | Self::TokenPin
            | Self::ProxyUserName
            | Self::ProxyPassword => SecretFlags::AgentOwned,
        }
    }
}

/// What becomes of a credential once it has been given: NetworkManager's `NMSettingSecretFlags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretFlags {
    /// NetworkManager keeps it in the connection's file, for all users.
    SystemOwned,
    /// The agent of the user keeps it, in the keyring.
    AgentOwned,
    /// Nobody keeps it.
    NotSaved,
    /// There is none.
    NotRequired,
}

impl SecretFlags {
    const AGENT_OWNED: u32 = 1;
    const NOT_SAVED: u32 = 2;
    const NOT_REQUIRED: u32 = 4;

    /// The value in `vpn.data`. What is not saved is the agent's too: else NetworkManager before
    /// 1.56.1 drops it where the user may not change the connection.
    pub fn flags(self) -> &'static str {
        match self {
            Self::SystemOwned => "0",
            Self::AgentOwned => "1",
            Self::NotSaved => "3",
            Self::NotRequired => "4",
        }
    }

    /// What the connection says of `credential`; `None` if it says nothing that is understood.
    pub fn of(data: &BTreeMap<String, String>, credential: Credential) -> Option<Self> {
        let flags: u32 = data.get(&credential.flags_key())?.parse().ok()?;
        Some(if flags & Self::NOT_REQUIRED != 0 {
            Self::NotRequired
        } else if flags & Self::NOT_SAVED != 0 {
            Self::NotSaved
        } else if flags & Self::AGENT_OWNED != 0 {
            Self::AgentOwned
        } else {
            Self::SystemOwned
        })
    }
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
        for (number, flags) in [
            ("0", Some(SecretFlags::SystemOwned)),
            ("1", Some(SecretFlags::AgentOwned)),
            ("2", Some(SecretFlags::NotSaved)),
            ("3", Some(SecretFlags::NotSaved)),
            ("4", Some(SecretFlags::NotRequired)),
            ("5", Some(SecretFlags::NotRequired)),
            ("", None),
            ("x", None),
        ] {
            let data = data(&[("password-flags", number)]);
            assert_eq!(
                SecretFlags::of(&data, Credential::Password),
                flags,
                "{number}"
            );
        }
        for flags in [
            SecretFlags::SystemOwned,
            SecretFlags::AgentOwned,
            SecretFlags::NotSaved,
            SecretFlags::NotRequired,
        ] {
            let data = data(&[("password-flags", flags.flags())]);
            assert_eq!(SecretFlags::of(&data, Credential::Password), Some(flags));
        }
    }
}
