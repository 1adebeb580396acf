//! The library with the editor is there and is none.
//!
//! In a program of its own: a process takes one copy of the plugin only.

use aws_client_vpn_editor_host as host;
use std::fs;

#[test]
fn an_editor_that_is_no_library_is_said_to_be_broken() {
    let directory = tempfile::tempdir().expect("a directory");
    let library = directory.path().join("plugin.so");
    fs::copy(host::library(), &library).expect("copied");
    // This program has no GTK 3, so it would get the other one.
    let editor = "libnm-gtk4-vpn-plugin-aws-client-vpn-editor.so";
    fs::write(directory.path().join(editor), "text").expect("written");
    let host = host::Host::with(&library);
    let profile = directory.path().join("a.ovpn");
    fs::write(&profile, host::saml_profile()).expect("written");
    let connection = host.import(&profile).expect("imported");
    let error = host.editor(&connection).expect_err("no library");
    assert!(!error.matches(glib::FileError::Noent), "{error:?}");
    assert!(error.message().contains("cannot be loaded"), "{error}");
}
