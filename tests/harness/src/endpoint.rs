//! The emulated AWS endpoint on the server machine.

use crate::events::Events;
use crate::process::Process;
use crate::tools::Tools;
use crate::wait::eventually;
use crate::world::{LAB_INSIDE, PROGRAMS_INSIDE, TARGET_INSIDE, World};
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

/// The addresses of the server machine on the network it shares with the client.
pub(crate) const NODES: [&str; 2] = ["192.0.2.1", "192.0.2.2"];
/// Its DNS server.
pub(crate) const DNS: &str = "192.0.2.53";
/// Its identity provider.
pub(crate) const IDP: &str = "192.0.2.80";
/// The identity provider's name.
pub(crate) const IDP_NAME: &str = "login.idp.example";
/// An address that is reached through the tunnel only; a DNS server answers there.
pub(crate) const INSIDE: &str = "10.99.0.2";
/// The same for IPv6.
pub(crate) const INSIDE_IPV6: &str = "fd00:99::2";
/// Starting takes this long on a busy machine: keys are made, signatures tried.
const START_LIMIT: Duration = Duration::from_secs(180);

/// How the endpoint is started: further flags of its program (`--sign-in`, `--idp-http`, …).
#[derive(Debug, Clone, Default)]
pub struct EndpointOptions(pub Vec<String>);

/// A running endpoint.
#[derive(Debug)]
pub struct Endpoint {
    process: Process,
    /// What it saw.
    pub events: Events,
}

impl Endpoint {
    pub(crate) fn start(server: &World, options: &EndpointOptions) -> Self {
        Tools::locate().need_endpoint();
        let mut command = server.command(&format!("{PROGRAMS_INSIDE}/aws-client-vpn-endpoint"));
        if !options.0.iter().any(|flag| flag.starts_with("--openvpn=")) {
            command.arg(format!("--openvpn={TARGET_INSIDE}/openvpn-server/openvpn"));
        }
        command
            .args(NODES.map(|node| format!("--node={node}")))
            .arg(format!("--dns={DNS}"))
            .arg(format!("--idp={IDP}"))
            .arg(format!("--idp-name={IDP_NAME}"))
            .arg(format!("--inside={INSIDE}"))
            .arg(format!("--inside-ipv6={INSIDE_IPV6}"))
            .arg(format!("--profiles={LAB_INSIDE}/profiles"))
            .args(&options.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(server.log("endpoint"));
        let mut process = server.spawn("aws-client-vpn-endpoint", &mut command);
        let stdout = process.entrance.stdout.take().expect("it is piped");
        let events = Events::of(stdout);
        let mut endpoint = Self { process, events };
        eventually("the endpoint is ready or has ended", START_LIMIT, || {
            let ready = !endpoint.events.named("ready").is_empty();
            (ready || !endpoint.process.is_running()).then_some(())
        });
        assert!(
            !endpoint.events.named("ready").is_empty(),
            "the endpoint does not start: {}",
            server.read_log("endpoint")
        );
        endpoint
    }

    /// Sends it a command, see the endpoint's README.
    pub fn command(&mut self, command: &Value) {
        let stdin = self.process.entrance.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{command}")
            .and_then(|()| stdin.flush())
            .expect("the endpoint runs");
    }

    /// Changes how the identity provider behaves, as `delay 130`.
    pub fn identity_provider(&mut self, mode: &str) {
        self.command(&serde_json::json!({ "idp": mode }));
    }
}
