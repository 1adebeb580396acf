//! The lock screen of gnome-shell, and the page of a connection that was up.
//!
//! When gnome-shell locks the screen, it says for the person that they do not want to sign in (`disable` in
//! its networkAgent.js), before logind tells of the lock, and NetworkManager ends the connection. Our own
//! agent keeps the page. NetworkManager asks it once gnome-shell has failed, which a signal that ends the
//! dialog makes it do.

use aws_client_vpn_profile::well_known::AGENT_REGISTERED;
use rustix::process::{Signal, getpid, getppid, kill_process};
use std::fs;
use std::time::Duration;
use tokio::time::timeout;
use zbus::fdo::DBusProxy;

/// How long the session bus has to answer.
const BUS_TIME: Duration = Duration::from_secs(1);

/// Leaves the request to our agent if it is gnome-shell's, and NetworkManager will ask the agent.
pub(crate) async fn leave_to_our_agent() {
    if is_gnome_shell_s() && matches!(timeout(BUS_TIME, agent_is_asked()).await, Ok(Ok(true))) {
        // Fails on no process of one's own; then the request is served here.
        let _ = kill_process(getpid(), Signal::TERM);
    }
}

fn is_gnome_shell_s() -> bool {
    let name = |parent: rustix::process::Pid| fs::read_to_string(format!("/proc/{parent}/comm"));
    let name = getppid().and_then(|parent| name(parent).ok());
    name.as_deref() == Some("gnome-shell\n")
}

async fn agent_is_asked() -> zbus::Result<bool> {
    let bus = zbus::Connection::session().await?;
    Ok(DBusProxy::new(&bus)
        .await?
        .name_has_owner(AGENT_REGISTERED.try_into()?)
        .await?)
}
