//! The fields of the page and all that is said about them.

use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_text::gettext_noop;
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
    /// The group's heading.
    pub title: &'static str,
    /// Whether it is folded away until somebody wants it.
    pub is_advanced: bool,
    /// The group's fields, in order.
    pub fields: &'static [Field],
}

/// The page, from top to bottom.
pub const GROUPS: &[Group] = &[
    Group {
        title: gettext_noop!("Endpoint"),
        is_advanced: false,
        fields: &[Field::Endpoint, Field::Port, Field::Protocol],
    },
    Group {
        title: gettext_noop!("Sign-In"),
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
        title: gettext_noop!("Client Certificate"),
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
        title: gettext_noop!("Identity of the Endpoint"),
        is_advanced: false,
        fields: &[Field::Ca, Field::ServerNameCheck, Field::ServerName],
    },
    Group {
        title: gettext_noop!("Advanced"),
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
    /// A choice among these.
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
    gettext_noop!("Store the password only for this user"),
    gettext_noop!("Store the password for all users"),
    gettext_noop!("Ask for this password every time"),
    gettext_noop!("The password is not required"),
];
const PASSPHRASE_STORAGE: &[&str] = &[
    gettext_noop!("Store the passphrase only for this user"),
    gettext_noop!("Store the passphrase for all users"),
    gettext_noop!("Ask for this passphrase every time"),
    gettext_noop!("The passphrase is not required"),
];
const PIN_STORAGE: &[&str] = &[
    gettext_noop!("Store the PIN only for this user"),
    gettext_noop!("Store the PIN for all users"),
    gettext_noop!("Ask for this PIN every time"),
    gettext_noop!("The PIN is not required"),
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
            Self::Endpoint => gettext_noop!("_Endpoint"),
            Self::Port => gettext_noop!("P_ort"),
            Self::Protocol => gettext_noop!("P_rotocol"),
            Self::SignIn => gettext_noop!("_Sign in with"),
            Self::UserName => gettext_noop!("_User name"),
            Self::Password => gettext_noop!("_Password"),
            Self::PasswordKeeping => gettext_noop!("Password stora_ge"),
            Self::Challenge => gettext_noop!("One-_time code"),
            Self::ChallengeEcho => gettext_noop!("Sho_w the code while it is typed"),
            Self::SessionLength => gettext_noop!("Sign-in is _valid for"),
            Self::CertificateSource => gettext_noop!("Certi_ficate source"),
            Self::Certificate => gettext_noop!("_Certificate"),
            Self::PrivateKey => gettext_noop!("Private ke_y"),
            Self::Pkcs12 => gettext_noop!("PKCS #_12 file"),
            Self::KeyPassphrase => gettext_noop!("Passp_hrase"),
            Self::KeyPassphraseKeeping => gettext_noop!("P_assphrase storage"),
            Self::TokenKey => gettext_noop!("PKCS #11 ke_y"),
            Self::TokenPin => gettext_noop!("PI_N of the token"),
            Self::TokenPinKeeping => gettext_noop!("PIN stor_age"),
            Self::Ca => gettext_noop!("Cert_ificate authority"),
            Self::ServerNameCheck => gettext_noop!("Verify server certificate na_me"),
            Self::ServerName => gettext_noop!("E_xpected name"),
            Self::LoginLimit => gettext_noop!("Sig_n-in timeout (seconds)"),
            Self::ConnectLimit => gettext_noop!("_Answer timeout (seconds)"),
            Self::ReconnectLimit => gettext_noop!("_Give up reconnecting after (seconds)"),
            Self::InactivityLimit => gettext_noop!("Disconnect w_hen idle for (seconds)"),
            Self::AtLogin => gettext_noop!("_Connect when I log in"),
            Self::KeepRoutes => gettext_noop!("Restore _routes that other programs remove"),
            Self::EnforceRoutes => {
                gettext_noop!("Rout_es of the VPN take precedence over local ones")
            }
            Self::KillSwitch => gettext_noop!("Block traffic outside the _VPN"),
            Self::KillSwitchLan => gettext_noop!("Allow the local networ_k"),
            Self::KillSwitchSignIn => gettext_noop!("Allow _browsers while signing in again"),
            Self::TunnelMtu => gettext_noop!("_MTU (bytes)"),
            Self::MssFix => gettext_noop!("Maximum packet size for _TCP (bytes)"),
            Self::RetryPause => gettext_noop!("Retry _delay (seconds)"),
            Self::RetryPauseMost => gettext_noop!("Max_imum retry delay (seconds)"),
            Self::PingInterval => gettext_noop!("_Ping every (seconds)"),
            Self::PingRestart => gettext_noop!("Reconnect after no traffic for (_seconds)"),
            Self::RandomHostname => gettext_noop!("_Use random host name prefix"),
            Self::ProxyType => gettext_noop!("Pro_xy"),
            Self::ProxyServer => gettext_noop!("A_ddress of the proxy"),
            Self::ProxyPort => gettext_noop!("Port of the prox_y"),
            Self::ProxyAuth => gettext_noop!("The proxy requires a pass_word"),
            Self::TokenModule => gettext_noop!("PKCS #11 m_odule"),
            Self::Directives => gettext_noop!("_Further directives"),
        }
    }

    /// What a person may want to know about it.
    #[must_use]
    pub fn tooltip(self) -> &'static str {
        match self {
            Self::Endpoint => gettext_noop!(
                "Host name of the Client VPN endpoint. Separate several with commas; each may be \
                 followed by its own port and protocol."
            ),
            Self::Port => {
                gettext_noop!("443 or 1194, depending on how the endpoint is configured.")
            }
            Self::Protocol => gettext_noop!("UDP is faster. TCP passes through more firewalls."),
            Self::SignIn => {
                gettext_noop!(
                    "How users sign in to this endpoint. Single sign-on opens your browser."
                )
            }
            Self::UserName => gettext_noop!("If this is empty, you are asked when you connect."),
            Self::Password => gettext_noop!("If this is empty, you are asked when you connect."),
            Self::PasswordKeeping => gettext_noop!(
                "Only for this user: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::Challenge => gettext_noop!(
                "The question that the endpoint asks in addition to the password, such as “Enter \
                 MFA code”. Leave empty if it asks none."
            ),
            Self::ChallengeEcho => {
                gettext_noop!("For one-time codes, which are worthless once they have been used.")
            }
            Self::SessionLength => gettext_noop!(
                "As configured at the endpoint, for example 8h or 90m. Ten minutes before the \
                 sign-in expires you are reminded to sign in again. Leave empty if you do not \
                 know it."
            ),
            Self::CertificateSource => {
                gettext_noop!("Where your client certificate and its private key are stored.")
            }
            Self::Certificate => gettext_noop!("Your client certificate."),
            Self::PrivateKey => gettext_noop!("The private key of your client certificate."),
            Self::Pkcs12 => gettext_noop!("Certificate and private key in one file: .p12 or .pfx."),
            Self::KeyPassphrase => {
                gettext_noop!(
                    "The passphrase of the private key. If this is empty, you are asked when you \
                     connect."
                )
            }
            Self::KeyPassphraseKeeping => gettext_noop!(
                "Only for this user: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::TokenKey => gettext_noop!(
                "The certificate and key on a smart card or security token, as a URI: pkcs11:…"
            ),
            Self::TokenPin => {
                gettext_noop!(
                    "The PIN of the token. If this is empty, you are asked when you connect."
                )
            }
            Self::TokenPinKeeping => gettext_noop!(
                "Only for this user: in your keyring. For all users: in a file that only the \
                 administrator can read."
            ),
            Self::Ca => {
                gettext_noop!(
                    "The certificate authority that must have issued the certificate of the \
                     endpoint."
                )
            }
            Self::ServerNameCheck => gettext_noop!(
                "Prevents others from impersonating the endpoint with a certificate of the same \
                 certificate authority."
            ),
            Self::ServerName => {
                gettext_noop!("The name that the certificate of the endpoint must contain.")
            }
            Self::LoginLimit => gettext_noop!("How long you have for the sign-in in the browser."),
            Self::ConnectLimit => gettext_noop!("How long to wait for the endpoint to answer."),
            Self::ReconnectLimit => gettext_noop!(
                "How long to try to reach a lost endpoint again while a network is available."
            ),
            Self::InactivityLimit => {
                gettext_noop!(
                    "How long the tunnel may carry no traffic before the connection ends."
                )
            }
            Self::AtLogin => gettext_noop!(
                "Connects after you log in, as soon as a network is available, and again when you \
                 move to another network. If you disconnect it yourself, it stays disconnected \
                 until you log in again."
            ),
            Self::KeepRoutes => {
                gettext_noop!(
                    "If this is off, routes of the VPN that another program removes are not \
                     restored."
                )
            }
            Self::EnforceRoutes => gettext_noop!(
                "The VPN's routes are used even if your own network has the same addresses, for \
                 example if your home network uses the same addresses as your company. Your router \
                 and the endpoint stay reachable."
            ),
            Self::KillSwitch => gettext_noop!(
                "Kill switch: once the connection is up, no traffic bypasses the VPN until you \
                 disconnect it, even while the connection is lost."
            ),
            Self::KillSwitchLan => {
                gettext_noop!(
                    "Keeps printers and files reachable in the networks that this computer is \
                     connected to."
                )
            }
            Self::KillSwitchSignIn => gettext_noop!(
                "While a lost connection waits for you to sign in again, all programs can reach \
                 the web. If this is off, the connection ends instead, and you have to connect \
                 again."
            ),
            Self::TunnelMtu => {
                gettext_noop!(
                    "The largest packet that is sent through the tunnel. Usually best left empty."
                )
            }
            Self::MssFix => gettext_noop!(
                "Limits the packets of TCP connections through the tunnel, so that the packets of \
                 OpenVPN are not larger than this (mssfix). 0 turns the limit off."
            ),
            Self::RetryPause => {
                gettext_noop!(
                    "How long to wait after a connection was lost before connecting again."
                )
            }
            Self::RetryPauseMost => {
                gettext_noop!("The delay grows with each failed attempt, up to this limit.")
            }
            Self::PingInterval => {
                gettext_noop!("Prevents firewalls from dropping an idle connection.")
            }
            Self::PingRestart => {
                gettext_noop!(
                    "How long to wait without hearing from the endpoint before reconnecting."
                )
            }
            Self::RandomHostname => {
                gettext_noop!(
                    "Required by AWS, unless the endpoint has a host name of your \
                               company."
                )
            }
            Self::ProxyType => {
                gettext_noop!(
                    "For networks that let traffic out only through a proxy. The endpoint must use \
                     TCP."
                )
            }
            Self::ProxyServer => gettext_noop!("The name or address of the proxy."),
            Self::ProxyPort => gettext_noop!("The port of the proxy."),
            Self::ProxyAuth => gettext_noop!(
                "You are asked for the user name and password for the proxy before connecting. \
                 Leave this off for an HTTP proxy: you are asked when it requests them."
            ),
            Self::TokenModule => gettext_noop!(
                "The name of the token's module, such as opensc-pkcs11. Leave empty to use all \
                 modules that are set up on this computer."
            ),
            Self::Directives => gettext_noop!(
                "OpenVPN directives, one per line. Directives that run programs or access files \
                 are refused."
            ),
        }
    }

    /// How it is filled in.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Endpoint => {
                Kind::Text(gettext_noop!("cvpn-endpoint-….clientvpn.….amazonaws.com"))
            }
            Self::Port => Kind::Number("443"),
            Self::Protocol => Kind::Choice(&[gettext_noop!("UDP"), gettext_noop!("TCP")]),
            Self::SignIn => Kind::Choice(&[
                gettext_noop!("Single sign-on"),
                gettext_noop!("Single sign-on and certificate"),
                gettext_noop!("User name and password"),
                gettext_noop!("Password and certificate"),
                gettext_noop!("Certificate"),
            ]),
            Self::UserName => Kind::Text(gettext_noop!("Ask when connecting")),
            // TRANSLATORS: There is no proxy.
            Self::Challenge => Kind::Text(gettext_noop!("None")),
            Self::SessionLength => Kind::Text(gettext_noop!("Not known")),
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
            Self::ProxyType => Kind::Choice(&[
                gettext_noop!("None"),
                gettext_noop!("HTTP"),
                gettext_noop!("SOCKS"),
            ]),
            Self::ProxyServer => Kind::Text("proxy.example"),
            Self::ProxyPort => Kind::Number("3128"),
            Self::CertificateSource => Kind::Choice(&[
                gettext_noop!("Certificate and key files"),
                gettext_noop!("PKCS #12 file"),
                gettext_noop!("Smart card or token"),
            ]),
            Self::Certificate => Kind::Content(InlineFile::Cert),
            Self::PrivateKey => Kind::Content(InlineFile::Key),
            Self::Pkcs12 => Kind::Content(InlineFile::Pkcs12),
            Self::Ca => Kind::Content(InlineFile::Ca),
            Self::TokenKey => Kind::Text("pkcs11:…"),
            Self::ServerNameCheck => Kind::Choice(&[
                gettext_noop!("Do not verify"),
                gettext_noop!("Exact name"),
                gettext_noop!("Name prefix"),
                gettext_noop!("Full subject"),
            ]),
            Self::ServerName => Kind::Text(""),
            Self::LoginLimit => Kind::Number("600"),
            Self::ConnectLimit => Kind::Number("60"),
            Self::ReconnectLimit => Kind::Number("600"),
            // TRANSLATORS: The connection never ends because it is idle.
            Self::InactivityLimit => Kind::Number(gettext_noop!("Never")),
            Self::TunnelMtu | Self::MssFix | Self::PingInterval | Self::PingRestart => {
                // TRANSLATORS: The value of a number that is left empty.
                Kind::Number(gettext_noop!("Set by the endpoint"))
            }
            Self::RetryPause => Kind::Number("1"),
            Self::RetryPauseMost => Kind::Number("4"),
            // TRANSLATORS: All PKCS #11 modules of this computer.
            Self::TokenModule => Kind::Text(gettext_noop!("All")),
            Self::Directives => Kind::Lines,
        }
    }
}
