//! A full tunnel that is lost: what is on the wire outside meanwhile. The server's machine counts
//! each packet of the client's that is neither for the endpoint nor for its neighbours, and each
//! question for a name; programs on the client go on to send
//! IPv4 and IPv6 and to ask for names.

use crate::interruptions::{Role, find_the_endpoint, kill, lose_the_endpoint};
use crate::workday::pages_opened;
use crate::{SOON, assert_up, endpoint, lab, state, take_down};
use aws_client_vpn_harness::{Browser, DnsMode, Lab, Options, Snapshot, eventually, wait_for};
use serde_json::json;
use std::time::{Duration, Instant};

/// Hosts that are reached through the tunnel, or past it.
const OUTSIDE: &str = "203.0.113.80";
const OUTSIDE_6: &str = "2001:db8:80::80";
/// A good deal longer than it takes until a loss is shown, and until a first login would be asked
/// for.
const A_WHILE: Duration = Duration::from_secs(12);
const PUBLIC_DOMAIN: &str = "idp.example";

/// A lab with a full tunnel that is up, somebody at the computer, and ways past the tunnel.
fn full_tunnel(dns: DnsMode, flags: &[&str], settings: &[&str]) -> (Lab, Snapshot) {
    let mut all = vec!["--full-tunnel", "--ipv6"];
    all.extend(flags);
    let options = Options {
        dns,
        logind: true,
        ..endpoint(&all)
    };
    let (lab, _) = lab(&options);
    lab.server.check([
        "sh",
        "-ec",
        "echo 0 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6
        ip -6 address add 2001:db8:1::1/64 dev eth0 nodad
        ip -6 address add $2/128 dev lo
        ip address add $1/32 dev lo
        nft -f - <<'END'
        table inet lab {
            counter names {}
            counter ipv4 {}
            counter ipv6 {}
            chain incoming {
                type filter hook prerouting priority raw
                iifname != \"eth0\" accept
                ip daddr 192.0.2.0/30 udp dport 443 accept
                icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept
                meta pkttype { broadcast, multicast } accept
                udp dport 53 counter name names
                tcp dport 53 counter name names
                ip daddr 192.0.2.0/24 accept
                meta nfproto ipv4 counter name ipv4
                meta nfproto ipv6 counter name ipv6
            }
        }
END",
        "sh",
        OUTSIDE,
        OUTSIDE_6,
    ]);
    lab.client.check([
        "sh",
        "-ec",
        "echo 0 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6
        ip -6 address add 2001:db8:1::2/64 dev eth0 nodad
        ip -6 route add default via 2001:db8:1::1 metric 1024",
    ]);
    for setting in settings {
        lab.modify("+vpn.data", setting);
    }
    eventually("the ways out work", SOON, || {
        (reaches(&lab, OUTSIDE) && reaches(&lab, OUTSIDE_6)).then_some(())
    });
    look_up(&lab, 0);
    let counted = on_the_wire(&lab);
    assert_eq!(counted.len(), 3, "{counted:?}");
    let before = lab.snapshot();
    assert_up(&lab, &lab.up());
    eventually("it is noted that the connection is up", SOON, || {
        is_up(&lab)
    });
    (lab, before)
}

fn is_up(lab: &Lab) -> Option<()> {
    let last = lab.vpn_states().last().copied()?;
    (last.state == state::ACTIVATED && lab.has_traffic()).then_some(())
}

fn reaches(lab: &Lab, host: &str) -> bool {
    let ping = lab.client.run(["ping", "-c", "1", "-W", "1", host]);
    ping.status.success()
}

/// The interface that packets to `host` leave by.
fn way_to(lab: &Lab, host: &str) -> String {
    let route = lab.client.run(["ip", "route", "get", host]);
    String::from_utf8_lossy(&route.stdout).into_owned()
}

fn leads_into_the_tunnel(lab: &Lab) -> Option<()> {
    let into = |host| way_to(lab, host).contains("dev awsvpn");
    (into(OUTSIDE) && into(OUTSIDE_6)).then_some(())
}

/// What was counted on the wire: the kinds of packets, with their numbers.
fn on_the_wire(lab: &Lab) -> Vec<String> {
    let counters = lab
        .server
        .check(["nft", "list", "counters", "table", "inet", "lab"]);
    let mut seen = Vec::new();
    let mut kind = "";
    for line in counters.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("counter ") {
            kind = name.trim_end_matches(" {");
        } else if line.starts_with("packets ") && !line.starts_with("packets 0 ") {
            seen.push(format!("{kind}: {line}"));
        }
    }
    seen
}

fn forget_what_was_counted(lab: &Lab) {
    lab.server
        .check(["nft", "reset", "counters", "table", "inet", "lab"]);
}

/// What programs do all the time.
fn programs_go_on(lab: &Lab, number: usize) {
    for host in [OUTSIDE, OUTSIDE_6] {
        assert!(!reaches(lab, host), "{host} is reached\n{}", lab.journal());
    }
    look_up(lab, number);
}

/// Looks up a name that nothing has cached.
fn look_up(lab: &Lab, number: usize) {
    let name = format!("n{number}.{PUBLIC_DOMAIN}");
    // Long enough for a resolver to give one server up and to ask another.
    lab.client.run(["timeout", "12", "getent", "ahosts", &name]);
}

/// For a while, nothing goes past the tunnel, and no page is opened.
#[track_caller]
fn nothing_gets_out(lab: &Lab, what: &str, names_are_kept: bool) {
    forget_what_was_counted(lab);
    let pages = pages_opened(lab);
    let began = Instant::now();
    let mut number = 0;
    while began.elapsed() < A_WHILE {
        number += 1;
        programs_go_on(lab, number);
        let mut seen = on_the_wire(lab);
        seen.retain(|line| names_are_kept || !line.starts_with("names"));
        assert_eq!(seen, [""; 0], "{what}\n{}", lab.journal());
    }
    assert_eq!(leads_into_the_tunnel(lab), Some(()), "{what}");
    assert_eq!(pages_opened(lab), pages, "{what}: a page is opened");
    eprintln!("| {what} | {number} rounds | nothing |");
}

#[track_caller]
fn it_says(lab: &Lab, words: &str) {
    eventually(&format!("the service says {words:?}"), SOON * 3, || {
        lab.journal().contains(words).then_some(())
    });
}

#[track_caller]
fn comes_back(lab: &Lab) {
    let back = wait_for(SOON * 3, || is_up(lab).and(leads_into_the_tunnel(lab)));
    assert!(back.is_some(), "{:?}\n{}", lab.vpn_states(), lab.journal());
}

/// One reason to wait after the other, and a login at the end.
fn nothing_gets_out_with_nobody_there(dns: DnsMode, settings: &[&str]) {
    let (mut lab, before) = full_tunnel(dns, &[], settings);
    nothing_is_sent_while_up(&lab);
    // NetworkManager lists the network's own name servers after the tunnel's in a resolv.conf, for
    // any VPN, and programs ask them where these are silent.
    let names_are_kept = dns == DnsMode::Resolved || !settings.is_empty();
    let nothing = |lab: &Lab, what: &str| nothing_gets_out(lab, what, names_are_kept);
    lab.logind().lock();
    it_says(&lab, "the screen is locked");
    lab.endpoint().command(&json!({"kick": "all"}));
    it_says(&lab, "waiting for the screen to be unlocked");
    nothing(&lab, "the screen is locked");
    lab.logind().leave();
    it_says(&lab, "waiting for somebody to be there");
    nothing(&lab, "nobody is there");
    lab.stop_agent();
    lab.logind().unlock();
    lab.logind().arrive();
    it_says(&lab, "waiting for the desktop to be ready");
    nothing(&lab, "the desktop is not ready");
    lab.logind().sleep();
    it_says(&lab, "waiting for the computer to wake up");
    nothing(&lab, "asleep");
    lab.logind().wake();
    lab.start_agent();
    comes_back(&lab);
    take_down(&lab, &before);
}

/// The counters see what they should, and the tunnel takes everything.
fn nothing_is_sent_while_up(lab: &Lab) {
    forget_what_was_counted(lab);
    let reached = wait_for(SOON, || reaches(lab, OUTSIDE).then_some(()));
    assert!(reached.is_some(), "{}", lab.journal());
    assert_eq!(on_the_wire(lab), [""; 0]);
    assert_eq!(leads_into_the_tunnel(lab), Some(()));
}

#[test]
fn nothing_gets_out_with_nobody_there_and_systemd_resolved() {
    nothing_gets_out_with_nobody_there(DnsMode::Resolved, &[]);
}

#[test]
fn nothing_gets_out_with_nobody_there_and_plain_resolv_conf() {
    nothing_gets_out_with_nobody_there(DnsMode::ResolvConf, &[]);
}

#[test]
fn nothing_gets_out_with_nobody_there_and_a_kill_switch() {
    let settings = ["kill-switch=yes", "kill-switch-sign-in=yes"];
    nothing_gets_out_with_nobody_there(DnsMode::ResolvConf, &settings);
}

/// NetworkManager keeps the name servers of a VPN that fails while it is shown as connecting.
#[test]
fn no_name_server_is_left_where_openvpn_is_killed_while_the_loss_is_shown() {
    let (mut lab, before) = full_tunnel(DnsMode::ResolvConf, &[], &[]);
    lab.logind().lock();
    it_says(&lab, "the screen is locked");
    lab.endpoint().command(&json!({"kick": "all"}));
    it_says(&lab, "waiting for the screen to be unlocked");
    kill(&lab, Role::OpenVpn);
    assert_eq!(lab.vpn_ended(SOON).state, state::FAILED);
    lab.assert_clean(&before);
}

#[test]
fn nothing_gets_out_while_a_token_or_the_last_answer_is_tried() {
    for (flags, what, pages) in [
        (&["--auth-token"][..], "the token is tried", 0),
        (&[], "the last answer is tried, and a challenge fetched", 1),
    ] {
        let (mut lab, before) = full_tunnel(DnsMode::Resolved, flags, &[]);
        lab.forget_browser_events();
        lose_the_endpoint(&mut lab);
        it_says(&lab, "the connection was lost");
        nothing_gets_out(&lab, what, true);
        find_the_endpoint(&mut lab);
        comes_back(&lab);
        assert_eq!(pages_opened(&lab), pages, "{what}");
        take_down(&lab, &before);
    }
}

/// A dispatcher script that takes its time.
const SLOW_PRE_UP: &str = "cd /etc/NetworkManager/dispatcher.d
    mkdir -p pre-up.d
    cat >pre-up.d/60-slow <<'END'
#!/bin/sh
[ \"$2\" = vpn-pre-up ] || exit 0
echo begun >>/run/pre-up
sleep 5
echo done >>/run/pre-up
END
    chmod 755 pre-up.d/60-slow";
const NO_PRE_UP: &str = "cd /etc/NetworkManager/dispatcher.d
    rm pre-up.d/60-slow /run/pre-up
    rmdir --ignore-fail-on-non-empty pre-up.d";

#[test]
fn a_page_finds_its_way_and_then_everything_is_led_into_the_tunnel_again() {
    // The endpoint takes its time over the answer.
    let settings = ["connect-timeout=300"];
    let (mut lab, before) = full_tunnel(DnsMode::Resolved, &[], &settings);
    lab.forget_browser_events();
    lab.endpoint()
        .command(&json!({"set": {"answer_phase2": false}}));
    // NetworkManager takes the name servers back after its pre-up scripts.
    lab.client.check(["sh", "-ec", SLOW_PRE_UP]);
    lab.set_browser(&Browser::Closed);
    lab.endpoint().command(&json!({"kick": "all"}));
    lab.browser_did("opened", SOON * 3);
    let ran = lab.client.check(["cat", "/run/pre-up"]);
    assert!(ran.contains("done"), "{ran}");
    lab.client.check(["sh", "-ec", NO_PRE_UP]);
    assert!(way_to(&lab, OUTSIDE).contains("dev eth0"));
    // Nobody sees the page any more.
    lab.logind().lock();
    it_says(&lab, "the page is given up");
    eventually("everything is led into the tunnel", SOON, || {
        leads_into_the_tunnel(&lab)
    });
    nothing_gets_out(&lab, "locked with a page open", true);
    lab.forget_browser_events();
    lab.set_browser(&Browser::Waiting);
    lab.logind().unlock();
    lab.browser_did("opened", SOON * 3);
    assert!(way_to(&lab, OUTSIDE).contains("dev eth0"));
    let seen = lab.endpoint_events().count();
    lab.browser_goes_on();
    lab.endpoint_events().wait_after(seen, "ignored", SOON);
    eventually("everything is led into the tunnel", SOON, || {
        leads_into_the_tunnel(&lab)
    });
    nothing_gets_out(&lab, "the answer is checked", true);
    take_down(&lab, &before);
    lab.set_browser(&Browser::Scripted);
}

#[test]
fn the_page_of_a_renewal_is_given_up_with_the_tunnel() {
    for flags in [&["--auth-token"][..], &[]] {
        let (mut lab, before) = full_tunnel(DnsMode::Resolved, flags, &[]);
        lab.set_browser(&Browser::Closed);
        let opens = |lab: &Lab| {
            lab.browser_did("opened", SOON * 3);
            lab.forget_browser_events();
        };
        lab.forget_browser_events();
        lab.client.check(["aws-client-vpn", "renew", "vpn"]);
        opens(&lab);
        lab.endpoint().command(&json!({"kick": "all"}));
        it_says(&lab, "the page is given up");
        if flags.is_empty() {
            // Another one, which finds its way.
            opens(&lab);
            assert!(way_to(&lab, OUTSIDE).contains("dev eth0"));
            lab.logind().lock();
            eventually("everything is led into the tunnel", SOON, || {
                leads_into_the_tunnel(&lab)
            });
            lab.set_browser(&Browser::Scripted);
            lab.logind().unlock();
        }
        comes_back(&lab);
        lab.set_browser(&Browser::Scripted);
        take_down(&lab, &before);
    }
}

/// NetworkManager asks nobody for a connection that is not as it was when it was activated.
#[test]
fn an_edited_connection_stays_up_until_it_needs_a_person_and_says_why_it_ends() {
    for dns in [DnsMode::ResolvConf, DnsMode::Resolved] {
        let (mut lab, before) = lab(&Options {
            dns,
            logind: true,
            ..Options::default()
        });
        assert_up(&lab, &lab.up());
        lab.browser_did("done", SOON);
        lab.forget_browser_events();
        lab.client
            .check(["aws-client-vpn", "at-login", "vpn", "on"]);
        let renewed = lab.client.run(["aws-client-vpn", "renew", "vpn"]);
        assert_eq!(renewed.status.code(), Some(1), "{renewed:?}");
        let said = String::from_utf8_lossy(&renewed.stderr);
        assert!(said.contains("were changed while it was up"), "{said}");
        lab.traffic_flows();

        lab.endpoint().command(&json!({"kick": "all"}));
        let end = lab.vpn_ended(SOON * 3);
        assert_eq!(end.state, state::FAILED, "{end:?}");
        lab.assert_clean(&before);
        let status = lab.client.run(["aws-client-vpn", "status", "vpn"]).stdout;
        let status = String::from_utf8_lossy(&status);
        assert!(status.contains("were changed while it was up"), "{status}");

        // Of one that is again as it was, the sign-in is renewed.
        assert_up(&lab, &lab.up());
        lab.browser_did("done", SOON);
        lab.forget_browser_events();
        lab.client
            .check(["aws-client-vpn", "at-login", "vpn", "off"]);
        lab.client
            .check(["aws-client-vpn", "at-login", "vpn", "on"]);
        lab.set_browser(&Browser::Closed);
        lab.client.check(["aws-client-vpn", "renew", "vpn"]);
        lab.browser_did("opened", SOON * 3);
        take_down(&lab, &before);
    }
}

/// gnome-shell answers for the person, before anybody hears of the lock.
#[test]
fn a_page_outlives_gnome_shell_s_lock_screen() {
    let (mut lab, _) = full_tunnel(DnsMode::Resolved, &[], &[]);
    let _desktop = lab.desktop();
    // The one that came last is asked first, as is gnome-shell's where its menu has connected.
    lab.start_agent();
    lab.set_browser(&Browser::Closed);
    let opens = |lab: &Lab| {
        lab.browser_did("done", SOON * 3);
        lab.forget_browser_events();
    };
    lab.browser_did("done", SOON);
    lab.forget_browser_events();
    lab.client.check(["aws-client-vpn", "renew", "vpn"]);
    opens(&lab);
    lab.agent.as_mut().unwrap().lock();
    lab.logind().lock();
    it_says(&lab, "the screen is locked");
    assert_eq!(leads_into_the_tunnel(&lab), Some(()), "{}", lab.journal());
    lab.start_agent();
    lab.logind().unlock();
    it_says(&lab, "somebody is there");
    lab.endpoint().command(&json!({"kick": "all"}));
    opens(&lab);
    lab.agent.as_mut().unwrap().lock();
    lab.logind().lock();
    eventually("everything is led into the tunnel", SOON, || {
        leads_into_the_tunnel(&lab)
    });
    lab.start_agent();
    lab.set_browser(&Browser::Scripted);
    lab.logind().unlock();
    comes_back(&lab);
    assert!(lab.down().status.success());
}

/// Only a restart has NetworkManager forget them.
#[test]
fn the_doctor_names_the_name_servers_that_networkmanager_keeps() {
    for dns in [DnsMode::ResolvConf, DnsMode::Resolved] {
        let (mut lab, _) = full_tunnel(dns, &[], &[]);
        lab.logind().lock();
        it_says(&lab, "the screen is locked");
        lab.endpoint().command(&json!({"kick": "all"}));
        it_says(&lab, "waiting for the screen to be unlocked");
        eventually("the loss is shown", SOON, || {
            let last = lab.vpn_states().last().copied()?;
            (last.state != state::ACTIVATED).then_some(())
        });
        let are_named = |lab: &Lab| {
            let said = lab.client.run(["aws-client-vpn", "doctor"]).stdout;
            String::from_utf8_lossy(&said).contains("name servers of a VPN that has ended")
        };
        assert!(!are_named(&lab), "the tunnel is there");
        kill(&lab, Role::Service);
        lab.vpn_ended(SOON);
        eventually("they are named", SOON, || are_named(&lab).then_some(()));
        lab.stop_network_manager();
        lab.start_network_manager();
        assert!(!are_named(&lab));
    }
}
