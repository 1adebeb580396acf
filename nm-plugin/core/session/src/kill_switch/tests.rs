use super::*;
use proptest::prelude::*;

fn endpoints() -> Vec<Endpoint> {
    ["203.0.113.5", "2001:db8::5"]
        .map(|address| Endpoint {
            address: address.parse().unwrap(),
            port: 443,
            transport: Transport::Udp,
        })
        .to_vec()
}

fn ruleset(choices: Choices, browser: bool) -> Ruleset {
    let lan = [
        network("192.168.7.0".parse().unwrap(), 24),
        network("fd00:7::".parse().unwrap(), 64),
    ];
    let openings = Openings {
        device: "awsvpn0",
        endpoints: &endpoints(),
        lan: &lan,
        browser,
    };
    Ruleset::new(&table_name("11111111-2222"), choices, &openings)
}

const CLOSED: &str = r#"table inet aws-client-vpn-11111111-2222 {
	chain output {
		type filter hook output priority filter; policy drop;
		oifname "lo" accept
		oifname "awsvpn0" accept
		ip daddr 203.0.113.5 udp dport 443 accept
		ip6 daddr 2001:db8::5 udp dport 443 accept
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
    assert_eq!(ruleset(Choices::default(), false).to_string(), CLOSED);
    // A browser is let out only where the user chose so, and the other way round.
    assert_eq!(ruleset(Choices::default(), true).to_string(), CLOSED);
    let sign_in = Choices {
        lan: false,
        sign_in: true,
    };
    assert_eq!(ruleset(sign_in, false).to_string(), CLOSED);
}

#[test]
fn a_browser_and_its_names_are_let_out_while_a_person_signs_in() {
    let choices = Choices {
        lan: false,
        sign_in: true,
    };
    let text = ruleset(choices, true).to_string();
    let added: Vec<_> = text
        .lines()
        .filter(|line| !CLOSED.contains(line))
        .map(str::trim)
        .collect();
    assert_eq!(
        added,
        [
            "udp dport 53 accept",
            "tcp dport 53 accept",
            "tcp dport 80 accept",
            "tcp dport 443 accept",
            "udp dport 443 accept",
        ]
    );
}

#[test]
fn the_local_network_is_let_through_but_for_its_name_servers() {
    let choices = Choices {
        lan: true,
        sign_in: false,
    };
    let text = ruleset(choices, false).to_string();
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
fn each_batch_is_whole() {
    for batch in [
        ruleset(Choices::default(), false).replacement(),
        netlink::removal("aws-client-vpn-x"),
    ] {
        let mut rest = &batch[..];
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
    }
}

proptest! {
    #[test]
    fn a_table_s_name_is_one_word(uuid in "\\PC{0,200}") {
        let name = table_name(&uuid);
        prop_assert!(name.len() <= TABLE_PREFIX.len() + LONGEST_UUID);
        prop_assert!(name.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'-'));
    }

    #[test]
    fn whatever_is_open_the_last_rule_rejects_all_and_no_rule_accepts_all(
        lan: bool, sign_in: bool, browser: bool, devices in "[a-z]{0,20}",
        addresses in proptest::collection::vec(any::<IpAddr>(), 0..100),
    ) {
        let endpoints: Vec<_> = addresses.iter().map(|address| Endpoint {
            address: *address, port: 443, transport: Transport::Tcp,
        }).collect();
        let openings = Openings { device: &devices, endpoints: &endpoints, lan: &[], browser };
        let ruleset = Ruleset::new("t", Choices { lan, sign_in }, &openings);
        for chain in [&ruleset.output, &ruleset.forward] {
            let (last, before) = chain.split_last().unwrap();
            prop_assert_eq!(last, &Rule { verdict: Verdict::Reject, ..Rule::default() });
            prop_assert!(!before.contains(&Rule::default()));
            prop_assert!(chain.len() < 100);
        }
        prop_assert!(ruleset.replacement().len() < 64 * 1024);
    }

    #[test]
    fn no_answer_makes_it_panic(answers: Vec<u8>) {
        let _ = netlink::outcome(&answers);
    }
}
