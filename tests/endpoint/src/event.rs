//! What the endpoint reports: one JSON object on a line for each step. Never a session id or a
//! SAML response.

use crate::options::Transport;
use std::net::Ipv4Addr;

/// A step that the endpoint saw.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A client asked for a SAML login and got its challenge.
    Phase1 {
        /// Number of the node, from 1.
        node: usize,
        /// Transport of the node's server.
        transport: Transport,
        /// Port of the node's server.
        port: u16,
        /// Whether the client wrote AWS's key-method-2 framing.
        aws_framing: bool,
    },
    /// Name and password were right, and the endpoint asked its question.
    Asked {
        /// Number of the node, from 1.
        node: usize,
    },
    /// A sign-in was accepted (SAML: its second phase).
    Accepted {
        /// Number of the node, from 1.
        node: usize,
        /// Transport of the node's server.
        transport: Transport,
        /// Port of the node's server.
        port: u16,
        /// Bytes of the password as it was sent.
        password_bytes: usize,
        /// Milliseconds from phase 1 (0 where there is none).
        since_phase1_ms: u64,
    },
    /// A client came back with the token it was given, without a new sign-in.
    CameBack {
        /// Number of the node, from 1.
        node: usize,
    },
    /// A sign-in was refused; the client is told `Invalid username or password`, never the reason.
    Refused {
        /// Number of the node, from 1.
        node: usize,
        /// Transport of the node's server.
        transport: Transport,
        /// Port of the node's server.
        port: u16,
        /// Why.
        reason: Refusal,
        /// The same in words, for whoever writes a client.
        why: &'static str,
        /// Bytes of the password as it was sent.
        password_bytes: usize,
    },
    /// A sign-in was left without any answer, as a setting asked for.
    Ignored {
        /// Number of the node, from 1.
        node: usize,
        /// `1` or `2`.
        phase: u8,
    },
    /// A tunnel is up.
    Connected {
        /// Number of the node, from 1.
        node: usize,
        /// Transport of the node's server.
        transport: Transport,
        /// Port of the node's server.
        port: u16,
        /// Number of the client at its server, for `kick`.
        client: u64,
        /// The client's address in the tunnel, where it is known.
        address: Option<Ipv4Addr>,
    },
    /// A tunnel is gone.
    Disconnected {
        /// Number of the node, from 1.
        node: usize,
        /// Transport of the node's server.
        transport: Transport,
        /// Port of the node's server.
        port: u16,
        /// Number of the client at its server.
        client: u64,
    },
    /// The identity provider showed its login page.
    LoginPage,
    /// The identity provider refused a password and shows its page again.
    LoginRefused,
    /// The identity provider took a password; its response follows.
    LoginAccepted,
    /// The identity provider gave a signed response to the browser.
    ResponseIssued {
        /// Bytes of the SAML response in base64.
        bytes: usize,
    },
    /// A name of the endpoint was asked for.
    Lookup {
        /// The name as it was asked for.
        name: String,
        /// How many addresses were answered.
        answers: usize,
        /// Whether the DNS server behind the tunnel was asked.
        inside: bool,
    },
    /// All servers of a node run.
    NodeStarted {
        /// Number of the node, from 1.
        node: usize,
    },
    /// All servers of a node are gone, without a word to their clients.
    NodeStopped {
        /// Number of the node, from 1.
        node: usize,
    },
    /// An OpenVPN server ended by itself.
    ServerDied {
        /// Number of the node, from 1.
        node: usize,
        /// Its last lines.
        log: Vec<String>,
    },
    /// A command could not be carried out.
    CommandFailed {
        /// Why.
        reason: String,
    },
}

/// Why a sign-in was refused. AWS tells its clients none of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Neither phase 1 (`N/A`, `ACS::35001`) nor phase 2 (`N/A`, `CRV1::…`) of a SAML login.
    NotSaml,
    /// Phase 2 came in stock OpenVPN's framing.
    StockFraming,
    /// No node ever made this session.
    UnknownSession,
    /// The session belongs to another node.
    OtherNode,
    /// The session was used before.
    SessionUsed,
    /// The session waited longer than its lifetime.
    SessionExpired,
    /// The SAML response is not base64, not XML or not a SAML response of one signed assertion.
    MalformedResponse,
    /// The identity provider reports that the login failed.
    LoginFailed,
    /// The response or the assertion has no signature of its own.
    Unsigned,
    /// A signature does not verify, or does not cover what it should.
    BrokenSignature,
    /// The assertion is past its `NotOnOrAfter`, or before its `NotBefore`.
    AssertionExpired,
    /// The assertion is for another audience or recipient.
    OtherAudience,
    /// The assertion answers another session's request.
    OtherRequest,
    /// The assertion was used before.
    AssertionUsed,
    /// Name, password or code are wrong.
    WrongPassword,
    /// The token of an earlier sign-in is not, or no longer, good for anything.
    TokenRefused,
    /// A setting asks to deny everybody.
    Denied,
}

impl Refusal {
    /// What was wrong, and what to look at.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::NotSaml => {
                "This endpoint takes SAML logins. The user name of both phases is \"N/A\"; the \
                 password of the first is \"ACS::35001\", that of the second \
                 \"CRV1::<session>::<response>\"."
            }
            Self::StockFraming => {
                "The second phase came in the framing of stock OpenVPN, whose strings have lengths \
                 of 16 bits. AWS takes lengths of 32 bits here."
            }
            Self::UnknownSession => {
                "No node has given out this session. It has to be the one of the challenge, byte \
                 for byte."
            }
            Self::OtherNode => {
                "Another node has given out this session. The second phase has to go to the address \
                 that the challenge came from."
            }
            Self::SessionUsed => {
                "This session has been used. Each serves once, whatever came of it: begin again \
                 with the first phase."
            }
            Self::SessionExpired => {
                "This session has waited for longer than its lifetime. Begin again with the first \
                 phase."
            }
            Self::MalformedResponse => {
                "What came as the response is not the base64 (percent-encoded or not) of one SAML \
                 response with one assertion that is not encrypted. Send the form's field \
                 SAMLResponse as the browser posted it."
            }
            Self::LoginFailed => {
                "The identity provider reports in its response that the user did not sign in."
            }
            Self::Unsigned => {
                "The response or its assertion has no signature of its own. AWS asks for both: set \
                 the identity provider to sign the response and the assertion."
            }
            Self::BrokenSignature => {
                "A signature does not verify with the identity provider's certificate, or does not \
                 cover the element that it is in. Either the response was changed on its way, or \
                 it is signed with another key than that of the metadata."
            }
            Self::AssertionExpired => {
                "The assertion is not valid at this time. Either it was held back for too long, or \
                 the clocks of the identity provider and the endpoint differ."
            }
            Self::OtherAudience => {
                "The response is not for this service. Its audience has to be \
                 \"urn:amazon:webservices:clientvpn\", its recipient and destination \
                 \"http://127.0.0.1:35001\"."
            }
            Self::OtherRequest => {
                "The response answers another request than that of this session's challenge \
                 (InResponseTo)."
            }
            Self::AssertionUsed => "This assertion has been used. Each serves once: sign in again.",
            Self::WrongPassword => "The user name, the password or the code is wrong.",
            Self::TokenRefused => {
                "The token of an earlier sign-in is no longer accepted: sign in again."
            }
            Self::Denied => "The setting \"deny\" asks to refuse everybody.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_json_line_that_names_its_kind() {
        let event = Event::Refused {
            node: 2,
            transport: Transport::Udp,
            port: 443,
            reason: Refusal::OtherNode,
            why: Refusal::OtherNode.why(),
            password_bytes: 11_000,
        };
        insta::assert_snapshot!(
            serde_json::to_string(&event).unwrap(),
            @r#"{"event":"refused","node":2,"transport":"udp","port":443,"reason":"other-node","why":"Another node has given out this session. The second phase has to go to the address that the challenge came from.","password_bytes":11000}"#
        );
    }
}
