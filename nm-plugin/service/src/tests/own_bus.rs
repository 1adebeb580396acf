//! Tests on a message bus of their own, which is a process of theirs and no system bus.

use crate::tests::own_network::SYSTEM_BUS;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A bus that anybody may use; it ends with the value.
pub(crate) struct OwnBus {
    _dir: tempfile::TempDir,
    address: String,
    daemon: Child,
}

impl OwnBus {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = format!("unix:path={}", dir.path().join("bus").display());
        Self::start_in(dir, &address)
    }

    /// Starts the system bus of a test in a network of its own.
    pub(crate) fn start_as_system_bus() -> Self {
        let address = std::env::var(SYSTEM_BUS).unwrap();
        Self::start_in(tempfile::tempdir().unwrap(), &address)
    }

    fn start_in(dir: tempfile::TempDir, address: &str) -> Self {
        let config = dir.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>system</type><listen>{address}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\
             <allow send_destination=\"*\"/><allow receive_sender=\"*\"/></policy></busconfig>"
        );
        std::fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        let stdout = daemon.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut address).unwrap();
        Self {
            _dir: dir,
            address: address.trim().to_owned(),
            daemon,
        }
    }

    /// A way to connect to it.
    pub(crate) fn builder(&self) -> zbus::connection::Builder<'static> {
        zbus::connection::Builder::address(self.address.as_str()).unwrap()
    }
}

impl Drop for OwnBus {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}
