//! What goes through a tunnel: our OpenVPN beside the stock one, at the same endpoint.

use crate::goal;
use crate::rivals::{Rival, end, stock};
use crate::site::{Push, Site};
use aws_client_vpn_harness::eventually;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

const ROUNDS: usize = 3;
/// Of one measurement, in seconds.
const SECONDS: &str = "4";
/// An address that only the tunnel leads to.
const INSIDE: &str = "10.99.0.2";
/// Ours as a part of stock's.
const GOAL: f64 = 0.98;

/// Medians in Mbit/s.
#[derive(Debug)]
pub(crate) struct Throughput {
    ours: [f64; 2],
    stock: [f64; 2],
}

impl Throughput {
    pub(crate) fn measure(site: &Site) -> Self {
        let mut command = site.lab.server.command("iperf3");
        command
            .args(["--server", "--bind", INSIDE])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _server = site.lab.server.spawn("iperf3", &mut command);
        let mut ours = [Vec::new(), Vec::new()];
        let mut theirs = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let name = Rival::Certificate.connection(Push::ByItself);
            site.up(&name);
            both_ways(site, &mut ours);
            site.down(&name);
            let (process, _) = stock(site, Push::ByItself);
            both_ways(site, &mut theirs);
            end(site, process);
        }
        Self {
            ours: ours.map(median),
            stock: theirs.map(median),
        }
    }

    pub(crate) fn print(&self) {
        println!("\nThroughput by iperf3 (TCP), Mbit/s; medians of {ROUNDS} × {SECONDS} s");
        for (number, way) in ["to the server", "from the server"].iter().enumerate() {
            let (ours, stock) = (self.ours[number], self.stock[number]);
            println!("  {way:16} ours {ours:7.0}   stock {stock:7.0}");
            println!("  {}", goal("  ours / stock", ours / stock, GOAL, false));
        }
    }
}

fn both_ways(site: &Site, measured: &mut [Vec<f64>; 2]) {
    for (number, way) in [None, Some("--reverse")].into_iter().enumerate() {
        measured[number].push(one_way(site, way));
    }
}

/// Tried again while the server is still at the one before.
fn one_way(site: &Site, way: Option<&str>) -> f64 {
    eventually("iperf3 measures", Duration::from_secs(60), || {
        let words = ["iperf3", "--client", INSIDE, "--time", SECONDS, "--json"];
        let output = site.lab.client.run(words.into_iter().chain(way));
        let report: Value = serde_json::from_slice(&output.stdout).ok()?;
        let bits = report["end"]["sum_received"]["bits_per_second"].as_f64()?;
        Some(bits / 1e6)
    })
}

fn median(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured
        .get(measured.len() / 2)
        .copied()
        .unwrap_or(f64::NAN)
}
