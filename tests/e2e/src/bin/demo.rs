//! Shows a whole login, step by step, on real programs: NetworkManager, D-Bus, OpenVPN and
//! Chromium. Only the AWS endpoint is emulated.

use aws_client_vpn_harness::{Browser, Event, Lab, Options, Process, eventually};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How long a step may take.
const SOON: Duration = Duration::from_secs(30);
/// An address that only the tunnel leads to.
const INSIDE: &str = "10.99.0.2";

fn main() -> ExitCode {
    let before = this_machine();
    let demo = Demo {
        started: Instant::now(),
    };
    demo.run();
    let unchanged = this_machine() == before;
    demo.tell(if unchanged {
        "This machine is as it was: the same interfaces, routes and name servers."
    } else {
        "THIS MACHINE IS NOT AS IT WAS: its interfaces, routes or name servers differ."
    });
    if unchanged {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Demo {
    started: Instant,
}

impl Demo {
    fn run(&self) {
        self.tell("Two machines made of namespaces: a client with NetworkManager, a server with");
        self.more("the emulated AWS endpoint (two nodes) and its identity provider.");
        let lab = Lab::start(&Options {
            browser: Browser::Chromium,
            ..Options::default()
        });
        self.tell("Both run, and the client is online.");
        let version = lab.client.check(["NetworkManager", "--version"]);
        self.more(&format!("NetworkManager {}", version.trim()));

        self.command("nmcli connection import type aws-client-vpn file client-udp-443.ovpn");
        lab.import("udp", 443);
        let clean = lab.snapshot();

        self.command("nmcli connection up vpn");
        let up = self.connect(&lab);
        assert!(up, "the connection did not come up:\n{}", lab.journal());
        self.show_connection(&lab);
        self.show_traffic(&lab);

        self.command("nmcli connection down vpn");
        assert!(lab.down().status.success(), "nmcli failed");
        lab.assert_clean(&clean);
        self.tell(
            "Nothing is left on the client: no process, interface, address, route, DNS entry",
        );
        self.more("or file that was not there before.");
        drop(lab);
        self.tell("The two machines are gone.");
    }

    fn connect(&self, lab: &Lab) -> bool {
        let begun = Instant::now();
        let up = lab.begin_up();
        let seen = lab.endpoint_events();
        let challenge = seen.wait("phase1", SOON);
        self.tell(&format!(
            "The endpoint's node {} answers that the user has to sign in, and where.",
            challenge["node"]
        ));
        lab.browser_did("opened", SOON);
        self.tell("The auth dialog listens on 127.0.0.1:35001 and has opened the browser.");
        let page = lab.browser_did("page", SOON);
        self.tell(&format!(
            "Chromium shows the identity provider's page {}.",
            page["title"]
        ));
        lab.browser_did("done", SOON);
        let pages: Vec<Event> = lab.browser_events();
        self.tell("User name and password were typed, the button clicked. The browser shows:");
        if let Some(text) = pages.iter().rev().find_map(|event| event["text"].as_str()) {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                self.more(&format!("  | {line}"));
            }
        }
        let accepted = seen.wait("accepted", SOON);
        self.tell(&format!(
            "Node {} accepts the login: {} bytes of password, {} ms after the challenge.",
            accepted["node"], accepted["password_bytes"], accepted["since_phase1_ms"]
        ));
        let up = up.finish();
        self.tell(&format!(
            "nmcli, after {:.1} s: {}",
            begun.elapsed().as_secs_f32(),
            up.text.trim()
        ));
        up.success
    }

    fn show_connection(&self, lab: &Lab) {
        self.command("ip -brief -4 address; ip route; cat /etc/resolv.conf");
        let script = "ip -brief -4 address; ip route; grep -v '^#' /etc/resolv.conf";
        for line in lab.client.check(["sh", "-c", script]).lines() {
            self.more(&format!("  {line}"));
        }
        let pids = lab.client.processes_called("nm-aws-client-vpn/openvpn");
        let status = pids
            .first()
            .and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok());
        self.tell("What OpenVPN may do on the client:");
        for line in status.unwrap_or_default().lines() {
            if ["Uid:", "Gid:", "CapEff:", "CapBnd:", "NoNewPrivs:"]
                .iter()
                .any(|key| line.starts_with(key))
            {
                self.more(&format!("  {}", line.replace('\t', " ")));
            }
        }
    }

    fn show_traffic(&self, lab: &Lab) {
        self.command(&format!("ping -c 3 {INSIDE}"));
        let ping = lab
            .client
            .check(["ping", "-c", "3", "-i", "0.2", "-W", "3", INSIDE]);
        for line in ping
            .lines()
            .filter(|line| line.contains("bytes from") || line.contains("rtt"))
        {
            self.more(&format!("  {line}"));
        }
        let _server = iperf_server(lab);
        self.command(&format!("iperf3 --client {INSIDE} --time 1"));
        let line = eventually("iperf3 has measured", SOON, || {
            let output = lab
                .client
                .run(["iperf3", "--client", INSIDE, "--time", "1"]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines()
                .find(|line| line.contains("receiver"))
                .map(ToOwned::to_owned)
        });
        self.more(&format!("  {}", line.trim()));
    }

    fn tell(&self, text: &str) {
        println!("{:7.2} s  {text}", self.started.elapsed().as_secs_f32());
    }

    fn more(&self, text: &str) {
        println!("           {text}");
    }

    fn command(&self, text: &str) {
        self.tell(&format!("$ {text}"));
    }
}

fn iperf_server(lab: &Lab) -> Process {
    let mut command = lab.server.command("iperf3");
    command
        .args(["--server", "--bind", INSIDE])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    lab.server.spawn("iperf3", &mut command)
}

/// Interfaces, routes and name servers of the machine that runs this.
fn this_machine() -> String {
    let script = "ip -brief address; ip route show table all; ip -6 route; cat /etc/resolv.conf";
    let output = Command::new("sh").args(["-c", script]).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}
