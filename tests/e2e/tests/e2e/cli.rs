//! The `aws-client-vpn` command on a machine with the real NetworkManager.

use crate::{SOON, assert_up, endpoint, lab, take_down};
use aws_client_vpn_harness::{AgentStyle, Browser, DnsMode, Lab, Options, eventually, wait_for};
use serde_json::Value;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

const LIBEXEC: &str = "/usr/libexec";

fn json(lab: &Lab, arguments: &[&str]) -> Value {
    let output = lab.client.run(["aws-client-vpn"].iter().chain(arguments));
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        panic!("{error}: {text}{stderr}")
    })
}

#[test]
fn status_tells_what_the_connection_does() {
    let (mut lab, before) = lab(&Options {
        browser: Browser::Closed,
        ..Options::default()
    });
    let connection = |lab: &Lab| json(lab, &["status", "--json"])["connections"][0].clone();
    let off = connection(&lab);
    assert_eq!(
        (&off["name"], &off["state"]),
        (&"vpn".into(), &"off".into())
    );
    assert_eq!(off["since"], Value::Null);
    assert_eq!(off["sign_in"], "saml");
    assert!(
        off["endpoint"]
            .as_str()
            .unwrap()
            .ends_with(".amazonaws.com")
    );
    let up = lab.begin_up();
    lab.browser_did("done", SOON);
    let waits = connection(&lab);
    assert_eq!(waits["state"], "signing-in", "{waits}");
    assert!(waits["since"].as_u64().unwrap() > 1_600_000_000);
    lab.agent.as_mut().unwrap().cancel();
    drop(up.finish());
    lab.assert_clean(&before);
    lab.set_browser(&Browser::Scripted);
    assert_up(&lab, &lab.up());
    let up = connection(&lab);
    assert_eq!(up["state"], "up", "{up}");
    let address = up["addresses"][0].as_str().unwrap();
    let addresses = lab.client.check(["ip", "-4", "address", "show"]);
    assert!(addresses.contains(address), "{address} {addresses}");
    let text = lab.client.check(["aws-client-vpn", "status"]);
    assert!(
        text.starts_with("vpn\n  state         up, started 2"),
        "{text}"
    );
    take_down(&lab, &before);
    assert_eq!(connection(&lab)["state"], "off");
}

#[test]
fn logs_tell_the_last_attempt_without_its_secrets() {
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    let log = "/run/lab/logs/NetworkManager.log";
    let story = lab
        .client
        .check(["aws-client-vpn", "logs", "vpn", "--file", log]);
    for words in [
        "# aws-client-vpn ",
        "connecting \"vpn\" to cvpn-endpoint-",
        "openvpn: ",
        " nm       vpn[",
    ] {
        assert!(story.contains(words), "{words:?} is not in\n{story}");
    }
    let response = lab.last_post();
    let response = response.split('=').nth(1).unwrap();
    assert!(response.len() > 1000);
    assert!(!story.contains(&response[..100]), "{story}");
    // The same of the connection that was used last, whatever it is called.
    // (What NetworkManager writes once the service is gone may come between.)
    eventually("both tell the same", SOON, || {
        let of_it = ["aws-client-vpn", "logs", "vpn", "--file", log];
        let of_the_last = ["aws-client-vpn", "logs", "--file", log];
        (lab.client.check(of_the_last) == lab.client.check(of_it)).then_some(())
    });
    let wrong = lab
        .client
        .run(["aws-client-vpn", "logs", "nobody", "--file", log]);
    assert_eq!(wrong.status.code(), Some(9), "{wrong:?}");
    let missing = lab
        .client
        .run(["aws-client-vpn", "logs", "--file", "/run/lab/missing"]);
    assert_eq!(missing.status.code(), Some(9), "{missing:?}");
}

#[test]
fn a_report_shows_what_the_endpoint_did_and_is_written_if_that_is_wanted() {
    let (mut lab, before) = lab(&endpoint(&["--auth-token", "--route=10.99.0.0/16"]));
    assert_up(&lab, &lab.up());
    let response = lab.last_post();
    let response = response.split('=').nth(1).unwrap().to_owned();
    lab.endpoint().command(&serde_json::json!({"kick": "all"}));
    eventually("the connection is lost", SOON, || {
        lab.journal()
            .contains("the connection was lost")
            .then_some(())
    });
    take_down(&lab, &before);
    // A name that is no text.
    let report = |answer: &str, more: &str| {
        let line = format!(
            "printf '%s' {answer} | aws-client-vpn logs vpn --file /run/lab/logs/NetworkManager.log \
             --report \"$(printf '/run/lab/r\\351port')\" 2>&1 {more}"
        );
        let output = lab.client.run(["sh", "-c", &line]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (said, output.status.code())
    };
    let file = OsStr::from_bytes(b"run/lab/r\xe9port");
    let file = lab.client.root().join(file);
    let (said, code) = report("no", "");
    assert!(said.contains("Nothing was written."), "{said}");
    assert_eq!(code, Some(4));
    let (said, _) = report("no", "--json 2>/dev/null");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert!(
        said["reason"]
            .as_str()
            .unwrap()
            .contains("was not confirmed"),
        "{said}"
    );
    assert!(!file.exists());
    let (said, code) = report("yes", "");
    assert_eq!(code, Some(0), "{said}");
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(said.starts_with(&written), "{said}\n{written}");
    for words in [
        "  OpenVPN 2.6.14 ",
        "  NetworkManager 1.",
        "the endpoint's challenge has flags R, session id xxxxxxxx-9/",
        "user name b'Ti9B', a link of ",
        "login.idp.example with SAMLRequest",
        "pushed PUSH_REPLY\n",
        "route 10.99.0.0 255.255.0.0\n",
        "[not shown]\n",
        "echo\n",
        "Connection reset command was pushed by server",
        "is a login banner set",
    ] {
        assert!(written.contains(words), "{words:?} is not in\n{written}");
    }
    // Neither the answer, nor what made the session, nor a token.
    assert!(response.len() > 1000);
    assert!(!written.contains(&response[..20]), "{written}");
    for secret in ["SESS_ID", "CRV1:R", "ada@example.com"] {
        assert!(!written.contains(secret), "{written}");
    }
    let (said, _) = report("yes", "--without-addresses");
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(said.starts_with(&written), "{said}");
    for hidden in ["10.99.", "192.0.2.", "idp.example", "0123456789abcdef0"] {
        assert!(!written.contains(hidden), "{hidden} is in\n{written}");
    }
    assert!(written.contains("route <address "), "{written}");
}

#[test]
fn logs_come_out_of_the_real_journal() {
    let (lab, before) = lab(&Options {
        journal: true,
        ..Options::default()
    });
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    let story = || lab.client.check(["aws-client-vpn", "logs", "vpn"]);
    // The journal takes lines in when it has the time.
    let end = wait_for(SOON, || {
        story()
            .contains("disconnecting: NetworkManager asked")
            .then_some(())
    });
    let story = story();
    assert!(end.is_some(), "{story}");
    for words in [
        "service  connecting \"vpn\" to cvpn-endpoint-",
        "service  openvpn: ",
        "service  the tunnel is up",
        "nm       vpn[",
        "dialog   ",
    ] {
        assert!(story.contains(words), "{words:?} is not in\n{story}");
    }
    eventually("the connection that was used last is found", SOON, || {
        let of_the_last = lab.client.run(["aws-client-vpn", "logs"]);
        let of_it = lab.client.check(["aws-client-vpn", "logs", "vpn"]);
        (of_the_last.stdout == of_it.as_bytes()).then_some(())
    });
    // An account may read what programs of its own have written, and the system's have not.
    for words in [&["logs"][..], &["logs", "vpn"]] {
        let as_nobody = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ];
        let line = as_nobody.iter().chain(&["aws-client-vpn"]).chain(words);
        let refused = lab.client.run(line);
        assert_eq!(refused.status.code(), Some(6), "{refused:?}");
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(why.contains("use sudo"), "{why}");
    }
    let line = "echo yes | aws-client-vpn logs vpn --report /run/lab/report";
    lab.client.check(["sh", "-c", line]);
    let report = std::fs::read_to_string(lab.client.root().join("run/lab/report")).unwrap();
    for words in ["connecting to ", "pushed PUSH_REPLY", "the tunnel is up"] {
        assert!(report.contains(words), "{words:?} is not in\n{report}");
    }
    assert_eq!(lab.warnings(), [""; 0]);
}

/// Puts a fault into the client machine (shell), and says which check finds it and what it sees.
const FAULTS: [(&str, &str, &str); 12] = [
    (
        "mount -t tmpfs tmpfs /usr/lib/NetworkManager/VPN",
        "plugin",
        "NetworkManager does not know this VPN",
    ),
    (
        "cp /usr/lib/NetworkManager/VPN/nm-aws-client-vpn-service.name /run/x; chmod 666 /run/x; \
         mount --bind /run/x /usr/lib/NetworkManager/VPN/nm-aws-client-vpn-service.name",
        "plugin",
        "can be changed by users other",
    ),
    (
        "for dir in /usr/lib/*/NetworkManager; do mount -t tmpfs tmpfs $dir; done",
        "files",
        "libnm-vpn-plugin-aws-client-vpn.so is missing",
    ),
    (
        "cp $LIBEXEC/nm-aws-client-vpn-auth-dialog /run/x; chmod 700 /run/x; \
         mount --bind /run/x $LIBEXEC/nm-aws-client-vpn-auth-dialog",
        "files",
        "not every user can run ",
    ),
    (
        "cp /bin/dash /run/x; mount --bind /run/x $LIBEXEC/nm-aws-client-vpn-service",
        "service",
        "prints no version",
    ),
    (
        "mount -t tmpfs tmpfs $LIBEXEC/nm-aws-client-vpn",
        "openvpn",
        "missing",
    ),
    (
        "mount --bind /usr/sbin/openvpn $LIBEXEC/nm-aws-client-vpn/openvpn",
        "openvpn",
        "lacks --auth-federate, --early-push-request",
    ),
    (
        "mount -t tmpfs tmpfs /usr/share/dbus-1/system.d",
        "d-bus-policy",
        "no D-Bus policy",
    ),
    (
        "sed -i /^nm-aws-client-vpn:/d /etc/passwd",
        "account",
        "missing",
    ),
    (
        "mount --bind /dev/null /dev/net/tun",
        "tun",
        "/dev/net/tun is missing",
    ),
    (
        "cp /usr/bin/aws-client-vpn /run/x; touch -d '+3 days' /run/x; \
         mount --bind /run/x /usr/bin/aws-client-vpn",
        "clock",
        "which is earlier than this command's installation",
    ),
    (
        "/run/lab-programs/lab-tool hold-port 35001 >/run/x 2>&1 & \
         until grep -q occupied /run/x; do sleep 0.1; done",
        "port-35001",
        "in use by lab-tool (process ",
    ),
];

#[test]
fn the_doctor_finds_each_fault() {
    let mut lab = Lab::start(&Options {
        endpoint: None,
        dns: DnsMode::Dnsmasq,
        ..Options::default()
    });
    // A desktop's agent, by its name: NetworkManager tells nobody who its agents are.
    lab.client.check([
        "bash",
        "-c",
        "(exec -a gnome-shell tail -f /dev/null) >/dev/null 2>&1 &",
    ]);
    eventually("it has its name", SOON, || {
        let named = lab.client.processes_called("gnome-shell");
        (!named.is_empty()).then_some(())
    });
    // Each program that it asks has five seconds, and a busy machine may take them.
    eventually("the doctor finds nothing", SOON, || {
        let healthy = json(&lab, &["doctor", "--json"]);
        faults(&healthy).is_empty().then_some(())
    });
    for (fault, check, seen) in FAULTS {
        let undo = "umount -q /usr/lib/NetworkManager/VPN/*.name /usr/lib/NetworkManager/VPN \
                    /usr/lib/*/NetworkManager $LIBEXEC/nm-aws-client-vpn-auth-dialog \
                    $LIBEXEC/nm-aws-client-vpn-service $LIBEXEC/nm-aws-client-vpn/openvpn \
                    $LIBEXEC/nm-aws-client-vpn /usr/share/dbus-1/system.d /usr/bin/aws-client-vpn || true";
        let shell = |script: &str| {
            lab.client
                .check(["sh", "-c", &script.replace("$LIBEXEC", LIBEXEC)])
        };
        shell(fault);
        let found = json(&lab, &["doctor", "--json"]);
        let finding = found["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["check"] == check)
            .unwrap();
        assert_eq!(finding["verdict"], "problem", "{fault}: {found:#}");
        assert_eq!(found["reason"], "At least one check found a problem.");
        assert!(
            finding["seen"].as_str().unwrap().contains(seen),
            "{finding}"
        );
        assert!(
            finding["remedy"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        let status = lab.client.run(["aws-client-vpn", "doctor"]).status;
        assert_eq!(status.code(), Some(1), "{fault}");
        shell(undo);
        match check {
            "tun" => drop(shell("umount /dev/net/tun")),
            "account" => drop(shell(
                "systemd-sysusers /usr/lib/sysusers.d/nm-aws-client-vpn.conf",
            )),
            _ => {}
        }
    }
    lab.kill_network_manager();
    // The bus takes note of its end a moment later.
    eventually("the doctor misses NetworkManager", SOON, || {
        let found = json(&lab, &["doctor", "--json"]);
        let is_missed = faults(&found).contains(&"network-manager".to_owned());
        is_missed.then_some(())
    });
}

/// The names of the checks that found something.
fn faults(diagnosis: &Value) -> Vec<String> {
    let findings = diagnosis["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|finding| finding["verdict"] != "good")
        .map(|finding| finding["check"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_doctor_asks_for_an_agent_and_for_name_servers() {
    let lab = Lab::start(&Options {
        endpoint: None,
        agent: Some(AgentStyle::NmApplet),
        ..Options::default()
    });
    // As somebody who is not root, in a session without an agent.
    let seen = |display: &str| {
        let output = lab.client.run([
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "env",
            display,
            "aws-client-vpn",
            "doctor",
        ]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (text, output.status.code())
    };
    let (text, code) = seen("DISPLAY=:9");
    assert!(
        text.contains("PROBLEM  agent")
            && text.contains("no program can show a sign-in to user 65534"),
        "{text}"
    );
    assert_eq!(code, Some(1), "{text}");
    // A console needs none.
    let (text, code) = seen("DISPLAY=");
    assert!(
        text.contains("warning  agent") && text.contains("aws-client-vpn connect NAME"),
        "{text}"
    );
    assert_eq!(code, Some(0), "{text}");
    // NetworkManager writes /etc/resolv.conf here, as it does where there is no local resolver.
    assert!(text.contains("warning  dns"), "{text}");
    assert!(text.contains("systemd-resolved, or dns=dnsmasq"), "{text}");
}

/// What the doctor says of name servers.
fn dns(lab: &Lab) -> (String, String) {
    let found = json(lab, &["doctor", "--json"]);
    let findings = found["findings"].as_array().unwrap();
    let dns = findings.iter().find(|it| it["check"] == "dns").unwrap();
    let text = |key: &str| dns[key].as_str().unwrap().to_owned();
    (text("verdict"), text("seen"))
}

#[test]
fn the_doctor_names_a_resolv_conf_that_networkmanager_does_not_write() {
    let (lab, _) = lab(&endpoint(&["--sign-in=certificate"]));
    let shell = |script: &str| lab.client.check(["sh", "-ec", script]);
    let lacks = |(verdict, seen): (String, String)| {
        verdict == "problem" && seen.contains("does not have NetworkManager's name servers")
    };
    // It cannot: a mount is in the way, or the file is immutable.
    shell("cp /etc/resolv.conf /run/lab/own.conf; mount --bind /run/lab/own.conf /etc/resolv.conf");
    assert_eq!(dns(&lab).0, "warning", "it has what is wanted so far");
    assert_up(&lab, &lab.up());
    assert!(lacks(dns(&lab)), "{:?}", dns(&lab));
    assert!(lab.down().status.success());
    shell("umount /etc/resolv.conf");
    // A link to a file of somebody else's is left alone, or followed.
    shell("ln -sf /run/lab/own.conf /etc/resolv.conf");
    for (manager, is_written) in [("symlink", false), ("file", true)] {
        shell(&format!(
            "sed -i 's/^rc-manager=.*/rc-manager={manager}/' /run/lab/NetworkManager.conf
             nmcli general reload conf"
        ));
        eventually("the doctor has seen it", SOON, || {
            (lacks(dns(&lab)) != is_written).then_some(())
        });
        assert_up(&lab, &lab.up());
        assert_eq!(lacks(dns(&lab)), !is_written, "{:?}", dns(&lab));
        assert!(lab.down().status.success());
    }
}

#[test]
fn the_command_speaks_the_language_of_its_user() {
    let lab = Lab::start(&Options {
        endpoint: None,
        ..Options::default()
    });
    let german = |arguments: &[&str]| {
        let command = ["env", "LC_ALL=C.UTF-8", "LANGUAGE=de", "aws-client-vpn"];
        let output = lab.client.run(command.iter().chain(arguments));
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned())
    };
    let [status, _] = german(&["status"]);
    assert!(status.starts_with("Es gibt noch keine "), "{status}");
    let [doctor, _] = german(&["doctor"]);
    assert!(doctor.starts_with("gut      NetworkManager  "), "{doctor}");
    assert!(
        doctor.contains("frei für die Antwort des Browsers"),
        "{doctor}"
    );
    let [_, refused] = german(&["renew", "x"]);
    assert_eq!(
        refused,
        "aws-client-vpn: Es gibt keine AWS-Client-VPN-Verbindung namens „x“. Alle anzeigen: \
         aws-client-vpn list\n"
    );
    let [json, _] = german(&["doctor", "--json"]);
    assert!(
        json.contains("\"free for the response of the browser\""),
        "{json}"
    );
    // A file that is named in a file.
    let profile = "remote x.clientvpn.eu-north-1.amazonaws.com 443\\ncert mine.pem\\n";
    let write = format!("printf '{profile}' >/run/lab/work.ovpn");
    lab.client.check(["sh", "-c", &write]);
    let [json, person] = german(&["import", "/run/lab/work.ovpn", "--json"]);
    let both = "mine.pem cannot be read. The file does not exist. Put the file beside";
    assert!(json.contains(both), "{json}");
    assert!(
        person.contains("mine.pem kann nicht gelesen werden."),
        "{person}"
    );
}
