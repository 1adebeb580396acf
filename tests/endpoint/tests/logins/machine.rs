//! A network namespace for one test, with the endpoint in it.

use aws_client_vpn_endpoint::{Command, Endpoint, Event, Options, StartError, Transport};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::future::Future;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Nothing in these tests takes a tenth of it.
const TEST_LIMIT: Duration = Duration::from_secs(600);
/// An event that comes does so within milliseconds; a busy machine takes longer.
const EVENT_LIMIT: Duration = Duration::from_secs(120);

/// The nodes' addresses: the loopback interface has them all.
pub(crate) const NODES: [Ipv4Addr; 2] =
    [Ipv4Addr::new(127, 0, 71, 1), Ipv4Addr::new(127, 0, 71, 2)];

/// A file that `make openvpn-for-tests` puts into the target directory.
pub(crate) fn built(path: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..").join(path);
    assert!(
        file.exists(),
        "{} is not there: run `make openvpn-for-tests`",
        file.display()
    );
    file
}

/// The options of these tests: both nodes, one port.
pub(crate) fn options(transports: &[Transport]) -> Options {
    Options {
        transports: transports.to_vec(),
        ports: vec![443],
        openvpn: built("openvpn-server/openvpn"),
        ..Options::default()
    }
}

/// Runs `test` in a network namespace of its own, which is gone afterwards.
pub(crate) fn in_own_network<T, F>(test: T)
where
    T: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()>,
{
    let network = Network::new();
    let file = File::open(network.path()).unwrap();
    let run = move || {
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { timeout(TEST_LIMIT, test()).await.expect("the test hangs") });
    };
    let result = std::thread::spawn(run).join();
    drop(network);
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// A network namespace with its loopback interface up.
pub(crate) struct Network(String);

impl Network {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let network = Self(format!("endpoint-{}-{number}", std::process::id()));
        ip(&["netns", "add", &network.0]);
        ip(&["-n", &network.0, "link", "set", "lo", "up"]);
        network
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    fn path(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.0)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Program::new("ip")
            .args(["netns", "delete", &self.0])
            .status();
    }
}

fn ip(arguments: &[&str]) {
    let status = Program::new("ip")
        .args(arguments)
        .status()
        .expect("iproute2 is installed");
    assert!(status.success(), "ip {} (as root?)", arguments.join(" "));
}

/// A running endpoint, and what to ask of it.
pub(crate) struct Machine {
    pub(crate) endpoint: Endpoint,
}

impl Machine {
    pub(crate) async fn start(options: Options) -> Self {
        let give_up = Instant::now() + EVENT_LIMIT;
        loop {
            match Endpoint::start(options.clone()).await {
                Ok(endpoint) => return Self { endpoint },
                // A child of another test in this process has a copy of the sockets of the
                // endpoint before, until it runs its own program.
                Err(StartError::Address(_, error))
                    if error.kind() == ErrorKind::AddrInUse && Instant::now() < give_up =>
                {
                    sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Carries out a command as it stands on a line.
    pub(crate) async fn command(&mut self, line: &str) {
        let command: Command = serde_json::from_str(line).unwrap();
        self.endpoint.command(command).await;
    }

    /// Waits for the next event that `wanted` picks something from.
    pub(crate) async fn event<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let next = async {
            loop {
                if let Some(found) = wanted(&self.endpoint.event().await) {
                    return found;
                }
            }
        };
        timeout(EVENT_LIMIT, next).await.expect("the event comes")
    }

    /// The exported profile for a transport.
    pub(crate) fn profile(&self, transport: Transport) -> String {
        let path = &self.endpoint.ready().profiles[&format!("{transport}-443")];
        std::fs::read_to_string(path).unwrap()
    }
}
