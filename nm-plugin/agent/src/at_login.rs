//! Connects when the user has logged in and a network is there, where a connection's settings say so.
//!
//! NetworkManager's own ways (`connection.secondaries`) try at boot, when nobody can sign in. What is
//! decided is `aws_client_vpn_sign_in`'s; this looks, waits and connects. A file in XDG_RUNTIME_DIR
//! keeps a restarted agent from taking its start for a login. The directory may outlive the login, so
//! logind's session is noted in it.

use aws_client_vpn_attempt::failure_of;
use aws_client_vpn_keyring::session_dir::session_dir;
use aws_client_vpn_network_manager::settings::Stored;
use aws_client_vpn_network_manager::signals::{signals, vpn_state};
use aws_client_vpn_network_manager::{call, connections, owner, properties_in_time, value};
use aws_client_vpn_profile::last_failure::FailureKind;
use aws_client_vpn_profile::settings::{AtLogin, at_login};
use aws_client_vpn_profile::well_known::network_manager::{ACTIVE, NAME, PATH};
use aws_client_vpn_profile::well_known::{state_reason, vpn_state as states};
use aws_client_vpn_secret_agent::report::report;
use aws_client_vpn_sign_in::at_login::AtLogins;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Message;
use futures_lite::StreamExt;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use zbus::MessageStream;
use zbus::zvariant::{ObjectPath, OwnedObjectPath};

/// Changes come in bursts, and NetworkManager's own attempts begin right after a network came.
const SETTLE: Duration = Duration::from_secs(3);
/// How long a host inside has to answer.
const PROBE_TIME: Duration = Duration::from_secs(2);
/// How long NetworkManager has to answer; polkit may have to be started.
const CALL_TIME: Duration = Duration::from_secs(25);
/// The pause before NetworkManager is asked again after it was not there.
const PAUSE: Duration = Duration::from_secs(30);
/// logind on the system bus.
const LOGIN: &str = "org.freedesktop.login1";
const LOGIN_PATH: &str = "/org/freedesktop/login1";
const LOGIN_MANAGER: &str = "org.freedesktop.login1.Manager";
const LOGIN_USER: &str = "org.freedesktop.login1.User";
/// `NM_CONNECTIVITY_PORTAL`
const PORTAL: u32 = 2;

/// Looks and connects for as long as the session lasts.
pub(crate) async fn serve(bus: zbus::Connection) {
    let mut login = Login::begin(bus).await;
    loop {
        // NetworkManager, or the bus, may come later.
        if let Ok(signals) = signals().await {
            login.follow(signals).await;
        }
        sleep(PAUSE).await;
    }
}

struct Login {
    bus: zbus::Connection,
    file: Option<PathBuf>,
    /// What tells this login from others.
    session: String,
    known: AtLogins,
    /// The connections of activations that were seen, by their paths.
    active: HashMap<String, String>,
}

impl Login {
    async fn begin(bus: zbus::Connection) -> Self {
        let file = session_dir().map(|it| it.join("nm-aws-client-vpn-at-login"));
        let text = file.as_ref().and_then(|file| fs::read_to_string(file).ok());
        let session = timeout(CALL_TIME, session(&bus)).await;
        // Without logind, a file is of this login.
        let session = session.ok().and_then(Result::ok).unwrap_or_default();
        Self {
            bus,
            file,
            known: AtLogins::from_text(&text.unwrap_or_default(), &session),
            session,
            active: HashMap::new(),
        }
    }

    /// Follows `signals` until the bus is gone.
    async fn follow(&mut self, mut signals: MessageStream) {
        self.look().await;
        loop {
            let Some(Ok(signal)) = signals.next().await else {
                return;
            };
            self.heard(&signal);
            // What comes meanwhile is looked at with it.
            let settled = tokio::time::Instant::now() + SETTLE;
            while let Ok(Some(Ok(signal))) = tokio::time::timeout_at(settled, signals.next()).await
            {
                self.heard(&signal);
            }
            self.look().await;
        }
    }

    /// Somebody switched a connection off, or did not want to sign in.
    fn heard(&mut self, signal: &zbus::Message) {
        let Some((path, state, reason)) = vpn_state(signal) else {
            return;
        };
        // After a loss, Cancel is an answer: only the service's word tells it from a refusal.
        let is_cancelled = |uuid: &str| {
            let failure = failure_of(uuid, &path);
            failure.is_some_and(|failure| failure.kind == FailureKind::Cancelled)
        };
        let is_end = matches!(state, states::FAILED | states::DISCONNECTED);
        let is_no = matches!(
            reason,
            state_reason::USER_DISCONNECTED | state_reason::NO_SECRETS
        );
        if is_end
            && let Some(uuid) = self.active.remove(&path)
            && (is_no || is_cancelled(&uuid))
        {
            self.known.switched_off(&uuid);
            self.keep();
        }
    }

    /// Sees what there is, and connects what is due.
    async fn look(&mut self) {
        let network = self.network().await;
        if let Some(network) = &network {
            self.known
                .network(network.as_ref().map(|(own, _)| own.as_str()));
        }
        let active = self.note_active().await;
        if let Some(Some((_, name))) = network {
            for (wanted, choice) in self.wanted().await {
                let uuid = &wanted.uuid;
                let is_due = self.known.is_due(uuid) && !active.contains(uuid);
                if is_due && is_outside(&choice, &name).await {
                    self.connect(wanted).await;
                }
            }
            self.known.tried();
        }
        self.keep();
    }

    /// What tells the active connection that everything goes through from others, and its name. One that
    /// came again has another path, and another NetworkManager counts them from the beginning. `None` if
    /// it is a VPN, which is no other network.
    async fn network(&self) -> Option<Option<(String, String)>> {
        let manager = properties_in_time(&self.bus, PATH, NAME).await;
        let manager = manager.unwrap_or_default();
        let primary = value(&manager, "PrimaryConnection");
        let is_one = |path: &OwnedObjectPath| path.as_str() != "/";
        let Some(path) = primary.filter(is_one) else {
            return Some(None);
        };
        if value(&manager, "Connectivity") == Some(PORTAL) {
            return Some(None);
        }
        let active = properties_in_time(&self.bus, &path, ACTIVE).await?;
        if value(&active, "Vpn")? {
            return None;
        }
        let manager = timeout(CALL_TIME, owner(&self.bus)).await.ok()?.ok()??;
        Some(Some((format!("{manager} {path}"), value(&active, "Id")?)))
    }

    /// What is up or on its way needs nobody, whoever asked for it.
    async fn note_active(&mut self) -> HashSet<String> {
        let mut active = HashSet::new();
        let manager = properties_in_time(&self.bus, PATH, NAME).await;
        let paths = value(&manager.unwrap_or_default(), "ActiveConnections");
        let paths: Vec<OwnedObjectPath> = paths.unwrap_or_default();
        for path in paths {
            if let Some(one) = properties_in_time(&self.bus, &path, ACTIVE).await
                && value(&one, "Vpn") == Some(true)
                && let Some::<String>(uuid) = value(&one, "Uuid")
            {
                self.known.seen(&uuid);
                active.insert(uuid.clone());
                self.active.insert(path.to_string(), uuid);
            }
        }
        active
    }

    /// The connections that are to come up by themselves. Of one whose settings make no sense the service
    /// says so.
    async fn wanted(&self) -> Vec<(Stored, AtLogin)> {
        let list = timeout(CALL_TIME, connections(&self.bus)).await;
        let list = list.ok().and_then(Result::ok).unwrap_or_default();
        let wanted = list.iter().filter_map(|(path, settings)| {
            let stored = Stored::read(path, settings)?;
            let choice = at_login(&stored.data).unwrap_or_else(|_| Some(AtLogin::default()))?;
            Some((stored, choice))
        });
        wanted.collect()
    }

    async fn connect(&mut self, wanted: Stored) {
        let call = async {
            let any = ObjectPath::from_static_str_unchecked("/");
            let body = (ObjectPath::try_from(wanted.path)?, &any, &any);
            call::<OwnedObjectPath>(&self.bus, PATH, NAME, "ActivateConnection", &body).await
        };
        let why = match timeout(CALL_TIME, call).await {
            Ok(Ok(path)) => {
                self.active.insert(path.to_string(), wanted.uuid);
                return;
            }
            Ok(Err(error)) => Message::literal(error.to_string()),
            Err(_) => message!("NetworkManager does not answer."),
        };
        report(&message!(
            "{connection} was not connected after you logged in: {reason}",
            connection = wanted.name,
            reason = why
        ));
    }

    /// Where there is no place for it, a new agent is taken for a new login.
    fn keep(&self) {
        if let Some(file) = &self.file {
            drop(fs::write(file, self.known.to_text(&self.session)));
        }
    }
}

/// logind's name for the session at whose screen the user is; empty, if it knows none.
async fn session(bus: &zbus::Connection) -> zbus::Result<String> {
    let user = rustix::process::getuid().as_raw();
    let manager = zbus::Proxy::new(bus, LOGIN, LOGIN_PATH, LOGIN_MANAGER).await?;
    let path: OwnedObjectPath = manager.call("GetUser", &(user,)).await?;
    let user = zbus::Proxy::new(bus, LOGIN, path, LOGIN_USER).await?;
    let (session, _): (String, OwnedObjectPath) = user.get_property("Display").await?;
    Ok(session)
}

/// Whether the network is one to connect on, as far as a connection's settings say.
async fn is_outside(choice: &AtLogin, network: &str) -> bool {
    if choice.except_on.iter().any(|name| name == network) {
        return false;
    }
    let Some((host, port)) = &choice.unless_reachable else {
        return true;
    };
    let reached = timeout(PROBE_TIME, TcpStream::connect((host.as_str(), *port))).await;
    !matches!(reached, Ok(Ok(_)))
}
