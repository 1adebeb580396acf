//! The man pages and completions in the tree are those of the command line as it is.
//!
//! They are committed, so that building a package needs no program of ours to be run. To write
//! them anew: `AWS_CLIENT_VPN_WRITE=1 cargo test -p aws-client-vpn-cli --test generated`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use aws_client_vpn_cli::command_line::CommandLine;
use clap::CommandFactory;
use clap_complete::Shell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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
    for folder in ["man", "completions"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = PathBuf::from(folder).join(entry.unwrap().file_name());
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
        let man = clap_mangen::Man::new(command)
            .section("1")
            .manual("AWS Client VPN");
        man.render(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
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
        let text = String::from_utf8(text).unwrap();
        files.insert(PathBuf::from(format!("completions/{name}")), text);
    }
    files
}
