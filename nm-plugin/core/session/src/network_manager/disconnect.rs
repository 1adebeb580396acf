//! Whether a connection was to end, by what NetworkManager says of it.

use super::vpn_state::{Reason, Shown};

/// What NetworkManager has said of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    was_up: bool,
    reason: Option<Reason>,
}

impl End {
    /// NetworkManager says something more.
    pub fn take_in(&mut self, shown: Shown) {
        match shown {
            Shown::Activated => self.was_up = true,
            // The first is the cause, the others follow from it.
            Shown::TakenDown(reason) | Shown::Ended(reason) => {
                self.reason.get_or_insert(reason);
            }
            Shown::Making | Shown::NeedsAnswer => {}
        }
    }

    /// Whether the connection has been up.
    #[must_use]
    pub fn was_up(&self) -> bool {
        self.was_up
    }

    /// Whether the rest of the network is to be had again: somebody took the connection down or
    /// deleted it, or it has never been up. Where nothing is known, nobody is to be locked out.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.was_up || self.reason.is_none_or(Reason::is_a_wish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_user_does_ends_a_connection_that_was_up() {
        let end = |states: &[(u32, u32)]| {
            let mut end = End::default();
            for (state, reason) in states {
                end.take_in(Shown::of_vpn(*state, *reason));
            }
            end.is_wanted()
        };
        // By the user; deleted; nothing known.
        assert!(end(&[(5, 1), (7, 2)]));
        assert!(end(&[(5, 1), (7, 11)]));
        assert!(end(&[(5, 1)]));
        // While scripts run, it is shown as up, with the reason.
        assert!(end(&[(5, 1), (3, 6), (5, 11), (7, 2)]));
        // The device went, no secrets, the service went; and what NetworkManager adds.
        for reason in [3, 4, 6, 9] {
            assert!(!end(&[(5, 1), (2, 0), (6, reason)]), "{reason}");
            assert!(!end(&[(5, 1), (6, reason), (7, 2)]), "{reason}");
        }
        // It never was up.
        assert!(end(&[(3, 0), (6, 9)]));
    }
}
