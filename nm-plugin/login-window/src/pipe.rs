//! The auth dialog at the other end of standard input and output.

use aws_client_vpn_sign_in::window::{Screen, UserAction};
use aws_client_vpn_sign_in::wire::Lines;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// The way from and to the dialog.
#[derive(Debug)]
pub(crate) struct Pipe {
    screens: mpsc::UnboundedReceiver<Screen>,
    actions: UserActions,
}

/// The way to the dialog.
#[derive(Debug, Clone)]
pub(crate) struct UserActions(Arc<Mutex<File>>);

/// How long the window stays for the next dialog.
const LINGER_TIME: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

impl Pipe {
    /// Takes the streams and begins to read.
    pub(crate) fn open() -> io::Result<Self> {
        let answers = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?.into();
        let actions = UserActions(Arc::new(Mutex::new(answers)));
        let dialog = Dialog {
            successors: std::env::args_os().nth(1).and_then(Successors::await_at),
            actions: actions.clone(),
        };
        // GTK, its modules and drivers print what they like.
        rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
        let (sender, screens) = mpsc::unbounded_channel();
        // A thread, so that reading holds up no drawing.
        std::thread::Builder::new()
            .name("dialog".to_owned())
            .spawn(move || dialog.read_all(&sender))?;
        Ok(Self { screens, actions })
    }

    /// What is to be shown next; `None` when the dialog is gone.
    pub(crate) async fn screen(&mut self) -> Option<Screen> {
        self.screens.recv().await
    }

    pub(crate) fn actions(&self) -> UserActions {
        self.actions.clone()
    }
}

impl UserActions {
    /// Tells the dialog. If it is gone, so is the window in a moment.
    pub(crate) fn send(&self, action: &UserAction) {
        if let Ok(mut dialog) = self.0.lock() {
            drop(dialog.write_all(action.to_line().expose().as_bytes()));
        }
    }
}

/// Where dialogs that follow ours come to.
struct Successors {
    listener: UnixListener,
    path: PathBuf,
}

impl Successors {
    fn await_at(path: OsString) -> Option<Self> {
        let path = PathBuf::from(path);
        // One that was left behind has nobody at it: else the dialog would have found it.
        drop(std::fs::remove_file(&path));
        let listener = UnixListener::bind(&path).ok()?;
        listener.set_nonblocking(true).ok()?;
        Some(Self { listener, path })
    }

    fn next(&self) -> Option<UnixStream> {
        let give_up = Instant::now() + LINGER_TIME;
        loop {
            // Looked at before the clock: whoever came while this computer stood still has come.
            let is_over = Instant::now() >= give_up;
            if let Ok((stream, _)) = self.listener.accept() {
                stream.set_nonblocking(false).ok()?;
                return Some(stream);
            }
            if is_over {
                return None;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Successors {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// The dialog, and those that follow it.
struct Dialog {
    successors: Option<Successors>,
    actions: UserActions,
}

impl Dialog {
    fn read_all(self, screens: &mpsc::UnboundedSender<Screen>) {
        let mut lingers = read(io::stdin(), screens);
        while lingers && let Some(next) = self.successors.as_ref().and_then(Successors::next) {
            let Ok(way_back) = next.try_clone() else {
                return;
            };
            if let Ok(mut dialog) = self.actions.0.lock() {
                *dialog = File::from(OwnedFd::from(way_back));
            }
            lingers = read(&next, screens);
        }
    }
}

/// Passes on what one dialog says, to its end; whether it leaves the window to another.
fn read(dialog: impl AsFd, screens: &mpsc::UnboundedSender<Screen>) -> bool {
    let mut buffer = Zeroizing::new([0; 4096]);
    let mut lines = Lines::default();
    let mut lingers = false;
    loop {
        let read = match rustix::io::read(&dialog, &mut *buffer) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(0) | Err(_) => return lingers,
            Ok(length) => &buffer[..length],
        };
        let Ok(complete) = lines.push(read) else {
            return false;
        };
        // A screen that only a newer dialog knows is left out.
        for screen in complete.iter().filter_map(Screen::from_line) {
            lingers = screen == Screen::KeepOpen;
            if screens.send(screen).is_err() {
                return false;
            }
        }
    }
}
