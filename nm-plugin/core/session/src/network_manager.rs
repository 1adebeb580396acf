//! NetworkManager as the service meets it: what it is given, and what it says.

mod disconnect;
pub mod ip_config;
mod vpn_state;

pub use disconnect::Disconnect;
pub use vpn_state::{Reason, VpnState};
