//! A line of a profile to its words, as OpenVPN's own parser takes it (options.c, parse_line).

/// The longest line OpenVPN reads, in bytes without its end (OPTION_LINE_SIZE counts the end, and
/// a NUL; measured with 2.6.14).
pub(crate) const LINE_LIMIT: usize = 254;
/// The most words of a line, the directive among them (MAX_PARMS).
pub(crate) const WORD_LIMIT: usize = 16;

/// Why a line has no words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadLine {
    TooLong,
    TooManyWords,
    OpenQuote,
    Backslash,
    ControlCharacter,
}

/// What ends the word that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Space,
    Quote,
    Apostrophe,
}

/// Splits a line; a comment or an empty line has none. A quotation mark means something at the
/// start of a word only, and a backslash only before a space, a quotation mark or a backslash.
pub(crate) fn split(line: &str) -> Result<Vec<String>, BadLine> {
    if line.trim_start().starts_with(['#', ';']) {
        return Ok(Vec::new());
    }
    if line.len() > LINE_LIMIT {
        return Err(BadLine::TooLong);
    }
    let mut words = Vec::new();
    let mut characters = line.chars().peekable();
    loop {
        while characters.next_if(|c| is_space(*c)).is_some() {}
        let end = match characters.peek() {
            None | Some('#' | ';') => break,
            Some('"') => End::Quote,
            Some('\'') => End::Apostrophe,
            Some(_) => End::Space,
        };
        if end != End::Space {
            characters.next();
        }
        let mut word = String::new();
        loop {
            match (characters.next(), end) {
                (Some('\\'), End::Space | End::Quote) => word.push(
                    characters
                        .next_if(|c| *c == '\\' || *c == '"' || is_space(*c))
                        .ok_or(BadLine::Backslash)?,
                ),
                (Some('"'), End::Quote) | (Some('\''), End::Apostrophe) | (None, End::Space) => {
                    break;
                }
                (Some(character), End::Space) if is_space(character) => break,
                (Some(character), _) => word.push(character),
                (None, End::Quote | End::Apostrophe) => return Err(BadLine::OpenQuote),
            }
        }
        if word.chars().any(char::is_control) {
            return Err(BadLine::ControlCharacter);
        }
        words.push(word);
        if words.len() > WORD_LIMIT {
            return Err(BadLine::TooManyWords);
        }
    }
    Ok(words)
}

/// As C's `isspace` without a locale.
fn is_space(character: char) -> bool {
    character.is_ascii_whitespace() || character == '\u{b}'
}

/// Writes words so that [`split`] and OpenVPN read the same ones back.
pub fn join<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|o| o.is_ascii_alphanumeric() || b"-_.:/,+=@%!~".contains(&o))
    };
    let words: Vec<String> = words
        .into_iter()
        .map(|word| {
            if plain(word) {
                word.to_owned()
            } else {
                format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
            }
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_backslashes_and_comments() {
        let table: [(&str, &[&str]); 10] = [
            ("  remote  a.b 443 # x", &["remote", "a.b", "443"]),
            ("; all a comment", &[]),
            ("", &[]),
            (
                r#"static-challenge "Enter MFA code " 1"#,
                &["static-challenge", "Enter MFA code ", "1"],
            ),
            (r#"'lo'"g" x"#, &["lo", "g", "x"]),
            (r#""log" a\ b"#, &["log", "a b"]),
            (r#"rem"ote" it's"#, &["rem\"ote\"", "it's"]),
            ("x '' \"\" \u{a0}", &["x", "", "", "\u{a0}"]),
            (r"x 'a\b'", &["x", r"a\b"]),
            ("a b#c", &["a", "b#c"]),
        ];
        for (line, words) in table {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn what_openvpn_would_not_take_is_refused() {
        assert_eq!(split(&"x".repeat(255)), Err(BadLine::TooLong));
        assert_eq!(split(&format!(" #{}", "x".repeat(5000))), Ok(Vec::new()));
        assert_eq!(split(&"x ".repeat(17)), Err(BadLine::TooManyWords));
        assert_eq!(split("a \"b"), Err(BadLine::OpenQuote));
        assert_eq!(split("a\\"), Err(BadLine::Backslash));
        assert_eq!(split("l\\og x"), Err(BadLine::Backslash));
        assert_eq!(split("a \"\u{1b}\""), Err(BadLine::ControlCharacter));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(words in proptest::collection::vec("[ -~äß]{0,12}", 1..8)) {
            let line = join(words.iter().map(String::as_str));
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(split(&line).unwrap(), words);
        }
    }
}
