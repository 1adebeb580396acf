//! What goes through a tunnel: our OpenVPN beside the stock one, at the same endpoint.
//!
//! On a shared machine the rate differs from one moment to the next more than the two OpenVPNs do;
//! the processor time that OpenVPN takes for a gigabyte differs less.

use crate::goal;
use crate::rivals::{Rival, end, stock};
use crate::site::{Push, Site};
use aws_client_vpn_harness::eventually;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

const ROUNDS: usize = 9;
/// Of one measurement, in seconds.
const SECONDS: &str = "4";
/// An address that only the tunnel leads to.
const INSIDE: &str = "10.99.0.2";
/// Ours as a part of stock's.
const GOAL: f64 = 0.98;

/// What was measured each way: to the server and from it.
#[derive(Debug)]
pub(crate) struct Throughput {
    ours: [Ways; 2],
    stock: [Ways; 2],
}

/// The measurements of one way.
#[derive(Debug, Default)]
struct Ways(Vec<Measured>);

#[derive(Debug, Clone, Copy)]
struct Measured {
    /// In Mbit/s.
    rate: f64,
    /// Processor time of the client's OpenVPN, in seconds for 10⁹ bytes.
    cost: f64,
}

impl Throughput {
    pub(crate) fn measure(site: &Site) -> Self {
        let mut command = site.lab.server.command("iperf3");
        command
            .args(["--server", "--bind", INSIDE])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _server = site.lab.server.spawn("iperf3", &mut command);
        let mut ours = <[Ways; 2]>::default();
        let mut stocks = <[Ways; 2]>::default();
        for _ in 0..ROUNDS {
            let name = Rival::Certificate.connection(Push::ByItself);
            site.up(&name);
            both_ways(site, &mut ours);
            site.down(&name);
            let (process, _) = stock(site, Push::ByItself);
            both_ways(site, &mut stocks);
            end(site, process);
        }
        Self {
            ours,
            stock: stocks,
        }
    }

    pub(crate) fn print(&self) {
        println!("\nThroughput by iperf3 (TCP); medians of {ROUNDS} × {SECONDS} s");
        println!(
            "{:28} {:>12} {:>26}",
            "", "Mbit/s", "OpenVPN's seconds per GB"
        );
        for (number, way) in ["to the server", "from the server"].iter().enumerate() {
            for (whose, ways) in [("ours", &self.ours), ("stock", &self.stock)] {
                let rate = ways[number].median(|measured| measured.rate);
                let cost = ways[number].median(|measured| measured.cost);
                println!("  {way:16} {whose:9} {rate:12.0} {cost:26.2}");
            }
            let of = |figure: fn(&Measured) -> f64| {
                self.ours[number].median(figure) / self.stock[number].median(figure)
            };
            let (rate, cost) = (of(|measured| measured.rate), of(|measured| measured.cost));
            println!("  {}", goal("  ours / stock", rate, GOAL, false));
            println!("    ours / stock, processor time: {cost:.2}");
        }
    }
}

impl Ways {
    fn median(&self, figure: fn(&Measured) -> f64) -> f64 {
        let mut figures: Vec<_> = self.0.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

fn both_ways(site: &Site, measured: &mut [Ways; 2]) {
    for (ways, reverse) in measured.iter_mut().zip([None, Some("--reverse")]) {
        ways.0.push(one_way(site, reverse));
    }
}

/// Tried again while the server is still at the one before.
fn one_way(site: &Site, reverse: Option<&str>) -> Measured {
    eventually("iperf3 measures", Duration::from_secs(60), || {
        let words = ["iperf3", "--client", INSIDE, "--time", SECONDS, "--json"];
        let before = processor_time(site);
        let output = site.lab.client.run(words.into_iter().chain(reverse));
        let took = processor_time(site) - before;
        let report: Value = serde_json::from_slice(&output.stdout).ok()?;
        let received = &report["end"]["sum_received"];
        Some(Measured {
            rate: received["bits_per_second"].as_f64()? / 1e6,
            cost: took / (received["bytes"].as_f64()? / 1e9),
        })
    })
}

/// What the client's OpenVPN has had of the processors until now, in seconds.
fn processor_time(site: &Site) -> f64 {
    let pids = site.lab.client.processes_called("openvpn");
    let times = pids.iter().filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        ticks(&stat)
    });
    times.sum::<f64>() / rustix::param::clock_ticks_per_second() as f64
}

/// User's and system's time of `/proc/PID/stat`, its 14th and 15th field (proc(5)). The second
/// field, a name, may have blanks and ends with the last parenthesis.
fn ticks(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn times_are_read_as_proc_has_them() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 120 35 0 0 20 0 1 0 9 1 1";
        assert_eq!(ticks(stat), Some(155.0));
        assert_eq!(ticks("7 (a"), None);
    }
}
