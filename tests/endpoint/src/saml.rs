//! The SAML documents of a login: the request in the challenge's URL, the identity provider's
//! response, and the endpoint's check of it.

mod check;
mod request;
mod response;

pub(crate) use check::Verifier;
pub(crate) use request::AuthnRequest;
pub(crate) use response::{Fault, ResponseParameters, signed_response};

use time::OffsetDateTime;
use time::macros::format_description;

/// Where a browser takes the response: fixed by AWS, whatever the endpoint.
pub(crate) const CONSUMER_URL: &str = "http://127.0.0.1:35001";
/// The audience of AWS's service.
pub(crate) const AUDIENCE: &str = "urn:amazon:webservices:clientvpn";

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// A time as SAML writes it.
fn timestamp(time: OffsetDateTime) -> String {
    // The description has no component that can fail.
    time.format(format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    ))
    .unwrap_or_default()
}
