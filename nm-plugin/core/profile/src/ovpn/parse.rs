//! The text of a `.ovpn` file to a [`Profile`].

use crate::directive::check::{Directive, bad_line, is_host, is_pkcs11_id, keep};
use crate::directive::line::{self, WORD_LIMIT};
use crate::directive::table::{Rule, rule};
use crate::parts::{Inline, Remote, SignIn, StaticChallenge, Transport, transport_of};
use crate::pem::{self, checked_content};
use crate::problem::{DIRECTIVE_LIMIT, Note, ParseError, Problem};
use crate::profile::{Parts, Profile, REMOTE_LIMIT};
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::{mark, message};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// The largest profile that is read, in octets.
const FILE_LIMIT: usize = 1024 * 1024;
/// OpenVPN's own port (IANA).
const DEFAULT_PORT: u16 = 1194;

/// What was read.
#[derive(Debug)]
pub struct Imported {
    /// The profile.
    pub profile: Profile,
    /// What of the file has no effect.
    pub notes: Vec<Note>,
}

/// What is collected while the lines are read.
struct Reader<'a> {
    read_file: &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    remotes: Vec<(String, Option<u16>, Option<Transport>)>,
    port: Option<u16>,
    transport: Option<Transport>,
    random_hostname: bool,
    federated: bool,
    password: bool,
    static_challenge: Option<StaticChallenge>,
    pkcs11_id: Option<String>,
    inline: BTreeMap<Inline, Zeroizing<String>>,
    directives: Vec<Directive>,
    notes: Vec<Note>,
    connection: Option<Connection>,
}

/// A `<connection>` block that is being read, and what held before it.
struct Connection {
    line: usize,
    first_remote: usize,
    port: Option<u16>,
    transport: Option<Transport>,
}

impl Profile {
    /// Reads a profile. `read_file` is asked for the content of a certificate or key that the
    /// profile names as a file, which need not be text; an error is text for the user.
    ///
    /// # Errors
    /// [`ParseError`], with the line.
    pub fn parse(
        text: &str,
        read_file: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Imported, ParseError> {
        if text.len() > FILE_LIMIT {
            return Err(ParseError {
                line: None,
                problem: Problem::TooLarge,
            });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // Said first, so that the host of the plugins can offer the file to another one.
        if !looks_like_aws(text) {
            return Err(ParseError {
                line: None,
                problem: Problem::NotAws,
            });
        }
        let mut reader = Reader {
            read_file,
            remotes: Vec::new(),
            port: None,
            transport: None,
            random_hostname: false,
            federated: false,
            password: false,
            static_challenge: None,
            pkcs11_id: None,
            inline: BTreeMap::new(),
            directives: Vec::new(),
            notes: Vec::new(),
            connection: None,
        };
        reader.read(text)?;
        reader.finish().map_err(|problem| ParseError {
            line: None,
            problem,
        })
    }
}

impl Reader<'_> {
    fn read(&mut self, text: &str) -> Result<(), ParseError> {
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        while let Some((number, line)) = lines.next() {
            let at = |problem| ParseError {
                line: Some(number),
                problem,
            };
            match tag(line).as_deref() {
                Some("connection") if self.connection.is_none() => self.open_connection(number),
                Some("/connection") if self.connection.is_some() => self.close_connection(),
                Some(tag) => {
                    let mut content = Zeroizing::new(String::new());
                    loop {
                        match lines.next() {
                            Some((_, line)) if is_end(line, tag) => break,
                            Some((_, line)) => {
                                content.push_str(line);
                                content.push('\n');
                            }
                            None => return Err(at(Problem::OpenBlock(tag.to_owned()))),
                        }
                    }
                    self.block(number, tag, &content).map_err(at)?;
                }
                None => self.line(number, line).map_err(at)?,
            }
            if self.directives.len() > DIRECTIVE_LIMIT || self.remotes.len() > REMOTE_LIMIT {
                return Err(at(Problem::TooMany));
            }
        }
        match &self.connection {
            None => Ok(()),
            Some(open) => Err(ParseError {
                line: Some(open.line),
                problem: Problem::OpenBlock("connection".to_owned()),
            }),
        }
    }

    fn open_connection(&mut self, line: usize) {
        self.connection = Some(Connection {
            line,
            first_remote: self.remotes.len(),
            port: self.port.take(),
            transport: self.transport.take(),
        });
    }

    /// What a block says of ports and transports holds for its own remotes only.
    fn close_connection(&mut self) {
        let Some(outer) = self.connection.take() else {
            return;
        };
        for (_, port, transport) in self.remotes.iter_mut().skip(outer.first_remote) {
            *port = port.or(self.port);
            *transport = transport.or(self.transport);
        }
        self.port = outer.port;
        self.transport = outer.transport;
    }

    fn block(&mut self, number: usize, tag: &str, content: &str) -> Result<(), Problem> {
        match Inline::from_name(tag) {
            Some(inline) => self.insert(inline, content),
            None => match rule(tag) {
                Some((_, Rule::Refused(reason))) => Err(Problem::Refused {
                    directive: tag.to_owned(),
                    reason,
                }),
                Some((_, Rule::Ignored(reason))) => {
                    self.note(number, tag, reason);
                    Ok(())
                }
                Some((_, Rule::Keep(..) | Rule::Implied)) | None => {
                    Err(Problem::Unknown(format!("<{tag}>")))
                }
            },
        }
    }

    fn insert(&mut self, inline: Inline, content: &str) -> Result<(), Problem> {
        let content = checked_content(inline, content).ok_or(Problem::BadContent(inline.name()))?;
        self.inline.insert(inline, Zeroizing::new(content));
        Ok(())
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), Problem> {
        let words = line::split(line).map_err(bad_line)?;
        let Some((name, arguments)) = words.split_first() else {
            return Ok(());
        };
        let name = name.strip_prefix("--").unwrap_or(name);
        let argument = |index: usize| arguments.get(index).map(String::as_str);
        let bad = |reason: Message| Problem::BadArgument {
            directive: name.to_owned(),
            reason,
        };
        let most = match name {
            "remote" => 3,
            "static-challenge" | "tls-auth" => 2,
            "port" | "rport" | "proto" | "ca" | "cert" | "key" | "extra-certs" | "pkcs12"
            | "crl-verify" | "tls-crypt" | "pkcs11-id" => 1,
            "remote-random-hostname" | "auth-federate" => 0,
            // Checked with the others' arguments below.
            _ => WORD_LIMIT,
        };
        if arguments.len() > most {
            return Err(bad(message!("it has too many arguments")));
        }
        match name {
            "remote" => {
                let host = argument(0).filter(|host| is_host(host));
                let host =
                    host.ok_or_else(|| bad(message!("the name of the endpoint is missing")))?;
                let port =
                    argument(1).map(|port| port_of(port).ok_or_else(|| bad(message!("bad port"))));
                let transport = argument(2).map(|proto| {
                    transport_of(proto).ok_or_else(|| bad(message!("not udp or tcp")))
                });
                self.remotes
                    .push((host.to_owned(), port.transpose()?, transport.transpose()?));
            }
            "port" | "rport" => {
                let port = argument(0).and_then(port_of);
                self.port =
                    Some(port.ok_or_else(|| bad(message!("it needs a number from 1 to 65535")))?);
            }
            "proto" => {
                let transport = argument(0).and_then(transport_of);
                self.transport =
                    Some(transport.ok_or_else(|| bad(message!("it needs udp or tcp")))?);
            }
            "remote-random-hostname" => self.random_hostname = true,
            "auth-federate" => self.federated = true,
            "auth-user-pass" if arguments.is_empty() => self.password = true,
            "auth-user-pass" => {
                let reason = mark!("it would read a password from a file of this computer");
                return Err(Problem::Refused {
                    directive: name.to_owned(),
                    reason,
                });
            }
            "static-challenge" => {
                let text = argument(0).filter(|text| !text.is_empty());
                let text = text
                    .ok_or_else(|| bad(message!("its question is missing")))?
                    .to_owned();
                let echo = match argument(1) {
                    None | Some("0") => false,
                    Some("1") => true,
                    Some(_) => return Err(bad(message!("after its question it needs 0 or 1"))),
                };
                self.static_challenge = Some(StaticChallenge { text, echo });
            }
            "pkcs11-id" => {
                let id = argument(0).filter(|id| is_pkcs11_id(id));
                let id =
                    id.ok_or_else(|| bad(message!("it does not name a key on a security token")))?;
                self.pkcs11_id = Some(id.to_owned());
            }
            "dev" | "dev-type" if !argument(0).is_some_and(|dev| dev.starts_with("tun")) => {
                return Err(bad(message!(
                    "AWS Client VPN uses a tun device and no other"
                )));
            }
            "compress" | "comp-lzo" | "allow-compression" if !is_no_compression(argument(0)) => {
                return Err(Problem::Refused {
                    directive: name.to_owned(),
                    reason: mark!("compression makes the contents of the connection guessable"),
                });
            }
            "ca" | "cert" | "key" | "extra-certs" | "pkcs12" | "crl-verify" | "tls-auth"
            | "tls-crypt" => self.file(name, arguments)?,
            _ => self.table(number, name, arguments)?,
        }
        Ok(())
    }

    fn file(&mut self, name: &str, arguments: &[String]) -> Result<(), Problem> {
        let (Some(inline), Some(path)) = (Inline::from_name(name), arguments.first()) else {
            let reason = message!("the name of its file is missing");
            return Err(Problem::BadArgument {
                directive: name.to_owned(),
                reason,
            });
        };
        if let Some(direction) = arguments.get(1).filter(|_| inline == Inline::TlsAuth) {
            let direction = std::slice::from_ref(direction);
            self.table(0, "key-direction", direction)?;
        }
        if path == "[inline]" {
            return Ok(());
        }
        let octets = (self.read_file)(path)
            .map(Zeroizing::new)
            .map_err(|reason| Problem::UnreadableFile {
                directive: inline.name(),
                reason,
            })?;
        let content = pem::text_of_file(inline, &octets);
        self.insert(inline, &content.ok_or(Problem::BadContent(inline.name()))?)
    }

    fn table(&mut self, number: usize, name: &str, arguments: &[String]) -> Result<(), Problem> {
        match rule(name) {
            Some((_, Rule::Implied)) => {}
            Some((_, Rule::Ignored(reason))) => self.note(number, name, reason),
            Some((_, Rule::Refused(reason))) => {
                return Err(Problem::Refused {
                    directive: name.to_owned(),
                    reason,
                });
            }
            Some((name, Rule::Keep(needed, kinds))) => {
                self.directives.push(keep(name, needed, kinds, arguments)?);
            }
            None => return Err(Problem::Unknown(name.to_owned())),
        }
        Ok(())
    }

    fn note(&mut self, line: usize, directive: &str, reason: &'static str) {
        self.notes.push(Note {
            line,
            directive: directive.to_owned(),
            reason,
        });
    }

    fn finish(self) -> Result<Imported, Problem> {
        let transport = self.transport.unwrap_or(Transport::Udp);
        let port = self.port.unwrap_or(DEFAULT_PORT);
        let sign_in = if self.federated {
            SignIn::Saml
        } else if self.password || self.static_challenge.is_some() {
            SignIn::Password {
                static_challenge: self.static_challenge,
            }
        } else {
            SignIn::Certificate
        };
        let remotes = self
            .remotes
            .into_iter()
            .map(|(host, own_port, own_transport)| Remote {
                host,
                port: own_port.unwrap_or(port),
                transport: own_transport.unwrap_or(transport),
            });
        let profile = Profile::from_parts(Parts {
            remotes: remotes.collect(),
            random_hostname: self.random_hostname,
            sign_in,
            user_name: None,
            early_push_request: true,
            pkcs11_id: self.pkcs11_id,
            pkcs11_provider: None,
            goes_without: BTreeSet::new(),
            inline: self.inline,
            directives: self.directives,
        })?;
        Ok(Imported {
            profile,
            notes: self.notes,
        })
    }
}

/// What older profiles say to have no compression.
fn is_no_compression(argument: Option<&str>) -> bool {
    matches!(argument, Some("no" | "stub" | "stub-v2" | "migrate"))
}

/// Whether a `remote` is an AWS endpoint, or the sign-in is AWS's own; what stands inside a block
/// says nothing.
fn looks_like_aws(text: &str) -> bool {
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(tag) = tag(line) {
            if !matches!(tag.as_str(), "connection" | "/connection") {
                lines.find(|line| is_end(line, &tag));
            }
            continue;
        }
        let words = line::split(line).unwrap_or_default();
        let mut words = words.iter().map(String::as_str);
        let name = words.next().unwrap_or_default();
        let found = match name.strip_prefix("--").unwrap_or(name) {
            "auth-federate" => true,
            "remote" => words.next().is_some_and(is_aws_host),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// The name of the block that a line opens.
fn tag(line: &str) -> Option<String> {
    let words = line::split(line).ok()?;
    let [word] = words.as_slice() else {
        return None;
    };
    let tag = word.strip_prefix('<')?.strip_suffix('>')?;
    Some(tag.to_owned())
}

/// Whether a line closes the block `tag`; OpenVPN does not look at what follows.
fn is_end(line: &str, tag: &str) -> bool {
    line.trim_start()
        .strip_prefix("</")
        .and_then(|rest| rest.strip_prefix(tag))
        .is_some_and(|rest| rest.starts_with('>'))
}

fn is_aws_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
        && host.contains(".clientvpn.")
}

fn port_of(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}
