//! The inputs of a session, and the effects that it has the service carry out.

use super::Failure;
use super::conditions::Conditions;
use crate::management::{Command, Notification};
use crate::network_manager::VpnState;
use crate::network_manager::ip_config::IpConfig;
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// NetworkManager's `NMVpnServiceState` as far as a session shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum ServiceState {
    /// Waiting for a Connect.
    Init = 1,
    /// The tunnel is being made, or made again.
    Starting = 3,
    /// The tunnel is up.
    Started = 4,
    /// The tunnel is being taken down.
    Stopping = 5,
    /// Nothing is left of the tunnel.
    Stopped = 6,
}

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// The resolver answered for `host`; an error is the resolver's own text.
    Resolved {
        /// The name that was asked for in [`Effect::Resolve`].
        host: String,
        /// The host's addresses, in the resolver's order.
        result: Result<Vec<IpAddr>, String>,
    },
    /// OpenVPN could not be started.
    NotStarted(Message),
    /// What OpenVPN is to be given holds something that its management interface cannot carry.
    Unsendable,
    /// OpenVPN's management interface said something.
    Management(Notification),
    /// The OpenVPN process is gone; how it ended, in words.
    OpenVpnEnded(Message),
    /// The renewal's OpenVPN's management interface said something.
    RenewalSaid(Notification),
    /// The renewal's OpenVPN is gone, or could not be started; why, in words.
    RenewalEnded(String),
    /// NetworkManager hands over what was asked for with [`Effect::RequestSecrets`].
    NewSecrets(BTreeMap<String, Secret>),
    /// The kill switch that the connection is to have cannot be closed; why, in words.
    KillSwitchFailed(Message),
    /// What was asked for with [`Effect::RequestSecrets`] is not to be had: NetworkManager asks nobody
    /// for a connection whose settings were changed since it was activated.
    SettingsChanged,
    /// Networks, sleep, presence or agents have changed.
    Conditions(Conditions),
    /// What NetworkManager says of the connection has changed.
    VpnState(VpnState),
    /// A person wants to sign in again now.
    Renew,
    /// The computer has slept for so long, which the `now` of the inputs does not count.
    Slept(Duration),
    /// NetworkManager wants the connection down.
    Disconnect,
    /// NetworkManager itself is gone.
    NetworkManagerGone,
    /// The time of [`Session::deadline`](super::Session::deadline) has come.
    TimePassed,
}

/// Something the service has to do.
#[derive(Debug)]
pub enum Effect {
    /// Tell NetworkManager the state of the service.
    Announce(ServiceState),
    /// Resolve `host`, with a random label in front if `random_label`; answer with
    /// [`Input::Resolved`].
    Resolve {
        /// The name as the profile has it.
        host: String,
        /// Whether only names with a random label in front of it exist.
        random_label: bool,
    },
    /// Make the tun device and start OpenVPN.
    Launch,
    /// Send a command to OpenVPN's management interface.
    Send(Command),
    /// Start a second OpenVPN beside the one that carries the traffic, to fetch a challenge.
    StartRenewal,
    /// Send a command to the renewal's OpenVPN.
    SendToRenewal(Command),
    /// End the renewal's OpenVPN, and take away all that belongs to it.
    EndRenewal,
    /// Tell whoever asked for a new sign-in that the endpoint does not verify, so that nobody is asked.
    RefuseRenewal,
    /// Ask NetworkManager for secrets.
    RequestSecrets {
        /// The request as agents show it to the user.
        message: String,
        /// What the auth dialog reads, see [`aws_client_vpn_sign_in::request`].
        hints: Vec<String>,
    },
    /// Hand addresses, routes and names to NetworkManager.
    Configure(Box<IpConfig>),
    /// Log one step of the connection, for a support engineer.
    Note(String),
    /// The same of a step that tells what the endpoint did: `aws-client-vpn logs --report` has these.
    NoteOfEndpoint(String),
    /// Tell the person that the endpoint will end the connection, and when.
    SignInExpires {
        /// How long it will go on.
        left: Duration,
    },
    /// The connection failed: log the words, tell NetworkManager the code. At most one a session.
    Fail(Failure),
    /// Ask the OpenVPN process to end.
    Terminate,
    /// End the OpenVPN process at once.
    Kill,
    /// Remove the tun device and everything else the session left on the machine.
    CleanUp,
    /// The session is over; nothing follows.
    Finish,
}

/// Which sign-ins open the web, for a browser and so for every program, where a kill switch is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebAccess {
    /// Whether a person has asked for this activation.
    pub activation_requested_by_user: bool,
    /// Whether the user has allowed that for each sign-in, also for one that nobody asked for.
    pub for_any_sign_in: bool,
    /// From when on no page is opened, since the connection's own kill switch would block it.
    pub blocked: WebBlocked,
}

/// From when on a connection's own kill switch blocks the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebBlocked {
    /// Never.
    Never,
    /// From when the tunnel was up.
    OnceUp,
    /// From the beginning: it was closed before.
    FromTheStart,
}

impl Default for WebAccess {
    fn default() -> Self {
        Self {
            activation_requested_by_user: true,
            for_any_sign_in: false,
            blocked: WebBlocked::Never,
        }
    }
}
