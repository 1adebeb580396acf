//! How fast a connection comes up, near and far, how much memory it takes and how much goes through
//! it: beside bare OpenVPN and a VPN that does nothing, which nothing can beat together, and beside
//! NetworkManager-openvpn, which users know.
//!
//! That VPN asks nobody for a secret, so a SAML login is also set against one that does (g): what
//! NetworkManager takes for its agents, and an agent for a dialog, is then on both sides. The goal
//! counts without it.
//!
//! All run in the same namespaces and take turns, so that whatever else the machine does hits all
//! alike. `BENCH_RUNS` sets the number of counted rounds (default 15). `BENCH_OPENVPN` names another
//! OpenVPN below the target directory, to try a change of ours without staging it; with
//! `BENCH_FAR_ONLY`, only the logins over the long path are measured, with `BENCH_NEAR_ONLY` only the
//! time until a connection is up.

mod distance;
mod floor;
mod login;
mod memory;
mod rivals;
mod sample;
mod site;
mod throughput;
mod timeline;

use crate::memory::Memory;
use crate::rivals::Rival;
use crate::sample::Sample;
use crate::site::{Push, Site};
use crate::throughput::Throughput;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

/// What a SAML connection may take, as a multiple of what NetworkManager takes for any VPN and two
/// handshakes take for themselves.
const SAML_GOAL: f64 = 1.15;
/// What a certificate connection may take, as a multiple of NetworkManager-openvpn's.
const CERTIFICATE_GOAL: f64 = 1.00;
/// Counted rounds if `BENCH_RUNS` does not say.
const RUNS: usize = 15;

type Results = BTreeMap<(Push, Rival), Sample>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // Laid over the auth dialog, it answers at once.
        [program, arguments @ ..] if program.ends_with(login::DIALOG) => login::dialog(arguments),
        [_, "floor", profile, node] => floor::main(profile, node),
        [_] => run(),
        _ => {
            eprintln!("usage: [BENCH_RUNS=15] bench");
            ExitCode::from(2)
        }
    }
}

fn run() -> ExitCode {
    let runs = std::env::var("BENCH_RUNS")
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|&runs| runs > 0)
        .unwrap_or(RUNS);
    let mut site = Site::start();
    if std::env::var_os("BENCH_FAR_ONLY").is_some() {
        distance::print(&mut site);
        return ExitCode::SUCCESS;
    }
    let mut results = Results::new();
    let mut memory = Memory::default();
    // The first round warms caches up and is where memory is looked at; it is not counted.
    for round in 0..=runs {
        eprintln!(
            "round {round} of {runs}{}",
            if round == 0 { ", not counted" } else { "" }
        );
        for push in Push::ALL {
            for rival in Rival::ALL {
                let measured = rival.measure(&site, push, |site| {
                    if round == 0 && push == Push::ByItself {
                        memory.look(site, rival);
                    }
                });
                if round > 0 {
                    results.entry((push, rival)).or_default().add(measured);
                }
            }
        }
    }
    print_times(&results, runs);
    if std::env::var_os("BENCH_NEAR_ONLY").is_some() {
        timeline::print(&site, Rival::Saml);
        return ExitCode::SUCCESS;
    }
    memory.print();
    eprintln!("the long path");
    distance::print(&mut site);
    eprintln!("throughput");
    Throughput::measure(&site).print();
    for rival in [Rival::Saml, Rival::Certificate] {
        timeline::print(&site, rival);
    }
    ExitCode::SUCCESS
}

fn print_times(results: &Results, runs: usize) {
    println!("\nTime until the connection is up, in ms; {runs} rounds, taking turns.");
    println!("What curl needs to fetch the SAML response is taken off wherever there is one.");
    for push in Push::ALL {
        println!("\nThe endpoint pushes {push}");
        println!("{:55} {:>7} {:>7} {:>7}", "", "median", "min", "max");
        for rival in Rival::ALL {
            if let Some(sample) = results.get(&(push, rival)) {
                println!(
                    "  {:53} {:7.1} {:7.1} {:7.1}",
                    rival.to_string(),
                    milliseconds(sample.median()),
                    milliseconds(sample.min()),
                    milliseconds(sample.max()),
                );
            }
        }
        let median = |rival| {
            let sample = results.get(&(push, rival));
            sample.map_or(f64::NAN, |sample| milliseconds(sample.median()))
        };
        let saml = median(Rival::Saml) / (median(Rival::IdleVpn) + median(Rival::Floor));
        let certificate = median(Rival::Certificate) / median(Rival::NetworkManagerOpenVpn);
        println!(
            "  {}",
            goal(
                "SAML / (NetworkManager's floor + handshakes) (b/(f+a))",
                saml,
                SAML_GOAL,
                true
            )
        );
        println!(
            "  {}",
            goal(
                "certificate / NetworkManager-openvpn (c/d)",
                certificate,
                CERTIFICATE_GOAL,
                true
            )
        );
        println!(
            "  of what NetworkManager takes for a VPN that asks for a secret (b/(g+a)): {:.2}",
            median(Rival::Saml) / (median(Rival::AskingVpn) + median(Rival::Floor))
        );
        println!(
            "  beyond f and a, SAML takes {:.1} ms",
            median(Rival::Saml) - median(Rival::IdleVpn) - median(Rival::Floor)
        );
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A figure beside its goal; whether the goal is met.
fn goal(what: &str, figure: f64, goal: f64, at_most: bool) -> String {
    let (sign, met) = if at_most {
        ("≤", figure <= goal)
    } else {
        ("≥", figure >= goal)
    };
    let verdict = if met { "met" } else { "NOT MET" };
    format!("{what}: {figure:.2}; goal {sign} {goal:.2}: {verdict}")
}
