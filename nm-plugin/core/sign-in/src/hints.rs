//! The hints of a request for secrets that are ours: all that the service can tell the dialog.

use std::time::Duration;

/// Starts the hint with the address the browser is to open.
///
/// No hint may be named like a secret that has flags: nmcli would ask for it in the terminal.
pub const URL_HINT_PREFIX: &str = "x-aws-client-vpn-url:";
/// The hint that the browser has been opened already: NetworkManager gives an agent 120 s, so
/// for a longer login it is asked again, and a second tab would be in the way.
pub const RETRY_HINT: &str = "x-aws-client-vpn-retry";
/// The hint that Cancel is an answer: an agent's error makes NetworkManager end the connection at once,
/// also one that is up, and keep its name servers.
pub const CANCEL_HINT: &str = "x-aws-client-vpn-cancel-is-an-answer";
/// Starts the hint with the time that is left for the login, in whole seconds.
pub const SECONDS_LEFT_HINT_PREFIX: &str = "x-aws-client-vpn-seconds-left:";
/// Starts the hint that NetworkManager makes of the service's message to the user.
pub const MESSAGE_HINT_PREFIX: &str = "x-vpn-message:";
/// The time for a login if the hints name none: AWS's own ten minutes.
pub(crate) const DEFAULT_TIME_LEFT: Duration = Duration::from_secs(600);
pub(crate) const LONGEST_TIME_LEFT: Duration = Duration::from_secs(3600);

/// Whether who cancels the request that `hints` belong to is to answer that.
pub fn cancel_is_an_answer(hints: &[String]) -> bool {
    hints.iter().any(|hint| hint == CANCEL_HINT)
}
