//! What stands in the terminal.
//!
//! Names, questions and reasons come from elsewhere: a terminal obeys what it is shown, so nothing
//! that could be a command to it gets through.

use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_sign_in::form::{CredentialForm, Field};
use aws_client_vpn_sign_in::window::site;
use aws_client_vpn_text::printable::printable;

/// The login of `connection` at `url`. `here` is what ssh calls this computer, if the browser may
/// be on another one.
pub(super) fn login(connection: &str, url: &url::Url, here: Option<&str>) -> String {
    let mut lines = vec![
        gettext!(
            "{connection}: sign in at {site} in your browser.",
            connection = printable(connection),
            site = site(url),
        ),
        String::new(),
        format!("  {url}"),
        String::new(),
    ];
    if let Some(here) = here {
        lines.extend([
            gettext!("If your browser is on another computer, run this there first:"),
            String::new(),
            format!("  ssh -L 35001:127.0.0.1:35001 {}", printable(here)),
            String::new(),
        ]);
    }
    lines.join("\n")
}

/// That the login of `connection` waits until another one is over.
pub(super) fn queue(connection: &str) -> String {
    gettext!(
        "{connection}: another sign-in is open on this computer. This one begins when that is done or \
         cancelled…",
        connection = printable(connection),
    )
}

/// The line that counts down, as much of it as stands in one row of `columns`, or all if they are 0:
/// one that is wrapped cannot be taken back.
pub(super) fn progress(time: &str, columns: usize) -> String {
    let all = gettext!(
        "Waiting for the sign-in, {time} left. Press Ctrl+C to cancel.",
        time = time
    );
    let sentence = all.split_inclusive(". ").next().unwrap_or_default();
    let choices = [&all, sentence.trim_end(), time];
    // Some terminals wrap as soon as the last column is taken.
    let fits = |line: &&str| columns == 0 || line.chars().count() < columns;
    choices
        .into_iter()
        .find(fits)
        .unwrap_or_default()
        .to_owned()
}

/// Why something is asked.
pub(super) fn form(connection: &str, form: &CredentialForm) -> String {
    let again = form.message.as_deref().filter(|_| form.is_repeated());
    let why = match again {
        Some(message) => printable(message),
        None => gettext!("Sign in to connect."),
    };
    [&printable(connection), ": ", &why].concat()
}

/// What is asked.
pub(super) fn label(field: &Field) -> String {
    let label = match &field.question {
        Some(question) => printable(question),
        None => i18n::translate(field.credential.label()),
    };
    [label.trim_end_matches([':', ' ']), ": "].concat()
}

/// Whether to keep it.
pub(super) fn remember() -> String {
    [&gettext!("Remember in your keyring? [Y/n]"), " "].concat()
}

/// Whether an answer to that is yes, in English or in the user's language.
pub(super) fn is_yes(answer: &str) -> bool {
    let answer = answer.trim().to_lowercase();
    // TRANSLATORS: The first letter of what people type to say yes; see [Y/n].
    let yes = gettext!("yes");
    answer.is_empty() || "yes".starts_with(&answer) || yes.starts_with(&answer)
}

/// `text` in its lines, without anything else that a terminal would obey.
pub(super) fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_profile::credential::Credential;
    use aws_client_vpn_text::printable::is_control;

    #[test]
    fn the_link_stands_by_itself_and_the_tunnel_only_where_it_helps() {
        let url = url::Url::parse("https://idp.example/sso?a=b").unwrap();
        assert_eq!(
            login("Work", &url, None),
            "Work: sign in at idp.example in your browser.\n\n  https://idp.example/sso?a=b\n"
        );
        let remote = login("Work", &url, Some("ada@192.0.2.1"));
        assert!(remote.contains("\n  ssh -L 35001:127.0.0.1:35001 ada@192.0.2.1\n"));
    }

    #[test]
    fn the_countdown_stays_in_its_row() {
        let all = "Waiting for the sign-in, 9:59 left. Press Ctrl+C to cancel.";
        for (columns, line) in [
            (0, all),
            (60, all),
            (59, "Waiting for the sign-in, 9:59 left."),
            (36, "Waiting for the sign-in, 9:59 left."),
            (35, "9:59"),
            (5, "9:59"),
            (4, ""),
        ] {
            assert_eq!(progress("9:59", columns), line, "{columns}");
        }
    }

    #[test]
    fn nothing_foreign_commands_the_terminal() {
        let url = url::Url::parse("https://idp.example/\u{1b}[2J").unwrap();
        let field = Field {
            credential: Credential::ChallengeResponse,
            question: Some("Code\u{1b}[8m: ".to_owned()),
            masked: true,
            kept: false,
            refused: false,
        };
        assert_eq!(label(&field), "Code [8m: ");
        let name = "\u{1b}]0;x\u{7}\u{202e}a\r";
        assert_eq!(
            lines(&format!("{name}: it is up\n\n  b")),
            " ]0;x  a : it is up\n\n  b"
        );
        for text in [login("a\u{1b}]0;x\u{7}", &url, Some("h\r")), label(&field)] {
            assert!(!text.replace('\n', "").contains(is_control), "{text:?}");
        }
    }

    #[test]
    fn yes_is_what_return_means() {
        for (answer, yes) in [
            ("", true),
            ("y", true),
            ("Yes ", true),
            ("n", false),
            ("no", false),
        ] {
            assert_eq!(is_yes(answer), yes, "{answer}");
        }
    }
}
