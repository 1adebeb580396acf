//! XML signatures: made here, checked by `xmlsec1`.
//!
//! The signer writes its documents in canonical form to begin with, so that it can sign them
//! without a canonicaliser; that it did so right is what `xmlsec1`, which knows nothing of this
//! code, finds out at each login.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// Namespace of XML signatures.
pub(crate) const SIGNATURE_NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// `xmlsec1` needs some 25 ms; a busy machine may need more.
const CHECK_LIMIT: Duration = Duration::from_secs(60);

/// The key that signs the identity provider's documents.
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    /// The certificate, in base64 without its PEM frame.
    certificate: String,
}

/// What can go wrong with a signature, apart from its being wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignatureError {
    /// The key is not a P-256 key in PKCS #8.
    #[error("cannot use the identity provider's signing key")]
    Key,
    /// The random generator failed.
    #[error("cannot sign")]
    Sign,
    /// `xmlsec1` could not be used.
    #[error("cannot run xmlsec1 (Debian package xmlsec1): {0}")]
    Program(#[from] std::io::Error),
    /// `xmlsec1` did not end.
    #[error("xmlsec1 did not end within {} s", CHECK_LIMIT.as_secs())]
    Timeout,
}

impl Signer {
    /// A signer of this key and certificate, both in PEM.
    pub(crate) fn new(key: &str, certificate: &str) -> Result<Self, SignatureError> {
        let random = SystemRandom::new();
        let document = STANDARD
            .decode(pem_body(key))
            .map_err(|_| SignatureError::Key)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document, &random)
            .map_err(|_| SignatureError::Key)?;
        Ok(Self {
            key,
            random,
            certificate: pem_body(certificate),
        })
    }

    /// The enveloped signature over an element: `element` is its exclusive canonical form without
    /// the signature, `id` its `ID` attribute.
    pub(crate) fn signature(&self, id: &str, element: &str) -> Result<String, SignatureError> {
        let digest = STANDARD.encode(digest(&SHA256, element.as_bytes()));
        let info = format!(
            "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
             </ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\">\
             </ds:SignatureMethod>\
             <ds:Reference URI=\"#{id}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"{SIGNATURE_NAMESPACE}enveloped-signature\"></ds:Transform>\
             <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>\
             </ds:Transforms>\
             <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">\
             </ds:DigestMethod>\
             <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        );
        let signed = format!("<ds:SignedInfo xmlns:ds=\"{SIGNATURE_NAMESPACE}\">{info}");
        let signature = self
            .key
            .sign(&self.random, signed.as_bytes())
            .map_err(|_| SignatureError::Sign)?;
        Ok(format!(
            "<ds:Signature xmlns:ds=\"{SIGNATURE_NAMESPACE}\"><ds:SignedInfo>{info}\
             <ds:SignatureValue>{value}</ds:SignatureValue>\
             <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate>\
             </ds:X509Data></ds:KeyInfo></ds:Signature>",
            value = STANDARD.encode(signature),
            certificate = self.certificate,
        ))
    }
}

/// Checks the signature that `xpath` selects with the certificate of this file only, whatever
/// certificate the document itself carries. The document goes through a pipe: no copy on a disk.
pub(crate) async fn verifies(
    document: &str,
    xpath: &str,
    certificate: PathBuf,
) -> Result<bool, SignatureError> {
    let mut child = Command::new("xmlsec1")
        .args([
            "--verify",
            "--enabled-key-data",
            "key-name",
            "--enabled-reference-uris",
        ])
        .args([
            "same-doc",
            "--id-attr:ID",
            "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
        ])
        .args([
            "--id-attr:ID",
            "urn:oasis:names:tc:SAML:2.0:protocol:Response",
        ])
        .args(["--node-xpath", xpath, "--pubkey-cert-pem"])
        .arg(certificate)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let input = child.stdin.take();
    let run = async {
        if let Some(mut input) = input {
            // xmlsec1 may give up before it has read everything; its exit code tells.
            let _ = input.write_all(document.as_bytes()).await;
        }
        child.wait().await
    };
    let status = timeout(CHECK_LIMIT, run)
        .await
        .map_err(|_| SignatureError::Timeout)??;
    Ok(status.success())
}

/// The base64 text between the frame lines of a PEM document.
fn pem_body(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .collect()
}
