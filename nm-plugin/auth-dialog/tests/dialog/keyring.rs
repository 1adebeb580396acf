//! A session bus with the real gnome-keyring on it, or with something that does not answer.

use crate::desktop::Bus;
use crate::world::until;
use std::collections::HashMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const LOGIN: &str = "/org/freedesktop/secrets/collection/login";
/// The password of a keyring that was added.
const ADDED: &str = "another";

/// A keyring of its own. `secret-tool` looks into it from outside.
pub(crate) struct Keyring {
    daemon: Option<Child>,
    _stuck: Option<(tokio::runtime::Runtime, zbus::Connection)>,
    home: tempfile::TempDir,
    bus: Bus,
}

impl Keyring {
    /// One with a login keyring that is open.
    pub(crate) fn unlocked() -> Self {
        Self::start("pass\n")
    }

    /// One with a password of `password` in it that is locked.
    pub(crate) fn locked() -> Self {
        let mut keyring = Self::start("pass\n");
        keyring.store("8f9cbe40-4ec5-4bb5-8a2c-5a5c29a9c6a8", "password", "x");
        keyring.lock(LOGIN);
        keyring.daemon.as_mut().unwrap().try_wait().unwrap();
        keyring
    }

    /// Adds a keyring beside the login keyring, of an earlier computer, say, and returns its path.
    pub(crate) fn add(&self) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(added(&self.bus.address)).unwrap()
    }

    /// Has the keyring at `path` opened without a question: its password is in the login keyring,
    /// where it is put when a person says so.
    pub(crate) fn open_at_login(&self, path: &str) {
        let name = path.rsplit('/').next().unwrap();
        self.put(
            LOGIN,
            &["keyring", &format!("LOCAL:/keyrings/{name}.keyring")],
            ADDED,
        );
    }

    /// Keeps `value` in the keyring at `path`.
    pub(crate) fn store_in(&self, path: &str, uuid: &str, name: &str, value: &str) {
        let names = ["setting-name", "vpn", "setting-key", name];
        self.put(
            path,
            &[&["connection-uuid", uuid][..], &names].concat(),
            value,
        );
    }

    /// Every value that is kept under these names and not locked, or, with `--unlock`, can be opened.
    pub(crate) fn all(&self, options: &[&str], uuid: &str, name: &str) -> Vec<String> {
        let output = self
            .command("secret-tool")
            .args(["search", "--all"])
            .args(options)
            .args(["connection-uuid", uuid])
            .args(["setting-name", "vpn", "setting-key", name])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let values = text
            .lines()
            .filter_map(|line| line.strip_prefix("secret = "));
        values.map(str::to_owned).collect()
    }

    fn put(&self, path: &str, attributes: &[&str], value: &str) {
        let mut child = self
            .command("secret-tool")
            .args(["store", "--label=VPN secret", "--collection", path])
            .args(attributes)
            .stdin(Stdio::piped())
            .spawn()
            .expect("libsecret-tools is installed");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(value.as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    /// Locks the keyring at `path`.
    pub(crate) fn lock(&self, path: &str) {
        let status = self
            .command("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
            ])
            .args([
                "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.Lock",
            ])
            .arg(format!("array:objpath:{path}"))
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }

    /// One in which nobody has made a keyring yet: what it has goes at the logout.
    pub(crate) fn without_any() -> Self {
        let mut keyring = Self::new();
        let daemon = keyring
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring is installed");
        keyring.daemon = Some(daemon);
        let has_name = |keyring: &Self| {
            let asked = keyring
                .command("dbus-send")
                .args(["--session", "--print-reply"])
                .args(["--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
                .args(["org.freedesktop.DBus.GetNameOwner"])
                .arg("string:org.freedesktop.secrets")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            asked.is_ok_and(|status| status.success())
        };
        until(|| has_name(&keyring).then_some(()));
        keyring
    }

    /// One that never answers.
    pub(crate) fn stuck() -> Self {
        let bus = Bus::new();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let name = runtime.block_on(async {
            zbus::connection::Builder::address(bus.address.as_str())?
                .serve_at("/org/freedesktop/secrets", Deaf)?
                .name("org.freedesktop.secrets")?
                .build()
                .await
        });
        Self {
            daemon: None,
            _stuck: Some((runtime, name.unwrap())),
            home: tempfile::tempdir().unwrap(),
            bus,
        }
    }

    fn new() -> Self {
        Self {
            daemon: None,
            _stuck: None,
            home: tempfile::tempdir().unwrap(),
            bus: Bus::new(),
        }
    }

    fn start(password: &str) -> Self {
        let mut keyring = Self::new();
        let mut daemon = keyring
            .command("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring is installed");
        let mut stdin = daemon.stdin.take().unwrap();
        stdin.write_all(password.as_bytes()).unwrap();
        drop(stdin);
        keyring.daemon = Some(daemon);
        until(|| {
            keyring.store("probe", "probe", "probe");
            keyring.find("probe", "probe")
        });
        keyring
    }

    /// What a program needs to find it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let home = self.home.path().display().to_string();
        vec![
            ("DBUS_SESSION_BUS_ADDRESS", self.bus.address.clone()),
            ("XDG_DATA_HOME", home.clone()),
            ("XDG_RUNTIME_DIR", home.clone()),
            ("HOME", home),
        ]
    }

    /// Keeps `value` as gnome-shell does.
    pub(crate) fn store(&self, uuid: &str, name: &str, value: &str) {
        let mut child = self
            .command("secret-tool")
            .args(["store", "--label=VPN secret", "connection-uuid", uuid])
            .args(["setting-name", "vpn", "setting-key", name])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("libsecret-tools is installed");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(value.as_bytes()).unwrap();
        drop(stdin);
        child.wait().unwrap();
    }

    /// What is kept under these names.
    pub(crate) fn find(&self, uuid: &str, name: &str) -> Option<String> {
        let output = self
            .command("secret-tool")
            .args(["lookup", "connection-uuid", uuid])
            .args(["setting-name", "vpn", "setting-key", name])
            .output()
            .unwrap();
        let value = String::from_utf8(output.stdout).unwrap();
        output.status.success().then_some(value)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(self.environment());
        command
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }
}

/// Has gnome-keyring make a keyring without asking for its password.
async fn added(bus: &str) -> zbus::Result<String> {
    const NAME: Option<&str> = Some("org.freedesktop.secrets");
    const PATH: &str = "/org/freedesktop/secrets";
    let bus = zbus::connection::Builder::address(bus)?.build().await?;
    let service = Some("org.freedesktop.Secret.Service");
    let session = bus
        .call_method(
            NAME,
            PATH,
            service,
            "OpenSession",
            &("plain", Value::from("")),
        )
        .await?;
    let (_, session): (OwnedValue, OwnedObjectPath) = session.body().deserialize()?;
    let label = (
        "org.freedesktop.Secret.Collection.Label",
        Value::from("added"),
    );
    let password = (session, Vec::<u8>::new(), ADDED.as_bytes(), "text/plain");
    let made = bus
        .call_method(
            NAME,
            PATH,
            Some("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"),
            "CreateWithMasterPassword",
            &(HashMap::from([label]), password),
        )
        .await?;
    let path: OwnedObjectPath = made.body().deserialize()?;
    Ok(path.to_string())
}

/// Takes every call and answers none.
struct Deaf;

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Deaf {
    async fn open_session(&self, _algorithm: &str, _input: zbus::zvariant::Value<'_>) {
        std::future::pending().await
    }
}
