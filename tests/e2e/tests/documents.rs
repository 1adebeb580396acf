//! A document that says "this test shows it" is wrong when there is no such test.
//!
//! `SECURITY.md` and `tests/FAULTS.md` name tests as links: the text is the test's name, the target
//! its file. The documents for users link to each other, and name settings, messages and commands.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The links `[name](path)` of a text whose paths end as Rust files do.
fn links(text: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    for (position, _) in text.match_indices("](") {
        let name = text[..position].rsplit('[').next().unwrap_or_default();
        let path = text[position + 2..].split(')').next().unwrap_or_default();
        if path.ends_with(".rs") {
            links.push((name, path));
        }
    }
    links
}

/// Whether `source` has a test called `name` that is run.
fn has_test(source: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(number, line)| {
        let declares = line.starts_with(&head) || line.starts_with(&format!("async {head}"));
        let attributes = || {
            lines[..number]
                .iter()
                .rev()
                .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
        };
        declares
            && attributes()
                .any(|line| line.starts_with("#[test") || line.starts_with("#[tokio::test"))
            && !attributes().any(|line| line.starts_with("#[ignore"))
    })
}

#[track_caller]
fn check(document: &str) -> usize {
    let path = root().join(document);
    let text = fs::read_to_string(&path).unwrap();
    let links = links(&text);
    for (name, file) in &links {
        let file = path.parent().unwrap().join(file);
        let source = fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{document}: {}: {error}", file.display()));
        assert!(
            has_test(&source, name),
            "{document} names {name}, which is no test in {}",
            file.display()
        );
    }
    links.len()
}

#[test]
fn the_threat_model_names_tests_that_exist() {
    assert!(check("SECURITY.md") > 30);
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with('|')).skip(2);
    for row in rows {
        assert!(row.contains("]("), "no test shows: {row}");
    }
}

#[test]
fn each_row_of_the_fault_table_names_a_test_that_exists() {
    check("tests/FAULTS.md");
    let text = fs::read_to_string(root().join("tests/FAULTS.md")).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| ") && line.chars().nth(2).is_some_and(char::is_numeric))
        .collect();
    assert!(rows.len() >= 40, "{} rows", rows.len());
    for (number, row) in rows.iter().enumerate() {
        let first = row.split('|').nth(1).unwrap().trim();
        assert_eq!(first, (number + 1).to_string(), "{row}");
        assert!(row.contains(".rs)"), "no test shows: {row}");
    }
}

#[test]
fn what_is_no_test_is_not_taken_for_one() {
    let source = "#[test]\nfn one() {}\nfn helper() {}\n#[test]\n#[ignore]\nfn off() {}\n\
                  #[tokio::test]\nasync fn two() {}\n";
    for (name, expected) in [
        ("one", true),
        ("two", true),
        ("helper", false),
        ("off", false),
    ] {
        assert_eq!(has_test(source, name), expected, "{name}");
    }
    assert_eq!(
        links("| [a](x.rs) [b](y.rs) | [c](z.md) |"),
        [("a", "x.rs"), ("b", "y.rs")]
    );
}

/// The documents that people read, below the root.
fn documents() -> Vec<PathBuf> {
    let mut documents: Vec<PathBuf> = [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
    ]
    .iter()
    .map(|name| root().join(name))
    .collect();
    let mut directories = vec![root().join("docs")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                documents.push(path);
            }
        }
    }
    documents
}

/// The headings of a text in Markdown.
fn headings(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter_map(move |line| {
        in_code ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        (!in_code && heading.len() < line.len()).then(|| heading.strip_prefix(' '))?
    })
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let kept = heading
        .to_lowercase()
        .chars()
        .filter(|c| kept(*c))
        .collect::<String>();
    kept.trim().replace(' ', "-")
}

/// What a text of a document's links and pictures lead to, other than the web.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let links = ["](", " src=\"", " srcset=\""].into_iter();
    links
        .flat_map(|begin| text.split(begin).skip(1))
        .map(|rest| rest.split([')', '"']).next().unwrap_or_default())
        .filter(|target| !target.contains("://"))
}

/// What is wrong with a link of the document at `path`, if something is.
fn broken(path: &Path, target: &str) -> Option<String> {
    let (file, wanted) = target.split_once('#').unwrap_or((target, ""));
    let file = match file {
        "" => path.to_owned(),
        _ => path.parent().unwrap().join(file),
    };
    if wanted.is_empty() {
        return (!file.exists()).then(|| format!("{} does not exist", file.display()));
    }
    let text = fs::read_to_string(&file).ok()?;
    (!headings(&text).any(|heading| anchor(heading) == wanted))
        .then(|| format!("{} has no heading #{wanted}", file.display()))
}

/// The commands in a document's lines and spans of code, without `sudo`.
fn commands(text: &str) -> Vec<String> {
    let mut in_code = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        let fence = line.starts_with("```");
        in_code ^= fence;
        let code: Vec<&str> = match line.strip_prefix("    ") {
            Some(code) => vec![code],
            None if in_code && !fence => vec![line],
            None => line.split('`').skip(1).step_by(2).collect(),
        };
        for code in code {
            let code = code.split(" #").next().unwrap_or_default();
            for command in code
                .split("&&")
                .map(str::trim)
                .filter(|one| !one.is_empty())
            {
                commands.push(command.strip_prefix("sudo ").unwrap_or(command).to_owned());
            }
        }
    }
    commands
}

/// What is wrong with a command, if something is.
fn unknown(command: &str) -> Option<String> {
    let mut words = command.split_whitespace();
    match words.next()? {
        "make" => {
            let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
            let target = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            words
                .take_while(target)
                .find(|word| !makefile.contains(&format!("\n{word}:")))
                .map(|word| format!("make has no target {word}"))
        }
        "aws-client-vpn" => {
            let command = words.next()?;
            let page = root().join(format!("nm-plugin/cli/man/aws-client-vpn-{command}.1"));
            if command.starts_with('-') {
                return None;
            }
            let Ok(page) = fs::read_to_string(page) else {
                return Some(format!("aws-client-vpn has no subcommand {command}"));
            };
            let page = page.replace("\\-", "-");
            words
                .filter(|word| word.starts_with("--"))
                .find(|option| !page.contains(option))
                .map(|option| format!("aws-client-vpn {command} has no option {option}"))
        }
        program @ ("aws-client-vpn-provision" | "nm-aws-client-vpn-agent") => {
            let page = root().join(format!("service-files/man/{program}.1"));
            let page = fs::read_to_string(page).unwrap().replace("\\-", "-");
            words
                .filter(|word| word.starts_with("--"))
                .find(|option| !page.contains(&format!("\\fB{option}\\fR")))
                .map(|option| format!("{program} has no option {option}"))
        }
        _ => None,
    }
}

/// The texts of the catalogue that `file` has.
fn messages(file: &str) -> Vec<String> {
    let catalogue = root().join("po/NetworkManager-aws-client-vpn.pot");
    let catalogue = fs::read_to_string(catalogue).unwrap();
    catalogue
        .split("\n\n")
        .filter(|entry| {
            entry
                .lines()
                .any(|line| line.starts_with("#:") && line.contains(file))
        })
        .filter_map(|entry| entry.split("msgid \"").nth(1)?.split("\"\n").next())
        .map(|text| text.replace("\\\"", "\""))
        .collect()
}

/// Whether a heading, in which "…" stands for anything, is the beginning of this message.
fn describes(heading: &str, message: &str) -> bool {
    let mut rest = message;
    heading.split('…').enumerate().all(|(number, part)| {
        let position = match number {
            0 => rest.starts_with(part).then_some(0),
            _ => rest.find(part),
        };
        rest = position.map_or("", |position| &rest[position + part.len()..]);
        position.is_some()
    })
}

/// The headings of the page about messages that are messages of ours.
fn explained() -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    headings(&text)
        .filter_map(|heading| heading.strip_prefix('`')?.strip_suffix('`'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_link_of_the_documents_leads_somewhere() {
    let mut followed = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for target in targets(&text) {
            assert_eq!(broken(&path, target), None, "{}", path.display());
            followed += 1;
        }
    }
    assert!(followed > 100, "{followed} links");
    let readme = root().join("README.md");
    for wrong in [
        "nowhere.md",
        "SECURITY.md#nowhere",
        "#nowhere",
        "docs/sign-in.md#nowhere",
    ] {
        assert!(broken(&readme, wrong).is_some(), "{wrong}");
    }
}

#[test]
fn the_readme_is_short_and_leads_to_every_page() {
    let path = root().join("README.md");
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.lines().count() <= 110,
        "{} lines",
        text.lines().count()
    );
    let linked: BTreeSet<&str> = targets(&text)
        .map(|target| target.split('#').next().unwrap_or_default())
        .collect();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            assert!(
                linked.contains(format!("docs/{name}").as_str()),
                "README does not name {name}"
            );
        }
    }
}

/// The keys of a connection's settings, as the table in the code has them, and whether each is a
/// secret's name.
fn keys() -> Vec<(String, bool)> {
    let keys = fs::read_to_string(root().join("nm-plugin/core/profile/src/keys.rs")).unwrap();
    let mut found = Vec::new();
    let mut is_secret = false;
    for line in keys.lines() {
        if let Some(comment) = line.strip_prefix("/// ") {
            is_secret |= comment.starts_with("The secret ");
            continue;
        }
        let constant = line.split_once("const ").and_then(|(_, constant)| {
            let (name, value) = constant.split_once(": &str = \"")?;
            Some((name, value.strip_suffix("\";")?))
        });
        // The others are values, not keys.
        if let Some((name, key)) = constant
            && !name.starts_with("SIGN_IN_")
            && !matches!(name, "YES" | "NO")
        {
            found.push((key.to_owned(), is_secret));
        }
        is_secret = false;
    }
    found
}

/// The keys of `vpn.data` that a document's commands set or take away.
fn keys_used(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for command in commands(text) {
        for sign in ["+vpn.data ", "-vpn.data "] {
            for rest in command.split(sign).skip(1) {
                let key = rest.split(['=', ' ']).next().unwrap_or_default();
                // What stands for any key.
                if key != "KEY" {
                    used.insert(key.to_owned());
                }
            }
        }
    }
    used
}

#[test]
fn each_setting_has_a_heading_and_an_example() {
    let keys = keys();
    assert!(keys.len() > 30, "{keys:?}");
    let page = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let sections: Vec<&str> = page.split("\n### ").skip(1).collect();
    let headings: BTreeSet<&str> = sections
        .iter()
        .filter_map(|section| section.lines().next())
        .collect();
    assert_eq!(headings, keys.iter().map(|(key, _)| key.as_str()).collect());
    for section in sections {
        let key = section.lines().next().unwrap();
        // Of a secret, what can be set is where it is kept.
        let example = match keys
            .iter()
            .any(|(secret, is_secret)| *is_secret && secret == key)
        {
            true => format!("{key}-flags"),
            false => key.to_owned(),
        };
        let has_example = keys_used(section).contains(&example);
        assert!(
            has_example || key == "saml-response",
            "{key} has no example"
        );
    }
}

#[test]
fn each_setting_that_a_document_sets_exists() {
    let keys = keys();
    let exists = |used: &str| {
        let of_secret = used.strip_suffix("-flags");
        let is_key = |(key, is_secret): &(String, bool)| match of_secret {
            Some(secret) => *is_secret && key == secret,
            None => !is_secret && key == used,
        };
        keys.iter().any(is_key)
    };
    let mut seen = 0;
    for path in documents() {
        for used in keys_used(&fs::read_to_string(&path).unwrap()) {
            assert!(
                exists(&used),
                "{}: there is no setting {used}",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} settings");
    assert!(!exists("mssfixed") && !exists("mssfix-flags") && !exists("password"));
    assert!(exists("password-flags"));
    let text = "`nmcli connection modify NAME +vpn.data a=b -vpn.data c`";
    assert_eq!(
        keys_used(text),
        BTreeSet::from(["a".to_owned(), "c".to_owned()])
    );
}

#[test]
fn each_message_that_is_explained_exists() {
    let all = messages("");
    let explained = explained();
    assert!(explained.len() > 25, "{explained:?}");
    for heading in explained {
        let exists = all.iter().any(|message| describes(&heading, message));
        assert!(exists, "no message begins with: {heading}");
    }
}

#[test]
fn each_failure_of_a_connection_is_explained() {
    let failures = messages("session/src/session/failure.rs");
    assert!(failures.len() > 25, "{} failures", failures.len());
    let explained = explained();
    for failure in failures {
        let is_explained = explained.iter().any(|heading| describes(heading, &failure));
        assert!(
            is_explained,
            "docs/troubleshooting.md does not explain: {failure}"
        );
    }
    assert!(describes("no … in …", "no {0} in {1}"));
    assert!(!describes("no … in …", "in no {0}"));
}

#[test]
fn each_command_of_the_documents_exists() {
    let mut seen = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for command in commands(&text) {
            assert_eq!(unknown(&command), None, "{}: {command}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} commands");
    for wrong in [
        "make nothing",
        "aws-client-vpn fly",
        "aws-client-vpn status --loud",
        "aws-client-vpn-provision make work.ovpn --loud",
        "nm-aws-client-vpn-agent --back",
    ] {
        assert!(unknown(wrong).is_some(), "{wrong}");
    }
    assert_eq!(
        commands("`sudo make test` it\n    make deb && make rpm # both\n```\nmake unit\n```\n"),
        ["make test", "make deb", "make rpm", "make unit"]
    );
}

/// A text in Markdown as a page of `man` prints it: `code` and **words** are bold, a link is its text
/// and the file that it leads to.
fn roff(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let (name, after) = link.split_once(']').unwrap_or((link, ""));
        let target = after
            .strip_prefix('(')
            .and_then(|after| after.split_once(')'));
        plain += before;
        plain += name;
        if let Some((target, _)) = target {
            let file = target.split('#').next().unwrap_or_default();
            plain += &format!(" ({file})");
        }
        rest = target.map_or(after, |(_, after)| after);
    }
    plain += rest;
    let escaped = plain
        .replace("**", "`")
        .replace('\\', "\\e")
        .replace('-', "\\-");
    let mut words = String::new();
    for (number, part) in escaped.split('`').enumerate() {
        words += ["", "\\fB", "\\fR"][if number == 0 { 0 } else { 2 - number % 2 }];
        words += part;
    }
    match words.starts_with(['.', '\'']) {
        true => format!("\\&{words}"),
        false => words,
    }
}

/// `nm-settings-aws-client-vpn(5)`, out of the page about settings.
fn manual(page: &str) -> String {
    let mut manual = String::from(
        ".\\\" Written by the test `documents` out of docs/settings.md.\n\
         .TH nm\\-settings\\-aws\\-client\\-vpn 5 \"\" \"NetworkManager\\-aws\\-client\\-vpn\" \"AWS Client VPN\"\n\
         .SH NAME\n\
         nm\\-settings\\-aws\\-client\\-vpn \\- settings of AWS Client VPN connections in NetworkManager\n\
         .SH DESCRIPTION\n",
    );
    let mut in_code = false;
    for line in page.lines().skip(1) {
        let code = line.strip_prefix("    ");
        if code.is_some() != in_code {
            in_code = code.is_some();
            manual += if in_code { ".PP\n.nf\n" } else { ".fi\n" };
        }
        if let Some(code) = code {
            manual += &roff(code);
        } else if let Some(heading) = line.strip_prefix("### ") {
            manual += &format!(".SS {}", roff(heading));
        } else if let Some(heading) = line.strip_prefix("## ") {
            manual += &format!(".SH {}", roff(heading).to_uppercase());
        } else if line.is_empty() {
            manual += ".PP";
        } else if !line.starts_with("![") {
            manual += &roff(line);
        } else {
            continue;
        }
        manual += "\n";
    }
    manual += if in_code { ".fi\n" } else { "" };
    // A paragraph that begins where another thing does is none.
    let mut kept: Vec<&str> = Vec::new();
    for line in manual.lines() {
        if line.starts_with(".S") || line == ".PP" {
            while kept.last() == Some(&".PP") {
                kept.pop();
            }
        }
        let begins = kept.last().is_some_and(|last| last.starts_with(".S"));
        if line != ".PP" || !begins {
            kept.push(line);
        }
    }
    kept.push(".SH SEE ALSO");
    kept.push(
        "\\fBaws\\-client\\-vpn\\fR(1), \\fBnmcli\\fR(1), \\fBnm\\-settings\\-nmcli\\fR(5)\n\
         .PP\n\
         Packages have the files named here (.md) in /usr/share/doc/network\\-manager\\-aws\\-client\\-vpn/docs\n\
         or /usr/share/doc/NetworkManager\\-aws\\-client\\-vpn/docs.\n",
    );
    kept.join("\n")
}

/// To write it: `AWS_CLIENT_VPN_WRITE=1 cargo test -p aws-client-vpn-e2e --test documents`.
#[test]
fn the_manual_of_the_settings_is_current() {
    let page = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let path = root().join("service-files/man/nm-settings-aws-client-vpn.5");
    let expected = manual(&page);
    if std::env::var_os("AWS_CLIENT_VPN_WRITE").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == expected, "{} is not current", path.display());
    assert_eq!(
        roff("`a-b` of **[c](d.md#e)**, \\n"),
        "\\fBa\\-b\\fR of \\fBc (d.md)\\fR, \\en"
    );
}

#[test]
fn each_source_file_that_is_named_exists() {
    let mut sources = Vec::new();
    let mut directories = vec![root().join("nm-plugin"), root().join("editor")];
    directories.push(root().join("tests"));
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                sources.push(path);
            }
        }
    }
    let exists = |name: &str| sources.iter().any(|source| source.ends_with(name));
    let mut seen = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for name in text.split('`').filter(|span| span.ends_with(".rs")) {
            assert!(exists(name), "{} names {name}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen} files");
    assert!(!exists("core/session/src/nothing.rs"));
}
