//! A profile of an AWS Client VPN endpoint that is known to be valid.
//!
//! A profile may come from a stranger's mail and ends in front of a service that runs as root, so
//! nothing of the file is passed on: it is read into this type, directive by directive against a
//! table of what is allowed (see [`directives`](self)), and OpenVPN's configuration is written
//! from the type.

mod complaint;
mod directives;
mod parse;
mod pem;
mod words;
mod write;

pub use complaint::{Note, ParseError, Problem};
pub use parse::Imported;

/// For the other form a profile is kept in, see [`crate::settings`].
pub(crate) mod parts {
    pub(crate) use super::parse::{
        Parts, checked_content, directive_of_line, is_pkcs11_id, transport_of,
    };
    pub(crate) use super::pem::is_encrypted;
    pub(crate) use super::write::push_line;
}

use crate::credential::Credential;
use crate::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

/// A line of a profile with these words, quoted where they need it.
#[must_use]
pub fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words::join(words)
}

/// Whether `host` can be the name or address of an endpoint.
#[must_use]
pub fn is_host(host: &str) -> bool {
    parse::is_host(host)
}

/// Whether `id` can be the name of a key on a security token.
#[must_use]
pub fn is_pkcs11_id(id: &str) -> bool {
    parse::is_pkcs11_id(id)
}

/// Whether a private key in PEM needs a passphrase.
#[must_use]
pub fn is_encrypted(key: &str) -> bool {
    pem::is_encrypted(key)
}

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
    #[must_use]
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

/// What a profile carries in `<tag>` blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inline {
    /// Certificates of the authority that signed the endpoint's.
    Ca,
    /// The client's certificate.
    Cert,
    /// The client's private key: a secret.
    Key,
    /// Certificates between the client's and its authority's.
    ExtraCerts,
    /// Certificate, key and authority in one, in base64: a secret.
    Pkcs12,
    /// Revoked certificates.
    CrlVerify,
    /// A key shared by all clients: a secret.
    TlsAuth,
    /// A key shared by all clients: a secret.
    TlsCrypt,
}

impl Inline {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Ca,
        Self::Cert,
        Self::Key,
        Self::ExtraCerts,
        Self::Pkcs12,
        Self::CrlVerify,
        Self::TlsAuth,
        Self::TlsCrypt,
    ];

    /// The name of the directive, of the tag, and of the key in NetworkManager's settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::Cert => "cert",
            Self::Key => "key",
            Self::ExtraCerts => "extra-certs",
            Self::Pkcs12 => "pkcs12",
            Self::CrlVerify => "crl-verify",
            Self::TlsAuth => "tls-auth",
            Self::TlsCrypt => "tls-crypt",
        }
    }

    /// Whether it has to be kept like a password.
    #[must_use]
    pub fn is_secret(self) -> bool {
        match self {
            Self::Key | Self::Pkcs12 | Self::TlsAuth | Self::TlsCrypt => true,
            Self::Ca | Self::Cert | Self::ExtraCerts | Self::CrlVerify => false,
        }
    }

    /// What a file holds, in the form in which it is kept; `None` if it is no such thing.
    #[must_use]
    pub fn content_of_file(self, octets: &[u8]) -> Option<Secret> {
        let text =
            pem::text_of_file(self, octets).or_else(|| pem::certificate_of_der(self, octets))?;
        parse::checked_content(self, &text).map(Secret::new)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|inline| inline.name() == name)
    }
}

/// A directive of the profile that goes to OpenVPN as it is, checked against the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    name: &'static str,
    arguments: Vec<String>,
}

impl Directive {
    /// Reads a line of a profile; `None` if it says nothing that OpenVPN would be told.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_line(line: &str) -> Result<Option<Self>, Problem> {
        parse::directive_of_line(line)
    }

    /// As a line.
    #[must_use]
    pub fn to_line(&self) -> String {
        let arguments = self.arguments.iter().map(String::as_str);
        words::join(std::iter::once(self.name).chain(arguments))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its arguments, unquoted.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

/// An AWS Client VPN profile, valid by construction.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    remotes: Vec<Remote>,
    random_hostname: bool,
    sign_in: SignIn,
    user_name: Option<String>,
    early_push_request: bool,
    pkcs11_id: Option<String>,
    pkcs11_provider: Option<String>,
    goes_without: BTreeSet<Credential>,
    inline: BTreeMap<Inline, zeroize::Zeroizing<String>>,
    directives: Vec<Directive>,
}

impl Profile {
    /// Where the endpoint is; never empty.
    #[must_use]
    pub fn remotes(&self) -> &[Remote] {
        &self.remotes
    }

    /// Whether a random label has to stand in front of the name.
    #[must_use]
    pub fn random_hostname(&self) -> bool {
        self.random_hostname
    }

    /// How users sign in.
    #[must_use]
    pub fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// The user name for a password, if the profile has one.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        self.user_name.as_deref()
    }

    /// Whether OpenVPN asks for the pushed options at once.
    #[must_use]
    pub fn early_push_request(&self) -> bool {
        self.early_push_request
    }

    /// The certificate and key on a security token, as PKCS #11 names them.
    #[must_use]
    pub fn pkcs11_id(&self) -> Option<&str> {
        self.pkcs11_id.as_deref()
    }

    /// The name of the module that drives the token, if it is not left to the system.
    #[must_use]
    pub fn pkcs11_provider(&self) -> Option<&str> {
        self.pkcs11_provider.as_deref()
    }

    /// Whether the connection says that `credential` does not exist, so nobody is asked for it.
    #[must_use]
    pub fn goes_without(&self, credential: Credential) -> bool {
        self.goes_without.contains(&credential)
    }

    /// The content of a block.
    #[must_use]
    pub fn inline(&self, inline: Inline) -> Option<&str> {
        self.inline.get(&inline).map(|text| text.as_str())
    }

    /// The directives that go to OpenVPN as they are.
    #[must_use]
    pub fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// Whether the client has a certificate.
    #[must_use]
    pub fn has_client_certificate(&self) -> bool {
        self.inline.contains_key(&Inline::Cert)
            || self.inline.contains_key(&Inline::Pkcs12)
            || self.pkcs11_id.is_some()
    }

    /// Whether the private key needs a passphrase.
    #[must_use]
    pub fn private_key_is_encrypted(&self) -> bool {
        self.inline(Inline::Key).is_some_and(pem::is_encrypted)
    }

    /// The endpoint's name, for a person.
    #[must_use]
    pub fn display_endpoint(&self) -> String {
        self.remotes
            .first()
            .map(|remote| remote.host.clone())
            .unwrap_or_default()
    }

    /// The AWS region the endpoint is in, if its name tells.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        let mut labels = self.remotes.first()?.host.split('.');
        labels.find(|label| *label == "clientvpn")?;
        labels.next()
    }
}

/// Keys are never shown.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile")
            .field("remotes", &self.remotes)
            .field("sign_in", &self.sign_in)
            .field("inline", &self.inline.keys().collect::<Vec<_>>())
            .field("directives", &self.directives)
            .finish_non_exhaustive()
    }
}
