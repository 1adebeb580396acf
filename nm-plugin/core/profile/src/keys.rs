//! The keys of a connection in NetworkManager's `vpn.data` and `vpn.secrets`, and their values.
//!
//! This is the only table of keys.

use std::ops::RangeInclusive;

/// The secret that carries the answer of a browser login. Never stored.
pub const SAML_RESPONSE: &str = "saml-response";
/// The secret with a user's password.
pub const PASSWORD: &str = "password";
/// The secret with the answer to a static challenge.
pub const CHALLENGE_RESPONSE: &str = "challenge-response";
/// The secret with the passphrase of the private key.
pub const KEY_PASSPHRASE: &str = "key-passphrase";
/// The secret with the PIN of the security token.
pub const TOKEN_PIN: &str = "pkcs11-pin";
/// The setting with the key and certificate on a security token to sign in with: an RFC 7512 URI
/// (`pkcs11:…`), or an id as `openvpn --show-pkcs11-ids` prints it.
pub const PKCS11_ID: &str = "pkcs11-id";
/// The setting with the module that drives the token: the name of one of the system's modules,
/// without directory or ending. Without it, the modules are those that p11-kit is set up with.
pub const PKCS11_PROVIDER: &str = "pkcs11-provider";
/// The setting with the kind of a proxy: `http` or `socks`.
pub const PROXY_TYPE: &str = "proxy-type";
/// The setting with the proxy's name or address.
pub const PROXY_SERVER: &str = "proxy-server";
/// The setting with the proxy's port.
pub const PROXY_PORT: &str = "proxy-port";
/// The setting that says that a proxy wants a user name and a password: [`YES`] or [`NO`]. One for
/// HTTP says so by itself.
pub const PROXY_AUTHENTICATES: &str = "proxy-auth";
/// The secret with the user's name at the proxy.
pub const PROXY_USER_NAME: &str = "proxy-username";
/// The secret with the user's password at the proxy.
pub const PROXY_PASSWORD: &str = "proxy-password";
/// The setting with the user's name, where passwords are used.
pub const USER_NAME: &str = "username";
/// `vpn.timeout` of an imported connection, in seconds: NetworkManager's default of 60 would end
/// a login whose last step falls into the wrong moment.
pub const DEFAULT_VPN_TIMEOUT_SECONDS: u32 = 600;

/// The setting with the endpoint: see [`remotes`](crate::settings::remotes) and [`remotes_text`](crate::settings::remotes_text).
pub const REMOTE: &str = "remote";
/// The setting that has a random label put in front of the endpoint's name: [`YES`] or [`NO`].
pub const RANDOM_HOSTNAME: &str = "remote-random-hostname";
/// The setting with the way to sign in: one of the three that follow.
pub const SIGN_IN: &str = "sign-in";
/// [`SIGN_IN`] in a browser.
pub const SIGN_IN_SAML: &str = "saml";
/// [`SIGN_IN`] with a client certificate alone.
pub const SIGN_IN_CERTIFICATE: &str = "certificate";
/// [`SIGN_IN`] with a user name and a password.
pub const SIGN_IN_PASSWORD: &str = "password";
/// The setting with the question that is answered along with the password.
pub const STATIC_CHALLENGE: &str = "static-challenge";
/// The setting that lets the answer be seen while it is typed: [`YES`] or [`NO`].
pub const STATIC_CHALLENGE_ECHO: &str = "static-challenge-echo";
/// The setting with the directives for OpenVPN, [as one line](crate::settings::escape).
pub const OPTIONS: &str = "options";
pub(crate) const EARLY_PUSH_REQUEST: &str = "early-push-request";
/// The setting with the time a person has for the login, in seconds; of [`LOGIN_SECONDS`].
pub const LOGIN_TIMEOUT: &str = "login-timeout";
/// The setting with the time the endpoint has for its answer, in seconds; of [`CONNECT_SECONDS`].
pub const CONNECT_TIMEOUT: &str = "connect-timeout";
/// The setting with the time that a lost endpoint has to come back, in seconds; of
/// [`RECONNECT_SECONDS`].
pub const RECONNECT_TIMEOUT: &str = "reconnect-timeout";
/// The setting with the time for which the endpoint lets a sign-in count: hours, or a number with
/// `h`, `m` or `s`.
pub const SESSION_LENGTH: &str = "session-length";
/// The setting with the time without traffic after which the connection ends, in seconds.
pub const INACTIVITY_TIMEOUT: &str = "inactivity-timeout";
/// The setting with the largest packet to the endpoint that carries TCP, in bytes.
pub const MSSFIX: &str = "mssfix";

/// The setting that stops traffic outside the tunnel while the connection is wanted: [`YES`] or
/// [`NO`].
pub const KILL_SWITCH: &str = "kill-switch";
/// The setting that lets the local network through a [`KILL_SWITCH`]: [`YES`] or [`NO`].
pub const KILL_SWITCH_LAN: &str = "kill-switch-lan";
/// The setting that opens the web to every program through a [`KILL_SWITCH`] while a lost connection
/// has to be signed in to again: [`YES`] or [`NO`].
pub const KILL_SWITCH_SIGN_IN: &str = "kill-switch-sign-in";

/// The setting that has routes into the tunnel put back when another program takes them away:
/// [`YES`], unless it is [`NO`].
pub const KEEP_ROUTES: &str = "keep-routes";
/// The setting that has routes into the tunnel go before all others of this computer, also those
/// to a smaller network: [`YES`] or [`NO`].
pub const ENFORCE_ROUTES: &str = "enforce-routes";

/// The setting that has the agent of a session connect when its user logs in and a network is there:
/// [`YES`] or [`NO`].
pub const AT_LOGIN: &str = "connect-at-login";
/// The setting with the networks on which [`AT_LOGIN`] does nothing: names of NetworkManager's
/// connections, with commas between them.
pub const AT_LOGIN_EXCEPT: &str = "connect-at-login-except";
/// The setting with what is reachable where [`AT_LOGIN`] has nothing to do: `HOST:PORT`, inside.
pub const AT_LOGIN_UNLESS: &str = "connect-at-login-unless";

/// A switch that is on.
pub const YES: &str = "yes";
/// A switch that is off.
pub const NO: &str = "no";

/// What [`LOGIN_TIMEOUT`] may be.
pub const LOGIN_SECONDS: RangeInclusive<u64> = 30..=3600;
/// Without a [`LOGIN_TIMEOUT`]: as AWS's own client.
pub const DEFAULT_LOGIN_SECONDS: u64 = 600;
/// What [`CONNECT_TIMEOUT`] may be.
pub const CONNECT_SECONDS: RangeInclusive<u64> = 5..=600;
/// Without a [`CONNECT_TIMEOUT`].
pub const DEFAULT_CONNECT_SECONDS: u64 = 60;
/// What [`RECONNECT_TIMEOUT`] may be.
pub const RECONNECT_SECONDS: RangeInclusive<u64> = 10..=86_400;
/// Without a [`RECONNECT_TIMEOUT`].
pub const DEFAULT_RECONNECT_SECONDS: u64 = 600;

/// The key that says what becomes of the secret `name`, see [`SecretFlags`](crate::credential::SecretFlags).
pub fn flags_key(name: &str) -> String {
    format!("{name}-flags")
}
