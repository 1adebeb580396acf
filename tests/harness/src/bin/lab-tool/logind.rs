//! As much of logind as NetworkManager and the VPN service look at: sleep, and one session.
//!
//! Commands come on standard input: `sleep`, `wake`, `lock`, `unlock`, `leave`, `arrive`,
//! `shut-down`, `become NAME UID`.

use crate::report::{block_on, report};
use serde_json::json;
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, BufReader};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{ObjectPath, OwnedFd, OwnedObjectPath};

const PATH: &str = "/org/freedesktop/login1";
const SESSION: &str = "/org/freedesktop/login1/session/c1";

struct Manager {
    present: bool,
    person: (u32, String),
    shutting_down: bool,
    /// What holds sleep back keeps one end of a pipe.
    inhibitors: Vec<std::io::PipeReader>,
}

type Row = (String, u32, String, String, OwnedObjectPath);

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    async fn list_sessions(&self) -> Vec<Row> {
        let path = OwnedObjectPath::from(ObjectPath::from_static_str_unchecked(SESSION));
        let row = (
            "c1".to_owned(),
            self.person.0,
            self.person.1.clone(),
            "seat0".to_owned(),
            path,
        );
        if self.present { vec![row] } else { Vec::new() }
    }

    async fn inhibit(
        &mut self,
        _what: String,
        _who: String,
        _why: String,
        _mode: String,
    ) -> zbus::fdo::Result<OwnedFd> {
        let (reader, writer) =
            std::io::pipe().map_err(|error| zbus::fdo::Error::Failed(error.to_string()))?;
        self.inhibitors.push(reader);
        Ok(OwnedFd::from(std::os::fd::OwnedFd::from(writer)))
    }

    #[zbus(property)]
    fn preparing_for_shutdown(&self) -> bool {
        self.shutting_down
    }

    #[zbus(signal)]
    async fn prepare_for_sleep(emitter: &SignalEmitter<'_>, start: bool) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn session_new(
        emitter: &SignalEmitter<'_>,
        id: &str,
        path: ObjectPath<'_>,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn session_removed(
        emitter: &SignalEmitter<'_>,
        id: &str,
        path: ObjectPath<'_>,
    ) -> zbus::Result<()>;
}

struct Session {
    locked: bool,
    idle: bool,
}

#[zbus::interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn class(&self) -> &str {
        "user"
    }

    #[zbus(property, name = "Type")]
    fn kind(&self) -> &str {
        "wayland"
    }

    #[zbus(property)]
    fn active(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.locked
    }

    #[zbus(property)]
    fn idle_hint(&self) -> bool {
        self.idle
    }

    /// Any user may call it for a session of their own.
    #[zbus(name = "SetIdleHint")]
    async fn change_idle_hint(
        &mut self,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
        idle: bool,
    ) -> zbus::fdo::Result<()> {
        self.idle = idle;
        Ok(self.idle_hint_changed(&emitter).await?)
    }
}

pub(crate) fn run() -> ExitCode {
    block_on(serve())
}

async fn serve() -> zbus::Result<()> {
    let manager = Manager {
        present: true,
        person: (0, "root".to_owned()),
        shutting_down: false,
        inhibitors: Vec::new(),
    };
    let session = Session {
        locked: false,
        idle: false,
    };
    let bus = zbus::connection::Builder::system()?
        .serve_at(PATH, manager)?
        .serve_at(SESSION, session)?
        .name("org.freedesktop.login1")?
        .build()
        .await?;
    report(json!({"event": "logind"}));
    let server = bus.object_server();
    let manager = server.interface::<_, Manager>(PATH).await?;
    let session = server.interface::<_, Session>(SESSION).await?;
    let path = ObjectPath::from_static_str_unchecked(SESSION);
    let mut commands = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(command)) = commands.next_line().await {
        let emitter = manager.signal_emitter();
        match command.as_str() {
            "sleep" => Manager::prepare_for_sleep(emitter, true).await?,
            "wake" => Manager::prepare_for_sleep(emitter, false).await?,
            "lock" | "unlock" => {
                let mut session = session.get_mut().await;
                session.locked = command == "lock";
                let emitter = SignalEmitter::new(&bus, SESSION)?;
                session.locked_hint_changed(&emitter).await?;
            }
            "shut-down" => manager.get_mut().await.shutting_down = true,
            "leave" => {
                manager.get_mut().await.present = false;
                Manager::session_removed(emitter, "c1", path.clone()).await?;
            }
            "arrive" => {
                manager.get_mut().await.present = true;
                Manager::session_new(emitter, "c1", path.clone()).await?;
            }
            other => {
                let mut words = other
                    .split(' ')
                    .skip_while(|word| *word != "become")
                    .skip(1);
                let (name, uid) = (words.next(), words.next().and_then(|uid| uid.parse().ok()));
                if let (Some(name), Some(uid)) = (name, uid) {
                    manager.get_mut().await.person = (uid, name.to_owned());
                }
            }
        }
        report(json!({"event": "done", "command": command}));
    }
    Ok(())
}
