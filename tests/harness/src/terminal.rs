//! A terminal of the client machine at which a program asks a person.

use crate::process::Process;
use crate::up::Up;
use crate::wait::wait_for;
use crate::world::World;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a program may take that somebody waits for at its end: longer than any login of a test.
const END_LIMIT: Duration = Duration::from_secs(600);

/// A program at a terminal.
#[derive(Debug)]
pub struct Terminal {
    started: Instant,
    process: Process,
    shown: Arc<Mutex<String>>,
    /// How much of what is shown has been waited for.
    read: usize,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Terminal {
    /// Starts `line` of shell on `world` at a terminal of its own (util-linux's `script`).
    pub(crate) fn start(world: &World, line: &str) -> Self {
        let mut command = world.command("env");
        // Tests that run in the background of a shell ignore Ctrl+C; what they start would as well.
        command.args(["--default-signal=INT,QUIT", "script"]);
        command.args(["--quiet", "--return", "--command", line, "/dev/null"]);
        Self::of(world, command)
    }

    /// As [`Self::start`], by a command of the caller's that runs `script`.
    #[must_use]
    pub fn of(world: &World, mut command: Command) -> Self {
        command
            .env("TERM", "dumb")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = world.spawn("script", &mut command);
        let mut stdout = process.entrance.stdout.take().expect("it is piped");
        let shown = Arc::<Mutex<String>>::default();
        let to = Arc::clone(&shown);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]);
                to.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&text);
            }
        });
        Self {
            started: Instant::now(),
            process,
            shown,
            read: 0,
            reader: Some(reader),
        }
    }

    /// All that the terminal has shown.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until `text` is shown after what was waited for before.
    #[track_caller]
    pub fn expect(&mut self, text: &str, limit: Duration) {
        let found = wait_for(limit, || {
            let shown = self.shown();
            let at = shown.get(self.read..)?.find(text)?;
            Some(self.read + at + text.len())
        });
        match found {
            Some(read) => self.read = read,
            None => panic!("the terminal does not show {text:?}:\n{}", self.shown()),
        }
    }

    /// Types `text` and presses Return.
    #[track_caller]
    pub fn type_line(&mut self, text: &str) {
        self.press(&[text, "\r"].concat());
    }

    /// Presses Ctrl and C.
    #[track_caller]
    pub fn interrupt(&mut self) {
        self.press("\u{3}");
    }

    /// Presses Ctrl and Z.
    #[track_caller]
    pub fn suspend(&mut self) {
        self.press("\u{1a}");
    }

    #[track_caller]
    fn press(&mut self, keys: &str) {
        let stdin = self.process.entrance.stdin.as_mut().expect("it is piped");
        write!(stdin, "{keys}")
            .and_then(|()| stdin.flush())
            .expect("the program reads");
    }

    /// Waits for the program's end.
    #[must_use]
    pub fn finish(mut self) -> Up {
        // Standard input stays open: its end would be that of the terminal.
        let ended = |reader: &std::thread::JoinHandle<()>| reader.is_finished().then_some(());
        if let Some(reader) = self.reader.take()
            && wait_for(END_LIMIT, || ended(&reader)).is_none()
        {
            panic!("the program does not end:\n{}", self.shown());
        }
        let status = self.process.entrance.wait().expect("it was started");
        Up {
            success: status.success(),
            code: status.code(),
            text: self.shown(),
            elapsed: self.started.elapsed(),
        }
    }
}
