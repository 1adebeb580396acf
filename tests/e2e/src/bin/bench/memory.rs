//! What each process holds in memory while its connection is up.

use crate::goal;
use crate::rivals::Rival;
use crate::site::Site;
use std::fs;

/// RssAnon of NetworkManager-openvpn's C service, in MB.
const SERVICE_GOAL: f64 = 1.2;
/// Stock OpenVPN's RSS in MB, and how far ours may be above.
const OPENVPN_GOAL: f64 = 1.15 * 9.5;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<Seen>);

#[derive(Debug)]
struct Seen {
    rival: Rival,
    process: String,
    /// In MB of 1024 · 1024 bytes, as in `/proc` in kB.
    rss: f64,
    anonymous: f64,
}

impl Memory {
    /// Notes what the processes of `rival` hold now.
    pub(crate) fn look(&mut self, site: &Site, rival: Rival) {
        for pid in site.lab.client.processes() {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let program = line.split(' ').next().unwrap_or_default();
            if !belongs(program, rival) {
                continue;
            }
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            self.0.push(Seen {
                rival,
                process: program.rsplit('/').next().unwrap_or_default().to_owned(),
                rss: megabytes(&status, "VmRSS:"),
                anonymous: megabytes(&status, "RssAnon:"),
            });
        }
    }

    pub(crate) fn print(&self) {
        println!("\nMemory while connected, in MB");
        println!("{:75} {:>6} {:>8}", "", "VmRSS", "RssAnon");
        for seen in &self.0 {
            let rival = seen.rival.to_string();
            println!(
                "  {rival:46} {:26} {:6.2} {:8.2}",
                seen.process, seen.rss, seen.anonymous
            );
        }
        for seen in self.0.iter().filter(|seen| seen.rival == Rival::Saml) {
            if seen.process.ends_with("-service") {
                let text = goal("our service's RssAnon", seen.anonymous, SERVICE_GOAL, true);
                println!("  {text}");
            }
            if seen.process == "openvpn" {
                let text = goal("our OpenVPN's VmRSS", seen.rss, OPENVPN_GOAL, true);
                println!("  {text} (after a login of 12 KB)");
            }
        }
    }
}

/// Services of other connections linger, so names tell whose a process is.
fn belongs(program: &str, rival: Rival) -> bool {
    // The supervisor has a name of its own, which is no path.
    let ours = program.contains("nm-aws-client-vpn") || program == "openvpn-superv";
    match rival {
        Rival::Floor | Rival::IdleVpn | Rival::AskingVpn => false,
        Rival::Saml | Rival::Certificate => ours,
        Rival::NetworkManagerOpenVpn => program.contains("openvpn") && !ours,
        Rival::StockOpenVpn => program == "/usr/sbin/openvpn",
    }
}

fn megabytes(status: &str, key: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
    kilobytes
        .and_then(|number| number.parse::<f64>().ok())
        .unwrap_or(f64::NAN)
        / 1024.0
}

#[cfg(test)]
mod tests {
    use super::megabytes;

    #[test]
    fn figures_are_read_as_proc_has_them() {
        let status = "Name:\topenvpn\nVmRSS:\t    9216 kB\nRssAnon:\t     512 kB\n";
        assert_eq!(megabytes(status, "VmRSS:"), 9.0);
        assert_eq!(megabytes(status, "RssAnon:"), 0.5);
        assert!(megabytes(status, "VmSwap:").is_nan());
    }
}
