//! The text of a `.ovpn` file to a [`Profile`].

use super::incomplete::Incomplete;
use super::{scripts, text};
use crate::directive::check::{Directive, bad_line, is_host, is_pkcs11_id, keep};
use crate::directive::line::{self, BadLine, WORD_LIMIT};
use crate::directive::table::{Rule, rule};
use crate::parts::{
    InlineFile, Proxy, ProxyKind, Remote, SignIn, StaticChallenge, Transport, transport_of,
};
use crate::pem::{self, checked_content};
use crate::problem::{
    DIRECTIVE_LIMIT, Fault, Line, ParseError, ProfileError, REMOTE_LIMIT, Warning,
};
use crate::profile::{Parts, Profile, objections};
use aws_client_vpn_text::message::{Argument, Message, ToArgument};
use aws_client_vpn_text::{gettext_noop, message};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use zeroize::Zeroizing;

/// The largest profile that is read, in bytes.
const FILE_LIMIT: usize = 1024 * 1024;
/// OpenVPN's own port (IANA).
const DEFAULT_PORT: u16 = 1194;
/// The port of SOCKS proxies (IANA).
const SOCKS_PORT: u16 = 1080;

const SETS_NAMES: &str = gettext_noop!(
    "NetworkManager sets the name servers and domains itself, and the VPN service runs no \
     programs."
);
const FOR_PROGRAMS: &str = gettext_noop!(
    "This directive is for another client, or for programs that OpenVPN would run; the VPN \
     service runs none."
);
const SAID_TO_IGNORE: &str = gettext_noop!(
    "AWS Client VPN does not use this directive, and the profile itself says that it may be \
     ignored."
);
const WITHOUT_RIGHTS: &str =
    gettext_noop!("OpenVPN runs as a user of its own that has no privileges.");
const NOTHING_IN_IT: &str =
    gettext_noop!("The block contains only a placeholder for your certificate or key.");

/// What was read.
#[derive(Debug)]
pub struct ParsedProfile {
    /// The profile.
    pub profile: Profile,
    /// What of the file has no effect.
    pub warnings: Vec<Warning>,
}

/// What is collected while the lines are read: a field for each kind of line. What they say together is
/// known only after the last, as their order says nothing.
struct Reader<'a> {
    read_file: &'a mut dyn FnMut(&str) -> Result<Vec<u8>, Argument>,
    remotes: Vec<(String, Option<u16>, Option<Transport>)>,
    port: Option<u16>,
    transport: Option<Transport>,
    random_hostname: bool,
    federated: bool,
    password: bool,
    auth_retry_interact: bool,
    auth_nocache: bool,
    static_challenge: Option<StaticChallenge>,
    pkcs11_id: Option<String>,
    proxy: Option<Proxy>,
    inline: BTreeMap<InlineFile, Zeroizing<String>>,
    /// With their lines.
    directives: Vec<(usize, Directive)>,
    /// What the profile says may be unknown.
    ignorable: BTreeSet<String>,
    ignored: Vec<(&'static str, Line)>,
    warnings: Vec<Warning>,
    faults: Vec<Fault>,
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
    /// profile names as a file, which need not be text; an error is what the user is told.
    pub fn parse<E: ToArgument>(
        text: &str,
        read_file: &mut dyn FnMut(&str) -> Result<Vec<u8>, E>,
    ) -> Result<ParsedProfile, ParseError> {
        if text.len() > FILE_LIMIT {
            return Err(ParseError::whole(ProfileError::TooLarge));
        }
        let visible = text::visible(text);
        let text = visible.as_ref().map_or(text, |visible| visible.as_str());
        // Said first, so that the host of the plugins can offer the file to another one.
        if !looks_like_aws(text) {
            return Err(ParseError::whole(ProfileError::NotAws));
        }
        let mut reader = Reader {
            read_file: &mut |path| read_file(path).map_err(|why| why.to_argument()),
            remotes: Vec::new(),
            port: None,
            transport: None,
            random_hostname: false,
            federated: false,
            password: false,
            auth_retry_interact: false,
            auth_nocache: false,
            static_challenge: None,
            pkcs11_id: None,
            proxy: None,
            inline: BTreeMap::new(),
            directives: Vec::new(),
            ignorable: BTreeSet::new(),
            ignored: Vec::new(),
            warnings: Vec::new(),
            faults: Vec::new(),
            connection: None,
        };
        reader.read(text);
        reader.finish()
    }
}

impl Reader<'_> {
    fn read(&mut self, text: &str) {
        let mut lines = lines(text);
        // Of each block in turn, with a line end after each piece of a line. Reserve up front: reallocating
        // would leave unwiped copies.
        let mut content = Zeroizing::new(String::with_capacity(2 * text.len()));
        while let Some((number, line)) = lines.next() {
            match tag(line).as_deref() {
                Some("connection") if self.connection.is_none() => self.open_connection(number),
                Some("/connection") if self.connection.is_some() => self.close_connection(),
                Some(tag) if tag.starts_with('/') => {
                    self.fault(number, ProfileError::NoBlock(tag.to_owned()));
                }
                Some(tag) => {
                    content.clear();
                    loop {
                        let Some((_, line)) = lines.next() else {
                            return self.fault(number, ProfileError::OpenBlock(tag.to_owned()));
                        };
                        if is_end(line, tag) {
                            break;
                        }
                        content.push_str(line);
                        content.push('\n');
                    }
                    if let Err(problem) = self.block(number, tag, &content) {
                        self.fault(number, problem);
                    }
                }
                None => {
                    if let Err(problem) = self.line(number, line) {
                        let glued = glued(line).map(ToOwned::to_owned);
                        self.fault(number, glued.map_or(problem, ProfileError::NewlineMissing));
                    }
                }
            }
            let entries = self.directives.len() + self.ignored.len() + self.faults.len();
            if entries > DIRECTIVE_LIMIT {
                return self.fault(number, ProfileError::TooMany);
            }
            if self.remotes.len() > REMOTE_LIMIT {
                return self.fault(number, ProfileError::TooManyRemotes);
            }
        }
        if let Some(open) = &self.connection {
            self.fault(open.line, ProfileError::OpenBlock("connection".to_owned()));
        }
    }

    fn fault(&mut self, line: usize, problem: ProfileError) {
        let line = Some(line);
        self.faults.push(Fault { line, problem });
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

    fn block(&mut self, number: usize, tag: &str, content: &str) -> Result<(), ProfileError> {
        match InlineFile::from_name(tag) {
            // What AWS exports, and guides, have places for what a user has to fill in.
            Some(
                inline @ (InlineFile::Cert
                | InlineFile::Key
                | InlineFile::Pkcs12
                | InlineFile::ExtraCerts),
            ) if is_placeholder(inline, content) => {
                self.ignore(number, &format!("<{tag}>"), NOTHING_IN_IT);
                Ok(())
            }
            Some(inline) if content.trim().is_empty() => {
                Err(ProfileError::EmptyBlock(inline.name()))
            }
            Some(inline) => self.insert(inline, content),
            None if tag == "auth-user-pass" => Err(password_is_asked_for(tag)),
            None => match rule(tag) {
                Some((_, Rule::Refused(reason))) => Err(ProfileError::refused(tag, reason)),
                Some((_, Rule::Ignored(reason))) => {
                    self.ignore(number, &format!("<{tag}>"), reason);
                    Ok(())
                }
                Some((_, Rule::Keep(..) | Rule::Implied)) | None => {
                    Err(ProfileError::Unknown(format!("<{tag}>")))
                }
            },
        }
    }

    fn insert(&mut self, inline: InlineFile, content: &str) -> Result<(), ProfileError> {
        let content = checked_content(inline, content)?;
        self.inline.insert(inline, Zeroizing::new(content));
        Ok(())
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), ProfileError> {
        let words = words(line)?;
        let Some((name, arguments)) = words.split_first() else {
            return Ok(());
        };
        let name = name.strip_prefix("--").unwrap_or(name);
        self.directive(number, name, arguments)
    }

    fn directive(
        &mut self,
        number: usize,
        name: &str,
        arguments: &[String],
    ) -> Result<(), ProfileError> {
        let argument = |index: usize| arguments.get(index).map(String::as_str);
        let bad = |reason| ProfileError::bad_argument(name, reason);
        let port = |text: &str| {
            port_of(text).ok_or_else(|| bad(message!("The port must be a number from 1 to 65535.")))
        };
        let transport = |text: &str| {
            transport_of(text).ok_or_else(|| bad(message!("The protocol must be udp or tcp.")))
        };
        let most = match name {
            "remote" => 3,
            "http-proxy" => 4,
            "socks-proxy" => 3,
            "static-challenge" | "tls-auth" => 2,
            "port" | "rport" | "proto" | "ca" | "cert" | "key" | "extra-certs" | "pkcs12"
            | "crl-verify" | "tls-crypt" | "pkcs11-id" => 1,
            "remote-random-hostname" | "auth-federate" => 0,
            // Checked with the others' arguments below.
            _ => WORD_LIMIT,
        };
        if arguments.len() > most {
            return Err(bad(message!("There are too many arguments.")));
        }
        match name {
            "remote" => {
                let host = self.endpoint(argument(0).unwrap_or_default());
                let host = host.map_err(bad)?.to_owned();
                let port = argument(1).map(port).transpose()?;
                let transport = argument(2).map(transport).transpose()?;
                self.remotes.push((host, port, transport));
            }
            "port" | "rport" => self.port = Some(port(argument(0).unwrap_or_default())?),
            "proto" => self.transport = Some(transport(argument(0).unwrap_or_default())?),
            "remote-random-hostname" => self.random_hostname = true,
            "auth-federate" => self.federated = true,
            "auth-retry" if argument(0) == Some("interact") => self.auth_retry_interact = true,
            "auth-nocache" => self.auth_nocache = true,
            "auth-user-pass" if arguments.is_empty() => self.password = true,
            "auth-user-pass" => return Err(password_is_asked_for(name)),
            "static-challenge" => {
                let text = argument(0).filter(|text| !text.is_empty());
                let text = text
                    .ok_or_else(|| bad(message!("The question is missing.")))?
                    .to_owned();
                let echo = match argument(1) {
                    None | Some("0") => false,
                    Some("1") => true,
                    Some(_) => {
                        return Err(bad(message!("The question must be followed by 0 or 1.")));
                    }
                };
                self.static_challenge = Some(StaticChallenge { text, echo });
            }
            "pkcs11-id" => {
                let id = argument(0).filter(|id| is_pkcs11_id(id));
                let id = id.ok_or_else(|| {
                    bad(message!(
                        "The line does not name a key on a security token."
                    ))
                })?;
                self.pkcs11_id = Some(id.to_owned());
            }
            "http-proxy" => self.proxy(number, ProxyKind::Http, arguments)?,
            "socks-proxy" => self.proxy(number, ProxyKind::Socks, arguments)?,
            "user" | "group" if argument(0).is_some_and(is_without_rights) => {
                self.ignore(number, name, WITHOUT_RIGHTS);
            }
            "setenv" | "setenv-safe" => self.variable(number, name, arguments)?,
            "ignore-unknown-option" => self.ignorable.extend(arguments.iter().cloned()),
            "push-peer-info" => {
                self.table(number, name, arguments)?;
                self.warnings.push(Warning::Taken(message!(
                    "Line {line}: Because of 'push-peer-info', the version of this system and \
                     the hardware address of its network device are sent to the endpoint.",
                    line = number
                )));
            }
            _ if scripts::is_of_name_servers(name, arguments) => {
                self.ignore(number, name, SETS_NAMES);
            }
            "dev" | "dev-type" if !argument(0).is_some_and(|dev| dev.starts_with("tun")) => {
                return Err(bad(message!("AWS Client VPN supports tun devices only.")));
            }
            "compress" | "comp-lzo" | "allow-compression"
                if !is_no_compression(name, argument(0)) =>
            {
                return Err(ProfileError::refused(
                    name,
                    gettext_noop!("Compression can reveal the contents of the connection."),
                ));
            }
            "ca" | "cert" | "key" | "extra-certs" | "pkcs12" | "crl-verify" | "tls-auth"
            | "tls-crypt" => self.file(number, name, arguments)?,
            _ => self.table(number, name, arguments)?,
        }
        Ok(())
    }

    /// The name of the endpoint in a remote.
    fn endpoint<'a>(&mut self, host: &'a str) -> Result<&'a str, Message> {
        // As AWS's console and tools write it: any name may stand before the first dot.
        let host = match host.strip_prefix("*.") {
            Some(rest) => {
                self.random_hostname = true;
                rest
            }
            None => host,
        };
        if host.is_empty() {
            return Err(message!("The name of the endpoint is missing."));
        }
        if !is_host(host) || (host.contains(':') && host.parse::<Ipv6Addr>().is_err()) {
            return Err(message!(
                "'{host}' is not a valid host name. Write the name as AWS shows it, with the port \
                 after a space: 'cvpn-endpoint-….amazonaws.com 443'.",
                host = host.to_owned()
            ));
        }
        Ok(host)
    }

    /// The name and the password are the person's: they are asked for, and read from no file.
    fn proxy(
        &mut self,
        number: usize,
        kind: ProxyKind,
        arguments: &[String],
    ) -> Result<(), ProfileError> {
        let name = format!("{}-proxy", kind.as_str());
        let bad = |reason| ProfileError::bad_argument(&name, reason);
        let host = arguments.first();
        let host = host.ok_or_else(|| bad(message!("The name of the proxy is missing.")))?;
        let is_url =
            host.contains("://") || (host.contains(':') && host.parse::<Ipv6Addr>().is_err());
        if is_url || !is_host(host) {
            return Err(bad(message!(
                "'{host}' is not a valid host name. Write the name of the proxy, a space and its \
                 port.",
                host = host.clone()
            )));
        }
        let port = match (arguments.get(1), kind) {
            (Some(port), _) => port_of(port),
            (None, ProxyKind::Socks) => Some(SOCKS_PORT),
            (None, ProxyKind::Http) => {
                return Err(bad(message!("The port of the proxy is missing.")));
            }
        };
        let authentication = arguments.get(2).map(String::as_str);
        let is_file = authentication
            .is_some_and(|word| !["stdin", "auto", "auto-nct", "none"].contains(&word));
        if let (true, Some(file)) = (is_file, authentication) {
            self.warnings.push(Warning::Taken(message!(
                "Line {line}: You are asked for the user name and password for the proxy; they \
                 are not read from '{file}'.",
                line = number,
                file = file.to_owned()
            )));
        }
        self.proxy = Some(Proxy {
            kind,
            host: host.clone(),
            port: port
                .ok_or_else(|| bad(message!("The port must be a number from 1 to 65535.")))?,
            // One for HTTP says so by itself, and which way it wants.
            authenticates: is_file || authentication == Some("stdin"),
        });
        Ok(())
    }

    /// A variable for programs that OpenVPN runs, or for the endpoint, or a directive that a
    /// client may not know.
    fn variable(
        &mut self,
        number: usize,
        name: &str,
        arguments: &[String],
    ) -> Result<(), ProfileError> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["opt"] => {}
            ["opt", directive, ..] if name == "setenv" => {
                if !is_directive(directive) {
                    self.ignore(number, directive, SAID_TO_IGNORE);
                } else {
                    let rest = arguments.get(2..).unwrap_or_default();
                    return self.directive(number, directive, rest);
                }
            }
            [variable, _] if variable.starts_with("UV_") && name == "setenv" => {
                return self.table(number, name, arguments);
            }
            [variable, ..] if variable.starts_with("LD_") => {
                return Err(ProfileError::refused(
                    name,
                    gettext_noop!(
                        "This directive would make programs load code from another file."
                    ),
                ));
            }
            ["PATH", ..] => self.ignore(number, name, SETS_NAMES),
            _ => self.ignore(number, name, FOR_PROGRAMS),
        }
        Ok(())
    }

    fn file(
        &mut self,
        number: usize,
        name: &str,
        arguments: &[String],
    ) -> Result<(), ProfileError> {
        let (Some(inline), Some(path)) = (InlineFile::from_name(name), arguments.first()) else {
            let reason = message!("The name of the file is missing.");
            return Err(ProfileError::bad_argument(name, reason));
        };
        if let Some(direction) = arguments.get(1).filter(|_| inline == InlineFile::TlsAuth) {
            let direction = std::slice::from_ref(direction);
            self.table(number, "key-direction", direction)?;
        }
        if path == "[inline]" {
            return Ok(());
        }
        // A path of another computer: the file itself mostly came along with the profile.
        let beside = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let bytes = match (self.read_file)(path) {
            Err(reason) if beside != path && !beside.is_empty() => match (self.read_file)(beside) {
                Ok(bytes) => {
                    self.warnings.push(Warning::Taken(message!(
                        "Line {line}: '{path}' cannot be read here. '{file}' beside the profile \
                         was used instead.",
                        line = number,
                        path = path.clone(),
                        file = beside.to_owned()
                    )));
                    Ok(bytes)
                }
                Err(_) => Err(reason),
            },
            read => read,
        };
        let bytes = bytes
            .map(Zeroizing::new)
            .map_err(|reason| ProfileError::UnreadableFile {
                directive: inline.name(),
                reason,
            })?;
        let content = pem::text_of_file(inline, &bytes);
        self.insert(
            inline,
            &content.ok_or(ProfileError::BadContent(inline.name()))?,
        )
    }

    fn table(
        &mut self,
        number: usize,
        name: &str,
        arguments: &[String],
    ) -> Result<(), ProfileError> {
        match rule(name) {
            Some((_, Rule::Implied)) => {}
            Some((_, Rule::Ignored(reason))) => self.ignore(number, name, reason),
            Some((_, Rule::Refused(reason))) => {
                return Err(ProfileError::refused(name, reason));
            }
            Some((name, Rule::Keep(needed, kinds))) => {
                let directive = keep(name, needed, kinds, arguments)?;
                self.directives.push((number, directive));
            }
            None if self.ignorable.contains(name) => self.ignore(number, name, SAID_TO_IGNORE),
            None => return Err(ProfileError::Unknown(name.to_owned())),
        }
        Ok(())
    }

    fn ignore(&mut self, number: usize, directive: &str, reason: &'static str) {
        let directive = directive.to_owned();
        self.ignored.push((reason, Line { number, directive }));
    }

    /// AWS's own client writes a profile again when it is given one: `auth-federate` becomes these
    /// three. With a question beside them they are a password's.
    fn is_from_the_store_of_aws(&self) -> bool {
        self.password
            && self.auth_retry_interact
            && self.auth_nocache
            && self.static_challenge.is_none()
            && self.remotes.iter().any(|(host, ..)| is_aws_host(host))
    }

    fn finish(mut self) -> Result<ParsedProfile, ParseError> {
        let transport = self.transport.unwrap_or(Transport::Udp);
        let port = self.port.unwrap_or(DEFAULT_PORT);
        let sign_in = if self.federated {
            SignIn::Saml
        } else if self.is_from_the_store_of_aws() {
            self.warnings.push(Warning::Taken(message!(
                "The profile was stored by AWS's own client, which leaves out 'auth-federate'. \
                 The connection will sign in with single sign-on in the browser. If you sign in \
                 with a user name and a password instead, remove the line 'auth-nocache', and \
                 import the profile again."
            )));
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
        let (numbers, directives): (Vec<_>, Vec<_>) = self.directives.into_iter().unzip();
        let parts = Parts {
            remotes: remotes.collect(),
            random_hostname: self.random_hostname,
            sign_in,
            user_name: None,
            early_push_request: true,
            pkcs11_id: self.pkcs11_id,
            pkcs11_provider: None,
            does_not_require: BTreeSet::new(),
            proxy: self.proxy,
            inline: self.inline,
            directives,
        };
        let mut warnings = by_reason(self.ignored);
        warnings.append(&mut self.warnings);
        let mut faults = self.faults;
        for (directive, problem) in objections(&parts) {
            // What was refused above is not missing besides.
            if !faults.iter().any(|fault| explains(fault, &problem)) {
                let line = directive.and_then(|index| numbers.get(index).copied());
                faults.push(Fault { line, problem });
            }
        }
        match faults.as_slice() {
            [] => Ok(ParsedProfile {
                profile: Profile(parts),
                warnings,
            }),
            [fault] if fault.problem == ProfileError::NoSignIn => {
                let incomplete = Incomplete::new(parts, warnings);
                Err(ParseError::NoCertificate(Box::new(incomplete)))
            }
            _ => {
                faults.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
                Err(ParseError::Faulty(faults))
            }
        }
    }
}

/// Notes of the lines that are ignored, one for each reason.
fn by_reason(ignored: Vec<(&'static str, Line)>) -> Vec<Warning> {
    let mut warnings: Vec<(&'static str, Vec<Line>)> = Vec::new();
    for (reason, line) in ignored {
        match warnings.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, lines)) => lines.push(line),
            None => warnings.push((reason, vec![line])),
        }
    }
    let warning = |(reason, lines)| Warning::Ignored { lines, reason };
    warnings.into_iter().map(warning).collect()
}

/// Whether `problem` is there only because of `fault`.
fn explains(fault: &Fault, problem: &ProfileError) -> bool {
    let is_about = |names: &[&str]| {
        let name = fault.problem.directive();
        name.is_some_and(|name| names.contains(&name))
    };
    if matches!(
        fault.problem,
        ProfileError::TooMany | ProfileError::TooManyRemotes | ProfileError::OpenBlock(_)
    ) {
        return true;
    }
    let credentials = ["cert", "key", "pkcs12", "pkcs11-id", "auth-user-pass"];
    (*problem == ProfileError::NoRemote && is_about(&["remote"]))
        || (*problem == ProfileError::NoCa && is_about(&["ca", "pkcs12"]))
        || (matches!(
            problem,
            ProfileError::HalfCertificate(_) | ProfileError::NoSignIn
        ) && is_about(&credentials))
        || (*problem == ProfileError::NoSignIn
            && matches!(fault.problem, ProfileError::NewlineMissing(_)))
}

/// The words of a line. In the name of a file, a Windows path is what it looks like.
fn words(line: &str) -> Result<Vec<String>, ProfileError> {
    match line::split(line) {
        Err(BadLine::Backslash) => {
            let doubled = line.replace('\\', "\\\\");
            let words = line::split(&doubled).map_err(bad_line)?;
            match words.first().and_then(|name| InlineFile::from_name(name)) {
                Some(_) => Ok(words),
                None => Err(bad_line(BadLine::Backslash)),
            }
        }
        words => words.map_err(bad_line),
    }
}

/// The service asks for it; a profile is no place for a password.
fn password_is_asked_for(directive: &str) -> ProfileError {
    let reason = message!(
        "The password is not read from a file on this computer. Write 'auth-user-pass' alone; you \
         are asked for the user name and password when you connect."
    );
    ProfileError::bad_argument(directive, reason)
}

/// Accounts that guides have OpenVPN run as.
fn is_without_rights(account: &str) -> bool {
    ["nobody", "nogroup", "openvpn", "nm-openvpn"].contains(&account)
}

/// Whether a block for a certificate or key holds none: what guides and templates write there is no
/// line of one.
fn is_placeholder(inline: InlineFile, content: &str) -> bool {
    if inline == InlineFile::Pkcs12 {
        content.trim().is_empty()
    } else {
        !content.contains("-----BEGIN ") || !pem::has_a_line(content)
    }
}

/// The lines of a profile with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().zip(1..).flat_map(|(line, number)| {
        let mut rest = Some(line);
        std::iter::from_fn(move || {
            let (piece, further) = cut_at_block(rest?);
            rest = further;
            Some((number, piece))
        })
    })
}

/// Cuts off what stands before a newline that is missing: before the block that AWS's exports are
/// followed by when a user adds one (they end without a newline), around the end of a block, and
/// where a certificate was pasted as one line.
fn cut_at_block(line: &str) -> (&str, Option<&str>) {
    if line.trim_start().starts_with(['#', ';']) {
        return (line, None);
    }
    let tags = line.match_indices('<').filter_map(|(start, _)| {
        let end = start + line.get(start..)?.find('>')? + 1;
        let name = line.get(start..end)?.trim_start_matches(['<', '/']);
        InlineFile::from_name(name.strip_suffix('>')?)?;
        Some((start, end))
    });
    for (start, end) in tags {
        for place in [start, end] {
            if let Some((before, after)) = line.split_at_checked(place)
                && !before.trim().is_empty()
                && !after.trim().is_empty()
                && !after.trim_start().starts_with(['#', ';'])
            {
                return (before, Some(after));
            }
        }
    }
    (line, None)
}

/// The directive before which a newline seems to be missing, as in `reneg-sec 0cert client1.crt`:
/// people add lines to AWS's exports, which end without one.
fn glued(line: &str) -> Option<&str> {
    let words = line.split_whitespace();
    words
        .filter(|word| word.is_ascii() && !is_directive(word))
        .find_map(|word| (1..word.len()).find_map(|start| glued_at(word, start)))
}

/// What follows the end of another line in a word.
fn glued_at(word: &str, start: usize) -> Option<&str> {
    let (before, after) = word.split_at_checked(start)?;
    let is_number = before.bytes().all(|o| o.is_ascii_digit());
    // AWS's exports end with such a line, or with `verify-x509-name … name`.
    let is_end = is_number || before == "name" || is_directive(before);
    (is_end && is_directive(after)).then_some(after)
}

fn is_directive(name: &str) -> bool {
    rule(name).is_some() || is_of_this_parser(name)
}

/// Directives that are read here and are not in the table.
fn is_of_this_parser(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "http-proxy",
        "socks-proxy",
        "remote",
        "port",
        "rport",
        "proto",
        "remote-random-hostname",
        "auth-federate",
        "auth-user-pass",
        "static-challenge",
        "pkcs11-id",
        "setenv",
        "setenv-safe",
    ];
    NAMES.contains(&name) || InlineFile::from_name(name).is_some()
}

/// What older profiles say to have no compression. `compress` alone is `compress stub`.
fn is_no_compression(name: &str, argument: Option<&str>) -> bool {
    match argument {
        None => name == "compress",
        Some(argument) => matches!(argument, "no" | "stub" | "stub-v2" | "migrate"),
    }
}

/// Whether a `remote` is an AWS endpoint, or the sign-in is AWS's own; what stands inside a block
/// says nothing.
fn looks_like_aws(text: &str) -> bool {
    let mut lines = lines(text);
    while let Some((_, line)) = lines.next() {
        if let Some(tag) = tag(line) {
            if !matches!(tag.as_str(), "connection" | "/connection") {
                lines.find(|(_, line)| is_end(line, &tag));
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

/// Whether a host's name is one of AWS's endpoints.
pub fn is_aws_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
        && host.contains(".clientvpn.")
}

fn port_of(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}
