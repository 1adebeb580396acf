//! What is said to people, and what never is: texts that can be translated, and secrets.
#![forbid(unsafe_code)]

// So that the code that `#[derive(Localize)]` writes finds this crate from its own tests, too.
#[cfg(test)]
extern crate self as aws_client_vpn_text;

pub mod message;
pub mod printable;
pub mod redact;
pub mod secret;
