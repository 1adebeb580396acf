//! How the programs of a user's session reach the service of a connection on the system bus.

use aws_client_vpn_text::mark;

/// The service type, in the `.name` file and in each connection.
pub const SERVICE_TYPE: &str = "org.freedesktop.NetworkManager.aws-client-vpn";
/// The name on the session bus of the agent that serves the session in the background.
pub const AGENT: &str = "org.freedesktop.NetworkManager.AwsClientVpn.Agent";

/// The service's own interface, for a sign-in and its end.
pub const SIGN_IN: &str = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn";
/// Where it is.
pub const SIGN_IN_PATH: &str = "/org/freedesktop/NetworkManager/AwsClientVpn";
/// Its method that tells whose it is.
pub const GET_USER: &str = "GetUser";
/// Its method that has the person sign in anew.
pub const RENEW: &str = "Renew";

/// Why the service refuses that when the connection is not up. It knows no user's language, so
/// whoever passes this on to a person translates it.
pub const NOT_UP: &str = mark!("the connection is not up, so there is no sign-in to renew");
/// The same, to whom the sign-in is not.
pub const NOT_YOURS: &str = mark!("only the person who signed in, or root, can renew this sign-in");
