//! The checks: each judges one matter from the facts. All of them are in [`ALL`]. Those of what the
//! package brings are here, those of the rest of the machine in `machine`.

mod machine;

pub(super) use machine::is_left;

use super::Verdict;
use super::facts::{Facts, File};
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::{gettext_noop, message};

/// What a check comes to: how it is, what was seen, and what to do unless all is well.
pub(super) type Judgement = (Verdict, Message, Option<Message>);
type Check = fn(&Facts) -> Judgement;

/// In the order in which a connection needs the things. The names are stable, for programs.
pub(super) const ALL: [(&str, Check); 21] = [
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("network-manager"), network_manager),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("plugin"), plugin),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("files"), files),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("service"), service),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("d-bus-policy"), policy),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("account"), account),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("openvpn"), openvpn),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("tun"), machine::tun),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("dns"), machine::dns),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("rights"), machine::rights),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("connections"), machine::imported_as_openvpn),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("private-keys"), machine::exposed_keys),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("certificates"), machine::client_certificates),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column: a property of a connection.
    (gettext_noop!("secondaries"), machine::secondaries),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("agent"), machine::agent),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("plasma"), machine::plasma),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("window"), machine::window),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("browser"), machine::browser),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("port-35001"), machine::port),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("kill-switch"), machine::kill_switch),
    // TRANSLATORS: The name of a check of aws-client-vpn doctor, in a column.
    (gettext_noop!("clock"), machine::clock),
];

fn good(seen: Message) -> Judgement {
    (Verdict::Good, seen, None)
}

fn warning(seen: Message, remedy: Message) -> Judgement {
    (Verdict::Warning, seen, Some(remedy))
}

fn problem(seen: Message, remedy: Message) -> Judgement {
    (Verdict::Problem, seen, Some(remedy))
}

/// The account that OpenVPN runs as.
const ACCOUNT: &str = "nm-aws-client-vpn";
/// What tells NetworkManager of this VPN.
pub(super) const NAME_FILE: &str = "nm-aws-client-vpn-service.name";
/// The oldest NetworkManager that this is tested with.
const OLDEST_NETWORK_MANAGER: (u32, u32) = (1, 42);

fn reinstall() -> Message {
    message!("install the package again")
}

/// What others call something: not ours to translate.
fn plain(text: impl ToString) -> Message {
    Message::literal(text.to_string())
}

fn network_manager(facts: &Facts) -> Judgement {
    match &facts.network_manager {
        None => problem(
            // TRANSLATORS: What a check of aws-client-vpn doctor found.
            message!("not checked"),
            message!("run this command again"),
        ),
        Some(Err(error)) => problem(
            error.clone(),
            message!(
                "this VPN is a plugin of it; to start it: sudo systemctl start NetworkManager"
            ),
        ),
        Some(Ok(manager)) => {
            let version = &manager.version;
            let mut numbers = version
                .split(['.', '-'])
                .map_while(|word| word.parse().ok());
            let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            let seen = plain(format!("NetworkManager {version}"));
            if found < OLDEST_NETWORK_MANAGER {
                let (major, minor) = OLDEST_NETWORK_MANAGER;
                let remedy = message!(
                    "{version} or later is required; upgrade NetworkManager",
                    version = format!("{major}.{minor}"),
                );
                warning(seen, remedy)
            } else {
                good(seen)
            }
        }
    }
}

fn plugin(facts: &Facts) -> Judgement {
    let Some(name_file) = &facts.name_file else {
        let seen = message!(
            "NetworkManager does not know this VPN: the file {name} is missing",
            name = NAME_FILE.to_owned(),
        );
        return problem(seen, reinstall());
    };
    if let Some(wrong) = wrong_with(&name_file.file) {
        return problem(wrong, remedy_for(&name_file.file));
    }
    let missing = [
        ("program", name_file.program.is_none()),
        ("auth-dialog", name_file.auth_dialog.is_none()),
        ("plugin", name_file.plugin.is_none()),
    ];
    let path = name_file.file.path.display();
    match missing.iter().find(|(_, missing)| *missing) {
        Some((key, _)) => problem(
            message!(
                // TRANSLATORS: {key} is a key of a configuration file.
                "{path} has no line {key}=",
                path = path,
                key = (*key).to_owned()
            ),
            reinstall(),
        ),
        None => good(plain(path)),
    }
}

fn files(facts: &Facts) -> Judgement {
    let wrong = facts
        .files
        .iter()
        .find_map(|file| Some((file, wrong_with(file)?)));
    match wrong {
        Some((file, wrong)) => problem(wrong, remedy_for(file)),
        None if facts.files.is_empty() => problem(
            message!("the plugin's .name file was not found"),
            reinstall(),
        ),
        None => good(
            // TRANSLATORS: How many files of the package are there, and as they should be.
            message!("files found: {number}", number = facts.files.len()),
        ),
    }
}

/// NetworkManager and libnm load a file only if nobody but root can have changed it.
fn wrong_with(file: &File) -> Option<Message> {
    let path = file.path.display();
    Some(match file.inode {
        None => message!("{path} is missing", path = path),
        Some((_, owner)) if owner != 0 => message!(
            "{path} belongs to user {owner}, not root",
            path = path,
            owner = owner
        ),
        Some((mode, _)) if mode & 0o022 != 0 => {
            message!(
                "{path} can be changed by users other than root",
                path = path
            )
        }
        Some((mode, _)) if file.program && mode & 0o111 != 0o111 => {
            message!("not every user can run {path}", path = path)
        }
        Some((mode, _)) if mode & 0o444 != 0o444 => {
            message!("not every user can read {path}", path = path)
        }
        Some(_) => return None,
    })
}

fn remedy_for(file: &File) -> Message {
    if file.inode.is_none() {
        return reinstall();
    }
    let mode: u32 = if file.program { 755 } else { 644 };
    message!(
        "install the package again, or: sudo chown root:root {path}; sudo chmod {mode} {path}",
        path = file.path.display(),
        mode = mode,
    )
}

fn service(facts: &Facts) -> Judgement {
    let own = env!("CARGO_PKG_VERSION");
    match &facts.service_version {
        None => problem(message!("the service's program was not found"), reinstall()),
        Some(Err(error)) => problem(error.clone(), reinstall()),
        Some(Ok(version)) if version == own => good(
            // TRANSLATORS: What a check of aws-client-vpn doctor found.
            message!("version {version}", version = version.clone()),
        ),
        Some(Ok(version)) => warning(
            message!(
                "version {version}, but this command has version {own}",
                version = version.clone(),
                own = own.to_owned(),
            ),
            message!("finish the upgrade, or install the package again"),
        ),
    }
}

fn policy(facts: &Facts) -> Judgement {
    match facts.policies.first() {
        Some(policy) => good(plain(policy.display())),
        None => problem(
            message!(
                "no D-Bus policy allows the service to own {name}",
                name = SERVICE_TYPE.to_owned(),
            ),
            message!("install the package again, then: sudo systemctl reload dbus"),
        ),
    }
}

fn account(facts: &Facts) -> Judgement {
    let found = facts.passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == ACCOUNT).then_some(())?;
        let mut numbers = fields.skip(1).map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    match found {
        None => problem(
            message!(
                "OpenVPN's account {account} is missing",
                account = ACCOUNT.to_owned()
            ),
            plain("sudo systemd-sysusers /usr/lib/sysusers.d/nm-aws-client-vpn.conf"),
        ),
        Some((0, _) | (_, 0)) => problem(
            message!(
                "the account {account} has root privileges",
                account = ACCOUNT.to_owned(),
            ),
            message!(
                "install the package again after: sudo userdel {account}",
                account = ACCOUNT.to_owned(),
            ),
        ),
        Some((user, _)) => good(message!(
            // TRANSLATORS: An account with its number.
            "{account} (user {user})",
            account = ACCOUNT.to_owned(),
            user = user
        )),
    }
}

fn openvpn(facts: &Facts) -> Judgement {
    let Some(openvpn) = &facts.openvpn else {
        let seen = message!("the package's own OpenVPN is missing");
        return problem(seen, reinstall());
    };
    match &openvpn.version {
        Err(error) => problem(error.clone(), reinstall()),
        Ok(version) if openvpn.unknown_options.is_empty() => good(message!(
            "{version}, patched for AWS's sign-in",
            version = version.clone()
        )),
        Ok(version) => problem(
            message!(
                // TRANSLATORS: {version} is OpenVPN's name and version, {options} a list of its options.
                "{version} lacks {options}, so it is not the package's OpenVPN",
                version = version.clone(),
                options = openvpn.unknown_options.join(", "),
            ),
            reinstall(),
        ),
    }
}

#[cfg(test)]
mod tests;
