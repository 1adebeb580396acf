//! A virtual machine.

use crate::guest::{self, Guest, Outcome};
use crate::keys;
use crate::qmp::Line;
use aws_client_vpn_harness::{
    EndpointOptions, Process, ServerMachine, Tools, eventually, wait_for,
};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// How long a step may take: a processor that is computed, on a busy computer, is fifty times as slow
/// as one of silicon.
pub const SOON: Duration = Duration::from_secs(600);
/// How long it may boot.
const BOOT: Duration = Duration::from_secs(1200);
/// How long QEMU may take for an answer.
const ANSWER: Duration = Duration::from_secs(60);

/// How long a hand holds a button, and lets it go between two clicks.
const BETWEEN_EVENTS: Duration = Duration::from_millis(80);

/// The size of its screen.
pub(crate) const SCREEN: (i32, i32) = (1280, 800);
/// An address that is reached through the tunnel only.
const INSIDE: &str = "10.99.0.2";

/// Shell that mounts the lab's disk where the programs of the tests look for it.
const LAB: &str = "set -e\n\
    mkdir -p /run/lab /run/home\n\
    if selinuxenabled 2>/dev/null; then label=,context=system_u:object_r:bin_t:s0; fi\n\
    mount -o rw$label LABEL=lab /run/lab\n\
    ln -s lab /run/lab-programs\n\
    mkdir -p /run/lab/logs\n\
    chmod 1777 /run/lab /run/lab/logs /run/home\n";

/// A virtual machine beside the endpoint. Dropping it turns it off.
#[derive(Debug)]
pub struct Machine {
    // Dropped in this order.
    qmp: Line,
    guest: Guest,
    _dhcp: Process,
    _qemu: Process,
    /// The other machine, with the endpoint.
    pub server: ServerMachine,
    results: PathBuf,
    pictures: usize,
}

impl Machine {
    /// Boots the machine that `make-root.sh` has made under this name; returns when it is online. What it writes to its disk is gone when it is off.
    #[must_use]
    pub fn boot(name: &str) -> Self {
        let tools = Tools::locate();
        let machine = tools.target.join("vm").join(name);
        assert!(
            machine.join(".made").exists(),
            "there is no machine {name}: tests/vm/make-root.sh makes it"
        );
        let results = tools.target.join("vm").join(format!("{}-results", name));
        drop(fs::remove_dir_all(&results));
        fs::create_dir_all(&results).expect("the target directory is writable");
        let server = ServerMachine::start(&EndpointOptions::default());
        make_lab_disk(&server);
        let dhcp = start_dhcp(&server);
        let qemu = server.world.spawn_logged("qemu", {
            let dir = server.dir().display();
            let machine = machine.display();
            let mut command = server.world.command("nice");
            command.env("TMPDIR", server.dir());
            command.args(["-n", "5", "qemu-system-x86_64", "-nodefaults"]);
            command.args(["-display", "none", "-machine", "q35"]);
            // One without AVX2: Mesa, which draws with it, crashed in its gathering loads as QEMU 7.2
            // computes them.
            command.args(["-cpu", "Nehalem"]);
            command.args(["-accel", "tcg,thread=multi,tb-size=2048"]);
            command.args(["-smp", "2", "-m", "4096"]);
            command.arg("-kernel").arg(format!("{machine}/kernel"));
            command.arg("-initrd").arg(format!("{machine}/initrd"));
            let options = fs::read_to_string(format!("{machine}/kernel-options"));
            let options = options.expect("the machine has its kernel's options");
            // Whoever waits for a processor that is computed is not to give up.
            command.arg("-append").arg(format!(
                "root=LABEL=root rw console=ttyS0 {} \
                 systemd.show-status=1 systemd.default_timeout_start_sec=900 \
                 systemd.default_device_timeout_sec=900",
                options.trim_end()
            ));
            let disk = "format=raw,if=virtio,cache=unsafe";
            command.arg("-drive");
            command.arg(format!("file={machine}/disk,snapshot=on,{disk}"));
            command.arg("-drive");
            command.arg(format!("file={dir}/lab-disk,snapshot=on,{disk}"));
            command.args([
                "-netdev",
                "tap,id=cable,ifname=eth0,script=no,downscript=no",
            ]);
            command.args(["-device", "virtio-net-pci,netdev=cable,id=nic"]);
            // Screen, keyboard and mouse that outlast sleep: virtio-gpu stays dark after it.
            let (width, height) = SCREEN;
            command.arg("-device");
            command.arg(format!("bochs-display,xres={width},yres={height}"));
            command.args(["-device", "virtio-keyboard-pci"]);
            command.args(["-device", "virtio-tablet-pci"]);
            command.args(["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"]);
            command.arg("-chardev");
            command.arg(format!(
                "socket,id=agent,path={dir}/agent,server=on,wait=off"
            ));
            command.arg("-device");
            command.arg("virtserialport,chardev=agent,name=org.qemu.guest_agent.0");
            command
                .arg("-qmp")
                .arg(format!("unix:{dir}/qmp,server=on,wait=off"));
            command.arg("-serial");
            command.arg(format!("file:{}/console.log", results.display()));
            command
        });
        let mut qmp = eventually("QEMU runs", ANSWER, || {
            Line::connect(&server.dir().join("qmp"))
        });
        qmp.receive(ANSWER).expect("QEMU greets");
        qmp.call("qmp_capabilities", &Value::Null, ANSWER);
        let mut machine = Self {
            qmp,
            guest: Guest::new(server.dir().join("agent")),
            _dhcp: dhcp,
            _qemu: qemu,
            server,
            results,
            pictures: 0,
        };
        machine.await_boot();
        machine
    }

    #[track_caller]
    fn await_boot(&mut self) {
        self.guest.wait(BOOT);
        self.check("systemctl is-system-running --wait || true");
        self.check(LAB);
        self.eventually("it is online", "[ $(nmcli -g STATE general) = connected ]");
    }

    /// Runs shell as root, to its end.
    #[track_caller]
    pub fn run(&mut self, script: &str) -> (bool, String) {
        let Outcome { code, output } = self.guest.run(script, SOON);
        (code == 0, output)
    }

    /// Runs shell as root that has to succeed, and returns what it printed.
    #[track_caller]
    pub fn check(&mut self, script: &str) -> String {
        let (success, output) = self.run(script);
        assert!(success, "{script}: {output}");
        output
    }

    /// Waits until shell that root runs succeeds.
    #[track_caller]
    pub fn eventually(&mut self, what: &str, script: &str) {
        let mut said = String::new();
        let done = wait_for(SOON, || {
            let (success, output) = self.run(script);
            said = output;
            success.then_some(()).or_else(guest::rest)
        });
        assert!(done.is_some(), "{what}: not within {SOON:?}: {said}");
    }

    /// Installs the packages, as an administrator does.
    #[track_caller]
    pub fn install_packages(&mut self) {
        self.check("DEBIAN_FRONTEND=noninteractive apt-get -q -y install /run/lab/packages/*.deb");
    }

    /// Whether a packet goes through the tunnel, and the answer back.
    pub fn has_traffic(&mut self) -> bool {
        self.run(&format!("ping -I awsvpn0 -c 1 -W 10 {INSIDE}")).0
    }

    /// Waits until packets go through the tunnel.
    #[track_caller]
    pub fn await_traffic(&mut self) {
        let ping = format!("ping -I awsvpn0 -c 1 -W 10 {INSIDE}");
        self.eventually("packets go through the tunnel", &ping);
    }

    /// How often the journal has `text` since the machine booted.
    #[track_caller]
    pub fn said(&mut self, text: &str) -> usize {
        let text = text.replace('\'', "'\\''");
        let count = format!("journalctl -b --quiet | grep -c -F '{text}' || true");
        self.check(&count).trim().parse().expect("grep counts")
    }

    /// Waits until the journal has `text` more often than `before`, which [`Self::said`] told.
    #[track_caller]
    pub fn says_again(&mut self, text: &str, before: usize) {
        let there = wait_for(SOON, || {
            (self.said(text) > before)
                .then_some(())
                .or_else(guest::rest)
        });
        assert!(there.is_some(), "the journal does not say {text:?} again");
    }

    /// Presses keys together, by QEMU's names (`meta_l` is the Windows key).
    pub fn press(&mut self, keys: &[&str]) {
        let keys: Vec<_> = keys
            .iter()
            .map(|key| json!({ "type": "qcode", "data": key }))
            .collect();
        self.qmp.call("send-key", &json!({ "keys": keys }), ANSWER);
    }

    /// Types it on an American keyboard.
    pub fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            let keys = keys::of(character);
            self.press(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    /// Moves the mouse there, and presses its button `times` times.
    pub fn click_at(&mut self, x: i32, y: i32, times: usize) {
        let axis = |axis: &str, at: i32, size: i32| {
            let value = at.clamp(0, size - 1) * 32767 / (size - 1);
            json!({ "type": "abs", "data": { "axis": axis, "value": value } })
        };
        self.send_input(&[axis("x", x, SCREEN.0), axis("y", y, SCREEN.1)]);
        for _ in 0..times {
            for down in [true, false] {
                let event = json!({ "type": "btn", "data": { "down": down, "button": "left" } });
                self.send_input(&[event]);
                std::thread::sleep(BETWEEN_EVENTS);
            }
        }
    }

    fn send_input(&mut self, events: &[Value]) {
        let arguments = json!({ "events": events });
        self.qmp.call("input-send-event", &arguments, ANSWER);
    }

    /// Keeps a picture of the screen, in `target/vm/*-results`.
    pub fn picture(&mut self, name: &str) {
        self.pictures += 1;
        self.screendump(&format!("{:02}-{name}.png", self.pictures));
    }

    /// Shows whoever waits for a test how the screen is now.
    pub(crate) fn picture_now(&mut self) {
        self.screendump("now.png");
    }

    fn screendump(&mut self, file: &str) {
        let arguments = json!({ "filename": self.results.join(file), "format": "png" });
        self.qmp.call("screendump", &arguments, ANSWER);
    }

    /// Keeps a picture and the journal of a failed test; says what QEMU told unasked (a machine that
    /// restarted by itself, for one).
    pub fn keep_evidence(&mut self) {
        self.picture("failed");
        for event in self.qmp.events() {
            println!("QEMU told: {event}");
        }
        self.guest.wait(BOOT);
        let journal = self.check("journalctl --no-pager --output=short-precise | tail -c 8000000");
        let kept = fs::write(self.results.join("journal"), journal);
        kept.expect("the target directory is writable");
        let logs = self.results.join("logs");
        drop(
            Command::new("cp")
                .arg("-r")
                .arg(self.server.dir().join("logs"))
                .arg(logs)
                .status(),
        );
        println!(
            "its picture, journal and logs are in {}",
            self.results.display()
        );
    }

    /// Plugs the network's cable in or pulls it.
    pub fn set_cable(&mut self, plugged: bool) {
        let arguments = json!({ "name": "nic", "up": plugged });
        self.qmp.call("set_link", &arguments, ANSWER);
    }

    /// Puts the machine to sleep (S3); returns when it sleeps.
    #[track_caller]
    pub fn suspend(&mut self) {
        // One device after the other: QEMU may end where two computed processors set up devices at the
        // same time (msix_table_mmio_write: Assertion).
        self.check("echo 0 >/sys/power/pm_async");
        self.check("systemctl --no-block suspend");
        self.qmp.wait_for("SUSPEND", SOON);
    }

    /// Wakes it; returns when it is awake.
    #[track_caller]
    pub fn wake(&mut self) {
        self.qmp.call("system_wakeup", &Value::Null, ANSWER);
        self.qmp.wait_for("WAKEUP", SOON);
        self.guest.wait(SOON);
    }

    /// Reboots it, as its menu does; returns when it is online again.
    #[track_caller]
    pub fn reboot(&mut self) {
        self.guest.start("systemctl reboot");
        self.qmp.wait_for("RESET", SOON);
        self.await_boot();
    }
}

/// A small disk for the machine: our packages but for the SELinux module, the endpoint's profiles and
/// authority, our programs.
fn make_lab_disk(server: &ServerMachine) {
    let tools = Tools::locate();
    let content = server.dir().join("lab-disk.content");
    let packages = content.join("packages");
    fs::create_dir_all(&packages).expect("the lab is writable");
    let script = "set -e\n\
        find \"$2/staged-packages\" -name '*.deb' ! -name '*-selinux_*' -exec cp -t \"$1/packages\" {} +\n\
        cp -r \"$3/profiles\" \"$3/bin\" \"$3/browser.json\" \"$1\"\n\
        cp \"$4/lab-tool\" \"$2/release/vm-eyes\" \"$1\"\n\
        chmod -R a+rX \"$1\"\n\
        mke2fs -q -t ext4 -L lab -d \"$1\" \"$3/lab-disk\" 512M >/dev/null\n\
        rm -r \"$1\"\n";
    let ca = server.events().wait("ready", Duration::ZERO)["ca"].clone();
    let ca = ca.as_str().expect("the endpoint names its authority");
    let ca = server.world.check(["cat", ca]);
    fs::write(content.join("ca.crt"), ca).expect("the lab is writable");
    let status = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&content)
        .arg(&tools.target)
        .arg(server.dir())
        .arg(&tools.programs)
        .status()
        .expect("there is a shell");
    assert!(
        status.success(),
        "the disk with our packages cannot be made"
    );
}

/// What gives the machine its address, router and name server.
fn start_dhcp(server: &ServerMachine) -> Process {
    let mut command = server.world.command("dnsmasq");
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--port=0"]);
    command.args([
        "--interface=eth0",
        "--bind-interfaces",
        "--user=root",
        "--pid-file",
    ]);
    command.args(["--dhcp-range=192.0.2.10,192.0.2.10,12h", "--leasefile-ro"]);
    command.args([
        "--dhcp-option=option:router,192.0.2.254",
        "--dhcp-authoritative",
    ]);
    command.args([
        "--dhcp-option=option:dns-server,192.0.2.53",
        "--log-facility=-",
    ]);
    server.world.spawn_logged("dnsmasq", command)
}
