//! What the programs have in common that NetworkManager asks for secrets: the agent of a session, and
//! the command that connects.
//!
//! They serve connections of our type only, by running the same auth dialog as gnome-shell does. In
//! a terminal they are the dialog's window, too.

mod dialog;
pub mod dialogs;
pub mod exchange;
pub mod own_bus;
pub mod readiness;
pub mod registration;
pub mod report;
pub mod request;
pub mod secret_agent;
pub mod terminal;
