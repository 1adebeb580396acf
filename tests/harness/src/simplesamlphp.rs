//! SimpleSAMLphp on the server machine: an identity provider that others wrote, Debian's own.
//!
//! Its package would set up a web server, so it is only unpacked; PHP's own serves it here, and
//! socat puts TLS before that.

use crate::debian_package;
use crate::endpoint::{IDP, IDP_NAME};
use crate::lab::Lab;
use crate::process::Process;
use crate::wait::{START_LIMIT, eventually};
use crate::world::TARGET_INSIDE;
use std::fs;

/// The package, and its directory below the target directory.
const PACKAGE: &str = "simplesamlphp";
/// Where its files are that are this lab's own, on a machine whose `/tmp` is its own.
const DIRECTORY: &str = "/tmp/simplesamlphp";
/// What an administrator of it writes.
const FILES: [(&str, &str); 4] = [
    ("config.php", include_str!("../simplesamlphp/config.php")),
    (
        "authsources.php",
        include_str!("../simplesamlphp/authsources.php"),
    ),
    (
        "saml20-idp-hosted.php",
        include_str!("../simplesamlphp/saml20-idp-hosted.php"),
    ),
    (
        "saml20-sp-remote.php",
        include_str!("../simplesamlphp/saml20-sp-remote.php"),
    ),
];

/// A running SimpleSAMLphp, at the identity provider's name; `ada@example.com` may sign in.
#[derive(Debug)]
pub struct SimpleSamlPhp {
    _php: Process,
    _tls: Process,
    /// The file on the server machine with its metadata, as it gives it out itself.
    pub metadata: String,
}

impl SimpleSamlPhp {
    /// Starts it; returns when it has given out its metadata.
    #[must_use]
    pub fn start(lab: &Lab) -> Self {
        debian_package::unpack(PACKAGE, None);
        let www = format!("{TARGET_INSIDE}/{PACKAGE}/usr/share/simplesamlphp/www");
        let script = format!(
            "mkdir -p {DIRECTORY}/docroot && ln -s {www} {DIRECTORY}/docroot/simplesaml && \
             cat {DIRECTORY}/web.key {DIRECTORY}/web.crt >{DIRECTORY}/web.pem"
        );
        lab.server.check(["mkdir", "-p", DIRECTORY]);
        for (name, text) in FILES {
            let file = format!("{}{DIRECTORY}/{name}", lab.server.root().display());
            fs::write(file, text).expect("the lab is writable");
        }
        make_key(lab, "web");
        make_key(lab, "signer");
        lab.server.check(["sh", "-ec", &script]);

        let mut php = lab.server.command("php");
        php.env("SIMPLESAMLPHP_CONFIG_DIR", DIRECTORY).args([
            "-S",
            "127.0.0.1:8080",
            "-t",
            &format!("{DIRECTORY}/docroot"),
        ]);
        let mut tls = lab.server.command("socat");
        tls.arg(format!(
            "OPENSSL-LISTEN:443,bind={IDP},reuseaddr,fork,cert={DIRECTORY}/web.pem,verify=0"
        ))
        .arg("TCP:127.0.0.1:8080");
        let provider = Self {
            _php: lab.server.spawn_logged("php", php),
            _tls: lab.server.spawn_logged("socat", tls),
            metadata: format!("{DIRECTORY}/metadata.xml"),
        };
        let own_name = format!("{IDP_NAME}:443:{IDP}");
        let address = format!("https://{IDP_NAME}/simplesaml/saml2/idp/metadata.php");
        eventually("SimpleSAMLphp gives out its metadata", START_LIMIT, || {
            let got = lab.server.run([
                "curl",
                "--silent",
                "--fail",
                "--insecure",
                "--resolve",
                &own_name,
                "--output",
                &provider.metadata,
                &address,
            ]);
            got.status.success().then_some(())
        });
        provider
    }

    /// From now on it signs with another key than that of the metadata it has given out.
    pub fn change_its_key(&self, lab: &Lab) {
        make_key(lab, "signer");
    }

    /// From now on its assertions have no signature of their own.
    pub fn sign_the_response_only(&self, lab: &Lab) {
        let file = format!("{DIRECTORY}/saml20-sp-remote.php");
        let change = "s/\\(sign.assertion' => \\)true/\\1false/w /dev/stdout";
        let changed = lab.server.check(["sed", "-i", change, &file]);
        assert!(changed.contains("false"), "{file} is not as it was");
    }
}

/// Makes `NAME.key` and `NAME.crt`, a certificate that it has signed itself.
fn make_key(lab: &Lab, name: &str) {
    let (key, certificate) = (
        format!("{DIRECTORY}/{name}.key"),
        format!("{DIRECTORY}/{name}.crt"),
    );
    lab.server.check([
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        &format!("/CN={IDP_NAME}"),
        "-days",
        "2",
        "-keyout",
        &key,
        "-out",
        &certificate,
    ]);
}
