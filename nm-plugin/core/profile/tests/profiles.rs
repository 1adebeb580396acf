//! Profiles as AWS exports them, and what must never get through one.

use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::parts::{InlineFile, Remote, SignIn, StaticChallenge, Transport};
use aws_client_vpn_profile::problem::{ParseError, Warning};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{self, credentials};
use aws_client_vpn_session::openvpn::{self, LaunchParameters};
use aws_client_vpn_text::secret::Secret;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The longest line that OpenVPN reads from a configuration, without its end.
const OPENVPN_LINE_LIMIT: usize = 254;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/profiles/", $name, ".ovpn"))
    };
}

const FIXTURES: [(&str, &str); 10] = [
    ("saml", fixture!("saml")),
    ("saml-certificate", fixture!("saml-certificate")),
    ("certificate", fixture!("certificate")),
    (
        "certificate-encrypted-pkcs8",
        fixture!("certificate-encrypted-pkcs8"),
    ),
    (
        "certificate-encrypted-traditional",
        fixture!("certificate-encrypted-traditional"),
    ),
    ("pkcs12", fixture!("pkcs12")),
    ("password", fixture!("password")),
    ("password-mfa", fixture!("password-mfa")),
    (
        "china-password-certificate",
        fixture!("china-password-certificate"),
    ),
    ("custom-domain-crlf", fixture!("custom-domain-crlf")),
];

fn parse(text: &str) -> Result<Profile, ParseError> {
    Profile::parse(text, &mut |path| Err(format!("'{path}' is not here")))
        .map(|imported| imported.profile)
}

fn parsed(text: &str) -> Profile {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn config(profile: &Profile) -> Secret {
    let parameters = LaunchParameters {
        management_socket: "/run/nm-aws-client-vpn/1/management",
        tun_device: "awsvpn0",
        pkcs11_module: None,
    };
    openvpn::launch(profile, &parameters).config
}

/// The lines of a configuration outside its blocks, and the blocks' names, read as OpenVPN reads
/// them: a block in pieces of 255 bytes, each of which may end it.
fn directives(config: &str) -> (Vec<String>, Vec<String>) {
    let (mut outside, mut tags) = (Vec::new(), Vec::new());
    let mut open: Option<String> = None;
    for line in config.lines() {
        match &open {
            Some(end) => {
                let mut pieces = line.as_bytes().chunks(255);
                if pieces.any(|piece| piece.trim_ascii_start().starts_with(end.as_bytes())) {
                    open = None;
                }
            }
            None => match line.strip_prefix('<').and_then(|l| l.strip_suffix('>')) {
                Some(tag) => {
                    tags.push(tag.to_owned());
                    open = Some(format!("</{tag}>"));
                }
                None => outside.push(line.to_owned()),
            },
        }
    }
    assert_eq!(open, None, "a block has no end");
    (outside, tags)
}

#[test]
fn every_kind_of_sign_in_is_recognised() {
    let password = |static_challenge| SignIn::Password { static_challenge };
    let code = StaticChallenge {
        text: "Enter MFA code ".to_owned(),
        echo: true,
    };
    // Name, sign-in, client certificate, encrypted key, region.
    let table = [
        ("saml", SignIn::Saml, false, false, Some("eu-central-1")),
        (
            "saml-certificate",
            SignIn::Saml,
            true,
            false,
            Some("us-gov-west-1"),
        ),
        (
            "certificate",
            SignIn::Certificate,
            true,
            false,
            Some("us-east-1"),
        ),
        (
            "certificate-encrypted-pkcs8",
            SignIn::Certificate,
            true,
            true,
            Some("us-east-1"),
        ),
        (
            "certificate-encrypted-traditional",
            SignIn::Certificate,
            true,
            true,
            Some("us-east-1"),
        ),
        (
            "pkcs12",
            SignIn::Certificate,
            true,
            false,
            Some("us-east-1"),
        ),
        (
            "password",
            password(None),
            false,
            false,
            Some("ap-southeast-2"),
        ),
        (
            "password-mfa",
            password(Some(code)),
            false,
            false,
            Some("eu-west-1"),
        ),
        (
            "china-password-certificate",
            password(None),
            true,
            false,
            Some("cn-north-1"),
        ),
        ("custom-domain-crlf", SignIn::Saml, false, false, None),
    ];
    for ((name, text), (expected, sign_in, certificate, encrypted, region)) in
        FIXTURES.into_iter().zip(table)
    {
        assert_eq!(name, expected);
        let profile = parsed(text);
        assert_eq!(*profile.sign_in(), sign_in, "{name}");
        assert_eq!(profile.has_client_certificate(), certificate, "{name}");
        assert_eq!(profile.private_key_is_encrypted(), encrypted, "{name}");
        assert_eq!(profile.region(), region, "{name}");
        assert_eq!(profile.display_endpoint(), profile.remotes()[0].host);
    }
}

#[test]
fn what_has_to_be_asked_before_a_connection_begins() {
    for (name, text) in FIXTURES {
        let profile = parsed(text);
        let (data, secrets) = (settings::to_data(&profile), settings::to_secrets(&profile));
        let expected: &[Credential] = match name {
            "certificate-encrypted-pkcs8" | "certificate-encrypted-traditional" => {
                &[Credential::KeyPassphrase]
            }
            "password" | "china-password-certificate" => {
                &[Credential::UserName, Credential::Password]
            }
            "password-mfa" => &[
                Credential::UserName,
                Credential::Password,
                Credential::ChallengeResponse,
            ],
            _ => &[],
        };
        assert_eq!(credentials::needed(&profile), expected, "{name}");
        // Only OpenVPN can tell whether a PKCS #12 file has a passphrase.
        if name != "pkcs12" {
            assert_eq!(credentials::askable(&data, &secrets), expected, "{name}");
        }
        assert_eq!(data["saml-response-flags"], "3", "{name}");
    }
}

#[test]
fn one_client_certificate_is_enough() {
    let text = fixture!("certificate");
    for more in ["<pkcs12>\nTUlJ\n</pkcs12>\n", "pkcs11-id 'pkcs11:id=%01'\n"] {
        let error = parse(&format!("{text}\n{more}")).expect_err("two certificates");
        let words = error.to_string();
        assert!(
            words.contains("more than one client certificate"),
            "{words}"
        );
    }
}

#[test]
fn an_encrypted_key_needs_its_passphrase_even_where_no_flags_say_so() {
    let profile = parsed(fixture!("certificate-encrypted-pkcs8"));
    let (mut data, secrets) = (settings::to_data(&profile), settings::to_secrets(&profile));
    assert_eq!(
        data.remove("key-passphrase-flags").as_deref(),
        Some("1"),
        "asked for, and kept for the user"
    );
    // Whether a PKCS #12 file has a passphrase cannot be seen.
    let pkcs12 = settings::to_data(&parsed(fixture!("pkcs12")));
    assert_eq!(pkcs12["key-passphrase-flags"], "1");
    let needed = |data: &_| {
        credentials::needed(&settings::from_settings(data, &secrets).expect("a profile"))
    };
    assert_eq!(needed(&data), [Credential::KeyPassphrase]);
    data.insert("key-passphrase-flags".to_owned(), "4".to_owned());
    assert_eq!(needed(&data), []);
}

#[test]
fn a_file_is_read_as_openvpn_reads_it() {
    let imported = Profile::parse(fixture!("custom-domain-crlf"), &mut |_| Err(String::new()))
        .expect("a profile");
    let remote = |host: &str, port, transport| Remote {
        host: host.to_owned(),
        port,
        transport,
    };
    // `proto` in a block is for that block alone.
    assert_eq!(
        imported.profile.remotes(),
        [
            remote("vpn.example.org", 8443, Transport::Tcp),
            remote("vpn2.example.org", 443, Transport::Udp),
        ]
    );
    let warnings: Vec<_> = imported
        .warnings
        .iter()
        .flat_map(|warning| match warning {
            Warning::Ignored { lines, .. } => lines.as_slice(),
            Warning::Taken(_) => &[],
        })
        .map(|line| (line.number, line.directive.as_str()))
        .collect();
    let lines: Vec<&str> = fixture!("custom-domain-crlf").lines().collect();
    for (line, directive) in &warnings {
        assert!(lines[line - 1].starts_with(directive), "line {line}");
    }
    let names: Vec<_> = warnings.iter().map(|(_, name)| *name).collect();
    assert_eq!(names, ["tun-mtu-extra", "register-dns", "comp-lzo"]);
    let check = imported.profile.directives().first().expect("one");
    assert_eq!(check.name(), "verify-x509-name");
    assert_eq!(
        check.arguments(),
        [r#"C=US, O="Example", CN=server"#, "subject"]
    );
    // The file's `verb 9` would log secrets.
    assert!(!config(&imported.profile).expose().contains("verb"));
}

#[test]
fn files_are_read_at_import_and_kept() {
    let inline = fixture!("certificate");
    let mut text = inline.to_owned();
    let mut files = BTreeMap::new();
    for tag in ["ca", "cert", "key"] {
        let (open, close) = (format!("<{tag}>\n"), format!("</{tag}>\n"));
        let start = text.find(&open).expect("a block");
        let end = text.find(&close).expect("its end");
        let content = text[start + open.len()..end].to_owned();
        files.insert(format!("my {tag}.pem"), content);
        text.replace_range(
            start..end + close.len(),
            &format!("{tag} \"my {tag}.pem\"\n"),
        );
    }
    let imported = Profile::parse(&text, &mut |path| {
        files
            .get(path)
            .map(|text| text.as_bytes().to_vec())
            .ok_or_else(|| format!("'{path}' is not here"))
    });
    assert!(imported.expect("a profile").profile == parsed(inline));

    let error = parse(&text).expect_err("no files").to_string();
    let line = text
        .lines()
        .position(|line| line.starts_with("ca "))
        .expect("there")
        + 1;
    let ca = format!("Line {line}: 'ca': 'my ca.pem' is not here");
    assert!(error.starts_with(&ca), "{error}");
    assert_eq!(error.lines().count(), 3, "{error}");
}

#[test]
fn a_private_key_is_kept_with_the_secrets_whatever_file_it_stands_in() {
    let certificate = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    let endpoint = "remote cvpn-endpoint-01.prod.clientvpn.eu-central-1.amazonaws.com 443\n";
    let read = |lines: &str| {
        Profile::parse(&format!("{endpoint}{lines}"), &mut |path| match path {
            "both.pem" => Ok(format!("{key}{certificate}").into_bytes()),
            "id_ed25519" => Ok(key.replace("PRIVATE", "OPENSSH PRIVATE").into_bytes()),
            _ => Err("no file".to_owned()),
        })
    };
    let lines = "ca both.pem\ncert both.pem\nkey both.pem\n";
    let profile = read(lines).expect("a profile").profile;
    let (mut data, secrets) = (settings::to_data(&profile), settings::to_secrets(&profile));
    assert!(!format!("{data:?}").contains("PRIVATE KEY"), "{data:?}");
    assert!(secrets["key"].expose().contains("c2VjcmV0"));

    // Version 0.1 kept it; an export, an update and OpenVPN get the certificate alone.
    let kept = format!("{key}{certificate}").replace('\n', "\\n");
    data.insert("cert".to_owned(), kept);
    let profile = settings::from_settings(&data, &secrets).expect("a connection");
    assert_eq!(profile.inline(InlineFile::Cert), Some(certificate));

    for directive in ["ca", "cert", "extra-certs", "crl-verify"] {
        let error = read(&format!("{lines}{directive} id_ed25519\n"))
            .expect_err(directive)
            .to_string();
        assert!(error.contains("is of the wrong kind"), "{error}");
    }
}

#[test]
fn a_file_that_is_not_of_aws_is_left_to_others() {
    let saml = fixture!("saml");
    let hidden = "client\nremote vpn.example.org\n<ca>\nauth-federate\n</ca>\n";
    for text in [
        "",
        "[Interface]\nPrivateKey = abc\n",
        "client\ndev tun\nremote vpn.example.org 1194\nauth-user-pass\nup /bin/sh\n",
        "remote clientvpn.amazonaws.com.example.org 443\n",
        "remote a.clientvpn.example.org 443\n",
        "remote ec2.eu-west-1.amazonaws.com 443\n",
        "# auth-federate\n",
        hidden,
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.is_not_aws(), "{error}");
        assert!(error.to_string().contains("AWS"), "{error}");
    }
    let error = parse(&format!("{saml}up /bin/sh\n")).expect_err("refused");
    assert!(!error.is_not_aws(), "{error}");
}

#[test]
fn what_must_not_reach_openvpn_is_refused_by_line_and_name() {
    let program = "would run a program";
    let file = "file on this computer";
    let process = "controls OpenVPN";
    let server = "for servers";
    let weak = "protect";
    // As OpenVPN would read them: quoted, with dashes, indented.
    let table = [
        ("plugin /tmp/x.so", "plugin", program),
        ("providers /tmp/x.so", "providers", program),
        ("\"up\" /bin/sh", "up", program),
        ("  --down /bin/sh", "down", program),
        ("'route-up' /bin/sh", "route-up", program),
        ("ipchange /bin/sh", "ipchange", program),
        ("tls-verify /bin/sh", "tls-verify", program),
        ("dns-updown /bin/sh", "dns-updown", program),
        ("iproute /bin/sh", "iproute", program),
        (
            "setenv LD_PRELOAD /tmp/x.so",
            "setenv",
            "load code from another file",
        ),
        ("setenv opt up /bin/sh", "up", program),
        ("log /etc/passwd", "log", file),
        ("\"log\" /etc/passwd", "log", file),
        ("status /etc/passwd", "status", file),
        ("writepid /etc/passwd", "writepid", file),
        ("config /etc/passwd", "config", file),
        ("auth-user-pass /etc/shadow", "auth-user-pass", file),
        ("askpass /etc/shadow", "askpass", file),
        ("genkey secret /etc/passwd", "genkey", file),
        ("replay-persist /etc/passwd", "replay-persist", file),
        ("management 127.0.0.1 1", "management", process),
        ("management-hold", "management-hold", process),
        ("daemon", "daemon", process),
        ("user root", "user", process),
        ("dev-node /dev/sda", "dev-node", process),
        ("mktun", "mktun", process),
        ("server 10.0.0.0 255.0.0.0", "server", server),
        ("push \"route 0.0.0.0\"", "push", server),
        ("dev tap", "dev", "tun device"),
        ("dev-type tap", "dev-type", "tun device"),
        ("cipher none", "cipher", weak),
        ("cipher BF-CBC", "cipher", weak),
        ("auth none", "auth", weak),
        ("data-ciphers AES-256-GCM:?DES-CBC", "data-ciphers", weak),
        ("tls-cipher DEFAULT:@SECLEVEL=0", "tls-cipher", weak),
        ("tls-version-min 1.0", "tls-version-min", "1.2"),
        ("tls-cert-profile insecure", "tls-cert-profile", weak),
        ("compress lz4", "compress", "reveal"),
        ("comp-lzo", "comp-lzo", "reveal"),
        ("allow-compression", "allow-compression", "reveal"),
        ("dns search-domains", "dns", "at least 2"),
        ("dns server 0 address", "dns", "at least 4"),
        ("<up>", "up", ""),
        ("frobnicate 1", "frobnicate", "not a directive"),
        ("remote host;x 443", "remote", "name"),
        ("remote a b", "remote", "port"),
        ("tun-mtu 1500; up /bin/sh", "tun-mtu", "too many"),
        ("keepalive 10", "keepalive", "at least 2"),
        ("static-challenge Code yes", "static-challenge", "0 or 1"),
    ];
    let saml = fixture!("saml");
    let line = saml.lines().count() + 1;
    for (bad, name, reason) in table {
        let text = format!("{saml}{bad}\n");
        let error = parse(&text).expect_err(bad);
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("Line {line}: ")),
            "{bad}: {message}"
        );
        assert!(message.contains(name), "{bad}: {message}");
        assert!(message.contains(reason), "{bad}: {message}");
    }
}

/// With it at one end only, the tunnel is up and no packet gets through.
#[test]
fn what_the_endpoint_would_have_to_do_as_well_is_left_out() {
    let text = format!("{}fragment 1300\n", fixture!("saml"));
    let imported = Profile::parse(&text, &mut |_| Err(String::new())).expect("usable");
    let mut kept = imported.profile.directives().iter();
    assert!(kept.all(|directive| directive.name() != "fragment"));
    let told = format!("{:?}", imported.warnings);
    assert!(told.contains("\"fragment\""), "{told}");
}

/// As OpenVPN takes it: `compress stub`.
#[test]
fn compress_alone_is_no_compression() {
    let text = format!("{}compress\n", fixture!("saml"));
    let imported = Profile::parse(&text, &mut |_| Err(String::new())).expect("a profile");
    let told = format!("{:?}", imported.warnings);
    assert!(told.contains("\"compress\""), "{told}");
}

#[test]
fn what_an_argument_may_be_depends_on_its_directive() {
    let saml = fixture!("saml");
    let text = |length| format!("setenv UV_X {}", "x".repeat(length));
    for good in [
        "tun-mtu 576",
        "tun-mtu 65535",
        "inactive 604800",
        "route default",
        "route 10.0.0.0 255.0.0.0 net_gateway 4294967295",
        "route-ipv6 fd00::/0",
        "route-ipv6 fd00::/128 fd00::1",
        "route-ipv6 fd00::1",
        "route-gateway dhcp",
        "route-gateway 10.0.0.1",
        "route-gateway fd00::1",
        "setenv UV_A_1 x",
        &text(230),
        "data-ciphers ?AES-256-GCM:AES-128-GCM",
        "tls-cipher DEFAULT:!RC4:-MD5",
        "dns search-domains example.org",
        "dns search-domains example.org example.com",
        "redirect-gateway def1 bypass-dhcp bypass-dns block-local ipv6",
    ] {
        let profile = parsed(&format!("{saml}{good}\n"));
        let (name, _) = good.split_once(' ').expect("an argument");
        let mut own = profile.directives().iter();
        assert!(own.any(|directive| directive.name() == name), "{good}");
    }
    for bad in [
        "tun-mtu 575",
        "tun-mtu 65536",
        "tun-mtu wide",
        "inactive 604801",
        "route nowhere",
        "route 10.0.0.0 wide",
        "route-ipv6 fd00::/129",
        "route-ipv6 fd00::/wide",
        "route-ipv6 10.0.0.0/8",
        "route-gateway nowhere",
        "setenv UV_ x",
        "setenv UV_A-B x",
        "setenv UV_X ''",
        &text(231),
        "verify-hash ''",
        "verify-hash a;b",
        "data-ciphers a;b",
        "data-ciphers AES-256-GCM:RC2-40-CBC",
        "data-ciphers AES-256-GCM:CAST5-CBC",
        "mtu-disc sometimes",
        "redirect-gateway def1 def1 def1 def1 def1 def1",
    ] {
        let (name, _) = bad.split_once(' ').expect("an argument");
        let error = parse(&format!("{saml}{bad}\n")).expect_err(bad).to_string();
        assert!(error.contains(&format!("'{name}'")), "{bad}: {error}");
    }
}

#[test]
fn what_a_connection_block_says_ends_with_it() {
    let saml = fixture!("saml").replace("proto udp\n", "");
    let text =
        format!("{saml}<connection>\nremote a\nport 7\nproto tcp\n</connection>\nremote b\n");
    let profile = parsed(&text);
    let remotes: Vec<_> = profile.remotes()[1..]
        .iter()
        .map(|remote| (remote.host.as_str(), remote.port, remote.transport))
        .collect();
    assert_eq!(
        remotes,
        [("a", 7, Transport::Tcp), ("b", 1194, Transport::Udp)]
    );
    assert_eq!(profile.remotes()[0].transport, Transport::Udp);
}

/// A text may grow by its escapes and a remote by its port when they are written.
#[test]
fn what_is_written_fits_into_the_lines_that_openvpn_reads() {
    let saml = fixture!("saml");
    let longest = |line: &dyn Fn(usize) -> String| {
        let taken = |length: &usize| parse(&format!("{saml}{}\n", line(*length))).is_ok();
        let length = (1..300).take_while(taken).last().expect("a short one");
        let profile = parsed(&format!("{saml}{}\n", line(length)));
        let written = config(&profile);
        let (lines, _) = directives(written.expose());
        lines.iter().map(String::len).max().expect("lines")
    };
    let escaped = |length| format!("pull-filter ignore '{}'", "\\".repeat(length));
    let host = |length| format!("remote {} 65535 tcp", "a".repeat(length));
    let short_host = |length| format!("remote {}", "a".repeat(length));
    assert!((OPENVPN_LINE_LIMIT - 1..=OPENVPN_LINE_LIMIT).contains(&longest(&escaped)));
    assert_eq!(longest(&host), OPENVPN_LINE_LIMIT);
    assert!(longest(&short_host) <= OPENVPN_LINE_LIMIT);
}

#[test]
fn what_is_cut_off_or_too_large_is_refused() {
    let saml = fixture!("saml");
    for text in [
        saml.split("</ca>").next().expect("a part").to_owned(),
        format!("{saml}<connection>\nremote a 1\n"),
        format!("{saml}cipher \"AES\n"),
        format!("{saml}setenv UV_X {}\n", "x".repeat(OPENVPN_LINE_LIMIT)),
        format!("{saml}{}", "#\n".repeat(600_000)),
        format!("{saml}{}", "mssfix\n".repeat(2001)),
        format!("{saml}{}", "remote a 1\n".repeat(65)),
        saml.replace("<ca>", "<cert>").replace("</ca>", "</cert>"),
        format!(
            "{saml}<key>\n-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n</key>\n"
        ),
    ] {
        let error = parse(&text).expect_err("refused");
        assert!(!error.is_not_aws(), "{error}");
    }
    // The most that is taken.
    let most = parsed(&format!("{saml}{}", "remote a 1\n".repeat(63)));
    assert_eq!(most.remotes().len(), 64);
    let error = parse(&format!("{saml}{}", "remote a 1\n".repeat(69))).expect_err("too many");
    assert!(
        error.to_string().contains("more than 64 'remote' lines"),
        "{error}"
    );
    let rest = 2000 - parsed(saml).directives().len();
    let most = parsed(&format!("{saml}{}", "mssfix\n".repeat(rest)));
    assert_eq!(most.directives().len(), 2000);
    let rest = 1024 * 1024 - saml.len();
    parsed(&format!("{saml}{}", "#".repeat(rest)));
    parse(&format!("{saml}{}", "#".repeat(rest + 1))).expect_err("too large");
    // What is wrong is listed, but not without end.
    let error = parse(&format!("{saml}{}", "frobnicate\n".repeat(5000)));
    let told = error.expect_err("refused").to_string().lines().count();
    assert!(told < 2010, "{told}");
}

/// OpenVPN 2.6.14 ends at once with these.
#[test]
fn lines_that_do_not_fit_together_are_named() {
    let udp = fixture!("saml");
    let resolve = "dns server 0 resolve-domains example.org\n";
    parsed(&format!("{udp}dns server 0 address 10.0.0.2\n{resolve}"));
    let error = parse(&format!("{udp}dns server 1 address 10.0.0.2\n{resolve}"));
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("'dns'"), "{error}");

    let error = parse(&format!("{udp}x509-username-field CN\n")).expect_err("refused");
    assert!(
        error
            .to_string()
            .contains("built without support for this directive"),
        "{error}"
    );
}

/// OpenVPN 2.6.14 ends this block after 255 bytes of its header and then reads `daemon`.
#[test]
fn a_key_cannot_end_its_block_early() {
    let header = format!("DEK-Info: {}</key>", "A".repeat(245));
    let text = fixture!("certificate-encrypted-traditional")
        .lines()
        .map(|line| {
            if line.starts_with("DEK-Info") {
                format!("{header}\ndaemon\n")
            } else {
                format!("{line}\n")
            }
        })
        .collect::<String>();
    assert!(text.contains("daemon"));
    let error = parse(&text).expect_err("refused").to_string();
    assert!(error.contains("'key'"), "{error}");
}

#[test]
fn import_export_import_is_the_same_profile_and_so_are_the_settings() {
    for (name, text) in FIXTURES {
        let profile = parsed(text);
        assert!(parsed(&profile.to_ovpn()) == profile, "{name}");
        let (data, secrets) = (settings::to_data(&profile), settings::to_secrets(&profile));
        let kept = settings::from_settings(&data, &secrets).expect(name);
        assert!(kept == profile, "{name}");
        for (key, value) in &data {
            assert!(!value.contains(['\n', '\r']), "{name}: {key}");
            assert!(!value.contains("PRIVATE KEY"), "{name}: {key}");
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    for inline in InlineFile::ALL
        .into_iter()
        .filter(|inline| inline.is_secret())
    {
        for (name, text) in FIXTURES {
            let profile = parsed(text);
            let Some(content) = profile.inline(inline) else {
                continue;
            };
            let line = content
                .lines()
                .find(|line| line.len() == 64)
                .expect("a line of base64");
            assert!(!format!("{profile:?}").contains(line), "{name}");
            let data = settings::to_data(&profile);
            assert!(data.values().all(|value| !value.contains(line)), "{name}");
        }
    }
}

#[test]
fn the_endpoint_is_always_told_from_another_client() {
    for (name, text) in FIXTURES {
        let bare: String = text
            .lines()
            .filter(|line| {
                !line.starts_with("remote-cert-tls") && !line.starts_with("verify-x509-name")
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let config = config(&parsed(&bare));
        let (lines, _) = directives(config.expose());
        assert!(
            lines.iter().any(|line| line == "remote-cert-tls server"),
            "{name}"
        );
    }
}

#[test]
fn only_saml_speaks_the_form_of_aws() {
    for (name, text) in FIXTURES {
        let profile = parsed(text);
        let config = config(&profile);
        let (lines, _) = directives(config.expose());
        let federated = lines.iter().any(|line| line == "auth-federate");
        assert_eq!(federated, *profile.sign_in() == SignIn::Saml, "{name}");
        let asks = lines.iter().any(|line| line == "auth-user-pass");
        assert_eq!(asks, *profile.sign_in() != SignIn::Certificate, "{name}");
    }
}

/// A line that may be in a profile; most of them are taken.
fn line() -> impl Strategy<Value = String> {
    let quoted = |text: String| text.replace('\\', "\\\\").replace('"', "\\\"");
    let text = "[ -~äß]{1,60}";
    prop_oneof![
        text.prop_map(move |text| format!("verify-x509-name \"{}\" name", quoted(text))),
        text.prop_map(move |text| format!("pull-filter ignore \"{}\"", quoted(text))),
        text.prop_map(move |text| format!("static-challenge \"{}\" 1", quoted(text))),
        ("[a-z0-9.-]{1,80}", 1..=u16::MAX, prop_oneof!["udp", "tcp"])
            .prop_map(|(host, port, proto)| format!("remote a{host} {port} {proto}")),
        (1..100_u8).prop_map(|n| format!("route 10.{n}.0.0 255.255.0.0 vpn_gateway {n}")),
        (0..65_536_u32).prop_map(|n| format!("mssfix {n}")),
        "dhcp-option (DNS|DOMAIN) [a-z0-9.]{1,20}",
        Just("auth-user-pass".to_owned()),
        Just("comp-lzo no".to_owned()),
        Just("float".to_owned()),
        "\\PC{0,40}",
    ]
}

proptest! {
    #[test]
    fn whatever_is_accepted_survives_and_injects_nothing(
        base in 0..FIXTURES.len(),
        extra in proptest::collection::vec(line(), 0..6),
    ) {
        let mut text = FIXTURES[base].1.to_owned();
        for line in &extra {
            let longer = format!("{text}\n{line}\n");
            if parse(&longer).is_ok() {
                text = longer;
            }
        }
        // Lines that fit one by one fit together.
        let Ok(profile) = parse(&text) else {
            return Err(TestCaseError::fail(text));
        };

        prop_assert!(parsed(&profile.to_ovpn()) == profile);
        let (data, secrets) = (settings::to_data(&profile), settings::to_secrets(&profile));
        let kept = settings::from_settings(&data, &secrets);
        prop_assert!(kept.is_ok_and(|kept| kept == profile));

        let config = config(&profile);
        let (lines, tags) = directives(config.expose());
        for line in &lines {
            prop_assert!(line.len() <= OPENVPN_LINE_LIMIT, "{line}");
        }
        // Each line is one of the profile's own, or one that we write ourselves.
        let own: Vec<_> = profile.directives().iter().map(|directive| directive.name()).collect();
        for line in &lines {
            let name = line.split(' ').next().unwrap_or_default();
            let known = own.contains(&name) || [
                "remote", "auth-user-pass", "auth-federate", "static-challenge",
                "early-push-request", "remote-cert-tls", "tls-version-min", "connect-timeout", "socket-flags",
            ].contains(&name);
            prop_assert!(known, "{line}");
        }
        let blocks = InlineFile::ALL.into_iter().filter(|inline| profile.inline(*inline).is_some());
        prop_assert_eq!(tags, blocks.map(InlineFile::name).collect::<Vec<_>>());
    }

    /// A value that someone else wrote into the settings of a connection injects nothing either.
    #[test]
    fn settings_inject_nothing(
        key in prop_oneof![
            "remote", "options", "ca", "cert", "static-challenge", "username", "sign-in",
        ],
        value in "(\\PC|\n|\\\\n|</ca>|\"|up /bin/sh|-----BEGIN A-----){0,12}",
    ) {
        let profile = parsed(fixture!("password-mfa"));
        let (mut data, secrets) = (settings::to_data(&profile), settings::to_secrets(&profile));
        data.insert(key, value);
        if let Ok(profile) = settings::from_settings(&data, &secrets) {
            for text in [config(&profile).expose(), &profile.to_ovpn()] {
                let (lines, _) = directives(text);
                prop_assert!(lines.iter().all(|line| !line.starts_with("up")), "{text}");
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n|\r|<ca>|</ca>|<connection>|\"|\\\\| ){0,60}") {
        let _ = parse(&format!("auth-federate\n{text}"));
    }
}
