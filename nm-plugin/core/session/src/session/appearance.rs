//! What NetworkManager shows of a connection, and what follows from it.
//!
//! Once it has had settings, it takes any change of the tunnel's interface for the end of an
//! attempt: nm-vpn-connection.c (1.36 to 1.58) never clears `wait_for_pre_up_state`. It then says
//! "activated" while there is no tunnel, drops a question that a person is being asked, and ignores
//! the next one. So what it shows is watched, and put right.
//!
//! When it takes a connection down, it runs the dispatcher's pre-down scripts first, and shows
//! "activated" meanwhile, with the reason for the end. A service that says "starting" then cancels
//! the scripts and the end with them, in any version: so from that moment on nothing is said any
//! more, whatever the state was, until Disconnect comes.

use super::{Effect, Input, Process, ServiceState, Session, State};
use std::time::Instant;

/// `NMVpnConnectionState` (nm-vpn-dbus-interface.h), as far as it matters.
mod vpn_state {
    pub(super) const NEED_AUTH: u32 = 2;
    pub(super) const ACTIVATED: u32 = 5;
    pub(super) const FAILED: u32 = 6;
    pub(super) const DISCONNECTED: u32 = 7;
}

/// `NM_ACTIVE_CONNECTION_STATE_DEACTIVATING` (nm-dbus-interface.h).
const DEACTIVATING: u32 = 3;

/// Why NetworkManager says what it says: `NMActiveConnectionStateReason` (nm-dbus-interface.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason(u32);

impl Reason {
    const UNKNOWN: Self = Self(0);
    const NONE: Self = Self(1);
    const USER_DISCONNECTED: Self = Self(2);
    const CONNECTION_REMOVED: Self = Self(11);

    /// Whether a state has no other reason than that it was reached.
    fn is_none(self) -> bool {
        matches!(self, Self::UNKNOWN | Self::NONE)
    }

    /// Whether somebody wants the connection to end; where nothing is said, nobody is known not to.
    #[must_use]
    pub fn is_a_wish(self) -> bool {
        self.is_none() || matches!(self, Self::USER_DISCONNECTED | Self::CONNECTION_REMOVED)
    }

    fn in_words(self) -> String {
        match self {
            Self::USER_DISCONNECTED => "somebody asked for it".to_owned(),
            Self::CONNECTION_REMOVED => "the connection was deleted".to_owned(),
            Self(number) => format!("reason {number}"),
        }
    }
}

/// What NetworkManager says of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It is being made.
    Making,
    /// It waits for a person's answer.
    NeedsAnswer,
    /// It is up.
    Activated,
    /// It is being taken down: scripts run, and Disconnect follows.
    TakenDown(Reason),
    /// It has failed or is down.
    Ended(Reason),
}

impl Shown {
    /// From `VpnStateChanged` of `VPN.Connection`.
    #[must_use]
    pub fn of_vpn(state: u32, reason: u32) -> Self {
        let reason = Reason(reason);
        match state {
            vpn_state::NEED_AUTH => Self::NeedsAnswer,
            // "Deactivating" has no number of its own there, but a reason.
            vpn_state::ACTIVATED if reason.is_none() => Self::Activated,
            vpn_state::ACTIVATED => Self::TakenDown(reason),
            vpn_state::FAILED | vpn_state::DISCONNECTED => Self::Ended(reason),
            _ => Self::Making,
        }
    }

    /// From `StateChanged` of `Connection.Active`, which comes before the other signal; `None` for
    /// what that one tells better. Only this one tells that a connection which is up is being taken
    /// down.
    #[must_use]
    pub fn of_active_connection(state: u32, reason: u32) -> Option<Self> {
        (state == DEACTIVATING).then_some(Self::TakenDown(Reason(reason)))
    }
}

impl Session {
    /// NetworkManager says something of the connection.
    pub(super) fn shown(&mut self, shown: Shown, now: Instant) {
        match shown {
            Shown::TakenDown(reason) | Shown::Ended(reason) => self.taken_down(reason),
            Shown::Making | Shown::NeedsAnswer | Shown::Activated
                if matches!(self.state, State::TakenDown) =>
            {
                // What was said a moment before it began to take the connection down has crossed
                // the news of it, and Disconnect does not come any more.
                self.stop("NetworkManager was about to take it down", now);
            }
            Shown::NeedsAnswer => {
                if let Some(login) = self.login() {
                    login.is_asked = true;
                }
            }
            Shown::Activated if self.announced == ServiceState::Starting && self.was_up() => {
                self.note(
                    "NetworkManager takes the connection for one that is up; telling it again"
                        .to_owned(),
                );
                self.announce_anew();
                self.ask_anew(now);
            }
            // It has taken in the browser's answer: told any earlier, it would keep the settings to
            // itself.
            Shown::Making if matches!(self.state, State::Connecting { .. }) => self.end_way(now),
            Shown::Making | Shown::Activated => {}
        }
    }

    /// Nothing is tried, asked or announced any more. A tunnel that is up stays: scripts may need
    /// it. NetworkManager limits how long they take, and if it goes, so does the session.
    fn taken_down(&mut self, reason: Reason) {
        if matches!(self.state, State::TakenDown) {
            return;
        }
        self.note(format!(
            "NetworkManager takes the connection down ({})",
            reason.in_words()
        ));
        self.end_renewal();
        self.reconnect = None;
        self.release_at = None;
        self.state = State::TakenDown;
    }

    /// Takes in what happened while NetworkManager takes the connection down.
    pub(super) fn while_taken_down(&mut self, input: Input, now: Instant) {
        match input {
            Input::Disconnect => self.stop("NetworkManager asked for it", now),
            Input::NetworkManagerGone => self.stop("NetworkManager is gone", now),
            Input::Shown(shown) => self.shown(shown, now),
            Input::OpenVpnEnded(_) | Input::NotStarted(_) => self.process = Process::Gone,
            Input::Resolved { .. }
            | Input::NotSent(_)
            | Input::Management(_)
            | Input::Second(_)
            | Input::SecondEnded(_)
            | Input::NewSecrets(_)
            | Input::Unprotected(_)
            | Input::Surroundings(_)
            | Input::Renew
            | Input::TimePassed => {}
        }
    }

    /// Whether it was told before that the connection is up.
    fn was_up(&self) -> bool {
        self.reconnect.is_some() || self.awaits_login_beside_the_tunnel()
    }

    /// NetworkManager goes back to "connecting" only from a service that says it was up.
    fn announce_anew(&mut self) {
        for state in [ServiceState::Started, ServiceState::Starting] {
            self.effects.push_back(Effect::Announce(state));
        }
        self.announced = ServiceState::Starting;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_up_and_being_taken_down_have_one_number_and_different_reasons() {
        assert_eq!(Shown::of_vpn(5, 0), Shown::Activated);
        assert_eq!(Shown::of_vpn(5, 1), Shown::Activated);
        for reason in [2, 3, 11, 14] {
            let taken_down = Shown::TakenDown(Reason(reason));
            assert_eq!(Shown::of_vpn(5, reason), taken_down);
            assert_eq!(Shown::of_active_connection(3, reason), Some(taken_down));
        }
        for state in [0, 1, 2, 4] {
            assert_eq!(Shown::of_active_connection(state, 2), None);
        }
        assert_eq!(Shown::of_vpn(7, 2), Shown::Ended(Reason(2)));
    }
}
