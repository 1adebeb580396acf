//! Why NetworkManager begins and ends a connection.
//!
//! It calls Disconnect whoever wanted it and whatever happened, and tells the reason in a signal
//! that comes before. A kill switch lets go only of a connection that was to end.

use crate::dbus;
use aws_client_vpn_profile::well_known::active_state::ACTIVATING;
use aws_client_vpn_profile::well_known::network_manager::{ACTIVE, SETTINGS, SETTINGS_PATH};
use aws_client_vpn_session::network_manager::End;
use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use std::time::Duration;
use zbus::MessageStream;
use zbus::names::OwnedUniqueName;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

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

/// How long another program may take for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Whether NetworkManager activates a connection by itself, at `path`: as a secondary connection of
/// another, which is not up before its secondary ones are. It does not tell who has asked for an
/// activation, and with the flag "can-persist" it begins none anew on its own
/// (nm-vpn-connection.c), so that no other kind is left. The settings of the other are not asked:
/// they may have been changed since it was activated with them.
pub(crate) async fn is_secondary(
    bus: &zbus::Connection,
    network_manager: &OwnedUniqueName,
    path: &OwnedObjectPath,
) -> bool {
    let to = network_manager.as_str();
    let asked = async {
        let of: OwnedObjectPath =
            property(bus, to, path.as_str(), ACTIVE, "SpecificObject").await?;
        property::<u32>(bus, to, of.as_str(), ACTIVE, "State").await
    };
    matches!(
        tokio::time::timeout(ANSWER_LIMIT, asked).await,
        Ok(Ok(ACTIVATING))
    )
}

/// Whether NetworkManager, on the bus as `network_manager`, says that there is no connection `uuid`.
pub(crate) async fn is_deleted(bus: &zbus::Connection, network_manager: &str, uuid: &str) -> bool {
    let asked = bus.call_method(
        Some(network_manager),
        SETTINGS_PATH,
        Some(SETTINGS),
        "GetConnectionByUuid",
        &uuid,
    );
    match tokio::time::timeout(ANSWER_LIMIT, asked).await {
        Ok(Err(zbus::Error::MethodError(name, _, _))) => {
            name.as_str() == "org.freedesktop.NetworkManager.Settings.InvalidConnection"
        }
        Ok(_) | Err(_) => false,
    }
}

/// Whether logind says that the computer is being shut down.
pub(crate) async fn is_shutting_down(bus: &zbus::Connection) -> bool {
    let asked = property::<bool>(
        bus,
        "org.freedesktop.login1",
        "/org/freedesktop/login1",
        "org.freedesktop.login1.Manager",
        "PreparingForShutdown",
    );
    matches!(
        tokio::time::timeout(ANSWER_LIMIT, asked).await,
        Ok(Ok(true))
    )
}

async fn property<T: TryFrom<OwnedValue, Error: Into<zbus::zvariant::Error>>>(
    bus: &zbus::Connection,
    to: &str,
    path: &str,
    interface: &str,
    name: &str,
) -> zbus::Result<T> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let reply = bus
        .call_method(Some(to), path, properties, "Get", &(interface, name))
        .await?;
    let value: OwnedValue = reply.body().deserialize()?;
    value
        .try_into()
        .map_err(|error: T::Error| zbus::Error::Variant(error.into()))
}
