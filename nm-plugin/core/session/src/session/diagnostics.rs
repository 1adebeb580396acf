//! What OpenVPN's log shows of the endpoint and the key during one try, to explain how it ends.

use super::failure::Failure;
use super::unverified::Unverified;
use crate::banner::Banner;
use crate::pushed::{self, TunnelError};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Argument;
use aws_client_vpn_text::printable::printable;
use aws_client_vpn_text::redact::for_journal;

/// OpenSSL's words for a key or PKCS #12 file whose encryption is too old for it (RC2, in most).
const UNSUPPORTED: &str = "digital envelope routines::unsupported";

/// Why the endpoint will most likely refuse the client's certificate. OpenVPN says so when it loads it
/// (ssl_openssl.c), which it does once, and goes on: the endpoint may accept it.
pub(super) fn outdated_certificate(text: &str) -> Option<Failure> {
    match text {
        "WARNING: Your certificate has expired!" => Some(Failure::CertificateExpired),
        "WARNING: Your certificate is not yet valid!" => Some(Failure::CertificateNotYetValid),
        _ => None,
    }
}

/// What was seen since OpenVPN was last held.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    /// Whether the endpoint has sent anything.
    pub(super) endpoint_answered: bool,
    /// Whether the endpoint has the right certificate.
    pub(super) endpoint_recognised: bool,
    /// Why its certificate is not the right one.
    pub(super) unverified: Option<Unverified>,
    /// What OpenVPN said first of pushed options that it cannot use.
    options_error: Option<String>,
    /// What OpenVPN last said of a certificate or key that it cannot use.
    tls_error: Option<String>,
    /// The MTU that was pushed, which the environment does not have.
    pub(super) mtu: Option<u32>,
    pub(super) banner: Banner,
}

impl Diagnostics {
    /// Takes in a line of OpenVPN's log.
    pub(super) fn log(&mut self, text: &str) {
        const ABOUT_KEYS: [&str; 4] = ["Cannot load", "OpenSSL: error", "PKCS#11", "PKCS12"];
        if !self.is_unsupported() && ABOUT_KEYS.iter().any(|start| text.contains(start)) {
            self.tls_error = Some(for_journal(text).into_owned());
        }
        const ABOUT_OPTIONS: [&str; 3] = [
            "OPTIONS ERROR: ",
            "ERROR: dns server ",
            "Error: negotiated cipher ",
        ];
        if ABOUT_OPTIONS.iter().any(|start| text.starts_with(start))
            && let Some((_, error)) = text.split_once(": ")
        {
            let error = || printable(error.trim_end_matches('.'));
            self.options_error.get_or_insert_with(error);
        }
        self.endpoint_answered |= text.starts_with("TLS: Initial packet from ");
        self.endpoint_recognised |= text.starts_with("VERIFY OK: depth=0");
        self.unverified = Unverified::parse(text).or_else(|| self.unverified.take());
        self.mtu = pushed::pushed_mtu(text).or(self.mtu);
    }

    /// Whether OpenVPN has said that the key's encryption is too old for OpenSSL.
    pub(super) fn is_unsupported(&self) -> bool {
        let error = self.tls_error.as_ref();
        error.is_some_and(|error| error.contains(UNSUPPORTED))
    }

    /// Why the key cannot be used, whatever unlocks it.
    pub(super) fn bad_key(&self) -> Failure {
        // TRANSLATORS: Follows “The client certificate or its private key cannot be used:”
        let unexplained = || message!("OpenVPN cannot load them").into();
        let why = self.tls_error.clone();
        Failure::BadKey(why.map_or_else(unexplained, Argument::from))
    }

    /// That OpenVPN cannot use what the endpoint pushed: it will push the same again.
    pub(super) fn options_refused(&self) -> Failure {
        let error = self.options_error.clone();
        // TRANSLATORS: Follows “The endpoint sent network settings that cannot be used. OpenVPN says:”
        let unexplained = || message!("they are refused").into();
        let why = error.map_or_else(unexplained, Argument::from);
        Failure::BadTunnel(TunnelError::Refused(why))
    }

    /// Why the endpoint says nothing more: once it is recognised, it has most likely refused the client's
    /// certificate; before, it found no version or cipher of TLS that it may use, or its certificate did not
    /// get through. OpenVPN's servers refuse silently.
    pub(super) fn silence(&self, profile: &Profile, checks_sign_in: bool, seconds: u64) -> Failure {
        // What looks at a sign-in has accepted the certificate before.
        if self.endpoint_recognised && profile.has_client_certificate() && !checks_sign_in {
            Failure::CertificateIgnored { seconds }
        } else {
            let host = profile.display_endpoint();
            match self.endpoint_answered && !self.endpoint_recognised {
                _ if checks_sign_in => Failure::NoAnswerToSignIn { host, seconds },
                true => Failure::NoTls { host, seconds },
                false => Failure::NoAnswer { host, seconds },
            }
        }
    }

    /// That the endpoint has refused the client's certificate (RFC 8446, 6.2), if it has: then no
    /// further try and no other node will do.
    pub(super) fn certificate_refused(&self) -> Option<Failure> {
        let (_, alert) = self.tls_error.as_ref()?.split_once(" alert ")?;
        let is_about_it = ["certificate", "unknown ca", "access denied"]
            .iter()
            .any(|words| alert.contains(words));
        // What follows the alert's name is where OpenSSL met it.
        let alert = alert.split(':').next().unwrap_or_default();
        is_about_it.then(|| Failure::CertificateRefused(alert.to_owned()))
    }
}
