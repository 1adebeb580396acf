//! The `aws-client-vpn` command: makes, connects and takes down connections, shows them, finds what is
//! wrong, tells their log.
//!
//! What is judged and how it reads is decided by pure functions over facts ([`status`], [`doctor`],
//! [`logs`]); a module named `collect` below each of them looks the facts up. What a command comes to
//! is an [`answer::Answer`].

mod account;
mod actions;
pub mod answer;
mod at_login;
mod choice;
pub mod command_line;
mod connect;
mod disconnect;
pub mod doctor;
mod export;
pub mod failure;
mod follow;
pub mod import;
mod json;
mod line;
mod list;
pub mod logs;
mod network_manager;
mod remove;
mod renew;
pub mod run;
pub mod status;
pub mod waiting;
mod when;

pub use failure::Failure;
pub use network_manager::NetworkManagerError;
