//! What is pressed on an American keyboard for a character, in QEMU's names of the keys.

/// Keys that are no letter or digit: what they type alone, with Shift, and their names.
const OTHERS: [(char, char, &str); 11] = [
    ('-', '_', "minus"),
    ('=', '+', "equal"),
    ('[', '{', "bracket_left"),
    (']', '}', "bracket_right"),
    (';', ':', "semicolon"),
    ('\'', '"', "apostrophe"),
    ('`', '~', "grave_accent"),
    ('\\', '|', "backslash"),
    (',', '<', "comma"),
    ('.', '>', "dot"),
    ('/', '?', "slash"),
];
/// What the digits type with Shift, from 0 on.
const SHIFTED_DIGITS: [char; 10] = [')', '!', '@', '#', '$', '%', '^', '&', '*', '('];

/// The keys, held together in this order.
pub(crate) fn of(character: char) -> Vec<String> {
    let digit = SHIFTED_DIGITS
        .iter()
        .position(|shifted| *shifted == character);
    let other = OTHERS
        .iter()
        .find(|(plain, shifted, _)| [*plain, *shifted].contains(&character));
    let (is_shifted, key) = match (character, digit, other) {
        (' ', ..) => (false, "spc".to_owned()),
        ('\n', ..) => (false, "ret".to_owned()),
        ('\t', ..) => (false, "tab".to_owned()),
        (_, Some(digit), _) => (true, digit.to_string()),
        (_, _, Some((_, shifted, name))) => (*shifted == character, (*name).to_owned()),
        _ => {
            assert!(
                character.is_ascii_alphanumeric(),
                "no key for {character:?}"
            );
            let key = character.to_ascii_lowercase().to_string();
            (character.is_ascii_uppercase(), key)
        }
    };
    let shift = is_shifted.then(|| "shift".to_owned());
    shift.into_iter().chain([key]).collect()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn every_character_has_keys_of_its_own() {
        let mut all: Vec<_> = (' '..='~').map(of).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), (' '..='~').count());
        assert_eq!(of('*'), ["shift", "8"]);
        assert_eq!(of('>'), ["shift", "dot"]);
    }
}
