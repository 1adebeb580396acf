//! What NetworkManager says of a connection.

use aws_client_vpn_profile::well_known::{active_state, state_reason, vpn_state};

/// Why NetworkManager says what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// NetworkManager says none.
    NotGiven,
    /// Somebody has taken the connection down.
    UserDisconnected,
    /// The connection was deleted, as NetworkManager says also if [`Self::NobodyLoggedIn`].
    ConnectionRemoved,
    /// The connection is there still, but of those that it is for nobody is logged in any more
    /// (nm-keep-alive.c).
    NobodyLoggedIn,
    /// Another `NMActiveConnectionStateReason` (nm-dbus-interface.h).
    Other(u32),
}

impl Reason {
    fn of(number: u32) -> Self {
        match number {
            state_reason::UNKNOWN | state_reason::NONE => Self::NotGiven,
            state_reason::USER_DISCONNECTED => Self::UserDisconnected,
            state_reason::CONNECTION_REMOVED => Self::ConnectionRemoved,
            number => Self::Other(number),
        }
    }

    /// Whether a person has taken the connection down, or deleted it.
    pub fn is_by_a_person(self) -> bool {
        matches!(self, Self::UserDisconnected | Self::ConnectionRemoved)
    }

    /// The same of a connection that is not deleted.
    #[must_use]
    pub fn not_deleted(self) -> Self {
        if self == Self::ConnectionRemoved {
            Self::NobodyLoggedIn
        } else {
            self
        }
    }

    pub(crate) fn in_words(self) -> String {
        match self {
            Self::NotGiven => "no reason given".to_owned(),
            Self::UserDisconnected => "somebody asked for it".to_owned(),
            Self::ConnectionRemoved => "the connection was deleted".to_owned(),
            Self::NobodyLoggedIn => {
                "nobody that the connection is for is logged in any more".to_owned()
            }
            Self::Other(number) => format!("reason {number}"),
        }
    }
}

/// What NetworkManager says of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VpnState {
    /// The connection is being made.
    Connecting,
    /// The connection waits for a person's answer.
    NeedAuth,
    /// The connection is up.
    Activated,
    /// The connection is being taken down: scripts run, and Disconnect follows.
    Deactivating(Reason),
    /// The connection has failed or is down.
    Ended(Reason),
}

impl VpnState {
    /// From `VpnStateChanged` of `VPN.Connection`.
    pub fn of_vpn(state: u32, reason: u32) -> Self {
        match state {
            vpn_state::NEED_AUTH => Self::NeedAuth,
            vpn_state::ACTIVATED if vpn_state::is_up(state, reason) => Self::Activated,
            vpn_state::ACTIVATED => Self::Deactivating(Reason::of(reason)),
            vpn_state::FAILED | vpn_state::DISCONNECTED => Self::Ended(Reason::of(reason)),
            _ => Self::Connecting,
        }
    }

    /// From `StateChanged` of `Connection.Active`, which comes before the other signal; `None` for
    /// what that one tells better. Only this one tells that a connection which is up is being taken
    /// down.
    pub fn of_active_connection(state: u32, reason: u32) -> Option<Self> {
        (state == active_state::DEACTIVATING).then_some(Self::Deactivating(Reason::of(reason)))
    }

    /// Why the connection is being taken down, or has ended.
    pub fn end(self) -> Option<Reason> {
        match self {
            Self::Deactivating(reason) | Self::Ended(reason) => Some(reason),
            Self::Connecting | Self::NeedAuth | Self::Activated => None,
        }
    }

    /// The same of a connection that is not deleted.
    #[must_use]
    pub fn not_deleted(self) -> Self {
        match self {
            Self::Deactivating(reason) => Self::Deactivating(reason.not_deleted()),
            Self::Ended(reason) => Self::Ended(reason.not_deleted()),
            Self::Connecting | Self::NeedAuth | Self::Activated => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_a_person_s_none_or_others() {
        for (number, reason, is_by_a_person) in [
            (0, Reason::NotGiven, false),
            (1, Reason::NotGiven, false),
            (2, Reason::UserDisconnected, true),
            (11, Reason::ConnectionRemoved, true),
            (3, Reason::Other(3), false),
            (9, Reason::Other(9), false),
        ] {
            assert_eq!(Reason::of(number), reason);
            assert_eq!(reason.is_by_a_person(), is_by_a_person, "{number}");
        }
        let gone = Reason::NobodyLoggedIn;
        assert!(!gone.is_by_a_person() && gone.in_words().contains("logged in"));
        assert_eq!(Reason::of(1).in_words(), "no reason given");
        assert_eq!(Reason::of(2).in_words(), "somebody asked for it");
        assert_eq!(Reason::of(11).in_words(), "the connection was deleted");
        assert_eq!(Reason::of(9).in_words(), "reason 9");
    }

    #[test]
    fn what_is_called_removed_and_is_there_has_lost_its_users() {
        for state in [5, 7] {
            let told = |reason| VpnState::of_vpn(state, reason);
            let end = told(11).not_deleted().end();
            assert_eq!(end, Some(Reason::NobodyLoggedIn));
            for reason in [1, 2, 9] {
                assert_eq!(told(reason).not_deleted(), told(reason));
            }
        }
    }

    #[test]
    fn being_up_and_being_taken_down_have_one_number_and_different_reasons() {
        assert_eq!(VpnState::of_vpn(5, 0), VpnState::Activated);
        assert_eq!(VpnState::of_vpn(5, 1), VpnState::Activated);
        for reason in [2, 3, 11, 14] {
            let taken_down = VpnState::Deactivating(Reason::of(reason));
            assert_eq!(VpnState::of_vpn(5, reason), taken_down);
            assert_eq!(VpnState::of_active_connection(3, reason), Some(taken_down));
        }
        for state in [0, 1, 2, 4] {
            assert_eq!(VpnState::of_active_connection(state, 2), None);
        }
        assert_eq!(
            VpnState::of_vpn(7, 2),
            VpnState::Ended(Reason::UserDisconnected)
        );
    }
}
