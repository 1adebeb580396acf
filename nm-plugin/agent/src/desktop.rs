//! The agents that run auth dialogs themselves: ours must not come between.
//!
//! NetworkManager asks agents in an order of its own, so the only way to step back is not to be
//! registered. They are known by their names on the session bus, which come and go with them.

use futures_lite::StreamExt;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;

/// The names of desktops' agents, and what people call them.
const AGENTS: [(&str, &str); 4] = [
    ("org.gnome.Shell", "gnome-shell"),
    ("org.freedesktop.network-manager-applet", "nm-applet"),
    ("org.freedesktop.nm-applet", "nm-applet"),
    ("org.Cinnamon", "Cinnamon"),
];
/// For the session bus to answer.
const BUS_TIME: Duration = Duration::from_secs(10);

/// A desktop's agent has come or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    /// What people call it.
    pub(crate) agent: &'static str,
    pub(crate) present: bool,
}

/// Follows the desktop's agents: those that are there are told before this returns. Without a
/// session bus there is no desktop, and none comes.
pub(crate) async fn follow() -> mpsc::UnboundedReceiver<Change> {
    let (sender, changes) = mpsc::unbounded_channel();
    drop(timeout(BUS_TIME, begin(&sender)).await);
    changes
}

async fn begin(sender: &mpsc::UnboundedSender<Change>) -> zbus::Result<()> {
    let bus = zbus::Connection::session().await?;
    let daemon = DBusProxy::new(&bus).await?;
    for (name, agent) in AGENTS {
        // Heard before it is asked, so that nothing is missed in between.
        let mut owners = daemon
            .receive_name_owner_changed_with_args(&[(0, name)])
            .await?;
        if daemon.name_has_owner(BusName::try_from(name)?).await? {
            // Nobody listens to a following that took too long.
            let _ = sender.send(Change {
                agent,
                present: true,
            });
        }
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Some(signal) = owners.next().await {
                let Ok(arguments) = signal.args() else {
                    continue;
                };
                let present = arguments.new_owner().is_some();
                if sender.send(Change { agent, present }).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}
