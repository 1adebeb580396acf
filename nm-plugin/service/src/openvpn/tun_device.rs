//! The tun device of a connection: made by the service, owned by the account OpenVPN runs as.
//!
//! OpenVPN has no capability, so it can only attach to a device that is there already, and such a
//! device has to be persistent. It is taken away again by whichever of the two that watch OpenVPN
//! is left: the supervisor, or the service. If both were killed, the next service that starts takes
//! it away; the device's alias says whose it is.

use crate::{kernel, rtnetlink};
use aws_client_vpn_profile::device_mark::{DEVICE_PREFIX, ProcessId};
use aws_client_vpn_session::interface::alias_request;
use rustix::net::netdevice::name_to_index;
use std::fs::{self, File};
use std::io;

/// The kernel puts the first free number in the place of `%d`.
const NAME_PATTERN: &str = "awsvpn%d";

/// A tun device of ours.
///
/// A name is given again as soon as it is free, so only name and index together say which device
/// is meant: another connection's may have the name by the time this one is taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TunDevice {
    name: String,
    index: u32,
}

impl TunDevice {
    /// Makes a persistent device that `owner` may attach to.
    pub(crate) fn create(owner: u32) -> io::Result<Self> {
        let tun = open()?;
        let name = kernel::attach_tun(&tun, NAME_PATTERN)?;
        kernel::set_tun_owner(&tun, owner)?;
        let index = index_of(&name)?;
        // Before it can outlive this process.
        mark(index)?;
        // Last, so that after an error nothing stays.
        kernel::set_tun_persistent(&tun, true)?;
        Ok(Self { name, index })
    }

    /// Removes the devices of services that were killed together with their supervisors. What
    /// belongs to a service that lives, or what an OpenVPN is attached to, stays.
    pub(crate) fn remove_orphans() {
        for name in names().unwrap_or_default() {
            let (Some(service), Ok(index)) = (service_of(&name), index_of(&name)) else {
                continue;
            };
            if is_alive(service) {
                continue;
            }
            let device = Self { name, index };
            let name = device.name();
            match device.remove() {
                Ok(()) => {
                    tracing::warn!("removed the interface {name}, which a killed service left");
                }
                Err(error) => {
                    tracing::warn!("the interface {name} of a killed service stays: {error}");
                }
            }
        }
    }

    /// Whether a service that lives has a device.
    pub(crate) fn is_any_in_use() -> bool {
        let names = names().unwrap_or_default();
        let mut services = names.iter().filter_map(|name| service_of(name));
        services.any(is_alive)
    }

    /// The device as an argument of the supervisor, see [`fmt::Display`](std::fmt::Display).
    pub(crate) fn from_argument(argument: &str) -> Option<Self> {
        let (name, index) = argument.split_once('#')?;
        let name = name.to_owned();
        Some(Self {
            name,
            index: index.parse().ok()?,
        })
    }

    /// The device's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The device's number in the kernel.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// Whether it is up, so that it can have routes.
    pub(crate) fn is_up(&self) -> bool {
        let flags = fs::read_to_string(format!("/sys/class/net/{}/flags", self.name));
        let flags = flags.unwrap_or_default();
        let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16);
        // IFF_UP (linux/if.h). Whoever cannot look has not seen that it is down.
        flags.map_or(true, |flags| flags & 1 != 0)
    }

    /// Removes the device if it is there. Nobody may be attached to it any more.
    pub(crate) fn remove(&self) -> io::Result<()> {
        if !self.is_there() {
            return Ok(());
        }
        let tun = open()?;
        kernel::attach_tun(&tun, &self.name)?;
        // What is attached to cannot go away, so this look is the one that counts.
        if self.is_there() {
            kernel::set_tun_persistent(&tun, false)?;
        }
        Ok(())
    }

    /// Whether it is there, and still the same.
    pub(crate) fn is_there(&self) -> bool {
        match index_of(&self.name) {
            Ok(index) => index == self.index,
            // Whoever cannot look (no descriptor is free) has not seen that it is gone.
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}

impl std::fmt::Display for TunDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.name, self.index)
    }
}

/// The numbers of all our devices in the kernel.
pub(crate) fn numbers() -> io::Result<Vec<u32>> {
    let socket = rtnetlink::open()?;
    let number = |name: &String| name_to_index(&socket, name).ok();
    Ok(names()?.iter().filter_map(number).collect())
}

/// The names of all our devices.
fn names() -> io::Result<Vec<String>> {
    // A line for each, `name: numbers`, after two of headings.
    let table = fs::read_to_string("/proc/net/dev")?;
    let names = table.lines().filter_map(|line| line.split_once(':'));
    let names = names.map(|(name, _)| name.trim().to_owned());
    Ok(names
        .filter(|name| name.starts_with(DEVICE_PREFIX))
        .collect())
}

fn index_of(name: &str) -> io::Result<u32> {
    let index = fs::read_to_string(format!("/sys/class/net/{name}/ifindex"))?;
    index
        .trim()
        .parse()
        .map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Says of the interface with number `index` that it is this process's.
fn mark(index: u32) -> io::Result<()> {
    let service = process("self").ok_or(io::ErrorKind::NotFound)?;
    rtnetlink::carry_out(&alias_request(index, &service.to_string()))?;
    Ok(())
}

/// The service that made the device `name`.
fn service_of(name: &str) -> Option<ProcessId> {
    let alias = fs::read_to_string(format!("/sys/class/net/{name}/ifalias"));
    ProcessId::from_alias(&alias.unwrap_or_default())
}

fn is_alive(service: ProcessId) -> bool {
    process(&service.pid.to_string()) == Some(service)
}

/// The process `pid`, if it lives.
fn process(pid: &str) -> Option<ProcessId> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    ProcessId::from_stat(&stat)
}

fn open() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/net/tun")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_survives_being_an_argument() {
        let device = TunDevice {
            name: "awsvpn3".to_owned(),
            index: 17,
        };
        assert_eq!(TunDevice::from_argument(&device.to_string()), Some(device));
        assert_eq!(TunDevice::from_argument("awsvpn3"), None);
    }

    #[test]
    fn a_process_that_has_ended_is_known() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = child.id().to_string();
        let known = process(&pid);
        assert_eq!(known.map(|known| known.pid), Some(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_ne!(process(&pid), known);
    }

    #[test]
    fn another_device_of_the_same_name_is_let_alone() {
        // Every namespace has a loopback device; its index is never this one.
        let other = TunDevice {
            name: "lo".to_owned(),
            index: u32::MAX,
        };
        assert!(!other.is_there());
        other.remove().unwrap();
    }
}
