//! The terminal as the auth dialog's window.
//!
//! It is opened again, so that what is set on it does not outlast us for the shell, and what other
//! programs write to their streams goes elsewhere.

mod line;
mod place;
mod words;

use crate::terminal::line::{Continued, EchoOff, read_line};
pub use place::has_display;

use crate::terminal::place::{may_have_browser, variable};
use aws_client_vpn_sign_in::form::CredentialForm;
use aws_client_vpn_sign_in::window::{Answer, Countdown, FormState, Screen, UserAction};
use aws_client_vpn_sign_in::wire::Lines;
use aws_client_vpn_text::secret::Secret;
use rustix::termios::tcgetwinsize;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Mutex;
use tokio::time::sleep;
use zeroize::Zeroizing;

const SECOND: Duration = Duration::from_secs(1);
/// Back to the start of the line, which is cleared.
const CLEAR_LINE: &str = "\r\x1b[K";

/// The terminal that the agent was started in.
#[derive(Debug)]
pub struct Terminal {
    tty: File,
    /// `user@host`, as ssh calls this computer.
    here: String,
    is_remote: bool,
    opens_browser: bool,
    has_keyring: bool,
    /// Held by the one dialog that uses the terminal.
    turn: Mutex<()>,
}

impl Terminal {
    /// The terminal, if a person is at one.
    pub fn open() -> Option<Self> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        // Non-blocking, which must not be set on the shell's own.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        let tty = File::options()
            .read(true)
            .write(true)
            .custom_flags(flags.bits().cast_signed())
            .open("/dev/tty")
            .ok()?;
        let ssh = place::ssh_connection();
        let host = match ssh.as_deref().and_then(place::own_address) {
            Some(address) => address.to_string(),
            None => {
                let name = rustix::system::uname();
                name.nodename()
                    .to_str()
                    .unwrap_or("this-computer")
                    .to_owned()
            }
        };
        Some(Self {
            tty,
            here: match place::user() {
                Some(user) => format!("{user}@{host}"),
                None => host,
            },
            is_remote: ssh.is_some() || variable("SSH_TTY").is_some(),
            opens_browser: may_have_browser(),
            has_keyring: variable("DBUS_SESSION_BUS_ADDRESS").is_some(),
            turn: Mutex::new(()),
        })
    }

    /// The same, with links for the person to open.
    pub fn without_browser(self) -> Self {
        Self {
            opens_browser: false,
            ..self
        }
    }

    /// Whether a browser is to be opened here: one helps nobody who sits at another computer, and a
    /// text console has none.
    pub(crate) fn opens_browser(&self) -> bool {
        self.opens_browser && !self.is_remote
    }

    /// Prints lines of ours. The endpoint's words, and names that others have given to connections,
    /// must not draw on the terminal.
    pub fn say(&self, text: &str) {
        self.write(&[CLEAR_LINE, &words::lines(text), "\n"].concat());
    }

    /// A terminal that is gone reads nothing; the hang-up comes by a signal.
    fn write(&self, text: &str) {
        drop((&self.tty).write_all(text.as_bytes()));
    }

    /// Shows what the dialog at the other end of `socket` wants shown, until it ends.
    pub async fn show(&self, socket: UnixStream) {
        let _turn = self.turn.lock().await;
        let socket = socket
            .set_nonblocking(true)
            .and_then(|()| tokio::net::UnixStream::from_std(socket));
        let Ok(socket) = socket else {
            return;
        };
        let (reader, mut writer) = socket.into_split();
        let mut screens = Views::new(reader);
        let mut countdown = None;
        let _clean = CleanLine(self);
        loop {
            let screen = tokio::select! {
                screen = screens.next() => screen,
                () = sleep(SECOND), if countdown.is_some() => {
                    self.progress(countdown.as_ref());
                    continue;
                }
            };
            match screen {
                None => return,
                Some(Screen::Queue { connection }) => self.say(&words::queue(&connection)),
                Some(Screen::Login {
                    connection,
                    url,
                    time_left,
                }) => {
                    let remote = Some(&*self.here).filter(|_| self.needs_tunnel());
                    self.say(&words::login(&connection, &url, remote));
                    countdown = Some(Countdown::new(Instant::now(), time_left));
                    self.progress(countdown.as_ref());
                }
                // A terminal is not closed and opened.
                Some(Screen::CopyLink | Screen::KeepOpen) => {}
                Some(Screen::NoBrowser { reason }) => self.say(&reason),
                Some(Screen::Form { connection, form }) => {
                    let action = tokio::select! {
                        answer = self.ask(&connection, &form) => match answer {
                            Some(answer) => UserAction::Answer(answer),
                            None => UserAction::Cancel,
                        },
                        // There is one screen at a time; what comes now is the end.
                        _ = screens.next() => return,
                    };
                    let line = action.to_line();
                    drop(writer.write_all(line.expose().as_bytes()).await);
                }
            }
        }
    }

    /// Whether the browser may well be on another computer.
    fn needs_tunnel(&self) -> bool {
        self.is_remote || !has_display()
    }

    fn progress(&self, countdown: Option<&Countdown>) {
        if let Some(countdown) = countdown {
            // Zero where it is not known.
            let columns = tcgetwinsize(&self.tty).map_or(0, |size| size.ws_col);
            let line = words::progress(&countdown.clock(Instant::now()), usize::from(columns));
            self.write(&[CLEAR_LINE, &line].concat());
        }
    }

    /// Asks for everything in a form, line by line; `None` if the person ends the input.
    async fn ask(&self, connection: &str, form: &CredentialForm) -> Option<Answer> {
        self.say(&words::form(connection, form));
        let mut entries = FormState::new(form);
        while let Some(place) = entries.next_empty() {
            let field = entries.all().get(place)?.field.clone();
            let value = self.ask_line(&words::label(&field), field.masked).await?;
            entries.set(place, value);
            if entries.all().get(place)?.is_unusable() {
                entries.set(place, Secret::from(""));
            }
        }
        let remember = entries.offers_to_remember() && self.has_keyring && {
            let answer = self.ask_line(&words::remember(), false).await?;
            words::is_yes(answer.expose())
        };
        entries.set_remember(remember);
        entries.answer()
    }

    async fn ask_line(&self, prompt: &str, masked: bool) -> Option<Secret> {
        let mut continued = Continued::listen();
        // Before it is asked for: whoever types at once is not to be seen.
        let echo = masked.then(|| EchoOff::on(&self.tty));
        let line = read_line(&self.tty);
        tokio::pin!(line);
        let line = loop {
            self.write(&[CLEAR_LINE, prompt].concat());
            tokio::select! {
                biased;
                // A shell sets its own modes when it stops a program, and leaves them.
                () = continued.next() => echo.iter().for_each(EchoOff::again),
                line = &mut line => break line,
            }
        };
        if echo.is_some() {
            self.write("\n");
        }
        line
    }
}

/// Leaves no half line behind, whatever ends a dialog.
struct CleanLine<'a>(&'a Terminal);

impl Drop for CleanLine<'_> {
    fn drop(&mut self) {
        self.0.write(CLEAR_LINE);
    }
}

/// What the dialog sends.
struct Views<R> {
    reader: R,
    lines: Lines,
    screens: VecDeque<Screen>,
}

impl<R: tokio::io::AsyncRead + Unpin> Views<R> {
    fn new(reader: R) -> Self {
        Self {
            reader,
            lines: Lines::default(),
            screens: VecDeque::new(),
        }
    }

    /// The next screen; `None` at the end. A call that is dropped loses nothing.
    async fn next(&mut self) -> Option<Screen> {
        let mut buffer = Zeroizing::new([0; 4096]);
        loop {
            if let Some(screen) = self.screens.pop_front() {
                return Some(screen);
            }
            let length = self.reader.read(&mut *buffer).await.ok()?;
            let lines = self.lines.push(&buffer[..length]).ok()?;
            if length == 0 {
                return None;
            }
            self.screens
                .extend(lines.iter().filter_map(Screen::from_line));
        }
    }
}
