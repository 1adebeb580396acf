//! Whom root runs the dialog for.
//!
//! `sudo aws-client-vpn connect` runs the dialog as root, while the browser, or what ssh forwards for
//! it, is the user's. The dialog learns who that is only from what no other user can set: the kernel's
//! record of whose login a process belongs to, and what sudo says of its caller.

use std::env;
use std::fs;

/// What the kernel says outside any login, as in containers and in services: `(uid_t) -1`.
const NO_LOGIN: u32 = u32::MAX;

/// The user who logged in and became root, or called sudo; `None` if that is root, or nobody.
pub(crate) fn of_root() -> Option<u32> {
    let login = fs::read_to_string("/proc/self/loginuid").ok();
    let sudo = env::var("SUDO_UID").ok();
    caller(login.as_deref(), sudo.as_deref())
}

fn caller(login: Option<&str>, sudo: Option<&str>) -> Option<u32> {
    let user = |text: Option<&str>| {
        let user = text?.trim().parse().ok()?;
        (user != 0 && user != NO_LOGIN).then_some(user)
    };
    user(login).or_else(|| user(sudo))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_word_goes_before_sudo_s_and_nobody_is_nobody() {
        for (login, sudo, expected) in [
            (Some("1000\n"), None, Some(1000)),
            (Some("1000\n"), Some("1001"), Some(1000)),
            (Some("4294967295"), Some("1001"), Some(1001)),
            (Some("0"), Some("1001"), Some(1001)),
            (None, Some("1001"), Some(1001)),
            (Some("4294967295"), None, None),
            (Some("0"), Some("0"), None),
            (Some(""), Some(""), None),
            (None, Some("-1"), None),
            (None, Some("4294967295"), None),
            (None, Some("1001 1002"), None),
            (None, None, None),
        ] {
            assert_eq!(caller(login, sudo), expected, "{login:?} {sudo:?}");
        }
    }
}
