//! What a person wants to know of a certificate: whose it is, who vouches for it, how long it
//! holds.
//!
//! Nothing is verified here; OpenVPN does that. A certificate that cannot be read is no reason to
//! refuse a profile, so the callers show what they can.

use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::printable::printable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;
use x509_cert::der::Decode;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::name::Name;

/// The most certificates that are read of one text.
const LIMIT: usize = 64;
/// The most characters of a name that are shown.
const NAME_LIMIT: usize = 128;
/// Less than this many days are "soon".
const SOON_DAYS: i64 = 30;
const DAY: i64 = 24 * 60 * 60;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// `id-kp-clientAuth` (RFC 5280).
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// A certificate, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// Whether it vouches for itself, as that of a root authority does.
    pub self_issued: bool,
    /// Whether it may be a client's: a server's says that it is one (extended key usage).
    pub for_clients: bool,
    /// From when it holds, in seconds since 1970.
    pub begins: i64,
    /// The end of the certificate's validity, in seconds since 1970.
    pub ends: i64,
}

/// How a certificate stands at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// The certificate is not valid yet.
    NotYet,
    /// The certificate is valid for a long time.
    Holds,
    /// The certificate is valid for these many whole days, less than 30.
    EndsSoon {
        /// 0 on the last day.
        days: u64,
    },
    /// The certificate has expired.
    Ended,
}

/// Why a text shows no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum CertificateError {
    #[error(
        "There is no certificate in this part of the profile. Ask for a new copy of the \
         profile."
    )]
    None,
    #[error(
        "A certificate in this part of the profile cannot be read. Ask for a new copy of the \
         profile."
    )]
    Unreadable,
}

impl Certificate {
    /// The certificates of a text in PEM form, in their order; what stands between them is not
    /// looked at.
    pub fn read_all(pem: &str) -> Result<Vec<Self>, CertificateError> {
        let mut certificates = Vec::new();
        let mut rest = pem;
        while let Some((_, after)) = rest.split_once("-----BEGIN CERTIFICATE-----") {
            let (body, behind) = after
                .split_once("-----END CERTIFICATE-----")
                .ok_or(CertificateError::Unreadable)?;
            let digits: String = body.split_whitespace().collect();
            let der = BASE64.decode(digits).ok();
            let read = der.as_deref().and_then(Self::read);
            certificates.push(read.ok_or(CertificateError::Unreadable)?);
            if certificates.len() == LIMIT {
                break;
            }
            rest = behind;
        }
        match certificates.is_empty() {
            true => Err(CertificateError::None),
            false => Ok(certificates),
        }
    }

    fn read(der: &[u8]) -> Option<Self> {
        let body = x509_cert::Certificate::from_der(der).ok()?.tbs_certificate;
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        Some(Self {
            subject: name(&body.subject),
            issuer: name(&body.issuer),
            self_issued: body.subject == body.issuer,
            for_clients: match body.get::<ExtendedKeyUsage>() {
                Ok(Some((_, usage))) => usage.0.contains(&CLIENT_AUTH),
                Ok(None) | Err(_) => true,
            },
            begins: seconds(body.validity.not_before),
            ends: seconds(body.validity.not_after),
        })
    }

    /// How it stands at `now`, in seconds since 1970.
    #[must_use]
    pub fn validity(&self, now: i64) -> Validity {
        if now < self.begins {
            return Validity::NotYet;
        }
        let left = self.ends.saturating_sub(now);
        match u64::try_from(left / DAY) {
            Ok(_) if left < 0 => Validity::Ended,
            Ok(days) if left < SOON_DAYS * DAY => Validity::EndsSoon { days },
            Ok(_) => Validity::Holds,
            Err(_) => Validity::Ended,
        }
    }
}

/// The common name, or the organisation, or else all of it.
fn name(name: &Name) -> String {
    let part = |wanted: ObjectIdentifier| {
        let parts = name.0.iter().flat_map(|part| part.0.iter());
        let mut parts = parts.filter(|part| part.oid == wanted);
        parts.find_map(|part| text(&part.value))
    };
    let text = part(COMMON_NAME)
        .or_else(|| part(ORGANISATION))
        .unwrap_or_else(|| name.to_string());
    text.chars().take(NAME_LIMIT).collect()
}

/// A text in a certificate, without what would disturb a line.
fn text(value: &x509_cert::der::Any) -> Option<String> {
    let text = Utf8StringRef::try_from(value)
        .map(|text| text.to_string())
        .or_else(|_| PrintableStringRef::try_from(value).map(|text| text.to_string()))
        .or_else(|_| TeletexStringRef::try_from(value).map(|text| text.to_string()))
        .or_else(|_| Ia5StringRef::try_from(value).map(|text| text.to_string()))
        .ok()?;
    let text = printable(&text);
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CN=Zoë's root, O=Example`, from 2020-01-01 to 2030-01-01, and its client certificate
    /// `O=Example Corp` without a common name.
    const ROOT: &str = include_str!("../tests/certificates/root.pem");
    const CLIENT: &str = include_str!("../tests/certificates/client.pem");
    /// What Easy-RSA makes for an endpoint.
    const SERVER: &str = include_str!("../tests/certificates/server.pem");
    const NEW_YEAR_2030: i64 = 1_893_456_000;

    #[test]
    fn names_and_times_are_read() {
        let both = format!("{ROOT}some text\n{CLIENT}");
        let [root, client] = &*Certificate::read_all(&both).unwrap() else {
            panic!("not two");
        };
        assert_eq!(root.subject, "Zoë's root");
        assert!(root.self_issued && !client.self_issued);
        assert_eq!(root.ends, NEW_YEAR_2030);
        assert_eq!(client.subject, "Example Corp");
        assert_eq!(client.issuer, "Zoë's root");
        let [server] = &*Certificate::read_all(SERVER).unwrap() else {
            panic!("not one");
        };
        assert!(client.for_clients && !server.for_clients);
    }

    #[test]
    fn the_end_is_told_in_time() {
        let [root] = &*Certificate::read_all(ROOT).unwrap() else {
            panic!("not one");
        };
        for (before_the_end, validity) in [
            (40 * DAY, Validity::Holds),
            (30 * DAY, Validity::Holds),
            (30 * DAY - 1, Validity::EndsSoon { days: 29 }),
            (1, Validity::EndsSoon { days: 0 }),
            (0, Validity::EndsSoon { days: 0 }),
            (-1, Validity::Ended),
            (-40 * DAY, Validity::Ended),
            (11 * 366 * DAY, Validity::NotYet),
        ] {
            assert_eq!(root.validity(root.ends - before_the_end), validity);
        }
    }

    #[test]
    fn what_is_no_certificate_is_said_so() {
        for (text, error) in [
            ("", CertificateError::None),
            ("-----BEGIN PRIVATE KEY-----", CertificateError::None),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA",
                CertificateError::Unreadable,
            ),
            (
                "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n",
                CertificateError::Unreadable,
            ),
        ] {
            assert_eq!(Certificate::read_all(text), Err(error), "{text:?}");
        }
    }
}
