//! What NetworkManager shows of a connection that is being made anew.
//!
//! Once it has had settings, it takes any change of the tunnel's interface for the end of an
//! attempt: nm-vpn-connection.c (1.36 to 1.58) never clears `wait_for_pre_up_state`. It then says
//! "activated" while there is no tunnel, drops a question that a person is being asked, and ignores
//! the next one. So what it shows is watched, and put right.

use super::{Effect, ServiceState, Session};
use std::time::Instant;

/// What NetworkManager says of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It waits for a person's answer.
    NeedsAnswer,
    /// It is up.
    Activated,
    /// Something else.
    Other,
}

impl Shown {
    /// From `NMVpnConnectionState` (nm-vpn-dbus-interface.h).
    #[must_use]
    pub fn from_network_manager(state: u32) -> Self {
        match state {
            2 => Self::NeedsAnswer,
            5 => Self::Activated,
            _ => Self::Other,
        }
    }
}

impl Session {
    /// NetworkManager says something of the connection.
    pub(super) fn shown(&mut self, shown: Shown, now: Instant) {
        match shown {
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
            Shown::Activated | Shown::Other => {}
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
