//! How an OpenVPN server of a node is started, and how it is told a verdict.

use crate::options::{SignIn, Transport};
use crate::sign_in::{Place, Verdict};
use crate::state::Shared;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// Addresses of a server's network: AWS takes a /27.
pub(crate) const NETWORK_SIZE: u32 = 32;
const NETWORK_MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 224);

/// What a server is started with.
#[derive(Clone, Debug)]
pub(crate) struct ServerPlan {
    pub(crate) place: Place,
    /// Address to listen on.
    pub(crate) address: Ipv4Addr,
    /// First address of its network.
    pub(crate) network: Ipv4Addr,
    /// Its IPv6 network, a /64, if it has one.
    pub(crate) ipv6_network: Option<Ipv6Addr>,
    /// Directory with `ca.pem`, `server.pem`, `server-key.pem`; the management socket goes there.
    pub(crate) directory: PathBuf,
}

/// The arguments of the server's program.
pub(crate) fn arguments(shared: &Shared, plan: &ServerPlan, socket: &Path) -> Vec<String> {
    let Place {
        transport, port, ..
    } = plan.place;
    let file = |name: &str| plan.directory.join(name).to_string_lossy().into_owned();
    let address = |number| address_in(plan.network, number).to_string();
    let transport = match transport {
        Transport::Udp => "udp4",
        Transport::Tcp => "tcp4-server",
    };
    let mut words: Vec<String> = Vec::new();
    let mut option = |option: &[&str]| {
        words.push(format!("--{}", option[0]));
        words.extend(option[1..].iter().map(|&word| word.to_owned()));
    };
    option(&["mode", "server"]);
    option(&["tls-server"]);
    option(&["dev", "tun"]);
    option(&["topology", "subnet"]);
    option(&["local", &plan.address.to_string()]);
    option(&["port", &port.to_string()]);
    option(&["proto", transport]);
    option(&["ca", &file("ca.pem")]);
    option(&["cert", &file("server.pem")]);
    option(&["key", &file("server-key.pem")]);
    option(&["dh", "none"]);
    option(&["ifconfig", &address(1), &NETWORK_MASK.to_string()]);
    option(&[
        "ifconfig-pool",
        &address(2),
        &address(NETWORK_SIZE - 2),
        &NETWORK_MASK.to_string(),
    ]);
    if let Some(network) = plan.ipv6_network {
        let [ours, theirs, pool] = [1, 2, 0x1000].map(|number| ipv6_address_in(network, number));
        option(&["ifconfig-ipv6", &format!("{ours}/64"), &theirs.to_string()]);
        option(&["ifconfig-ipv6-pool", &format!("{pool}/64")]);
    }
    option(&["tun-mtu", &shared.options.tun_mtu.to_string()]);
    option(&["data-ciphers", "AES-256-GCM"]);
    // Everybody's name is `N/A`, and several may be in.
    option(&["duplicate-cn"]);
    option(&["ping", "5"]);
    option(&["ping-restart", "30"]);
    // OpenVPN gives tokens only where keys are renewed now and then.
    let renewal = if shared.options.auth_token {
        "3600"
    } else {
        "0"
    };
    option(&["reneg-sec", renewal]);
    option(&["tmp-dir", &plan.directory.to_string_lossy()]);
    option(&["management", &socket.to_string_lossy(), "unix"]);
    option(&["management-client"]);
    option(&["management-hold"]);
    option(&["management-client-auth"]);
    // Nothing above warnings: at 3, the log has challenges.
    option(&["verb", "1"]);
    let sign_in = shared.options.sign_in;
    option(&[
        "verify-client-cert",
        if sign_in.needs_certificate() {
            "require"
        } else {
            "none"
        },
    ]);
    if sign_in == SignIn::Certificate {
        option(&["auth-user-pass-optional"]);
    }
    if shared.options.auth_token {
        // One key for all nodes, as they have one list of users. We are still asked each time.
        option(&["auth-gen-token", "0", "3600", "external-auth"]);
        option(&["auth-gen-token-secret", &file("auth-token.pem")]);
    }
    if shared.options.push_request_only {
        option(&["push-request-only"]);
    }
    words
}

fn address_in(network: Ipv4Addr, number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(network) + number)
}

fn ipv6_address_in(network: Ipv6Addr, number: u128) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(network) + number)
}

/// The management commands that carry out a verdict.
pub(crate) fn answer(
    shared: &Shared,
    plan: &ServerPlan,
    client: u64,
    key: u64,
    verdict: Verdict,
) -> Vec<u8> {
    match verdict {
        Verdict::Silence => Vec::new(),
        Verdict::Deny(text) if text.is_empty() => {
            format!("client-deny {client} {key} \"denied\"\n").into_bytes()
        }
        Verdict::Deny(text) => {
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace(['\r', '\n'], " ");
            format!("client-deny {client} {key} \"denied\" \"{text}\"\n").into_bytes()
        }
        Verdict::Accept => {
            let mut lines = format!("client-auth {client} {key}\n");
            let gateway = address_in(plan.network, 1);
            let of_the_server = [
                format!("route-gateway {gateway}"),
                "topology subnet".to_owned(),
            ];
            let echoes = std::iter::repeat_n("echo", shared.options.pushes_of.echoes());
            let last = ["ping 1", "ping-restart 20"].into_iter().chain(echoes);
            let last = last.map(str::to_owned);
            let pushed = shared.settings().push;
            for option in pushed.into_iter().chain(of_the_server).chain(last) {
                let option = option.replace('\\', "\\\\").replace('"', "\\\"");
                lines += &format!("push \"{option}\"\n");
            }
            lines += "END\n";
            lines.into_bytes()
        }
    }
}
