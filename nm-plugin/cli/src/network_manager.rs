//! What NetworkManager tells over D-Bus, as plain values. Nothing is judged here.

use crate::answer::Outcome;
use crate::waiting::Waiting;
pub(crate) use aws_client_vpn_network_manager::settings::Stored;
use aws_client_vpn_network_manager::settings::{self, Settings};
use aws_client_vpn_network_manager::{
    Properties, connections, properties, rights, service_is_up, sign_in_end, value,
};
use aws_client_vpn_profile::ovpn::is_aws_host;
use aws_client_vpn_profile::well_known::network_manager::{ACTIVE, NAME, PATH, VPN};
use aws_client_vpn_profile::well_known::{
    OPENVPN_SERVICE_TYPE, active_state, service_of, vpn_state,
};
use aws_client_vpn_sign_in::rights::Rights;
use aws_client_vpn_text::message::Localize;
use std::net::Ipv6Addr;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::zvariant::OwnedObjectPath;

const DNS_PATH: &str = "/org/freedesktop/NetworkManager/DnsManager";
const DNS: &str = "org.freedesktop.NetworkManager.DnsManager";

/// How long all questions together may take.
const LIMIT: Duration = Duration::from_secs(10);

/// NetworkManager could not be asked, or did not do what it was told.
#[derive(Debug, Clone, PartialEq, Error, Localize)]
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
    NoAnswer,
    /// Another reason, in NetworkManager's words.
    #[error("NetworkManager refused the request: {reason}", reason = *_0)]
    Refused(String),
}

impl NetworkManagerError {
    /// The outcome, for exit code and JSON.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Bus(_) | Self::NotRunning | Self::Strange(_) | Self::Silent | Self::NoAnswer => {
                Outcome::NoNetworkManager
            }
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
            "NoReply" | "Timeout" | "TimedOut" => Self::NoAnswer,
            _ => Self::Refused(words.unwrap_or_else(|| name.to_owned())),
        }
    }
}

impl From<zbus::Error> for NetworkManagerError {
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

/// A persistent connection of ours that a network connects by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secondary {
    /// The network's name.
    pub network: String,
    /// The network's UUID.
    pub network_uuid: String,
    /// The connection's name.
    pub name: String,
    /// The connection's UUID.
    pub uuid: String,
}

/// An activation of a connection of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activation {
    /// The active connection's D-Bus object.
    pub(crate) path: String,
    pub(crate) uuid: String,
    /// `NMActiveConnectionState`.
    pub(crate) active_state: u32,
    /// `NMVpnConnectionState`.
    pub(crate) vpn_state: u32,
    /// Whether the service says that it is not up.
    pub(crate) is_lost: bool,
    /// What it waits for, if it is lost.
    pub(crate) waiting: Option<Waiting>,
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
pub struct NetworkManager {
    /// As it says itself.
    pub version: String,
    /// What the user of this command may do; `None` if it does not tell.
    pub rights: Option<Rights>,
    /// How name servers are passed on: `default`, `dnsmasq`, `systemd-resolved`, `none`, …
    pub dns_mode: String,
    /// `symlink`, `file`, `resolvconf`, `unmanaged`, …
    pub rc_manager: String,
    /// The name servers of VPNs whose interfaces are gone. It keeps those of a VPN that it ends while
    /// it shows it as connecting (nm-policy.c).
    pub name_servers_left: Vec<String>,
    /// Connections of ours, in the order of their names.
    pub stored: Vec<Stored>,
    /// The names of connections to endpoints of AWS that another VPN has imported.
    pub imported_as_openvpn: Vec<String>,
    /// Persistent connections of ours that networks connect by themselves.
    pub secondaries: Vec<Secondary>,
    /// What is up or on its way.
    pub active: Vec<Activation>,
}

/// Asks NetworkManager.
pub(crate) async fn ask() -> Result<NetworkManager, NetworkManagerError> {
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

async fn ask_unbounded() -> Result<NetworkManager, NetworkManagerError> {
    let bus = zbus::Connection::system()
        .await
        .map_err(NetworkManagerError::Bus)?;
    let manager = properties(&bus, PATH, NAME).await.map_err(not_asked)?;
    let strange = NetworkManagerError::Strange;
    let dns = properties(&bus, DNS_PATH, DNS).await.map_err(strange)?;
    let all = connections(&bus).await.map_err(strange)?;
    Ok(NetworkManager {
        version: text(&manager, "Version"),
        rights: rights(&bus).await.ok(),
        dns_mode: text(&dns, "Mode"),
        rc_manager: text(&dns, "RcManager"),
        name_servers_left: name_servers_left(&dns),
        stored: stored(&all),
        imported_as_openvpn: names_of_openvpn(&all),
        secondaries: secondaries(&all),
        active: active(&bus, &manager).await.map_err(strange)?,
    })
}

fn not_asked(error: zbus::Error) -> NetworkManagerError {
    if let zbus::Error::MethodError(name, ..) = &error
        && NetworkManagerError::of(name, None) == NetworkManagerError::NotRunning
    {
        NetworkManagerError::NotRunning
    } else {
        NetworkManagerError::Strange(error)
    }
}

/// Connections of ours.
fn stored(all: &[(OwnedObjectPath, Settings)]) -> Vec<Stored> {
    let stored = all.iter().filter_map(|(path, it)| Stored::read(path, it));
    let mut stored: Vec<_> = stored.collect();
    stored.sort_by(|a, b| (&a.name, &a.uuid).cmp(&(&b.name, &b.uuid)));
    stored
}

/// The names of connections to AWS that another VPN has.
fn names_of_openvpn(all: &[(OwnedObjectPath, Settings)]) -> Vec<String> {
    let names = all.iter().filter_map(|(_, it)| imported_as_openvpn(it));
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// Persistent connections of ours that networks connect by themselves.
fn secondaries(all: &[(OwnedObjectPath, Settings)]) -> Vec<Secondary> {
    let is_persistent = |it: &Settings| value(it.get("vpn")?, "persistent");
    let ours = all.iter().filter_map(|(path, it)| {
        let stored = Stored::read(path, it)?;
        is_persistent(it).unwrap_or(false).then_some(stored)
    });
    let ours: Vec<Stored> = ours.collect();
    let networks = all.iter().filter_map(|(_, it)| it.get("connection"));
    let of_network = |network| {
        let held: Vec<String> = value(network, "secondaries").unwrap_or_default();
        let held = ours.iter().filter(move |ours| held.contains(&ours.uuid));
        held.map(|ours| Secondary {
            network: text(network, "id"),
            network_uuid: text(network, "uuid"),
            name: ours.name.clone(),
            uuid: ours.uuid.clone(),
        })
    };
    networks.flat_map(of_network).collect()
}

/// The name of a connection of NetworkManager-openvpn to an endpoint of AWS.
fn imported_as_openvpn(settings: &Settings) -> Option<String> {
    if text(settings.get("vpn")?, "service-type") != OPENVPN_SERVICE_TYPE {
        return None;
    }
    let data = settings::data(settings);
    // Hosts with or without port and protocol, after each other.
    let hosts = data.get("remote")?.split([' ', ',']);
    let mut names = hosts.filter_map(|host| host.split(':').next());
    let general = settings.get("connection")?;
    names.any(is_aws_host).then(|| text(general, "id"))
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
        let vpn_state = value(&vpn, "VpnState").unwrap_or(0);
        let is_lost =
            vpn_state == vpn_state::ACTIVATED && service_is_up(bus, &service).await == Some(false);
        // One of another version may not know the question.
        let (sign_in_ends, waiting) = match service_process {
            Some(_) => (
                sign_in_end(bus, &service).await.ok(),
                Waiting::of(bus, &service).await.flatten(),
            ),
            None => (None, None),
        };
        domains.sort();
        domains.dedup();
        active.push(Activation {
            path: path.to_string(),
            uuid: text(&general, "Uuid"),
            active_state: value(&general, "State").unwrap_or(0),
            vpn_state,
            is_lost,
            waiting,
            addresses,
            domains,
            name_servers,
            service_process,
            sign_in_ends: sign_in_ends.filter(|end| *end > 0),
            service,
        });
    }
    Ok(active)
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

fn text(properties: &Properties, key: &str) -> String {
    value(properties, key).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

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
                "org.freedesktop.NetworkManager.ConnectionNotActive",
                NetworkManagerError::NoNetwork,
            ),
            (
                "org.freedesktop.DBus.Error.NoReply",
                NetworkManagerError::NoAnswer,
            ),
            (
                "org.freedesktop.DBus.Error.UnknownMethod",
                NetworkManagerError::Gone,
            ),
            (
                "org.freedesktop.NetworkManager.Settings.InvalidConnection",
                NetworkManagerError::Refused("words".to_owned()),
            ),
        ] {
            assert_eq!(
                NetworkManagerError::of(name, Some("words".to_owned())),
                error
            );
        }
    }
}
