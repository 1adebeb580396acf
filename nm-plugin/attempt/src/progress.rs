//! How a connection comes up, in words, from what NetworkManager reports of it.

use crate::failure_of;
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_profile::well_known::{state_reason, vpn_state};
use aws_client_vpn_text::gettext_noop;

/// What is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not there yet; what is being done.
    Working(String),
    /// The connection is up.
    Connected,
    /// The connection was taken down, here or elsewhere.
    SwitchedOff,
    /// The connection will not come up; why, and what to do.
    Failed(String),
}

/// Of NetworkManager's states ([`vpn_state`]) and reasons ([`state_reason`]).
#[must_use]
pub fn of(state: u32, reason: u32) -> Progress {
    match state {
        vpn_state::NEED_AUTH => Progress::Working(gettext!("Waiting for you to sign in…")),
        vpn_state::CONNECT => Progress::Working(gettext!("Contacting the endpoint…")),
        vpn_state::IP_CONFIG_GET => Progress::Working(gettext!("Setting up the network…")),
        vpn_state::ACTIVATED if vpn_state::is_up(state, reason) => Progress::Connected,
        vpn_state::ACTIVATED => Progress::Working(gettext!("Disconnecting…")),
        vpn_state::FAILED | vpn_state::DISCONNECTED => match reason {
            state_reason::USER_DISCONNECTED => Progress::SwitchedOff,
            _ => Progress::Failed(i18n::translate(failure(reason))),
        },
        _ => Progress::Working(gettext!("Preparing…")),
    }
}

/// The progress of the activation `path` of the connection `uuid`: NetworkManager has a number for
/// why it failed, and the service left its words.
#[must_use]
pub fn of_activation(uuid: &str, path: &str, state: u32, reason: u32) -> Progress {
    let progress = of(state, reason);
    let Progress::Failed(_) = progress else {
        return progress;
    };
    match failure_of(uuid, path) {
        Some(failure) => Progress::Failed(i18n::localize(&failure.reason)),
        None => progress,
    }
}

/// Why it failed, by NetworkManager's number, and what to do.
pub fn failure(reason: u32) -> &'static str {
    match reason {
        state_reason::DEVICE_DISCONNECTED => {
            gettext_noop!(
                "The underlying network connection was lost. Connect to a network and try again."
            )
        }
        state_reason::SERVICE_STOPPED => gettext_noop!(
            "The VPN service ended unexpectedly. To find out why: sudo journalctl -e -t \
             nm-aws-client-vpn-service"
        ),
        state_reason::IP_CONFIG_INVALID => {
            gettext_noop!(
                "The endpoint sent network settings that cannot be used. Tell the administrator \
                 of the endpoint."
            )
        }
        state_reason::CONNECT_TIMEOUT => {
            gettext_noop!("Connecting took too long. Check the network connection and try again.")
        }
        state_reason::SERVICE_START_TIMEOUT | state_reason::SERVICE_START_FAILED => {
            gettext_noop!(
                "The VPN service could not be started. To find out why: aws-client-vpn doctor"
            )
        }
        state_reason::NO_SECRETS => gettext_noop!(
            "You did not sign in in time, or no program in this session can show the sign-in. Try \
             again, and complete the sign-in in the browser. If no browser opens, use \
             'aws-client-vpn connect' in a terminal."
        ),
        state_reason::LOGIN_FAILED => gettext_noop!(
            "The sign-in was refused. Try again, and check what you enter. If it is refused again, \
             ask your administrator whether you may use this endpoint."
        ),
        state_reason::CONNECTION_REMOVED => {
            gettext_noop!("The connection was removed, or the user whom it is for has logged out.")
        }
        _ => gettext_noop!("The connection failed. Check the network connection and try again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_said_and_only_the_last_ones_end_it() {
        for state in 0..=4 {
            assert!(matches!(of(state, 0), Progress::Working(_)), "{state}");
        }
        for reason in 0..=12 {
            match reason {
                0 | 1 => assert_eq!(of(5, reason), Progress::Connected),
                _ => assert!(matches!(of(5, reason), Progress::Working(_)), "{reason}"),
            }
        }
        assert_eq!(of(6, 2), Progress::SwitchedOff);
        let said: Vec<Progress> = (3..=12).map(|reason| of(6, reason)).collect();
        assert!(said.iter().all(|said| matches!(said, Progress::Failed(_))));
        assert_ne!(of(6, 9), of(6, 10));
        assert_eq!(of(7, 2), of(6, 2));
    }
}
