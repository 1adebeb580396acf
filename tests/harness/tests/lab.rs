//! The laboratory itself: it runs a real NetworkManager, sees what is left, and leaves nothing.

use aws_client_vpn_harness::{EndpointOptions, Lab, Options, eventually};
use std::process::Command;
use std::time::Duration;

/// How long a step may take on a busy machine.
const SOON: Duration = Duration::from_secs(120);

fn bare() -> Options {
    Options {
        endpoint: None,
        product: false,
        agent: None,
        ..Options::default()
    }
}

/// Adds a connection of NetworkManager-openvpn's.
#[track_caller]
fn add_openvpn(lab: &Lab, data: &str) {
    let kind = ["type", "vpn", "vpn-type", "openvpn", "con-name", "vpn"];
    let command = ["nmcli", "connection", "add"].into_iter().chain(kind);
    lab.client
        .check(command.chain(["ifname", "--", "vpn.data", data]));
}

fn links_of_this_machine() -> String {
    let output = Command::new("ip")
        .args(["-brief", "address"])
        .output()
        .expect("ip tells the addresses");
    String::from_utf8(output.stdout).expect("ip tells the addresses")
}

#[test]
fn two_labs_at_a_time_leave_this_machine_as_it_was() {
    let before = links_of_this_machine();
    let other = std::thread::spawn(|| drop(Lab::start(&bare())));
    let lab = Lab::start(&bare());
    let holder = lab.client.init();
    lab.client
        .check(["ping", "-c", "1", "-w", "60", "192.0.2.1"]);
    let dir = lab.dir().clone();
    drop(lab);
    other.join().unwrap();
    assert!(!dir.exists());
    assert!(!std::path::Path::new(&format!("/proc/{holder}")).exists());
    assert_eq!(links_of_this_machine(), before);
}

#[test]
fn what_is_left_is_seen() {
    let lab = Lab::start(&bare());
    let before = lab.snapshot();
    lab.assert_clean(&before);
    let script = "ip tuntap add left mode tun; ip link set left up; echo x >/tmp/left; \
                  ip route add 203.0.113.0/24 dev left; echo nameserver 192.0.2.9 >>/etc/resolv.conf; \
                  sleep 1000 >/dev/null 2>&1 &";
    lab.client.check(["sh", "-c", script]);
    for thing in [
        "link left",
        "route 203.0.113.0/24",
        "file /tmp/left",
        "process sleep 1000",
        "nameserver 192.0.2.9",
    ] {
        // The process is a shell at first.
        eventually(&format!("{thing} is seen"), SOON, || {
            let differences = lab.snapshot().differences(&before).join("\n");
            differences.contains(thing).then_some(())
        });
    }
}

#[test]
fn networkmanager_brings_a_plain_openvpn_connection_up_and_down() {
    let lab = Lab::start(&bare());
    // A server with a static key needs no certificates.
    lab.client
        .check(["openvpn", "--genkey", "secret", "/run/lab/key"]);
    let mut server = lab.server.command("openvpn");
    server.args([
        "--dev",
        "tun",
        "--ifconfig",
        "10.98.0.1",
        "10.98.0.2",
        "--secret",
        "/run/lab/key",
    ]);
    server.args(["--cipher", "AES-256-CBC", "--keepalive", "1", "10"]);
    let _server = lab.server.spawn_logged("openvpn", server);
    let data = "connection-type=static-key, remote=192.0.2.1, static-key=/run/lab/key, \
                cipher=AES-256-CBC, local-ip=10.98.0.2, remote-ip=10.98.0.1";
    add_openvpn(&lab, data);
    let before = lab.snapshot();
    let up = lab.up();
    assert!(up.success, "{}\n{}", up.text, lab.journal());
    lab.client
        .check(["ping", "-c", "1", "-w", "60", "10.98.0.1"]);
    assert!(lab.vpn_states().iter().any(|state| state.state == 5));
    assert!(lab.down().status.success());
    lab.assert_clean(&before);
}

#[test]
fn networkmanager_openvpn_reaches_the_endpoint_with_a_certificate() {
    // A login with a certificate needs nothing of AWS's, so a stock server does.
    let flags = ["--sign-in=certificate", "--openvpn=/usr/sbin/openvpn"].map(ToOwned::to_owned);
    let lab = Lab::start(&Options {
        endpoint: Some(EndpointOptions(flags.to_vec())),
        ..bare()
    });
    let ready = lab
        .endpoint_events()
        .wait("ready", std::time::Duration::ZERO);
    let path = |key: &str| ready[key].as_str().expect("a path").to_owned();
    let data = format!(
        "connection-type=tls, remote=192.0.2.1:443:udp, ca={}, cert={}, key={}, remote-cert-tls=server, cert-pass-flags=4",
        path("ca"),
        path("client_certificate"),
        path("client_key")
    );
    add_openvpn(&lab, &data);
    // Names with a random label have both nodes' addresses.
    let name = format!(
        "0123456789ab.{}",
        ready["endpoint"].as_str().expect("a name")
    );
    assert!(
        lab.client
            .check(["getent", "ahostsv4", &name])
            .contains("192.0.2.2")
    );
    let before = lab.snapshot();
    let up = lab.up();
    assert!(up.success, "{}\n{}", up.text, lab.journal());
    lab.traffic_flows();
    assert!(lab.down().status.success());
    lab.assert_clean(&before);
}
