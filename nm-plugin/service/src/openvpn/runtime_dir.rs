//! The directory under `/run` that holds the management socket until OpenVPN has connected to it.

use crate::account::Account;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Only root writes here; the account OpenVPN runs as may pass through.
const PARENT: &str = "/run/nm-aws-client-vpn";

/// The mode of the directory that holds all of them.
const PARENT_MODE: u32 = 0o711;

/// A directory of this process's own; removed with the value.
#[derive(Debug)]
pub(crate) struct RuntimeDir {
    path: PathBuf,
}

impl RuntimeDir {
    /// Makes the directory: root's, with leave for the account's group to reach what is in it.
    pub(crate) fn create(account: Account) -> io::Result<Self> {
        Self::create_below(Path::new(PARENT), account)
    }

    pub(super) fn create_below(parent: &Path, account: Account) -> io::Result<Self> {
        match fs::DirBuilder::new().mode(0o700).create(parent) {
            // Whatever the umask is that this process was given.
            Ok(()) => fs::set_permissions(parent, fs::Permissions::from_mode(PARENT_MODE))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        Self::create_in(parent, account)
    }

    fn create_in(parent: &Path, account: Account) -> io::Result<Self> {
        let path = parent.join(std::process::id().to_string());
        // Left by a process of the same number that was killed.
        match fs::remove_dir_all(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        let dir = Self { path };
        give_to_group(&dir.path, account)?;
        fs::set_permissions(&dir.path, fs::Permissions::from_mode(0o710))?;
        Ok(dir)
    }

    /// Where the management socket is.
    pub(crate) fn socket_path(&self) -> PathBuf {
        self.path.join("management")
    }
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        // Not there any more is as good as removed; anything else shows in the next start.
        drop(fs::remove_dir_all(&self.path));
    }
}

/// Gives `path`, a file of ours, to the account's group. NetworkManager's unit has no CAP_CHOWN,
/// but an owner may give a file to a group that he is in.
pub(crate) fn give_to_group(path: &Path, account: Account) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        rustix::thread::set_thread_groups(&[rustix::fs::Gid::from_raw(account.gid)])?;
    }
    chown(path, None, Some(account.gid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn account() -> Account {
        Account {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }

    #[test]
    fn the_umask_closes_nothing() {
        let run = tempfile::tempdir().unwrap();
        let parent = run.path().join("ours");
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let dir = RuntimeDir::create_below(&parent, account()).unwrap();
        rustix::process::umask(before);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&parent), 0o711);
        assert_eq!(mode(dir.socket_path().parent().unwrap()), 0o710);
    }

    #[test]
    fn what_lies_in_the_way_under_run_is_neither_used_nor_followed() {
        let run = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("kept"), "").unwrap();
        let own = run.path().join(std::process::id().to_string());
        symlink(elsewhere.path(), &own).unwrap();
        let dir = RuntimeDir::create_in(run.path(), account()).unwrap();
        assert!(fs::symlink_metadata(&own).unwrap().is_dir());
        let mode = fs::metadata(&own).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o710);
        assert!(elsewhere.path().join("kept").exists());
        drop(dir);
        assert!(!own.exists());
        // A directory that somebody left, with something in it.
        fs::create_dir(&own).unwrap();
        fs::write(own.join("management"), "").unwrap();
        let dir = RuntimeDir::create_in(run.path(), account()).unwrap();
        assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
        drop(dir);
    }
}
