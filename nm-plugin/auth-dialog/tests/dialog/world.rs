//! A machine of its own for each test: port 35001 is fixed, and tests run side by side.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub(crate) const DIALOG: &str = env!("CARGO_BIN_EXE_nm-aws-client-vpn-auth-dialog");
pub(crate) const ADDRESS: &str = "127.0.0.1:35001";
pub(crate) const SERVICE: &str = "org.freedesktop.NetworkManager.aws-client-vpn";
pub(crate) const URL: &str = "https://idp.example/sso?SAMLRequest=fZ%2B&RelayState=r%2F1";
/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// After this a QUIT or an end is meant, not sent in advance (300 ms).
pub(crate) const LATER: Duration = Duration::from_millis(1500);

const BLINK: Duration = Duration::from_millis(50);
/// How often it is measured at most.
const BLINKS: usize = 400;

const INSIDE: &str = "DIALOG_TEST_INSIDE";

/// Runs `test` in a network namespace of its own, by running this test program again inside.
pub(crate) fn isolated(test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let thread = std::thread::current();
    let mut unshare = Command::new("unshare");
    if rustix::process::getuid().as_raw() != 0 {
        unshare.args(["--user", "--map-root-user"]);
    }
    let output = unshare
        .args([
            "--net",
            "--",
            "sh",
            "-c",
            "ip link set lo up && exec \"$0\" \"$@\"",
        ])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            thread.name().unwrap(),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(INSIDE, "1")
        .output()
        .expect("unshare (util-linux) runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "in its namespace:\n{said}\n{errors}"
    );
    assert!(
        said.contains("1 passed"),
        "the test did not run inside:\n{said}"
    );
}

/// A browser that only writes down the address it was given.
pub(crate) struct Browser {
    dir: tempfile::TempDir,
    opened: Receiver<String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("opened");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let program = dir.path().join("browser");
        // It also writes to its streams, as browsers do.
        let script = format!(
            "#!/bin/sh\necho noise\necho noise >&2\nprintf '%s\\n' \"$*\" > {}\n",
            pipe.display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        // Open for writing as well, so that it has no end and opening it does not wait.
        let pipe = File::options().read(true).write(true).open(pipe).unwrap();
        let (sender, opened) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Self { dir, opened }
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.dir.path().join("browser")
    }

    /// Waits for the address that it is sent to.
    pub(crate) fn opened(&self) -> String {
        self.opened
            .recv_timeout(PATIENCE)
            .expect("the browser is opened")
    }

    /// Whether it is sent anywhere: a program that was started says so a moment later.
    pub(crate) fn was_opened(&self) -> bool {
        self.opened.recv_timeout(Duration::from_millis(500)).is_ok()
    }
}

/// A command line as gnome-shell makes it, in an environment with nothing but the browser.
pub(crate) fn command(browser: Option<&Browser>, hints: &[&str]) -> Command {
    command_of(Path::new(DIALOG), browser, hints)
}

/// The same for a dialog that is installed elsewhere.
pub(crate) fn command_of(dialog: &Path, browser: Option<&Browser>, hints: &[&str]) -> Command {
    let mut command = Command::new(dialog);
    command
        .args([
            "-u",
            "8f9cbe40-4ec5-4bb5-8a2c-5a5c29a9c6a8",
            "-n",
            "Work & <b>Co</b>",
        ])
        .args(["-s", SERVICE, "-i"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(browser) = browser {
        command.env("BROWSER", browser.program());
    }
    for hint in hints {
        command.args(["-t", hint]);
    }
    command
}

/// The hints of a login.
pub(crate) fn login() -> Vec<String> {
    vec![
        format!("x-aws-client-vpn-url:{URL}"),
        "x-aws-client-vpn-seconds-left:60".to_owned(),
        "x-vpn-message:Sign in at idp.example in your browser to connect.".to_owned(),
    ]
}

/// A running dialog.
pub(crate) struct Dialog {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<BufReader<ChildStdout>>,
}

impl Dialog {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the dialog runs");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().map(BufReader::new));
        Self {
            child,
            stdin,
            stdout,
        }
    }

    pub(crate) fn login(browser: &Browser) -> Self {
        let hints = login();
        let hints: Vec<_> = hints.iter().map(String::as_str).collect();
        Self::start(&mut command(Some(browser), &hints))
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.stdin
            .as_mut()
            .expect("not hung up")
            .write_all(text.as_bytes())
            .unwrap();
    }

    /// Waits until it has heard what was said, and a good while more: what is said now is not taken
    /// for something sent in advance.
    pub(crate) fn settles(&self) {
        self.has_heard();
        std::thread::sleep(LATER);
    }

    /// Waits until it has read what was said.
    pub(crate) fn has_heard(&self) {
        let stdin = self.stdin.as_ref().expect("not hung up");
        until(|| (rustix::io::ioctl_fionread(stdin).unwrap() == 0).then_some(()));
    }

    pub(crate) fn hang_up(&mut self) {
        self.stdin = None;
    }

    /// Reads as gnome-shell does: until two empty lines, leaving the rest.
    pub(crate) fn answer(&mut self) -> String {
        let mut text = String::new();
        let stdout = self.stdout.as_mut().expect("not closed");
        while text != "\n\n" && !text.ends_with("\n\n\n") {
            let read = stdout.read_line(&mut text).expect("text");
            assert_ne!(read, 0, "the answer broke off: {text:?}");
        }
        text
    }

    /// Everything it still says until it closes its output.
    pub(crate) fn rest(&mut self) -> String {
        let mut text = String::new();
        self.stdout
            .as_mut()
            .expect("not closed")
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn ends(&mut self) -> ExitStatus {
        until(|| self.child.try_wait().unwrap())
    }
}

impl Drop for Dialog {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Measures until once it was as quick as it is to be: what the machine does beside it is not
/// counted, and on a busy one nearly every time something is.
pub(crate) fn in_a_blink(mut measure: impl FnMut() -> Duration) {
    let mut best = Duration::MAX;
    for number in 1..=BLINKS {
        best = best.min(measure());
        if number >= 15 && best <= BLINK {
            println!("the best of {number}: {best:?}");
            return;
        }
    }
    panic!("never within {BLINK:?}: {best:?} at best");
}

/// Asks again until there is something.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < give_up, "nothing came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn connect() -> TcpStream {
    let stream = until(|| TcpStream::connect(ADDRESS).ok());
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a whole request on a connection of its own and reads the whole answer.
pub(crate) fn request(text: &str) -> String {
    exchange(connect(), text)
}

pub(crate) fn exchange(mut stream: TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("an answer and a clean end");
    answer
}

/// A form post as Chromium makes it.
pub(crate) fn post(form: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\
         Cache-Control: max-age=0\r\nOrigin: https://idp.example\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: cross-site\r\n\
         Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\r\n{form}",
        form.len()
    )
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}
