//! NetworkManager, over the system bus, as the user: it asks polkit whether they may.

use crate::connection::{self, Settings};
use aws_client_vpn_attempt::progress::{self, Progress};
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{SettingsError, to_secrets};
use aws_client_vpn_profile::well_known::network_manager::{
    CONNECTION, NAME, PATH, SETTINGS, SETTINGS_PATH, VPN,
};
use aws_client_vpn_text::message::Localize;
use gtk::gio::{self, DBusCallFlags, DBusConnection, DBusSignalFlags, SignalSubscription};
use gtk::glib::variant::{FromVariant, ObjectPath, ToVariant};
use gtk::glib::{self, Variant};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Neither of NetworkManager's own steps takes long.
const LIMIT: Duration = Duration::from_secs(25);
/// A person may have to type the administrator's password first.
const LIMIT_WITH_PERSON: Duration = Duration::from_secs(300);
/// More connections are not looked at.
const CONNECTION_LIMIT: usize = 1000;
/// `NM_SETTINGS_UPDATE2_FLAG_TO_DISK` and `NM_SETTINGS_ADD_CONNECTION2_FLAG_TO_DISK`.
const TO_DISK: u32 = 1;

/// Why NetworkManager did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum NetworkManagerError {
    #[error("NetworkManager is not running. Ask the administrator of this computer.")]
    NotRunning,
    #[error(
        "You do not have permission to change this on this computer. Make the connection \
         available only to you, or ask the administrator of this computer."
    )]
    Denied,
    #[error("NetworkManager did not answer in time. Try again.")]
    TimedOut,
    #[error(
        "NetworkManager did not return the connection's passwords and keys, because no program in \
         this session answers it. Updating the connection would delete them. Log out, log in, and \
         try again."
    )]
    Withheld,
    /// The profile does not go with what the user has set; NetworkManager was not asked.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Another reason, in NetworkManager's words.
    #[error("NetworkManager refused the request: {reason}", reason = *_0)]
    Refused(String),
}

impl From<glib::Error> for NetworkManagerError {
    fn from(mut error: glib::Error) -> Self {
        let name = gio::DBusError::remote_error(&error);
        gio::DBusError::strip_remote_error(&mut error);
        let name = name.as_deref().unwrap_or_default();
        if name.ends_with(".PermissionDenied") || name.ends_with(".AccessDenied") {
            Self::Denied
        } else if name.ends_with(".ServiceUnknown") || name.ends_with(".NameHasNoOwner") {
            Self::NotRunning
        } else if name.ends_with(".NoReply") || error.matches(gio::IOErrorEnum::TimedOut) {
            Self::TimedOut
        } else if name.ends_with(".NoSecrets") {
            Self::Withheld
        } else if name.is_empty() {
            // No bus, or one that went away.
            Self::NotRunning
        } else {
            Self::Refused(error.message().to_owned())
        }
    }
}

/// A connection that NetworkManager has already.
#[derive(Debug, Clone)]
pub struct ExistingConnection {
    /// The connection's D-Bus object.
    path: ObjectPath,
    /// The connection's name, for the user.
    pub name: String,
    settings: Settings,
}

/// A connection that was added or updated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    path: ObjectPath,
    uuid: String,
}

/// The connections to an endpoint of `profile`, of those that the user may see.
pub async fn existing(profile: &Profile) -> Result<Vec<ExistingConnection>, NetworkManagerError> {
    let bus = bus().await?;
    let listed = call(
        &bus,
        SETTINGS_PATH,
        SETTINGS,
        "ListConnections",
        None,
        LIMIT,
    );
    let (paths,): (Vec<ObjectPath>,) = listed.await?;
    let mut found = Vec::new();
    for path in paths.into_iter().take(CONNECTION_LIMIT) {
        let settings = call(&bus, path.as_str(), CONNECTION, "GetSettings", None, LIMIT);
        // It may have been removed in the meantime.
        let Ok::<(Settings,), _>((settings,)) = settings.await else {
            continue;
        };
        if connection::is_of_endpoint(&settings, profile) {
            let name = connection::name(&settings);
            found.push(ExistingConnection {
                path,
                name,
                settings,
            });
        }
    }
    Ok(found)
}

/// Adds a connection.
pub async fn add(settings: &Settings) -> Result<Stored, NetworkManagerError> {
    let arguments = Some((settings.clone(), TO_DISK, Details::new()).to_variant());
    let method = "AddConnection2";
    let (path, _): (ObjectPath, Details) =
        ask(&bus().await?, SETTINGS_PATH, SETTINGS, method, arguments).await?;
    let uuid = connection::uuid(settings);
    Ok(Stored { path, uuid })
}

/// Brings a connection up to `profile`.
pub async fn update(
    old: &ExistingConnection,
    profile: &Profile,
) -> Result<Stored, NetworkManagerError> {
    let bus = bus().await?;
    let path = old.path.as_str();
    // An update replaces all secrets that NetworkManager keeps, so they have to be in it.
    let vpn = Some(("vpn",).to_variant());
    let secrets = match ask(&bus, path, CONNECTION, "GetSecrets", vpn).await {
        Ok((secrets,)) => secrets,
        // One that brings none replaces none.
        Err(NetworkManagerError::Withheld) if to_secrets(profile).is_empty() => Settings::new(),
        Err(error) => return Err(error),
    };
    let new = connection::updated(&old.settings, &secrets, profile)?;
    let arguments = Some((new, TO_DISK, Details::new()).to_variant());
    let _: (Details,) = ask(&bus, path, CONNECTION, "Update2", arguments).await?;
    Ok(Stored {
        path: old.path.clone(),
        uuid: connection::uuid(&old.settings),
    })
}

/// Connects, and tells `on_progress` what is going on until the [`Activation`] is dropped.
pub async fn activate(
    stored: &Stored,
    on_progress: impl Fn(Progress) + 'static,
) -> Result<Activation, NetworkManagerError> {
    let bus = bus().await?;
    let on_progress = Rc::new(on_progress);
    // It may be over before the reply is there, so its story is listened to before.
    let story = Rc::new(RefCell::new(Story::of(&stored.uuid)));
    let states = {
        let (story, on_progress) = (story.clone(), on_progress.clone());
        bus.subscribe_to_signal(
            Some(NAME),
            Some(VPN),
            Some("VpnStateChanged"),
            None,
            None,
            DBusSignalFlags::NONE,
            move |signal| {
                let Some((state, reason)) = signal.parameters.get::<(u32, u32)>() else {
                    return;
                };
                let told = story.borrow_mut().hear(signal.object_path, state, reason);
                if let Some(progress) = told {
                    on_progress(progress);
                }
            },
        )
    };
    let end = {
        let on_progress = on_progress.clone();
        bus.subscribe_to_signal(
            Some("org.freedesktop.DBus"),
            Some("org.freedesktop.DBus"),
            Some("NameOwnerChanged"),
            None,
            Some(NAME),
            DBusSignalFlags::NONE,
            move |_| {
                on_progress(Progress::Failed(gettext!(
                    "NetworkManager has stopped. Try again when it is running."
                )))
            },
        )
    };
    let any = || ObjectPath::try_from("/".to_owned()).unwrap_or_else(|_| stored.path.clone());
    let arguments = Some((stored.path.clone(), any(), any()).to_variant());
    let (active,): (ObjectPath,) = ask(&bus, PATH, NAME, "ActivateConnection", arguments).await?;
    let told = story.borrow_mut().begin(active.as_str());
    for progress in told {
        on_progress(progress);
    }
    Ok(Activation {
        active,
        _subscriptions: [states, end],
    })
}

/// Breaks off, or disconnects.
pub async fn deactivate(activation: &Activation) -> Result<(), NetworkManagerError> {
    let arguments = Some((activation.active.clone(),).to_variant());
    ask(&bus().await?, PATH, NAME, "DeactivateConnection", arguments).await
}

type Details = BTreeMap<String, Variant>;

/// A connection that is coming up or is up.
pub struct Activation {
    active: ObjectPath,
    _subscriptions: [SignalSubscription; 2],
}

/// What was heard of active connections before and after it is known which is ours.
#[derive(Default)]
struct Story {
    /// The connection's UUID.
    uuid: String,
    ours: Option<String>,
    early: Vec<(String, u32, u32)>,
}

/// More is not remembered of what other connections tell.
const EARLY_LIMIT: usize = 100;

impl Story {
    fn of(uuid: &str) -> Self {
        Self {
            uuid: uuid.to_owned(),
            ..Self::default()
        }
    }

    fn progress(&self, path: &str, state: u32, reason: u32) -> Progress {
        progress::of_activation(&self.uuid, path, state, reason)
    }

    fn hear(&mut self, path: &str, state: u32, reason: u32) -> Option<Progress> {
        match &self.ours {
            Some(ours) => (ours == path).then(|| self.progress(path, state, reason)),
            None => {
                if self.early.len() < EARLY_LIMIT {
                    self.early.push((path.to_owned(), state, reason));
                }
                None
            }
        }
    }

    fn begin(&mut self, path: &str) -> Vec<Progress> {
        self.ours = Some(path.to_owned());
        let early = std::mem::take(&mut self.early);
        early
            .into_iter()
            .filter(|(of, _, _)| of == path)
            .map(|(of, state, reason)| self.progress(&of, state, reason))
            .collect()
    }
}

async fn bus() -> Result<DBusConnection, NetworkManagerError> {
    let bus = gio::bus_get_future(gio::BusType::System);
    match glib::future_with_timeout(LIMIT, bus).await {
        Ok(bus) => {
            let bus = bus?;
            // Without the bus there is nothing to do, but a window to say so.
            bus.set_exit_on_close(false);
            Ok(bus)
        }
        Err(_) => Err(NetworkManagerError::TimedOut),
    }
}

/// Calls a method for which polkit may have a person type a password.
async fn ask<T: FromVariant>(
    bus: &DBusConnection,
    path: &str,
    interface: &str,
    method: &str,
    arguments: Option<Variant>,
) -> Result<T, NetworkManagerError> {
    call(bus, path, interface, method, arguments, LIMIT_WITH_PERSON).await
}

/// Calls a method, and lets polkit ask where there is time for a person.
async fn call<T: FromVariant>(
    bus: &DBusConnection,
    path: &str,
    interface: &str,
    method: &str,
    arguments: Option<Variant>,
    limit: Duration,
) -> Result<T, NetworkManagerError> {
    let flags = match limit {
        LIMIT_WITH_PERSON => DBusCallFlags::ALLOW_INTERACTIVE_AUTHORIZATION,
        _ => DBusCallFlags::NONE,
    };
    let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    let reply = bus.call_future(
        Some(NAME),
        path,
        interface,
        method,
        arguments.as_ref(),
        Some(&T::static_variant_type()),
        flags,
        limit,
    );
    let reply = reply.await?;
    reply
        .get()
        .ok_or_else(|| NetworkManagerError::Refused(method.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_told_only_our_connection_counts_and_nothing_is_lost() {
        let mut story = Story::default();
        assert_eq!(story.hear("/other", 5, 0), None);
        assert_eq!(story.hear("/ours", 2, 0), None);
        assert_eq!(story.begin("/ours"), [progress::of(2, 0)]);
        assert_eq!(story.hear("/other", 5, 0), None);
        assert_eq!(story.hear("/ours", 5, 0), Some(Progress::Connected));
    }

    #[test]
    fn errors_are_told_apart() {
        for (name, error) in [
            (
                "org.freedesktop.NetworkManager.Settings.PermissionDenied",
                NetworkManagerError::Denied,
            ),
            (
                "org.freedesktop.DBus.Error.ServiceUnknown",
                NetworkManagerError::NotRunning,
            ),
            (
                "org.freedesktop.DBus.Error.NoReply",
                NetworkManagerError::TimedOut,
            ),
            (
                "org.freedesktop.NetworkManager.AgentManager.NoSecrets",
                NetworkManagerError::Withheld,
            ),
            (
                "org.freedesktop.NetworkManager.Settings.InvalidConnection",
                NetworkManagerError::Refused("text".to_owned()),
            ),
        ] {
            let message = format!("GDBus.Error:{name}: text");
            let told = glib::Error::new(gio::IOErrorEnum::DbusError, &message);
            assert_eq!(NetworkManagerError::from(told), error, "{name}");
        }
    }
}
