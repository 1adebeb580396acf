//! The real dialog with a window beside it that only notes what it is told and tells what the test
//! wants.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up what it needs has failed"
)]

#[path = "dialog/desktop.rs"]
mod desktop;
#[expect(dead_code, reason = "shared with the tests of questions")]
#[path = "dialog/installed.rs"]
mod installed;
#[expect(dead_code, reason = "shared with the tests of the dialog alone")]
#[path = "dialog/world.rs"]
mod world;

use desktop::{Bus, Portal};
use installed::Installed;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Instant;
use world::*;

type Act = fn(&mut Dialog);

const FORM: &str = "SAMLResponse=PFJlc3BvbnNlPiA%3D&RelayState=r%2F1";
const ANSWER: &str = "saml-response\nPFJlc3BvbnNlPiA%3D\n\n\n";

#[test]
fn the_window_goes_when_the_answer_is_there() {
    isolated(|| {
        let (installed, browser) = (Installed::new(), Browser::new());
        let mut dialog = installed.start(Some(&browser));
        installed.shows_the_login();
        assert_eq!(browser.opened(), URL);
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(
            installed.told(),
            "gone",
            "before the agent has said anything"
        );
        assert_eq!(dialog.answer(), ANSWER);
        dialog.say("QUIT\n\n");
        assert!(dialog.ends().success());
    });
}

#[test]
fn cancel_is_the_user_s_cancel() {
    isolated(|| {
        let (installed, browser) = (Installed::new(), Browser::new());
        let mut dialog = installed.start(Some(&browser));
        installed.shows_the_login();
        installed.action("cancel");
        assert_eq!(dialog.ends().code(), Some(1));
        TcpListener::bind(ADDRESS).expect("the port is free");
        assert_eq!(dialog.rest(), "");
    });
}

#[test]
fn the_page_can_be_opened_again() {
    isolated(|| {
        let (installed, browser) = (Installed::new(), Browser::new());
        let mut dialog = installed.start(Some(&browser));
        installed.shows_the_login();
        assert_eq!(browser.opened(), URL);
        for _ in 0..2 {
            installed.action("open-again");
            assert_eq!(browser.opened(), URL);
        }
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

#[test]
fn the_window_goes_with_the_dialog_whatever_becomes_of_it() {
    isolated(|| {
        let ways: [(&str, Act); 3] = [
            ("QUIT", |dialog| {
                dialog.settles();
                dialog.say("QUIT\n\n");
            }),
            ("nobody reads", |dialog| dialog.stdout = None),
            ("SIGKILL", |dialog| dialog.child.kill().unwrap()),
        ];
        for (way, end) in ways {
            let (installed, browser) = (Installed::new(), Browser::new());
            let mut dialog = installed.start(Some(&browser));
            installed.shows_the_login();
            end(&mut dialog);
            assert!(!dialog.ends().success(), "{way}");
            // It may be killed before it can note anything; then the pipe to it has no reader.
            let program = installed.window();
            until(|| (!is_running(&program)).then_some(()));
        }
    });
}

/// Whether any process was started with this path.
fn is_running(program: &std::path::Path) -> bool {
    let name = program.display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| {
        line.split(|byte| *byte == 0)
            .any(|word| word == name.as_bytes())
    })
}

#[test]
fn a_dismissed_dialog_leaves_its_window_to_the_next() {
    isolated(|| {
        let (installed, browser) = (Installed::new(), Browser::new());
        let run = tempfile::tempdir().unwrap();
        let mut command = installed.command(Some(&browser));
        command.env("XDG_RUNTIME_DIR", run.path());
        let mut dialog = Dialog::start(&mut command);
        dialog.say("DONE\n\n");
        assert_eq!(
            installed.told(),
            "started with 1",
            "where to wait for the next"
        );
        assert!(installed.told().starts_with("login\t"));
        dialog.settles();
        dialog.say("QUIT\n\n");
        assert!(!dialog.ends().success());
        assert_eq!(installed.told(), "linger");
        assert_eq!(installed.told(), "gone", "this window does not linger");
        // The window waits where it was told to.
        let uuid = "8f9cbe40-4ec5-4bb5-8a2c-5a5c29a9c6a8";
        let name = format!("nm-aws-client-vpn-login-window-{uuid}");
        let listener = UnixListener::bind(run.path().join(name)).unwrap();
        let mut dialog = Dialog::start(&mut command);
        dialog.say("DONE\n\n");
        let (stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        assert!(line.starts_with("login\t"), "{line}");
        assert!(installed.is_silent(), "no second window");
        writeln!(&stream, "cancel").unwrap();
        assert_eq!(dialog.ends().code(), Some(1));
    });
}

/// A terminal is the window: one for all that a dialog shows.
#[test]
fn a_terminal_has_the_link_once_the_turn_has_come() {
    isolated(|| {
        let (installed, browser) = (Installed::new(), Browser::new());
        let mut first = Dialog::login(&browser);
        first.say("DONE\n\n");
        browser.opened();
        let (terminal, its) = UnixStream::pair().unwrap();
        terminal.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = installed.command(None);
        command
            .args(["--own-window", "--no-browser"])
            .stderr(OwnedFd::from(its));
        let mut second = Dialog::start(&mut command);
        drop(command);
        second.say("DONE\n\n");
        let mut lines = BufReader::new(&terminal).lines();
        let mut shown = || lines.next().expect("the terminal's end is open").unwrap();
        let screen = shown();
        assert!(screen.starts_with("queue\t"), "{screen}");
        first.say("QUIT\n\n");
        first.ends();
        let screen = shown();
        assert!(screen.starts_with("login\t"), "{screen}");
        writeln!(&terminal, "cancel").unwrap();
        assert_eq!(second.ends().code(), Some(1));
        assert!(lines.next().is_none(), "it ends with the dialog");
    });
}

#[test]
fn a_login_needs_no_window() {
    isolated(|| {
        for window in [
            "exit 1",
            "exec <&-; sleep 60",
            "exec >&-; sleep 60",
            "kill -SEGV $$",
            "head -c 100000 /dev/zero; echo; sleep 60",
        ] {
            let (installed, browser) = (Installed::with_window(window), Browser::new());
            let mut dialog = installed.start(Some(&browser));
            assert_eq!(installed.told(), "started with 0");
            assert_eq!(browser.opened(), URL);
            assert_eq!(status(&request(&post(FORM))), "200");
            assert_eq!(dialog.answer(), ANSWER, "{window}");
        }
    });
}

#[test]
fn without_a_display_no_window_is_started() {
    isolated(|| {
        let (installed, browser) = (Installed::new(), Browser::new());
        let mut command = installed.command(Some(&browser));
        command.env("DISPLAY", "").env_remove("WAYLAND_DISPLAY");
        let mut dialog = Dialog::start(&mut command);
        dialog.say("DONE\n\n");
        assert_eq!(browser.opened(), URL);
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
        assert!(installed.is_silent());
    });
}

#[test]
fn with_a_window_a_browser_that_does_not_open_is_not_the_end() {
    isolated(|| {
        let installed = Installed::new();
        let mut command = installed.command(None);
        command.env("PATH", installed.path_without_browser());
        let mut dialog = Dialog::start(&mut command);
        dialog.say("DONE\n\n");
        installed.shows_the_login();
        let screen = installed.told();
        assert!(
            screen.starts_with("no-browser\tNo web browser could be opened"),
            "{screen}"
        );
        // The link was copied into a browser by hand.
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

#[test]
fn without_browser_and_window_there_is_no_login() {
    isolated(|| {
        let installed = Installed::with_window("read line; read line; exit 1");
        let mut command = installed.command(None);
        command.env("PATH", installed.path_without_browser());
        let mut dialog = Dialog::start(&mut command);
        dialog.say("DONE\n\n");
        assert!(dialog.answer().contains("No web browser could be opened"));
    });
}

#[test]
fn the_browser_is_on_its_way_before_a_window_is_started() {
    isolated(|| {
        let (installed, bus) = (Installed::new(), Bus::new());
        let portal = Portal::new(&bus, 0);
        let mut command = installed.command(None);
        command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address);
        let hold = portal.hold();
        let mut dialog = Dialog::start(&mut command);
        dialog.say("DONE\n\n");
        assert_eq!(portal.opened(), URL);
        TcpStream::connect(ADDRESS).expect("it listens before it asks for the browser");
        assert!(installed.is_silent(), "the portal has not answered yet");
        drop(hold);
        installed.shows_the_login();
    });
}

#[test]
fn the_browser_is_started_within_a_blink() {
    isolated(|| {
        let installed = Installed::new();
        let browser = Browser::new();
        in_a_blink(|| {
            let mut command = installed.command(Some(&browser));
            let started = Instant::now();
            let dialog = Dialog::start(&mut command);
            assert_eq!(browser.opened(), URL);
            let time = started.elapsed();
            TcpStream::connect(ADDRESS).expect("it listens before it starts the browser");
            drop(dialog);
            time
        });
    });
}
