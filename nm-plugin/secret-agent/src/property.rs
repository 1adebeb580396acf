//! Properties of NetworkManager's objects.

use aws_client_vpn_profile::well_known::network_manager::NAME;
use std::time::Duration;
use tokio::time::timeout;
use zbus::Connection;
use zbus::fdo::PropertiesProxy;
use zbus::names::InterfaceName;
use zbus::zvariant::OwnedValue;

/// How long NetworkManager has to answer a question.
const CALL_TIME: Duration = Duration::from_secs(5);

/// A property of the activation at `path`.
pub async fn property(
    bus: &Connection,
    path: &str,
    interface: &'static str,
    property: &str,
) -> Option<OwnedValue> {
    let get = async {
        let proxy = PropertiesProxy::builder(bus)
            .destination(NAME)?
            .path(path.to_owned())?
            .build()
            .await?;
        zbus::Result::Ok(
            proxy
                .get(InterfaceName::try_from(interface)?, property)
                .await?,
        )
    };
    timeout(CALL_TIME, get).await.ok()?.ok()
}
