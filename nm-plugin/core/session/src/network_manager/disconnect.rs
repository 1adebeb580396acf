//! Whether a connection was to end, by what NetworkManager says of it.

use super::vpn_state::{Reason, VpnState};

/// What NetworkManager has said of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disconnect {
    was_up: bool,
    reason: Option<Reason>,
}

impl Disconnect {
    /// NetworkManager reports a further state.
    pub fn take_in(&mut self, state: VpnState) {
        self.was_up |= state == VpnState::Activated;
        // The first is the cause, the others follow from it.
        self.reason = self.reason.or(state.end());
    }

    /// Whether the connection is being taken down, or has ended.
    pub fn is_over(&self) -> bool {
        self.reason.is_some()
    }

    /// Whether the connection has been up.
    pub fn was_up(&self) -> bool {
        self.was_up
    }

    /// Why the connection is being taken down, or has ended.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// The same of a connection that is not deleted.
    #[must_use]
    pub fn not_deleted(self) -> Self {
        let reason = self.reason.map(Reason::not_deleted);
        Self { reason, ..self }
    }

    /// Whether the kill switch is to be lifted. A person who takes the connection down or deletes it
    /// always lifts it. Otherwise it stays if an earlier attempt had left traffic stopped
    /// (`was_closed`); and nobody is to be locked out where no reason is known, or by a connection that
    /// has never been up.
    pub fn lifts_kill_switch(&self, was_closed: bool) -> bool {
        match self.reason {
            Some(reason) if reason.is_by_a_person() => true,
            Some(reason) if was_closed || self.was_up => !was_closed && reason == Reason::NotGiven,
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
    fn it_is_over_once_an_end_was_told_of() {
        for states in [&[][..], &[(1, 0)], &[(3, 0)], &[(5, 1)]] {
            assert!(!end(states).is_over(), "{states:?}");
        }
        for states in [&[(5, 2)][..], &[(6, 0)], &[(7, 2), (3, 0)]] {
            assert!(end(states).is_over(), "{states:?}");
        }
    }

    #[test]
    fn only_what_a_user_does_ends_a_connection_that_was_up() {
        let lifts_kill_switch = |states: &[(u32, u32)]| end(states).lifts_kill_switch(false);
        // By the user; deleted; nothing known.
        assert!(lifts_kill_switch(&[(5, 1), (7, 2)]));
        assert!(lifts_kill_switch(&[(5, 1), (7, 11)]));
        assert!(lifts_kill_switch(&[(5, 1)]));
        // Called deleted, and there: its user has logged out.
        let logged_out = end(&[(5, 1), (5, 11), (7, 2)]).not_deleted();
        assert!(!logged_out.lifts_kill_switch(false) && !logged_out.lifts_kill_switch(true));
        // While scripts run, it is state as up, with the reason.
        assert!(lifts_kill_switch(&[(5, 1), (3, 6), (5, 11), (7, 2)]));
        // The device went, no secrets, the service went; and what NetworkManager adds.
        for reason in [3, 4, 6, 9] {
            assert!(
                !lifts_kill_switch(&[(5, 1), (2, 0), (6, reason)]),
                "{reason}"
            );
            assert!(
                !lifts_kill_switch(&[(5, 1), (6, reason), (7, 2)]),
                "{reason}"
            );
        }
        // It never was up.
        assert!(lifts_kill_switch(&[(3, 0), (6, 9)]));
    }

    #[test]
    fn what_was_closed_before_is_opened_by_a_person_only() {
        for reason in [0, 1, 3, 4, 6, 9] {
            assert!(
                !end(&[(3, 0), (6, reason)]).lifts_kill_switch(true),
                "{reason}"
            );
            assert!(
                !end(&[(3, 0), (5, 1), (6, reason)]).lifts_kill_switch(true),
                "{reason}"
            );
        }
        assert!(!end(&[(3, 0)]).lifts_kill_switch(true));
        for reason in [2, 11] {
            assert!(
                end(&[(3, 0), (7, reason)]).lifts_kill_switch(true),
                "{reason}"
            );
            // "Deactivating" is state as "activated", with the reason.
            let taken_down = end(&[(3, 0), (5, reason)]);
            assert!(
                !taken_down.was_up() && taken_down.lifts_kill_switch(true),
                "{reason}"
            );
        }
    }
}
