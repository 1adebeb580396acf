//! What can be seen of a machine, as plain values that nobody has judged.

use crate::network_manager::NetworkManager;
use aws_client_vpn_text::message::Message;
use std::path::PathBuf;

/// All facts that are looked at. They stand side by side, as each is gathered by itself, and the checks
/// that read it have little else in common.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Who runs this command.
    pub user: u32,
    /// The file that tells NetworkManager of the plugin, if it is there.
    pub name_file: Option<NameFile>,
    /// The service, its OpenVPN, the dialog and the library, as far as the name file tells where.
    pub files: Vec<File>,
    /// What the service says to `--version`, or why it says nothing.
    pub service_version: Option<Result<String, Message>>,
    /// The D-Bus policies that name the service.
    pub policies: Vec<PathBuf>,
    /// The lines of `/etc/passwd` and of an image's accounts.
    pub passwd: String,
    /// NetworkManager, or why it cannot be asked.
    pub network_manager: Option<Result<NetworkManager, Message>>,
    /// Our agent of this session, if one has its name on the session bus.
    pub agent: Option<Agent>,
    /// Whether the window that asks for passwords and codes is installed; `None` if nobody says
    /// where it should be.
    pub window: Option<bool>,
    /// Whether Plasma, if it runs, is told that it may connect this VPN.
    pub plasma: Option<Plasma>,
    /// What opens a browser for this user, if anything does.
    pub opener: Option<&'static str>,
    /// Whether this session has a display.
    pub has_display: bool,
    /// Programs that run.
    pub processes: Vec<Process>,
    /// Who listens on the port of the browser's answer.
    pub listener: Option<Listener>,
    /// OpenVPN, if it is there.
    pub openvpn: Option<OpenVpn>,
    /// Whether `/dev/net/tun` is the device that it should be.
    pub tun: bool,
    /// The tunnels' interfaces whose service has ended without them.
    pub orphans: Vec<String>,
    /// The connections, by their UUIDs, whose kill switches stop traffic.
    pub stopped_by: Vec<Closed>,
    /// Whether the kernel has a kill switch that no connection has turned on; `None` if it does not tell.
    pub kill_switch_left_over: Option<bool>,
    /// Whether SELinux enforces a policy that does not let a kill switch be closed.
    pub selinux_denies_rules: bool,
    /// `/etc/resolv.conf`: what it links to, if it is a link.
    pub resolv_conf_link: Option<PathBuf>,
    /// The name servers that NetworkManager would write to it, and that are not there.
    pub name_servers_not_written: Vec<String>,
    /// The clock.
    pub clock: Clock,
}

/// The `.name` file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameFile {
    /// Where it is.
    pub file: File,
    /// `program=`
    pub program: Option<PathBuf>,
    /// `auth-dialog=`
    pub auth_dialog: Option<PathBuf>,
    /// `plugin=`
    pub plugin: Option<String>,
}

/// A file as far as its inode tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Where it should be.
    pub path: PathBuf,
    /// The file's mode and owner; `None` if it is not there.
    pub inode: Option<(u32, u32)>,
    /// Whether it has to be executable.
    pub program: bool,
}

/// What our agent says when it is asked whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// That it is.
    Answers,
    /// Nothing.
    Silent,
}

/// What Plasma finds where it looks for VPNs that it may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plasma {
    /// Ours.
    Supported,
    /// Ours is not in the directory of this Qt.
    Unsupported {
        /// The Qt that Plasma uses.
        qt: u8,
    },
}

/// A running program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Whose it is.
    pub user: u32,
    /// The program's name, without directories.
    pub name: String,
}

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Whose it is.
    pub user: u32,
    /// The program's name and process number, if they may be seen.
    pub program: Option<(String, u32)>,
}

/// What OpenVPN says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenVpn {
    /// The first line of `--version`, or why there is none.
    pub version: Result<String, Message>,
    /// Options of our patches that it does not know.
    pub unknown_options: Vec<&'static str>,
}

/// The clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    /// Now, in seconds since 1970.
    pub now: u64,
    /// When this command was installed; it cannot be earlier than that.
    pub installed: u64,
    /// Whether it is set by the network; `None` if nobody tells.
    pub synchronized: Option<bool>,
}

/// A connection whose kill switch is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The connection's UUID.
    pub uuid: String,
    /// Whether the service runs that has closed it.
    pub is_served: bool,
}
