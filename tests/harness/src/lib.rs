//! A laboratory for tests on real programs: a client machine and a server machine, made of
//! namespaces, on which the real NetworkManager, D-Bus, OpenVPN and browser run.
//!
//! The machine that runs the tests must not notice. So each [`Lab`] lives in network, mount and
//! process namespaces of its own; the product's staged tree is laid over the client's `/usr`, and
//! whatever is written goes to memory that vanishes with the namespaces. Several labs run side by
//! side, and a lab whose test was killed dies with it.
//!
//! A test that cannot be set up has failed: functions here panic with a sentence, they do not
//! return errors.

mod agent;
mod booted;
mod clock;
mod debian_package;
mod desktop;
mod endpoint;
mod events;
mod idle_vpn;
mod journal;
mod lab;
mod log_tail;
mod logind;
mod machines;
mod path;
mod process;
mod resolved;
mod scan;
mod server_machine;
mod simplesamlphp;
mod snapshot;
mod stopwatch;
mod terminal;
mod tools;
mod turn;
mod up;
mod wait;
mod world;

pub use agent::{Agent, AgentStyle, VpnState};
pub use booted::Booted;
pub use desktop::Desktop;
pub use endpoint::{Endpoint, EndpointOptions};
pub use events::{Event, Events};
pub use idle_vpn::{ASKING_VPN, IDLE_VPN, install_idle_vpn};
pub use lab::{Browser, CANCEL, DnsMode, Lab, Options, typed};
pub use log_tail::LogTail;
pub use logind::Logind;
pub use path::{LongPath, PathOptions};
pub use process::Process;
pub use scan::{Finding, SecretScan};
pub use server_machine::ServerMachine;
pub use simplesamlphp::SimpleSamlPhp;
pub use snapshot::Snapshot;
pub use stopwatch::Stopwatch;
pub use terminal::Terminal;
pub use tools::Tools;
pub use up::{PendingUp, Up};
pub use wait::{eventually, wait_for};
pub use world::World;
