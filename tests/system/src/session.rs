//! A session of a user, as logind knows it.

use crate::desktop::SessionFile;
use crate::system::{SOON, System};
use aws_client_vpn_harness::{PendingUp, Terminal, Tools, Up, eventually};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where a user logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// At the screen, with GNOME's session.
    Gnome,
    /// At the screen, with another desktop's session.
    Desktop(SessionFile),
    /// At a text console.
    Console,
}

/// A user's session. It lasts until [`Self::log_out`], or as long as the system.
#[derive(Debug)]
pub struct Session<'system> {
    system: &'system System,
    user: String,
    uid: String,
    id: String,
    kind: Kind,
}

impl<'system> Session<'system> {
    /// `user` logs in, with the password in the file `password` if that is asked for.
    pub(crate) fn start(
        system: &'system System,
        user: &str,
        kind: Kind,
        password: Option<&str>,
    ) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let unit = format!("login-{user}-{number}.service");
        let uid = system.client.check(["id", "-u", user]).trim().to_owned();
        // What a display manager or getty does: PAM opens the session, its first program runs in it.
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let (session_type, variables, program): (_, _, Vec<String>) = match &kind {
            Kind::Gnome => {
                let variables = words(&["XDG_CURRENT_DESKTOP=GNOME"]);
                ("wayland", variables, words(&["gnome-session"]))
            }
            Kind::Desktop(file) => (file.session_type(), file.environment(), file.program()),
            Kind::Console => ("tty", Vec::new(), words(&["sleep", "infinity"])),
        };
        let mut line = vec!["systemd-run".to_owned(), "--quiet".to_owned()];
        line.push(format!("--unit={unit}"));
        let variables: Vec<String> = [
            "XDG_SEAT=seat0".to_owned(),
            "XDG_SESSION_CLASS=user".to_owned(),
            format!("XDG_SESSION_TYPE={session_type}"),
        ]
        .into_iter()
        .chain(variables)
        .collect();
        line.extend(variables.iter().map(|it| format!("--setenv={it}")));
        if let Some(password) = password {
            line.push(format!("--property=StandardInput=file:{password}"));
            let names = variables
                .iter()
                .filter_map(|it| Some(it.split_once('=')?.0));
            let names: Vec<&str> = names.collect();
            line.extend(words(&["su", "--login", "--command=exec \"$@\""]));
            line.push(format!("--whitelist-environment={}", names.join(",")));
            line.extend(words(&["--", user, "sh"]));
        } else {
            line.push(format!("--uid={user}"));
            line.push("--property=PAMName=login".to_owned());
            line.push("--property=WorkingDirectory=~".to_owned());
        }
        line.extend(program);
        system.client.check(line);
        let id = eventually("logind knows the session", SOON, || {
            let main = ["systemctl", "show", "--property=MainPID", "--value", &unit];
            let main = system.client.check(main);
            let sessions = system.client.check(["loginctl", "--no-legend"]);
            sessions.lines().find_map(|line| {
                let mut words = line.split_whitespace();
                let id = words.next()?;
                (words.nth(3)? == main.trim()).then(|| id.to_owned())
            })
        });
        let session = Self {
            system,
            user: user.to_owned(),
            uid,
            id,
            kind,
        };
        eventually("the session is open", SOON, || {
            (session.property("State") != "opening").then_some(())
        });
        if session.kind == Kind::Gnome {
            session.await_agent();
        }
        session
    }

    /// The number of its user.
    pub(crate) fn uid(&self) -> &str {
        &self.uid
    }

    /// Waits until gnome-shell's agent of this session is there.
    #[track_caller]
    fn await_agent(&self) {
        let name = format!("org.gnome.Shell.NetworkAgent/{}]", self.uid);
        self.await_agent_called(&name);
    }

    /// Waits until the secret agent `name` has registered with NetworkManager during this session.
    #[track_caller]
    pub fn await_agent_called(&self, name: &str) {
        eventually(&format!("{name} has registered"), SOON, || {
            let since = format!("--since={}", self.property("Timestamp"));
            let journal = self.system.journal(["--unit=NetworkManager", &since]);
            let is_it = |line: &str| line.contains(name) && line.contains("agent registered");
            journal.lines().any(is_it).then_some(())
        });
    }

    /// Whether this is the session in front of its seat.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.property("Active") == "yes"
    }

    /// What logind knows of the session, as `LockedHint`.
    #[must_use]
    pub fn property(&self, name: &str) -> String {
        let line = [
            "loginctl",
            "show-session",
            "--value",
            "--property",
            name,
            &self.id,
        ];
        self.system.client.check(line).trim().to_owned()
    }

    /// Comes to the front of the seat.
    pub fn activate(&self) {
        self.system.client.check(["loginctl", "activate", &self.id]);
        eventually("the session is in front", SOON, || {
            self.is_active().then_some(())
        });
    }

    /// Locks the screen; returns when it is locked.
    pub fn lock(&self) {
        self.system
            .client
            .check(["loginctl", "lock-session", &self.id]);
        eventually("the screen is locked", SOON, || {
            (self.property("LockedHint") == "yes").then_some(())
        });
    }

    /// Unlocks the screen; returns when it is unlocked.
    pub fn unlock(&self) {
        self.system
            .client
            .check(["loginctl", "unlock-session", &self.id]);
        eventually("the screen is unlocked", SOON, || {
            (self.property("LockedHint") == "no").then_some(())
        });
    }

    /// The user logs out; returns when the session is gone.
    pub fn log_out(self) {
        match self.kind {
            Kind::Gnome => {
                self.check(["gnome-session-quit", "--logout", "--no-prompt"]);
            }
            Kind::Console | Kind::Desktop(_) => {
                self.system
                    .client
                    .check(["loginctl", "terminate-session", &self.id]);
            }
        }
        eventually("the session is gone", SOON, || {
            let sessions = self.system.client.check(["loginctl", "--no-legend"]);
            let is_this = |line: &str| line.split_whitespace().next() == Some(&self.id);
            (!sessions.lines().any(is_this)).then_some(())
        });
    }

    /// A command in the session: in its control group, by which polkit and logind know it, as its
    /// user, with the environment that its programs have.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let Self { user, uid, id, .. } = self;
        let enter = format!(
            "echo 0 >/sys/fs/cgroup/user.slice/user-{uid}.slice/session-{id}.scope/cgroup.procs && \
             cd /home/{user} && exec setpriv --reuid={user} --regid={user} --init-groups \
             --inh-caps=-all \"$@\""
        );
        let mut command = self.system.client.command("sh");
        command.args(["-c", &enter, "sh", program]);
        command
            .env(
                "PATH",
                "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
            )
            .env("HOME", format!("/home/{user}"))
            .env("USER", user)
            .env("LOGNAME", user)
            .env("SHELL", "/bin/bash")
            .env("XDG_SESSION_ID", id)
            .env("XDG_RUNTIME_DIR", format!("/run/user/{uid}"))
            .env(
                "DBUS_SESSION_BUS_ADDRESS",
                format!("unix:path=/run/user/{uid}/bus"),
            );
        match &self.kind {
            Kind::Gnome => {
                command
                    .env("XDG_SESSION_TYPE", "wayland")
                    .env("XDG_CURRENT_DESKTOP", "GNOME")
                    .env("WAYLAND_DISPLAY", "wayland-0");
            }
            Kind::Desktop(file) => {
                command.envs(file.surroundings());
            }
            Kind::Console => {}
        }
        command
    }

    /// Copies a file of the user's to `target/screenshots`.
    pub(crate) fn keep(&self, file: &str) {
        let script = "mkdir -p \"$2\" && cp \"$1\" \"$2\"";
        let there = Tools::locate().target.join("screenshots");
        let file = self.system.client.root().join(&file[1..]);
        let mut copy = Command::new("sh");
        copy.args(["-c", script, "sh"]).args([file, there]);
        assert!(copy.status().is_ok_and(|end| end.success()), "{copy:?}");
    }

    /// Runs a command in the session to its end.
    #[must_use]
    pub fn run<const N: usize>(&self, line: [&str; N]) -> Output {
        let mut command = self.command(line[0]);
        command.args(&line[1..]);
        command.output().expect("nsenter can be run")
    }

    /// Runs a command in the session that has to succeed, and returns what it printed.
    #[track_caller]
    pub fn check<const N: usize>(&self, line: [&str; N]) -> String {
        let output = self.run(line);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{} failed for {}: {text}{}\n{}",
            line.join(" "),
            self.user,
            String::from_utf8_lossy(&output.stderr),
            self.system.story(),
        );
        text
    }

    /// Imports the endpoint's profile for `transport` and `port` as the connection `vpn`.
    #[track_caller]
    pub fn import(&self, transport: &str, port: u16) {
        let file = self.system.profile(transport, port);
        let own = format!("/home/{}/vpn.ovpn", self.user);
        self.check(["cp", &file, &own]);
        self.check([
            "nmcli",
            "connection",
            "import",
            "type",
            "aws-client-vpn",
            "file",
            &own,
        ]);
    }

    /// Our agent at the session's terminal, with the tests' browser as `BROWSER`.
    #[must_use]
    pub fn agent_with_browser(&self) -> Terminal {
        let mut agent = self.command("script");
        agent
            .args(["--quiet", "--return", "--command"])
            .args(["exec nm-aws-client-vpn-agent", "/dev/null"])
            .env("BROWSER", "/run/lab/bin/xdg-open");
        Terminal::of(&self.system.client, agent)
    }

    /// `nmcli connection up vpn`; returns while it runs.
    #[must_use]
    pub fn begin_up(&self) -> PendingUp {
        let mut command = self.command("nmcli");
        command
            .args(["--wait", "600", "connection", "up", "vpn"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        PendingUp::new(self.system.client.spawn("nmcli", &mut command))
    }

    /// `nmcli connection up vpn`, to its end.
    #[must_use]
    pub fn up(&self) -> Up {
        self.begin_up().finish()
    }

    /// `nmcli connection up vpn`, which has to succeed and to carry a packet.
    #[track_caller]
    pub fn connects(&self) {
        let up = self.up();
        assert!(
            up.success,
            "{}\n{:?}\n{}",
            up.text,
            self.system.browser_events(),
            self.system.story()
        );
        self.system.traffic_flows();
    }
}
