//! An X server of a test's own, without a screen.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Xvfb on a display that nobody else uses; gone with this value.
pub struct Display {
    server: Child,
    number: String,
}

impl Display {
    /// Starts it and waits until it listens.
    #[must_use]
    pub fn new() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1200x1600x24"])
            .args(["-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        let output = server.stdout.take().expect("its output is a pipe");
        BufReader::new(output)
            .read_line(&mut number)
            .expect("Xvfb names its display");
        let number = number.trim().to_owned();
        assert!(!number.is_empty(), "Xvfb ended");
        Self { server, number }
    }

    /// What goes into `DISPLAY`.
    #[must_use]
    pub fn name(&self) -> String {
        format!(":{}", self.number)
    }

    /// Runs a program on the display; returns what it printed.
    pub fn run(&self, command: &mut Command) -> String {
        let output = command
            .env("DISPLAY", self.name())
            .env("GDK_BACKEND", "x11")
            .env("GSK_RENDERER", "cairo")
            .env("GTK_A11Y", "none")
            .env("NO_AT_BRIDGE", "1")
            .env("GSETTINGS_BACKEND", "memory")
            .env("LANGUAGE", "en")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("GTK_THEME")
            .output()
            .expect("the program starts");
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert!(output.status.success(), "{command:?}: {out}{err}");
        for line in err.lines() {
            assert!(!line.contains("CRITICAL"), "{command:?}: {err}");
        }
        out
    }
}

impl Default for Display {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // Whether it was still there or not, it is reaped.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}
