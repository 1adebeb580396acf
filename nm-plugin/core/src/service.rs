//! How the programs of a user's session reach the service of a connection on the system bus.

/// The service's own interface, for a sign-in and its end.
pub const SIGN_IN: &str = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn";
/// Where it is.
pub const SIGN_IN_PATH: &str = "/org/freedesktop/NetworkManager/AwsClientVpn";
