//! Who listens on a port of this machine, in the kernel's own tables.
//!
//! AWS lets the browser answer on one port only. When another program has it, the user has to know
//! which one: the dialog says so, and the doctor.

use std::net::{Ipv4Addr, SocketAddr};

/// A socket and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// The user's number.
    pub user: u32,
    /// The number that the descriptors of its process show.
    pub inode: u64,
}

/// Finds who has `port` on loopback or on all addresses in a table as /proc/net/tcp and tcp6
/// have it; one who listens rather than one who is merely connected.
///
/// A socket without an inode is no program's any more: the kernel keeps it for a minute after a
/// connection was closed (TIME-WAIT), which keeps nobody from listening.
#[must_use]
pub fn listener_in(table: &str, port: u16) -> Option<Socket> {
    const LISTENS: &str = "0A";
    let mut found = None;
    for line in table.lines().skip(1) {
        let mut columns = line.split_ascii_whitespace();
        let (Some(local), Some(state)) = (columns.nth(1), columns.nth(1)) else {
            continue;
        };
        let Some((address, local_port)) = local.split_once(':') else {
            continue;
        };
        let everywhere = address.bytes().all(|digit| digit == b'0');
        if u16::from_str_radix(local_port, 16) != Ok(port)
            || !(everywhere || address.ends_with("0100007F"))
        {
            continue;
        }
        let user = columns.nth(3).and_then(|user| user.parse().ok());
        let inode = columns.nth(1).and_then(|inode| inode.parse().ok());
        let inode = inode.filter(|inode| *inode != 0);
        if let (Some(user), Some(inode)) = (user, inode) {
            let socket = Socket { user, inode };
            if state == LISTENS {
                return Some(socket);
            }
            found = found.or(Some(socket));
        }
    }
    found
}

/// Whose the other end of a connection on loopback is: that of the socket at `peer` that is connected
/// with `listening` of 127.0.0.1, in a table as above. `peer` is at 127.0.0.1, too, as all that connects
/// there by itself: another address of loopback may have the port of somebody else's socket.
#[must_use]
pub fn peer_in(table: &str, peer: SocketAddr, listening: u16) -> Option<u32> {
    if peer.ip() != Ipv4Addr::LOCALHOST {
        return None;
    }
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let is_at = |column: &str, expected| {
            column.split_once(':').is_some_and(|(address, port)| {
                address.ends_with("0100007F") && u16::from_str_radix(port, 16) == Ok(expected)
            })
        };
        if !is_at(columns.next()?, peer.port()) || !is_at(columns.next()?, listening) {
            return None;
        }
        let user = columns.nth(4)?.parse().ok()?;
        // A socket that is nobody's any more is root's in this table.
        let inode: u64 = columns.nth(1)?.parse().ok()?;
        (inode != 0).then_some(user)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn row(local: &str, state: &str, user: u32, inode: u32) -> String {
        format!(
            "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {user:5} \
             0 {inode} 1 0000000000000000 100 0 0 10 0\n"
        )
    }

    #[test]
    fn whose_a_connection_is_stands_at_its_other_end() {
        let row = |local: &str, remote: &str, user, inode| {
            row(local, "01", user, inode).replace("00000000:0000 ", &format!("{remote} "))
        };
        let ours = row("0100007F:88B9", "0100007F:C350", 1000, 7);
        let theirs = row("0100007F:C350", "0100007F:88B9", 1001, 8);
        let mapped = |address: &str| format!("0000000000000000FFFF0000{address}");
        for (rows, expected) in [
            (format!("{ours}{theirs}"), Some(1001)),
            (ours.clone(), None),
            (row("0100007F:C350", "0100007F:88B9", 0, 0), None),
            (row("0100007F:C351", "0100007F:88B9", 1001, 8), None),
            (row("0100007F:C350", "0100007F:88BA", 1001, 8), None),
            (
                row(&mapped("0100007F:C350"), &mapped("0100007F:88B9"), 1001, 8),
                Some(1001),
            ),
            ("nonsense\n  1: a:b c\n".to_owned(), None),
        ] {
            let table = format!("{HEAD}{rows}");
            let owner = |peer: &str| peer_in(&table, peer.parse().unwrap(), 35001);
            assert_eq!(owner("127.0.0.1:50000"), expected, "{rows}");
            assert_eq!(owner("127.0.0.2:50000"), None, "{rows}");
        }
    }

    #[test]
    fn the_listener_on_the_port_is_found() {
        let v6 = |tail: &str| format!("0000000000000000{tail}:88B9");
        let found = Some(Socket {
            user: 1000,
            inode: 77,
        });
        for (rows, expected) in [
            (row("0100007F:88B9", "0A", 1000, 77), found),
            (row("00000000:88B9", "0A", 1000, 77), found),
            (row("0100007F:88BA", "0A", 1000, 77), None),
            (row("0200000A:88B9", "0A", 1000, 77), None),
            (row("0100007F:88B9", "01", 1000, 77), found),
            // What the browser's own connection leaves behind, as it was seen after a login.
            (row("0100007F:88B9", "06", 0, 0), None),
            (
                row("0100007F:88B9", "06", 0, 0) + &row("0100007F:88B9", "0A", 1000, 77),
                found,
            ),
            (
                row("0100007F:88B9", "01", 5, 5) + &row("0100007F:88B9", "0A", 1000, 77),
                found,
            ),
            (row(&v6("0000000000000000"), "0A", 1000, 77), found),
            (row(&v6("FFFF00000100007F"), "0A", 1000, 77), found),
            (row(&v6("0000000001000000"), "0A", 1000, 77), None),
            ("nonsense\n   0: x\n".to_owned(), None),
        ] {
            assert_eq!(
                listener_in(&format!("{HEAD}{rows}"), 35001),
                expected,
                "{rows}"
            );
        }
    }
}
