//! The endpoint's check of a SAML response: structure, signatures, times, audience, request.

use super::{ASSERTION, AUDIENCE, CONSUMER_URL, PROTOCOL, SUCCESS};
use crate::event::Refusal;
use crate::xmlsec::{SIGNATURE_NAMESPACE, SignatureError, verifies};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::OnceCell;

const RESPONSE_SIGNATURE: &str = "/*/*[local-name()='Signature']";
const ASSERTION_SIGNATURE: &str = "/*/*[local-name()='Assertion']/*[local-name()='Signature']";
/// How many documents' signature results are remembered.
const MEMORY_LIMIT: usize = 256;

/// Checks responses, and remembers which assertions were used.
///
/// A signature's result depends on the document alone, so it is remembered for the document: the
/// identity provider has its response checked while the browser still carries it, and the check
/// of phase 2, of the same document to the byte, then takes no time from the login.
pub(crate) struct Verifier {
    certificate: PathBuf,
    used: Mutex<HashSet<String>>,
    signatures: Mutex<HashMap<String, Arc<OnceCell<bool>>>>,
}

impl Verifier {
    /// A verifier that trusts the certificate in this file only.
    pub(crate) fn new(certificate: PathBuf) -> Self {
        Self {
            certificate,
            used: Mutex::default(),
            signatures: Mutex::default(),
        }
    }

    /// Accepts the response `text`, as it stands in the password, as an answer to `request_id`.
    pub(crate) async fn accept(&self, text: &str, request_id: &str) -> Result<(), Refusal> {
        let document = decode(text)?;
        let facts = Facts::read(&document)?;
        match self.signed(document).await {
            Ok(true) => {}
            Ok(false) => return Err(Refusal::BrokenSignature),
            Err(error) => {
                eprintln!("{error}");
                return Err(Refusal::BrokenSignature);
            }
        }
        facts.check(request_id, OffsetDateTime::now_utc())?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.insert(facts.assertion_id) {
            Ok(())
        } else {
            Err(Refusal::AssertionUsed)
        }
    }

    /// Takes the signatures of a document that was just issued, in base64, as checked.
    pub(crate) fn trust(&self, text: &str) {
        if let Ok(document) = decode(text) {
            let mut known = self
                .signatures
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            known.insert(document, Arc::new(OnceCell::new_with(Some(true))));
        }
    }

    /// Checks the signatures of a document that was just issued, in base64, ahead of its use.
    pub(crate) async fn check_ahead(&self, text: &str) {
        if let Ok(document) = decode(text)
            && Facts::read(&document).is_ok()
        {
            let _ = self.signed(document).await;
        }
    }

    async fn signed(&self, document: String) -> Result<bool, SignatureError> {
        let result = {
            let mut known = self
                .signatures
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MEMORY_LIMIT {
                known.clear();
            }
            Arc::clone(known.entry(document.clone()).or_default())
        };
        let check = || async {
            let of = |xpath| verifies(&document, xpath, self.certificate.clone());
            let (response, assertion) =
                tokio::try_join!(of(RESPONSE_SIGNATURE), of(ASSERTION_SIGNATURE))?;
            Ok(response && assertion)
        };
        result.get_or_try_init(check).await.copied()
    }
}

/// The document in a password: percent-encoded as browsers send it, or plain base64. Both are
/// seen to work with AWS.
fn decode(text: &str) -> Result<String, Refusal> {
    let plain = if text.contains('%') {
        // Only `%` is decoded: a `+` is a `+` here, it is no space of a form any more.
        let text = text.replace('+', "%2B");
        form_urlencoded::parse(text.as_bytes())
            .next()
            .map(|(name, _)| name.into_owned())
            .unwrap_or_default()
    } else {
        text.to_owned()
    };
    let bytes = STANDARD
        .decode(plain)
        .map_err(|_| Refusal::MalformedResponse)?;
    String::from_utf8(bytes).map_err(|_| Refusal::MalformedResponse)
}

/// What a response of the right structure says.
struct Facts {
    status: String,
    assertion_id: String,
    audiences: Vec<String>,
    recipient: String,
    destination: String,
    not_before: OffsetDateTime,
    not_after: Vec<OffsetDateTime>,
    requests: Vec<String>,
}

impl Facts {
    /// One response of one assertion, each with a signature over just itself.
    fn read(text: &str) -> Result<Self, Refusal> {
        const MALFORMED: Refusal = Refusal::MalformedResponse;
        let document = Document::parse(text).map_err(|_| MALFORMED)?;
        let response = document.root_element();
        if !response.has_tag_name((PROTOCOL, "Response")) {
            return Err(MALFORMED);
        }
        let assertions = document
            .descendants()
            .filter(|n| n.has_tag_name((ASSERTION, "Assertion")));
        let [assertion] = assertions.collect::<Vec<_>>()[..] else {
            return Err(MALFORMED);
        };
        if assertion.parent() != Some(response) {
            return Err(MALFORMED);
        }
        let mut ids = HashSet::new();
        if !document
            .descendants()
            .filter_map(|n| n.attribute("ID"))
            .all(|id| ids.insert(id))
        {
            return Err(MALFORMED);
        }
        covered(response)?;
        covered(assertion)?;
        let find = |of: Node<'_, '_>, name| {
            of.descendants()
                .find(|n| n.has_tag_name((ASSERTION, name)))
                .map(|n| n.id())
        };
        let node = |name| {
            find(assertion, name)
                .and_then(|id| document.get_node(id))
                .ok_or(MALFORMED)
        };
        let confirmation = node("SubjectConfirmationData")?;
        let conditions = node("Conditions")?;
        let status = response
            .descendants()
            .find(|n| n.has_tag_name((PROTOCOL, "StatusCode")));
        let attribute =
            |of: Node<'_, '_>, name| of.attribute(name).map(str::to_owned).ok_or(MALFORMED);
        let time = |of, name| {
            OffsetDateTime::parse(&attribute(of, name)?, &Rfc3339).map_err(|_| MALFORMED)
        };
        Ok(Self {
            status: attribute(status.ok_or(MALFORMED)?, "Value")?,
            assertion_id: attribute(assertion, "ID")?,
            audiences: conditions
                .descendants()
                .filter(|n| n.has_tag_name((ASSERTION, "Audience")))
                .filter_map(|n| n.text().map(str::to_owned))
                .collect(),
            recipient: attribute(confirmation, "Recipient")?,
            destination: attribute(response, "Destination")?,
            not_before: time(conditions, "NotBefore")?,
            not_after: vec![
                time(conditions, "NotOnOrAfter")?,
                time(confirmation, "NotOnOrAfter")?,
            ],
            requests: vec![
                attribute(response, "InResponseTo")?,
                attribute(confirmation, "InResponseTo")?,
            ],
        })
    }

    fn check(&self, request_id: &str, now: OffsetDateTime) -> Result<(), Refusal> {
        if self.status != SUCCESS {
            return Err(Refusal::LoginFailed);
        }
        let ours = self.audiences.iter().any(|audience| audience == AUDIENCE);
        if !ours || self.recipient != CONSUMER_URL || self.destination != CONSUMER_URL {
            return Err(Refusal::OtherAudience);
        }
        if now < self.not_before || self.not_after.iter().any(|end| now >= *end) {
            return Err(Refusal::AssertionExpired);
        }
        if self.requests.iter().any(|request| request != request_id) {
            return Err(Refusal::OtherRequest);
        }
        Ok(())
    }
}

/// `element` has one signature of its own, and that covers `element` and nothing else.
fn covered(element: Node<'_, '_>) -> Result<(), Refusal> {
    let children = element
        .children()
        .filter(|n| n.has_tag_name((SIGNATURE_NAMESPACE, "Signature")));
    let signature = match children.collect::<Vec<_>>()[..] {
        [] => return Err(Refusal::Unsigned),
        [signature] => signature,
        _ => return Err(Refusal::BrokenSignature),
    };
    let references = signature
        .descendants()
        .filter(|n| n.has_tag_name((SIGNATURE_NAMESPACE, "Reference")));
    let [reference] = references.collect::<Vec<_>>()[..] else {
        return Err(Refusal::BrokenSignature);
    };
    let id = element.attribute("ID").ok_or(Refusal::MalformedResponse)?;
    if reference
        .attribute("URI")
        .and_then(|uri| uri.strip_prefix('#'))
        == Some(id)
    {
        Ok(())
    } else {
        Err(Refusal::BrokenSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::Certificates;
    use crate::saml::{AuthnRequest, Fault, ResponseParameters, signed_response};
    use crate::xmlsec::Signer;
    use std::time::Duration;

    struct Bench {
        signer: Signer,
        verifier: Verifier,
        request: AuthnRequest,
        _directory: tempfile::TempDir,
    }

    fn bench() -> Bench {
        let web = "127.0.71.3".parse().unwrap();
        let signer = Certificates::generate(web, None, "ada").unwrap().signer;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("signer.pem");
        std::fs::write(&file, &signer.certificate).unwrap();
        Bench {
            signer: Signer::new(&signer.key, &signer.certificate).unwrap(),
            verifier: Verifier::new(file),
            request: AuthnRequest::new(),
            _directory: directory,
        }
    }

    impl Bench {
        fn issue(&self, bytes: usize, fault: Option<Fault>) -> String {
            let parameters = ResponseParameters {
                request: &self.request,
                issuer: "https://idp.example/saml",
                user: "ada <&> \"lovelace\"@example.com",
                lifetime: Duration::from_secs(60),
                bytes,
                fault,
            };
            signed_response(&self.signer, &parameters).unwrap()
        }

        async fn accept(&self, text: &str) -> Result<(), Refusal> {
            self.verifier.accept(text, &self.request.id).await
        }
    }

    #[tokio::test]
    async fn a_good_response_is_accepted_once_in_both_encodings_and_all_sizes() {
        let bench = bench();
        for bytes in [8_000, 11_000, 131_072] {
            let text = bench.issue(bytes, None);
            assert_eq!(text.len(), bytes);
            assert_eq!(bench.accept(&text).await, Ok(()));
            assert_eq!(bench.accept(&text).await, Err(Refusal::AssertionUsed));
            let text = bench.issue(bytes, None);
            let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            assert_eq!(bench.accept(&encoded).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn each_fault_is_told_apart() {
        let bench = bench();
        let table = [
            (Fault::BrokenSignature, Refusal::BrokenSignature),
            (Fault::Unsigned, Refusal::Unsigned),
            (Fault::Late, Refusal::AssertionExpired),
            (Fault::OtherRequest, Refusal::OtherRequest),
            (Fault::OtherAudience, Refusal::OtherAudience),
            (Fault::Failed, Refusal::LoginFailed),
        ];
        for (fault, refusal) in table {
            let text = bench.issue(11_000, Some(fault));
            assert_eq!(bench.accept(&text).await, Err(refusal), "{fault:?}");
        }
    }

    #[tokio::test]
    async fn a_response_signed_by_another_key_is_refused() {
        let (ours, theirs) = (bench(), bench());
        let text = theirs.issue(11_000, None);
        let accepted = ours.verifier.accept(&text, &theirs.request.id).await;
        assert_eq!(accepted, Err(Refusal::BrokenSignature));
    }

    #[tokio::test]
    async fn trust_is_in_one_document_to_the_byte() {
        let (ours, theirs) = (bench(), bench());
        let (trusted, other) = (theirs.issue(11_000, None), theirs.issue(11_000, None));
        ours.verifier.trust(&trusted);
        let accepted = ours.verifier.accept(&trusted, &theirs.request.id).await;
        assert_eq!(accepted, Ok(()));
        let accepted = ours.verifier.accept(&other, &theirs.request.id).await;
        assert_eq!(accepted, Err(Refusal::BrokenSignature));
    }

    #[tokio::test]
    async fn a_signature_must_cover_what_is_read() {
        let bench = bench();
        let text = String::from_utf8(STANDARD.decode(bench.issue(8_000, None)).unwrap()).unwrap();
        let changed_times = text.replacen("NotOnOrAfter=\"2", "NotOnOrAfter=\"3", 2);
        let start = text.find("<saml:Assertion").unwrap();
        let end = text.find("</samlp:Response>").unwrap();
        let wrapped = format!("{}{}{}", &text[..end], &text[start..end], &text[end..]);
        for (document, refusal) in [
            (changed_times, Refusal::BrokenSignature),
            (wrapped, Refusal::MalformedResponse),
            ("<a/>".to_owned(), Refusal::MalformedResponse),
            ("no document".to_owned(), Refusal::MalformedResponse),
        ] {
            assert_eq!(bench.accept(&STANDARD.encode(document)).await, Err(refusal));
        }
        assert_eq!(
            bench.accept("not base64!").await,
            Err(Refusal::MalformedResponse)
        );
    }
}
