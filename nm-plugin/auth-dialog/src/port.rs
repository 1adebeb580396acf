//! The one port on which AWS lets the browser answer.
//!
//! AWS's service provider metadata fix the address `http://127.0.0.1:35001`, so two logins at a
//! time on one machine cannot be, and another program there (often AWS's own client) ends ours.
//! Then the user has to know which program. A login of another of our connections is waited for:
//! it will be over, and this one's turn comes.

use crate::caller;
use aws_client_vpn_profile::well_known::ACS_PORT;
use aws_client_vpn_sign_in::acs_port::{listener_in, peer_in};
use aws_client_vpn_sign_in::answer::LoginFailure;
use aws_client_vpn_text::message;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// How often it is tried again whether an earlier dialog of ours has left the port: for three seconds
/// in which this computer does anything.
const TRIES: u32 = 150;
const PAUSE: Duration = Duration::from_millis(20);
/// How often the next in the queue looks for its turn; a look reads /proc.
const QUEUE_PAUSE: Duration = Duration::from_millis(250);
/// How often it is looked whose a connection is.
const LOOKS: u32 = 3;
const OWN_NAME: &str = "nm-aws-client-vpn-auth-dialog";

/// Listens on the port. `succeeds_another` says that an earlier dialog has just been told to
/// leave it; `queues` is called once if another connection's login has it, whose end is then
/// waited for until `turn_by`.
pub(crate) async fn listen(
    succeeds_another: bool,
    turn_by: Instant,
    mut queues: impl FnMut(),
) -> Result<TcpListener, LoginFailure> {
    let mut tries = TRIES;
    let mut patient = succeeds_another;
    let mut in_queue = false;
    loop {
        // The standard library sets SO_REUSEADDR: connections of an earlier login that are still
        // in TIME_WAIT do not matter, a program that listens does.
        match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, ACS_PORT)) {
            Ok(listener) => return watched(listener).map_err(unusable),
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(unusable(error)),
            Err(_) if patient && tries > 0 => {
                tries -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(_) if in_queue && Instant::now() < turn_by => {
                tokio::time::sleep(QUEUE_PAUSE).await;
                // Whoever comes next need not be one of ours.
                in_queue = matches!(Holder::find(), Holder::OwnDialog | Holder::Unknown);
            }
            Err(_) => {
                let holder = Holder::find();
                // An earlier dialog, or somebody who leaves it just while one looks: a dialog's
                // child, for one, has the socket until it runs its own program.
                let goes = matches!(holder, Holder::OwnDialog | Holder::Unknown);
                if goes && !patient {
                    patient = true;
                } else if holder == Holder::OwnDialog && !in_queue {
                    in_queue = true;
                    queues();
                } else {
                    return Err(holder.failure());
                }
            }
        }
    }
}

fn watched(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn unusable(error: io::Error) -> LoginFailure {
    LoginFailure::PortUnusable(error.to_string())
}

/// Who has the port.
#[derive(Debug, PartialEq, Eq)]
enum Holder {
    Program {
        name: String,
        process: u32,
    },
    /// A dialog of ours, whoever's.
    OwnDialog,
    OtherUser,
    /// Nobody is seen to have it: it has just been left, is taken without being used, or its
    /// program lets nobody look.
    Unknown,
}

impl Holder {
    /// As a user is told.
    fn failure(self) -> LoginFailure {
        let holder = match self {
            Self::Program { name, process } => {
                message!("{name} (process {process})", name = name, process = process)
            }
            // TRANSLATORS: Goes into “Port 35001 … is in use by {holder}.”
            Self::Unknown => message!("another program"),
            Self::OwnDialog => return LoginFailure::PortInUseBySignIn,
            Self::OtherUser => return LoginFailure::PortInUseByOtherUser,
        };
        LoginFailure::PortInUse {
            holder: holder.into(),
        }
    }

    /// Looks in /proc; what another user's processes have open cannot be seen there.
    fn find() -> Self {
        let socket = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok())
            .find_map(|table| listener_in(&table, ACS_PORT));
        let Some(socket) = socket else {
            return Self::Unknown;
        };
        let mut waits_for_login = false;
        for process in processes() {
            let path = format!("/proc/{process}");
            let path = Path::new(&path);
            let is_dialog = is_own_dialog(path);
            waits_for_login |= is_dialog && user_of(path) == Some(socket.user);
            if has_open(path, socket.inode) {
                return if is_dialog {
                    Self::OwnDialog
                } else {
                    Self::Program {
                        name: program_name(path),
                        process,
                    }
                };
            }
        }
        let user = rustix::process::getuid().as_raw();
        match (waits_for_login, socket.user == user) {
            // Nobody may look into a dialog, not even another one of the same user.
            (true, _) => Self::OwnDialog,
            (false, true) => Self::Unknown,
            (false, false) => Self::OtherUser,
        }
    }
}

/// Whether `peer`, at the other end of a connection to us, may speak for this user: a program of
/// theirs, or of root's, who may do anything. If we are root's, also one of the user who has root do
/// this.
///
/// A peer that is not in the table may not: it has closed its end. A browser keeps it open until it has
/// its page; so do programs that forward for a container or another computer.
pub(crate) fn speaks_for_user(peer: SocketAddr) -> bool {
    // A table is read in pieces, and one that changes meanwhile may be read without a row.
    let owner = (0..LOOKS).find_map(|_| owner_of(peer));
    let own = rustix::process::getuid();
    owner.is_some_and(|user| {
        user == 0 || user == own.as_raw() || own.is_root() && caller::of_root() == Some(user)
    })
}

fn owner_of(peer: SocketAddr) -> Option<u32> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|table| peer_in(&table, peer, ACS_PORT))
}

fn processes() -> impl Iterator<Item = u32> {
    let own = std::process::id();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(move |process| *process != own)
}

fn has_open(process: &Path, inode: u64) -> bool {
    fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .flatten()
        // Follows the link to the socket itself, whose number it is.
        .filter_map(|descriptor| fs::metadata(descriptor.path()).ok())
        .any(|file| file.ino() == inode && file.file_type().is_socket())
}

fn is_own_dialog(process: &Path) -> bool {
    let command_line = fs::read(process.join("cmdline")).unwrap_or_default();
    let program = command_line
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default();
    program.rsplit(|byte| *byte == b'/').next() == Some(OWN_NAME.as_bytes())
}

/// Whose process it is. `/proc/PID` itself is root's for one that nobody may look into.
fn user_of(process: &Path) -> Option<u32> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_whitespace().next()?.parse().ok()
}

/// The kernel cuts a name after 15 bytes; then the file's name says more.
fn program_name(process: &Path) -> String {
    let short = fs::read_to_string(process.join("comm")).unwrap_or_default();
    let short = short.trim_end();
    fs::read_link(process.join("exe"))
        .ok()
        .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|name| short.len() >= 15 && name.starts_with(short))
        .unwrap_or_else(|| short.to_owned())
}
