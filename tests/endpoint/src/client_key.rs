//! The user's certificate and key in the forms in which users have them.

use crate::certificates::Identity;
use crate::endpoint::StartError;
use crate::options::{KeyForm, Options};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the user adds to the profile for `identity`; files that it names go into `directory`.
pub(crate) fn added_text(
    options: &Options,
    identity: &Identity,
    directory: &Path,
) -> Result<String, StartError> {
    let certificate = &identity.certificate;
    let blocks = |key: &str| format!("<cert>\n{certificate}</cert>\n<key>\n{key}</key>\n");
    let password = format!("pass:{}", options.key_passphrase);
    let encrypted = |form: &[&str]| {
        let mut arguments = vec!["pkey", "-aes256", "-passout", &password];
        arguments.extend(form);
        openssl(&arguments, &identity.key).map(|key| blocks(&String::from_utf8_lossy(&key)))
    };
    let pkcs12 = || {
        let arguments = ["pkcs12", "-export", "-passout", &password];
        openssl(&arguments, &format!("{}{certificate}", identity.key))
    };
    match options.key_form {
        KeyForm::Plain => Ok(blocks(&identity.key)),
        KeyForm::Pkcs8 => encrypted(&[]),
        KeyForm::Traditional => encrypted(&["-traditional"]),
        KeyForm::Pkcs12 => {
            let text = STANDARD.encode(pkcs12()?);
            Ok(format!("<pkcs12>\n{text}\n</pkcs12>\n"))
        }
        KeyForm::Files => Ok("cert client.crt\nkey client.key\n".to_owned()),
        KeyForm::Pkcs12File => {
            let path = directory.join("client.p12");
            std::fs::write(&path, pkcs12()?).map_err(|error| StartError::File(path, error))?;
            Ok("pkcs12 client.p12\n".to_owned())
        }
        KeyForm::Absent => Ok(String::new()),
    }
}

fn openssl(arguments: &[&str], input: &str) -> Result<Vec<u8>, StartError> {
    let failed = |error: std::io::Error| StartError::KeyForm(error.to_string());
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        let text = String::from_utf8_lossy(&output.stderr);
        Err(StartError::KeyForm(text.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::Certificates;

    #[test]
    fn each_form_looks_as_users_know_it() {
        let web = "127.0.71.3".parse().unwrap();
        let identity = Certificates::generate(web, None, "ada").unwrap().client;
        let directory = tempfile::tempdir().unwrap();
        for (key_form, sign) in [
            (KeyForm::Plain, "<key>\n-----BEGIN PRIVATE KEY-----\n"),
            (
                KeyForm::Pkcs8,
                "<key>\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
            ),
            (
                KeyForm::Traditional,
                "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,",
            ),
            (KeyForm::Pkcs12, "<pkcs12>\nMII"),
            (KeyForm::Files, "cert client.crt\nkey client.key\n"),
            (KeyForm::Pkcs12File, "pkcs12 client.p12\n"),
            (KeyForm::Absent, ""),
        ] {
            let options = Options {
                key_form,
                ..Options::default()
            };
            let text = added_text(&options, &identity, directory.path()).unwrap();
            assert!(text.contains(sign), "{key_form:?}: {text}");
        }
        let file = std::fs::read(directory.path().join("client.p12")).unwrap();
        assert_eq!(file[..2], [0x30, 0x82], "DER");
    }
}
