//! The way to the kernel's nftables: what it is to have, and what others do to it.

use aws_client_vpn_session::kill_switch::netlink::{self, Change, FIRST_PORT, PORTS};
use aws_client_vpn_session::kill_switch::{Ruleset, netlink::Batch};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::{NETFILTER, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// `NFNLGRP_NFTABLES` (linux/netfilter/nfnetlink_compat.h), as a bit: what happens to tables.
const EVENTS: u32 = 1 << (7 - 1);
/// More than the kernel sends at a time.
const DATAGRAM_SIZE: usize = 32 * 1024;
/// More than the kernel has answers to a batch.
const MOST_ANSWERS: usize = 512;
/// How many of our ports are tried; each is another process's if it is not free.
const MOST_TRIES: u32 = 64;

/// A socket that leads to nftables. It stays open: to close it after a change takes the kernel 8 to
/// 16 ms, as it waits for what was removed to be gone.
#[derive(Debug)]
pub(super) struct Nftables {
    socket: OwnedFd,
    next: u32,
}

impl Nftables {
    /// Opens one, with a port by which our services know each other's changes.
    pub(super) fn open() -> io::Result<Self> {
        let socket = open()?;
        let mut tries = (0..MOST_TRIES).map(|number| std::process::id().wrapping_add(number));
        loop {
            let offset = tries.next().ok_or(Errno::ADDRINUSE)? % PORTS;
            let port = SocketAddrNetlink::new(FIRST_PORT + offset, 0);
            match rustix::net::bind(&socket, &port) {
                Ok(()) => return Ok(Self { socket, next: 1 }),
                Err(Errno::ADDRINUSE) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Puts `rules` in the place of what our table has, or takes it away, in one transaction.
    pub(super) fn replace(&mut self, rules: Option<&Ruleset>) -> io::Result<()> {
        let batch = netlink::replacement(rules, self.next);
        self.next = batch.next();
        self.commit(batch)
    }

    /// Whether the kernel has our table.
    pub(super) fn has_table(&self) -> io::Result<bool> {
        rustix::net::send(&self.socket, &netlink::table_request(), SendFlags::empty())?;
        let mut buffer = [0; DATAGRAM_SIZE];
        let (read, _) = rustix::net::recv(&self.socket, &mut buffer, RecvFlags::empty())?;
        Ok(netlink::is_table(&buffer[..read]))
    }

    /// Has the kernel carry out a batch. It does so before `send` returns, and the answers are
    /// there.
    fn commit(&self, mut batch: Batch) -> io::Result<()> {
        let sent = rustix::net::send(&self.socket, batch.bytes(), SendFlags::empty())?;
        if sent != batch.bytes().len() {
            return Err(Errno::MSGSIZE.into());
        }
        let mut buffer = [0; DATAGRAM_SIZE];
        let mut refused = None;
        // All are read, or the next batch would find them.
        for _ in 0..MOST_ANSWERS {
            match rustix::net::recv(&self.socket, &mut buffer, RecvFlags::empty()) {
                Ok((read, _)) => {
                    if let Err(code) = batch.answered(&buffer[..read]) {
                        refused.get_or_insert(code);
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        match refused {
            Some(code) => Err(io::Error::from_raw_os_error(code)),
            None if batch.is_acknowledged() => Ok(()),
            None => Err(io::Error::other("the kernel did not answer")),
        }
    }
}

/// A socket that hears what happens to tables. Any socket of datagrams is waited for alike, and
/// this is the nearest that tokio knows.
#[derive(Debug)]
pub(super) struct Events(UnixDatagram);

impl Events {
    /// Begins to listen.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self(UnixDatagram::from_std(listening()?.into())?))
    }

    /// Resolves when our table has changed, to who changed it last. Nothing is lost if the future is
    /// dropped before.
    pub(super) async fn change(&self) -> io::Result<Change> {
        loop {
            self.0.readable().await?;
            let mut last = None;
            // All are read, which tokio has to know, or it would say again that there are some.
            let read_all = self.0.try_io(Interest::READABLE, || {
                last = self.last_change();
                Err::<(), _>(io::ErrorKind::WouldBlock.into())
            });
            drop(read_all);
            if let Some(last) = last {
                return Ok(last);
            }
        }
    }

    /// Takes away the events that are there; who changed our table last. It asks the kernel: tokio
    /// only knows what it was told when it last waited.
    pub(super) fn last_change(&self) -> Option<Change> {
        let mut buffer = [0; DATAGRAM_SIZE];
        let mut last = None;
        loop {
            match rustix::net::recv(&self.0, &mut buffer, RecvFlags::empty()) {
                Ok((read, _)) => last = netlink::last_change(&buffer[..read]).or(last),
                // Some were lost: whoever made them.
                Err(Errno::NOBUFS) => last = Some(Change::Foreign),
                Err(_) => return last,
            }
        }
    }
}

/// A socket that is told what happens to tables.
pub(super) fn listening() -> io::Result<OwnedFd> {
    let socket = open()?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, EVENTS))?;
    Ok(socket)
}

fn open() -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
        Some(NETFILTER),
    )?)
}
