//! What an attempt knows after a tunnel was up.

use aws_client_vpn_profile::waiting::WaitsFor;
use std::time::{Duration, Instant};

/// A loss that ends sooner is not shown. AWS's endpoints have OpenVPN call a connection lost after
/// 20 s of silence; with these, it is shown after 25.
const LOSS_GRACE: Duration = Duration::from_secs(5);

/// A tunnel was up before this attempt: it was lost, or is made again with a new sign-in; or it is up, and
/// OpenVPN waits for a credential.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) since: Instant,
    /// When the loss is announced; `None` if it was.
    pub(super) announce_at: Option<Instant>,
    /// Whether NetworkManager was told of it, whatever it was told since.
    pub(super) is_shown: bool,
    /// Whether a person has asked for the login that brings it back.
    pub(super) login_requested_by_user: bool,
    pub(super) wait: Option<Wait>,
    /// When the endpoint's name is looked up again in a network that leads to no address of it.
    pub(super) look_up_at: Option<Instant>,
    /// Whether name servers and default route were withdrawn for a login.
    pub(super) default_route_is_withdrawn: bool,
}

/// What has to be waited for before OpenVPN may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Asleep,
    Offline,
    Locked,
    Absent,
    /// NetworkManager could ask nobody.
    NoAgent,
    /// The last login was a moment ago.
    LoginPause(Instant),
}

impl Wait {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Asleep => "the computer to wake up",
            Self::Offline => "a network",
            Self::Locked => "the screen to be unlocked, for a login",
            Self::Absent => "somebody to be there for a login",
            Self::NoAgent => "the desktop to be ready for a login",
            Self::LoginPause(_) => "some time to pass since the last login",
        }
    }
}

impl From<Wait> for WaitsFor {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Asleep => Self::WakeUp,
            Wait::Offline => Self::Network,
            Wait::Locked => Self::Unlock,
            Wait::Absent => Self::Person,
            Wait::NoAgent => Self::Agent,
            Wait::LoginPause(_) => Self::Pause,
        }
    }
}

impl Loss {
    /// Of a tunnel that is lost at `now`; whether that is announced already.
    pub(super) fn new(now: Instant, is_announced: bool) -> Self {
        Self {
            since: now,
            announce_at: (!is_announced).then(|| now + LOSS_GRACE),
            is_shown: is_announced,
            login_requested_by_user: false,
            wait: None,
            look_up_at: None,
            default_route_is_withdrawn: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test needs a time to begin with"
    )]
    fn what_is_waited_for_is_told_on_the_bus() {
        for (wait, name) in [
            (Wait::Asleep, "wake-up"),
            (Wait::Offline, "network"),
            (Wait::Locked, "unlock"),
            (Wait::Absent, "person"),
            (Wait::NoAgent, "agent"),
            (Wait::LoginPause(Instant::now()), "pause"),
        ] {
            assert_eq!(WaitsFor::from(wait).name(), name);
        }
    }
}
