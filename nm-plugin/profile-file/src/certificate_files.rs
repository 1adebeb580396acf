//! The files of a client's certificate, which stand beside a profile or are chosen by a person.

use crate::file::{self, FileError};
use aws_client_vpn_profile::certificate::Certificate;
use aws_client_vpn_profile::ovpn::{Incomplete, ParsedProfile};
use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_profile::problem::ProfileError;
use aws_client_vpn_text::message::Localize;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The most entries of a directory that are looked at.
const ENTRY_LIMIT: usize = 1000;

/// Where a client's certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFiles {
    /// In two files.
    Pair {
        /// The certificate.
        certificate: PathBuf,
        /// The certificate's private key.
        key: PathBuf,
    },
    /// In one.
    Pkcs12(PathBuf),
}

/// Why a profile could not be given its certificate.
#[derive(Debug, thiserror::Error, Localize)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{file} cannot be read. {reason}", file = path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        reason: FileError,
    },
    /// The file is neither a certificate nor a key.
    #[error(
        "{file} is not a certificate or private key in PEM format, and not a PKCS #12 file.",
        file = _0.display()
    )]
    Other(PathBuf),
    /// Together they do not fit the profile.
    #[error(transparent)]
    Content(#[from] ProfileError),
}

impl CertificateFiles {
    /// The client certificate in the directory of a profile, if there is exactly one: a
    /// certificate that can be a client's with a key of the same name, or a PKCS #12 file.
    pub fn beside(profile: &Path) -> Option<Self> {
        let directory = profile.parent().filter(|path| !path.as_os_str().is_empty());
        let entries = directory.unwrap_or(Path::new(".")).read_dir().ok()?;
        let paths: BTreeSet<PathBuf> = entries
            .take(ENTRY_LIMIT)
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        let mut found = paths.iter().filter_map(|path| Self::of(path, &paths));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// The file with the certificate.
    pub fn certificate(&self) -> &Path {
        match self {
            Self::Pair { certificate, .. } => certificate,
            Self::Pkcs12(path) => path,
        }
    }

    /// The certificate in `path`, with its key.
    fn of(path: &Path, all: &BTreeSet<PathBuf>) -> Option<Self> {
        if is_pkcs12(path) {
            return Some(Self::Pkcs12(path.to_owned()));
        }
        let ending = path.extension().and_then(OsStr::to_str)?;
        match ending.to_ascii_lowercase().as_str() {
            "crt" | "cer" | "pem" => {
                let key = path.with_extension("key");
                (all.contains(&key) && is_of_client(path)).then(|| Self::Pair {
                    certificate: path.to_owned(),
                    key,
                })
            }
            _ => None,
        }
    }

    /// Gives `profile` its certificate.
    pub fn complete(&self, profile: &Incomplete) -> Result<ParsedProfile, CertificateError> {
        self.complete_with(profile, file::read_bytes)
    }

    pub(crate) fn complete_with(
        &self,
        profile: &Incomplete,
        read: impl Fn(&Path) -> Result<Vec<u8>, FileError>,
    ) -> Result<ParsedProfile, CertificateError> {
        let files = match self {
            Self::Pair { certificate, key } => {
                vec![(InlineFile::Cert, certificate), (InlineFile::Key, key)]
            }
            Self::Pkcs12(path) => vec![(InlineFile::Pkcs12, path)],
        };
        let content = |(inline, path): (_, &PathBuf)| match read(path) {
            Ok(bytes) => Ok((inline, Zeroizing::new(bytes))),
            Err(reason) => Err(CertificateError::File {
                path: path.clone(),
                reason,
            }),
        };
        let contents: Vec<_> = files.into_iter().map(content).collect::<Result<_, _>>()?;
        Ok(profile.complete(&contents)?)
    }
}

/// Files of a certificate as a person chooses them, one after the other or together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The certificate.
    pub certificate: Option<PathBuf>,
    /// The private key.
    pub key: Option<PathBuf>,
    /// Both in one file.
    pub pkcs12: Option<PathBuf>,
}

impl Chosen {
    /// Takes a file for what is in it.
    pub fn add(&mut self, path: &Path) -> Result<(), CertificateError> {
        let bytes = file::read_bytes(path).map_err(|reason| CertificateError::File {
            path: path.to_owned(),
            reason,
        })?;
        let bytes = Zeroizing::new(bytes);
        let is = |inline: InlineFile| inline.content_of_file(&bytes).is_ok();
        // Some keep both in one file.
        let (is_certificate, is_key) = (is(InlineFile::Cert), is(InlineFile::Key));
        if is_certificate {
            self.certificate = Some(path.to_owned());
        }
        if is_key {
            self.key = Some(path.to_owned());
        }
        if !is_certificate && !is_key {
            if !is_pkcs12(path) || !is(InlineFile::Pkcs12) {
                return Err(CertificateError::Other(path.to_owned()));
            }
            self.pkcs12 = Some(path.to_owned());
        }
        Ok(())
    }

    /// The certificate, once all of it is there.
    #[must_use]
    pub fn files(&self) -> Option<CertificateFiles> {
        match self {
            Self {
                pkcs12: Some(path), ..
            } => Some(CertificateFiles::Pkcs12(path.clone())),
            Self {
                certificate: Some(certificate),
                key: Some(key),
                ..
            } => Some(CertificateFiles::Pair {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            _ => None,
        }
    }
}

fn is_pkcs12(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    ["p12", "pfx"].contains(&ending.to_ascii_lowercase().as_str())
}

/// Guides have users copy everything into one directory: the certificates of the authority and of
/// the endpoint, too.
fn is_of_client(path: &Path) -> bool {
    let bytes = file::read_bytes(path).unwrap_or_default();
    let text = InlineFile::Cert.content_of_file(&bytes);
    text.ok()
        .and_then(|text| Certificate::read_all(text.expose()).ok())
        .and_then(|all| all.into_iter().next())
        .is_some_and(|own| own.for_clients && !own.self_issued)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const CLIENT: &str = include_str!("../../core/profile/tests/fixtures/forms/client1.crt");
    const KEY: &str = include_str!("../../core/profile/tests/fixtures/forms/client1.key");
    const SERVER: &str = include_str!("../../core/profile/tests/certificates/server.pem");

    #[test]
    fn the_client_s_certificate_is_found_among_what_a_guide_has_people_copy() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
        let profile = path("downloaded-client-config.ovpn");
        assert_eq!(CertificateFiles::beside(&profile), None);

        write("server.crt", SERVER);
        write("server.key", KEY);
        write("client1.domain.tld.crt", CLIENT);
        assert_eq!(CertificateFiles::beside(&profile), None, "no key");
        write("client1.domain.tld.key", KEY);
        let pair = CertificateFiles::Pair {
            certificate: path("client1.domain.tld.crt"),
            key: path("client1.domain.tld.key"),
        };
        assert_eq!(CertificateFiles::beside(&profile), Some(pair));

        write("client1.P12", "x");
        assert_eq!(CertificateFiles::beside(&profile), None, "which one?");
        for name in ["client1.domain.tld.crt", "client1.domain.tld.key"] {
            fs::remove_file(path(name)).unwrap();
        }
        let one = CertificateFiles::Pkcs12(path("client1.P12"));
        assert_eq!(CertificateFiles::beside(&profile), Some(one));
    }

    #[test]
    fn a_chosen_file_is_what_is_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for (name, text) in [("a", CLIENT), ("b", KEY), ("c.p12", "MIL/AA=="), ("d", "x")] {
            fs::write(path(name), text).unwrap();
        }
        let mut chosen = Chosen::default();
        chosen.add(&path("b")).unwrap();
        assert_eq!(chosen.files(), None);
        chosen.add(&path("a")).unwrap();
        let pair = CertificateFiles::Pair {
            certificate: path("a"),
            key: path("b"),
        };
        assert_eq!(chosen.files(), Some(pair));
        chosen.add(&path("c.p12")).unwrap();
        assert_eq!(
            chosen.files(),
            Some(CertificateFiles::Pkcs12(path("c.p12")))
        );
        for name in ["d", "e"] {
            let error = chosen.add(&path(name)).unwrap_err().to_string();
            assert!(
                error.contains(directory.path().to_str().unwrap()),
                "{error}"
            );
        }
    }
}
