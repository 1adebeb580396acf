//! A whole SAML login over a path of 100 ms there and back, which is what a user has on another
//! continent: how long it takes, and how many round trips that is.
//!
//! What the login takes at the other end of a short cable is taken off; the rest is waiting.

use crate::milliseconds;
use crate::sample::Sample;
use crate::site::Site;
use aws_client_vpn_harness::PathOptions;
use std::fmt;
use std::time::Duration;

/// Of the far endpoints, one for each of [`RESPONSES`].
pub(crate) const FAR_PORTS: [u16; 2] = [3443, 4443];
/// Bytes of the SAML response: what is common, and what AWS nearly allows.
pub(crate) const RESPONSES: [u32; 2] = [11_000, 100_000];

const DELAY: Duration = Duration::from_millis(50);
const ROUND_TRIP: Duration = Duration::from_millis(100);
const ROUNDS: u64 = 5;
/// With losses, times differ more.
const LOSSY_ROUNDS: u64 = 7;
const LOST_PER_THOUSAND: u32 = 20;
/// Fewer round trips than this over UDP, with the common response.
const GOAL: f64 = 9.0;

/// What carries the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Carrier {
    Udp,
    Tcp,
}

impl Carrier {
    pub(crate) const ALL: [Self; 2] = [Self::Udp, Self::Tcp];

    /// The name of a far connection.
    pub(crate) fn connection(self, response_bytes: u32) -> String {
        format!("far-{self}-{response_bytes}")
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// Measures and tells.
pub(crate) fn print(site: &mut Site) {
    let far = PathOptions {
        delay: DELAY,
        ..PathOptions::default()
    };
    let lossy = PathOptions {
        lost_per_thousand: LOST_PER_THOUSAND,
        ..far
    };
    let short = measure(site, PathOptions::default(), ROUNDS);
    let long = measure(site, far, ROUNDS);
    let lossy = measure(site, lossy, LOSSY_ROUNDS);
    println!("\nA SAML login at 100 ms there and back, in ms without those of the login page:");
    println!("median (min-max) of {ROUNDS} rounds, with losses of {LOSSY_ROUNDS}");
    println!(
        "  {:24} {:>20} {:>22} {:>12} {:>24}",
        "", "at 0 ms", "at 100 ms", "round trips", "and 2 % of packets lost"
    );
    for (((what, short), (_, long)), (_, lossy)) in short.iter().zip(&long).zip(&lossy) {
        let waited = long.median().saturating_sub(short.median());
        let round_trips = waited.as_secs_f64() / ROUND_TRIP.as_secs_f64();
        println!(
            "  {:24} {:>20} {:>22} {round_trips:12.1} {:>24}",
            what.to_string(),
            told(short),
            told(long),
            told(lossy),
        );
        if what.carrier == Carrier::Udp && what.response_bytes == RESPONSES[0] {
            let verdict = if round_trips < GOAL { "met" } else { "NOT MET" };
            println!("  goal < {GOAL:.0} round trips: {verdict}");
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Login {
    carrier: Carrier,
    response_bytes: u32,
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} KB", self.carrier, self.response_bytes / 1000)
    }
}

/// Each login over such a path, taking turns.
fn measure(site: &mut Site, options: PathOptions, rounds: u64) -> Vec<(Login, Sample)> {
    let mut measured: Vec<(Login, Sample)> = Vec::new();
    for response_bytes in RESPONSES {
        for carrier in Carrier::ALL {
            let login = Login {
                carrier,
                response_bytes,
            };
            measured.push((login, Sample::default()));
        }
    }
    for seed in 1..=rounds {
        site.lay_path(PathOptions { seed, ..options });
        for (login, sample) in &mut measured {
            let name = login.carrier.connection(login.response_bytes);
            let took = site.up(&name);
            sample.add(took.saturating_sub(site.login_took()));
            site.down(&name);
        }
    }
    measured
}

fn told(sample: &Sample) -> String {
    let [median, min, max] = [sample.median(), sample.min(), sample.max()].map(milliseconds);
    format!("{median:.0} ({min:.0}-{max:.0})")
}
