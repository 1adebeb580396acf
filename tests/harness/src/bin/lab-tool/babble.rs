//! In the place of OpenVPN: one that was taken over. It writes to its management interface without
//! end, and does nothing that it is told.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// A line that is only looked at.
const LINE: &str = ">LOG:1700000000,I,babble\n";
/// What OpenVPN itself asks at each start, and what is answered. There is so little of it that the
/// answers to all that a socket holds unread are no reason to end a program that does not take them
/// at once.
const QUESTIONS: &str =
    ">HOLD:Waiting for hold release:0\n>PASSWORD:Need 'Auth' username/password\n";

pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let socket = arguments
        .windows(2)
        .find_map(|pair| (pair[0] == "--management").then_some(pair[1]));
    let Some(mut stream) = socket.and_then(|path| UnixStream::connect(path).ok()) else {
        return ExitCode::FAILURE;
    };
    let many = LINE.repeat(2000) + QUESTIONS;
    let mut rest = many.as_bytes();
    let mut heard = [0; 65536];
    if stream.set_nonblocking(true).is_err() {
        return ExitCode::FAILURE;
    }
    loop {
        if rest.is_empty() {
            rest = many.as_bytes();
        }
        match stream.write(rest) {
            Ok(written) => rest = &rest[written..],
            // It is read more slowly than it can write.
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(_) => return ExitCode::SUCCESS,
        }
        // What it is told must not fill the socket: it would be ended for not reading.
        while stream.read(&mut heard).is_ok_and(|read| read > 0) {}
    }
}
