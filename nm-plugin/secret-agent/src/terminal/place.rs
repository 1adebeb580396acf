//! Where the person sits, as far as programs are told.

use rustix::process::{geteuid, getppid};
use std::env;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;

/// How many ancestors are looked at: sudo, shells, terminal multiplexers.
const ANCESTORS: usize = 32;
/// How much of an environment is read.
const ENVIRONMENT_LIMIT: u64 = 1024 * 1024;

/// A variable that is not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the environment names a display.
pub fn has_display() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Whether there may be a browser: there is none at a text console, unless `BROWSER` names one, and
/// none for sudo, which would run it as root.
pub(super) fn may_have_browser() -> bool {
    if sudo_caller().is_some() {
        return false;
    }
    let is_desktop = variable("XDG_SESSION_TYPE").is_some_and(|kind| kind != "tty");
    has_display() || is_desktop || variable("BROWSER").is_some()
}

/// The user's name, as ssh asks for it: of root's programs, that of whoever called sudo.
pub(super) fn user() -> Option<String> {
    sudo_caller()
        .or_else(|| variable("USER"))
        .or_else(|| variable("LOGNAME"))
}

/// What sshd tells of its connection, if the person came that way. sudo takes it away, but root may
/// see what its ancestors were told.
pub(super) fn ssh_connection() -> Option<String> {
    let own = variable("SSH_CONNECTION");
    own.or_else(|| sudo_caller().and_then(|_| ssh_connection_of_ancestors()))
}

/// The name of whoever called sudo.
fn sudo_caller() -> Option<String> {
    variable("SUDO_USER").filter(|_| geteuid().is_root())
}

/// The address at which sshd was reached.
pub(super) fn own_address(ssh_connection: &str) -> Option<IpAddr> {
    ssh_connection.split(' ').nth(2)?.parse().ok()
}

fn ssh_connection_of_ancestors() -> Option<String> {
    let mut process = getppid()?.as_raw_nonzero().get();
    for _ in 0..ANCESTORS {
        if let Some(found) = value_in(&read(process, "environ")?, "SSH_CONNECTION") {
            return Some(found);
        }
        process = parent_in(&String::from_utf8_lossy(&read(process, "stat")?))?;
    }
    None
}

fn read(process: i32, file: &str) -> Option<Vec<u8>> {
    let file = File::open(format!("/proc/{process}/{file}")).ok()?;
    let mut bytes = Vec::new();
    file.take(ENVIRONMENT_LIMIT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn value_in(environment: &[u8], name: &str) -> Option<String> {
    let mut entries = environment.split(|byte| *byte == 0);
    entries.find_map(|entry| {
        let (key, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
        (key == name && !value.is_empty()).then(|| value.to_owned())
    })
}

/// A program's own name, in brackets, may have anything in it.
fn parent_in(stat: &str) -> Option<i32> {
    let (_, behind) = stat.rsplit_once(')')?;
    let parent = behind.split_whitespace().nth(1)?.parse().ok()?;
    (parent > 0).then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_ancestor_was_told_is_read() {
        let environment =
            b"PATH=/bin\0XSSH_CONNECTION=x\0SSH_CONNECTION=192.0.2.9 5 2001:db8::1 22\0\xff=\0";
        let ssh = value_in(environment, "SSH_CONNECTION").unwrap();
        assert_eq!(own_address(&ssh), "2001:db8::1".parse().ok());
        assert_eq!(value_in(b"SSH_CONNECTION=\0", "SSH_CONNECTION"), None);
        for odd in ["", "a b", "192.0.2.9 5 \u{1b}[2J 22"] {
            assert_eq!(own_address(odd), None, "{odd}");
        }
        assert_eq!(parent_in("7 (a) 9 (b) S 3 7 7 0"), Some(3));
        for last in ["1 (systemd) S 0 1 1", "", "7 (a"] {
            assert_eq!(parent_in(last), None, "{last}");
        }
    }
}
