//! The commands of README.md and docs/*.md, run as they stand there, at a terminal, page by page.
//!
//! [`LINES`] says of each line of code whether it is run. What is not has its reason there, and the
//! subcommands and options of our programs in it are looked up in their `--help`. A line that the
//! table does not know fails the test. (`tests/documents.rs` looks up what stands within sentences.)

use crate::{SOON, endpoint};
use aws_client_vpn_harness::{Lab, Options, Up};
use std::fs;
use std::path::{Path, PathBuf};

/// Where they run.
const DIRECTORY: &str = "/run/lab/documents";

/// What becomes of a line of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// It is run, and has to succeed.
    Run,
    /// It is run while the connection NAME is up.
    RunConnected,
    /// As [`Self::RunConnected`], and what it asks is answered with "yes".
    RunConnectedWithYes,
    /// It is a command that is not run, because of this.
    NotRun(&'static str),
    /// It is no command of a shell, but this.
    Text(&'static str),
}
use Line::{NotRun, Run, RunConnected, RunConnectedWithYes, Text};

const BUILDS: Line = NotRun("builds, installs or starts machines, for longer than a test may take");
const PACKAGES: Line = NotRun("changes the system's packages");
const SYSTEMD: Line = NotRun("changes what systemd starts: tests/system has the units at work");
const SCRIPT: Line = Text("the rest of a script that begins with a command above it");
const FILE: Line = Text("what is added to the file of a connection");
const BAR: Line = Text("the configuration of a status bar");

/// Every line of code, by how it begins; the longest beginning counts.
const LINES: [(&str, Line); 66] = [
    ("aws-client-vpn connect", Run),
    ("aws-client-vpn disconnect", Run),
    ("aws-client-vpn doctor", Run),
    ("aws-client-vpn import", Run),
    ("aws-client-vpn list", Run),
    ("aws-client-vpn logs", RunConnected),
    ("aws-client-vpn logs NAME --report", RunConnectedWithYes),
    ("aws-client-vpn remove", Run),
    ("aws-client-vpn renew", RunConnected),
    ("aws-client-vpn status", Run),
    ("aws-client-vpn-provision make", Run),
    ("chown ", Run),
    ("cp /usr/share/doc", Run),
    ("ip r", RunConnected),
    ("journalctl", RunConnected),
    ("nmcli --terse connection show", RunConnected),
    ("nmcli --wait 300 connection up", Run),
    ("nmcli connection", Run),
    (
        "nmcli connection modify WIFI",
        NotRun("is about the network's own connection: `network` has one without IPv6"),
    ),
    ("ss ", Run),
    ("/usr/libexec/nm-aws-client-vpn/openvpn", Run),
    (
        "until aws-client-vpn connect --stay",
        NotRun("does not end by itself: run in `command`"),
    ),
    (
        "aws-client-vpn status --follow",
        NotRun("does not end by itself: run in `command`"),
    ),
    (
        "nm-aws-client-vpn-agent",
        NotRun("does not end by itself: run in `own_agent`"),
    ),
    (
        "exec nm-aws-client-vpn-agent",
        Text("a line of sway's configuration"),
    ),
    ("ssh ", NotRun("needs a second computer: `command` acts it")),
    ("systemctl", SYSTEMD),
    (
        "convert ",
        NotRun("needs a desktop's picture: for those who change what it shows"),
    ),
    ("apt ", PACKAGES),
    ("dnf ", PACKAGES),
    ("rpmbuild ", BUILDS),
    ("scp ", NotRun("needs a second computer")),
    (
        "useradd ",
        NotRun("the account is there: for images that have it otherwise"),
    ),
    ("userdel ", PACKAGES),
    ("make build", BUILDS),
    ("make deb", BUILDS),
    ("make demo", BUILDS),
    ("make deps", BUILDS),
    ("make help", BUILDS),
    ("make install", BUILDS),
    ("make mutants", BUILDS),
    ("MUTANTS_PART=", BUILDS),
    ("make rpm", BUILDS),
    ("make selinux-", BUILDS),
    ("make test", BUILDS),
    ("make vm-", BUILDS),
    ("packaging/selinux/build.sh", BUILDS),
    ("code=$?", SCRIPT),
    ("case $code in", SCRIPT),
    ("7)", SCRIPT),
    ("10)", SCRIPT),
    ("jq ", SCRIPT),
    ("mail ", SCRIPT),
    ("*)", SCRIPT),
    ("esac", SCRIPT),
    ("done", SCRIPT),
    ("[vpn-secrets]", FILE),
    ("password=…", FILE),
    ("\"custom/vpn\"", BAR),
    ("[module/vpn]", BAR),
    ("type = custom/script", BAR),
    ("exec = ", BAR),
    ("tail = true", BAR),
    ("[vpn]", BAR),
    ("command=", BAR),
    ("interval=persist", BAR),
];

/// What stands for one value in the documents, and a value; what gives up by itself too soon for a
/// busy machine; where packages have what is in the test's own directory; and a number that counts the
/// interfaces that there have been.
const PLACEHOLDERS: [(&str, &str); 8] = [
    ("nmcli connection", "nmcli --wait 300 connection"),
    ("KEY=VALUE", "mssfix=1280"),
    ("-vpn.data KEY", "-vpn.data mssfix"),
    ("user:USER", "user:root"),
    ("password=…", "password=secret"),
    ("/usr/share/doc/network-manager-aws-client-vpn/docs/", ""),
    ("\"$USER\"", "root"),
    (
        "table 35001007",
        "table $(ip rule | sed -n 's/^32000:.* lookup //p')",
    ),
];

const PROGRAMS: [&str; 3] = [
    "aws-client-vpn",
    "aws-client-vpn-provision",
    "nm-aws-client-vpn-agent",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = vec![root().join("README.md")];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The lines of code of a page in Markdown, without `sudo` and remarks. Code of a named language is
/// none of a shell's.
fn code(page: &str) -> Vec<&str> {
    let mut fence = None;
    let mut lines = Vec::new();
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            fence = fence.is_none().then_some(language);
            continue;
        }
        let code = match (line.strip_prefix("    "), fence) {
            (_, Some("")) => line,
            (Some(code), None) => code,
            _ => continue,
        };
        let code = code.split(" #").next().unwrap_or_default().trim();
        let code = code.strip_prefix("sudo ").unwrap_or(code);
        if !code.is_empty() {
            lines.push(code);
        }
    }
    lines
}

/// What the table says of a line of code.
fn entry(line: &str) -> Option<(&'static str, Line)> {
    let known = LINES.iter().filter(|(begin, _)| line.starts_with(begin));
    known.max_by_key(|(begin, _)| begin.len()).copied()
}

fn at_terminal(lab: &Lab, line: &str, answers: bool) -> Up {
    let mut terminal = lab.at_terminal(&format!(
        "cd {DIRECTORY} && export BROWSER=/run/lab/bin/xdg-open PAGER=cat; {line}"
    ));
    if answers {
        terminal.expect("Type 'yes'", SOON);
        terminal.type_line("yes");
    }
    terminal.finish()
}

#[track_caller]
fn check(lab: &Lab, line: &str) {
    lab.client
        .check(["sh", "-c", &format!("cd {DIRECTORY} && {line}")]);
}

/// Looks our programs' subcommands and options of a line up in their help.
fn look_up(lab: &Lab, line: &str) -> usize {
    let mut words = line.split([' ', '"', '\'']).peekable();
    let mut found = 0;
    while let Some(program) = words.next() {
        if !PROGRAMS.contains(&program) {
            continue;
        }
        let mut help = vec![program];
        help.extend(words.next_if(|word| !word.is_empty() && !word.starts_with('-')));
        help.push("--help");
        let text = lab.client.check(&help);
        let known: Vec<&str> = text
            .split(|c: char| c != '-' && !c.is_alphanumeric())
            .collect();
        while let Some(word) = words.next_if(|word| !matches!(*word, "|" | "&&" | "")) {
            assert!(
                !word.starts_with('-') || known.contains(&word),
                "{line}: {help:?} does not have {word}"
            );
        }
        found += 1;
    }
    found
}

/// The settings that a page's examples leave make a connection: they are read as for connecting.
#[track_caller]
fn assert_settings_can_be_used(lab: &Lab, page: &Path) {
    let names = lab.client.check(["aws-client-vpn", "list", "--names"]);
    for name in names.lines() {
        let export = lab.client.run(["aws-client-vpn", "export", name]);
        let errors = String::from_utf8_lossy(&export.stderr);
        assert!(export.status.success(), "{}: {errors}", page.display());
    }
}

/// Deletes the connections that a page has made.
fn delete_connections(lab: &Lab) {
    check(
        lab,
        "nmcli --terse --fields UUID,TYPE connection show | sed -n 's/:vpn$//p' \
         | xargs -r nmcli --wait 300 connection delete",
    );
}

#[test]
fn the_commands_of_the_documents_do_what_they_say() {
    let lab = Lab::start(&Options {
        journal: true,
        ..endpoint(&["--auth-token", "--push=echo Authorised use only."])
    });
    // What the unit is copied to is a directory of the lab's own from then on.
    let to = "/etc/systemd/system/aws-client-vpn@.service";
    lab.client.check(["touch", to]);
    lab.client.check(["rm", to]);
    let before = lab.snapshot();
    let file = lab.profile("udp", 443);
    lab.client.check(["mkdir", "-p", DIRECTORY]);
    for name in ["downloaded-client-config.ovpn", "work.ovpn", "NAME.ovpn"] {
        check(&lab, &format!("cp {file} {name}"));
    }
    let unit = root().join("docs/aws-client-vpn@.service");
    let directory = lab.client.root().join(DIRECTORY.trim_start_matches('/'));
    fs::copy(unit, directory.join("aws-client-vpn@.service")).unwrap();
    let (mut ran, mut looked_up) = (0, 0);
    for (path, page) in pages() {
        let lines: Vec<(&str, Line)> = code(&page)
            .into_iter()
            .map(|line| match entry(line) {
                Some((_, what)) => (line, what),
                None => panic!("{}: no entry of LINES has {line}", path.display()),
            })
            .collect();
        let is_run = |what: &Line| matches!(what, Run | RunConnected | RunConnectedWithYes);
        let named = |(line, what): &(&str, Line)| is_run(what) && line.contains(" NAME");
        if lines
            .iter()
            .any(|line| named(line) || is_run(&line.1) && line.1 != Run)
        {
            check(
                &lab,
                "nmcli connection import type aws-client-vpn file NAME.ovpn",
            );
        }
        for (code, what) in lines {
            if !is_run(&what) {
                looked_up += look_up(&lab, code);
                continue;
            }
            if what != Run {
                check(
                    &lab,
                    "nmcli --terse --fields NAME connection show --active | grep -qx NAME \
                     || nmcli --wait 300 connection up NAME",
                );
            } else if code.contains("connection up ") || code.contains(" connect ") {
                check(
                    &lab,
                    "nmcli --terse --fields UUID,TYPE connection show --active \
                     | sed -n 's/:vpn$//p' | xargs -r nmcli --wait 300 connection down",
                );
            }
            let mut line = code.to_owned();
            for (name, value) in PLACEHOLDERS {
                line = line.replace(name, value);
            }
            let end = at_terminal(&lab, &line, what == RunConnectedWithYes);
            // What doctor finds is not at home in a lab.
            let is_done =
                end.success || code.starts_with("aws-client-vpn doctor") && end.code == Some(1);
            assert!(is_done, "{}: {line}: {}", path.display(), end.text);
            ran += 1;
        }
        assert_settings_can_be_used(&lab, &path);
        delete_connections(&lab);
    }
    assert!(ran > 70, "{ran} commands are run");
    assert!(looked_up > 8, "{looked_up} commands are looked up");
    lab.client.check(["rm", "-r", DIRECTORY]);
    lab.client.check(["rm", to]);
    lab.assert_clean(&before);
}

#[test]
fn each_entry_is_of_a_line_in_the_documents() {
    let pages = pages();
    let lines = pages.iter().flat_map(|(_, page)| code(page));
    let used: Vec<&str> = lines.filter_map(|line| Some(entry(line)?.0)).collect();
    for (begin, _) in LINES {
        assert!(used.contains(&begin), "no document has {begin}");
    }
    assert_eq!(
        code("    sudo nmcli a # b\n`nmcli b`\n```\nnmcli c\n\n```\n    make d\n```json\n{\n```\n"),
        ["nmcli a", "nmcli c", "make d"]
    );
    assert_eq!(entry("aws-client-vpn fly"), None);
    assert_eq!(entry("nmcli connection up work").unwrap().1, Run);
}
