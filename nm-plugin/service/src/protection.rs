//! What keeps traffic in the tunnel while the connection is wanted: its kill switch and its routes.
//!
//! The driver tells of what happens, and has both looked after when it has done everything else.

use crate::dbus::PluginError;
use crate::dbus::connection::Connection as VpnConnection;
use crate::ending::Ending;
use crate::kill_switch::{KillSwitch, KillSwitchError};
use crate::tun_device::TunDevice;
use crate::{journal, kept_routes};
use aws_client_vpn_session::kept_routes::KeptRoutes;
use aws_client_vpn_session::network_manager::Shown;
use aws_client_vpn_session::session::{Input, Session};
use std::future::pending;
use std::time::Instant;
use zbus::names::OwnedUniqueName;
use zbus::zvariant::OwnedObjectPath;

/// The protection of one activation.
pub(crate) struct Protection {
    /// The routes into the tunnel, where the user wants them kept.
    routes: Option<KeptRoutes>,
    /// Whether the kernel has told of a change since they were last looked at.
    routes_may_differ: bool,
    kill_switch: KillSwitch,
    /// Why the connection ends, where a kill switch has to know.
    ending: Option<Ending>,
    /// Whether it ends because the user does not want it any more.
    is_unwanted: bool,
}

impl Protection {
    /// As the settings of `connection` want it. NetworkManager, which is `caller`, has the
    /// activation at `path`.
    pub(crate) async fn new(
        bus: &zbus::Connection,
        caller: &OwnedUniqueName,
        connection: &VpnConnection,
        path: Option<&OwnedObjectPath>,
    ) -> Result<Self, PluginError> {
        let mut kill_switch = KillSwitch::new(&connection.uuid, connection.kill_switch()?);
        match kill_switch.lift_earlier() {
            Ok(true) => {
                tracing::info!("let traffic through again that was stopped since the last time");
            }
            Ok(false) => {}
            Err(error) => tracing::warn!("{}", journal::chain(&error)),
        }
        let ending = match (kill_switch.choices(), path) {
            (Some(_), Some(path)) => Some(Ending::watch(bus, caller, path).await?),
            (Some(_), None) | (None, _) => None,
        };
        Ok(Self {
            routes: connection.keeps_routes()?.then(KeptRoutes::default),
            routes_may_differ: false,
            kill_switch,
            ending,
            is_unwanted: false,
        })
    }

    /// Whether a browser is not let out once the tunnel was up.
    pub(crate) fn stops_browsers(&self) -> bool {
        let choices = self.kill_switch.choices();
        choices.is_some_and(|choices| !choices.sign_in)
    }

    /// When to call [`Self::keep`] although nothing has happened.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.routes.as_ref().and_then(KeptRoutes::due)
    }

    /// Resolves when [`Self::keep`] has something to do. Nothing is lost if the future is dropped.
    pub(crate) async fn changed(&mut self) {
        let told = async {
            match &mut self.ending {
                Some(ending) => ending.changed().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = told => {}
            () = self.kill_switch.disturbed() => {}
        }
    }

    /// The kernel has told of a change of the network.
    pub(crate) fn network_changed(&mut self) {
        self.routes_may_differ = true;
    }

    /// NetworkManager has asked for the end, for whatever reason.
    pub(crate) async fn end_asked_for(&mut self) {
        self.is_unwanted = match &mut self.ending {
            Some(ending) => ending.so_far().await.is_wanted(),
            None => true,
        };
    }

    /// Routes are kept from when NetworkManager has set them until it is about to set others.
    pub(crate) fn follow(&mut self, input: &Input) {
        let Some(routes) = &mut self.routes else {
            return;
        };
        match input {
            Input::Shown(Shown::Activated) => {
                routes.begin(Instant::now());
                self.routes_may_differ = true;
            }
            Input::Shown(_) | Input::Disconnect => routes.forget(),
            Input::Resolved { .. }
            | Input::NotStarted(_)
            | Input::NotSent(_)
            | Input::Management(_)
            | Input::OpenVpnEnded(_)
            | Input::NewSecrets(_)
            | Input::Unprotected(_)
            | Input::Surroundings(_)
            | Input::Renew
            | Input::NetworkManagerGone
            | Input::Second(_)
            | Input::SecondEnded(_)
            | Input::TimePassed => {}
        }
    }

    /// NetworkManager is about to be given settings: it sets and removes routes before it says
    /// that it does.
    pub(crate) fn settings_change(&mut self) {
        if let Some(routes) = &mut self.routes {
            routes.forget();
        }
    }

    /// From now on, only what is for the tunnel of `device` leaves the computer.
    pub(crate) fn close(
        &mut self,
        session: &Session,
        device: Option<&TunDevice>,
    ) -> Result<(), KillSwitchError> {
        let device = device.map_or("", TunDevice::name);
        self.kill_switch
            .close(device, &session.endpoints(), session.awaits_browser())
    }

    /// Looks after both: routes that somebody has taken away are put back, but not while the tunnel
    /// is lost; a closed kill switch follows the endpoint, the networks around and the person.
    pub(crate) fn keep(&mut self, session: &Session, device: Option<&TunDevice>) {
        let now = Instant::now();
        let is_due = self.due().is_some_and(|due| due <= now);
        if let (Some(routes), Some(device)) = (&mut self.routes, device)
            && session.is_up()
            && (self.routes_may_differ || is_due)
        {
            self.routes_may_differ = false;
            kept_routes::keep(routes, device.index(), now);
        }
        if self.kill_switch.is_closed()
            && !session.is_stopping()
            && let Err(error) = self.close(session, device)
        {
            // What is in the kernel stays, and stops more than it has to, not less.
            tracing::warn!("{}", journal::chain(&error));
        }
    }

    /// The connection is over: whoever took it down wants the rest of the network; whoever lost it
    /// does not.
    pub(crate) async fn let_go(&mut self) {
        let was_up = match &mut self.ending {
            Some(ending) => ending.so_far().await.was_up(),
            None => true,
        };
        if was_up && !self.is_unwanted {
            if self.kill_switch.is_closed() {
                tracing::warn!(
                    "the kill switch still stops traffic outside the VPN: connect again, or take \
                     it away as root with '{} --lift-kill-switch'",
                    std::env::current_exe().unwrap_or_default().display()
                );
            }
            return;
        }
        if let Err(error) = self.kill_switch.open() {
            tracing::error!("{}", journal::chain(&error));
        }
    }
}
