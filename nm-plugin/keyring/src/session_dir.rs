//! What is kept for as long as the user is logged in: no secrets.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Says that the sign-in of a connection waits until another one is over: the name of a [`session_file`],
/// which is there as long as that is so.
pub const AWAITS_TURN: &str = "nm-aws-client-vpn-turn";

/// Where this user's session keeps such things. That of another user (sudo may leave it in the
/// environment) is none: a link in it would lead root anywhere.
pub fn session_dir() -> Option<PathBuf> {
    own(PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?))
}

/// The file called `name` that is about the connection `uuid`.
pub fn session_file(name: &str, uuid: &str) -> Option<PathBuf> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_uuid = (1..=64).contains(&uuid.len()) && uuid.chars().all(is_plain);
    let file = session_dir()?.join(format!("{name}-{uuid}"));
    is_uuid.then_some(file)
}

fn own(directory: PathBuf) -> Option<PathBuf> {
    let owner = fs::metadata(&directory).ok()?.uid();
    (owner == rustix::process::geteuid().as_raw()).then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_another_user_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        assert_eq!(own(path.clone()), Some(path.clone()));
        assert_eq!(own(path.join("missing")), None);
        assert_eq!(own(PathBuf::new()), None);
        let others = match rustix::process::geteuid().is_root() {
            true => {
                std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
                path
            }
            false => PathBuf::from("/"),
        };
        assert_eq!(own(others), None);
    }
}
