use super::super::facts::{Agent, Plasma, Process};
use super::super::{Clock, Closed, Diagnosis, Listener, NameFile, NetworkManager, OpenVpn};
use super::super::{Finding, diagnose};
use super::*;
use crate::network_manager::{Secondary, Stored};
use aws_client_vpn_profile::settings::escape;
use aws_client_vpn_sign_in::rights::{Right, Rights};
use std::path::PathBuf;

fn healthy() -> Facts {
    let file = |path: &str, mode, program| File {
        path: PathBuf::from(path),
        inode: Some((mode, 0)),
        program,
    };
    Facts {
        user: 1000,
        name_file: Some(NameFile {
            file: file("/x.name", 0o644, false),
            program: Some(PathBuf::from("/service")),
            auth_dialog: Some(PathBuf::from("/dialog")),
            plugin: Some("plugin.so".to_owned()),
        }),
        files: vec![
            file("/service", 0o755, true),
            file("/plugin.so", 0o644, false),
        ],
        service_version: Some(Ok(env!("CARGO_PKG_VERSION").to_owned())),
        policies: vec![PathBuf::from("/policy.conf")],
        passwd: "root:x:0:0::/:/sh\nnm-aws-client-vpn:x:990:990::/:/x\n".to_owned(),
        network_manager: Some(Ok(NetworkManager {
            version: "1.42.4".to_owned(),
            rights: Some(Rights::ALL),
            stored: vec![
                Stored {
                    name: "home".to_owned(),
                    uuid: "2222".to_owned(),
                    ..Stored::default()
                },
                Stored {
                    name: "work".to_owned(),
                    is_shared: true,
                    ..Stored::default()
                },
            ],
            dns_mode: "systemd-resolved".to_owned(),
            rc_manager: "unmanaged".to_owned(),
            ..NetworkManager::default()
        })),
        agent: None,
        window: Some(true),
        plasma: None,
        opener: Some("xdg-desktop-portal"),
        has_display: true,
        processes: vec![Process {
            user: 1000,
            name: "gnome-shell".to_owned(),
        }],
        listener: None,
        openvpn: Some(OpenVpn {
            version: Ok("OpenVPN 2.6.14".to_owned()),
            unknown_options: Vec::new(),
        }),
        tun: true,
        orphans: Vec::new(),
        stopped_by: Vec::new(),
        kill_switch_left_over: None,
        selinux_denies_rules: false,
        resolv_conf_link: Some(PathBuf::from("../run/systemd/resolve/stub-resolv.conf")),
        name_servers_not_written: Vec::new(),
        clock: Clock {
            now: 2_000_000_000,
            installed: 1_900_000_000,
            synchronized: Some(true),
        },
    }
}

fn closed(uuid: &str, is_served: bool) -> Closed {
    Closed {
        uuid: uuid.to_owned(),
        is_served,
    }
}

/// The finding that is not good, of which there is exactly one.
#[track_caller]
fn only_fault(facts: &Facts) -> Finding {
    let Diagnosis { findings, .. } = diagnose(facts);
    let mut faults = findings
        .into_iter()
        .filter(|finding| finding.verdict != Verdict::Good);
    let fault = faults.next().expect("a fault");
    assert_eq!(faults.next(), None);
    assert!(fault.remedy.is_some(), "{fault:?}");
    fault
}

#[test]
fn a_healthy_machine_has_no_fault() {
    let diagnosis = diagnose(&healthy());
    assert!(!diagnosis.has_problem());
    assert!(
        diagnosis.to_string().ends_with("No problems were found.\n"),
        "{diagnosis}"
    );
}

/// What has to change of a healthy machine, and what is then said of which check.
type Fault = (fn(&mut Facts), &'static str, Verdict, &'static str);

const FAULTS: &[Fault] = &[
    (
        |f| f.orphans = vec!["awsvpn0".to_owned()],
        "tun",
        Verdict::Problem,
        "interfaces behind: awsvpn0",
    ),
    (
        |f| f.stopped_by = vec![closed("1111", true), closed("2222", false)],
        "kill-switch",
        Verdict::Problem,
        "without being disconnected: home (2222)",
    ),
    (
        |f| f.stopped_by = vec![closed("3333", false)],
        "kill-switch",
        Verdict::Problem,
        "without being disconnected: 3333",
    ),
    (
        |f| f.kill_switch_left_over = Some(true),
        "kill-switch",
        Verdict::Problem,
        "although no connection has turned it on",
    ),
    (
        |f| f.selinux_denies_rules = true,
        "kill-switch",
        Verdict::Warning,
        "does not allow a kill switch to be turned on",
    ),
    (
        |f| f.network_manager = Some(Err(message!("it does not run"))),
        "network-manager",
        Verdict::Problem,
        "is not running",
    ),
    (
        |f| manager(f).version = "1.40.0".to_owned(),
        "network-manager",
        Verdict::Warning,
        "1.40.0",
    ),
    (
        |f| f.name_file.as_mut().unwrap().file.inode = Some((0o666, 0)),
        "plugin",
        Verdict::Problem,
        "changed by users other",
    ),
    (
        |f| f.name_file.as_mut().unwrap().auth_dialog = None,
        "plugin",
        Verdict::Problem,
        "auth-dialog",
    ),
    (
        |f| f.files[0].inode = None,
        "files",
        Verdict::Problem,
        "/service is missing",
    ),
    (
        |f| f.files[0].inode = Some((0o644, 0)),
        "files",
        Verdict::Problem,
        "not every user can run",
    ),
    (
        |f| f.files[1].inode = Some((0o600, 0)),
        "files",
        Verdict::Problem,
        "read",
    ),
    (
        |f| f.files[1].inode = Some((0o664, 0)),
        "files",
        Verdict::Problem,
        "/plugin.so can be changed",
    ),
    (
        |f| f.files[1].inode = Some((0o644, 1000)),
        "files",
        Verdict::Problem,
        "user 1000",
    ),
    (
        |f| f.service_version = Some(Ok("0.0.1".to_owned())),
        "service",
        Verdict::Warning,
        "0.0.1",
    ),
    (
        |f| f.service_version = Some(Err(message!("not run"))),
        "service",
        Verdict::Problem,
        "not run",
    ),
    (
        |f| f.policies.clear(),
        "d-bus-policy",
        Verdict::Problem,
        "own",
    ),
    (
        |f| f.passwd = "nm-aws-client-vpn2:x:1:1::/:/x".to_owned(),
        "account",
        Verdict::Problem,
        "missing",
    ),
    (
        |f| f.passwd = "nm-aws-client-vpn:x:0:9::/:/x".to_owned(),
        "account",
        Verdict::Problem,
        "root",
    ),
    (|f| f.openvpn = None, "openvpn", Verdict::Problem, "missing"),
    (
        |f| f.openvpn.as_mut().unwrap().unknown_options = vec!["--auth-federate"],
        "openvpn",
        Verdict::Problem,
        "--auth-federate",
    ),
    (|f| f.tun = false, "tun", Verdict::Problem, "/dev/net/tun"),
    (
        |f| manager(f).dns_mode = "none".to_owned(),
        "dns",
        Verdict::Problem,
        "none",
    ),
    (
        |f| manager(f).dns_mode = "default".to_owned(),
        "dns",
        Verdict::Problem,
        "default",
    ),
    (
        |f| {
            let manager = manager(f);
            (manager.dns_mode, manager.rc_manager) = ("default".to_owned(), "file".to_owned());
            manager.name_servers_left = vec!["10.0.0.2".to_owned()];
        },
        "dns",
        Verdict::Problem,
        "10.0.0.2",
    ),
    (
        |f| {
            let manager = manager(f);
            manager.dns_mode = "systemd-resolved".to_owned();
            manager.name_servers_left = vec!["10.0.0.2".to_owned()];
        },
        "dns",
        Verdict::Problem,
        "10.0.0.2",
    ),
    (
        |f| {
            let manager = manager(f);
            (manager.dns_mode, manager.rc_manager) = ("dnsmasq".to_owned(), "file".to_owned());
            f.resolv_conf_link = None;
            f.name_servers_not_written = vec!["127.0.0.1".to_owned()];
        },
        "dns",
        Verdict::Problem,
        "is a file: it does not have NetworkManager's name servers",
    ),
    (
        |f| {
            let manager = manager(f);
            (manager.dns_mode, manager.rc_manager) = ("default".to_owned(), "symlink".to_owned());
            f.resolv_conf_link = Some(PathBuf::from("/etc/own.conf"));
        },
        "dns",
        Verdict::Problem,
        "does not have NetworkManager's",
    ),
    (
        |f| {
            let manager = manager(f);
            manager.dns_mode = "default".to_owned();
            f.resolv_conf_link = Some(PathBuf::from("../run/NetworkManager/resolv.conf"));
        },
        "dns",
        Verdict::Warning,
        "are asked for all names",
    ),
    (
        |f| {
            let manager = manager(f);
            (manager.dns_mode, manager.rc_manager) = ("default".to_owned(), "immutable".to_owned());
            f.resolv_conf_link = None;
        },
        "dns",
        Verdict::Problem,
        "does not have NetworkManager's",
    ),
    // Which of them resolvconf writes is for resolvconf to say.
    (
        |f| {
            let manager = manager(f);
            (manager.dns_mode, manager.rc_manager) =
                ("default".to_owned(), "resolvconf".to_owned());
            f.resolv_conf_link = Some(PathBuf::from("/run/resolvconf/resolv.conf"));
            f.name_servers_not_written = vec!["10.0.0.2".to_owned()];
        },
        "dns",
        Verdict::Warning,
        "are asked for all names",
    ),
    (
        |f| f.resolv_conf_link = None,
        "dns",
        Verdict::Warning,
        "is a file",
    ),
    (
        |f| f.processes[0].user = 1001,
        "agent",
        Verdict::Problem,
        "user 1000",
    ),
    (
        |f| {
            f.processes[0].user = 1001;
            f.has_display = false;
        },
        "agent",
        Verdict::Warning,
        "there is no display",
    ),
    (
        |f| f.processes[0].name = "plasmashell".to_owned(),
        "agent",
        Verdict::Problem,
        "plasmashell",
    ),
    (
        |f| manager(f).imported_as_openvpn = vec!["office".to_owned()],
        "connections",
        Verdict::Warning,
        "'office' leads",
    ),
    (
        |f| {
            let key = "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n";
            let data = &mut manager(f).stored[1].data;
            data.insert("cert".to_owned(), key.to_owned());
        },
        "private-keys",
        Verdict::Warning,
        "private key of 'work'",
    ),
    (
        |f| has_certificate(f, CERTIFICATE_ENDS + 1),
        "certificates",
        Verdict::Warning,
        "of 'work' has expired",
    ),
    (
        |f| has_certificate(f, 1_500_000_000),
        "certificates",
        Verdict::Warning,
        "of 'work' is not yet valid",
    ),
    (
        |f| {
            manager(f).secondaries = vec![Secondary {
                network: "Office".to_owned(),
                name: "work".to_owned(),
                ..Secondary::default()
            }];
        },
        "secondaries",
        Verdict::Problem,
        "the network 'Office' connects 'work'",
    ),
    (
        |f| f.plasma = Some(Plasma::Unsupported { qt: 6 }),
        "plasma",
        Verdict::Problem,
        "for Qt 6",
    ),
    (
        |f| f.agent = Some(Agent::Silent),
        "agent",
        Verdict::Problem,
        "does not answer",
    ),
    (
        |f| f.window = Some(false),
        "window",
        Verdict::Warning,
        "is not installed",
    ),
    (
        |f| f.opener = None,
        "browser",
        Verdict::Warning,
        "no program that opens a browser was found",
    ),
    (
        |f| f.user = 0,
        "agent",
        Verdict::Warning,
        "root has no desktop",
    ),
    (
        |f| {
            f.listener = Some(Listener {
                user: 5,
                program: None,
            })
        },
        "port-35001",
        Verdict::Problem,
        "user 5",
    ),
    (
        |f| {
            f.listener = Some(Listener {
                user: 5,
                program: Some(("java".to_owned(), 77)),
            })
        },
        "port-35001",
        Verdict::Problem,
        "java (process 77)",
    ),
    (
        |f| f.clock.now = 1_000_000_000,
        "clock",
        Verdict::Problem,
        "2001-09-09",
    ),
    (
        |f| f.clock.synchronized = Some(false),
        "clock",
        Verdict::Warning,
        "not synchronised",
    ),
];

fn manager(facts: &mut Facts) -> &mut NetworkManager {
    facts.network_manager.as_mut().unwrap().as_mut().unwrap()
}

/// Valid from 2025-01-01 to 2035-01-01.
const CERTIFICATE: &str = include_str!("../../../../core/profile/tests/certificates/client.pem");
const CERTIFICATE_ENDS: u64 = 2_051_222_400;

fn has_certificate(facts: &mut Facts, now: u64) {
    let data = &mut manager(facts).stored[1].data;
    data.insert("cert".to_owned(), escape(CERTIFICATE));
    (facts.clock.now, facts.clock.installed) = (now, now);
}

#[test]
fn each_fault_is_found_and_no_other() {
    for (break_it, check, verdict, seen) in FAULTS {
        let mut facts = healthy();
        break_it(&mut facts);
        // Without NetworkManager, its name servers are not known either.
        if *check == "network-manager" && matches!(facts.network_manager, Some(Err(_))) {
            let diagnosis = diagnose(&facts);
            assert!(diagnosis.has_problem());
            assert_eq!(diagnosis.findings[0].check, *check);
            continue;
        }
        let fault = only_fault(&facts);
        assert_eq!(
            (fault.check, fault.verdict),
            (*check, *verdict),
            "{fault:?}"
        );
        assert!(fault.seen.to_string().contains(seen), "{fault:?}");
        assert_eq!(diagnose(&facts).has_problem(), *verdict == Verdict::Problem);
    }
}

#[test]
fn without_the_plugin_all_that_it_names_is_missing() {
    let facts = Facts {
        name_file: None,
        files: Vec::new(),
        service_version: None,
        openvpn: None,
        ..healthy()
    };
    let text = diagnose(&facts).to_string();
    assert!(text.contains("PROBLEM  plugin"), "{text}");
    assert!(text.ends_with("There are 4 problems.\n"), "{text}");
}

#[test]
fn what_polkit_will_ask_is_told_before_it_does() {
    let mut facts = healthy();
    manager(&mut facts).rights = Some(Rights {
        control: Right::Yes,
        change_shared: Right::WithPassword,
    });
    let found = only_fault(&facts);
    assert_eq!((found.check, found.verdict), ("rights", Verdict::Warning));
    assert!(found.seen.to_string().contains("of 'work'"), "{found:?}");
    // One that is the user's own.
    let mut own = facts.clone();
    manager(&mut own).stored[1].is_shared = false;
    let all = diagnose(&own).findings;
    assert!(all.iter().all(|found| found.verdict == Verdict::Good));

    manager(&mut facts).rights = Some(Rights {
        control: Right::WithPassword,
        change_shared: Right::WithPassword,
    });
    let found = only_fault(&facts);
    assert_eq!((found.check, found.verdict), ("rights", Verdict::Problem));
    assert!(found.remedy.unwrap().to_string().contains("ssh"));

    manager(&mut facts).rights = None;
    assert_eq!(only_fault(&facts).verdict, Verdict::Warning);
}

#[test]
fn a_login_that_waits_has_its_port_by_right() {
    let mut facts = healthy();
    facts.listener = Some(Listener {
        user: 1000,
        program: None,
    });
    facts.processes.push(Process {
        user: 1000,
        name: "nm-aws-client-vpn-auth-dialog".to_owned(),
    });
    assert!(!diagnose(&facts).has_problem());
    // Another user's dialog does not excuse the program that has the port.
    facts.listener.as_mut().unwrap().user = 1001;
    assert_eq!(only_fault(&facts).check, "port-35001");
}

#[test]
fn a_program_s_name_cannot_draw_on_the_terminal() {
    let mut facts = healthy();
    facts.listener = Some(Listener {
        user: 5,
        program: Some(("\u{1b}[2Jx\ny".to_owned(), 7)),
    });
    let text = diagnose(&facts).to_string();
    assert!(text.contains("in use by  [2Jx y (process 7)"), "{text}");
}

#[test]
fn only_of_what_was_looked_at_is_said_that_it_blocks_nothing() {
    let said = |user, left_over| {
        let facts = Facts {
            user,
            kill_switch_left_over: left_over,
            ..healthy()
        };
        diagnose(&facts).to_string()
    };
    assert!(said(1000, None).contains("only root can see"));
    assert!(said(0, Some(false)).contains("blocks no traffic"));
}

#[test]
fn a_kill_switch_of_a_connection_that_is_up_is_no_fault() {
    let mut facts = healthy();
    facts.stopped_by = vec![closed("1111", true)];
    assert!(!diagnose(&facts).has_problem());
}
