use super::*;
use proptest::prelude::*;
use std::fmt;

/// The account of OpenVPN.
const USER: u32 = 990;

fn endpoints() -> Vec<Endpoint> {
    ["203.0.113.5", "2001:db8::5"]
        .map(|address| Endpoint {
            address: address.parse().unwrap(),
            port: 443,
            transport: Transport::Udp,
        })
        .to_vec()
}

/// A connection whose kill switch is closed.
fn closed() -> FirewallPolicy {
    FirewallPolicy {
        stops_the_rest: true,
        device: Some("awsvpn0".to_owned()),
        endpoints: endpoints(),
        ..FirewallPolicy::default()
    }
}

/// Another connection, without a kill switch.
fn other() -> FirewallPolicy {
    FirewallPolicy {
        device: Some("awsvpn1".to_owned()),
        endpoints: vec![Endpoint {
            address: "203.0.113.6".parse().unwrap(),
            port: 1194,
            transport: Transport::Tcp,
        }],
        ..FirewallPolicy::default()
    }
}

fn local_networks() -> Vec<Network<IpAddr>> {
    vec![
        network("192.168.7.0".parse().unwrap(), 24),
        network("fd00:7::".parse().unwrap(), 64),
    ]
}

fn shown(policies: &[FirewallPolicy]) -> String {
    Ruleset::of(policies, Some(USER)).unwrap().to_string()
}

/// The rules that are not in [`CLOSED`].
fn added(policies: &[FirewallPolicy]) -> Vec<String> {
    let text = shown(policies);
    let added = text.lines().filter(|line| !CLOSED.contains(line));
    added.map(|line| line.trim().to_owned()).collect()
}

const CLOSED: &str = r#"table inet aws-client-vpn-kill-switch {
	chain output {
		type filter hook output priority filter; policy drop;
		oifname "lo" accept
		oifname "awsvpn0" accept
		meta skuid 990 ip daddr 203.0.113.5 udp dport 443 accept
		meta skuid 990 ip6 daddr 2001:db8::5 udp dport 443 accept
		meta nfproto ipv4 udp sport 68 udp dport 67 accept
		meta nfproto ipv6 udp sport 546 udp dport 547 accept
		icmpv6 type 133-136 accept
		icmpv6 type 143 accept
		reject with icmpx admin-prohibited
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		oifname "awsvpn0" accept
		iifname "awsvpn0" accept
		reject with icmpx admin-prohibited
	}
}
"#;

#[test]
fn only_the_tunnel_and_what_keeps_it_up_are_let_through() {
    assert_eq!(shown(&[closed()]), CLOSED);
}

#[test]
fn where_nobody_stops_anything_there_are_no_rules() {
    assert_eq!(Ruleset::of(&[], Some(USER)), None);
    let signs_in = FirewallPolicy {
        web: true,
        names: true,
        local_networks: Some(local_networks()),
        ..other()
    };
    assert_eq!(Ruleset::of(&[other(), signs_in], Some(USER)), None);
}

#[test]
fn what_keeps_another_connection_up_is_let_through_too() {
    let expected = [
        "oifname \"awsvpn1\" accept",
        "meta skuid 990 ip daddr 203.0.113.6 tcp dport 1194 accept",
        "oifname \"awsvpn1\" accept",
        "iifname \"awsvpn1\" accept",
    ];
    let both_stop = FirewallPolicy {
        stops_the_rest: true,
        ..other()
    };
    assert_eq!(added(&[closed(), other()]), expected);
    assert_eq!(added(&[other(), closed()]), expected);
    assert_eq!(added(&[closed(), both_stop]), expected);
    let one_way_and_the_other = [[closed(), other()], [other(), closed()]].map(|p| shown(&p));
    assert_eq!(one_way_and_the_other[0], one_way_and_the_other[1]);
    // Connections to the same endpoint need it once.
    assert_eq!(shown(&[closed(), closed()]), CLOSED);
}

#[test]
fn names_are_let_out_for_a_lookup_and_the_web_for_a_person_who_signs_in() {
    let rules = ["udp dport @open-udp accept", "tcp dport @open-tcp accept"];
    let set = |transport: &str, ports: &str| {
        [
            format!("set open-{transport} {{"),
            "type inet_service".to_owned(),
            "flags timeout".to_owned(),
            "timeout 2m".to_owned(),
            format!("elements = {{ {ports} }}"),
        ]
    };
    let opened = |udp: &str, tcp: &str| {
        let sets = [set("udp", udp), set("tcp", tcp)].concat();
        let rules = rules.map(ToOwned::to_owned);
        sets.into_iter().chain(rules).collect::<Vec<_>>()
    };
    let looks_up = FirewallPolicy {
        names: true,
        ..closed()
    };
    assert_eq!(added(&[looks_up]), opened("53, 853", "53, 853"));
    let other = FirewallPolicy {
        device: None,
        endpoints: Vec::new(),
        web: true,
        ..FirewallPolicy::default()
    };
    let all = opened("53, 853, 443", "53, 853, 80, 443");
    assert_eq!(added(&[closed(), other]), all);
}

#[test]
fn the_local_network_is_let_through_but_for_its_name_servers() {
    let lets = FirewallPolicy {
        local_networks: Some(local_networks()),
        ..closed()
    };
    let text = shown(&[lets]);
    for rule in [
        "ip daddr 192.168.7.0/24 accept",
        "ip6 daddr fd00:7::/64 accept",
        "ip daddr 224.0.0.0/24 accept",
        "ip6 daddr fe80::/10 accept",
    ] {
        assert_eq!(text.matches(rule).count(), 2, "{rule} in {text}");
        let names = text.find("udp dport 53 reject").unwrap();
        assert!(names < text.find(rule).unwrap(), "{rule}");
    }
}

#[test]
fn the_local_network_is_let_through_only_where_all_who_stop_the_rest_let_it() {
    let stops = |local_networks| FirewallPolicy {
        stops_the_rest: true,
        local_networks,
        ..other()
    };
    let lets = || FirewallPolicy {
        local_networks: Some(local_networks()),
        ..closed()
    };
    let has_it = |policies: &[FirewallPolicy]| shown(policies).contains("192.168.7.0/24");
    assert!(has_it(&[lets(), stops(Some(local_networks()))]));
    assert!(!has_it(&[lets(), stops(None)]));
    // One that stops nothing has no say.
    assert!(has_it(&[lets(), other()]));
}

#[test]
fn the_number_of_endpoints_is_bounded() {
    let endpoints_of = |connections: u8, endpoints: u8| {
        let policy = |connection| FirewallPolicy {
            endpoints: (0..endpoints)
                .map(|number| Endpoint {
                    address: IpAddr::from([203, 0, connection, number]),
                    port: 443,
                    transport: Transport::Udp,
                })
                .collect(),
            ..closed()
        };
        let policies: Vec<_> = (0..connections).map(policy).collect();
        shown(&policies).matches("ip daddr 203.0.").count()
    };
    assert_eq!(endpoints_of(1, 65), 64);
    assert_eq!(endpoints_of(4, 64), 256);
    assert_eq!(endpoints_of(5, 64), 256);
}

#[test]
fn each_batch_is_whole() {
    for rules in [Ruleset::of(&[closed()], Some(USER)), None] {
        let batch = netlink::replacement(rules.as_ref(), 1);
        let mut rest = batch.bytes();
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
            kinds.push(u16::from_ne_bytes(rest[4..6].try_into().unwrap()) & 0xff);
            assert_eq!(length % 4, 0);
            rest = &rest[length..];
        }
        // BATCH_BEGIN, NEWTABLE, DELTABLE, …, BATCH_END
        assert_eq!(kinds[..3], [0x10, 0, 2]);
        assert_eq!(kinds.last(), Some(&0x11));
        assert_eq!(kinds.len(), batch.next() as usize - 1);
    }
}

proptest! {
    #[test]
    fn whatever_is_open_the_last_rule_rejects_all_and_no_rule_accepts_all(
        lan: bool, names: bool, web: bool, device in proptest::option::of("[a-z]{1,20}"),
        addresses in proptest::collection::vec(any::<IpAddr>(), 0..100), others in 0..100_usize,
    ) {
        let policy = FirewallPolicy {
            stops_the_rest: true,
            device,
            endpoints: addresses.iter().map(|address| Endpoint {
                address: *address, port: 443, transport: Transport::Tcp,
            }).collect(),
            local_networks: lan.then(Vec::new),
            names,
            web,
        };
        let ruleset = Ruleset::of(&vec![policy; others + 1], None).unwrap();
        for chain in [&ruleset.output, &ruleset.forward] {
            let (last, before) = chain.split_last().unwrap();
            prop_assert_eq!(last, &Rule { verdict: Verdict::Reject, ..Rule::default() });
            prop_assert!(!before.contains(&Rule::default()));
            prop_assert!(chain.len() < 400);
        }
        prop_assert!(netlink::replacement(Some(&ruleset), 1).bytes().len() < 128 * 1024);
    }

    #[test]
    fn no_answer_and_no_event_makes_it_panic(received: Vec<u8>) {
        let _ = netlink::replacement(None, 1).answered(&received);
        let _ = netlink::last_change(&received);
    }
}

/// In the words of `nft`.
impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "table inet {TABLE} {{")?;
        for transport in TRANSPORTS {
            let own = self.openings.iter().filter(|(of, _)| *of == transport);
            let ports: Vec<_> = own.map(|(_, port)| port.to_string()).collect();
            if !ports.is_empty() {
                writeln!(f, "\tset open-{} {{", transport.as_str())?;
                writeln!(f, "\t\ttype inet_service\n\t\tflags timeout")?;
                writeln!(f, "\t\ttimeout {}m", OPENING_LIFETIME.as_secs() / 60)?;
                writeln!(f, "\t\telements = {{ {} }}\n\t}}\n", ports.join(", "))?;
            }
        }
        for (hook, rules) in [("output", &self.output), ("forward", &self.forward)] {
            writeln!(f, "\tchain {hook} {{")?;
            writeln!(
                f,
                "\t\ttype filter hook {hook} priority filter; policy drop;"
            )?;
            for rule in rules {
                writeln!(f, "\t\t{rule}")?;
            }
            writeln!(f, "\t}}")?;
            if hook == "output" {
                writeln!(f)?;
            }
        }
        writeln!(f, "}}")
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((direction, name)) = &self.device {
            let which = match direction {
                Direction::In => "iifname",
                Direction::Out => "oifname",
            };
            write!(f, "{which} \"{name}\" ")?;
        }
        if let Some(user) = self.user {
            write!(f, "meta skuid {user} ")?;
        }
        if let Some(Network { address, prefix }) = self.destination {
            let (family, length) = match address {
                IpAddr::V4(_) => ("ip", 32),
                IpAddr::V6(_) => ("ip6", 128),
            };
            write!(f, "{family} daddr {address}")?;
            if prefix < length {
                write!(f, "/{prefix}")?;
            }
            write!(f, " ")?;
        }
        match self.protocol {
            None => {}
            Some(Protocol::Port(transport, port)) => {
                write!(f, "{} dport {port} ", transport.as_str())?;
            }
            Some(Protocol::Opening(transport)) => {
                let transport = transport.as_str();
                write!(f, "{transport} dport @open-{transport} ")?;
            }
            Some(Protocol::Dhcp { ipv6, from, to }) => {
                let family = if ipv6 { "ipv6" } else { "ipv4" };
                write!(f, "meta nfproto {family} udp sport {from} udp dport {to} ")?;
            }
            Some(Protocol::IcmpV6(first, last)) => {
                write!(f, "icmpv6 type {first}")?;
                if last > first {
                    write!(f, "-{last}")?;
                }
                write!(f, " ")?;
            }
        }
        f.write_str(match self.verdict {
            Verdict::Accept => "accept",
            Verdict::Reject => "reject with icmpx admin-prohibited",
        })
    }
}
