//! The lab of the measurements: one client, one server with an endpoint for each way to sign in
//! and to push, told apart by their ports, and the client's connections to them.

use crate::distance::{Carrier, FAR_PORTS, RESPONSES};
use crate::floor::pinned;
use crate::login;
use aws_client_vpn_harness::{
    EndpointOptions, Lab, LongPath, Options, PathOptions, Process, install_idle_vpn,
};
use serde_json::Value;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The address of the first node of all endpoints.
pub(crate) const NODE: &str = "192.0.2.1";

/// When the endpoint sends the options of the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Push {
    /// As soon as the client is in.
    ByItself,
    /// Only when the client asks for it, as AWS seems to.
    OnRequest,
}

impl Push {
    pub(crate) const ALL: [Self; 2] = [Self::ByItself, Self::OnRequest];
}

impl fmt::Display for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByItself => "by itself",
            Self::OnRequest => "on request only",
        })
    }
}

/// The endpoints' ports: SAML and certificate for each [`Push`].
const SAML_PORTS: [u16; 2] = [443, 1443];
const CERTIFICATE_PORTS: [u16; 2] = [1194, 2194];

/// The lab.
pub(crate) struct Site {
    // Dropped first: they run on the lab's machines.
    _endpoints: Vec<Process>,
    path: LongPath,
    pub(crate) lab: Lab,
    saml: [String; 2],
    certificate: [String; 2],
}

impl Site {
    pub(crate) fn start() -> Self {
        let mut lab = Lab::start(&Options {
            endpoint: Some(EndpointOptions(flags(
                "saml",
                SAML_PORTS[0],
                Push::ByItself,
            ))),
            ..Options::default()
        });
        let bench = std::env::current_exe().expect("/proc is there");
        let name = bench.file_name().expect("a program has a name");
        let dialog = format!("/usr/libexec/{}", login::DIALOG);
        let inside = format!("/run/lab-programs/{}", name.to_string_lossy());
        lab.client.check(["mount", "--bind", &inside, &dialog]);
        if let Ok(other) = std::env::var("BENCH_OPENVPN") {
            let inside = format!("/run/lab-target/{other}");
            let staged = "/usr/libexec/nm-aws-client-vpn/openvpn";
            lab.client.check(["mount", "--bind", &inside, staged]);
        }

        install_idle_vpn(&mut lab);
        let path = LongPath::lay(&lab.client, &lab.server, PathOptions::default());

        let ready = lab.endpoint_events().wait("ready", Duration::ZERO);
        let first = profile(&ready, "udp", SAML_PORTS[0]);
        let mut endpoints = Vec::new();
        let mut further = |sign_in, port, push| {
            let nodes = ["192.0.2.1", "192.0.2.2"];
            let flags = flags(sign_in, port, push);
            let (process, ready) = further_endpoint(&lab, endpoints.len(), &nodes, port, flags);
            endpoints.push(process);
            profile(&ready, "udp", port)
        };
        let second = further("saml", SAML_PORTS[1], Push::OnRequest);
        let certificate = [
            further("certificate", CERTIFICATE_PORTS[0], Push::ByItself),
            further("certificate", CERTIFICATE_PORTS[1], Push::OnRequest),
        ];
        let mut far = Vec::new();
        for (port, bytes) in FAR_PORTS.into_iter().zip(RESPONSES) {
            let flags = far_flags(port, bytes);
            let nodes = [LongPath::SERVER];
            let (process, ready) = further_endpoint(&lab, endpoints.len(), &nodes, port, flags);
            endpoints.push(process);
            for carrier in Carrier::ALL {
                let file = profile(&ready, &carrier.to_string(), port);
                far.push((carrier.connection(bytes), file));
            }
        }
        let site = Self {
            _endpoints: endpoints,
            path,
            lab,
            saml: [first, second],
            certificate,
        };
        for (number, push) in Push::ALL.into_iter().enumerate() {
            site.import("aws-client-vpn", &site.saml[number], &name_of("saml", push));
            let file = &site.certificate[number];
            site.import("aws-client-vpn", file, &name_of("certificate", push));
            site.import("openvpn", file, &name_of("rival", push));
        }
        for (name, file) in far {
            site.import_pinned(&name, &file);
        }
        for push in Push::ALL {
            let name = name_of("rival", push);
            // As ours: a key without a passphrase, a split tunnel.
            for change in [
                ["+vpn.data", "cert-pass-flags=4"],
                ["ipv4.never-default", "yes"],
            ] {
                let words = ["nmcli", "connection", "modify", &name, change[0], change[1]];
                site.lab.client.check(words);
            }
        }
        site
    }

    /// Replaces the path to the far endpoints.
    pub(crate) fn lay_path(&mut self, options: PathOptions) {
        self.path
            .replace(&self.lab.client, &self.lab.server, options);
    }

    /// The profile of the SAML endpoint.
    pub(crate) fn saml_profile(&self, push: Push) -> &str {
        &self.saml[usize::from(push == Push::OnRequest)]
    }

    /// The profile of the endpoint for certificates.
    pub(crate) fn certificate_profile(&self, push: Push) -> &str {
        &self.certificate[usize::from(push == Push::OnRequest)]
    }

    /// `nmcli connection up`, and how long it took.
    pub(crate) fn up(&self, connection: &str) -> Duration {
        let mut command = self.lab.client.command("nmcli");
        command.args(["--wait", "60", "connection", "up", connection]);
        let started = Instant::now();
        let output = command.output().expect("nsenter can be run");
        let took = started.elapsed();
        assert!(
            output.status.success(),
            "{connection} does not come up: {}\n{}",
            String::from_utf8_lossy(&output.stderr),
            self.lab.journal()
        );
        took
    }

    /// `nmcli connection down`; returns when OpenVPN is gone.
    pub(crate) fn down(&self, connection: &str) {
        let words = ["nmcli", "connection", "down", connection];
        self.lab.client.check(words);
        self.wait_until_idle();
    }

    /// Waits for the end of every OpenVPN on the client.
    pub(crate) fn wait_until_idle(&self) {
        aws_client_vpn_harness::eventually("OpenVPN has ended", Duration::from_secs(20), || {
            let left = self.lab.client.processes_called("openvpn");
            left.is_empty().then_some(())
        });
    }

    /// What the last login needed at the identity provider.
    pub(crate) fn login_took(&self) -> Duration {
        let path = self.lab.dir().join(login::TOOK_NAME);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        Duration::from_micros(text.trim().parse().expect("the dialog has left a number"))
    }

    /// The profile, with the address at the far end of the path in the place of a name.
    fn import_pinned(&self, name: &str, file: &str) {
        let text = std::fs::read_to_string(self.lab.client.root().join(&file[1..]));
        let text = pinned(&text.expect("the endpoint wrote it"), LongPath::SERVER);
        let file = format!("{name}.ovpn");
        std::fs::write(self.lab.dir().join(&file), text).expect("the lab is writable");
        self.import("aws-client-vpn", &format!("/run/lab/{file}"), name);
    }

    fn import(&self, kind: &str, file: &str, name: &str) {
        let words = ["nmcli", "connection", "import", "type", kind, "file", file];
        let added = self.lab.client.check(words);
        // Connection 'name' (uuid) successfully added.
        let uuid = added.rsplit('(').next().and_then(|t| t.split(')').next());
        let uuid = uuid.expect("nmcli tells the UUID");
        let words = ["nmcli", "connection", "modify", uuid, "connection.id", name];
        self.lab.client.check(words);
    }
}

/// The name of a connection.
pub(crate) fn name_of(what: &str, push: Push) -> String {
    match push {
        Push::ByItself => format!("{what}-by-itself"),
        Push::OnRequest => format!("{what}-on-request"),
    }
}

fn flags(sign_in: &str, port: u16, push: Push) -> Vec<String> {
    let mut flags = vec![
        format!("--sign-in={sign_in}"),
        format!("--port={port}"),
        "--transport=udp".to_owned(),
        // xmlsec1 takes longer than a whole login.
        "--trust-issued".to_owned(),
        "--response-bytes=12000".to_owned(),
    ];
    match push {
        Push::ByItself => {}
        Push::OnRequest => flags.push("--push-request-only".to_owned()),
    }
    flags
}

/// Of an endpoint that does as AWS seems to.
fn far_flags(port: u16, response_bytes: u32) -> Vec<String> {
    let mut flags = vec![
        format!("--port={port}"),
        "--trust-issued".to_owned(),
        "--push-request-only".to_owned(),
        format!("--response-bytes={response_bytes}"),
    ];
    flags.extend(Carrier::ALL.map(|carrier| format!("--transport={carrier}")));
    flags
}

/// Starts one more endpoint beside the lab's own, on the same addresses: names lead to it too.
fn further_endpoint(
    lab: &Lab,
    number: usize,
    nodes: &[&str],
    port: u16,
    flags: Vec<String>,
) -> (Process, Value) {
    let [dns, idp] = [60, 90].map(|first| format!("192.0.2.{}", first + number));
    for address in [&dns, &idp] {
        let with_length = format!("{address}/24");
        let words = ["ip", "address", "add", &with_length, "dev", "eth0"];
        lab.server.check(words);
    }
    let program = "/run/lab-programs/aws-client-vpn-endpoint";
    let mut command = lab.server.command(program);
    command
        .arg("--openvpn=/run/lab-target/openvpn-server/openvpn")
        .args(nodes.iter().map(|node| format!("--node={node}")))
        .arg(format!("--dns={dns}"))
        .arg(format!("--idp={idp}"))
        .arg(format!("--pool=10.{}.0.0", 89 + number))
        .arg(format!("--profiles=/run/lab/profiles-{port}"))
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut process = lab.server.spawn("aws-client-vpn-endpoint", &mut command);
    let stdout = process.entrance.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(stdout).lines();
    let ready = loop {
        let line = lines.next().and_then(Result::ok);
        let line = line.expect("the endpoint becomes ready");
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["event"] == "ready" {
            break event;
        }
    };
    // It must not wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    (process, ready)
}

fn profile(ready: &Value, transport: &str, port: u16) -> String {
    let path = ready["profiles"][format!("{transport}-{port}")].as_str();
    let path = path.expect("the endpoint has such a profile");
    assert!(
        Path::new(path).starts_with("/run/lab"),
        "seen by the client"
    );
    path.to_owned()
}
