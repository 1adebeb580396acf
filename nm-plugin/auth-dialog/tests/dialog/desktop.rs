//! A session bus of its own, with a portal that only notes what it was asked to open.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Mutex, OwnedMutexGuard};
use zbus::message::Header;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::world::PATIENCE;

const PATH: &str = "/org/freedesktop/portal/desktop";

/// A session bus.
pub(crate) struct Bus {
    daemon: Child,
    _dir: tempfile::TempDir,
    pub(crate) address: String,
}

impl Bus {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("bus.conf");
        let socket = dir.path().join("bus");
        // No service directories: nothing of the machine's own is started.
        let text = format!(
            r#"<busconfig><type>session</type><listen>unix:path={}</listen><policy context="default">
               <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
               </policy></busconfig>"#,
            socket.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address=1"])
            .arg(format!("--config-file={}", config.display()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon runs");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            daemon,
            _dir: dir,
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

/// The portal, until it is dropped.
pub(crate) struct Portal {
    opened: Receiver<String>,
    answering: Arc<Mutex<()>>,
    _runtime: tokio::runtime::Runtime,
    _connection: zbus::Connection,
}

struct OpenUri {
    response: u32,
    opened: Sender<String>,
    answering: Arc<Mutex<()>>,
}

#[zbus::interface(name = "org.freedesktop.portal.OpenURI")]
impl OpenUri {
    #[zbus(name = "OpenURI")]
    async fn open(
        &self,
        _parent_window: &str,
        uri: String,
        options: HashMap<String, OwnedValue>,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> zbus::fdo::Result<OwnedObjectPath> {
        let sender = header
            .sender()
            .expect("a bus")
            .trim_start_matches(':')
            .replace('.', "_");
        let token = <&str>::try_from(&options["handle_token"]).expect("a string");
        let request = format!("{PATH}/request/{sender}/{token}");
        let answer = (self.response, HashMap::<&str, Value<'_>>::new());
        // Before the call returns: the dialog has to listen in time.
        connection
            .emit_signal(
                header.sender().cloned(),
                request.as_str(),
                "org.freedesktop.portal.Request",
                "Response",
                &answer,
            )
            .await?;
        drop(self.opened.send(uri));
        drop(self.answering.lock().await);
        Ok(OwnedObjectPath::try_from(request).expect("a path"))
    }
}

impl Portal {
    /// Starts it on `bus`; it answers each request with `response` (0 opened, 1 declined by the
    /// user, 2 failed).
    pub(crate) fn new(bus: &Bus, response: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        let (sender, opened) = channel();
        let answering = Arc::default();
        let connection = runtime.block_on(async {
            zbus::connection::Builder::address(bus.address.as_str())?
                .serve_at(
                    PATH,
                    OpenUri {
                        response,
                        opened: sender,
                        answering: Arc::clone(&answering),
                    },
                )?
                .name("org.freedesktop.portal.Desktop")?
                .build()
                .await
        });
        Self {
            opened,
            answering,
            _runtime: runtime,
            _connection: connection.unwrap(),
        }
    }

    /// Keeps it from answering as long as the value lives.
    pub(crate) fn hold(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.answering).blocking_lock_owned()
    }

    /// Waits until it is asked to open an address.
    pub(crate) fn opened(&self) -> String {
        self.opened
            .recv_timeout(PATIENCE)
            .expect("the portal is asked")
    }
}
