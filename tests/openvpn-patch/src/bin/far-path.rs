//! `far-path PORT SERVER-PORT MILLISECONDS`: passes UDP packets of one client on to a server, and what
//! comes back after a delay, as over a long path. When its standard input ends, it says how many
//! control packets the client had sent, at most, that no answer had acknowledged yet.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// More than any packet on loopback.
const PACKET: usize = 65_536;

/// A packet of OpenVPN's control channel without `--tls-auth` or `--tls-crypt` (ssl_pkt.h).
struct Control {
    /// Which key of the session is negotiated, from 0 to 7.
    key: u8,
    /// `None` for a packet that only acknowledges others.
    number: Option<u32>,
    acknowledged: Vec<u32>,
}

impl Control {
    /// `None` for data.
    fn read(packet: &[u8]) -> Option<Self> {
        const DATA_V1: u8 = 6;
        const DATA_V2: u8 = 9;
        const ACK: u8 = 5;
        const SESSION_ID: usize = 8;
        let (first, rest) = packet.split_first()?;
        let (opcode, key) = (first >> 3, first & 7);
        if opcode == DATA_V1 || opcode == DATA_V2 {
            return None;
        }
        let (count, rest) = rest.get(SESSION_ID..)?.split_first()?;
        let length = usize::from(*count) * 4;
        let acknowledged = rest.get(..length)?.chunks_exact(4).map(number).collect();
        let session_id = if *count > 0 { SESSION_ID } else { 0 };
        let rest = rest.get(length + session_id..)?;
        let number = match opcode {
            ACK => None,
            _ => Some(number(rest.get(..4)?)),
        };
        Some(Self {
            key,
            number,
            acknowledged,
        })
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

/// What the client has sent, and has no answer to.
#[derive(Default)]
struct Window {
    packets: BTreeSet<(u8, u32)>,
    most: usize,
}

impl Window {
    fn sent(&mut self, packet: &[u8]) {
        if let Some(control) = Control::read(packet)
            && let Some(number) = control.number
        {
            self.packets.insert((control.key, number));
            self.most = self.most.max(self.packets.len());
        }
    }

    fn answered(&mut self, packet: &[u8]) {
        if let Some(Control {
            key, acknowledged, ..
        }) = Control::read(packet)
        {
            for number in acknowledged {
                self.packets.remove(&(key, number));
            }
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || {
        arguments
            .next()
            .expect("far-path PORT SERVER-PORT MILLISECONDS")
    };
    let port: u16 = argument().parse().expect("a port");
    let server: u16 = argument().parse().expect("a port");
    let delay = Duration::from_millis(argument().parse().expect("a number"));
    let bind = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).expect("a socket");
    let (front, back) = (Arc::new(bind(port)), Arc::new(bind(0)));
    back.connect((Ipv4Addr::LOCALHOST, server))
        .expect("an address of loopback");
    println!("ready");
    let window = Arc::new(Mutex::new(Window::default()));
    let client: Arc<Mutex<Option<SocketAddr>>> = Arc::default();

    let (from, to, sent, who) = (
        Arc::clone(&front),
        Arc::clone(&back),
        Arc::clone(&window),
        Arc::clone(&client),
    );
    thread::spawn(move || {
        let mut packet = vec![0; PACKET];
        while let Ok((length, address)) = from.recv_from(&mut packet) {
            *who.lock().expect("no panic") = Some(address);
            sent.lock().expect("no panic").sent(&packet[..length]);
            // A server that is gone takes no packets; the client notices by itself.
            drop(to.send(&packet[..length]));
        }
    });
    let (queue, queued) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut packet = vec![0; PACKET];
        while let Ok(length) = back.recv(&mut packet) {
            let due = Instant::now() + delay;
            if queue.send((due, packet[..length].to_vec())).is_err() {
                break;
            }
        }
    });
    let answered = Arc::clone(&window);
    thread::spawn(move || {
        for (due, packet) in queued {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            answered.lock().expect("no panic").answered(&packet);
            let address = *client.lock().expect("no panic");
            if let Some(address) = address {
                drop(front.send_to(&packet, address));
            }
        }
    });

    drop(std::io::stdin().read_to_end(&mut Vec::new()));
    println!("{}", window.lock().expect("no panic").most);
}
