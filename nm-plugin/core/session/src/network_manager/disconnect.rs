//! Whether a connection was to end, by what NetworkManager says of it.

use super::vpn_state::{Reason, VpnState};

/// What NetworkManager has said of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disconnect {
    was_up: bool,
    reason: Option<Reason>,
}

impl Disconnect {
    /// NetworkManager says something more.
    pub fn take_in(&mut self, state: VpnState) {
        match state {
            VpnState::Activated => self.was_up = true,
            // The first is the cause, the others follow from it.
            VpnState::Deactivating(reason) | VpnState::Ended(reason) => {
                self.reason.get_or_insert(reason);
            }
            VpnState::Connecting | VpnState::NeedAuth => {}
        }
    }

    /// Whether the connection has been up.
    #[must_use]
    pub fn was_up(&self) -> bool {
        self.was_up
    }

    /// Whether the rest of the network is to be had again: somebody took the connection down or
    /// deleted it. Where nothing is known nobody is to be locked out, and by one that has never
    /// been up nobody is, unless traffic was stopped before it began (`was_closed`).
    #[must_use]
    pub fn frees(&self, was_closed: bool) -> bool {
        match self.reason {
            Some(reason) if reason.is_by_a_person() => true,
            Some(reason) if was_closed || self.was_up => !was_closed && reason.is_a_wish(),
            Some(_) => true,
            None => !was_closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(states: &[(u32, u32)]) -> Disconnect {
        let mut end = Disconnect::default();
        for (state, reason) in states {
            end.take_in(VpnState::of_vpn(*state, *reason));
        }
        end
    }

    #[test]
    fn only_what_a_user_does_ends_a_connection_that_was_up() {
        let frees = |states: &[(u32, u32)]| end(states).frees(false);
        // By the user; deleted; nothing known.
        assert!(frees(&[(5, 1), (7, 2)]));
        assert!(frees(&[(5, 1), (7, 11)]));
        assert!(frees(&[(5, 1)]));
        // While scripts run, it is state as up, with the reason.
        assert!(frees(&[(5, 1), (3, 6), (5, 11), (7, 2)]));
        // The device went, no secrets, the service went; and what NetworkManager adds.
        for reason in [3, 4, 6, 9] {
            assert!(!frees(&[(5, 1), (2, 0), (6, reason)]), "{reason}");
            assert!(!frees(&[(5, 1), (6, reason), (7, 2)]), "{reason}");
        }
        // It never was up.
        assert!(frees(&[(3, 0), (6, 9)]));
    }

    #[test]
    fn what_was_closed_before_is_opened_by_a_person_only() {
        for reason in [0, 1, 3, 4, 6, 9] {
            assert!(!end(&[(3, 0), (6, reason)]).frees(true), "{reason}");
            assert!(!end(&[(3, 0), (5, 1), (6, reason)]).frees(true), "{reason}");
        }
        assert!(!end(&[(3, 0)]).frees(true));
        for reason in [2, 11] {
            assert!(end(&[(3, 0), (7, reason)]).frees(true), "{reason}");
            // "Deactivating" is state as "activated", with the reason.
            let taken_down = end(&[(3, 0), (5, reason)]);
            assert!(!taken_down.was_up() && taken_down.frees(true), "{reason}");
        }
    }
}
