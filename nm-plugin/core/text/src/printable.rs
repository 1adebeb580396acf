//! Text of others, as it can be shown and logged.

/// The most bytes of a line: it may come from a user's process and go into root's log.
pub const LINE_LIMIT: usize = 400;

/// A text in one line of at most [`LINE_LIMIT`] bytes, without control characters.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
    {
        if line.len() + character.len_utf8() > LINE_LIMIT {
            break;
        }
        line.push(character);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line() {
        assert_eq!(one_line(" a\tb\nc\u{1b}[2J\r\n"), "a b c [2J");
        assert_eq!(one_line(" \n"), "");
    }

    #[test]
    fn a_line_has_its_most_bytes_in_whole_characters() {
        let longest = "x".repeat(LINE_LIMIT);
        assert_eq!(one_line(&longest), longest);
        assert_eq!(one_line(&format!("{longest}y")), longest);
        let one_less = &longest[1..];
        assert_eq!(one_line(&format!("{one_less}é")), one_less);
        let two_less = &longest[2..];
        assert_eq!(one_line(&format!("{two_less}éz")), format!("{two_less}é"));
    }
}
