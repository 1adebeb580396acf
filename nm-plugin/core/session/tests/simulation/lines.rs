//! What OpenVPN says on its management interface, and what the endpoint says through it.

use super::{HOST, SESSION_ID};

pub(crate) const HOLD: &str = ">HOLD:Waiting for hold release:2";
pub(crate) const NEED: &str = ">PASSWORD:Need 'Auth' username/password";
pub(crate) const REFUSED: &str =
    ">PASSWORD:Verification Failed: 'Auth' ['Invalid username or password']";
pub(crate) const AGAIN: &str = ">STATE:1,RECONNECTING,auth-failure,,,,,";
pub(crate) const LOST: &str = ">STATE:1,RECONNECTING,ping-restart,,,,,";
pub(crate) const NO_ANSWER: &str = ">STATE:1,RECONNECTING,server_poll,,,,,";
pub(crate) const RESTARTED: &str = ">STATE:1,RECONNECTING,SIGUSR1,,,,,";
pub(crate) const CONNECTED: &str = ">STATE:1,CONNECTED,SUCCESS,10.88.0.2,10.77.0.2,443,,";

/// Which address is to be used?
pub(crate) fn remote() -> String {
    format!(">REMOTE:{HOST},443,udp")
}

/// The endpoint wants a login in the browser.
pub(crate) fn challenge() -> String {
    format!(
        ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:{SESSION_ID}:b'Ti9B':https://idp.example/']"
    )
}
