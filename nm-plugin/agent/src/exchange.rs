//! What the D-Bus object hands to the loop that runs the dialogs, and what it gets back.

use crate::request::Connection;
use aws_client_vpn_text::secret::Secret;
use tokio::sync::oneshot;

/// A call of NetworkManager's.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Secrets of a connection are wanted.
    Get {
        connection: Connection,
        /// The connection's object.
        path: String,
        hints: Vec<String>,
        flags: u32,
        reply: oneshot::Sender<Reply>,
    },
    /// Those of the connection with this path are not wanted any more.
    TakeBack(String),
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Reply {
    Secrets(Vec<(String, Secret)>),
    Cancelled,
    TakenBack,
    /// Why nothing is known.
    Nothing(String),
}
