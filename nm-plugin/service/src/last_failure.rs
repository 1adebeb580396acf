//! Records why an attempt failed, for the person who asked for it and nobody else.
//!
//! NetworkManager does not tell who asked. What is known is whose secret agent answered; if none has
//! yet, whose connection it is, if it is one person's, or who is logged in, if only one person is.
//! Otherwise only root can read it, as the journal.
//!
//! Without CAP_CHOWN, the file stays root's, with an access control list that lets one more read it.

use crate::account;
use crate::dbus::connection::Connection;
use crate::logind;
use aws_client_vpn_profile::last_failure::{DIRECTORY, LONGEST, LastFailure};
use aws_client_vpn_session::session::{Failure, LoginSession};
use aws_client_vpn_text::message::Localize;
use rustix::fs::{XattrFlags, fsetxattr};
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many connections' failures are kept: more connections nobody has.
const MOST: usize = 128;

/// Whom a connection is for, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requester {
    uuid: String,
    activation: String,
    /// Whose agent answered.
    user: Option<String>,
    /// The one person who has the connection.
    owner: Option<String>,
}

impl Requester {
    /// Of an attempt that begins: what the one before left is of no interest any more.
    pub(crate) fn begin(connection: &Connection, activation: Option<&str>) -> Self {
        let requester = Self {
            uuid: connection.uuid.clone(),
            activation: activation.unwrap_or_default().to_owned(),
            user: connection.user.clone(),
            owner: connection.owner.clone(),
        };
        // Where there is none, there is nothing to forget.
        if let Some(path) = path(Path::new(DIRECTORY), &requester.uuid) {
            drop(fs::remove_file(path));
        }
        requester
    }

    /// Somebody's agent answered.
    pub(crate) fn answered(&mut self, user: Option<&str>) {
        if let Some(user) = user {
            self.user = Some(user.to_owned());
        }
    }

    /// Records `failure`. If that is not possible, nothing else fails because of it.
    pub(crate) async fn tell(&self, bus: &zbus::Connection, failure: &Failure) {
        let sessions = logind::sessions(bus).await;
        let reader = self.reader(sessions.as_deref(), account::uid_of);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let word = LastFailure {
            activation: self.activation.clone(),
            at: now.unwrap_or_default().as_secs(),
            kind: failure.kind(),
            reason: failure.message(),
        };
        let text = word.to_text();
        let left = match path(Path::new(DIRECTORY), &self.uuid) {
            Some(path) if text.len() <= LONGEST => leave(&path, &text, reader),
            Some(_) | None => Err(io::ErrorKind::InvalidInput.into()),
        };
        if let Err(error) = left {
            tracing::warn!("only this journal tells why the connection failed: {error}");
        }
    }

    /// The account that may read why; `None` if it has to be root.
    fn reader(
        &self,
        sessions: Option<&[LoginSession]>,
        known: impl Fn(&str) -> Option<u32>,
    ) -> Option<u32> {
        let sessions = sessions.unwrap_or_default();
        if let Some(name) = self.user.as_deref().or(self.owner.as_deref()) {
            let session = sessions.iter().find(|session| session.user == name);
            return session.map(|session| session.uid).or_else(|| known(name));
        }
        let (first, others) = sessions.split_first()?;
        let alone = others.iter().all(|other| other.uid == first.uid);
        alone.then_some(first.uid)
    }
}

/// Where the word for a connection is.
fn path(directory: &Path, uuid: &str) -> Option<PathBuf> {
    let is_uuid = uuid.len() == 36 && uuid.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-');
    is_uuid.then(|| directory.join(uuid))
}

fn leave(path: &Path, text: &str, reader: Option<u32>) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    for directory in directory.parent().into_iter().chain([directory]) {
        match DirBuilder::new().mode(0o700).create(directory) {
            // Whatever the umask is that this process was given.
            Ok(()) => fs::set_permissions(directory, Permissions::from_mode(0o711))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    make_room(directory);
    // Whole, and readable for nobody before it is.
    let new = directory.join(format!("new-{}", std::process::id()));
    drop(fs::remove_file(&new));
    let mut file = File::options();
    let mut file = file.write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    if let Some(reader) = reader {
        let list = access_list(reader);
        fsetxattr(&file, "system.posix_acl_access", &list, XattrFlags::empty())?;
    }
    fs::rename(&new, path)
}

/// The oldest go.
fn make_room(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let too_many = (files.len() + 1).saturating_sub(MOST);
    for (_, path) in &files[..too_many] {
        drop(fs::remove_file(path));
    }
}

/// Read and write for the owner, read for the account numbered `uid`, nothing for anybody else, in
/// the kernel's form (linux/posix_acl_xattr.h).
fn access_list(uid: u32) -> Vec<u8> {
    const VERSION: u32 = 2;
    const NOBODY: u32 = u32::MAX;
    const READ: u16 = 4;
    const WRITE: u16 = 2;
    let entries = [
        (0x01, READ | WRITE, NOBODY), // ACL_USER_OBJ
        (0x02, READ, uid),            // ACL_USER
        (0x04, 0, NOBODY),            // ACL_GROUP_OBJ
        (0x10, READ, NOBODY),         // ACL_MASK
        (0x20, 0, NOBODY),            // ACL_OTHER
    ];
    let mut list = VERSION.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(u16::to_le_bytes(tag));
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0b0f9a2c-7c6b-4b62-8e0e-0c7f7a4d9d5e";

    fn requester(user: Option<&str>, owner: Option<&str>) -> Requester {
        Requester {
            uuid: UUID.to_owned(),
            activation: String::new(),
            user: user.map(str::to_owned),
            owner: owner.map(str::to_owned),
        }
    }

    #[test]
    fn one_person_reads_it_and_in_doubt_none() {
        let session = |user: &str, uid| LoginSession {
            user: user.to_owned(),
            uid,
            is_graphical: true,
            is_active: true,
            is_locked: false,
        };
        let both = [session("ada", 1000), session("bob", 1001)];
        let twice = [session("ada", 1000), session("ada", 1000)];
        let known = |name: &str| (name == "carol").then_some(1002);
        let reader = |user, owner, sessions| requester(user, owner).reader(sessions, known);
        assert_eq!(
            reader(Some("bob"), Some("ada"), Some(&both[..])),
            Some(1001)
        );
        assert_eq!(reader(None, Some("ada"), Some(&both[..])), Some(1000));
        // Not logged in, as a unit of systemd's.
        assert_eq!(reader(Some("carol"), None, Some(&both[..])), Some(1002));
        assert_eq!(reader(Some("dave"), None, Some(&twice[..])), None);
        assert_eq!(reader(None, None, Some(&twice[..])), Some(1000));
        assert_eq!(reader(None, None, Some(&both[..])), None);
        assert_eq!(reader(None, None, None), None);
    }

    #[test]
    fn nobody_names_a_file_but_by_a_uuid() {
        let directory = Path::new("/run/x");
        for wrong in [
            "",
            "../../etc/passwd",
            "a/b",
            &"f".repeat(35),
            &format!("{UUID}0"),
        ] {
            assert_eq!(path(directory, wrong), None, "{wrong}");
        }
        assert_eq!(path(directory, UUID), Some(directory.join(UUID)));
    }

    #[test]
    fn a_new_word_takes_the_place_of_the_old_one_and_the_oldest_go() {
        let run = tempfile::tempdir().unwrap();
        let directory = run.path().join("ours/last");
        for number in 0..MOST + 5 {
            let path = path(&directory, &format!("{number:036}")).unwrap();
            leave(&path, "x", None).unwrap();
        }
        let path = path(&directory, UUID).unwrap();
        for text in ["first", "second"] {
            leave(&path, text, Some(rustix::process::geteuid().as_raw())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(fs::read_dir(&directory).unwrap().count() <= MOST);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        // With a list, the group's bits are what the list lets anybody do.
        assert_eq!(mode & 0o777, 0o640);
        let mode = fs::metadata(&directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o711);
    }
}
