//! NetworkManager's interface `org.freedesktop.NetworkManager.VPN.Plugin` on the system bus.
//!
//! The methods decide nothing: each becomes a [`Request`] that the activation answers in the order
//! of arrival, so that signals and replies leave in the order NetworkManager needs. Every caller has
//! to be root.

mod config;
pub(crate) mod connection;
pub(crate) mod network_manager;
pub(crate) mod sign_in;

use connection::{Connection as VpnConnection, Dictionary, InvalidConnection};
use std::collections::HashMap;
use tokio::sync::{mpsc, oneshot};
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::{OwnedUniqueName, UniqueName};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

/// Where the interface is (nm-vpn-dbus-interface.h).
pub(crate) const PATH: &str = "/org/freedesktop/NetworkManager/VPN/Plugin";

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How many requests may wait for an answer.
pub(crate) const QUEUE: usize = 16;

/// The errors a caller sees (nm-errors.h).
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.NetworkManager.VPN.Error")]
pub(crate) enum PluginError {
    /// The bus itself failed.
    #[zbus(error)]
    Bus(zbus::Error),
    /// Not possible, for the reason given.
    Failed(String),
    /// The call does not fit the state: the connection is up already, or not up.
    WrongState(String),
    /// The connection is being taken down already.
    StoppingInProgress(String),
    /// The connection is down already.
    AlreadyStopped(String),
    /// The arguments make no sense.
    BadArguments(String),
    /// The profile cannot be used.
    InvalidConnection(String),
}

impl From<InvalidConnection> for PluginError {
    fn from(error: InvalidConnection) -> Self {
        Self::InvalidConnection(crate::journal::error_chain(&error))
    }
}

/// The reply to a request.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, PluginError>>;

/// What NetworkManager asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Bring a connection up.
    Connect {
        /// The connection, checked.
        connection: Box<VpnConnection>,
        /// Whether secrets may be asked for on the way.
        interactive: bool,
        /// Who asks: signals go there, and the connection ends with it.
        caller: OwnedUniqueName,
        /// Answered once the activation has begun.
        reply: Reply<()>,
    },
    /// Secrets that were asked for.
    NewSecrets {
        /// The connection, with the secrets in it.
        connection: Box<VpnConnection>,
        /// Answered once they are taken.
        reply: Reply<()>,
    },
    /// Take the connection down.
    Disconnect {
        /// Answered once that has begun.
        reply: Reply<()>,
    },
}

/// The object NetworkManager talks to.
pub(crate) struct Plugin {
    requests: mpsc::Sender<Request>,
    /// A caller that was checked; unique names are never given to another.
    root: Option<OwnedUniqueName>,
    /// Whether agents have been asked for what they keep.
    kept_secrets_asked: bool,
    /// Whether the profile itself has a `vpn.user-name`: then it is no login of this computer, and
    /// NetworkManager does not put that of the agent's user in its place.
    names_a_user: bool,
}

impl Plugin {
    /// An object that passes requests on to `requests`.
    pub(crate) fn new(requests: mpsc::Sender<Request>) -> Self {
        Self {
            requests,
            root: None,
            kept_secrets_asked: false,
            names_a_user: false,
        }
    }

    /// The connection, with its user only if that is the one whose agent has answered.
    fn checked(&self, connection: Dictionary) -> Result<Box<VpnConnection>, PluginError> {
        let mut connection = VpnConnection::try_from(connection)?;
        connection.user = connection.user.filter(|_| !self.names_a_user);
        Ok(Box::new(connection))
    }

    /// Lets nobody but root through; in a test, nobody but the user the service runs as.
    async fn check_caller(
        &mut self,
        bus: &zbus::Connection,
        header: &Header<'_>,
    ) -> Result<OwnedUniqueName, PluginError> {
        let sender = sender(header)?;
        if let Some(root) = &self.root
            && root.as_str() == sender.as_str()
        {
            return Ok(root.clone());
        }
        let uid = user_of(bus, sender).await?;
        if uid != rustix::process::geteuid().as_raw() {
            tracing::warn!("refused a call from user {uid}: only NetworkManager may call");
            return Err(PluginError::Failed(
                "only NetworkManager may call this".to_owned(),
            ));
        }
        let sender = OwnedUniqueName::from(sender.to_owned());
        self.root = Some(sender.clone());
        Ok(sender)
    }

    async fn begin(
        &mut self,
        bus: &zbus::Connection,
        header: &Header<'_>,
        connection: Dictionary,
        interactive: bool,
    ) -> Result<(), PluginError> {
        let caller = self.check_caller(bus, header).await?;
        let connection = self.checked(connection)?;
        ask(&self.requests, |reply| Request::Connect {
            connection,
            interactive,
            caller,
            reply,
        })
        .await
    }
}

/// The caller's name on the bus.
fn sender<'a>(header: &'a Header<'_>) -> Result<&'a UniqueName<'a>, PluginError> {
    let nameless = || PluginError::Failed("the caller has no name on the bus".to_owned());
    header.sender().ok_or_else(nameless)
}

/// The user that has this name on the bus.
async fn user_of(bus: &zbus::Connection, name: &UniqueName<'_>) -> Result<u32, PluginError> {
    let daemon = DBusProxy::new(bus).await?;
    let user = daemon.get_connection_unix_user(name.clone().into()).await;
    Ok(user.map_err(zbus::Error::from)?)
}

/// Passes a request on, and waits for the answer.
async fn ask<T>(
    requests: &mpsc::Sender<Request>,
    request: impl FnOnce(Reply<T>) -> Request,
) -> Result<T, PluginError> {
    let (reply, answer) = oneshot::channel();
    requests.send(request(reply)).await.map_err(|_| ending())?;
    answer.await.map_err(|_| ending())?
}

fn ending() -> PluginError {
    PluginError::Failed("the service is ending".to_owned())
}

#[zbus::interface(name = "org.freedesktop.NetworkManager.VPN.Plugin")]
impl Plugin {
    /// `Connect(a{sa{sv}} connection)`: without any way to ask for secrets.
    async fn connect(
        &mut self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
        connection: Dictionary,
    ) -> Result<(), PluginError> {
        self.begin(bus, &header, connection, false).await
    }

    /// `ConnectInteractive(a{sa{sv}} connection, a{sv} details)`: secrets may be asked for.
    async fn connect_interactive(
        &mut self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
        connection: Dictionary,
        _details: HashMap<String, OwnedValue>,
    ) -> Result<(), PluginError> {
        self.begin(bus, &header, connection, true).await
    }

    /// `NeedSecrets(a{sa{sv}} settings) → s`: the setting that lacks secrets, or nothing.
    ///
    /// `NeedSecrets` is for what an agent has kept. NetworkManager asks this again after each way
    /// to get secrets: first those of the connection's file, then what agents give without a
    /// person, then a person. That last way carries no hints, so nmcli could not serve it: what is
    /// still missing by then is asked for while connecting.
    async fn need_secrets(
        &mut self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
        settings: Dictionary,
    ) -> Result<String, PluginError> {
        self.check_caller(bus, &header).await?;
        let connection = VpnConnection::try_from(settings)?;
        let is_first = !std::mem::replace(&mut self.kept_secrets_asked, true);
        if is_first {
            // No agent has answered anything yet.
            self.names_a_user = connection.user.is_some();
        }
        let wanted = is_first && connection.may_have_kept_secrets();
        Ok(if wanted { "vpn" } else { "" }.to_owned())
    }

    /// `NewSecrets(a{sa{sv}} connection)`: the answer to SecretsRequired.
    async fn new_secrets(
        &mut self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
        connection: Dictionary,
    ) -> Result<(), PluginError> {
        self.check_caller(bus, &header).await?;
        let connection = self.checked(connection)?;
        ask(&self.requests, |reply| Request::NewSecrets {
            connection,
            reply,
        })
        .await
    }

    /// `Disconnect()`.
    async fn disconnect(
        &mut self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
    ) -> Result<(), PluginError> {
        self.check_caller(bus, &header).await?;
        ask(&self.requests, |reply| Request::Disconnect { reply }).await
    }

    /// `StateChanged(u)`.
    #[zbus(signal, name = "StateChanged")]
    pub(crate) async fn announce_state(emitter: &SignalEmitter<'_>, state: u32)
    -> zbus::Result<()>;

    /// `SecretsRequired(s message, as secrets)`.
    #[zbus(signal)]
    pub(crate) async fn secrets_required(
        emitter: &SignalEmitter<'_>,
        message: &str,
        secrets: &[String],
    ) -> zbus::Result<()>;

    /// `Config(a{sv})`.
    #[zbus(signal)]
    pub(crate) async fn config(
        emitter: &SignalEmitter<'_>,
        config: config::Settings<'_>,
    ) -> zbus::Result<()>;

    /// `Ip4Config(a{sv})`.
    #[zbus(signal, name = "Ip4Config")]
    pub(crate) async fn ip4_config(
        emitter: &SignalEmitter<'_>,
        config: config::Settings<'_>,
    ) -> zbus::Result<()>;

    /// `Ip6Config(a{sv})`.
    #[zbus(signal, name = "Ip6Config")]
    pub(crate) async fn ip6_config(
        emitter: &SignalEmitter<'_>,
        config: config::Settings<'_>,
    ) -> zbus::Result<()>;

    /// `Failure(u)`.
    #[zbus(signal)]
    pub(crate) async fn failure(emitter: &SignalEmitter<'_>, reason: u32) -> zbus::Result<()>;
}

/// Asks the program `to` for all properties of an interface.
pub(crate) async fn properties(
    bus: &zbus::Connection,
    to: &str,
    path: &str,
    interface: &str,
) -> zbus::Result<HashMap<String, OwnedValue>> {
    let reply = bus
        .call_method(Some(to), path, Some(PROPERTIES), "GetAll", &interface)
        .await?;
    reply.body().deserialize()
}

/// Asks the program `to` for a property.
pub(crate) async fn property<T: TryFrom<OwnedValue, Error: Into<zbus::zvariant::Error>>>(
    bus: &zbus::Connection,
    to: &str,
    path: &str,
    interface: &str,
    name: &str,
) -> zbus::Result<T> {
    let reply = bus
        .call_method(Some(to), path, Some(PROPERTIES), "Get", &(interface, name))
        .await?;
    let value: OwnedValue = reply.body().deserialize()?;
    value
        .try_into()
        .map_err(|error: T::Error| zbus::Error::Variant(error.into()))
}
