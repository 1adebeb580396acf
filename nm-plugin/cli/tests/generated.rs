//! The man pages and completions in the tree are those of the command line as it is.
//!
//! They are committed, so that building a package needs no program of ours to be run. To write
//! them again: `AWS_CLIENT_VPN_WRITE=1 cargo test -p aws-client-vpn-cli --test generated`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use aws_client_vpn_cli::command_line::CommandLine;
use clap::CommandFactory;
use clap_complete::Shell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn man_pages_and_completions_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let write = std::env::var_os("AWS_CLIENT_VPN_WRITE").is_some();
    for (path, text) in generated() {
        let path = root.join(path);
        if write {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        } else {
            let committed = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == text,
                "{} is not current; see this test's first lines",
                path.display()
            );
        }
    }
}

#[test]
fn nothing_else_lies_beside_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let expected = generated();
    for directory in ["man", "completions"] {
        for entry in fs::read_dir(root.join(directory)).unwrap() {
            let path = PathBuf::from(directory).join(entry.unwrap().file_name());
            assert!(expected.contains_key(&path), "{} is left", path.display());
        }
    }
}

fn generated() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut command = CommandLine::command().disable_help_subcommand(true);
    command.build();
    let mut page = |name: &str, command: clap::Command| {
        let mut text = Vec::new();
        let synopsis = synopsis(name, &command);
        let man = clap_mangen::Man::new(command)
            .section("1")
            .source("NetworkManager-aws-client-vpn")
            .manual("AWS Client VPN");
        man.render(&mut text).unwrap();
        let text = with_synopsis(&String::from_utf8(text).unwrap(), &synopsis);
        let text = with_sections(&text) + &see_also(name);
        files.insert(PathBuf::from(format!("man/{name}.1")), text);
    };
    page("aws-client-vpn", command.clone());
    for subcommand in command.get_subcommands() {
        let name = format!("aws-client-vpn-{}", subcommand.get_name());
        page(&name, subcommand.clone().display_name(&name));
    }
    for (shell, name) in [
        (Shell::Bash, "aws-client-vpn.bash"),
        (Shell::Zsh, "_aws-client-vpn"),
        (Shell::Fish, "aws-client-vpn.fish"),
    ] {
        let mut text = Vec::new();
        let mut command = CommandLine::command().disable_help_subcommand(true);
        clap_complete::generate(shell, &mut command, "aws-client-vpn", &mut text);
        let text = with_names(shell, &String::from_utf8(text).unwrap(), &command);
        files.insert(PathBuf::from(format!("completions/{name}")), text);
    }
    files
}

/// The page, with what stands below `--help` in sections of their own, as it is laid out there.
fn with_sections(page: &str) -> String {
    let Some((before, extra)) = page.split_once(".SH EXTRA\nExit codes:\n") else {
        return page.to_owned();
    };
    let (codes, rest) = extra.split_once("\n\nJSON:\n").unwrap();
    let (json, rest) = rest.split_once("\n\nExamples:\n").unwrap();
    let (examples, rest) = rest.split_once("\n.SH ").unwrap();
    let json: Vec<&str> = json.lines().map(str::trim_start).collect();
    let json = json.join("\n");
    format!(
        "{before}.SH \"EXIT STATUS\"\n.nf\n{codes}\n.fi\n.SH JSON\n{json}\n\
         .SH EXAMPLES\n.nf\n{examples}\n.fi\n.SH {rest}"
    )
}

/// What a page ends with: the pages beside it.
fn see_also(name: &str) -> String {
    if name == "aws-client-vpn" {
        let pages = "\\fBnm\\-aws\\-client\\-vpn\\-agent\\fR(1), \\fBnmcli\\fR(1), \
                     \\fBnm\\-settings\\-aws\\-client\\-vpn\\fR(5)";
        return format!(".SH \"SEE ALSO\"\n{pages}\n");
    }
    ".SH \"EXIT STATUS\"\nSee \\fBaws\\-client\\-vpn\\fR(1).\n".to_owned()
}

/// The page, with `synopsis` in the place of clap's, which has neither values nor dots.
fn with_synopsis(page: &str, synopsis: &str) -> String {
    let (before, rest) = page.split_once(".SH SYNOPSIS\n").unwrap();
    let (_, rest) = rest.split_once("\n").unwrap();
    format!("{before}.SH SYNOPSIS\n{synopsis}\n{rest}")
}

/// How a command is called: its options, then what has none.
fn synopsis(name: &str, command: &clap::Command) -> String {
    let escaped = |text: &str| text.replace('-', "\\-");
    let arguments = || command.get_arguments().filter(|it| !it.is_hide_set());
    let form = |argument: &clap::Arg| {
        let values = argument.get_value_names().unwrap_or_default();
        let values = values
            .iter()
            .map(|value| format!("\\fI{}\\fR", escaped(value)));
        let takes_value = argument.get_action().takes_values();
        let value = values.filter(|_| takes_value).collect::<Vec<_>>().join(" ");
        let names: Vec<_> = argument
            .get_short()
            .map(|short| format!("\\fB\\-{short}\\fR"))
            .into_iter()
            .chain(
                argument
                    .get_long()
                    .map(|long| format!("\\fB\\-\\-{}\\fR", escaped(long))),
            )
            .collect();
        let form = [names.join("|"), value].join(" ");
        let form = match argument.is_required_set() {
            true => form.trim().to_owned(),
            false => format!("[{}]", form.trim()),
        };
        let is_repeated = matches!(argument.get_action(), clap::ArgAction::Append);
        form + if is_repeated { "..." } else { "" }
    };
    // As it is typed: the page of a subcommand is called after both words.
    let called = match name.strip_prefix("aws-client-vpn-") {
        Some(subcommand) => format!("aws-client-vpn {subcommand}"),
        None => name.to_owned(),
    };
    let mut words = vec![format!("\\fB{}\\fR", escaped(&called))];
    words.extend(arguments().filter(|it| !it.is_positional()).map(form));
    words.extend(arguments().filter(|it| it.is_positional()).map(form));
    if command.has_subcommands() {
        words.push("\\fICOMMAND\\fR".to_owned());
    }
    words.join(" ")
}

/// The script, with the names of connections where one is wanted: they are asked for when they are,
/// which a script of clap's cannot.
fn with_names(shell: Shell, script: &str, command: &clap::Command) -> String {
    let takes_name = |command: &&clap::Command| {
        let mut positionals = command.get_positionals();
        positionals.any(|argument| argument.get_id() == "connection")
    };
    let commands = command.get_subcommands().filter(takes_name);
    let commands: Vec<&str> = commands.map(clap::Command::get_name).collect();
    if shell == Shell::Bash {
        let commands = commands.join(" | ");
        let valued = command.get_subcommands().flat_map(options_with_value);
        let valued: BTreeSet<_> = valued.collect();
        let valued = Vec::from_iter(valued).join(" | ");
        // clap_complete takes the dashes of our name for steps to subcommands in one of two places.
        let script = script.replace("aws__subcmd__client__subcmd__vpn", "aws__client__vpn");
        let wrapper = BASH.replace("COMMANDS", &commands);
        script + &wrapper.replace("VALUED", &valued)
    } else if shell == Shell::Zsh {
        let script = with_own_names(script);
        let (head, body) = script.split_once("_aws-client-vpn() {").unwrap();
        [head, ZSH, "_aws-client-vpn() {", body].concat()
    } else {
        let lines = commands.iter().map(|name| FISH.replace("COMMAND", name));
        script.to_owned() + &lines.collect::<String>()
    }
}

/// The options of a command that a value comes after.
fn options_with_value(command: &clap::Command) -> Vec<String> {
    let valued = command
        .get_opts()
        .filter(|it| it.get_action().takes_values());
    let names = valued.flat_map(|option| {
        let long = option.get_long().map(|long| format!("--{long}"));
        let short = option.get_short().map(|short| format!("-{short}"));
        long.into_iter().chain(short)
    });
    names.collect()
}

// Bash takes a "=" for a word of its own.
const BASH: &str = r#"
_aws-client-vpn-or-name() {
    local cur=${COMP_WORDS[COMP_CWORD]} command='' name i
    for (( i = 1; i < COMP_CWORD; i++ )); do
        case "${COMP_WORDS[i]}" in
            VALUED)
                [[ ${COMP_WORDS[i+1]} == = ]] && (( i++ ))
                (( i++ ))
                ;;
            -*) ;;
            *) command+=" ${COMP_WORDS[i]}" ;;
        esac
    done
    if [[ $i -eq $COMP_CWORD && $cur != -* ]]; then
        case "${command# }" in
            COMMANDS)
                local IFS=$'\n'
                COMPREPLY=()
                for name in $(aws-client-vpn list --names 2>/dev/null); do
                    [[ $name == "${cur//\\/}"* ]] && COMPREPLY+=("$(printf %q "$name")")
                done
                return 0
                ;;
        esac
    fi
    _aws__client__vpn "$@"
}
complete -F _aws-client-vpn-or-name -o bashdefault -o default aws-client-vpn
"#;

const ZSH: &str = r#"_aws-client-vpn-names() {
    local -a names
    names=(${(f)"$(_call_program names aws-client-vpn list --names 2>/dev/null)"})
    (( $#names )) && compadd -a names
}

"#;

const FISH: &str = "complete -c aws-client-vpn -n \"__fish_aws_client_vpn_using_subcommand \
                    COMMAND\" -f -a '(aws-client-vpn list --names 2>/dev/null)'\n";

/// The lines of zsh's script that take a connection, with our names in the place of files.
fn with_own_names(script: &str) -> String {
    let lines = script
        .lines()
        .map(|line| match line.contains(":connection -- ") {
            true => line.replace(":_default'", ":_aws-client-vpn-names'"),
            false => line.to_owned(),
        });
    lines.map(|line| line + "\n").collect()
}

#[test]
fn bash_completes_the_names_of_connections() {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/completions/aws-client-vpn.bash"
    );
    let completed = |words: &str| {
        let line = format!(
            "aws-client-vpn() {{ [[ $1 == list && $2 == --names ]] && printf 'work\\nmy vpn\\nwonder\\n'; }}
             . {script}
             COMP_WORDS=(aws-client-vpn {words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
             _aws-client-vpn-or-name aws-client-vpn \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &line]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(completed("connect ''"), "work\nmy\\ vpn\nwonder\n");
    assert_eq!(completed("connect wo"), "work\nwonder\n");
    assert_eq!(completed("disconnect 'my\\ '"), "my\\ vpn\n");
    for before in [
        "--json connect",
        "export -o file",
        "connect --timeout 5 --no-browser",
        "connect --timeout = 5",
    ] {
        assert_eq!(
            completed(&format!("{before} wo")),
            "work\nwonder\n",
            "{before}"
        );
    }
    // Neither after a name, nor where an option wants something else.
    for words in [
        "at-login work ''",
        "export work -o ''",
        "export -o ''",
        "connect work ''",
        "connect --timeout ''",
        "connect --timeout = ''",
        "logs --file wo",
        "import wo",
    ] {
        let completed = completed(words);
        assert!(!completed.contains("work\nwonder"), "{words}: {completed}");
    }
    assert!(completed("at-login work ''").contains("on\noff"));
    assert!(completed("connect --no").contains("--no-browser"));
    assert!(completed("conn").contains("connect"));
}
