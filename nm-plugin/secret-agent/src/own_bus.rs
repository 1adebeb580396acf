//! A connection to the system bus whose agent NetworkManager asks first: the one of the program
//! that a request comes from.

use crate::exchange::{Ask, Reply};
use crate::registration;
use crate::secret_agent::{Caller, SecretAgent};
use aws_client_vpn_network_manager as network_manager;
use aws_client_vpn_profile::well_known::network_manager::SECRET_AGENT_PATH;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long NetworkManager has to register us as an agent.
const REGISTRATION_TIME: Duration = Duration::from_secs(25);

/// A connection with an agent on it, and what `caller` asks there.
pub async fn with_agent(
    caller: &Caller,
) -> zbus::Result<(zbus::Connection, mpsc::UnboundedReceiver<Ask>)> {
    let (sender, asks) = mpsc::unbounded_channel();
    let bus = zbus::connection::Builder::system()?
        .serve_at(SECRET_AGENT_PATH, SecretAgent::new(sender, caller.clone()))?
        .build()
        .await?;
    Ok((bus, asks))
}

/// Such a connection, with the agent registered; `None` if there is no NetworkManager.
pub async fn connect() -> zbus::Result<Option<(zbus::Connection, mpsc::UnboundedReceiver<Ask>)>> {
    let caller = Caller::default();
    let (bus, asks) = with_agent(&caller).await?;
    let owner = network_manager::owner(&bus).await?;
    if owner.is_none() {
        return Ok(None);
    }
    caller.set(owner);
    let registered = registration::register(bus.clone(), caller);
    // Without it, the agents of the session are asked.
    drop(timeout(REGISTRATION_TIME, registered).await);
    Ok(Some((bus, asks)))
}

/// Answers that nothing else is kept, as long as the connection is there.
pub async fn know_nothing(mut asks: mpsc::UnboundedReceiver<Ask>) {
    while let Some(ask) = asks.recv().await {
        if let Ask::Get(get) = ask {
            // NetworkManager may have gone.
            drop(get.reply.send(Reply::Secrets(Vec::new())));
        }
    }
}
