//! Where the time goes: which lines of the log end the longest silences of one connection.
//!
//! The service's lines carry no time in the lab, so the moment counts at which a line is there.

use crate::milliseconds;
use crate::rivals::Rival;
use crate::site::{Push, Site};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Shorter silences are not told.
const SILENCE: Duration = Duration::from_micros(1500);
/// After these, what came before is told too.
const LONG: Duration = Duration::from_millis(50);
/// How much of a line is told.
const WIDTH: usize = 110;
/// How often the log is looked at.
const INTERVAL: Duration = Duration::from_micros(500);

/// Brings `rival` up once more and tells where the time went.
pub(crate) fn print(site: &Site, rival: Rival) {
    let name = rival.connection(Push::ByItself);
    let path = site.lab.dir().join("logs/NetworkManager.log");
    let mut log = File::open(path).expect("NetworkManager writes a log");
    log.seek(SeekFrom::End(0)).expect("a log has an end");
    let over = AtomicBool::new(false);
    let started = Instant::now();
    let (took, lines) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| follow(&mut log, started, &over));
        let took = site.up(&name);
        over.store(true, Ordering::Relaxed);
        (took, reader.join().unwrap_or_default())
    });
    println!(
        "\nWhere the time goes, {rival}: {:.1} ms",
        milliseconds(took)
    );
    if rival == Rival::Saml {
        let login = milliseconds(site.login_took());
        println!("  of these {login:.1} ms for curl at the identity provider");
    }
    println!(
        "  {:>7} {:>7}  line of the log that ended the silence",
        "at ms", "silent"
    );
    let mut before = Duration::ZERO;
    let mut last_words = String::new();
    for (at, text) in lines {
        let silent = at.saturating_sub(before);
        before = at;
        if silent >= SILENCE {
            let line: String = words_of(&text).chars().take(WIDTH).collect();
            println!(
                "  {:7.1} {:7.1}  {line}",
                milliseconds(at),
                milliseconds(silent)
            );
            if silent >= LONG {
                println!("  {:15}  after: {last_words}", "");
            }
        }
        last_words = words_of(&text).chars().take(WIDTH).collect();
    }
    let rest = milliseconds(took.saturating_sub(before));
    println!("  {:7.1} {rest:7.1}  nmcli has ended", milliseconds(took));
    site.down(&name);
}

/// A line without what says only where it comes from: `<info> [time]`, the service's span, and
/// the address and UUID of NetworkManager's connection.
fn words_of(line: &str) -> &str {
    let line = line.trim();
    let service = line.split_once("nm_aws_client_vpn_service");
    let service = service.and_then(|(_, rest)| rest.split_once(": "));
    let service = service.map(|(_, words)| words);
    let vpn = line.split_once("\"]: ").map(|(_, words)| words);
    let manager = line.split_once("] ").map(|(_, words)| words);
    service.or(vpn).or(manager).unwrap_or(line)
}

fn follow(log: &mut File, started: Instant, over: &AtomicBool) -> Vec<(Duration, String)> {
    let mut lines = Vec::new();
    let mut rest = String::new();
    loop {
        let last = over.load(Ordering::Relaxed);
        let mut new = Vec::new();
        if log.read_to_end(&mut new).is_err() {
            return lines;
        }
        let at = started.elapsed();
        rest.push_str(&String::from_utf8_lossy(&new));
        while let Some(end) = rest.find('\n') {
            let line: String = rest.drain(..=end).collect();
            lines.push((at, line));
        }
        if last {
            return lines;
        }
        std::thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::words_of;

    #[test]
    fn what_says_only_where_a_line_comes_from_is_left_out() {
        for (line, words) in [
            ("<info>  [1.2] device (a): up", "device (a): up"),
            ("<debug> [1.2] vpn[0x1,uuid,\"a\"]: starting", "starting"),
            (
                "  INFO connection{NM=1}: nm_aws_client_vpn_service::openvpn: openvpn: hello\n",
                "openvpn: hello",
            ),
            ("anything", "anything"),
        ] {
            assert_eq!(words_of(line), words);
        }
    }
}
