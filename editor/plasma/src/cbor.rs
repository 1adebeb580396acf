//! As much of CBOR (RFC 8949) as plugin metadata takes, written while the compiler runs.

/// The key of an entry.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    /// One of Qt's own.
    Number(u8),
    Text(&'static str),
}

/// What stands under a key.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    Text(&'static str),
    Map(Map),
}

/// Entries in their order.
pub(crate) type Map = &'static [(Key, Item)];

/// The major types.
const NUMBER: u8 = 0;
const TEXT: u8 = 3;
const MAP: u8 = 5;

/// Bytes that are written one after the other; more than `N` do not compile.
pub(crate) struct Encoded<const N: usize> {
    pub(crate) bytes: [u8; N],
    pub(crate) length: usize,
}

/// Encodes a map.
pub(crate) const fn encode<const N: usize>(entries: Map) -> Encoded<N> {
    let mut encoded = Encoded {
        bytes: [0; N],
        length: 0,
    };
    encoded.map(entries);
    encoded
}

impl<const N: usize> Encoded<N> {
    const fn map(&mut self, entries: Map) {
        self.head(MAP, entries.len());
        let mut rest = entries;
        while let [(key, item), others @ ..] = rest {
            match key {
                Key::Number(number) => self.head(NUMBER, *number as usize),
                Key::Text(text) => self.text(text),
            }
            match item {
                Item::Text(text) => self.text(text),
                Item::Map(entries) => self.map(entries),
            }
            rest = others;
        }
    }

    const fn text(&mut self, text: &str) {
        self.head(TEXT, text.len());
        let mut rest = text.as_bytes();
        while let [byte, others @ ..] = rest {
            self.byte(*byte);
            rest = others;
        }
    }

    /// A major type with its argument: a number, or how much follows.
    const fn head(&mut self, major: u8, argument: usize) {
        assert!(argument <= 0xff, "longer arguments are not needed here");
        if argument < 24 {
            self.byte(major << 5 | argument as u8);
        } else {
            self.byte(major << 5 | 24);
            self.byte(argument as u8);
        }
    }

    const fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, Key, encode};

    /// The examples of RFC 8949, appendix A, put together.
    #[test]
    fn a_map_is_encoded_as_the_standard_says() {
        let encoded = encode::<16>(&[
            (Key::Number(2), Item::Text("IETF")),
            (
                Key::Text("a"),
                Item::Map(&[(Key::Number(24), Item::Text(""))]),
            ),
        ]);
        assert_eq!(
            encoded.bytes[..encoded.length],
            *b"\xa2\x02\x64IETF\x61a\xa1\x18\x18\x60"
        );
    }
}
