//! The names of the marks that tell of kill switches, see
//! [`KILL_SWITCH_MARKS`](crate::well_known::KILL_SWITCH_MARKS).

use std::fmt;

/// How much of a connection's UUID is taken; NetworkManager's have 36 characters.
const LONGEST_UUID: usize = 64;
/// What the name of a mark ends with whose connection stops the rest: everybody may look at names,
/// but only root at what is in a mark.
const CLOSED: &str = "closed";

/// What the service says if the kernel has a kill switch for which there is no mark.
pub const LEFT_OVER: &str = "left over";

/// The name of a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkName {
    /// The connection.
    pub uuid: String,
    /// The process that left it.
    pub pid: u32,
    /// Whether the connection stops the rest.
    pub is_closed: bool,
}

impl MarkName {
    /// Reads a name; `None` if it is not one of a mark.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let uuid = parts.next().filter(|uuid| !uuid.is_empty())?.to_owned();
        let pid = parts.next()?.parse().ok()?;
        let is_closed = match (parts.next(), parts.next()) {
            (None, _) => false,
            (Some(CLOSED), None) => true,
            (Some(_), _) => return None,
        };
        Some(Self {
            uuid,
            pid,
            is_closed,
        })
    }
}

impl fmt::Display for MarkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fit = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let uuid: String = self.uuid.chars().filter(fit).take(LONGEST_UUID).collect();
        write!(f, "{uuid}.{}", self.pid)?;
        if self.is_closed {
            write!(f, ".{CLOSED}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mark_s_name_tells_the_connection_and_whether_it_stops_the_rest() {
        for is_closed in [false, true] {
            let name = MarkName {
                uuid: "11-22".to_owned(),
                pid: 7,
                is_closed,
            };
            assert_eq!(MarkName::parse(&name.to_string()), Some(name));
        }
        for name in [
            "11-22",
            ".7",
            "11-22.x",
            "lock",
            "11-22.7.open",
            "11-22.7.closed.x",
        ] {
            assert_eq!(MarkName::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_mark_s_name_is_one_word(uuid in "\\PC{0,200}") {
            let name = MarkName { uuid, pid: u32::MAX, is_closed: true }.to_string();
            prop_assert!(name.len() <= 82);
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'));
        }
    }
}
