//! `org.freedesktop.NetworkManager.SecretAgent`, for NetworkManager and nobody else.

use crate::exchange::{Ask, Get, Reply};
use crate::request::Connection;
use aws_client_vpn_keyring as keyring;
use aws_client_vpn_network_manager::settings::{Settings, Stored};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use zbus::message::Header;
use zbus::zvariant::{OwnedObjectPath, Value};

/// The answer to `GetSecrets`.
type Secrets = HashMap<&'static str, HashMap<&'static str, Value<'static>>>;

/// What NetworkManager is told.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.NetworkManager.SecretAgent")]
pub enum AgentError {
    /// Of D-Bus itself.
    #[zbus(error)]
    ZBus(zbus::Error),
    /// Another agent may know.
    NoSecrets(String),
    /// The user does not want to: no other agent is asked.
    UserCanceled(String),
    /// The request was taken back.
    AgentCanceled(String),
    /// The agent or the keyring cannot.
    Failed(String),
    /// Whoever calls is not NetworkManager.
    PermissionDenied(String),
}

/// The object that NetworkManager calls.
#[derive(Debug)]
pub struct SecretAgent {
    asks: mpsc::UnboundedSender<Ask>,
    caller: Caller,
}

/// Who NetworkManager is.
#[derive(Debug, Clone, Default)]
pub struct Caller(Arc<Mutex<Manager>>);

#[derive(Debug, Default)]
struct Manager {
    /// Its unique name on the bus, as long as it is there.
    name: Option<String>,
    /// Whether this agent is registered with it.
    asks_us: bool,
}

impl Caller {
    /// Takes note of who NetworkManager is now, which has not registered this agent yet.
    pub fn set(&self, name: Option<String>) {
        if let Ok(mut manager) = self.0.lock() {
            *manager = Manager {
                name,
                asks_us: false,
            };
        }
    }

    /// It has registered this agent.
    pub(crate) fn registered(&self) {
        if let Ok(mut manager) = self.0.lock() {
            manager.asks_us = true;
        }
    }

    fn asks_us(&self) -> bool {
        self.0.lock().is_ok_and(|manager| manager.asks_us)
    }

    fn check(&self, header: &Header<'_>) -> Result<(), AgentError> {
        let name = self.0.lock().ok().and_then(|manager| manager.name.clone());
        let sender = header.sender().map(|sender| sender.as_str());
        if name.is_some() && name.as_deref() == sender {
            Ok(())
        } else {
            Err(AgentError::PermissionDenied(
                "you are not NetworkManager".to_owned(),
            ))
        }
    }
}

impl SecretAgent {
    /// An object that hands what it is asked to `asks`, if `caller` asks.
    pub fn new(asks: mpsc::UnboundedSender<Ask>, caller: Caller) -> Self {
        Self { asks, caller }
    }
}

#[zbus::interface(name = "org.freedesktop.NetworkManager.SecretAgent")]
impl SecretAgent {
    /// `GetSecrets(a{sa{sv}} connection, o path, s setting, as hints, u flags) -> a{sa{sv}}`
    async fn get_secrets(
        &self,
        connection: Settings,
        path: OwnedObjectPath,
        setting_name: String,
        hints: Vec<String>,
        flags: u32,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<Secrets, AgentError> {
        self.caller.check(&header)?;
        let none = || AgentError::NoSecrets("only for AWS Client VPN connections".to_owned());
        let connection = Connection::read(&path, &connection)
            .filter(|_| setting_name == "vpn")
            .ok_or_else(none)?;
        let (reply, answer) = oneshot::channel();
        let gone = |_| AgentError::Failed("the agent is about to end".to_owned());
        self.asks
            .send(Ask::Get(Get {
                connection,
                hints,
                flags,
                reply,
            }))
            .map_err(|_| gone(()))?;
        let secrets = match answer.await.map_err(|_| gone(()))? {
            Reply::Secrets(secrets) => secrets,
            Reply::Cancelled => return Err(AgentError::UserCanceled("by the user".to_owned())),
            Reply::TakenBack => return Err(AgentError::AgentCanceled("taken back".to_owned())),
            Reply::Nothing(why) => return Err(AgentError::NoSecrets(why)),
        };
        let secrets: HashMap<String, String> = secrets
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().to_owned()))
            .collect();
        let vpn = HashMap::from([("secrets", Value::from(secrets))]);
        Ok(HashMap::from([("vpn", vpn)]))
    }

    /// `CancelGetSecrets(o path, s setting)`
    async fn cancel_get_secrets(
        &self,
        path: OwnedObjectPath,
        _setting_name: String,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<(), AgentError> {
        if let Err(denied) = self.caller.check(&header) {
            // The service of a connection sees by the answer that an agent is there (its `agents`).
            return Err(match self.caller.asks_us() {
                true => AgentError::Failed("you have requested nothing".to_owned()),
                false => denied,
            });
        }
        drop(self.asks.send(Ask::TakeBack(path.to_string())));
        Ok(())
    }

    /// `SaveSecrets(a{sa{sv}} connection, o path)`: somebody has set a password in an editor.
    async fn save_secrets(
        &self,
        connection: Settings,
        path: OwnedObjectPath,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<(), AgentError> {
        self.caller.check(&header)?;
        let Some(connection) = Connection::read(&path, &connection) else {
            return Ok(());
        };
        let secrets = connection.to_keep();
        if secrets.is_empty() {
            return Ok(());
        }
        let Stored { uuid, name, .. } = &connection.stored;
        keyring::keep(uuid, name, &secrets)
            .await
            .map_err(|error| AgentError::Failed(error.to_string()))
    }

    /// `DeleteSecrets(a{sa{sv}} connection, o path)`: the connection is deleted.
    async fn delete_secrets(
        &self,
        connection: Settings,
        path: OwnedObjectPath,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<(), AgentError> {
        self.caller.check(&header)?;
        let Some(connection) = Stored::read(&path, &connection) else {
            return Ok(());
        };
        keyring::forget(&connection.uuid)
            .await
            .map_err(|error| AgentError::Failed(error.to_string()))
    }
}
