//! A session bus with the real gnome-keyring on it, or with something that does not answer.

use crate::desktop::Bus;
use crate::world::until;
use std::io::Write;
use std::process::{Child, Command, Stdio};

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
        let status = keyring
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
            .arg("array:objpath:/org/freedesktop/secrets/collection/login")
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        keyring.daemon.as_mut().unwrap().try_wait().unwrap();
        keyring
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

/// Takes every call and answers none.
struct Deaf;

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Deaf {
    async fn open_session(&self, _algorithm: &str, _input: zbus::zvariant::Value<'_>) {
        std::future::pending().await
    }
}
