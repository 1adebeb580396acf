//! Profiles as people have them: out of the store of AWS's own client, changed by what guides say,
//! written by other programs. Each is a file of `fixtures/forms`.

use aws_client_vpn_profile::ovpn::{ParsedProfile, decode};
use aws_client_vpn_profile::parts::{InlineFile, ProxyKind, SignIn};
use aws_client_vpn_profile::problem::{ParseError, Warning};
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
    let (text, warning) = decode(&file(name));
    let mut imported = Profile::parse(&text, &mut |path| {
        find(path).ok_or_else(|| format!("'{path}' is not here"))
    })?;
    imported.warnings.extend(warning);
    Ok(imported)
}

fn imported(name: &str) -> ParsedProfile {
    parse(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn warnings(imported: &ParsedProfile) -> Vec<String> {
    imported.warnings.iter().map(ToString::to_string).collect()
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
        assert_eq!(imported.warnings.len(), said, "{:?}", warnings(&imported));
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
    assert!(warnings(&store)[0].contains("single sign-on in the browser"));
}

#[test]
fn one_note_says_why_the_lines_of_the_guides_are_not_needed() {
    let guide = imported("guide-resolv-conf.ovpn");
    let Some(Warning::Ignored { lines, .. }) = guide.warnings.first() else {
        panic!("{:?}", guide.warnings);
    };
    let names: Vec<&str> = lines.iter().map(|line| line.directive.as_str()).collect();
    assert_eq!(
        names,
        ["script-security", "up", "up-restart", "down", "down-pre"]
    );
    let text = &warnings(&guide)[0];
    assert!(text.starts_with("Lines 26, 27, 28, 29, 30 ("), "{text}");
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
    let warnings = warnings(&imported).join("\n");
    for name in [
        "block-outside-dns",
        "frobnicate",
        "wintun-only",
        "hardware address",
    ] {
        assert!(warnings.contains(name), "{warnings}");
    }
}

#[test]
fn a_file_of_another_computer_is_found_beside_the_profile() {
    let imported = imported("windows-paths.ovpn");
    let key = imported.profile.inline(InlineFile::Key).expect("a key");
    assert_eq!(key.as_bytes(), file("client1.key"));
    let warnings = warnings(&imported);
    assert!(
        warnings[0].contains(r"C:\Users\zoe\vpn\client1.crt"),
        "{warnings:?}"
    );
    assert!(
        warnings[1].contains(r"C:\Users\zoe\vpn\client1.key"),
        "{warnings:?}"
    );
}

#[test]
fn an_export_without_its_certificate_says_what_to_add_and_takes_it() {
    let key = || (InlineFile::Key, file("client1.key").into());
    let certificate = [(InlineFile::Cert, file("client1.crt").into()), key()];
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
        let swapped = [(InlineFile::Cert, b"no certificate".to_vec().into()), key()];
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
        "Line 28: 'dns': This name server has no address.",
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
        assert_eq!(imported.warnings.len(), said, "{:?}", warnings(&imported));
        let profile = &imported.profile;
        let (data, secrets) = (settings::to_data(profile), settings::to_secrets(profile));
        assert_eq!(data["proxy-password-flags"], "1");
        assert!(settings::from_settings(&data, &secrets).expect(line) == *profile);
        assert!(read(&profile.to_ovpn()).expect(line).profile == *profile);
    }
    for (text, why) in [
        (format!("{text}http-proxy proxy.example 3128\n"), "TCP only"),
        (
            format!("{tcp}http-proxy proxy.example\n"),
            "The port of the proxy",
        ),
        (format!("{tcp}socks-proxy\n"), "The name of the proxy"),
    ] {
        let error = read(&text).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// A profile as AWS exports it for the browser, without the newline at its end.
fn export() -> String {
    let text = String::from_utf8(file("star-remote.ovpn")).expect("text");
    text.trim_end().to_owned()
}

fn read(text: &str) -> Result<ParsedProfile, ParseError> {
    Profile::parse(text, &mut |path| {
        find(path).ok_or_else(|| format!("'{path}' is not here."))
    })
}

#[test]
fn a_line_that_was_added_without_a_newline_is_named() {
    let mutual = String::from_utf8(file("mutual-export.ovpn")).expect("text");
    let mutual = mutual.trim_end();
    assert!(mutual.ends_with("reneg-sec 0"), "{mutual}");
    for (text, directive) in [
        (
            format!("{mutual}cert client1.crt\nkey client1.key\n"),
            "cert",
        ),
        (format!("{mutual}script-security 2\n"), "script-security"),
        (
            format!("{mutual}\nverify-x509-name a.example namekey client1.key\n"),
            "key",
        ),
        (
            format!("{mutual}\nauth-federateup /etc/openvpn/update-resolv-conf\n"),
            "up",
        ),
    ] {
        let error = read(&text).expect_err(directive).to_string();
        let words = format!("A line break seems to be missing before '{directive}'");
        assert!(error.contains(&words), "{error}");
        assert!(!error.contains("requires a client certificate"), "{error}");
    }
}

#[test]
fn blocks_that_stand_in_one_line_are_read() {
    let mutual = String::from_utf8(file("mutual-export.ovpn")).expect("text");
    let text = |name| String::from_utf8(file(name)).expect("text");
    let (certificate, key) = (text("client1.crt"), text("client1.key"));
    let (_, certificate) = certificate.split_once("-----BEGIN").expect("PEM");
    let certificate = format!("-----BEGIN{certificate}");
    let in_one = |text: &str| text.replace('\n', "");
    let spaces = |text: &str| text.replace('\n', " ");
    for blocks in [
        format!(
            "<cert>\n{}</cert><key>\n{}</key>",
            certificate.trim(),
            key.trim()
        ),
        format!(
            "<cert>{}</cert>\n<key>{}</key>\n",
            in_one(&certificate),
            in_one(&key)
        ),
        format!(
            "<cert>\n{}\n</cert>\n<key>\n{}\n</key>\n",
            spaces(&certificate),
            spaces(&key)
        ),
        format!("<cert> # mine\n{certificate}</cert> # so far\n<key>\n{key}</key>\n"),
    ] {
        let imported = read(&format!("{}{blocks}", mutual.trim_end())).expect(&blocks);
        for (inline, expected) in [(InlineFile::Key, &key), (InlineFile::Cert, &certificate)] {
            let content = imported.profile.inline(inline).expect("a block");
            assert_eq!(in_one(content), in_one(expected));
            assert!(content.lines().count() >= 3, "{content}");
        }
    }
    let end = read(&format!("{mutual}\n</cert>\n"))
        .expect_err("no block")
        .to_string();
    assert!(
        end.contains("closes a block that was never opened"),
        "{end}"
    );
}

#[test]
fn what_is_in_the_wrong_block_or_missing_is_said() {
    let mutual = String::from_utf8(file("mutual-export.ovpn")).expect("text");
    let text = |name| String::from_utf8(file(name)).expect("text");
    let (certificate, key) = (text("client1.crt"), text("client1.key"));
    for (blocks, words) in [
        (
            format!("<cert>\n{key}</cert>\n<key>\n{certificate}</key>"),
            "Swap them",
        ),
        (format!("<cert>\n{certificate}</cert>"), "'key' is missing"),
        (format!("<key>\n{key}</key>"), "'cert' is missing"),
        (
            "key C:\\vpn\\none.key\ncert client1.crt".to_owned(),
            "one.key' is not here.",
        ),
    ] {
        let error = read(&format!("{mutual}\n{blocks}\n"))
            .expect_err(words)
            .to_string();
        assert!(error.contains(words), "{error}");
    }
    // What a template has between the marks is no certificate.
    let place =
        |kind: &str| format!("-----BEGIN {kind}-----\nInsert yours here\n-----END {kind}-----\n");
    let places = format!(
        "<cert>\n{}</cert>\n<key>\n{}</key>\n",
        place("CERTIFICATE"),
        place("PRIVATE KEY")
    );
    let error = read(&format!("{mutual}\n{places}")).expect_err("places");
    assert!(matches!(error, ParseError::NoCertificate(_)), "{error}");
}

#[test]
fn an_address_in_another_form_is_refused_with_the_right_one() {
    let export = export();
    let line = export
        .lines()
        .find(|line| line.starts_with("remote "))
        .expect("one");
    let host = line
        .split_whitespace()
        .nth(1)
        .expect("a name")
        .trim_start_matches("*.");
    for remote in [
        format!("remote <random-string>.{host} 443"),
        format!("remote https://{host} 443"),
        format!("remote {host}:443"),
        "remote * 443".to_owned(),
    ] {
        let error = read(&export.replace(line, &remote))
            .expect_err(&remote)
            .to_string();
        assert!(error.contains("with the port after a space"), "{error}");
    }
    read(&export.replace(line, &format!("{line}\nremote 2001:db8::1 443"))).expect("an address");
}

#[test]
fn what_cannot_be_seen_does_not_count() {
    let export = export();
    let plain = read(&export).expect("as it is").profile;
    for text in [
        export.replace("auth-federate", "\u{200b}auth-federate\u{a0}"),
        export.replace('\n', "\r"),
        export.replace('\n', "  \r\n\t"),
        format!("\u{feff}# {}\n{export}", "-".repeat(5000)),
    ] {
        assert!(read(&text).expect(&text).profile == plain, "{text:?}");
    }
}

#[test]
fn what_guides_say_besides_is_not_in_the_way() {
    let export = export();
    let lines = "user nobody\ngroup nogroup\nroute-up /etc/openvpn/update-resolv-conf\n";
    let imported = read(&format!("{export}\n{lines}")).expect("a guide");
    let said = warnings(&imported);
    let rights = said
        .iter()
        .any(|warning| warning.contains("(user, group) are ignored"));
    assert!(rights, "{said:?}");
    for (line, words) in [
        ("auth-user-pass pass.txt", "Write 'auth-user-pass' alone"),
        (
            "<auth-user-pass>\nada\nhorse\n</auth-user-pass>",
            "Write 'auth-user-pass' alone",
        ),
        ("user root", "Remove the line"),
        (
            "http-proxy http://proxy.example:3128",
            "a space and its port",
        ),
        ("http-proxy proxy.example:3128", "a space and its port"),
        (
            "http-proxy proxy.example",
            "The port of the proxy is missing",
        ),
    ] {
        let error = read(&format!("{export}\n{line}\n"))
            .expect_err(line)
            .to_string();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("horse"), "{error}");
    }
    let tcp = export.replace("proto udp", "proto tcp");
    let lines =
        "http-proxy p.example 3128\n<http-proxy-user-pass>\nada\nhorse\n</http-proxy-user-pass>\n";
    let said = warnings(&read(&format!("{tcp}\n{lines}")).expect("a proxy")).join("\n");
    assert!(
        said.contains("You are asked for the user name and password for the proxy"),
        "{said}"
    );
}
