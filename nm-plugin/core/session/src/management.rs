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
pub use encode::EncodeError;
pub use endpoint::tells_of_endpoint;
pub use lines::{LINE_LIMIT, Line, LineBuffer};

use aws_client_vpn_profile::parts::Transport;
use aws_client_vpn_text::secret::Secret;
use std::net::{IpAddr, Ipv4Addr};

/// A line of the management interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// `>HOLD:` OpenVPN waits for [`Command::HoldRelease`].
    Hold,
    /// `>INFO:` the greeting.
    Info(String),
    /// `>STATE:`
    State(State),
    /// `>PASSWORD:Need …`
    PasswordNeeded {
        /// `Auth`, `Private Key`, …
        realm: String,
        /// What has to be given.
        kind: NeedKind,
    },
    /// `>PASSWORD:Verification Failed: …`
    VerificationFailed {
        /// `Auth` or `Private Key`.
        realm: String,
        /// What the server said; it may be a challenge with a session id in it.
        reason: Option<Secret>,
    },
    /// `>PASSWORD:Auth-Token:…`
    AuthToken(Secret),
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
    /// `>LOG:` a line of OpenVPN's log.
    Log {
        /// `I`, `W`, `N`, `F`, `D`, … (management-notes.txt).
        flags: String,
        /// The line; not to be shown as it is.
        text: Secret,
    },
    /// `>ECHO:` text pushed by the server.
    Echo(String),
    /// `>FATAL:` OpenVPN is about to end.
    Fatal(String),
    /// `>BYTECOUNT:`, in bytes.
    ByteCount {
        /// From the server.
        received: u64,
        /// To the server.
        sent: u64,
    },
    /// `>NEED-OK:` a question to the user.
    NeedOk {
        /// What it is about.
        name: String,
        /// The question.
        message: String,
    },
    /// `>INFOMSG:`
    InfoMessage(String),
    /// `>NOTIFY:`
    Notify(String),
    /// `SUCCESS:`
    Success(String),
    /// `ERROR:`
    Error(String),
    /// Anything else.
    Other(String),
}

/// What `>PASSWORD:Need` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeedKind {
    /// A user name and a password.
    UserPassword {
        /// The question of a `static-challenge`, if one is to be answered along with it.
        static_challenge: Option<String>,
    },
    /// A password alone.
    Password,
}

/// `>STATE:time,name,detail,tun,remote,port,…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The state.
    pub name: StateName,
    /// Why, for `RECONNECTING` and `EXITING`; how, for `CONNECTED`.
    pub detail: String,
    /// The tunnel's own address.
    pub local_ipv4: Option<Ipv4Addr>,
    /// The server's address.
    pub remote_ip: Option<IpAddr>,
    /// The server's port.
    pub remote_port: Option<u16>,
}

/// The states of OpenVPN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateName {
    /// The first.
    Connecting,
    /// Asking the resolver.
    Resolve,
    /// Waiting for a TCP connection.
    TcpConnect,
    /// Waiting for the server's first packet.
    Wait,
    /// TLS and credentials.
    Auth,
    /// The server waits for another authentication.
    AuthPending,
    /// Waiting for the pushed options.
    GetConfig,
    /// Setting an address.
    AssignIp,
    /// Setting routes.
    AddRoutes,
    /// Up.
    Connected,
    /// A restart of the connection.
    Reconnecting,
    /// The last.
    Exiting,
    /// A state this project does not know.
    Other(String),
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
    /// `needok NAME ok|cancel`
    NeedOk {
        /// What it is about.
        name: String,
        /// The answer.
        ok: bool,
    },
}
