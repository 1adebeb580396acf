//! Mouse and keyboard: events of the X server, as a person's are.

use crate::accessible::{Accessible, Corner};
use crate::desktop::{Desktop, run};
use crate::role::Role;
use aws_client_vpn_harness::{eventually, wait_for};
use std::time::Duration;

/// Until a window is where it will stay.
const LIMIT: Duration = Duration::from_secs(120);
/// After which somebody presses a key once more.
const PATIENCE: Duration = Duration::from_secs(3);

impl Desktop<'_> {
    /// Presses and lets go a key or a combination, as `Return` or `ctrl+a`.
    pub fn key(&self, key: &str) {
        self.xdotool(&["key", key]);
    }

    /// Types a text.
    pub fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "5", "--", text]);
    }

    /// Clicks into the middle of `target`.
    #[track_caller]
    pub fn click(&self, target: &Accessible) {
        self.point_at(target);
        self.xdotool(&["click", "1"]);
    }

    /// Moves the mouse into the middle of `target`.
    #[track_caller]
    pub fn point_at(&self, target: &Accessible) {
        let Some((x, y)) = wait_for(LIMIT, || self.middle_of(target)) else {
            panic!("nowhere on the screen:\n{}", target.describe());
        };
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    }

    /// Clicks into `field`, and types `text` in place of what it holds.
    #[track_caller]
    pub fn type_into(&self, field: &Accessible, text: &str) {
        self.click(field);
        self.key("ctrl+a");
        if text.is_empty() {
            self.key("BackSpace");
        } else {
            self.type_text(text);
        }
        field.wait_until("the text is there", |field| field.text() == text);
    }

    /// Waits until the window with this title has the keyboard.
    #[track_caller]
    pub fn await_window(&self, title: &str) {
        eventually(&format!("{title:?} has the keyboard"), LIMIT, || {
            (self.active_window() == title).then_some(())
        });
    }

    /// Waits until the window of `program` that holds `target` has the keyboard; that window.
    #[track_caller]
    pub fn await_window_of(&self, program: &Accessible, target: &Accessible) -> Accessible {
        eventually("the window has the keyboard", LIMIT, || {
            let windows = program.children();
            let window = windows.into_iter().find(|window| window.contains(target))?;
            (self.active_window() == window.name()).then_some(window)
        })
    }

    /// Types a path into the file chooser `title` of `program`, as the keyboard's way there is.
    #[track_caller]
    pub fn choose_file(&self, program: &Accessible, title: &str, file: &str) {
        self.await_window(title);
        self.key("ctrl+l");
        self.type_text("/");
        let is_field = |node: &Accessible| node.is(Role::Text) || node.is(Role::Entry);
        let field = program.wait_for("the field of the path", |node| {
            is_field(node) && node.text().starts_with('/')
        });
        // As long as it reads the directory, it takes no Return and shows no sign of that. What it
        // completes it has read. It may forget a Tab, and completes letters that come fast wrongly.
        let (begun, _) = file.split_at(file.len() - 1);
        eventually("the path is complete", LIMIT, || {
            field.set_text(begun);
            self.key("End");
            self.key("Tab");
            wait_for(PATIENCE, || {
                (field.text().trim_end_matches('/') == file).then_some(())
            })
        });
        // GTK 4.24 may take it for a directory.
        if field.text() != file {
            self.key("BackSpace");
            field.wait_until("the path is that of the file", |field| field.text() == file);
        }
        self.key("Return");
    }

    /// The title of the window that has the keyboard.
    #[must_use]
    pub fn active_window(&self) -> String {
        let mut command = self.command("xdotool");
        let output = command.args(["getactivewindow", "getwindowname"]).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.unwrap_or_default().trim_end().to_owned()
    }

    fn middle_of(&self, target: &Accessible) -> Option<(i32, i32)> {
        if !target.is_gtk4() {
            return target.middle();
        }
        let corner = self.corner_of_active_window()?;
        let at = target.extents(Corner::Window).filter(|at| at.width > 0)?;
        Some((
            corner.0 + at.x + at.width / 2,
            corner.1 + at.y + at.height / 2,
        ))
    }

    /// Where the window that has the keyboard begins, inside its shadow.
    fn corner_of_active_window(&self) -> Option<(i32, i32)> {
        let script = "xdotool getactivewindow getwindowgeometry --shell && \
                      xprop -id $(xdotool getactivewindow) _GTK_FRAME_EXTENTS";
        let output = self.command("sh").args(["-c", script]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let number = |prefix: &str| -> Option<i32> {
            let line = text.lines().find_map(|line| line.strip_prefix(prefix))?;
            line.trim().parse().ok()
        };
        let frame: Vec<i32> = text
            .lines()
            .find_map(|line| line.strip_prefix("_GTK_FRAME_EXTENTS(CARDINAL) = "))
            .map(|line| line.split(", ").filter_map(|n| n.parse().ok()).collect())
            .unwrap_or_default();
        let shadow = |index: usize| frame.get(index).copied().unwrap_or(0);
        // left, right, top, bottom
        Some((number("X=")? + shadow(0), number("Y=")? + shadow(2)))
    }

    fn xdotool(&self, arguments: &[&str]) {
        run(self.command("xdotool").args(arguments));
    }
}
