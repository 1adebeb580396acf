//! What NetworkManager is told to do, as the user of this command: it asks polkit whether they may.

use crate::network_manager::NetworkManagerError;
use aws_client_vpn_network_manager::settings::Settings;
use aws_client_vpn_profile::settings::Property;
use aws_client_vpn_profile::well_known::network_manager::{
    CONNECTION, NAME, PATH, SETTINGS, SETTINGS_PATH,
};
use aws_client_vpn_secret_agent::own_bus;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use zbus::proxy::MethodFlags;
use zbus::zvariant::{Dict, DynamicType, OwnedObjectPath, OwnedValue, Value};

/// A person may have to type the administrator's password first.
const LIMIT: Duration = Duration::from_secs(300);
/// `NM_SETTINGS_UPDATE2_FLAG_TO_DISK` and `NM_SETTINGS_ADD_CONNECTION2_FLAG_TO_DISK`.
const TO_DISK: u32 = 1;

type Details = HashMap<String, OwnedValue>;

/// NetworkManager on a bus.
#[derive(Debug, Clone)]
pub(crate) struct Manager {
    /// NetworkManager asks the agent on it first.
    pub(crate) bus: zbus::Connection,
}

impl Manager {
    pub(crate) async fn open() -> Result<Self, NetworkManagerError> {
        let bus = zbus::Connection::system().await;
        let bus = bus.map_err(|_| NetworkManagerError::NotRunning)?;
        Ok(Self { bus })
    }

    /// As [`Self::open`], to look at secrets and to change them.
    ///
    /// NetworkManager gives out those that it keeps only with what an agent adds to them, and has an
    /// agent keep those that are not its own to keep. What the agents of the session say to that is
    /// their business: one that knows nothing may answer with an error, and then NetworkManager gives
    /// out nothing; gnome-shell's forgets what it keeps when it is told of an update without it. So the
    /// agent that is asked is one of ours, which adds nothing.
    pub(crate) async fn of_secrets() -> Result<Self, NetworkManagerError> {
        let own = own_bus::connect()
            .await
            .map_err(|_| NetworkManagerError::NotRunning)?;
        let (bus, asks) = own.ok_or(NetworkManagerError::NotRunning)?;
        // Ends with the connection.
        tokio::spawn(own_bus::know_nothing(asks));
        Ok(Self { bus })
    }

    /// Adds a connection.
    pub(crate) async fn add(
        &self,
        settings: &Settings,
    ) -> Result<OwnedObjectPath, NetworkManagerError> {
        let body = (settings, TO_DISK, Details::new());
        let (path, _): (_, Details) = self
            .call(SETTINGS_PATH, SETTINGS, "AddConnection2", &body)
            .await?;
        Ok(path)
    }

    /// Replaces the settings and secrets of the connection at `path`.
    pub(crate) async fn update(
        &self,
        path: &str,
        settings: &Settings,
    ) -> Result<(), NetworkManagerError> {
        let body = (settings, TO_DISK, Details::new());
        let _: Details = self.call(path, CONNECTION, "Update2", &body).await?;
        Ok(())
    }

    /// The settings of the connection at `path`.
    pub(crate) async fn settings(&self, path: &str) -> Result<Settings, NetworkManagerError> {
        self.call(path, CONNECTION, "GetSettings", &()).await
    }

    /// What NetworkManager keeps of its secrets, if this is [`Self::of_secrets`].
    pub(crate) async fn secrets(&self, path: &str) -> Result<Settings, NetworkManagerError> {
        self.call(path, CONNECTION, "GetSecrets", &"vpn").await
    }

    /// Deletes it.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), NetworkManagerError> {
        self.call(path, CONNECTION, "Delete", &()).await
    }

    /// Connects, and returns the path of what is active then.
    pub(crate) async fn activate(
        &self,
        path: &str,
    ) -> Result<OwnedObjectPath, NetworkManagerError> {
        let any = object("/")?;
        let body = (object(path)?, &any, &any);
        let answer = self.call(PATH, NAME, "ActivateConnection", &body).await;
        if matches!(answer, Err(NetworkManagerError::NoNetwork)) {
            // It says the same of a connection that is gone.
            self.settings(path).await?;
        }
        answer
    }

    /// Takes down what is active at `path`, unless it is down already.
    pub(crate) async fn deactivate(&self, path: &str) -> Result<(), NetworkManagerError> {
        let body = (object(path)?,);
        match self.call(PATH, NAME, "DeactivateConnection", &body).await {
            // Here, "not active" is what is wanted.
            Err(NetworkManagerError::NoNetwork) => Ok(()),
            answer => answer,
        }
    }

    async fn call<B, R>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> Result<R, NetworkManagerError>
    where
        B: serde::Serialize + DynamicType,
        R: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
    {
        let call = async {
            let proxy = zbus::Proxy::new(&self.bus, NAME, path, interface).await?;
            let flags = MethodFlags::AllowInteractiveAuth.into();
            proxy.call_with_flags(method, flags, body).await
        };
        match tokio::time::timeout(LIMIT, call).await {
            Ok(Ok(Some(reply))) => Ok(reply),
            Ok(Ok(None)) | Err(_) => Err(NetworkManagerError::NoAnswer),
            Ok(Err(error)) => Err(error.into()),
        }
    }
}

fn object(path: &str) -> Result<OwnedObjectPath, NetworkManagerError> {
    OwnedObjectPath::try_from(path).map_err(|error| NetworkManagerError::Refused(error.to_string()))
}

/// A property as it travels.
pub(crate) fn value(property: &Property) -> Result<OwnedValue, NetworkManagerError> {
    let value = match property {
        Property::Text(text) => Value::from(text.clone()),
        Property::Number(number) => Value::from(*number),
        Property::Flag(flag) => Value::from(*flag),
        Property::Texts(texts) => Value::from(texts.clone()),
        Property::Items(items) => Dict::from(items.clone()).into(),
        Property::Secrets(secrets) => {
            let exposed = secrets
                .iter()
                .map(|(name, it)| (name.as_str(), it.expose()));
            Dict::from(exposed.collect::<BTreeMap<_, _>>()).into()
        }
    };
    OwnedValue::try_from(value).map_err(|error| NetworkManagerError::Refused(error.to_string()))
}
