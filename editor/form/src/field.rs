//! The fields of the page and all that is said about them.

use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_text::gettext_noop;
use aws_client_vpn_text::secret::Secret;
use std::fmt;

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
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Secret(secret) => secret.expose(),
            Self::Choice(_) | Self::Switch(_) => "",
        }
    }

    /// The index; none if it is something else.
    pub fn choice(&self) -> usize {
        match self {
            Self::Choice(index) => *index,
            Self::Text(_) | Self::Switch(_) | Self::Secret(_) => usize::MAX,
        }
    }

    /// Whether it is a switch that is on.
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

/// What is said of each choice where something is kept.
const KEEPING: &str = gettext_noop!(
    "Only for this user: in your keyring. For all users: in a file that only the administrator can \
     read."
);
// TRANSLATORS: The value of a number that is left empty.
const BY_ENDPOINT: &str = gettext_noop!("Set by the endpoint");

/// Makes the fields out of their table: the enum, the groups, and what is said of each.
macro_rules! page {
    ($($title:expr, $is_advanced:literal => {
        $($field:ident: $label:expr, $kind:expr, $tooltip:expr;)+
    })+) => {
        /// A field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "their labels and tooltips say what they are")]
        pub enum Field {
            $($($field,)+)+
        }

        /// The page, from top to bottom.
        pub const GROUPS: &[Group] = &[$(Group {
            title: $title,
            is_advanced: $is_advanced,
            fields: &[$(Field::$field,)+],
        },)+];

        impl Field {
            /// What it is called, with an underscore before the letter that leads to it. English, as
            /// all texts here: they are looked up in the catalogue where they are shown.
            pub fn label(self) -> &'static str {
                match self {
                    $($(Self::$field => $label,)+)+
                }
            }

            /// What a person may want to know about it.
            pub fn tooltip(self) -> &'static str {
                match self {
                    $($(Self::$field => $tooltip,)+)+
                }
            }

            /// How it is filled in.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self {
                    $($(Self::$field => $kind,)+)+
                }
            }
        }
    };
}

// The page, from top to bottom; a group that is advanced is folded away until somebody wants it. Of
// each field: what it is called, how it is filled in, and what a person may want to know about it.
page! {
    gettext_noop!("Endpoint"), false => {
        Endpoint: gettext_noop!("_Endpoint"),
            Kind::Text(gettext_noop!("cvpn-endpoint-….clientvpn.….amazonaws.com")),
            gettext_noop!("Host name of the Client VPN endpoint. Separate several with commas; \
                each may be followed by its own port and protocol.");
        Port: gettext_noop!("P_ort"), Kind::Number("443"),
            gettext_noop!("443 or 1194, depending on how the endpoint is configured.");
        Protocol: gettext_noop!("P_rotocol"), Kind::Choice(&[
            gettext_noop!("UDP"), gettext_noop!("TCP"),
        ]),
            gettext_noop!("UDP is faster. TCP passes through more firewalls.");
    }
    gettext_noop!("Sign-In"), false => {
        SignIn: gettext_noop!("_Sign in with"), Kind::Choice(&[
            gettext_noop!("Single sign-on"), gettext_noop!("Single sign-on and certificate"),
            gettext_noop!("User name and password"), gettext_noop!("Password and certificate"),
            gettext_noop!("Certificate"),
        ]),
            gettext_noop!("How users sign in to this endpoint. Single sign-on opens your browser.");
        UserName: gettext_noop!("_User name"), Kind::Text(gettext_noop!("Ask when connecting")),
            gettext_noop!("If this is empty, you are asked when you connect.");
        Password: gettext_noop!("_Password"), Kind::Secret,
            gettext_noop!("If this is empty, you are asked when you connect.");
        PasswordKeeping: gettext_noop!("Password stora_ge"), Kind::Choice(PASSWORD_STORAGE),
            KEEPING;
        Challenge: gettext_noop!("One-_time code"),
            // TRANSLATORS: There is no proxy.
            Kind::Text(gettext_noop!("None")),
            gettext_noop!("The question that the endpoint asks in addition to the password, such \
                as “Enter MFA code”. Leave empty if it asks none.");
        ChallengeEcho: gettext_noop!("Sho_w the code while it is typed"), Kind::Switch,
            gettext_noop!("For one-time codes, which are worthless once they have been used.");
        SessionLength: gettext_noop!("Sign-in is _valid for"),
            Kind::Text(gettext_noop!("Not known")),
            gettext_noop!("As configured at the endpoint, for example 8h or 90m. Ten minutes \
                before the sign-in expires you are reminded to sign in again. Leave empty if you \
                do not know it.");
    }
    gettext_noop!("Client Certificate"), false => {
        CertificateSource: gettext_noop!("Certi_ficate source"), Kind::Choice(&[
            gettext_noop!("Certificate and key files"), gettext_noop!("PKCS #12 file"),
            gettext_noop!("Smart card or token"),
        ]),
            gettext_noop!("Where your client certificate and its private key are stored.");
        Certificate: gettext_noop!("_Certificate"), Kind::Content(InlineFile::Cert),
            gettext_noop!("Your client certificate.");
        PrivateKey: gettext_noop!("Private ke_y"), Kind::Content(InlineFile::Key),
            gettext_noop!("The private key of your client certificate.");
        Pkcs12: gettext_noop!("PKCS #_12 file"), Kind::Content(InlineFile::Pkcs12),
            gettext_noop!("Certificate and private key in one file: .p12 or .pfx.");
        KeyPassphrase: gettext_noop!("Passp_hrase"), Kind::Secret,
            gettext_noop!("The passphrase of the private key. If this is empty, you are asked when \
                you connect.");
        KeyPassphraseKeeping: gettext_noop!("P_assphrase storage"),
            Kind::Choice(PASSPHRASE_STORAGE),
            KEEPING;
        TokenKey: gettext_noop!("PKCS #11 ke_y"), Kind::Text("pkcs11:…"),
            gettext_noop!("The certificate and key on a smart card or security token, as a URI: \
                pkcs11:…");
        TokenPin: gettext_noop!("PI_N of the token"), Kind::Secret,
            gettext_noop!("The PIN of the token. If this is empty, you are asked when you \
                connect.");
        TokenPinKeeping: gettext_noop!("PIN stor_age"), Kind::Choice(PIN_STORAGE),
            KEEPING;
    }
    gettext_noop!("Identity of the Endpoint"), false => {
        Ca: gettext_noop!("Cert_ificate authority"), Kind::Content(InlineFile::Ca),
            gettext_noop!("The certificate authority that must have issued the certificate of the \
                endpoint.");
        ServerNameCheck: gettext_noop!("Verify server certificate na_me"), Kind::Choice(&[
            gettext_noop!("Do not verify"), gettext_noop!("Exact name"),
            gettext_noop!("Name prefix"), gettext_noop!("Full subject"),
        ]),
            gettext_noop!("Prevents others from impersonating the endpoint with a certificate of \
                the same certificate authority.");
        ServerName: gettext_noop!("E_xpected name"), Kind::Text(""),
            gettext_noop!("The name that the certificate of the endpoint must contain.");
    }
    gettext_noop!("Advanced"), true => {
        LoginLimit: gettext_noop!("Sig_n-in timeout (seconds)"), Kind::Number("600"),
            gettext_noop!("How long you have to sign in.");
        ConnectLimit: gettext_noop!("_Answer timeout (seconds)"), Kind::Number("60"),
            gettext_noop!("How long to wait for the endpoint to answer.");
        ReconnectLimit: gettext_noop!("_Give up reconnecting after (seconds)"), Kind::Number("600"),
            gettext_noop!("How long to keep trying to reach the endpoint after the connection was \
                lost, while a network is available.");
        InactivityLimit: gettext_noop!("Disconnect w_hen idle for (seconds)"),
            // TRANSLATORS: The connection never ends because it is idle.
            Kind::Number(gettext_noop!("Never")),
            gettext_noop!("How long the tunnel may carry no traffic before the connection ends.");
        AtLogin: gettext_noop!("_Connect when I log in"), Kind::Switch,
            gettext_noop!("Connects after you log in, as soon as a network is available, and again \
                when you move to another network. If you disconnect it yourself, it stays \
                disconnected until you log in again.");
        KeepRoutes: gettext_noop!("Restore _routes that other programs remove"), Kind::Switch,
            gettext_noop!("If this is off, routes of the VPN that another program removes are not \
                restored.");
        EnforceRoutes: gettext_noop!("Rout_es of the VPN take precedence over local ones"),
            Kind::Switch,
            gettext_noop!("The VPN's routes are used even if your own network has the same \
                addresses, for example if your home network uses the same addresses as your \
                company. Your router and the endpoint stay reachable.");
        KillSwitch: gettext_noop!("Block traffic outside the _VPN"), Kind::Switch,
            gettext_noop!("Kill switch: once the connection is up, no traffic bypasses the VPN \
                until you disconnect it, even while the connection is lost.");
        KillSwitchLan: gettext_noop!("Allow the local networ_k"), Kind::Switch,
            gettext_noop!("Keeps printers and files reachable in the networks that this computer \
                is connected to.");
        KillSwitchSignIn: gettext_noop!("Allow we_b access while signing in again"), Kind::Switch,
            gettext_noop!("While a lost connection waits for you to sign in again, all programs \
                can reach the web and name servers. If this is off, the connection ends instead, and you have to \
                connect again.");
        TunnelMtu: gettext_noop!("_MTU (bytes)"), Kind::Number(BY_ENDPOINT),
            gettext_noop!("The largest packet that is sent through the tunnel. Usually best left \
                empty.");
        MssFix: gettext_noop!("Maximum packet size for _TCP (bytes)"), Kind::Number(BY_ENDPOINT),
            gettext_noop!("Limits the packets of TCP connections through the tunnel, so that the \
                packets of OpenVPN are not larger than this (mssfix). 0 turns the limit off.");
        RetryPause: gettext_noop!("Retry _delay (seconds)"), Kind::Number("1"),
            gettext_noop!("How long to wait after a connection was lost before connecting again.");
        RetryPauseMost: gettext_noop!("Max_imum retry delay (seconds)"), Kind::Number("4"),
            gettext_noop!("The delay grows with each failed attempt, up to this limit.");
        PingInterval: gettext_noop!("_Ping every (seconds)"), Kind::Number(BY_ENDPOINT),
            gettext_noop!("Prevents firewalls from dropping an idle connection.");
        PingRestart: gettext_noop!("Reconnect after no traffic for (_seconds)"),
            Kind::Number(BY_ENDPOINT),
            gettext_noop!("How long to wait without hearing from the endpoint before \
                reconnecting.");
        RandomHostname: gettext_noop!("_Use random host name prefix"), Kind::Switch,
            gettext_noop!("Required by AWS, unless the endpoint has a host name of your company.");
        ProxyType: gettext_noop!("Pro_xy"), Kind::Choice(&[
            gettext_noop!("None"), gettext_noop!("HTTP"), gettext_noop!("SOCKS"),
        ]),
            gettext_noop!("For networks that let traffic out only through a proxy. The endpoint \
                must use TCP.");
        ProxyServer: gettext_noop!("A_ddress of the proxy"), Kind::Text("proxy.example"),
            gettext_noop!("The name or address of the proxy.");
        ProxyPort: gettext_noop!("Port of the prox_y"), Kind::Number("3128"),
            gettext_noop!("The port of the proxy.");
        ProxyAuth: gettext_noop!("The proxy requires a pass_word"), Kind::Switch,
            gettext_noop!("You are asked for the user name and password for the proxy before \
                connecting. Leave this off for an HTTP proxy: you are asked when it requests \
                them.");
        TokenModule: gettext_noop!("PKCS #11 m_odule"),
            // TRANSLATORS: All PKCS #11 modules of this computer.
            Kind::Text(gettext_noop!("All")),
            gettext_noop!("The name of the token's module, such as opensc-pkcs11. Leave empty to \
                use all modules that are set up on this computer.");
        Directives: gettext_noop!("_Further directives"), Kind::Lines,
            gettext_noop!("OpenVPN directives, one per line. Directives that run programs or \
                access files are refused.");
    }
}

impl Field {
    /// All of them, in the order of the page.
    pub fn all() -> impl Iterator<Item = Self> {
        GROUPS.iter().flat_map(|group| group.fields).copied()
    }
}
