//! Whose a tun device is: its alias says which service made it, so that one that outlived its
//! service, its supervisor and its OpenVPN is known, by the next service, which removes it, and by
//! the doctor. Nothing else about a device tells: nobody is attached to it during a login either.

use std::fmt;

/// What the names of our devices begin with.
pub const DEVICE_PREFIX: &str = "awsvpn";
/// What the alias begins with.
const ALIAS_PREFIX: &str = "nm-aws-client-vpn-service";
/// `RTM_NEWLINK`, `NLM_F_REQUEST | NLM_F_ACK` and `IFLA_IFALIAS` (linux/rtnetlink.h, if_link.h).
const RTM_NEWLINK: u16 = 16;
const FLAGS: u16 = 0x1 | 0x4;
const IFLA_IFALIAS: u16 = 20;

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
    #[must_use]
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
    #[must_use]
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

/// The request that gives the interface with number `index` this alias.
#[must_use]
pub fn alias_request(index: u32, alias: &str) -> Vec<u8> {
    let length = u16::try_from(4 + alias.len()).unwrap_or(u16::MAX);
    let mut body = vec![0_u8; 4];
    body.extend(index.to_ne_bytes());
    // Flags, and which of them to change: none.
    body.extend([0; 8]);
    body.extend(length.to_ne_bytes());
    body.extend(IFLA_IFALIAS.to_ne_bytes());
    body.extend(alias.as_bytes());
    body.resize(body.len().next_multiple_of(4), 0);
    let whole = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
    let mut message = whole.to_ne_bytes().to_vec();
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(FLAGS.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
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

    #[test]
    fn an_alias_is_set_as_the_kernel_s_headers_say() {
        for (alias, padding) in [("abc", &[0][..]), ("abcd", &[])] {
            let length = u16::try_from(4 + alias.len()).unwrap();
            // RTM_NEWLINK with NLM_F_REQUEST and _ACK, `struct ifinfomsg`, IFLA_IFALIAS.
            let expected = [
                &40_u32.to_ne_bytes()[..],
                &16_u16.to_ne_bytes(),
                &0x5_u16.to_ne_bytes(),
                &[0; 8],
                &[0; 4],
                &7_u32.to_ne_bytes(),
                &[0; 8],
                &length.to_ne_bytes(),
                &20_u16.to_ne_bytes(),
                alias.as_bytes(),
                padding,
            ];
            assert_eq!(alias_request(7, alias), expected.concat());
        }
    }
}
