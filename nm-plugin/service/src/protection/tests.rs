//! On the real nftables, in a network namespace of each test's own.

use super::*;
use crate::tests::own_network::{in_its_own_network, shell};
use aws_client_vpn_profile::parts::{ProxyKind, Transport};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{KillSwitchOptions, Timeouts};
use aws_client_vpn_session::kill_switch::Endpoint;
use std::collections::BTreeMap;
use std::path::Path;

const TABLE: &str = "table inet aws-client-vpn-kill-switch\n";
/// `NMVpnConnectionState` and `NMActiveConnectionStateReason`.
const UP: (u32, u32) = (5, 1);
const TAKEN_DOWN: (u32, u32) = (7, 2);
const SERVICE_STOPPED: (u32, u32) = (6, 4);
const NO_SECRETS: (u32, u32) = (6, 9);

fn end(states: &[(u32, u32)]) -> Option<Disconnect> {
    let mut end = Disconnect::default();
    for (state, reason) in states {
        end.take_in(VpnState::of_vpn(*state, *reason));
    }
    Some(end)
}

fn session() -> Session {
    let text = "client\ndev tun\nproto udp\nremote 192.0.2.1 443\n<ca>\n-----BEGIN CERTIFICATE-----\nTUlJ\n\
         -----END CERTIFICATE-----\n</ca>\nauth-federate\n";
    let profile = Profile::parse(text, &mut |_| Err(String::new()));
    let profile = profile.unwrap().profile;
    let timeouts = Timeouts::default();
    Session::new(profile, timeouts, true, BTreeMap::new(), Instant::now())
}

fn protection(
    options: Option<KillSwitchOptions>,
    is_asked_for: bool,
    directory: &Path,
) -> Protection {
    let mut kill_switch = KillSwitch::in_directory("uuid", options, directory);
    kill_switch.begin().unwrap();
    Protection::new(kill_switch, is_asked_for, None)
}

fn tables() -> String {
    shell("nft list tables")
}

#[test]
fn who_takes_a_connection_down_has_the_rest_of_the_network_and_who_loses_it_has_not() {
    in_its_own_network(module_path!(), "ends");
}

#[tokio::test]
#[ignore = "run by the test before, in a network namespace"]
async fn ends() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let session = session();
    let wanted = Some(KillSwitchOptions::default());
    let begun = || protection(wanted, true, directory);
    let closed = || {
        let mut protection = begun();
        protection.close(&session, None).unwrap();
        assert_eq!(tables(), TABLE);
        protection
    };
    // Nothing is stopped before, and nothing stays of one that has never been up.
    let mut protection = begun();
    protection.keep_open(&session, None);
    assert_eq!(tables(), "");
    protection.let_go(end(&[NO_SECRETS]));
    assert_eq!(tables(), "");
    let mut protection = closed();
    protection.let_go(end(&[NO_SECRETS]));
    assert_eq!(tables(), "");

    // Taken down: at once. What follows changes nothing.
    let mut protection = closed();
    protection.end_asked_for(end(&[UP, TAKEN_DOWN]));
    assert_eq!(tables(), "");
    protection.keep_open(&session, None);
    protection.let_go(end(&[UP, TAKEN_DOWN]));
    assert_eq!(tables(), "");
    // Where nobody tells why, nobody is locked out.
    let mut protection = closed();
    protection.end_asked_for(None);
    assert_eq!(tables(), "");

    // Lost: it stays stopped, also for the next activation, which comes to nothing.
    let mut protection = closed();
    protection.end_asked_for(end(&[UP, SERVICE_STOPPED]));
    protection.let_go(end(&[UP, SERVICE_STOPPED]));
    drop(protection);
    assert_eq!(tables(), TABLE);
    let mut protection = begun();
    protection.let_go(end(&[NO_SECRETS]));
    drop(protection);
    assert_eq!(tables(), TABLE);
    // Until somebody takes that one down.
    let mut protection = begun();
    protection.end_asked_for(end(&[TAKEN_DOWN]));
    assert_eq!(tables(), "");
}

#[test]
fn what_was_left_stopped_opens_for_a_person_only() {
    in_its_own_network(module_path!(), "unasked");
}

#[tokio::test]
#[ignore = "run by the test before, in a network namespace"]
async fn unasked() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let session = session();
    let stopped = |options, is_asked_for| {
        let protection = protection(options, is_asked_for, directory);
        let known = protection.known_addresses("cvpn.example", None).is_some();
        (protection.web_access().blocked, known)
    };
    let wanted = Some(KillSwitchOptions::default());
    let lets_sign_in = Some(KillSwitchOptions {
        sign_in: true,
        ..KillSwitchOptions::default()
    });
    for is_asked_for in [true, false] {
        let stopped = |options| stopped(options, is_asked_for);
        assert_eq!(stopped(None), (WebBlocked::Never, false));
        assert_eq!(stopped(lets_sign_in), (WebBlocked::Never, false));
        assert_eq!(stopped(wanted), (WebBlocked::OnceUp, false));
    }
    // A connection is lost whose endpoint is known.
    let mut lost = protection(wanted, true, directory);
    let endpoint = Endpoint {
        address: "192.0.2.1".parse().unwrap(),
        port: 443,
        transport: Transport::Udp,
    };
    lost.kill_switch
        .close(FirewallPolicy {
            endpoints: vec![endpoint],
            ..lost.policy(&session, None)
        })
        .unwrap();
    lost.let_go(end(&[UP, SERVICE_STOPPED]));
    drop(lost);
    assert_eq!(stopped(wanted, true), (WebBlocked::OnceUp, false));
    assert_eq!(stopped(wanted, false), (WebBlocked::FromTheStart, true));
    assert_eq!(stopped(lets_sign_in, false), (WebBlocked::Never, true));
    let unasked = protection(wanted, false, directory);
    let known: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap()];
    let of = |host, proxy| unasked.known_addresses(host, proxy);
    assert_eq!(of("cvpn.example", None), Some(known.clone()));
    // Behind a proxy, it is the proxy that packets went to.
    let proxy = Proxy {
        kind: ProxyKind::Http,
        host: "proxy.example".to_owned(),
        port: 3128,
        authenticates: false,
    };
    assert_eq!(of("proxy.example", Some(&proxy)), Some(known));
    assert_eq!(of("cvpn.example", Some(&proxy)), None);
    drop(unasked);
    // Without a kill switch there is none any more.
    assert_eq!(tables(), TABLE);
    assert_eq!(stopped(None, false), (WebBlocked::Never, false));
    assert_eq!(tables(), "");
}

#[test]
fn routes_are_kept_from_when_networkmanager_has_set_them_until_it_sets_others() {
    let directory = tempfile::tempdir().unwrap();
    let kill_switch = KillSwitch::in_directory("uuid", None, directory.path());
    let mut protection = Protection::new(kill_switch, true, Some(RouteGuard::default()));
    let is_kept = |protection: &Protection| protection.routes.as_ref().unwrap().is_at_work();
    for what in 0..3 {
        assert!(!is_kept(&protection), "{what}");
        let (state, reason) = UP;
        protection.follow(&Input::VpnState(VpnState::of_vpn(state, reason)));
        assert!(
            is_kept(&protection) && protection.routes_may_differ,
            "{what}"
        );
        protection.follow(&Input::TimePassed);
        // As while the page of a renewal is open.
        for state in [VpnState::NeedAuth, VpnState::Connecting] {
            protection.follow(&Input::VpnState(state));
        }
        assert!(is_kept(&protection), "{what}");
        match what {
            0 => protection.follow(&Input::VpnState(VpnState::of_vpn(7, 2))),
            1 => protection.follow(&Input::Disconnect),
            _ => protection.settings_change(),
        }
    }
    assert!(!is_kept(&protection));
}
