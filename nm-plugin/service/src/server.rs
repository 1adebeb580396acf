//! Offers the service on the system bus, and serves one activation.

use crate::activation::Activation;
use crate::dbus::network_manager::{Event, NetworkManager};
use crate::dbus::sign_in::{self, SignIn};
use crate::dbus::{self, Plugin, PluginError, Request};
use crate::openvpn::tun_device::TunDevice;
use aws_client_vpn_profile::well_known::{CONNECTION_FIELD, SIGN_IN_PATH};
use std::time::Duration;
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing::Instrument;

/// How long the service waits for a first Connect, as libnm's own base class does.
const IDLE_LIMIT: Duration = Duration::from_secs(180);
/// How long the bus may take for the last messages.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// The service could not run at all.
#[derive(Debug, Error)]
pub(crate) enum ServiceError {
    /// The bus cannot be reached, or the name is taken.
    #[error("could not offer the VPN service on the system bus")]
    Bus(#[from] zbus::Error),
    /// Signals cannot be caught.
    #[error("could not catch signals")]
    Signals(#[source] std::io::Error),
}

/// Serves one activation under `bus_name`.
pub(crate) async fn run(bus_name: &str) -> Result<(), ServiceError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServiceError::Signals)?;
    TunDevice::remove_orphans();
    let (sender, requests) = mpsc::channel(dbus::QUEUE);
    let (sign_in_sender, mut sign_in_requests) = mpsc::channel(dbus::QUEUE);
    // The object has to be there before the name is: NetworkManager calls at once.
    let bus = zbus::connection::Builder::system()?
        .serve_at(SIGN_IN_PATH, SignIn::new(sign_in_sender))?
        .serve_at(dbus::PATH, Plugin::new(sender))?
        // NetworkManager gives the name to this process alone.
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .name(bus_name)?
        .build()
        .await?;
    let mut network_manager = NetworkManager::new(&bus, bus_name, requests);
    let activation =
        wait_for_connect(&mut network_manager, &mut sign_in_requests, &mut terminate).await;
    if let Some(mut activation) = activation {
        let span = tracing::info_span!("connection", { CONNECTION_FIELD } = %activation.uuid());
        activation
            .run(&mut sign_in_requests, &mut terminate)
            .instrument(span)
            .await;
        drop(sign_in_requests);
        network_manager.await_disconnect().await;
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

/// The activation of the first connection that can be used; `None` if there is to be none.
async fn wait_for_connect<'a>(
    network_manager: &'a mut NetworkManager,
    sign_in_requests: &mut mpsc::Receiver<sign_in::Request>,
    terminate: &mut Signal,
) -> Option<Activation<'a>> {
    let not_up = || PluginError::WrongState("there is no connection yet".to_owned());
    let idle = tokio::time::sleep(IDLE_LIMIT);
    tokio::pin!(idle);
    let (prepared, reply) = loop {
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
                let prepared =
                    Activation::prepare(network_manager, *connection, interactive, caller).await;
                match prepared {
                    Ok(prepared) => break (prepared, reply),
                    Err(error) => {
                        tracing::error!("cannot connect: {error}");
                        drop(reply.send(Err(error)));
                    }
                }
            }
            // News of a caller whose connection was refused does not matter.
            Event::VpnState(_) | Event::Gone => {}
        }
    };
    let activation = Activation::begin(network_manager, prepared).await;
    drop(reply.send(Ok(())));
    Some(activation)
}
