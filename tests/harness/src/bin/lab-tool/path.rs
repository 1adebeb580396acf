//! One end of a long path between two machines: a tun device, whose packets go to the other end
//! over standard output, delayed, and come from there over standard input.
//!
//! A packet on the pipes has its length before it, as two bytes.

mod delay_line;
pub(crate) mod tun;

use delay_line::DelayLine;
use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Command, ExitCode};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// More than the MTU of any tun device here.
const PACKET_SIZE: usize = 65_535;

/// Until the other end is gone.
pub(crate) fn run(device: &str, address: &str, numbers: [&str; 3]) -> ExitCode {
    let [delay, lost_per_thousand, seed] = numbers.map(str::parse);
    let (Ok(delay), Ok(lost_per_thousand), Ok(seed)) = (delay, lost_per_thousand, seed) else {
        eprintln!("lab-tool path: {numbers:?} are not three numbers");
        return ExitCode::from(2);
    };
    let delay = Duration::from_micros(delay);
    let lost_per_thousand = u32::try_from(lost_per_thousand).unwrap_or(u32::MAX);
    let line = DelayLine::new(delay, lost_per_thousand, seed);
    match carry(device, address, line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab-tool path: {error}");
            ExitCode::FAILURE
        }
    }
}

fn carry(device: &str, address: &str, line: DelayLine) -> io::Result<()> {
    let tun = tun::open(device)?;
    ip(&["link", "set", device, "up"])?;
    ip(&["address", "add", address, "dev", device])?;
    let (sender, packets) = channel();
    let from_device = tun.try_clone()?;
    std::thread::spawn(move || drop(set_out(from_device, &sender)));
    // Ends with the other end, as we do.
    std::thread::spawn(move || drop(send_on_arrival(line, &packets)));
    into_device(tun)
}

fn ip(arguments: &[&str]) -> io::Result<()> {
    let status = Command::new("ip").args(arguments).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("ip {arguments:?}: {status}")))
    }
}

/// From the device onto the way.
fn set_out(mut tun: File, packets: &Sender<(Instant, Vec<u8>)>) -> io::Result<()> {
    let mut buffer = vec![0; PACKET_SIZE];
    loop {
        let length = tun.read(&mut buffer)?;
        let packet = buffer[..length].to_vec();
        if packets.send((Instant::now(), packet)).is_err() {
            return Ok(());
        }
    }
}

fn send_on_arrival(mut line: DelayLine, packets: &Receiver<(Instant, Vec<u8>)>) -> io::Result<()> {
    loop {
        let now = Instant::now();
        while let Some(packet) = line.arrived(now) {
            let length = u16::try_from(packet.len()).map_err(io::Error::other)?;
            let mut stdout = io::stdout().lock();
            stdout.write_all(&length.to_be_bytes())?;
            stdout.write_all(&packet)?;
            stdout.flush()?;
        }
        let next = match line.next_arrival() {
            Some(at) => packets.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => packets.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok((at, packet)) => line.set_out(at, packet),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// From the way into the device.
fn into_device(mut tun: File) -> io::Result<()> {
    let mut stdin = io::stdin().lock();
    let mut length = [0; 2];
    loop {
        match stdin.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
        stdin.read_exact(&mut packet)?;
        tun.write_all(&packet)?;
    }
}
