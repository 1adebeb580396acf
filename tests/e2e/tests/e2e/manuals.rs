//! What `--help`, the manual pages, the completions and docs/scripting.md say of a program is the same,
//! in the same words: of the programs as they are staged, in both directions.

use aws_client_vpn_harness::Tools;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options or subcommands by name, with what is said of each.
type Described = BTreeMap<String, String>;

fn staged(path: &str) -> PathBuf {
    Tools::locate().stage.join("usr").join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn help(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(staged(program))
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(output.status.success(), "{program} {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A page of the manual, as it reads.
fn page(name: &str) -> String {
    let section = name.rsplit('.').next().unwrap();
    let text = read(&staged(&format!("share/man/man{section}/{name}")));
    ["\\fB", "\\fI", "\\fR"]
        .iter()
        .fold(text, |text, font| text.replace(font, ""))
        .replace("\\*(Aq", "'")
        .replace("\\-", "-")
        .replace("\\e", "\\")
}

/// The words of a description, without the default and the values that clap adds each in its way.
fn words(text: &str) -> String {
    let text = text.split("Possible values:").next().unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = text.rfind(" [default: ").filter(|_| text.ends_with(']'));
    text[..end.unwrap_or(text.len())].to_owned()
}

/// The name in the first column of a line about an option or a subcommand: `-o, --output <FILE>`.
fn name(head: &str) -> Option<String> {
    let mut parts = head.split([' ', ',']);
    let long =
        parts.find(|part| part.starts_with("--") || part.starts_with(char::is_alphabetic))?;
    Some(long.to_owned())
}

/// What a section of `--help` describes.
fn described(help: &str, section: &str) -> Described {
    let mut found = Described::new();
    let mut current = None;
    let mut inside = section.is_empty();
    for line in help.lines() {
        if !section.is_empty() && !line.starts_with(' ') && !line.is_empty() {
            inside = line == section;
            continue;
        }
        let indented = line.len() - line.trim_start().len();
        // Descriptions on lines of their own stand further in.
        let begins = match section {
            "Commands:" => indented == 2,
            _ => line.trim_start().starts_with('-') && indented <= 6,
        };
        if inside && begins && indented > 0 {
            let (head, rest) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
            current = name(head);
            found.insert(current.clone().unwrap(), rest.to_owned());
        } else if inside && let Some(current) = &current {
            let text = found.get_mut(current).unwrap();
            *text += " ";
            *text += line;
        }
    }
    found
        .into_iter()
        .map(|(name, text)| (name, words(&text)))
        .collect()
}

/// The subcommands of a program but for clap's own, which no page is about.
fn subcommands(help: &str) -> Described {
    let mut subcommands = described(help, "Commands:");
    subcommands.remove("help");
    subcommands
}

/// What the paragraphs of a manual page describe whose first line `is_head`.
fn paragraphs(page: &str, is_head: impl Fn(&str) -> bool) -> Described {
    let mut found = Described::new();
    for paragraph in page.split("\n.TP\n").skip(1) {
        let (head, text) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        let text = text.split("\n.S").next().unwrap_or_default();
        let text = text.split("\n.PP").next().unwrap_or_default();
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('.')).collect();
        if is_head(head) {
            found.insert(name(head).unwrap(), words(&text.join(" ")));
        }
    }
    found
}

fn options(page: &str) -> Described {
    paragraphs(page, |head| head.starts_with('-'))
}

/// What a manual page says that its program is for.
fn summary(page: &str) -> String {
    let line = page.split("\n.SH NAME\n").nth(1).unwrap();
    let line = line.lines().next().unwrap();
    line.split_once(" - ").unwrap().1.to_lowercase()
}

/// The rows of the table below a heading of a document.
fn document_rows(document: &str, heading: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = read(&root.join(document));
    let text = text.split(&format!("{heading}\n")).nth(1).unwrap();
    let table = text.lines().skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(str::to_owned).collect()
}

#[track_caller]
fn assert_same(what: &str, help: &Described, manual: &Described) {
    assert!(!help.is_empty(), "{what}");
    let names = |described: &Described| described.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(help), names(manual), "{what}");
    for (name, text) in help {
        assert_eq!(text, &manual[name], "{what}: {name}");
    }
}

/// Of these, the pages are written by hand.
#[test]
fn programs_and_their_manual_pages_say_the_same() {
    let agent = help("bin/nm-aws-client-vpn-agent", &["--help"]);
    let manual = page("nm-aws-client-vpn-agent.1");
    assert_same("agent", &described(&agent, "Options:"), &options(&manual));
    let about = agent.lines().next().unwrap().to_lowercase();
    assert_eq!(about, summary(&manual));

    let service = help("libexec/nm-aws-client-vpn-service", &["--help"]);
    let manual = page("nm-aws-client-vpn-service.8");
    assert_same("service", &described(&service, ""), &options(&manual));
    let about = service.lines().nth(1).unwrap();
    let about = about.split_once('.').unwrap().0.to_lowercase();
    assert_eq!(about, summary(&manual));

    let program = "bin/aws-client-vpn-provision";
    let provision = help(program, &["--help"]);
    let manual = page("aws-client-vpn-provision.1");
    assert_eq!(
        provision.lines().next().unwrap().to_lowercase(),
        summary(&manual)
    );
    let mut all = described(&provision, "Options:");
    let subcommands = subcommands(&provision);
    for subcommand in subcommands.keys() {
        let help = help(program, &[subcommand, "-h"]);
        all.extend(described(&help, "Options:"));
    }
    assert_same("provision", &all, &options(&manual));
    let described = paragraphs(&manual, |head| subcommands.contains_key(head));
    assert_same("provision's subcommands", &subcommands, &described);
}

/// The options of a subcommand that the completions offer, by shell.
fn completed(subcommand: &str) -> BTreeMap<&'static str, BTreeSet<String>> {
    let long = |text: &str| -> BTreeSet<String> {
        let is_name = |c: char| c == '-' || c.is_ascii_alphanumeric();
        let options = text.match_indices("--").map(|(at, _)| &text[at..]);
        let options = options.map(|text| &text[..text.find(|c| !is_name(c)).unwrap_or(text.len())]);
        let options = options.filter(|option| option.len() > 2);
        options.map(str::to_owned).collect()
    };
    let bash = read(&staged("share/bash-completion/completions/aws-client-vpn"));
    let block = format!(
        "\n        aws__client__vpn__subcmd__{})\n",
        subcommand.replace("-", "__subcmd__")
    );
    let bash = bash
        .split(&block)
        .nth(1)
        .unwrap()
        .split("opts=\"")
        .nth(1)
        .unwrap();
    let bash = long(bash.split('"').next().unwrap());
    let zsh = read(&staged("share/zsh/vendor-completions/_aws-client-vpn"));
    let zsh = zsh
        .split(&format!("({subcommand})\n_arguments"))
        .nth(1)
        .unwrap();
    let zsh = zsh.split("\n;;").next().unwrap().lines();
    let zsh = zsh.filter_map(|line| line.strip_prefix('\'')?.split(['[', '=']).next());
    let zsh = zsh.flat_map(long).collect();
    let fish = read(&staged(
        "share/fish/vendor_completions.d/aws-client-vpn.fish",
    ));
    let begin = format!("__fish_aws_client_vpn_using_subcommand {subcommand}\"");
    let fish = fish.lines().filter(|line| line.contains(&begin));
    let fish = fish.filter_map(|line| line.split(" -l ").nth(1)?.split(' ').next());
    let fish = fish.map(|name| format!("--{name}")).collect();
    BTreeMap::from([("bash", bash), ("zsh", zsh), ("fish", fish)])
}

#[test]
fn the_command_its_manual_pages_and_its_completions_have_the_same_options() {
    let program = "bin/aws-client-vpn";
    let main = help(program, &["--help"]);
    let manual = page("aws-client-vpn.1");
    assert_same("options", &described(&main, "Options:"), &options(&manual));
    let subcommands = subcommands(&main);
    assert!(subcommands.len() > 10, "{subcommands:?}");
    let listed = paragraphs(&manual, |head| head.ends_with("(1)"));
    let listed = listed.into_iter().map(|(name, text)| {
        let name = name.strip_prefix("aws-client-vpn-").unwrap();
        (name.strip_suffix("(1)").unwrap().to_owned(), text)
    });
    assert_same("subcommands", &subcommands, &listed.collect());
    let pages = fs::read_dir(staged("share/man/man1")).unwrap();
    let pages: BTreeSet<String> = pages
        .filter_map(|page| {
            let name = page.unwrap().file_name().into_string().unwrap();
            let name = name.strip_prefix("aws-client-vpn-")?.strip_suffix(".1")?;
            Some(name.to_owned())
        })
        // Programs of their own.
        .filter(|name| !matches!(name.as_str(), "importer" | "provision"))
        .collect();
    assert_eq!(pages, subcommands.keys().cloned().collect());
    for (subcommand, about) in subcommands {
        let text = help(program, &[&subcommand, "--help"]);
        let manual = page(&format!("aws-client-vpn-{subcommand}.1"));
        let has = described(&text, "Options:");
        assert_same(&subcommand, &has, &options(&manual));
        assert_eq!(about.to_lowercase(), summary(&manual), "{subcommand}");
        let names: BTreeSet<String> = has.into_keys().collect();
        for (shell, mut offered) in completed(&subcommand) {
            // Only they are told of it.
            offered.remove("--names");
            assert_eq!(names, offered, "{shell}: {subcommand}");
        }
    }
}

#[test]
fn commands_are_described_in_the_same_words_in_the_document_on_scripting() {
    let subcommands = subcommands(&help("bin/aws-client-vpn", &["--help"]));
    let rows = document_rows("docs/scripting.md", "# Scripting");
    let mut names = BTreeSet::new();
    for row in rows {
        let (command, text) = row.split_once(" | ").unwrap();
        let name = command
            .trim_start_matches("| `")
            .split([' ', '`'])
            .next()
            .unwrap();
        let about = subcommands.get(name).unwrap_or_else(|| panic!("{row}"));
        assert!(text.starts_with(&format!("{about}.")), "{row}: {about}");
        for (at, _) in text.match_indices("`--") {
            let option = text[at + 1..].split([' ', '`']).next().unwrap();
            let help = help("bin/aws-client-vpn", &[name, "--help"]);
            assert!(described(&help, "Options:").contains_key(option), "{row}");
        }
        names.insert(name.to_owned());
    }
    assert_eq!(names, subcommands.into_keys().collect());
}

/// The commands of AWS's client 6.0, as its user guide lists them.
const OF_AWS: [&str; 11] = [
    "connect",
    "disconnect",
    "delete-profile",
    "import-profile",
    "list-profiles",
    "get-config",
    "put-preference",
    "list-preferences",
    "get-connection-status",
    "list-connections",
    "send-diagnostic-logs",
];

#[test]
fn each_command_of_aws_s_client_has_one_here() {
    let subcommands = subcommands(&help("bin/aws-client-vpn", &["--help"]));
    let first_words = |text: &str| -> Vec<String> {
        let quoted = text.split('`').skip(1).step_by(2);
        let words = quoted.filter_map(|code| code.split(' ').next());
        words.map(ToOwned::to_owned).collect()
    };
    let mut theirs = BTreeSet::new();
    for row in document_rows("docs/scripting.md", "## From AWS's client") {
        let (command, ours) = row.trim_start_matches("| ").split_once(" | ").unwrap();
        let names = first_words(command).into_iter();
        theirs.extend(names.filter(|name| !name.starts_with('-')));
        for word in first_words(ours) {
            let is_option = word.starts_with('-');
            let is_known = word == "nmcli" || subcommands.contains_key(&word);
            assert!(is_option || is_known, "{word}: {row}");
        }
    }
    assert_eq!(theirs, OF_AWS.map(ToOwned::to_owned).into());
}

#[test]
fn exit_codes_are_explained_in_the_same_words_everywhere() {
    let text = help("bin/aws-client-vpn", &["--help"]);
    let codes = text.split("Exit codes:\n").nth(1).unwrap();
    let codes: Vec<String> = codes
        .lines()
        .take_while(|line| !line.is_empty())
        .map(words)
        .collect();
    let rows = document_rows("docs/scripting.md", "## Exit codes");
    let rows = rows
        .iter()
        .map(|row| words(&row.replace('|', " ").replace('`', "")));
    let rows: Vec<String> = rows.collect();
    assert!(codes.len() > 10, "{codes:?}");
    assert_eq!(codes, rows);
    let manual = page("aws-client-vpn.1");
    let lines: Vec<String> = manual.lines().map(words).collect();
    for code in codes {
        assert!(
            lines.contains(&code),
            "aws-client-vpn(1) does not have: {code}"
        );
    }
}

#[test]
fn descriptions_are_told_apart() {
    let help = "Do it\n\nCommands:\n  one  First\n\nOptions:\n  -o, --output <FILE>\n          \
                Where [default: here]\n\n          More\n      --short  Little [default: x]\n";
    let expected = [
        ("--output", "Where [default: here] More"),
        ("--short", "Little"),
    ];
    let pairs = |described: Described| described.into_iter().collect::<Vec<_>>();
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(pairs(described(help, "Options:")), expected);
    assert_eq!(described(help, "Commands:")["one"], "First");
    let page =
        ".SH OPTIONS\n.TP\n-o, --output FILE\nWhere\n.TP\n--short\nLittle\n.SH NEXT\n.TP\nx\nno\n";
    assert_eq!(options(page)["--short"], "Little");
    assert_eq!(options(page).len(), 2);
}
