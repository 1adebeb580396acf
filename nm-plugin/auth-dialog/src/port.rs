//! The one port on which AWS lets the browser answer.
//!
//! AWS's service provider metadata fix the address `http://127.0.0.1:35001`, so two logins at a
//! time on one machine cannot be, and another program there (often AWS's own client) ends ours.
//! Then the user has to know which program.

use aws_client_vpn_core::secret_prompt::LoginFailure;
use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// The port of AWS's assertion consumer service.
pub(crate) const PORT: u16 = 35001;

/// How long an earlier dialog of ours may take to leave the port.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(20);
const OWN_NAME: &str = "nm-aws-client-vpn-auth-dialog";

/// Listens on the port. `succeeds_another` says that an earlier dialog has just been told to
/// leave it.
///
/// # Errors
/// [`LoginFailure::PortInUse`] with the program that has it, or [`LoginFailure::PortUnusable`].
pub(crate) async fn listen(succeeds_another: bool) -> Result<TcpListener, LoginFailure> {
    let give_up = Instant::now() + PATIENCE;
    let mut patient = succeeds_another;
    loop {
        // The standard library sets SO_REUSEADDR: connections of an earlier login that are still
        // in TIME_WAIT do not matter, a program that listens does.
        match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)) {
            Ok(listener) => return watched(listener).map_err(unusable),
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(unusable(error)),
            Err(_) if patient && Instant::now() < give_up => tokio::time::sleep(PAUSE).await,
            Err(_) => {
                let holder = Holder::find();
                if patient || !matches!(holder, Holder::OwnDialog) {
                    return Err(LoginFailure::PortInUse {
                        holder: holder.to_string(),
                    });
                }
                patient = true;
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
    Program { name: String, process: u32 },
    OwnDialog,
    OtherUser,
    Unknown,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { name, process } => write!(f, "{name} (process {process})"),
            Self::OwnDialog => f.write_str("another login that still waits for its browser"),
            Self::OtherUser => f.write_str("a program of another user"),
            Self::Unknown => f.write_str("another program"),
        }
    }
}

impl Holder {
    /// Looks in /proc; what another user's processes have open cannot be seen there.
    fn find() -> Self {
        let socket = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok())
            .find_map(|table| socket_in(&table));
        let Some(socket) = socket else {
            return Self::Unknown;
        };
        let mut own_dialog = false;
        for process in processes() {
            let path = format!("/proc/{process}");
            let path = Path::new(&path);
            let is_dialog = is_own_dialog(path);
            own_dialog |= is_dialog;
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
        match (socket.user == user, own_dialog) {
            // Nobody may look into a dialog, not even another one of the same user.
            (true, true) => Self::OwnDialog,
            (true, false) => Self::Unknown,
            (false, _) => Self::OtherUser,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    user: u32,
    inode: u64,
}

/// Finds who has the port on loopback or on all addresses in a table as /proc/net/tcp and tcp6
/// have it; one who listens rather than one who is merely connected.
fn socket_in(table: &str) -> Option<Socket> {
    const LISTENS: &str = "0A";
    let mut found = None;
    for line in table.lines().skip(1) {
        let mut columns = line.split_ascii_whitespace();
        let (Some(local), Some(state)) = (columns.nth(1), columns.nth(1)) else {
            continue;
        };
        let Some((address, port)) = local.split_once(':') else {
            continue;
        };
        let everywhere = address.bytes().all(|digit| digit == b'0');
        if u16::from_str_radix(port, 16) != Ok(PORT)
            || !(everywhere || address.ends_with("0100007F"))
        {
            continue;
        }
        let user = columns.nth(3).and_then(|user| user.parse().ok());
        let inode = columns.nth(1).and_then(|inode| inode.parse().ok());
        if let (Some(user), Some(inode)) = (user, inode) {
            let socket = Socket { user, inode };
            if state == LISTENS {
                return Some(socket);
            }
            found = found.or(Some(socket));
        }
    }
    found
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
        .any(|file| file.ino() == inode && is_socket(&file))
}

fn is_socket(file: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&file.file_type())
}

fn is_own_dialog(process: &Path) -> bool {
    let command_line = fs::read(process.join("cmdline")).unwrap_or_default();
    let program = command_line
        .split(|octet| *octet == 0)
        .next()
        .unwrap_or_default();
    program.rsplit(|octet| *octet == b'/').next() == Some(OWN_NAME.as_bytes())
}

/// The kernel cuts a name after 15 octets; then the file's name says more.
fn program_name(process: &Path) -> String {
    let short = fs::read_to_string(process.join("comm")).unwrap_or_default();
    let short = short.trim_end();
    fs::read_link(process.join("exe"))
        .ok()
        .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|name| short.len() >= 15 && name.starts_with(short))
        .unwrap_or_else(|| short.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn row(local: &str, state: &str, user: u32, inode: u32) -> String {
        format!(
            "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {user:5} \
             0 {inode} 1 0000000000000000 100 0 0 10 0\n"
        )
    }

    #[test]
    fn the_listener_on_the_port_is_found() {
        let v6 = |tail: &str| format!("0000000000000000{tail}:88B9");
        let found = Some(Socket {
            user: 1000,
            inode: 77,
        });
        for (rows, expected) in [
            (row("0100007F:88B9", "0A", 1000, 77), found),
            (row("00000000:88B9", "0A", 1000, 77), found),
            (row("0100007F:88BA", "0A", 1000, 77), None),
            (row("0200000A:88B9", "0A", 1000, 77), None),
            (row("0100007F:88B9", "01", 1000, 77), found),
            (
                row("0100007F:88B9", "01", 5, 5) + &row("0100007F:88B9", "0A", 1000, 77),
                found,
            ),
            (row(&v6("0000000000000000"), "0A", 1000, 77), found),
            (row(&v6("FFFF00000100007F"), "0A", 1000, 77), found),
            (row(&v6("0000000001000000"), "0A", 1000, 77), None),
            ("nonsense\n   0: x\n".to_owned(), None),
        ] {
            assert_eq!(socket_in(&format!("{HEAD}{rows}")), expected, "{rows}");
        }
    }
}
