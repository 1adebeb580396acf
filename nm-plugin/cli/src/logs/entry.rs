//! One line of the log, from the journal's JSON or from a plain log of NetworkManager.

use aws_client_vpn_profile::well_known::{ATTEMPT_FIELD, CONNECTION_FIELD, ENDPOINT_FIELD};
use serde_json::Value;

/// The fields of a journal's entry that are read; its time is always there.
pub(super) const JOURNAL_FIELDS: [&str; 7] = [
    "MESSAGE",
    "SYSLOG_IDENTIFIER",
    "_PID",
    "_UID",
    CONNECTION_FIELD,
    ATTEMPT_FIELD,
    ENDPOINT_FIELD,
];

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// NetworkManager.
    NetworkManager,
    /// The VPN service, and OpenVPN through it.
    Service,
    /// The login dialog.
    Dialog,
    /// The secret agent of sessions without a desktop.
    Agent,
}

impl Source {
    /// From the journal's `SYSLOG_IDENTIFIER`.
    fn of_identifier(identifier: &str) -> Option<Self> {
        match identifier {
            "NetworkManager" => Some(Self::NetworkManager),
            "nm-aws-client-vpn-service" => Some(Self::Service),
            "nm-aws-client-vpn-auth-dialog" => Some(Self::Dialog),
            "nm-aws-client-vpn-agent" => Some(Self::Agent),
            _ => None,
        }
    }

    /// In a column of the log.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::NetworkManager => "nm",
            Self::Service => "service",
            Self::Dialog => "dialog",
            Self::Agent => "agent",
        }
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, in microseconds since 1970, if it is known.
    pub time: Option<u64>,
    /// Who says it.
    pub source: Source,
    /// The process that says it, if it is known.
    pub process: Option<u32>,
    /// The UUID of the connection it is about, if it is known.
    pub connection: Option<String>,
    /// The connection's name, if the service says here that it connects.
    pub attempt: Option<String>,
    /// Whether it is marked as one that tells what the endpoint did.
    pub is_of_endpoint: bool,
    /// What is said.
    pub text: String,
}

impl Entry {
    /// The name of the connection, if the service says here that it connects.
    pub(super) fn begins_attempt(&self) -> Option<&str> {
        let is_the_service = self.source == Source::Service;
        self.attempt.as_deref().filter(|_| is_the_service)
    }

    /// Whether a program of the system says it, and none of the user's.
    pub(super) fn is_of_system(&self) -> bool {
        match self.source {
            Source::NetworkManager | Source::Service => true,
            Source::Dialog | Source::Agent => false,
        }
    }

    /// Whether the service tells here what the endpoint did.
    pub(super) fn tells_of_endpoint(&self) -> bool {
        self.source == Source::Service && self.is_of_endpoint
    }
}

/// The lines of `journalctl --output=json`; those of other programs are left out.
#[must_use]
pub fn of_journal(text: &str) -> Vec<Entry> {
    text.lines().filter_map(journal_entry).collect()
}

fn journal_entry(line: &str) -> Option<Entry> {
    let fields: Value = serde_json::from_str(line).ok()?;
    let source = Source::of_identifier(&field(&fields, "SYSLOG_IDENTIFIER")?)?;
    let is_root = field(&fields, "_UID").is_some_and(|user| user == "0");
    let text = field(&fields, "MESSAGE")?;
    match source {
        // Anybody may write to the journal under any name; the user's number is the journal's.
        Source::NetworkManager | Source::Service if !is_root => return None,
        Source::NetworkManager | Source::Service | Source::Dialog | Source::Agent => {}
    }
    let (_, text) = without_level(&text);
    let number = |key: &str| field(&fields, key)?.parse::<u64>().ok();
    Some(Entry {
        time: number("__REALTIME_TIMESTAMP"),
        source,
        process: number("_PID").and_then(|process| u32::try_from(process).ok()),
        connection: field(&fields, CONNECTION_FIELD).or_else(|| uuid_in_vpn_line(text)),
        attempt: field(&fields, ATTEMPT_FIELD),
        is_of_endpoint: field(&fields, ENDPOINT_FIELD).is_some(),
        text: text.to_owned(),
    })
}

/// A field is a text, a list of bytes if it is not one, or a list if it stands there twice.
fn field(fields: &Value, key: &str) -> Option<String> {
    match fields.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => {
            let byte = |value: &Value| u8::try_from(value.as_u64()?).ok();
            match list.iter().map(byte).collect::<Option<Vec<u8>>>() {
                Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                None => list.first()?.as_str().map(str::to_owned),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// The lines of a log that NetworkManager and its children write where there is no journal.
#[must_use]
pub fn of_network_manager_log(text: &str) -> Vec<Entry> {
    text.lines().filter_map(log_entry).collect()
}

fn log_entry(line: &str) -> Option<Entry> {
    let plain = |source, connection: Option<String>, text: &str| {
        Some(Entry {
            time: None,
            source,
            process: None,
            connection,
            attempt: None,
            is_of_endpoint: false,
            text: text.to_owned(),
        })
    };
    if let Some(text) = line.strip_prefix("nm-aws-client-vpn-auth-dialog: ") {
        return plain(Source::Dialog, None, text);
    }
    if line.starts_with('<') {
        let (seconds, text) = without_level(line);
        let uuid = uuid_in_vpn_line(text)?;
        let entry = plain(Source::NetworkManager, Some(uuid), text)?;
        return Some(Entry {
            time: seconds,
            ..entry
        });
    }
    // " INFO connection{NM_CONNECTION=UUID}: nm_aws_client_vpn_service::openvpn: text", or without
    // the span and with the fields at the end.
    const TARGET: &str = "nm_aws_client_vpn_service";
    let (before, after) = line.split_once(TARGET)?;
    let (_, text) = after.split_once(": ")?;
    if let Some((_, uuid)) = before.split_once(&format!("{CONNECTION_FIELD}=")) {
        let uuid = uuid.split('}').next().map(str::to_owned);
        let (text, endpoint) = without_field(text, ENDPOINT_FIELD);
        let entry = plain(Source::Service, uuid, text)?;
        return Some(Entry {
            is_of_endpoint: endpoint.is_some(),
            ..entry
        });
    }
    let (text, uuid) = without_field(text, CONNECTION_FIELD);
    let (text, attempt) = without_field(text, ATTEMPT_FIELD);
    let entry = plain(Source::Service, uuid, text)?;
    Some(Entry { attempt, ..entry })
}

/// Parts the last field, which is called `name`, from a text; a text as a value stands in quotes.
fn without_field<'a>(text: &'a str, name: &str) -> (&'a str, Option<String>) {
    let Some((text, value)) = text.rsplit_once(&format!(" {name}=")) else {
        return (text, None);
    };
    let value = value.trim();
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.to_owned());
    (text, Some(value))
}

/// Parts NetworkManager's own beginning, `<info>  [1795539601.1234] `, from the rest; the time in
/// microseconds.
fn without_level(line: &str) -> (Option<u64>, &str) {
    let parted = || {
        let (level, rest) = line.strip_prefix('<')?.split_once('>')?;
        level.chars().all(char::is_alphabetic).then_some(())?;
        let (time, rest) = rest.trim_start().strip_prefix('[')?.split_once(']')?;
        let (seconds, fraction) = time.split_once('.')?;
        let fraction = format!("{fraction:0<6}");
        let micros = fraction.get(..6)?.parse::<u64>().ok()?;
        let seconds = seconds.parse::<u64>().ok()?;
        Some((
            Some(seconds.checked_mul(1_000_000)?.checked_add(micros)?),
            rest.trim_start(),
        ))
    };
    parted().unwrap_or((None, line))
}

/// NetworkManager begins a line on a VPN with `vpn[0x55…,UUID,"NAME"]`.
fn uuid_in_vpn_line(text: &str) -> Option<String> {
    let inside = text.strip_prefix("vpn")?.split_once('[')?.1;
    let uuid = inside.split(',').nth(1)?;
    (uuid.len() == 36).then(|| uuid.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "01234567-89ab-4def-8123-456789abcdef";

    #[test]
    fn a_journal_entry_is_read_with_all_that_it_tells() {
        let line = format!(
            r#"{{"__REALTIME_TIMESTAMP":"1795539601234567","SYSLOG_IDENTIFIER":"nm-aws-client-vpn-service","_UID":"0","_PID":"77","NM_CONNECTION":["{UUID}","{UUID}"],"NM_AWS_CLIENT_VPN_ATTEMPT":"a \" to b","MESSAGE":"connecting \"a \\\" to b\" to host"}}"#
        );
        let entries = of_journal(&line);
        assert_eq!(
            entries,
            [Entry {
                time: Some(1_795_539_601_234_567),
                source: Source::Service,
                process: Some(77),
                connection: Some(UUID.to_owned()),
                attempt: Some("a \" to b".to_owned()),
                is_of_endpoint: false,
                text: "connecting \"a \\\" to b\" to host".to_owned(),
            }]
        );
        assert_eq!(entries[0].begins_attempt(), Some("a \" to b"));
    }

    #[test]
    fn what_the_endpoint_did_is_marked_by_the_service() {
        let line = |source: &str, user: u32, field: &str| {
            let line = format!(
                r#"{{"SYSLOG_IDENTIFIER":"nm-aws-client-vpn-{source}","_UID":"{user}",{field}"MESSAGE":"the tunnel is up"}}"#
            );
            of_journal(&line)[0].tells_of_endpoint()
        };
        let mark = r#""NM_AWS_CLIENT_VPN_ENDPOINT":"true","#;
        assert!(line("service", 0, mark));
        assert!(!line("service", 0, ""));
        assert!(!line("auth-dialog", 1000, mark));
    }

    #[test]
    fn networkmanager_s_lines_are_parted_from_their_level_and_time() {
        let message = format!("<info>  [1795539601.5] vpn[0x55,{UUID},\\\"vpn\\\"]: starting");
        let line =
            format!(r#"{{"SYSLOG_IDENTIFIER":"NetworkManager","_UID":"0","MESSAGE":"{message}"}}"#);
        let entry = &of_journal(&line)[0];
        assert_eq!(entry.connection.as_deref(), Some(UUID));
        assert!(entry.text.starts_with("vpn[0x55"), "{}", entry.text);
    }

    #[test]
    fn a_message_that_is_no_text_is_read_as_bytes() {
        let line =
            r#"{"SYSLOG_IDENTIFIER":"nm-aws-client-vpn-auth-dialog","MESSAGE":[104,105,255]}"#;
        assert_eq!(of_journal(line)[0].text, "hi\u{fffd}");
    }

    #[test]
    fn nobody_speaks_for_the_service_but_root() {
        let line =
            r#"{"SYSLOG_IDENTIFIER":"nm-aws-client-vpn-service","_UID":"1000","MESSAGE":"x"}"#;
        assert_eq!(of_journal(line), []);
        assert_eq!(of_journal("garbage\n{}\n[1]\n"), []);
    }

    #[test]
    fn a_log_of_networkmanager_is_read_too() {
        let log = format!(
            "<info>  [1795539601.5000] vpn[0x1,{UUID},\"vpn\"]: starting\n\
             <info>  [1795539601.6000] device (eth0): something else\n\
             \x20INFO nm_aws_client_vpn_service::activation: connecting \"vpn\" to host NM_AWS_CLIENT_VPN_ATTEMPT=\"vpn\" NM_CONNECTION={UUID}\n\
             \x20WARN connection{{NM_CONNECTION={UUID}}}: nm_aws_client_vpn_service::openvpn: openvpn: hello: you NM_AWS_CLIENT_VPN_ENDPOINT=true\n\
             nm-aws-client-vpn-auth-dialog: opening the browser\n\
             whatever\n"
        );
        let entries = of_network_manager_log(&log);
        let seen: Vec<_> = entries
            .iter()
            .map(|entry| {
                (
                    entry.source,
                    entry.connection.is_some(),
                    entry.text.as_str(),
                )
            })
            .collect();
        assert_eq!(seen.len(), 4, "{seen:?}");
        assert_eq!(entries[0].time, Some(1_795_539_601_500_000));
        assert_eq!(
            seen[1],
            (Source::Service, true, "connecting \"vpn\" to host")
        );
        assert_eq!(entries[1].begins_attempt(), Some("vpn"));
        assert_eq!(seen[2], (Source::Service, true, "openvpn: hello: you"));
        assert_eq!(entries[2].begins_attempt(), None);
        let of_endpoint = entries.iter().map(Entry::tells_of_endpoint);
        assert!(of_endpoint.eq([false, false, true, false]));
        assert_eq!(seen[3], (Source::Dialog, false, "opening the browser"));
    }
}
