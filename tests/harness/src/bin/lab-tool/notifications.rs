//! As much of gnome-shell as shows notifications. A line on standard input is the name of an action
//! of the last one, which the person then presses.

use crate::report::{block_on, report};
use aws_client_vpn_profile::well_known::AGENT;
use serde_json::json;
use std::collections::HashMap;
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, BufReader};
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::OwnedUniqueName;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

const PATH: &str = "/org/freedesktop/Notifications";

struct Desktop {
    shown: u32,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Desktop {
    #[expect(clippy::too_many_arguments, reason = "the specification's")]
    async fn notify(
        &mut self,
        #[zbus(connection)] bus: &Connection,
        #[zbus(header)] header: Header<'_>,
        _program: String,
        _replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        // gnome-shell takes away what it was told to show over a connection that ends.
        let agent = agent(bus).await;
        self.shown += 1;
        // A login's own is there as long as it waits.
        let is_login = actions.iter().any(|action| action == "open-again");
        let event = if is_login { "login" } else { "notification" };
        let by_agent = header
            .sender()
            .is_some_and(|sender| agent.is_ok_and(|agent| agent == *sender));
        report(json!({
            "event": event, "summary": summary, "body": body, "actions": actions,
            "by_agent": by_agent
        }));
        self.shown
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".to_owned(), "body-markup".to_owned()]
    }

    fn close_notification(&self, id: u32) {
        report(json!({"event": "closed", "id": id}));
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str)
    -> zbus::Result<()>;
}

/// The connection that our agent has as long as it runs.
async fn agent(bus: &Connection) -> zbus::Result<OwnedUniqueName> {
    let daemon = DBusProxy::new(bus).await?;
    Ok(daemon.get_name_owner(AGENT.try_into()?).await?)
}

pub(crate) fn run() -> ExitCode {
    block_on(serve())
}

async fn serve() -> zbus::Result<()> {
    let bus = zbus::connection::Builder::session()?
        .serve_at(PATH, Desktop { shown: 0 })?
        .name("org.freedesktop.Notifications")?
        .name("org.gnome.Shell")?
        .build()
        .await?;
    report(json!({"event": "desktop"}));
    let desktop = bus.object_server().interface::<_, Desktop>(PATH).await?;
    let mut presses = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(action)) = presses.next_line().await {
        let id = desktop.get().await.shown;
        Desktop::action_invoked(desktop.signal_emitter(), id, &action).await?;
    }
    Ok(())
}
