//! What the D-Bus object hands to the loop that runs the dialogs, and what it gets back.

use crate::request::{ALLOW_INTERACTION, Connection};
use aws_client_vpn_text::secret::Secret;
use tokio::sync::oneshot;

/// A call of NetworkManager's.
#[derive(Debug)]
pub enum Ask {
    /// Secrets of a connection are wanted.
    Get(Get),
    /// The requests of the connection with this path are withdrawn.
    TakeBack(String),
}

/// A request for the secrets of a connection.
#[derive(Debug)]
pub struct Get {
    /// As NetworkManager passes it on.
    pub connection: Connection,
    /// What the service says of its request.
    pub hints: Vec<String>,
    /// `NMSecretAgentGetSecretsFlags`
    pub flags: u32,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Reply>,
}

impl Get {
    /// Whether a person may be asked. Otherwise somebody looks at what is kept.
    pub fn may_ask(&self) -> bool {
        self.flags & ALLOW_INTERACTION != 0
    }
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    /// What is known.
    Secrets(Vec<(String, Secret)>),
    /// The person does not want to.
    Cancelled,
    /// NetworkManager does not want to know any more.
    TakenBack,
    /// Why nothing is known.
    Nothing(String),
}
