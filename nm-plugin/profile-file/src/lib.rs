//! Profiles as files: what the libnm plugin, the editors and the importer read and write.
//!
//! They are read as the user who names them, when they import, and never again: what is read is
//! kept in the connection.

pub mod certificate_files;
pub mod file;
mod named_files;

use crate::certificate_files::CertificateFiles;
use crate::file::FileError;
use crate::named_files::NamedFiles;
use aws_client_vpn_profile::directive::line as ovpn_line;
use aws_client_vpn_profile::ovpn::{self, Incomplete, ParsedProfile};
use aws_client_vpn_profile::problem::{ParseError, ProfileError, Warning};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why a file cannot be imported.
#[derive(Debug, thiserror::Error, Localize)]
pub enum ImportError {
    /// The file itself cannot be read.
    #[error("{file} cannot be read. {reason}", file = path.display())]
    File {
        /// As the user wrote it.
        path: PathBuf,
        /// Why.
        reason: FileError,
    },
    /// The file is not a profile that this plugin can use.
    #[error("{file}: {reason}", file = path.display())]
    Profile {
        /// As the user wrote it.
        path: PathBuf,
        /// With lines and directives.
        reason: ParseError,
    },
    /// The file is the export of an endpoint that wants a client certificate, which is in other
    /// files.
    #[error("{file}: {reason}", file = path.display())]
    NoCertificate {
        /// As the user wrote it.
        path: PathBuf,
        /// What to do.
        reason: MissingCertificate,
    },
}

/// A profile without its client certificate.
#[derive(Debug)]
pub struct MissingCertificate {
    /// What the profile says.
    pub profile: Box<Incomplete>,
    /// The files that seem to be meant.
    pub beside: Option<CertificateFiles>,
    named: NamedFiles,
}

impl MissingCertificate {
    /// The profile with the certificate that stands beside it, which a warning names.
    #[must_use]
    pub fn with_what_is_beside(&self) -> Option<ParsedProfile> {
        let files = self.beside.as_ref()?;
        let read = |path: &Path| {
            self.named
                .read(Path::new(path.file_name().unwrap_or_default()))
        };
        let mut imported = files.complete_with(&self.profile, read).ok()?;
        imported.warnings.push(Warning::Taken(message!(
            "Your certificate is not in the profile. The one in '{file}' beside it was used.",
            file = file_name(files.certificate())
        )));
        Some(imported)
    }
}

/// The name of a file in its directory.
pub fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Localize for MissingCertificate {
    fn message(&self) -> Message {
        match &self.beside {
            Some(CertificateFiles::Pair { certificate, key }) => message!(
                "This endpoint requires a client certificate, and the profile has none. Add the \
                 lines '{certificate}' and '{key}' to the profile if these files beside it are \
                 yours.",
                certificate = ovpn_line(["cert", &file_name(certificate)]),
                key = ovpn_line(["key", &file_name(key)])
            ),
            Some(CertificateFiles::Pkcs12(file)) => message!(
                "This endpoint requires a client certificate, and the profile has none. Add the \
                 line '{line}' to the profile if this file beside it is yours.",
                line = ovpn_line(["pkcs12", &file_name(file)])
            ),
            None => ProfileError::NoSignIn.message(),
        }
    }
}

impl std::fmt::Display for MissingCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.message().fmt(f)
    }
}

impl ImportError {
    /// Why, without the name of the file, for a program that says it itself.
    pub fn reason(&self) -> &dyn Localize {
        match self {
            Self::File { reason, .. } => reason,
            Self::Profile { reason, .. } => reason,
            Self::NoCertificate { reason, .. } => reason,
        }
    }
}

/// Reads the profile at `path`; files it refers to are read beside it.
pub fn read(path: &Path) -> Result<ParsedProfile, ImportError> {
    let open = || {
        let file = file::open(path, 0)?;
        let named = NamedFiles::of(path, &file)?;
        Ok((file::contents(file)?, named))
    };
    let (bytes, named) = open().map_err(|reason| ImportError::File {
        path: path.to_owned(),
        reason,
    })?;
    let (text, converted) = ovpn::decode(&Zeroizing::new(bytes));
    let mut read_file = |name: &str| {
        let path = PathBuf::from(name);
        named.read(&path).map_err(|reason| {
            let remedy = reason.remedy();
            let why = ImportError::File { path, reason };
            Message::new("{0} {1}").with("0", &why).with("1", &remedy)
        })
    };
    match Profile::parse(&text, &mut read_file) {
        Ok(mut imported) => {
            imported.warnings.extend(converted);
            Ok(imported)
        }
        Err(ParseError::NoCertificate(profile)) => Err(ImportError::NoCertificate {
            path: path.to_owned(),
            reason: MissingCertificate {
                profile,
                beside: CertificateFiles::beside(path),
                named,
            },
        }),
        Err(reason) => Err(ImportError::Profile {
            path: path.to_owned(),
            reason,
        }),
    }
}

/// The file's name without its ending: what the user will see in the list of VPNs.
pub fn connection_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.trim();
    if stem.is_empty() {
        "AWS Client VPN".to_owned()
    } else {
        stem.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_called_as_its_file() {
        for (path, name) in [
            ("/home/u/Company VPN.ovpn", "Company VPN"),
            ("downloaded-client-config.ovpn", "downloaded-client-config"),
            ("a.b.ovpn", "a.b"),
            ("no-ending", "no-ending"),
            ("/tmp/ .ovpn", "AWS Client VPN"),
        ] {
            assert_eq!(connection_name(Path::new(path)), name);
        }
    }
}
