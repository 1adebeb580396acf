//! Offers the service on the system bus, and serves one activation.

use crate::activation::{Activation, Prepared};
use crate::dbus::network_manager::{Event, FirstLook, NetworkManager};
use crate::dbus::sign_in::{self, SignIn};
use crate::dbus::{self, Plugin, PluginError, Reply, Request};
use crate::endpoint_routes;
use crate::openvpn::tun_device::TunDevice;
use crate::protection;
use aws_client_vpn_profile::well_known::{CONNECTION_FIELD, SIGN_IN_PATH};
use aws_client_vpn_session::network_manager::VpnState;
use std::time::Duration;
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing::Instrument;
use zbus::fdo::{DBusProxy, RequestNameFlags, RequestNameReply};

/// How long the service waits for a first Connect, as libnm's own base class does.
const IDLE_LIMIT: Duration = Duration::from_secs(180);
/// How long the bus may take for the last messages.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// The service could not run at all.
#[derive(Debug, Error)]
pub(crate) enum ServiceError {
    #[error("could not offer the VPN service on the system bus")]
    Bus(#[from] zbus::Error),
    #[error("could not catch signals")]
    Signals(#[source] std::io::Error),
}

/// Serves one activation under `bus_name`.
pub(crate) async fn run(bus_name: &str) -> Result<(), ServiceError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServiceError::Signals)?;
    TunDevice::remove_orphans();
    endpoint_routes::remove_left_over();
    let (sender, requests) = mpsc::channel(dbus::QUEUE);
    let (sign_in_sender, mut sign_in_requests) = mpsc::channel(dbus::QUEUE);
    // The object has to be there before the name is: NetworkManager calls at once.
    let bus = zbus::connection::Builder::system()?
        .serve_at(SIGN_IN_PATH, SignIn::new(sign_in_sender))?
        .serve_at(dbus::PATH, Plugin::new(sender))?
        .build()
        .await?;
    let mut network_manager = NetworkManager::new(&bus, bus_name, requests);
    let uuid = match network_manager.first_look().await {
        FirstLook::Activating { uuid } => uuid,
        FirstLook::Over { end, uuid } => {
            tracing::info!("the connection was taken down before it had begun");
            if let Some(uuid) = uuid {
                protection::taken_down(&uuid, end);
            }
            return Ok(());
        }
    };
    take_name(&bus, bus_name).await?;
    // Now, while it gets ready to call: later it would wait for the answer.
    network_manager.activates_by_itself().await;
    let connect =
        wait_for_connect(&mut network_manager, &mut sign_in_requests, &mut terminate).await;
    if let Some((prepared, reply)) = connect {
        let mut activation = Activation::begin(&mut network_manager, prepared).await;
        drop(reply.send(Ok(())));
        let span = tracing::info_span!("connection", { CONNECTION_FIELD } = %activation.uuid());
        activation
            .run(&mut sign_in_requests, &mut terminate)
            .instrument(span)
            .await;
        drop(sign_in_requests);
    } else if let Some(uuid) = uuid
        && let Some(end) = network_manager.end_of(&uuid).await
    {
        protection::taken_down(&uuid, end);
    }
    tokio::select! {
        () = network_manager.await_end() => {}
        _ = terminate.recv() => {}
    }
    // What was sent last has to be on the bus before the process is gone. The bus waits until nobody
    // listens to it any more.
    drop(network_manager);
    if tokio::time::timeout(FLUSH_LIMIT, bus.graceful_shutdown())
        .await
        .is_err()
    {
        tracing::warn!("the bus did not take the last messages in time");
    }
    Ok(())
}

/// Takes the name, which NetworkManager gives to this process alone. zbus's own way has the bus tell
/// of the name's changes first, in two calls more, and NetworkManager waits for the name.
async fn take_name(bus: &zbus::Connection, name: &str) -> zbus::Result<()> {
    let taken = DBusProxy::new(bus)
        .await?
        .request_name(name.try_into()?, RequestNameFlags::DoNotQueue.into())
        .await?;
    match taken {
        RequestNameReply::PrimaryOwner | RequestNameReply::AlreadyOwner => Ok(()),
        RequestNameReply::InQueue | RequestNameReply::Exists => Err(zbus::Error::NameTaken),
    }
}

/// Whether NetworkManager is taking the connection down, or has done so.
async fn is_over(network_manager: &mut NetworkManager) -> bool {
    let end = network_manager.end_so_far().await;
    end.is_some_and(|end| end.is_over())
}

/// The first connection that can be used, and where its Connect is answered; `None` if there is to be
/// none.
async fn wait_for_connect(
    network_manager: &mut NetworkManager,
    sign_in_requests: &mut mpsc::Receiver<sign_in::Request>,
    terminate: &mut Signal,
) -> Option<(Prepared, Reply<()>)> {
    let not_up = || PluginError::WrongState("there is no connection yet".to_owned());
    let idle = tokio::time::sleep(IDLE_LIMIT);
    tokio::pin!(idle);
    loop {
        let event = tokio::select! {
            event = network_manager.next() => event,
            Some(request) = sign_in_requests.recv() => {
                request.refuse(not_up());
                continue;
            }
            _ = terminate.recv() => return None,
            () = &mut idle => return None,
        };
        match event {
            Event::Asked(Request::NewSecrets { reply, .. }) => drop(reply.send(Err(not_up()))),
            Event::Asked(Request::Disconnect { reply }) => {
                drop(reply.send(Ok(())));
                return None;
            }
            Event::Asked(Request::Connect {
                connection,
                interactive,
                caller,
                reply,
            }) => {
                if is_over(network_manager).await {
                    let text = "the connection is being taken down".to_owned();
                    drop(reply.send(Err(PluginError::WrongState(text))));
                    return None;
                }
                let prepared =
                    Activation::prepare(network_manager, *connection, interactive, caller).await;
                match prepared {
                    Ok(prepared) => return Some((prepared, reply)),
                    Err(error) => {
                        tracing::error!("cannot connect: {error}");
                        drop(reply.send(Err(error)));
                    }
                }
            }
            // Its scripts are not waited for: there is nothing yet that they could see end.
            Event::VpnState(VpnState::Deactivating(_)) | Event::Gone => return None,
            // Disconnect follows an end.
            Event::VpnState(_) => {}
        }
    }
}
