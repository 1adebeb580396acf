//! Properties of NetworkManager's objects.

use aws_client_vpn_profile::well_known::network_manager::NAME;
use std::time::Duration;
use tokio::time::timeout;
use zbus::Connection;
use zbus::zvariant::OwnedValue;

/// How long NetworkManager has to answer a question.
const CALL_TIME: Duration = Duration::from_secs(5);

/// A property of the object at `path`; `None` if it is not there, or is of another type.
pub async fn property<T: TryFrom<OwnedValue>>(
    bus: &Connection,
    path: &str,
    interface: &str,
    property: &str,
) -> Option<T> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let question = (interface, property);
    let reply = bus.call_method(Some(NAME), path, properties, "Get", &question);
    let reply = timeout(CALL_TIME, reply).await.ok()?.ok()?;
    T::try_from(reply.body().deserialize().ok()?).ok()
}
