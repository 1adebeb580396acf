//! The two phases of a sign-in with a challenge, and what each try sends.

use aws_client_vpn_text::secret::Secret;

/// Which credentials a try carries.
#[derive(Debug)]
pub(super) enum Phase {
    /// The first: for SAML, it asks for a challenge.
    First,
    /// The second: it carries the reply to the challenge, so it must reach the same node.
    Reply(Secret),
    /// The reply that was accepted before, sent again after a loss: where an endpoint takes it,
    /// nobody has to sign in.
    Replay(Secret),
}

impl Phase {
    /// What it sends.
    pub(super) fn reply(&self) -> Option<&Secret> {
        match self {
            Self::First => None,
            Self::Reply(reply) | Self::Replay(reply) => Some(reply),
        }
    }
}
