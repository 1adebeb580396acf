//! Tells systemd that the agent listens (sd_notify(3)), if it was started by a unit of that type.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Says so. Where nobody asked, nothing happens; where it cannot be said, systemd's own limit tells.
pub fn tell() {
    if let Ok(name) = std::env::var("NOTIFY_SOCKET") {
        drop(send(&name));
    }
}

fn send(name: &str) -> std::io::Result<usize> {
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_arrives_at_either_kind_of_socket() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let name = format!("nm-aws-client-vpn-agent-test-{}", std::process::id());
        let sockets = [
            (path.to_str().unwrap().to_owned(), UnixDatagram::bind(&path)),
            (
                format!("@{name}"),
                UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()),
            ),
        ];
        for (name, socket) in sockets {
            let socket = socket.unwrap();
            send(&name).unwrap();
            let mut said = [0; 16];
            let length = socket.recv(&mut said).unwrap();
            assert_eq!(&said[..length], b"READY=1");
        }
    }
}
