//! Desktops besides GNOME, started as display managers do.

use crate::system::System;
use std::path::Path;

/// The screen of an X session.
pub(crate) const DISPLAY: &str = ":7";

/// What a desktop's file for display managers says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionFile {
    /// As the file is called.
    name: String,
    is_wayland: bool,
    /// Its program, with arguments.
    exec: String,
    /// What it goes by in `XDG_CURRENT_DESKTOP`.
    desktop: String,
}

impl SessionFile {
    /// Reads `/usr/share/FILE.desktop`.
    #[track_caller]
    pub(crate) fn read(system: &System, file: &str) -> Self {
        let path = format!("/usr/share/{file}.desktop");
        let text = system.client.check(["cat", &path]);
        let entry = |key: &str| {
            let value = |line: &str| Some(line.strip_prefix(key)?.strip_prefix('=')?.to_owned());
            text.lines().find_map(value)
        };
        let name = Path::new(file).file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        Self {
            is_wayland: file.starts_with("wayland-sessions/"),
            exec: entry("Exec").expect("a session has a program"),
            desktop: entry("DesktopNames").unwrap_or_default().replace(';', ":"),
            name,
        }
    }

    /// The kind of session for logind.
    pub(crate) fn session_type(&self) -> &'static str {
        if self.is_wayland { "wayland" } else { "x11" }
    }

    /// What the session is started with, besides its kind.
    pub(crate) fn environment(&self) -> Vec<String> {
        let Self { name, desktop, .. } = self;
        let mut variables = vec![
            format!("XDG_SESSION_DESKTOP={name}"),
            format!("DESKTOP_SESSION={name}"),
        ];
        if !desktop.is_empty() {
            variables.push(format!("XDG_CURRENT_DESKTOP={desktop}"));
        }
        if self.is_wayland {
            // The compositors that are built on wlroots have a screen in memory.
            let in_memory = ["WLR_BACKENDS=headless", "WLR_RENDERER=pixman"];
            variables.extend(in_memory.map(ToOwned::to_owned));
        }
        variables
    }

    /// The first program of the session: an X session is started by the X server's own starter and
    /// Debian's script.
    pub(crate) fn program(&self) -> Vec<String> {
        let line: &[&str] = if self.is_wayland {
            &["sh", "-lc", &format!("exec {}", self.exec)]
        } else {
            &[
                "xinit",
                "/etc/X11/Xsession",
                &self.exec,
                "--",
                "/usr/bin/Xvfb",
                DISPLAY,
                "-screen",
                "0",
                "1280x800x24",
                "-nolisten",
                "tcp",
            ]
        };
        line.iter().map(|&word| word.to_owned()).collect()
    }

    /// What a program in the session knows it by.
    pub(crate) fn surroundings(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("XDG_SESSION_TYPE", self.session_type().to_owned()),
            ("XDG_CURRENT_DESKTOP", self.desktop.clone()),
        ];
        if self.is_wayland {
            // What wlroots calls its first one.
            variables.push(("WAYLAND_DISPLAY", "wayland-1".to_owned()));
        } else {
            variables.push(("DISPLAY", DISPLAY.to_owned()));
        }
        variables
    }
}
