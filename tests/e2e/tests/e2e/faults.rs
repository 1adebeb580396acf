//! Faults of the machine, of the programs around and of the user's timing, one test for each row of
//! `tests/FAULTS.md` that no other file has. After each of them nothing is left.

use crate::interruptions::{SERVICE, Step, bring_to, interface_goes};
use crate::{SOON, assert_failed, assert_up, assert_warning, lab, reason, state, take_down};
use aws_client_vpn_harness::{Browser, DnsMode, Lab, Options, Snapshot, VpnState, eventually};
use rustix::process::Signal;

const DIALOG: &str = "nm-aws-client-vpn-auth-dialog";
const OPENVPN: &str = "nm-aws-client-vpn/openvpn";

/// A login that waits for a person.
fn waiting() -> (Lab, Snapshot) {
    lab(&Options {
        browser: Browser::Closed,
        ..Options::default()
    })
}

#[track_caller]
fn ends_with(lab: &Lab, state: u32, reason: u32, before: &Snapshot) {
    let end = lab.vpn_ended(SOON);
    assert_eq!(end, VpnState { state, reason }, "{}", lab.journal());
    lab.assert_clean(before);
}

#[test]
fn the_dialog_is_killed() {
    let (lab, before) = waiting();
    let up = lab.begin_up();
    lab.browser_did("done", SOON);
    lab.client.signal(DIALOG, Signal::KILL);
    assert!(!up.finish().success);
    ends_with(&lab, state::FAILED, reason::NO_SECRETS, &before);
}

#[test]
fn the_dialog_hangs_and_the_user_gives_up() {
    let (lab, before) = waiting();
    let up = lab.begin_up();
    lab.browser_did("done", SOON);
    lab.client.signal(DIALOG, Signal::STOP);
    assert!(lab.down().status.success());
    assert!(!up.finish().success);
    let end = lab.vpn_ended(SOON);
    assert_eq!(end.reason, reason::USER_DISCONNECTED);
    // The service and OpenVPN do not wait for it; the agent's child is the agent's to end.
    for name in [SERVICE, OPENVPN] {
        eventually(name, SOON, || {
            lab.client.processes_called(name).is_empty().then_some(())
        });
    }
    lab.client.signal(DIALOG, Signal::CONT);
    lab.assert_clean(&before);
}

#[test]
fn the_agent_is_killed_while_a_login_waits() {
    let (mut lab, before) = waiting();
    let up = lab.begin_up();
    lab.browser_did("done", SOON);
    lab.agent = None;
    lab.client.signal("lab-tool", Signal::CONT);
    assert!(!up.finish().success);
    ends_with(&lab, state::FAILED, reason::NO_SECRETS, &before);
}

#[test]
fn the_profile_is_deleted_while_a_login_waits() {
    let (lab, before) = waiting();
    let up = lab.begin_up();
    lab.browser_did("done", SOON);
    assert!(
        lab.nmcli(["--wait", "300", "connection", "delete", "vpn"])
            .status
            .success()
    );
    assert!(!up.finish().success);
    let end = lab.vpn_ended(SOON);
    assert_eq!(end.state, state::DISCONNECTED, "{end:?}");
    only_the_profile_is_gone(&lab, &before);
}

#[test]
fn the_profile_is_deleted_while_connected() {
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    assert!(
        lab.nmcli(["--wait", "300", "connection", "delete", "vpn"])
            .status
            .success()
    );
    let end = lab.vpn_ended(SOON);
    assert_eq!(end.state, state::DISCONNECTED, "{end:?}");
    only_the_profile_is_gone(&lab, &before);
}

#[track_caller]
fn only_the_profile_is_gone(lab: &Lab, before: &Snapshot) {
    eventually("only the profile is gone", SOON, || {
        let left = lab.snapshot().differences(before);
        left.iter()
            .all(|thing| thing.contains(".nmconnection"))
            .then_some(())
    });
}

#[test]
fn the_profile_is_edited_while_a_login_waits() {
    let (lab, before) = waiting();
    lab.set_browser(&Browser::Waiting);
    let up = lab.begin_up();
    lab.browser_did("opened", SOON);
    lab.modify("connection.autoconnect", "no");
    lab.modify("+vpn.data", "connect-timeout=30");
    lab.browser_goes_on();
    // NetworkManager gives secrets to no connection that is another than the one it began with.
    assert!(!up.finish().success);
    let end = lab.vpn_ended(SOON);
    assert_eq!(end.state, state::FAILED, "{end:?}");
    lab.assert_clean(&before);
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

#[test]
fn a_second_activation_of_one_profile_is_refused() {
    for step in [Step::Login, Step::Connected] {
        let (mut lab, before) = lab(&Options::default());
        let first = bring_to(step, &mut lab);
        let second = lab.up();
        assert!(!second.success);
        assert!(second.text.contains("already active"), "{}", second.text);
        for name in [SERVICE, OPENVPN] {
            assert_eq!(lab.client.processes_called(name).len(), 1, "{step:?}");
        }
        if step == Step::Connected {
            assert_up(&lab, &first.finish());
        } else {
            first.abandon();
        }
        take_down(&lab, &before);
    }
}

#[test]
fn the_network_underneath_is_disconnected() {
    for step in [Step::Login, Step::Connected] {
        let (mut lab, before) = lab(&Options::default());
        // One that persists waits for the network to come back instead.
        lab.modify("vpn.persistent", "no");
        let up = bring_to(step, &mut lab);
        assert!(
            lab.nmcli(["--wait", "300", "device", "disconnect", "eth0"])
                .status
                .success()
        );
        let end = lab.vpn_ended(SOON);
        assert_eq!(end.state, state::DISCONNECTED, "{step:?} {end:?}");
        up.abandon();
        assert!(
            lab.nmcli(["--wait", "300", "device", "connect", "eth0"])
                .status
                .success()
        );
        lab.assert_clean(&before);
    }
}

#[test]
fn the_tun_device_is_taken_away() {
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    lab.client.check(["ip", "link", "delete", "awsvpn0"]);
    let end = lab.vpn_ended(SOON);
    let journal = lab.journal();
    assert_eq!(end.state, state::FAILED, "{journal}");
    for said in [
        "somebody has taken the tunnel's interface away",
        "OpenVPN ended unexpectedly (its network interface was taken away)",
    ] {
        assert!(journal.contains(said), "{journal}");
    }
    lab.assert_clean(&before);
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

#[test]
fn openvpn_does_not_end_when_told() {
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    lab.client.signal(OPENVPN, Signal::STOP);
    take_down(&lab, &before);
}

#[test]
fn run_is_full() {
    let (lab, before) = lab(&Options::default());
    lab.client.check([
        "mount",
        "--no-mtab",
        "-t",
        "tmpfs",
        "-o",
        "size=4k,nr_inodes=1,mode=711",
        "tmpfs",
        "/run/nm-aws-client-vpn",
    ]);
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["/run", "No space left"],
        &before,
    );
    lab.client
        .check(["umount", "--no-mtab", "/run/nm-aws-client-vpn"]);
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

#[test]
fn there_is_no_tun() {
    let (lab, before) = lab(&Options::default());
    lab.client
        .check(["mount", "--no-mtab", "--bind", "/dev/null", "/dev/net/tun"]);
    let up = lab.up();
    assert_failed(&lab, &up, reason::UNKNOWN, &["tun device"], &before);
}

#[test]
fn openvpn_is_missing() {
    let (lab, before) = lab(&Options::default());
    let dir = "/usr/libexec/nm-aws-client-vpn";
    lab.client
        .check(["mount", "--no-mtab", "-t", "tmpfs", "tmpfs", dir]);
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["is missing", "install the package again"],
        &before,
    );
}

#[test]
fn openvpn_is_one_that_does_not_know_our_options() {
    let (lab, before) = lab(&Options::default());
    lab.client.check([
        "mount",
        "--no-mtab",
        "--bind",
        "/usr/sbin/openvpn",
        "/usr/libexec/nm-aws-client-vpn/openvpn",
    ]);
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["OpenVPN ended unexpectedly"],
        &before,
    );
}

#[test]
fn openvpn_says_which_option_it_refuses() {
    let (lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "options=data-ciphers AES-256-GCM:AES-256-FOO");
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["(exit code 1: Options error: --data-ciphers list contains unsupported ciphers"],
        &before,
    );
    let journal = lab.journal();
    let why = "openvpn printed: Unsupported cipher in --data-ciphers: AES-256-FOO";
    assert!(journal.contains(why), "{journal}");
}

#[test]
fn openvpn_ends_at_once_and_says_nothing() {
    let (lab, before) = lab(&Options::default());
    lab.client.check([
        "mount",
        "--no-mtab",
        "--bind",
        "/bin/false",
        "/usr/libexec/nm-aws-client-vpn/openvpn",
    ]);
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["OpenVPN", "exit code 1"],
        &before,
    );
}

#[test]
fn the_account_is_missing() {
    let (lab, before) = lab(&Options::default());
    lab.client
        .check(["sed", "-i", "/^nm-aws-client-vpn:/d", "/etc/passwd"]);
    let up = lab.up();
    assert_failed(
        &lab,
        &up,
        reason::UNKNOWN,
        &["account", "systemd-sysusers"],
        &before,
    );
}

/// Has NetworkManager start the service under a limit (ulimit's flag and value).
fn limited(limit: &str) -> (Lab, Snapshot) {
    let (mut lab, _) = lab(&Options {
        dns: DnsMode::default(),
        ..Options::default()
    });
    let wrapper = format!(
        "#!/bin/bash\nulimit {limit} || exit 1\nexec /usr/libexec/nm-aws-client-vpn-service \"$@\"\n"
    );
    std::fs::write(lab.dir().join("bin/limited"), wrapper).unwrap();
    let name_file = "/usr/lib/NetworkManager/VPN/nm-aws-client-vpn-service.name";
    lab.client.check([
        "sh",
        "-c",
        &format!(
            "chmod 755 /run/lab/bin/limited; \
             sed 's#^program=.*#program=/run/lab/bin/limited#' {name_file} >/run/lab/name; \
             mount --no-mtab --bind /run/lab/name {name_file}"
        ),
    ]);
    lab.kill_network_manager();
    lab.start_network_manager();
    let before = lab.snapshot();
    (lab, before)
}

/// With this limit for the service, a connection fails in order and leaves nothing.
#[track_caller]
fn fails_without_a_panic(limit: &str) {
    let (lab, before) = limited(limit);
    let up = lab.up();
    assert!(!up.success);
    let end = lab.vpn_ended(SOON);
    assert_eq!(end.state, state::FAILED, "{end:?}\n{}", lab.journal());
    assert_warning(&lab, &["OpenVPN could not be started"]);
    lab.assert_clean(&before);
    assert!(!lab.journal().contains("panicked"), "{}", lab.journal());
}

#[test]
fn no_descriptor_is_free() {
    fails_without_a_panic("-n 12");
}

#[test]
fn no_process_can_be_made() {
    fails_without_a_panic("-u 0");
}

#[test]
fn the_bus_is_killed() {
    for step in [Step::Login, Step::Connected] {
        let (mut lab, _) = lab(&Options::default());
        let up = bring_to(step, &mut lab);
        lab.client.signal("dbus-daemon", Signal::KILL);
        // Nothing can be told to anybody any more; what is left is to go.
        for name in [SERVICE, OPENVPN, "openvpn-superv"] {
            eventually(&format!("{step:?}: {name} ends"), SOON, || {
                lab.client.processes_called(name).is_empty().then_some(())
            });
        }
        interface_goes(&lab, &format!("{step:?}"));
        // At each shutdown the bus may end first: no word of libraries that no user understands.
        let journal = lab.journal();
        assert!(!journal.contains("NameLost"), "{journal}");
        up.abandon();
    }
}
