//! What NetworkManager tells over D-Bus, as plain values. Nothing is judged here.

use aws_client_vpn_profile::ovpn::is_aws_host;
pub(crate) use aws_client_vpn_profile::well_known::network_manager::NAME;
use aws_client_vpn_profile::well_known::network_manager::{
    ACTIVE, CONNECTION, PATH, SETTINGS, SETTINGS_PATH, VPN,
};
use aws_client_vpn_profile::well_known::{
    OPENVPN_SERVICE_TYPE, RENEW, SERVICE_TYPE, SIGN_IN, SIGN_IN_PATH, active_state, service_of,
    vpn_state,
};
use aws_client_vpn_sign_in::rights::Rights;
use aws_client_vpn_text::message::Localize;
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv6Addr;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;
use zbus::fdo::{self, DBusProxy, PropertiesProxy};
use zbus::names::{BusName, InterfaceName};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

const DNS_PATH: &str = "/org/freedesktop/NetworkManager/DnsManager";
const DNS: &str = "org.freedesktop.NetworkManager.DnsManager";

/// How long all questions together may take.
const LIMIT: Duration = Duration::from_secs(10);

/// NetworkManager could not be asked.
#[derive(Debug, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum NetworkManagerError {
    #[error(
        "NetworkManager cannot be reached over the system bus. To see why: systemctl status dbus"
    )]
    Bus(#[source] zbus::Error),
    #[error("NetworkManager is not running. Start it: sudo systemctl start NetworkManager")]
    NotRunning,
    #[error(
        "NetworkManager does not answer as expected. See its journal: journalctl -u \
         NetworkManager"
    )]
    Strange(#[source] zbus::Error),
    #[error("NetworkManager does not answer. See its journal: journalctl -u NetworkManager")]
    Silent,
}

type Properties = HashMap<String, OwnedValue>;

/// A connection of ours as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) uuid: String,
    /// The connection's D-Bus object.
    pub(crate) path: String,
    /// Whether more than one user has it.
    pub(crate) is_shared: bool,
    /// `vpn.data`.
    pub(crate) data: BTreeMap<String, String>,
}

/// An activation of a connection of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Activation {
    /// The active connection's D-Bus object.
    pub(crate) path: String,
    pub(crate) uuid: String,
    /// `NMActiveConnectionState`.
    pub(crate) active_state: u32,
    /// `NMVpnConnectionState`.
    pub(crate) vpn_state: u32,
    /// Addresses with prefix lengths.
    pub(crate) addresses: Vec<String>,
    /// The domains and name servers of it.
    pub(crate) domains: Vec<String>,
    pub(crate) name_servers: Vec<String>,
    /// The process number of the service, if the bus knows it.
    pub(crate) service_process: Option<u32>,
    /// When the endpoint ends the sign-in, in seconds since 1970, if the service knows.
    pub(crate) sign_in_ends: Option<u64>,
    /// The service's name on the bus.
    pub(crate) service: String,
}

impl Activation {
    /// Whether it is being taken down, or has just ended. `VpnState` does not tell the first: it stays
    /// "activated" while scripts run.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(
            self.active_state,
            active_state::DEACTIVATING | active_state::DEACTIVATED
        ) || matches!(self.vpn_state, vpn_state::FAILED | vpn_state::DISCONNECTED)
    }
}

/// All that is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) version: String,
    /// What the user of this command may do; `None` if it does not tell.
    pub(crate) rights: Option<Rights>,
    /// How name servers are passed on: `default`, `dnsmasq`, `systemd-resolved`, `none`, …
    pub(crate) dns_mode: String,
    /// `symlink`, `file`, `resolvconf`, `unmanaged`, …
    pub(crate) rc_manager: String,
    /// The name servers of VPNs whose interfaces are gone. It keeps those of a VPN that it ends while
    /// it shows it as connecting (nm-policy.c).
    pub(crate) name_servers_left: Vec<String>,
    pub(crate) stored: Vec<Stored>,
    /// The names of connections to endpoints of AWS that another VPN has imported.
    pub(crate) imported_as_openvpn: Vec<String>,
    pub(crate) active: Vec<Activation>,
}

/// Asks NetworkManager.
pub(crate) async fn ask() -> Result<Answer, NetworkManagerError> {
    tokio::time::timeout(LIMIT, ask_unbounded())
        .await
        .map_err(|_| NetworkManagerError::Silent)?
}

/// The activations, for whoever waits and looks again: `None` where NetworkManager takes long to
/// answer, as on a busy machine.
pub(crate) async fn look_again() -> Result<Option<Vec<Activation>>, NetworkManagerError> {
    match ask().await {
        Ok(answer) => Ok(Some(answer.active)),
        Err(NetworkManagerError::Silent) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn ask_unbounded() -> Result<Answer, NetworkManagerError> {
    let bus = zbus::Connection::system()
        .await
        .map_err(NetworkManagerError::Bus)?;
    let manager = properties(&bus, PATH, NAME).await.map_err(not_asked)?;
    let strange = NetworkManagerError::Strange;
    let dns = properties(&bus, DNS_PATH, DNS).await.map_err(strange)?;
    let (stored, imported_as_openvpn) = stored(&bus).await.map_err(strange)?;
    Ok(Answer {
        version: text(&manager, "Version"),
        rights: rights(&bus).await.ok(),
        dns_mode: text(&dns, "Mode"),
        rc_manager: text(&dns, "RcManager"),
        name_servers_left: name_servers_left(&dns),
        stored,
        imported_as_openvpn,
        active: active(&bus, &manager).await.map_err(strange)?,
    })
}

fn not_asked(error: zbus::Error) -> NetworkManagerError {
    use fdo::Error::{NameHasNoOwner, ServiceUnknown};
    if let zbus::Error::FDO(why) = &error
        && matches!(**why, ServiceUnknown(_) | NameHasNoOwner(_))
    {
        NetworkManagerError::NotRunning
    } else {
        NetworkManagerError::Strange(error)
    }
}

async fn rights(bus: &zbus::Connection) -> zbus::Result<Rights> {
    let manager = zbus::Proxy::new(bus, NAME, PATH, NAME).await?;
    let permissions: HashMap<String, String> = manager.call("GetPermissions", &()).await?;
    Ok(Rights::of(&permissions))
}

/// Connections of ours, and the names of those to AWS that another VPN has.
async fn stored(bus: &zbus::Connection) -> zbus::Result<(Vec<Stored>, Vec<String>)> {
    let settings = zbus::Proxy::new(bus, NAME, SETTINGS_PATH, SETTINGS).await?;
    let paths: Vec<OwnedObjectPath> = settings.call("ListConnections", &()).await?;
    let (mut stored, mut foreign) = (Vec::new(), Vec::new());
    for path in paths {
        let connection = zbus::Proxy::new(bus, NAME, path.clone(), CONNECTION).await?;
        // One that was deleted since, or that is another user's.
        let Ok(settings) = connection
            .call::<_, _, HashMap<String, Properties>>("GetSettings", &())
            .await
        else {
            continue;
        };
        stored.extend(read_stored(path.as_str(), &settings));
        foreign.extend(imported_as_openvpn(&settings));
    }
    stored.sort_by(|a, b| (&a.name, &a.uuid).cmp(&(&b.name, &b.uuid)));
    foreign.sort();
    Ok((stored, foreign))
}

fn read_stored(path: &str, settings: &HashMap<String, Properties>) -> Option<Stored> {
    let vpn = settings.get("vpn")?;
    let general = settings.get("connection")?;
    let data = value::<HashMap<String, String>>(vpn, "data").unwrap_or_default();
    let users: Vec<String> = value(general, "permissions").unwrap_or_default();
    (text(vpn, "service-type") == SERVICE_TYPE).then(|| Stored {
        name: text(general, "id"),
        uuid: text(general, "uuid"),
        path: path.to_owned(),
        is_shared: users.len() != 1,
        data: data.into_iter().collect(),
    })
}

/// The name of a connection of NetworkManager-openvpn to an endpoint of AWS.
fn imported_as_openvpn(settings: &HashMap<String, Properties>) -> Option<String> {
    let vpn = settings.get("vpn")?;
    if text(vpn, "service-type") != OPENVPN_SERVICE_TYPE {
        return None;
    }
    let data = value::<HashMap<String, String>>(vpn, "data")?;
    // Hosts with or without port and protocol, after each other.
    let hosts = data.get("remote")?.split([' ', ',']);
    let mut names = hosts.filter_map(|host| host.split(':').next());
    names
        .any(is_aws_host)
        .then(|| text(settings.get("connection").unwrap_or(vpn), "id"))
}

async fn active(bus: &zbus::Connection, manager: &Properties) -> zbus::Result<Vec<Activation>> {
    let paths: Vec<OwnedObjectPath> = value(manager, "ActiveConnections").unwrap_or_default();
    let daemon = DBusProxy::new(bus).await?;
    let mut active = Vec::new();
    for path in paths {
        // One that has ended since has no properties any more.
        let Ok(general) = properties(bus, path.as_str(), ACTIVE).await else {
            continue;
        };
        if value::<bool>(&general, "Vpn") != Some(true) {
            continue;
        }
        let Ok(vpn) = properties(bus, path.as_str(), VPN).await else {
            continue;
        };
        let (mut addresses, mut domains, mut name_servers) = (Vec::new(), Vec::new(), Vec::new());
        for (key, interface) in [
            ("Ip4Config", "org.freedesktop.NetworkManager.IP4Config"),
            ("Ip6Config", "org.freedesktop.NetworkManager.IP6Config"),
        ] {
            let config = value::<OwnedObjectPath>(&general, key);
            let Some(config) = config.filter(|config| config.as_str() != "/") else {
                continue;
            };
            if let Ok(config) = properties(bus, config.as_str(), interface).await {
                addresses.extend(read_addresses(&config));
                domains.extend(value::<Vec<String>>(&config, "Domains").unwrap_or_default());
                name_servers.extend(read_name_servers(&config));
            }
        }
        let service = service_of(path.as_str());
        let service_process = match BusName::try_from(service.as_str()) {
            Ok(name) => daemon.get_connection_unix_process_id(name).await.ok(),
            Err(_) => None,
        };
        let sign_in_ends = match service_process {
            Some(_) => sign_in_end(bus, &service).await,
            None => None,
        };
        domains.sort();
        domains.dedup();
        active.push(Activation {
            path: path.to_string(),
            uuid: text(&general, "Uuid"),
            active_state: value(&general, "State").unwrap_or(0),
            vpn_state: value(&vpn, "VpnState").unwrap_or(0),
            addresses,
            domains,
            name_servers,
            service_process,
            sign_in_ends,
            service,
        });
    }
    Ok(active)
}

/// A service of another version may not know the question.
async fn sign_in_end(bus: &zbus::Connection, service: &str) -> Option<u64> {
    let proxy = zbus::Proxy::new(bus, service, SIGN_IN_PATH, SIGN_IN)
        .await
        .ok()?;
    let (_uuid, _name, ends): (String, String, u64) = proxy.call("GetTerm", &()).await.ok()?;
    (ends > 0).then_some(ends)
}

/// Has the person of an activation sign in again.
pub(crate) async fn renew(service: &str) -> zbus::Result<()> {
    let bus = zbus::Connection::system().await?;
    let proxy = zbus::Proxy::new(&bus, service, SIGN_IN_PATH, SIGN_IN).await?;
    proxy.call(RENEW, &()).await
}

/// The name servers of an IP configuration: for IPv4 they are objects, for IPv6 only bytes.
fn read_name_servers(config: &Properties) -> Vec<String> {
    let servers: Vec<Properties> = value(config, "NameserverData").unwrap_or_default();
    let servers = servers.iter().map(|server| text(server, "address"));
    let bytes: Vec<Vec<u8>> = match config.contains_key("NameserverData") {
        true => Vec::new(),
        false => value(config, "Nameservers").unwrap_or_default(),
    };
    let sixes = bytes.into_iter().filter_map(|bytes| {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        Some(Ipv6Addr::from(bytes).to_string())
    });
    servers.filter(|it| !it.is_empty()).chain(sixes).collect()
}

fn name_servers_left(dns: &Properties) -> Vec<String> {
    let all: Vec<Properties> = value(dns, "Configuration").unwrap_or_default();
    let is_left = |entry: &&Properties| {
        let interface = text(entry, "interface");
        value(entry, "vpn") == Some(true)
            && (interface.is_empty() || !Path::new("/sys/class/net").join(interface).exists())
    };
    let left = all.iter().filter(is_left);
    left.flat_map(|entry| value::<Vec<String>>(entry, "nameservers").unwrap_or_default())
        .collect()
}

fn read_addresses(config: &Properties) -> Vec<String> {
    let addresses: Vec<Properties> = value(config, "AddressData").unwrap_or_default();
    let read = |address: &Properties| {
        let prefix: u32 = value(address, "prefix")?;
        Some(format!("{}/{prefix}", text(address, "address")))
    };
    addresses.iter().filter_map(read).collect()
}

async fn properties(
    bus: &zbus::Connection,
    path: &str,
    interface: &'static str,
) -> zbus::Result<Properties> {
    let proxy = PropertiesProxy::builder(bus)
        .destination(NAME)?
        .path(path.to_owned())?
        .build()
        .await?;
    let interface = InterfaceName::try_from(interface)?;
    Ok(proxy.get_all(interface).await?)
}

fn value<T: TryFrom<OwnedValue>>(properties: &Properties, key: &str) -> Option<T> {
    properties.get(key)?.try_clone().ok()?.try_into().ok()
}

fn text(properties: &Properties, key: &str) -> String {
    value(properties, key).unwrap_or_default()
}
