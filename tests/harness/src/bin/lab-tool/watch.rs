//! Tells each state that NetworkManager gives a VPN connection, with its reason. A line on standard
//! input is told again after all that NetworkManager has said before it came.

use crate::report::{block_on, report};
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinHandle;
use zbus::export::futures_core::Stream;
use zbus::proxy::{CacheProperties, MethodFlags};
use zbus::{MatchRule, MessageStream};

const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
const INTERFACE: &str = "org.freedesktop.NetworkManager.VPN.Connection";
/// One that was stopped answers nothing.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

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
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut asked: Option<(String, JoinHandle<()>)> = None;
    loop {
        tokio::select! {
            // What came before the answer is told before it.
            biased;
            message = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)) => match message {
                Some(message) => tell(&message?)?,
                None => return Ok(()),
            },
            line = lines.next_line(), if asked.is_none() => match line {
                Ok(Some(line)) => asked = Some((line, tokio::spawn(answer(bus.clone())))),
                Ok(None) | Err(_) => return Ok(()),
            },
            line = answered(&mut asked) => report(json!({"event": "told", "line": line})),
        }
    }
}

fn tell(message: &zbus::Message) -> zbus::Result<()> {
    let (state, reason): (u32, u32) = message.body().deserialize()?;
    let path = message.header().path().map(ToString::to_string);
    report(json!({"event": "vpn-state", "state": state, "reason": reason, "path": path}));
    Ok(())
}

/// The line for which NetworkManager has answered.
async fn answered(asked: &mut Option<(String, JoinHandle<()>)>) -> String {
    match asked {
        Some((_, answer)) => drop(answer.await),
        None => std::future::pending().await,
    }
    asked.take().map(|(line, _)| line).unwrap_or_default()
}

/// Waits for NetworkManager to answer anything, if it is there.
async fn answer(bus: zbus::Connection) {
    let ask = async {
        let properties: zbus::Proxy<'_> = zbus::proxy::Builder::new(&bus)
            .destination(NETWORK_MANAGER)?
            .path("/org/freedesktop/NetworkManager")?
            .interface("org.freedesktop.DBus.Properties")?
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let body = (NETWORK_MANAGER, "Version");
        let flags = MethodFlags::NoAutoStart.into();
        let version =
            properties.call_with_flags::<_, _, zbus::zvariant::OwnedValue>("Get", flags, &body);
        version.await
    };
    drop(tokio::time::timeout(ANSWER_LIMIT, ask).await);
}
