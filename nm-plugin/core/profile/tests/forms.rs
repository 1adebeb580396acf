//! Profiles as people have them: out of the store of AWS's own client, changed by what guides say,
//! written by other programs. Each is a file of `fixtures/forms`.

use aws_client_vpn_profile::ovpn::{ClientCertificate, ParsedProfile, decode};
use aws_client_vpn_profile::parts::{InlineFile, ProxyKind, SignIn};
use aws_client_vpn_profile::problem::{Note, ParseError};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("fixtures/forms/", $name)))),+]
    };
}

const FILES: &[(&str, &[u8])] = files![
    "client1.crt",
    "client1.key",
    "directory-code.ovpn",
    "directory-password.ovpn",
    "guide-down-root.ovpn",
    "guide-resolv-conf.ovpn",
    "guide-systemd-resolved.ovpn",
    "latin-1.ovpn",
    "many-faults.ovpn",
    "mutual-empty-blocks.ovpn",
    "mutual-export.ovpn",
    "mutual-places.ovpn",
    "newline-missing.ovpn",
    "optional-directives.ovpn",
    "powershell-utf-16.ovpn",
    "star-remote.ovpn",
    "store-of-the-client.ovpn",
    "windows-paths.ovpn",
];

fn find(name: &str) -> Option<Vec<u8>> {
    let (_, bytes) = FILES.iter().find(|(known, _)| *known == name)?;
    Some(bytes.to_vec())
}

fn file(name: &str) -> Vec<u8> {
    find(name).expect(name)
}

fn parse(name: &str) -> Result<ParsedProfile, ParseError> {
    let (text, note) = decode(&file(name));
    let mut imported = Profile::parse(&text, &mut |path| {
        find(path).ok_or_else(|| format!("'{path}' is not here"))
    })?;
    imported.notes.extend(note);
    Ok(imported)
}

fn imported(name: &str) -> ParsedProfile {
    parse(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn notes(imported: &ParsedProfile) -> Vec<String> {
    imported.notes.iter().map(ToString::to_string).collect()
}

#[test]
fn each_is_what_it_is() {
    let password = SignIn::Password {
        static_challenge: None,
    };
    for (name, sign_in, certificate, said) in [
        ("store-of-the-client", SignIn::Saml, false, 1),
        ("directory-password", password, false, 0),
        ("guide-resolv-conf", SignIn::Saml, false, 1),
        ("guide-systemd-resolved", SignIn::Saml, false, 1),
        ("guide-down-root", SignIn::Saml, false, 1),
        ("star-remote", SignIn::Saml, false, 0),
        ("latin-1", SignIn::Saml, false, 1),
        ("powershell-utf-16", SignIn::Saml, false, 1),
        ("newline-missing", SignIn::Certificate, true, 0),
        ("windows-paths", SignIn::Certificate, true, 2),
    ] {
        let imported = imported(&format!("{name}.ovpn"));
        assert_eq!(*imported.profile.sign_in(), sign_in, "{name}");
        assert_eq!(
            imported.profile.has_client_certificate(),
            certificate,
            "{name}"
        );
        assert!(imported.profile.random_hostname(), "{name}");
        let host = imported.profile.display_endpoint();
        assert!(host.starts_with("cvpn-endpoint-"), "{name}: {host}");
        assert_eq!(imported.notes.len(), said, "{:?}", notes(&imported));
        // As NetworkManager keeps it, it is the same.
        let profile = &imported.profile;
        let (data, secrets) = (settings::to_data(profile), settings::to_secrets(profile));
        assert!(settings::from_settings(&data, &secrets).expect(name) == *profile);
    }
}

#[test]
fn a_question_beside_the_password_is_no_sign_in_in_the_browser() {
    let code = imported("directory-code.ovpn");
    assert!(matches!(
        code.profile.sign_in(),
        SignIn::Password {
            static_challenge: Some(_)
        }
    ));
    let store = imported("store-of-the-client.ovpn");
    assert!(notes(&store)[0].contains("signs in in the browser"));
}

#[test]
fn one_note_says_why_the_lines_of_the_guides_are_not_needed() {
    let guide = imported("guide-resolv-conf.ovpn");
    let Some(Note::Ignored { lines, .. }) = guide.notes.first() else {
        panic!("{:?}", guide.notes);
    };
    let names: Vec<&str> = lines.iter().map(|line| line.directive.as_str()).collect();
    assert_eq!(
        names,
        ["script-security", "up", "up-restart", "down", "down-pre"]
    );
    let text = &notes(&guide)[0];
    assert!(text.starts_with("Lines 26, 27, 28, 29, 30: "), "{text}");
    assert!(
        text.contains("NetworkManager sets the name servers"),
        "{text}"
    );
    for other in ["up /bin/sh", "setenv opt up /bin/sh", "plugin /tmp/x.so"] {
        let text = String::from_utf8(file("guide-resolv-conf.ovpn")).expect("text");
        let error = Profile::parse(&format!("{text}{other}\n"), &mut |_| Err(String::new()))
            .expect_err(other);
        assert!(error.to_string().contains("run a program"), "{error}");
    }
}

#[test]
fn what_may_be_unknown_is_left_out_and_what_is_known_counts() {
    let imported = imported("optional-directives.ovpn");
    let kept: Vec<_> = imported
        .profile
        .directives()
        .iter()
        .map(|d| d.to_line())
        .collect();
    assert!(kept.contains(&"tls-version-min 1.2".to_owned()), "{kept:?}");
    assert!(kept.contains(&"setenv UV_DEVICE \"laptop of Zoe\"".to_owned()));
    assert!(kept.contains(&"push-peer-info".to_owned()));
    let notes = notes(&imported).join("\n");
    for name in [
        "block-outside-dns",
        "frobnicate",
        "wintun-only",
        "hardware address",
    ] {
        assert!(notes.contains(name), "{notes}");
    }
}

#[test]
fn a_file_of_another_computer_is_found_beside_the_profile() {
    let imported = imported("windows-paths.ovpn");
    let key = imported.profile.inline(InlineFile::Key).expect("a key");
    assert_eq!(key.as_bytes(), file("client1.key"));
    let notes = notes(&imported);
    assert!(
        notes[0].contains(r"C:\Users\zoe\vpn\client1.crt"),
        "{notes:?}"
    );
    assert!(
        notes[1].contains(r"C:\Users\zoe\vpn\client1.key"),
        "{notes:?}"
    );
}

#[test]
fn an_export_without_its_certificate_says_what_to_add_and_takes_it() {
    let certificate = ClientCertificate::Files {
        certificate: file("client1.crt"),
        key: file("client1.key").into(),
    };
    for name in ["mutual-export", "mutual-empty-blocks", "mutual-places"] {
        let error = parse(&format!("{name}.ovpn")).expect_err("no certificate");
        let text = error.to_string();
        assert!(
            text.contains("'cert client1.crt' and 'key client1.key'"),
            "{text}"
        );
        let ParseError::NoCertificate(incomplete) = error else {
            panic!("{name}: {text}");
        };
        assert_eq!(incomplete.to_data()["sign-in"], "certificate");
        let complete = incomplete.complete(&certificate).expect(name);
        assert!(complete.profile.has_client_certificate());
        let swapped = ClientCertificate::Files {
            certificate: b"no certificate".to_vec(),
            key: file("client1.key").into(),
        };
        assert!(incomplete.complete(&swapped).is_err());
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_in_its_order() {
    let text = parse("many-faults.ovpn").expect_err("faults").to_string();
    let lines: Vec<&str> = text.lines().collect();
    let begins = [
        "Line 26: 'frobnicate' is not a directive",
        "Line 27: 'up' cannot be used. This directive would run a program.",
        "Line 28: 'fragment': This directive works over UDP only.",
        "Line 30: 'log' cannot be used",
        "Line 31: 'tun-mtu': 'big' is not a number",
    ];
    assert_eq!(lines.len(), begins.len(), "{text}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{text}");
    }
}

#[test]
fn a_proxy_is_kept_and_its_password_is_asked_for() {
    let text = String::from_utf8(file("store-of-the-client.ovpn")).expect("text");
    let tcp = text.replace("proto udp", "proto tcp");
    let read = |text: &str| Profile::parse(text, &mut |_| Err(String::new()));
    for (line, kind, port, authenticates, said) in [
        (
            "http-proxy proxy.example 3128",
            ProxyKind::Http,
            3128,
            false,
            1,
        ),
        (
            "http-proxy 192.0.2.1 8080 auto",
            ProxyKind::Http,
            8080,
            false,
            1,
        ),
        (
            "http-proxy proxy.example 3128 /etc/openvpn/pass basic",
            ProxyKind::Http,
            3128,
            true,
            2,
        ),
        (
            "socks-proxy proxy.example",
            ProxyKind::Socks,
            1080,
            false,
            1,
        ),
        (
            "socks-proxy proxy.example 1081 stdin",
            ProxyKind::Socks,
            1081,
            true,
            1,
        ),
    ] {
        let imported = read(&format!("{tcp}{line}\n")).expect(line);
        let proxy = imported.profile.proxy().expect(line);
        assert_eq!(
            (proxy.kind, proxy.port, proxy.authenticates),
            (kind, port, authenticates),
            "{line}"
        );
        assert_eq!(imported.notes.len(), said, "{:?}", notes(&imported));
        let profile = &imported.profile;
        let (data, secrets) = (settings::to_data(profile), settings::to_secrets(profile));
        assert_eq!(data["proxy-password-flags"], "1");
        assert!(settings::from_settings(&data, &secrets).expect(line) == *profile);
        assert!(read(&profile.to_ovpn()).expect(line).profile == *profile);
    }
    for (text, why) in [
        (format!("{text}http-proxy proxy.example 3128\n"), "TCP only"),
        (format!("{tcp}http-proxy proxy.example\n"), "The port"),
        (format!("{tcp}socks-proxy\n"), "The name of the proxy"),
    ] {
        let error = read(&text).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
}
