//! The session: display, session bus, gnome-shell, keyring.

use crate::accessible::Accessible;
use aws_client_vpn_harness::{Process, World, eventually};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use zbus::blocking::fdo::PropertiesProxy;
use zbus::blocking::{Connection, connection};
use zbus::names::InterfaceName;
use zbus::zvariant::Value;

/// What a session takes to start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(180);
/// Longer than after which gnome-shell takes a person for idle.
const UNSEEN: Duration = Duration::from_secs(2);
const RUNTIME: &str = "/run/user/0";
const HOME: &str = "/run/home";
const DISPLAY: &str = ":7";

/// Which colours the programs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appearance {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// What becomes of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notifications {
    Shown,
    Hidden,
}

/// A desktop session on a machine. What runs in it ends with the machine at the latest.
#[derive(Debug)]
pub struct Desktop<'world> {
    world: &'world World,
    session: Connection,
    accessible: Accessible,
    /// As it is called in `XDG_CURRENT_DESKTOP`.
    name: &'static str,
    // Dropped in this order.
    xsettings: Option<Process>,
    shell: Option<Process>,
    _bus: Process,
    _display: Process,
}

impl<'world> Desktop<'world> {
    /// Starts display and session bus, with no window manager.
    pub fn bare(world: &'world World, appearance: Appearance) -> Self {
        Self::bare_of("GNOME", world, appearance)
    }

    /// As [`Self::bare`], for the programs of the desktop `name`.
    pub fn bare_of(name: &'static str, world: &'world World, appearance: Appearance) -> Self {
        let root = world.root();
        let runtime = root.join(&RUNTIME[1..]);
        fs::create_dir_all(&runtime).expect("the machine's /run is writable");
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("it is ours");
        write_settings(&root, appearance, Notifications::Hidden);
        write_default_browser(&root);
        let mut command = world.command("Xvfb");
        command.args([DISPLAY, "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
        command.args(["-noreset", "-dpi", "96"]);
        let display = world.spawn_logged("display", command);
        await_socket(&root, &format!("/tmp/.X11-unix/X{}", &DISPLAY[1..]));
        let mut command = session_command(world, name, "dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile"]);
        command.arg(format!("--address=unix:path={RUNTIME}/bus"));
        let bus = world.spawn_logged("session-bus", command);
        await_socket(&root, &format!("{RUNTIME}/bus"));
        let session = connect(&root, &format!("unix:path={RUNTIME}/bus"));
        let answer = session.call_method(
            Some("org.a11y.Bus"),
            "/org/a11y/bus",
            Some("org.a11y.Bus"),
            "GetAddress",
            &(),
        );
        let address = answer.expect("AT-SPI (at-spi2-core) can be started");
        let address: String = address.body().deserialize().expect("it is a string");
        let accessible = Accessible::root(connect(&root, &address));
        Self {
            world,
            session,
            accessible,
            name,
            xsettings: None,
            shell: None,
            _bus: bus,
            _display: display,
        }
    }

    /// Starts a session with gnome-shell; returns when it answers for it. Notifications only go into
    /// its list, where they lie over nothing.
    pub fn gnome(world: &'world World, appearance: Appearance) -> Self {
        Self::bare(world, appearance).with_gnome_shell()
    }

    /// As [`Self::gnome`], with notifications on the screen.
    pub fn gnome_with_notifications(world: &'world World, appearance: Appearance) -> Self {
        let desktop = Self::bare(world, appearance);
        write_settings(&world.root(), appearance, Notifications::Shown);
        desktop.with_gnome_shell()
    }

    fn with_gnome_shell(self) -> Self {
        let world = self.world;
        let mut desktop = self;
        let mut command = desktop.command("gnome-shell");
        command.args(["--x11", "--sm-disable"]);
        desktop.shell = Some(world.spawn_logged("gnome-shell", command));
        desktop.wait_for_name("org.gnome.Shell");
        desktop.wait_for_name("org.freedesktop.Notifications");
        desktop.leave_overview();
        // Tells GTK of the font, and GTK 3 of the colours.
        desktop.xsettings = Some(desktop.start("/usr/libexec/gsd-xsettings", &[]));
        desktop
    }

    /// Leaves the overview of all windows, with which a session begins.
    fn leave_overview(&self) {
        let shell = PropertiesProxy::builder(&self.session)
            .destination("org.gnome.Shell")
            .and_then(|proxy| proxy.path("/org/gnome/Shell"))
            .and_then(|proxy| proxy.build());
        let shell = shell.expect("gnome-shell is on the session bus");
        let interface = InterfaceName::from_static_str_unchecked("org.gnome.Shell");
        let is_active = || {
            let active = shell.get(interface.clone(), "OverviewActive").ok()?;
            bool::try_from(active).ok()
        };
        // Who leaves it before it has come is in it afterwards.
        eventually("the overview is there", START_LIMIT, || {
            is_active()?.then_some(())
        });
        eventually("the overview is left", START_LIMIT, || {
            drop(shell.set(interface.clone(), "OverviewActive", Value::from(false)));
            (!is_active()?).then_some(())
        });
    }

    /// Puts away what gnome-shell tells root at the start, which would stay until somebody is there.
    /// The session has been used for a while by then.
    #[track_caller]
    pub fn put_warnings_away(&self) {
        let shell = self.program("gnome-shell");
        let is_warning = |node: &Accessible| {
            let name = node.name();
            let warnings = ["Logged in as a privileged user", "Screen Lock disabled"];
            node.is_showing() && warnings.contains(&&*name)
        };
        eventually("the warnings are gone", START_LIMIT, || {
            for x in ["10", "11"] {
                run(self.command("xdotool").args(["mousemove", x, "790"]));
            }
            shell.search(is_warning).is_none().then_some(())
        });
    }

    /// Waits until nobody has touched mouse or keyboard for a while: a notification that gnome-shell
    /// shows then, unseen as far as it knows, stays until somebody does.
    #[track_caller]
    pub fn await_idle(&self) {
        eventually("mouse and keyboard rest", START_LIMIT, || {
            let rest = self.session.call_method(
                Some("org.gnome.Shell"),
                "/org/gnome/Mutter/IdleMonitor/Core",
                Some("org.gnome.Mutter.IdleMonitor"),
                "GetIdletime",
                &(),
            );
            let rest: u64 = rest.ok()?.body().deserialize().ok()?;
            (Duration::from_millis(rest) > UNSEEN).then_some(())
        });
    }

    /// Waits until a program has this name on the session bus.
    #[track_caller]
    pub fn wait_for_name(&self, name: &str) {
        eventually(&format!("{name} is there"), START_LIMIT, || {
            let owner = self.session.call_method(
                Some("org.freedesktop.DBus"),
                "/org/freedesktop/DBus",
                Some("org.freedesktop.DBus"),
                "GetNameOwner",
                &(name,),
            );
            owner.ok().map(drop)
        });
    }

    /// A command that will run in the session.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        session_command(self.world, self.name, program)
    }

    /// Starts a program in the session; its output goes to the log file of its name.
    #[must_use]
    pub fn start(&self, program: &str, arguments: &[&str]) -> Process {
        let mut command = self.command(program);
        command.args(arguments);
        let name = Path::new(program).file_name().unwrap_or_default();
        self.world.spawn_logged(&name.to_string_lossy(), command)
    }

    /// Starts the keyring, and unlocks it as a login with a password does.
    #[must_use]
    pub fn unlock_keyring(&self) -> Process {
        let mut command = self.command("gnome-keyring-daemon");
        command
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut keyring = self.world.spawn("gnome-keyring-daemon", &mut command);
        let stdin = keyring.entrance.stdin.take();
        // The password ends with the input.
        let typed = stdin.map(|mut stdin| stdin.write_all(b"a password of the lab's"));
        assert!(
            matches!(typed, Some(Ok(()))),
            "gnome-keyring-daemon has ended"
        );
        self.wait_for_name("org.freedesktop.secrets");
        keyring
    }

    /// What all programs show.
    #[must_use]
    pub fn accessible(&self) -> &Accessible {
        &self.accessible
    }

    /// What the program of that name shows; waits until it shows something.
    #[track_caller]
    #[must_use]
    pub fn program(&self, name: &str) -> Accessible {
        let find = || {
            let programs = self.accessible.children();
            programs.into_iter().find(|program| program.name() == name)
        };
        eventually(&format!("{name} shows something"), START_LIMIT, find)
    }

    /// Keeps a picture of the screen as `target/screenshots/NAME.png`.
    pub fn screenshot(&self, name: &str) {
        run(&mut self.keep_picture(name, ""));
    }

    /// As [`Self::screenshot`], of a part of the screen: `WIDTHxHEIGHT+X+Y`.
    #[track_caller]
    pub fn screenshot_of(&self, part: &str, name: &str) {
        run(&mut self.keep_picture(name, &format!("-crop {part} +repage")));
    }

    fn keep_picture(&self, name: &str, options: &str) -> Command {
        let directory = "/run/lab-target/screenshots";
        let mut command = self.command("sh");
        let script = format!(
            "mkdir -p {directory} && import -window root {options} {directory}/{name}.png && chmod 644 {directory}/{name}.png"
        );
        command.args(["-c", &script]);
        command
    }
}

impl Drop for Desktop<'_> {
    /// A test that fails tells more with a picture.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let thread = std::thread::current();
            let test = thread.name().unwrap_or("desktop").replace("::", "-");
            let picture = format!("failed-{test}");
            if let Err(error) = self.keep_picture(&picture, "").output() {
                eprintln!("no picture: {error}");
            }
        }
    }
}

/// Runs a command to its end and returns what it printed.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().expect("nsenter (util-linux) can be run");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn session_command(world: &World, desktop: &str, program: &str) -> Command {
    let mut command = world.command(program);
    command
        .env("DISPLAY", DISPLAY)
        .env("XDG_RUNTIME_DIR", RUNTIME)
        .env(
            "DBUS_SESSION_BUS_ADDRESS",
            format!("unix:path={RUNTIME}/bus"),
        )
        .env("XDG_SESSION_TYPE", "x11")
        .env("XDG_CURRENT_DESKTOP", desktop)
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env("GSETTINGS_BACKEND", "keyfile")
        .env("GTK_A11Y", "atspi")
        .env("QT_LINUX_ACCESSIBILITY_ALWAYS_ON", "1")
        .env("BROWSER", "/run/lab/bin/xdg-open");
    command
}

/// The lab's browser as the default one of this user, whom the desktop's portal asks for.
fn write_default_browser(root: &Path) {
    let home = root.join(&HOME[1..]);
    for (file, text) in [
        (
            ".local/share/applications/lab-browser.desktop",
            "[Desktop Entry]\nType=Application\nName=Browser\nExec=/run/lab/bin/xdg-open %u\n\
             MimeType=x-scheme-handler/https;\n",
        ),
        (
            ".config/mimeapps.list",
            "[Default Applications]\nx-scheme-handler/https=lab-browser.desktop\n",
        ),
    ] {
        let file = home.join(file);
        let directory = file.parent().expect("it is in one");
        fs::create_dir_all(directory).expect("the machine's home is writable");
        fs::write(file, text).expect("the machine's home is writable");
    }
}

/// What a user has set in GNOME Settings, and what makes a session start without questions.
fn write_settings(root: &Path, appearance: Appearance, notifications: Notifications) {
    let banners = notifications == Notifications::Shown;
    let scheme = match appearance {
        Appearance::Light => "default",
        Appearance::Dark => "prefer-dark",
    };
    let text = format!(
        "[org/gnome/desktop/interface]\n\
         color-scheme='{scheme}'\n\
         enable-animations=false\n\
         toolkit-accessibility=true\n\
         [org/gnome/desktop/notifications]\n\
         show-banners={banners}\n\
         [org/gnome/shell]\n\
         welcome-dialog-last-shown-version='9999'\n\
         [org/gnome/desktop/session]\n\
         idle-delay=uint32 0\n\
         [org/gnome/desktop/background]\n\
         picture-options='none'\n\
         picture-uri=''\n\
         primary-color='#3465a4'\n\
         secondary-color='#3465a4'\n"
    );
    let directory = root.join(&HOME[1..]).join(".config/glib-2.0/settings");
    fs::create_dir_all(&directory).expect("the machine's home is writable");
    fs::write(directory.join("keyfile"), text).expect("the machine's home is writable");
}

#[track_caller]
fn await_socket(root: &Path, path: &str) {
    let socket: PathBuf = root.join(&path[1..]);
    eventually(&format!("{path} is there"), START_LIMIT, || {
        std::os::unix::net::UnixStream::connect(&socket).ok()
    });
}

/// Connects to a bus inside the machine whose file system is `root`.
fn connect(root: &Path, address: &str) -> Connection {
    let outside = address.replacen("path=", &format!("path={}", root.display()), 1);
    let bus = connection::Builder::address(outside.as_str()).and_then(connection::Builder::build);
    bus.unwrap_or_else(|error| panic!("{outside}: {error}"))
}
