//! What another user of the machine may try while somebody signs in.

use crate::{SOON, lab, service_s_name};
use aws_client_vpn_harness::{Browser, Lab, Options};

/// Runs shell as a user who has nothing to do with it; tells whether it worked, and what it said.
fn as_other_user(lab: &Lab, script: &str) -> (bool, String) {
    let output = lab.client.run([
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "sh",
        "-c",
        script,
    ]);
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[test]
fn another_user_can_neither_call_nor_listen_nor_look() {
    let (mut lab, before) = lab(&Options {
        browser: Browser::Closed,
        ..Options::default()
    });
    let up = lab.begin_up();
    lab.browser_did("done", SOON);
    let service = "org.freedesktop.NetworkManager.aws-client-vpn";
    let name = service_s_name(&lab);
    let inside = |program: &str| {
        let pids = lab.client.processes_called(program);
        let status = std::fs::read_to_string(format!("/proc/{}/status", pids[0])).unwrap();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let number = numbers.unwrap().split_whitespace().last().unwrap();
        number.to_owned()
    };
    let programs = [
        inside("nm-aws-client-vpn-service"),
        inside("nm-aws-client-vpn/openvpn"),
        inside("nm-aws-client-vpn-auth-dialog"),
    ];
    let mut attempts = vec![
        // D-Bus: call it, be it, hear all that others say.
        format!(
            "dbus-send --system --print-reply --dest={name} \
             /org/freedesktop/NetworkManager/VPN/Plugin \
             org.freedesktop.NetworkManager.VPN.Plugin.Disconnect"
        ),
        format!(
            "test $(dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus \
             /org/freedesktop/DBus org.freedesktop.DBus.RequestName string:{service}.Connection_99 \
             uint32:0 | tr -d ' ' | sed s/uint32//) = 1"
        ),
        "timeout 60 dbus-send --system --print-reply --dest=org.freedesktop.DBus \
         /org/freedesktop/DBus org.freedesktop.DBus.Monitoring.BecomeMonitor \
         array:string:'' uint32:0"
            .to_owned(),
        // Files and sockets.
        "ls /run/nm-aws-client-vpn".to_owned(),
        "touch /run/nm-aws-client-vpn/x".to_owned(),
        "cat /etc/NetworkManager/system-connections/vpn*".to_owned(),
    ];
    for number in &programs {
        for file in ["environ", "mem", "maps", "fd/0"] {
            attempts.push(format!("cat /proc/{number}/{file}"));
        }
        attempts.push(format!("ls /proc/{number}/fd"));
        for signal in ["TERM", "KILL", "STOP"] {
            attempts.push(format!("kill -{signal} {number}"));
        }
    }
    for attempt in attempts {
        let (worked, text) = as_other_user(&lab, &attempt);
        let refused = ["denied", "Denied", "not permitted", "not allowed"];
        let refused = refused.iter().any(|word| text.contains(word));
        assert!(!worked && refused, "{attempt}: {text}");
    }
    // It all goes on as if nothing had been.
    assert_eq!(
        lab.client
            .processes_called("nm-aws-client-vpn/openvpn")
            .len(),
        1
    );
    lab.agent.as_mut().unwrap().cancel();
    drop(up.finish());
    lab.assert_clean(&before);
}
