//! NetworkManager as one activation knows it: what it asks for, what it says of the connection, and
//! what it is told. All that it does comes in one stream, [`NetworkManager::next`].

use super::config;
use super::connection::Dictionary;
use super::{PATH, Plugin, PluginError, Request, properties, property};
use aws_client_vpn_profile::well_known::active_state::{ACTIVATING, DEACTIVATED, DEACTIVATING};
use aws_client_vpn_profile::well_known::network_manager::{
    self, ACTIVE, CONNECTION, INVALID_CONNECTION, SETTINGS, SETTINGS_PATH, VPN,
};
use aws_client_vpn_profile::well_known::state_reason::USER_DISCONNECTED;
use aws_client_vpn_session::network_manager::ip_config::IpConfig;
use aws_client_vpn_session::network_manager::{Disconnect, Reason, VpnState};
use aws_client_vpn_session::session::{FailureReason, ServiceState};
use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::time::Duration;
use tokio::sync::mpsc;
use zbus::names::{OwnedUniqueName, UniqueName};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{MatchRule, MessageStream, message};

/// How long the bus may take for a signal.
const SIGNAL_LIMIT: Duration = Duration::from_secs(2);
/// How long NetworkManager may take for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long it may take for all of [`NetworkManager::first_look`]: it gives up on a service whose name
/// is not on the bus after five seconds (nm-vpn-connection.c).
const FIRST_LOOK_LIMIT: Duration = Duration::from_millis(1500);
/// The errors of a bus on which there is no such object.
const NO_OBJECT: [&str; 2] = [
    "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.DBus.Error.UnknownMethod",
];
/// How long it may take to say Disconnect after a failure.
const FAREWELL_LIMIT: Duration = Duration::from_secs(3);
/// How long it may take from then on to remove its object of the activation. Nobody waits for that.
const REMOVAL_LIMIT: Duration = Duration::from_secs(15);

/// What NetworkManager does.
#[derive(Debug)]
pub(crate) enum Event {
    /// NetworkManager asks for something.
    Asked(Request),
    /// NetworkManager shows the connection to everybody in another state.
    VpnState(VpnState),
    /// NetworkManager is gone from the bus, or the bus is. This comes once.
    Gone,
}

/// What NetworkManager shows of the activation before its first call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FirstLook {
    /// The connection is on its way.
    Activating {
        /// Its UUID, where it can be had.
        uuid: Option<String>,
    },
    /// The connection is being taken down already, or is gone.
    Over {
        /// Why.
        end: Disconnect,
        /// Its UUID, where it can be had.
        uuid: Option<String>,
    },
}

/// NetworkManager.
pub(crate) struct NetworkManager {
    bus: zbus::Connection,
    requests: mpsc::Receiver<Request>,
    /// NetworkManager's object of the activation, if the name we have tells which it is.
    activation: Option<OwnedObjectPath>,
    /// What [`NetworkManager::activates_by_itself`] has found.
    activates_by_itself: Option<bool>,
    /// The process that has asked for the connection.
    caller: Option<Caller>,
    /// The connection's settings as [`NetworkManager::remember_settings`] has found them.
    settings: Option<Dictionary>,
    is_gone: bool,
    /// Whether the bus takes signals still.
    takes_signals: bool,
    /// Whether it was told of a failure, and says Disconnect.
    is_to_disconnect: bool,
    /// Whether it has said so.
    has_disconnected: bool,
}

/// A process on the bus, and what it says.
struct Caller {
    name: OwnedUniqueName,
    owner_changes: MessageStream,
    /// What it shows of the activation. Two of its interfaces tell of states, and what they tell has
    /// to stay in order.
    states: Option<MessageStream>,
    /// What is known for [`NetworkManager::end_so_far`], and is still to come in the stream.
    heard: VecDeque<VpnState>,
    end: Disconnect,
}

impl NetworkManager {
    /// On `bus`, where the service has `bus_name` and what is asked for comes to `requests`.
    pub(crate) fn new(
        bus: &zbus::Connection,
        bus_name: &str,
        requests: mpsc::Receiver<Request>,
    ) -> Self {
        Self {
            bus: bus.clone(),
            requests,
            activation: activation_path(bus_name),
            activates_by_itself: None,
            caller: None,
            settings: None,
            is_gone: false,
            takes_signals: true,
            is_to_disconnect: false,
            has_disconnected: false,
        }
    }

    /// The bus it is on.
    pub(crate) fn bus(&self) -> &zbus::Connection {
        &self.bus
    }

    /// NetworkManager's object of the activation.
    pub(crate) fn activation(&self) -> Option<&str> {
        self.activation.as_ref().map(|path| path.as_str())
    }

    /// Hears what it says of the activation, and asks how that stands.
    ///
    /// Call it before the service takes its name: if the connection is being taken down by then, the
    /// appearance of the name makes NetworkManager go on connecting (`_name_owner_changed` and
    /// `_set_vpn_state` of nm-vpn-connection.c).
    pub(crate) async fn first_look(&mut self) -> FirstLook {
        match tokio::time::timeout(FIRST_LOOK_LIMIT, self.properties()).await {
            Ok(Ok(Some(properties))) => first_look_at(&properties),
            // There is no such object any more.
            Ok(Err(zbus::Error::MethodError(error, ..))) if NO_OBJECT.contains(&error.as_str()) => {
                FirstLook::Over {
                    end: Disconnect::default(),
                    uuid: None,
                }
            }
            Ok(Ok(None) | Err(_)) | Err(_) => FirstLook::Activating { uuid: None },
        }
    }

    /// The properties of its object of the activation, whose changes are heard from then on; `None` if
    /// NetworkManager is not there, or it is not known which object that is.
    async fn properties(&mut self) -> zbus::Result<Option<HashMap<String, OwnedValue>>> {
        let Some(path) = self.activation.clone() else {
            return Ok(None);
        };
        let bus = zbus::fdo::DBusProxy::new(&self.bus).await?;
        let name = network_manager::NAME.try_into()?;
        let Ok(owner) = bus.get_name_owner(name).await else {
            return Ok(None);
        };
        self.track(owner.clone()).await?;
        Ok(Some(properties(&self.bus, &owner, &path, ACTIVE).await?))
    }

    /// From now on it is the process `name`: signals go there, and what it says is heard.
    pub(crate) async fn track(&mut self, name: OwnedUniqueName) -> zbus::Result<()> {
        if self
            .caller
            .as_ref()
            .is_some_and(|caller| caller.name == name)
        {
            return Ok(());
        }
        let signals = || MatchRule::builder().msg_type(message::Type::Signal);
        let owner_changes = signals()
            .sender("org.freedesktop.DBus")?
            .interface("org.freedesktop.DBus")?
            .member("NameOwnerChanged")?
            .arg(0, name.as_str())?
            .build();
        let owner_changes = MessageStream::for_match_rule(owner_changes, &self.bus, None).await?;
        let states = match &self.activation {
            Some(path) => {
                let rule = signals().sender(name.as_str())?.path(path.as_ref())?;
                Some(MessageStream::for_match_rule(rule.build(), &self.bus, None).await?)
            }
            None => None,
        };
        self.is_gone = false;
        self.caller = Some(Caller {
            name,
            owner_changes,
            states,
            heard: VecDeque::new(),
            end: Disconnect::default(),
        });
        Ok(())
    }

    /// What it does next. Nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Event {
        let is_gone = self.is_gone;
        let event = tokio::select! {
            Some(request) = self.requests.recv() => Event::Asked(request),
            event = next_of(&mut self.caller, is_gone) => event,
        };
        self.is_gone |= matches!(event, Event::Gone);
        self.has_disconnected |= matches!(event, Event::Asked(Request::Disconnect { .. }));
        event
    }

    /// What it has said up to now of the end of the connection; `None` if that is not heard.
    pub(crate) async fn end_so_far(&mut self) -> Option<Disconnect> {
        let caller = self.caller.as_mut()?;
        let states = caller.states.as_mut()?;
        while let Some(Some(signal)) = poll_once(states.next()).await {
            if let Some(state) = signal.ok().as_ref().and_then(state_in) {
                caller.end.take_in(state);
                caller.heard.push_back(state);
            }
        }
        Some(caller.end)
    }

    /// The same of the connection `uuid`, with the true reason.
    pub(crate) async fn end_of(&mut self, uuid: &str) -> Option<Disconnect> {
        let end = self.end_so_far().await?;
        Some(match self.is_mistaken(end.reason(), uuid).await {
            true => end.not_deleted(),
            false => end,
        })
    }

    /// A `state` of the connection `uuid`, with the true reason.
    pub(crate) async fn with_reason(&self, state: VpnState, uuid: &str) -> VpnState {
        match self.is_mistaken(state.end(), uuid).await {
            true => state.not_deleted(),
            false => state,
        }
    }

    /// Whether it calls the connection `uuid` removed, which is there.
    async fn is_mistaken(&self, reason: Option<Reason>, uuid: &str) -> bool {
        reason == Some(Reason::ConnectionRemoved) && !self.has_deleted(uuid).await
    }

    /// Whether it activates this connection by itself: as a secondary connection of another, which
    /// is not up before its secondary ones are. It does not tell who has asked for an activation,
    /// and with the flag "can-persist" it begins no new one on its own (nm-vpn-connection.c), so that
    /// no other kind is left. The settings of the other are not asked: they may have been changed
    /// since it was activated with them. It is asked until it has answered.
    pub(crate) async fn activates_by_itself(&mut self) -> bool {
        if let Some(known) = self.activates_by_itself {
            return known;
        }
        let (Some(caller), Some(path)) = (&self.caller, &self.activation) else {
            return false;
        };
        let (bus, to) = (&self.bus, caller.name.as_str());
        let asked = async {
            let of: OwnedObjectPath =
                property(bus, to, path.as_str(), ACTIVE, "SpecificObject").await?;
            property::<u32>(bus, to, of.as_str(), ACTIVE, "State").await
        };
        let answer = tokio::time::timeout(ANSWER_LIMIT, asked).await;
        let Ok(Ok(state)) = answer else { return false };
        *self.activates_by_itself.insert(state == ACTIVATING)
    }

    /// Whether it says that there is no connection `uuid`.
    pub(crate) async fn has_deleted(&self, uuid: &str) -> bool {
        match &self.caller {
            Some(caller) => is_deleted(&self.bus, caller.name.as_str(), uuid).await == Some(true),
            None => false,
        }
    }

    /// Keeps the connection's settings in mind, for [`NetworkManager::has_changed_settings`], as they
    /// are at the first call.
    pub(crate) async fn remember_settings(&mut self) {
        if self.settings.is_none() {
            self.settings = self.settings().await;
        }
    }

    /// Whether the connection's settings differ from those that were remembered. It asks nobody for
    /// secrets then, and ends the connection ("The connection was modified since activation", in
    /// nm-settings-connection.c).
    pub(crate) async fn has_changed_settings(&self) -> bool {
        self.settings.is_some() && {
            let now = self.settings().await;
            now.is_some() && now != self.settings
        }
    }

    /// The connection's settings; `None` if they cannot be had.
    async fn settings(&self) -> Option<Dictionary> {
        let (caller, path) = (self.caller.as_ref()?, self.activation.as_ref()?);
        let (bus, to) = (&self.bus, caller.name.as_str());
        let asked = async {
            let of: OwnedObjectPath =
                property(bus, to, path.as_str(), ACTIVE, "Connection").await?;
            let reply = bus
                .call_method(Some(to), &of, Some(CONNECTION), "GetSettings", &())
                .await?;
            reply.body().deserialize::<Dictionary>()
        };
        let answer = tokio::time::timeout(ANSWER_LIMIT, asked).await;
        let mut settings = answer.ok()?.ok()?;
        // It sets this one itself.
        settings.get_mut("connection")?.remove("timestamp");
        Some(settings)
    }

    /// Tells it the state of the service.
    pub(crate) async fn announce(&mut self, state: ServiceState) {
        self.signal(async |to| Plugin::announce_state(to, state as u32).await)
            .await;
    }

    /// Asks it for secrets.
    pub(crate) async fn require_secrets(&mut self, message: &str, hints: &[String]) {
        self.signal(async |to| Plugin::secrets_required(to, message, hints).await)
            .await;
    }

    /// Hands the settings of the interface `device` over to it.
    pub(crate) async fn configure(&mut self, ip_config: &IpConfig, device: &str) {
        let (general, ipv4, ipv6) = config::dictionaries(ip_config, device);
        self.signal(async |to| Plugin::config(to, general).await)
            .await;
        if let Some(ipv4) = ipv4 {
            self.signal(async |to| Plugin::ip4_config(to, ipv4).await)
                .await;
        }
        if let Some(ipv6) = ipv6 {
            self.signal(async |to| Plugin::ip6_config(to, ipv6).await)
                .await;
        }
    }

    /// Tells it of a failure.
    pub(crate) async fn fail(&mut self, reason: FailureReason) {
        self.is_to_disconnect = true;
        self.signal(async |to| Plugin::failure(to, reason as u32).await)
            .await;
    }

    /// Stays on the bus until NetworkManager has said Disconnect, if it is to, and has removed its object
    /// of the activation. It takes the loss of the name for a further reason of a failure where that
    /// comes before: it removes the object once it is idle (`active_connection_state_changed` in
    /// nm-manager.c).
    pub(crate) async fn await_end(&mut self) {
        if self.is_to_disconnect && !self.has_disconnected {
            let disconnected = async {
                while !self.has_disconnected && !self.is_gone {
                    self.next_after_the_end().await;
                }
            };
            // Then the name goes all the same.
            drop(tokio::time::timeout(FAREWELL_LIMIT, disconnected).await);
        }
        if self.has_disconnected {
            let removed = self.removed();
            let removed_or_gone = async {
                tokio::pin!(removed);
                while !self.is_gone {
                    tokio::select! {
                        () = self.next_after_the_end() => {}
                        () = &mut removed => return,
                    }
                }
            };
            drop(tokio::time::timeout(REMOVAL_LIMIT, removed_or_gone).await);
        }
    }

    /// What it does next; what it asks for is refused.
    async fn next_after_the_end(&mut self) {
        let text = || "the connection is down".to_owned();
        match self.next().await {
            Event::Asked(Request::Disconnect { reply }) => {
                drop(reply.send(Err(PluginError::AlreadyStopped(text()))));
            }
            Event::Asked(Request::Connect { reply, .. } | Request::NewSecrets { reply, .. }) => {
                drop(reply.send(Err(PluginError::WrongState(text()))));
            }
            Event::VpnState(_) | Event::Gone => {}
        }
    }

    /// Waits until its object of the activation is gone; not at all where that cannot be heard.
    fn removed(&self) -> impl Future<Output = ()> + use<> {
        let caller = self.caller.as_ref().map(|caller| caller.name.clone());
        let (bus, path) = (self.bus.clone(), self.activation.clone());
        async move {
            if let (Some(caller), Some(path)) = (caller, path) {
                drop(removed(&bus, &caller, &path).await);
            }
        }
    }

    /// Sends a signal; if the bus is gone, the activation's end is near anyway. Signals go to the one
    /// process that asked for the connection, because anybody on the bus may listen to a broadcast.
    async fn signal(&mut self, emit: impl AsyncFnOnce(&SignalEmitter<'_>) -> zbus::Result<()>) {
        // A bus that was killed takes nothing, and would hold up what has to be done all the same.
        let Some(caller) = self.caller.as_ref().filter(|_| self.takes_signals) else {
            return;
        };
        let to: UniqueName<'_> = caller.name.as_ref();
        let sent = match SignalEmitter::new(&self.bus, PATH) {
            Ok(emitter) => {
                let emitter = emitter.set_destination(to.into());
                tokio::time::timeout(SIGNAL_LIMIT, emit(&emitter)).await
            }
            Err(error) => Ok(Err(error)),
        };
        let why = match sent {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the bus does not take it".to_owned(),
        };
        self.takes_signals = false;
        // As at each shutdown: nobody is left to be told.
        tracing::info!("could not send a signal to NetworkManager: {why}");
    }
}

async fn next_of(caller: &mut Option<Caller>, is_gone: bool) -> Event {
    let Some(caller) = caller else {
        return pending().await;
    };
    if let Some(state) = caller.heard.pop_front() {
        return Event::VpnState(state);
    }
    tokio::select! {
        // Once: a bus that is gone would be ready again and again, and let nothing else be.
        () = gone(&mut caller.owner_changes), if !is_gone => Event::Gone,
        state = next_state(&mut caller.states) => {
            caller.end.take_in(state);
            Event::VpnState(state)
        }
    }
}

/// Waits until the bus says that the watched name has no owner any more, or is gone itself.
async fn gone(changes: &mut MessageStream) {
    while let Some(change) = changes.next().await {
        // A bus that was killed is an error in each stream, once, and then their end.
        let Ok(change) = change else { return };
        let owners = change.body().deserialize::<(String, String, String)>();
        if owners.is_ok_and(|(_, _, new_owner)| new_owner.is_empty()) {
            return;
        }
    }
}

async fn next_state(states: &mut Option<MessageStream>) -> VpnState {
    while let Some(stream) = states {
        match stream.next().await {
            Some(Ok(signal)) => {
                if let Some(state) = state_in(&signal) {
                    return state;
                }
            }
            Some(Err(_)) => {}
            None => *states = None,
        }
    }
    pending().await
}

/// Waits until `caller` has no object `path` any more.
async fn removed(
    bus: &zbus::Connection,
    caller: &OwnedUniqueName,
    path: &OwnedObjectPath,
) -> zbus::Result<()> {
    let removals = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .sender(caller.as_str())?
        .interface("org.freedesktop.DBus.ObjectManager")?
        .member("InterfacesRemoved")?
        .arg_path(0, path.as_str())?
        .build();
    let mut removals = MessageStream::for_match_rule(removals, bus, None).await?;
    // It may have been before that was heard.
    let state: zbus::Result<u32> = property(bus, caller, path.as_str(), ACTIVE, "State").await;
    if state.is_ok() {
        removals.next().await;
    }
    Ok(())
}

/// What a signal says of the state, if it is about that.
fn state_in(signal: &zbus::Message) -> Option<VpnState> {
    let header = signal.header();
    let (interface, member) = (header.interface()?.as_str(), header.member()?.as_str());
    let state = || signal.body().deserialize::<(u32, u32)>().ok();
    match (interface, member) {
        (VPN, "VpnStateChanged") => state().map(|(state, reason)| VpnState::of_vpn(state, reason)),
        (ACTIVE, "StateChanged") => {
            state().and_then(|(state, reason)| VpnState::of_active_connection(state, reason))
        }
        _ => None,
    }
}

/// What the properties of the activation's object say.
fn first_look_at(properties: &HashMap<String, OwnedValue>) -> FirstLook {
    let uuid: Option<&str> = properties.get("Uuid").and_then(|uuid| uuid.try_into().ok());
    let uuid = uuid.map(ToOwned::to_owned);
    let state = properties.get("State");
    match state.and_then(|state| state.try_into().ok()) {
        Some(DEACTIVATING) => {
            // There is no reason beside it. This state is only that of a connection that a person has taken
            // down or deleted (`nm_manager_deactivate_connection`), or whose user has logged out in this
            // moment; other ends skip it.
            let mut end = Disconnect::default();
            let taken_down = VpnState::of_active_connection(DEACTIVATING, USER_DISCONNECTED);
            taken_down.into_iter().for_each(|state| end.take_in(state));
            FirstLook::Over { end, uuid }
        }
        Some(DEACTIVATED) => FirstLook::Over {
            end: Disconnect::default(),
            uuid,
        },
        Some(_) | None => FirstLook::Activating { uuid },
    }
}

/// NetworkManager's object of an activation: it numbers the service's names like them
/// (nm-vpn-connection.c).
fn activation_path(bus_name: &str) -> Option<OwnedObjectPath> {
    let (_, number) = bus_name.rsplit_once(".Connection_")?;
    let number: u64 = number.parse().ok()?;
    let path = format!("/org/freedesktop/NetworkManager/ActiveConnection/{number}");
    OwnedObjectPath::try_from(path).ok()
}

/// Whether NetworkManager, on the bus as `name`, says that there is no connection `uuid`; `None` if it
/// does not answer in time.
pub(crate) async fn is_deleted(bus: &zbus::Connection, name: &str, uuid: &str) -> Option<bool> {
    let asked = bus.call_method(
        Some(name),
        SETTINGS_PATH,
        Some(SETTINGS),
        "GetConnectionByUuid",
        &uuid,
    );
    let answer = tokio::time::timeout(ANSWER_LIMIT, asked).await.ok()?;
    Some(match answer {
        Err(zbus::Error::MethodError(name, _, _)) => name.as_str() == INVALID_CONNECTION,
        Ok(_) | Err(_) => false,
    })
}

#[cfg(test)]
mod tests;
