//! An identity provider that somebody else wrote, out of its metadata (SAML 2.0 metadata).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};
use std::path::{Path, PathBuf};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

/// What the endpoint needs to know of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provider {
    /// Where a browser takes the request.
    pub(crate) sign_on: String,
    /// The certificate of the key that signs responses, in PEM.
    pub(crate) certificate: String,
}

/// A file is not the metadata of a provider that can be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It cannot be read.
    #[error("cannot read the metadata {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It is something else.
    #[error("{0} is no SAML metadata of an identity provider: {1}")]
    Content(PathBuf, &'static str),
}

impl Provider {
    /// Reads the metadata in a file.
    pub(crate) fn read(file: &Path) -> Result<Self, MetadataError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| MetadataError::File(file.to_owned(), error))?;
        Self::parse(&text).map_err(|why| MetadataError::Content(file.to_owned(), why))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let document = Document::parse(text).map_err(|_| "it is no XML")?;
        let mut all = document.descendants();
        let provider = all
            .find(|node| node.has_tag_name((METADATA, "IDPSSODescriptor")))
            .ok_or("it has no IDPSSODescriptor")?;
        let sign_on = provider
            .children()
            .filter(|node| node.has_tag_name((METADATA, "SingleSignOnService")))
            .find(|node| node.attribute("Binding") == Some(REDIRECT))
            .and_then(|node| node.attribute("Location"))
            .ok_or("it has no SingleSignOnService with the HTTP-Redirect binding")?;
        let signs = |node: &Node<'_, '_>| {
            node.has_tag_name((METADATA, "KeyDescriptor"))
                && node
                    .attribute("use")
                    .is_none_or(|use_of| use_of == "signing")
        };
        let certificate = provider
            .children()
            .filter(signs)
            .flat_map(|node| node.descendants())
            .find(|node| node.has_tag_name((SIGNATURE, "X509Certificate")))
            .and_then(|node| node.text())
            .ok_or("it has no certificate for signatures")?;
        let digits: String = certificate.split_whitespace().collect();
        if STANDARD.decode(&digits).is_err() {
            return Err("its certificate is not in base64");
        }
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(digit);
        }
        pem += "\n-----END CERTIFICATE-----\n";
        Ok(Self {
            sign_on: sign_on.to_owned(),
            certificate: pem,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(services: &str, keys: &str) -> String {
        format!(
            "<md:EntityDescriptor xmlns:md=\"{METADATA}\" xmlns:ds=\"{SIGNATURE}\" entityID=\"x\">\
             <md:IDPSSODescriptor>{keys}{services}</md:IDPSSODescriptor></md:EntityDescriptor>"
        )
    }

    fn key(use_of: &str, digits: &str) -> String {
        format!(
            "<md:KeyDescriptor{use_of}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{digits}\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        )
    }

    #[test]
    fn address_and_certificate_are_found() {
        let post = "<md:SingleSignOnService Binding=\"x:HTTP-POST\" Location=\"https://a/post\"/>";
        let redirect =
            format!("<md:SingleSignOnService Binding=\"{REDIRECT}\" Location=\"https://a/sso\"/>");
        let both = format!("{post}{redirect}");
        let keys = key(" use=\"encryption\"", "AAAA") + &key(" use=\"signing\"", "TU\n lJ");
        let provider = Provider::parse(&metadata(&both, &keys)).unwrap();
        assert_eq!(provider.sign_on, "https://a/sso");
        assert_eq!(
            provider.certificate,
            "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"
        );
        let why = |text: &str| Provider::parse(text).unwrap_err();
        assert!(why(&metadata(post, &keys)).contains("SingleSignOnService"));
        assert!(why(&metadata(&both, "")).contains("certificate"));
        assert!(why("<x/>").contains("IDPSSODescriptor"));
        assert!(why("x").contains("XML"));
    }
}
