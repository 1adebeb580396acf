//! Everything about an AWS Client VPN connection that can be decided without I/O.
//!
//! This crate knows no socket, file, process, clock, D-Bus or toolkit. Parsers, the management
//! codec, the mappings and the session's state machine live here, so that each of them is tested
//! without root; the service, the auth dialog and the editors are thin shells around it.
#![forbid(unsafe_code)]

// So that the code that `#[derive(Worded)]` writes finds this crate from inside, too.
extern crate self as aws_client_vpn_core;

pub mod again;
pub mod agent_lines;
pub mod answer;
mod banner;
pub mod certificate;
pub mod challenge;
pub mod credential;
pub mod directive;
pub mod form;
pub mod hints;
pub mod ip;
pub mod ip_config;
pub mod kept_routes;
pub mod keyfile;
pub mod keys;
pub mod kill_switch;
pub mod listening;
pub mod management;
pub mod message;
pub mod openvpn;
pub mod overlap;
pub mod ovpn;
pub mod parts;
pub mod pem;
pub mod printable;
pub mod problem;
pub mod profile;
pub mod redact;
pub mod region;
pub mod request;
pub mod saml;
pub mod secret;
pub mod session;
pub mod settings;
pub mod tunnel_env;
pub mod well_known;
pub mod window;
pub mod wire;
