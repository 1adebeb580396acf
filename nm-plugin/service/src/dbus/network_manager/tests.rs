use super::*;
use crate::tests::own_bus::OwnBus;
use std::time::Instant;
use tokio::time::timeout;
use zbus::connection::Connection;
use zbus::fdo::ObjectManager;

const NAME: &str = "org.freedesktop.NetworkManager.aws-client-vpn.Connection_7";
const ACTIVATION: &str = "/org/freedesktop/NetworkManager/ActiveConnection/7";
/// How long a step may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A bus with the service's object, and a program in NetworkManager's place.
struct World {
    bus: OwnBus,
    program: Connection,
    peer: NetworkManager,
}

impl World {
    async fn begin() -> Self {
        let bus = OwnBus::start();
        let (sender, requests) = mpsc::channel(super::super::QUEUE);
        let own = bus.builder().serve_at(PATH, Plugin::new(sender)).unwrap();
        let own = own.name(NAME).unwrap().build().await.unwrap();
        let program = bus.builder().build().await.unwrap();
        let objects = program.object_server();
        objects.at("/org/freedesktop", ObjectManager).await.unwrap();
        let mut peer = NetworkManager::new(&own, NAME, requests);
        let name = program.unique_name().unwrap().clone();
        peer.track(name).await.unwrap();
        Self { bus, program, peer }
    }

    async fn next(&mut self) -> Event {
        timeout(LIMIT, self.peer.next()).await.unwrap()
    }

    /// Has the program call Disconnect; the event of the call, after all that was said before.
    async fn disconnect(
        &mut self,
    ) -> (Event, tokio::task::JoinHandle<zbus::Result<zbus::Message>>) {
        let program = self.program.clone();
        let call = tokio::spawn(async move {
            let interface = "org.freedesktop.NetworkManager.VPN.Plugin";
            let method = "Disconnect";
            program
                .call_method(Some(NAME), PATH, Some(interface), method, &())
                .await
        });
        // A flood of events, none of which is taken before the call is there.
        let request = timeout(LIMIT, self.peer.requests.recv()).await.unwrap();
        (Event::Asked(request.unwrap()), call)
    }
}

async fn show(from: &Connection, path: &str, state: u32, reason: u32) {
    let (interface, member) = (VPN, "VpnStateChanged");
    let to: Option<&str> = None;
    from.emit_signal(to, path, interface, member, &(state, reason))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_was_said_before_disconnect_is_known_then_and_comes_all_the_same() {
    let mut world = World::begin().await;
    show(&world.program, ACTIVATION, 5, 1).await;
    show(&world.program, ACTIVATION, 5, 2).await;
    let (event, _call) = world.disconnect().await;
    assert!(matches!(event, Event::Asked(Request::Disconnect { .. })));
    let end = world.peer.end_so_far().await.unwrap();
    assert!(end.was_up() && end.lifts_kill_switch(true));
    // Asked twice, it is the same.
    assert_eq!(world.peer.end_so_far().await, Some(end));
    let event = world.next().await;
    assert!(
        matches!(event, Event::VpnState(VpnState::Activated)),
        "{event:?}"
    );
    let event = world.next().await;
    assert!(
        matches!(event, Event::VpnState(VpnState::Deactivating(_))),
        "{event:?}"
    );
}

#[tokio::test]
async fn nobody_else_speaks_for_networkmanager_and_other_activations_are_not_meant() {
    let mut world = World::begin().await;
    let other = world.bus.builder().build().await.unwrap();
    show(&other, ACTIVATION, 5, 1).await;
    // The other one's signals are on the bus before anything that follows.
    let dbus = zbus::fdo::DBusProxy::new(&other).await.unwrap();
    dbus.get_id().await.unwrap();
    let path = "/org/freedesktop/NetworkManager/ActiveConnection/8";
    show(&world.program, path, 5, 1).await;
    show(&world.program, ACTIVATION, 2, 0).await;
    let event = world.next().await;
    assert!(
        matches!(event, Event::VpnState(VpnState::NeedAuth)),
        "{event:?}"
    );
    assert!(!world.peer.end_so_far().await.unwrap().was_up());
    // What has come in the stream is known, too.
    show(&world.program, ACTIVATION, 5, 1).await;
    let event = world.next().await;
    assert!(
        matches!(event, Event::VpnState(VpnState::Activated)),
        "{event:?}"
    );
    assert!(world.peer.end_so_far().await.unwrap().was_up());
}

#[tokio::test]
async fn nothing_of_a_signal_is_lost_by_a_future_that_is_dropped() {
    let mut world = World::begin().await;
    for number in 0..40 {
        show(
            &world.program,
            ACTIVATION,
            if number % 2 == 0 { 3 } else { 2 },
            0,
        )
        .await;
    }
    for number in 0..40 {
        let shown = timeout(LIMIT, async {
            loop {
                // Each is dropped at its first wait.
                match poll_once(world.peer.next()).await {
                    Some(Event::VpnState(shown)) => return shown,
                    Some(event) => panic!("{event:?}"),
                    None => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        });
        let expected = if number % 2 == 0 {
            VpnState::Connecting
        } else {
            VpnState::NeedAuth
        };
        assert_eq!(shown.await.unwrap(), expected, "{number}");
    }
}

#[tokio::test]
async fn its_end_is_told_once() {
    let World { bus, program, peer } = World::begin().await;
    let mut world = World {
        program: bus.builder().build().await.unwrap(),
        bus,
        peer,
    };
    program.close().await.unwrap();
    let event = world.next().await;
    assert!(matches!(event, Event::Gone), "{event:?}");
    // What another one asks for still comes, and nothing else.
    let (event, _call) = world.disconnect().await;
    assert!(matches!(event, Event::Asked(Request::Disconnect { .. })));
    assert!(poll_once(world.peer.next()).await.is_none());
}

#[tokio::test]
async fn the_end_of_the_bus_is_told_once() {
    let World {
        bus,
        program,
        mut peer,
    } = World::begin().await;
    drop(program);
    drop(bus);
    let event = timeout(LIMIT, peer.next()).await.unwrap();
    assert!(matches!(event, Event::Gone), "{event:?}");
    // Each stream of such a bus is ready again and again.
    for _ in 0..100 {
        assert!(poll_once(peer.next()).await.is_none());
        tokio::task::yield_now().await;
    }
    // Nobody is waited for, and nobody told.
    peer.fail(FailureReason::LoginFailed).await;
    timeout(LIMIT, peer.await_end()).await.unwrap();
}

#[tokio::test]
async fn signals_go_to_the_program_that_asked_and_after_a_failure_its_disconnect_is_waited_for() {
    let mut world = World::begin().await;
    let signals = || MatchRule::builder().msg_type(message::Type::Signal);
    let of_the_service = || signals().interface("org.freedesktop.NetworkManager.VPN.Plugin");
    let heard_by = async |by: &Connection| {
        let rule = of_the_service().unwrap().build();
        MessageStream::for_match_rule(rule, by, None).await.unwrap()
    };
    let other = world.bus.builder().build().await.unwrap();
    let mut heard = heard_by(&world.program).await;
    let mut overheard = heard_by(&other).await;
    // Without a failure there is nothing to wait for.
    timeout(LIMIT, world.peer.await_end()).await.unwrap();
    world.peer.announce(ServiceState::Starting).await;
    world.peer.fail(FailureReason::LoginFailed).await;
    for (member, number) in [("StateChanged", 3), ("Failure", 0)] {
        let signal = timeout(LIMIT, heard.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!(signal.header().member().unwrap().as_str(), member);
        assert_eq!(signal.body().deserialize::<u32>().unwrap(), number);
    }
    let dbus = zbus::fdo::DBusProxy::new(&other).await.unwrap();
    dbus.get_id().await.unwrap();
    assert!(poll_once(overheard.next()).await.is_none());

    let program = world.program.clone();
    let call = async {
        let interface = "org.freedesktop.NetworkManager.VPN.Plugin";
        program
            .call_method(Some(NAME), PATH, Some(interface), "Disconnect", &())
            .await
    };
    let (answer, ()) = timeout(LIMIT, async { tokio::join!(call, world.peer.await_end()) })
        .await
        .unwrap();
    let Err(zbus::Error::MethodError(name, _, _)) = answer else {
        panic!("{answer:?}");
    };
    let stopped = "org.freedesktop.NetworkManager.VPN.Error.AlreadyStopped";
    assert_eq!(name.as_str(), stopped);
}

/// NetworkManager's object of the activation.
struct Shown;

#[zbus::interface(name = "org.freedesktop.NetworkManager.Connection.Active")]
impl Shown {
    #[zbus(property)]
    fn state(&self) -> u32 {
        DEACTIVATED
    }
}

#[tokio::test]
async fn the_name_stays_until_the_activation_is_gone() {
    let mut world = World::begin().await;
    let objects = world.program.object_server();
    for path in [
        ACTIVATION,
        "/org/freedesktop/NetworkManager/ActiveConnection/8",
    ] {
        objects.at(path, Shown).await.unwrap();
    }
    world.peer.fail(FailureReason::LoginFailed).await;
    let program = world.program.clone();
    let began = Instant::now();
    let take_down = async {
        let interface = "org.freedesktop.NetworkManager.VPN.Plugin";
        let asked = program.call_method(Some(NAME), PATH, Some(interface), "Disconnect", &());
        asked.await.unwrap_err();
        let other = "/org/freedesktop/NetworkManager/ActiveConnection/8";
        let objects = program.object_server();
        assert!(objects.remove::<Shown, _>(other).await.unwrap());
        tokio::time::sleep(Duration::from_millis(200)).await;
        let removed = Instant::now();
        assert!(objects.remove::<Shown, _>(ACTIVATION).await.unwrap());
        removed
    };
    let until_gone = async {
        world.peer.await_end().await;
        Instant::now()
    };
    let (removed, ended) = timeout(LIMIT, async { tokio::join!(take_down, until_gone) })
        .await
        .unwrap();
    assert!(ended > removed);
    assert!(ended - began < REMOVAL_LIMIT, "{:?}", ended - began);
}

#[test]
fn the_name_of_the_service_tells_the_activation() {
    let path = |name| activation_path(name).map(|path| path.to_string());
    assert_eq!(path(NAME).as_deref(), Some(ACTIVATION));
    for other in [
        "org.freedesktop.NetworkManager.aws-client-vpn",
        "x.Connection_x",
    ] {
        assert_eq!(path(other), None);
    }
}
