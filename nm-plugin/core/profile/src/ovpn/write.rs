//! A [`Profile`] as the text of a `.ovpn` file.

use crate::directive::line;
use crate::parts::{InlineFile, SignIn};
use crate::profile::Profile;
use zeroize::Zeroizing;

impl Profile {
    /// The profile as a `.ovpn` file that [`Profile::parse`] reads back to an equal one, as far as
    /// such a file can say it: a user name is not part of it. It holds the private key, if there
    /// is one.
    #[must_use]
    pub fn to_ovpn(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from("client\ndev tun\n"));
        for remote in self.remotes() {
            let (port, transport) = (remote.port.to_string(), remote.transport.as_str());
            push_line(&mut text, ["remote", &remote.host, &port, transport]);
        }
        if self.random_hostname() {
            text.push_str("remote-random-hostname\n");
        }
        text.push_str("resolv-retry infinite\nnobind\n");
        match self.sign_in() {
            SignIn::Saml => text.push_str("auth-federate\nauth-nocache\nauth-retry interact\n"),
            SignIn::Password { static_challenge } => {
                text.push_str("auth-user-pass\n");
                if let Some(challenge) = static_challenge {
                    let echo = if challenge.echo { "1" } else { "0" };
                    push_line(&mut text, ["static-challenge", &challenge.text, echo]);
                }
            }
            SignIn::Certificate => {}
        }
        if let Some(proxy) = self.proxy() {
            let (name, port) = (
                format!("{}-proxy", proxy.kind.as_str()),
                proxy.port.to_string(),
            );
            let mut words = vec![name.as_str(), proxy.host.as_str(), port.as_str()];
            if proxy.authenticates {
                words.push("stdin");
            }
            push_line(&mut text, words);
        }
        if let Some(id) = self.pkcs11_id() {
            push_line(&mut text, ["pkcs11-id", id]);
        }
        self.push_directives(&mut text);
        self.push_blocks(&mut text);
        text
    }

    /// The directives that are kept as they are, a line each.
    pub fn push_directives(&self, text: &mut String) {
        for directive in self.directives() {
            text.push_str(&directive.to_line());
            text.push('\n');
        }
    }

    /// Certificates and keys. What is pushed after them could leave an unwiped copy of them.
    pub fn push_blocks(&self, text: &mut String) {
        let blocks: Vec<&str> = InlineFile::ALL
            .into_iter()
            .filter_map(|inline| Some((inline.name(), self.inline(inline)?)))
            .flat_map(|(name, content)| ["<", name, ">\n", content, "</", name, ">\n"])
            .collect();
        // Reserve up front, for the same reason.
        text.reserve(blocks.iter().map(|part| part.len()).sum());
        text.extend(blocks);
    }
}

/// A line of these words.
pub fn push_line<'a>(text: &mut String, words: impl IntoIterator<Item = &'a str>) {
    text.push_str(&line(words));
    text.push('\n');
}
