//! The programs that guides for Linux have OpenVPN run. They do what NetworkManager does by
//! itself: set the name servers. Such lines are left out; what would run anything else is refused.

/// The names of the programs, without an ending.
const SCRIPTS: &str = "update-resolv-conf update-resolvconf update-resolv \
    update-resolv-conf-systemd update-systemd-resolved update-systemd-resolve systemd-resolved \
    vpn-dns dns-updown resolvconf client.up client.down";
/// The scripts for name servers that Alpine and Gentoo have; elsewhere a file of that name may do
/// anything.
const SCRIPTS_OF_SYSTEMS: [&str; 2] = ["/etc/openvpn/up.sh", "/etc/openvpn/down.sh"];
/// Programs that only run the one that is named behind them.
const RUNNERS: [&str; 5] = ["env", "sh", "bash", "sudo", "dash"];
/// OpenVPN's own plugin that runs `down` as root.
const PLUGINS: [&str; 2] = ["openvpn-plugin-down-root", "openvpn-down-root"];

/// Whether a directive that runs programs does nothing but see to name servers.
pub(super) fn is_of_name_servers(directive: &str, arguments: &[String]) -> bool {
    // A program and its arguments are one word of the line, or several.
    let words = || arguments.iter().flat_map(|text| text.split_whitespace());
    match directive {
        "script-security" | "up-delay" | "up-restart" | "down-pre" => true,
        "up" | "down" | "route-up" | "route-pre-down" | "dns-updown" => {
            let off =
                directive == "dns-updown" && matches!(words().next(), Some("disable" | "force"));
            off || is_script(words())
        }
        "plugin" => {
            let mut words = words();
            words
                .next()
                .is_some_and(|plugin| PLUGINS.contains(&stem(plugin)))
                && is_script(words)
        }
        _ => false,
    }
}

/// Whether what runs is one of the scripts. What stands before it may be a variable's value, what
/// stands behind it an argument; nothing else may be run besides.
fn is_script<'a>(mut words: impl Iterator<Item = &'a str>) -> bool {
    let runs_it = |word: &&str| !RUNNERS.contains(&stem(word)) && !word.contains('=');
    let is_dns = |word: &str| {
        SCRIPTS.split(' ').any(|script| script == stem(word))
            || SCRIPTS_OF_SYSTEMS.contains(&unquoted(word))
    };
    words.find(runs_it).is_some_and(is_dns)
        && words.all(|argument| !argument.contains([';', '&', '|', '$', '`', '<', '>', '(']))
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\''])
}

/// The name of a file without its directories and the ending of a script or library.
fn stem(path: &str) -> &str {
    let path = unquoted(path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = [".sh", ".bash", ".so", ".py"]
        .into_iter()
        .find_map(|ending| name.strip_suffix(ending));
    ending.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directive::line::split;

    #[test]
    fn what_the_guides_say_is_told_from_what_else_runs() {
        for (line, expected) in [
            ("script-security 2", true),
            ("up /etc/openvpn/update-resolv-conf", true),
            ("up \"/etc/openvpn/update-resolv-conf foo\"", true),
            ("down '/usr/bin/env update-systemd-resolved'", true),
            ("up /etc/openvpn/scripts/update-systemd-resolved", true),
            (
                "up /nix/store/abc-update-resolv-conf/update-resolv-conf.sh",
                true,
            ),
            ("up-restart", true),
            ("down-pre", true),
            (
                "plugin /usr/lib/x86_64-linux-gnu/openvpn/plugins/openvpn-plugin-down-root.so \
                 \"/etc/openvpn/update-resolv-conf down\"",
                true,
            ),
            (
                "plugin /usr/lib/openvpn/openvpn-down-root.so \
                 \"script_type=down /etc/openvpn/update-resolv-conf\"",
                true,
            ),
            (
                "up \"/usr/bin/env PATH=/bin /etc/openvpn/update-resolv-conf\"",
                true,
            ),
            ("up /etc/openvpn/up.sh", true),
            ("down \"/etc/openvpn/down.sh\"", true),
            ("route-up /etc/openvpn/update-resolv-conf", true),
            ("up \"/usr/bin/resolvconf -a tun0\"", true),
            ("dns-updown disable", true),
            ("up /home/ada/up.sh", false),
            ("up \"/etc/openvpn/update-resolv-conf && reboot\"", false),
            ("up \"/etc/openvpn/update-resolv-conf $(reboot)\"", false),
            ("up /etc/openvpn/update-resolv-conf | sh", false),
            ("up /bin/sh", false),
            ("up \"/bin/sh -c reboot\"", false),
            ("up \"/bin/sh -c 'reboot; update-resolv-conf'\"", false),
            ("up /tmp/update-resolv-conf-not", false),
            ("up", false),
            ("plugin /tmp/x.so /etc/openvpn/update-resolv-conf", false),
            (
                "plugin /usr/lib/openvpn/openvpn-plugin-auth-pam.so login",
                false,
            ),
            ("plugin openvpn-plugin-down-root.so /sbin/reboot", false),
            ("route-up /bin/rm", false),
            ("dns-updown /tmp/x", false),
        ] {
            let words = split(line).unwrap();
            assert_eq!(
                is_of_name_servers(&words[0], &words[1..]),
                expected,
                "{line}"
            );
        }
    }
}
