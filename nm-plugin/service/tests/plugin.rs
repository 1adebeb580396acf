//! The service on a bus of its own: names, states and errors as NetworkManager sees them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use zbus::zvariant::Value;

const NAME: &str = "org.freedesktop.NetworkManager.aws-client-vpn.Connection_7";
const PATH: &str = "/org/freedesktop/NetworkManager/VPN/Plugin";
const INTERFACE: &str = "org.freedesktop.NetworkManager.VPN.Plugin";
const LIMIT: Duration = Duration::from_secs(120);
const CA: &str = "-----BEGIN CERTIFICATE-----\\nTUlJ\\n-----END CERTIFICATE-----";
const NOBODY: u32 = 65534;

type Dictionary<'a> = HashMap<&'a str, HashMap<&'a str, Value<'a>>>;

/// A bus that anybody may use, and the service on it.
struct World {
    _dir: tempfile::TempDir,
    address: String,
    daemon: Child,
    service: Child,
    bus: zbus::Connection,
}

impl Drop for World {
    fn drop(&mut self) {
        for child in [&mut self.service, &mut self.daemon] {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl World {
    async fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("bus");
        let config = dir.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\
             <allow send_destination=\"*\"/><allow receive_sender=\"*\"/></policy></busconfig>",
            socket.display()
        );
        std::fs::write(&config, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path(), mode).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        let stdout = daemon.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        let bus = zbus::connection::Builder::address(address.as_str())
            .unwrap()
            .build()
            .await
            .unwrap();
        let dbus = zbus::fdo::DBusProxy::new(&bus).await.unwrap();
        let mut changes = dbus
            .receive_name_owner_changed_with_args(&[(0, NAME)])
            .await
            .unwrap();
        let service = Command::new(env!("CARGO_BIN_EXE_nm-aws-client-vpn-service"))
            .args(["--bus-name", NAME])
            .env("DBUS_SYSTEM_BUS_ADDRESS", &address)
            .spawn()
            .unwrap();
        let owned = futures_lite::StreamExt::next(&mut changes);
        tokio::time::timeout(LIMIT, owned).await.unwrap().unwrap();
        Self {
            _dir: dir,
            address,
            daemon,
            service,
            bus,
        }
    }

    async fn call<B>(&self, method: &str, body: &B) -> Result<zbus::Message, zbus::Error>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let call = self
            .bus
            .call_method(Some(NAME), PATH, Some(INTERFACE), method, body);
        tokio::time::timeout(LIMIT, call).await.unwrap()
    }

    async fn service_ends(&mut self) -> ExitStatus {
        tokio::time::timeout(LIMIT, async {
            loop {
                if let Some(status) = self.service.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap()
    }
}

fn connection(data: &[(&'static str, &str)]) -> Dictionary<'static> {
    let data: HashMap<String, String> = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    HashMap::from([("vpn", HashMap::from([("data", Value::from(data))]))])
}

fn profile(sign_in: &str) -> Dictionary<'static> {
    let remote = "cvpn.example 443 udp";
    connection(&[("remote", remote), ("sign-in", sign_in), ("ca", CA)])
}

fn error_of(result: Result<zbus::Message, zbus::Error>) -> (String, String) {
    let error = result.unwrap_err();
    let zbus::Error::MethodError(name, text, _) = error else {
        panic!("{error}")
    };
    (name.to_string(), text.unwrap_or_default())
}

#[tokio::test]
async fn agents_are_asked_once_for_what_they_keep() {
    let with = |sign_in: &'static str, flags: &'static str| {
        let data = HashMap::from([
            ("remote", "cvpn.example 443 udp"),
            ("sign-in", sign_in),
            ("ca", CA),
            ("password-flags", flags),
        ]);
        let mut profile = profile(sign_in);
        profile.insert("vpn", HashMap::from([("data", Value::from(data))]));
        profile
    };
    // NetworkManager asks again when agents have answered; what is missing then is asked for while
    // connecting, with hints.
    for (sign_in, flags, expected) in [
        ("saml", "3", ["", ""]),
        ("password", "3", ["", ""]),
        ("password", "1", ["vpn", ""]),
    ] {
        let world = World::begin().await;
        for expected in expected {
            let reply = world
                .call("NeedSecrets", &(with(sign_in, flags),))
                .await
                .unwrap();
            let setting = reply.body().deserialize::<String>().unwrap();
            assert_eq!(setting, expected, "{sign_in} {flags}");
        }
    }
}

#[tokio::test]
async fn a_profile_that_cannot_be_used_is_refused_with_the_reason() {
    let world = World::begin().await;
    let mut dangerous = profile("saml");
    let options = HashMap::from([
        ("remote", "cvpn.example 443 udp"),
        ("sign-in", "saml"),
        ("ca", CA),
        ("options", "up /bin/sh"),
    ]);
    dangerous.insert("vpn", HashMap::from([("data", Value::from(options))]));
    let (name, text) = error_of(world.call("Connect", &(dangerous,)).await);
    assert_eq!(
        name,
        "org.freedesktop.NetworkManager.VPN.Error.InvalidConnection"
    );
    assert!(
        text.contains("'up'") && text.contains("run a program"),
        "{text}"
    );
    let (name, _) = error_of(world.call("Connect", &(connection(&[]),)).await);
    assert_eq!(
        name,
        "org.freedesktop.NetworkManager.VPN.Error.InvalidConnection"
    );
    let none: Dictionary<'_> = HashMap::new();
    let (_, text) = error_of(world.call("Connect", &(none,)).await);
    assert!(text.contains("no VPN settings"), "{text}");
}

#[tokio::test]
async fn nothing_can_be_answered_before_there_is_a_connection() {
    let world = World::begin().await;
    let (name, _) = error_of(world.call("NewSecrets", &(profile("saml"),)).await);
    assert_eq!(name, "org.freedesktop.NetworkManager.VPN.Error.WrongState");
}

#[tokio::test]
async fn the_service_ends_with_a_disconnect_and_with_sigterm() {
    let mut world = World::begin().await;
    world.call("Disconnect", &()).await.unwrap();
    assert!(world.service_ends().await.success());

    let mut world = World::begin().await;
    let pid = rustix::process::Pid::from_child(&world.service);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(world.service_ends().await.success());
}

#[tokio::test]
async fn another_user_is_turned_away() {
    // Only root can be two users; for everybody else there is nothing to test.
    assert!(
        rustix::process::geteuid().is_root(),
        "this test has to run as root"
    );
    let world = World::begin().await;
    let output = Command::new("dbus-send")
        .arg(format!("--bus={}", world.address))
        .args(["--print-reply", "--reply-timeout=120000"])
        .arg(format!("--dest={NAME}"))
        .args([PATH, &format!("{INTERFACE}.Disconnect")])
        .uid(NOBODY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("only NetworkManager may call this"), "{text}");
}
