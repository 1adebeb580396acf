//! What a connection needs of the machine around it.

use super::super::facts::{Agent, Facts, Plasma, Process};
use super::{Judgement, good, plain, problem, warning};
use crate::network_manager::{NetworkManager, Stored};
use aws_client_vpn_profile::certificate::{Certificate, Validity};
use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_profile::pem::has_private_key;
use aws_client_vpn_profile::settings::unescape;
use aws_client_vpn_sign_in::rights::{Right, Rights};
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Message;

/// Programs whose secret agent runs auth dialogs.
const AGENTS: [&str; 3] = ["gnome-shell", "nm-applet", "cinnamon"];
/// Our own, of which it is known whether it answers.
const OWN_AGENT: &str = "nm-aws-client-vpn-agent";
/// Desktops whose own secret agent runs none.
const DESKTOPS_WITHOUT: [&str; 2] = ["plasmashell", "sway"];
/// How long ago a clock may say the package will be installed: files keep their makers' times.
const CLOCK_TOLERANCE: u64 = 24 * 60 * 60;

pub(super) fn tun(facts: &Facts) -> Judgement {
    if !facts.orphans.is_empty() {
        let devices = facts.orphans.join(", ");
        problem(
            message!(
                "a VPN service that was killed left interfaces behind: {devices}; routes through \
                 them lead nowhere",
                devices = devices,
            ),
            left_over(),
        )
    } else if facts.tun {
        good(plain("/dev/net/tun"))
    } else {
        problem(
            message!("/dev/net/tun is missing: the kernel cannot make tunnels"),
            message!(
                "after an upgrade of the kernel, restart the computer; otherwise load the module: sudo modprobe tun"
            ),
        )
    }
}

/// The connections whose kill switches are closed although they are over.
fn of_killed(facts: &Facts) -> impl Iterator<Item = &str> {
    let over = facts.stopped_by.iter().filter(|closed| !closed.is_served);
    over.map(|closed| closed.uuid.as_str())
}

/// The name of a connection with its UUID, or the UUID alone where NetworkManager does not know it.
fn known_as(facts: &Facts, uuid: &str) -> String {
    let manager = facts
        .network_manager
        .as_ref()
        .and_then(|manager| manager.as_ref().ok());
    let mut stored = manager.iter().flat_map(|manager| &manager.stored);
    match stored.find(|stored| stored.uuid == uuid) {
        Some(stored) => format!("{} ({uuid})", stored.name),
        None => uuid.to_owned(),
    }
}

/// Whether something is left of a service that was killed, or of its rules.
pub(in super::super) fn is_left(facts: &Facts) -> bool {
    !facts.orphans.is_empty()
        || of_killed(facts).next().is_some()
        || facts.kill_switch_left_over == Some(true)
}

/// What to do with what a service has left that was killed.
fn left_over() -> Message {
    message!("connect again and then disconnect, or: sudo aws-client-vpn doctor --fix")
}

/// What is said of a check that NetworkManager has to answer, and does not.
fn without_network_manager() -> Judgement {
    warning(
        // TRANSLATORS: What a check of aws-client-vpn doctor found.
        message!("cannot be checked without NetworkManager"),
        message!("start NetworkManager, then check again"),
    )
}

pub(super) fn dns(facts: &Facts) -> Judgement {
    let Some(Ok(manager)) = &facts.network_manager else {
        return without_network_manager();
    };
    let mode = manager.dns_mode.as_str();
    let link = facts.resolv_conf_link.as_ref();
    let link = link.map(|link| link.display().to_string());
    let seen = match &link {
        Some(link) => plain(format!("{mode}, /etc/resolv.conf -> {link}")),
        // TRANSLATORS: {mode} is how NetworkManager sets name servers, such as systemd-resolved.
        None => message!("{mode}, /etc/resolv.conf is a file", mode = mode.to_owned()),
    };
    let to_resolved = link
        .as_ref()
        .is_some_and(|link| link.contains("systemd/resolve/"));
    // NetworkManager writes this one in any case.
    let to_own = link
        .as_ref()
        .is_some_and(|link| link.contains("NetworkManager/"));
    let is_written =
        mode == "systemd-resolved" || to_resolved || to_own || is_written(facts, manager);
    match mode {
        "none" => problem(
            message!(
                // TRANSLATORS: {seen} is how names are resolved: a mode, and what /etc/resolv.conf is.
                "{seen}: NetworkManager passes no name servers on, so names inside the VPN are not \
                 found",
                seen = seen
            ),
            message!("remove the line dns=none from /etc/NetworkManager"),
        ),
        _ if manager.rc_manager == "unmanaged" && mode != "systemd-resolved" && !to_own => problem(
            message!(
                // TRANSLATORS: {seen} is how names are resolved: a mode, and what /etc/resolv.conf is.
                "{seen}: NetworkManager may not write /etc/resolv.conf, so names inside the VPN are \
                 not found",
                seen = seen
            ),
            message!(
                "remove the line rc-manager=unmanaged from /etc/NetworkManager, or use \
                 systemd-resolved"
            ),
        ),
        _ if !is_written => problem(
            message!(
                // TRANSLATORS: {seen} is how names are resolved: a mode, and what /etc/resolv.conf is.
                "{seen}: it does not have NetworkManager's name servers, so names inside the VPN \
                 are not found",
                seen = seen
            ),
            message!(
                "undo what keeps NetworkManager from writing it (an immutable file: sudo chattr -i \
                 /etc/resolv.conf; a mount: sudo umount /etc/resolv.conf), then: sudo ln -sf \
                 /run/NetworkManager/resolv.conf /etc/resolv.conf"
            ),
        ),
        // systemd-resolved has forgotten them, but is not told of the network's again.
        _ if !manager.name_servers_left.is_empty() => problem(
            message!(
                "NetworkManager still has the name servers of a VPN that has ended, so names may \
                 not be found: {servers}",
                servers = manager.name_servers_left.join(", ")
            ),
            message!(
                "NetworkManager forgets them when it is restarted: sudo systemctl restart NetworkManager"
            ),
        ),
        "systemd-resolved" if !to_resolved => warning(
            // TRANSLATORS: {seen} is how names are resolved: a mode, and what /etc/resolv.conf is.
            message!("{seen}: programs bypass systemd-resolved", seen = seen),
            message!(
                "to use it: sudo ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf"
            ),
        ),
        "systemd-resolved" | "dnsmasq" => good(seen),
        _ => warning(
            message!(
                // TRANSLATORS: {seen} is how names are resolved: a mode, and what /etc/resolv.conf is.
                "{seen}: while the VPN is up, its name servers are asked for all names",
                seen = seen
            ),
            message!(
                "to ask them for the VPN's domains only, use systemd-resolved, or dns=dnsmasq in \
                 /etc/NetworkManager"
            ),
        ),
    }
}

/// Whether the system's file, which is no link to NetworkManager's own, has what NetworkManager has for
/// it, as far as can be seen: resolvconf and its like decide what they write.
fn is_written(facts: &Facts, manager: &NetworkManager) -> bool {
    let has_all = facts.name_servers_not_written.is_empty();
    match manager.rc_manager.as_str() {
        "immutable" => false,
        // A link to somebody else's file is left alone.
        "symlink" => has_all && facts.resolv_conf_link.is_none(),
        "file" => has_all,
        _ => true,
    }
}

pub(super) fn rights(facts: &Facts) -> Judgement {
    let manager = facts.network_manager.as_ref();
    let Some(Ok(manager)) = manager else {
        return without_network_manager();
    };
    let Some(rights) = manager.rights else {
        let remedy = message!("see the output of nmcli general permissions");
        return warning(
            message!("NetworkManager does not report permissions"),
            remedy,
        );
    };
    let seen = match rights.control {
        Right::Yes => return sign_in(manager, rights),
        Right::WithPassword => message!(
            "this session may start and stop connections only with an administrator's password \
             (polkit)"
        ),
        Right::No => message!("this user may not start and stop connections (polkit)"),
    };
    let remedy = message!(
        "log in at the computer itself instead of over ssh, or ask an administrator to install \
         the polkit rule /usr/share/doc/*aws-client-vpn/docs/50-aws-client-vpn.rules"
    );
    problem(seen, remedy)
}

/// What polkit asks of a user who may start connections.
fn sign_in(manager: &NetworkManager, rights: Rights) -> Judgement {
    match manager.stored.iter().find(|stored| stored.is_shared) {
        Some(Stored { name, .. }) if rights.sign_in_needs_password(&manager.version) => warning(
            message!(
                "NetworkManager {version} asks for an administrator's password before each \
                 sign-in of '{name}', because the connection is available to all users",
                version = manager.version.clone(),
                name = name.clone(),
            ),
            message!(
                "ask an administrator to give the connection to you alone (nmcli connection modify \
                 NAME connection.permissions user:YOU) or, on Debian, to add you to the group \
                 netdev"
            ),
        ),
        _ => good(message!("this user may start and stop connections")),
    }
}

pub(super) fn imported_as_openvpn(facts: &Facts) -> Judgement {
    let Some(Ok(manager)) = &facts.network_manager else {
        return without_network_manager();
    };
    match manager.imported_as_openvpn.first() {
        None => good(message!("no AWS endpoint was imported as OpenVPN")),
        Some(name) => warning(
            message!(
                "'{name}' leads to an AWS endpoint but was imported as OpenVPN, which cannot sign \
                 in in the browser",
                name = name.clone(),
            ),
            message!(
                "open its profile (.ovpn) with aws-client-vpn-importer, then delete this one: \
                 nmcli connection delete '{name}'",
                name = name.clone(),
            ),
        ),
    }
}

/// Those that earlier versions kept in `vpn.data`, with the certificate from the same file.
pub(super) fn exposed_keys(facts: &Facts) -> Judgement {
    let Some(Ok(manager)) = &facts.network_manager else {
        return without_network_manager();
    };
    let is_exposed = |stored: &&Stored| stored.data.values().any(|value| has_private_key(value));
    match manager.stored.iter().find(is_exposed) {
        None => good(message!("kept with the secrets only")),
        Some(Stored { name, .. }) => warning(
            message!(
                "every user of this computer can read the private key of '{name}', which an \
                 earlier version imported",
                name = name.clone(),
            ),
            message!(
                "others may know the key, so ask for a new one; if you chose the certificate in the \
                 settings, choose it there again; otherwise, to move the key to the secrets: \
                 aws-client-vpn import --update PROFILE"
            ),
        ),
    }
}

/// Those that are kept with the connection: what is in PKCS #12 or on a token, OpenVPN alone can read.
pub(super) fn client_certificates(facts: &Facts) -> Judgement {
    let Some(Ok(manager)) = &facts.network_manager else {
        return without_network_manager();
    };
    let now = i64::try_from(facts.clock.now).unwrap_or(i64::MAX);
    let outdated = manager.stored.iter().find_map(|stored| {
        let pem = unescape(stored.data.get(InlineFile::Cert.name())?)?;
        let validity = Certificate::read_all(&pem).ok()?.first()?.validity(now);
        let is_outdated = matches!(validity, Validity::Ended | Validity::NotYet);
        is_outdated.then(|| (stored.name.clone(), validity == Validity::Ended))
    });
    match outdated {
        None => good(message!("none is known to have expired")),
        Some((name, true)) => warning(
            message!(
                "the client certificate of '{name}' has expired",
                name = name
            ),
            message!(
                "ask your administrator for a new one, then: aws-client-vpn import --update PROFILE"
            ),
        ),
        Some((name, false)) => warning(
            message!(
                "the client certificate of '{name}' is not yet valid",
                name = name
            ),
            message!(
                "check the date and time of this computer; if they are right, tell your administrator"
            ),
        ),
    }
}

/// Networks that bring a connection of ours up, which stays when the network is lost: NetworkManager cannot
/// activate it once more, and takes that for a failure of the network (nm-policy.c, nm-device.c).
pub(super) fn secondaries(facts: &Facts) -> Judgement {
    let Some(Ok(manager)) = &facts.network_manager else {
        return without_network_manager();
    };
    match manager.secondaries.first() {
        None => good(message!("no network connects this VPN by itself")),
        Some(secondary) => problem(
            message!(
                "the network '{network}' connects '{name}' by itself, so NetworkManager cannot \
                 connect that network again once it was lost",
                network = secondary.network.clone(),
                name = secondary.name.clone(),
            ),
            message!(
                "nmcli connection modify {network} -connection.secondaries {vpn}; to connect at \
                 login instead: aws-client-vpn at-login {vpn} on",
                network = secondary.network_uuid.clone(),
                vpn = secondary.uuid.clone(),
            ),
        ),
    }
}

pub(super) fn plasma(facts: &Facts) -> Judgement {
    match facts.plasma {
        // TRANSLATORS: What a check of aws-client-vpn doctor found.
        None => good(message!("is not running")),
        Some(Plasma::Supported) => good(message!("Plasma's network applet can use this VPN")),
        Some(Plasma::Unsupported { qt }) => problem(
            message!(
                "Plasma's network applet cannot use this VPN: its plugin for Qt {qt} is missing",
                qt = qt,
            ),
            message!("install the package again; until then: nmcli connection up NAME"),
        ),
    }
}

pub(super) fn agent(facts: &Facts) -> Judgement {
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
    if facts.agent == Some(Agent::Silent) {
        return problem(
            message!(
                "{agent} is running but does not answer",
                agent = OWN_AGENT.to_owned()
            ),
            message!(
                "log out and in, or: systemctl --user restart {agent}",
                agent = OWN_AGENT.to_owned()
            ),
        );
    }
    let own_agent = facts.agent.is_some().then_some(OWN_AGENT);
    // At a terminal it has no name.
    let own_agent = own_agent.or_else(|| runs(&[OWN_AGENT]));
    if let Some(agent) = own_agent.or_else(|| runs(&AGENTS)) {
        let seen = message!(
            // TRANSLATORS: {agent} is the name of a program, {user} the number of an account.
            "{agent} shows sign-ins to user {user}",
            agent = agent.to_owned(),
            user = user,
        );
        return good(seen);
    }
    if let Some(desktop) = runs(&DESKTOPS_WITHOUT) {
        return problem(
            message!(
                // TRANSLATORS: {desktop} is the name of a program, such as plasmashell.
                "{desktop} is running; it does not show sign-ins of this VPN",
                desktop = desktop.to_owned(),
            ),
            message!("start nm-applet or nm-aws-client-vpn-agent with the session"),
        );
    }
    if user == 0 {
        return warning(
            message!(
                "root has no desktop; a sign-in is shown to the user who asks for the connection"
            ),
            message!(
                "to check a desktop, run this command as its user; in a terminal, aws-client-vpn \
                 connect NAME shows the sign-in"
            ),
        );
    }
    match facts.has_display {
        true => problem(
            message!("no program can show a sign-in to user {user}", user = user),
            message!(
                "connect from a desktop session, or start nm-applet or nm-aws-client-vpn-agent \
                 in it"
            ),
        ),
        // `connect` and certificates need none.
        false => warning(
            message!(
                "there is no display, and no program that shows sign-ins to user {user}",
                user = user
            ),
            message!("connect in a terminal, which shows the sign-in: aws-client-vpn connect NAME"),
        ),
    }
}

pub(super) fn window(facts: &Facts) -> Judgement {
    match facts.window {
        Some(true) => good(message!("asks for passwords and codes")),
        Some(false) => warning(
            message!(
                "the window that asks for passwords and codes is not installed; they can be \
                 entered in a terminal only"
            ),
            message!("install the package whose name ends in -gnome; it serves every desktop"),
        ),
        // TRANSLATORS: What a check of aws-client-vpn doctor found.
        None => good(message!("not checked")),
    }
}

pub(super) fn browser(facts: &Facts) -> Judgement {
    match facts.opener {
        // TRANSLATORS: What opens the link of a sign-in.
        Some(opener) => good(message!("opened by {program}", program = opener)),
        // Who has no desktop signs in elsewhere.
        None if facts.user == 0 => good(message!("not checked")),
        None => warning(
            message!("no program that opens a browser was found; only the link is shown"),
            message!("install xdg-utils or a desktop portal, or set BROWSER"),
        ),
    }
}

pub(super) fn port(facts: &Facts) -> Judgement {
    const DIALOG: &str = "nm-aws-client-vpn-auth-dialog";
    let waits = || {
        good(message!(
            "in use by a sign-in that is waiting for the browser"
        ))
    };
    let dialog_of = |user| Process {
        user,
        name: DIALOG.to_owned(),
    };
    let Some(listener) = &facts.listener else {
        return good(message!("free for the response of the browser"));
    };
    match &listener.program {
        Some((name, _)) if name == DIALOG => waits(),
        Some((name, process)) => problem(
            message!(
                // TRANSLATORS: Port 35001, by another program.
                "in use by {name} (process {process})",
                name = name.clone(),
                process = *process,
            ),
            message!("close that program; AWS sends the browser to this port only"),
        ),
        // Nobody may look into a dialog, not even its own user.
        None if facts.processes.contains(&dialog_of(listener.user)) => waits(),
        None => problem(
            // TRANSLATORS: Port 35001, by another program.
            message!("in use by a program of user {user}", user = listener.user),
            message!(
                "close that program; AWS sends the browser to this port only; to find the program: \
                 sudo ss -ltnp 'sport = :35001'"
            ),
        ),
    }
}

pub(super) fn kill_switch(facts: &Facts) -> Judgement {
    let over: Vec<String> = of_killed(facts).map(|uuid| known_as(facts, uuid)).collect();
    if !over.is_empty() {
        let seen = message!(
            "a kill switch still blocks traffic; these connections ended without being \
             disconnected: {connections}",
            connections = over.join(", "),
        );
        problem(seen, left_over())
    } else if facts.kill_switch_left_over == Some(true) {
        problem(
            message!(
                "a kill switch blocks traffic although no connection has turned it on: a saved \
                 ruleset was loaded, or files under /run were deleted"
            ),
            message!(
                "remove the table aws-client-vpn-kill-switch from the saved ruleset, such as \
                 /etc/nftables.conf, then: sudo aws-client-vpn doctor --fix"
            ),
        )
    } else if facts.selinux_denies_rules {
        warning(
            message!("the SELinux policy does not allow a kill switch to be turned on"),
            message!(
                "install the SELinux module, as /usr/share/doc/*aws-client-vpn/docs/kill-switch.md \
                 says; to see what the policy denies (the name is cut at 15 characters): sudo ausearch \
                 -m AVC -c nm-aws-client-v"
            ),
        )
    } else if !facts.stopped_by.is_empty() {
        // TRANSLATORS: The kill switch.
        good(message!("on, for a connection that is up"))
    } else if facts.kill_switch_left_over.is_none() && facts.user != 0 {
        good(message!(
            // TRANSLATORS: The kill switch.
            "on for no connection; only root can see whether a saved ruleset has turned it on"
        ))
    } else {
        // TRANSLATORS: The kill switch.
        good(message!("blocks no traffic"))
    }
}

pub(super) fn clock(facts: &Facts) -> Judgement {
    let now = crate::when::local(facts.clock.now);
    let remedy = || {
        message!(
            "sign-ins and certificates are valid for a limited time only; to set the clock: sudo timedatectl set-ntp true"
        )
    };
    if facts.clock.now + CLOCK_TOLERANCE < facts.clock.installed {
        let seen = message!(
            "{time}, which is earlier than this command's installation",
            time = now
        );
        return problem(seen, remedy());
    }
    match facts.clock.synchronized {
        // TRANSLATORS: The time of this computer's clock.
        Some(true) => good(message!(
            "{time}, synchronised over the network",
            time = now
        )),
        Some(false) => warning(
            message!("{time}, not synchronised over the network", time = now),
            remedy(),
        ),
        None => good(plain(now)),
    }
}
