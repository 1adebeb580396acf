//! Connections that an earlier version made, out of `tests/e2e/corpus`.

use crate::{assert_up, endpoint, take_down};
use aws_client_vpn_harness::{Lab, typed};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PASSWORD: (&str, &str) = ("password", "correct horse");
const CODE: (&str, &str) = ("challenge-response", "123456");

/// What is typed into which field.
type Typing = &'static [(&'static str, &'static str)];

/// Each connection, the endpoint's kind of sign-in, and what is typed.
const CONNECTIONS: [(&str, &str, Typing); 8] = [
    ("single-sign-on", "saml", &[]),
    ("every-setting", "saml", &[]),
    ("directives-of-the-user", "saml", &[]),
    ("saml-and-certificate", "saml-certificate", &[]),
    ("certificate", "certificate", &[]),
    ("password", "password", &[PASSWORD]),
    ("password-and-code", "password-mfa", &[PASSWORD, CODE]),
    (
        "password-and-certificate",
        "password-certificate",
        &[PASSWORD],
    ),
];

fn corpus(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(version)
}

/// The inline file `name` of an exported profile, as version 0.1 wrote it into a keyfile: its line
/// ends are the two characters `\n`, whose backslash the keyfile escapes once more.
fn inline_file(profile: &str, name: &str) -> Option<String> {
    let (_, rest) = profile.split_once(&format!("<{name}>"))?;
    let (file, _) = rest.split_once(&format!("</{name}>"))?;
    Some(file.trim().replace('\n', r"\\n"))
}

/// A lab whose connection `vpn` is what `version` left in the keyfile `name`.
fn lab_of(version: &str, name: &str, sign_in: &str) -> Lab {
    let lab = Lab::start(&endpoint(&[&format!("--sign-in={sign_in}")]));
    let profile = lab.profile("udp", 443);
    let profile = lab.client.root().join(profile.trim_start_matches('/'));
    let profile = fs::read_to_string(profile).unwrap();
    let keyfile = corpus(version).join(name).with_extension("nmconnection");
    let mut keyfile = fs::read_to_string(keyfile).unwrap();
    for (place, inline) in [("@CA@", "ca"), ("@CERT@", "cert"), ("@KEY@", "key")] {
        if keyfile.contains(place) {
            let file = inline_file(&profile, inline).expect("the profile has it");
            keyfile = keyfile.replace(place, &file);
        }
    }
    let path = "/etc/NetworkManager/system-connections/vpn.nmconnection";
    let install = format!("umask 077; printf %s \"$1\" >{path}; nmcli connection load {path}");
    lab.client.check(["sh", "-ec", &install, "sh", &keyfile]);
    lab
}

fn connects(version: &str, name: &str, sign_in: &str, typing: Typing) {
    let lab = lab_of(version, name, sign_in);
    let before = lab.snapshot();
    if !typing.is_empty() {
        lab.set_typed(&[typed(typing)]);
    }
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    // Today's version has all that is in it as well, and finds nothing wrong with it.
    let exported = lab.client.check(["aws-client-vpn", "export", "vpn"]);
    let has = |line: &str| exported.lines().any(|found| found == line);
    assert!(has("remote-cert-tls server"), "{exported}");
    assert!(
        has("verify-x509-name server.clientvpn.example name"),
        "{exported}"
    );
    lab.assert_clean(&before);
}

#[test]
fn a_connection_of_0_1_for_single_sign_on_connects() {
    for (name, sign_in, typing) in CONNECTIONS.iter().filter(|of| of.1.starts_with("saml")) {
        connects("0.1", name, sign_in, typing);
    }
}

#[test]
fn a_connection_of_0_1_for_a_certificate_or_a_password_connects() {
    for (name, sign_in, typing) in CONNECTIONS.iter().filter(|of| !of.1.starts_with("saml")) {
        connects("0.1", name, sign_in, typing);
    }
}

#[test]
fn none_of_the_corpus_is_left_out() {
    let found = fs::read_dir(corpus("0.1")).unwrap();
    let found: BTreeSet<_> = found
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned())
        .collect();
    let tried = CONNECTIONS.iter().map(|(name, ..)| (*name).into());
    assert_eq!(found, tried.collect());
}
