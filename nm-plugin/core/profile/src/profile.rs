//! A profile of an AWS Client VPN endpoint that is known to be valid.
//!
//! A profile may come in a stranger's e-mail, and a service that runs as root uses it, so
//! nothing of the file is passed on: it is read into this type, directive by directive against a
//! table of what is allowed (see [`directive`](crate::directive)), and OpenVPN's configuration is written
//! from the type.

use crate::credential::Credential;
use crate::directive::Directive;
use crate::directive::check::{check_together, is_host, keep};
use crate::directive::table::Argument;
use crate::parts::{InlineFile, Proxy, Remote, SignIn, Transport};
use crate::pem;
use crate::problem::{ProfileError, REMOTE_LIMIT};
use aws_client_vpn_text::message;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use zeroize::Zeroizing;

/// An AWS Client VPN profile, valid by construction.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile(pub(crate) Parts);

impl Profile {
    /// Puts a profile together out of parts; the same checks hold as for a file.
    pub(crate) fn from_parts(parts: Parts) -> Result<Self, ProfileError> {
        match objections(&parts).into_iter().next() {
            Some((_, problem)) => Err(problem),
            None => Ok(Self(parts)),
        }
    }

    /// Where the endpoint is; never empty.
    pub fn remotes(&self) -> &[Remote] {
        &self.0.remotes
    }

    /// Whether a random label has to stand in front of the name.
    pub fn random_hostname(&self) -> bool {
        self.0.random_hostname
    }

    /// How users sign in.
    pub fn sign_in(&self) -> &SignIn {
        &self.0.sign_in
    }

    /// The user name for a password, if the profile has one.
    pub fn user_name(&self) -> Option<&str> {
        self.0.user_name.as_deref()
    }

    /// Whether OpenVPN asks for the pushed options at once.
    pub fn early_push_request(&self) -> bool {
        self.0.early_push_request
    }

    /// The certificate and key on a security token, as PKCS #11 names them.
    pub fn pkcs11_id(&self) -> Option<&str> {
        self.0.pkcs11_id.as_deref()
    }

    /// The name of the module that drives the token, if it is not left to the system.
    pub fn pkcs11_provider(&self) -> Option<&str> {
        self.0.pkcs11_provider.as_deref()
    }

    /// Whether the connection says that `credential` does not exist, so nobody is asked for it.
    pub fn does_not_require(&self, credential: Credential) -> bool {
        self.0.does_not_require.contains(&credential)
    }

    /// The proxy on the way to the endpoint.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.0.proxy.as_ref()
    }

    /// The same, with the proxy's address in place of its name.
    pub fn with_proxy_at(&self, address: IpAddr) -> Self {
        let mut profile = self.clone();
        if let Some(proxy) = &mut profile.0.proxy {
            proxy.host = address.to_string();
        }
        profile
    }

    /// The content of a block.
    pub fn inline(&self, inline: InlineFile) -> Option<&str> {
        self.0.inline.get(&inline).map(|text| text.as_str())
    }

    /// The directives that go to OpenVPN as they are.
    pub fn directives(&self) -> &[Directive] {
        &self.0.directives
    }

    /// Whether the client has a certificate.
    pub fn has_client_certificate(&self) -> bool {
        self.0.inline.contains_key(&InlineFile::Cert)
            || self.0.inline.contains_key(&InlineFile::Pkcs12)
            || self.0.pkcs11_id.is_some()
    }

    /// Whether the private key needs a passphrase.
    pub fn private_key_is_encrypted(&self) -> bool {
        self.inline(InlineFile::Key).is_some_and(pem::is_encrypted)
    }

    /// The endpoint's name, for a person.
    pub fn display_endpoint(&self) -> String {
        self.0
            .remotes
            .first()
            .map(|remote| remote.host.clone())
            .unwrap_or_default()
    }

    /// The AWS region the endpoint is in, if its name tells.
    pub fn region(&self) -> Option<&str> {
        let mut labels = self.0.remotes.first()?.host.split('.');
        labels.find(|label| *label == "clientvpn")?;
        labels.next()
    }
}

/// All that keeps parts from being a profile; what is about a directive comes with its place among
/// them.
pub(crate) fn objections(parts: &Parts) -> Vec<(Option<usize>, ProfileError)> {
    let mut problems = Vec::new();
    let bad_host = |host: &String| message!("'{host}' is not a valid host name.", host = *host);
    if parts.remotes.is_empty() || parts.remotes.len() > REMOTE_LIMIT {
        problems.push(ProfileError::NoRemote);
    }
    if let Some(remote) = parts.remotes.iter().find(|remote| !is_host(&remote.host)) {
        problems.push(ProfileError::bad_argument("remote", bad_host(&remote.host)));
    }
    if let SignIn::Password {
        static_challenge: Some(challenge),
    } = &parts.sign_in
    {
        let kinds = &[Argument::Text, Argument::OneOf(&["0", "1"])];
        let arguments = [challenge.text.clone(), "1".to_owned()];
        problems.extend(keep("static-challenge", 2, kinds, &arguments).err());
    }
    if let Some(proxy) = &parts.proxy {
        let directive = format!("{}-proxy", proxy.kind.as_str());
        let is_udp = |remote: &Remote| remote.transport == Transport::Udp;
        if parts.remotes.iter().any(is_udp) {
            let reason = message!("A proxy supports TCP only. Ask for a profile with 'proto tcp'.");
            problems.push(ProfileError::bad_argument(&directive, reason));
        } else if !is_host(&proxy.host) {
            problems.push(ProfileError::bad_argument(
                &directive,
                bad_host(&proxy.host),
            ));
        }
    }
    let has = |inline| parts.inline.contains_key(&inline);
    if !has(InlineFile::Ca) && !has(InlineFile::Pkcs12) {
        problems.push(ProfileError::NoCa);
    }
    for (half, other) in [
        (InlineFile::Cert, InlineFile::Key),
        (InlineFile::Key, InlineFile::Cert),
    ] {
        if has(half) && !has(other) {
            problems.push(ProfileError::HalfCertificate(other.name()));
        }
    }
    let certificates = u8::from(has(InlineFile::Cert) || has(InlineFile::Key))
        + u8::from(has(InlineFile::Pkcs12))
        + u8::from(parts.pkcs11_id.is_some());
    if certificates > 1 {
        problems.push(ProfileError::SeveralCertificates);
    }
    if matches!(parts.sign_in, SignIn::Certificate) && certificates == 0 {
        problems.push(ProfileError::NoSignIn);
    }
    let together = check_together(&parts.directives);
    let together = together.map(|(index, problem)| (Some(index), problem));
    let problems = problems.into_iter().map(|problem| (None, problem));
    problems.chain(together).collect()
}

/// The parts of a profile, not checked together yet.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) remotes: Vec<Remote>,
    pub(crate) random_hostname: bool,
    pub(crate) sign_in: SignIn,
    pub(crate) user_name: Option<String>,
    pub(crate) early_push_request: bool,
    pub(crate) pkcs11_id: Option<String>,
    pub(crate) pkcs11_provider: Option<String>,
    pub(crate) does_not_require: BTreeSet<Credential>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) inline: BTreeMap<InlineFile, Zeroizing<String>>,
    pub(crate) directives: Vec<Directive>,
}

/// Keys are never shown.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile")
            .field("remotes", &self.0.remotes)
            .field("sign_in", &self.0.sign_in)
            .field("inline", &self.0.inline.keys().collect::<Vec<_>>())
            .field("directives", &self.0.directives)
            .finish_non_exhaustive()
    }
}
