//! The fields of the page and all that is said about them.

use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_text::mark;
use aws_client_vpn_text::secret::Secret;
use std::fmt;

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "their labels and tooltips say what they are")]
pub enum Field {
    Endpoint,
    Port,
    Protocol,
    SignIn,
    UserName,
    Password,
    PasswordKeeping,
    Challenge,
    ChallengeEcho,
    SessionLength,
    CertificateSource,
    Certificate,
    PrivateKey,
    Pkcs12,
    KeyPassphrase,
    KeyPassphraseKeeping,
    TokenKey,
    TokenPin,
    TokenPinKeeping,
    Ca,
    ServerNameCheck,
    ServerName,
    LoginLimit,
    ConnectLimit,
    ReconnectLimit,
    InactivityLimit,
    AtLogin,
    KeepRoutes,
    EnforceRoutes,
    KillSwitch,
    KillSwitchLan,
    KillSwitchSignIn,
    TunnelMtu,
    MssFix,
    RetryPause,
    RetryPauseMost,
    PingInterval,
    PingRestart,
    RandomHostname,
    ProxyType,
    ProxyServer,
    ProxyPort,
    ProxyAuth,
    TokenModule,
    Directives,
}

/// Fields that belong together.
#[derive(Debug)]
pub struct Group {
    /// Its heading.
    pub title: &'static str,
    /// Whether it is folded away until somebody wants it.
    pub is_advanced: bool,
    /// Its fields, in order.
    pub fields: &'static [Field],
}

/// The page, from top to bottom.
pub const GROUPS: &[Group] = &[
    Group {
        title: mark!("Endpoint"),
        is_advanced: false,
        fields: &[Field::Endpoint, Field::Port, Field::Protocol],
    },
    Group {
        title: mark!("Sign-In"),
        is_advanced: false,
        fields: &[
            Field::SignIn,
            Field::UserName,
            Field::Password,
            Field::PasswordKeeping,
            Field::Challenge,
            Field::ChallengeEcho,
            Field::SessionLength,
        ],
    },
    Group {
        title: mark!("Client Certificate"),
        is_advanced: false,
        fields: &[
            Field::CertificateSource,
            Field::Certificate,
            Field::PrivateKey,
            Field::Pkcs12,
            Field::KeyPassphrase,
            Field::KeyPassphraseKeeping,
            Field::TokenKey,
            Field::TokenPin,
            Field::TokenPinKeeping,
        ],
    },
    Group {
        title: mark!("Identity of the Endpoint"),
        is_advanced: false,
        fields: &[Field::Ca, Field::ServerNameCheck, Field::ServerName],
    },
    Group {
        title: mark!("Advanced"),
        is_advanced: true,
        fields: &[
            Field::LoginLimit,
            Field::ConnectLimit,
            Field::ReconnectLimit,
            Field::InactivityLimit,
            Field::AtLogin,
            Field::KeepRoutes,
            Field::EnforceRoutes,
            Field::KillSwitch,
            Field::KillSwitchLan,
            Field::KillSwitchSignIn,
            Field::TunnelMtu,
            Field::MssFix,
            Field::RetryPause,
            Field::RetryPauseMost,
            Field::PingInterval,
            Field::PingRestart,
            Field::RandomHostname,
            Field::ProxyType,
            Field::ProxyServer,
            Field::ProxyPort,
            Field::ProxyAuth,
            Field::TokenModule,
            Field::Directives,
        ],
    },
];

/// How a field is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line of text; with what holds while it is empty.
    Text(&'static str),
    /// A number; with what holds while it is empty.
    Number(&'static str),
    /// A line that is not shown.
    Secret,
    /// One of these.
    Choice(&'static [&'static str]),
    /// On or off.
    Switch,
    /// Several lines of text.
    Lines,
    /// The content of a file.
    Content(InlineFile),
}

/// What a field holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Of a text, a number, several lines, a certificate.
    Text(String),
    /// Of a choice: its index. One that is too large stands for none of them.
    Choice(usize),
    /// Of a switch.
    Switch(bool),
    /// Of a secret, a private key, a PKCS #12 file.
    Secret(Secret),
}

impl Value {
    /// The text; empty if it is something else.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Secret(secret) => secret.expose(),
            Self::Choice(_) | Self::Switch(_) => "",
        }
    }

    /// The index; none if it is something else.
    #[must_use]
    pub fn choice(&self) -> usize {
        match self {
            Self::Choice(index) => *index,
            Self::Text(_) | Self::Switch(_) | Self::Secret(_) => usize::MAX,
        }
    }

    /// Whether it is a switch that is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        *self == Self::Switch(true)
    }

    pub(crate) fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Neither secrets nor what a user typed.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Choice(index) => write!(f, "Choice({index})"),
            Self::Switch(on) => write!(f, "Switch({on})"),
            Self::Secret(_) => f.write_str("Secret"),
        }
    }
}

/// [`Field::Protocol`]
pub(crate) mod protocol {
    pub(crate) const UDP: usize = 0;
    pub(crate) const TCP: usize = 1;
}

/// [`Field::ProxyType`]
pub(crate) mod proxy {
    pub(crate) const NONE: usize = 0;
    /// What the settings call each.
    pub(crate) const NAMES: [&str; 3] = ["", "http", "socks"];
}

/// [`Field::SignIn`]
pub(crate) mod sign_in {
    pub(crate) const BROWSER: usize = 0;
    pub(crate) const BROWSER_AND_CERTIFICATE: usize = 1;
    pub(crate) const PASSWORD: usize = 2;
    pub(crate) const PASSWORD_AND_CERTIFICATE: usize = 3;
    pub(crate) const CERTIFICATE: usize = 4;
}

/// [`Field::CertificateSource`]
pub(crate) mod source {
    pub(crate) const FILES: usize = 0;
    pub(crate) const PKCS12: usize = 1;
    pub(crate) const TOKEN: usize = 2;
}

/// [`Field::ServerNameCheck`]
pub(crate) mod name_check {
    pub(crate) const NONE: usize = 0;
    pub(crate) const NAME: usize = 1;
    pub(crate) const PREFIX: usize = 2;
    pub(crate) const SUBJECT: usize = 3;
}

// The words of libnma, which people know from every other connection.
const PASSWORD_STORAGE: &[&str] = &[
    mark!("Store the password only for this user"),
    mark!("Store the password for all users"),
    mark!("Ask for this password every time"),
    mark!("The password is not required"),
];
const PASSPHRASE_STORAGE: &[&str] = &[
    mark!("Store the passphrase only for this user"),
    mark!("Store the passphrase for all users"),
    mark!("Ask for this passphrase every time"),
    mark!("The passphrase is not required"),
];
const PIN_STORAGE: &[&str] = &[
    mark!("Store the PIN only for this user"),
    mark!("Store the PIN for all users"),
    mark!("Ask for this PIN every time"),
    mark!("The PIN is not required"),
];

impl Field {
    /// All of them, in the order of the page.
    pub fn all() -> impl Iterator<Item = Self> {
        GROUPS.iter().flat_map(|group| group.fields).copied()
    }

    /// What it is called, with an underscore before the letter that leads to it. English, as all
    /// texts here: they are looked up in the catalogue where they are shown.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Endpoint => mark!("_Endpoint"),
            Self::Port => mark!("P_ort"),
            Self::Protocol => mark!("P_rotocol"),
            Self::SignIn => mark!("_Sign in with"),
            Self::UserName => mark!("_User name"),
            Self::Password => mark!("_Password"),
            Self::PasswordKeeping => mark!("Password stora_ge"),
            Self::Challenge => mark!("One-_time code"),
            Self::ChallengeEcho => mark!("Sho_w the code while it is typed"),
            Self::SessionLength => mark!("Sign-in is _valid for"),
            Self::CertificateSource => mark!("Certi_ficate source"),
            Self::Certificate => mark!("_Certificate"),
            Self::PrivateKey => mark!("Private ke_y"),
            Self::Pkcs12 => mark!("PKCS #_12 file"),
            Self::KeyPassphrase => mark!("Passp_hrase"),
            Self::KeyPassphraseKeeping => mark!("P_assphrase storage"),
            Self::TokenKey => mark!("PKCS #11 ke_y"),
            Self::TokenPin => mark!("PI_N of the token"),
            Self::TokenPinKeeping => mark!("PIN stor_age"),
            Self::Ca => mark!("Cert_ificate authority"),
            Self::ServerNameCheck => mark!("Verify server certificate na_me"),
            Self::ServerName => mark!("E_xpected name"),
            Self::LoginLimit => mark!("Sig_n-in timeout (seconds)"),
            Self::ConnectLimit => mark!("_Answer timeout (seconds)"),
            Self::ReconnectLimit => mark!("_Give up reconnecting after (seconds)"),
            Self::InactivityLimit => mark!("Disconnect w_hen idle for (seconds)"),
            Self::AtLogin => mark!("_Connect when I log in"),
            Self::KeepRoutes => mark!("Restore _routes that other programs remove"),
            Self::EnforceRoutes => mark!("Rout_es of the VPN go before local ones"),
            Self::KillSwitch => mark!("Stop traffic outside the _VPN"),
            Self::KillSwitchLan => mark!("Allow the local networ_k"),
            Self::KillSwitchSignIn => mark!("Allow _browsers while signing in again"),
            Self::TunnelMtu => mark!("_MTU (bytes)"),
            Self::MssFix => mark!("Maximum _TCP segment size (bytes)"),
            Self::RetryPause => mark!("Retry _delay (seconds)"),
            Self::RetryPauseMost => mark!("Max_imum retry delay (seconds)"),
            Self::PingInterval => mark!("_Ping every (seconds)"),
            Self::PingRestart => mark!("Reconnect after no traffic for (_seconds)"),
            Self::RandomHostname => mark!("_Use random host name prefix"),
            Self::ProxyType => mark!("Pro_xy on the way"),
            Self::ProxyServer => mark!("A_ddress of the proxy"),
            Self::ProxyPort => mark!("Port of the prox_y"),
            Self::ProxyAuth => mark!("The proxy _wants a password"),
            Self::TokenModule => mark!("PKCS #11 m_odule"),
            Self::Directives => mark!("_Further directives"),
        }
    }

    /// What a person may want to know about it.
    #[must_use]
    pub fn tooltip(self) -> &'static str {
        match self {
            Self::Endpoint => mark!(
                "Host name of the Client VPN endpoint. Separate several with commas; each may be \
                 followed by its own port and protocol."
            ),
            Self::Port => mark!("443 or 1194, depending on how the endpoint is configured."),
            Self::Protocol => mark!("UDP is faster. TCP passes through more firewalls."),
            Self::SignIn => {
                mark!("How users sign in to this endpoint. Single sign-on opens your browser.")
            }
            Self::UserName => mark!("If this is empty, you are asked when you connect."),
            Self::Password => mark!("If this is empty, you are asked when you connect."),
            Self::PasswordKeeping => mark!(
                "Only for this user: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::Challenge => mark!(
                "The question that the endpoint asks in addition to the password, such as “Enter \
                 MFA code”. Leave empty if it asks none."
            ),
            Self::ChallengeEcho => {
                mark!("For one-time codes, which are worthless once they have been used.")
            }
            Self::SessionLength => mark!(
                "As configured at the endpoint, for example 8h or 90m. Ten minutes before the \
                 sign-in expires you are reminded to sign in again. Leave empty if you do not \
                 know it."
            ),
            Self::CertificateSource => {
                mark!("Where your client certificate and its private key are stored.")
            }
            Self::Certificate => mark!("Your client certificate."),
            Self::PrivateKey => mark!("The private key of your client certificate."),
            Self::Pkcs12 => mark!("Certificate and private key in one file: .p12 or .pfx."),
            Self::KeyPassphrase => {
                mark!(
                    "The passphrase of the private key. If this is empty, you are asked when you \
                     connect."
                )
            }
            Self::KeyPassphraseKeeping => mark!(
                "Only for this user: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::TokenKey => mark!(
                "The certificate and key on a smart card or security token, as a URI: pkcs11:…"
            ),
            Self::TokenPin => {
                mark!("The PIN of the token. If this is empty, you are asked when you connect.")
            }
            Self::TokenPinKeeping => mark!(
                "Only for this user: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::Ca => {
                mark!("The authority that must have issued the certificate of the endpoint.")
            }
            Self::ServerNameCheck => mark!(
                "Prevents others from impersonating the endpoint with a certificate of the same \
                 authority."
            ),
            Self::ServerName => {
                mark!("The name that the certificate of the endpoint must contain.")
            }
            Self::LoginLimit => mark!("How long you have for the sign-in in the browser."),
            Self::ConnectLimit => mark!("How long to wait for the endpoint to answer."),
            Self::ReconnectLimit => mark!(
                "How long to try to reach a lost endpoint again while a network is available."
            ),
            Self::InactivityLimit => {
                mark!("How long the tunnel may carry no traffic before the connection ends.")
            }
            Self::AtLogin => mark!(
                "Once after you have logged in and a network is available, and once for each \
                 later network, unless you have disconnected it yourself."
            ),
            Self::KeepRoutes => {
                mark!("If off, routes into the tunnel that other programs remove stay removed.")
            }
            Self::EnforceRoutes => mark!(
                "Also where a network around you has the same addresses, as a home network with \
                 those of your company. Your router and the endpoint stay reachable."
            ),
            Self::KillSwitch => mark!(
                "Kill switch: from the moment the connection is up until you disconnect it, no \
                 traffic bypasses the VPN, even while the connection is lost."
            ),
            Self::KillSwitchLan => {
                mark!(
                    "Keeps printers and files reachable in the networks that this computer is \
                     connected to."
                )
            }
            Self::KillSwitchSignIn => mark!(
                "While a lost connection waits for you to sign in again, all programs can reach \
                 the web. If off, the connection ends instead, and you connect again."
            ),
            Self::TunnelMtu => {
                mark!(
                    "The largest packet that is sent through the tunnel. Usually best left empty."
                )
            }
            Self::MssFix => mark!(
                "Limits the packets of TCP connections through the tunnel to this size (mssfix). \
                 0 turns the limit off."
            ),
            Self::RetryPause => {
                mark!("How long to wait after a connection was lost before connecting again.")
            }
            Self::RetryPauseMost => {
                mark!("The delay grows with each failed attempt, up to this limit.")
            }
            Self::PingInterval => mark!("Prevents firewalls from dropping an idle connection."),
            Self::PingRestart => {
                mark!("How long to wait without hearing from the endpoint before reconnecting.")
            }
            Self::RandomHostname => {
                mark!("Required by AWS, unless the endpoint uses a host name of your own.")
            }
            Self::ProxyType => {
                mark!("For an endpoint with TCP, where the network lets nothing else out.")
            }
            Self::ProxyServer => mark!("The name or address of the proxy."),
            Self::ProxyPort => mark!("The port of the proxy."),
            Self::ProxyAuth => mark!(
                "You are asked for a user name and a password before the connection begins. An HTTP \
                 proxy asks by itself."
            ),
            Self::TokenModule => mark!(
                "The name of the token's driver. Leave empty to use all drivers that are set up \
                 on this computer."
            ),
            Self::Directives => mark!(
                "OpenVPN directives, one per line. Directives that run programs or access files \
                 are refused."
            ),
        }
    }

    /// How it is filled in.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Endpoint => Kind::Text(mark!("cvpn-endpoint-….clientvpn.….amazonaws.com")),
            Self::Port => Kind::Number("443"),
            Self::Protocol => Kind::Choice(&[mark!("UDP"), mark!("TCP")]),
            Self::SignIn => Kind::Choice(&[
                mark!("Single sign-on"),
                mark!("Single sign-on and certificate"),
                mark!("User name and password"),
                mark!("Password and certificate"),
                mark!("Certificate"),
            ]),
            Self::UserName => Kind::Text(mark!("Ask when connecting")),
            Self::Challenge => Kind::Text(mark!("None")),
            Self::SessionLength => Kind::Text(mark!("Not known")),
            Self::Password | Self::KeyPassphrase | Self::TokenPin => Kind::Secret,
            Self::PasswordKeeping => Kind::Choice(PASSWORD_STORAGE),
            Self::KeyPassphraseKeeping => Kind::Choice(PASSPHRASE_STORAGE),
            Self::TokenPinKeeping => Kind::Choice(PIN_STORAGE),
            Self::ChallengeEcho
            | Self::RandomHostname
            | Self::ProxyAuth
            | Self::AtLogin
            | Self::KeepRoutes
            | Self::EnforceRoutes
            | Self::KillSwitch
            | Self::KillSwitchLan
            | Self::KillSwitchSignIn => Kind::Switch,
            Self::ProxyType => Kind::Choice(&[mark!("None"), mark!("HTTP"), mark!("SOCKS")]),
            Self::ProxyServer => Kind::Text("proxy.example"),
            Self::ProxyPort => Kind::Number("3128"),
            Self::CertificateSource => Kind::Choice(&[
                mark!("Certificate and key files"),
                mark!("PKCS #12 file"),
                mark!("Smart card or token"),
            ]),
            Self::Certificate => Kind::Content(InlineFile::Cert),
            Self::PrivateKey => Kind::Content(InlineFile::Key),
            Self::Pkcs12 => Kind::Content(InlineFile::Pkcs12),
            Self::Ca => Kind::Content(InlineFile::Ca),
            Self::TokenKey => Kind::Text("pkcs11:…"),
            Self::ServerNameCheck => Kind::Choice(&[
                mark!("Do not verify"),
                mark!("Exact name"),
                mark!("Name prefix"),
                mark!("Full subject"),
            ]),
            Self::ServerName => Kind::Text(""),
            Self::LoginLimit => Kind::Number("600"),
            Self::ConnectLimit => Kind::Number("60"),
            Self::ReconnectLimit => Kind::Number("600"),
            Self::InactivityLimit => Kind::Number(mark!("Never")),
            Self::TunnelMtu | Self::MssFix | Self::PingInterval | Self::PingRestart => {
                Kind::Number(mark!("Set by the endpoint"))
            }
            Self::RetryPause => Kind::Number("1"),
            Self::RetryPauseMost => Kind::Number("4"),
            Self::TokenModule => Kind::Text(mark!("All")),
            Self::Directives => Kind::Lines,
        }
    }
}
