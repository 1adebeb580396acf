//! A booted Debian with the product's packages, and the ordinary users who sit at it.
//!
//! Everything on it is as the distribution sets it up: systemd, D-Bus, polkit, logind, journald,
//! systemd-resolved, NetworkManager and its dispatcher, sshd, GDM, the users' service managers and
//! GNOME's session on a screen in memory. Only kernel, screen and udev are not there.

mod desktop;
mod screen;
mod session;
mod system;

pub use session::Session;
pub use system::{SOON, System};
