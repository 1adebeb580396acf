//! What an OpenVPN server tells of its clients on its management interface (`management-client-auth`).

use std::collections::HashMap;
use std::fmt;

/// The environment of a client; it holds the password, so `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ClientEnvironment(HashMap<String, String>);

impl ClientEnvironment {
    /// The value of `name`, or an empty text.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl fmt::Debug for ClientEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A complete message about one client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ClientMessage {
    /// It asks to be let in, first or once more.
    SignIn {
        client: u64,
        key: u64,
        environment: ClientEnvironment,
    },
    /// Its tunnel is up.
    Established {
        client: u64,
        environment: ClientEnvironment,
    },
    /// It is gone.
    Disconnected { client: u64 },
}

/// Puts `>CLIENT:` lines together.
#[derive(Debug, Default)]
pub(crate) struct ClientMessages {
    header: Option<Vec<String>>,
    environment: ClientEnvironment,
}

impl ClientMessages {
    /// Takes the part of a line after `>CLIENT:`; the message that it completes.
    pub(crate) fn line(&mut self, line: &str) -> Option<ClientMessage> {
        if let Some(variable) = line.strip_prefix("ENV,") {
            if variable == "END" {
                let environment = std::mem::take(&mut self.environment);
                return complete(&self.header.take()?, environment);
            }
            if let Some((name, value)) = variable.split_once('=') {
                self.environment.0.insert(name.to_owned(), value.to_owned());
            }
            return None;
        }
        if line.starts_with("ADDRESS,") {
            return None;
        }
        self.header = Some(line.split(',').map(str::to_owned).collect());
        self.environment = ClientEnvironment::default();
        None
    }
}

fn complete(header: &[String], environment: ClientEnvironment) -> Option<ClientMessage> {
    let number = |field: usize| header.get(field)?.parse().ok();
    let client = number(1)?;
    match header.first()?.as_str() {
        "CONNECT" | "REAUTH" => Some(ClientMessage::SignIn {
            client,
            key: number(2)?,
            environment,
        }),
        "ESTABLISHED" => Some(ClientMessage::Established {
            client,
            environment,
        }),
        "DISCONNECT" => Some(ClientMessage::Disconnected { client }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_messages() {
        let mut messages = ClientMessages::default();
        let mut last = None;
        for line in [
            "CONNECT,3,1",
            "ENV,username=N/A",
            "ENV,password=a=b,c",
            "ENV,END",
        ] {
            assert_eq!(last, None);
            last = messages.line(line);
        }
        let Some(ClientMessage::SignIn {
            client: 3,
            key: 1,
            environment,
        }) = last
        else {
            panic!("{last:?}");
        };
        assert_eq!(environment.value("password"), "a=b,c");
        assert_eq!(environment.value("aws_framing"), "");
        assert!(!format!("{environment:?}").contains("a=b"));
        for line in ["ADDRESS,3,10.88.0.2,1", "DISCONNECT,3", "ENV,n_clients=0"] {
            assert_eq!(messages.line(line), None);
        }
        assert_eq!(
            messages.line("ENV,END"),
            Some(ClientMessage::Disconnected { client: 3 })
        );
        assert_eq!(messages.line("ENV,END"), None);
    }
}
