//! The real dialog asked for passwords and codes, with a window that the test plays, and with a
//! real keyring.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up what it needs has failed"
)]

#[expect(dead_code, reason = "shared with the tests of logins in the browser")]
#[path = "dialog/desktop.rs"]
mod desktop;
#[expect(dead_code, reason = "shared with the tests of logins in the browser")]
#[path = "dialog/installed.rs"]
mod installed;
#[path = "dialog/keyring.rs"]
mod keyring;
#[expect(dead_code, reason = "shared with the tests of logins in the browser")]
#[path = "dialog/world.rs"]
mod world;

use installed::Installed;
use keyring::Keyring;
use std::process::{Command, Stdio};
use world::*;

const UUID: &str = "8f9cbe40-4ec5-4bb5-8a2c-5a5c29a9c6a8";
const DATA: &str = "DATA_KEY=sign-in\nDATA_VAL=password\n\nDATA_KEY=username\nDATA_VAL=ada\n\n\
    DATA_KEY=static-challenge\nDATA_VAL=Enter MFA code\n\n\
    DATA_KEY=password-flags\nDATA_VAL=1\n\nDATA_KEY=challenge-response-flags\nDATA_VAL=3\n\n";
const BOTH: &[&str] = &[
    "password",
    "challenge-response",
    "x-aws-client-vpn-question:Enter MFA code",
    "x-aws-client-vpn-seconds-left:60",
    "x-vpn-message:Enter MFA code",
];
const PASSWORD: &[&str] = &["password", "x-aws-client-vpn-seconds-left:60"];
const NOTHING: &str = "\n\n";

fn start(command: &mut Command) -> Dialog {
    let mut dialog = Dialog::start(command);
    dialog.say(&format!("{DATA}DONE\n\n"));
    dialog
}

fn finish(mut dialog: Dialog) -> String {
    let answer = dialog.answer();
    dialog.say("QUIT\n\n");
    assert!(dialog.ends().success());
    answer
}

/// Waits until the window is gone. A dialog that has ended may have killed it before it notes so.
fn closes(installed: &Installed) {
    let window = installed.window().to_string_lossy().into_owned();
    until(|| (!runs(&window)).then_some(()));
}

/// Whether a process has `word` among its arguments.
fn runs(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .any(|line| line.split('\0').any(|argument| argument == word))
}

/// As an agent runs it that may not ask.
fn silent(installed: &Installed) -> Command {
    let mut command = Command::new(installed.program());
    command
        .args(["-u", UUID, "-n", "Work", "-s", SERVICE])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("DISPLAY", ":99")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

#[test]
fn everything_is_asked_in_one_window() {
    isolated(|| {
        let installed = Installed::new();
        let mut dialog = start(&mut installed.command_for(None, BOTH));
        assert_eq!(installed.told(), "started with 0");
        assert_eq!(
            installed.told(),
            "form\tWork & <b>Co</b>\t60\tEnter MFA code\tpassword\t\tmk\t\
         challenge-response\tEnter MFA code\tm"
        );
        assert!(dialog.is_running());
        installed.action("answer\tremember\tpassword\thunter2\tchallenge-response\t123456");
        assert_eq!(
            finish(dialog),
            "password\nhunter2\nchallenge-response\n123456\n\n\n"
        );
        closes(&installed);
    });
}

#[test]
fn what_shall_not_be_kept_is_hidden_from_agents_that_keep() {
    isolated(|| {
        let installed = Installed::new();
        let dialog = start(&mut installed.command_for(None, PASSWORD));
        installed.told();
        installed.told();
        installed.action("answer\tonce\tpassword\thunter2");
        assert_eq!(
            finish(dialog),
            "saml-response\ntyped-once\tpassword\thunter2\n\n\n"
        );
    });
}

#[test]
fn cancel_is_the_user_s_cancel() {
    isolated(|| {
        let installed = Installed::new();
        let mut dialog = start(&mut installed.command_for(None, PASSWORD));
        installed.told();
        installed.told();
        installed.action("cancel");
        assert_eq!(dialog.ends().code(), Some(1));
        assert_eq!(dialog.rest(), "");
        // Where the service wants to hear of it, it is an answer.
        let installed = Installed::new();
        let hint = ["--hint", "x-aws-client-vpn-cancel-is-an-answer"];
        let dialog = start(installed.command_for(None, PASSWORD).args(hint));
        installed.told();
        installed.told();
        installed.action("cancel");
        let answer = finish(dialog);
        assert!(
            answer.starts_with("saml-response\nlogin-failure:")
                && answer.contains("The sign-in was cancelled."),
            "{answer}"
        );
    });
}

#[test]
fn what_the_agent_has_kept_is_not_asked() {
    isolated(|| {
        let kept = format!("{DATA}SECRET_KEY=password\nSECRET_VAL=hunter2\n\nDONE\n\n");
        let installed = Installed::new();
        let mut dialog = Dialog::start(&mut installed.command_for(None, PASSWORD));
        dialog.say(&kept);
        assert_eq!(finish(dialog), "password\nhunter2\n\n\n");
        // Only the rest is.
        let mut dialog = Dialog::start(&mut installed.command_for(None, BOTH));
        dialog.say(&kept);
        assert_eq!(installed.told(), "started with 0");
        let screen = installed.told();
        assert!(!screen.contains("\tpassword\t"), "{screen}");
        installed.action("answer\tremember\tchallenge-response\t123456");
        assert_eq!(
            finish(dialog),
            "password\nhunter2\nchallenge-response\n123456\n\n\n"
        );
        // Unless it was refused, or the agent wants the user to be asked.
        let mut refused = PASSWORD.to_vec();
        refused.push("x-aws-client-vpn-refused:password");
        // The window shows what is asked; it is told the reason alone, which it can translate.
        refused.push("x-aws-client-vpn-again:refused:No");
        refused.push(
            "x-vpn-message:The endpoint refused the sign-in: No. Enter your password once more.",
        );
        let mut reprompt = installed.command_for(None, PASSWORD);
        reprompt.arg("-r");
        for (command, marks) in [
            (&mut installed.command_for(None, &refused), "mkr"),
            (&mut reprompt, "mk"),
        ] {
            closes(&installed);
            installed.forget();
            let mut dialog = Dialog::start(command);
            dialog.say(&kept);
            assert_eq!(installed.told(), "started with 0");
            let screen = installed.told();
            assert!(
                screen.ends_with(&format!("\tpassword\t\t{marks}")),
                "{screen}"
            );
            let reason = "\tThe endpoint refused the sign-in: No.\t";
            assert_eq!(screen.contains(reason), marks == "mkr", "{screen}");
        }
    });
}

#[test]
fn an_agent_that_may_not_ask_gets_what_is_kept_and_no_window() {
    isolated(|| {
        let installed = Installed::new();
        let mut dialog = Dialog::start(&mut silent(&installed));
        dialog.say(&format!(
            "{DATA}SECRET_KEY=password\nSECRET_VAL=hunter2\n\nDONE\n\n"
        ));
        assert_eq!(finish(dialog), "password\nhunter2\n\n\n");
        let mut dialog = start(&mut silent(&installed));
        assert_eq!(dialog.answer(), NOTHING);
        assert!(dialog.ends().success());
        assert!(installed.is_silent());
    });
}

#[test]
fn without_a_window_another_agent_may_know() {
    isolated(|| {
        let installed = Installed::new();
        let mut command = installed.command_for(None, PASSWORD);
        command.env("DISPLAY", "");
        let mut dialog = start(&mut command);
        assert_eq!(dialog.answer(), NOTHING);
        assert!(dialog.ends().success());
    });
}

#[test]
fn the_keyring_is_shared_with_the_desktop_s_agents() {
    isolated(|| {
        let (keyring, installed) = (Keyring::unlocked(), Installed::new());
        // As gnome-shell keeps it.
        keyring.store(UUID, "password", "from the shell");
        keyring.store("another", "password", "another's");
        let on = |mut command: Command| {
            command.envs(keyring.environment());
            command
        };
        assert_eq!(
            finish(start(&mut on(silent(&installed)))),
            "password\nfrom the shell\n\n\n"
        );
        assert_eq!(
            finish(start(&mut on(installed.command_for(None, PASSWORD)))),
            "password\nfrom the shell\n\n\n"
        );
        assert!(installed.is_silent());
        // Ours, kept on behalf of our own agent only, and without what counts once.
        let mut refused = BOTH.to_vec();
        refused.push("x-aws-client-vpn-refused:password");
        for (option, kept) in [("--new", "from the shell"), ("--keep", "typed")] {
            // A window that was killed leaves its child to take the next one's actions.
            let installed = Installed::new();
            let mut command = on(installed.command_for(None, &refused));
            let dialog = start(command.arg(option));
            installed.told();
            installed.told();
            installed.action("answer\tremember\tpassword\ttyped\tchallenge-response\t123456");
            finish(dialog);
            closes(&installed);
            assert_eq!(keyring.find(UUID, "password").as_deref(), Some(kept));
            assert_eq!(keyring.find(UUID, "challenge-response"), None);
        }
        assert_eq!(
            keyring.find("another", "password").as_deref(),
            Some("another's")
        );
    });
}

#[test]
fn what_is_kept_for_the_first_time_is_found_by_the_desktop_s_agents() {
    isolated(|| {
        let keyring = Keyring::unlocked();
        for (choice, kept) in [("once", None), ("remember", Some("typed"))] {
            let installed = Installed::new();
            let mut command = installed.command_for(None, PASSWORD);
            command.arg("--keep").envs(keyring.environment());
            let dialog = start(&mut command);
            installed.told();
            installed.told();
            installed.action(&format!("answer\t{choice}\tpassword\ttyped"));
            finish(dialog);
            closes(&installed);
            assert_eq!(keyring.find(UUID, "password").as_deref(), kept, "{choice}");
        }
    });
}

/// What was to be remembered is not put where the logout takes it.
#[test]
fn nothing_is_kept_where_there_is_no_keyring_that_lasts() {
    isolated(|| {
        let keyring = Keyring::without_any();
        let installed = Installed::new();
        let mut command = installed.command_for(None, PASSWORD);
        command.arg("--keep").envs(keyring.environment());
        let dialog = start(&mut command);
        installed.told();
        installed.told();
        installed.action("answer\tremember\tpassword\ttyped");
        assert!(finish(dialog).contains("typed"));
        closes(&installed);
        assert_eq!(keyring.find(UUID, "password"), None);
    });
}

#[test]
fn what_an_open_keyring_has_counts_before_what_a_locked_one_has() {
    isolated(|| {
        let (keyring, installed) = (Keyring::unlocked(), Installed::new());
        let old = keyring.add();
        keyring.store_in(&old, UUID, "password", "outdated");
        keyring.store(UUID, "password", "current");
        keyring.lock(&old);
        let found = |mut command: Command| {
            finish(start(
                command.envs(keyring.environment()).stderr(Stdio::inherit()),
            ))
        };
        assert_eq!(found(silent(&installed)), "password\ncurrent\n\n\n");
        // Nobody is there to unlock the other.
        let asked = || installed.command_for(None, PASSWORD);
        assert_eq!(found(asked()), "password\ncurrent\n\n\n");
        // It can be opened, and need not be.
        keyring.open_at_login(&old);
        assert_eq!(found(asked()), "password\ncurrent\n\n\n");
        assert_eq!(keyring.all(&[], UUID, "password"), ["current"]);
        assert!(installed.is_silent());
    });
}

#[test]
fn a_locked_keyring_is_opened_for_what_no_other_has() {
    isolated(|| {
        let (keyring, installed) = (Keyring::unlocked(), Installed::new());
        let old = keyring.add();
        keyring.store_in(&old, UUID, "password", "of old");
        keyring.lock(&old);
        keyring.open_at_login(&old);
        let mut command = silent(&installed);
        let mut dialog = start(command.envs(keyring.environment()).stderr(Stdio::inherit()));
        assert_eq!(dialog.answer(), NOTHING);
        assert!(dialog.ends().success());
        let mut command = installed.command_for(None, PASSWORD);
        assert_eq!(
            finish(start(
                command.envs(keyring.environment()).stderr(Stdio::inherit())
            )),
            "password\nof old\n\n\n"
        );
        assert!(installed.is_silent());
    });
}

/// Else the old one would count once both are open.
#[test]
fn what_is_kept_replaces_what_a_locked_keyring_has() {
    isolated(|| {
        for may_be_opened in [true, false] {
            let (keyring, installed) = (Keyring::unlocked(), Installed::new());
            let old = keyring.add();
            keyring.store_in(&old, UUID, "password", "outdated");
            keyring.lock(&old);
            if may_be_opened {
                keyring.open_at_login(&old);
            }
            let mut command = installed.command_for(None, PASSWORD);
            command
                .args(["-r", "--keep"])
                .envs(keyring.environment())
                .stderr(Stdio::inherit());
            let dialog = start(&mut command);
            installed.told();
            installed.told();
            installed.action("answer\tremember\tpassword\ttyped");
            assert_eq!(finish(dialog), "password\ntyped\n\n\n");
            closes(&installed);
            keyring.open_at_login(&old);
            let all = keyring.all(&["--unlock"], UUID, "password");
            assert_eq!(all.len(), if may_be_opened { 1 } else { 2 }, "{all:?}");
            assert!(all.contains(&"typed".to_owned()), "{all:?}");
        }
    });
}

#[test]
fn a_locked_or_stuck_keyring_holds_nobody_up() {
    isolated(|| {
        let installed = Installed::new();
        let locked = Keyring::locked();
        let mut command = silent(&installed);
        let mut dialog = start(command.envs(locked.environment()));
        assert_eq!(dialog.answer(), NOTHING);
        assert!(dialog.ends().success());
        drop(locked);
        let stuck = Keyring::stuck();
        let mut command = installed.command_for(None, PASSWORD);
        let _dialog = start(command.envs(stuck.environment()));
        // It would wait for as long as the test does.
        assert!(installed.told().starts_with("started"));
    });
}
