//! A login that answers at once, in place of a person at a browser.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// The program's name when it is laid over the auth dialog.
pub(crate) const DIALOG: &str = "nm-aws-client-vpn-auth-dialog";
/// Where the dialog leaves how long the identity provider took, in microseconds; in the client.
const TOOK: &str = "/run/lab/login-took";
/// The same file's name in the lab's directory.
pub(crate) const TOOK_NAME: &str = "login-took";
/// Starts the hint with the address for the browser.
const URL_HINT: &str = "x-aws-client-vpn-url:";

/// Gets the SAML response from the identity provider; how long that took.
pub(crate) fn fetch(url: &str) -> Result<(String, Duration), String> {
    let started = Instant::now();
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--insecure", "--max-time", "20"])
        // The identity provider's short cut past its page.
        .args(["--cookie", "login=auto", url])
        .output()
        .map_err(|error| format!("curl: {error}"))?;
    let page = String::from_utf8_lossy(&output.stdout);
    let value = page
        .split_once("name=\"SAMLResponse\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'));
    let Some((value, _)) = value else {
        return Err(format!(
            "no SAML response: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    };
    Ok((as_posted(value), started.elapsed()))
}

/// Base64 from a page as a browser's form has it.
fn as_posted(value: &str) -> String {
    value
        .replace("&#43;", "+")
        .replace("&#x2B;", "+")
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

/// What the secret agent runs instead of the auth dialog.
pub(crate) fn dialog(arguments: &[&str]) -> ExitCode {
    let url = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix(URL_HINT));
    let answer = match url.map(fetch) {
        None => "secret\nof no use\n\n\n".to_owned(),
        Some(Ok((response, took))) => {
            let written = File::create(TOOK).and_then(|mut f| write!(f, "{}", took.as_micros()));
            if written.is_err() {
                return ExitCode::FAILURE;
            }
            format!("saml-response\n{response}\n\n\n")
        }
        Some(Err(_)) => return ExitCode::FAILURE,
    };
    let mut stdout = std::io::stdout().lock();
    if stdout
        .write_all(answer.as_bytes())
        .and_then(|()| stdout.flush())
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    // The agent says QUIT, and may close its end.
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    let mut stdin = std::io::stdin().lock();
    while let Ok(read @ 1..) = stdin.read(&mut buffer) {
        said.extend_from_slice(&buffer[..read]);
        if said.windows(4).any(|part| part == b"QUIT") {
            break;
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::as_posted;

    #[test]
    fn a_response_is_encoded_as_a_form_is() {
        assert_eq!(as_posted("ab+/c=="), "ab%2B%2Fc%3D%3D");
        assert_eq!(as_posted("ab&#43;c"), "ab%2Bc");
    }
}
