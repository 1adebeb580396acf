//! What NetworkManager tells.

use aws_client_vpn_profile::well_known::network_manager::NAME;
use zbus::{MatchRule, MessageStream};

/// How many signals may wait: whoever has missed some looks for itself.
const QUEUE: usize = 64;

/// All of it, on a connection of its own: calls on another one do not wait behind it.
pub async fn signals() -> zbus::Result<MessageStream> {
    let bus = zbus::Connection::system().await?;
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender(NAME)?
        .build();
    MessageStream::for_match_rule(rule, &bus, Some(QUEUE)).await
}
