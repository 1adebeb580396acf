//! A certificate or key as a person recognises it: whose it is, who vouches for it, until when.

use aws_client_vpn_profile::certificate::{Certificate, Validity};
use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_profile::pem::is_encrypted;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};

/// The most certificates of a file that are told one by one.
const SHOWN: usize = 2;

/// What is told of a content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The lines to show; none if there is no content.
    pub lines: Vec<Message>,
    /// Whether something of it does not hold any more, or not for long.
    pub is_warning: bool,
}

/// What to show for a content at `now`, in seconds since 1970.
#[must_use]
pub fn summary(inline: InlineFile, content: &str, now: i64) -> Summary {
    if content.trim().is_empty() {
        return Summary::default();
    }
    let line = |line| Summary {
        lines: vec![line],
        is_warning: false,
    };
    match inline {
        InlineFile::Ca | InlineFile::Cert | InlineFile::ExtraCerts => certificates(content, now),
        InlineFile::Key => line(key(content)),
        InlineFile::Pkcs12 => line(message!(
            "Certificate and key, {size} KiB",
            size = (content.len() / 4 * 3).div_ceil(1024)
        )),
        InlineFile::CrlVerify | InlineFile::TlsAuth | InlineFile::TlsCrypt => Summary::default(),
    }
}

fn certificates(content: &str, now: i64) -> Summary {
    let found = match Certificate::read_all(content) {
        Ok(found) => found,
        Err(error) => {
            return Summary {
                lines: vec![error.message()],
                is_warning: true,
            };
        }
    };
    let mut lines: Vec<Message> = found
        .iter()
        .take(SHOWN)
        .flat_map(|certificate| certificate_lines(certificate, now))
        .collect();
    if let Some(more) = found.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(message!(
            "More certificates in the file: {count}",
            count = more
        ));
    }
    let is_warning = found
        .iter()
        .any(|certificate| !matches!(certificate.validity(now), Validity::Holds));
    Summary { lines, is_warning }
}

fn certificate_lines(certificate: &Certificate, now: i64) -> [Message; 3] {
    let issuer = if certificate.self_issued {
        // TRANSLATORS: In the place of the issuer of a certificate.
        message!("Self-signed")
    } else {
        message!("Issued by {name}", name = certificate.issuer)
    };
    let when = match certificate.validity(now) {
        Validity::NotYet => message!("Not valid before {date}", date = date(certificate.begins)),
        Validity::Holds => message!("Valid until {date}", date = date(certificate.ends)),
        Validity::EndsSoon { .. } => {
            message!("Expires on {date}", date = date(certificate.ends))
        }
        Validity::Ended => message!("Expired on {date}", date = date(certificate.ends)),
    };
    // A name of its own is never looked up in the catalogue.
    // TRANSLATORS: The name of a certificate, in a list.
    let subject = message!("{name}", name = certificate.subject);
    [subject, issuer, when]
}

/// As every language reads it.
fn date(seconds: i64) -> String {
    glib::DateTime::from_unix_utc(seconds)
        .and_then(|time| time.format("%F"))
        .map(String::from)
        .unwrap_or_default()
}

fn key(content: &str) -> Message {
    if is_encrypted(content) {
        message!("Private key, protected by a passphrase")
    } else {
        message!("Private key, not protected")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(name: &str) -> String {
        let mut parameters = rcgen::CertificateParams::new([]).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2027, 3, 14);
        let key = rcgen::KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    const IN_2026: i64 = 1_775_000_000;

    fn told(content: &str, now: i64) -> (Vec<String>, bool) {
        let summary = summary(InlineFile::Ca, content, now);
        let lines = summary.lines.iter().map(ToString::to_string).collect();
        (lines, summary.is_warning)
    }

    #[test]
    fn a_certificate_is_told_by_subject_issuer_and_expiry() {
        let pem = pem("Zoë's authority");
        let (lines, is_warning) = told(&pem, IN_2026);
        assert_eq!(
            lines,
            ["Zoë's authority", "Self-signed", "Valid until 2027-03-14"]
        );
        assert!(!is_warning);
        let (lines, is_warning) = told(&pem, IN_2026 + 400 * 86_400);
        assert_eq!(lines[2], "Expired on 2027-03-14");
        assert!(is_warning);
        assert_eq!(told(&pem, 0).0[2], "Not valid before 2026-01-01");
    }

    #[test]
    fn a_long_chain_is_not_told_in_full() {
        let chain: String = ["a", "b", "c", "d"].map(pem).concat();
        let (lines, _) = told(&chain, IN_2026);
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[6], "More certificates in the file: 2");
        assert_eq!(told("", IN_2026), (vec![], false));
        assert!(
            told(
                "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n",
                0
            )
            .1
        );
    }
}
