//! The text an endpoint wants its users to read, out of what it pushes as `echo`.
//!
//! AWS's own client shows a login banner that comes this way; in which form is not known. So the
//! `msg` words of OpenVPN GUI are understood, and sentences without one. All else is for programs,
//! and is reported, so that a support engineer can see what it was.

use aws_client_vpn_text::printable::printable;

/// The longest banner; AWS allows 1400 characters.
const LENGTH_LIMIT: usize = 8192;
/// How much of what is not understood is reported, in characters.
const REPORT_LENGTH: usize = 200;

/// What was pushed so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Banner(String);

impl Banner {
    /// Takes in one pushed `echo`. What is not understood comes back, fit for a log.
    pub(crate) fn push(&mut self, echo: &str) -> Result<(), String> {
        let echo = printable(echo);
        let echo = echo.trim_start();
        let (word, rest) = echo.split_once(' ').unwrap_or((echo, ""));
        let (text, end) = match word {
            "" => return Ok(()),
            // More of the line follows.
            "msg-n" => (rest, ""),
            // The last two end a message with its title.
            "msg" | "msg-window" | "msg-notify" => (rest, "\n"),
            "setenv" => return Err(report(echo)),
            _ if is_sentence(echo) => (echo, "\n"),
            _ => return Err(report(echo)),
        };
        if self.0.len() + text.len() + end.len() <= LENGTH_LIMIT {
            self.0.push_str(text);
            self.0.push_str(end);
        }
        Ok(())
    }

    /// The text, if there is any.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.0.trim()).filter(|text| !text.is_empty())
    }
}

fn report(echo: &str) -> String {
    echo.trim_end().chars().take(REPORT_LENGTH).collect()
}

/// Several words, and not a structure for programs.
fn is_sentence(text: &str) -> bool {
    text.starts_with(char::is_alphanumeric) && text.trim_end().contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn banner(echoes: &[&str]) -> (Option<String>, Vec<String>) {
        let mut banner = Banner::default();
        let unknown = echoes.iter().filter_map(|echo| banner.push(echo).err());
        let unknown = unknown.collect();
        (banner.text().map(str::to_owned), unknown)
    }

    #[test]
    fn text_is_shown() {
        for (echoes, expected) in [
            (&["Authorised use only."][..], Some("Authorised use only.")),
            (&["msg Authorised use only."], Some("Authorised use only.")),
            (&["msg Restricted"], Some("Restricted")),
            (
                &["msg-n Authorised ", "msg use of this network only"],
                Some("Authorised use of this network only"),
            ),
            (
                &["msg Be nice", "msg", "msg Always", "msg-window Rules"],
                Some("Be nice\n\nAlways\nRules"),
            ),
            (
                &["100% of traffic is logged"],
                Some("100% of traffic is logged"),
            ),
            (&["", " ", "msg"], None),
            (
                &["Willkommen im Büro,\u{1b}[1m für alle"],
                Some("Willkommen im Büro, [1m für alle"),
            ),
        ] {
            let expected = (expected.map(str::to_owned), vec![]);
            assert_eq!(banner(echoes), expected, "{echoes:?}");
        }
    }

    #[test]
    fn what_is_for_programs_is_reported_and_not_shown() {
        for echo in [
            "forget-passwords",
            "{\"cre\": true}",
            "cre",
            "10.0.0.0/8",
            "setenv OPENVPN_X some thing",
            "<a href=x>click this link</a>",
            "Welcome%20to%20Example",
        ] {
            assert_eq!(banner(&[echo]), (None, vec![echo.to_owned()]));
        }
    }

    #[test]
    fn its_length_is_bounded() {
        let mut banner = Banner::default();
        for number in 0..1000 {
            let _ = banner.push(&format!("line {number} of a very long text"));
        }
        assert!(banner.text().is_some_and(|text| text.len() <= LENGTH_LIMIT));
        let most = "x".repeat(LENGTH_LIMIT);
        for (echo, length) in [
            (format!("msg-n {most}"), LENGTH_LIMIT),
            (format!("msg-n {most}x"), 0),
            // With the end of the line.
            (format!("msg {}", &most[1..]), LENGTH_LIMIT - 1),
            (format!("msg {most}"), 0),
        ] {
            let mut banner = Banner::default();
            assert_eq!(banner.push(&echo), Ok(()));
            assert_eq!(banner.text().map_or(0, str::len), length);
            assert_eq!(banner.push("msg-n y"), Ok(()));
            let text = banner.text().unwrap();
            assert_eq!(text.ends_with('y'), length == 0);
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_or_holds_control_characters(echo in "\\PC{0,40}|(%[0-9a-f]{0,2}|[a-z \\x00-\\x1f]){0,20}") {
            let mut banner = Banner::default();
            let unknown = banner.push(&echo).err().unwrap_or_default();
            let shown = banner.text().unwrap_or_default();
            let escape = char::from(0x1b);
            prop_assert!(!unknown.contains(escape) && !shown.contains(escape));
        }
    }
}
