//! Names and numbers that programs meet by: those of NetworkManager, and our own.

/// The service type, in the `.name` file and in each connection.
pub const SERVICE_TYPE: &str = "org.freedesktop.NetworkManager.aws-client-vpn";
/// The name on the system bus of the service that serves the active connection at `path`:
/// NetworkManager starts one for each.
pub fn service_of(path: &str) -> String {
    let number = path.rsplit('/').next().unwrap_or_default();
    format!("{SERVICE_TYPE}.Connection_{number}")
}

/// The type of the VPN that imports an AWS profile where this one is not asked.
pub const OPENVPN_SERVICE_TYPE: &str = "org.freedesktop.NetworkManager.openvpn";
/// The name on the session bus of the agent that serves the session in the background.
pub const AGENT: &str = "org.freedesktop.NetworkManager.AwsClientVpn.Agent";
/// Its name as long as it is registered with NetworkManager.
pub const AGENT_REGISTERED: &str = "org.freedesktop.NetworkManager.AwsClientVpn.Agent.Registered";

/// The service's own interface, for a sign-in and its end.
pub const SIGN_IN: &str = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn";
/// Where it is.
pub const SIGN_IN_PATH: &str = "/org/freedesktop/NetworkManager/AwsClientVpn";
/// The method of the sign-in's interface that tells whose it is.
pub const GET_USER: &str = "GetUser";
/// The method of the sign-in's interface that tells whether the connection is up.
pub const IS_UP: &str = "IsUp";
/// The method of the sign-in's interface that tells what a lost connection waits for, and whom.
pub const WAITS_FOR: &str = "WaitsFor";
/// The method of the sign-in's interface that has the person sign in again.
pub const RENEW: &str = "Renew";

/// The field of the journal with the UUID of the connection that a line is about.
pub const CONNECTION_FIELD: &str = "NM_CONNECTION";
/// The field with the connection's name in the line with which an attempt to connect begins.
pub const ATTEMPT_FIELD: &str = "NM_AWS_CLIENT_VPN_ATTEMPT";
/// The field that marks a line which tells what the endpoint did: it goes into a report.
pub const ENDPOINT_FIELD: &str = "NM_AWS_CLIENT_VPN_ENDPOINT";

/// The port of 127.0.0.1 that AWS sends the browser to with the answer of a login: the address of
/// its assertion consumer service in AWS's SAML metadata.
pub const ACS_PORT: u16 = 35001;

/// Where each activation leaves a mark that tells the others what it wants of the firewall, and
/// everybody whether it stops traffic.
pub const KILL_SWITCH_MARKS: &str = "/run/nm-aws-client-vpn/kill-switch";

/// NetworkManager on the system bus.
pub mod network_manager {
    /// NetworkManager's bus name.
    pub const NAME: &str = "org.freedesktop.NetworkManager";
    /// NetworkManager's main object.
    pub const PATH: &str = "/org/freedesktop/NetworkManager";
    /// Where secret agents register.
    pub const AGENT_MANAGER: &str = "org.freedesktop.NetworkManager.AgentManager";
    /// The object with [`AGENT_MANAGER`].
    pub const AGENT_MANAGER_PATH: &str = "/org/freedesktop/NetworkManager/AgentManager";
    /// What a secret agent answers.
    pub const SECRET_AGENT: &str = "org.freedesktop.NetworkManager.SecretAgent";
    /// Where it is, on the agent's own connection to the bus.
    pub const SECRET_AGENT_PATH: &str = "/org/freedesktop/NetworkManager/SecretAgent";
    /// All connections.
    pub const SETTINGS: &str = "org.freedesktop.NetworkManager.Settings";
    /// The object with [`SETTINGS`].
    pub const SETTINGS_PATH: &str = "/org/freedesktop/NetworkManager/Settings";
    /// The error that there is no such connection.
    pub const INVALID_CONNECTION: &str =
        "org.freedesktop.NetworkManager.Settings.InvalidConnection";
    /// A connection as it is kept.
    pub const CONNECTION: &str = "org.freedesktop.NetworkManager.Settings.Connection";
    /// A connection that is up or on its way.
    pub const ACTIVE: &str = "org.freedesktop.NetworkManager.Connection.Active";
    /// What an active connection has besides if it is a VPN.
    pub const VPN: &str = "org.freedesktop.NetworkManager.VPN.Connection";
}

/// `NMVpnConnectionState` (nm-vpn-dbus-interface.h): the states that [`network_manager::VPN`] tells.
#[expect(missing_docs, reason = "named as in NetworkManager's documentation")]
pub mod vpn_state {
    pub const UNKNOWN: u32 = 0;
    pub const PREPARE: u32 = 1;
    pub const NEED_AUTH: u32 = 2;
    pub const CONNECT: u32 = 3;
    pub const IP_CONFIG_GET: u32 = 4;
    pub const ACTIVATED: u32 = 5;
    pub const FAILED: u32 = 6;
    pub const DISCONNECTED: u32 = 7;

    /// Whether `VpnStateChanged` with this state and [`state_reason`](super::state_reason) tells of a
    /// connection that is up. One that is being taken down has no number of its own there:
    /// NetworkManager tells it as [`ACTIVATED`] with a reason.
    pub const fn is_up(state: u32, reason: u32) -> bool {
        use super::state_reason::{NONE, UNKNOWN};
        state == ACTIVATED && matches!(reason, UNKNOWN | NONE)
    }
}

/// `NMActiveConnectionState` (nm-dbus-interface.h), as far as it says more than [`vpn_state`].
#[expect(missing_docs, reason = "named as in NetworkManager's documentation")]
pub mod active_state {
    pub const ACTIVATING: u32 = 1;
    pub const DEACTIVATING: u32 = 3;
    pub const DEACTIVATED: u32 = 4;
}

/// `NMActiveConnectionStateReason` (nm-dbus-interface.h), which comes along with either state.
#[expect(missing_docs, reason = "named as in NetworkManager's documentation")]
pub mod state_reason {
    pub const UNKNOWN: u32 = 0;
    pub const NONE: u32 = 1;
    pub const USER_DISCONNECTED: u32 = 2;
    pub const DEVICE_DISCONNECTED: u32 = 3;
    pub const SERVICE_STOPPED: u32 = 4;
    pub const IP_CONFIG_INVALID: u32 = 5;
    pub const CONNECT_TIMEOUT: u32 = 6;
    pub const SERVICE_START_TIMEOUT: u32 = 7;
    pub const SERVICE_START_FAILED: u32 = 8;
    pub const NO_SECRETS: u32 = 9;
    pub const LOGIN_FAILED: u32 = 10;
    pub const CONNECTION_REMOVED: u32 = 11;
}
