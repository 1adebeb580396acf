//! Just enough HTML for the forms of a login: their address and their fields.

/// The first form of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// Where it is sent to, as the page has it.
    pub(crate) action: String,
    /// Names and values of its fields.
    pub(crate) fields: Vec<(String, String)>,
}

impl Form {
    /// Reads the first form of a page.
    pub(crate) fn first_of(page: &str) -> Option<Self> {
        let form = &page[page.find("<form")?..];
        let form = &form[..form.find("</form").unwrap_or(form.len())];
        let head = &form[..form.find('>')?];
        let action = attribute(head, "action").unwrap_or_default();
        let fields = form.split("<input").skip(1).filter_map(|rest| {
            let tag = &rest[..rest.find('>')?];
            Some((
                attribute(tag, "name")?,
                attribute(tag, "value").unwrap_or_default(),
            ))
        });
        Some(Self {
            action,
            fields: fields.collect(),
        })
    }

    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.0 == name)
            .map(|field| field.1.as_str())
    }

    /// Types a value into a field.
    pub(crate) fn fill(&mut self, name: &str, value: &str) {
        for field in &mut self.fields {
            if field.0 == name {
                value.clone_into(&mut field.1);
            }
        }
    }

    /// As a browser sends it.
    pub(crate) fn body(&self) -> String {
        let pair = |(name, value): &(String, String)| format!("{}={}", encode(name), encode(value));
        self.fields.iter().map(pair).collect::<Vec<_>>().join("&")
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        let at = rest.find(name)?;
        let before = rest[..at].chars().next_back();
        let after = &rest[at + name.len()..];
        if before.is_some_and(char::is_whitespace)
            && let Some(value) = after.trim_start().strip_prefix('=')
        {
            let value = value.trim_start();
            let quote = value.chars().next()?;
            let text = match quote {
                '"' | '\'' => value[1..].split(quote).next()?,
                _ => value.split_whitespace().next()?,
            };
            return Some(unescape(text));
        }
        rest = after;
    }
}

fn unescape(text: &str) -> String {
    [
        ("&#43;", "+"),
        ("&#61;", "="),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_filled_and_encoded() {
        let page = "<p><form method=post action=\"/login?a=1&amp;b=2\">\
                    <input type='hidden' name=\"state\" value=\"a+b=\">\
                    <input data-name=\"x\" name=user><input type=submit></form>";
        let mut form = Form::first_of(page).expect("there is one");
        assert_eq!(form.action, "/login?a=1&b=2");
        form.fill("user", "ä b");
        assert_eq!(form.body(), "state=a%2Bb%3D&user=%C3%A4+b");
    }
}
