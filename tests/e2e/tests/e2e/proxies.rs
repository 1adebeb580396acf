//! A proxy on the way to the endpoint: Debian's tinyproxy, squid and microsocks.

use crate::kill_switch::unasked::{activate_as_secondary, left_closed};
use crate::{SOON, assert_up, endpoint, take_down};
use aws_client_vpn_harness::{Lab, Process, Snapshot, eventually, typed};
use std::fs;

/// Where the proxies are: not an address of the endpoint.
const PROXY: &str = "192.0.2.80";
const RIGHT: [(&str, &str); 2] = [("proxy-username", "ada"), ("proxy-password", "let-me-out")];
const WRONG: [(&str, &str); 2] = [("proxy-username", "ada"), ("proxy-password", "let-me-in")];

fn behind(lines: &str, forms: &[serde_json::Value]) -> (Lab, Snapshot) {
    let lab = Lab::start(&endpoint(&[]));
    lab.set_typed(forms);
    lab.import_with("tcp", 443, lines);
    lab.modify("+vpn.data", "kill-switch=yes");
    let before = lab.snapshot();
    (lab, before)
}

fn tinyproxy(lab: &Lab, authentication: &str) -> Process {
    let file = lab.dir().join("tinyproxy.conf");
    let text = format!("Port 3128\nListen 0.0.0.0\nTimeout 600\nMaxClients 20\n{authentication}\n");
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let mut command = lab.server.command("tinyproxy");
    command.args(["-d", "-c", file]);
    listening(lab, 3128, lab.server.spawn_logged("tinyproxy", command))
}

/// Returns `proxy` once it listens: OpenVPN would take its time before it tried again.
#[track_caller]
fn listening(lab: &Lab, port: u16, proxy: Process) -> Process {
    let port = format!(":{port}");
    eventually(&format!("a proxy listens at {port}"), SOON, || {
        let listening = lab.server.check(["ss", "-Hltn", "sport", "=", &port]);
        (!listening.is_empty()).then_some(())
    });
    proxy
}

/// One that has no word for a password that can be read on the way (RFC 7616).
fn squid(lab: &Lab) -> Process {
    let path = |name: &str| lab.dir().join(name).to_str().unwrap().to_owned();
    let file = path("squid.conf");
    fs::write(path("squid-passwords"), "ada:let-me-out\n").unwrap();
    // Its helper is another user, who may not pass the directories above on this computer.
    let passwords = "/run/lab/squid-passwords";
    let text = format!(
        "http_port 3128\n\
         auth_param digest program /usr/lib/squid/digest_file_auth {passwords}\n\
         auth_param digest realm office\n\
         acl known proxy_auth REQUIRED\n\
         http_access allow known\n\
         http_access deny all\n\
         cache deny all\n\
         pid_filename none\n\
         access_log none\n\
         cache_log /dev/null\n\
         coredump_dir /tmp\n\
         shutdown_lifetime 0 seconds\n"
    );
    fs::write(&file, text).unwrap();
    // It leaves memory behind that the next one stumbles over.
    let script = "mount -t tmpfs tmpfs /dev/shm && exec squid -N -f \"$0\"";
    let mut command = lab.server.command("unshare");
    command.args(["--mount", "sh", "-c", script, &file]);
    listening(lab, 3128, lab.server.spawn_logged("squid", command))
}

fn microsocks(lab: &Lab) -> Process {
    let mut command = lab.server.command("microsocks");
    command.args(["-p", "1080", "-u", "ada", "-P", "let-me-out"]);
    listening(lab, 1080, lab.server.spawn_logged("microsocks", command))
}

/// The kill switch lets the proxy's address through, and the endpoint's not.
#[track_caller]
fn only_the_proxy_is_let_through(lab: &Lab, port: u16) {
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    let proxy = format!("ip daddr {PROXY} tcp dport {port} accept");
    assert!(rules.contains(&proxy), "{rules}");
    assert!(
        !rules.contains("dport 443") && !rules.contains("dport @open"),
        "{rules}"
    );
    lab.traffic_flows();
}

#[test]
fn an_http_proxy_is_told_a_name_and_a_password_that_are_asked_for() {
    let line = format!("http-proxy {PROXY} 3128\n");
    let (lab, before) = behind(&line, &[typed(&WRONG), typed(&RIGHT)]);
    let _proxy = tinyproxy(&lab, "BasicAuth ada let-me-out");
    assert_up(&lab, &lab.up());
    only_the_proxy_is_let_through(&lab, 3128);
    let shown = lab.agent.as_ref().unwrap().events.named("form");
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(!lab.journal().contains("let-me"), "{}", lab.journal());
    take_down(&lab, &before);
    // What is kept is not asked for again.
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn an_http_proxy_that_asks_by_digest_never_sees_the_password() {
    let line = format!("http-proxy {PROXY} 3128\n");
    let (lab, before) = behind(&line, &[typed(&WRONG), typed(&RIGHT)]);
    let _proxy = squid(&lab);
    assert_up(&lab, &lab.up());
    only_the_proxy_is_let_through(&lab, 3128);
    let shown = lab.agent.as_ref().unwrap().events.named("form");
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(!lab.journal().contains("let-me"), "{}", lab.journal());
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn a_proxy_is_a_setting_too_and_one_that_lets_nobody_through_is_named() {
    let (lab, before) = behind("", &[]);
    for item in [
        "proxy-type=http",
        "proxy-port=3128",
        "connect-timeout=20",
        "proxy-server=192.0.2.80",
    ] {
        lab.modify("+vpn.data", item);
    }
    let mut proxy = tinyproxy(&lab, "ConnectPort 8443");
    let up = lab.up();
    assert!(!up.success, "the connection is up: {}", up.text);
    let words =
        "The endpoint could not be reached through the proxy 192.0.2.80: HTTP proxy returned";
    let warnings = lab.warnings();
    assert!(
        warnings.iter().any(|text| text.contains(words)),
        "{warnings:?}"
    );
    proxy.kill();
    let _proxy = tinyproxy(&lab, "");
    lab.modify("+vpn.data", "connect-timeout=60");
    assert_up(&lab, &lab.up());
    only_the_proxy_is_let_through(&lab, 3128);
    take_down(&lab, &before);
}

#[test]
fn a_proxy_is_found_where_traffic_was_left_stopped() {
    let lab = Lab::start(&endpoint(&["--sign-in=certificate"]));
    lab.import_with("tcp", 443, &format!("http-proxy {PROXY} 3128\n"));
    lab.modify("+vpn.data", "kill-switch=yes");
    let _proxy = tinyproxy(&lab, "");
    left_closed(&lab);
    // NetworkManager's own activation asks nobody.
    activate_as_secondary(&lab);
    eventually("the tunnel is up", SOON * 2, || {
        lab.has_traffic().then_some(())
    });
    only_the_proxy_is_let_through(&lab, 3128);
    assert!(lab.down().status.success());
    // A person's looks up a proxy that is known by its name.
    left_closed(&lab);
    lab.modify("+vpn.data", "proxy-server=login.idp.example");
    assert_up(&lab, &lab.up());
    only_the_proxy_is_let_through(&lab, 3128);
    assert!(lab.down().status.success());
}

#[test]
fn a_socks_proxy_is_told_a_name_and_a_password() {
    let line = format!("socks-proxy {PROXY} 1080 stdin\n");
    let (lab, before) = behind(&line, &[typed(&RIGHT)]);
    let _proxy = microsocks(&lab);
    assert_up(&lab, &lab.up());
    only_the_proxy_is_let_through(&lab, 1080);
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

/// OpenVPN asks for the password in each try.
#[test]
fn a_proxy_that_fails_for_a_while_refuses_no_password() {
    let line = format!("http-proxy {PROXY} 3128\n");
    let (lab, before) = behind(&line, &[typed(&RIGHT)]);
    lab.modify("+vpn.data", "connect-timeout=300");
    let _proxy = squid(&lab);
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    // Nobody is behind it any more: it says so (503).
    lab.server.check([
        "sh",
        "-ec",
        "nft add table inet behind
         nft 'add chain inet behind out { type filter hook output priority 0; }'
         nft add rule inet behind out meta skuid proxy tcp dport 443 reject with tcp reset",
    ]);
    let mut journal = lab.journal_from_now();
    let up = lab.begin_up();
    eventually("it fails a few times", SOON * 6, || {
        let failed = journal.text().matches("no success at this address").count();
        (failed > 3).then_some(())
    });
    lab.server
        .check(["nft", "delete", "table", "inet", "behind"]);
    assert_up(&lab, &up.finish());
    let shown = lab.agent.as_ref().unwrap().events.named("form");
    assert_eq!(shown.len(), 1, "{shown:?}");
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}
