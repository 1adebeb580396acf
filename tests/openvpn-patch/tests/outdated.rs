//! What `make openvpn-outdated` makes of Debian's answers. Another apt stands in for the system's,
//! so that no network is asked; versions are compared by the real dpkg.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// The script's answer where apt has this to say of OpenVPN.
fn outdated(madison: &str, update: &str) -> Output {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, script: &str| {
        let path = directory.path().join(name);
        fs::write(&path, script).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    };
    write(
        "apt-get",
        &format!(
            "#!/bin/sh\ncase \"$*\" in\n\
             indextargets*) printf '%s\\n' mirror:/debian/ mirror:/debian-security/ ;;\n\
             *update) {update} ;;\nesac\n"
        ),
    );
    write(
        "apt-cache",
        &format!("#!/bin/sh\ncat <<'END'\n{madison}\nEND\n"),
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Command::new(root.join("packaging/openvpn/outdated.sh"))
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", directory.path().display()),
        )
        .output()
        .expect("sh can be run")
}

/// What pin.sh has of a suite.
fn pinned(suite: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pin = fs::read_to_string(root.join("packaging/openvpn/pin.sh")).expect("pin.sh is there");
    let value = |key: &str| {
        let line = pin.lines().find_map(|line| line.strip_prefix(key));
        line.expect("pin.sh has it").trim_matches('\'').to_owned()
    };
    if value("suite=") == suite {
        return value("version=");
    }
    let compared = value("compared=");
    let version = compared.strip_prefix(suite).expect("the other suite");
    version.trim().to_owned()
}

fn madison(rows: &[(&str, &str)]) -> String {
    let row = |(suite, version): &(&str, &str)| {
        let archive = if suite.ends_with("-security") {
            "debian-security"
        } else {
            "debian"
        };
        format!("   openvpn | {version} | mirror:/{archive} {suite}/main Sources")
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Whether it is content, and what it says.
fn verdict(rows: &[(&str, &str)]) -> (bool, String) {
    let output = outdated(&madison(rows), "exit 0");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn what_was_looked_at_is_not_outdated() {
    let (trixie, bookworm) = (pinned("trixie"), pinned("bookworm"));
    let same = [
        ("trixie", &*trixie),
        ("trixie-security", &*trixie),
        ("bookworm", &*bookworm),
        ("bookworm-security", &*bookworm),
    ];
    let (content, said) = verdict(&same);
    assert!(content, "{said}");
    // The archives have older ones, too.
    let (content, said) = verdict(&[
        ("trixie", "2.6.14-1"),
        ("trixie-security", &trixie),
        ("bookworm", "2.6.3-1+deb12u4"),
    ]);
    assert!(content, "{said}");
}

#[test]
fn a_newer_one_in_any_of_the_archives_is_told_and_fails() {
    let (trixie, bookworm) = (pinned("trixie"), pinned("bookworm"));
    for suite in ["trixie", "trixie-security", "bookworm", "bookworm-security"] {
        let newer = format!("{}.1", pinned(suite.trim_end_matches("-security")));
        let rows = [
            ("trixie", &*trixie),
            ("bookworm", &*bookworm),
            (suite, &newer),
        ];
        let (content, said) = verdict(&rows);
        assert!(!content, "{suite}: {said}");
        assert!(said.contains(&newer), "{suite}: {said}");
    }
}

#[test]
fn versions_are_compared_as_dpkg_does() {
    let (trixie, bookworm) = (pinned("trixie"), pinned("bookworm"));
    // As text, u10 sorts before u3 and 2.6.9 after 2.6.14; ~ comes before the end.
    for (newer, is_newer) in [
        ("2.6.14-1+deb13u10", true),
        ("2.6.9-1", false),
        ("2.6.20-0+deb13u1", true),
        ("1:2.6.3-1", true),
        ("2.6.14-1~bpo13+1", false),
    ] {
        let rows = [
            ("trixie", &*trixie),
            ("bookworm", &*bookworm),
            ("trixie-security", newer),
        ];
        let (content, said) = verdict(&rows);
        assert_eq!(content, !is_newer, "{newer}: {said}");
    }
}

#[test]
fn a_suite_that_tells_nothing_is_a_failure() {
    let (trixie, bookworm) = (pinned("trixie"), pinned("bookworm"));
    for rows in [
        vec![("trixie", &*trixie)],
        vec![("bookworm", &*bookworm)],
        vec![("sid", "2.7.8-1")],
        vec![],
    ] {
        let (content, said) = verdict(&rows);
        assert!(!content, "{rows:?}: {said}");
    }
    // Nor are lists that could not be read good news.
    let rows = madison(&[("trixie", &trixie), ("bookworm", &bookworm)]);
    assert!(!outdated(&rows, "exit 100").status.success());
}
