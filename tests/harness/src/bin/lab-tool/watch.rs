//! Tells each state that NetworkManager gives a VPN connection, with its reason.

use crate::report::{block_on, report};
use serde_json::json;
use std::process::ExitCode;
use zbus::export::futures_core::Stream;
use zbus::{MatchRule, MessageStream};

const INTERFACE: &str = "org.freedesktop.NetworkManager.VPN.Connection";

pub(crate) fn run() -> ExitCode {
    block_on(watch())
}

async fn watch() -> zbus::Result<()> {
    let bus = zbus::Connection::system().await?;
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface(INTERFACE)?
        .member("VpnStateChanged")?
        .build();
    let mut stream = std::pin::pin!(MessageStream::for_match_rule(rule, &bus, None).await?);
    report(json!({"event": "watching"}));
    while let Some(message) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        let message = message?;
        let (state, reason): (u32, u32) = message.body().deserialize()?;
        let path = message.header().path().map(ToString::to_string);
        report(json!({"event": "vpn-state", "state": state, "reason": reason, "path": path}));
    }
    Ok(())
}
