//! What NetworkManager is told to do, as the user of this command: it asks polkit whether they may.

use crate::answer::Outcome;
use aws_client_vpn_profile::settings::Property;
use aws_client_vpn_profile::well_known::network_manager::{
    CONNECTION, NAME, PATH, SETTINGS, SETTINGS_PATH,
};
use aws_client_vpn_secret_agent::own_bus;
use aws_client_vpn_text::message::Localize;
use std::collections::HashMap;
use std::time::Duration;
use thiserror::Error;
use zbus::proxy::MethodFlags;
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue, Value};

/// A person may have to type the administrator's password first.
const LIMIT: Duration = Duration::from_secs(300);
/// `NM_SETTINGS_UPDATE2_FLAG_TO_DISK` and `NM_SETTINGS_ADD_CONNECTION2_FLAG_TO_DISK`.
const TO_DISK: u32 = 1;

/// NetworkManager's `a{sa{sv}}`.
pub(crate) type Settings = HashMap<String, HashMap<String, OwnedValue>>;
type Details = HashMap<String, OwnedValue>;

/// Why NetworkManager did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
pub enum ActionError {
    #[error("NetworkManager is not running. Start it: sudo systemctl start NetworkManager")]
    NotRunning,
    #[error(
        "The policy of this computer (polkit) does not let you do this from this session, as is \
         usual over ssh. Do it at the computer itself or as root, or have an administrator \
         install a polkit rule such as \
         /usr/share/doc/*aws-client-vpn/docs/50-aws-client-vpn.rules"
    )]
    Denied,
    #[error("There is no network. Connect to one first.")]
    NoNetwork,
    #[error("The connection has been removed. To see all connections: aws-client-vpn list")]
    Gone,
    #[error("NetworkManager did not answer in time. Try again.")]
    Silent,
    /// Another reason, in NetworkManager's words.
    #[error("NetworkManager refused the request: {reason}", reason = *_0)]
    Refused(String),
}

impl ActionError {
    /// The outcome, for exit code and JSON.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotRunning | Self::Silent => Outcome::NoNetworkManager,
            Self::Denied => Outcome::NotPermitted,
            Self::NoNetwork => Outcome::Unreachable,
            Self::Gone => Outcome::NotFound,
            Self::Refused(_) => Outcome::Failed,
        }
    }

    fn of(name: &str, words: Option<String>) -> Self {
        let (_, kind) = name.rsplit_once('.').unwrap_or(("", name));
        match kind {
            "PermissionDenied" | "AccessDenied" | "AuthFailed" => Self::Denied,
            "ServiceUnknown" | "NameHasNoOwner" => Self::NotRunning,
            // A VPN has to have another connection below it (nm-manager.c).
            "ConnectionNotActive"
            | "UnknownConnection"
            | "ConnectionNotAvailable"
            | "UnknownDevice" => Self::NoNetwork,
            // It has no object any more.
            "UnknownMethod" | "UnknownObject" => Self::Gone,
            "NoReply" | "Timeout" | "TimedOut" => Self::Silent,
            _ => Self::Refused(words.unwrap_or_else(|| name.to_owned())),
        }
    }
}

impl From<zbus::Error> for ActionError {
    fn from(error: zbus::Error) -> Self {
        if let zbus::Error::MethodError(name, words, _) = error {
            Self::of(&name, words)
        } else if matches!(error, zbus::Error::InputOutput(_) | zbus::Error::Address(_)) {
            Self::NotRunning
        } else {
            Self::Refused(error.to_string())
        }
    }
}

/// NetworkManager on a bus.
#[derive(Debug, Clone)]
pub(crate) struct Manager {
    bus: zbus::Connection,
}

impl Manager {
    pub(crate) async fn open() -> Result<Self, ActionError> {
        let bus = zbus::Connection::system().await;
        let bus = bus.map_err(|_| ActionError::NotRunning)?;
        Ok(Self { bus })
    }

    /// As [`Self::open`], to look at secrets and to change them.
    ///
    /// NetworkManager gives out those that it keeps only with what an agent adds to them, and has an
    /// agent keep those that are not its own to keep. What the agents of the session say to that is
    /// their business: one that knows nothing may answer with an error, and then NetworkManager gives
    /// out nothing; gnome-shell's forgets what it keeps when it is told of an update without it. So the
    /// agent that is asked is one of ours, which adds nothing.
    pub(crate) async fn of_secrets() -> Result<Self, ActionError> {
        let own = own_bus::connect()
            .await
            .map_err(|_| ActionError::NotRunning)?;
        let (bus, asks) = own.ok_or(ActionError::NotRunning)?;
        // Ends with the connection.
        tokio::spawn(own_bus::know_nothing(asks));
        Ok(Self { bus })
    }

    /// On `bus`: NetworkManager asks the agent on it first.
    pub(crate) fn on(bus: zbus::Connection) -> Self {
        Self { bus }
    }

    /// Adds a connection.
    pub(crate) async fn add(&self, settings: &Settings) -> Result<OwnedObjectPath, ActionError> {
        let body = (settings, TO_DISK, Details::new());
        let (path, _): (_, Details) = self
            .call(SETTINGS_PATH, SETTINGS, "AddConnection2", &body)
            .await?;
        Ok(path)
    }

    /// Replaces the settings and secrets of the connection at `path`.
    pub(crate) async fn update(&self, path: &str, settings: &Settings) -> Result<(), ActionError> {
        let body = (settings, TO_DISK, Details::new());
        let _: Details = self.call(path, CONNECTION, "Update2", &body).await?;
        Ok(())
    }

    /// The settings of the connection at `path`.
    pub(crate) async fn settings(&self, path: &str) -> Result<Settings, ActionError> {
        self.call(path, CONNECTION, "GetSettings", &()).await
    }

    /// What NetworkManager keeps of its secrets, if this is [`Self::of_secrets`].
    pub(crate) async fn secrets(&self, path: &str) -> Result<Settings, ActionError> {
        self.call(path, CONNECTION, "GetSecrets", &"vpn").await
    }

    /// Deletes it.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), ActionError> {
        self.call(path, CONNECTION, "Delete", &()).await
    }

    /// Connects, and returns the path of what is active then.
    pub(crate) async fn activate(&self, path: &str) -> Result<OwnedObjectPath, ActionError> {
        let any = object("/")?;
        let body = (object(path)?, &any, &any);
        let answer = self.call(PATH, NAME, "ActivateConnection", &body).await;
        if matches!(answer, Err(ActionError::NoNetwork)) {
            // It says the same of a connection that is gone.
            self.settings(path).await?;
        }
        answer
    }

    /// Takes down what is active at `path`, unless it is down already.
    pub(crate) async fn deactivate(&self, path: &str) -> Result<(), ActionError> {
        let body = (object(path)?,);
        match self.call(PATH, NAME, "DeactivateConnection", &body).await {
            // Here, "not active" is what is wanted.
            Err(ActionError::NoNetwork) => Ok(()),
            answer => answer,
        }
    }

    async fn call<B, R>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> Result<R, ActionError>
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
            Ok(Ok(None)) | Err(_) => Err(ActionError::Silent),
            Ok(Err(error)) => Err(error.into()),
        }
    }
}

fn object(path: &str) -> Result<OwnedObjectPath, ActionError> {
    OwnedObjectPath::try_from(path).map_err(|error| ActionError::Refused(error.to_string()))
}

/// A property as it travels.
pub(crate) fn value(property: &Property) -> Result<OwnedValue, ActionError> {
    let strings = |items: &mut dyn Iterator<Item = (String, String)>| -> Value<'static> {
        Value::from(items.collect::<HashMap<String, String>>())
    };
    let value = match property {
        Property::Text(text) => Value::from(text.clone()),
        Property::Number(number) => Value::from(*number),
        Property::Flag(flag) => Value::from(*flag),
        Property::Texts(texts) => Value::from(texts.clone()),
        Property::Items(items) => strings(&mut items.clone().into_iter()),
        Property::Secrets(secrets) => strings(
            &mut secrets
                .iter()
                .map(|(name, secret)| (name.clone(), secret.expose().to_owned())),
        ),
    };
    OwnedValue::try_from(value).map_err(|error| ActionError::Refused(error.to_string()))
}

/// A property of settings.
pub(crate) fn property<T: TryFrom<OwnedValue>>(
    settings: &Settings,
    setting: &str,
    name: &str,
) -> Option<T> {
    let value = settings.get(setting)?.get(name)?;
    T::try_from(value.try_clone().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart() {
        for (name, error) in [
            (
                "org.freedesktop.NetworkManager.Settings.PermissionDenied",
                ActionError::Denied,
            ),
            (
                "org.freedesktop.DBus.Error.ServiceUnknown",
                ActionError::NotRunning,
            ),
            (
                "org.freedesktop.NetworkManager.ConnectionNotActive",
                ActionError::NoNetwork,
            ),
            ("org.freedesktop.DBus.Error.NoReply", ActionError::Silent),
            (
                "org.freedesktop.DBus.Error.UnknownMethod",
                ActionError::Gone,
            ),
            (
                "org.freedesktop.NetworkManager.Settings.InvalidConnection",
                ActionError::Refused("words".to_owned()),
            ),
        ] {
            assert_eq!(ActionError::of(name, Some("words".to_owned())), error);
        }
    }
}
