//! Who sits at the screen: looks at it as a screen reader does, presses keys, moves the mouse.

use crate::machine::{Machine, SCREEN, SOON};
use aws_client_vpn_harness::wait_for;
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

/// One thing on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whose it is.
    pub program: String,
    /// What it is, in AT-SPI's words.
    pub role: String,
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// Whether it can be used.
    pub sensitive: bool,
    /// Whether keys go to it.
    pub focused: bool,
    /// Whether it is ticked or on.
    pub checked: bool,
    /// Where it is: from the corner of the screen in gnome-shell, else of its window.
    pub x: i32,
    /// As `x`.
    pub y: i32,
    /// How large it is.
    pub width: i32,
    /// How large it is.
    pub height: i32,
}

/// The desktop's shell, whose things tell their place on the screen.
const SHELL: &str = "gnome-shell";
/// The height of the panel, below which a maximised window begins.
const PANEL: i32 = 32;

/// How long keys may take to show what they do, before they are pressed again.
const KEY: Duration = Duration::from_secs(60);

/// A user at the machine's screen.
#[derive(Debug)]
pub struct Person {
    machine: Machine,
    user: &'static str,
    password: &'static str,
    /// How long her last look took.
    last_look: Duration,
}

impl Deref for Person {
    type Target = Machine;
    fn deref(&self) -> &Machine {
        &self.machine
    }
}

impl DerefMut for Person {
    fn deref_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }
}

impl Person {
    /// The one user of the machine.
    #[must_use]
    pub fn at(machine: Machine) -> Self {
        Self {
            machine,
            user: "ada",
            password: "engine",
            last_look: Duration::ZERO,
        }
    }

    /// Has both browsers trust the endpoint's identity provider.
    #[track_caller]
    pub fn trust_endpoint(&mut self) {
        // Firefox's policies name the first; Chromium keeps a store for each user.
        self.check("cp /run/lab/ca.crt /usr/local/share/ca-certificates/tests.crt");
        let user = self.user;
        self.check(&format!(
            "runuser -u {user} -- sh -ec 'cd; mkdir -p .pki/nssdb\n\
             certutil -N -d sql:.pki/nssdb --empty-password\n\
             certutil -A -d sql:.pki/nssdb -t C,, -n tests -i /run/lab/ca.crt'"
        ));
    }

    /// Runs shell in her session, as a terminal does, that has to succeed; returns what it printed.
    #[track_caller]
    pub fn check_as_user(&mut self, script: &str) -> String {
        let script = script.replace('\'', "'\\''");
        let user = self.user;
        self.check(&format!(
            "runuser -u {user} -- env XDG_RUNTIME_DIR=/run/user/$(id -u {user}) \
             systemd-run --user --wait --pipe --quiet --collect sh -c '{script}'"
        ))
    }

    fn look_as(&mut self, user: &str, program: &str) -> Vec<Seen> {
        // Looking takes the machine time that it needs to get something to be seen: it has as long for
        // itself.
        std::thread::sleep(self.last_look);
        let begin = Instant::now();
        self.machine.picture_now();
        // The greeter has a bus of its own: the shell's environment says which.
        let (_, output) = self.machine.run(&format!(
            "shell=$(pgrep -o -u {user} -x gnome-shell) || exit\n\
             bus=$(tr '\\0' '\\n' </proc/$shell/environ | grep ^DBUS_SESSION_BUS_ADDRESS=)\n\
             cd / && exec runuser -u {user} -- env \"$bus\" /run/lab/vm-eyes '{program}'"
        ));
        self.last_look = begin.elapsed();
        output
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// All that `program` shows, or all of them.
    pub fn look(&mut self, program: &str) -> Vec<Seen> {
        let user = self.user;
        self.look_as(user, program)
    }

    /// Waits until `program` shows something for which `wanted` holds.
    #[track_caller]
    pub fn sees(&mut self, program: &str, what: &str, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let user = self.user;
        self.sees_as(user, program, what, wanted)
    }

    #[track_caller]
    fn sees_as(
        &mut self,
        user: &str,
        program: &str,
        what: &str,
        wanted: impl Fn(&Seen) -> bool,
    ) -> Seen {
        let mut shown = Vec::new();
        let found = wait_for(SOON, || {
            shown = self.look_as(user, program);
            shown.iter().find(|seen| wanted(seen)).cloned()
        });
        let Some(seen) = found else {
            panic!("{what}: not within {SOON:?}: {shown:#?}");
        };
        seen
    }

    /// Waits until `program` shows something of this name.
    #[track_caller]
    pub fn sees_named(&mut self, program: &str, name: &str) -> Seen {
        self.sees(program, name, |seen| seen.name == name)
    }

    /// Waits until `program` shows this text.
    #[track_caller]
    pub fn sees_text(&mut self, program: &str, text: &str) -> Seen {
        self.sees(program, text, |seen| seen.text == text)
    }

    /// Waits until `program` shows something, but not this text.
    #[track_caller]
    pub fn sees_no_more(&mut self, program: &str, text: &str) {
        let gone = wait_for(SOON, || {
            let shown = self.look(program);
            let is_gone = !shown.is_empty() && shown.iter().all(|seen| seen.text != text);
            is_gone.then_some(())
        });
        assert!(gone.is_some(), "{program} goes on to show {text:?}");
    }

    /// Clicks on what is called so when it can be used. The window of `program` has to be maximised,
    /// or be the shell's: only then its place on the screen is known.
    #[track_caller]
    pub fn click(&mut self, program: &str, name: &str) {
        self.click_times(program, name, 1);
    }

    /// As [`Self::click`], `times` times.
    #[track_caller]
    pub fn click_times(&mut self, program: &str, name: &str, times: usize) {
        // What has just come may still move. The shell's labels are not said to be of use.
        let mut before = None;
        let seen = wait_for(SOON, || {
            let now = self.sees(program, name, |seen| {
                seen.name == name && (seen.sensitive || program == SHELL) && seen.width > 0
            });
            let stays = before.as_ref() == Some(&now);
            before = Some(now);
            before.clone().filter(|_| stays)
        });
        let seen = seen.unwrap_or_else(|| panic!("{name} does not stay where it is: {before:?}"));
        self.click_on(&seen, times);
    }

    /// Clicks on the middle of it.
    pub fn click_on(&mut self, seen: &Seen, times: usize) {
        let top = if seen.program == SHELL { 0 } else { PANEL };
        let x = seen.x + seen.width / 2;
        let y = seen.y + seen.height / 2 + top;
        self.machine.click_at(x, y, times);
    }

    /// Maximises the window of `program`, which has to be in front soon; returns when it is as wide as
    /// the screen.
    #[track_caller]
    pub fn maximise(&mut self, program: &str) {
        let is_window = |seen: &Seen| ["frame", "window"].contains(&seen.role.as_str());
        self.sees(program, "a window", is_window);
        let wide = self.press_until(&["meta_l", "up"], |person| {
            let shown = person.look(program);
            shown
                .iter()
                .any(|seen| is_window(seen) && seen.width >= SCREEN.0)
        });
        assert!(wide, "{program} does not become as wide as the screen");
    }

    /// Presses keys until what they do is seen: what they are for may not be there yet.
    fn press_until(&mut self, keys: &[&str], mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let seen = wait_for(SOON, || {
            self.press(keys);
            wait_for(KEY, || done(self).then_some(()))
        });
        seen.is_some()
    }

    /// Logs in at the greeter; returns when the desktop is there.
    #[track_caller]
    pub fn log_in(&mut self) {
        let greeter = "Debian-gdm";
        self.sees_as(greeter, SHELL, "the greeter", |seen| {
            seen.name == "Ada Lovelace"
        });
        self.picture("greeter");
        self.press(&["ret"]);
        self.sees_as(greeter, SHELL, "the field for the password", is_password);
        self.type_password();
        let user = self.user;
        self.eventually(
            "the session is in front",
            &format!(
                "for id in $(loginctl --no-legend | awk '$3 == \"{user}\" {{ print $1 }}'); do \
                 [ \"$(loginctl show-session $id -p Active -p Type --value | sort | xargs)\" = \
                 'wayland yes' ] && exit 0; done; exit 1"
            ),
        );
        // At first, the overview is shown.
        self.sees(SHELL, "the overview", is_overview);
        self.press(&["meta_l"]);
        self.sees(SHELL, "the desktop", |seen| {
            seen.name == "Activities" && !seen.checked
        });
    }

    /// Opens an application as people do: by the Windows key and its name.
    #[track_caller]
    pub fn launch(&mut self, name: &str) {
        self.press(&["meta_l"]);
        self.sees(SHELL, "the overview", is_overview);
        self.type_text(name);
        self.sees(SHELL, "the application", |seen| {
            seen.role == "label" && seen.name.starts_with(name)
        });
        self.press(&["ret"]);
    }

    /// Locks the screen by its key; returns when it is locked.
    #[track_caller]
    pub fn lock(&mut self) {
        self.press(&["meta_l", "l"]);
        self.await_locked("yes");
    }

    /// Unlocks the screen with the password; returns when it is unlocked.
    #[track_caller]
    pub fn unlock(&mut self) {
        // The clock goes up at a key, if it is there already: after sleep, it may take a while.
        let asked = self.press_until(&["ret"], |person| {
            person.look(SHELL).iter().any(is_password)
        });
        assert!(asked, "the lock screen does not ask for the password");
        self.type_password();
        self.await_locked("no");
    }

    #[track_caller]
    fn await_locked(&mut self, hint: &str) {
        let user = self.user;
        self.eventually(
            &format!("LockedHint is {hint}"),
            &format!(
                "for id in $(loginctl --no-legend | awk '$3 == \"{user}\" {{ print $1 }}'); do \
                 [ \"$(loginctl show-session $id -p Type --value)\" = wayland ] || continue; \
                 [ \"$(loginctl show-session $id -p LockedHint --value)\" = {hint} ] && exit 0; \
                 done; exit 1"
            ),
        );
    }

    fn type_password(&mut self) {
        let password = self.password;
        self.type_text(password);
        self.press(&["ret"]);
    }
}

fn is_overview(seen: &Seen) -> bool {
    seen.name == "Activities" && seen.checked
}

fn is_password(seen: &Seen) -> bool {
    seen.role == "password text"
}
