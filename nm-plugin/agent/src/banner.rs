//! What the endpoint says at the end of a login: NetworkManager keeps it, and few desktops show it.

use crate::activation::{ACTIVATED, ACTIVE, DISCONNECTED, FAILED, VPN, property};
use aws_client_vpn_core::well_known::SERVICE_TYPE;
use std::collections::HashSet;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::{Connection, Message};

/// What an endpoint says to who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Banner {
    /// The connection's name.
    pub(crate) name: String,
    /// The endpoint's own words, which may be anything.
    pub(crate) text: String,
}

/// The activations whose banner was shown: a connection that comes back does not repeat it.
#[derive(Debug, Default)]
pub(crate) struct Banners {
    shown: HashSet<String>,
}

impl Banners {
    /// Takes note of a change of a VPN connection, and returns what there is to show of it.
    pub(crate) async fn heard(&mut self, bus: &Connection, signal: &Message) -> Option<Banner> {
        let activation = signal.header().path()?.to_string();
        let (state, _reason) = signal.body().deserialize::<(u32, u32)>().ok()?;
        if !self.is_due(&activation, state) {
            return None;
        }
        // Other VPNs have programs of their own for this.
        let number = activation.rsplit('/').next()?;
        let service = BusName::try_from(format!("{SERVICE_TYPE}.Connection_{number}")).ok()?;
        let daemon = DBusProxy::new(bus).await.ok()?;
        if !daemon.name_has_owner(service).await.ok()? {
            return None;
        }
        let words = text(bus, &activation, VPN, "Banner").await?;
        let name = text(bus, &activation, ACTIVE, "Id").await?;
        (!words.is_empty()).then_some(Banner { name, text: words })
    }

    fn is_due(&mut self, activation: &str, state: u32) -> bool {
        match state {
            ACTIVATED => self.shown.insert(activation.to_owned()),
            FAILED | DISCONNECTED => {
                self.shown.remove(activation);
                false
            }
            _ => false,
        }
    }
}

async fn text(bus: &Connection, path: &str, interface: &'static str, name: &str) -> Option<String> {
    String::try_from(property(bus, path, interface, name).await.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_is_due_once_in_each_activation() {
        let mut banners = Banners::default();
        let states = [3, ACTIVATED, 3, ACTIVATED, DISCONNECTED, ACTIVATED];
        let due = states.map(|state| banners.is_due("/a/1", state));
        assert_eq!(due, [false, true, false, false, false, true]);
    }
}
