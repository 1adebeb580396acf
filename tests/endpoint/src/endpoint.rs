//! The endpoint as a whole: starts all its parts, takes commands, stops everything.

use crate::certificates::Certificates;
use crate::command::{AllClients, Command, KickTarget};
use crate::dns::{self, Zone};
use crate::event::Event;
use crate::files::{self, Files};
use crate::identity_provider::IdentityProvider;
use crate::metadata::{MetadataError, Provider};
use crate::openvpn_server::{OpenVpnServer, Order, ServerError};
use crate::options::{ENDPOINT_NAME, Options};
use crate::saml::Verifier;
use crate::server_plan::{NETWORK_SIZE, ServerPlan};
use crate::sign_in::Place;
use crate::state::{NotANetwork, Settings, Shared};
use crate::xmlsec::Signer;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What a client needs to know of a running endpoint: the first line of the program's output.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(tag = "event", rename = "ready", rename_all = "snake_case")]
pub struct Ready {
    /// The endpoint's DNS name, without the label in front.
    pub endpoint: String,
    /// Addresses of its nodes.
    pub nodes: Vec<Ipv4Addr>,
    /// Its DNS server.
    pub dns: SocketAddr,
    /// The identity provider's URL.
    pub idp: String,
    /// Who may sign in.
    pub user: String,
    /// With which password.
    pub password: String,
    /// An exported client profile (the first of `profiles`).
    pub profile: PathBuf,
    /// All profiles, by transport and port: `udp-443`.
    pub profiles: BTreeMap<String, PathBuf>,
    /// Certificate of the authority that signed the servers' and the identity provider's.
    pub ca: PathBuf,
    /// Certificate and key of the user, for sign-ins with a certificate.
    pub client_certificate: PathBuf,
    /// The key of that certificate.
    pub client_key: PathBuf,
    /// A certificate in the same name that the endpoint does not accept.
    pub stranger_certificate: PathBuf,
    /// The key of that certificate.
    pub stranger_key: PathBuf,
    /// A certificate in the same name that has expired, which the endpoint does not accept either.
    pub expired_certificate: PathBuf,
    /// The key of that certificate.
    pub expired_key: PathBuf,
    /// Each server's own address in its tunnel, by node, transport and port: `1-udp-443`.
    pub gateways: BTreeMap<String, Ipv4Addr>,
}

/// The endpoint did not come up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An option is wrong.
    #[error(transparent)]
    Network(#[from] NotANetwork),
    /// Nothing to serve.
    #[error("an endpoint needs a node, a port and a transport at least")]
    Nothing,
    /// A certificate could not be made.
    #[error("cannot make certificates: {0}")]
    Certificates(String),
    /// A key could not be put into its form.
    #[error("openssl cannot write the client's key: {0}")]
    KeyForm(String),
    /// A file could not be written.
    #[error("cannot write {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// An address cannot be used.
    #[error("cannot listen on {0}: {1}; is it an address of this machine?")]
    Address(SocketAddr, std::io::Error),
    /// The identity provider's metadata cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The inside address could not be set up.
    #[error("cannot put {0} on the loopback interface (needs root and iproute2)")]
    Inside(IpAddr),
    /// An OpenVPN server did not come up.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// A running endpoint. Everything ends when it is dropped; [`Endpoint::stop`] also waits for it.
pub struct Endpoint {
    ready: Ready,
    shared: Arc<Shared>,
    events: UnboundedReceiver<Event>,
    plans: Vec<ServerPlan>,
    servers: HashMap<usize, Vec<OpenVpnServer>>,
    /// DNS servers and identity provider; they end when this is dropped.
    tasks: JoinSet<()>,
    _inside: Vec<InsideAddress>,
    _directory: TempDir,
}

impl Endpoint {
    /// Starts all parts and waits until they take clients.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if options.nodes.is_empty() || options.ports.is_empty() || options.transports.is_empty() {
            return Err(StartError::Nothing);
        }
        let failed = |error: &dyn std::fmt::Display| StartError::Certificates(error.to_string());
        let provider = options.idp_metadata.as_deref().map(Provider::read);
        let provider = provider.transpose()?;
        let certificates =
            Certificates::generate(options.idp, options.idp_name.as_deref(), &options.user)
                .map_err(|error| failed(&error))?;
        let signer = Signer::new(&certificates.signer.key, &certificates.signer.certificate)
            .map_err(|error| failed(&error))?;
        let directory = tempfile::Builder::new()
            .prefix("aws-client-vpn-endpoint-")
            .permissions(std::fs::Permissions::from_mode(0o711))
            .tempdir()
            .map_err(|error| StartError::File(std::env::temp_dir(), error))?;
        let files = Files::write(&options, &certificates, directory.path())?;

        let (sender, events) = unbounded_channel();
        let idp_url = idp_url(&options);
        let sign_on = match &provider {
            Some(provider) => provider.sign_on.clone(),
            None => format!("{idp_url}/sso/saml"),
        };
        let verifier = Verifier::new(match &provider {
            Some(provider) => files::signer(directory.path(), provider)?,
            None => files.signer.clone(),
        });
        let settings = Settings::new(&options)?;
        let inside = inside_addresses(&options)
            .map(InsideAddress::add)
            .collect::<Result<_, _>>()?;
        let mut tasks = JoinSet::new();
        for (address, zone) in zones(&options) {
            let socket = UdpSocket::bind(address)
                .await
                .map_err(|error| StartError::Address(address, error))?;
            tasks.spawn(dns::serve(socket, zone, sender.clone()));
        }
        let plans = plans(&options, directory.path());
        let shared = Arc::new(Shared::new(
            options, idp_url, sign_on, verifier, settings, sender,
        ));

        if provider.is_none() {
            let address = SocketAddr::new(shared.options.idp, shared.options.idp_port);
            let listener = TcpListener::bind(address)
                .await
                .map_err(|error| StartError::Address(address, error))?;
            let tls = if shared.options.idp_http {
                None
            } else {
                Some(acceptor(&certificates)?)
            };
            let provider = IdentityProvider::new(Arc::clone(&shared), signer);
            tasks.spawn(provider.serve(listener, tls));
        }

        let ready = files.ready(&shared, &plans);
        let mut endpoint = Self {
            ready,
            shared,
            events,
            plans,
            servers: HashMap::new(),
            tasks,
            _inside: inside,
            _directory: directory,
        };
        for node in 1..=endpoint.shared.options.nodes.len() {
            endpoint.start_node(node).await?;
        }
        Ok(endpoint)
    }

    /// What clients need to know.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The next step that the endpoint saw; cancelling it loses none.
    pub async fn event(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            // Not reached: `shared` holds a sender.
            None => std::future::pending().await,
        }
    }

    /// Carries out a command. What does not work is reported as [`Event::CommandFailed`].
    /// [`Command::Stop`] is the caller's to carry out.
    pub async fn command(&mut self, command: Command) {
        match command {
            Command::Kick(KickTarget::All(AllClients::All)) => self.order(None, false),
            Command::Kick(KickTarget::Client(number)) => self.order(Some(number), false),
            Command::Halt(wanted) => {
                if wanted {
                    self.order(None, true);
                }
            }
            Command::Set(changes) => self.shared.settings_mut().change(changes),
            Command::Idp(mode) => self.shared.settings_mut().idp = mode,
            Command::Push(options) => self.shared.settings_mut().push = options,
            Command::StopNode(node) => self.stop_node(node).await,
            Command::StartNode(node) => {
                if let Err(error) = self.start_node(node).await {
                    self.shared.report(Event::CommandFailed {
                        reason: error.to_string(),
                    });
                }
            }
            Command::Stop(_) => {}
        }
    }

    /// Ends everything and waits for the ends of all processes.
    pub async fn stop(mut self) {
        for (_, servers) in self.servers.drain() {
            for server in servers {
                server.stop().await;
            }
        }
        self.tasks.shutdown().await;
    }

    fn order(&self, client: Option<u64>, halt: bool) {
        for server in self.servers.values().flatten() {
            server.order(Order::Kick { client, halt });
        }
    }

    async fn start_node(&mut self, node: usize) -> Result<(), StartError> {
        if self.servers.contains_key(&node) {
            return Ok(());
        }
        let plans = self
            .plans
            .iter()
            .filter(|plan| plan.place.node == node)
            .cloned();
        let mut starting = JoinSet::new();
        for plan in plans {
            starting.spawn(OpenVpnServer::start(Arc::clone(&self.shared), plan));
        }
        let mut servers = Vec::new();
        while let Some(started) = starting.join_next().await {
            servers.extend(started.into_iter().collect::<Vec<_>>());
        }
        let servers = servers.into_iter().collect::<Result<Vec<_>, _>>()?;
        if servers.is_empty() {
            let reason = format!("there is no node {node}");
            self.shared.report(Event::CommandFailed { reason });
            return Ok(());
        }
        self.servers.insert(node, servers);
        self.shared.report(Event::NodeStarted { node });
        Ok(())
    }

    async fn stop_node(&mut self, node: usize) {
        for server in self.servers.remove(&node).unwrap_or_default() {
            server.stop().await;
        }
        self.shared.sessions().forget(node);
        self.shared.report(Event::NodeStopped { node });
    }
}

/// One server for each node, transport and port, each with a network of its own.
fn plans(options: &Options, directory: &Path) -> Vec<ServerPlan> {
    let mut plans = Vec::new();
    for (index, address) in options.nodes.iter().enumerate() {
        for transport in &options.transports {
            for port in &options.ports {
                let offset = u32::try_from(plans.len()).unwrap_or(0) * NETWORK_SIZE;
                plans.push(ServerPlan {
                    place: Place {
                        node: index + 1,
                        transport: *transport,
                        port: *port,
                    },
                    address: *address,
                    network: Ipv4Addr::from(u32::from(options.pool).wrapping_add(offset)),
                    ipv6_network: options.ipv6.then(|| ipv6_network(plans.len())),
                    directory: directory.to_owned(),
                });
            }
        }
    }
    plans
}

/// The /64 of the server with this number.
fn ipv6_network(number: usize) -> Ipv6Addr {
    let number = u16::try_from(number).unwrap_or(0);
    Ipv6Addr::new(0xfd00, 0x88, 0, number, 0, 0, 0, 0)
}

fn inside_addresses(options: &Options) -> impl Iterator<Item = IpAddr> {
    let ipv4 = options.inside.map(IpAddr::V4);
    ipv4.into_iter().chain(options.inside_ipv6.map(IpAddr::V6))
}

/// The DNS servers: the public one, and the one inside.
fn zones(options: &Options) -> Vec<(SocketAddr, Zone)> {
    let mut public = Zone {
        bare_names: options.bare_name,
        ..Zone::default()
    };
    public.below.insert(
        ENDPOINT_NAME.to_owned(),
        options.nodes.iter().map(|&node| node.into()).collect(),
    );
    if let Some(name) = &options.idp_name {
        public.exact.insert(name.to_ascii_lowercase(), options.idp);
    }
    let mut zones = vec![(SocketAddr::new(options.dns, options.dns_port), public)];
    let inside = Zone {
        below: HashMap::from([(
            options.inside_zone.to_ascii_lowercase(),
            inside_addresses(options).collect(),
        )]),
        inside: true,
        ..Zone::default()
    };
    zones.extend(
        inside_addresses(options).map(|address| (SocketAddr::new(address, 53), inside.clone())),
    );
    zones
}

fn idp_url(options: &Options) -> String {
    let (scheme, usual_port) = if options.idp_http {
        ("http", 80)
    } else {
        ("https", 443)
    };
    let host = options
        .idp_name
        .clone()
        .unwrap_or_else(|| match options.idp {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
    if options.idp_port == usual_port {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{}", options.idp_port)
    }
}

fn acceptor(certificates: &Certificates) -> Result<TlsAcceptor, StartError> {
    let failed = |error: &dyn std::fmt::Display| StartError::Certificates(error.to_string());
    let chain = [&certificates.web.certificate, &certificates.ca]
        .into_iter()
        .map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::from_pem_slice(certificates.web.key.as_bytes())
        .map_err(|error| failed(&error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| failed(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// An address on the loopback interface, taken away when this is dropped.
struct InsideAddress(IpAddr);

impl InsideAddress {
    fn add(address: IpAddr) -> Result<Self, StartError> {
        if ip_address("add", address) {
            Ok(Self(address))
        } else {
            Err(StartError::Inside(address))
        }
    }
}

impl Drop for InsideAddress {
    fn drop(&mut self) {
        ip_address("del", self.0);
    }
}

fn ip_address(verb: &str, address: IpAddr) -> bool {
    // Without duplicate address detection, an IPv6 address is usable at once.
    let (bits, flags): (u8, &[&str]) = match address {
        IpAddr::V4(_) => (32, &[]),
        IpAddr::V6(_) => (128, &["nodad"]),
    };
    std::process::Command::new("ip")
        .args(["address", verb, &format!("{address}/{bits}"), "dev", "lo"])
        .args(flags)
        .status()
        .is_ok_and(|status| status.success())
}
