//! The identity provider's signed response.
//!
//! Everything is written in exclusive canonical form (each namespace declared on the first element
//! that uses it, attributes in alphabetical order, no empty-element tags), see `xmlsec`.

use super::{ASSERTION, AUDIENCE, AuthnRequest, CONSUMER_URL, PROTOCOL, SUCCESS, timestamp};
use crate::xmlsec::{SignatureError, Signer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// How a response is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// One character is changed after signing.
    BrokenSignature,
    /// There is no signature.
    Unsigned,
    /// It was good an hour ago.
    Late,
    /// It answers a request that nobody made.
    OtherRequest,
    /// It is for another audience.
    OtherAudience,
    /// Its status is not success.
    Failed,
}

/// What a response says.
pub(crate) struct ResponseParameters<'a> {
    /// The request that it answers.
    pub(crate) request: &'a AuthnRequest,
    /// The identity provider's name.
    pub(crate) issuer: &'a str,
    /// Who signed in.
    pub(crate) user: &'a str,
    /// How long it is good for.
    pub(crate) lifetime: Duration,
    /// Bytes that it shall have in base64 (at least, and a multiple of four).
    pub(crate) bytes: usize,
    /// What is wrong with it.
    pub(crate) fault: Option<Fault>,
}

/// The response in base64: the value of the `SAMLResponse` field before percent-encoding.
pub(crate) fn signed_response(
    signer: &Signer,
    parameters: &ResponseParameters<'_>,
) -> Result<String, SignatureError> {
    let wanted = parameters.bytes / 4 * 3;
    let small = document(signer, parameters, 0)?;
    let mut document = document(signer, parameters, wanted.saturating_sub(small.len()))?;
    if parameters.fault == Some(Fault::BrokenSignature) {
        document = document.replacen("Engineering", "Engineerinj", 1);
    }
    Ok(STANDARD.encode(document))
}

fn document(
    signer: &Signer,
    parameters: &ResponseParameters<'_>,
    padding: usize,
) -> Result<String, SignatureError> {
    let fault = parameters.fault;
    let mut now = OffsetDateTime::now_utc();
    if fault == Some(Fault::Late) {
        now -= Duration::from_secs(3600);
    }
    let issued = timestamp(now);
    let not_before = timestamp(now - Duration::from_secs(60));
    let not_after = timestamp(now + parameters.lifetime);
    let other = format!("_{}", Uuid::new_v4());
    let request = if fault == Some(Fault::OtherRequest) {
        &other
    } else {
        &parameters.request.id
    };
    let audience = if fault == Some(Fault::OtherAudience) {
        "urn:example:another"
    } else {
        AUDIENCE
    };
    let status = if fault == Some(Fault::Failed) {
        "urn:oasis:names:tc:SAML:2.0:status:Responder"
    } else {
        SUCCESS
    };
    let (issuer, user) = (escaped(parameters.issuer), escaped(parameters.user));
    let groups = groups(padding);

    let id = format!("_{}", Uuid::new_v4());
    let head = format!(
        "<saml:Assertion xmlns:saml=\"{ASSERTION}\" ID=\"{id}\" IssueInstant=\"{issued}\" \
         Version=\"2.0\"><saml:Issuer>{issuer}</saml:Issuer>"
    );
    let tail = format!(
        "<saml:Subject>\
         <saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">{user}\
         </saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData InResponseTo=\"{request}\" NotOnOrAfter=\"{not_after}\" \
         Recipient=\"{CONSUMER_URL}\"></saml:SubjectConfirmationData>\
         </saml:SubjectConfirmation></saml:Subject>\
         <saml:Conditions NotBefore=\"{not_before}\" NotOnOrAfter=\"{not_after}\">\
         <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>\
         </saml:AudienceRestriction></saml:Conditions>\
         <saml:AuthnStatement AuthnInstant=\"{issued}\" SessionIndex=\"{id}\">\
         <saml:AuthnContext><saml:AuthnContextClassRef>\
         urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
         </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
         <saml:AttributeStatement>{groups}</saml:AttributeStatement></saml:Assertion>"
    );
    let signature = signature_over(signer, fault, &id, &head, &tail)?;
    let assertion = format!("{head}{signature}{tail}");

    let id = format!("_{}", Uuid::new_v4());
    let head = format!(
        "<samlp:Response xmlns:samlp=\"{PROTOCOL}\" Destination=\"{CONSUMER_URL}\" ID=\"{id}\" \
         InResponseTo=\"{request}\" IssueInstant=\"{issued}\" Version=\"2.0\">\
         <saml:Issuer xmlns:saml=\"{ASSERTION}\">{issuer}</saml:Issuer>"
    );
    let tail = format!(
        "<samlp:Status><samlp:StatusCode Value=\"{status}\"></samlp:StatusCode></samlp:Status>\
         {assertion}</samlp:Response>"
    );
    let signature = signature_over(signer, fault, &id, &head, &tail)?;
    Ok(format!("{head}{signature}{tail}"))
}

fn signature_over(
    signer: &Signer,
    fault: Option<Fault>,
    id: &str,
    head: &str,
    tail: &str,
) -> Result<String, SignatureError> {
    if fault == Some(Fault::Unsigned) {
        return Ok(String::new());
    }
    signer.signature(id, &format!("{head}{tail}"))
}

/// The `memberOf` attribute, `padding` bytes longer than it would be.
///
/// AWS reads the user's groups from it; it is what makes responses of real companies long.
fn groups(padding: usize) -> String {
    const OPEN: &str = "<saml:AttributeValue>";
    const CLOSE: &str = "</saml:AttributeValue>";
    let mut text = String::from("<saml:Attribute Name=\"memberOf\">");
    let _ = write!(text, "{OPEN}Engineering{CLOSE}");
    let mut left = padding;
    let mut number = 0;
    while left > 0 {
        let group = format!("{OPEN}CN=Group {number:04},OU=Groups,DC=corp,DC=example{CLOSE}");
        if left < 2 * group.len() {
            let frame = OPEN.len() + CLOSE.len();
            if left < frame {
                // Too short for a value of its own: white space between two elements does it.
                text.push_str(&" ".repeat(left));
            } else {
                let _ = write!(text, "{OPEN}{}{CLOSE}", "g".repeat(left - frame));
            }
            break;
        }
        left -= group.len();
        number += 1;
        text.push_str(&group);
    }
    text.push_str("</saml:Attribute>");
    text
}

/// Escapes text as canonical XML writes it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn groups_are_longer_by_just_the_padding(padding in 0usize..3000) {
            prop_assert_eq!(groups(padding).len(), groups(0).len() + padding);
        }
    }
}
