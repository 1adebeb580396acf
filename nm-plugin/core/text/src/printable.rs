//! Foreign text, made safe to show and to log.

/// The most bytes of a line: it may come from a user's process and go into root's log.
pub const LINE_LIMIT: usize = 400;

/// Whether a character is none to be read, but changes what others look like: control characters, line
/// separators, and what turns the direction of writing, so that a name reads as another one.
pub fn is_control(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    ) || character.is_control()
}

/// `text` without anything that a terminal or a log would obey.
pub fn printable(text: &str) -> String {
    text.replace(is_control, " ")
}

/// A text in one line of at most [`LINE_LIMIT`] bytes, without control characters.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in printable(text.trim()).chars() {
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
    fn nothing_turns_the_direction_of_writing() {
        for control in [
            "\u{61c}", "\u{200f}", "\u{202e}", "\u{2028}", "\u{2066}", "\u{2069}", "\u{1b}",
        ] {
            assert_eq!(printable(&format!("a{control}b")), "a b");
        }
        let names = "Zoë’s 会社 “Büro” – עברית 👩‍💻";
        assert_eq!(printable(names), names);
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
