//! Whatever stands in a connection's file and in its next release, and whatever certificates do:
//! what was brought up to a release is up to it, and secrets are told from the rest.
#![no_main]

use aws_client_vpn_profile::certificate::Certificate;
use aws_client_vpn_profile::keyfile::{bring_up_to, holds_secrets, uuid_of};
use libfuzzer_sys::fuzz_target;

/// A release whose profile can be read, so that more than refusals are seen.
const RELEASE: &str = include_str!("../seeds/keyfile/release");

fuzz_target!(|input: (&str, &str)| {
    let (copy, release) = input;
    let _ = (uuid_of(copy), holds_secrets(copy));
    let _ = Certificate::read_all(copy);
    let _ = bring_up_to(copy, release);
    if let Ok(Some(text)) = bring_up_to(copy, RELEASE) {
        assert_eq!(uuid_of(&text), uuid_of(copy), "it is the same connection");
        let again = bring_up_to(&text, RELEASE);
        assert!(matches!(again, Ok(None)), "it is up to it");
    }
});
