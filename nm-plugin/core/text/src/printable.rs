//! Text of others, as it can be shown and logged.

/// The most octets of a line: it may come from a user's process and go into root's log.
pub const LINE_LIMIT: usize = 400;

/// A text in one line of at most [`LINE_LIMIT`] octets, without control characters.
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

/// With a capital at its start and a full stop at its end.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let mut sentence: String = characters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    sentence.push_str(characters.as_str());
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_and_ends_as_one() {
        for (text, expected) in [
            ("it is so", "It is so."),
            ("étrange!", "Étrange!"),
            ("One. Two.", "One. Two."),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }
}
