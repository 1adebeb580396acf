//! Name servers and domains of a connection that is up: what is asked of whom, with each of the
//! resolvers that NetworkManager feeds.

use crate::{SOON, assert_up, endpoint, lab, take_down};
use aws_client_vpn_harness::{DnsMode, Lab, Options, eventually, wait_for};
use serde_json::json;

/// Known to the DNS server behind the tunnel only.
const PRIVATE: &str = "wiki.corp.example";
const PRIVATE_DOMAIN: &str = "corp.example";
/// Known to the DNS server of the network only.
const PUBLIC: &str = "login.idp.example";
const PUBLIC_DOMAIN: &str = "idp.example";
/// The resolvers that can ask different servers for different names.
const PER_LINK: [DnsMode; 2] = [DnsMode::Resolved, DnsMode::Dnsmasq];

fn with(dns: DnsMode, flags: &[&str]) -> Options {
    Options {
        dns,
        ..endpoint(flags)
    }
}

fn addresses(lab: &Lab, name: &str) -> String {
    let output = lab.client.run(["getent", "ahosts", name]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether the server behind the tunnel, and the one of the network, are asked for names in
/// `domain`. The name is a new one each time: resolvers remember what they were told.
fn asked(lab: &Lab, domain: &str) -> (bool, bool) {
    let mut tries = 0;
    let servers = eventually(&format!("somebody is asked for {domain}"), SOON, || {
        // A resolver that is just given its servers may drop a question.
        tries += 1;
        let name = format!("n{}-{tries}.{domain}", lab.endpoint_events().count());
        let _ = addresses(lab, &name);
        let lookups = lab.endpoint_events().named("lookup");
        let of_the_name = lookups
            .iter()
            .filter(|lookup| lookup["name"] == name.as_str());
        let inside: Vec<bool> = of_the_name.map(|lookup| lookup["inside"] == true).collect();
        (!inside.is_empty()).then_some(inside)
    });
    (servers.contains(&true), servers.contains(&false))
}

/// NetworkManager says that a connection is up a moment before its resolver knows.
#[track_caller]
fn private_name_resolves(lab: &Lab, dns: DnsMode) {
    eventually(&format!("{dns:?}: {PRIVATE} resolves"), SOON, || {
        addresses(lab, PRIVATE).contains("10.99.0.2 ").then_some(())
    });
}

/// It tells the resolver without waiting for it, of the end, too.
#[track_caller]
fn nothing_is_left(lab: &Lab, dns: DnsMode) {
    eventually(&format!("{dns:?}: {PRIVATE} is unknown"), SOON, || {
        addresses(lab, PRIVATE).is_empty().then_some(())
    });
    eventually(&format!("{dns:?}: {PUBLIC} is known"), SOON, || {
        addresses(lab, PUBLIC).contains("192.0.2.80").then_some(())
    });
}

/// Who is asked for names in `domain` comes to be as `expected`, as [`asked`] has it: the resolver is
/// told of servers and domains one after the other.
#[track_caller]
fn comes_to_ask(lab: &Lab, domain: &str, expected: (bool, bool), what: &str) {
    let mut last = None;
    let is_so = wait_for(SOON, || {
        let now = asked(lab, domain);
        last = Some(now);
        (now == expected).then_some(())
    });
    assert!(is_so.is_some(), "{domain}: {last:?}: {what}");
}

#[test]
fn the_pushed_dns_server_knows_the_inside_names() {
    let (lab, before) = lab(&endpoint(&["--push=dhcp-option DOMAIN corp.example"]));
    assert_up(&lab, &lab.up());
    private_name_resolves(&lab, DnsMode::ResolvConf);
    let resolv = lab.client.check(["cat", "/etc/resolv.conf"]);
    assert!(resolv.contains("nameserver 10.99.0.2"), "{resolv}");
    take_down(&lab, &before);
    nothing_is_left(&lab, DnsMode::ResolvConf);
}

#[test]
fn a_split_tunnel_s_domain_is_asked_inside_and_all_else_outside() {
    for dns in PER_LINK {
        let (lab, before) = lab(&with(dns, &["--push=dhcp-option DOMAIN corp.example"]));
        assert_up(&lab, &lab.up());
        private_name_resolves(&lab, dns);
        let what = format!("{dns:?}");
        comes_to_ask(&lab, PRIVATE_DOMAIN, (true, false), &what);
        comes_to_ask(&lab, PUBLIC_DOMAIN, (false, true), &what);
        assert!(addresses(&lab, PUBLIC).contains("192.0.2.80"), "{dns:?}");
        take_down(&lab, &before);
        nothing_is_left(&lab, dns);
    }
}

#[test]
fn a_full_tunnel_s_servers_are_asked_for_everything() {
    for dns in PER_LINK {
        let (lab, before) = lab(&with(dns, &["--full-tunnel"]));
        assert_up(&lab, &lab.up());
        private_name_resolves(&lab, dns);
        comes_to_ask(&lab, PUBLIC_DOMAIN, (true, false), &format!("{dns:?}"));
        take_down(&lab, &before);
        nothing_is_left(&lab, dns);
    }
}

#[test]
fn servers_without_a_domain_are_asked_for_everything() {
    for dns in PER_LINK {
        let (lab, before) = lab(&with(dns, &[]));
        assert_up(&lab, &lab.up());
        private_name_resolves(&lab, dns);
        comes_to_ask(&lab, PUBLIC_DOMAIN, (true, false), &format!("{dns:?}"));
        take_down(&lab, &before);
        nothing_is_left(&lab, dns);
    }
}

#[test]
fn each_way_to_push_names_is_understood() {
    for dns in PER_LINK {
        let (mut lab, before) = lab(&with(dns, &["--ipv6"]));
        let server = "dhcp-option DNS 10.99.0.2";
        for (options, searched) in [
            (&[server, "dhcp-option DOMAIN corp.example"][..], true),
            (&[server, "dhcp-option DOMAIN-SEARCH corp.example"], true),
            (
                &[server, "dhcp-option ADAPTER_DOMAIN_SUFFIX corp.example"],
                true,
            ),
            (&[server, "dhcp-option DOMAIN-ROUTE corp.example"], false),
            (
                &[
                    "dhcp-option DNS6 fd00:99::2",
                    "dhcp-option DOMAIN-ROUTE corp.example",
                ],
                false,
            ),
            (
                &[
                    "dns server 1 address 10.99.0.2",
                    "dns server 1 resolve-domains corp.example",
                ],
                false,
            ),
            (
                &[
                    "dns server 1 address fd00:99::2",
                    "dns search-domains corp.example",
                ],
                true,
            ),
        ] {
            let mut push = vec!["route 10.99.0.0 255.255.0.0", "route-ipv6 fd00:99::/32"];
            push.extend(options);
            lab.endpoint().command(&json!({ "push": push }));
            assert_up(&lab, &lab.up());
            let what = || format!("{dns:?} {options:?}\n{}", lab.journal());
            eventually(&format!("{dns:?} {options:?}"), SOON, || {
                addresses(&lab, PRIVATE)
                    .contains("10.99.0.2 ")
                    .then_some(())
            });
            comes_to_ask(&lab, PRIVATE_DOMAIN, (true, false), &what());
            comes_to_ask(&lab, PUBLIC_DOMAIN, (false, true), &what());
            let is_found = wait_for(SOON, || {
                let found = addresses(&lab, "wiki").contains("10.99.0.2");
                (found == searched).then_some(())
            });
            assert!(is_found.is_some(), "searched: {searched}; {}", what());
            take_down(&lab, &before);
            nothing_is_left(&lab, dns);
        }
    }
}
