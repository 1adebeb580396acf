//! What the kernel is asked of interfaces and routes (rtnetlink(7)).

use aws_client_vpn_session::netlink::{outcome, read_part};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;

/// Room for the kernel's answer to one request.
const ANSWER_SIZE: usize = 4096;
/// The size of one part of the kernel's answer to a question; it makes them no larger.
const PART_SIZE: usize = 32 * 1024;
/// How many parts are read: with more routes than that, none go before others, and nobody's are looked
/// after.
const MOST_PARTS: usize = 256;
/// How often it is asked again where what it tells changes meanwhile.
const MOST_QUESTIONS: usize = 3;

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

/// Sends a question, and gives `take_in` the kind of each message of the answer, and what is in it.
pub(crate) fn ask(request: &[u8], mut take_in: impl FnMut(u16, &[u8])) -> io::Result<()> {
    let mut answer = whole_answer(request);
    for _ in 1..MOST_QUESTIONS {
        if answer == Err(Errno::INTR) {
            answer = whole_answer(request);
        }
    }
    for part in answer? {
        read_part(&part, &mut take_in).map_err(Errno::from_raw_os_error)?;
    }
    Ok(())
}

/// The parts of the answer to a question; none of them if it is not whole.
fn whole_answer(request: &[u8]) -> Result<Vec<Vec<u8>>, Errno> {
    let socket = open()?;
    rustix::net::send(&socket, request, SendFlags::empty())?;
    let mut buffer = vec![0; PART_SIZE];
    let mut parts = Vec::new();
    for _ in 0..MOST_PARTS {
        // The kernel makes each part when the one before is read, so it never has to be waited for.
        let (length, _) = rustix::net::recv(&socket, &mut buffer, RecvFlags::empty())?;
        let is_last = read_part(&buffer[..length], |_, _| {}).map_err(Errno::from_raw_os_error)?;
        parts.push(buffer[..length].to_vec());
        if is_last {
            return Ok(parts);
        }
    }
    Err(Errno::NOBUFS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_session::route_guard::rtnetlink::dump_request;

    #[test]
    fn a_question_that_the_kernel_refuses_has_no_empty_answer() {
        ask(&dump_request(), |_, _| {}).unwrap();
        // Of no kind that there is.
        let mut request = dump_request();
        request[4..6].copy_from_slice(&u16::MAX.to_ne_bytes());
        let error = ask(&request, |_, _| {}).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::OPNOTSUPP.raw_os_error()));
    }
}
