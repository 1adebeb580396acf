//! What the endpoint says at the end of a login: NetworkManager keeps it, and few desktops show it.

use crate::audience::concerns_us;
use aws_client_vpn_network_manager::{call_service, properties_in_time, value};
use aws_client_vpn_profile::well_known::network_manager::{ACTIVE, VPN};
use aws_client_vpn_profile::well_known::vpn_state::{ACTIVATED, DISCONNECTED, FAILED, is_up};
use aws_client_vpn_profile::well_known::{GET_USER, service_of};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::timeout;
use zbus::Connection;

/// How long the service has to answer.
const CALL_TIME: Duration = Duration::from_secs(5);

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
    pub(crate) async fn heard(
        &mut self,
        bus: &Connection,
        activation: &str,
        state: u32,
        reason: u32,
    ) -> Option<Banner> {
        if !self.is_due(activation, state, reason) {
            return None;
        }
        // Other VPNs have programs of their own for this, and other users their own agents.
        let service = service_of(activation);
        let user = call_service::<String>(bus, &service, GET_USER);
        let user = timeout(CALL_TIME, user).await.ok()?.ok()?;
        if !concerns_us(&user) {
            return None;
        }
        let vpn = properties_in_time(bus, activation, VPN).await?;
        let text: String = value(&vpn, "Banner")?;
        let active = properties_in_time(bus, activation, ACTIVE).await?;
        let name = value(&active, "Id")?;
        (!text.is_empty()).then_some(Banner { name, text })
    }

    fn is_due(&mut self, activation: &str, state: u32, reason: u32) -> bool {
        match state {
            ACTIVATED if is_up(state, reason) => self.shown.insert(activation.to_owned()),
            FAILED | DISCONNECTED => {
                self.shown.remove(activation);
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_is_due_once_in_each_activation() {
        let mut banners = Banners::default();
        let (up, down) = ((ACTIVATED, 1), (DISCONNECTED, 2));
        let taken_down = (ACTIVATED, 2);
        let states = [(2, 0), taken_down, (3, 0), up, (3, 0), up, down, up];
        let due = states.map(|(state, reason)| banners.is_due("/a/1", state, reason));
        assert_eq!(due, [false, false, false, true, false, false, false, true]);
    }
}
