//! Certificates and keys in text: nothing else may hide in a block.

use crate::certificate::Certificate;
use crate::parts::InlineFile;
use crate::problem::ProfileError;
use aws_client_vpn_text::secret::{Secret, collected};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

/// The most bytes of one block.
const LIMIT: usize = 256 * 1024;
/// The most bytes of a line; OpenSSL reads no longer ones.
const LINE_LIMIT: usize = 254;
/// The most bytes of what a block says it is.
const LABEL_LIMIT: usize = 64;

impl InlineFile {
    /// What a file holds, in the form in which it is kept; fails if it is damaged, or no such thing.
    pub fn content_of_file(self, bytes: &[u8]) -> Result<Secret, ProfileError> {
        let text = text_of_file(self, bytes)
            .or_else(|| certificate_of_der(self, bytes))
            .ok_or(ProfileError::BadContent(self.name()))?;
        checked_content(self, &text).map(Secret::new)
    }

    /// Whether a PEM block of this label belongs here. Every user of the computer may read what is no
    /// secret, so that nothing else is kept with it: a file may hold a certificate and its key.
    fn takes(self, label: &str) -> bool {
        match self {
            Self::Ca | Self::Cert | Self::ExtraCerts => {
                ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"].contains(&label)
            }
            Self::CrlVerify => label == "X509 CRL",
            Self::Key | Self::Pkcs12 | Self::TlsAuth | Self::TlsCrypt => true,
        }
    }
}

/// Puts the content of a block into its normal form.
pub(crate) fn checked_content(inline: InlineFile, text: &str) -> Result<String, ProfileError> {
    let content = match inline {
        InlineFile::Pkcs12 => base64(text),
        InlineFile::Ca
        | InlineFile::Cert
        | InlineFile::Key
        | InlineFile::ExtraCerts
        | InlineFile::CrlVerify
        | InlineFile::TlsAuth
        | InlineFile::TlsCrypt => blocks(inline, text),
    };
    let content = content.map(Zeroizing::new);
    let mut content = content.ok_or(ProfileError::BadContent(inline.name()))?;
    let is_other = inline == InlineFile::Key && !has_private_key(&content);
    if content.is_empty() || is_other {
        return Err(ProfileError::OtherContent(inline.name()));
    }
    Ok(std::mem::take(&mut *content))
}

/// Keeps the PEM blocks of `text` that belong there and drops what stands around them; `None` if there
/// is no whole block at all or a line of one is not base64.
fn blocks(inline: InlineFile, text: &str) -> Option<String> {
    if text.len() > LIMIT {
        return None;
    }
    // With a line end after each piece. Reserve up front: reallocating would leave unwiped copies.
    let mut kept = Zeroizing::new(String::with_capacity(2 * text.len()));
    let mut has_block = false;
    let mut label: Option<&str> = None;
    for line in text.lines().flat_map(pieces) {
        let belongs;
        match label {
            None => {
                label = line
                    .strip_prefix("-----BEGIN ")
                    .and_then(|rest| rest.strip_suffix("-----"));
                let Some(label) = label else {
                    continue;
                };
                if !is_label(label) {
                    return None;
                }
                belongs = inline.takes(label);
            }
            Some(open) => {
                let end = line
                    .strip_prefix("-----END ")
                    .and_then(|rest| rest.strip_suffix("-----"));
                belongs = inline.takes(open);
                if end == Some(open) {
                    label = None;
                    has_block = true;
                } else if let Some(lines) = in_lines(line).map(Zeroizing::new) {
                    if belongs {
                        kept.push_str(&lines);
                    }
                    continue;
                } else if !is_body(line) {
                    return None;
                }
            }
        }
        if belongs {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    (label.is_none() && has_block).then(|| std::mem::take(&mut *kept))
}

/// A line without spaces around it, cut before and behind the marks where a block begins and ends: forms and chats make one
/// line of all.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    const DASHES: &str = "-----";
    let mut rest = Some(line.trim());
    std::iter::from_fn(move || {
        let line = rest?;
        let mark = ["-----BEGIN ", "-----END "]
            .into_iter()
            .filter_map(|mark| line.find(mark))
            .min();
        let end = match mark {
            Some(0) => line
                .get(DASHES.len()..)
                .and_then(|after| after.find(DASHES))
                .map_or(line.len(), |dashes| dashes + 2 * DASHES.len()),
            Some(before) => before,
            None => line.len(),
        };
        let (piece, further) = line.split_at_checked(end)?;
        rest = Some(further.trim_start()).filter(|further| !further.is_empty());
        Some(piece.trim_end())
    })
}

/// Base64 that stands in one long line, or with spaces where lines ended, in lines of 64.
fn in_lines(line: &str) -> Option<String> {
    let is_one = line.len() <= LINE_LIMIT && !line.contains(char::is_whitespace);
    (!is_one).then(|| base64(line)).flatten()
}

/// Whether a line, or a long word of one, can be of a certificate or key, however damaged it is.
pub(crate) fn has_a_line(content: &str) -> bool {
    const LONG: usize = 32;
    let is_of_one = |text: &str| text.len() >= 4 && text.bytes().all(is_base64);
    content.lines().flat_map(pieces).any(|line| {
        let mut words = line.split_whitespace();
        is_of_one(line) || words.any(|word| word.len() >= LONG && is_of_one(word))
    })
}

/// Keeps base64 in lines of 64.
fn base64(text: &str) -> Option<String> {
    if text.len() > LIMIT {
        return None;
    }
    let digits = text.chars().filter(|character| !character.is_whitespace());
    let digits = collected(text.len(), digits);
    if digits.is_empty() || !digits.bytes().all(is_base64) {
        return None;
    }
    let mut lines = String::with_capacity(digits.len() + digits.len() / 64 + 1);
    for line in digits.as_bytes().chunks(64) {
        lines.push_str(std::str::from_utf8(line).ok()?);
        lines.push('\n');
    }
    Some(lines)
}

/// The content of a file as it stands in a block: a PKCS #12 file is binary and becomes base64;
/// everything else is text.
pub(crate) fn text_of_file(inline: InlineFile, bytes: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes).ok();
    let is_text = inline != InlineFile::Pkcs12 || text.and_then(base64).is_some();
    if is_text {
        return text.map(|text| Zeroizing::new(text.to_owned()));
    }
    // More would be over the limit of a block.
    (bytes.len() <= LIMIT / 4 * 3).then(|| Zeroizing::new(BASE64.encode(bytes)))
}

/// A certificate in DER, as some systems save it, in PEM.
fn certificate_of_der(inline: InlineFile, bytes: &[u8]) -> Option<Zeroizing<String>> {
    let is_certificate = matches!(
        inline,
        InlineFile::Ca | InlineFile::Cert | InlineFile::ExtraCerts
    );
    if !is_certificate || bytes.len() > LIMIT / 2 {
        return None;
    }
    let lines = base64(&BASE64.encode(bytes))?;
    let text = format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n");
    Certificate::read_all(&text).ok()?;
    Some(Zeroizing::new(text))
}

/// Whether there is a private key in a text.
pub fn has_private_key(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
}

/// Whether a private key in PEM needs a passphrase (RFC 7468, RFC 1421).
pub fn is_encrypted(text: &str) -> bool {
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_LIMIT).contains(&label.len())
        && label
            .bytes()
            .all(|o| o.is_ascii_alphanumeric() || o == b' ')
}

/// OpenVPN reads a block in pieces of 255 bytes and looks for the block's end at the start of
/// each piece, not only of each line: what is neither short nor base64 could end the block early
/// and be followed by directives. The headers are those that RFC 1421 has for an encrypted key.
fn is_body(line: &str) -> bool {
    line.len() <= LINE_LIMIT
        && (line.bytes().all(is_base64)
            || line == "Proc-Type: 4,ENCRYPTED"
            || line.strip_prefix("DEK-Info: ").is_some_and(is_cipher))
}

/// A cipher and its initialisation vector, as in `AES-256-CBC,0123AB`.
fn is_cipher(text: &str) -> bool {
    text.split_once(',').is_some_and(|(name, vector)| {
        name.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'-')
            && vector.bytes().all(|o| o.is_ascii_hexdigit())
    })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Option<String> {
        super::blocks(InlineFile::Key, text)
    }

    const CERT: &str = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";

    #[test]
    fn text_around_the_blocks_goes_and_line_ends_are_made_equal() {
        let text = format!(
            "Bag Attributes: x\r\n{}subject=y\n{CERT}",
            CERT.replace('\n', "\r\n")
        );
        assert_eq!(blocks(&text).unwrap(), format!("{CERT}{CERT}"));
    }

    #[test]
    fn nothing_but_base64_is_inside() {
        for text in [
            "",
            "no block",
            "-----BEGIN CERTIFICATE-----\nTUlJ\n",
            "-----BEGIN CERTIFICATE-----\n</ca>\nup /bin/sh\n-----END CERTIFICATE-----\n",
            "-----BEGIN A-----\nTUlJ\n-----END B-----\n",
            "-----BEGIN <x>-----\nTUlJ\n-----END <x>-----\n",
            &format!(
                "-----BEGIN {0}-----\nTUlJ\n-----END {0}-----\n",
                "A".repeat(65)
            ),
        ] {
            assert_eq!(blocks(text), None, "{text}");
        }
    }

    #[test]
    fn a_certificate_in_one_line_is_put_into_lines() {
        let body = "TUlJ".repeat(80);
        let lines = format!(
            "-----BEGIN X-----\n{}\n{}\n{}\n{}\n{}\n-----END X-----\n",
            &body[..64],
            &body[64..128],
            &body[128..192],
            &body[192..256],
            &body[256..]
        );
        let one = format!("-----BEGIN X-----{body}-----END X-----");
        let spaces = lines.replace('\n', " ");
        for text in [&lines, &one, &spaces] {
            assert_eq!(blocks(text).as_deref(), Some(lines.as_str()), "{text}");
        }
        assert_eq!(
            blocks(&format!("{one}{one}")),
            Some(format!("{lines}{lines}"))
        );
        assert_eq!(blocks(&one.replace("TUlJTUlJ", "TUlJ</x>")), None);
        assert_eq!(blocks("-----BEGIN X-----TUlJ"), None);
        assert_eq!(blocks("-----BEGIN X"), None);
    }

    #[test]
    fn each_has_its_own_kind_of_block_and_nothing_that_is_secret_beside_it() {
        use InlineFile::{Ca, Cert, CrlVerify, ExtraCerts, Key};
        let of = |label: &str| CERT.replace("CERTIFICATE", label);
        let (key, revoked) = (of("EC PRIVATE KEY"), of("X509 CRL"));
        let all = format!("{key}{CERT}{revoked}{}{key}", of("TRUSTED CERTIFICATE"));
        let certificates = format!("{CERT}{}", of("TRUSTED CERTIFICATE"));
        for (inline, kept) in [
            (Ca, &certificates),
            (Cert, &certificates),
            (ExtraCerts, &certificates),
            (CrlVerify, &revoked),
            (Key, &all),
        ] {
            assert_eq!(checked_content(inline, &all).as_ref(), Ok(kept));
        }
        let other = |inline: InlineFile| Err(ProfileError::OtherContent(inline.name()));
        for inline in [Ca, Cert, ExtraCerts, CrlVerify] {
            assert_eq!(checked_content(inline, &key), other(inline));
            assert_eq!(
                checked_content(inline, &of("OPENSSH PRIVATE KEY")),
                other(inline)
            );
        }
        assert_eq!(checked_content(Key, CERT), other(Key));
    }

    #[test]
    fn no_header_can_end_the_block_in_which_openvpn_reads_it() {
        let key = |header: &str| {
            format!(
                "-----BEGIN RSA PRIVATE KEY-----\n{header}\n\nTUlJ\n-----END RSA PRIVATE KEY-----\n"
            )
        };
        let encrypted = key("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00AAff");
        assert_eq!(blocks(&encrypted), Some(encrypted.clone()));
        assert!(is_encrypted(&encrypted));
        // OpenVPN 2.6.14 ends the block after 255 bytes of this line.
        let padded = format!("DEK-Info: {}</key>", "A".repeat(245));
        for header in [
            padded.as_str(),
            "DEK-Info: </key>",
            "DEK-Info: AES-256-CBC",
            "DEK-Info: AES-256-CBC,xyz",
            "DEK-Info: AES-256-CBC,00\tup",
            "Proc-Type: 4,CLEAR",
            "Subject: </key>",
        ] {
            assert_eq!(blocks(&key(header)), None, "{header}");
        }
    }

    #[test]
    fn a_binary_pkcs12_file_becomes_base64_and_no_other_file_may_be_binary() {
        let text = |inline, bytes: &[u8]| text_of_file(inline, bytes).map(|text| text.to_string());
        let binary = [0x30, 0x82, 0xff, 0x00];
        assert_eq!(
            text(InlineFile::Pkcs12, &binary).as_deref(),
            Some("MIL/AA==")
        );
        assert_eq!(
            text(InlineFile::Pkcs12, b"MIL/AA==\n").as_deref(),
            Some("MIL/AA==\n")
        );
        assert_eq!(text(InlineFile::Key, &binary), None);
        assert_eq!(text(InlineFile::Pkcs12, &vec![0; LIMIT]), None);
        let limit = text(InlineFile::Pkcs12, &vec![0; LIMIT / 4 * 3]).unwrap();
        assert!(base64(&limit).is_some());
    }

    #[test]
    fn a_certificate_in_der_becomes_pem_and_nothing_else_does() {
        let pem = include_str!("../tests/certificates/root.pem");
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64.decode(body).unwrap();
        let text =
            |inline, bytes: &[u8]| certificate_of_der(inline, bytes).map(|text| text.to_string());
        assert_eq!(text(InlineFile::Ca, &der).as_deref(), Some(pem));
        assert_eq!(text(InlineFile::Key, &der), None);
        assert_eq!(text(InlineFile::Ca, &der[1..]), None);
        assert_eq!(text(InlineFile::Ca, &vec![0x30; LIMIT]), None);
    }

    #[test]
    fn base64_is_put_into_lines() {
        assert_eq!(base64("a b\nc="), Some("abc=\n".to_owned()));
        assert_eq!(base64("<x>"), None);
    }
}
