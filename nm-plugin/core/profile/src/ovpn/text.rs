//! The bytes of a file as text, in whatever form an editor or a shell has written it.

use crate::problem::Note;
use aws_client_vpn_text::message;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// The text of a profile: UTF-8; UTF-16, as PowerShell's `>` writes it; or else Latin-1, in which
/// each byte is a character. A note says so where it is not UTF-8.
#[must_use]
pub fn decode(bytes: &[u8]) -> (Zeroizing<String>, Option<Note>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        // Half of the bytes of a text in UTF-16 are zero, and none of any other text.
        if !text.contains('\0') {
            return (Zeroizing::new(text.to_owned()), None);
        }
    }
    let read: Option<fn([u8; 2]) -> u16> = match bytes {
        [0xff, 0xfe, ..] | [_, 0, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, _, ..] => Some(u16::from_be_bytes),
        _ => None,
    };
    if let Some(read) = read {
        let (pairs, _) = bytes.as_chunks::<2>();
        let text = char::decode_utf16(pairs.iter().copied().map(read))
            .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        let note = message!("The file is in UTF-16 instead of UTF-8 and was converted.");
        (Zeroizing::new(text), Some(Note::Taken(note)))
    } else {
        let text = bytes.iter().copied().map(char::from).collect();
        let note = message!("The file is not in UTF-8 and was read as Latin-1.");
        (Zeroizing::new(text), Some(Note::Taken(note)))
    }
}

/// The text without what cannot be seen and comes along when lines are copied from a web page or a
/// chat: marks of byte order, spaces without width and those at which no line is broken. The lines
/// of an old Mac end with a carriage return alone.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let is_of_mac = text.contains('\r') && !text.contains('\n');
    let is_invisible = |c: char| matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}');
    if !is_of_mac && !text.contains(|c: char| c == '\u{a0}' || is_invisible(c)) {
        return Cow::Borrowed(text);
    }
    let seen = text.chars().filter(|c| !is_invisible(*c));
    let seen = seen.map(|c| match c {
        '\u{a0}' => ' ',
        '\r' if is_of_mac => '\n',
        other => other,
    });
    Cow::Owned(seen.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_in_every_form() {
        let text = "\u{feff}# Zugang für Müller 🙂\r\nclient\r\n";
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [text.as_bytes(), &little, &big] {
            assert_eq!(*decode(bytes).0, text);
        }
        // Without the mark at its beginning.
        assert_eq!(*decode(&little[2..]).0, text["\u{feff}".len()..]);
        assert_eq!(*decode(b"# f\xfcr\n").0, "# für\n");
        assert!(decode(text.as_bytes()).1.is_none());
        assert!(decode(&little).1.is_some() && decode(b"\xfc").1.is_some());
    }

    #[test]
    fn what_cannot_be_seen_is_left_out() {
        for (text, expected) in [
            ("client\r\ndev tun", "client\r\ndev tun"),
            ("client\rdev tun\r", "client\ndev tun\n"),
            (
                "\u{feff}client\n\u{200b}dev\u{a0}tun\u{2060}",
                "client\ndev tun",
            ),
        ] {
            assert_eq!(visible(text), expected, "{text:?}");
        }
        assert!(matches!(visible("client\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn half_a_character_at_the_end_is_left_out() {
        assert_eq!(*decode(b"\xff\xfea\0b").0, "\u{feff}a");
        assert_eq!(*decode(b"\xff\xfe\x00\xd8").0, "\u{feff}\u{fffd}");
    }
}
