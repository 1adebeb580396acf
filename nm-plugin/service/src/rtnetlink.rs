//! What the kernel is asked of interfaces and routes (rtnetlink(7)).

use aws_client_vpn_session::route_guard::rtnetlink::outcome;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// Room for the kernel's answer to one request.
const ANSWER_SIZE: usize = 4096;

/// A socket to ask it through.
pub(crate) fn open() -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
        // NETLINK_ROUTE is protocol 0.
        None,
    )
}

/// Has it do what `request` says.
pub(crate) fn carry_out(request: &[u8]) -> Result<(), Errno> {
    let socket = open()?;
    rustix::net::send(&socket, request, SendFlags::empty())?;
    let mut answer = [0; ANSWER_SIZE];
    // It has answered by now.
    let (length, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty())?;
    outcome(&answer[..length]).map_err(Errno::from_raw_os_error)
}
