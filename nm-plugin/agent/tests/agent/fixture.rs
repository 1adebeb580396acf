//! A system bus with a NetworkManager that only has agents, a session bus with whatever desktop,
//! and the agent with a dialog that the test plays.

use aws_client_vpn_profile::well_known::AGENT_REGISTERED;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Mutex, OwnedMutexGuard};
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::BusName;
use zbus::zvariant::{ObjectPath, OwnedValue, Value};

const AGENT: &str = env!("CARGO_BIN_EXE_nm-aws-client-vpn-agent");
pub(crate) const SERVICE: &str = "org.freedesktop.NetworkManager.aws-client-vpn";
pub(crate) const NETWORK_MANAGER: &str = "org.freedesktop.NetworkManager";
const AGENT_PATH: &str = "/org/freedesktop/NetworkManager/SecretAgent";
const AGENT_INTERFACE: &str = "org.freedesktop.NetworkManager.SecretAgent";
const SIGN_IN: &str = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn";
const VPN: &str = "org.freedesktop.NetworkManager.VPN.Connection";
pub(crate) const PATH: &str = "/org/freedesktop/NetworkManager/Settings/1";
/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) type Answer = HashMap<String, HashMap<String, OwnedValue>>;

/// A message bus of its own.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn new(dir: &std::path::Path, name: &str) -> Self {
        let config = dir.join(format!("{name}.conf"));
        let text = format!(
            r#"<busconfig><type>session</type><listen>unix:path={}</listen><policy context="default">
               <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
               </policy></busconfig>"#,
            dir.join(name).display()
        );
        std::fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address=1"])
            .arg(format!("--config-file={}", config.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon runs");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            daemon,
            address: address.trim().to_owned(),
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

/// What an agent tells NetworkManager, and the agent's name on the bus.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Registered(String),
    Unregistered,
}

struct AgentManager {
    told: Sender<Told>,
    refusals: u32,
    /// Held, nothing is answered.
    answering: Arc<Mutex<()>>,
}

#[zbus::interface(name = "org.freedesktop.NetworkManager.AgentManager")]
impl AgentManager {
    fn register_with_capabilities(
        &mut self,
        identifier: &str,
        capabilities: u32,
        #[zbus(header)] header: Header<'_>,
    ) -> zbus::fdo::Result<()> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        assert!(identifier.chars().all(allowed), "{identifier}");
        assert_eq!(capabilities, 1, "without hints there is no login");
        if self.refusals > 0 {
            self.refusals -= 1;
            return Err(zbus::fdo::Error::AccessDenied("no session yet".to_owned()));
        }
        let sender = header.sender().unwrap().to_string();
        drop(self.told.send(Told::Registered(sender)));
        Ok(())
    }

    async fn unregister(&self) {
        drop(self.answering.lock().await);
        let _ = self.told.send(Told::Unregistered);
    }
}

struct Notifications {
    time: Duration,
    shown: Sender<String>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    async fn get_capabilities(&self) -> Vec<&str> {
        tokio::time::sleep(self.time).await;
        vec!["actions", "body"]
    }

    #[expect(clippy::too_many_arguments, reason = "so says the specification")]
    fn notify(
        &self,
        _program: &str,
        _replaces: u32,
        _icon: &str,
        summary: String,
        _body: &str,
        _actions: Vec<&str>,
        _hints: HashMap<&str, Value<'_>>,
        _expires: i32,
    ) -> u32 {
        drop(self.shown.send(summary));
        7
    }
}

/// NetworkManager, until it is dropped.
pub(crate) struct NetworkManager {
    connection: Option<zbus::Connection>,
    told: Receiver<Told>,
    answering: Arc<Mutex<()>>,
}

/// All of it. Fields are dropped in this order.
pub(crate) struct Fixture {
    pub(crate) agent: Option<Child>,
    runtime: tokio::runtime::Runtime,
    system: Bus,
    session: Bus,
    noted: Receiver<String>,
    dir: tempfile::TempDir,
}

impl Fixture {
    /// `dialog` is what the dialog does, as a shell script.
    pub(crate) fn new(dialog: &str) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let notes = dir.path().join("notes");
        let made = Command::new("mkfifo").arg(&notes).status().unwrap();
        assert!(made.success());
        let pipe = File::options().read(true).write(true).open(&notes).unwrap();
        let (sender, noted) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        std::fs::hard_link(AGENT, dir.path().join("agent")).unwrap();
        let program = dir.path().join("nm-aws-client-vpn-auth-dialog");
        let script = format!("#!/bin/sh\nnotes={}\n{dialog}\n", notes.display());
        // By another process: a file that this one has open for writing, a child of another test
        // may have for a moment, too, and then it cannot be run.
        let mut install = Command::new("install")
            .args(["-m", "755", "/dev/stdin"])
            .arg(&program)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = install.stdin.take().unwrap();
        stdin.write_all(script.as_bytes()).unwrap();
        drop(stdin);
        assert!(install.wait().unwrap().success());
        Self {
            agent: None,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap(),
            system: Bus::new(dir.path(), "system"),
            session: Bus::new(dir.path(), "session"),
            noted,
            dir,
        }
    }

    /// Starts the agent, in the background.
    pub(crate) fn start(&mut self, arguments: &[&str]) {
        self.start_in("", arguments);
    }

    /// The same, in a session of that desktop.
    pub(crate) fn start_in(&mut self, desktop: &str, arguments: &[&str]) {
        let agent = Command::new(self.dir.path().join("agent"))
            .arg("--background")
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("XDG_CURRENT_DESKTOP", desktop)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.system.address)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.session.address)
            .spawn()
            .expect("the agent runs");
        self.agent = Some(agent);
    }

    /// What the dialog notes next.
    pub(crate) fn noted(&self) -> String {
        self.noted.recv_timeout(PATIENCE).expect("the dialog runs")
    }

    pub(crate) fn notes_nothing(&self) -> bool {
        self.noted.try_recv().is_err()
    }

    /// Starts a NetworkManager.
    pub(crate) fn network_manager(&self) -> NetworkManager {
        self.network_manager_that_refuses(0)
    }

    /// Starts one that takes no agent before it has refused so often.
    pub(crate) fn network_manager_that_refuses(&self, refusals: u32) -> NetworkManager {
        let (sender, told) = channel();
        let answering = Arc::default();
        let agents = AgentManager {
            told: sender,
            refusals,
            answering: Arc::clone(&answering),
        };
        let address = self.system.address.as_str();
        let connection = self.runtime.block_on(async {
            zbus::connection::Builder::address(address)?
                .serve_at("/org/freedesktop/NetworkManager/AgentManager", agents)?
                .name(NETWORK_MANAGER)?
                .build()
                .await
        });
        NetworkManager {
            connection: Some(connection.unwrap()),
            told,
            answering,
        }
    }

    /// Sends a signal so often as fast as it goes, as whoever `sender` is.
    pub(crate) fn flood(&self, sender: &NetworkManager, times: u32, member: &str) {
        let connection = sender.connection.clone().unwrap();
        self.runtime.block_on(async {
            for number in 0..times {
                let path = format!("/org/freedesktop/NetworkManager/ActiveConnection/{number}");
                let sent = if member == "Ends" {
                    let body = ("uuid", "Work", "", u64::MAX);
                    let path = "/org/freedesktop/NetworkManager/AwsClientVpn";
                    connection
                        .emit_signal(None::<&str>, path, SIGN_IN, member, &body)
                        .await
                } else {
                    connection
                        .emit_signal(None::<&str>, path, VPN, member, &(5_u32, 0_u32))
                        .await
                };
                sent.unwrap();
            }
        });
    }

    /// As systemd ends it.
    pub(crate) fn terminate(&self) {
        let process = self.agent.as_ref().unwrap().id().to_string();
        let killed = Command::new("kill").arg(process).status().unwrap();
        assert!(killed.success());
    }

    /// NetworkManager ends.
    pub(crate) fn end(&self, mut network_manager: NetworkManager) {
        if let Some(connection) = network_manager.connection.take() {
            self.runtime.block_on(connection.close()).unwrap();
        }
    }

    /// A program of the desktop that has `name` as long as the value lives.
    pub(crate) fn desktop(&self, name: &str) -> zbus::Connection {
        let address = self.session.address.as_str();
        let connection = self.runtime.block_on(async {
            zbus::connection::Builder::address(address)?
                .name(name.to_owned())?
                .build()
                .await
        });
        connection.unwrap()
    }

    /// A desktop that needs `time` to say whether it shows notifications, as one whose service is only
    /// being started; what it shows then, as long as the value lives.
    pub(crate) fn slow_desktop(&self, time: Duration) -> (zbus::Connection, Receiver<String>) {
        let (sender, shown) = channel();
        let notifications = Notifications {
            time,
            shown: sender,
        };
        let address = self.session.address.as_str();
        let connection = self.runtime.block_on(async {
            zbus::connection::Builder::address(address)?
                .serve_at("/org/freedesktop/Notifications", notifications)?
                .name("org.freedesktop.Notifications")?
                .build()
                .await
        });
        (connection.unwrap(), shown)
    }

    /// The service of a connection, whose sign-in it says to end in ten minutes.
    pub(crate) fn sign_in_ends(&self) -> zbus::Connection {
        let address = self.system.address.as_str();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.runtime.block_on(async {
            let service = zbus::connection::Builder::address(address)
                .unwrap()
                .name(format!("{SERVICE}.Connection_1"))
                .unwrap();
            let service = service.build().await.unwrap();
            let body = ("uuid", "Work", "", now.as_secs() + 600);
            let path = "/org/freedesktop/NetworkManager/AwsClientVpn";
            let told = service.emit_signal(None::<&str>, path, SIGN_IN, "Ends", &body);
            told.await.unwrap();
            service
        })
    }

    /// Somebody else on the system bus.
    pub(crate) fn stranger(&self) -> NetworkManager {
        let address = self.system.address.as_str();
        let connection = self
            .runtime
            .block_on(async { zbus::connection::Builder::address(address)?.build().await });
        NetworkManager {
            connection: Some(connection.unwrap()),
            told: channel().1,
            answering: Arc::default(),
        }
    }

    /// Whether `agent` is taken for one that NetworkManager asks: by the service of a connection, which
    /// looks at its answer, and by a dialog of gnome-shell's, which looks at its name on the session bus.
    pub(crate) fn is_taken_for_asked(&self, agent: &str) -> [bool; 2] {
        let path = ObjectPath::try_from("/").unwrap();
        let name = BusName::try_from(AGENT_REGISTERED).unwrap();
        self.runtime.block_on(async {
            let system = zbus::connection::Builder::address(self.system.address.as_str());
            let system = system.unwrap().build().await.unwrap();
            let (interface, method) = (Some(AGENT_INTERFACE), "CancelGetSecrets");
            let body = &(path, "vpn");
            let answer = system.call_method(Some(agent), AGENT_PATH, interface, method, body);
            let answer = answer.await.unwrap_err().to_string();
            let session = zbus::connection::Builder::address(self.session.address.as_str());
            let session = session.unwrap().build().await.unwrap();
            let daemon = DBusProxy::new(&session).await.unwrap();
            let has_name = daemon.name_has_owner(name).await.unwrap();
            [!answer.contains("PermissionDenied"), has_name]
        })
    }

    /// `GetSecrets` of a connection of `service`; the name of the error, if it is one.
    pub(crate) fn ask(
        &self,
        caller: &NetworkManager,
        agent: &str,
        service: &str,
    ) -> Result<HashMap<String, String>, String> {
        self.ask_with(caller, agent, service, ON_REQUEST)
    }

    /// `GetSecrets` for what is kept only: nobody is to be disturbed.
    pub(crate) fn ask_for_kept(
        &self,
        caller: &NetworkManager,
        agent: &str,
    ) -> Result<HashMap<String, String>, String> {
        self.ask_with(caller, agent, SERVICE, 0)
    }

    fn ask_with(
        &self,
        caller: &NetworkManager,
        agent: &str,
        service: &str,
        flags: u32,
    ) -> Result<HashMap<String, String>, String> {
        let connection = caller.connection.clone().unwrap();
        let call = get_secrets(&connection, agent, service, flags);
        let answer = self.runtime.block_on(call)?;
        let secrets = answer["vpn"]["secrets"].try_clone().unwrap();
        Ok(HashMap::try_from(secrets).unwrap())
    }

    /// The same, without waiting for it here.
    pub(crate) fn begin_ask(
        &self,
        caller: &NetworkManager,
        agent: &str,
    ) -> Receiver<Result<Answer, String>> {
        let (sender, answer) = channel();
        let connection = caller.connection.clone().unwrap();
        let agent = agent.to_owned();
        self.runtime.spawn(async move {
            drop(sender.send(get_secrets(&connection, &agent, SERVICE, ON_REQUEST).await));
        });
        answer
    }

    /// `CancelGetSecrets`.
    pub(crate) fn cancel(&self, caller: &NetworkManager, agent: &str) {
        let connection = caller.connection.clone().unwrap();
        let path = ObjectPath::try_from(PATH).unwrap();
        let body = (path, "vpn");
        let call = connection.call_method(
            Some(agent),
            AGENT_PATH,
            Some(AGENT_INTERFACE),
            "CancelGetSecrets",
            &body,
        );
        self.runtime.block_on(call).unwrap();
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            drop(agent.kill());
            drop(agent.wait());
        }
    }
}

impl NetworkManager {
    /// What an agent tells next.
    pub(crate) fn told(&self) -> Told {
        self.told.recv_timeout(PATIENCE).expect("an agent calls")
    }

    /// The name of the agent that registers next.
    pub(crate) fn agent(&self) -> String {
        match self.told() {
            Told::Registered(name) => name,
            Told::Unregistered => panic!("it unregisters"),
        }
    }

    /// Keeps it from answering as long as the value lives.
    pub(crate) fn hang(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.answering).blocking_lock_owned()
    }
}

/// `NMSecretAgentGetSecretsFlags`: allow interaction, user requested.
const ON_REQUEST: u32 = 5;

async fn get_secrets(
    connection: &zbus::Connection,
    agent: &str,
    service: &str,
    flags: u32,
) -> Result<Answer, String> {
    let data = HashMap::from([("sign-in", "saml")]);
    let settings: HashMap<&str, HashMap<&str, Value<'_>>> = HashMap::from([
        (
            "connection",
            HashMap::from([("uuid", Value::from("1-2")), ("id", Value::from("Work"))]),
        ),
        (
            "vpn",
            HashMap::from([
                ("service-type", Value::from(service)),
                ("data", Value::from(data)),
            ]),
        ),
    ]);
    let path = ObjectPath::try_from(PATH).unwrap();
    let answer = connection
        .call_method(
            Some(agent),
            AGENT_PATH,
            Some(AGENT_INTERFACE),
            "GetSecrets",
            &(settings, path, "vpn", vec!["a=b"], flags),
        )
        .await;
    match answer {
        Ok(reply) => Ok(reply.body().deserialize().unwrap()),
        Err(zbus::Error::MethodError(name, ..)) => Err(name.to_string()),
        Err(other) => panic!("{other}"),
    }
}

/// Asks again until it is so.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < give_up, "it does not become so");
        std::thread::sleep(Duration::from_millis(5));
    }
}
