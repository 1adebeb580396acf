//! The service where SELinux enforces its policy: `make selinux-test`. Whatever the policy denies our
//! programs fails the test, also what it denies without a word by itself (`dontaudit`).

use aws_client_vpn_vm::{Machine, Test, run};
use serde_json::json;
use std::process::ExitCode;

const TESTS: [Test<Enforcing>; 6] = [
    (
        "without our module, no connection comes up",
        without_our_module,
    ),
    ("a login, and traffic", login_and_traffic),
    ("the kill switch is closed", kill_switch_is_closed),
    (
        "the endpoint ends the session, and it comes back",
        session_comes_back,
    ),
    ("the network goes away, and comes back", network_comes_back),
    (
        "the connection goes down, and nothing was denied",
        down_and_nothing_denied,
    ),
];

/// The machine, and what its policy denied before our module was there.
struct Enforcing {
    machine: Machine,
    denied_before: Vec<String>,
}

/// How the kernel's log names what acts; OpenVPN's file is in a directory of ours.
const OUR_PROGRAMS: [&str; 4] = [
    "comm=\"nm-aws-client-v",
    "exe=\"/usr/libexec/nm-aws-client-vpn",
    "exe=\"/usr/bin/nm-aws-client-vpn",
    "exe=\"/usr/bin/aws-client-vpn",
];

fn main() -> ExitCode {
    let mut subject = Enforcing {
        machine: Machine::boot("selinux"),
        denied_before: Vec::new(),
    };
    run(&TESTS, &mut subject, |subject| {
        subject.machine.keep_evidence()
    })
}

/// What the policy denied our programs since the machine booted, by the kernel's own log: what
/// they did, and what NetworkManager's domain did to a file or interface of theirs.
fn denials(machine: &mut Machine) -> Vec<String> {
    // The records of an event have its number in common. auditd writes them a moment later: what is
    // logged last tells that all before it are there.
    let script = "mark=tests-$(date +%s%N); auditctl -m $mark || exit; \
        until ausearch --raw -ts boot | grep -q $mark; do sleep 1; done; \
        ausearch --raw -ts boot | awk '\
            { match($0, /audit\\([0-9.]+:[0-9]+\\)/); id = substr($0, RSTART, RLENGTH); \
              text[id] = text[id] $0 \" \" } \
            END { for (id in text) if (text[id] ~ /avc:  denied|SELINUX_ERR/) print text[id] }'";
    let all = machine.check(script);
    // The bus tells of what it denies by process numbers only.
    let service = "journalctl -b -t nm-aws-client-vpn-service -o export | \
        sed -n 's/^_PID=\\([0-9]*\\)$/ spid=\\1 \\n tpid=\\1 /p' | sort -u";
    let of_bus = machine.check(service);
    let is_ours = |line: &&str| {
        OUR_PROGRAMS
            .into_iter()
            .chain(of_bus.lines())
            .any(|word| line.contains(word))
            || line.contains(":NetworkManager_t:") && line.contains("aws-client-vpn")
    };
    all.lines().filter(is_ours).map(str::to_owned).collect()
}

/// Types a command at the text console and waits until it has done its work.
#[track_caller]
fn types(machine: &mut Machine, command: &str) {
    machine.type_text(&format!("{command}; echo $? >/run/home/ended\n"));
    machine.eventually(&format!("{command} ends"), "test -s /run/home/ended");
    let code = machine.check("cat /run/home/ended && rm /run/home/ended");
    assert_eq!(code.trim(), "0", "{command}\n{}", story(machine));
}

fn story(machine: &mut Machine) -> String {
    machine.check(
        "journalctl -b --no-pager -t nm-aws-client-vpn-service -t NetworkManager | tail -c 20000",
    )
}

fn without_our_module(
    Enforcing {
        machine,
        denied_before,
    }: &mut Enforcing,
) {
    assert_eq!(machine.check("getenforce").trim(), "Enforcing");
    machine.install_packages();
    // An ordinary user at the text console.
    let foreground = |name: &str| format!("ps -t tty1 -o comm= | grep -x {name}");
    machine.eventually("the console asks who it is", &foreground("agetty"));
    machine.type_text("ada\n");
    machine.eventually("the console asks for the password", &foreground("login"));
    machine.eventually(
        "login has turned the echo off",
        "stty -F /dev/tty1 -a | grep -e '-echo '",
    );
    machine.type_text("engine\n");
    machine.eventually("the shell is there", &foreground("bash"));
    types(machine, "cp /run/lab/profiles/*udp-443.ovpn vpn.ovpn");
    types(
        machine,
        "nmcli connection import type aws-client-vpn file vpn.ovpn",
    );
    types(
        machine,
        "nmcli connection modify vpn +vpn.data kill-switch=yes,kill-switch-sign-in=yes",
    );
    machine.type_text("BROWSER=/run/lab/bin/xdg-open nm-aws-client-vpn-agent &\n");
    machine.eventually("the agent runs", "pgrep -u ada -f nm-aws-client-vpn-agent");
    assert_eq!(denials(machine), [""; 0]);
    let doctor = machine.run("aws-client-vpn doctor").1;
    let warned = doctor.contains("the SELinux policy does not allow a kill switch to be turned on");
    assert!(warned, "{doctor}");

    machine.type_text("nmcli --wait 900 connection up vpn; echo $? >/run/home/ended\n");
    machine.eventually("nmcli ends", "test -s /run/home/ended");
    let code = machine.check("cat /run/home/ended && rm /run/home/ended");
    *denied_before = denials(machine);
    let is_allowed_by_ours = |line: &&String| {
        line.contains("tclass=netlink_netfilter_socket") || line.contains("{ connectto }")
    };
    let (expected, others): (Vec<_>, Vec<_>) = denied_before.iter().partition(is_allowed_by_ours);
    assert_eq!(others, [""; 0]);
    // The program, whatever its thread is called, is in a record of its own.
    let names_the_program = |line: &&String| line.contains("exe=\"/usr/libexec/nm-aws-client-vpn");
    assert!(
        expected.iter().any(names_the_program),
        "nothing was denied\n{}",
        story(machine)
    );
    assert_ne!(code.trim(), "0", "it is up without our module");
}

fn login_and_traffic(Enforcing { machine, .. }: &mut Enforcing) {
    // As `semodule --install` does in the end.
    machine.check("cp -r /root/policy-with-ours/. /etc/selinux/default/policy && load_policy");
    let doctor = machine.run("aws-client-vpn doctor").1;
    assert!(!doctor.contains("SELinux"), "{doctor}");
    machine.type_text("nmcli --wait 900 connection up vpn\n");
    machine.await_traffic();
}

fn kill_switch_is_closed(Enforcing { machine, .. }: &mut Enforcing) {
    let tables = machine.check("nft list tables");
    assert!(tables.contains("aws-client-vpn-"), "{tables}");
    let (reached, _) = machine.run("ping -c 1 -W 5 192.0.2.80");
    assert!(!reached, "a packet goes outside the tunnel");
}

/// What the service says when a lost connection is up again.
const UP_AGAIN: &str = "]: the tunnel is up again";

fn session_comes_back(Enforcing { machine, .. }: &mut Enforcing) {
    let before = machine.said(UP_AGAIN);
    machine.server.endpoint_command(&json!({ "kick": "all" }));
    machine.says_again(UP_AGAIN, before);
    machine.await_traffic();
}

fn network_comes_back(Enforcing { machine, .. }: &mut Enforcing) {
    let waiting = "]: waiting for a network";
    let (waited, up) = (machine.said(waiting), machine.said(UP_AGAIN));
    machine.set_cable(false);
    machine.says_again(waiting, waited);
    machine.set_cable(true);
    machine.says_again(UP_AGAIN, up);
    machine.await_traffic();
}

fn down_and_nothing_denied(
    Enforcing {
        machine,
        denied_before,
    }: &mut Enforcing,
) {
    types(machine, "nmcli connection down vpn");
    machine.eventually("the tun device is gone", "! ip link show awsvpn0");
    machine.eventually(
        "the rules are gone",
        "! nft list tables | grep aws-client-vpn",
    );
    machine.eventually(
        "the service has ended",
        "! pgrep -f [l]ibexec/nm-aws-client-vpn-service",
    );
    let mut denied = denials(machine);
    denied.retain(|line| !denied_before.contains(line));
    assert_eq!(denied, [""; 0]);
}
