//! What the window shows of a file, decided without a toolkit.

use aws_client_vpn_i18n::{self as i18n, gettext, ngettext};
use aws_client_vpn_profile::certificate::{Certificate, CertificateError, Validity};
use aws_client_vpn_profile::ovpn::ParsedProfile;
use aws_client_vpn_profile::parts::{InlineFile, Remote, SignIn, Transport};
use aws_client_vpn_profile::problem::Warning;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::region;
use aws_client_vpn_profile_file::ImportError;
use aws_client_vpn_profile_file::certificate_files::{
    CertificateError as CertificateFileError, Chosen,
};
use std::path::Path;

/// The time and how to write it.
pub struct DateFormat<'a> {
    /// Seconds since 1970.
    pub now: i64,
    /// A day as the user writes it, from seconds since 1970.
    pub day: &'a dyn Fn(i64) -> String,
}

/// A line of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub title: String,
    /// What there is to say.
    pub text: String,
    /// Whether it is something to think of.
    pub is_warning: bool,
}

/// Lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Above them.
    pub title: String,
    /// Below the title; may be empty.
    pub description: String,
    /// In this order.
    pub rows: Vec<Row>,
    /// Whether the rows' texts are what one looks for, and the titles only say what they are.
    pub of_properties: bool,
}

/// A file that is of no use here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In a few words.
    pub title: String,
    /// Why, and what to do.
    pub text: String,
}

impl Row {
    fn plain(title: String, text: String) -> Self {
        Self {
            title,
            text,
            is_warning: false,
        }
    }
}

/// What to show of a profile.
#[must_use]
pub fn groups(imported: &ParsedProfile, format: &DateFormat<'_>) -> Vec<Group> {
    let profile = &imported.profile;
    let group = |title, rows, of_properties| Group {
        title,
        description: String::new(),
        rows,
        of_properties,
    };
    let mut groups = vec![
        group(gettext!("Endpoint"), endpoint(profile), true),
        group(
            gettext!("Certificates"),
            certificates(profile, format),
            false,
        ),
    ];
    if !imported.warnings.is_empty() {
        let row = |warning: &Warning| match warning {
            Warning::Ignored { lines, reason } => {
                let (numbers, directives) = Warning::lists(lines);
                let title = if lines.len() == 1 {
                    gettext!(
                        // TRANSLATORS: A directive of the profile, as it is written there.
                        "Line {line}: {directive}",
                        line = numbers,
                        directive = directives
                    )
                } else {
                    gettext!(
                        // TRANSLATORS: Both are lists.
                        "Lines {lines}: {directives}",
                        lines = numbers,
                        directives = directives
                    )
                };
                Row::plain(title, i18n::translate(reason))
            }
            Warning::Taken(message) => {
                Row::plain(gettext!("Interpreted Differently"), i18n::localize(message))
            }
        };
        groups.push(Group {
            title: gettext!("Notes"),
            description: gettext!(
                "Lines of the profile that have no effect here, or a different effect."
            ),
            rows: imported.warnings.iter().map(row).collect(),
            of_properties: false,
        });
    }
    groups
}

/// What to say of a file that cannot be imported.
#[must_use]
pub fn refusal(error: &ImportError) -> Refusal {
    match error {
        ImportError::Profile { reason, .. } if reason.is_not_aws() => Refusal {
            title: gettext!("Not an AWS Client VPN Profile"),
            text: gettext!(
                "This file is for another kind of VPN. Import it in Settings, under Network, with \
                 the plugin of that VPN."
            ),
        },
        ImportError::NoCertificate { .. } => missing_certificate(&Chosen::default(), None),
        ImportError::Profile { reason, .. } => Refusal {
            title: gettext!("This Profile Cannot Be Used"),
            text: i18n::localize(reason),
        },
        ImportError::File { reason, .. } => Refusal {
            title: gettext!("This File Cannot Be Read"),
            text: i18n::localize(reason),
        },
    }
}

/// What to say of a profile whose certificate is not there yet, with what has been chosen.
#[must_use]
pub fn missing_certificate(chosen: &Chosen, error: Option<&CertificateFileError>) -> Refusal {
    let name = |path: &Path| aws_client_vpn_profile_file::file_name(path);
    let text = match (error, &chosen.certificate, &chosen.key) {
        (Some(error), ..) => i18n::localize(error),
        (None, Some(certificate), None) => gettext!(
            "The certificate is “{file}”. Choose its private key, too, or drop it here.",
            file = name(certificate)
        ),
        (None, None, Some(key)) => gettext!(
            "The private key is “{file}”. Choose its certificate, too, or drop it here.",
            file = name(key)
        ),
        (None, _, _) => gettext!(
            "This endpoint requires a client certificate, which is not in the profile. Choose \
             its files, or drop them here: a certificate (.crt) with its private key (.key), or \
             one PKCS #12 file (.p12)."
        ),
    };
    Refusal {
        title: gettext!("Client Certificate Missing"),
        text,
    }
}

fn endpoint(profile: &Profile) -> Vec<Row> {
    let mut rows = vec![Row::plain(gettext!("Address"), profile.display_endpoint())];
    if let Some(code) = profile.region() {
        let region = match region::name(code) {
            // TRANSLATORS: A region of AWS: Europe (Frankfurt), eu-central-1.
            Some(name) => gettext!("{name}, {code}", name = i18n::translate(name), code = code),
            None => code.to_owned(),
        };
        rows.push(Row::plain(gettext!("Region"), region));
    }
    let mut ways: Vec<String> = profile.remotes().iter().map(way).collect();
    ways.dedup();
    rows.push(Row::plain(gettext!("Protocol"), ways.join(", ")));
    rows.push(Row::plain(gettext!("Sign-in"), sign_in(profile)));
    rows
}

fn way(remote: &Remote) -> String {
    let protocol = match remote.transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
    };
    gettext!(
        // TRANSLATORS: {protocol} is UDP or TCP.
        "{protocol}, port {port}",
        protocol = protocol,
        port = remote.port
    )
}

fn sign_in(profile: &Profile) -> String {
    let certificate = profile.has_client_certificate();
    match (profile.sign_in(), certificate) {
        (SignIn::Saml, false) => gettext!("Single sign-on in the browser"),
        (SignIn::Saml, true) => gettext!("Single sign-on in the browser, with a certificate"),
        (SignIn::Certificate, _) => gettext!("Certificate"),
        (SignIn::Password { static_challenge }, _) => {
            match (static_challenge.is_some(), certificate) {
                (false, false) => gettext!("User name and password"),
                (false, true) => gettext!("User name and password, with a certificate"),
                (true, false) => gettext!("User name, password and one-time code"),
                (true, true) => {
                    gettext!("User name, password and one-time code, with a certificate")
                }
            }
        }
    }
}

fn certificates(profile: &Profile, format: &DateFormat<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (inline, use_of) in [
        (InlineFile::Cert, gettext!("Client certificate")),
        (InlineFile::ExtraCerts, gettext!("Intermediate certificate")),
        (
            InlineFile::Ca,
            gettext!("Certificate authority of the endpoint"),
        ),
    ] {
        let Some(text) = profile.inline(inline) else {
            continue;
        };
        match Certificate::read_all(text) {
            Ok(read) => rows.extend(read.iter().map(|one| certificate(one, &use_of, format))),
            Err(error @ (CertificateError::None | CertificateError::Unreadable)) => {
                rows.push(Row {
                    is_warning: true,
                    ..Row::plain(use_of, i18n::localize(&error))
                });
            }
        }
    }
    if profile.inline(InlineFile::Pkcs12).is_some() {
        rows.push(Row::plain(
            gettext!("Client certificate"),
            gettext!("In a PKCS #12 file. Its contents are not visible until it is unlocked."),
        ));
    }
    if profile.pkcs11_id().is_some() {
        rows.push(Row::plain(
            gettext!("Client certificate"),
            gettext!("On a security token."),
        ));
    }
    if profile.private_key_is_encrypted() {
        rows.push(Row::plain(
            gettext!("Private key"),
            gettext!("Protected by a passphrase. You are asked for it when you connect."),
        ));
    }
    rows
}

fn certificate(certificate: &Certificate, use_of: &str, format: &DateFormat<'_>) -> Row {
    let day = (format.day)(certificate.ends);
    let validity = certificate.validity(format.now);
    let is_warning = validity != Validity::Holds;
    let validity = match validity {
        Validity::Holds => gettext!("Valid until {day}", day = day),
        Validity::EndsSoon { days: 0 } => {
            gettext!("Expires today. Ask your administrator for a new profile.")
        }
        Validity::EndsSoon { days } => ngettext!(
            days,
            "Expires in {count} day, on {day}. Ask your administrator for a new profile.",
            "Expires in {count} days, on {day}. Ask your administrator for a new profile.",
            day = day
        ),
        Validity::Ended => gettext!(
            "Expired on {day}. The connection will fail. Ask your administrator for a new \
             profile.",
            day = day
        ),
        Validity::NotYet => gettext!(
            "Valid only from {day}. Is the clock of this computer right?",
            day = (format.day)(certificate.begins)
        ),
    };
    let issuer = match certificate.self_issued {
        // TRANSLATORS: {use_of} is what a certificate is for, such as Client certificate.
        true => gettext!("{use_of}, self-signed", use_of = use_of),
        false => gettext!(
            // TRANSLATORS: {use_of} is what a certificate is for, such as Client certificate.
            "{use_of}, issued by {issuer}",
            use_of = use_of,
            issuer = certificate.issuer
        ),
    };
    Row {
        title: certificate.subject.clone(),
        text: format!("{issuer}\n{validity}"),
        is_warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const ROOT: &str = include_str!("../../../nm-plugin/core/profile/tests/certificates/root.pem");
    const CLIENT: &str =
        include_str!("../../../nm-plugin/core/profile/tests/certificates/client.pem");
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n";
    const END_OF_ROOT: i64 = 1_893_456_000;

    fn imported(more: &str) -> ParsedProfile {
        let text = format!(
            "client\nremote cvpn-endpoint-0123.prod.clientvpn.eu-north-1.amazonaws.com 443\n\
             proto udp\n<ca>\n{ROOT}</ca>\n{more}"
        );
        Profile::parse(&text, &mut |_| Err("no file".to_owned())).unwrap()
    }

    fn shown(more: &str, before_the_end: i64) -> Vec<Group> {
        let format = DateFormat {
            now: END_OF_ROOT - before_the_end,
            day: &|seconds| format!("day {}", seconds / 86_400),
        };
        groups(&imported(more), &format)
    }

    fn texts(group: &Group) -> Vec<(&str, &str)> {
        let rows = group.rows.iter();
        rows.map(|row| (row.title.as_str(), row.text.as_str()))
            .collect()
    }

    #[test]
    fn an_endpoint_is_told_in_words() {
        let groups = shown("auth-federate\n", 400 * 86_400);
        assert_eq!(
            texts(&groups[0]),
            [
                (
                    "Address",
                    "cvpn-endpoint-0123.prod.clientvpn.eu-north-1.amazonaws.com"
                ),
                ("Region", "Europe (Stockholm), eu-north-1"),
                ("Protocol", "UDP, port 443"),
                ("Sign-in", "Single sign-on in the browser"),
            ]
        );
        assert_eq!(groups.len(), 2);
    }

    #[test]
    fn certificates_warn_before_and_after_their_end() {
        for (days, text, is_warning) in [
            (400, "Valid until day 21915", false),
            (12, "Expires in 12 days, on day 21915.", true),
            (1, "Expires in 1 day, on", true),
            (0, "Expires today.", true),
            (-3, "Expired on day 21915.", true),
            (5000, "Valid only from day 18262.", true),
        ] {
            let groups = shown("auth-federate\n", days * 86_400);
            let row = &groups[1].rows[0];
            assert_eq!(row.title, "Zoë's root");
            let expected = format!("Certificate authority of the endpoint, self-signed\n{text}");
            assert!(row.text.starts_with(&expected), "{days}: {}", row.text);
            assert_eq!(row.is_warning, is_warning, "{days}");
        }
    }

    #[test]
    fn the_user_s_own_certificate_comes_first() {
        let more = format!("<cert>\n{CLIENT}</cert>\n<key>\n{KEY}</key>\n");
        let groups = shown(&more, 400 * 86_400);
        let titles: Vec<_> = groups[1].rows.iter().map(|row| &row.title).collect();
        assert_eq!(titles, ["Example Corp", "Zoë's root"]);
        assert!(
            groups[1].rows[0]
                .text
                .starts_with("Client certificate, issued by Zoë's root\n")
        );
        assert_eq!(texts(&groups[0])[3], ("Sign-in", "Certificate"));
    }

    #[test]
    fn what_is_ignored_is_said_with_its_reason() {
        let groups = shown("auth-federate\nroute-delay 5\n", 0);
        let group = groups.last().unwrap();
        assert_eq!(group.title, "Notes");
        let [(title, text)] = texts(group)[..] else {
            panic!("not one row");
        };
        assert!(
            title.starts_with("Line ") && title.ends_with(": route-delay"),
            "{title}"
        );
        assert_eq!(text, "The VPN service does not need this directive.");
    }

    #[test]
    fn refusals_say_what_and_where() {
        let refuse = |text: &str| {
            let reason = Profile::parse(text, &mut |_| Err(String::new())).unwrap_err();
            let path = PathBuf::from("/home/zoe/x.ovpn");
            refusal(&ImportError::Profile { path, reason })
        };
        let other = refuse("client\nremote vpn.example 1194\n");
        assert_eq!(other.title, "Not an AWS Client VPN Profile");
        let evil = refuse("auth-federate\nup /bin/sh\n");
        assert_eq!(evil.title, "This Profile Cannot Be Used");
        assert!(
            evil.text.starts_with("Line 2: 'up' cannot be used."),
            "{}",
            evil.text
        );
        assert!(evil.text.ends_with('.'));
    }
}
