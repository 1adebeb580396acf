//! What the endpoint reports: one JSON object on a line for each step. Never a session id or a
//! SAML response.

use crate::options::Transport;
use std::fmt;
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

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSaml => "neither phase of a SAML login",
            Self::StockFraming => "phase 2 in stock OpenVPN's framing",
            Self::UnknownSession => "no such session",
            Self::OtherNode => "the session belongs to another node",
            Self::SessionUsed => "the session was used before",
            Self::SessionExpired => "the session is past its lifetime",
            Self::MalformedResponse => "not a SAML response",
            Self::LoginFailed => "the identity provider reports a failed login",
            Self::BrokenSignature => "the signature does not verify",
            Self::AssertionExpired => "the assertion is not valid at this time",
            Self::OtherAudience => "the assertion is for another audience",
            Self::OtherRequest => "the assertion answers another request",
            Self::AssertionUsed => "the assertion was used before",
            Self::WrongPassword => "wrong name, password or code",
            Self::TokenRefused => "the token is not accepted",
            Self::Denied => "denied as a setting asks",
        })
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
            password_bytes: 11_000,
        };
        insta::assert_snapshot!(
            serde_json::to_string(&event).unwrap(),
            @r#"{"event":"refused","node":2,"transport":"udp","port":443,"reason":"other-node","password_bytes":11000}"#
        );
    }
}
