//! A local program that has logind send signals, asks the VPN service as fast as it can, or leaves
//! NetworkManager no moment without a call.

use crate::report::{block_on, report};
use serde_json::json;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use zbus::message::Flags;

/// Long enough for any test, and an end all the same.
const LONGEST: Duration = Duration::from_secs(120);
/// How many calls are sent before an answer is waited for: more would only fill the bus.
const AT_ONCE: u32 = 200;
/// How many calls NetworkManager is to answer at any time.
const UNANSWERED: usize = 32;

/// `target` is `logind`, `NetworkManager`, or the bus name of a VPN service.
pub(crate) fn run(target: &str) -> ExitCode {
    match target {
        "NetworkManager" => block_on(occupy_networkmanager()),
        target => block_on(flood(target)),
    }
}

/// Has NetworkManager tell all of its objects, which takes it the longest of all calls, so many times
/// at once that it is never idle.
async fn occupy_networkmanager() -> zbus::Result<()> {
    let bus = zbus::Connection::system().await?;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..UNANSWERED {
        let bus = bus.clone();
        asking.spawn(async move {
            let begin = Instant::now();
            while begin.elapsed() < LONGEST {
                let name = Some("org.freedesktop.NetworkManager");
                let interface = Some("org.freedesktop.DBus.ObjectManager");
                let path = "/org/freedesktop";
                // It may have been taken down by now.
                drop(
                    bus.call_method(name, path, interface, "GetManagedObjects", &())
                        .await,
                );
            }
        });
    }
    report(json!({"event": "flooding"}));
    asking.join_all().await;
    Ok(())
}

async fn flood(target: &str) -> zbus::Result<()> {
    let (name, path, interface, method) = match target {
        "logind" => (
            "org.freedesktop.login1",
            "/org/freedesktop/login1/session/c1",
            "org.freedesktop.login1.Session",
            "SetIdleHint",
        ),
        service => (
            service,
            "/org/freedesktop/NetworkManager/AwsClientVpn",
            "org.freedesktop.NetworkManager.AwsClientVpn.SignIn",
            "GetTerm",
        ),
    };
    let bus = zbus::Connection::system().await?;
    let begin = Instant::now();
    let mut sent = 0_u32;
    while begin.elapsed() < LONGEST {
        let call = zbus::Message::method_call(path, method)?
            .destination(name)?
            .interface(interface)?
            .with_flags(Flags::NoReplyExpected)?;
        let call = if method == "SetIdleHint" {
            call.build(&(sent.is_multiple_of(2)))?
        } else {
            call.build(&())?
        };
        bus.send(&call).await?;
        sent += 1;
        if sent.is_multiple_of(AT_ONCE) {
            let peer = Some("org.freedesktop.DBus.Peer");
            // It may have been taken down by now.
            drop(bus.call_method(Some(name), path, peer, "Ping", &()).await);
        }
        if sent == 10 * AT_ONCE {
            report(json!({"event": "flooding"}));
        }
    }
    Ok(())
}
