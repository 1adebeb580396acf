//! Puts the connection's kill switch into the kernel, and takes it away again.
//!
//! Beside each table lies a mark under `/run`, as only root can look at tables: by it the next
//! activation and `aws-client-vpn doctor` know what a service left that was killed, or whose
//! connection ended without being asked to.

use aws_client_vpn_profile::settings::Choices;
use aws_client_vpn_profile::well_known::{KILL_SWITCH_MARKS, TABLE_PREFIX};
use aws_client_vpn_session::kill_switch::{
    Endpoint, Openings, Ruleset, local_networks, netlink, table_name,
};
use aws_client_vpn_session::overlap::KernelRoute;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::{NETFILTER, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::net::UnixDatagram;

/// `NFNLGRP_NFTABLES` (linux/netfilter/nfnetlink_compat.h), as a bit: what happens to tables.
const EVENTS: u32 = 1 << (7 - 1);
/// The least time between two changes of somebody else's that are put right.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often it is said.
const REPETITION: Duration = Duration::from_secs(10);
/// One answer of the kernel, with the message that it is about.
const ANSWER_SIZE: usize = 8192;
/// More than the kernel has answers to a batch.
const MOST_ANSWERS: usize = 256;

/// The kernel did not take the rules.
#[derive(Debug, Error)]
pub(crate) enum KillSwitchError {
    /// No mark can be set.
    #[error("no file can be made under {KILL_SWITCH_MARKS}: {0}")]
    Mark(#[source] io::Error),
    /// nftables cannot be reached.
    #[error("the kernel has no nftables: {0}")]
    Socket(#[source] io::Error),
    /// nftables refuses.
    #[error("nftables does not take the rules: {0}")]
    Refused(#[source] io::Error),
}

/// The kill switch of one connection.
#[derive(Debug)]
pub(crate) struct KillSwitch {
    table: String,
    choices: Option<Choices>,
    /// What is in the kernel, by this process.
    closed: Option<Ruleset>,
    /// The way to nftables. It stays open: to close it after a change takes the kernel 8 to 16 ms,
    /// as it waits for what was removed to be gone.
    netlink: Option<OwnedFd>,
    /// What others do to it.
    events: Option<UnixDatagram>,
    is_disturbed: bool,
    put_right: Option<Instant>,
    told: Option<Instant>,
}

impl KillSwitch {
    /// Of the connection `uuid`, which has one only if there are `choices`.
    pub(crate) fn new(uuid: &str, choices: Option<Choices>) -> Self {
        Self {
            table: table_name(uuid),
            choices,
            closed: None,
            netlink: None,
            events: None,
            is_disturbed: false,
            put_right: None,
            told: None,
        }
    }

    /// Whether it stops traffic now.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// What lets it through what the user wants.
    pub(crate) fn choices(&self) -> Option<Choices> {
        self.choices
    }

    /// Takes away what an earlier activation left; whether there was something. Whoever connects
    /// again has to be let out to sign in.
    pub(crate) fn lift_earlier(&mut self) -> Result<bool, KillSwitchError> {
        let left = mark_of(&self.table).exists();
        if left {
            remove(reach(&mut self.netlink)?, &self.table)?;
        }
        Ok(left)
    }

    /// Stops what is not for the tunnel; if it does already, for what is open now. Without a kill
    /// switch, nothing happens.
    pub(crate) fn close(
        &mut self,
        device: &str,
        endpoints: &[Endpoint],
        browser: bool,
    ) -> Result<(), KillSwitchError> {
        let Some(choices) = self.choices else {
            return Ok(());
        };
        let lan = if choices.lan {
            local_networks_but(device)
        } else {
            Vec::new()
        };
        let openings = Openings {
            device,
            endpoints,
            lan: &lan,
            browser,
        };
        let ruleset = Ruleset::new(&self.table, choices, &openings);
        if self.closed.as_ref() == Some(&ruleset) && !self.is_disturbed {
            return Ok(());
        }
        if self.closed.is_none() {
            // Before the table is there, so that nothing is missed.
            self.events = Some(listen().map_err(KillSwitchError::Socket)?);
            // First the mark: whoever dies in between leaves one without a table, not a table
            // without one.
            set_mark(&self.table).map_err(KillSwitchError::Mark)?;
        }
        let done =
            reach(&mut self.netlink).and_then(|netlink| hand_over(netlink, &ruleset.replacement()));
        if let Err(error) = done {
            if self.closed.is_none() {
                drop(fs::remove_file(mark_of(&self.table)));
            }
            return Err(error);
        }
        if let Some(events) = &self.events {
            // The kernel has told of our own change before it said that it was done.
            others(events, "");
        }
        self.is_disturbed = false;
        self.closed = Some(ruleset);
        Ok(())
    }

    /// Resolves when somebody else has changed or removed the table: a firewall that starts anew
    /// flushes those of all. It is put right by the next [`Self::close`].
    pub(crate) async fn disturbed(&mut self) {
        let Some(events) = &self.events else {
            return std::future::pending().await;
        };
        loop {
            // What somebody insists on is answered ten times a second, not a thousand times.
            if let Some(at) = self.put_right {
                tokio::time::sleep_until((at + PATIENCE).into()).await;
            }
            if events.readable().await.is_err() {
                return std::future::pending().await;
            }
            if others(events, &self.table) {
                break;
            }
        }
        let now = Instant::now();
        self.put_right = Some(now);
        self.is_disturbed = true;
        if self.told.is_none_or(|at| now - at > REPETITION) {
            self.told = Some(now);
            tracing::warn!("somebody changed the rules of the kill switch; they are put right");
        }
    }

    /// Lets everything through.
    pub(crate) fn open(&mut self) -> Result<(), KillSwitchError> {
        self.events = None;
        match self.closed.take() {
            Some(_) => remove(reach(&mut self.netlink)?, &self.table),
            None => Ok(()),
        }
    }
}

/// Takes away the table of the connection `uuid`, or all that there are marks of; tells how many.
/// For a person, as root.
pub(crate) fn lift(uuid: Option<&str>) -> Result<usize, KillSwitchError> {
    let tables: Vec<String> = match uuid {
        Some(uuid) => vec![table_name(uuid)],
        None => marks(Path::new(KILL_SWITCH_MARKS)),
    };
    let mut netlink = None;
    for table in &tables {
        remove(reach(&mut netlink)?, table)?;
    }
    Ok(tables.len())
}

fn marks(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(TABLE_PREFIX))
        .collect()
}

fn mark_of(table: &str) -> PathBuf {
    Path::new(KILL_SWITCH_MARKS).join(table)
}

fn set_mark(table: &str) -> io::Result<()> {
    let folder = Path::new(KILL_SWITCH_MARKS);
    match fs::DirBuilder::new().mode(0o755).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    fs::write(mark_of(table), "")
}

fn remove(netlink: &OwnedFd, table: &str) -> Result<(), KillSwitchError> {
    hand_over(netlink, &netlink::removal(table))?;
    match fs::remove_file(mark_of(table)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(KillSwitchError::Mark(error)),
    }
    // The last one goes with its folder; others may have marks in it.
    drop(fs::remove_dir(KILL_SWITCH_MARKS));
    Ok(())
}

/// A socket that hears what happens to tables.
fn listen() -> io::Result<UnixDatagram> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
        Some(NETFILTER),
    )?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, EVENTS))?;
    // Any socket of datagrams is read alike, and this is the nearest that tokio knows.
    UnixDatagram::from_std(socket.into())
}

/// Takes the events away that are there; whether one is of `table`, or may have been.
fn others(events: &UnixDatagram, table: &str) -> bool {
    let mut buffer = [0_u8; ANSWER_SIZE];
    let mut found = false;
    loop {
        match events.try_recv(&mut buffer) {
            Ok(length) => {
                let name = table.as_bytes();
                let event = &buffer[..length];
                found |= !name.is_empty() && event.windows(name.len()).any(|part| part == name);
            }
            // Some were lost.
            Err(error) if error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => {
                found = true;
            }
            Err(_) => return found,
        }
    }
}

/// The socket that leads to nftables, opened if it is not yet.
fn reach(netlink: &mut Option<OwnedFd>) -> Result<&OwnedFd, KillSwitchError> {
    match netlink {
        Some(netlink) => Ok(netlink),
        none => {
            let opened = rustix::net::socket_with(
                AddressFamily::NETLINK,
                SocketType::RAW,
                SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
                Some(NETFILTER),
            );
            Ok(none.insert(opened.map_err(|error| KillSwitchError::Socket(error.into()))?))
        }
    }
}

/// Has the kernel carry out a batch. It does so before `send` returns, and the answers are there.
fn hand_over(netlink: &OwnedFd, batch: &[u8]) -> Result<(), KillSwitchError> {
    let refused = |error: Errno| KillSwitchError::Refused(error.into());
    let sent = rustix::net::send(netlink, batch, SendFlags::empty()).map_err(refused)?;
    if sent != batch.len() {
        return Err(refused(Errno::MSGSIZE));
    }
    let mut answers = 0;
    let mut buffer = [0_u8; ANSWER_SIZE];
    while answers < MOST_ANSWERS {
        match rustix::net::recv(netlink, &mut buffer, RecvFlags::empty()) {
            Ok((read, _)) => {
                answers += 1;
                netlink::outcome(&buffer[..read])
                    .map_err(|code| KillSwitchError::Refused(io::Error::from_raw_os_error(code)))?;
            }
            Err(Errno::AGAIN) if answers > 0 => return Ok(()),
            Err(error) => return Err(refused(error)),
        }
    }
    Err(refused(Errno::NOBUFS))
}

fn local_networks_but(device: &str) -> Vec<aws_client_vpn_session::ip::Network<std::net::IpAddr>> {
    let table = |name: &str| fs::read_to_string(name).unwrap_or_default();
    let routes = KernelRoute::read(&table("/proc/net/route"), &table("/proc/net/ipv6_route"));
    local_networks(
        &routes,
        &table("/proc/net/fib_trie"),
        &table("/proc/net/if_inet6"),
        device,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_of_ours_are_tables() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["aws-client-vpn-1", "other", ".x"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(marks(folder.path()), ["aws-client-vpn-1"]);
        assert!(marks(&folder.path().join("missing")).is_empty());
    }

    #[test]
    fn without_choices_nothing_is_closed() {
        let mut none = KillSwitch::new("u", None);
        none.close("awsvpn0", &[], false).unwrap();
        assert!(!none.is_closed());
        none.open().unwrap();
    }
}
