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
