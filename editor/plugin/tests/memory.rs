//! A settings program may live for weeks: an import must leave nothing behind.
//!
//! In a program of its own, so that no other test's memory is counted.

use aws_client_vpn_editor_host as host;
use aws_client_vpn_editor_host::resident_kib;
use std::fs;

#[test]
fn ten_thousand_imports_do_not_grow_the_host() {
    let host = host::Host::new();
    let directory = tempfile::tempdir().expect("a directory");
    let good = directory.path().join("good.ovpn");
    let bad = directory.path().join("bad.ovpn");
    fs::write(&good, host::saml_profile()).expect("written");
    fs::write(&bad, "client\nremote vpn.example.org\n").expect("written");
    let cycle = || {
        drop(host.import(&good).expect("imported"));
        host.import(&bad).map(|_| ()).expect_err("declined");
        assert!(!host.import_silently(&bad));
    };

    (0..1_000).for_each(|_| cycle());
    let before = resident_kib();
    (0..10_000).for_each(|_| cycle());
    let growth = resident_kib().saturating_sub(before);
    // One leaked GObject or text per import would be a megabyte or more.
    assert!(growth < 512, "10,000 imports grew the host by {growth} KiB");
}
