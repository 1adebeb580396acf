//! A VPN plugin that does nothing: asked to connect, it makes a tun device and answers with
//! settings. What such a connection takes is NetworkManager's own time. Where the connection says
//! so, it asks for a secret first: then also that of NetworkManager's agents and a dialog.

use crate::path::tun;
use crate::report::block_on;
use std::collections::HashMap;
use std::fs::File;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedValue, Value};

/// How the program is called when it is this plugin: NetworkManager passes no subcommand.
pub(crate) const NAME: &str = "nm-idle-service";
const PATH: &str = "/org/freedesktop/NetworkManager/VPN/Plugin";
const DEVICE: &str = "idle0";
/// The name of the connection that a secret is asked for.
const ASKING: &str = "idle-asking";
/// `NM_VPN_SERVICE_STATE_STARTED`, `NM_VPN_SERVICE_STATE_STOPPED`
const STARTED: u32 = 4;
const STOPPED: u32 = 6;

/// What it asks for.
const SECRET: &str = "x-idle-secret";

type Settings = HashMap<&'static str, Value<'static>>;
type Dictionary = HashMap<String, HashMap<String, OwnedValue>>;

/// What NetworkManager asks for, to be done after the reply.
#[derive(Debug)]
enum Request {
    Connect,
    Ask,
    Disconnect,
}

struct Plugin(Sender<Request>);

impl Plugin {
    async fn pass_on(&self, request: Request) -> zbus::fdo::Result<()> {
        let sent = self.0.send(request).await;
        sent.map_err(|error| zbus::fdo::Error::Failed(error.to_string()))
    }
}

#[zbus::interface(name = "org.freedesktop.NetworkManager.VPN.Plugin")]
impl Plugin {
    async fn connect(&self, _connection: Dictionary) -> zbus::fdo::Result<()> {
        self.pass_on(Request::Connect).await
    }

    async fn connect_interactive(
        &self,
        connection: Dictionary,
        _details: HashMap<String, OwnedValue>,
    ) -> zbus::fdo::Result<()> {
        let id = connection.get("connection").and_then(|it| it.get("id"));
        let id: Option<&str> = id.and_then(|id| id.try_into().ok());
        self.pass_on(if id == Some(ASKING) {
            Request::Ask
        } else {
            Request::Connect
        })
        .await
    }

    /// The secret that was asked for; it is not looked at.
    async fn new_secrets(&self, _connection: Dictionary) -> zbus::fdo::Result<()> {
        self.pass_on(Request::Connect).await
    }

    /// The name of the setting that lacks secrets: none.
    async fn need_secrets(&self, _settings: Dictionary) -> &'static str {
        ""
    }

    async fn disconnect(&self) -> zbus::fdo::Result<()> {
        self.pass_on(Request::Disconnect).await
    }

    #[zbus(signal, name = "StateChanged")]
    async fn announce_state(emitter: &SignalEmitter<'_>, state: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn secrets_required(
        emitter: &SignalEmitter<'_>,
        message: &str,
        secrets: &[&str],
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn config(emitter: &SignalEmitter<'_>, config: Settings) -> zbus::Result<()>;

    #[zbus(signal, name = "Ip4Config")]
    async fn ip4_config(emitter: &SignalEmitter<'_>, config: Settings) -> zbus::Result<()>;
}

pub(crate) fn run(bus_name: &str) -> ExitCode {
    block_on(serve(bus_name))
}

async fn serve(bus_name: &str) -> zbus::Result<()> {
    let (sender, requests) = channel(1);
    let bus = zbus::connection::Builder::system()?
        .serve_at(PATH, Plugin(sender))?
        .name(bus_name)?
        .build()
        .await?;
    let done = answer(&SignalEmitter::new(&bus, PATH)?, requests).await;
    // Replies that are on their way still leave.
    bus.graceful_shutdown().await;
    done
}

async fn answer(emitter: &SignalEmitter<'_>, mut requests: Receiver<Request>) -> zbus::Result<()> {
    let mut _device: Option<File> = None;
    while let Some(request) = requests.recv().await {
        match request {
            Request::Connect => {
                let opened = tun::open(DEVICE);
                _device = Some(opened.map_err(|error| zbus::Error::Failure(error.to_string()))?);
                Plugin::config(emitter, general()).await?;
                Plugin::ip4_config(emitter, ip4()).await?;
                Plugin::announce_state(emitter, STARTED).await?;
            }
            Request::Ask => Plugin::secrets_required(emitter, "", &[SECRET]).await?,
            Request::Disconnect => {
                return Plugin::announce_state(emitter, STOPPED).await;
            }
        }
    }
    Ok(())
}

/// As our service's, of a tunnel as the emulated endpoint's.
fn general() -> Settings {
    HashMap::from([
        ("tundev", Value::from(DEVICE)),
        ("gateway", Value::from(ipv4(Ipv4Addr::new(192, 0, 2, 1)))),
        ("mtu", Value::from(1500_u32)),
        ("has-ip4", Value::from(true)),
        ("has-ip6", Value::from(false)),
        ("can-persist", Value::from(true)),
    ])
}

fn ip4() -> Settings {
    let route = vec![ipv4(Ipv4Addr::new(10, 67, 0, 0)), 16, 0, 0];
    let server = vec![ipv4(Ipv4Addr::new(10, 67, 0, 2))];
    HashMap::from([
        ("address", Value::from(ipv4(Ipv4Addr::new(10, 66, 0, 2)))),
        ("prefix", Value::from(27_u32)),
        ("routes", Value::from(vec![route])),
        ("dns", Value::from(server)),
        ("domains", Value::from(Vec::<String>::new())),
        ("never-default", Value::from(true)),
        ("preserve-routes", Value::from(false)),
    ])
}

/// The bytes in the order of the network.
fn ipv4(address: Ipv4Addr) -> u32 {
    u32::from_ne_bytes(address.octets())
}
