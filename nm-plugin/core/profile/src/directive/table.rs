//! The table of directives: what may reach OpenVPN, and why the rest may not.
//!
//! Allowed is what AWS documents for its own client, and what users of NetworkManager expect
//! besides and cannot hurt. A directive that is not in the table is refused: nobody has thought
//! about it.

use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::{gettext_noop, message};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is done with a directive.
pub(crate) enum Rule {
    /// Goes to OpenVPN with arguments of these kinds; the first number of them is needed.
    Keep(usize, &'static [Argument]),
    /// The service sees to it itself; nothing is lost.
    Implied,
    /// Has no effect here; the user is told why.
    Ignored(&'static str),
    /// Never; the user is told why.
    Refused(&'static str),
}

/// What an argument has to be.
#[derive(Clone, Copy)]
pub(crate) enum Argument {
    /// A number in these bounds.
    Number(u32, u32),
    /// Letters, digits and `-_.:/+@=,~!*`, as in names of ciphers.
    Token,
    /// Any printable text.
    Text,
    /// An address or `default` and the like, of a `route`.
    RoutePart,
    /// An IPv4 or IPv6 address.
    Address,
    /// An IPv6 network.
    Network6,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of ciphers, all of them safe.
    Ciphers,
    /// The name of a variable that only the endpoint is told.
    PeerVariable,
}

const SECONDS: Argument = Argument::Number(0, 86_400 * 7);
/// The most bytes of a text; whether it fits into its line is looked at besides.
const TEXT_LIMIT: usize = 230;
const RUNS: &str = gettext_noop!("This directive would run a program.");
const FILE: &str = gettext_noop!("This directive would read or write a file on this computer.");
const PROCESS: &str =
    gettext_noop!("This directive would change how the VPN service controls OpenVPN.");
const SERVER: &str = gettext_noop!("This directive is for servers only.");
const WEAK: &str = gettext_noop!("This directive would weaken the protection of the connection.");
const NOT_AWS: &str = gettext_noop!("AWS Client VPN does not use this directive.");
const WINDOWS: &str = gettext_noop!("This directive is for Windows only.");

/// The rule for a directive, with the name as the table spells it.
pub(crate) fn rule(name: &str) -> Option<(&'static str, Rule)> {
    use Argument::{
        Address, Ciphers, Network6, Number, OneOf, PeerVariable, RoutePart, Text, Token,
    };
    use Rule::{Ignored, Implied, Keep, Refused};
    macro_rules! rules {
        ($($($word:literal)|+ => $rule:expr,)+) => {
            match name {
                $($($word => Some(($word, $rule)),)+)+
                _ => None,
            }
        };
    }
    rules! {
        "client" | "pull" | "tls-client" | "nobind" | "persist-key" | "persist-tun"
            | "auth-nocache" | "auth-retry" | "ignore-unknown-option" | "resolv-retry" | "dev" | "dev-type"
            | "verb" | "mute" => Implied,

        "cipher" => Keep(1, &[Ciphers]),
        "data-ciphers" | "data-ciphers-fallback" | "ncp-ciphers" => Keep(1, &[Ciphers]),
        "auth" => Keep(1, &[Ciphers]),
        "connect-retry" => Keep(1, &[Number(1, 3600), Number(1, 3600)]),
        "connect-retry-max" => Keep(1, &[Number(1, 10_000)]),
        "connect-timeout" | "server-poll-timeout" => Keep(1, &[Number(1, 3600)]),
        "hand-window" | "tls-timeout" | "tran-window" => Keep(1, &[Number(1, 86_400)]),
        "inactive" => Keep(1, &[SECONDS, Number(0, u32::MAX)]),
        "keepalive" => Keep(2, &[Number(1, 3600), Number(1, 86_400)]),
        "ping" | "ping-restart" | "ping-exit" => Keep(1, &[Number(0, 86_400)]),
        "ping-timer-rem" | "float" | "fast-io" | "disable-dco" | "allow-recursive-routing"
            | "route-nopull" | "block-ipv6" => Keep(0, &[]),
        "explicit-exit-notify" => Keep(0, &[Number(0, 5)]),
        "mssfix" => Keep(0, &[Number(0, 65_535), OneOf(&["mtu", "fixed"])]),
        "tun-mtu" => Keep(1, &[Number(576, 65_535)]),
        "max-packet-size" => Keep(1, &[Number(154, 65_535)]),
        "mtu-disc" => Keep(1, &[OneOf(&["no", "maybe", "yes"])]),
        "rcvbuf" | "sndbuf" => Keep(1, &[Number(0, 100_000_000)]),
        "reneg-sec" => Keep(1, &[SECONDS, SECONDS]),
        "reneg-bytes" | "reneg-pkts" => Keep(1, &[Number(0, u32::MAX)]),
        "replay-window" => Keep(1, &[Number(1, 65_536), Number(0, 600)]),
        "pull-filter" => Keep(2, &[OneOf(&["accept", "ignore", "reject"]), Text]),
        "remote-cert-tls" => Keep(1, &[OneOf(&["server"])]),
        "remote-cert-eku" | "remote-cert-ku" => Keep(1, &[Text, Token, Token]),
        "verify-x509-name" => Keep(1, &[Text, OneOf(&["subject", "name", "name-prefix"])]),
        "verify-hash" => Keep(1, &[Token, OneOf(&["SHA1", "SHA256"])]),
        "tls-version-min" => Keep(1, &[OneOf(&["1.2", "1.3"]), OneOf(&["or-highest"])]),
        "tls-version-max" => Keep(1, &[OneOf(&["1.2", "1.3"])]),
        "tls-cipher" | "tls-ciphersuites" | "tls-groups" => Keep(1, &[Ciphers]),
        "key-direction" => Keep(1, &[OneOf(&["0", "1"])]),
        "remote-random" => Keep(0, &[]),
        "route" => Keep(1, &[RoutePart, RoutePart, RoutePart, Number(0, u32::MAX)]),
        "route-ipv6" => Keep(1, &[Network6, RoutePart, Number(0, u32::MAX)]),
        "route-metric" => Keep(1, &[Number(0, u32::MAX)]),
        "route-gateway" => Keep(1, &[Address]),
        "redirect-gateway" | "redirect-private" => {
            const FLAG: Argument = OneOf(&[
                "local", "autolocal", "def1", "bypass-dhcp", "bypass-dns", "block-local", "ipv6",
                "!ipv4",
            ]);
            Keep(0, &[FLAG, FLAG, FLAG, FLAG, FLAG])
        },
        "ifconfig" => Keep(2, &[Address, Address]),
        "ifconfig-ipv6" => Keep(1, &[Network6, Address]),
        "topology" => Keep(1, &[OneOf(&["subnet", "net30", "p2p"])]),
        "dhcp-option" => Keep(2, &[
            OneOf(&["DNS", "DNS6", "DOMAIN", "DOMAIN-SEARCH", "DOMAIN-ROUTE",
                    "ADAPTER_DOMAIN_SUFFIX", "WINS"]),
            Token,
        ]),
        "dns" => Keep(2, &[OneOf(&["server", "search-domains"]), Token, Token, Token, Token, Token]),

        "pkcs11-providers" => Ignored(
            gettext_noop!("Tokens are used through the PKCS #11 modules that the administrator of this \
             computer has set up."),
        ),
        "tap-sleep" | "cryptoapicert" | "block-outside-dns" | "register-dns" | "route-method"
            | "win-sys" | "ip-win32" | "windows-driver" => Ignored(WINDOWS),
        "tun-mtu-extra" | "persist-local-ip" | "persist-remote-ip" | "mute-replay-warnings"
            | "route-delay" | "lport" | "local" | "bind"
            => Ignored(gettext_noop!("The VPN service does not need this directive.")),
        "comp-lzo" | "compress" | "allow-compression"
            => Ignored(gettext_noop!("Connections are never compressed.")),
        "push-peer-info" => Keep(0, &[]),
        "setenv" => Keep(2, &[PeerVariable, Text]),

        "plugin" | "providers" | "engine" | "up" | "down" | "up-restart"
            | "up-delay" | "down-pre" | "route-up" | "route-pre-down" | "ipchange" | "tls-verify"
            | "auth-user-pass-verify" | "client-connect" | "client-disconnect" | "learn-address"
            | "client-crresponse" | "tls-crypt-v2-verify" | "dns-updown" | "iproute"
            | "script-security" | "setenv-safe" => Refused(RUNS),
        "log" | "log-append" | "status" | "writepid" | "replay-persist" | "genkey" | "tmp-dir"
            | "ifconfig-pool-persist" | "config" | "client-config-dir" | "askpass" | "capath"
            | "dh" | "secret" | "memstats" | "export-peer-cert" | "tls-export-cert" => Refused(FILE),
        "management" | "management-client" | "management-hold" | "management-query-passwords"
            | "management-query-remote" | "management-query-proxy" | "management-up-down"
            | "management-signal" | "management-forget-disconnect" | "management-external-key"
            | "management-external-cert" | "management-client-user" | "management-client-group"
            | "management-log-cache" | "daemon" | "inetd" | "syslog" | "user" | "group" | "chroot"
            | "cd" | "setcon" | "nice" | "mlock" | "remap-usr1" | "dev-node" | "mark" | "bind-dev"
            | "mktun" | "rmtun" | "echo" | "parameter" | "pkcs11-id-management" | "compat-names" => Refused(PROCESS),
        "server" | "server-ipv6" | "server-bridge" | "mode" | "tls-server" | "port-share"
            | "duplicate-cn" | "client-to-client" | "push" | "push-reset" | "push-remove"
            | "ifconfig-pool" | "ifconfig-push" | "max-clients" => Refused(SERVER),
        "tls-cert-profile" | "allow-deprecated-insecure-static-crypto" | "no-replay" | "no-iv"
            | "show-ciphers" | "gremlin" | "test-crypto" => Refused(WEAK),
        "http-proxy-user-pass" => Ignored(
            gettext_noop!("You are asked for the user name and password for the proxy."),
        ),
        "http-proxy-option" | "http-proxy-retry" | "socks-proxy-retry"
            | "http-proxy-timeout"
            => Ignored(gettext_noop!("The VPN service sets this itself when a proxy is used.")),
        "http-proxy" | "socks-proxy"
            => Refused(gettext_noop!("A proxy has its own settings: proxy-type, proxy-server and \
             proxy-port.")),
        "x509-username-field" => Refused(gettext_noop!("The VPN service's OpenVPN is built without \
                                                        support for this directive.")),
        // Without its counterpart at the endpoint, no packet would get through.
        "fragment" => Ignored(NOT_AWS),
        "tls-crypt-v2" | "peer-fingerprint" => Refused(NOT_AWS),
    }
}

impl Argument {
    /// What is wrong with `text`, if anything is.
    pub(crate) fn objection(self, text: &str) -> Option<Message> {
        let token = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|o| o.is_ascii_alphanumeric() || b"-_.:/+@=,~!*".contains(&o))
        };
        match self {
            Self::Number(least, most) => match text.parse::<u32>() {
                Ok(number) if (least..=most).contains(&number) => None,
                _ => Some(message!(
                    "'{text}' is not a number from {least} to {most}.",
                    text = text.to_owned(),
                    least = least,
                    most = most
                )),
            },
            Self::Token => (!token(text)).then(|| {
                message!(
                    "'{text}' contains a character other than letters, digits and \
                                   -_.:/+@=,~!*",
                    text = text.to_owned()
                )
            }),
            Self::Text => {
                (text.is_empty() || text.len() > TEXT_LIMIT || text.chars().any(char::is_control))
                    .then(|| {
                        message!(
                            "The text is empty or longer than {limit} characters.",
                            limit = TEXT_LIMIT
                        )
                    })
            }
            Self::RoutePart => {
                let word = matches!(
                    text,
                    "default" | "vpn_gateway" | "net_gateway" | "remote_host"
                );
                (!word && text.parse::<IpAddr>().is_err())
                    .then(|| message!("'{text}' is not an address.", text = text.to_owned()))
            }
            Self::Address => {
                let ip = text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok();
                (!ip && text != "dhcp")
                    .then(|| message!("'{text}' is not an address.", text = text.to_owned()))
            }
            Self::Network6 => {
                let (address, prefix) = text.split_once('/').unwrap_or((text, "128"));
                let valid = address.parse::<Ipv6Addr>().is_ok()
                    && prefix.parse::<u8>().is_ok_and(|bits| bits <= 128);
                (!valid)
                    .then(|| message!("'{text}' is not an IPv6 network.", text = text.to_owned()))
            }
            Self::OneOf(words) => (!words.contains(&text)).then(|| {
                message!(
                    "'{text}' is not possible here; possible values are {words}.",
                    text = text.to_owned(),
                    words = words.join(", ")
                )
            }),
            Self::PeerVariable => {
                let name = text.strip_prefix("UV_").unwrap_or_default();
                let is_name = !name.is_empty()
                    && name.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'_');
                (!is_name).then(|| {
                    message!(
                        "'{text}' is not a name that begins with UV_.",
                        text = text.to_owned()
                    )
                })
            }
            Self::Ciphers => {
                let weak = |name: &str| {
                    let name = name.trim_start_matches(['?', '+']).to_ascii_uppercase();
                    ["NONE", "NULL", "SECLEVEL=0", "MD5", "RC4", "3DES", "EXPORT"]
                        .iter()
                        .any(|bad| name.contains(bad))
                        || name.starts_with("BF-")
                        || name.starts_with("DES-")
                        || name.starts_with("RC2")
                        || ["CAST5", "IDEA", "SEED-", "LOW", "EXP-"]
                            .iter()
                            .any(|bad| name.starts_with(bad))
                };
                if !token(&text.replace('?', "")) {
                    Some(message!(
                        "'{text}' is not a list of ciphers.",
                        text = text.to_owned()
                    ))
                } else {
                    text.split([':', ','])
                        .filter(|name| !name.starts_with(['!', '-']))
                        .find(|name| weak(name))
                        .map(|name| {
                            message!(
                                "The cipher '{name}' does not protect the connection.",
                                name = name.to_owned()
                            )
                        })
                }
            }
        }
    }
}
