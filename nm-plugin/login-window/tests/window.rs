//! The real window on a display of its own (Xvfb), driven by keys, and its pictures in
//! `target/screenshots`, light and dark, for people to look at.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up what it needs has failed"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const WINDOW: &str = env!("CARGO_BIN_EXE_nm-aws-client-vpn-login-window");
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
const LOGIN: &str = "login\tWork\thttps://login.example.com/sso?SAMLRequest=abc\t598";
const FORM: &str = "form\tWork\t598\tEnter MFA code\tusername\t\tk\tpassword\t\tmk\t\
    challenge-response\tEnter MFA code:\tm";

/// A display without a window manager: whatever is shown last has the keys.
struct Display {
    server: Child,
    number: String,
}

impl Display {
    fn new() -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "480x560x24",
                "-nolisten",
                "tcp",
                // Else it starts over, without the window, when xdotool is the last to leave it.
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("xvfb is installed");
        let mut number = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        Self {
            server,
            number: format!(":{}", number.trim()),
        }
    }

    fn run(&self, line: &[&str]) -> Option<String> {
        let output = Command::new(line[0])
            .args(&line[1..])
            .env("DISPLAY", &self.number)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }

    fn press(&self, keys: &[&str]) {
        let line: Vec<_> = ["xdotool", "key", "--delay", "50"]
            .iter()
            .chain(keys)
            .copied()
            .collect();
        self.run(&line).expect("xdotool is installed");
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// A window with something in it.
struct Window<'a> {
    display: &'a Display,
    child: Child,
    screens: Option<ChildStdin>,
    actions: BufReader<ChildStdout>,
    home: tempfile::TempDir,
}

impl<'a> Window<'a> {
    fn show(display: &'a Display, scheme: &str, screen: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(WINDOW)
            .arg(home.path().join("next"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .env("DISPLAY", &display.number)
            .env("GDK_BACKEND", "x11")
            .env("GSK_RENDERER", "cairo")
            .env("GTK_A11Y", "none")
            .env("ADW_DEBUG_COLOR_SCHEME", scheme)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let actions = BufReader::new(child.stdout.take().unwrap());
        let mut window = Self {
            display,
            screens: child.stdin.take(),
            child,
            actions,
            home,
        };
        window.tell(screen);
        let find = ["xdotool", "search", "--onlyvisible", "--name", "Sign In"];
        until(|| {
            let found = display.run(&find)?;
            let number = found.lines().last()?.to_owned();
            // No window manager is there to give it the keys.
            display.run(&["xdotool", "windowfocus", "--sync", &number])
        });
        window
    }

    fn tell(&mut self, screen: &str) {
        writeln!(self.screens.as_mut().unwrap(), "{screen}").unwrap();
    }

    /// What the window tells next.
    fn action(&mut self) -> String {
        let mut line = String::new();
        self.actions.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// Waits until what is to be seen stays the same, and keeps it.
    fn picture(&self, name: &str) -> Vec<u8> {
        let directory = directory();
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        let file = path.display().to_string();
        let mut before = Vec::new();
        until(|| {
            self.display
                .run(&["import", "-silent", "-window", "root", &file])?;
            let picture = pixels(&path);
            let same = picture == before && distinct(&picture) > 20;
            before = picture.clone();
            same.then_some(picture)
        })
    }

    /// Its dialog ends; whether it does, too.
    fn dialog_ends(mut self) {
        self.screens = None;
        let status = until(|| self.child.try_wait().unwrap());
        assert!(status.success());
        let mut rest = String::new();
        self.actions.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "it tells nothing by itself");
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .join("screenshots")
}

/// The picture without its file format, which holds the time.
fn pixels(path: &Path) -> Vec<u8> {
    let output = Command::new("convert").arg(path).arg("rgb:-").output();
    output.expect("imagemagick is installed").stdout
}

fn distinct(pixels: &[u8]) -> usize {
    let colours: std::collections::BTreeSet<_> = pixels.chunks(3).collect();
    colours.len()
}

fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < give_up, "nothing came");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_login_is_cancelled_and_opened_again_by_keys() {
    let display = Display::new();
    let mut window = Window::show(&display, "prefer-light", LOGIN);
    // What is typed while the window comes up is meant for the browser.
    window.display.press(&["a", "space", "Return"]);
    window.display.press(&["alt+o"]);
    assert!(window.action().starts_with("open-again"));
    window.display.press(&["alt+l"]);
    window.display.press(&["Escape"]);
    assert_eq!(window.action(), "cancel");
    window.display.press(&["alt+c"]);
    assert_eq!(window.action(), "cancel");
    window.dialog_ends();
}

#[test]
fn a_form_is_filled_in_by_keys() {
    let display = Display::new();
    let mut window = Window::show(&display, "prefer-light", FORM);
    // Return leads to what is missing, and connects when nothing is.
    window.display.press(&["a", "d", "a", "Return"]);
    window.display.press(&["x", "y", "Return"]);
    window.display.press(&["1", "2", "Return"]);
    assert_eq!(
        window.action(),
        "answer\tremember\tusername\tada\tpassword\txy\tchallenge-response\t12"
    );
    window.dialog_ends();
}

#[test]
fn what_is_typed_can_be_kept_from_the_keyring() {
    let display = Display::new();
    let screen = "form\tWork\t598\t\tpassword\t\tmk";
    let mut window = Window::show(&display, "prefer-light", screen);
    window.display.press(&["x", "alt+r", "alt+o"]);
    assert_eq!(window.action(), "answer\tonce\tpassword\tx");
}

#[test]
fn what_is_typed_outlives_a_dialog_that_is_followed_by_another() {
    let display = Display::new();
    let screen = "form\tWork\t598\t\tusername\t\tk\tpassword\t\tmk";
    let mut window = Window::show(&display, "prefer-light", screen);
    display.press(&["a", "d", "a"]);
    window.tell("linger");
    window.screens = None;
    let next = window.home.path().join("next");
    let mut next = until(|| UnixStream::connect(&next).ok());
    writeln!(next, "{}", screen.replace("598", "490")).unwrap();
    display.press(&["Return", "x", "Return"]);
    let mut line = String::new();
    BufReader::new(&next).read_line(&mut line).unwrap();
    assert_eq!(line, "answer\tremember\tusername\tada\tpassword\tx\n");
    drop(next);
    let status = until(|| window.child.try_wait().unwrap());
    assert!(status.success());
    assert!(!window.home.path().join("next").exists());
}

#[test]
fn a_window_that_nobody_takes_over_goes() {
    let display = Display::new();
    let mut window = Window::show(&display, "prefer-light", LOGIN);
    window.tell("linger");
    window.dialog_ends();
}

#[test]
fn every_page_has_its_picture_light_and_dark() {
    let display = Display::new();
    let refused = "form\tWork\t598\tThe endpoint refused the sign-in: Invalid user name or \
        password. Enter the password once more.\tpassword\t\tmkr";
    for scheme in ["light", "dark"] {
        let mut pictures = Vec::new();
        for (name, screen) in [("login", LOGIN), ("form", FORM), ("refused", refused)] {
            let window = Window::show(&display, &format!("prefer-{scheme}"), screen);
            pictures.push(window.picture(&format!("window-{name}-{scheme}.png")));
            window.dialog_ends();
        }
        pictures.dedup();
        assert_eq!(pictures.len(), 3, "each page looks different");
    }
}
