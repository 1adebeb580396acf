//! Texts in a Rust file, by its tokens.

use crate::Text;
use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};
use std::io;
use std::path::Path;

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Found {
    /// Texts that are in the catalogue.
    pub texts: Vec<Text>,
    /// Texts that look as if a person were to read them and are not.
    pub strays: Vec<String>,
    /// Texts whose placeholders are not the values that are given with them.
    pub mismatches: Vec<String>,
    /// Texts with what their translators are told: the comment `// TRANSLATORS: …` before one, and
    /// what documents an error and what goes into its text.
    pub notes: Vec<(String, String)>,
}

/// Reads a file; items that are only for tests are left out.
pub fn read(path: &Path) -> io::Result<Found> {
    let text = std::fs::read_to_string(path)?;
    find(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

/// As [`read`], of the text of a file.
pub fn find(text: &str) -> Result<Found, proc_macro2::LexError> {
    let mut found = Found::default();
    found.walk(text.parse::<TokenStream>()?, false);
    found.notes.extend(comments(text, &found.texts));
    Ok(found)
}

/// What begins a comment for translators.
const TRANSLATORS: &str = "// TRANSLATORS: ";

/// Those of `texts` that follow comments for translators, with the comments.
fn comments(source: &str, texts: &[Text]) -> Vec<(String, String)> {
    let mut comments = Vec::new();
    for (position, _) in source.match_indices(TRANSLATORS) {
        let mut rest = source.get(position..).unwrap_or_default();
        let mut note = Vec::new();
        while let Some(comment) = rest.strip_prefix("//") {
            let (line, after) = comment.split_once('\n').unwrap_or((comment, ""));
            note.push(line.trim());
            rest = after.trim_start();
        }
        let note = note.join(" ");
        let note = note.strip_prefix("TRANSLATORS: ").unwrap_or(&note);
        let is_text = |found: &String| texts.iter().any(|text| text.one == *found);
        if let Some(text) = strings(rest).find(is_text) {
            comments.push((text, note.to_owned()));
        }
    }
    comments
}

/// What stands between quotes.
fn strings(mut source: &str) -> impl Iterator<Item = String> {
    std::iter::from_fn(move || {
        let written = source.get(source.find('"')?..)?;
        let mut is_escaped = false;
        let (end, _) = written.char_indices().skip(1).find(|(_, character)| {
            let is_end = *character == '"' && !is_escaped;
            is_escaped = *character == '\\' && !is_escaped;
            is_end
        })?;
        source = written.get(end + 1..).unwrap_or_default();
        let text = syn::parse_str::<syn::LitStr>(written.get(..=end)?);
        Some(text.map_or_else(|_| String::new(), |text| text.value()))
    })
}

/// Macros whose texts are for developers or for the log.
const NOT_FOR_USERS: &str = "assert assert_eq assert_ne debug debug_assert error g_critical g_debug \
    g_info g_warning info panic trace unreachable warn";

impl Found {
    /// `localized`: in an error whose texts are for users.
    fn walk(&mut self, tokens: TokenStream, localized: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut derives = false;
        let mut documented = Vec::new();
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            let next = tokens.get(index + 1);
            let after = tokens.get(index + 2);
            index += 1;
            match (token, next, after) {
                (TokenTree::Punct(hash), Some(TokenTree::Group(attribute)), _)
                    if hash.as_char() == '#' =>
                {
                    index += 1;
                    documented.extend(documentation(attribute));
                    let words = idents(attribute.stream());
                    match words.first().map(String::as_str) {
                        Some("cfg") if words.iter().any(|word| word == "test") => {
                            index += item_length(tokens.get(index..).unwrap_or_default());
                        }
                        Some("derive") => derives |= words.iter().any(|word| word == "Localize"),
                        Some("error") => {
                            let rest = tokens.get(index..).unwrap_or_default();
                            self.error(attribute, localized || derives, &documented, rest);
                        }
                        _ => {}
                    }
                    continue;
                }
                (
                    TokenTree::Punct(hash),
                    Some(TokenTree::Punct(bang)),
                    Some(TokenTree::Group(_)),
                ) if hash.as_char() == '#' && bang.as_char() == '!' => {
                    index += 2;
                }
                (TokenTree::Ident(name), Some(TokenTree::Punct(bang)), Some(after))
                    if bang.as_char() == '!' =>
                {
                    match (name.to_string().as_str(), after) {
                        ("macro_rules", _) => index += 3,
                        (name, TokenTree::Group(arguments)) => {
                            index += 2;
                            self.call(name, arguments, localized);
                        }
                        _ => {}
                    }
                }
                (TokenTree::Ident(name), Some(TokenTree::Group(group)), _)
                    if matches!(name.to_string().as_str(), "expect" | "expect_err")
                        && group.delimiter() == Delimiter::Parenthesis =>
                {
                    index += 1;
                }
                (TokenTree::Group(group), _, _) => {
                    let body = group.delimiter() == Delimiter::Brace;
                    self.walk(group.stream(), localized || (derives && body));
                    derives &= !body;
                }
                (TokenTree::Literal(literal), _, _) => {
                    self.strays
                        .extend(string(literal).filter(|text| is_for_people(text)));
                }
                _ => {}
            }
            documented.clear();
        }
    }

    /// `#[error("…")]`: what errors say is for users if it is `localized`. It is `documented`, and
    /// `rest` follows it.
    fn error(
        &mut self,
        attribute: &Group,
        localized: bool,
        documented: &[String],
        rest: &[TokenTree],
    ) {
        for token in attribute.stream() {
            if let TokenTree::Group(arguments) = token {
                let first = arguments.stream().into_iter().next();
                if let Some(TokenTree::Literal(literal)) = first {
                    let text = string(&literal).filter(|text| !is_placeholder(text));
                    let Some(text) = text else { continue };
                    if !localized {
                        self.strays.push(text);
                        continue;
                    }
                    let mut notes = vec![documented.join(" ")];
                    let fields = fields(rest).into_iter();
                    let used = placeholders(&text);
                    notes.extend(fields.filter_map(|(name, documented)| {
                        used.contains(&name)
                            .then(|| format!("{{{name}}}: {documented}"))
                    }));
                    for note in notes.into_iter().filter(|note| !note.is_empty()) {
                        self.notes.push((text.clone(), note));
                    }
                    self.texts.push(Text {
                        one: text,
                        many: None,
                    });
                }
            }
        }
    }

    /// A macro is called.
    fn call(&mut self, name: &str, arguments: &Group, localized: bool) {
        let texts = match name {
            "gettext" | "message" | "gettext_noop" => 1,
            "ngettext" => 2,
            _ => {
                let strays = self.strays.len();
                self.walk(arguments.stream(), localized);
                if NOT_FOR_USERS.split(' ').any(|own| own == name) {
                    self.strays.truncate(strays);
                }
                return;
            }
        };
        let tokens: Vec<TokenTree> = arguments.stream().into_iter().collect();
        let is_text = |token: &TokenTree| match token {
            TokenTree::Literal(literal) => string(literal).is_some(),
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) => false,
        };
        let Some(start) = tokens.iter().position(is_text) else {
            self.walk(arguments.stream(), localized);
            return;
        };
        // "text" [, "texts"] [, name = value]…
        let own = tokens.get(start..).unwrap_or_default();
        let mut found = own
            .iter()
            .step_by(2)
            .take(texts)
            .filter_map(|token| match token {
                TokenTree::Literal(literal) => string(literal),
                TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) => None,
            });
        let (Some(one), many) = (found.next(), found.next()) else {
            return;
        };
        let rest = own.get(texts * 2 - 1..).unwrap_or_default();
        let mut names = value_names(rest);
        if name == "ngettext" {
            names.push("count".to_owned());
        }
        names.sort();
        for text in std::iter::once(&one).chain(&many) {
            if name != "gettext_noop" && placeholders(text) != names {
                self.mismatches.push(text.clone());
            }
        }
        self.texts.push(Text { one, many });
        self.walk(rest.iter().cloned().collect(), localized);
    }
}

/// What a `///` says.
fn documentation(attribute: &Group) -> Option<String> {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name), _, TokenTree::Literal(text)] if name == "doc" => {
            Some(string(text)?.trim().to_owned())
        }
        _ => None,
    }
}

/// The documented fields with names of what follows an `#[error(…)]`: of a variant, or of a struct.
fn fields(rest: &[TokenTree]) -> Vec<(String, String)> {
    let begins = |token: &&TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() != Delimiter::Bracket,
        TokenTree::Punct(punct) => matches!(punct.as_char(), ',' | ';'),
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    let Some(TokenTree::Group(body)) = rest.iter().find(begins) else {
        return Vec::new();
    };
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let mut fields = Vec::new();
    let mut documented: Vec<String> = Vec::new();
    for pair in tokens.windows(2) {
        match pair {
            [TokenTree::Punct(hash), TokenTree::Group(attribute)] if hash.as_char() == '#' => {
                documented.extend(documentation(attribute));
            }
            [TokenTree::Ident(name), TokenTree::Punct(colon)]
                if colon.as_char() == ':' && !documented.is_empty() =>
            {
                fields.push((name.to_string(), documented.join(" ")));
                documented.clear();
            }
            _ => {}
        }
    }
    fields
}

/// `, name = value, …`: the names.
fn value_names(tokens: &[TokenTree]) -> Vec<String> {
    let is = |token: Option<&TokenTree>, character: char| {
        matches!(token, Some(TokenTree::Punct(punct))
            if punct.as_char() == character && punct.spacing() == proc_macro2::Spacing::Alone)
    };
    tokens
        .windows(3)
        .filter(|three| is(three.first(), ',') && is(three.get(2), '='))
        .filter_map(|three| three.get(1).map(ToString::to_string))
        .collect()
}

/// The placeholders of a text, sorted, each once.
#[must_use]
pub fn placeholders(text: &str) -> Vec<String> {
    let mut names: Vec<String> = text
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Whether there is nothing to translate: another text goes in.
fn is_placeholder(text: &str) -> bool {
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.contains(['{', '}']))
}

fn idents(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) => vec![ident.to_string()],
            TokenTree::Group(group) => idents(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        })
        .collect()
}

/// How many tokens the item has that begins here.
fn item_length(tokens: &[TokenTree]) -> usize {
    let end = tokens.iter().position(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    });
    end.map_or(tokens.len(), |end| end + 1)
}

fn string(literal: &Literal) -> Option<String> {
    let written = literal.to_string();
    written.starts_with(['"', 'r']).then_some(())?;
    let text = syn::parse_str::<syn::LitStr>(&written).ok()?;
    Some(text.value())
}

/// Whether a text looks as if a person were to read it: several words, or one with a capital.
fn is_for_people(text: &str) -> bool {
    let text = aws_client_vpn_text::message::fill(text, |_| Some(String::new()));
    let word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() > 1;
    let several = text.split_whitespace().filter(word).count() > 1;
    let mut characters = text.trim_start_matches('_').chars();
    let capital = characters.next().is_some_and(char::is_uppercase)
        && text.chars().count() > 2
        && characters.all(|c| c.is_lowercase() || "_…:.!?".contains(c));
    several || capital
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones(found: &Found) -> Vec<&str> {
        found.texts.iter().map(|text| text.one.as_str()).collect()
    }

    #[test]
    fn texts_are_found_wherever_they_stand() {
        let found = find(
            r##"
            #[derive(Debug, Error, Localize)]
            enum A {
                /// Not this one.
                #[error("of \
                         an error")]
                One,
            }
            #[derive(Error, Localize)]
            enum C { #[error("{0}")] One(String) }
            const REASON: &str = gettext_noop!("a reason");
            fn f() {
                g(i18n::gettext!(r#"raw "text""#), &[gettext!("outer {a}", a = gettext!("inner"))]);
                ngettext!(days(7), "{count} day", "{count} days");
            }
            #[cfg(test)]
            mod tests { fn t() { gettext!("of a test"); } }
            "##,
        )
        .unwrap();
        let expected = [
            "of an error",
            "a reason",
            "raw \"text\"",
            "outer {a}",
            "inner",
            "{count} day",
        ];
        assert_eq!(ones(&found), expected);
        assert_eq!(found.texts[5].many.as_deref(), Some("{count} days"));
        assert!(
            found.strays.is_empty() && found.mismatches.is_empty(),
            "{found:?}"
        );
    }

    #[test]
    fn translators_are_told_what_the_source_says_of_a_text() {
        let found = find(
            r#"
            #[derive(Debug, Error, Localize)]
            enum A {
                /// It is full,
                /// or large.
                #[error("{host} is full: {0}")]
                Full {
                    /// The name of it.
                    host: String,
                    /// Not in the text.
                    other: Vec<String>,
                },
                /// Other.
                #[error("bad")]
                Bad(String),
            }
            fn f() {
                // TRANSLATORS: A short
                // word.
                other("x", gettext!("a \"b\" {c}", c = 1));
                gettext!("d");
            }
            "#,
        )
        .unwrap();
        let expected = [
            ("{host} is full: {0}", "It is full, or large."),
            ("{host} is full: {0}", "{host}: The name of it."),
            ("bad", "Other."),
            ("a \"b\" {c}", "A short word."),
        ];
        let expected = expected.map(|(text, note)| (text.to_owned(), note.to_owned()));
        assert_eq!(found.notes, expected);
    }

    #[test]
    fn texts_that_go_round_the_catalogue_are_found() {
        let found = find(
            r#"
            #[derive(Error)]
            enum B { #[error("for the log only?")] One }
            fn f() {
                label("Connect");
                label(&format!("{} is there", x));
                icon("network-vpn-symbolic"); class("AdwBin"); utf("UTF-8"); key("remote");
                label(&format!("{a} {b}"));
                tracing::info!("for the log");
                value.expect("never seen by anyone");
            }
            "#,
        )
        .unwrap();
        assert_eq!(
            found.strays,
            ["for the log only?", "Connect", "{} is there"]
        );
    }

    #[test]
    fn values_without_placeholder_and_placeholders_without_value_are_found() {
        let found = find(
            r#"fn f() { gettext!("{a}", b = 1); gettext!("{c}"); gettext!("x", d = 2); gettext!("{e}", e = a == 1) }"#,
        )
        .unwrap();
        assert_eq!(found.mismatches, ["{a}", "{c}", "x"]);
    }
}
