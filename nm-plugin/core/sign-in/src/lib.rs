//! What the service, the auth dialog, secret agents and the window say to each other so that a
//! person signs in.
#![forbid(unsafe_code)]

pub mod acs_port;
pub mod agent_stdin;
pub mod answer;
pub mod at_login;
pub mod form;
pub mod hints;
pub mod refusal;
pub mod request;
pub mod retry_reason;
pub mod rights;
pub mod saml;
pub mod window;
pub mod wire;
