//! No text for users stays untranslated: source, template and translation say the same, and
//! no text bypasses the catalogue.

use aws_client_vpn_po::catalogue;
use aws_client_vpn_po::source::{self, placeholders};
use aws_client_vpn_po::{Text, Use, root, source_files, texts};
use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::process::Command;

/// Where each text is read by a person, unless it is named below.
const FOR_PEOPLE: &[&str] = &[
    "editor/importer",
    "editor/form",
    "editor/gtk3",
    "editor/gtk4",
    "editor/plugin",
    "nm-plugin/profile-file",
    "nm-plugin/core/profile/src/problem.rs",
    "nm-plugin/core/profile/src/directive",
    "nm-plugin/core/profile/src/ovpn/parse.rs",
    "nm-plugin/core/sign-in/src/retry_reason.rs",
    "nm-plugin/core/session/src/session/failure.rs",
    "nm-plugin/core/profile/src/keyfile",
    "nm-plugin/core/profile/src/keyfile.rs",
    "nm-plugin/agent",
    "nm-plugin/attempt",
    "nm-plugin/secret-agent",
    // What else the dialog says is for the journal.
    "nm-plugin/auth-dialog/src/acs.rs",
    "nm-plugin/auth-dialog/src/browser/portal.rs",
    "nm-plugin/auth-dialog/src/page.rs",
    "nm-plugin/cli",
    // What goes into packages is for their tools.
    "nm-plugin/provision/src/release.rs",
    "nm-plugin/provision/src/main.rs",
    "nm-plugin/login-window",
];

/// Texts that look as if a person were to read them, below which path they stand, and why they are
/// not in the catalogue.
const NOT_TRANSLATED: &[(&str, &str, &str)] = &[
    ("", "AWS Client VPN", "a name"),
    ("", "Escape", "the name of a key"),
    (
        "nm-plugin/agent/src/at_login.rs",
        "Display",
        "a property of logind's",
    ),
    ("", "AWS Client VPN.ovpn", "the name of a file"),
    ("", "remote  65535 udp", "a directive"),
    ("", "BEGIN CERTIFICATE", "a mark in a file"),
    ("", "PRIVATE KEY", "a mark in a file"),
    ("", "Text({} bytes)", "for developers"),
    ("", "Secret", "for developers"),
    ("nm-plugin/cli/", "Mode", "a property on D-Bus"),
    ("nm-plugin/", "Uuid", "a property on D-Bus"),
    ("nm-plugin/cli/", "Version", "a property on D-Bus"),
    ("nm-plugin/cli/", "Domains", "a property on D-Bus"),
    ("nm-plugin/cli/", "Nameservers", "a property on D-Bus"),
    ("nm-plugin/cli/", "Configuration", "a property on D-Bus"),
    ("nm-plugin/cli/", "Delete", "a method on D-Bus"),
    ("nm-plugin/secret-agent/", "Get", "a method on D-Bus"),
    ("nm-plugin/cli/", "Timeout", "an error on D-Bus"),
    ("nm-plugin/cli/", "aws-client-vpn connect", "a command"),
    (
        "nm-plugin/cli/",
        "nobody is there",
        "for NetworkManager's log",
    ),
    (
        "nm-plugin/secret-agent/",
        "too many requests at a time",
        "for NetworkManager's log",
    ),
    ("nm-plugin/cli/", "State", "a property on D-Bus"),
    ("nm-plugin/", "Vpn", "a property on D-Bus"),
    ("nm-plugin/agent/", "Connectivity", "a property on D-Bus"),
    (
        "nm-plugin/cli/",
        "aws-client-vpn import PROFILE.ovpn",
        "a command",
    ),
    (
        "nm-plugin/cli/",
        "sudo systemd-sysusers /usr/lib/sysusers.d/nm-aws-client-vpn.conf",
        "a command",
    ),
    (
        "nm-plugin/cli/",
        "[year]-[month]-[day] [hour]:[minute]:[second] UTC",
        "a pattern",
    ),
    (
        "nm-plugin/cli/",
        "aws-client-vpn {version}, connection {uuid}; times are UTC",
        "for who reads the ticket",
    ),
    (
        "nm-plugin/cli/",
        "an unknown system",
        "for who reads the ticket",
    ),
    (
        "nm-plugin/cli/src/run.rs",
        "At least one check found a problem.",
        "for programs",
    ),
    (
        "nm-plugin/cli/src/logs/reporting.rs",
        "The report was not confirmed with 'yes', so it was not written.",
        "for programs",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "is a login banner set on the endpoint?",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "is client route enforcement on?",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "is the endpoint dual stack (IPv4 and IPv6)?",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "after how many hours does the endpoint end a session, and what came then?",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "connecting to ",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "the endpoint",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "the tunnel is up",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "the connection was lost",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "no success at this address",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "Control Channel:",
        "a line of OpenVPN's",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "Data Channel:",
        "a line of OpenVPN's",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "Options error:",
        "a line of OpenVPN's",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "Connection reset",
        "a line of OpenVPN's",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "Halt",
        "a line of OpenVPN's",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "PUSH: Received control message: '",
        "a line of OpenVPN's",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "Report on an endpoint of AWS Client VPN",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "\nwhat the endpoint did, in seconds",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "\nplease add what you know",
        "for who reads the report",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "second openvpn: ",
        "a line of OpenVPN's",
    ),
    (
        "nm-plugin/cli/src/logs/report.rs",
        "was pushed by server",
        "a line of OpenVPN's",
    ),
    ("nm-plugin/auth-dialog/", "Response", "a signal on D-Bus"),
    (
        "nm-plugin/auth-dialog/",
        "text/html; charset=utf-8",
        "a media type",
    ),
    (
        "nm-plugin/auth-dialog/",
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        "a policy for the browser",
    ),
    (
        "nm-plugin/auth-dialog/",
        "<p>{connecting}</p>\n<p>{advice}</p>",
        "a frame of texts",
    ),
    (
        "nm-plugin/core/sign-in/src/retry_reason.rs",
        "{} Enter {what} once more.",
        "for agents of others",
    ),
    ("nm-plugin/agent/", "Cinnamon", "a name"),
    ("nm-plugin/agent/", "Banner", "a property on D-Bus"),
    ("nm-plugin/agent/", "Connection", "a property on D-Bus"),
    ("nm-plugin/agent/", "Ends", "a signal on D-Bus"),
    ("nm-plugin/agent/", "Notify", "a method on D-Bus"),
    ("nm-plugin/secret-agent/", "Unregister", "a method on D-Bus"),
    (
        "nm-plugin/secret-agent/src/secret_agent.rs",
        "you have requested nothing",
        "D-Bus; the service of a connection reads it",
    ),
    (
        "nm-plugin/cli/src/doctor/collect.rs",
        "Ping",
        "the name of a method",
    ),
    (
        "nm-plugin/cli/src/when.rs",
        "[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory]:[offset_minute]",
        "the form of a time",
    ),
    (
        "nm-plugin/secret-agent/",
        "you are not NetworkManager",
        "for the log of who calls",
    ),
    (
        "nm-plugin/secret-agent/",
        "only for AWS Client VPN connections",
        "for the log of who calls",
    ),
    (
        "nm-plugin/secret-agent/",
        "the agent is about to end",
        "for NetworkManager's log",
    ),
    (
        "nm-plugin/secret-agent/",
        "by the user",
        "for NetworkManager's log",
    ),
    (
        "nm-plugin/secret-agent/",
        "taken back",
        "for NetworkManager's log",
    ),
];

#[test]
fn the_template_holds_every_text_of_the_source() {
    let written = read_to_string(root().join("po").join(catalogue::TEMPLATE)).unwrap();
    let due = catalogue::template(&texts(&root()).unwrap());
    assert!(
        written == due,
        "po/{} is not up to date: run `make words` and translate what is new",
        catalogue::TEMPLATE
    );
}

#[test]
fn translations_are_complete_and_keep_the_placeholders() {
    let directory = root().join("po");
    let texts = texts(&root()).unwrap();
    for language in read_to_string(directory.join("LINGUAS")).unwrap().lines() {
        let file = directory.join(format!("{language}.po"));
        let entries = entries(&read_to_string(&file).unwrap());
        let missing: Vec<_> = texts
            .keys()
            .filter(|text| {
                let same = |entry: &&Entry| entry.one == text.one && entry.many == text.many;
                let entry = entries.iter().find(same);
                !entry.is_some_and(|entry| {
                    !entry.fuzzy && !entry.translations.iter().any(String::is_empty)
                })
            })
            .collect();
        assert!(missing.is_empty(), "{language}.po lacks {missing:#?}");
        for entry in entries {
            let names = placeholders(&entry.one);
            for translation in &entry.translations {
                assert_eq!(
                    placeholders(translation),
                    names,
                    "{language}.po: {translation}"
                );
            }
        }
        let check = Command::new("msgfmt")
            .args(["--check", "--output-file=/dev/null"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(
            check.status.success(),
            "{}",
            String::from_utf8_lossy(&check.stderr)
        );
    }
}

#[test]
fn placeholders_and_values_belong_together() {
    for directory in ["editor", "nm-plugin"] {
        for file in source_files(&root(), directory).unwrap() {
            let found = source::read(&root().join(&file)).unwrap();
            assert!(
                found.mismatches.is_empty(),
                "{file}: {:#?}",
                found.mismatches
            );
        }
    }
}

#[test]
fn no_text_goes_round_the_catalogue() {
    let mut strays = Vec::new();
    for directory in FOR_PEOPLE.iter().copied() {
        assert!(
            root().join(directory).exists(),
            "{directory} is no more: say where its texts are now"
        );
        let files = match directory.strip_suffix(".rs") {
            Some(_) => vec![directory.to_owned()],
            None => source_files(&root(), directory).unwrap(),
        };
        for file in files {
            let found = source::read(&root().join(&file)).unwrap().strays;
            let unknown = found.into_iter().filter(|text| {
                let excused = |(place, known, _): &(&str, &str, &str)| {
                    file.starts_with(place) && known == text
                };
                !NOT_TRANSLATED.iter().any(excused)
            });
            strays.extend(unknown.map(|text| (file.clone(), text)));
        }
    }
    assert!(
        strays.is_empty(),
        "wrap them in gettext!, ngettext!, message! or gettext_noop!, or say in NOT_TRANSLATED why not: \
         {strays:#?}"
    );
}

#[test]
fn what_is_written_is_read() {
    let text = |one: &str, many: Option<&str>| Text {
        one: one.to_owned(),
        many: many.map(str::to_owned),
    };
    let used = |files: &[&str], notes: &[&str]| Use {
        files: files.iter().map(ToString::to_string).collect(),
        notes: notes.iter().map(ToString::to_string).collect(),
    };
    let texts = BTreeMap::from([
        (
            text("a \"quoted\" \\ text\n", None),
            used(&["a.rs"], &["What it is."]),
        ),
        (text("one", Some("many")), used(&["a.rs", "b.rs"], &[])),
    ]);
    let template = catalogue::template(&texts);
    assert!(template.contains("\n\n#. What it is.\n#: a.rs\nmsgid "));
    let read = entries(&template);
    let back: Vec<Text> = read
        .into_iter()
        .map(|entry| Text {
            one: entry.one,
            many: entry.many,
        })
        .collect();
    assert_eq!(back, texts.into_keys().collect::<Vec<_>>());
}

/// A text and its translations: one, or one for each plural form.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Entry {
    /// In English.
    one: String,
    /// For other numbers than one.
    many: Option<String>,
    /// In the language of the file; empty if not translated.
    translations: Vec<String>,
    /// Guessed by `msgmerge`, not looked at.
    fuzzy: bool,
}

/// The entries of a `.po` file without its header and what is not used any more.
fn entries(po: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for block in po.split("\n\n") {
        let mut entry = Entry::default();
        let mut field: Option<&mut String> = None;
        for line in block.lines().map(str::trim) {
            if line.starts_with('#') {
                entry.fuzzy |= line.starts_with("#,") && line.contains("fuzzy");
                continue;
            }
            let (keyword, text) = line.split_once('"').unwrap_or((line, ""));
            let text = unquoted(text.strip_suffix('"').unwrap_or(text));
            match keyword.trim() {
                "" => {}
                "msgid" => field = Some(&mut entry.one),
                "msgid_plural" => field = Some(entry.many.insert(String::new())),
                _ => {
                    entry.translations.push(String::new());
                    field = entry.translations.last_mut();
                }
            }
            if let Some(field) = &mut field {
                field.push_str(&text);
            }
        }
        if !entry.one.is_empty() {
            entries.push(entry);
        }
    }
    entries
}

fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    plain
}
