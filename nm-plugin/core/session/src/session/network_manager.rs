//! What NetworkManager was told, and what it makes of it.
//!
//! Once it has had settings, it takes any change of the tunnel's interface for the end of an
//! activation: nm-vpn-connection.c (1.36 to 1.58) never clears `wait_for_pre_up_state`. It then says
//! "activated" while there is no tunnel, drops a question that a person is being asked, and ignores
//! the next one. So what it shows is watched, and put right.
//!
//! When it takes a connection down, it runs the dispatcher's pre-down scripts first, and shows
//! "activated" meanwhile, with the reason for the end. A service that says "starting" then cancels
//! the scripts and the end with them, in any version: so from that moment on nothing is said any
//! more, whatever the state was, until Disconnect comes.

use super::events::ServiceState;
use crate::network_manager::VpnState;
use crate::network_manager::ip_config::{self, IpConfig};
use crate::pushed::{PushedOptions, TunnelError};
use std::net::IpAddr;

/// What NetworkManager was told.
#[derive(Debug)]
pub(super) struct NetworkManager {
    pub(super) announced: ServiceState,
    /// What it has said of the connection last.
    pub(super) shown: Option<VpnState>,
    /// Which of the settings it was given; it takes no notice of those that it has.
    pub(super) generation: u32,
    /// The tunnel that it has the settings of.
    pub(super) installed: Option<Installed>,
}

/// What NetworkManager was told of a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installed {
    pub(super) tunnel: PushedOptions,
    pub(super) server: Option<IpAddr>,
    pub(super) banner: Option<String>,
}

impl Installed {
    /// The settings, with `tunnel` in the place of all that was pushed.
    fn ip_config(&self, tunnel: &PushedOptions, generation: u32) -> Result<IpConfig, TunnelError> {
        let mut config = ip_config::ip_config(tunnel, self.server, generation)?;
        config.general.banner.clone_from(&self.banner);
        Ok(config)
    }
}

impl Default for NetworkManager {
    fn default() -> Self {
        Self {
            announced: ServiceState::Init,
            shown: None,
            generation: 0,
            installed: None,
        }
    }
}

impl NetworkManager {
    /// The settings for `installed`.
    pub(super) fn config_of(&self, installed: &Installed) -> Result<IpConfig, TunnelError> {
        installed.ip_config(&installed.tunnel, self.generation)
    }

    /// The settings that it has, as it is given them once more.
    pub(super) fn config(&self) -> Option<IpConfig> {
        self.config_of(self.installed.as_ref()?).ok()
    }

    /// The same, without what would lead a browser or name lookups into a tunnel that is down.
    pub(super) fn config_without_names_and_default_route(&self) -> Option<IpConfig> {
        let installed = self.installed.as_ref()?;
        let tunnel = installed.tunnel.without_names_and_default_route();
        installed.ip_config(&tunnel, self.generation).ok()
    }

    /// Whether the tunnel was announced as up.
    pub(super) fn announced_up(&self) -> bool {
        self.announced == ServiceState::Started
    }

    /// Whether a tunnel that it has settings of was announced as one that is being made.
    pub(super) fn announced_lost(&self) -> bool {
        self.announced == ServiceState::Starting && self.installed.is_some()
    }
}
