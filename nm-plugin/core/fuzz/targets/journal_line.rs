//! Whatever OpenVPN logs, and whatever the kernel's table of sockets holds: nothing after the mark of
//! a secret is shown, and a listener that is found has the port.
#![no_main]

use aws_client_vpn_sign_in::acs_port::listener_in;
use aws_client_vpn_text::redact::for_journal;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let shown = for_journal(text);
    for mark in [
        "CRV1:",
        "SAMLResponse",
        "auth-token ",
        "SESS_ID",
        "CMD 'username ",
    ] {
        assert!(!shown.contains(mark) || !text.contains(mark));
    }
    assert!(shown.len() <= text.len() + "[not shown]".len());
    // A line that is shown whole, and then once more, stays as it is.
    assert_eq!(for_journal(&shown), shown);

    if listener_in(text, 35001).is_some() {
        assert!(text.to_ascii_uppercase().contains(":88B9") || text.contains("88B9"));
    }
});
