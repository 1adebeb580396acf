//! What the kernel is asked of interfaces and routes (rtnetlink(7)).

use aws_client_vpn_session::netlink::{is_last, outcome};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netdevice::index_to_name;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

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

/// Sends a question. Returns the whole answer.
pub(crate) fn ask(request: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut answer = whole_answer(request);
    for _ in 1..MOST_QUESTIONS {
        if answer == Err(Errno::INTR) {
            answer = whole_answer(request);
        }
    }
    answer
}

fn whole_answer(request: &[u8]) -> Result<Vec<u8>, Errno> {
    let socket = open()?;
    rustix::net::send(&socket, request, SendFlags::empty())?;
    let mut buffer = vec![0; PART_SIZE];
    let mut answer = Vec::new();
    for _ in 0..MOST_PARTS {
        // The kernel makes each part when the one before is read, so it never has to be waited for.
        let (length, _) = rustix::net::recv(&socket, &mut buffer, RecvFlags::empty())?;
        let part = &buffer[..length];
        answer.extend(part);
        if is_last(part).map_err(Errno::from_raw_os_error)? {
            return Ok(answer);
        }
    }
    Err(Errno::NOBUFS)
}

/// The name of the interface with this number, or the number where it is gone.
pub(crate) fn name_of(index: u32) -> String {
    let name = open().and_then(|socket| index_to_name(&socket, index));
    name.unwrap_or_else(|_| index.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_session::netlink::routes_request;

    #[test]
    fn a_question_that_the_kernel_refuses_has_no_empty_answer() {
        ask(&routes_request()).unwrap();
        // Of no kind that there is.
        let mut request = routes_request();
        request[4..6].copy_from_slice(&u16::MAX.to_ne_bytes());
        assert_eq!(ask(&request), Err(Errno::OPNOTSUPP));
    }
}
