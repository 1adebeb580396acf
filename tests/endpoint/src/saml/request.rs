//! The `AuthnRequest` in the challenge's URL (SAML 2.0 bindings, HTTP-Redirect: deflated, base64,
//! percent-encoded, unsigned).

use super::{ASSERTION, AUDIENCE, CONSUMER_URL, PROTOCOL, timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;
use time::OffsetDateTime;
use uuid::Uuid;

/// Longest request that is inflated.
const REQUEST_LIMIT: u64 = 64 * 1024;

/// What the identity provider needs of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthnRequest {
    /// Its `ID`; the response names it.
    pub(crate) id: String,
    /// Where the response shall go.
    pub(crate) consumer: String,
    /// Who asks.
    pub(crate) issuer: String,
}

/// The text is no deflated `AuthnRequest` in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no SAML request; start the login from the VPN client again")]
pub(crate) struct NoRequest;

impl AuthnRequest {
    /// A new request of AWS's service.
    pub(crate) fn new() -> Self {
        Self {
            id: format!("_{}", Uuid::new_v4()),
            consumer: CONSUMER_URL.to_owned(),
            issuer: AUDIENCE.to_owned(),
        }
    }

    /// The value of the `SAMLRequest` parameter, before percent-encoding.
    pub(crate) fn encode(&self, destination: &str) -> String {
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\
             <saml2p:AuthnRequest xmlns:saml2p=\"{PROTOCOL}\" \
             AssertionConsumerServiceURL=\"{consumer}\" Destination=\"{destination}\" \
             ForceAuthn=\"false\" ID=\"{id}\" IsPassive=\"false\" IssueInstant=\"{now}\" \
             ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Version=\"2.0\">\
             <saml2:Issuer xmlns:saml2=\"{ASSERTION}\">{issuer}</saml2:Issuer>\
             <saml2p:NameIDPolicy \
             Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\"/>\
             </saml2p:AuthnRequest>",
            consumer = self.consumer,
            id = self.id,
            issuer = self.issuer,
            now = timestamp(OffsetDateTime::now_utc()),
        );
        let mut deflated = Vec::new();
        // Reading from memory into memory does not fail.
        let _ = DeflateEncoder::new(document.as_bytes(), Compression::best())
            .read_to_end(&mut deflated);
        STANDARD.encode(deflated)
    }

    /// Reads the value of a `SAMLRequest` parameter, after percent-decoding.
    pub(crate) fn decode(parameter: &str) -> Result<Self, NoRequest> {
        let deflated = STANDARD.decode(parameter).map_err(|_| NoRequest)?;
        let mut document = String::new();
        DeflateDecoder::new(deflated.as_slice())
            .take(REQUEST_LIMIT)
            .read_to_string(&mut document)
            .map_err(|_| NoRequest)?;
        let document = roxmltree::Document::parse(&document).map_err(|_| NoRequest)?;
        let root = document.root_element();
        if !root.has_tag_name((PROTOCOL, "AuthnRequest")) {
            return Err(NoRequest);
        }
        let attribute = |name| root.attribute(name).map(str::to_owned).ok_or(NoRequest);
        let issuer = root
            .children()
            .find(|node| node.has_tag_name((ASSERTION, "Issuer")));
        Ok(Self {
            id: attribute("ID")?,
            consumer: attribute("AssertionConsumerServiceURL")?,
            issuer: issuer
                .and_then(|node| node.text())
                .ok_or(NoRequest)?
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_comes_back_as_it_was() {
        let request = AuthnRequest::new();
        let text = request.encode("https://idp.example/sso/saml");
        assert_eq!(AuthnRequest::decode(&text), Ok(request));
    }

    proptest! {
        #[test]
        fn what_is_no_request_is_refused(text in "[A-Za-z0-9+/=]{0,200}") {
            prop_assert_eq!(AuthnRequest::decode(&text), Err(NoRequest));
        }
    }
}
