//! `aws-client-vpn` as a whole client: profile to connection, connected at a terminal of its own.

use crate::{SOON, assert_up, endpoint, lab, reason, state, take_down};
use aws_client_vpn_harness::{
    AgentStyle, Browser, Lab, Options, Process, Snapshot, Terminal, eventually, wait_for,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::process::Output;
use std::time::Duration;

const BROWSER: &str = "BROWSER=/run/lab/bin/xdg-open";
const SSH: &str = "USER=ada SSH_CONNECTION='192.0.2.99 50000 192.0.2.10 22'";

/// A lab without any other agent, whose connection is called `vpn`.
fn console(flags: &[&str]) -> (Lab, Snapshot) {
    lab(&Options {
        agent: None,
        ..endpoint(flags)
    })
}

fn at_terminal(lab: &Lab, variables: &str, arguments: &str) -> Terminal {
    lab.at_terminal(&format!("exec env {variables} aws-client-vpn {arguments}"))
}

fn run(lab: &Lab, arguments: &[&str]) -> Output {
    lab.client.run(["aws-client-vpn"].iter().chain(arguments))
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

/// NetworkManager may take a moment longer than the command, which has told it.
#[track_caller]
fn is_off(lab: &Lab) {
    is_in_state(lab, "off");
}

#[track_caller]
fn is_in_state(lab: &Lab, state: &str) {
    let reached = wait_for(SOON, || {
        let status = json(&run(lab, &["status", "vpn", "--json"]));
        (status["connections"][0]["state"] == state).then_some(())
    });
    assert!(reached.is_some(), "not {state}\n{}", lab.journal());
}

/// The scripts before a connection goes down take as long as the test wants.
fn hold_scripts(lab: &Lab) {
    lab.set_pre_down_delay(Duration::from_secs(3600));
}

/// It was up, and is being taken down until the scripts are released.
#[track_caller]
fn connected_and_ending(lab: &Lab) -> Process {
    let end = at_terminal(lab, BROWSER, "connect vpn").finish();
    assert_up(lab, &end);
    hold_scripts(lab);
    let mut command = lab.client.command("nmcli");
    command.args(["--wait", "300", "connection", "down", "vpn"]);
    let nmcli = lab.client.spawn_logged("nmcli", command);
    is_in_state(lab, "ending");
    nmcli
}

/// Those that run end, and others take no time.
#[track_caller]
fn release_scripts(lab: &Lab) {
    lab.set_pre_down_delay(Duration::ZERO);
    eventually("the script waits", SOON, || {
        (!lab.client.processes_called("sleep").is_empty()).then_some(())
    });
    lab.client.signal("sleep", Signal::TERM);
}

/// The link that the terminal shows.
fn link(terminal: &Terminal) -> String {
    let shown = terminal.shown();
    let mut words = shown.split_whitespace();
    let link = words.find(|word| word.starts_with("https://"));
    link.expect("a link is shown").to_owned()
}

#[test]
fn a_profile_is_imported_listed_exported_updated_and_removed() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    let before = lab.snapshot();
    let file = lab.profile("udp", 443);
    let imported = run(&lab, &["import", &file, "--name", "my work", "--json"]);
    let imported = json(&imported);
    assert_eq!(imported["profiles"][0]["what"], "added", "{imported}");
    let uuid = imported["profiles"][0]["uuid"].as_str().unwrap();
    // As the importer makes it.
    let shown = lab.client.check([
        "nmcli",
        "--terse",
        "--get-values",
        "vpn.service-type,vpn.persistent,vpn.timeout,connection.autoconnect",
        "connection",
        "show",
        uuid,
    ]);
    let expected = "org.freedesktop.NetworkManager.aws-client-vpn\nyes\n600\nno\n";
    assert_eq!(shown, expected);
    // The same endpoint once more is no second connection by mistake, nor is its name.
    for line in [
        &["import", &file][..],
        &["import", &file, "--name", "my work"],
    ] {
        let again = run(&lab, line);
        assert_eq!(again.status.code(), Some(1));
        let why = String::from_utf8_lossy(&again.stderr);
        assert!(
            why.contains("'my work' is already a connection to this endpoint"),
            "{why}"
        );
    }
    let script = format!("sed s/cvpn-endpoint-0/cvpn-endpoint-1/ {file} >/run/lab/other.ovpn");
    lab.client.check(["sh", "-c", &script]);
    let other = run(
        &lab,
        &["import", "/run/lab/other.ovpn", "--name", "my work"],
    );
    assert_eq!(other.status.code(), Some(1));
    let why = String::from_utf8_lossy(&other.stderr);
    assert!(
        why.contains("'my work' is already a connection to another"),
        "{why}"
    );
    assert_eq!(
        lab.client.check(["aws-client-vpn", "list", "--names"]),
        "my work\n"
    );
    let dry = run(&lab, &["import", &file, "--update", "--dry-run"]);
    let dry = String::from_utf8_lossy(&dry.stdout);
    assert!(dry.contains("'my work' would be updated from"), "{dry}");
    lab.client.check([
        "nmcli",
        "connection",
        "modify",
        uuid,
        "+vpn.data",
        "mssfix=1280",
    ]);
    let updated = json(&run(&lab, &["import", &file, "--update", "--json"]));
    assert_eq!(updated["profiles"][0]["what"], "updated", "{updated}");
    let data = lab.setting(uuid, "vpn.data");
    assert!(data.contains("mssfix = 1280"), "{data}");
    let list = lab.client.check(["aws-client-vpn", "list"]);
    assert!(list.starts_with("my work  off  cvpn-endpoint-"), "{list}");
    assert_eq!(
        lab.client.check(["aws-client-vpn", "list", "--names"]),
        "my work\n"
    );
    let exported = lab.client.check(["aws-client-vpn", "export", "my work"]);
    assert!(exported.contains("auth-federate"), "{exported}");
    let down = run(&lab, &["status", "my work", "--json"]);
    assert_eq!(down.status.code(), Some(10));
    assert_eq!(json(&down)["reason"], "'my work' is not connected.");
    let wrong = run(&lab, &["remove", "work"]);
    assert_eq!(wrong.status.code(), Some(9));
    // What is there and no file is left as it is; a link is, whatever it leads to.
    lab.client
        .check(["ln", "-s", "/dev/stdout", "/run/lab/link"]);
    let link = run(&lab, &["export", "my work", "-o", "/run/lab/link"]);
    assert_eq!(link.status.code(), Some(1), "{link:?}");
    let target = lab.client.check(["readlink", "/run/lab/link"]);
    assert_eq!(target, "/dev/stdout\n");
    let nowhere = run(&lab, &["export", "my work", "-o", "/run/lab/no/file"]);
    assert_eq!(nowhere.status.code(), Some(9), "{nowhere:?}");
    lab.client.check(["aws-client-vpn", "remove", "my work"]);
    assert_eq!(lab.client.check(["aws-client-vpn", "list", "--names"]), "");
    lab.assert_clean(&before);
}

/// In a shell, as its name is no text.
#[test]
fn a_file_whose_name_is_not_utf_8_is_read_and_written() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    let file = lab.profile("udp", 443);
    let shell = |line: &str| {
        let line = format!("f=$(printf '/run/lab/caf\\351.ovpn'); {line}");
        lab.client.run(["sh", "-c", &line])
    };
    let imported = shell(&format!(
        "cp {file} \"$f\"; aws-client-vpn import \"$f\" --name cafe --json"
    ));
    let imported = json(&imported);
    assert_eq!(imported["profiles"][0]["what"], "added", "{imported}");
    assert_eq!(imported["profiles"][0]["file"], "/run/lab/caf\u{fffd}.ovpn");
    let exported =
        shell("rm \"$f\"; aws-client-vpn export cafe -o \"$f\" --json && test -s \"$f\"");
    assert!(exported.status.success(), "{exported:?}");
    assert_eq!(json(&exported)["file"], "/run/lab/caf\u{fffd}.ovpn");
}

#[test]
fn what_is_wrong_with_one_profile_keeps_no_other_out() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    let file = lab.profile("udp", 443);
    let script = format!(
        "cd /run/lab; echo nonsense >broken.ovpn; cp {file} good.ovpn; cp {file} twin.ovpn; \
         sed s/cvpn-endpoint-0/cvpn-endpoint-1/ {file} >other.ovpn"
    );
    lab.client.check(["sh", "-c", &script]);
    let files = ["broken", "good", "twin", "missing", "other"];
    let files = files.map(|name| format!("/run/lab/{name}.ovpn"));
    let import = |more: &[&str]| {
        let files = files.iter().map(String::as_str);
        let line: Vec<_> = ["import"].into_iter().chain(files).collect();
        run(&lab, &[&line, more].concat())
    };
    let whats = |imported: &Value| -> Vec<String> {
        let profiles = imported["profiles"].as_array().unwrap().iter();
        profiles
            .map(|one| one["what"].as_str().unwrap().to_owned())
            .collect()
    };
    for (more, done) in [
        (&["--json", "--dry-run"][..], "found"),
        (&["--json"], "added"),
    ] {
        let imported = import(more);
        assert_eq!(imported.status.code(), Some(1), "{imported:?}");
        let imported = json(&imported);
        let expected = ["left-out", done, "left-out", "left-out", done];
        assert_eq!(whats(&imported), expected, "{imported:#}");
        let twin = imported["profiles"][2]["notes"][0].as_str().unwrap();
        assert!(
            twin.contains("'good' is already a connection to this"),
            "{twin}"
        );
        let reason = imported["reason"].as_str().unwrap();
        assert!(reason.starts_with("/run/lab/broken.ovpn: "), "{reason}");
    }
    let names = lab.client.check(["aws-client-vpn", "list", "--names"]);
    assert_eq!(names, "good\nother\n");
    // The next try says of each why it is left out; the reason is the first's.
    let again = import(&[]);
    assert_eq!(again.status.code(), Some(1));
    let text = String::from_utf8_lossy(&again.stdout);
    assert_eq!(text.matches(" was left out.").count(), 5, "{text}");
    assert!(
        text.contains("missing.ovpn cannot be read. The file does not exist."),
        "{text}"
    );
}

#[test]
fn of_imports_at_once_one_makes_the_connection() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    let file = lab.profile("udp", 443);
    for name in ["", "--name=race"] {
        let script = format!(
            "for i in 1 2 3 4 5 6; do {{ aws-client-vpn import {file} {name} >/dev/null 2>&1; \
             echo $?; }} & done; wait; aws-client-vpn list --names | wc -l; \
             aws-client-vpn remove \"$(aws-client-vpn list --names)\" >/dev/null"
        );
        let codes = lab.client.check(["sh", "-c", &script]);
        let mut codes: Vec<_> = codes.split_whitespace().collect();
        assert_eq!(codes.pop(), Some("1"), "connections");
        codes.sort_unstable();
        assert_eq!(codes, ["0", "1", "1", "1", "1", "1"]);
    }
}

#[test]
fn what_is_said_after_an_import_connects_whatever_the_name_is() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    let file = lab.profile("udp", 443);
    for name in ["-x", "--json", "it's", "a b"] {
        let said = run(&lab, &["import", &file, &format!("--name={name}")]);
        let said = String::from_utf8(said.stdout).unwrap();
        let hint = said.lines().last().unwrap();
        let words = hint.trim_start().strip_prefix("aws-client-vpn connect ");
        // Of a connection that is not up, the exit code tells.
        let line = format!("exec aws-client-vpn status {}", words.unwrap());
        let status = lab.client.run(["sh", "-c", &line]);
        assert_eq!(status.status.code(), Some(10), "{hint}: {status:?}");
    }
    for name in ["", " ", "a\nb", "a\u{202e}b", &"x".repeat(300)] {
        let refused = run(&lab, &["import", &file, &format!("--name={name}")]);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(why.contains("cannot be the name of a connection"), "{why}");
    }
}

#[test]
fn root_reads_for_a_profile_only_what_is_beside_it_and_its_owner_may_read() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    let file = lab.profile("udp", 443);
    // A profile out of a user's mail.
    let script = format!(
        "mkdir /run/lab/mail; cd /run/lab/mail; umask 077; \
         sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' {file} >../root.pem; \
         cp ../root.pem other.pem; cp ../root.pem own.pem; ln -s own.pem link.pem; \
         sed '/<ca>/,/<.ca>/d' {file} >profile; chown 65533 own.pem"
    );
    lab.client.check(["sh", "-c", &script]);
    let import = |ca: &str| {
        let script = "cd /run/lab/mail; cp profile work.ovpn; echo \"ca $0\" >>work.ovpn; \
                      chown 65533 work.ovpn; exec aws-client-vpn import work.ovpn --dry-run --json";
        json(&lab.client.run(["sh", "-c", script, ca]))
    };
    for (ca, why) in [
        (
            "/run/lab/root.pem",
            "may name only files in its own directory. Put",
        ),
        (
            "../root.pem",
            "may name only files in its own directory. Put",
        ),
        ("other.pem", "The owner of the profile may not read it"),
        ("link.pem", "It is not a regular file."),
    ] {
        let refused = import(ca);
        let reason = refused["reason"].as_str().unwrap();
        assert!(reason.contains(why), "{refused:#}");
    }
    let imported = import("own.pem");
    assert_eq!(imported["profiles"][0]["what"], "found", "{imported:#}");
    // As any file of another computer.
    let imported = import("/etc/openvpn/own.pem");
    assert_eq!(imported["profiles"][0]["what"], "found", "{imported:#}");
}

/// As earlier versions imported a certificate and its key in one file.
#[test]
fn the_doctor_names_a_private_key_that_everybody_can_read_and_an_update_hides_it() {
    let (lab, _) = lab(&Options {
        agent: None,
        ..endpoint(&["--sign-in=certificate"])
    });
    let verdict = || {
        let diagnosis = json(&run(&lab, &["doctor", "--json"]));
        let findings = diagnosis["findings"].as_array().unwrap();
        let of_keys = findings.iter().find(|it| it["check"] == "private-keys");
        of_keys.unwrap()["verdict"].clone()
    };
    assert_eq!(verdict(), "good");
    let file = "/etc/NetworkManager/system-connections/vpn.nmconnection";
    let edit = r#"key=$(sed -n 's/^key=//p' "$1")
        sed "s|^cert=.*|&$(printf %s "$key" | sed 's/[\\&|]/\\&/g')|" "$1" >/run/lab/edited
        cat /run/lab/edited >"$1"; nmcli connection reload"#;
    lab.client.check(["sh", "-ec", edit, "sh", file]);
    assert_eq!(verdict(), "warning", "{}", lab.client.check(["cat", file]));
    let profile = lab.profile("udp", 443);
    lab.client
        .check(["aws-client-vpn", "import", &profile, "--update"]);
    assert_eq!(verdict(), "good");
    let stored = lab.client.check(["cat", file]);
    assert!(stored.contains("\nkey=-----BEGIN PRIVATE KEY"), "{stored}");
}

/// NetworkManager would not bring the network up again once it was lost.
#[test]
fn the_doctor_names_a_network_that_connects_by_itself_what_outlives_it() {
    let (lab, _) = console(&[]);
    let finding = || {
        let diagnosis = json(&run(&lab, &["doctor", "--json"]));
        let findings = diagnosis["findings"].as_array().unwrap();
        let found = findings.iter().find(|it| it["check"] == "secondaries");
        found.unwrap().clone()
    };
    assert_eq!(finding()["verdict"], "good");
    let uuid = lab.setting("vpn", "connection.uuid");
    let holds = ["connection", "modify", "base", "connection.secondaries"];
    lab.client
        .check(["nmcli"].iter().chain(&holds).chain(&[uuid.as_str()]));
    let found = finding();
    assert_eq!(found["verdict"], "problem", "{found}");
    let remedy = found["remedy"].as_str().unwrap();
    let (command, _) = remedy.split_once(';').unwrap();
    lab.client.check(["sh", "-ec", command]);
    assert_eq!(finding()["verdict"], "good");
}

/// NetworkManager asks the agents, too, before it gives out what it keeps itself, and gives out
/// nothing where none of them answers.
fn what_networkmanager_keeps_is_kept(agent: Option<AgentStyle>, with_ours: bool) {
    let (lab, _) = lab(&Options {
        agent,
        ..endpoint(&["--sign-in=password-certificate"])
    });
    let file = "/etc/NetworkManager/system-connections/vpn.nmconnection";
    let stored = || lab.client.check(["cat", file]);
    // For all users of this computer. nmcli would lose the key, had it to set a password.
    let edit =
        "s/^password-flags=.*/password-flags=0/; s/^.vpn-secrets.$/&\\npassword=correct horse/";
    lab.client.check(["sed", "-i", edit, file]);
    lab.client.check(["nmcli", "connection", "reload"]);
    let key = "-----BEGIN PRIVATE KEY-----";
    let before = stored();
    assert!(
        before.contains(key) && before.contains("correct horse"),
        "{before}"
    );
    let _desktop = with_ours.then(|| lab.desktop());
    let shown = lab.client.run(["aws-client-vpn", "export", "vpn"]);
    let exported = String::from_utf8_lossy(&shown.stdout);
    assert!(exported.contains(key), "{exported}{shown:?}");
    let file = lab.profile("udp", 443);
    lab.client
        .check(["aws-client-vpn", "import", &file, "--update"]);
    let after = stored();
    assert!(
        after.contains(key) && after.contains("correct horse"),
        "{after}"
    );
    // As editors ask. (nmcli forgets the answer if word of the update comes after it.)
    if with_ours {
        let paths = lab
            .client
            .check(["nmcli", "-g", "NAME,DBUS-PATH", "connection", "show"]);
        let path = paths.lines().find_map(|line| line.strip_prefix("vpn:"));
        let shown = lab.client.check([
            "dbus-send",
            "--system",
            "--print-reply",
            "--dest=org.freedesktop.NetworkManager",
            path.unwrap(),
            "org.freedesktop.NetworkManager.Settings.Connection.GetSecrets",
            "string:vpn",
        ]);
        assert!(shown.contains("correct horse"), "{shown}");
    }
}

#[test]
fn what_networkmanager_keeps_is_kept_beside_our_agent() {
    what_networkmanager_keeps_is_kept(None, true);
}

#[test]
fn what_networkmanager_keeps_is_kept_beside_an_agent_that_answers_with_an_error() {
    what_networkmanager_keeps_is_kept(Some(AgentStyle::GnomeShell), false);
}

#[test]
fn what_networkmanager_keeps_is_kept_without_an_agent() {
    what_networkmanager_keeps_is_kept(None, false);
}

#[test]
fn connect_opens_the_browser_and_ends_with_addresses_and_disconnect_takes_it_down() {
    let (lab, before) = console(&[]);
    let mut terminal = at_terminal(&lab, BROWSER, "connect vpn");
    terminal.expect("Waiting for the sign-in, ", SOON);
    terminal.expect("vpn", SOON);
    let end = terminal.finish();
    assert!(end.success, "{}\n{}", end.text, lab.journal());
    let addresses = lab.client.check(["ip", "-brief", "-4", "address", "show"]);
    let line = end.text.lines().find(|line| line.contains("addresses"));
    let address = line
        .unwrap()
        .split([' ', ','])
        .find(|word| word.contains('/'));
    assert!(
        addresses.contains(address.unwrap()),
        "{addresses} {}",
        end.text
    );
    lab.traffic_flows();
    assert_eq!(run(&lab, &["status", "vpn"]).status.code(), Some(0));
    // Again changes nothing.
    assert_eq!(run(&lab, &["connect", "vpn"]).status.code(), Some(0));
    let down = run(&lab, &["disconnect"]);
    assert!(down.status.success(), "{down:?}");
    is_off(&lab);
    assert_eq!(run(&lab, &["disconnect"]).status.code(), Some(10));
    lab.assert_clean(&before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn connect_is_asked_before_the_session_s_agent_and_shows_the_link_over_ssh() {
    // The desktop's agent would open the browser.
    let (lab, before) = lab(&Options::default());
    let mut terminal = at_terminal(&lab, &format!("{BROWSER} {SSH}"), "connect vpn");
    terminal.expect("ssh -L 35001:127.0.0.1:35001 ada@192.0.2.10", SOON);
    terminal.expect("Waiting for the sign-in, ", SOON);
    assert_eq!(lab.browser_events(), [""; 0], "nobody sits here");
    lab.client
        .check(["/run/lab/bin/xdg-open", &link(&terminal)]);
    let end = terminal.finish();
    assert_up(&lab, &end);
    take_down(&lab, &before);
}

#[test]
fn a_sign_in_that_waits_for_another_one_says_so() {
    let (lab, _) = console(&[]);
    lab.import_as("other", "udp", 1194, "route-nopull\n");
    let before = lab.snapshot();
    let mut first = at_terminal(&lab, BROWSER, "connect vpn --no-browser");
    first.expect("Waiting for the sign-in, ", SOON);
    let session = "XDG_RUNTIME_DIR=/run/home";
    let mut second = at_terminal(&lab, session, "connect other --no-browser");
    second.expect("other: another sign-in is open on this computer", SOON);
    let shows = |words: &str| {
        let line = format!("env {session} aws-client-vpn status other");
        let shown = lab.client.run(["sh", "-c", &line]).stdout;
        let shown = String::from_utf8_lossy(&shown);
        assert!(shown.contains(words), "{words:?} in {shown}");
    };
    shows("waiting until another sign-in on this computer is over");
    lab.client.check(["/run/lab/bin/xdg-open", &link(&first)]);
    assert_up(&lab, &first.finish());
    // Before NetworkManager asks again, which it does after two minutes.
    second.expect("Waiting for the sign-in, ", Duration::from_secs(30));
    shows("waiting for the sign-in");
    // The name servers inside do not know the identity provider.
    lab.client.check(["nmcli", "connection", "down", "vpn"]);
    lab.client.check(["/run/lab/bin/xdg-open", &link(&second)]);
    assert!(second.finish().success);
    lab.client.check(["nmcli", "connection", "down", "other"]);
    lab.assert_clean(&before);
}

#[test]
fn no_browser_is_opened_where_none_is_wanted() {
    // Nor for sudo: it would be root's.
    for (of_sudo, arguments) in [
        ("", "connect vpn --no-browser"),
        ("SUDO_USER=nobody SUDO_UID=65534", "connect vpn"),
    ] {
        let (lab, before) = console(&[]);
        let variables = format!("{BROWSER} {of_sudo}");
        let mut terminal = at_terminal(&lab, &variables, arguments);
        terminal.expect("Waiting for the sign-in, ", SOON);
        assert_eq!(lab.browser_events(), [""; 0]);
        lab.client
            .check(["/run/lab/bin/xdg-open", &link(&terminal)]);
        assert_up(&lab, &terminal.finish());
        take_down(&lab, &before);
    }
}

/// As with `aws-client-vpn connect vpn 2>&1 | head -1`.
#[test]
fn nobody_has_to_read_what_connect_says() {
    let (lab, before) = console(&["--sign-in=certificate"]);
    let line =
        "{ setsid --wait aws-client-vpn connect vpn; echo $? >/run/lab/code; } 2>&1 | head -1";
    let said = lab.client.check(["sh", "-c", line]);
    assert_eq!(said, "Connecting 'vpn'…\n");
    let code = std::fs::read_to_string(lab.client.root().join("run/lab/code"));
    assert_eq!(code.unwrap(), "0\n", "{}", lab.journal());
    take_down(&lab, &before);
}

#[test]
fn who_signs_in_with_a_certificate_is_not_waited_for() {
    let (lab, before) = console(&["--sign-in=certificate"]);
    let up = run(&lab, &["connect", "vpn"]);
    let said = String::from_utf8_lossy(&up.stderr).into_owned();
    assert_eq!(up.status.code(), Some(0), "{said}");
    assert!(
        said.starts_with("Connecting 'vpn'…\nContacting the endpoint…\n"),
        "{said}"
    );
    take_down(&lab, &before);
}

#[test]
fn whoever_disconnects_what_is_going_down_is_done_with_it() {
    let (lab, before) = console(&[]);
    let mut terminal = at_terminal(&lab, BROWSER, "connect vpn --no-browser");
    terminal.expect("Waiting for the sign-in, ", SOON);
    // Most of them find it up, and are not the first to take it down.
    let line = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do \
                { aws-client-vpn disconnect vpn >/dev/null 2>&1; echo $?; } & done; wait";
    let codes = lab.client.check(["sh", "-c", line]);
    let codes: Vec<_> = codes.split_whitespace().collect();
    assert_eq!(codes.len(), 12, "{codes:?}");
    assert!(codes.contains(&"0"), "{codes:?}");
    // On a busy machine, one may begin when all is over.
    let is_fine = |code: &&str| ["0", "10"].contains(code);
    assert!(codes.iter().all(is_fine), "{codes:?}");
    drop(terminal.finish());
    lab.assert_clean(&before);
}

/// Over ssh, it is the way of whoever has a connection of their own.
#[test]
fn root_connects_what_is_one_user_s_alone() {
    let (mut lab, before) = lab(&Options {
        agent: None,
        logind: true,
        ..Options::default()
    });
    lab.logind().become_user("nobody", 65534);
    lab.modify("connection.permissions", "user:nobody");
    let sudo = format!("{BROWSER} SUDO_UID=65534 SUDO_USER=nobody");
    let mut terminal = at_terminal(&lab, &sudo, "connect vpn");
    terminal.expect("Waiting for the sign-in, ", SOON);
    lab.client
        .check(["/run/lab/bin/xdg-open", &link(&terminal)]);
    assert_up(&lab, &terminal.finish());
    take_down(&lab, &before);
}

/// A shared computer: whoever sits there may be another than who signed in.
#[test]
fn what_a_lost_connection_waits_for_is_told_to_whoever_asks() {
    let (mut lab, before) = lab(&Options {
        logind: true,
        ..Options::default()
    });
    assert_up(&lab, &lab.up());
    let another_asks = |lab: &Lab, how: &str| {
        let status = ["aws-client-vpn", "status", how];
        let as_another = ["setpriv", "--reuid", "65534", "--clear-groups", "--"];
        lab.client.run(as_another.iter().chain(&status))
    };
    let waits_for = |lab: &Lab, wanted: Value| {
        eventually(&format!("it waits for {wanted}"), SOON * 3, || {
            let status = json(&another_asks(lab, "--json"));
            (status["connections"][0]["waits_for"] == wanted).then_some(())
        });
    };
    waits_for(&lab, Value::Null);
    lab.logind().lock();
    eventually("the service sees the lock", SOON, || {
        lab.journal().contains("the screen is locked").then_some(())
    });
    lab.endpoint().command(&json!({"kick": "all"}));
    waits_for(&lab, json!({"what": "unlock", "user": "root"}));
    let shown = another_asks(&lab, "vpn");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let words = "Waiting for root, who signed in, to unlock the screen";
    assert!(shown.contains(words), "{shown}");
    let mut joined = at_terminal(&lab, BROWSER, "connect vpn");
    joined.expect("Waiting for you to unlock the screen", SOON);
    // Root is asked in anybody's session if it has none.
    lab.logind().leave();
    joined.expect("Waiting for somebody to be at the computer", SOON);
    waits_for(&lab, json!({"what": "person", "user": null}));
    joined.interrupt();
    assert_eq!(joined.finish().code, Some(4));
    lab.logind().unlock();
    lab.logind().arrive();
    is_in_state(&lab, "up");
    waits_for(&lab, Value::Null);
    take_down(&lab, &before);
}

/// The rows of a text console are few and short, and what is wrapped in it cannot be taken back.
#[test]
fn a_text_console_shows_the_link_and_a_countdown_in_one_row() {
    let (lab, before) = console(&[]);
    let line = "stty cols 40; exec env -u DISPLAY -u WAYLAND_DISPLAY -u BROWSER \
                XDG_SESSION_TYPE=tty aws-client-vpn connect vpn";
    let mut terminal = lab.at_terminal(line);
    for _ in 0..3 {
        terminal.expect("\r\u{1b}[KWaiting for the sign-in, ", SOON);
    }
    let shown = terminal.shown();
    let counted = shown
        .split("\r\u{1b}[K")
        .filter(|it| it.starts_with("Waiting"));
    for row in counted {
        assert!(row.chars().count() < 40, "{row:?}");
    }
    lab.client
        .check(["/run/lab/bin/xdg-open", &link(&terminal)]);
    let end = terminal.finish();
    assert_up(&lab, &end);
    // That there is no browser is no failure here.
    assert!(!end.text.contains("No web browser"), "{}", end.text);
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

/// Also after Ctrl+Z and `fg`: a shell sets its own modes when it stops a program, and leaves them.
#[test]
fn passwords_and_codes_are_asked_for_unseen_at_the_same_terminal() {
    let (lab, before) = console(&["--sign-in=password-mfa"]);
    let mut terminal = lab.at_terminal("exec env PS1='shell: ' bash --norc --noprofile -i");
    terminal.expect("shell: ", SOON);
    terminal.type_line("aws-client-vpn connect vpn");
    terminal.expect("User name: ", SOON);
    terminal.type_line("ada@example.com");
    terminal.expect("Password: ", SOON);
    terminal.suspend();
    terminal.expect("Stopped", SOON);
    terminal.expect("shell: ", SOON);
    terminal.type_line("fg");
    terminal.expect("Password: ", SOON);
    terminal.type_line("correct horse");
    terminal.expect(": ", SOON);
    terminal.type_line("123456");
    terminal.expect("shell: ", SOON);
    // With what the command ended with.
    terminal.type_line("exit");
    let end = terminal.finish();
    assert_up(&lab, &end);
    assert!(!end.text.contains("correct horse"), "{}", end.text);
    take_down(&lab, &before);
}

#[test]
fn ctrl_c_and_the_time_limit_leave_nothing_behind() {
    let (lab, before) = console(&[]);
    lab.set_browser(&Browser::Closed);
    let mut terminal = at_terminal(&lab, BROWSER, "connect vpn");
    terminal.expect("Waiting for the sign-in, ", SOON);
    terminal.interrupt();
    let end = terminal.finish();
    assert!(end.text.contains("cancelled"), "{}", end.text);
    assert_eq!(end.code, Some(4), "{}", end.text);
    is_off(&lab);
    lab.assert_clean(&before);
    let end = at_terminal(&lab, BROWSER, "connect vpn --timeout 2").finish();
    assert_eq!(end.code, Some(5), "{}", end.text);
    lab.assert_clean(&before);
}

/// NetworkManager has taken the request, and its answer is on the way.
#[test]
fn ctrl_c_right_after_the_request_leaves_nothing_behind() {
    let (lab, before) = console(&[]);
    // It would go on trying.
    lab.cut();
    let line = "for i in 0 1 2 3 4 5 6 7 8 9; do \
                sh -c 'echo $$ >/run/lab/pid; exec aws-client-vpn connect vpn' 2>&1 | { \
                read -r begun; read -r pid </run/lab/pid; sleep 0.00$i; kill -STOP $pid; sleep 0.5; \
                kill -INT $pid; kill -CONT $pid; cat >/dev/null; }; \
                aws-client-vpn list; done";
    let listed = lab.client.check(["sh", "-c", line]);
    let is_going = |line: &str| line.contains("connecting") || line.contains("starting");
    assert!(!listed.lines().any(is_going), "{listed}");
    lab.mend();
    is_off(&lab);
    lab.assert_clean(&before);
}

/// NetworkManager tells it with the number of a connection that is up.
#[test]
fn what_is_switched_off_during_the_sign_in_is_not_connected() {
    let (lab, before) = console(&[]);
    lab.set_browser(&Browser::Closed);
    for arguments in ["connect vpn", "connect vpn --stay"] {
        let mut terminal = at_terminal(&lab, BROWSER, arguments);
        terminal.expect("Waiting for the sign-in, ", SOON);
        let mut another = at_terminal(&lab, BROWSER, arguments);
        another.expect("which another program shows", SOON);
        let down = lab.down();
        assert!(down.status.success(), "{down:?}");
        for terminal in [terminal, another] {
            let end = terminal.finish();
            assert_eq!(end.code, Some(4), "{arguments}: {}", end.text);
        }
        lab.assert_clean(&before);
    }
}

#[test]
fn what_is_being_taken_down_is_not_up_and_connect_waits_for_its_end() {
    let (lab, before) = console(&[]);
    let _nmcli = connected_and_ending(&lab);
    assert_eq!(run(&lab, &["status", "vpn"]).status.code(), Some(10));
    let late = run(&lab, &["connect", "vpn", "--timeout", "1"]);
    assert_eq!(late.status.code(), Some(5), "{late:?}");
    let still = "is still being disconnected";
    let mut given_up = at_terminal(&lab, BROWSER, "connect vpn");
    given_up.expect(still, SOON);
    given_up.interrupt();
    assert_eq!(given_up.finish().code, Some(4));
    let mut connecting = at_terminal(&lab, BROWSER, "connect vpn");
    connecting.expect(still, SOON);
    release_scripts(&lab);
    assert_up(&lab, &connecting.finish());
    take_down(&lab, &before);
}

/// NetworkManager says of it what it says where there is no network.
#[test]
fn what_is_removed_while_it_is_to_connect_is_said_to_be_gone() {
    let (lab, _) = console(&[]);
    let _nmcli = connected_and_ending(&lab);
    let mut connecting = at_terminal(&lab, BROWSER, "connect vpn");
    connecting.expect("is still being disconnected", SOON);
    lab.client.check(["aws-client-vpn", "remove", "vpn"]);
    release_scripts(&lab);
    let end = connecting.finish();
    assert_eq!(end.code, Some(9), "{}", end.text);
    assert!(end.text.contains("has been removed"), "{}", end.text);
}

#[test]
fn what_is_removed_while_it_connects_is_said_to_be_gone() {
    let (lab, _) = console(&[]);
    lab.set_browser(&Browser::Closed);
    let mut connecting = at_terminal(&lab, BROWSER, "connect vpn");
    connecting.expect("Waiting for the sign-in, ", SOON);
    lab.client.check(["aws-client-vpn", "remove", "vpn"]);
    let end = connecting.finish();
    assert_eq!(end.code, Some(9), "{}", end.text);
    assert!(end.text.contains("was removed"), "{}", end.text);
}

/// NetworkManager would end the connection.
#[test]
fn a_renewal_with_nobody_to_ask_leaves_the_connection_as_it_is() {
    let (lab, before) = console(&[]);
    let end = at_terminal(&lab, BROWSER, "connect vpn").finish();
    assert_up(&lab, &end);
    // The command may say so before what is noted here does.
    eventually("it is noted that the connection is up", SOON, || {
        let last = lab.vpn_states().last().copied();
        last.filter(|last| last.state == state::ACTIVATED)
    });
    let states = lab.vpn_states();
    let refused = run(&lab, &["renew", "vpn", "--json"]);
    assert_eq!(refused.status.code(), Some(8), "{refused:?}");
    let refused = json(&refused);
    assert_eq!(refused["outcome"], "nobody-to-ask");
    let reason = refused["reason"].as_str().unwrap();
    assert!(reason.contains("No program is running"), "{reason}");
    lab.no_packet_is_lost();
    assert_eq!(lab.vpn_states(), states);
    take_down(&lab, &before);
}

#[test]
fn a_renewal_of_what_is_saved_needs_nobody() {
    let (lab, before) = console(&["--sign-in=password"]);
    lab.modify("+vpn.data", "username=ada@example.com, password-flags=0");
    lab.modify("vpn.secrets", "password=correct horse");
    assert_up(&lab, &lab.up());
    let mut journal = lab.journal_from_now();
    let said = lab.client.check(["aws-client-vpn", "renew", "vpn"]);
    assert!(said.contains("The tunnel pauses"), "{said}");
    eventually("the tunnel is up again", SOON, || {
        journal
            .text()
            .contains("the tunnel is up again")
            .then_some(())
    });
    lab.traffic_flows();
    take_down(&lab, &before);
}

/// As `systemctl restart` does where scripts take longer than the one before waits for them.
#[test]
fn one_that_stays_begins_when_the_one_before_has_ended() {
    let (lab, before) = console(&[]);
    let mut terminal = at_terminal(&lab, BROWSER, "connect vpn --stay");
    terminal.expect("addresses", SOON);
    hold_scripts(&lab);
    terminal.interrupt();
    let end = terminal.finish();
    assert_eq!(end.code, Some(0), "{}", end.text);
    assert!(end.text.contains("is being disconnected"), "{}", end.text);
    let mut terminal = at_terminal(&lab, BROWSER, "connect vpn --stay");
    terminal.expect("is still being disconnected", SOON);
    release_scripts(&lab);
    terminal.expect("addresses", SOON);
    lab.traffic_flows();
    terminal.interrupt();
    assert_eq!(terminal.finish().code, Some(0));
    is_off(&lab);
    lab.assert_clean(&before);
}

#[test]
fn disconnect_says_where_the_connection_is_not_down_in_time() {
    let (lab, before) = console(&[]);
    let end = at_terminal(&lab, BROWSER, "connect vpn").finish();
    assert_up(&lab, &end);
    hold_scripts(&lab);
    let late = run(&lab, &["disconnect", "--json"]);
    assert_eq!(late.status.code(), Some(5), "{late:?}");
    assert_eq!(json(&late)["outcome"], "timed-out");
    release_scripts(&lab);
    is_off(&lab);
    lab.assert_clean(&before);
}

#[test]
fn a_refusal_is_said_in_the_endpoint_s_words_where_it_was_asked_for() {
    let (mut lab, before) = console(&[]);
    let text = "Your laptop needs an update. Call 4711.";
    lab.endpoint()
        .command(&serde_json::json!({"set": {"deny": text}}));
    let end = at_terminal(&lab, BROWSER, "connect vpn").finish();
    assert_eq!(end.code, Some(3), "{}", end.text);
    assert!(end.text.contains(text), "{}", end.text);
    let status = run(&lab, &["status", "--json"]);
    let failure = json(&status)["connections"][0]["last_failure"].clone();
    assert_eq!(failure["kind"], "refused");
    assert!(
        failure["reason"].as_str().unwrap().contains(text),
        "{failure}"
    );
    lab.assert_clean(&before);
    // What comes up has not failed.
    lab.endpoint()
        .command(&serde_json::json!({"set": {"deny": ""}}));
    let end = at_terminal(&lab, BROWSER, "connect vpn").finish();
    assert!(end.success, "{}", end.text);
    take_down(&lab, &before);
    let status = run(&lab, &["status", "--json"]);
    assert_eq!(json(&status)["connections"][0]["last_failure"], Value::Null);
}

#[test]
fn a_setting_that_cannot_be_used_is_named_where_the_connection_was_asked_for() {
    let (lab, before) = console(&[]);
    for setting in [
        "kill-switch=on",
        "remote=nonsense",
        "connect-timeout=abc",
        "session-length=5x",
    ] {
        let (key, _) = setting.split_once('=').unwrap();
        let old = lab
            .client
            .check(["nmcli", "-g", "vpn.data", "connection", "show", "vpn"]);
        lab.modify("+vpn.data", setting);
        let end = at_terminal(&lab, BROWSER, "connect vpn").finish();
        let text = format!("The setting '{key}' has an invalid value.");
        assert_eq!(end.code, Some(1), "{}", end.text);
        assert!(end.text.contains(&text), "{}", end.text);
        let status = run(&lab, &["status", "--json"]);
        let failure = json(&status)["connections"][0]["last_failure"].clone();
        let why = failure["reason"].as_str().unwrap_or_default();
        assert!(why.contains(&text), "{failure}");
        let last = lab.vpn_states().last().copied().unwrap();
        let expected = (state::FAILED, reason::SERVICE_START_FAILED);
        assert_eq!((last.state, last.reason), expected);
        lab.modify("vpn.data", old.trim());
    }
    let end = at_terminal(&lab, BROWSER, "connect vpn").finish();
    assert!(end.success, "{}", end.text);
    take_down(&lab, &before);
}

#[test]
fn why_it_failed_is_for_the_person_at_the_computer_and_nobody_else() {
    let (mut lab, _) = lab(&Options {
        agent: None,
        logind: true,
        ..Options::default()
    });
    // A name server that does not answer, before anybody could be asked.
    lab.client
        .check(["sh", "-c", "echo nameserver 192.0.2.99 >/etc/resolv.conf"]);
    lab.logind().become_user("nobody", 65534);
    let failed = run(&lab, &["connect", "vpn", "--json"]);
    assert_eq!(failed.status.code(), Some(7), "{failed:?}");
    let failed = json(&failed);
    assert_eq!(failed["outcome"], "unreachable");
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("could not be found"), "{reason}");
    let told = |uid: &str| {
        let status = ["aws-client-vpn", "status", "--json"];
        let as_user = ["setpriv", "--reuid", uid, "--clear-groups", "--"];
        let status = lab.client.run(as_user.iter().chain(&status));
        json(&status)["connections"][0]["last_failure"].clone()
    };
    assert_eq!(told("65534")["kind"], "unreachable");
    assert_eq!(told("12345"), Value::Null);
}

#[test]
fn nobody_can_be_asked_where_there_is_no_terminal_and_no_desktop() {
    let (lab, before) = console(&["--sign-in=password"]);
    let failed = run(&lab, &["connect", "vpn", "--json"]);
    assert_eq!(failed.status.code(), Some(8), "{failed:?}");
    assert_eq!(json(&failed)["outcome"], "nobody-to-ask");
    lab.assert_clean(&before);
}

#[test]
fn the_profiles_of_aws_s_client_are_found_and_taken_over() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    let none = run(&lab, &["import", "--from-aws-client"]);
    assert_eq!(none.status.code(), Some(9), "{none:?}");
    let file = lab.profile("udp", 443);
    // That client has its own words for a login in the browser.
    let script = format!(
        "d=$HOME/.config/AWSVPNClient/OpenVpnConfigs; mkdir -p $d; \
         sed -e 's/^auth-federate/auth-user-pass\\nauth-retry interact\\nauth-nocache/' \
             -e 's/^remote-random-hostname//' {file} >$d/Work; \
         echo nonsense >$d/Broken"
    );
    lab.client.check(["sh", "-c", &script]);
    let shown = json(&run(
        &lab,
        &["import", "--from-aws-client", "--dry-run", "--json"],
    ));
    let what = |place: usize| shown["profiles"][place]["what"].clone();
    assert_eq!(
        (what(0), what(1)),
        ("left-out".into(), "found".into()),
        "{shown}"
    );
    assert_eq!(lab.client.check(["aws-client-vpn", "list", "--names"]), "");
    let imported = run(&lab, &["import", "--from-aws-client"]);
    assert!(imported.status.success(), "{imported:?}");
    let status = json(&run(&lab, &["status", "Work", "--json"]));
    assert_eq!(status["connections"][0]["sign_in"], "saml", "{status}");
    // Once more, all is there already.
    let again = run(&lab, &["import", "--from-aws-client", "--json"]);
    assert_eq!(again.status.code(), Some(1));
    let again = json(&again);
    assert_eq!(again["profiles"][1]["what"], "left-out", "{again}");
    assert!(again["reason"].is_string(), "{again}");
}

#[test]
fn a_bar_is_told_of_each_change() {
    let (lab, before) = console(&[]);
    let mut bar = lab.at_terminal("exec aws-client-vpn status --follow --short");
    let mut json = lab.at_terminal("exec aws-client-vpn status --follow --json");
    json.expect("\"state\":\"off\"", SOON);
    lab.set_browser(&Browser::Waiting);
    let connecting = at_terminal(&lab, BROWSER, "connect vpn");
    bar.expect("vpn: ", SOON);
    lab.browser_goes_on();
    let end = connecting.finish();
    assert!(end.success, "{}", end.text);
    bar.expect("vpn\r\n", SOON);
    json.expect("\"state\":\"up\"", SOON);
    bar.interrupt();
    json.interrupt();
    drop((bar.finish(), json.finish()));
    take_down(&lab, &before);
}

/// As with `aws-client-vpn status --follow | head -1`, and with a bar that is started again.
#[test]
fn who_follows_ends_with_whoever_reads_it() {
    let (lab, _) = console(&[]);
    let line = "aws-client-vpn status --follow | head -1 >/dev/null";
    let ended = lab.client.run(["timeout", "60", "sh", "-c", line]);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}

#[test]
fn who_follows_is_told_what_cannot_be_seen() {
    let (mut lab, _) = console(&[]);
    let unknown = run(&lab, &["status", "nobody", "--follow"]);
    assert_eq!(unknown.status.code(), Some(9), "{unknown:?}");
    let mut people = lab.at_terminal("exec aws-client-vpn status --follow");
    let mut json = lab.at_terminal("exec aws-client-vpn status --follow --json");
    people.expect("off", SOON);
    json.expect("\"state\":\"off\"", SOON);
    lab.kill_network_manager();
    people.expect("NetworkManager is not running.", SOON);
    json.expect("\"outcome\":\"no-networkmanager\"", SOON);
    people.interrupt();
    json.interrupt();
    let shown = people.finish().text + &json.finish().text;
    assert!(!shown.contains("There is no AWS Client VPN"), "{shown}");
}

/// The value after `key` in the page about bars.
fn of_bars(key: &str) -> &'static str {
    let page = include_str!("../../../../docs/headless.md");
    let (_, bars) = page.split_once("\n## In a status bar\n").unwrap();
    let value = bars.lines().find_map(|line| line.trim().strip_prefix(key));
    value.unwrap_or_else(|| panic!("no {key:?} in the page"))
}

/// What waybar, polybar and i3blocks are told to run prints a line for each change, which they show
/// as it is; what waybar makes of JSON has the fields it wants.
#[test]
fn bars_show_what_the_documents_have_them_show() {
    let (lab, before) = console(&[]);
    let waybar: Value = serde_json::from_str(of_bars("\"custom/vpn\": ")).unwrap();
    let jq = "aws-client-vpn status --follow --json | jq ".to_owned() + of_bars("jq ");
    let commands = [
        waybar["exec"].as_str().unwrap(),
        of_bars("exec = "),
        of_bars("command="),
        &jq,
    ];
    let start = |(place, line): (usize, &&str)| {
        let mut command = lab.client.command("sh");
        command.args(["-c", line]);
        lab.client.spawn_logged(&format!("bar-{place}"), command)
    };
    let bars: Vec<_> = commands.iter().enumerate().map(start).collect();
    let shows = |place: usize, wanted: &dyn Fn(&str) -> bool, what: &str| {
        let file = lab.dir().join(format!("logs/bar-{place}.log"));
        let shown = || std::fs::read_to_string(&file).unwrap_or_default();
        let last = || {
            let shown = shown();
            let last = shown.strip_suffix('\n')?.rsplit('\n').next()?;
            wanted(last).then_some(())
        };
        let shows = wait_for(SOON, last);
        assert!(shows.is_some(), "{}: {what}: {}", commands[place], shown());
        assert!(!shown().contains(['\r', '\u{1b}']), "{}", shown());
    };
    let json = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
    let off = |place: usize| match place {
        3 => shows(
            3,
            &|line| json(line) == json!({"text": "", "class": "off"}),
            "off",
        ),
        _ => shows(place, &str::is_empty, "off"),
    };
    (0..4).for_each(off);
    let end = at_terminal(&lab, BROWSER, "connect vpn").finish();
    assert!(end.success, "{}", end.text);
    for place in 0..3 {
        shows(place, &|line| line == "vpn", "up");
    }
    let up = json!({"text": "vpn", "class": "up"});
    shows(3, &|line| json(line) == up, "up");
    let click = waybar["on-click"].as_str().unwrap();
    lab.client.check(["sh", "-c", click]);
    (0..4).for_each(off);
    lab.client.signal("aws-client-vpn", Signal::TERM);
    drop(bars);
    lab.assert_clean(&before);
}

#[test]
fn one_that_stays_says_how_the_session_ended() {
    let (mut lab, before) = console(&[]);
    let mut terminal = at_terminal(&lab, BROWSER, "connect vpn --stay");
    terminal.expect("addresses", SOON);
    lab.traffic_flows();
    // Somebody takes it down: that is no failure.
    take_down(&lab, &before);
    assert_eq!(terminal.finish().code, Some(0));
    let mut terminal = at_terminal(&lab, BROWSER, "connect vpn --stay");
    terminal.expect("addresses", SOON);
    terminal.interrupt();
    assert_eq!(terminal.finish().code, Some(0));
    is_off(&lab);
    let mut terminal = at_terminal(&lab, BROWSER, "connect vpn --stay");
    terminal.expect("addresses", SOON);
    lab.kill_network_manager();
    assert_eq!(terminal.finish().code, Some(11));
}

/// NetworkManager takes any change around the interface of a lost connection for a tunnel that is up.
#[test]
fn what_networkmanager_calls_up_while_it_is_lost_is_not_up() {
    let (mut lab, before) = lab(&Options {
        logind: true,
        ..Options::default()
    });
    assert_up(&lab, &lab.up());
    lab.logind().lock();
    eventually("the lock is heard of", SOON, || {
        lab.journal().contains("the screen is locked").then_some(())
    });
    lab.endpoint().command(&json!({"kick": "all"}));
    eventually("the service waits", SOON, || {
        let waits = "waiting for the screen to be unlocked";
        lab.journal().contains(waits).then_some(())
    });
    is_in_state(&lab, "connecting");
    let connects = |options: &str| {
        let mut terminal = at_terminal(&lab, BROWSER, &format!("connect vpn{options}"));
        terminal.expect("Contacting the endpoint", SOON);
        terminal
    };
    let mut terminals = ["", " --stay"].map(connects);
    let states = lab.vpn_states().len();
    eventually("NetworkManager calls it up, again and again", SOON, || {
        lab.client.check([
            "sh",
            "-ec",
            "cd /sys/class/net
            for mtu in 1300 1301; do ip link set awsvpn* mtu $mtu; done",
        ]);
        let states = &lab.vpn_states()[states..];
        let up = states.iter().filter(|it| it.state == state::ACTIVATED);
        (up.count() >= 2).then_some(())
    });
    is_in_state(&lab, "connecting");
    let running = lab.client.processes_called("aws-client-vpn");
    assert_eq!(running.len(), 2, "{}", terminals[0].shown());
    lab.logind().unlock();
    for terminal in &mut terminals {
        terminal.expect("addresses", SOON);
        let shown = terminal.shown();
        assert!(shown.contains("state         up, "), "{shown}");
        assert!(!shown.contains("state         connecting"), "{shown}");
    }
    let [connect, mut stay] = terminals;
    assert_up(&lab, &connect.finish());
    stay.interrupt();
    assert_eq!(stay.finish().code, Some(0));
    is_off(&lab);
    lab.assert_clean(&before);
}

/// The page's script, for the connection `vpn`; what it mails goes to a file, and it waits for a line.
fn script(lab: &Lab) -> Terminal {
    let page = include_str!("../../../../docs/headless.md");
    let (_, rest) = page.split_once("    until ").unwrap();
    let (script, _) = rest.split_once("\n    done\n").unwrap();
    let script = script.replace(" work", " vpn");
    lab.at_terminal(&format!(
        "export {BROWSER}
         mail() {{ cat >/run/lab/mail; }}
         sleep() {{ echo Sleeps; read -r _; }}
         until {script}
         done"
    ))
}

#[test]
fn the_documents_script_connects_again_until_there_is_no_use_and_ends_when_taken_down() {
    let (mut lab, before) = console(&[]);
    let names = lab.client.check(["cat", "/etc/resolv.conf"]);
    let set_names = |lab: &Lab, names: &str| {
        let write = "printf '%s' \"$1\" >/etc/resolv.conf";
        lab.client.check(["sh", "-ec", write, "sh", names]);
    };
    set_names(&lab, "nameserver 192.0.2.99\n");
    let mut terminal = script(&lab);
    terminal.expect("Sleeps", SOON);
    set_names(&lab, &names);
    terminal.type_line("");
    terminal.expect("addresses", SOON);
    lab.traffic_flows();
    let deny = json!({"set": {"deny": "Call 4711."}});
    lab.endpoint().command(&deny);
    lab.endpoint().command(&json!({"kick": "all"}));
    // It ends, which is mailed, and is refused when it connects again.
    let end = terminal.finish();
    assert_eq!(end.code, Some(3), "{}", end.text);
    let mail = lab.client.check(["cat", "/run/lab/mail"]);
    assert!(mail.contains("Call 4711."), "{mail}");
    lab.client.check(["rm", "/run/lab/mail"]);
    lab.assert_clean(&before);

    lab.endpoint().command(&json!({"set": {"deny": ""}}));
    let mut terminal = script(&lab);
    terminal.expect("addresses", SOON);
    take_down(&lab, &before);
    let end = terminal.finish();
    assert_eq!(end.code, Some(0), "{}", end.text);
}

#[test]
fn a_connection_comes_up_at_the_login_and_never_against_the_person_s_off() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    lab.import("udp", 443);
    lab.import_as("later", "udp", 443, "");
    lab.import_as("elsewhere", "udp", 443, "");
    lab.client
        .check(["aws-client-vpn", "at-login", "vpn", "on"]);
    let network = lab.client.check([
        "nmcli",
        "--get-values",
        "GENERAL.CONNECTION",
        "device",
        "show",
        "eth0",
    ]);
    let except = [
        "aws-client-vpn",
        "at-login",
        "elsewhere",
        "on",
        "--except-on",
    ];
    lab.client.check(except.iter().chain(&[network.trim()]));
    let is_up = |name: &str| run(&lab, &["status", name]).status.success();
    let comes_up = |name: &str| {
        let up = wait_for(SOON, || is_up(name).then_some(()));
        assert!(up.is_some(), "{name} is not up\n{}", lab.journal());
    };
    let _desktop = lab.desktop();
    comes_up("vpn");
    lab.client.check(["aws-client-vpn", "disconnect", "vpn"]);
    // What is set up later waits for the next network, which switches nothing on that is off.
    lab.client
        .check(["aws-client-vpn", "at-login", "later", "on"]);
    lab.client
        .check(["nmcli", "--wait", "300", "device", "disconnect", "eth0"]);
    lab.client
        .check(["nmcli", "--wait", "300", "device", "connect", "eth0"]);
    comes_up("later");
    assert_eq!(["vpn", "elsewhere"].map(|name| began(&lab, name)), [1, 0]);
    let off = run(&lab, &["at-login", "later", "off"]);
    assert!(off.status.success(), "{off:?}");
}

/// How often a connection of this name was activated, by whomever.
fn began(lab: &Lab, name: &str) -> usize {
    let name = format!("name=\"{name}\"");
    let begins = |line: &&str| line.contains("op=\"connection-activate\"") && line.contains(&name);
    lab.journal().lines().filter(begins).count()
}

#[test]
fn a_connection_does_not_come_up_at_the_login_where_its_place_inside_is_reached() {
    let lab = Lab::start(&Options {
        agent: None,
        ..Options::default()
    });
    // Something answers at one port of the server's, at the other nothing.
    for (name, place) in [("inside", "192.0.2.2:1194"), ("outside", "192.0.2.2:9")] {
        lab.import_as(name, "udp", 443, "");
        let choice = ["aws-client-vpn", "at-login", name, "on"];
        lab.client
            .check(choice.iter().chain(&["--unless-reachable", place]));
    }
    lab.import_as("later", "udp", 443, "");
    let begins = |name: &str| {
        let began = wait_for(SOON, || (began(&lab, name) > 0).then_some(()));
        assert!(began.is_some(), "not {name}\n{}", lab.journal());
    };
    let _desktop = lab.desktop();
    begins("outside");
    // One that begins with the next network shows that the first is done with.
    lab.client
        .check(["aws-client-vpn", "at-login", "later", "on"]);
    lab.client
        .check(["nmcli", "--wait", "300", "device", "disconnect", "eth0"]);
    lab.client
        .check(["nmcli", "--wait", "300", "device", "connect", "eth0"]);
    begins("later");
    assert_eq!(began(&lab, "inside"), 0, "{}", lab.journal());
}
