//! A dialog that is installed with a window that the test plays.

use crate::world::*;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// As it is installed: a dialog knows another one by it.
const DIALOG_NAME: &str = "nm-aws-client-vpn-auth-dialog";

/// A dialog that is installed with a window that notes what it is told.
pub(crate) struct Installed {
    dir: tempfile::TempDir,
    told: Receiver<String>,
    actions: File,
}

impl Installed {
    /// `window` is what the window does after it has noted that it was started.
    pub(crate) fn with_window(window: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pipe = |name: &str| {
            let path = dir.path().join(name);
            assert!(
                Command::new("mkfifo")
                    .arg(&path)
                    .status()
                    .unwrap()
                    .success()
            );
            // Open for both, so that it has no end and opening it does not wait.
            File::options().read(true).write(true).open(path).unwrap()
        };
        let (told, actions) = (pipe("told"), pipe("actions"));
        std::fs::copy(DIALOG, dir.path().join(DIALOG_NAME)).unwrap();
        let path = dir.path().join("nm-aws-client-vpn-login-window");
        let here = dir.path().display();
        let script = format!("#!/bin/sh\ncd {here}\necho \"started with $#\" >told\n{window}\n");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(told).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Self {
            dir,
            told: receiver,
            actions,
        }
    }

    pub(crate) fn new() -> Self {
        Self::with_window(
            "cat actions & cat=$!\n\
             while IFS= read -r line; do printf '%s\\n' \"$line\" >told; done\n\
             kill $cat; echo gone >told",
        )
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.dir.path().join(DIALOG_NAME)
    }

    /// The command line for a login in the browser, on a desktop with a display.
    pub(crate) fn command(&self, browser: Option<&Browser>) -> Command {
        let hints = login();
        let hints: Vec<_> = hints.iter().map(String::as_str).collect();
        self.command_for(browser, &hints)
    }

    /// The command line for what `hints` ask, on a desktop with a display.
    pub(crate) fn command_for(&self, browser: Option<&Browser>, hints: &[&str]) -> Command {
        let mut command = command_of(&self.program(), browser, hints);
        command.env("DISPLAY", ":99");
        command
    }

    /// The window's program.
    pub(crate) fn window(&self) -> PathBuf {
        self.dir.path().join("nm-aws-client-vpn-login-window")
    }

    /// Whether no window has been started, or it has noted nothing more.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_silent_for(Duration::from_millis(500))
    }

    pub(crate) fn is_silent_for(&self, time: Duration) -> bool {
        self.told.recv_timeout(time).is_err()
    }

    /// Forgets what windows have noted that are gone.
    pub(crate) fn forget(&self) {
        let mark = "all that was noted up to now";
        let mut pipe = File::options()
            .write(true)
            .open(self.dir.path().join("told"));
        writeln!(pipe.as_mut().unwrap(), "{mark}").unwrap();
        while self.told() != mark {}
    }

    pub(crate) fn start(&self, browser: Option<&Browser>) -> Dialog {
        let mut dialog = Dialog::start(&mut self.command(browser));
        dialog.say("DONE\n\n");
        dialog
    }

    /// What the window notes next.
    pub(crate) fn told(&self) -> String {
        self.told
            .recv_timeout(PATIENCE)
            .expect("the window is told something")
    }

    /// Waits for the window, which then shows the login.
    pub(crate) fn shows_the_login(&self) {
        assert_eq!(self.told(), "started with 0", "nothing in argv");
        let screen = self.told();
        let expected = format!("login\tWork & <b>Co</b>\t{URL}\t");
        let seconds = screen.strip_prefix(&expected).expect(&screen);
        assert!(
            (1..=60).contains(&seconds.parse::<u32>().unwrap()),
            "{screen}"
        );
    }

    /// A `PATH` with what the window needs and nothing that opens a browser.
    pub(crate) fn path_without_browser(&self) -> PathBuf {
        let dir = self.dir.path().join("bin");
        std::fs::create_dir(&dir).unwrap();
        std::os::unix::fs::symlink("/bin/cat", dir.join("cat")).unwrap();
        dir
    }

    pub(crate) fn action(&self, line: &str) {
        writeln!(&self.actions, "{line}").unwrap();
    }
}
