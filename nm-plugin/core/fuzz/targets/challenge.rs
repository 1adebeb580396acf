//! Whatever a server answers: what is taken for a challenge can be opened and answered safely.
#![no_main]

use aws_client_vpn_session::challenge::Challenge;
use aws_client_vpn_text::secret::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|reason: &str| {
    let Ok(challenge) = Challenge::parse(reason) else {
        return;
    };
    assert!(Challenge::is_challenge(reason));
    let reply = challenge.reply(&Secret::from("answer"));
    assert!(reply.expose().starts_with("CRV1::") && reply.expose().ends_with("::answer"));
    assert!(reply.expose().bytes().all(|byte| byte.is_ascii_graphic()));
    if let Ok(url) = challenge.url() {
        assert_eq!(url.scheme(), "https");
        assert!(url.host_str().is_some_and(|host| !host.is_empty()));
        assert!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
    }
});
