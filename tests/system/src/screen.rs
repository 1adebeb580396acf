//! What the programs of a session show, and the person's hands.

use crate::session::Session;
use crate::system::SOON;
use aws_client_vpn_desktop::Accessible;
use aws_client_vpn_harness::eventually;
use std::fmt::Write as _;
use std::process::Command;
use zbus::blocking::{Connection, connection};

impl Session<'_> {
    /// The session bus, on which the test has the rights of the session's user.
    fn bus(&self) -> Connection {
        self.connect(&format!("unix:path=/run/user/{}/bus", self.uid()))
    }

    /// What all programs of the session show.
    #[must_use]
    pub fn shown(&self) -> Accessible {
        let name = Some("org.a11y.Bus");
        let bus = self.bus();
        let answer = bus.call_method(name, "/org/a11y/bus", name, "GetAddress", &());
        let answer = answer.expect("AT-SPI (at-spi2-core) can be started");
        let address: String = answer.body().deserialize().expect("it is a string");
        Accessible::root(self.connect(&address))
    }

    /// A bus of the session's user, reached by a program of theirs: to others it does not talk.
    fn connect(&self, address: &str) -> Connection {
        let mut bridge = self.command("systemd-stdio-bridge");
        // After the comma is which bus it was when the address was written.
        let (address, _) = address.split_once(',').unwrap_or((address, ""));
        bridge.arg(format!("--bus-path={address}"));
        let bus = connection::Builder::address(&*address_of(&bridge)).and_then(|bus| bus.build());
        bus.unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// What the program of that name shows; waits until it shows something.
    #[track_caller]
    #[must_use]
    pub fn program(&self, name: &str) -> Accessible {
        let shown = self.shown();
        eventually(&format!("{name} shows something"), SOON, || {
            let programs = shown.children();
            programs.into_iter().find(|program| program.name() == name)
        })
    }

    /// Clicks into the middle of `target`, on an X screen.
    #[track_caller]
    pub fn click(&self, target: &Accessible) {
        self.point_at(target);
        self.check(["xdotool", "click", "1"]);
    }

    /// Moves the mouse into the middle of `target`, on an X screen, once that has come to rest.
    #[track_caller]
    pub fn point_at(&self, target: &Accessible) {
        let mut before = None;
        let (x, y) = eventually("it is on the screen", SOON, || {
            let now = target.middle();
            now.filter(|_| std::mem::replace(&mut before, now) == now)
        });
        self.check(["xdotool", "mousemove", &x.to_string(), &y.to_string()]);
    }

    /// Clicks into the middle of the window that a program of the class `class` shows in a panel.
    #[track_caller]
    pub fn click_icon(&self, class: &str) {
        self.click_in_window(class, "$((WIDTH / 2)) $((HEIGHT / 2))");
    }

    /// Clicks into the middle of `target` in the window of a program of the class `class`, which knows
    /// where in the window it is, but not where the window is.
    #[track_caller]
    pub fn click_by_window(&self, class: &str, target: &Accessible) {
        let middle = eventually("it is in the window", SOON, || target.middle_in_window());
        self.click_in_window(class, &format!("{} {}", middle.0, middle.1));
    }

    #[track_caller]
    fn click_in_window(&self, class: &str, place: &str) {
        let script = "id=$(xdotool search --onlyvisible --class \"$1\" | head -n 1)
            eval \"$(xdotool getwindowgeometry --shell \"$id\")\"
            eval \"set -- $2\"
            xdotool mousemove --window \"$id\" \"$1\" \"$2\" click 1";
        self.check(["sh", "-ec", script, "sh", class, place]);
    }

    /// Keeps a picture of the screen as `target/screenshots/NAME.png`.
    pub fn screenshot(&self, name: &str) {
        let script = "case $XDG_SESSION_TYPE in
            wayland) grim \"$1\" ;;
            *) import -window root \"$1\" ;;
            esac";
        let picture = format!("/tmp/{name}.png");
        self.check(["sh", "-ec", script, "sh", &picture]);
        self.keep(&picture);
    }
}

/// The address of a bus that `command` speaks for.
fn address_of(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        let value = value?.to_string_lossy();
        Some(format!("{}={value}", name.to_string_lossy()))
    });
    let program = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let words = ["-i".to_owned()].into_iter().chain(variables);
    let words = words.chain(program.map(|word| word.to_string_lossy().into_owned()));
    let mut address = "unixexec:path=env".to_owned();
    for (word, number) in words.zip(1..) {
        // zbus takes words as they are.
        assert!(!word.contains([',', ';']), "{word:?} ends at its comma");
        write!(address, ",argv{number}={word}").expect("a String takes all");
    }
    address
}
