//! Our registration with NetworkManager, for as long as there is one.
//!
//! It is never given up in favour of a desktop's own agent. NetworkManager asks one agent after the
//! other and the one in the program that asked for the connection first, so a desktop's menu is
//! answered by the desktop. And a desktop's name on the bus does not tell whether its agent is
//! there: gnome-shell withdraws it while the screen is locked, and has it seconds after its start.
//! An agent that is always there keeps a connection from ending because nobody could be asked.

use crate::dialogs::Dialogs;
use crate::report::report;
use crate::secret_agent::Caller;
use aws_client_vpn_network_manager::call;
use aws_client_vpn_profile::well_known::network_manager::{AGENT_MANAGER, AGENT_MANAGER_PATH};
use aws_client_vpn_text::message;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// `NM_SECRET_AGENT_CAPABILITY_VPN_HINTS`: without it, of any agent, there are no hints at all.
const VPN_HINTS: u32 = 1;
/// How long NetworkManager has to answer.
const CALL_TIME: Duration = Duration::from_secs(25);
/// Between attempts: a NetworkManager that has just started has its name before it can be called;
/// one that refuses may do otherwise later.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Registers with `caller`, the NetworkManager that is there, as often as it takes.
pub async fn register(bus: zbus::Connection, caller: Caller) {
    // Another of the same user has a name of its own.
    let name = format!("nm-aws-client-vpn-agent.{}", std::process::id());
    let mut pause = FIRST_PAUSE;
    let mut is_told = false;
    loop {
        let us = (&name, VPN_HINTS);
        let method = "RegisterWithCapabilities";
        let registered = call(&bus, AGENT_MANAGER_PATH, AGENT_MANAGER, method, &us);
        let why = match timeout(CALL_TIME, registered).await {
            Ok(Ok(())) => return caller.registered(),
            Ok(Err(zbus::Error::MethodError(kind, ..)))
                if kind.starts_with("org.freedesktop.DBus.Error.Unknown")
                    && pause < LONGEST_PAUSE =>
            {
                None
            }
            Ok(Err(error)) => {
                let reason = error.to_string();
                Some(message!(
                    "NetworkManager refused the request: {reason}",
                    reason = reason
                ))
            }
            Err(_elapsed) => Some(message!("NetworkManager does not answer.")),
        };
        if let Some(why) = why.filter(|_| !std::mem::replace(&mut is_told, true)) {
            report(&why);
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Waits for the dialogs to end and unregisters, so that NetworkManager does not ask an agent that is
/// gone.
pub async fn leave(bus: &zbus::Connection, dialogs: &mut Dialogs, limit: Duration) {
    let goodbye = async {
        dialogs.ended().await;
        call::<()>(bus, AGENT_MANAGER_PATH, AGENT_MANAGER, "Unregister", &()).await
    };
    drop(timeout(limit, goodbye).await);
}
