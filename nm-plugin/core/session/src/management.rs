//! OpenVPN's management interface: bytes to lines, lines to notifications, commands to lines.
//!
//! The framing, the parser and the encoder are apart, so that a line that is too long or not
//! understood costs just that line. Source of the protocol: OpenVPN's
//! doc/management-notes.txt, and what 2.6.14 and 2.7.7 were seen to send.

mod decode;
mod encode;
mod endpoint;
mod lines;

pub use decode::decode;
pub use encode::ControlCharacter;
pub use endpoint::tells_of_endpoint;
pub use lines::{LINE_LIMIT, Line, LineBuffer};

use aws_client_vpn_profile::parts::Transport;
use aws_client_vpn_text::secret::Secret;

/// A line of the management interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// `>HOLD:` OpenVPN waits for [`Command::HoldRelease`].
    Hold,
    /// `>STATE:…,CONNECTED,…`
    Connected,
    /// `>STATE:…,RECONNECTING,…`, and why.
    Reconnecting(String),
    /// `>STATE:…,EXITING,…`, and why.
    Exiting(String),
    /// `>PASSWORD:Need …`
    PasswordNeeded {
        /// `Auth`, `Private Key`, …
        realm: String,
    },
    /// `>PASSWORD:Verification Failed: …`
    VerificationFailed {
        /// `Auth` or `Private Key`.
        realm: String,
        /// What the server said; it may be a challenge with a session id in it.
        reason: Option<Secret>,
    },
    /// `>PASSWORD:Auth-Token:…`
    AuthToken,
    /// `>REMOTE:` OpenVPN asks for the address to connect to.
    Remote {
        /// The name in the configuration.
        host: String,
        /// The port in the configuration.
        port: u16,
        /// The transport in the configuration.
        transport: Transport,
    },
    /// `>UPDOWN:UP`; the environment follows.
    Up,
    /// `>UPDOWN:DOWN`; the environment follows.
    Down,
    /// `>UPDOWN:ENV,name=value`
    Environment {
        /// Name of the variable.
        name: String,
        /// The variable's value.
        value: String,
    },
    /// `>UPDOWN:ENV,END`
    EnvironmentEnd,
    /// `>LOG:` a line of OpenVPN's log; not to be shown as it is.
    Log(Secret),
    /// `>ECHO:` text pushed by the server.
    Echo(String),
    /// `>FATAL:` OpenVPN is about to end.
    Fatal(String),
    /// `>NEED-OK:` a question to the user.
    NeedOk {
        /// What it is about.
        name: String,
        /// The question.
        message: String,
    },
    /// `ERROR:`
    Error(String),
    /// Understood, and nothing to do: `SUCCESS:`, `>INFO:`, `>INFOMSG:`, `>NOTIFY:`,
    /// `>BYTECOUNT:` and the other states.
    Ignored,
    /// Anything else; it may hold anything, so nothing of it is kept.
    Other,
}

/// What the service tells OpenVPN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `hold release`
    HoldRelease,
    /// `state on`
    StateOn,
    /// `log on`
    LogOn,
    /// `echo on all`: also what was pushed before.
    EchoOn,
    /// `username REALM NAME`
    Username {
        /// The realm of the question.
        realm: String,
        /// The name.
        name: String,
    },
    /// `password REALM PASSWORD`
    Password {
        /// The realm of the question.
        realm: String,
        /// The password.
        password: Secret,
    },
    /// `remote MOD HOST PORT`
    RemoteModify {
        /// A numeric address.
        host: String,
        /// The port.
        port: u16,
    },
    /// `remote SKIP`: go on to the next one.
    RemoteSkip,
    /// `signal SIGUSR1`: connect again. Not while OpenVPN waits for a password: it would end.
    Restart,
    /// `forget-passwords`: the token too.
    ForgetPasswords,
    /// `needok NAME cancel`
    NeedCancel {
        /// What it is about.
        name: String,
    },
}
