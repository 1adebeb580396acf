//! Why NetworkManager ends a connection.
//!
//! It calls Disconnect whoever wanted it and whatever happened, and tells the reason in a signal
//! that comes before. A kill switch lets go only of a connection that was to end.

use crate::dbus;
use aws_client_vpn_session::network_manager::End;
use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use zbus::MessageStream;
use zbus::names::OwnedUniqueName;
use zbus::zvariant::OwnedObjectPath;

/// What NetworkManager says of this connection.
pub(crate) struct Ending {
    changes: MessageStream,
    end: End,
}

impl Ending {
    /// Begins to listen to NetworkManager, which is `caller` and has the activation at `path`.
    pub(crate) async fn watch(
        bus: &zbus::Connection,
        caller: &OwnedUniqueName,
        path: &OwnedObjectPath,
    ) -> zbus::Result<Self> {
        Ok(Self {
            changes: dbus::follow_states(bus, caller, path).await?,
            end: End::default(),
        })
    }

    /// Takes in the next signal. Nothing is lost if the future is dropped.
    pub(crate) async fn changed(&mut self) {
        match self.changes.next().await {
            Some(Ok(change)) => self.take_in(&change),
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// All that was said up to now.
    pub(crate) async fn so_far(&mut self) -> End {
        while let Some(Some(change)) = poll_once(self.changes.next()).await {
            if let Ok(change) = change {
                self.take_in(&change);
            }
        }
        self.end
    }

    fn take_in(&mut self, change: &zbus::Message) {
        if let Some(shown) = dbus::shown(change) {
            self.end.take_in(shown);
        }
    }
}
