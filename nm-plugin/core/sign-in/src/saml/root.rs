//! The root element of a SAML message: its name and its attributes. Nothing further in is read, and
//! nothing is trusted for it: what is signed is for the endpoint to check.

use std::borrow::Cow;

/// More than any provider writes in front of a message.
const LONGEST_TAG: usize = 16 * 1024;

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Root<'a> {
    name: &'a str,
    attributes: &'a str,
}

impl<'a> Root<'a> {
    /// The root element of a document in UTF-8, if it has one. A document type is not looked past:
    /// no SAML message may have one.
    pub(super) fn of(document: &'a [u8]) -> Option<Self> {
        let document = document
            .strip_prefix("\u{feff}".as_bytes())
            .unwrap_or(document);
        // What follows the tag need not be text.
        let start = document.get(..LONGEST_TAG).unwrap_or(document);
        let text = start.utf8_chunks().next()?.valid();
        let mut rest = text.trim_start();
        loop {
            let (from, end) = if rest.starts_with("<?") {
                (2, "?>")
            } else if rest.starts_with("<!--") {
                (4, "-->")
            } else {
                break;
            };
            rest = rest.get(from..)?.split_once(end)?.1.trim_start();
        }
        let tag = rest.strip_prefix('<')?;
        let end = tag.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))?;
        let (name, attributes) = tag.split_at(end);
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
        (!name.is_empty() && name.chars().all(is_name)).then_some(Self { name, attributes })
    }

    /// The element's name without the prefix of a namespace.
    pub(super) fn local_name(&self) -> &'a str {
        self.name.rsplit(':').next().unwrap_or_default()
    }

    /// The value of an attribute without a namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.attributes.trim_start();
        loop {
            let (found, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, next) = after.get(1..)?.split_once(quote)?;
            let found = found.trim();
            if found.contains(['<', '>']) {
                // The tag has ended before.
                return None;
            }
            if found == name {
                return Some(unescaped(value));
            }
            rest = next.trim_start();
        }
    }
}

/// The five entities that XML knows without a declaration. An identifier has none of them.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut text = value.to_owned();
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entity_stands_for_its_character_once() {
        for (value, text) in [
            ("plain; text", "plain; text"),
            ("&lt;a b=&quot;c&apos;&gt; &amp; d", "<a b=\"c'> & d"),
            ("&amp;lt;", "&lt;"),
            ("&unknown;", "&unknown;"),
        ] {
            assert_eq!(unescaped(value), text);
        }
    }
    use proptest::prelude::*;

    fn attribute(document: &str, name: &str) -> Option<String> {
        Root::of(document.as_bytes())?
            .attribute(name)
            .map(Cow::into_owned)
    }

    #[test]
    fn the_root_is_found_behind_what_may_stand_before_it() {
        for document in [
            "<samlp:Response InResponseTo=\"_1\">",
            "\u{feff}<?xml version='1.0'?>\n<!-- <a> -->\n<Response\n a='>' InResponseTo = '_1' />",
            "<x:Response xmlns:x=\"urn:x\" x:InResponseTo=\"no\" InResponseTo=\"_1\"><b/>",
        ] {
            let root = Root::of(document.as_bytes()).unwrap();
            assert_eq!(root.local_name(), "Response", "{document}");
            assert_eq!(
                root.attribute("InResponseTo").as_deref(),
                Some("_1"),
                "{document}"
            );
        }
    }

    #[test]
    fn what_is_no_document_has_no_root() {
        for document in [
            "",
            "SAML",
            "<",
            "<>",
            "<?xml",
            "<!-- a",
            "<!DOCTYPE a><a>",
            "< a>",
            "<a",
        ] {
            assert_eq!(Root::of(document.as_bytes()), None, "{document}");
        }
        assert_eq!(Root::of(b"\xff<a>"), None);
    }

    #[test]
    fn an_attribute_further_in_is_none_of_the_root_s() {
        for document in [
            "<Response><b InResponseTo=\"_1\"/>",
            "<Response a=\"1\"><b InResponseTo=\"_1\"/>",
            "<Response a=1 InResponseTo=\"_1\">",
            "<Response a=\"InResponseTo='_1'\">",
            "<Response a=\"x",
        ] {
            assert_eq!(attribute(document, "InResponseTo"), None, "{document}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(document in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(root) = Root::of(&document) {
                let _ = (root.local_name(), root.attribute("ID"));
            }
        }

        #[test]
        fn any_tag_is_survived(rest in "[a='\"<>/ \\PC]{0,60}") {
            let document = format!("<Response {rest}");
            let _ = attribute(&document, "a");
        }
    }
}
