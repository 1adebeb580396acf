//! What a profile is made of.

use crate::named::named;

/// How packets reach the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP, AWS's default.
    Udp,
    /// TCP.
    Tcp,
}

impl Transport {
    /// As OpenVPN writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// Where the endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// A DNS name or an address.
    pub host: String,
    /// 443 or 1194, for AWS.
    pub port: u16,
    /// UDP or TCP.
    pub transport: Transport,
}

/// What kind of proxy there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP with CONNECT (`http-proxy`).
    Http,
    /// SOCKS 5 (`socks-proxy`).
    Socks,
}

impl ProxyKind {
    /// As NetworkManager's settings name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Socks => "socks",
        }
    }
}

/// A proxy on the way to the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// A DNS name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is known to want a user name and a password. One for HTTP says so by itself.
    pub authenticates: bool,
}

/// What a user types besides a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticChallenge {
    /// The question.
    pub text: String,
    /// Whether the answer may be seen while it is typed.
    pub echo: bool,
}

/// How users sign in. Each may come with a client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// Single sign-on in a browser (`auth-federate`).
    Saml,
    /// A client certificate alone.
    Certificate,
    /// A user name and a password (`auth-user-pass`).
    Password {
        /// A one-time code along with it.
        static_challenge: Option<StaticChallenge>,
    },
}

named! {
    /// What a profile carries in `<tag>` blocks. The name is that of the directive, of the tag, and of
    /// the key in NetworkManager's settings.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    InlineFile {
        /// Certificates of the authority that signed the endpoint's.
        Ca = "ca",
        /// The client's certificate.
        Cert = "cert",
        /// The client's private key: a secret.
        Key = "key",
        /// Certificates between the client's and its authority's.
        ExtraCerts = "extra-certs",
        /// Certificate, key and authority in one, in base64: a secret.
        Pkcs12 = "pkcs12",
        /// Revoked certificates.
        CrlVerify = "crl-verify",
        /// A key shared by all clients: a secret.
        TlsAuth = "tls-auth",
        /// A key shared by all clients: a secret.
        TlsCrypt = "tls-crypt",
    }
}

impl InlineFile {
    /// Whether it has to be kept like a password.
    pub fn is_secret(self) -> bool {
        match self {
            Self::Key | Self::Pkcs12 | Self::TlsAuth | Self::TlsCrypt => true,
            Self::Ca | Self::Cert | Self::ExtraCerts | Self::CrlVerify => false,
        }
    }
}

/// The transport that a `proto` names.
pub(crate) fn transport_of(text: &str) -> Option<Transport> {
    match text {
        "udp" | "udp4" | "udp6" => Some(Transport::Udp),
        "tcp" | "tcp4" | "tcp6" | "tcp-client" | "tcp4-client" | "tcp6-client" => {
            Some(Transport::Tcp)
        }
        _ => None,
    }
}
