//! The patched OpenVPN is the one part of this project that is not ours and not in Rust, so its
//! patches are tested from outside: real client and server processes on loopback, each driven
//! through its management interface, in a network namespace of their own.
//!
//! This library has the processes; `tests/` has what is asked of them.

mod certificates;
mod far_path;
mod management;
mod network;
mod process;

pub use certificates::Certificates;
pub use far_path::FarPath;
pub use management::{Management, quote};
pub use process::{OpenVpn, Program, Role, Transport};
