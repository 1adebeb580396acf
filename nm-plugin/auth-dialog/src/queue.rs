//! A place in the queue for the port, which outlives the dialog that took it.
//!
//! NetworkManager's agents run a new dialog every two minutes. The new one has to know whether the
//! one before has opened the page, or still waited for another login to be over.

use std::fs;
use std::path::PathBuf;

/// The place of one connection.
pub(crate) struct Place(Option<PathBuf>);

impl Place {
    /// That of the connection `uuid`; only where a session has a folder for such things.
    pub(crate) fn of(uuid: &str) -> Self {
        let is_plain = |uuid: &str| {
            !uuid.is_empty() && uuid.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'-')
        };
        let folder = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| is_plain(uuid));
        Self(folder.map(|folder| {
            let name = format!("nm-aws-client-vpn-queue-{uuid}");
            PathBuf::from(folder).join(name)
        }))
    }

    /// Whether a dialog before this one took it and had to go.
    pub(crate) fn was_left(&self) -> bool {
        self.0.as_ref().is_some_and(|path| path.exists())
    }

    /// Waits from now on. That it cannot be written down costs the page of a later dialog only.
    pub(crate) fn take(&self) {
        if let Some(path) = &self.0 {
            drop(fs::write(path, ""));
        }
    }

    /// It is this one's turn.
    pub(crate) fn give_up(&self) {
        if let Some(path) = &self.0 {
            drop(fs::remove_file(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_makes_a_place() {
        assert!(Place::of("../x").0.is_none());
        assert!(Place::of("").0.is_none());
    }
}
