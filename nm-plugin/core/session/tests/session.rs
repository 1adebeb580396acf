//! The session's decisions, against transcripts and a made-up clock.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::session::{Failure, FailureReason, Input, ServiceState};
use aws_client_vpn_sign_in::answer::LoginFailure;
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::redact::for_journal;
use aws_client_vpn_text::secret::Secret;
use simulation::lines::{AGAIN, CONNECTED, HOLD, LOST, NEED, REFUSED, challenge, remote};
use simulation::{HOST, SESSION_ID, Simulation, lines};
use std::collections::BTreeMap;
use std::net::IpAddr;

#[test]
fn a_login_through_the_browser_brings_the_tunnel_up() {
    let mut simulation = Simulation::saml();
    assert_eq!(
        simulation.did,
        ["Starting", "resolve, random label: true", "launch"]
    );
    assert_eq!(
        simulation.line(">HOLD:Waiting for hold release:0"),
        ["state on", "log on", "echo on all", "hold release"]
    );
    // The question comes first or the answer does; either way the first address is used.
    assert_eq!(simulation.line(&format!(">REMOTE:{HOST},443,udp")), [""; 0]);
    assert_eq!(
        simulation.resolved(&["10.77.0.2", "10.77.0.1"]),
        ["remote MOD 10.77.0.2 443"]
    );
    assert_eq!(
        simulation.line(">PASSWORD:Need 'Auth' username/password"),
        ["username Auth N/A", "password ACS::35001"]
    );
    let did = simulation.line(&format!(
        ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:{SESSION_ID}:b'Ti9B':https://idp.example/']"
    ));
    assert_eq!(did, ["ask"]);
    assert!(
        simulation.hints[0]
            .iter()
            .any(|hint| hint.contains("https://idp.example/"))
    );
    assert!(
        !simulation.hints[0]
            .iter()
            .any(|hint| hint.contains("instance-1"))
    );
    // OpenVPN is held for as long as the person takes.
    assert_eq!(
        simulation.lines(&[
            ">STATE:1,RECONNECTING,auth-failure,,,,,",
            ">HOLD:Waiting for hold release:1"
        ]),
        [""; 0]
    );
    assert!(simulation.session.expects_secrets() && !simulation.session.is_up());
    assert_eq!(simulation.answered(), ["hold release"]);
    assert_eq!(
        simulation.line(">PASSWORD:Need 'Auth' username/password"),
        [
            "username Auth N/A".to_owned(),
            format!("password CRV1::{SESSION_ID}::PHNhbWw%2B")
        ]
    );
    // The same node, although there are two.
    assert_eq!(
        simulation.line(&format!(">REMOTE:{HOST},443,udp")),
        ["remote MOD 10.77.0.2 443"]
    );
    assert_eq!(
        simulation.session.endpoint_addresses().first().copied(),
        Some(IpAddr::from([10, 77, 0, 2]))
    );
    assert_eq!(simulation.up(), ["configure", "Started"]);
    assert!(simulation.failures.is_empty());
    assert_eq!(simulation.session.deadline(), None);
    for (address, is_inside) in [("10.88.0.2", true), ("10.88.0.1", false), ("::1", false)] {
        let address = address.parse().unwrap();
        assert_eq!(simulation.session.is_inside(address), is_inside);
    }
}

#[test]
fn a_tunnel_with_ipv6_has_two_addresses_inside() {
    let mut simulation = Simulation::saml();
    simulation.challenged();
    simulation.answered();
    simulation.lines(&[
        ">UPDOWN:UP",
        ">UPDOWN:ENV,ifconfig_local=10.88.0.2",
        ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
        ">UPDOWN:ENV,ifconfig_ipv6_local=fd00:88::2",
        ">UPDOWN:ENV,ifconfig_ipv6_netbits=64",
        ">UPDOWN:ENV,END",
        CONNECTED,
    ]);
    for (address, is_inside) in [
        ("10.88.0.2", true),
        ("fd00:88::2", true),
        ("fd00:88::1", false),
    ] {
        let address = address.parse().unwrap();
        assert_eq!(simulation.session.is_inside(address), is_inside);
    }
}

#[test]
fn a_sign_in_s_page_needs_the_network_as_it_is_without_the_tunnel() {
    let mut simulation = Simulation::saml();
    let outside = |simulation: &Simulation| simulation.session.needs_network_outside_tunnel();
    assert!(!outside(&simulation));
    simulation.challenged();
    assert!(outside(&simulation));
    simulation.answered();
    assert!(!outside(&simulation));
    simulation.up();
    assert!(!outside(&simulation));
    // Lost, and the endpoint wants a new sign-in.
    simulation.lines(&[LOST, HOLD, &remote(), NEED, REFUSED, AGAIN, HOLD]);
    simulation.after(5);
    simulation.after(5);
    simulation.lines(&[&remote(), NEED]);
    assert!(!outside(&simulation));
    // Before the page opens, and while it is open.
    assert!(!simulation.line(&challenge()).contains(&"ask".to_owned()));
    assert!(outside(&simulation));
    let did = simulation.input(Input::VpnState(VpnState::Activated));
    assert_eq!(did, ["Starting", "ask"]);
    assert!(outside(&simulation));
}

#[test]
fn secrets_that_nobody_asked_for_are_only_noted() {
    let mut simulation = Simulation::saml();
    let noted = |simulation: &Simulation| {
        let of_them = |note: &&String| note.contains("nobody asked for");
        simulation.notes.iter().filter(of_them).count()
    };
    assert_eq!(simulation.answered(), [""; 0]);
    assert_eq!(noted(&simulation), 1);
    simulation.challenged();
    simulation.answered();
    simulation.up();
    assert_eq!(noted(&simulation), 1);
    // NetworkManager goes on connecting with them.
    assert_eq!(simulation.answered(), ["Starting", "configure", "Started"]);
    assert_eq!(noted(&simulation), 2);
}

/// As where the dialog's time ends with the session's.
#[test]
fn an_answer_that_crosses_the_end_of_the_login_leaves_its_reason() {
    let mut simulation = Simulation::saml();
    simulation.challenged();
    assert!(!simulation.session.may_get_late_secrets());
    simulation.after(700);
    assert!(matches!(
        simulation.failures[..],
        [Failure::LoginTimedOut { .. }]
    ));
    assert!(simulation.session.may_get_late_secrets());
    assert_eq!(simulation.answered(), [""; 0]);
}

#[test]
fn a_slow_person_is_asked_for_again_before_networkmanager_s_120_seconds() {
    let mut simulation = Simulation::saml();
    assert_eq!(simulation.challenged(), ["ask"]);
    assert_eq!(simulation.after(109), [""; 0]);
    assert_eq!(simulation.after(1), ["ask"]);
    assert!(
        simulation.hints[1]
            .iter()
            .any(|hint| hint.contains("retry"))
    );
    assert!(
        !simulation.hints[0]
            .iter()
            .any(|hint| hint.contains("retry"))
    );
    for _ in 0..4 {
        assert_eq!(simulation.after(110), ["ask"]);
    }
    // Ten minutes in all.
    assert_eq!(
        simulation.after(50),
        ["fail LoginFailed", "Stopping", "terminate"]
    );
    assert!(simulation.failures[0].to_string().contains("within 10 min"));
}

#[test]
fn each_end_announces_one_failure_at_most_and_leaves_nothing() {
    let end = |simulation: &mut Simulation| {
        assert_eq!(
            simulation.input(Input::OpenVpnEnded(Message::new("exit code 1"))),
            ["clean up", "Stopped", "finish"]
        );
        assert!(simulation.failures.len() <= 1);
        assert_eq!(simulation.session.deadline(), None);
    };
    let mut refused = Simulation::saml();
    refused.challenged();
    refused.answered();
    let line = ">PASSWORD:Verification Failed: 'Auth' ['Invalid username or password']";
    assert_eq!(
        refused.line(line),
        ["fail LoginFailed", "Stopping", "terminate"]
    );
    assert_eq!(refused.line(line), [""; 0]);
    assert!(
        refused.failures[0]
            .to_string()
            .contains("Invalid username or password")
    );
    end(&mut refused);

    let mut wanted = Simulation::connected();
    assert_eq!(wanted.input(Input::Disconnect), ["Stopping", "terminate"]);
    assert_eq!(wanted.input(Input::Disconnect), [""; 0]);
    assert!(wanted.failures.is_empty());
    end(&mut wanted);

    let mut orphaned = Simulation::connected();
    assert_eq!(
        orphaned.input(Input::NetworkManagerGone),
        ["Stopping", "terminate"]
    );
    end(&mut orphaned);

    let mut crashed = Simulation::connected();
    let did = crashed.input(Input::OpenVpnEnded(Message::new("killed by signal 9")));
    assert_eq!(
        did,
        [
            "fail ConnectFailed",
            "Stopping",
            "clean up",
            "Stopped",
            "finish"
        ]
    );
    assert!(
        crashed.failures[0]
            .to_string()
            .contains("killed by signal 9")
    );
}

#[test]
fn an_openvpn_that_does_not_end_is_killed_and_the_session_ends_all_the_same() {
    let mut simulation = Simulation::connected();
    simulation.input(Input::Disconnect);
    assert_eq!(simulation.after(4), ["kill"]);
    assert_eq!(simulation.after(2), ["clean up", "Stopped", "finish"]);
}

#[test]
fn a_silent_endpoint_is_given_up_in_each_phase() {
    let mut first = Simulation::saml();
    first.first_phase();
    assert_eq!(
        first.after(60),
        ["fail ConnectFailed", "Stopping", "terminate"]
    );
    assert!(first.failures[0].to_string().contains("within 60 s"));

    let mut second = Simulation::saml();
    second.challenged();
    second.answered();
    assert_eq!(second.after(59), [""; 0]);
    assert_eq!(
        second.after(1),
        ["fail ConnectFailed", "Stopping", "terminate"]
    );

    let mut lost = Simulation::saml();
    lost.challenged();
    lost.answered();
    let did = lost.line(">STATE:1,RECONNECTING,connection-reset,,,,,");
    assert_eq!(did, ["fail ConnectFailed", "Stopping", "terminate"]);
}

#[test]
fn the_next_address_is_tried_when_the_first_does_not_answer() {
    let mut simulation = Simulation::saml();
    simulation.first_phase();
    simulation.line(">STATE:1,RECONNECTING,server_poll,,,,,");
    assert_eq!(
        simulation.line(">HOLD:Waiting for hold release:1"),
        ["hold release"]
    );
    let did = simulation.line(&format!(">REMOTE:{HOST},443,udp"));
    assert_eq!(did, ["remote MOD 10.77.0.1 443"]);
}

#[test]
fn a_name_that_is_not_found_says_so() {
    let mut simulation = Simulation::saml();
    let result = Err("Name or service not known".to_owned());
    let did = simulation.input(Input::Resolved {
        host: HOST.to_owned(),
        result,
    });
    assert_eq!(did, ["fail ConnectFailed", "Stopping", "terminate"]);
    let text = simulation.failures[0].to_string();
    assert!(
        text.contains(HOST) && text.contains("Name or service not known"),
        "{text}"
    );
}

#[test]
fn a_browser_login_needs_somebody_who_can_show_it() {
    let mut simulation = Simulation::begin("auth-federate", false, BTreeMap::new());
    simulation.challenged();
    assert_eq!(simulation.failures, [Failure::NotInteractive]);
    assert_eq!(simulation.failures[0].reason(), FailureReason::LoginFailed);
}

#[test]
fn a_dialog_s_reason_is_a_text_that_can_be_translated() {
    let mut simulation = Simulation::saml();
    simulation.challenged();
    let secret = LoginFailure::TimedOut.to_secret();
    let secrets = BTreeMap::from([("saml-response".to_owned(), secret)]);
    simulation.input(Input::NewSecrets(secrets));
    let [failure] = &simulation.failures[..] else {
        panic!("{:?}", simulation.failures);
    };
    let mark = |text: &str| format!("<{text}>");
    assert_eq!(
        failure.message().in_language(&mark),
        "<The sign-in in the browser could not be completed. <<The time to sign in ran out. \
         Connect again.>>>"
    );
}

#[test]
fn an_answer_that_is_none_ends_the_login_with_its_reason() {
    for (answer, words) in [
        (
            "login-failure:port 35001 is in use by sshd",
            "port 35001 is in use by sshd",
        ),
        ("", "no SAMLResponse"),
    ] {
        let mut simulation = Simulation::saml();
        simulation.challenged();
        let secrets = BTreeMap::from([("saml-response".to_owned(), Secret::from(answer))]);
        let did = simulation.input(Input::NewSecrets(secrets));
        assert_eq!(did, ["fail LoginFailed", "Stopping", "terminate"]);
        let text = simulation.failures[0].to_string();
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_certificate_needs_no_login() {
    let cert = "<cert>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</cert>\n\
                <key>\n-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n</key>";
    let mut simulation = Simulation::begin(cert, false, BTreeMap::new());
    simulation.first_phase();
    assert_eq!(simulation.up(), ["configure", "Started"]);
}

#[test]
fn a_tunnel_without_an_address_is_refused() {
    let mut simulation = Simulation::saml();
    simulation.challenged();
    simulation.answered();
    let did = simulation.lines(&[
        ">UPDOWN:UP",
        ">UPDOWN:ENV,dev=tun0",
        ">UPDOWN:ENV,END",
        ">STATE:1,CONNECTED,SUCCESS,,,,,",
    ]);
    assert_eq!(did, ["fail BadIpConfig", "Stopping", "terminate"]);
}

#[test]
fn what_a_tunnel_had_before_it_went_down_is_not_taken_for_a_new_one_s() {
    let mut simulation = Simulation::connected();
    simulation.lines(&[LOST, HOLD]);
    let did = simulation.lines(&[
        ">UPDOWN:DOWN",
        ">UPDOWN:ENV,ifconfig_local=10.88.0.2",
        ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
        ">UPDOWN:ENV,END",
        ">STATE:1,CONNECTED,SUCCESS,,,,,",
    ]);
    assert_eq!(did, ["fail BadIpConfig", "Stopping", "terminate"]);
}

#[test]
fn the_journal_never_sees_a_session_id_or_a_token() {
    for line in [
        "AUTH: Received control message: AUTH_FAILED,CRV1:R:instance-1/8/0:b'Ti9B':https://a",
        "PUSH: Received control message: 'PUSH_REPLY,auth-token instance-1'",
        "cookie SESS_ID_instance-1",
    ] {
        let shown = for_journal(line);
        assert!(
            !shown.contains("instance-1") && shown.ends_with("[not shown]"),
            "{shown}"
        );
    }
    assert_eq!(for_journal("TLS: Initial packet"), "TLS: Initial packet");
    assert_eq!(ServiceState::Stopped as u32, 6);
}

/// What the endpoint says is shown as it is; what is known of it, besides.
#[test]
fn a_refusal_is_explained_by_what_came_before_it() {
    let refusal = |text: &str| format!(">PASSWORD:Verification Failed: 'Auth' ['{text}']");
    for (text, told) in [
        (
            "Invalid username or password",
            "although it was completed in the browser: Invalid username or password. Most likely",
        ),
        (
            "Your laptop is not known. Call 4711",
            "refused the sign-in: Your laptop is not known. Call 4711. Connect to sign in again",
        ),
        (
            "Authorization policy evaluation failed",
            "own client can report. The endpoint said: Authorization policy evaluation failed. Ask",
        ),
    ] {
        let mut simulation = Simulation::saml();
        simulation.challenged();
        simulation.answered();
        simulation.line(lines::NEED);
        simulation.line(&refusal(text));
        assert_eq!(simulation.failures.len(), 1, "{text}");
        let message = simulation.failures[0].to_string();
        assert!(message.contains(told), "{message}");
    }
    // Without a reason.
    let mut simulation = Simulation::saml();
    simulation.challenged();
    simulation.answered();
    simulation.line(lines::NEED);
    simulation.line(">PASSWORD:Verification Failed: 'Auth'");
    let message = simulation.failures[0].to_string();
    assert!(
        message.contains("completed in the browser: no reason given"),
        "{message}"
    );
}

/// Its policies are evaluated every five minutes: no other means would change what they say.
#[test]
fn an_endpoint_that_checks_devices_is_not_tried_again() {
    let mut simulation = Simulation::connected();
    let did = simulation
        .line(">PASSWORD:Verification Failed: 'Auth' ['Authorization policy evaluation failed']");
    assert!(did.iter().any(|done| done.starts_with("fail")), "{did:?}");
    assert_eq!(simulation.failures.len(), 1);
    assert!(
        simulation.failures[0]
            .to_string()
            .contains("AWS's own client")
    );
}

/// It is looked up before OpenVPN is started, and is all that the kill switch has to let through.
#[test]
fn a_proxy_is_looked_up_first_and_is_all_that_is_let_through() {
    let mut simulation = Simulation::begin(
        "auth-federate\nhttp-proxy proxy.example 3128",
        true,
        BTreeMap::new(),
    );
    assert_eq!(
        simulation.did,
        ["Starting", "resolve proxy.example, random label: false"]
    );
    // Where traffic is stopped, too.
    let firewall = simulation.session.firewall();
    assert!(firewall.names && firewall.endpoints.is_empty());
    let result = Ok(vec![IpAddr::from([192, 0, 2, 80])]);
    let host = "proxy.example".to_owned();
    let did = simulation.input(Input::Resolved { host, result });
    assert_eq!(did, ["resolve, random label: true", "launch"]);
    let config = simulation.session.profile().to_ovpn();
    assert!(config.contains("http-proxy 192.0.2.80 3128"), "{}", *config);
    simulation.first_phase();
    assert_eq!(
        simulation.session.endpoint_addresses().first().copied(),
        Some(IpAddr::from([192, 0, 2, 80]))
    );
    let through = simulation.session.firewall().endpoints;
    assert_eq!(through.len(), 1);
    assert_eq!(through[0].address, IpAddr::from([192, 0, 2, 80]));
    // A name and a password are asked for when the proxy wants them, and again if they were wrong.
    let need = ">PASSWORD:Need 'HTTP Proxy' username/password";
    let give = |simulation: &mut Simulation, password: &str| {
        simulation.input(Input::NewSecrets(BTreeMap::from([
            ("proxy-username".to_owned(), Secret::from("ada")),
            ("proxy-password".to_owned(), Secret::from(password)),
        ])))
    };
    assert_eq!(simulation.line(need), ["ask"]);
    assert_eq!(
        give(&mut simulation, "wrong"),
        ["username HTTP Proxy ada", "password wrong"]
    );
    simulation.line(">LOG:1,N,HTTP proxy returned: 'HTTP/1.0 407 Unauthorized'");
    assert_eq!(simulation.line(need), ["ask"]);
    assert_eq!(
        give(&mut simulation, "right"),
        ["username HTTP Proxy ada", "password right"]
    );
    // Behind it, the endpoint is met; the second phase is another connection.
    simulation.line(">LOG:1,I,VERIFY OK: depth=0, CN=server");
    assert_eq!(
        simulation.line(need),
        ["username HTTP Proxy ada", "password right"]
    );
    simulation.line(">LOG:1,N,HTTP proxy returned: 'HTTP/1.0 403 Access violation'");
    simulation.after(600);
    let message = simulation.failures[0].to_string();
    assert!(message.contains("403 Access violation"), "{message}");
}

/// A try at whose proxy OpenVPN has been told `password`, which was asked for.
fn behind_a_proxy(kind: &str, password: &str) -> (Simulation, String) {
    let mut simulation = Simulation::begin(
        &format!(
            "auth-federate\n{}-proxy 192.0.2.80 3128",
            kind.to_lowercase()
        ),
        true,
        BTreeMap::new(),
    );
    simulation.first_phase();
    let need = format!(">PASSWORD:Need '{kind} Proxy' username/password");
    assert_eq!(simulation.line(&need), ["ask"]);
    let did = simulation.input(Input::NewSecrets(BTreeMap::from([
        ("proxy-username".to_owned(), Secret::from("ada")),
        ("proxy-password".to_owned(), Secret::from(password)),
    ])));
    assert_eq!(did.last(), Some(&format!("password {password}")));
    (simulation, need)
}

/// OpenVPN asks for its name and password in each try.
#[test]
fn a_try_that_fails_at_a_proxy_or_behind_it_refuses_no_password() {
    let restart = [
        ">STATE:1,RECONNECTING,init_instance,,,,,",
        ">HOLD:Waiting for hold release:5",
    ];
    for (kind, said, is_refused) in [
        ("HTTP", "", false),
        (
            "HTTP",
            "HTTP proxy returned: 'HTTP/1.1 503 Service Unavailable'",
            false,
        ),
        (
            "HTTP",
            "HTTP proxy returned: 'HTTP/1.1 200 Connection established'",
            false,
        ),
        (
            "HTTP",
            "HTTP proxy returned: 'HTTP/1.1 407 Unauthorized'",
            true,
        ),
        // Without words, and as tinyproxy says it.
        ("HTTP", "HTTP proxy returned: 'HTTP/1.1 407'", true),
        (
            "HTTP",
            "HTTP proxy returned: 'HTTP/1.0 401 Unauthorized'",
            true,
        ),
        ("SOCKS", "", false),
        (
            "SOCKS",
            "recv_socks_reply: Socks proxy returned bad reply",
            false,
        ),
        (
            "SOCKS",
            "socks_username_password_auth: server refused the authentication",
            true,
        ),
    ] {
        let (mut simulation, need) = behind_a_proxy(kind, "hunter2");
        for _ in 0..4 {
            simulation.line(&format!(">LOG:1,N,{said}"));
            simulation.lines(&restart);
            simulation.after(6);
            // As the `auto` of HTTP finds out each time.
            simulation.line(">LOG:1,N,HTTP proxy returned: 'HTTP/1.1 407 Unauthorized'");
            let did = simulation.line(&need);
            if is_refused {
                assert_eq!(did, ["ask"], "{said}");
                break;
            }
            assert_eq!(did.last().unwrap(), "password hunter2", "{said}");
        }
    }
}

#[test]
fn a_proxy_that_lets_through_at_last_is_not_in_the_way() {
    let (mut simulation, need) = behind_a_proxy("HTTP", "hunter2");
    // As with NTLM, whose first answer is 407 to everybody.
    simulation.line(">LOG:1,N,HTTP proxy returned: 'HTTP/1.1 407 Unauthorized'");
    simulation.line(">LOG:1,N,HTTP proxy returned: 'HTTP/1.1 200'");
    let did = simulation.line(&need);
    assert_eq!(did.last().unwrap(), "password hunter2");
    simulation.after(600);
    let message = simulation.failures[0].to_string();
    assert!(!message.contains("through the proxy"), "{message}");
}

/// A taken-over OpenVPN writes them without end.
#[test]
fn the_variables_of_a_tunnel_have_a_bound() {
    let mut simulation = Simulation::saml();
    simulation.first_phase();
    simulation.line(">UPDOWN:UP");
    let value = "x".repeat(100_000);
    for number in 0..100 {
        simulation.line(&format!(">UPDOWN:ENV,variable_{number}={value}"));
    }
    assert!(format!("{:?}", simulation.session).len() < 6_000_000);
    simulation.line(">UPDOWN:ENV,END");
    let notes = simulation.notes.join("\n");
    assert!(notes.contains("variables after the first"), "{notes}");
}

#[test]
fn a_proxy_that_refuses_three_passwords_is_asked_no_more() {
    let profile = "auth-federate\nhttp-proxy 192.0.2.80 3128";
    let need = ">PASSWORD:Need 'HTTP Proxy' username/password";
    let refused = ">LOG:1,I,HTTP proxy returned: 'HTTP/1.1 407 Proxy Authentication Required'";
    let given = || {
        let given = ["proxy-username", "proxy-password"].into_iter().zip(1..);
        given.map(|(name, number)| (name.to_owned(), Secret::new(format!("{number}"))))
    };
    let mut simulation = Simulation::begin(profile, true, BTreeMap::new());
    simulation.first_phase();
    for number in 1..=3 {
        assert_eq!(simulation.line(need), ["ask"], "{number}");
        let secrets =
            given().map(|(name, value)| (name, Secret::new(format!("{}{number}", value.expose()))));
        simulation.input(Input::NewSecrets(secrets.collect()));
        simulation.line(refused);
    }
    assert!(simulation.failures.is_empty());
    simulation.line(need);
    let message = simulation.failures[0].to_string();
    assert!(message.contains("refused the user name"), "{message}");
    // Nobody can be asked for a second one.
    let mut simulation = Simulation::begin(profile, false, given().collect());
    simulation.first_phase();
    assert_eq!(simulation.line(need).len(), 2);
    simulation.line(refused);
    simulation.line(need);
    let message = simulation.failures[0].to_string();
    assert!(message.contains("refused the user name"), "{message}");
}

#[test]
fn what_a_proxy_said_is_told_where_nothing_comes_back() {
    let profile = "auth-federate\nhttp-proxy 192.0.2.80 3128";
    for (said, is_told) in [
        ("HTTP proxy returned: 'HTTP/1.0 403 Access violation'", true),
        ("HTTP proxy returned: 'HTTP/1.0 200 OK'", false),
        (
            "TCP: connect to [AF_INET]192.0.2.80:3128 failed: Refused",
            true,
        ),
        ("TCP: connect to [AF_INET]192.0.2.80:3128 succeeded", false),
        ("socks_handshake: Socks proxy returned bad status", true),
        ("Something else failed", false),
    ] {
        let mut simulation = Simulation::begin(profile, true, BTreeMap::new());
        simulation.first_phase();
        simulation.line(&format!(">LOG:1,N,{said}"));
        simulation.after(600);
        let message = simulation.failures[0].to_string();
        assert_eq!(message.contains(said), is_told, "{message}");
    }
}

#[test]
fn a_proxy_that_has_no_address_is_named() {
    let mut simulation = Simulation::begin(
        "auth-federate\nsocks-proxy proxy.example",
        true,
        BTreeMap::new(),
    );
    let (host, result) = ("proxy.example".to_owned(), Err("no such name".to_owned()));
    let did = simulation.input(Input::Resolved { host, result });
    assert_eq!(did.last().map(String::as_str), Some("finish"), "{did:?}");
    let message = simulation.failures[0].to_string();
    assert!(
        message.contains("through the proxy proxy.example: no such name"),
        "{message}"
    );
}
