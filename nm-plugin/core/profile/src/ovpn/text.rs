//! The bytes of a file as text, in whatever form an editor or a shell has written it.

use crate::problem::Warning;
use aws_client_vpn_text::message;
use aws_client_vpn_text::secret::collected;
use zeroize::Zeroizing;

/// The text of a profile: UTF-8; UTF-16, as PowerShell's `>` writes it; or else Latin-1, in which
/// each byte is a character. A warning says so where it is not UTF-8.
#[must_use]
pub fn decode(bytes: &[u8]) -> (Zeroizing<String>, Option<Warning>) {
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
        let characters = char::decode_utf16(pairs.iter().copied().map(read))
            .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER));
        let warning = message!("The file is in UTF-16 instead of UTF-8 and was converted.");
        (
            collected(2 * bytes.len(), characters),
            Some(Warning::Taken(warning)),
        )
    } else {
        let characters = bytes.iter().copied().map(char::from);
        let warning = message!("The file is not in UTF-8 and was read as Latin-1.");
        (
            collected(2 * bytes.len(), characters),
            Some(Warning::Taken(warning)),
        )
    }
}

/// The text without what cannot be seen and comes along when lines are copied from a web page or a
/// chat: marks of byte order, spaces without width and those at which no line is broken. The lines
/// of an old Mac end with a carriage return alone.
///
/// `None`: all of it can be seen.
pub(super) fn visible(text: &str) -> Option<Zeroizing<String>> {
    let is_of_mac = text.contains('\r') && !text.contains('\n');
    let is_invisible = |c: char| matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}');
    if !is_of_mac && !text.contains(|c: char| c == '\u{a0}' || is_invisible(c)) {
        return None;
    }
    let seen = text.chars().filter(|c| !is_invisible(*c));
    let seen = seen.map(|c| match c {
        '\u{a0}' => ' ',
        '\r' if is_of_mac => '\n',
        other => other,
    });
    Some(collected(text.len(), seen))
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
    fn a_text_does_not_grow_while_it_is_read() {
        let text = "Zugang für Müller 🙂 \u{20ac}\u{a0}".repeat(300);
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&wide).0.capacity(), 2 * wide.len());
        let seen = visible(&text).unwrap();
        assert_eq!(seen.capacity(), text.len());
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
            let seen = visible(text);
            assert_eq!(
                seen.as_ref().map_or(text, |seen| seen),
                expected,
                "{text:?}"
            );
        }
        assert_eq!(visible("client\n"), None);
    }

    #[test]
    fn half_a_character_at_the_end_is_left_out() {
        assert_eq!(*decode(b"\xff\xfea\0b").0, "\u{feff}a");
        assert_eq!(*decode(b"\xff\xfe\x00\xd8").0, "\u{feff}\u{fffd}");
    }
}
