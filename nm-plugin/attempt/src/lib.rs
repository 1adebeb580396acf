//! What becomes of an attempt to connect, in words: NetworkManager's states ([`progress`]), and why
//! it failed, as the service left it for the user who asked.

pub mod progress;

use aws_client_vpn_profile::last_failure::{DIRECTORY, LONGEST, LastFailure};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Why the last attempt at the connection `uuid` failed; `None` if it did not fail, or it is not for this user to read.
#[must_use]
pub fn last_failure(uuid: &str) -> Option<LastFailure> {
    read(Path::new(DIRECTORY), uuid)
}

/// The same, if it was NetworkManager's activation `path` that failed.
#[must_use]
pub fn failure_of(uuid: &str, path: &str) -> Option<LastFailure> {
    last_failure(uuid).filter(|failure| failure.activation == path)
}

fn read(directory: &Path, uuid: &str) -> Option<LastFailure> {
    // The UUID comes from a connection, which anybody may have made.
    if uuid.contains('/') {
        return None;
    }
    let mut text = String::new();
    let file = File::open(directory.join(uuid)).ok()?;
    let limit = LONGEST.try_into().ok()?;
    file.take(limit).read_to_string(&mut text).ok()?;
    LastFailure::from_text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_profile::last_failure::FailureKind;
    use aws_client_vpn_text::message;

    #[test]
    fn it_is_read_where_it_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let failure = LastFailure {
            activation: "/a/7".to_owned(),
            at: 7,
            kind: FailureKind::Refused,
            reason: message!("no"),
        };
        let file = directory.path().join("u");
        assert_eq!(read(directory.path(), "u"), None);
        std::fs::write(&file, failure.to_text()).unwrap();
        assert_eq!(read(directory.path(), "u"), Some(failure));
        let there = format!("../{}/u", directory.path().file_name().unwrap().display());
        assert!(directory.path().join(&there).exists());
        assert_eq!(read(directory.path(), &there), None);
    }
}
