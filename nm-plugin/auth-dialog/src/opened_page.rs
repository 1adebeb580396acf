//! Which page of a connection's login was opened: written down for the dialog that follows.
//!
//! NetworkManager's agents run a new dialog every two minutes, maybe another agent's. The new one has
//! to know whether a browser has the page, whatever became of the dialogs before: they may have
//! waited for another login to be over, failed to open a browser, or never have been run.

use aws_client_vpn_keyring::session_dir::session_file;
use std::fs;
use std::path::PathBuf;
use url::Url;

/// What is written down of one connection.
pub(crate) struct OpenedPage(Option<PathBuf>);

impl OpenedPage {
    /// That of the connection `uuid`; only where a session has a directory for such things.
    pub(crate) fn of(uuid: &str) -> Self {
        Self(session_file("nm-aws-client-vpn-page", uuid))
    }

    /// Whether a browser has `url`; `None` where nothing can be written down.
    pub(crate) fn is(&self, url: &Url) -> Option<bool> {
        let path = self.0.as_ref()?;
        Some(fs::read_to_string(path).is_ok_and(|opened| opened == url.as_str()))
    }

    /// A browser has `url`. That it cannot be written down costs a second tab at most.
    pub(crate) fn set(&self, url: &Url) {
        if let Some(path) = &self.0 {
            drop(fs::write(path, url.as_str()));
        }
    }

    /// No browser has it, or the login is over.
    pub(crate) fn forget(&self) {
        if let Some(path) = &self.0 {
            drop(fs::remove_file(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_makes_a_name() {
        assert!(OpenedPage::of("../x").0.is_none());
        assert!(OpenedPage::of("").0.is_none());
    }
}
