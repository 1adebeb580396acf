//! Ways past the tunnel that do not begin with a program's socket of IPv4 on this computer.

use super::{OUTSIDE, guarded, reaches};
use crate::interruptions::SERVICE;
use crate::{SOON, assert_up, endpoint};
use aws_client_vpn_harness::{Lab, Options, eventually};
use rustix::process::Signal;

/// The host outside, over IPv6.
const OUTSIDE_6: &str = "2001:db8:80::80";

/// Gives the client a way out over IPv6, and a container whose packets it forwards. NetworkManager
/// takes addresses away from an interface that it finds, so it is told first to leave this one.
fn with_container(lab: &Lab) {
    lab.server.check([
        "sh",
        "-ec",
        "echo 0 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6
        ip -6 address add 2001:db8:1::1/64 dev eth0 nodad
        ip -6 address add $1/128 dev lo
        ip route add 198.18.0.0/24 via 192.0.2.10",
        "sh",
        OUTSIDE_6,
    ]);
    lab.client.check([
        "sh",
        "-ec",
        "echo 0 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6
        ip -6 address add 2001:db8:1::2/64 dev eth0 nodad
        ip -6 route add $1 via 2001:db8:1::1
        ip netns add container
        ip link add container0 type veth peer name eth0 netns container
        timeout 120 sh -c 'until nmcli device set container0 managed no; do sleep 0.1; done'
        ip address add 198.18.0.1/24 dev container0
        ip link set container0 up
        ip -n container address add 198.18.0.2/24 dev eth0
        ip -n container link set eth0 up
        ip -n container route add default via 198.18.0.1
        echo 1 >/proc/sys/net/ipv4/ip_forward",
        "sh",
        OUTSIDE_6,
    ]);
}

fn container_reaches(lab: &Lab, host: &str) -> bool {
    let ping = ["ip", "netns", "exec", "container", "ping", "-c", "1"];
    let ping = lab.client.run(ping.into_iter().chain(["-W", "6", host]));
    ping.status.success()
}

#[test]
fn neither_a_container_nor_ipv6_gets_past_the_tunnel() {
    let (lab, _) = guarded(&Options::default(), &["kill-switch=yes"]);
    with_container(&lab);
    let leaks = || {
        [
            reaches(&lab, OUTSIDE),
            reaches(&lab, OUTSIDE_6),
            container_reaches(&lab, OUTSIDE),
        ]
    };
    eventually("the ways out work", SOON, || {
        (leaks() == [true; 3]).then_some(())
    });
    assert_up(&lab, &lab.up());
    assert_eq!(leaks(), [false; 3]);
    lab.client.signal(SERVICE, Signal::KILL);
    lab.vpn_ended(SOON);
    assert_eq!(leaks(), [false; 3], "the service is gone");
    let lift = "/usr/libexec/nm-aws-client-vpn-service --lift-kill-switch";
    lab.client.check(["sh", "-c", lift]);
    eventually("the ways out work again", SOON, || {
        (leaks() == [true; 3]).then_some(())
    });
}

/// Two containers on one bridge, which is no network card's.
fn with_bridge(lab: &Lab) {
    lab.server
        .check(["ip", "route", "add", "198.18.0.0/24", "via", "192.0.2.10"]);
    lab.client.check([
        "sh",
        "-ec",
        "ip link add bridge0 type bridge
        timeout 120 sh -c 'until nmcli device set bridge0 managed no; do sleep 0.1; done'
        ip address add 198.18.0.1/24 dev bridge0
        ip link set bridge0 up
        for number in 2 3; do
            ip netns add container$number
            ip link add port$number master bridge0 type veth peer name eth0 netns container$number
            timeout 120 sh -c \
                \"until nmcli device set port$number managed no; do sleep 0.1; done\"
            ip link set port$number master bridge0 up
            ip -n container$number address add 198.18.0.$number/24 dev eth0
            ip -n container$number link set eth0 up
            ip -n container$number route add default via 198.18.0.1
        done
        echo 1 >/proc/sys/net/ipv4/ip_forward",
    ]);
}

#[test]
fn on_one_bridge_containers_reach_each_other_as_far_as_the_manual_says() {
    let (lab, _) = guarded(&endpoint(&["--sign-in=certificate"]), &["kill-switch=yes"]);
    with_bridge(&lab);
    // With br_netfilter, which a kernel may have built in, the firewall sees what a bridge passes on.
    let switch = "/proc/sys/net/bridge/bridge-nf-call-iptables";
    let filters = |on: bool| {
        let number = u8::from(on);
        let script = format!("if [ -e {switch} ]; then echo {number} >{switch}; fi; ls {switch}");
        lab.client.run(["sh", "-c", &script]).status.success() || !on
    };
    let ways = || {
        let reached = |host: &str| {
            let line = ["ip", "netns", "exec", "container2", "ping", "-c", "1"];
            let ping = lab.client.run(line.into_iter().chain(["-W", "6", host]));
            ping.status.success()
        };
        [
            reached(OUTSIDE),
            reaches(&lab, OUTSIDE),
            reaches(&lab, "198.18.0.2"),
            reached("198.18.0.3"),
        ]
    };
    for lets_networks_through in [false, true] {
        if lets_networks_through {
            lab.modify("+vpn.data", "kill-switch-lan=yes");
        }
        eventually("the ways work", SOON, || {
            (ways() == [true; 4]).then_some(())
        });
        assert_up(&lab, &lab.up());
        for filtered in [true, false] {
            if !filters(filtered) {
                eprintln!("this kernel has no br_netfilter: only the other case is tested");
                continue;
            }
            let own = lets_networks_through;
            assert_eq!(
                ways(),
                [false, false, own, own || !filtered],
                "filtered: {filtered}; {}",
                lab.client.check(["nft", "list", "ruleset"])
            );
        }
        assert!(lab.down().status.success());
    }
}
