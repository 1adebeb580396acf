//! The real dialog in a Wayland session of an ordinary user, with programs that nobody here wrote:
//! sway without a screen, mako, which shows notifications, and xdg-desktop-portal.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up what it needs has failed"
)]

#[expect(dead_code, reason = "shared with the tests of the dialog alone")]
#[path = "dialog/world.rs"]
mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use world::*;

const FORM: &str = "SAMLResponse=PFJlc3BvbnNlPiA%3D&RelayState=r%2F1";
const ANSWER: &str = "saml-response\nPFJlc3BvbnNlPiA%3D\n\n\n";

/// A session: a home and a bus, both the user's, and what was started in it.
struct Session {
    home: tempfile::TempDir,
    programs: Vec<Child>,
}

impl Session {
    fn new() -> Self {
        Self::with(("mako", &[]))
    }

    /// One in which this program, with these arguments, shows notifications.
    fn with(notifications: (&str, &[&str])) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut session = Self {
            home,
            programs: Vec::new(),
        };
        for directory in ["run", "bin", "share/applications", "config"] {
            fs::create_dir_all(session.path(directory)).unwrap();
        }
        // The default browser of this user: it writes down what it is to open.
        session.program("bin/browser", "printf '%s\\n' \"$*\" >>$HOME/opened");
        session.file(
            "share/applications/browser.desktop",
            &format!(
                "[Desktop Entry]\nType=Application\nName=Browser\nExec={} %u\n\
                 MimeType=x-scheme-handler/https;\n",
                session.path("bin/browser").display()
            ),
        );
        session.file(
            "config/mimeapps.list",
            "[Default Applications]\nx-scheme-handler/https=browser.desktop\n",
        );
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen>\
             <standard_session_servicedirs/><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\
             <allow own=\"*\"/></policy></busconfig>",
            session.path("run/bus").display()
        );
        session.file("bus.conf", &config);
        session.file("sway.conf", "xwayland disable\n");
        let whole = session.home.path();
        fs::set_permissions(whole, fs::Permissions::from_mode(0o700)).unwrap();
        let owned = Command::new("chown")
            .args(["-R", "65534:65534"])
            .arg(whole)
            .status();
        assert!(owned.unwrap().success());
        let config = session.path("sway.conf").display().to_string();
        session.start("sway", &["--config", &config]);
        session.listens("run/wayland-1");
        let config = format!("--config-file={}", session.path("bus.conf").display());
        session.start("dbus-daemon", &["--nofork", &config]);
        session.listens("run/bus");
        session.start(notifications.0, notifications.1);
        session.has("org.freedesktop.Notifications");
        session.start("/usr/libexec/xdg-desktop-portal", &[]);
        session.has("org.freedesktop.portal.Desktop");
        session
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn program(&self, name: &str, script: &str) {
        self.file(name, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `program`, run by the user.
    fn command(&self, program: &Path) -> Command {
        self.command_with(&[], program)
    }

    /// As [`Self::command`], with more options of setpriv's.
    fn command_with(&self, options: &[&str], program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args(options)
            .arg("--")
            .arg(program);
        let bus = self.path("run/bus");
        command
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("XDG_DATA_HOME", self.path("share"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_CURRENT_DESKTOP", "sway")
            .env(
                "DBUS_SESSION_BUS_ADDRESS",
                format!("unix:path={}", bus.display()),
            )
            .env("WAYLAND_DISPLAY", "wayland-1")
            .env("WLR_BACKENDS", "headless")
            .env("WLR_LIBINPUT_NO_DEVICES", "1")
            .env("WLR_RENDERER", "pixman");
        command
    }

    fn start(&mut self, program: &str, arguments: &[&str]) {
        let mut command = self.command(Path::new(program));
        let child = command
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.programs.push(child.unwrap());
    }

    /// What a program of the user's says.
    fn says(&self, program: &str, arguments: &[&str]) -> String {
        let output = self
            .command(Path::new(program))
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until somebody listens at a socket, whose file is there a moment before.
    fn listens(&self, name: &str) {
        until(|| UnixStream::connect(self.path(name)).ok());
    }

    /// Waits until `name` is on the bus.
    fn has(&self, name: &str) {
        let to = "--dest=org.freedesktop.DBus";
        let method = "org.freedesktop.DBus.NameHasOwner";
        let name = format!("string:{name}");
        let arguments = ["--session", "--print-reply", to, "/", method, &name];
        until(|| {
            self.says("dbus-send", &arguments)
                .contains("true")
                .then_some(())
        });
    }

    /// The command line of a login's dialog, as an agent of the user's makes it.
    fn login(&self) -> Command {
        let hints = login();
        let hints: Vec<_> = hints.iter().map(String::as_str).collect();
        let as_agents_do = command(None, &hints);
        // systemd gives one to whoever logs in at a screen, and what a compositor starts has it.
        let capability = ["--inh-caps=+chown", "--ambient-caps=+chown"];
        let mut command = self.command_with(&capability, as_agents_do.get_program().as_ref());
        command
            .args(as_agents_do.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    }

    /// The addresses that the browser has been sent to.
    fn opened(&self) -> Vec<String> {
        let opened = fs::read_to_string(self.path("opened")).unwrap_or_default();
        opened.lines().map(str::to_owned).collect()
    }

    /// What mako shows, as JSON; nothing, if it shows none.
    fn notification(&self) -> Option<String> {
        let shown = self.says("makoctl", &["list"]);
        shown.contains("summary").then_some(shown)
    }

    /// Presses a button of what mako shows.
    fn press(&self, button: &str) {
        self.says("makoctl", &["invoke", button]);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for program in self.programs.iter_mut().rev() {
            drop(program.kill());
            drop(program.wait());
        }
    }
}

/// Starts a dialog that the agent wants an answer of.
fn begin(command: &mut Command) -> Dialog {
    let mut dialog = Dialog::start(command);
    dialog.say("DONE\n\n");
    dialog
}

#[test]
fn the_portal_opens_the_browser_of_an_ordinary_user() {
    isolated(|| {
        let session = Session::new();
        let mut command = session.login();
        // Without the portal nothing could open a browser.
        command.env_remove("WAYLAND_DISPLAY");
        let mut dialog = begin(&mut command);
        until(|| (session.opened() == [URL]).then_some(()));
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

#[test]
fn a_login_is_told_of_by_a_notification_that_goes_with_it() {
    isolated(|| {
        let session = Session::new();
        let mut dialog = begin(&mut session.login());
        let shown = until(|| session.notification());
        for part in [
            "Work & <b>Co</b>",
            "idp.example",
            "Open Again",
            "Copy Link",
            "Cancel",
        ] {
            let escaped = part
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            assert!(
                shown.contains(part) || shown.contains(&escaped),
                "{part} in {shown}"
            );
        }
        until(|| (session.opened() == [URL]).then_some(()));
        session.press("open-again");
        until(|| (session.opened() == [URL, URL]).then_some(()));
        until(|| session.notification());
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
        until(|| session.notification().is_none().then_some(()));
    });
}

#[test]
fn a_notification_cancels_a_login_and_goes_with_a_dialog_that_is_dismissed() {
    isolated(|| {
        let session = Session::new();
        let mut dialog = begin(&mut session.login());
        until(|| session.notification());
        session.press("cancel");
        assert_eq!(dialog.ends().code(), Some(1));
        until(|| session.notification().is_none().then_some(()));
        let mut dialog = begin(&mut session.login());
        until(|| session.notification());
        dialog.stdout = None;
        dialog.ends();
        until(|| session.notification().is_none().then_some(()));
    });
}

#[test]
fn a_notification_that_is_put_away_ends_no_login() {
    isolated(|| {
        let session = Session::new();
        let mut dialog = begin(&mut session.login());
        until(|| session.notification());
        session.says("makoctl", &["dismiss"]);
        until(|| session.notification().is_none().then_some(()));
        assert!(dialog.is_running());
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

#[test]
fn a_login_that_waits_for_another_one_says_so_until_its_turn_comes() {
    isolated(|| {
        let session = Session::new();
        let of_this =
            |name| session.path(&format!("run/{name}-8f9cbe40-4ec5-4bb5-8a2c-5a5c29a9c6a8"));
        let note = of_this("nm-aws-client-vpn-turn");
        let shows = |words: &str| {
            let shown = session.notification();
            shown.is_some_and(|shown| shown.contains(words))
        };
        let waits = "Another sign-in is open on this computer";
        // As a dialog leaves it that is killed.
        fs::write(&note, "").unwrap();
        let mut first = begin(&mut session.login());
        until(|| (session.opened() == [URL]).then_some(()));
        assert!(!note.exists());
        // A window that is left open has no such screen.
        let window = of_this("nm-aws-client-vpn-login-window");
        let _left_open = UnixListener::bind(&window).unwrap();
        fs::set_permissions(&window, fs::Permissions::from_mode(0o777)).unwrap();
        for is_cancelled in [true, false] {
            let mut second = begin(&mut session.login());
            until(|| (shows(waits) && note.exists()).then_some(()));
            if is_cancelled {
                session.press("cancel");
                assert_eq!(second.ends().code(), Some(1));
            } else {
                assert_eq!(status(&request(&post(FORM))), "200");
                assert_eq!(first.answer(), ANSWER);
                first.say("QUIT\n\n");
                until(|| (session.opened() == [URL, URL]).then_some(()));
                assert_eq!(status(&request(&post(FORM))), "200");
                assert_eq!(second.answer(), ANSWER);
            }
            until(|| (!shows(waits) && !note.exists()).then_some(()));
        }
    });
}

#[test]
fn a_notification_that_the_desktop_shows_after_the_login_is_taken_away() {
    isolated(|| {
        let own = std::env::current_exe().unwrap();
        let line = ["--ignored", "--exact", "slow_notifications"];
        let session = Session::with((own.to_str().unwrap(), &line));
        let mut dialog = begin(&mut session.login());
        assert_eq!(dialog.answer(), ANSWER);
        until(|| session.path("taken-away").exists().then_some(()));
        // Were it not taken away, it would go with the time for the login.
        let shown_for = fs::read_to_string(session.path("shown")).unwrap();
        let shown_for: i32 = shown_for.parse().unwrap();
        assert!((1..=60_000).contains(&shown_for), "{shown_for} ms");
    });
}

#[test]
fn a_desktop_that_shows_no_notification_for_long_holds_up_no_answer() {
    isolated(|| {
        let own = std::env::current_exe().unwrap();
        let line = ["--ignored", "--exact", "stuck_notifications"];
        let session = Session::with((own.to_str().unwrap(), &line));
        let until_the_end = || {
            drop(fs::remove_file(session.path("asked")));
            let mut dialog = begin(&mut session.login());
            until(|| session.path("asked").exists().then_some(()));
            assert_eq!(status(&request(&post(FORM))), "200");
            assert_eq!(dialog.answer(), ANSWER);
            let answered = Instant::now();
            dialog.say("QUIT\n\n");
            assert!(dialog.ends().success());
            answered.elapsed()
        };
        // By itself, the call goes on for longer than an agent waits. The machine may stand still once, but
        // not each time.
        assert!((0..5).any(|_| until_the_end() < Duration::from_secs(4)));
    });
}

/// A desktop that has not answered yet when the login is over: a played part, for a real one cannot
/// be made to stop between two calls.
#[test]
#[ignore = "run by the test before, as a program of the session"]
fn slow_notifications() {
    serve_notifications(false);
}

/// One that does not answer at all, as while a service is being started.
#[test]
#[ignore = "run by a test above, as a program of the session"]
fn stuck_notifications() {
    serve_notifications(true);
}

fn serve_notifications(is_stuck: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        let bus = zbus::connection::Builder::session().unwrap();
        let bus = bus.serve_at(
            "/org/freedesktop/Notifications",
            SlowNotifications { home, is_stuck },
        );
        let bus = bus.unwrap().name("org.freedesktop.Notifications").unwrap();
        let _bus = bus.build().await.unwrap();
        std::future::pending::<()>().await;
    });
}

struct SlowNotifications {
    home: PathBuf,
    is_stuck: bool,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl SlowNotifications {
    fn get_capabilities(&self) -> Vec<&str> {
        vec!["actions", "body"]
    }

    #[expect(clippy::too_many_arguments, reason = "so says the specification")]
    async fn notify(
        &self,
        _program: &str,
        _replaces: u32,
        _icon: &str,
        _summary: &str,
        _body: &str,
        _actions: Vec<&str>,
        _hints: std::collections::HashMap<&str, zbus::zvariant::Value<'_>>,
        expires: i32,
    ) -> u32 {
        if self.is_stuck {
            fs::write(self.home.join("asked"), "").unwrap();
            std::future::pending::<()>().await;
        }
        // The browser is done first.
        assert_eq!(status(&request(&post(FORM))), "200");
        fs::write(self.home.join("shown"), expires.to_string()).unwrap();
        7
    }

    fn close_notification(&self, id: u32) {
        assert_eq!(id, 7);
        fs::write(self.home.join("taken-away"), "").unwrap();
    }
}
