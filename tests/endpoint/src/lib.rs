//! An emulated AWS Client VPN endpoint and its identity provider.
//!
//! No test machine can reach a real endpoint, so the tests of this project need one that refuses
//! what AWS refuses: a tolerant emulator would let a client pass that fails on its first real
//! login. Real programs do the real work: OpenVPN servers terminate the tunnels, `xmlsec1` makes
//! and checks the XML signatures, a TLS web server shows the login page. What this crate adds is
//! AWS's behaviour: two nodes behind one name, the two phases of a SAML login, sessions that only
//! their node knows and that serve once. The README says what each strictness stands for.

mod certificates;
mod client_key;
mod client_message;
mod command;
mod dns;
mod endpoint;
mod event;
mod files;
mod identity_provider;
mod metadata;
mod openvpn_server;
mod options;
mod pages;
mod profile;
mod saml;
mod server_plan;
mod session;
mod sign_in;
mod state;
mod xmlsec;

pub use command::{Command, IdpMode, KickTarget, ParseIdpModeError, SettingChanges};
pub use endpoint::{Endpoint, Ready, StartError};
pub use event::{Event, Refusal};
pub use options::{ENDPOINT_NAME, KeyForm, Options, SignIn, Transport, Year};
