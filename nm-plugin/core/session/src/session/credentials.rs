//! What has been given to sign in, what of it was refused, and what still has to be asked for.

use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::credentials;
use aws_client_vpn_sign_in::retry_reason::RetryReason;
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

/// How often a person may give something wrong in one activation: directories and tokens lock
/// themselves after a few more.
const MOST_REFUSALS: u32 = 3;

/// The credentials of one activation.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    given: BTreeMap<Credential, Secret>,
    /// What was refused last, and not given again since.
    refused: BTreeMap<Credential, Secret>,
    refusals: u32,
    /// What the person is told of the last refusal, when asked again.
    pub(super) refusal: Option<RetryReason>,
}

/// Why what was given does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    /// A credential is not there.
    Missing(Credential),
    /// The credential is what was refused before: sending it again would only help to lock the
    /// account.
    Unchanged,
}

impl Credentials {
    /// The credentials that NetworkManager sent along.
    pub(super) fn new(mut secrets: BTreeMap<String, Secret>) -> Self {
        let mut credentials = Self::default();
        for credential in Credential::ALL {
            if let Some(value) = secrets.remove(credential.name()).filter(|v| !v.is_empty()) {
                credentials.given.insert(credential, value);
            }
        }
        credentials
    }

    /// The value of a credential, if there is one that was not refused.
    pub(super) fn get(&self, credential: Credential) -> Option<&Secret> {
        self.given.get(&credential)
    }

    /// The credentials of `wanted` that are not there.
    pub(super) fn missing(&self, wanted: &[Credential]) -> Vec<Credential> {
        let is_missing = |credential: &Credential| !self.given.contains_key(credential);
        wanted.iter().copied().filter(is_missing).collect()
    }

    /// What `profile` needs and is not there.
    pub(super) fn missing_for(&self, profile: &Profile) -> Vec<Credential> {
        self.missing(&credentials::needed(profile))
    }

    /// Which of them were refused: a value that somebody keeps must not be used again. A name is
    /// not among them: it is asked once more, but is likely right.
    pub(super) fn refused(&self) -> BTreeSet<Credential> {
        let mut refused: BTreeSet<_> = self.refused.keys().copied().collect();
        refused.remove(&Credential::UserName);
        refused
    }

    /// Records that `credentials` were refused, by the endpoint, the key or the proxy. Returns whether the person may try again.
    pub(super) fn mark_refused(&mut self, credentials: &[Credential]) -> bool {
        self.refused.clear();
        for credential in credentials {
            if let Some(value) = self.given.remove(credential) {
                self.refused.insert(*credential, value);
            }
        }
        self.refusals += 1;
        self.refusals < MOST_REFUSALS
    }

    /// Takes what was asked for, all of it or nothing.
    pub(super) fn take(
        &mut self,
        wanted: &[Credential],
        mut secrets: BTreeMap<String, Secret>,
    ) -> Result<(), Rejected> {
        let mut taken = BTreeMap::new();
        for credential in wanted {
            let value = secrets.remove(credential.name()).filter(|v| !v.is_empty());
            taken.insert(*credential, value.ok_or(Rejected::Missing(*credential))?);
        }
        let is_old = |(credential, value)| self.refused.get(credential) == Some(value);
        let was_refused = wanted.iter().any(|c| self.refused.contains_key(c));
        if was_refused && taken.iter().all(is_old) {
            return Err(Rejected::Unchanged);
        }
        for credential in taken.keys() {
            self.refused.remove(credential);
        }
        self.given.append(&mut taken);
        self.refusal = None;
        Ok(())
    }

    /// Forgets a one-time value.
    pub(super) fn forget(&mut self, credential: Credential) {
        self.given.remove(&credential);
    }

    /// They were accepted. One-time values are used up.
    pub(super) fn accepted(&mut self) {
        self.forget(Credential::ChallengeResponse);
        self.refused.clear();
        self.refusals = 0;
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The realm of a private key's passphrase, and what the realm of a token's PIN ends with.
pub(super) const KEY_REALM: &str = "Private Key";
const TOKEN_REALM_END: &str = " token";

/// What unlocks the key that OpenVPN asks a password for; `None` if it is for the endpoint.
pub(super) fn key_credential(realm: &str) -> Option<Credential> {
    if realm == KEY_REALM {
        Some(Credential::KeyPassphrase)
    } else if realm.ends_with(TOKEN_REALM_END) {
        Some(Credential::TokenPin)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::from(*value));
        pairs.iter().map(own).collect()
    }

    #[test]
    fn an_empty_value_is_none() {
        let credentials = Credentials::new(secrets(&[("password", ""), ("username", "ada")]));
        let wanted = [Credential::UserName, Credential::Password];
        assert_eq!(credentials.missing(&wanted), [Credential::Password]);
    }

    #[test]
    fn what_was_refused_does_not_count_again_but_one_new_part_makes_it_new() {
        let wanted = [Credential::Password, Credential::ChallengeResponse];
        let wrong = secrets(&[("password", "a"), ("challenge-response", "1")]);
        let mut credentials = Credentials::new(wrong.clone());
        assert!(credentials.mark_refused(&wanted));
        assert_eq!(credentials.missing(&wanted), wanted);
        assert_eq!(credentials.refused(), wanted.into());
        assert_eq!(credentials.take(&wanted, wrong), Err(Rejected::Unchanged));
        let late = secrets(&[("password", "a"), ("challenge-response", "2")]);
        assert_eq!(credentials.take(&wanted, late), Ok(()));
        assert!(credentials.refused().is_empty());
        assert!(credentials.mark_refused(&wanted));
        assert!(
            !credentials.mark_refused(&wanted),
            "the third time is the last"
        );
    }

    #[test]
    fn a_part_that_is_missing_leaves_everything_as_it_was() {
        let wanted = [Credential::UserName, Credential::Password];
        let mut credentials = Credentials::default();
        let half = secrets(&[("username", "ada")]);
        assert_eq!(
            credentials.take(&wanted, half),
            Err(Rejected::Missing(Credential::Password))
        );
        assert_eq!(credentials.missing(&wanted), wanted);
    }
}
