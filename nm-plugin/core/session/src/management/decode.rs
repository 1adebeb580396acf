//! A line to a notification. Never fails: what is not understood is [`Notification::Other`].

use super::Notification;
use aws_client_vpn_profile::parts::Transport;
use aws_client_vpn_text::secret::Secret;

/// Reads one line, without its end.
#[must_use]
pub fn decode(line: &str) -> Notification {
    if line.starts_with("SUCCESS:") {
        return Notification::Ignored;
    }
    if let Some(text) = line.strip_prefix("ERROR:") {
        return Notification::Error(error(text.trim_start()));
    }
    let Some((kind, body)) = line.strip_prefix('>').and_then(|rest| rest.split_once(':')) else {
        return Notification::Other;
    };
    let notification = match kind {
        "HOLD" => Some(Notification::Hold),
        "STATE" => state(body),
        "PASSWORD" => password(body),
        "REMOTE" => remote(body),
        "UPDOWN" => up_down(body),
        "LOG" => log(body),
        "ECHO" => {
            // `time,text`
            let text = body.split_once(',').map_or(body, |(_, text)| text);
            Some(Notification::Echo(text.to_owned()))
        }
        "FATAL" => Some(Notification::Fatal(body.to_owned())),
        "NEED-OK" => need_ok(body),
        "INFO" | "INFOMSG" | "NOTIFY" | "BYTECOUNT" => Some(Notification::Ignored),
        _ => None,
    };
    notification.unwrap_or(Notification::Other)
}

/// An OpenVPN without our patch quotes the beginning of a parameter that is too long for it
/// (`Options error: Parameter at TCP:0 is too long (256 chars max): …`): that would be a password.
fn error(text: &str) -> String {
    match text.split_once(" is too long") {
        Some((what, _)) => format!("{what} is too long"),
        None => text.to_owned(),
    }
}

fn state(body: &str) -> Option<Notification> {
    // `time,name,detail,…`
    let mut fields = body.split(',').skip(1);
    let name = fields.next()?;
    let mut detail = || fields.next().unwrap_or_default().to_owned();
    Some(match name {
        "CONNECTED" => Notification::Connected,
        "RECONNECTING" => Notification::Reconnecting(detail()),
        "EXITING" => Notification::Exiting(detail()),
        _ => Notification::Ignored,
    })
}

fn password(body: &str) -> Option<Notification> {
    if body.starts_with("Auth-Token:") {
        return Some(Notification::AuthToken);
    }
    if let Some(rest) = body.strip_prefix("Need '") {
        // The realm may be the label of a token, with quotes of its own.
        let (realm, what) = rest.split_once("' ")?;
        let what = what.trim_start();
        // `username/password SC:<flags>,<text>` where a static challenge is to be answered.
        if what != "password" && !what.starts_with("username/password") {
            return None;
        }
        return Some(Notification::PasswordNeeded {
            realm: realm.to_owned(),
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
    // `time,flags,text`
    let text = body.splitn(3, ',').nth(2)?;
    Some(Notification::Log(Secret::from(text)))
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

    #[test]
    fn lines_as_openvpn_sends_them() {
        let need = |realm: &str| Notification::PasswordNeeded {
            realm: realm.to_owned(),
        };
        let table = [
            (">HOLD:Waiting for hold release:0", Notification::Hold),
            (">PASSWORD:Need 'Auth' username/password", need("Auth")),
            (
                ">PASSWORD:Need 'Auth' username/password SC:1,Enter MFA code, please",
                need("Auth"),
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
            (">BYTECOUNT:12,34", Notification::Ignored),
            ("SUCCESS: hold release", Notification::Ignored),
            (">PASSWORD:Need 'Private Key' password", need("Private Key")),
            (">PASSWORD:Need 'Ann's token' password", need("Ann's token")),
            (">PASSWORD:Auth-Token:SESS_ID_AT_x", Notification::AuthToken),
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
                Notification::Log(Secret::from("a, b: c")),
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
                Notification::Ignored,
            ),
            (
                ">NOTIFY:info,server-pushed-connection-reset,",
                Notification::Ignored,
            ),
            (
                "ERROR: command 'x' failed",
                Notification::Error("command 'x' failed".to_owned()),
            ),
            (">UPDOWN:DOWN", Notification::Down),
            (">PASSWORD:what", Notification::Other),
            (">PASSWORD:Need 'Auth' a poem", Notification::Other),
            (">REMOTE:,443,udp", Notification::Other),
            (">REMOTE:a,65536,udp", Notification::Other),
            (">UPDOWN:ENV,x", Notification::Other),
            ("END", Notification::Other),
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
    fn of_the_states_those_count_that_begin_or_end_something() {
        for (line, expected) in [
            (
                ">STATE:1,CONNECTED,SUCCESS,10.88.0.2,10.77.0.1,1194,,",
                Notification::Connected,
            ),
            (
                ">STATE:1,RECONNECTING,ping-restart,,,,,",
                Notification::Reconnecting("ping-restart".to_owned()),
            ),
            (
                ">STATE:1,EXITING,SIGTERM,,,,,",
                Notification::Exiting("SIGTERM".to_owned()),
            ),
            (">STATE:1,WAIT,,,,,,", Notification::Ignored),
            (">STATE:1", Notification::Other),
        ] {
            assert_eq!(decode(line), expected, "{line}");
        }
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
