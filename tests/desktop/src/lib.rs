//! A desktop session on a lab's client machine: the real gnome-shell on a display of its own, and
//! the programs in it, looked at and operated as a person would.
//!
//! What a program shows is read over AT-SPI, the interface of screen readers: a field without a
//! name cannot be found here, as a blind person could not find it. What is operated by mouse and
//! keyboard gets real events of the X server.

mod accessible;
mod desktop;
mod input;
mod role;
mod settings;

pub use accessible::Accessible;
pub use desktop::{Appearance, Desktop};
pub use role::Role;
pub use settings::{ConnectionEditor, NetworkSettings};
