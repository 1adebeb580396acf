//! The importer: a double click on a profile shows what it is and adds it to NetworkManager.
//!
//! What is shown is decided in [`presentation`], without a toolkit; what NetworkManager is told in
//! [`connection`] and [`network_manager`]; [`window`] puts the one onto the screen and the other
//! onto the bus. Nothing blocks the main loop, and every wait has a limit.

pub mod application;
pub mod connection;
pub mod network_manager;
pub mod presentation;
mod profile_page;
pub mod window;

/// The application's id: of its desktop file, icon, metainfo and name on the session bus.
pub const APPLICATION_ID: &str = "org.freedesktop.NetworkManager.AwsClientVpn";
