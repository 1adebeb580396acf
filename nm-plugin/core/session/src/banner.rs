//! The text an endpoint wants its users to read, out of what it pushes as `echo`.
//!
//! AWS's own client shows a login banner that comes this way; in which form is not known. So what
//! reads like text is taken for it, with or without the `msg` words of OpenVPN GUI, and what does
//! not is reported, so that a support engineer can see what it was.

/// The longest banner; AWS allows 1400 characters.
const LENGTH_LIMIT: usize = 8192;
/// Words of OpenVPN GUI that a line of text follows; the last two end a message with a title.
const TEXT_WORDS: [&str; 2] = ["msg", "msg-n"];
const TITLE_WORDS: [&str; 2] = ["msg-window", "msg-notify"];
/// What else comes as `echo`, for programs.
const ORDERS: [&str; 3] = [
    "forget-passwords",
    "save-passwords",
    "disable-save-passwords",
];

/// What was pushed so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Banner(String);

impl Banner {
    /// Takes in one pushed `echo`. What is not understood comes back, fit for a log.
    pub(crate) fn push(&mut self, echo: &str) -> Result<(), String> {
        let echo = echo.trim();
        if echo.is_empty() {
            return Ok(());
        }
        let (word, rest) = echo.split_once(char::is_whitespace).unwrap_or((echo, ""));
        let (text, ends_line) = if word == "msg-n" {
            (rest, false)
        } else if TEXT_WORDS.contains(&word) || TITLE_WORDS.contains(&word) {
            (rest.trim_start(), true)
        } else {
            (echo, true)
        };
        let text = printable(&decoded(text));
        if ORDERS.contains(&word) || word == "setenv" || !reads_like_text(&text) {
            return Err(printable(echo).chars().take(200).collect());
        }
        // After a soft restart everything is pushed once more.
        if self.0.contains(text.trim()) || self.0.len() + text.len() > LENGTH_LIMIT {
            return Ok(());
        }
        self.0.push_str(&text);
        if ends_line {
            self.0.push('\n');
        }
        Ok(())
    }

    /// The text, if there is any.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.0.trim_end()).filter(|text| !text.is_empty())
    }
}

/// Pushed options can hold no line ends and no commas, so a sender has to write them otherwise.
fn decoded(text: &str) -> String {
    let is_percent = |escape: &str| {
        let mut octets = escape.bytes();
        let hex = |octet: Option<u8>| octet.is_some_and(|octet| octet.is_ascii_hexdigit());
        hex(octets.next()) && hex(octets.next())
    };
    let escapes = text.match_indices('%').collect::<Vec<_>>();
    let all_valid = escapes
        .iter()
        .all(|(at, _)| text.get(at + 1..at + 3).is_some_and(is_percent));
    let mut decoded = if !escapes.is_empty() && all_valid {
        percent_decoded(text).unwrap_or_else(|| text.to_owned())
    } else {
        text.to_owned()
    };
    decoded = decoded.replace("\\n", "\n");
    decoded
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            octets.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            octets.push(octet);
        }
    }
    String::from_utf8(octets).ok()
}

fn printable(text: &str) -> String {
    let keep = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    text.chars().map(keep).collect()
}

/// Two words at least, mostly of letters, and not a structure for programs.
fn reads_like_text(text: &str) -> bool {
    let text = text.trim();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let characters = text.chars().filter(|c| !c.is_whitespace()).count();
    let words = text.split_whitespace().count();
    let structure = text.starts_with(['{', '[', '<']);
    words >= 2 && letters * 2 > characters && !structure
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
    fn text_is_shown_however_it_comes() {
        for (echoes, expected) in [
            (&["Authorised use only."][..], "Authorised use only."),
            (&["msg Authorised use only."], "Authorised use only."),
            (&["msg-n Authorised ", "msg use of this network only"], ""),
            (
                &["Welcome%20to%20Example%2C%20Inc.%0ABe%20nice"],
                "Welcome to Example, Inc.\nBe nice",
            ),
            (&["Be nice\\nalways"], "Be nice\nalways"),
            (&["100% of traffic is logged"], "100% of traffic is logged"),
            (&["", "", ""], ""),
            (
                &["One line here", "One line here", "Another line"],
                "One line here\nAnother line",
            ),
            (
                &["Willkommen im Büro, für alle"],
                "Willkommen im Büro, für alle",
            ),
        ] {
            let (text, unknown) = banner(echoes);
            if !expected.is_empty() {
                assert_eq!(text.as_deref(), Some(expected));
            }
            assert!(unknown.is_empty() || expected.is_empty(), "{unknown:?}");
        }
        assert_eq!(banner(&["", "", ""]), (None, vec![]));
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
