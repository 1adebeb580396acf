//! The files that a profile names.

use crate::file::{self, FileError};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Reads the files that a profile names, relative to its directory.
///
/// A profile may be a stranger's, and root may read every file. So for root, a profile names files in its
/// own directory only, that are no links and that the profile's owner (root as well) could read.
#[derive(Debug)]
pub(crate) struct NamedFiles {
    directory: PathBuf,
    /// The owner of the profile, if root reads it.
    only_of: Option<u32>,
}

impl NamedFiles {
    /// `profile` is open at `path`: its name could lead to another file by now.
    pub(crate) fn of(path: &Path, profile: &File) -> Result<Self, FileError> {
        let is_root = rustix::process::geteuid().is_root();
        Ok(Self {
            directory: path.parent().unwrap_or(Path::new("")).to_owned(),
            only_of: is_root.then_some(profile.metadata()?.uid()),
        })
    }

    pub(crate) fn read(&self, name: &Path) -> Result<Vec<u8>, FileError> {
        let path = self.directory.join(name);
        let Some(owner) = self.only_of else {
            return file::read_bytes(&path);
        };
        if name.file_name().is_none() || path.parent() != Some(&self.directory) {
            return Err(FileError::Elsewhere);
        }
        let file = file::open(&path, libc::O_NOFOLLOW)?;
        let found = file.metadata()?;
        let all_may_read = found.mode() & 0o004 != 0;
        if owner != 0 && found.uid() != owner && !all_may_read {
            return Err(FileError::OfAnother);
        }
        file::contents(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn root_reads_for_a_profile_what_lies_beside_it_and_is_its_owner_s() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let own = fs::metadata(directory.path()).unwrap().uid();
        for (name, mode) in [("own", 0o600), ("open", 0o644)] {
            fs::write(path(name), name).unwrap();
            fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
        }
        symlink(path("own"), path("link")).unwrap();
        let read = |only_of, name: &str| {
            let files = NamedFiles {
                directory: directory.path().to_owned(),
                only_of,
            };
            files.read(Path::new(name))
        };
        let absolute = path("own");
        let absolute = absolute.to_str().unwrap();
        for name in ["own", "open", "link", absolute, "./own"] {
            assert!(read(None, name).is_ok(), "{name}");
        }
        for (owner, name) in [(own, "own"), (own, "open"), (own + 1, "open"), (0, "own")] {
            assert_eq!(read(Some(owner), name).unwrap(), name.as_bytes());
        }
        for name in [absolute, "./own"] {
            assert!(read(Some(own), name).is_ok(), "{name}");
        }
        let refused = |owner, name| read(Some(owner), name).unwrap_err();
        assert!(matches!(refused(own + 1, "own"), FileError::OfAnother));
        assert!(matches!(refused(own, "link"), FileError::NotRegular));
        for name in ["/etc/passwd", "../own", "..", "."] {
            assert!(matches!(refused(own, name), FileError::Elsewhere), "{name}");
        }
    }
}
