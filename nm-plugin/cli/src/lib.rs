//! The `aws-client-vpn` command: shows the connections, finds what is wrong, tells their story.
//!
//! It looks, and renews sign-ins. What is judged and how it reads is decided by pure functions over facts
//! ([`status`], [`doctor`], [`logs`]); a module named `gathering` below each of them looks the
//! facts up.

pub mod command_line;
pub mod doctor;
mod json;
pub mod line;
pub mod logs;
mod network_manager;
pub mod renew;
pub mod status;
mod when;

pub use network_manager::NetworkManagerError;
