//! A line to a notification. Never fails: what is not understood is [`Notification::Other`].

use super::{NeedKind, Notification, State, StateName};
use aws_client_vpn_profile::parts::Transport;
use aws_client_vpn_text::secret::Secret;

/// Reads one line, without its end.
#[must_use]
pub fn decode(line: &str) -> Notification {
    let other = || Notification::Other(kind_of(line));
    if let Some(text) = line.strip_prefix("SUCCESS:") {
        return Notification::Success(text.trim_start().to_owned());
    }
    if let Some(text) = line.strip_prefix("ERROR:") {
        return Notification::Error(error(text.trim_start()));
    }
    let Some((kind, body)) = line.strip_prefix('>').and_then(|rest| rest.split_once(':')) else {
        return other();
    };
    match kind {
        "HOLD" => Notification::Hold,
        "INFO" => Notification::Info(body.to_owned()),
        "STATE" => state(body).map_or_else(other, Notification::State),
        "PASSWORD" => password(body).unwrap_or_else(other),
        "REMOTE" => remote(body).unwrap_or_else(other),
        "UPDOWN" => up_down(body).unwrap_or_else(other),
        "LOG" => log(body).unwrap_or_else(other),
        "ECHO" => {
            // `time,text`
            let text = body.split_once(',').map_or(body, |(_, text)| text);
            Notification::Echo(text.to_owned())
        }
        "FATAL" => Notification::Fatal(body.to_owned()),
        "BYTECOUNT" => byte_count(body).unwrap_or_else(other),
        "NEED-OK" => need_ok(body).unwrap_or_else(other),
        "INFOMSG" => Notification::InfoMessage(body.to_owned()),
        "NOTIFY" => Notification::Notify(body.to_owned()),
        _ => other(),
    }
}

/// An OpenVPN without our patch quotes the beginning of a parameter that is too long for it
/// (`Options error: Parameter at TCP:0 is too long (256 chars max): …`): that would be a password.
fn error(text: &str) -> String {
    match text.split_once(" is too long") {
        Some((what, _)) => format!("{what} is too long"),
        None => text.to_owned(),
    }
}

/// A line that is not understood may hold anything; only its kind is kept.
fn kind_of(line: &str) -> String {
    match line.strip_prefix('>').and_then(|rest| rest.split_once(':')) {
        Some((kind, _)) if kind.bytes().all(|byte| byte.is_ascii_uppercase()) => kind.to_owned(),
        _ => String::new(),
    }
}

fn state(body: &str) -> Option<State> {
    let mut fields = body.split(',').skip(1);
    let name = match fields.next()? {
        "CONNECTING" => StateName::Connecting,
        "RESOLVE" => StateName::Resolve,
        "TCP_CONNECT" => StateName::TcpConnect,
        "WAIT" => StateName::Wait,
        "AUTH" => StateName::Auth,
        "AUTH_PENDING" => StateName::AuthPending,
        "GET_CONFIG" => StateName::GetConfig,
        "ASSIGN_IP" => StateName::AssignIp,
        "ADD_ROUTES" => StateName::AddRoutes,
        "CONNECTED" => StateName::Connected,
        "RECONNECTING" => StateName::Reconnecting,
        "EXITING" => StateName::Exiting,
        other => StateName::Other(other.to_owned()),
    };
    let mut field = || fields.next().unwrap_or_default();
    Some(State {
        name,
        detail: field().to_owned(),
        local_ipv4: field().parse().ok(),
        remote_ip: field().parse().ok(),
        remote_port: field().parse().ok(),
    })
}

fn password(body: &str) -> Option<Notification> {
    if let Some(token) = body.strip_prefix("Auth-Token:") {
        return Some(Notification::AuthToken(Secret::from(token)));
    }
    if let Some(rest) = body.strip_prefix("Need '") {
        // The realm may be the label of a token, with quotes of its own.
        let (realm, kind) = rest.split_once("' ")?;
        let kind = match kind.trim_start() {
            "password" => NeedKind::Password,
            // `username/password SC:<flags>,<text>`
            kind => NeedKind::UserPassword {
                static_challenge: kind
                    .strip_prefix("username/password")?
                    .trim_start()
                    .strip_prefix("SC:")
                    .and_then(|challenge| challenge.split_once(','))
                    .map(|(_, text)| text.to_owned()),
            },
        };
        return Some(Notification::PasswordNeeded {
            realm: realm.to_owned(),
            kind,
        });
    }
    let rest = body.strip_prefix("Verification Failed: '")?;
    let (realm, reason) = match rest.split_once("' ['") {
        // AWS's reason holds single quotes: only the last `']` ends it. Without one OpenVPN has cut
        // the line, and what is left of a challenge is of no use.
        Some((realm, reason)) => (realm, reason.strip_suffix("']").map(Secret::from)),
        None => (rest.strip_suffix('\'')?, None),
    };
    Some(Notification::VerificationFailed {
        realm: realm.to_owned(),
        reason,
    })
}

fn remote(body: &str) -> Option<Notification> {
    // An IPv6 address has colons, but no name or address has a comma.
    let mut fields = body.splitn(3, ',');
    let host = fields.next().filter(|host| !host.is_empty())?.to_owned();
    let port = fields.next()?.parse().ok()?;
    let transport = if fields.next()?.starts_with("tcp") {
        Transport::Tcp
    } else {
        Transport::Udp
    };
    Some(Notification::Remote {
        host,
        port,
        transport,
    })
}

fn up_down(body: &str) -> Option<Notification> {
    match body {
        "UP" => Some(Notification::Up),
        "DOWN" => Some(Notification::Down),
        "ENV,END" => Some(Notification::EnvironmentEnd),
        _ => {
            let (name, value) = body.strip_prefix("ENV,")?.split_once('=')?;
            Some(Notification::Environment {
                name: name.to_owned(),
                value: value.to_owned(),
            })
        }
    }
}

fn log(body: &str) -> Option<Notification> {
    let mut fields = body.splitn(3, ',').skip(1);
    let flags = fields.next()?.to_owned();
    Some(Notification::Log {
        flags,
        text: Secret::from(fields.next()?),
    })
}

fn byte_count(body: &str) -> Option<Notification> {
    let (received, sent) = body.split_once(',')?;
    Some(Notification::ByteCount {
        received: received.parse().ok()?,
        sent: sent.parse().ok()?,
    })
}

fn need_ok(body: &str) -> Option<Notification> {
    let (name, rest) = body.strip_prefix("Need '")?.split_once('\'')?;
    let message = rest.split_once("MSG:").map_or("", |(_, message)| message);
    Some(Notification::NeedOk {
        name: name.to_owned(),
        message: message.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    #[test]
    fn lines_as_openvpn_sends_them() {
        let need = |kind| Notification::PasswordNeeded {
            realm: "Auth".to_owned(),
            kind,
        };
        let table = [
            (">HOLD:Waiting for hold release:0", Notification::Hold),
            (
                ">PASSWORD:Need 'Auth' username/password",
                need(NeedKind::UserPassword {
                    static_challenge: None,
                }),
            ),
            (
                ">PASSWORD:Need 'Auth' username/password SC:1,Enter MFA code, please",
                need(NeedKind::UserPassword {
                    static_challenge: Some("Enter MFA code, please".to_owned()),
                }),
            ),
            (
                ">REMOTE:cvpn.example,443,udp",
                Notification::Remote {
                    host: "cvpn.example".to_owned(),
                    port: 443,
                    transport: Transport::Udp,
                },
            ),
            (">UPDOWN:UP", Notification::Up),
            (">UPDOWN:ENV,END", Notification::EnvironmentEnd),
            (
                ">UPDOWN:ENV,a=b=c",
                Notification::Environment {
                    name: "a".to_owned(),
                    value: "b=c".to_owned(),
                },
            ),
            (">ECHO:1700000000,", Notification::Echo(String::new())),
            (">ECHO:1700000000,a,b", Notification::Echo("a,b".to_owned())),
            (
                ">BYTECOUNT:12,34",
                Notification::ByteCount {
                    received: 12,
                    sent: 34,
                },
            ),
            (
                "SUCCESS: hold release",
                Notification::Success("hold release".to_owned()),
            ),
            (
                ">PASSWORD:Need 'Private Key' password",
                Notification::PasswordNeeded {
                    realm: "Private Key".to_owned(),
                    kind: NeedKind::Password,
                },
            ),
            (
                ">PASSWORD:Need 'Ann's token' password",
                Notification::PasswordNeeded {
                    realm: "Ann's token".to_owned(),
                    kind: NeedKind::Password,
                },
            ),
            (
                ">PASSWORD:Auth-Token:SESS_ID_AT_x",
                Notification::AuthToken(Secret::from("SESS_ID_AT_x")),
            ),
            (
                ">REMOTE:2001:db8::1,1194,tcp-client",
                Notification::Remote {
                    host: "2001:db8::1".to_owned(),
                    port: 1194,
                    transport: Transport::Tcp,
                },
            ),
            (
                ">LOG:1700000000,W,a, b: c",
                Notification::Log {
                    flags: "W".to_owned(),
                    text: Secret::from("a, b: c"),
                },
            ),
            (
                ">NEED-OK:Need 'token-insertion-request' confirmation MSG:Insert 'x': now",
                Notification::NeedOk {
                    name: "token-insertion-request".to_owned(),
                    message: "Insert 'x': now".to_owned(),
                },
            ),
            (
                ">FATAL:Error: private key password verification failed",
                Notification::Fatal("Error: private key password verification failed".to_owned()),
            ),
            (
                ">INFOMSG:WEB_AUTH::https://idp.example/",
                Notification::InfoMessage("WEB_AUTH::https://idp.example/".to_owned()),
            ),
            (
                ">NOTIFY:info,server-pushed-connection-reset,",
                Notification::Notify("info,server-pushed-connection-reset,".to_owned()),
            ),
            (
                "ERROR: command 'x' failed",
                Notification::Error("command 'x' failed".to_owned()),
            ),
            (">UPDOWN:DOWN", Notification::Down),
            (">PASSWORD:what", Notification::Other("PASSWORD".to_owned())),
            (">REMOTE:,443,udp", Notification::Other("REMOTE".to_owned())),
            (
                ">REMOTE:a,65536,udp",
                Notification::Other("REMOTE".to_owned()),
            ),
            (">BYTECOUNT:1", Notification::Other("BYTECOUNT".to_owned())),
            (">UPDOWN:ENV,x", Notification::Other("UPDOWN".to_owned())),
            ("END", Notification::Other(String::new())),
        ];
        for (line, expected) in table {
            assert_eq!(decode(line), expected, "{line}");
        }
    }

    #[test]
    fn a_reason_goes_to_its_last_quote() {
        for (line, realm, reason) in [
            (
                "'Auth' ['CRV1:R:i/1/u:b'Ti9B':https://a/?b=c']",
                "Auth",
                Some("CRV1:R:i/1/u:b'Ti9B':https://a/?b=c"),
            ),
            (
                "'Auth' ['it's ['quoted'] twice']",
                "Auth",
                Some("it's ['quoted'] twice"),
            ),
            ("'Auth' ['']", "Auth", Some("")),
            ("'Auth'", "Auth", None),
            ("'Private Key'", "Private Key", None),
            // Cut on its way through OpenVPN.
            ("'Auth' ['CRV1:R:i/1/u:b'Ti9B':https://a/?b=", "Auth", None),
        ] {
            let expected = Notification::VerificationFailed {
                realm: realm.to_owned(),
                reason: reason.map(Secret::from),
            };
            let line = format!(">PASSWORD:Verification Failed: {line}");
            assert_eq!(decode(&line), expected, "{line}");
        }
    }

    #[test]
    fn what_may_be_secret_is_never_shown() {
        for line in [
            ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:hidden:b'Ti9B':https://a/']",
            ">PASSWORD:Auth-Token:hidden",
            ">PASSWORD:Verification Succeeded hidden",
            ">LOG:1700000000,,AUTH: Received control message: AUTH_FAILED,CRV1:R:hidden:x:y",
            ">UNHEARD:hidden",
            "hidden",
            ">hidden:x",
            "ERROR: Options error: Parameter at TCP:0 is too long (256 chars max): hidden",
        ] {
            let shown = format!("{:?}", decode(line));
            assert!(!shown.contains("hidden"), "{shown}");
        }
    }

    #[test]
    fn a_state_has_its_fields() {
        let line = ">STATE:1,CONNECTED,SUCCESS,10.88.0.2,10.77.0.1,1194,,";
        let Notification::State(state) = decode(line) else {
            panic!()
        };
        assert_eq!(state.name, StateName::Connected);
        assert_eq!(state.local_ipv4, Some(Ipv4Addr::new(10, 88, 0, 2)));
        assert_eq!(state.remote_port, Some(1194));
        let Notification::State(state) = decode(">STATE:1,RECONNECTING,ping-restart,,,,,") else {
            panic!()
        };
        assert_eq!(
            (state.name, state.detail.as_str()),
            (StateName::Reconnecting, "ping-restart")
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            kind in "|SUCCESS:|ERROR:|>(PASSWORD|STATE|REMOTE|UPDOWN|LOG|ECHO|BYTECOUNT|NEED-OK|HOLD):",
            body in "(Need '|Verification Failed: '|Auth-Token:|ENV,)?[',\\[\\]:=a-z0-9 ]{0,40}|\\PC{0,200}",
        ) {
            let _ = decode(&format!("{kind}{body}"));
        }

        #[test]
        fn any_reason_arrives_whole(reason in "\\PC{0,100}|['\\[\\]: ]{0,10}") {
            let line = format!(">PASSWORD:Verification Failed: 'Auth' ['{reason}']");
            prop_assert_eq!(decode(&line), Notification::VerificationFailed {
                realm: "Auth".to_owned(),
                reason: Some(Secret::from(reason.as_str())),
            });
        }

        #[test]
        fn any_variable_arrives_whole(name in "[a-z0-9_]{1,20}", value in "\\PC{0,60}") {
            let line = format!(">UPDOWN:ENV,{name}={value}");
            prop_assert_eq!(decode(&line), Notification::Environment { name, value });
        }
    }
}
