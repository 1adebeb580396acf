//! The client profile, as AWS's console exports it.

use crate::certificates::{Certificates, SERVER_NAME};
use crate::options::{ENDPOINT_NAME, Options, SignIn, Transport};

/// The text of the profile for one transport and port.
///
/// With a client certificate, `key` is what the user adds to it, as AWS's documentation tells.
pub(crate) fn client_profile(
    options: &Options,
    certificates: &Certificates,
    key: &str,
    transport: Transport,
    port: u16,
) -> String {
    let mut text = format!(
        "client\n\
         dev tun\n\
         proto {transport}\n\
         remote {ENDPOINT_NAME} {port}\n\
         remote-random-hostname\n\
         resolv-retry infinite\n\
         nobind\n\
         remote-cert-tls server\n\
         cipher AES-256-GCM\n\
         verb 3\n\
         <ca>\n{ca}</ca>\n",
        ca = certificates.ca,
    );
    if options.sign_in.needs_certificate() {
        text += key;
    }
    text += match options.sign_in {
        SignIn::Saml | SignIn::SamlCertificate => {
            "auth-federate\nauth-retry interact\nauth-nocache\n"
        }
        SignIn::Certificate => "",
        SignIn::Password | SignIn::PasswordQuestion | SignIn::PasswordCertificate => {
            "auth-user-pass\n"
        }
        SignIn::PasswordMfa => "auth-user-pass\nstatic-challenge \"Enter MFA code \" 1\n",
    };
    text += "reneg-sec 0\n";
    if !options.no_verify_name {
        text += &format!("\nverify-x509-name {SERVER_NAME} name\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(sign_in: SignIn) -> String {
        let options = Options {
            sign_in,
            ..Options::default()
        };
        let web = "127.0.71.3".parse().unwrap();
        let certificates = Certificates::generate(web, None, "ada").unwrap();
        let text = client_profile(
            &options,
            &certificates,
            "<key>\n</key>\n",
            Transport::Tcp,
            1194,
        );
        let mut inside = false;
        let mut lines = Vec::new();
        for line in text.lines() {
            inside &= !line.starts_with("</");
            if !inside {
                lines.push(line);
            }
            inside |= line.starts_with('<') && !line.starts_with("</");
        }
        lines.join("\n")
    }

    #[test]
    fn a_saml_profile_is_what_aws_exports() {
        insta::assert_snapshot!(directives(SignIn::Saml), @r"
        client
        dev tun
        proto tcp
        remote cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com 1194
        remote-random-hostname
        resolv-retry infinite
        nobind
        remote-cert-tls server
        cipher AES-256-GCM
        verb 3
        <ca>
        </ca>
        auth-federate
        auth-retry interact
        auth-nocache
        reneg-sec 0

        verify-x509-name server.clientvpn.example name
        ");
    }

    #[test]
    fn each_sign_in_has_its_own_directives() {
        assert!(directives(SignIn::SamlCertificate).contains("<key>"));
        assert!(directives(SignIn::PasswordCertificate).contains("<key>"));
        assert!(!directives(SignIn::PasswordQuestion).contains("static-challenge"));
        assert!(!directives(SignIn::Certificate).contains("auth-"));
        assert!(directives(SignIn::Password).contains("auth-user-pass\nreneg-sec"));
        assert!(directives(SignIn::PasswordMfa).contains("static-challenge \"Enter MFA code \" 1"));
    }
}
