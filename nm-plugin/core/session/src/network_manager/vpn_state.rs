//! What NetworkManager says of a connection.

use aws_client_vpn_profile::well_known::{active_state, state_reason, vpn_state};

/// Why NetworkManager says what it says: `NMActiveConnectionStateReason` (nm-dbus-interface.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason(u32);

impl Reason {
    const UNKNOWN: Self = Self(state_reason::UNKNOWN);
    const NONE: Self = Self(state_reason::NONE);
    const USER_DISCONNECTED: Self = Self(state_reason::USER_DISCONNECTED);
    const CONNECTION_REMOVED: Self = Self(state_reason::CONNECTION_REMOVED);

    /// Whether NetworkManager gives no reason.
    pub(super) fn is_none(self) -> bool {
        matches!(self, Self::UNKNOWN | Self::NONE)
    }

    /// Whether a person has taken the connection down, or deleted it.
    pub fn is_by_a_person(self) -> bool {
        self == Self::USER_DISCONNECTED || self == Self::CONNECTION_REMOVED
    }

    pub(crate) fn in_words(self) -> String {
        match self {
            Self::USER_DISCONNECTED => "somebody asked for it".to_owned(),
            Self::CONNECTION_REMOVED => "the connection was deleted".to_owned(),
            Self(number) => format!("reason {number}"),
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
            vpn_state::ACTIVATED => Self::Deactivating(Reason(reason)),
            vpn_state::FAILED | vpn_state::DISCONNECTED => Self::Ended(Reason(reason)),
            _ => Self::Connecting,
        }
    }

    /// From `StateChanged` of `Connection.Active`, which comes before the other signal; `None` for
    /// what that one tells better. Only this one tells that a connection which is up is being taken
    /// down.
    pub fn of_active_connection(state: u32, reason: u32) -> Option<Self> {
        (state == active_state::DEACTIVATING).then_some(Self::Deactivating(Reason(reason)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_a_person_s_none_or_others() {
        let told = |reason: u32| {
            let reason = Reason(reason);
            (reason.is_by_a_person(), reason.is_none())
        };
        for (reason, expected) in [
            (0, (false, true)),
            (1, (false, true)),
            (2, (true, false)),
            (11, (true, false)),
            (3, (false, false)),
            (9, (false, false)),
        ] {
            assert_eq!(told(reason), expected, "{reason}");
        }
        assert_eq!(Reason(2).in_words(), "somebody asked for it");
        assert_eq!(Reason(11).in_words(), "the connection was deleted");
        assert_eq!(Reason(9).in_words(), "reason 9");
    }

    #[test]
    fn being_up_and_being_taken_down_have_one_number_and_different_reasons() {
        assert_eq!(VpnState::of_vpn(5, 0), VpnState::Activated);
        assert_eq!(VpnState::of_vpn(5, 1), VpnState::Activated);
        for reason in [2, 3, 11, 14] {
            let taken_down = VpnState::Deactivating(Reason(reason));
            assert_eq!(VpnState::of_vpn(5, reason), taken_down);
            assert_eq!(VpnState::of_active_connection(3, reason), Some(taken_down));
        }
        for state in [0, 1, 2, 4] {
            assert_eq!(VpnState::of_active_connection(state, 2), None);
        }
        assert_eq!(VpnState::of_vpn(7, 2), VpnState::Ended(Reason(2)));
    }
}
