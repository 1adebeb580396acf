//! The fields of the page and all that is said about them.

use aws_client_vpn_profile::parts::Inline;
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
        title: mark!("Your Certificate"),
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
    Content(Inline),
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
            Self::Text(text) => write!(f, "Text({} octets)", text.len()),
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

const KEEPINGS: &[&str] = &[
    mark!("For this user only"),
    mark!("For all users"),
    mark!("Ask every time"),
    mark!("Not needed"),
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
            Self::PasswordKeeping => mark!("_Keep the password"),
            Self::Challenge => mark!("One-_time code"),
            Self::ChallengeEcho => mark!("Sho_w the code while it is typed"),
            Self::SessionLength => mark!("Sign-in is _valid for"),
            Self::CertificateSource => mark!("Kept i_n"),
            Self::Certificate => mark!("_Certificate"),
            Self::PrivateKey => mark!("Private ke_y"),
            Self::Pkcs12 => mark!("PKCS #_12 file"),
            Self::KeyPassphrase => mark!("Passp_hrase"),
            Self::KeyPassphraseKeeping => mark!("Keep the p_assphrase"),
            Self::TokenKey => mark!("PKCS #11 ke_y"),
            Self::TokenPin => mark!("PIN o_f the token"),
            Self::TokenPinKeeping => mark!("Keep t_he PIN"),
            Self::Ca => mark!("Cert_ificate authority"),
            Self::ServerNameCheck => mark!("Check the na_me"),
            Self::ServerName => mark!("Name to e_xpect"),
            Self::LoginLimit => mark!("Time for the _login (seconds)"),
            Self::ConnectLimit => mark!("Time for the endpoint to _answer (seconds)"),
            Self::ReconnectLimit => mark!("Give _up when lost for (seconds)"),
            Self::InactivityLimit => mark!("Disconnect w_hen idle for (seconds)"),
            Self::AtLogin => mark!("_Connect when I log in"),
            Self::KeepRoutes => mark!("Put back _routes that other programs remove"),
            Self::EnforceRoutes => mark!("Rout_es of the VPN go before local ones"),
            Self::KillSwitch => mark!("Stop traffic outside the _VPN"),
            Self::KillSwitchLan => mark!("… but not in the local networ_k"),
            Self::KillSwitchSignIn => mark!("… but not of browsers during a new si_gn-in"),
            Self::TunnelMtu => mark!("_MTU (octets)"),
            Self::MssFix => mark!("_TCP packets at most (octets)"),
            Self::RetryPause => mark!("Pause _before the next try (seconds)"),
            Self::RetryPauseMost => mark!("Lon_gest pause (seconds)"),
            Self::PingInterval => mark!("_Ping every (seconds)"),
            Self::PingRestart => mark!("Reconnect after _silence of (seconds)"),
            Self::RandomHostname => mark!("Random _name in front of the endpoint"),
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
                "Name of the Client VPN endpoint. Several are separated by commas; each may be \
                 followed by a port and a protocol of its own."
            ),
            Self::Port => mark!("443 or 1194, as the endpoint is set up."),
            Self::Protocol => mark!("UDP is faster. TCP passes more firewalls."),
            Self::SignIn => mark!(
                "How the endpoint wants its users to sign in. Single sign-on opens your browser."
            ),
            Self::UserName => mark!("If it is empty, you are asked for it."),
            Self::Password => mark!("If it is empty, you are asked for it."),
            Self::PasswordKeeping => mark!(
                "For this user only: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::Challenge => mark!(
                "The question that the endpoint has besides the password, such as “Enter MFA \
                 code”. Empty if it has none."
            ),
            Self::ChallengeEcho => mark!("For a code that is worth nothing once it has been used."),
            Self::SessionLength => mark!(
                "As the endpoint is set up: 8h, 90m. You are told ten minutes before it ends, to \
                 sign in again in time. Empty if you do not know."
            ),
            Self::CertificateSource => {
                mark!("Where the certificate and the private key that you sign in with are.")
            }
            Self::Certificate => mark!("The certificate that you sign in with."),
            Self::PrivateKey => mark!("The private key of your certificate."),
            Self::Pkcs12 => mark!("Certificate and private key in one file: .p12 or .pfx."),
            Self::KeyPassphrase => {
                mark!("The passphrase of the private key. If it is empty, you are asked for it.")
            }
            Self::KeyPassphraseKeeping => mark!(
                "For this user only: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::TokenKey => mark!(
                "The certificate and key on a smart card or security token, as a URI: pkcs11:…"
            ),
            Self::TokenPin => mark!("The PIN of the token. If it is empty, you are asked for it."),
            Self::TokenPinKeeping => mark!(
                "For this user only: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::Ca => mark!("The authority that the certificate of the endpoint has to be from."),
            Self::ServerNameCheck => mark!(
                "Keeps others from posing as the endpoint with a certificate of the same authority."
            ),
            Self::ServerName => mark!("The name that the certificate of the endpoint has to have."),
            Self::LoginLimit => mark!("How long you have for the login in the browser."),
            Self::ConnectLimit => mark!("How long to wait for the endpoint."),
            Self::ReconnectLimit => mark!(
                "How long an endpoint that was lost has to come back, while there is a network."
            ),
            Self::InactivityLimit => {
                mark!("How long nothing has to go through the tunnel before the connection ends.")
            }
            Self::AtLogin => mark!(
                "Once when you have logged in and a network is there, and once for each network that \
                 comes later; not if you have switched the connection off."
            ),
            Self::KeepRoutes => {
                mark!("Off: what other programs do to the routes into the tunnel is left as it is.")
            }
            Self::EnforceRoutes => mark!(
                "Also where a network around you has the same addresses, as a home network with \
                 those of your company. Your router and the endpoint stay reachable."
            ),
            Self::KillSwitch => mark!(
                "Kill switch: from the moment the connection is up until you take it down, nothing \
                 leaves this computer past the VPN, also while the connection is lost."
            ),
            Self::KillSwitchLan => {
                mark!("Printers and files in the networks that this computer is connected to.")
            }
            Self::KillSwitchSignIn => mark!(
                "While a lost connection waits for you to sign in again, the web is open to all \
                 programs. Without it the connection ends, and you connect again."
            ),
            Self::TunnelMtu => {
                mark!("The largest packet that goes into the tunnel. Mostly it is best left empty.")
            }
            Self::MssFix => mark!(
                "Keeps TCP connections through the tunnel to packets of this size (mssfix). \
                 0 turns it off."
            ),
            Self::RetryPause => mark!("How long to wait after a connection was lost."),
            Self::RetryPauseMost => mark!("The pause grows with each try in vain, up to this."),
            Self::PingInterval => mark!("Keeps firewalls from forgetting an idle connection."),
            Self::PingRestart => mark!("If nothing comes from the endpoint for so long."),
            Self::RandomHostname => {
                mark!("AWS wants it, unless your endpoint has a name of your own.")
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
                "The driver of the token, by its name. Empty: those that this computer is set up \
                 with."
            ),
            Self::Directives => mark!(
                "Directives of OpenVPN, one a line. Those that run programs or touch files are \
                 refused."
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
            Self::UserName => Kind::Text(mark!("Asked for")),
            Self::Challenge => Kind::Text(mark!("None")),
            Self::SessionLength => Kind::Text(mark!("Not known")),
            Self::Password | Self::KeyPassphrase | Self::TokenPin => Kind::Secret,
            Self::PasswordKeeping | Self::KeyPassphraseKeeping | Self::TokenPinKeeping => {
                Kind::Choice(KEEPINGS)
            }
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
            Self::Certificate => Kind::Content(Inline::Cert),
            Self::PrivateKey => Kind::Content(Inline::Key),
            Self::Pkcs12 => Kind::Content(Inline::Pkcs12),
            Self::Ca => Kind::Content(Inline::Ca),
            Self::TokenKey => Kind::Text("pkcs11:…"),
            Self::ServerNameCheck => Kind::Choice(&[
                mark!("Not checked"),
                mark!("Exact name"),
                mark!("Beginning of the name"),
                mark!("Whole subject"),
            ]),
            Self::ServerName => Kind::Text(""),
            Self::LoginLimit => Kind::Number("600"),
            Self::ConnectLimit => Kind::Number("60"),
            Self::ReconnectLimit => Kind::Number("600"),
            Self::InactivityLimit => Kind::Number(mark!("Never")),
            Self::TunnelMtu | Self::MssFix | Self::PingInterval | Self::PingRestart => {
                Kind::Number(mark!("As the endpoint says"))
            }
            Self::RetryPause => Kind::Number("1"),
            Self::RetryPauseMost => Kind::Number("4"),
            Self::TokenModule => Kind::Text(mark!("All")),
            Self::Directives => Kind::Lines,
        }
    }
}
