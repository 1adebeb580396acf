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

#[test]
fn the_service_keeps_only_the_capabilities_it_uses() {
    let (mut lab, before) = lab(&Options {
        browser: Browser::Closed,
        ..Options::default()
    });
    let up = lab.begin_up();
    lab.browser_did("done", SOON);
    let pids = lab.client.processes_called("nm-aws-client-vpn-service");
    assert_eq!(pids.len(), 1);
    // CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_NET_ADMIN (linux/capability.h).
    let used = format!("{:016x}", 1 << 5 | 1 << 6 | 1 << 7 | 1 << 12);
    for (key, expected) in [
        ("CapInh", "0000000000000000"),
        ("CapPrm", &used),
        ("CapEff", &used),
        ("CapBnd", "0000000000000000"),
        ("CapAmb", "0000000000000000"),
        ("NoNewPrivs", "1"),
    ] {
        assert_eq!(status(pids[0], key), [expected], "{key}");
    }
    lab.agent.as_mut().unwrap().cancel();
    drop(up.finish());
    lab.assert_clean(&before);
}

/// What somebody tries who has taken OpenVPN over, in the words of a shell that can do without
/// other programs.
const TRIES: &str = "
    for file in /tmp/x /run/x /dev/shm/x /var/tmp/x; do true >$file && echo wrote $file; done
    for file in /etc/passwd /etc/resolv.conf /proc/self/status /run/lab/browser.json; do
        read -r line <$file && echo read $file
    done
    for directory in /etc /proc /run /tmp /usr/bin; do
        set -- $directory/*; test \"$1\" = \"$directory/*\" || echo listed $directory
    done
    kill -0 $$ && echo signalled
    exec /bin/cat /etc/hosts";

#[test]
fn a_taken_over_openvpn_can_neither_write_nor_look_around() {
    let lab = Lab::start(&Options {
        endpoint: None,
        ..Options::default()
    });
    let run = |confined: &[&str], script: &str| {
        let user = [
            "setpriv",
            "--reuid=nm-aws-client-vpn",
            "--regid=nm-aws-client-vpn",
            "--clear-groups",
        ];
        let script = ["/bin/dash", "-c", script];
        let words = user.iter().chain(confined).chain(&script);
        let output = lab.client.run(words);
        (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let confined = [
        "/usr/libexec/nm-aws-client-vpn-service",
        "--confined-openvpn",
    ];
    let (free, _) = run(&[], TRIES);
    for word in [
        "wrote /tmp/x",
        "read /etc/passwd",
        "listed /proc",
        "signalled",
        "acv-",
    ] {
        assert!(free.contains(word), "the tries are none: {free}");
    }
    let (out, errors) = run(&confined, TRIES);
    assert_eq!(out, "", "{errors}");
    assert!(!errors.contains("confinement:"), "{errors}");
    let (out, errors) = run(&confined, "/bin/true && echo ran");
    assert_eq!(out, "", "{errors}");
    let (out, errors) = run(&confined, "echo alive");
    assert_eq!(out, "alive\n", "{errors}");
}

/// Sends no signal, but tries whether it may, to itself and to another process of the same user: at
/// once, or by what the kernel sends for a descriptor; and whether it may give the other one a limit.
const TRY_SIGNALS: &str = "
import ctypes, fcntl, os, resource, socket, struct, sys
tgkill = {'x86_64': 234, 'aarch64': 131}[os.uname().machine]
libc = ctypes.CDLL(None)
for pid in os.getpid(), int(sys.argv[1]):
    print(libc.syscall(tgkill, pid, pid, 0), end=' ')
a = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
owner = struct.pack('i', pid)
for attempt in (
    lambda: fcntl.fcntl(a, fcntl.F_GETFL),
    lambda: fcntl.fcntl(a, fcntl.F_SETOWN, pid),
    lambda: fcntl.fcntl(a, 15, struct.pack('ii', 1, pid)),
    lambda: fcntl.fcntl(a, 10, 9),
    lambda: fcntl.ioctl(a, 0x541b, bytes(4)),
    lambda: fcntl.ioctl(a, 0x8901, owner),
    lambda: fcntl.ioctl(a, 0x8902, owner),
    lambda: resource.prlimit(0, resource.RLIMIT_AS),
    lambda: resource.prlimit(pid, resource.RLIMIT_AS, (1 << 40, 1 << 40)),
):
    try:
        attempt()
        print('may', end=' ')
    except OSError as error:
        print(error.errno, end=' ')
";

#[test]
fn a_taken_over_openvpn_sends_signals_to_nobody_else() {
    let lab = Lab::start(&Options {
        endpoint: None,
        ..Options::default()
    });
    let script = "as='setpriv --reuid=nm-aws-client-vpn --regid=nm-aws-client-vpn --clear-groups'
        $as sleep 600 & other=$!
        until grep -q sleep /proc/$other/comm; do sleep 0.1; done
        $as python3 -c \"$1\" $other
        $as /usr/libexec/nm-aws-client-vpn-service --confined-openvpn \
            /usr/bin/python3 -c \"$1\" $other
        kill $other";
    let tried = lab.client.check(["sh", "-c", script, "sh", TRY_SIGNALS]);
    let free = "0 0 may may may may may may may may may ";
    assert_eq!(tried, format!("{free}0 -1 may 38 38 38 may 38 38 may 38 "));
}

#[test]
fn no_core_file_is_written_and_no_hard_limit_changed() {
    let (lab, before) = lab(&Options::default());
    assert!(lab.up().success);
    let of = |name: &str| {
        let pids = lab.client.processes_called(name);
        let limits = fs::read_to_string(format!("/proc/{}/limits", pids[0])).unwrap();
        let core = limits.lines().find_map(|line| {
            let rest = line.strip_prefix("Max core file size")?;
            let mut words = rest.split_whitespace().map(str::to_owned);
            Some((words.next()?, words.next()?))
        });
        core.unwrap()
    };
    // SELinux lets nobody in NetworkManager's domain change a hard limit.
    let (_, hard) = of("NetworkManager");
    for name in ["nm-aws-client-vpn-service", "nm-aws-client-vpn/openvpn"] {
        // So that nothing goes into a pipe either.
        assert_eq!(of(name), ("1".to_owned(), hard.clone()), "{name}");
    }
    take_down(&lab, &before);
}

/// The words of a line of `/proc/PID/status`.
fn status(pid: i32, key: &str) -> Vec<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap_or_default()
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect()
}

fn assert_no_rights(lab: &Lab) {
    let pids = lab.client.processes_called("nm-aws-client-vpn/openvpn");
    assert_eq!(pids.len(), 1, "one OpenVPN serves both phases");
    let value = |key: &str| status(pids[0], key);
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
    // A filter of system calls (proc_pid_status(5)).
    assert_eq!(value("Seccomp"), ["2"]);
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
    assert_eq!(core.split_whitespace().nth(4), Some("1"), "{core}");
    let arguments = fs::read(format!("/proc/{}/cmdline", pids[0])).unwrap();
    let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
    let level = arguments
        .split("--script-security ")
        .nth(1)
        .and_then(|rest| rest.chars().next());
    assert!(matches!(level, Some('0' | '1')), "{arguments}");
}
