//! What AWS exports of an endpoint that wants a client certificate: all but the certificate.

use super::ParsedProfile;
use crate::parts::InlineFile;
use crate::problem::{ProfileError, Warning};
use crate::profile::{Parts, Profile, objections};
use crate::settings;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// A profile that lacks nothing but the client's certificate.
pub struct Incomplete {
    parts: Parts,
    warnings: Vec<Warning>,
}

/// The contents of the files of a client's certificate.
pub enum ClientCertificate {
    /// Certificate and private key, each in a file of its own.
    Files {
        /// The certificate.
        certificate: Vec<u8>,
        /// The private key.
        key: Zeroizing<Vec<u8>>,
    },
    /// Both in one file (PKCS #12).
    Pkcs12(Zeroizing<Vec<u8>>),
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
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The profile with its certificate.
    pub fn complete(&self, certificate: &ClientCertificate) -> Result<ParsedProfile, ProfileError> {
        let mut parts = self.parts.clone();
        let mut insert = |inline: InlineFile, bytes: &[u8]| {
            let content = inline.content_of_file(bytes)?;
            let content = Zeroizing::new(content.expose().to_owned());
            parts.inline.insert(inline, content);
            Ok(())
        };
        match certificate {
            ClientCertificate::Files { certificate, key } => {
                insert(InlineFile::Cert, certificate)?;
                insert(InlineFile::Key, key)?;
            }
            ClientCertificate::Pkcs12(bytes) => insert(InlineFile::Pkcs12, bytes)?,
        }
        match objections(&parts).into_iter().next() {
            Some((_, problem)) => Err(problem),
            None => Ok(ParsedProfile {
                profile: Profile(parts),
                warnings: self.warnings.clone(),
            }),
        }
    }
}

impl fmt::Debug for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incomplete")
            .field("remotes", &self.parts.remotes)
            .finish_non_exhaustive()
    }
}
