//! What a connection is: a profile as AWS exports it (`.ovpn`), as NetworkManager keeps it
//! (`vpn.data`, `vpn.secrets`, a keyfile), its certificates, and the names that programs meet by.
#![forbid(unsafe_code)]

pub mod certificate;
pub mod credential;
pub mod device_mark;
pub mod directive;
pub mod keyfile;
pub mod keys;
pub mod kill_switch_mark;
pub mod last_failure;
mod named;
pub mod ovpn;
pub mod parts;
pub mod pem;
pub mod problem;
pub mod profile;
pub mod region;
pub mod renewal;
pub mod settings;
pub mod waiting;
pub mod well_known;

pub use ovpn::Incomplete;
