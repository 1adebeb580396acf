//! A client that is booted: a whole Debian with systemd as its first process, set up as the
//! distribution does it, beside the server machine with the endpoint.

use crate::endpoint::{Endpoint, EndpointOptions, INSIDE};
use crate::lab;
use crate::machines;
use crate::tools::Tools;
use crate::turn::Turn;
use crate::wait::{START_LIMIT, eventually};
use crate::world::{LAB_INSIDE, PROGRAMS_INSIDE, TARGET_INSIDE, World};
use crate::{Browser, Event};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::time::Duration;

/// The two machines. Dropping it takes everything down.
#[derive(Debug)]
pub struct Booted {
    // Dropped in this order: what runs on a machine before the machine.
    // Behind a lock: sessions of users borrow the machine while it is told something.
    endpoint: Mutex<Endpoint>,
    /// The user's machine.
    pub client: World,
    /// The other machine.
    pub server: World,
    dir: PathBuf,
    _turn: Turn,
}

impl Booted {
    /// Boots the system that is unpacked in the directory `system`, with `layers` over it, the first
    /// on top; returns when it is online and the endpoint ready. What is written there goes to memory.
    #[must_use]
    pub fn start(system: &Path, layers: &[PathBuf], endpoint: &EndpointOptions) -> Self {
        let turn = Turn::take(true);
        let dir = lab::new_directory();
        // Users who are not root write their part of it.
        machines::let_everybody_write(&dir);
        let server = World::start("server", &dir, None, "");
        let client = World::boot("client", &dir, &boot_script(&dir, system, layers));
        machines::cable(&client, &server);
        let endpoint = Endpoint::start(&server, endpoint);
        let booted = Self {
            endpoint: Mutex::new(endpoint),
            client,
            server,
            dir,
            _turn: turn,
        };
        booted.set_browser(&Browser::Scripted);
        let running = ["systemctl", "is-system-running", "--wait"];
        eventually("the system has booted", START_LIMIT, || {
            // There is no bus to ask in the first moments.
            let said = booted.client.run(running).stdout;
            let said = String::from_utf8_lossy(&said);
            ["running", "degraded"].contains(&said.trim()).then_some(())
        });
        let state = ["nmcli", "-g", "GENERAL.STATE", "device", "show", "eth0"];
        eventually("NetworkManager is online", START_LIMIT, || {
            let said = booted.client.run(state).stdout;
            said.starts_with(b"100").then_some(())
        });
        booted
    }

    /// Sends the endpoint a command, see its README.
    pub fn endpoint_command(&self, command: &Value) {
        let mut endpoint = self.endpoint.lock().expect("not poisoned");
        endpoint.command(command);
    }

    /// The path of the endpoint's profile for `transport` (`udp` or `tcp`) and `port`, on the client.
    #[must_use]
    pub fn profile(&self, transport: &str, port: u16) -> String {
        let events = self.endpoint.lock().expect("not poisoned").events.clone();
        let ready = events.wait("ready", Duration::ZERO);
        let file = ready["profiles"][format!("{transport}-{port}")].as_str();
        file.expect("the endpoint has such a profile").to_owned()
    }

    /// Whether a packet goes through the tunnel, and the answer back, within three seconds.
    #[must_use]
    pub fn has_traffic(&self) -> bool {
        let answered = self.ping_through_the_tunnel(&["-W", "3"]);
        answered.status.success()
    }

    /// Sends packets through the tunnel until one is answered.
    #[track_caller]
    pub fn traffic_flows(&self) {
        let answered = self.ping_through_the_tunnel(&["-w", "60", "-i", "0.2"]);
        assert!(
            answered.status.success(),
            "no answer through the tunnel: {answered:?}"
        );
    }

    fn ping_through_the_tunnel(&self, how: &[&str]) -> Output {
        let route = self.client.run(["ip", "route", "get", INSIDE]);
        let route = String::from_utf8_lossy(&route.stdout).into_owned();
        // Its number is another where the tunnel before is not quite gone. The server would answer outside
        // of it, too: it is the router.
        let tunnel = route.split_whitespace().find(|it| it.starts_with("awsvpn"));
        let ping = ["ping", "-I", tunnel.unwrap_or("awsvpn0"), "-c", "1"];
        self.client.run(ping.iter().chain(how).chain(&[INSIDE]))
    }

    /// Sets what the person at the browser does from now on.
    pub fn set_browser(&self, browser: &Browser) {
        lab::write_browser_plan(&self.dir, browser);
    }

    /// What the person at the browser did.
    #[must_use]
    pub fn browser_events(&self) -> Vec<Event> {
        lab::read_browser_events(&self.dir)
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        lab::leave(&self.dir);
    }
}

/// Shell that lays `layers` and a memory over `system` and boots it, in a control group of its own, which goes
/// when the system has gone.
fn boot_script(dir: &Path, system: &Path, layers: &[PathBuf]) -> String {
    let tools = Tools::locate();
    let dir = dir.display();
    let group = format!(
        "/sys/fs/cgroup/{}",
        // The directory's name is unique on the machine.
        dir.to_string().rsplit('/').next().unwrap_or_default()
    );
    let connections = machines::connections("root");
    let system = layers.iter().map(PathBuf::as_path).chain([system]);
    let system: Vec<String> = system.map(|layer| layer.display().to_string()).collect();
    format!(
        "set -e\n\
         mount --make-rprivate /\n\
         mkdir -p {dir}/system\n\
         mount -t tmpfs -o mode=755 tmpfs {dir}/system\n\
         cd {dir}/system\n\
         mkdir upper work root\n\
         mount -t overlay overlay -o lowerdir={system},upperdir=upper,workdir=work root\n\
         echo client >root/etc/hostname\n\
         echo '127.0.0.1 localhost client' >root/etc/hosts\n\
         {connections}\
         # Where systemd-nspawn keeps notes of what runs on the machine.\n\
         mount -t tmpfs tmpfs /run\n\
         # The machine's own may be of the old kind, or a mixture.\n\
         mount -t sysfs sysfs /sys\n\
         mount -t cgroup2 cgroup2 /sys/fs/cgroup\n\
         # What tests that were killed have left.\n\
         find /sys/fs/cgroup -maxdepth 1 -name 'acv-*' -mmin +10 | while read -r old; do\n\
           find \"$old\" -depth -type d -exec rmdir {{}} + 2>/dev/null || true\n\
         done\n\
         mkdir {group}\n\
         echo 0 >{group}/cgroup.procs\n\
         systemd-nspawn --quiet --boot --directory={dir}/system/root --machine=client \
           --register=no --keep-unit --capability=all --network-namespace-path=/proc/self/ns/net \
           --bind=/dev/net/tun --bind={dir}:{LAB_INSIDE} --bind-ro={programs}:{PROGRAMS_INSIDE} \
           --bind-ro={target}:{TARGET_INSIDE} --system-call-filter=landlock_create_ruleset \
           --system-call-filter=landlock_add_rule --system-call-filter=landlock_restrict_self \
           --resolv-conf=off --timezone=off --link-journal=no \
           --console=pipe || true\n\
         echo 0 >/sys/fs/cgroup/cgroup.procs\n\
         echo 1 >{group}/cgroup.kill\n\
         for try in $(seq 100); do\n\
           find {group} -depth -type d -exec rmdir {{}} + 2>/dev/null && break\n\
           sleep 0.05\n\
         done\n",
        system = system.join(":"),
        programs = tools.programs.display(),
        target = tools.target.display(),
    )
}
