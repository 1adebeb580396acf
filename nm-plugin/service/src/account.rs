//! The unprivileged account that OpenVPN runs as.
//!
//! It is a system account that the package makes (sysusers.d), so it stands in `/etc/passwd`, or
//! where a system that is an image keeps its own (nss-altfiles); a lookup through NSS would load
//! other people's modules into a root process for nothing.

use aws_client_vpn_text::message::Localize;
use std::io;
use std::path::Path;
use thiserror::Error;

/// The name of the account.
pub(crate) const NAME: &str = "nm-aws-client-vpn";

/// Where accounts stand, the first that has it first.
const FILES: [&str; 2] = ["/etc/passwd", "/usr/lib/passwd"];

/// An account without privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The account cannot be used.
#[derive(Debug, Error, Localize)]
pub(crate) enum AccountError {
    /// What could hold it could not be read.
    // TRANSLATORS: Follows “OpenVPN could not be started:”
    #[error("/etc/passwd or /usr/lib/passwd could not be read: {0}")]
    Unreadable(io::Error),
    /// There is no such account.
    // TRANSLATORS: Follows “OpenVPN could not be started:”
    #[error(
        "the system account {NAME} is missing; install the package again, or run systemd-sysusers"
    )]
    Missing,
    /// The account is root, or in root's group: it would take no privilege away.
    // TRANSLATORS: Follows “OpenVPN could not be started:”
    #[error("the system account {NAME} must not have the rights of root")]
    Privileged,
}

/// Looks the account up.
pub(crate) fn look_up() -> Result<Account, AccountError> {
    // A service that does not run as root (in a test) cannot change its account at all.
    if !rustix::process::geteuid().is_root() {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        return Ok(Account {
            uid: uid.as_raw(),
            gid: gid.as_raw(),
        });
    }
    find_in(FILES.map(Path::new))
}

/// The number of the account `name`, of those that stand in files.
pub(crate) fn uid_of(name: &str) -> Option<u32> {
    let mut files = FILES
        .into_iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    files.find_map(|passwd| Some(find_named(&passwd, name)?.uid))
}

fn find_in<const N: usize>(files: [&Path; N]) -> Result<Account, AccountError> {
    let mut unreadable = None;
    for file in files {
        match std::fs::read_to_string(file).map(|passwd| find(&passwd)) {
            Ok(Err(AccountError::Missing)) => {}
            Ok(found) => return found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => unreadable = Some(AccountError::Unreadable(error)),
        }
    }
    Err(unreadable.unwrap_or(AccountError::Missing))
}

fn find(passwd: &str) -> Result<Account, AccountError> {
    match find_named(passwd, NAME) {
        Some(Account { uid: 0, .. } | Account { gid: 0, .. }) => Err(AccountError::Privileged),
        Some(account) => Ok(account),
        None => Err(AccountError::Missing),
    }
}

fn find_named(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\nnm-aws-client-vpn2:x:7:7::/:/x\n\
                      nm-aws-client-vpn:x:990:989::/:/usr/sbin/nologin\n";
        assert_eq!(find(passwd).unwrap(), Account { uid: 990, gid: 989 });
    }

    #[test]
    fn an_account_of_the_system_s_image_is_found_and_etc_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        let (etc, image) = (dir.path().join("etc"), dir.path().join("image"));
        let look = || find_in([&etc, &image]);
        assert!(matches!(look(), Err(AccountError::Missing)));
        std::fs::write(&image, "nm-aws-client-vpn:x:990:989::/:/x\n").unwrap();
        assert_eq!(look().unwrap().uid, 990);
        std::fs::write(&etc, "root:x:0:0::/:/x\n").unwrap();
        assert_eq!(look().unwrap().uid, 990);
        std::fs::write(&etc, "nm-aws-client-vpn:x:7:7::/:/x\n").unwrap();
        assert_eq!(look().unwrap().uid, 7);
    }

    #[test]
    fn a_missing_or_privileged_account_is_refused() {
        assert!(matches!(
            find("root:x:0:0::/:/x\n"),
            Err(AccountError::Missing)
        ));
        assert!(matches!(
            find("nm-aws-client-vpn:x:0:5::/:/x"),
            Err(AccountError::Privileged)
        ));
        assert!(matches!(
            find("nm-aws-client-vpn:x:5:0::/:/x"),
            Err(AccountError::Privileged)
        ));
    }
}
