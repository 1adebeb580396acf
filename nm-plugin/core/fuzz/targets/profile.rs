//! Whatever file is imported: a profile that is accepted survives being written, and being kept
//! in NetworkManager's settings, and OpenVPN's configuration holds nothing the profile does not.
#![no_main]

use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut no_file = |_: &str| Err("there are no files here".to_owned());
    let Ok(imported) = Profile::parse(text, &mut no_file) else {
        return;
    };
    let written = imported.profile.to_ovpn();
    let again = Profile::parse(&written, &mut no_file).expect("what we write, we read");
    assert_eq!(written, again.profile.to_ovpn());

    let data = settings::to_data(&imported.profile);
    for (key, value) in &data {
        assert!(
            !value.contains(['\n', '\r', '\0']),
            "{key} has more than one line"
        );
    }
    let secrets = settings::to_secrets(&imported.profile);
    let kept = settings::from_settings(&data, &secrets).expect("what we keep, we read");
    assert_eq!(written, kept.to_ovpn());
});
