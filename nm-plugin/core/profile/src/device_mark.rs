//! Whose a tun device is: its alias says which service made it, so that one that outlived its
//! service, its supervisor and its OpenVPN is known, by the next service, which removes it, and by
//! the doctor. Nothing else about a device tells: nobody is attached to it during a login either.

use std::fmt;

/// What the names of our devices begin with.
pub const DEVICE_PREFIX: &str = "awsvpn";
/// What the alias begins with.
const ALIAS_PREFIX: &str = "nm-aws-client-vpn-service";

/// A process, also when its number is given again. Its text is the alias of its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessId {
    /// The process's number.
    pub pid: u32,
    /// When it began, in the kernel's ticks since the computer did.
    pub began: u64,
}

impl ProcessId {
    /// Reads `/proc/PID/stat` (proc(5)); `None` for one that has only to be reaped.
    pub fn from_stat(stat: &str) -> Option<Self> {
        let (pid, _) = stat.split_once(' ')?;
        // The name in field 2 may hold anything, a closing parenthesis too.
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut fields = after_name.split_ascii_whitespace();
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        // Field 22; three are read.
        let began = fields.nth(18)?.parse().ok()?;
        let pid = pid.parse().ok()?;
        Some(Self { pid, began })
    }

    /// Reads the alias of a device.
    pub fn from_alias(alias: &str) -> Option<Self> {
        let mut words = alias.strip_prefix(ALIAS_PREFIX)?.split_whitespace();
        let (pid, began) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().is_none().then_some(Self { pid, began })
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALIAS_PREFIX} {} {}", self.pid, self.began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_survives_being_an_alias() {
        let process = ProcessId { pid: 7, began: 42 };
        let alias = process.to_string();
        assert_eq!(ProcessId::from_alias(&format!("{alias}\n")), Some(process));
        for other in [
            "",
            "office",
            "nm-aws-client-vpn-service",
            "nm-aws-client-vpn-service 7",
            "nm-aws-client-vpn-service 7 42 1",
        ] {
            assert_eq!(ProcessId::from_alias(other), None, "{other}");
        }
    }

    #[test]
    fn a_process_is_known_by_its_number_and_its_beginning() {
        let stat = |state| {
            format!(
                "817 (a) (b) {state} 1 817 817 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 8713 2 3 4\n"
            )
        };
        let process = ProcessId {
            pid: 817,
            began: 8713,
        };
        assert_eq!(ProcessId::from_stat(&stat("S")), Some(process));
        assert_eq!(ProcessId::from_stat(&stat("Z")), None);
        assert_eq!(ProcessId::from_stat("817 (a) S 1"), None);
    }
}
