//! What AWS exports of an endpoint that wants a client certificate: all but the certificate.

use super::ParsedProfile;
use crate::parts::InlineFile;
use crate::problem::{ProfileError, Warning};
use crate::profile::{Parts, Profile};
use crate::settings;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// A profile that lacks nothing but the client's certificate.
pub struct Incomplete {
    parts: Parts,
    warnings: Vec<Warning>,
}

impl Incomplete {
    pub(super) fn new(parts: Parts, warnings: Vec<Warning>) -> Self {
        Self { parts, warnings }
    }

    /// The settings that are known, as `vpn.data`, for an editor in which the certificate is
    /// chosen.
    #[must_use]
    pub fn to_data(&self) -> BTreeMap<String, String> {
        settings::to_data(&Profile(self.parts.clone()))
    }

    /// What of the file is not as it says.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The profile with its certificate, out of the contents of these files: certificate and private
    /// key, or both in one (PKCS #12).
    pub fn complete(
        &self,
        files: &[(InlineFile, Zeroizing<Vec<u8>>)],
    ) -> Result<ParsedProfile, ProfileError> {
        let mut parts = self.parts.clone();
        for (inline, bytes) in files {
            let content = inline.content_of_file(bytes)?;
            let content = Zeroizing::new(content.expose().to_owned());
            parts.inline.insert(*inline, content);
        }
        Ok(ParsedProfile {
            profile: Profile::from_parts(parts)?,
            warnings: self.warnings.clone(),
        })
    }
}

impl fmt::Debug for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incomplete")
            .field("remotes", &self.parts.remotes)
            .finish_non_exhaustive()
    }
}
