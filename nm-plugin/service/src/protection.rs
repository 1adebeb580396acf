//! What keeps traffic in the tunnel while the connection is wanted: its kill switch and its routes.
//!
//! The activation tells of what happens, and has both looked after when it has done everything else.

use crate::dbus::connection::{Connection as VpnConnection, InvalidConnection};
use crate::dbus::network_manager::{self, NetworkManager};
use crate::endpoint_routes::EndpointRoutes;
use crate::enforced_routes::{self, EnforcedRoutes};
use crate::journal;
use crate::kill_switch::{self, KillSwitch, KillSwitchError};
use crate::logind;
use crate::openvpn::tun_device::TunDevice;
use crate::route_guard;
use aws_client_vpn_profile::parts::Proxy;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::well_known;
use aws_client_vpn_session::kill_switch::FirewallPolicy;
use aws_client_vpn_session::network_manager::{Disconnect, VpnState};
use aws_client_vpn_session::route_guard::RouteGuard;
use aws_client_vpn_session::session::{Input, Session, WebAccess, WebBlocked};
use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

/// What nm-aws-client-vpn-kill-switch.path watches.
const CONNECTION_DIRECTORIES: [&str; 2] = [
    "/etc/NetworkManager/system-connections",
    "/run/NetworkManager/system-connections",
];
/// How long nothing has to change in them.
const QUIET: Duration = Duration::from_secs(3);
/// How often it is looked, within the time that the unit has.
const MOST_LOOKS: usize = 6;
/// How many addresses have a way of their own while a tunnel is looked for.
const MOST_WAYS: usize = 64;

/// The protection of one activation.
pub(crate) struct Protection {
    /// The routes into the tunnel, where the user wants them kept.
    routes: Option<RouteGuard>,
    /// The routes that go before all others, where the user wants that.
    enforced: Option<EnforcedRoutes>,
    /// The routes to the endpoint.
    endpoint: EndpointRoutes,
    /// Whether the kernel has told of a change since they were last looked at.
    routes_may_differ: bool,
    kill_switch: KillSwitch,
    /// Whether a person has asked for this activation.
    is_asked_for: bool,
    /// Whether the kill switch has had its last word.
    is_over: bool,
    /// Whether all of it ends with the computer, in a moment.
    is_shutting_down: bool,
}

impl Protection {
    /// As the settings of `connection` want it.
    pub(crate) async fn begin(
        network_manager: &mut NetworkManager,
        connection: &VpnConnection,
    ) -> Result<Self, InvalidConnection> {
        let mut kill_switch = KillSwitch::new(&connection.uuid, connection.kill_switch()?);
        lift_deleted(network_manager).await;
        if let Err(error) = kill_switch.begin() {
            tracing::warn!("{}", journal::error_chain(&error));
        }
        enforced_routes::remove_left_over();
        if kill_switch.was_left_closed() {
            tracing::info!("traffic outside the VPN is still blocked since the last time");
        }
        let is_asked_for = !network_manager.activates_by_itself().await;
        let routes = connection.keeps_routes()?.then(RouteGuard::default);
        let enforced = connection.enforces_routes()?.then(EnforcedRoutes::default);
        Ok(Self {
            enforced,
            ..Self::new(kill_switch, is_asked_for, routes)
        })
    }

    fn new(kill_switch: KillSwitch, is_asked_for: bool, routes: Option<RouteGuard>) -> Self {
        Self {
            routes,
            enforced: None,
            endpoint: EndpointRoutes::default(),
            routes_may_differ: false,
            kill_switch,
            is_asked_for,
            is_over: false,
            is_shutting_down: false,
        }
    }

    /// Which sign-ins open the web.
    pub(crate) fn web_access(&self) -> WebAccess {
        let options = self.kill_switch.options();
        let for_any_sign_in = options.is_some_and(|options| options.sign_in);
        WebAccess {
            activation_requested_by_user: self.is_asked_for,
            for_any_sign_in,
            blocked: if options.is_none() || for_any_sign_in {
                WebBlocked::Never
            } else if self.kill_switch.was_left_closed() && !self.is_asked_for {
                WebBlocked::FromTheStart
            } else {
                WebBlocked::OnceUp
            },
        }
    }

    /// The addresses of `host`, where nobody is to be asked for them: traffic is stopped, no person has
    /// asked for the activation, and they are known from the last time. What packets went to then is
    /// the `proxy`, where there is one, and not what is behind it.
    pub(crate) fn known_addresses(&self, host: &str, proxy: Option<&Proxy>) -> Option<Vec<IpAddr>> {
        if proxy.is_some_and(|proxy| proxy.host != host) {
            return None;
        }
        let known = self.kill_switch.known_addresses();
        (!self.is_asked_for && !known.is_empty()).then_some(known)
    }

    /// Whether the tunnel's routes go before all others.
    pub(crate) fn enforces_routes(&self) -> bool {
        self.enforced.is_some()
    }

    /// When to call [`Self::keep`] although nothing has happened.
    pub(crate) fn due(&self) -> Option<Instant> {
        let routes = self.routes.as_ref().and_then(RouteGuard::due);
        routes.into_iter().chain(self.kill_switch.due()).min()
    }

    /// Resolves when [`Self::keep`] has something to do. Nothing is lost if the future is dropped.
    pub(crate) async fn disturbed(&mut self) {
        self.kill_switch.disturbed().await;
    }

    /// The kernel has told of a change of the network.
    pub(crate) fn network_changed(&mut self) {
        self.routes_may_differ = true;
        self.endpoint.may_differ();
        if let Some(enforced) = &mut self.enforced {
            enforced.may_differ();
        }
        if self.kill_switch.is_closed() {
            self.kill_switch.networks_changed();
        }
    }

    /// NetworkManager has asked for the end, for whatever reason; `end` is what it has said of it.
    /// Whoever took the connection down wants the rest of the network at once.
    pub(crate) fn end_asked_for(&mut self, end: Option<Disconnect>) {
        let was_left_closed = self.kill_switch.was_left_closed();
        if self
            .known(end)
            .is_none_or(|end| end.lifts_kill_switch(was_left_closed))
        {
            self.is_over = true;
            tell(self.kill_switch.free());
        }
    }

    /// Why the connection ends, where a kill switch has to know.
    fn known(&self, end: Option<Disconnect>) -> Option<Disconnect> {
        end.filter(|_| self.kill_switch.options().is_some())
    }

    /// NetworkManager is gone. Where the computer is being shut down, nothing stays stopped.
    pub(crate) async fn network_manager_gone(&mut self, bus: &zbus::Connection) {
        if self.kill_switch.is_closed() {
            self.is_shutting_down = logind::is_shutting_down(bus).await;
        }
    }

    /// Routes are kept from when NetworkManager has set them until it is about to set others.
    pub(crate) fn follow(&mut self, input: &Input) {
        // NetworkManager may have set the routes before the kernel was listened to.
        if let (Input::VpnState(VpnState::Activated), Some(enforced)) = (input, &mut self.enforced)
        {
            enforced.may_differ();
        }
        let Some(routes) = &mut self.routes else {
            return;
        };
        match input {
            Input::VpnState(VpnState::Activated) => {
                routes.begin(Instant::now());
                self.routes_may_differ = true;
            }
            Input::VpnState(VpnState::Deactivating(_) | VpnState::Ended(_)) | Input::Disconnect => {
                routes.forget()
            }
            // NetworkManager leaves them as they are while it asks for the sign-in that renews.
            Input::VpnState(VpnState::Connecting | VpnState::NeedAuth)
            | Input::Resolved { .. }
            | Input::NotStarted(_)
            | Input::Unsendable
            | Input::Management(_)
            | Input::OpenVpnEnded(_)
            | Input::NewSecrets(_)
            | Input::KillSwitchFailed(_)
            | Input::SettingsChanged
            | Input::Conditions(_)
            | Input::Renew
            | Input::Slept(_)
            | Input::NetworkManagerGone
            | Input::RenewalSaid(_)
            | Input::RenewalEnded(_)
            | Input::TimePassed => {}
        }
    }

    /// NetworkManager is about to be given settings: it sets and removes routes before it says
    /// that it does.
    pub(crate) fn settings_change(&mut self) {
        self.endpoint.begin();
        if let Some(routes) = &mut self.routes {
            routes.forget();
        }
    }

    /// From now on, only what is for a tunnel leaves the computer.
    ///
    /// That it has to is no part of what the session's state says of the firewall, which
    /// [`Self::keep_open`] follows: whether it could be done decides whether NetworkManager gets
    /// any settings, so it belongs to the effect that gives them. What only follows is tried again
    /// with the next input, and fails nobody.
    pub(crate) fn close(
        &mut self,
        session: &Session,
        device: Option<&TunDevice>,
    ) -> Result<(), KillSwitchError> {
        let policy = self.policy(session, device);
        self.kill_switch.close(policy)
    }

    /// Looks after the tunnel's routes and addresses: what somebody has taken away is put back, but not
    /// while the tunnel is lost.
    pub(crate) fn keep(&mut self, session: &Session, device: Option<&TunDevice>) {
        let now = Instant::now();
        if let (Some(routes), Some(device)) = (&mut self.routes, device) {
            self.routes_may_differ |= routes.is_due(now);
            if session.is_up() && std::mem::take(&mut self.routes_may_differ) {
                route_guard::keep(routes, device, now);
            }
        }
        self.keep_enforced(session, device);
        self.keep_open(session, device);
    }

    /// Routes are enforced as long as NetworkManager has them set, but for a login: the name server
    /// around may be at an address that is the tunnel's, too.
    fn keep_enforced(&mut self, session: &Session, device: Option<&TunDevice>) {
        let Some(enforced) = &mut self.enforced else {
            return;
        };
        if session.needs_network_outside_tunnel() {
            enforced.give_back();
        } else if let Some(device) = device
            && !session.is_stopping()
        {
            enforced.follow(device.index(), addresses_of(session));
        }
    }

    /// The endpoint's addresses are reached outside the tunnel, whichever network there is.
    pub(crate) fn keep_endpoint_reachable(&mut self, session: &Session) {
        if !session.is_stopping() {
            self.endpoint.follow(|| ways_wanted(session));
        }
    }

    /// Has a closed kill switch, of this connection or of another, follow what the session needs
    /// now: the endpoint, its name, the person's browser.
    pub(crate) fn keep_open(&mut self, session: &Session, device: Option<&TunDevice>) {
        self.keep_endpoint_reachable(session);
        if self.is_over || session.is_stopping() {
            self.kill_switch.renew_no_more();
            return;
        }
        let policy = self.policy(session, device);
        if let Err(error) = self.kill_switch.follow(policy) {
            // What is in the kernel stays, and stops more than it has to, not less.
            tracing::warn!("{}", journal::error_chain(&error));
        }
    }

    fn policy(&self, session: &Session, device: Option<&TunDevice>) -> FirewallPolicy {
        let policy = session.firewall();
        FirewallPolicy {
            device: device.map(|device| device.name().to_owned()),
            names: policy.names && self.looks_up(session.profile()),
            ..policy
        }
    }

    /// Whether a name of `profile` has to be looked up.
    fn looks_up(&self, profile: &Profile) -> bool {
        let proxy = profile.proxy();
        let mut remotes = profile.remotes().iter();
        remotes.any(|remote| self.known_addresses(&remote.host, proxy).is_none())
    }

    /// OpenVPN has ended, and needs no way to its endpoint.
    pub(crate) fn endpoint_left(&mut self) {
        self.endpoint.end();
    }

    /// The connection has ended. If nobody took it down, traffic stays blocked.
    pub(crate) fn let_go(&mut self, end: Option<Disconnect>) {
        if let Some(mut enforced) = self.enforced.take() {
            enforced.give_back();
        }
        if self.is_over {
            return;
        }
        self.is_over = true;
        let was_left_closed = self.kill_switch.was_left_closed();
        let was_up = self.known(end).is_none_or(|end| end.was_up());
        if !self.kill_switch.is_closed() || (!was_up && !was_left_closed) {
            tell(self.kill_switch.open());
            return;
        }
        tell(self.kill_switch.leave(was_up));
        if !self.is_shutting_down {
            tracing::warn!(
                "the kill switch still blocks traffic outside the VPN: connect again and then \
                 disconnect, or lift it with 'sudo aws-client-vpn doctor --fix'"
            );
        }
    }
}

/// The addresses of the endpoint that have a way outside of their own. That all of them are the
/// endpoint's is only a name server's word: while a tunnel is up, the one that it uses has proved it.
fn ways_wanted(session: &Session) -> Vec<IpAddr> {
    let mut addresses = session.endpoint_addresses();
    addresses.truncate(if session.is_up() { 1 } else { MOST_WAYS });
    addresses
}

/// The addresses that OpenVPN may send packets to.
fn addresses_of(session: &Session) -> Vec<IpAddr> {
    let endpoints = session.firewall().endpoints.into_iter();
    endpoints.map(|endpoint| endpoint.address).collect()
}

fn tell(done: Result<(), KillSwitchError>) {
    if let Err(error) = done {
        tracing::error!("{}", journal::error_chain(&error));
    }
}

/// The connection `uuid` was taken down before its service knew more of it: who took it down wants
/// the rest of the network, which an earlier activation may have left stopped.
pub(crate) fn taken_down(uuid: &str, end: Disconnect) {
    if end.lifts_kill_switch(true) {
        tell(kill_switch::lift(|left| left == uuid).map(drop));
    }
}

/// Unblocks what deleted connections still block: nobody could take them down any more.
pub(crate) async fn lift_deleted(network_manager: &NetworkManager) {
    let lifted = async {
        for uuid in kill_switch::left_closed()? {
            if network_manager.has_deleted(&uuid).await {
                lift_one(&uuid)?;
            }
        }
        Ok::<(), KillSwitchError>(())
    };
    if let Err(error) = lifted.await {
        tracing::warn!("{}", journal::error_chain(&error));
    }
}

/// The same, for whoever calls this as root, as the unit does that systemd starts when NetworkManager's
/// files change. Of what changes until that unit has ended systemd says nothing (`path_enter_running`
/// in its path.c), so it ends only when nothing has changed for a while.
pub(crate) async fn lift_all_deleted() -> Result<(), Box<dyn std::error::Error>> {
    // One that no connection has turned on is like one whose connection is deleted.
    kill_switch::lift(|_| false)?;
    if kill_switch::left_closed()?.is_empty() {
        return Ok(());
    }
    let bus = zbus::Connection::system().await?;
    let name = well_known::network_manager::NAME;
    for _ in 0..MOST_LOOKS {
        let before = changed_at();
        for uuid in kill_switch::left_closed()? {
            let is_deleted = network_manager::is_deleted(&bus, name, &uuid).await;
            if is_deleted.ok_or("NetworkManager does not answer")? {
                lift_one(&uuid)?;
            }
        }
        if kill_switch::left_closed()?.is_empty() {
            break;
        }
        tokio::time::sleep(QUIET).await;
        if changed_at() == before {
            break;
        }
    }
    Ok(())
}

/// When connections were last added or deleted, as the directories of their files say.
fn changed_at() -> [Option<SystemTime>; 2] {
    CONNECTION_DIRECTORIES.map(|directory| fs::metadata(directory).ok()?.modified().ok())
}

fn lift_one(uuid: &str) -> Result<(), KillSwitchError> {
    kill_switch::lift(|left| left == uuid)?;
    tracing::info!("lifted the kill switch of the deleted connection {uuid}");
    Ok(())
}

#[cfg(test)]
mod tests;
