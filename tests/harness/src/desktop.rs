//! A session of gnome-shell that shows notifications, with our agent in its background.

use crate::agent;
use crate::events::Events;
use crate::process::Process;
use crate::wait::{START_LIMIT, until_it_listens};
use crate::world::World;
use std::io::Write;
use std::os::unix::net::UnixDatagram;

const ADDRESS: &str = "unix:path=/run/lab/session-bus";
const CONFIG: &str = "/run/lab/session-bus.conf";

/// A bus on which nothing of the machine's own is started, such as its portal.
fn bus_config() -> String {
    format!(
        r#"<busconfig><type>session</type><listen>{ADDRESS}</listen><policy context="default">
           <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
           </policy></busconfig>"#
    )
}

/// A session bus, a desktop that shows notifications, and our agent.
#[derive(Debug)]
pub struct Desktop {
    /// The notifications that are shown.
    pub notifications: Events,
    _agent: Process,
    shell: Process,
    _bus: Process,
}

impl Desktop {
    pub(crate) fn start(client: &World) -> Self {
        let mut command = client.command("dbus-daemon");
        command.args(["--nofork", "--nopidfile", "--nosyslog"]);
        command.arg(format!("--config-file={CONFIG}"));
        std::fs::write(
            client.root().join(CONFIG.trim_start_matches('/')),
            bus_config(),
        )
        .expect("the lab's directory is writable");
        let bus = client.spawn_logged("session-bus", command);
        let socket = client.root().join("run/lab/session-bus");
        until_it_listens("the session bus listens", &socket, START_LIMIT);
        let (shell, notifications) = agent::tool_in(
            client,
            &["notifications"],
            &[("DBUS_SESSION_BUS_ADDRESS", ADDRESS)],
        );
        notifications.wait("desktop", START_LIMIT);
        let ready = UnixDatagram::bind(client.root().join("run/lab/notify"))
            .expect("the lab's directory is writable");
        ready
            .set_read_timeout(Some(START_LIMIT))
            .expect("a socket takes a limit");
        let mut command = client.command("nm-aws-client-vpn-agent");
        command
            .arg("--background")
            .env("NOTIFY_SOCKET", "/run/lab/notify")
            .env("DBUS_SESSION_BUS_ADDRESS", ADDRESS)
            .env("USER", "root")
            // NetworkManager asks whichever agent has come last.
            .env("BROWSER", "/run/lab/bin/xdg-open");
        let agent = client.spawn_logged("nm-aws-client-vpn-agent", command);
        let mut said = [0; 64];
        ready
            .recv(&mut said)
            .expect("the agent says that it listens");
        Self {
            notifications,
            _agent: agent,
            shell,
            _bus: bus,
        }
    }

    /// The person presses a button of the notification that was shown last.
    pub fn press(&mut self, action: &str) {
        let stdin = self.shell.entrance.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{action}")
            .and_then(|()| stdin.flush())
            .expect("the desktop runs");
    }
}
