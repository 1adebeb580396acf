//! A long path between client and server, beside their cable: packets take their time, and some are
//! lost. The kernel's own (netem) is not in every kernel.

use crate::process::Process;
use crate::wait::{START_LIMIT, eventually};
use crate::world::{PROGRAMS_INSIDE, World};
use std::io;
use std::process::Stdio;
use std::time::Duration;

/// The interface at each end.
const DEVICE: &str = "far0";
/// The client's address on it.
const CLIENT: &str = "198.18.0.0";

/// A path, as long as the value lives.
#[derive(Debug)]
pub struct LongPath {
    ends: [Process; 2],
}

/// What a path does to packets, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathOptions {
    /// How long each is on its way.
    pub delay: Duration,
    /// How many of a thousand do not arrive.
    pub lost_per_thousand: u32,
    /// Which ones: the same for the same seed and the same packets.
    pub seed: u64,
}

impl LongPath {
    /// The server's address on the path.
    pub const SERVER: &'static str = "198.18.0.1";

    /// Lays one.
    #[must_use]
    pub fn lay(client: &World, server: &World, options: PathOptions) -> Self {
        let (from_client, to_server) = io::pipe().expect("a pipe");
        let (from_server, to_client) = io::pipe().expect("a pipe");
        let ends = [
            (client, CLIENT, from_server, to_server, options.seed),
            // With the same seed, both ends would lose packets of the same numbers.
            (server, Self::SERVER, from_client, to_client, !options.seed),
        ]
        .map(|(world, address, input, output, seed)| {
            let mut command = world.command(&format!("{PROGRAMS_INSIDE}/lab-tool"));
            command
                .args(["path", DEVICE, &format!("{address}/31")])
                .arg(options.delay.as_micros().to_string())
                .arg(options.lost_per_thousand.to_string())
                .arg(seed.to_string())
                .stdin(Stdio::from(input))
                .stdout(Stdio::from(output));
            world.spawn("lab-tool", &mut command)
        });
        for (world, address) in [(client, CLIENT), (server, Self::SERVER)] {
            eventually("the end of the path is there", START_LIMIT, || {
                let shown = world.run(["ip", "address", "show", "dev", DEVICE]);
                let text = String::from_utf8_lossy(&shown.stdout).into_owned();
                text.contains(address).then_some(())
            });
        }
        Self { ends }
    }

    /// Takes it away and lays another in its place.
    pub fn replace(&mut self, client: &World, server: &World, options: PathOptions) {
        self.take_away();
        *self = Self::lay(client, server, options);
    }

    /// The interfaces go with the processes.
    fn take_away(&mut self) {
        for end in &mut self.ends {
            end.kill();
        }
    }
}

impl Drop for LongPath {
    fn drop(&mut self) {
        self.take_away();
    }
}
