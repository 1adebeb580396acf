use super::*;
use crate::tests::own_bus::OwnBus;
use crate::tests::own_network::{in_its_own_network, shell, without_descriptors};
use futures_lite::future::poll_once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedObjectPath;

/// How long a step may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const SESSION: &str = "/org/freedesktop/login1/session/_31";

/// logind, where Ada is logged in.
struct Manager;

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    #[expect(clippy::unused_self, reason = "the macro wants it")]
    fn list_sessions(&self) -> Vec<(String, u32, String, String, OwnedObjectPath)> {
        let path = OwnedObjectPath::try_from(SESSION).unwrap();
        vec![(
            "1".to_owned(),
            1000,
            "ada".to_owned(),
            "seat0".to_owned(),
            path,
        )]
    }

    #[zbus(signal)]
    async fn prepare_for_sleep(emitter: &SignalEmitter<'_>, start: bool) -> zbus::Result<()>;
}

/// Her session.
#[derive(Default)]
struct LoginSession {
    is_locked: AtomicBool,
}

#[zbus::interface(name = "org.freedesktop.login1.Session")]
#[expect(clippy::unused_self, reason = "the macro wants it")]
impl LoginSession {
    #[zbus(property)]
    fn class(&self) -> String {
        "user".to_owned()
    }

    #[zbus(property, name = "Type")]
    fn kind(&self) -> String {
        "wayland".to_owned()
    }

    #[zbus(property)]
    fn active(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.is_locked.load(Ordering::Relaxed)
    }
}

/// Waits until the conditions are seen to be as they should be.
async fn until_seen(monitor: &mut Monitor, is_so: impl Fn(&Conditions) -> bool) {
    let seen = |monitor: &Monitor| {
        let endpoint = ["203.0.113.1".parse().unwrap()];
        let watch = monitor.watch.as_ref().unwrap();
        watch.look(&endpoint, |_| false, Some("ada"), monitor.has_agent, None)
    };
    until(monitor, |monitor| is_so(&seen(monitor))).await;
}

async fn until(monitor: &mut Monitor, is_so: impl Fn(&Monitor) -> bool) {
    let changes = async {
        while !is_so(monitor) {
            assert_eq!(
                monitor.changed(Some("ada"), false).await,
                Change::Conditions
            );
        }
    };
    timeout(LIMIT, changes).await.unwrap();
}

/// Waits until it is told of what `line` does.
async fn told_of(monitor: &mut Monitor, line: &str) {
    // What has been told before says nothing of it.
    while poll_once(monitor.changed(Some("ada"), false))
        .await
        .is_some()
    {}
    shell(line);
    let told = timeout(LIMIT, monitor.changed(Some("ada"), false)).await;
    assert_eq!(told.unwrap(), Change::Conditions);
}

#[test]
fn each_change_of_networks_sleep_and_screens_is_told_of() {
    in_its_own_network(module_path!(), "changes");
}

#[tokio::test]
#[ignore = "run by the test before, in a network namespace"]
async fn changes() {
    let bus = OwnBus::start_as_system_bus();
    let logind = bus.builder().name("org.freedesktop.login1").unwrap();
    let logind = logind.serve_at("/org/freedesktop/login1", Manager).unwrap();
    let logind = logind.serve_at(SESSION, LoginSession::default()).unwrap();
    let logind = logind.build().await.unwrap();
    let own = bus.builder().build().await.unwrap();
    let mut monitor = Monitor::new(&own);
    assert!(!monitor.is_at_work() && !monitor.may_act_for(Some("ada"), 1000));
    monitor.begin();
    assert!(monitor.is_at_work());
    until_seen(&mut monitor, |seen| seen.ways == Some(Ways::default())).await;
    // From when logind has answered, no change of its own is missed.
    until(&mut monitor, |it| it.may_act_for(Some("ada"), 1000)).await;
    assert!(!monitor.may_act_for(Some("ada"), 1001));

    shell(
        "ip link add one type veth peer name other
        # Or they have an address of their own in a second or two.
        ip link set one addrgenmode none
        ip link set other addrgenmode none
        ip link set one up
        ip link set other up
        ip address add 192.0.2.10/24 dev one",
    );
    told_of(&mut monitor, "ip route add default via 192.0.2.1").await;
    let ways = Ways {
        ipv4: Some("192.0.2.10".parse().unwrap()),
        ipv6: None,
    };
    until_seen(&mut monitor, |seen| seen.ways == Some(ways)).await;

    let manager = logind.object_server();
    let manager = manager.interface::<_, Manager>("/org/freedesktop/login1");
    let manager = manager.await.unwrap();
    for asleep in [true, false] {
        Manager::prepare_for_sleep(manager.signal_emitter(), asleep)
            .await
            .unwrap();
        until_seen(&mut monitor, |seen| seen.asleep == asleep).await;
    }

    let session = logind.object_server();
    let session = session.interface::<_, LoginSession>(SESSION).await.unwrap();
    for (is_locked, person) in [(true, Presence::Locked), (false, Presence::Active)] {
        let ada = session.get_mut().await;
        ada.is_locked.store(is_locked, Ordering::Relaxed);
        ada.locked_hint_changed(session.signal_emitter())
            .await
            .unwrap();
        drop(ada);
        until_seen(&mut monitor, |seen| seen.presence == person).await;
    }

    told_of(&mut monitor, "ip link set one down").await;
    until_seen(&mut monitor, |seen| seen.ways == Some(Ways::default())).await;
}

#[test]
fn the_way_to_an_endpoint_begins_at_the_address_that_the_kernel_takes() {
    in_its_own_network(module_path!(), "ways");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn ways() {
    let way = |to: &str| way_to(to.parse().unwrap()).map(|from| from.to_string());
    assert_eq!(way("192.0.2.1"), None, "there is no network");
    shell(
        "ip link add one type veth peer name other
        ip link set one up
        ip link set other up
        ip address add 192.0.2.10/24 dev one
        ip address add 198.51.100.10/24 dev other
        ip -6 address add 2001:db8::10/64 dev one nodad",
    );
    assert_eq!(way("192.0.2.1").as_deref(), Some("192.0.2.10"));
    assert_eq!(way("198.51.100.1").as_deref(), Some("198.51.100.10"));
    assert_eq!(way("2001:db8::1").as_deref(), Some("2001:db8::10"));
    assert_eq!(way("203.0.113.1"), None, "no route leads there");
    shell("ip route add default via 192.0.2.1");
    assert_eq!(way("203.0.113.1").as_deref(), Some("192.0.2.10"));
    shell("ip route add 203.0.113.0/24 via 198.51.100.1");
    assert_eq!(way("203.0.113.1").as_deref(), Some("198.51.100.10"));
    shell("ip route add unreachable 203.0.113.1");
    assert_eq!(way("203.0.113.1"), None);

    // The first address that a way leads to; anywhere, where there is none of a family.
    let ways = |endpoint: &[&str], inside: &str| {
        let endpoint: Vec<_> = endpoint.iter().map(|text| text.parse().unwrap()).collect();
        let ways = ways_to(&endpoint, |own| own.to_string() == inside, None);
        [
            ways.ipv4.map(|from| from.to_string()),
            ways.ipv6.map(|from| from.to_string()),
        ]
    };
    let from = |ipv4: &str, ipv6: &str| {
        [ipv4, ipv6].map(|text| (!text.is_empty()).then(|| text.to_owned()))
    };
    let endpoint = ["203.0.113.1", "203.0.113.2", "198.51.100.1", "2001:db8::1"];
    assert_eq!(ways(&endpoint, ""), from("198.51.100.10", "2001:db8::10"));
    assert_eq!(ways(&["192.0.2.1"], ""), from("192.0.2.10", ""));
    assert_eq!(ways(&["192.0.2.1"], "192.0.2.10"), from("", ""));
    assert_eq!(ways(&["2001:db8::1"], ""), from("", "2001:db8::10"));
    shell("ip -6 route add default via 2001:db8::1");
    assert_eq!(ways(&["192.0.2.1"], ""), from("192.0.2.10", "2001:db8::10"));
}

#[test]
fn a_new_preferred_address_of_ipv6_leaves_the_one_in_use() {
    in_its_own_network(module_path!(), "addresses");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn addresses() {
    shell(
        "ip link add one type veth peer name other
        ip link set one up
        ip link set other up
        ip -6 address add 2001:db8::10/64 dev one nodad
        ip -6 route add default via 2001:db8::1",
    );
    let ways = |before| {
        let endpoint = ["2001:db8:1::1".parse().unwrap()];
        ways_to(&endpoint, |_| false, before)
    };
    let first = ways(None).ipv6.unwrap();
    assert_eq!(first.to_string(), "2001:db8::10");
    // As privacy extensions do each day: a new one, and the old one for what is under way.
    shell(
        "ip -6 address add 2001:db8::11/64 dev one nodad
        ip -6 address change 2001:db8::10/64 dev one preferred_lft 0 valid_lft 600",
    );
    let second = ways(None).ipv6.unwrap();
    assert_eq!(second.to_string(), "2001:db8::11");
    let before = Some(Ways {
        ipv4: None,
        ipv6: Some(first),
    });
    assert_eq!(ways(before).ipv6, Some(first));
    shell("ip -6 address delete 2001:db8::10/64 dev one");
    assert_eq!(ways(before).ipv6, Some(second));
}

#[test]
fn an_address_that_the_kernel_does_not_tell_of_is_kept() {
    in_its_own_network(module_path!(), "untold_address");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn untold_address() {
    let [before, now] = [1, 2].map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
    assert!(!is_kept(before, now));
    without_descriptors(|| assert!(is_kept(before, now)));
}
