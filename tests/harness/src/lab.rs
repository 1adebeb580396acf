//! A client machine with NetworkManager, a server machine with the endpoint, a cable between them.

use crate::agent::{self, Agent, AgentStyle, VpnState, Watch};
use crate::clock;
use crate::desktop::Desktop;
use crate::endpoint::{Endpoint, EndpointOptions, INSIDE, INSIDE_IPV6};
use crate::events::{Event, Events};
use crate::journal;
use crate::log_tail::LogTail;
use crate::logind::Logind;
use crate::machines;
use crate::process::Process;
use crate::resolved;
use crate::snapshot::Snapshot;
use crate::terminal::Terminal;
use crate::tools::Tools;
use crate::turn::Turn;
use crate::up::{PendingUp, Up};
use crate::wait::{START_LIMIT, eventually, until_it_listens, wait_for};
use crate::world::World;
use rustix::process::Signal;
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long everything of a connection may take to be gone.
const CLEAN_LIMIT: Duration = Duration::from_secs(120);

/// How NetworkManager passes DNS servers on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnsMode {
    /// Into `/etc/resolv.conf`.
    #[default]
    ResolvConf,
    /// To a dnsmasq of its own, which asks each server for its own domains.
    Dnsmasq,
    /// To systemd-resolved, which knows the servers and domains of each link.
    Resolved,
}

/// What the person at the browser does when the auth dialog opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Browser {
    /// A program fills in the identity provider's form.
    Scripted,
    /// As [`Self::Scripted`], once [`Lab::browser_goes_on`] says so.
    Waiting,
    /// As [`Self::Scripted`], with a wrong password; then gives up.
    WrongPassword,
    /// The real Chromium, driven through chromedriver.
    Chromium,
    /// Closes the window without having done anything.
    Closed,
    /// There is no browser that could be started.
    Missing,
    /// Sends the response of the login before once more.
    Replay,
}

/// What a lab is made with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Flags for the endpoint; `None` for a lab without one.
    pub endpoint: Option<EndpointOptions>,
    /// How NetworkManager passes DNS servers on.
    pub dns: DnsMode,
    /// The desktop's secret agent, if there is one.
    pub agent: Option<AgentStyle>,
    /// Who is at the browser.
    pub browser: Browser,
    /// Whether the staged tree lies over the client's `/usr`.
    pub product: bool,
    /// The system that the client runs, unpacked in this directory; `None` for this machine's.
    pub system: Option<PathBuf>,
    /// Whether there is a logind, with a person logged in.
    pub logind: bool,
    /// Whether there is a journal, which all programs write to.
    pub journal: bool,
    /// Whether a desktop will run on the client; fewer of such labs run at a time.
    pub desktop: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            endpoint: Some(EndpointOptions::default()),
            dns: DnsMode::default(),
            agent: Some(AgentStyle::GnomeShell),
            browser: Browser::Scripted,
            product: true,
            system: None,
            logind: false,
            journal: false,
            desktop: false,
        }
    }
}

/// What a person types into a dialog, by the names of the secrets, for [`Lab::set_typed`].
#[must_use]
pub fn typed(answers: &[(&str, &str)]) -> serde_json::Value {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), json!(value));
    answers
        .iter()
        .map(pair)
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The person presses Cancel, for [`Lab::set_typed`].
pub const CANCEL: &str = "cancel";

/// Two machines and what runs on them. Dropping it takes everything down.
#[derive(Debug)]
pub struct Lab {
    // Dropped in this order: what runs on a machine before the machine.
    /// The secret agent, if there is one.
    pub agent: Option<Agent>,
    watch: Option<Watch>,
    network_manager: Option<Process>,
    logind: Option<Logind>,
    _journal: Option<Process>,
    _resolved: Option<Process>,
    _bus: Option<Process>,
    endpoint: Option<Endpoint>,
    /// The user's machine.
    pub client: World,
    /// The other machine.
    pub server: World,
    dir: PathBuf,
    dns: DnsMode,
    agent_style: Option<AgentStyle>,
    _turn: Turn,
}

impl Lab {
    /// Makes a lab; returns when the client is online and the endpoint ready.
    #[must_use]
    pub fn start(options: &Options) -> Self {
        let turn = Turn::take(options.desktop);
        let tools = Tools::locate();
        let dir = new_directory();
        assert!(
            !options.product || tools.product_is_staged(),
            "{} is missing: run `make stage`",
            tools.stage.display()
        );
        let server = World::start("server", &dir, None, "");
        let setup = machines::client_setup(options.product);
        let client = World::start("client", &dir, options.system.as_deref(), &setup);
        machines::cable(&client, &server);
        let endpoint = options
            .endpoint
            .as_ref()
            .map(|flags| Endpoint::start(&server, flags));
        let mut lab = Self {
            agent: None,
            watch: None,
            network_manager: None,
            logind: None,
            _journal: None,
            _resolved: None,
            _bus: None,
            endpoint,
            client,
            server,
            dir,
            dns: options.dns,
            agent_style: options.agent,
            _turn: turn,
        };
        lab.set_browser(&options.browser);
        if options.dns == DnsMode::Resolved {
            resolved::install(&lab.client);
        }
        if options.journal {
            lab._journal = Some(journal::start(&lab.client));
        }
        lab.start_bus();
        if options.dns == DnsMode::Resolved {
            lab._resolved = Some(resolved::start(&lab.client));
        }
        if options.logind {
            lab.logind = Some(Logind::start(&lab.client));
        }
        lab.watch = Some(Watch::start(&lab.client));
        lab.start_network_manager();
        lab
    }

    /// Starts the endpoint of a lab that was made without one.
    pub fn start_endpoint(&mut self, flags: &EndpointOptions) {
        self.endpoint = Some(Endpoint::start(&self.server, flags));
    }

    /// The endpoint.
    pub fn endpoint(&mut self) -> &mut Endpoint {
        self.endpoint.as_mut().expect("this lab has an endpoint")
    }

    /// The computer's sleep, and the person's session.
    pub fn logind(&mut self) -> &mut Logind {
        self.logind.as_mut().expect("this lab has a logind")
    }

    /// Gives the client a clock of its own; what runs on it already keeps this machine's.
    pub fn install_clock(&self) {
        clock::install(&self.client, &self.dir);
    }

    /// Puts the client's clock `seconds` away from this machine's, see [`Self::install_clock`].
    pub fn set_clock(&self, seconds: i64) {
        clock::set(&self.client, seconds);
    }

    /// Lets no packet to or from the client through any more, without a word to anybody.
    pub fn cut(&self) {
        // The server takes packets for itself only after it has let them in.
        let script = "ip rule add pref 100 lookup local && ip rule del pref 0 && \
                      ip rule add pref 10 iif eth0 blackhole && \
                      ip rule add pref 11 iif eth1 blackhole && \
                      ip rule add pref 12 to 192.0.2.10 blackhole && \
                      ip rule add pref 13 to 198.51.100.10 blackhole";
        self.server.check(["sh", "-c", script]);
    }

    /// The end of [`Self::cut`].
    pub fn mend(&self) {
        let script = "for pref in 10 11 12 13; do ip rule del pref $pref; done && \
                      ip rule add pref 0 lookup local && ip rule del pref 100";
        self.server.check(["sh", "-c", script]);
    }

    /// Lays a second cable to the server: `eth1` of the client, and the connection `other` for it.
    pub fn second_cable(&self) {
        machines::second_cable(&self.client, &self.server);
        self.client
            .check(["nmcli", "--wait", "300", "connection", "up", "other"]);
    }

    /// Whether a packet goes through the tunnel, and the answer back, within a second.
    #[must_use]
    pub fn has_traffic(&self) -> bool {
        let output = self.client.run(["ping", "-c", "1", "-W", "1", INSIDE]);
        output.status.success()
    }

    /// What the endpoint saw.
    #[must_use]
    pub fn endpoint_events(&self) -> &Events {
        &self
            .endpoint
            .as_ref()
            .expect("this lab has an endpoint")
            .events
    }

    /// Starts NetworkManager (again) and the agent; returns when the client is online.
    pub fn start_network_manager(&mut self) {
        let dns = match self.dns {
            DnsMode::ResolvConf => "dns=default\nrc-manager=file",
            DnsMode::Dnsmasq => "dns=dnsmasq\nrc-manager=file",
            DnsMode::Resolved => "dns=systemd-resolved\nrc-manager=file",
        };
        let resolved = self.dns == DnsMode::Resolved;
        // No word of logging: tests read what a distribution's default has written.
        let config = format!(
            "[main]\nplugins=keyfile\nauth-polkit=false\nno-auto-default=*\n{dns}\n\
             systemd-resolved={resolved}\n\
             [keyfile]\npath=/etc/NetworkManager/system-connections\n"
        );
        fs::write(self.dir.join("NetworkManager.conf"), config).expect("the lab is writable");
        // One that was killed a moment ago may still have it, and the next would give up.
        eventually("NetworkManager's name is free", START_LIMIT, || {
            let is_owned = self.has_owner("string:org.freedesktop.NetworkManager");
            (!is_owned).then_some(())
        });
        let mut command = self.client.command("NetworkManager");
        command.args(["--debug", "--config=/run/lab/NetworkManager.conf"]);
        self.network_manager = Some(self.client.spawn_logged("NetworkManager", command));
        eventually("NetworkManager is online", START_LIMIT, || {
            let state = self.nmcli(["--get-values", "GENERAL.STATE", "device", "show", "eth0"]);
            String::from_utf8_lossy(&state.stdout)
                .starts_with("100")
                .then_some(())
        });
        self.await_resolver();
        // An agent registers with each NetworkManager again.
        self.start_agent();
    }

    /// NetworkManager writes resolv.conf, and starts dnsmasq, a moment after it is online.
    fn await_resolver(&self) {
        eventually(
            "NetworkManager has set the resolver up",
            START_LIMIT,
            || {
                let servers =
                    fs::read_to_string(self.client.root().join("etc/resolv.conf")).ok()?;
                let is_written = servers.contains("NetworkManager");
                let name = "string:org.freedesktop.NetworkManager.dnsmasq";
                let serves = self.dns != DnsMode::Dnsmasq || self.has_owner(name);
                (is_written && serves).then_some(())
            },
        );
    }

    /// Whether somebody has this name (`string:NAME`) on the system bus.
    fn has_owner(&self, name: &str) -> bool {
        let answer = self.client.check([
            "dbus-send",
            "--system",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.NameHasOwner",
            name,
        ]);
        answer.contains("boolean true")
    }

    /// Ends the desktop's secret agent; returns when it is gone from the bus, too.
    pub fn stop_agent(&mut self) {
        self.agent = None;
        eventually("the agent has ended", START_LIMIT, || {
            let is_agent = |pid: &i32| {
                fs::read(format!("/proc/{pid}/cmdline"))
                    .is_ok_and(|line| line.split(|&byte| byte == 0).nth(1) == Some(b"agent"))
            };
            let alive = self.client.processes_called("lab-tool");
            (!alive.iter().any(is_agent)).then_some(())
        });
    }

    /// Starts the desktop's secret agent (again), if the lab has one.
    pub fn start_agent(&mut self) {
        self.agent = None;
        self.agent = self
            .agent_style
            .map(|style| Agent::start(&self.client, style));
    }

    /// Ends NetworkManager as its service's stop does.
    pub fn stop_network_manager(&mut self) {
        self.client.signal("NetworkManager", Signal::TERM);
        eventually("NetworkManager has ended", START_LIMIT, || {
            let gone = self.client.processes_called("NetworkManager").is_empty();
            gone.then_some(())
        });
        self.network_manager = None;
    }

    /// Kills NetworkManager, without a word to anybody; returns when it is dead.
    pub fn kill_network_manager(&mut self) {
        self.client.signal("NetworkManager", Signal::KILL);
        if let Some(mut killed) = self.network_manager.take() {
            drop(killed.entrance.wait());
        }
        self.remove_half_written();
    }

    /// NetworkManager writes each file beside its place, under its name and six more characters
    /// (`g_file_set_contents`, mkstemp), and may be killed meanwhile; nobody clears that away.
    fn remove_half_written(&self) {
        let root = self.client.root();
        for directory in ["etc", "run/NetworkManager", "var/lib/NetworkManager"] {
            for entry in fs::read_dir(root.join(directory))
                .into_iter()
                .flatten()
                .flatten()
            {
                let path = entry.path();
                let is_half_written = path.is_file()
                    && path.extension().is_some_and(|end| end.len() == 6)
                    && path.with_extension("").is_file();
                if is_half_written {
                    fs::remove_file(path).expect("the lab is writable");
                }
            }
        }
    }

    /// Sets how long the dispatcher script takes that runs before a connection goes down; it is
    /// there from the start, and takes no time.
    pub fn set_pre_down_delay(&self, delay: Duration) {
        let seconds = delay.as_secs_f32().to_string();
        fs::write(self.dir.join(machines::PRE_DOWN_DELAY), seconds).expect("the lab is writable");
    }

    /// What that script was called for, a line `INTERFACE ACTION CONNECTION` for each call.
    #[must_use]
    pub fn pre_down_calls(&self) -> Vec<String> {
        let calls = self.client.read_log(machines::PRE_DOWN_LOG);
        calls.lines().map(ToOwned::to_owned).collect()
    }

    /// Runs nmcli on the client.
    pub fn nmcli<const N: usize>(&self, arguments: [&str; N]) -> Output {
        self.client.run(["nmcli"].into_iter().chain(arguments))
    }

    /// Imports the endpoint's profile for `transport` (`udp` or `tcp`) and `port` as the
    /// connection `vpn`.
    #[track_caller]
    pub fn import(&self, transport: &str, port: u16) {
        self.import_with(transport, port, "");
    }

    /// As [`Self::import`], with `lines` of the user's own at the end of the profile.
    #[track_caller]
    pub fn import_with(&self, transport: &str, port: u16, lines: &str) {
        self.import_as("vpn", transport, port, lines);
    }

    /// As [`Self::import_with`], as the connection `name`.
    #[track_caller]
    pub fn import_as(&self, name: &str, transport: &str, port: u16, lines: &str) {
        self.import_changed(name, transport, port, |text| text + lines);
    }

    /// As the connection `name`, with what `change` makes of the profile.
    #[track_caller]
    pub fn import_changed(
        &self,
        name: &str,
        transport: &str,
        port: u16,
        change: impl FnOnce(String) -> String,
    ) {
        let file = self.profile(transport, port);
        let exported = self.client.root().join(file.trim_start_matches('/'));
        let text = fs::read_to_string(&exported).expect("the endpoint wrote it");
        // Beside it, where the certificates are that it may name.
        let own = format!("{name}.ovpn");
        fs::write(exported.with_file_name(&own), change(text)).expect("the lab is writable");
        let file = PathBuf::from(&file).with_file_name(own);
        let file = file.to_str().expect("the lab's paths are text");
        self.client.check([
            "nmcli",
            "connection",
            "import",
            "type",
            "aws-client-vpn",
            "file",
            file,
        ]);
    }

    /// Has another program listen on `port` of the client's 127.0.0.1, as long as the value lives.
    #[must_use]
    pub fn occupy_port(&self, port: u16) -> Process {
        let (process, events) = agent::tool(&self.client, &["hold-port", &port.to_string()]);
        events.wait("occupied", START_LIMIT);
        process
    }

    /// Has a local program call `target` (`logind`, `NetworkManager`, or a VPN service by its name on
    /// the bus) without end, as long as the value lives; returns once it is at it.
    #[must_use]
    pub fn flood(&self, target: &str) -> Process {
        let (process, events) = agent::tool(&self.client, &["flood", target]);
        events.wait("flooding", START_LIMIT);
        process
    }

    /// Changes a setting of the connection `vpn`, as `+vpn.data`, `login-timeout=5`.
    #[track_caller]
    pub fn modify(&self, setting: &str, value: &str) {
        self.client
            .check(["nmcli", "connection", "modify", "vpn", setting, value]);
    }

    /// A setting of a connection, as nmcli tells it.
    #[must_use]
    pub fn setting(&self, connection: &str, name: &str) -> String {
        let output = self.nmcli(["--get-values", name, "connection", "show", connection]);
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// `nmcli connection up vpn`, to its end.
    #[must_use]
    pub fn up(&self) -> Up {
        self.begin_up().finish()
    }

    /// `nmcli connection up vpn`; returns while it runs.
    #[must_use]
    pub fn begin_up(&self) -> PendingUp {
        self.begin_up_of("vpn")
    }

    /// As [`Self::begin_up`], of the connection `name`.
    #[must_use]
    pub fn begin_up_of(&self, name: &str) -> PendingUp {
        let mut command = self.client.command("nmcli");
        command
            .args(["--wait", "300", "connection", "up", name])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        PendingUp::new(self.client.spawn("nmcli", &mut command))
    }

    /// `nmcli connection down vpn`.
    #[must_use]
    pub fn down(&self) -> Output {
        // nmcli gives up after 10 seconds by itself, and a busy machine needs more.
        self.nmcli(["--wait", "300", "connection", "down", "vpn"])
    }

    /// All states of VPN connections so far.
    #[must_use]
    pub fn vpn_states(&self) -> Vec<VpnState> {
        self.watch.as_ref().map(Watch::states).unwrap_or_default()
    }

    /// Waits for the end of the last VPN connection: the state that ended it, and the reason.
    #[track_caller]
    pub fn vpn_ended(&self, limit: Duration) -> VpnState {
        let ended = |seen: &VpnState| matches!(seen.state, 6 | 7);
        let end = wait_for(limit, || {
            let states = self.vpn_states();
            let alive = states.iter().rposition(|seen| !ended(seen))?;
            states.get(alive + 1).copied()
        });
        end.unwrap_or_else(|| {
            let states = self.vpn_states();
            panic!(
                "the VPN did not end within {limit:?}: {states:?}\n{}",
                self.journal()
            )
        })
    }

    /// Waits until the VPN is in `state`.
    #[track_caller]
    pub fn vpn_reaches(&self, state: u32, limit: Duration) {
        let reached = wait_for(limit, || {
            self.vpn_states()
                .iter()
                .any(|s| s.state == state)
                .then_some(())
        });
        if reached.is_none() {
            panic!(
                "state {state} not within {limit:?}: {:?}\n{}",
                self.vpn_states(),
                self.journal()
            );
        }
    }

    /// What NetworkManager and the service wrote to their log.
    #[must_use]
    pub fn journal(&self) -> String {
        fs::read_to_string(self.dir.join("logs/NetworkManager.log")).unwrap_or_default()
    }

    /// The log from its present end on, for logs that are too long to read again and again.
    #[must_use]
    pub fn journal_from_now(&self) -> LogTail {
        LogTail::of(&self.dir.join("logs/NetworkManager.log"))
    }

    /// What the service wrote to the log, in words for the user: its errors.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let journal = self.journal();
        let error = |line: &str| {
            line.trim_start()
                .strip_prefix("ERROR ")
                .map(ToOwned::to_owned)
        };
        journal.lines().filter_map(error).collect()
    }

    /// What the person at the browser did.
    #[must_use]
    pub fn browser_events(&self) -> Vec<Event> {
        read_browser_events(&self.dir)
    }

    /// Waits for what the person at the browser does.
    #[track_caller]
    pub fn browser_did(&self, event: &str, limit: Duration) -> Event {
        let found = wait_for(limit, || {
            self.browser_events()
                .into_iter()
                .find(|done| done["event"] == event)
        });
        found.unwrap_or_else(|| {
            panic!(
                "the browser did not do {event:?}: {:?}\n{}",
                self.browser_events(),
                self.journal()
            )
        })
    }

    /// Forgets what the person at the browser did.
    pub fn forget_browser_events(&self) {
        drop(fs::write(self.dir.join("logs/browser.log"), ""));
    }

    /// Sets what the person at the browser does from now on.
    pub fn set_browser(&self, browser: &Browser) {
        write_browser_plan(&self.dir, browser);
    }

    /// The person goes on whom [`Browser::Waiting`] has made wait.
    pub fn browser_goes_on(&self) {
        fs::write(self.dir.join("browser-goes-on"), "").expect("the lab is writable");
    }

    /// Sets what the person at the desktop types into the dialogs to come: into each the next of
    /// `forms`, into further ones nothing. See [`typed`] and [`CANCEL`].
    pub fn set_typed(&self, forms: &[serde_json::Value]) {
        let text = serde_json::to_string(forms).expect("it was JSON before");
        let path = self.dir.join("scripted_user.json");
        fs::write(path, text).expect("the lab is writable");
    }

    /// `nmcli --ask connection up vpn` at a terminal.
    #[must_use]
    pub fn up_at_terminal(&self) -> Terminal {
        Terminal::start(&self.client, "nmcli --ask --wait 300 connection up vpn")
    }

    /// Our own agent at a terminal, with `variables` (`NAME=VALUE`) in its environment.
    #[must_use]
    pub fn agent_at_terminal(&self, variables: &str) -> Terminal {
        // Not as a child of a shell, which Ctrl and C would end, too.
        let line = format!("exec env {variables} nm-aws-client-vpn-agent");
        Terminal::start(&self.client, &line)
    }

    /// `line` of shell at a terminal of the client's.
    #[must_use]
    pub fn at_terminal(&self, line: &str) -> Terminal {
        Terminal::start(&self.client, line)
    }

    /// Where the endpoint's profile is on the client.
    #[track_caller]
    #[must_use]
    pub fn profile(&self, transport: &str, port: u16) -> String {
        let ready = self.endpoint_events().wait("ready", Duration::ZERO);
        let file = ready["profiles"][format!("{transport}-{port}")].as_str();
        file.expect("the endpoint has such a profile").to_owned()
    }

    /// A graphical session beside the lab's agent, with our own in its background.
    #[must_use]
    pub fn desktop(&self) -> Desktop {
        Desktop::start(&self.client)
    }

    /// `nmcli connection up vpn passwd-file`, with a file that holds `passwords`.
    #[must_use]
    pub fn up_with_password_file(&self, passwords: &str) -> Up {
        let path = self.dir.join("passwords");
        fs::write(&path, passwords).expect("the lab is writable");
        let mut command = self.client.command("nmcli");
        command
            .args(["--wait", "300", "connection", "up", "vpn"])
            .args(["passwd-file", "/run/lab/passwords"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let up = PendingUp::new(self.client.spawn("nmcli", &mut command)).finish();
        fs::remove_file(path).expect("it was there");
        up
    }

    /// What the last login at the browser posted to the auth dialog.
    #[must_use]
    pub fn last_post(&self) -> String {
        fs::read_to_string(self.dir.join("last-post")).unwrap_or_default()
    }

    /// The directory with the lab's logs.
    #[must_use]
    pub fn dir(&self) -> &PathBuf {
        &self.dir
    }

    /// Sends packets through the tunnel until one is answered: a server that is busy may drop the
    /// first.
    #[track_caller]
    pub fn traffic_flows(&self) {
        let output = self
            .client
            .run(["ping", "-c", "1", "-w", "60", "-i", "0.2", INSIDE]);
        assert!(
            output.status.success(),
            "no answer through the tunnel: {}\n{}",
            String::from_utf8_lossy(&output.stdout),
            self.client.check(["ip", "route"]),
        );
    }

    /// Sends a few packets through the tunnel, of which each is answered, however late.
    #[track_caller]
    pub fn no_packet_is_lost(&self) {
        let line = ["ping", "-c", "10", "-i", "0.1", "-W", "60", INSIDE];
        let output = self.client.run(line);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            text.contains(" 0% packet loss"),
            "{text}\n{}",
            self.journal()
        );
    }

    /// As [`Self::traffic_flows`], over IPv6.
    #[track_caller]
    pub fn ipv6_traffic_flows(&self) {
        let output = self
            .client
            .run(["ping", "-c", "1", "-w", "60", "-i", "0.2", INSIDE_IPV6]);
        assert!(
            output.status.success(),
            "no answer through the tunnel: {}\n{}",
            String::from_utf8_lossy(&output.stdout),
            self.client.check(["ip", "-6", "route"]),
        );
    }

    /// What is on the client machine now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.client)
    }

    /// Checks that the client is as it was at `before`.
    #[track_caller]
    pub fn assert_clean(&self, before: &Snapshot) {
        let mut differences = Vec::new();
        let clean = wait_for(CLEAN_LIMIT, || {
            differences = self.snapshot().differences(before);
            differences.is_empty().then_some(())
        });
        if clean.is_none() {
            let mut text = String::from("the client is not as it was:\n");
            for difference in differences {
                writeln!(text, "  {difference}").expect("a String takes all");
            }
            panic!("{text}{}", self.journal());
        }
    }

    fn start_bus(&mut self) {
        let mut command = self.client.command("dbus-daemon");
        command.args(["--system", "--nofork", "--nopidfile", "--nosyslog"]);
        command.arg("--address=unix:path=/run/dbus/system_bus_socket");
        self._bus = Some(self.client.spawn_logged("dbus", command));
        let socket = self.client.root().join("run/dbus/system_bus_socket");
        until_it_listens("the system bus listens", &socket, START_LIMIT);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        leave(&self.dir);
    }
}

/// Makes the directory that the machines of one lab share; its name is the lab's.
pub(crate) fn new_directory() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = Tools::locate()
        .target
        .join("lab")
        .join(format!("acv-{}-{number}", std::process::id()));
    for part in ["profiles", "bin", "logs"] {
        fs::create_dir_all(dir.join(part)).expect("the target directory is writable");
    }
    machines::write_browser(&dir);
    dir
}

/// Takes the directory away, or says where the logs of a failed test are.
pub(crate) fn leave(dir: &Path) {
    if std::thread::panicking() {
        eprintln!("the logs are in {}", dir.join("logs").display());
    } else {
        drop(fs::remove_dir_all(dir));
    }
}

/// What the person at the browser of the lab in `dir` did.
pub(crate) fn read_browser_events(dir: &Path) -> Vec<Event> {
    let text = fs::read_to_string(dir.join("logs/browser.log")).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Sets what the person at the browser of the lab in `dir` does.
pub(crate) fn write_browser_plan(dir: &Path, browser: &Browser) {
    let (how, password) = match browser {
        Browser::Scripted | Browser::Waiting => ("scripted", "correct horse"),
        Browser::WrongPassword => ("scripted", "wrong horse"),
        Browser::Chromium => ("chromium", "correct horse"),
        Browser::Closed => ("closed", ""),
        Browser::Missing => ("missing", ""),
        Browser::Replay => ("replay", ""),
    };
    let goes_on = (*browser == Browser::Waiting).then_some("/run/lab/browser-goes-on");
    let plan = json!({
        "how": how, "user": "ada@example.com", "password": password, "waits_for": goes_on,
    });
    fs::write(dir.join("browser.json"), plan.to_string()).expect("the lab is writable");
}
