//! What SELinux's policy lets NetworkManager's domain do, which the service runs in. The kernel tells
//! anybody.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

/// The kernel's interface.
const SELINUX: &str = "/sys/fs/selinux";
/// What sets the rules of nftables.
const CLASS: &str = "netlink_netfilter_socket";

/// Whether a policy is enforced that does not let the domain of the process `network_manager` set
/// rules of nftables; `None` if no policy is enforced, or it cannot be seen.
pub(super) fn denies_rules(network_manager: u32) -> Option<bool> {
    let file = |name: String| fs::read_to_string(Path::new(SELINUX).join(name)).ok();
    if file("enforce".to_owned())?.trim() != "1" {
        return None;
    }
    let context = fs::read_to_string(format!("/proc/{network_manager}/attr/current")).ok()?;
    let context = context.trim_end_matches(['\0', '\n']);
    let class = file(format!("class/{CLASS}/index"))?;
    let create = file(format!("class/{CLASS}/perms/create"))?;
    let mut access = OpenOptions::new()
        .read(true)
        .write(true)
        .open(Path::new(SELINUX).join("access"))
        .ok()?;
    let question = format!("{context} {context} {}", class.trim());
    access.write_all(question.as_bytes()).ok()?;
    let mut answer = [0; 128];
    let length = access.read(&mut answer).ok()?;
    let answer = std::str::from_utf8(&answer[..length]).ok()?;
    is_allowed(answer, create.trim().parse().ok()?).map(|allowed| !allowed)
}

/// Whether the permission of that number, counted from one, is in the kernel's `answer`, which begins
/// with all that are allowed, in hexadecimal.
fn is_allowed(answer: &str, permission: u32) -> Option<bool> {
    let allowed = u32::from_str_radix(answer.split_whitespace().next()?, 16).ok()?;
    let bit = 1_u32.checked_shl(permission.checked_sub(1)?)?;
    Some(allowed & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn permissions_are_counted_from_one() {
        let answer = "8 ffffffff 0 ffffffff 12 0";
        assert_eq!(is_allowed(answer, 4), Some(true));
        assert_eq!(is_allowed(answer, 3), Some(false));
        assert_eq!(is_allowed(answer, 0), None);
        assert_eq!(is_allowed(answer, 33), None);
        assert_eq!(is_allowed("", 4), None);
    }
}
