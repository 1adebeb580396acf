//! NetworkManager and the services of our connections, as a user's programs ask them over the system bus.
//! How long they may take to answer is for the caller to say.

pub mod settings;
pub mod signals;

use crate::settings::Settings;
use aws_client_vpn_profile::waiting::WaitsFor;
use aws_client_vpn_profile::well_known::network_manager::{
    CONNECTION, NAME, PATH, SETTINGS, SETTINGS_PATH, VPN,
};
use aws_client_vpn_profile::well_known::{
    IS_UP, SIGN_IN, SIGN_IN_PATH, WAITS_FOR, service_of, vpn_state,
};
use aws_client_vpn_sign_in::rights::Rights;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::timeout;
use zbus::export::serde::Serialize;
use zbus::fdo::DBusProxy;
use zbus::zvariant::{DynamicDeserialize, DynamicType, OwnedObjectPath, OwnedValue};
use zbus::{Connection, Proxy, Result};

const CALL_TIME: Duration = Duration::from_secs(5);

/// Properties of an object or a setting, by their names.
pub type Properties = HashMap<String, OwnedValue>;

/// One of them; `None` if it is not there, or is of another type.
pub fn value<T: TryFrom<OwnedValue>>(properties: &Properties, name: &str) -> Option<T> {
    properties.get(name)?.try_clone().ok()?.try_into().ok()
}

/// NetworkManager's unique name on the bus; `None` if it is not there.
pub async fn owner(bus: &Connection) -> Result<Option<String>> {
    let daemon = DBusProxy::new(bus).await?;
    let owner = daemon.get_name_owner(NAME.try_into()?).await;
    Ok(owner.ok().map(|owner| owner.to_string()))
}

/// Calls a method of NetworkManager's object at `path`. polkit asks no person whether it may.
pub async fn call<R>(
    bus: &Connection,
    path: &str,
    interface: &str,
    method: &str,
    body: &(impl Serialize + DynamicType),
) -> Result<R>
where
    R: for<'d> DynamicDeserialize<'d>,
{
    let proxy = Proxy::new(bus, NAME, path, interface).await?;
    proxy.call(method, body).await
}

/// The properties of NetworkManager's object at `path`.
pub async fn properties(bus: &Connection, path: &str, interface: &str) -> Result<Properties> {
    let properties = "org.freedesktop.DBus.Properties";
    call(bus, path, properties, "GetAll", &interface).await
}

/// The same, if they can be had in a few seconds.
pub async fn properties_in_time(
    bus: &Connection,
    path: &str,
    interface: &str,
) -> Option<Properties> {
    let properties = properties(bus, path, interface);
    timeout(CALL_TIME, properties).await.ok()?.ok()
}

/// What this user may do.
pub async fn rights(bus: &Connection) -> Result<Rights> {
    let rights: HashMap<_, _> = call(bus, PATH, NAME, "GetPermissions", &()).await?;
    Ok(Rights::of(&rights))
}

/// The connections that this user may see, with the paths of their objects.
pub async fn connections(bus: &Connection) -> Result<Vec<(OwnedObjectPath, Settings)>> {
    let list = call(bus, SETTINGS_PATH, SETTINGS, "ListConnections", &());
    let paths: Vec<OwnedObjectPath> = list.await?;
    let mut connections = Vec::new();
    for path in paths {
        // One that was deleted since, or that is another user's.
        if let Ok(settings) = call(bus, &path, CONNECTION, "GetSettings", &()).await {
            connections.push((path, settings));
        }
    }
    Ok(connections)
}

/// Calls a method without arguments of the interface that the service called `service` has for a sign-in.
pub async fn call_service<R>(bus: &Connection, service: &str, method: &str) -> Result<R>
where
    R: for<'d> DynamicDeserialize<'d>,
{
    let proxy = Proxy::new(bus, service, SIGN_IN_PATH, SIGN_IN).await?;
    proxy.call(method, &()).await
}

/// When the sign-in to the service called `service` ends, in seconds since 1970; 0 if it does not know.
pub async fn sign_in_end(bus: &Connection, service: &str) -> Result<u64> {
    let (_uuid, _name, end): (String, String, u64) = call_service(bus, service, "GetTerm").await?;
    Ok(end)
}

/// Whether the connection of the service called `service` is up; `None` if it does not say so. That is for
/// one that NetworkManager calls up: it does so, for a moment, of one that is lost, too.
pub async fn service_is_up(bus: &Connection, service: &str) -> Option<bool> {
    let answer = timeout(CALL_TIME, call_service(bus, service, IS_UP));
    match answer.await.ok()? {
        Ok(is_up) => Some(is_up),
        // An earlier version, which is not asked that.
        Err(zbus::Error::MethodError(name, ..)) if name.ends_with(".UnknownMethod") => Some(true),
        Err(_) => None,
    }
}

/// What the lost connection of the service called `service` waits for, and for which user's sign-in:
/// `Some(None)` if for nothing, `None` if it does not tell, as an earlier version.
pub async fn waits_for(
    bus: &Connection,
    service: &str,
) -> Option<Option<(WaitsFor, Option<String>)>> {
    let answer = timeout(CALL_TIME, call_service(bus, service, WAITS_FOR));
    let (what, user): (String, String) = answer.await.ok()?.ok()?;
    let what = WaitsFor::from_name(&what);
    Some(what.map(|what| (what, Some(user).filter(|user| !user.is_empty()))))
}

/// Whether the activation at `path` is up, as its service and NetworkManager say; `None` if one of them
/// does not answer. NetworkManager is asked last: by then it has taken in what the service has told it.
pub async fn is_up(bus: &Connection, path: &str) -> Option<bool> {
    if !service_is_up(bus, &service_of(path)).await? {
        return Some(false);
    }
    let properties = properties_in_time(bus, path, VPN).await?;
    Some(value::<u32>(&properties, "VpnState")? == vpn_state::ACTIVATED)
}
