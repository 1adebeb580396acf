//! What NetworkManager tells.

use aws_client_vpn_profile::well_known::network_manager::{NAME, VPN};
use zbus::match_rule::Builder;
use zbus::{MatchRule, Message, MessageStream};

/// How many signals may wait: whoever has missed some looks for itself.
const QUEUE: usize = 64;

/// The rule for the states of VPN connections.
pub fn vpn_states() -> zbus::Result<MatchRule<'static>> {
    Ok(rule(NAME, VPN, "VpnStateChanged")?.build())
}

/// The path of a VPN connection, its state and the reason, in a signal that has them.
pub fn vpn_state(signal: &Message) -> Option<(String, u32, u32)> {
    let header = signal.header();
    if header.interface()?.as_str() != VPN || header.member()?.as_str() != "VpnStateChanged" {
        return None;
    }
    let (state, reason) = signal.body().deserialize().ok()?;
    Some((header.path()?.to_string(), state, reason))
}

/// The beginning of a rule for names on the bus that come and go.
pub fn owner_changes() -> zbus::Result<Builder<'static>> {
    let daemon = "org.freedesktop.DBus";
    rule(daemon, daemon, "NameOwnerChanged")
}

fn rule(
    sender: &'static str,
    interface: &'static str,
    member: &'static str,
) -> zbus::Result<Builder<'static>> {
    MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender(sender)?
        .interface(interface)?
        .member(member)
}

/// All of it, on a connection of its own: calls on another one do not wait behind it.
pub async fn signals() -> zbus::Result<MessageStream> {
    let bus = zbus::Connection::system().await?;
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender(NAME)?
        .build();
    MessageStream::for_match_rule(rule, &bus, Some(QUEUE)).await
}
