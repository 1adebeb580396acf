//! Why the endpoint's certificate does not verify, out of OpenVPN's log.
//!
//! Whoever answers has written the certificate, so nothing of its text is read or shown: only the words
//! before it, which are OpenVPN's and OpenSSL's own.

use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Argument, Localize};
use thiserror::Error;

/// What is wrong with the certificate, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum Unverified {
    // TRANSLATORS: Follows “The endpoint could not be verified, so no connection was made.”
    #[error(
        "Its certificate is not from the authority in the profile ({0}). The administrator may have \
         replaced it: ask for the current profile, and import it."
    )]
    Authority(String),
    // TRANSLATORS: Follows “The endpoint could not be verified, so no connection was made.”
    #[error(
        "Its certificate has another name or fingerprint than the profile requires. The administrator \
         may have replaced it: ask for the current profile, and import it."
    )]
    Name,
    // TRANSLATORS: Follows “The endpoint could not be verified, so no connection was made.”
    #[error(
        "Its certificate is not one of a server, or lacks a usage that the profile requires. Ask your \
         administrator for the current profile, and import it."
    )]
    Usage,
    // TRANSLATORS: Follows “The endpoint could not be verified, so no connection was made.”
    #[error(
        "Its certificate, or its authority's, has expired. Check the date and time of this computer. If \
         they are right, ask your administrator for the current profile, and import it."
    )]
    Expired,
    // TRANSLATORS: Follows “The endpoint could not be verified, so no connection was made.”
    #[error(
        "Its certificate, or its authority's, is not yet valid. Check the date and time of this \
         computer. If they are right, tell your administrator."
    )]
    NotYetValid,
    // TRANSLATORS: Follows “The endpoint could not be verified, so no connection was made.”
    #[error("Its certificate, or its authority's, has been revoked. Tell your administrator.")]
    Revoked,
    // TRANSLATORS: Follows “The endpoint could not be verified, so no connection was made.”
    #[error(
        "The revocation list in the profile cannot be used ({0}). Check the date and time of this \
         computer. If they are right, ask your administrator for the current profile, and import it."
    )]
    RevocationList(String),
    // TRANSLATORS: Follows “The endpoint could not be verified, so no connection was made.”
    #[error("Its certificate cannot be accepted: {0}. Tell your administrator.")]
    Other(Argument),
}

impl Unverified {
    /// Reads a line of OpenVPN's log (ssl_verify.c, ssl_verify_openssl.c); `None` if it is about
    /// something else.
    pub(super) fn parse(line: &str) -> Option<Self> {
        const USAGES: [&str; 3] = ["KU ERROR", "EKU ERROR", "nsCertType ERROR"];
        if line.starts_with("TLS Error: --tls-verify/--peer-fingerprint certificate hash ") {
            return Some(Self::Name);
        }
        let what = line.strip_prefix("VERIFY ")?;
        if what.starts_with("X509NAME ERROR") {
            return Some(Self::Name);
        }
        if USAGES.iter().any(|usage| what.starts_with(usage)) {
            return Some(Self::Usage);
        }
        let error = what.strip_prefix("ERROR: ")?;
        if error.starts_with("CRL ") {
            return Some(Self::RevocationList(error.to_owned()));
        }
        Some(Self::of_openssl(error).unwrap_or_else(|| {
            // TRANSLATORS: Follows “Its certificate cannot be accepted:”
            Self::Other(message!("OpenVPN cannot read it").into())
        }))
    }

    /// `depth=1, error=certificate has expired: CN=…, serial=…`
    fn of_openssl(error: &str) -> Option<Self> {
        const AUTHORITY: [&str; 5] = [
            "self-signed",
            "self signed",
            "issuer",
            "unable to verify the first certificate",
            "certificate signature failure",
        ];
        let (depth, rest) = error.strip_prefix("depth=")?.split_once(", error=")?;
        depth.parse::<u8>().ok()?;
        let (words, _subject) = rest.split_once(": ")?;
        Some(match words {
            "certificate has expired" => Self::Expired,
            "certificate is not yet valid" => Self::NotYetValid,
            "certificate revoked" => Self::Revoked,
            _ if words.starts_with("CRL ") => Self::RevocationList(words.to_owned()),
            _ if words.ends_with("certificate purpose") => Self::Usage,
            _ if AUTHORITY.iter().any(|of_it| words.contains(of_it)) => {
                Self::Authority(words.to_owned())
            }
            _ => Self::Other(words.to_owned().into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_not_to_verify_is_told_from_the_others() {
        let authority = |words: &str| Some(Unverified::Authority(words.to_owned()));
        let other = |words: &str| Some(Unverified::Other(words.to_owned().into()));
        for (line, expected) in [
            (
                "VERIFY ERROR: depth=1, error=self-signed certificate in certificate chain: CN=ca, serial=1",
                authority("self-signed certificate in certificate chain"),
            ),
            (
                "VERIFY ERROR: depth=0, error=unable to get local issuer certificate: CN=x, serial=1",
                authority("unable to get local issuer certificate"),
            ),
            (
                "VERIFY ERROR: depth=0, error=certificate has expired: CN=x, serial=1",
                Some(Unverified::Expired),
            ),
            (
                "VERIFY ERROR: depth=1, error=certificate is not yet valid: CN=x, serial=1",
                Some(Unverified::NotYetValid),
            ),
            (
                "VERIFY ERROR: depth=0, error=unsuitable certificate purpose: CN=x, serial=1",
                Some(Unverified::Usage),
            ),
            (
                "VERIFY ERROR: depth=0, error=EE certificate key too weak: CN=x, serial=1",
                other("EE certificate key too weak"),
            ),
            (
                "VERIFY X509NAME ERROR: CN=x, must be y",
                Some(Unverified::Name),
            ),
            (
                "TLS Error: --tls-verify/--peer-fingerprint certificate hash verification failed. \
                 (got certificate fingerprint: 00)",
                Some(Unverified::Name),
            ),
            (
                "VERIFY ERROR: depth=0, error=certificate revoked: CN=x, serial=1",
                Some(Unverified::Revoked),
            ),
            (
                "VERIFY ERROR: depth=0, error=CRL has expired: CN=x, serial=1",
                Some(Unverified::RevocationList("CRL has expired".to_owned())),
            ),
            (
                "VERIFY ERROR: CRL not loaded",
                Some(Unverified::RevocationList("CRL not loaded".to_owned())),
            ),
            ("VERIFY KU ERROR", Some(Unverified::Usage)),
            ("VERIFY EKU ERROR", Some(Unverified::Usage)),
            (
                "VERIFY nsCertType ERROR: CN=x, require nsCertType=SERVER",
                Some(Unverified::Usage),
            ),
            ("VERIFY OK: depth=0, CN=x", None),
            ("VERIFY KU OK", None),
            (
                "VERIFY WARNING: depth=0, unable to get certificate CRL: CN=x",
                None,
            ),
            ("TLS Error: TLS handshake failed", None),
        ] {
            assert_eq!(Unverified::parse(line), expected, "{line}");
        }
    }

    /// Whoever answers chooses the subject.
    #[test]
    fn nothing_of_the_certificate_is_read_or_shown() {
        for line in [
            "VERIFY ERROR: depth=0, error=CA md too weak: CN=evil, error=certificate has expired: x, serial=1",
            "VERIFY ERROR: could not extract CN from X509 subject string ('depth=0, error=evil: x')",
            "VERIFY ERROR: depth=evil, error=evil: x",
        ] {
            let read = Unverified::parse(line).unwrap();
            assert!(matches!(read, Unverified::Other(_)), "{read:?}");
            assert!(!read.to_string().contains("evil"), "{read}");
        }
        let line = "VERIFY OK: depth=1, CN=VERIFY X509NAME ERROR: evil";
        assert_eq!(Unverified::parse(line), None);
    }
}
