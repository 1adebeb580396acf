//! The checks: each judges one matter from the facts. All of them are in [`ALL`].

use super::Finding;
use super::facts::{Facts, File, Process};
use aws_client_vpn_core::settings::SERVICE_TYPE;

type Check = fn(&Facts) -> Finding;

/// In the order in which a connection needs the things.
pub(super) const ALL: [Check; 13] = [
    network_manager,
    plugin,
    files,
    service,
    policy,
    account,
    openvpn,
    tun,
    dns,
    agent,
    port,
    kill_switch,
    clock,
];

const REINSTALL: &str = "install the package again";
/// The account that OpenVPN runs as.
const ACCOUNT: &str = "nm-aws-client-vpn";
/// The program that serves a connection.
const SERVICE: &str = "nm-aws-client-vpn-service";
/// The oldest NetworkManager that this is tested with.
const OLDEST_NETWORK_MANAGER: (u32, u32) = (1, 42);
/// Programs whose secret agent runs auth dialogs.
const AGENTS: [&str; 4] = [
    "gnome-shell",
    "nm-applet",
    "nm-aws-client-vpn-agent",
    "cinnamon",
];
/// Desktops whose own secret agent runs none.
const DESKTOPS_WITHOUT: [&str; 3] = ["plasmashell", "cosmic-session", "sway"];
/// How long ago a clock may say the package will be installed: files keep their makers' times.
const CLOCK_TOLERANCE: u64 = 24 * 60 * 60;

fn network_manager(facts: &Facts) -> Finding {
    const CHECK: &str = "network-manager";
    match &facts.network_manager {
        None => Finding::problem(CHECK, "not asked", "run this command again"),
        Some(Err(error)) => Finding::problem(
            CHECK,
            error.clone(),
            "systemctl start NetworkManager; this VPN is a part of it",
        ),
        Some(Ok(manager)) => {
            let version = &manager.version;
            let mut numbers = version
                .split(['.', '-'])
                .map_while(|word| word.parse().ok());
            let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            if found < OLDEST_NETWORK_MANAGER {
                let (major, minor) = OLDEST_NETWORK_MANAGER;
                let remedy = format!("{major}.{minor} is the oldest this is tested with; upgrade");
                Finding::warning(CHECK, format!("NetworkManager {version}"), remedy)
            } else {
                Finding::good(CHECK, format!("NetworkManager {version}"))
            }
        }
    }
}

fn plugin(facts: &Facts) -> Finding {
    const CHECK: &str = "plugin";
    let Some(name_file) = &facts.name_file else {
        let seen = "NetworkManager is not told of this VPN: no file nm-aws-client-vpn-service.name";
        return Finding::problem(CHECK, seen, REINSTALL);
    };
    if let Some(wrong) = wrong_with(&name_file.file) {
        return Finding::problem(CHECK, wrong, remedy_for(&name_file.file));
    }
    let missing = [
        ("program", name_file.program.is_none()),
        ("auth-dialog", name_file.auth_dialog.is_none()),
        ("plugin", name_file.plugin.is_none()),
    ];
    let path = name_file.file.path.display();
    match missing.iter().find(|(_, missing)| *missing) {
        Some((key, _)) => Finding::problem(CHECK, format!("{path} names no {key}"), REINSTALL),
        None => Finding::good(CHECK, path.to_string()),
    }
}

fn files(facts: &Facts) -> Finding {
    const CHECK: &str = "files";
    let wrong = facts
        .files
        .iter()
        .find_map(|file| Some((file, wrong_with(file)?)));
    match wrong {
        Some((file, wrong)) => Finding::problem(CHECK, wrong, remedy_for(file)),
        None if facts.files.is_empty() => {
            Finding::problem(CHECK, "nobody says where they are", REINSTALL)
        }
        None => Finding::good(CHECK, format!("{} in place", facts.files.len())),
    }
}

/// NetworkManager and libnm load a file only if nobody but root can have changed it.
fn wrong_with(file: &File) -> Option<String> {
    let path = file.path.display();
    match file.inode {
        None => Some(format!("{path} is missing")),
        Some((_, owner)) if owner != 0 => Some(format!("{path} belongs to user {owner}, not root")),
        Some((mode, _)) if mode & 0o022 != 0 => {
            Some(format!("{path} can be changed by others than root"))
        }
        Some((mode, _)) if file.program && mode & 0o111 != 0o111 => {
            Some(format!("{path} cannot be executed by everybody"))
        }
        Some((mode, _)) if mode & 0o444 != 0o444 => {
            Some(format!("{path} cannot be read by everybody"))
        }
        Some(_) => None,
    }
}

fn remedy_for(file: &File) -> String {
    if file.inode.is_none() {
        return REINSTALL.to_owned();
    }
    let mode = if file.program { "755" } else { "644" };
    let path = file.path.display();
    format!("{REINSTALL}, or: chown root:root {path}; chmod {mode} {path}")
}

fn service(facts: &Facts) -> Finding {
    const CHECK: &str = "service";
    let own = env!("CARGO_PKG_VERSION");
    match &facts.service_version {
        None => Finding::problem(CHECK, "there is none to be asked", REINSTALL),
        Some(Err(error)) => Finding::problem(CHECK, error.clone(), REINSTALL),
        Some(Ok(version)) if version == own => Finding::good(CHECK, format!("version {version}")),
        Some(Ok(version)) => Finding::warning(
            CHECK,
            format!("version {version}, this command is {own}"),
            "finish the upgrade, or install the package again",
        ),
    }
}

fn policy(facts: &Facts) -> Finding {
    const CHECK: &str = "d-bus-policy";
    match facts.policies.first() {
        Some(policy) => Finding::good(CHECK, policy.display().to_string()),
        None => Finding::problem(
            CHECK,
            format!("no policy lets the service own {SERVICE_TYPE}"),
            format!("{REINSTALL}, then: systemctl reload dbus"),
        ),
    }
}

fn account(facts: &Facts) -> Finding {
    const CHECK: &str = "account";
    let found = facts.passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == ACCOUNT).then_some(())?;
        let mut numbers = fields.skip(1).map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    match found {
        None => Finding::problem(
            CHECK,
            format!("OpenVPN's account {ACCOUNT} is missing"),
            "systemd-sysusers /usr/lib/sysusers.d/nm-aws-client-vpn.conf",
        ),
        Some((0, _) | (_, 0)) => Finding::problem(
            CHECK,
            format!("the account {ACCOUNT} has the rights of root"),
            format!("userdel {ACCOUNT}, then {REINSTALL}"),
        ),
        Some((user, _)) => Finding::good(CHECK, format!("{ACCOUNT} (user {user})")),
    }
}

fn openvpn(facts: &Facts) -> Finding {
    const CHECK: &str = "openvpn";
    let Some(openvpn) = &facts.openvpn else {
        return Finding::problem(CHECK, "the package's own OpenVPN is missing", REINSTALL);
    };
    match &openvpn.version {
        None => Finding::problem(CHECK, "it does not tell its version", REINSTALL),
        Some(Err(error)) => Finding::problem(CHECK, error.clone(), REINSTALL),
        Some(Ok(version)) if openvpn.unknown_options.is_empty() => {
            Finding::good(CHECK, format!("{version}, with AWS's login"))
        }
        Some(Ok(version)) => Finding::problem(
            CHECK,
            format!(
                "{version} does not know {}: it is not the package's own",
                openvpn.unknown_options.join(", ")
            ),
            REINSTALL,
        ),
    }
}

fn tun(facts: &Facts) -> Finding {
    const CHECK: &str = "tun";
    if facts.tun {
        Finding::good(CHECK, "/dev/net/tun")
    } else {
        let seen = "/dev/net/tun is not there: the kernel cannot make tunnels";
        let remedy = "modprobe tun; after an upgrade of the kernel, restart the computer";
        Finding::problem(CHECK, seen, remedy)
    }
}

fn dns(facts: &Facts) -> Finding {
    const CHECK: &str = "dns";
    let Some(Ok(manager)) = &facts.network_manager else {
        return Finding::warning(CHECK, "not known", "start NetworkManager, then look again");
    };
    let mode = manager.dns_mode.as_str();
    let link = facts.resolv_conf_link.as_ref();
    let link = link.map(|link| link.display().to_string());
    let seen = match &link {
        Some(link) => format!("{mode}, /etc/resolv.conf -> {link}"),
        None => format!("{mode}, /etc/resolv.conf is a file"),
    };
    let to_resolved = link
        .as_ref()
        .is_some_and(|link| link.contains("systemd/resolve/"));
    match mode {
        "none" => Finding::problem(
            CHECK,
            seen,
            "NetworkManager passes no name servers on (dns=none): names inside the VPN are not \
             found; remove that line from /etc/NetworkManager",
        ),
        _ if manager.rc_manager == "unmanaged" && mode != "systemd-resolved" => Finding::problem(
            CHECK,
            seen,
            "NetworkManager may not write /etc/resolv.conf (rc-manager=unmanaged): names inside \
             the VPN are not found; remove that line, or use systemd-resolved",
        ),
        "systemd-resolved" if !to_resolved => Finding::warning(
            CHECK,
            seen,
            "programs ask past systemd-resolved: \
             ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf",
        ),
        "systemd-resolved" | "dnsmasq" => Finding::good(CHECK, seen),
        _ => Finding::warning(
            CHECK,
            seen,
            "all names are asked at the VPN's servers while it is up; with systemd-resolved or \
             dns=dnsmasq only those of the VPN's domains are",
        ),
    }
}

fn agent(facts: &Facts) -> Finding {
    const CHECK: &str = "agent";
    let own = |process: &&Process| process.user == facts.user;
    let runs = |names: &[&'static str]| {
        names.iter().copied().find(|name| {
            facts
                .processes
                .iter()
                .filter(own)
                .any(|process| process.name == *name)
        })
    };
    let user = facts.user;
    if let Some(agent) = runs(&AGENTS) {
        return Finding::good(CHECK, format!("{agent} shows logins to user {user}"));
    }
    if user == 0 {
        return Finding::warning(
            CHECK,
            "root has no desktop; a login is shown to the user who asks for the connection",
            "run this command as the user of the desktop, and connect as that user, without sudo",
        );
    }
    match runs(&DESKTOPS_WITHOUT) {
        Some(desktop) => Finding::problem(
            CHECK,
            format!("{desktop} runs, which shows no logins of this VPN"),
            "start nm-applet or nm-aws-client-vpn-agent with the session",
        ),
        None => Finding::problem(
            CHECK,
            format!("no program can show a login to user {user}"),
            "connect from a desktop session, or start nm-applet or nm-aws-client-vpn-agent in it",
        ),
    }
}

fn port(facts: &Facts) -> Finding {
    const CHECK: &str = "port-35001";
    const DIALOG: &str = "nm-aws-client-vpn-auth-dialog";
    const WAITS: &str = "a login waits there for its browser";
    let dialog_of = |user| Process {
        user,
        name: DIALOG.to_owned(),
    };
    let Some(listener) = &facts.listener else {
        return Finding::good(CHECK, "free for the browser's answer");
    };
    match &listener.program {
        Some((name, _)) if name == DIALOG => Finding::good(CHECK, WAITS),
        Some((name, process)) => Finding::problem(
            CHECK,
            format!("taken by {name} (process {process})"),
            "end that program: AWS sends the browser to this port and to no other",
        ),
        // Nobody may look into a dialog, not even its own user.
        None if facts.processes.contains(&dialog_of(listener.user)) => Finding::good(CHECK, WAITS),
        None => Finding::problem(
            CHECK,
            format!("taken by a program of user {}", listener.user),
            "find it with: sudo ss -ltnp 'sport = :35001'; AWS sends the browser to this port only",
        ),
    }
}

fn kill_switch(facts: &Facts) -> Finding {
    const CHECK: &str = "kill-switch";
    let services = facts
        .processes
        .iter()
        .filter(|process| process.user == 0 && process.name == SERVICE)
        .count();
    match facts.stopped_by.as_slice() {
        [] => Finding::good(CHECK, "stops no traffic"),
        closed if closed.len() <= services => {
            Finding::good(CHECK, "closed, for a connection that is up")
        }
        closed => {
            let program = facts
                .name_file
                .as_ref()
                .and_then(|file| file.program.as_ref());
            let program = program.map_or_else(|| SERVICE.into(), |path| path.display().to_string());
            Finding::problem(
                CHECK,
                format!(
                    "traffic is stopped for a connection that ended without being taken down: {}",
                    closed.join(", ")
                ),
                format!("connect again, or as root: {program} --lift-kill-switch"),
            )
        }
    }
}

fn clock(facts: &Facts) -> Finding {
    const CHECK: &str = "clock";
    let seen = crate::when::utc(facts.clock.now);
    let remedy = "timedatectl set-ntp true; logins and certificates are valid for a time only";
    if facts.clock.now + CLOCK_TOLERANCE < facts.clock.installed {
        let seen = format!("{seen}, before this command was installed");
        return Finding::problem(CHECK, seen, remedy);
    }
    match facts.clock.synchronized {
        Some(true) => Finding::good(CHECK, format!("{seen}, set by the network")),
        Some(false) => Finding::warning(CHECK, format!("{seen}, not set by the network"), remedy),
        None => Finding::good(CHECK, seen),
    }
}

#[cfg(test)]
mod tests;
