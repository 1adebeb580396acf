//! OpenVPN never has more rights than it needs, from its first instruction on.

use crate::{SOON, lab, take_down};
use aws_client_vpn_harness::{Browser, Lab, Options};
use std::fs;

#[test]
fn openvpn_has_no_rights_at_the_handshake_or_the_login_or_connected() {
    let (mut lab, before) = lab(&Options {
        browser: Browser::Closed,
        ..Options::default()
    });
    let up = lab.begin_up();
    lab.endpoint_events().wait("phase1", SOON);
    assert_no_rights(&lab);
    lab.browser_did("done", SOON);
    assert_no_rights(&lab);
    lab.agent.as_mut().unwrap().cancel();
    drop(up.finish());
    lab.assert_clean(&before);
    lab.set_browser(&Browser::Scripted);
    assert!(lab.up().success);
    assert_no_rights(&lab);
    take_down(&lab, &before);
}

fn assert_no_rights(lab: &Lab) {
    let pids = lab.client.processes_called("nm-aws-client-vpn/openvpn");
    assert_eq!(pids.len(), 1, "one OpenVPN serves both phases");
    let status = fs::read_to_string(format!("/proc/{}/status", pids[0])).unwrap();
    let value = |key: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_default()
            .split_whitespace()
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    for key in ["Uid", "Gid"] {
        assert!(
            value(key).iter().all(|id| id != "0"),
            "{key}: {:?}",
            value(key)
        );
    }
    assert_eq!(value("Groups"), [""; 0]);
    for key in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(value(key), ["0000000000000000"], "{key}");
    }
    assert_eq!(value("NoNewPrivs"), ["1"]);
    let environment = fs::read(format!("/proc/{}/environ", pids[0])).unwrap();
    assert!(
        environment.len() < 100,
        "{}",
        String::from_utf8_lossy(&environment)
    );
    let limits = fs::read_to_string(format!("/proc/{}/limits", pids[0])).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let arguments = fs::read(format!("/proc/{}/cmdline", pids[0])).unwrap();
    let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
    let level = arguments
        .split("--script-security ")
        .nth(1)
        .and_then(|rest| rest.chars().next());
    assert!(matches!(level, Some('0' | '1')), "{arguments}");
}
