//! The booted system.

use crate::desktop::SessionFile;
use crate::session::{Kind, Session};
use aws_client_vpn_harness::{Booted, EndpointOptions, PendingUp, Terminal, Tools, wait_for};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// How long a step may take on a busy machine: GNOME starts some sixty processes at a login.
pub const SOON: Duration = Duration::from_secs(180);

/// The identifiers under which programs of ours write to the journal.
const OURS: [&str; 4] = [
    "nm-aws-client-vpn-service",
    "nm-aws-client-vpn-auth-dialog",
    "nm-aws-client-vpn-agent",
    "nm-aws-client-vpn-login-window",
];

/// A booted system beside the emulated endpoint.
#[derive(Debug)]
pub struct System(Booted);

impl Deref for System {
    type Target = Booted;
    fn deref(&self) -> &Booted {
        &self.0
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let all = "journalctl --no-pager --output=short-precise >/run/lab/logs/journal.log";
            self.client.run(["sh", "-c", all]);
        }
    }
}

impl System {
    /// Boots it, and installs the packages while it runs, as an administrator does.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&EndpointOptions::default())
    }

    /// As [`Self::start`], beside an endpoint with these options.
    #[must_use]
    pub fn start_with(endpoint: &EndpointOptions) -> Self {
        Self::boot(&[], endpoint)
    }

    /// As [`Self::start_with`], with the desktop `name` on it, which `add-desktop.sh` has put there.
    #[must_use]
    pub fn start_with_desktop(name: &str, endpoint: &EndpointOptions) -> Self {
        let layer = roots().join(format!("trixie-{name}"));
        assert!(
            layer.exists(),
            "there is no {name}: run `tests/system/add-desktop.sh {name}`"
        );
        Self::boot(&[layer], endpoint)
    }

    fn boot(layers: &[PathBuf], endpoint: &EndpointOptions) -> Self {
        let root = roots().join("trixie");
        assert!(
            root.join(".made").exists(),
            "there is no system to boot: run `make system-test`"
        );
        let system = Self(Booted::start(&root, layers, endpoint));
        system.install_packages();
        system
    }

    /// Installs the packages, or upgrades to them.
    #[track_caller]
    pub fn install_packages(&self) {
        let script = "find /run/lab-target/staged-packages -name '*.deb' ! -name '*-selinux_*' \
                      -exec env DEBIAN_FRONTEND=noninteractive dpkg --install {} +";
        self.client.check(["sh", "-c", script]);
    }

    /// `user` logs in at the screen, and GNOME's session starts.
    #[must_use]
    pub fn log_in(&self, user: &str) -> Session<'_> {
        Session::start(self, user, Kind::Gnome, None)
    }

    /// `user` logs in at the screen, and the session of `file` starts, as `xsessions/xfce`: one of
    /// those in `/usr/share` among which display managers let people choose.
    #[must_use]
    pub fn log_in_to(&self, user: &str, file: &str) -> Session<'_> {
        let file = SessionFile::read(self, file);
        Session::start(self, user, Kind::Desktop(file), None)
    }

    /// As [`Self::log_in_to`], by typing `password`, which becomes the user's, to what Plasma's display
    /// manager has in PAM.
    #[must_use]
    pub fn log_in_with_password(&self, user: &str, file: &str, password: &str) -> Session<'_> {
        let script = "set -e
            umask 077
            printf '%s\\n' \"$2\" >/run/password
            printf '%s:%s\\n' \"$1\" \"$2\" | chpasswd
            # su asks root, too, and is no session of its own then.
            install -m 644 /etc/pam.d/sddm /etc/pam.d/su-l";
        self.client
            .check(["sh", "-c", script, "sh", user, password]);
        let file = SessionFile::read(self, file);
        Session::start(self, user, Kind::Desktop(file), Some("/run/password"))
    }

    /// `user` logs in at a text console.
    #[must_use]
    pub fn log_in_at_console(&self, user: &str) -> Session<'_> {
        Session::start(self, user, Kind::Console, None)
    }

    /// `user` writes the configuration of sway: Debian's, and the line of `docs/desktops.md`.
    pub fn configure_sway(&self, user: &str) {
        let script = "set -e
            line=$(grep -x '    exec nm-aws-client-vpn-agent .*' \"$1\")
            mkdir -p ~/.config/sway
            printf 'include /etc/sway/config\\n%s\\n' \"$line\" >~/.config/sway/config";
        let document = "/usr/share/doc/network-manager-aws-client-vpn/docs/desktops.md";
        let mut command = self.as_user(user, "sh");
        let done = command.args(["-c", script, "sh", document]).output();
        let done = done.expect("nsenter can be run");
        assert!(done.status.success(), "{done:?}");
    }

    /// Runs a line of shell as `user` over ssh, in a session of its own.
    #[must_use]
    pub fn over_ssh(&self, user: &str, line: &str) -> Output {
        let mut command = self.as_user(user, "ssh");
        command.args(["-o", "BatchMode=yes", "localhost", line]);
        command.output().expect("nsenter can be run")
    }

    /// As [`Self::over_ssh`]; returns while it runs.
    #[must_use]
    pub fn begin_over_ssh(&self, user: &str, line: &str) -> PendingUp {
        let mut command = self.as_user(user, "ssh");
        command
            .args(["-o", "BatchMode=yes", "localhost", line])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        PendingUp::new(self.client.spawn("ssh", &mut command))
    }

    /// As [`Self::over_ssh`], at a terminal.
    #[must_use]
    pub fn terminal_over_ssh(&self, user: &str, line: &str) -> Terminal {
        let mut command = self.as_user(user, "ssh");
        command.args(["-tt", "-o", "BatchMode=yes", "localhost", line]);
        Terminal::of(&self.client, command)
    }

    /// A command that runs as `user` outside any session.
    #[must_use]
    pub fn as_user(&self, user: &str, program: &str) -> Command {
        let mut command = self.client.command("runuser");
        command
            .args(["--user", user, "--", program])
            .env("HOME", format!("/home/{user}"))
            .env("USER", user);
        command
    }

    /// What journalctl prints for `filters`, without its header.
    #[must_use]
    pub fn journal<const N: usize>(&self, filters: [&str; N]) -> String {
        // What was written before now is read; journald takes its time otherwise.
        self.client.check(["journalctl", "--sync"]);
        let line = [
            "journalctl",
            "--no-pager",
            "--quiet",
            "--output=short-precise",
        ];
        self.client.check(line.into_iter().chain(filters))
    }

    /// Waits until the journal has `text`, in what journalctl prints for `filters`.
    #[track_caller]
    pub fn journal_says<const N: usize>(&self, filters: [&str; N], text: &str) {
        let says = || self.journal(filters).contains(text).then_some(());
        if wait_for(SOON, says).is_none() {
            panic!("the journal does not say {text:?}:\n{}", self.story());
        }
    }

    /// What our programs and NetworkManager wrote to the journal.
    #[must_use]
    pub fn story(&self) -> String {
        let mut filters = OURS.map(|name| format!("--identifier={name}")).to_vec();
        filters.push("--identifier=NetworkManager".to_owned());
        let line = ["journalctl", "--no-pager", "--output=short-precise"];
        self.client
            .check(line.into_iter().chain(filters.iter().map(String::as_str)))
    }

    /// The warnings and errors of our programs, and what others say about them.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let all = self.journal(["--priority=warning"]);
        all.lines()
            .filter(|line| line.contains("aws-client-vpn") || line.contains("AwsClientVpn"))
            .map(ToOwned::to_owned)
            .collect()
    }
}

/// Where `make-root.sh` and `add-desktop.sh` put systems.
fn roots() -> PathBuf {
    Tools::locate().target.join("system-roots")
}
