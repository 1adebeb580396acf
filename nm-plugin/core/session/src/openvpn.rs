//! How OpenVPN is started for a profile: arguments and configuration, as values.
//!
//! The configuration is written from the parsed profile and goes in through standard input, so
//! that neither the user's file nor a private key in a file ever reaches OpenVPN.

use aws_client_vpn_profile::ovpn::push_line;
use aws_client_vpn_profile::parts::{ProxyKind, Remote, SignIn, Transport};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_text::secret::Secret;

/// What the profile does not know.
#[derive(Debug, Clone, Copy)]
pub struct LaunchParameters<'a> {
    /// The path of the socket that the service listens on.
    pub management_socket: &'a str,
    /// The persistent device that OpenVPN attaches to.
    pub tun_device: &'a str,
    /// The module that drives the security token, if the profile uses one.
    pub pkcs11_module: Option<&'a str>,
}

/// How to start OpenVPN.
#[derive(Debug)]
pub struct Launch {
    /// The arguments, without the program's name. Nothing in them is secret.
    pub arguments: Vec<String>,
    /// What to write to OpenVPN's standard input. Holds the private key, if there is one.
    pub config: Secret,
    /// Whether OpenVPN loads a module of a security token's maker.
    pub loads_foreign_code: bool,
}

/// Arguments that are the same for every profile. `--script-security 0`: OpenVPN runs no program,
/// whatever else is said. `--auth-retry interact`: a challenge is answered by the same process.
const ARGUMENTS: &str = "--config stdin --client --dev-type tun --management-client \
    --management-hold --management-query-passwords --management-query-remote \
    --management-up-down --auth-retry interact --auth-nocache --ifconfig-noexec --route-noexec \
    --script-security 0 --persist-tun --persist-key --nobind --verb 3 --suppress-timestamps \
    --resolv-retry infinite --connect-retry 1 4";

/// How to start OpenVPN for `profile`.
#[must_use]
pub fn launch(profile: &Profile, parameters: &LaunchParameters<'_>) -> Launch {
    let mut arguments: Vec<String> = ARGUMENTS.split_whitespace().map(str::to_owned).collect();
    let mut add = |words: &[&str]| arguments.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["--dev", parameters.tun_device]);
    add(&["--management", parameters.management_socket, "unix"]);
    let is_udp = |remote: &Remote| remote.transport == Transport::Udp;
    if profile.remotes().iter().any(is_udp) {
        // Send without asking first whether one can: system calls saved, and each costs more
        // under seccomp.
        add(&["--fast-io"]);
    }
    Launch {
        arguments,
        config: Secret::new(config(profile, parameters.pkcs11_module)),
        loads_foreign_code: profile.pkcs11_id().is_some(),
    }
}

fn config(profile: &Profile, pkcs11_module: Option<&str>) -> String {
    let mut text = String::new();
    for remote in profile.remotes() {
        let transport = remote.transport.as_str();
        text.push_str(&format!(
            "remote {} {} {transport}\n",
            remote.host, remote.port
        ));
    }
    if let Some(proxy) = profile.proxy() {
        // How to say who we are: as the proxy asks for it, or on standard input, which is ours.
        let authentication = match (proxy.kind, proxy.authenticates) {
            (ProxyKind::Http, _) => Some("auto"),
            (ProxyKind::Socks, true) => Some("stdin"),
            (ProxyKind::Socks, false) => None,
        };
        let (name, port) = (
            format!("{}-proxy", proxy.kind.as_str()),
            proxy.port.to_string(),
        );
        let words = [name.as_str(), proxy.host.as_str(), port.as_str()];
        push_line(&mut text, words.into_iter().chain(authentication));
    }
    match profile.sign_in() {
        SignIn::Saml => text.push_str("auth-user-pass\nauth-federate\n"),
        SignIn::Password { static_challenge } => {
            text.push_str("auth-user-pass\n");
            if let Some(challenge) = static_challenge {
                // The text is asked by us; OpenVPN needs to know only that there is one.
                let echo = u8::from(challenge.echo);
                text.push_str(&format!("static-challenge \"code\" {echo}\n"));
            }
        }
        SignIn::Certificate => {}
    }
    if profile.early_push_request() {
        text.push_str("early-push-request\n");
    }
    let has = |name: &str| profile.directives().iter().any(|own| own.name() == name);
    // Another client of the same authority must not be able to pose as the endpoint.
    if !has("remote-cert-tls") && !has("verify-x509-name") && !has("remote-cert-eku") {
        text.push_str("remote-cert-tls server\n");
    }
    if !has("tls-version-min") {
        text.push_str("tls-version-min 1.2\n");
    }
    if !has("connect-timeout") && !has("server-poll-timeout") {
        text.push_str("connect-timeout 10\n");
    }
    // The control channel's packets are small: without this, TCP holds each back until the one
    // before has been acknowledged, a round trip each (Nagle).
    let is_tcp = |remote: &Remote| remote.transport == Transport::Tcp;
    if profile.remotes().iter().any(is_tcp) {
        text.push_str("socket-flags TCP_NODELAY\n");
    }
    if let (Some(id), Some(module)) = (profile.pkcs11_id(), pkcs11_module) {
        push_line(&mut text, ["pkcs11-providers", module]);
        push_line(&mut text, ["pkcs11-id", id]);
    }
    profile.push_directives(&mut text);
    profile.push_blocks(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "client\ndev tun\nremote a.clientvpn.eu-west-1.amazonaws.com 443 tcp\n\
        remote-cert-tls server\nauth-federate\nverify-x509-name \"a b\" name\n\
        <ca>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n\
        <cert>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</cert>\n\
        <key>\n-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n</key>\n";

    fn launched(text: &str) -> Launch {
        let profile = Profile::parse(text, &mut |_| Err(String::new()))
            .unwrap()
            .profile;
        let management_socket = "/run/nm-aws-client-vpn/1/management";
        launch(
            &profile,
            &LaunchParameters {
                management_socket,
                tun_device: "awsvpn0",
                pkcs11_module: None,
            },
        )
    }

    #[test]
    fn the_endpoint_s_certificate_is_a_server_s_unless_the_profile_says_how_it_is_told() {
        let own = ["remote-cert-tls", "verify-x509-name"];
        let lines = PROFILE
            .lines()
            .filter(|line| !own.iter().any(|own| line.starts_with(own)));
        let bare: String = lines.flat_map(|line| [line, "\n"]).collect();
        for (line, told) in [
            ("", 1),
            ("remote-cert-tls server", 1),
            ("verify-x509-name a name", 0),
            ("remote-cert-eku serverAuth", 0),
        ] {
            let launch = launched(&format!("{line}\n{bare}"));
            let config = launch.config.expose().lines();
            let found = config
                .filter(|line| *line == "remote-cert-tls server")
                .count();
            assert_eq!(found, told, "{line}");
        }
    }

    #[test]
    fn what_the_profile_says_is_not_said_once_more() {
        let told = |line: &str, option: &str| {
            let launch = launched(&format!("{line}\n{PROFILE}"));
            let lines = launch.config.expose().lines();
            lines.filter(|own| own.starts_with(option)).count()
        };
        let tls = |line| told(line, "tls-version-min");
        assert_eq!([tls(""), tls("tls-version-min 1.3")], [1, 1]);
        let limit = |line| told(line, "connect-timeout");
        let limits = ["", "connect-timeout 5", "server-poll-timeout 5"];
        assert_eq!(limits.map(limit), [1, 1, 0]);
    }

    #[test]
    fn the_arguments_carry_no_secret_and_let_nothing_be_run() {
        let launch = launched(PROFILE);
        let expected = "--config stdin --client --dev-type tun --management-client \
            --management-hold --management-query-passwords --management-query-remote \
            --management-up-down --auth-retry interact --auth-nocache --ifconfig-noexec \
            --route-noexec --script-security 0 --persist-tun --persist-key --nobind --verb 3 \
            --suppress-timestamps --resolv-retry infinite --connect-retry 1 4 --dev awsvpn0 \
            --management /run/nm-aws-client-vpn/1/management unix";
        assert_eq!(launch.arguments.join(" "), expected);
        assert!(!format!("{launch:?}").contains("U0VDUkVU"));
    }

    #[test]
    fn over_tcp_no_packet_waits_for_the_one_before() {
        const FLAG: &str = "\nsocket-flags TCP_NODELAY\n";
        let config = |text: &str| launched(text).config.expose().to_owned();
        assert!(config(PROFILE).contains(FLAG));
        assert!(!config(&PROFILE.replace("443 tcp", "443 udp")).contains(FLAG));
    }

    #[test]
    fn over_udp_openvpn_sends_at_once() {
        let fast = |text: &str| launched(text).arguments.contains(&"--fast-io".to_owned());
        assert!(fast(&PROFILE.replace("443 tcp", "443 udp")));
        assert!(!fast(PROFILE));
    }

    #[test]
    fn a_token_is_used_through_the_module_that_the_service_found() {
        let text = format!("pkcs11-id pkcs11:id=%01\npkcs11-providers /tmp/evil.so\n{PROFILE}");
        let text: Vec<_> = text.lines().take_while(|line| *line != "<cert>").collect();
        let profile = Profile::parse(&text.join("\n"), &mut |_| Err(String::new()))
            .unwrap()
            .profile;
        let config = config(&profile, Some("/usr/lib/p11-kit-proxy.so"));
        assert!(
            config.contains(
                "\npkcs11-providers /usr/lib/p11-kit-proxy.so\npkcs11-id pkcs11:id=%01\n"
            )
        );
        assert!(!config.contains("evil"));
    }

    #[test]
    fn the_configuration_is_written_from_the_profile() {
        let expected = "remote a.clientvpn.eu-west-1.amazonaws.com 443 tcp\n\
            auth-user-pass\nauth-federate\nearly-push-request\ntls-version-min 1.2\n\
            connect-timeout 10\nsocket-flags TCP_NODELAY\nremote-cert-tls server\nverify-x509-name \"a b\" name\n\
            <ca>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n\
            <cert>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</cert>\n\
            <key>\n-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n</key>\n";
        assert_eq!(launched(PROFILE).config.expose(), expected);
    }
}
