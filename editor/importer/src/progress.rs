//! How a connection comes up, in words, from what NetworkManager reports of it.

use aws_client_vpn_i18n::text;

/// What is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not there yet; what is being done.
    Working(String),
    /// The connection is up.
    Connected,
    /// It was switched off, here or elsewhere.
    SwitchedOff,
    /// It will not come up; why, and what to do.
    Failed(String),
}

/// Of the states and reasons of NetworkManager's VPN connections (`NMVpnConnectionState`,
/// `NMVpnConnectionStateReason`).
#[must_use]
pub fn of(state: u32, reason: u32) -> Progress {
    match state {
        2 => Progress::Working(text!("Waiting for you to sign in…")),
        3 => Progress::Working(text!("Talking to the endpoint…")),
        4 => Progress::Working(text!("Setting up the network…")),
        5 => Progress::Connected,
        6 | 7 if reason == 2 => Progress::SwitchedOff,
        6 | 7 => Progress::Failed(failure(reason)),
        _ => Progress::Working(text!("Preparing…")),
    }
}

fn failure(reason: u32) -> String {
    match reason {
        3 => text!("The network connection below it was lost. Connect to a network and try again."),
        4 => text!(
            "The VPN service ended unexpectedly. Its journal tells why: \
             journalctl -t nm-aws-client-vpn-service"
        ),
        5 => {
            text!("The endpoint sent network settings that cannot be used. Tell its administrator.")
        }
        6 => text!("It took too long. Check the network connection and try again."),
        7 | 8 => {
            text!("The VPN service could not be started. Is the package installed as a whole?")
        }
        9 => text!(
            "Nobody signed in in time, or no program of this session can ask for the sign-in. Try \
             again and finish the sign-in in the browser."
        ),
        10 => text!(
            "The sign-in was refused. Try again; if it is refused again, ask the administrator \
             whether your account may use this endpoint."
        ),
        11 => text!("The connection was removed."),
        _ => text!("The connection failed. Check the network connection and try again."),
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
        assert_eq!(of(5, 0), Progress::Connected);
        assert_eq!(of(6, 2), Progress::SwitchedOff);
        let said: Vec<Progress> = (3..=12).map(|reason| of(6, reason)).collect();
        assert!(said.iter().all(|said| matches!(said, Progress::Failed(_))));
        assert_ne!(of(6, 9), of(6, 10));
        assert_eq!(of(7, 2), of(6, 2));
    }
}
