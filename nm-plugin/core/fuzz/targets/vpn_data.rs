//! Whatever a connection's settings say, whoever wrote them: what is taken for a profile writes no
//! line that is not the profile's own, and is kept as it was read.
//!
//! The input is a line for each setting, `key=value`; a key that begins with `!` is a secret.
#![no_main]

use aws_client_vpn_profile::settings::{self, credentials};
use aws_client_vpn_session::openvpn::{LaunchParameters, launch};
use aws_client_vpn_text::secret::Secret;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

/// The longest line that OpenVPN reads, in bytes without its end.
const LINE_LIMIT: usize = 254;

fuzz_target!(|text: &str| {
    let (mut data, mut secrets) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        match key.strip_prefix('!') {
            Some(key) => secrets
                .insert(key.to_owned(), Secret::from(value))
                .is_some(),
            None => data.insert(key.to_owned(), value.to_owned()).is_some(),
        };
    }
    let _ = credentials::askable(&data, &secrets);
    let _ = credentials::may_be_kept(&data, &secrets);
    if let Ok(timeouts) = settings::timeouts(&data) {
        assert!(timeouts.connect.as_secs() >= 5);
    }
    let Ok(profile) = settings::from_settings(&data, &secrets) else {
        return;
    };

    let (data, secrets) = (settings::to_data(&profile), settings::to_secrets(&profile));
    let kept = settings::from_settings(&data, &secrets).expect("what we keep, we read");
    assert!(kept == profile);

    let parameters = LaunchParameters {
        management_socket: "/run/nm-aws-client-vpn/1/management",
        tun_device: "awsvpn0",
        pkcs11_module: Some("/usr/lib/p11-kit-proxy.so"),
    };
    let config = launch(&profile, &parameters).config;
    let own: Vec<_> = profile.directives().iter().map(|own| own.name()).collect();
    let mut open: Option<String> = None;
    for line in config.expose().lines() {
        assert!(line.len() <= LINE_LIMIT, "OpenVPN would stop at {line}");
        match (&open, line.strip_prefix('<')) {
            (Some(end), _) if line == end => open = None,
            (Some(_), tag) => assert_eq!(tag, None, "inside a block"),
            (None, Some(tag)) => open = Some(format!("</{tag}")),
            (None, None) => {
                let name = line.split(' ').next().unwrap_or_default();
                let written = [
                    "remote",
                    "auth-user-pass",
                    "auth-federate",
                    "static-challenge",
                    "early-push-request",
                    "remote-cert-tls",
                    "socket-flags",
                    "tls-version-min",
                    "connect-timeout",
                    "pkcs11-providers",
                    "pkcs11-id",
                ];
                assert!(written.contains(&name) || own.contains(&name), "{line}");
            }
        }
    }
    assert_eq!(open, None, "a block has no end");
});
