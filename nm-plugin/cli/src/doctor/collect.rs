//! Where the doctor's facts come from. Nothing here judges, and what cannot be seen is left out.

use super::checks::NAME_FILE;
use super::facts::{
    Agent, Clock, Closed, Facts, File, Listener, NameFile, OpenVpn, Plasma, Process,
};
use super::selinux::denies_rules;
use super::{Diagnosis, diagnose};
use crate::network_manager;
use aws_client_vpn_profile::device_mark::{DEVICE_PREFIX, ProcessId};
use aws_client_vpn_profile::kill_switch_mark::{LEFT_OVER, MarkName};
use aws_client_vpn_profile::well_known::{ACS_PORT, AGENT, KILL_SWITCH_MARKS, SERVICE_TYPE};
use aws_client_vpn_secret_agent::terminal::has_display;
use aws_client_vpn_sign_in::acs_port::listener_in;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::process::Command;

/// How long a program may take to tell its version.
const PROGRAM_LIMIT: Duration = Duration::from_secs(5);
/// Where NetworkManager looks for name files.
const NAME_DIRS: [&str; 2] = ["/usr/lib/NetworkManager/VPN", "/etc/NetworkManager/VPN"];
/// Where the bus looks for policies; the last one is NixOS's.
const POLICY_DIRS: [&str; 3] = [
    "/usr/share/dbus-1/system.d",
    "/etc/dbus-1/system.d",
    "/run/current-system/sw/share/dbus-1/system.d",
];
/// Where accounts are: those of this machine, and those of an image (nss-altfiles).
const PASSWD: [&str; 2] = ["/etc/passwd", "/usr/lib/passwd"];
/// Options that only our OpenVPN knows.
const PATCHED_OPTIONS: [&str; 2] = ["--auth-federate", "--early-push-request"];
/// The program that serves a connection.
const SERVICE: &str = "nm-aws-client-vpn-service";
/// The window that asks for passwords and codes, beside the dialog.
const WINDOW: &str = "nm-aws-client-vpn-login-window";
/// Where Plasma looks, below a Qt's directory of plugins.
const PLASMA_PLUGIN: &str = "plasma/network/vpn/plasmanetworkmanagement_aws_client_vpn.so";
const PORTAL: &str = "org.freedesktop.portal.Desktop";
/// How long our agent may take to say that it is there.
const PING_LIMIT: Duration = Duration::from_secs(2);

/// Looks at this machine and judges.
pub async fn collect() -> Diagnosis {
    diagnose(&facts().await)
}

pub(super) async fn facts() -> Facts {
    let name_file = name_file();
    let user = rustix::process::getuid().as_raw();
    let processes = processes();
    let program = name_file.as_ref().and_then(|file| file.program.clone());
    let openvpn = program
        .as_ref()
        .and_then(|program| Some(program.parent()?.join("nm-aws-client-vpn/openvpn")));
    Facts {
        user,
        plasma: plasma(&processes, user),
        files: files(name_file.as_ref(), openvpn.as_deref()),
        service_version: match &program {
            Some(program) => Some(service_version(program).await),
            None => None,
        },
        policies: policies(),
        passwd: PASSWD
            .map(|file| fs::read_to_string(file).unwrap_or_default())
            .concat(),
        network_manager: Some(
            network_manager::ask()
                .await
                .map_err(|error| error.message()),
        ),
        agent: in_time(agent()).await,
        window: name_file.as_ref().and_then(|file| {
            let dialog = file.auth_dialog.as_ref()?;
            Some(dialog.with_file_name(WINDOW).exists())
        }),
        opener: in_time(opener()).await,
        has_display: has_display(),
        processes,
        listener: listener(),
        openvpn: match openvpn.filter(|path| path.exists()) {
            Some(path) => Some(ask_openvpn(&path).await),
            None => None,
        },
        tun: fs::metadata("/dev/net/tun").is_ok_and(|file| {
            // The device number of every Linux, see the kernel's devices.txt.
            let device = rustix::fs::makedev(10, 200);
            file.file_type().is_char_device() && file.rdev() == device
        }),
        orphans: orphans(),
        stopped_by: stopped_by(),
        kill_switch_left_over: match &program {
            // The kernel shows its rules to nobody else.
            Some(program) if user == 0 => {
                let said = first_line(program, &["--check-kill-switch"]).await;
                said.ok().map(|said| said == LEFT_OVER)
            }
            _ => None,
        },
        selinux_denies_rules: selinux_denies_rules(),
        resolv_conf_link: fs::read_link("/etc/resolv.conf").ok(),
        name_servers_not_written: name_servers_not_written(),
        clock: clock().await,
        name_file,
    }
}

/// What is found before it has taken too long.
async fn in_time<T>(search: impl Future<Output = Option<T>>) -> Option<T> {
    let found = tokio::time::timeout(PROGRAM_LIMIT, search).await;
    found.ok().flatten()
}

/// Interfaces that are there still although the service that made them is not.
fn orphans() -> Vec<String> {
    let stat = |pid: u32| fs::read_to_string(format!("/proc/{pid}/stat"));
    // Where other users' processes are hidden, nobody can tell.
    if stat(1).is_err() {
        return Vec::new();
    }
    let devices = fs::read_dir("/sys/class/net").into_iter().flatten();
    devices
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(DEVICE_PREFIX))
        .filter(|name| {
            let alias = fs::read_to_string(format!("/sys/class/net/{name}/ifalias"));
            let service = ProcessId::from_alias(&alias.unwrap_or_default());
            let lives = |service: ProcessId| {
                let stat = stat(service.pid).unwrap_or_default();
                ProcessId::from_stat(&stat) == Some(service)
            };
            service.is_some_and(|service| !lives(service))
        })
        .collect()
}

/// Whose kill switches are closed: the service leaves a mark for each.
fn stopped_by() -> Vec<Closed> {
    let entries = fs::read_dir(KILL_SWITCH_MARKS)
        .into_iter()
        .flatten()
        .flatten();
    let is_served = |pid: u32| {
        let name = program_name(&PathBuf::from(format!("/proc/{pid}")));
        name.is_some_and(|name| name == SERVICE)
    };
    let mut stopping: Vec<Closed> = entries
        .filter_map(|entry| MarkName::parse(entry.file_name().to_str()?))
        .filter(|mark| mark.is_closed)
        .map(|mark| Closed {
            uuid: mark.uuid,
            is_served: is_served(mark.pid),
        })
        .collect();
    stopping.sort_by(|one, other| one.uuid.cmp(&other.uuid));
    stopping
}

/// NetworkManager writes a file of its own, whatever becomes of the system's.
fn name_servers_not_written() -> Vec<String> {
    let name_servers = |file: &str| -> Vec<String> {
        let text = fs::read_to_string(file).unwrap_or_default();
        let servers = text
            .lines()
            .filter_map(|line| line.strip_prefix("nameserver"));
        servers.map(|server| server.trim().to_owned()).collect()
    };
    let mut wanted = name_servers("/run/NetworkManager/resolv.conf");
    let written = name_servers("/etc/resolv.conf");
    wanted.retain(|server| !written.contains(server));
    wanted
}

fn name_file() -> Option<NameFile> {
    let path = NAME_DIRS
        .iter()
        .map(|dir| Path::new(dir).join(NAME_FILE))
        .find(|path| path.exists())?;
    let text = fs::read_to_string(&path).unwrap_or_default();
    let value = |key: &str| {
        let of_key = |line: &str| {
            let rest = line.trim().strip_prefix(key)?.trim_start();
            Some(rest.strip_prefix('=')?.trim().to_owned())
        };
        text.lines().find_map(of_key)
    };
    Some(NameFile {
        program: value("program").map(PathBuf::from),
        auth_dialog: value("auth-dialog").map(PathBuf::from),
        plugin: value("plugin"),
        file: file(path, false),
    })
}

fn file(path: PathBuf, program: bool) -> File {
    let inode = fs::metadata(&path)
        .ok()
        .map(|file| (file.mode() & 0o7777, file.uid()));
    File {
        path,
        inode,
        program,
    }
}

fn files(name_file: Option<&NameFile>, openvpn: Option<&Path>) -> Vec<File> {
    let Some(name_file) = name_file else {
        return Vec::new();
    };
    let programs = [
        name_file.program.as_deref(),
        openvpn,
        name_file.auth_dialog.as_deref(),
    ];
    let library = name_file.plugin.as_deref().map(library);
    programs
        .into_iter()
        .flatten()
        .map(|path| file(path.to_owned(), true))
        .chain(library.map(|path| file(path, false)))
        .collect()
}

/// Where libnm looks for `plugin`: in a directory that differs between distributions.
fn library(plugin: &str) -> PathBuf {
    if plugin.starts_with('/') {
        return PathBuf::from(plugin);
    }
    library_directories()
        .iter()
        .map(|directory| directory.join("NetworkManager").join(plugin))
        .find(|path| path.exists())
        .unwrap_or_else(|| Path::new("/usr/lib/…/NetworkManager").join(plugin))
}

/// Whether the Plasma of this user finds what says that it may connect this VPN.
fn plasma(processes: &[Process], user: u32) -> Option<Plasma> {
    let runs = |name: &str| {
        processes
            .iter()
            .any(|process| process.user == user && process.name == name)
    };
    let qt = match () {
        () if runs("kded6") => 6,
        () if runs("kded5") => 5,
        () => return None,
    };
    let names = [format!("qt{qt}/plugins"), "qt/plugins".to_owned()];
    let is_there = library_directories().iter().any(|directory| {
        names
            .iter()
            .any(|name| directory.join(name).join(PLASMA_PLUGIN).exists())
    });
    Some(if is_there {
        Plasma::Supported
    } else {
        Plasma::Unsupported { qt }
    })
}

/// Where libraries are, which differs between distributions.
fn library_directories() -> Vec<PathBuf> {
    let in_lib = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut directories: Vec<PathBuf> = in_lib
        .map(|entry| entry.path())
        .chain([PathBuf::from("/usr/lib64"), PathBuf::from("/usr/lib")])
        .collect();
    directories.sort();
    directories
}

/// What OpenVPN is ours, if it can be run.
pub(crate) async fn openvpn_version() -> Option<String> {
    let program = name_file()?.program?;
    let openvpn = program.parent()?.join("nm-aws-client-vpn/openvpn");
    first_line(&openvpn, &["--version"]).await.ok()
}

async fn service_version(program: &Path) -> Result<String, Message> {
    let line = first_line(program, &["--version"]).await?;
    // nm-aws-client-vpn-service 0.1.0
    let version = line.rsplit(' ').next().unwrap_or_default();
    Ok(version.to_owned())
}

async fn ask_openvpn(program: &Path) -> OpenVpn {
    let version = first_line(program, &["--version"]).await;
    let mut unknown_options = Vec::new();
    for option in PATCHED_OPTIONS {
        // Options are read in turn: an unknown one ends the program before it tells its version.
        let answer = first_line(program, &[option, "--version"]).await;
        if !answer.is_ok_and(|line| line.starts_with("OpenVPN")) {
            unknown_options.push(option);
        }
    }
    let version = version.map(|line| {
        let words: Vec<&str> = line.split(' ').take(2).collect();
        words.join(" ")
    });
    OpenVpn {
        version,
        unknown_options,
    }
}

/// The first line that a program prints.
async fn first_line(program: &Path, arguments: &[&str]) -> Result<String, Message> {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let shown = program.display();
    let output = tokio::time::timeout(PROGRAM_LIMIT, output)
        .await
        .map_err(|_| message!("{program} does not answer", program = shown))?
        .map_err(|error| {
            message!(
                "{program} cannot be run: {reason}",
                program = shown,
                reason = error
            )
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(message!(
            "{program} prints no version ({status})",
            program = shown,
            status = output.status.to_string(),
        )),
    }
}

fn policies() -> Vec<PathBuf> {
    POLICY_DIRS
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(SERVICE_TYPE)))
        .collect()
}

fn process_numbers() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn selinux_denies_rules() -> bool {
    let name_of = |number: &u32| program_name(&PathBuf::from(format!("/proc/{number}")));
    let network_manager =
        process_numbers().find(|number| name_of(number).as_deref() == Some("NetworkManager"));
    network_manager.and_then(denies_rules).unwrap_or(false)
}

fn processes() -> Vec<Process> {
    let process = |number: u32| {
        let dir = PathBuf::from(format!("/proc/{number}"));
        Some(Process {
            user: fs::metadata(&dir).ok()?.uid(),
            name: program_name(&dir)?,
        })
    };
    process_numbers().filter_map(process).collect()
}

/// As it was called; the kernel's own name for it is cut after 15 bytes.
fn program_name(process: &Path) -> Option<String> {
    let line = fs::read(process.join("cmdline")).ok()?;
    let program = line.split(|byte| *byte == 0).next()?;
    let name = program.rsplit(|byte| *byte == b'/').next()?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

fn listener() -> Option<Listener> {
    let socket = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|table| listener_in(&table, ACS_PORT))?;
    let program = process_numbers().find_map(|number| {
        let dir = PathBuf::from(format!("/proc/{number}"));
        has_open(&dir, socket.inode).then_some(())?;
        Some((program_name(&dir)?, number))
    });
    Some(Listener {
        user: socket.user,
        program,
    })
}

/// As the auth dialog has it: the two share no crate that looks at files, and one is not made for
/// seven lines.
fn has_open(process: &Path, inode: u64) -> bool {
    fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .flatten()
        // Follows the link to the socket itself, whose number it is.
        .filter_map(|descriptor| fs::metadata(descriptor.path()).ok())
        .any(|file| file.ino() == inode && file.file_type().is_socket())
}

/// Our agent on the session bus of whoever asks.
async fn agent() -> Option<Agent> {
    let bus = zbus::Connection::session().await.ok()?;
    let daemon = zbus::fdo::DBusProxy::new(&bus).await.ok()?;
    let name = zbus::names::BusName::try_from(AGENT).ok()?;
    if !daemon.name_has_owner(name).await.ok()? {
        return None;
    }
    let peer = Some("org.freedesktop.DBus.Peer");
    let ping = bus.call_method(Some(AGENT), "/", peer, "Ping", &());
    Some(match tokio::time::timeout(PING_LIMIT, ping).await {
        Ok(Ok(_)) => Agent::Answers,
        Ok(Err(_)) | Err(_) => Agent::Silent,
    })
}

/// What opens a browser, in the order in which it is tried.
async fn opener() -> Option<&'static str> {
    if has_portal().await.unwrap_or(false) {
        return Some("xdg-desktop-portal");
    }
    if std::env::var_os("BROWSER").is_some_and(|value| !value.is_empty()) {
        return Some("BROWSER");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["xdg-open", "gio"].into_iter().find(|program| {
        std::env::split_paths(&path).any(|directory| directory.join(program).exists())
    })
}

async fn has_portal() -> zbus::Result<bool> {
    let bus = zbus::Connection::session().await?;
    let daemon = zbus::fdo::DBusProxy::new(&bus).await?;
    let mut names = daemon.list_names().await?;
    names.extend(daemon.list_activatable_names().await?);
    Ok(names.iter().any(|name| name.as_str() == PORTAL))
}

async fn clock() -> Clock {
    let seconds = |time: SystemTime| {
        let passed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        passed.as_secs()
    };
    let installed = std::env::current_exe()
        .and_then(fs::metadata)
        .and_then(|file| file.modified());
    Clock {
        now: seconds(SystemTime::now()),
        installed: installed.map(seconds).unwrap_or(0),
        synchronized: in_time(synchronized()).await,
    }
}

/// What systemd knows of the clock, where there is systemd.
async fn synchronized() -> Option<bool> {
    let bus = zbus::Connection::system().await.ok()?;
    let name = "org.freedesktop.timedate1";
    let proxy = zbus::Proxy::new(&bus, name, "/org/freedesktop/timedate1", name);
    proxy.await.ok()?.get_property("NTPSynchronized").await.ok()
}
