//! NetworkManager's activations of VPN connections, as far as they are looked at.

use zbus::Connection;
use zbus::fdo::PropertiesProxy;
use zbus::names::InterfaceName;
use zbus::zvariant::OwnedValue;

pub(crate) const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
pub(crate) const ACTIVE: &str = "org.freedesktop.NetworkManager.Connection.Active";
pub(crate) const VPN: &str = "org.freedesktop.NetworkManager.VPN.Connection";

/// `NMVpnConnectionState`
pub(crate) const ACTIVATED: u32 = 5;
pub(crate) const FAILED: u32 = 6;
pub(crate) const DISCONNECTED: u32 = 7;

/// A property of the activation at `path`.
pub(crate) async fn property(
    bus: &Connection,
    path: &str,
    interface: &'static str,
    name: &str,
) -> zbus::Result<OwnedValue> {
    let proxy = PropertiesProxy::builder(bus)
        .destination(NETWORK_MANAGER)?
        .path(path.to_owned())?
        .build()
        .await?;
    Ok(proxy.get(InterfaceName::try_from(interface)?, name).await?)
}
