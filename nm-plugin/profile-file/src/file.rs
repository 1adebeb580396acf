//! Reading and writing the files a user named: bounded, regular files only, never half written.

use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::{gettext_noop, message};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes. AWS's profiles are below 10 KiB, certificates and
/// keys included.
pub const SIZE_LIMIT: u64 = 1024 * 1024;

/// What files with such a content are called, to choose one of them, and the patterns of their names.
pub fn kind(inline: InlineFile) -> (&'static str, &'static [&'static str]) {
    match inline {
        InlineFile::Key => (gettext_noop!("Private keys"), &["*.key", "*.pem"]),
        InlineFile::Pkcs12 => (gettext_noop!("PKCS #12 files"), &["*.p12", "*.pfx"]),
        InlineFile::Ca
        | InlineFile::Cert
        | InlineFile::ExtraCerts
        | InlineFile::CrlVerify
        | InlineFile::TlsAuth
        | InlineFile::TlsCrypt => (gettext_noop!("Certificates"), &["*.crt", "*.cer", "*.pem"]),
    }
}

/// Why a file could not be read or written; the caller names the file.
#[derive(Debug, thiserror::Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum FileError {
    #[error("The file does not exist.")]
    Missing,
    #[error("Its directory does not exist.")]
    NoDirectory,
    #[error("You do not have permission to open the file.")]
    Denied,
    /// The system said no for another reason.
    #[error("{0}.")]
    System(std::io::Error),
    // TRANSLATORS: Follows “{file} cannot be read.”
    #[error("It is not a regular file.")]
    NotRegular,
    /// More than [`SIZE_LIMIT`].
    #[error(
        "The file is larger than {limit} KiB, so it cannot be a VPN profile, certificate or key.",
        limit = SIZE_LIMIT / 1024
    )]
    TooLarge,
    // TRANSLATORS: Follows “{file} cannot be read.”
    #[error("When root imports a profile, the profile may name only files in its own directory.")]
    Elsewhere,
    // TRANSLATORS: Follows “{file} cannot be read.”
    #[error("The owner of the profile may not read it, so root does not read it either.")]
    OfAnother,
}

impl FileError {
    /// What to do about a file that a profile names.
    #[must_use]
    pub fn remedy(&self) -> Message {
        match self {
            Self::Missing | Self::Elsewhere => {
                message!("Put the file beside the profile, and import the profile again.")
            }
            Self::Denied => {
                message!("Give yourself permission to read it, and import the profile again.")
            }
            Self::OfAnother => {
                message!("Give the file the owner of the profile, and import the profile again.")
            }
            Self::NoDirectory | Self::System(_) | Self::NotRegular | Self::TooLarge => message!(
                "Check that the profile names the right file, and import the profile again."
            ),
        }
    }
}

impl From<std::io::Error> for FileError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == ErrorKind::NotFound {
            Self::Missing
        } else if error.kind() == ErrorKind::PermissionDenied {
            Self::Denied
        } else if error.raw_os_error() == Some(libc::ELOOP) {
            // A link where none is followed.
            Self::NotRegular
        } else {
            Self::System(error)
        }
    }
}

/// A file could not be written.
#[derive(Debug, thiserror::Error, Localize)]
#[error("{file} cannot be written. {reason}", file = path.display())]
pub struct WriteError {
    /// As the user wrote it.
    pub path: PathBuf,
    /// Why.
    pub reason: FileError,
}

/// The bytes of the regular file at `path`, at most [`SIZE_LIMIT`].
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    contents(open(path, 0)?)
}

/// Opens a regular file to read it. `flags` are those of open(2), besides.
pub(crate) fn open(path: &Path, flags: i32) -> Result<File, FileError> {
    // Without O_NONBLOCK the opening of a pipe would wait for its writer, and the host with it.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | flags)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(FileError::NotRegular);
    }
    Ok(file)
}

pub(crate) fn contents(file: File) -> Result<Vec<u8>, FileError> {
    let size = file.metadata()?.len().min(SIZE_LIMIT);
    // Reserve up front: reallocating would leave unwiped copies of a key.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(FileError::TooLarge);
    }
    Ok(bytes)
}

/// Puts `text` into a file at `path` that only its owner may read, whole or not at all.
///
/// A regular file there is replaced, whoever owned it or has it open. Nothing else is: to replace a link
/// such as `/dev/stdout` would take it from all other programs.
pub fn write(path: &Path, text: &str) -> Result<(), WriteError> {
    write_with_mode(path, text.as_bytes(), 0o600)
}

/// The same, with these permissions.
pub fn write_with_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    let found = path.symlink_metadata();
    let written = match found.is_ok_and(|found| !found.is_file()) {
        true => Err(FileError::NotRegular),
        false => replace(path, bytes, mode),
    };
    written.map_err(|reason| WriteError {
        path: path.to_owned(),
        reason,
    })
}

/// The same, whatever is there.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        Some(_) | None => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".aws-client-vpn-")
        .tempfile_in(directory)
        .map_err(|error| match error.kind() == ErrorKind::NotFound {
            true => FileError::NoDirectory,
            false => error.into(),
        })?;
    file.write_all(bytes)?;
    // Until here it was its owner's alone.
    let permissions = Permissions::from_mode(mode);
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The new name outlives a crash only with its directory on disk; the file itself is safe.
    if let Ok(directory) = File::open(directory) {
        directory.sync_all().ok();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FileError, write};
    use std::io::{Error, ErrorKind};
    use std::os::unix::fs::symlink;
    use std::path::Path;

    #[test]
    fn a_link_is_neither_replaced_nor_followed() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let file = path("file");
        write(&file, "precious").unwrap();
        let nowhere = path("nowhere");
        for target in [
            Path::new("/dev/stdout"),
            Path::new("/dev/null"),
            &file,
            &nowhere,
        ] {
            let link = path("link");
            symlink(target, &link).unwrap();
            let refused = write(&link, "text").unwrap_err();
            assert!(matches!(refused.reason, FileError::NotRegular), "{refused}");
            assert_eq!(std::fs::read_link(&link).unwrap(), target);
            std::fs::remove_file(&link).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
        assert!(!nowhere.exists());
        write(&file, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        let refused = write(&path("none").join("file"), "text").unwrap_err();
        assert!(
            matches!(refused.reason, FileError::NoDirectory),
            "{refused}"
        );
    }

    #[test]
    fn each_reason_has_the_remedy_that_helps() {
        let remedy = |error: FileError| error.remedy().to_string();
        let missing = remedy(Error::from(ErrorKind::NotFound).into());
        assert!(missing.starts_with("Put the file beside"), "{missing}");
        let denied = remedy(Error::from(ErrorKind::PermissionDenied).into());
        assert!(denied.contains("permission"), "{denied}");
        for other in [
            FileError::NotRegular,
            FileError::TooLarge,
            Error::from(ErrorKind::NotADirectory).into(),
        ] {
            let other = remedy(other);
            assert!(other.contains("the right file"), "{other}");
        }
    }
}
