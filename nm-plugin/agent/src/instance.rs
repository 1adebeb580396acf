//! One agent in the background is enough for a session, whoever starts it: systemd's unit, an
//! autostart entry, a line in a compositor's configuration. It has a name on the session bus, by
//! which others can also ask whether it answers.

use aws_client_vpn_profile::well_known::{AGENT, AGENT_REGISTERED};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use zbus::fdo::{RequestNameFlags, RequestNameReply};

/// How long the session bus has to answer.
const BUS_TIME: Duration = Duration::from_secs(10);

/// Whether this agent is the only one of the session.
#[derive(Debug)]
pub(crate) enum Instance {
    /// This is the only agent as long as the bus connection lives; without a session bus there is
    /// no other.
    Only {
        /// The connection to the session bus that has the name.
        session: Option<zbus::Connection>,
    },
    /// Another one serves this session.
    Another,
}

impl Instance {
    /// Takes the name.
    pub(crate) async fn claim() -> Self {
        match timeout(BUS_TIME, request()).await {
            Ok(Ok((_, RequestNameReply::Exists))) => Self::Another,
            Ok(Ok((bus, _))) => Self::Only { session: Some(bus) },
            Ok(Err(_)) | Err(_) => Self::Only { session: None },
        }
    }
}

async fn request() -> zbus::Result<(zbus::Connection, RequestNameReply)> {
    let bus = zbus::Connection::session().await?;
    let flags = RequestNameFlags::DoNotQueue.into();
    match bus.request_name_with_flags(AGENT, flags).await {
        Ok(reply) => Ok((bus, reply)),
        Err(zbus::Error::NameTaken) => Ok((bus, RequestNameReply::Exists)),
        Err(error) => Err(error),
    }
}

/// Has a second name on the session bus while NetworkManager asks this agent: for a dialog that would leave
/// a page to it.
pub(crate) async fn tell_registered(bus: zbus::Connection, mut registered: watch::Receiver<bool>) {
    loop {
        let is_registered = *registered.borrow_and_update();
        drop(timeout(BUS_TIME, have_name(&bus, is_registered)).await);
        if registered.changed().await.is_err() {
            return;
        }
    }
}

async fn have_name(bus: &zbus::Connection, wanted: bool) -> zbus::Result<()> {
    if wanted {
        let flags = RequestNameFlags::DoNotQueue.into();
        bus.request_name_with_flags(AGENT_REGISTERED, flags).await?;
    } else {
        bus.release_name(AGENT_REGISTERED).await?;
    }
    Ok(())
}
