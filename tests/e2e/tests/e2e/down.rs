//! Down always wins: whatever a connection is doing, and however long NetworkManager's scripts take
//! first, it is gone once somebody wants it gone. Each test prints the rows of a table: what the
//! connection was doing, how long the scripts took, and after how many seconds nothing was left.

use crate::interruptions::{OPENVPN, SERVICE, find_the_endpoint, lose_the_endpoint};
use crate::workday::pages_opened;
use crate::{SOON, assert_up, endpoint, lab, reason, state};
use aws_client_vpn_harness::{
    Browser, Lab, Options, PendingUp, Snapshot, Stopwatch, VpnState, eventually,
};
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;

/// How long a connection may take to go beyond its scripts, on a machine that is busy with other
/// tests; an idle one takes a quarter of a second.
const GOING: Duration = Duration::from_secs(20);
/// Longer than a loss takes to be shown.
const SLOW_SCRIPT: Duration = Duration::from_secs(7);

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    FirstLogin,
    Connected,
    /// Lost, and NetworkManager has not been told yet.
    JustLost,
    /// Lost, and the endpoint does not answer.
    Retrying,
    NoNetwork,
    ScreenLocked,
    NobodyThere,
    /// Lost, and a page is open.
    NewLogin,
    /// Up, and a page is open for the next sign-in.
    RenewedLogin,
}

const MOMENTS: [Moment; 9] = [
    Moment::FirstLogin,
    Moment::Connected,
    Moment::JustLost,
    Moment::Retrying,
    Moment::NoNetwork,
    Moment::ScreenLocked,
    Moment::NobodyThere,
    Moment::NewLogin,
    Moment::RenewedLogin,
];

/// A lab in which somebody is at the computer.
fn home(settings: &[&str]) -> (Lab, Snapshot) {
    let options = Options {
        logind: true,
        ..endpoint(&[])
    };
    let (lab, before) = lab(&options);
    for setting in settings {
        lab.modify("+vpn.data", setting);
    }
    (lab, before)
}

/// Brings the connection to `moment`; `nmcli connection up` is still at it in some.
fn bring_to(moment: Moment, lab: &mut Lab) -> Option<PendingUp> {
    lab.forget_browser_events();
    if moment == Moment::FirstLogin {
        lab.set_browser(&Browser::Closed);
        let up = lab.begin_up();
        lab.browser_did("done", SOON);
        return Some(up);
    }
    lab.set_browser(&Browser::Scripted);
    assert_up(lab, &lab.up());
    // nmcli may say so before what is noted here does.
    eventually("it is noted that the connection is up", SOON, || {
        let last = lab.vpn_states().last().copied();
        last.filter(|last| last.state == state::ACTIVATED)
    });
    // The browser may take longer than the tunnel.
    lab.browser_did("done", SOON);
    lab.forget_browser_events();
    let states = lab.vpn_states().len();
    let mut journal = lab.journal_from_now();
    let mut says = |words: &str| {
        let what = format!("{moment:?}: the service says {words:?}");
        eventually(&what, SOON * 3, || {
            journal.text().contains(words).then_some(())
        });
    };
    match moment {
        Moment::FirstLogin | Moment::Connected => {}
        Moment::JustLost | Moment::Retrying => {
            lose_the_endpoint(lab);
            says("the connection was lost");
            if moment == Moment::Retrying {
                eventually("the loss is shown", SOON, || {
                    (lab.vpn_states().len() > states).then_some(())
                });
            }
        }
        Moment::NoNetwork => {
            lab.client
                .check(["nmcli", "--wait", "300", "device", "disconnect", "eth0"]);
            lab.client.signal(OPENVPN, Signal::USR1);
            says("waiting for a network");
        }
        Moment::ScreenLocked => {
            lab.logind().lock();
            says("the screen is locked");
            lab.endpoint().command(&json!({"kick": "all"}));
            says("waiting for the screen to be unlocked");
        }
        Moment::NobodyThere => {
            lab.logind().leave();
            says("nobody is there");
            lab.endpoint().command(&json!({"kick": "all"}));
            says("waiting for somebody to be there");
        }
        Moment::NewLogin => {
            lab.set_browser(&Browser::Closed);
            lab.endpoint().command(&json!({"kick": "all"}));
            lab.browser_did("done", SOON * 3);
        }
        Moment::RenewedLogin => {
            lab.set_browser(&Browser::Closed);
            lab.client.check(["aws-client-vpn", "renew"]);
            lab.browser_did("done", SOON);
        }
    }
    None
}

/// Puts the world right again.
fn recover_from(moment: Moment, lab: &mut Lab) {
    match moment {
        Moment::JustLost | Moment::Retrying => find_the_endpoint(lab),
        Moment::NoNetwork => {
            lab.client
                .check(["nmcli", "--wait", "300", "device", "connect", "eth0"]);
        }
        Moment::ScreenLocked => lab.logind().unlock(),
        Moment::NobodyThere => lab.logind().arrive(),
        Moment::FirstLogin | Moment::Connected | Moment::NewLogin | Moment::RenewedLogin => {}
    }
}

/// Waits until nothing is left of the connection, and says how long that took.
#[track_caller]
fn is_gone(lab: &Lab, what: &str, moment: Moment, script: Duration, mut watch: Stopwatch) {
    let gone = watch.wait_for(SOON, || {
        let links = lab.client.check(["ip", "-brief", "link"]);
        let programs = [SERVICE, OPENVPN].map(|name| lab.client.processes_called(name).len());
        (programs == [0, 0] && !links.contains("awsvpn")).then_some(())
    });
    let took = watch.look();
    assert!(
        gone.is_some(),
        "{what}, {moment:?}: something is left\n{}",
        lab.journal()
    );
    eprintln!(
        "| {what} | {moment:?} | {} s | {:.2} s |",
        script.as_secs(),
        took.as_secs_f32()
    );
    assert!(
        took < script + GOING,
        "{what}, {moment:?}: {took:?}\n{}",
        lab.journal()
    );
}

/// `nmcli connection ACTION vpn`, with scripts that take `script`.
fn end_by(action: &str, moment: Moment, script: Duration, lab: &mut Lab) {
    let up = bring_to(moment, lab);
    let scripts = lab.pre_down_calls().len();
    let opened = pages_opened(lab);
    lab.set_pre_down_delay(script);
    let mut journal = lab.journal_from_now();
    let mut command = lab.client.command("nmcli");
    command.args(["--wait", "300", "connection", action, "vpn"]);
    let mut watch = Stopwatch::start();
    let mut nmcli = lab.client.spawn_logged("nmcli", command);
    let ended = watch.wait_for(SOON * 3, || (!nmcli.is_running()).then_some(()));
    let status = ended.map(|()| nmcli.entrance.wait().unwrap());
    assert!(
        status.is_some_and(|status| status.success()),
        "{action}, {moment:?}: {status:?}\n{}",
        lab.journal()
    );
    is_gone(lab, action, moment, script, watch);
    // Nobody is warned of what was wanted.
    let told = journal.text();
    let warned = told.lines().find(|line| {
        line.contains("nm_aws_client_vpn_service") && line.trim_start().starts_with("WARN")
    });
    assert_eq!(warned, None, "{action}, {moment:?}");
    let end = VpnState {
        state: state::DISCONNECTED,
        reason: reason::USER_DISCONNECTED,
    };
    assert_eq!(lab.vpn_ended(SOON), end, "{moment:?}\n{}", lab.journal());
    // NetworkManager runs none for a VPN that has no device underneath.
    let calls = &lab.pre_down_calls()[scripts..];
    assert!(
        moment == Moment::NoNetwork || calls.iter().any(|call| call.ends_with("vpn-pre-down vpn")),
        "{moment:?}: {calls:?}"
    );
    assert_eq!(
        pages_opened(lab),
        opened,
        "{moment:?}: a page is opened for nobody"
    );
    assert_eq!(lab.warnings(), [""; 0], "{moment:?}");
    if let Some(up) = up {
        up.abandon();
    }
    lab.set_pre_down_delay(Duration::ZERO);
    recover_from(moment, lab);
}

fn goes_down_in_each_state(settings: &[&str], script: Duration) {
    let (mut lab, before) = home(settings);
    for moment in MOMENTS {
        end_by("down", moment, script, &mut lab);
        lab.assert_clean(&before);
    }
}

#[test]
fn a_connection_goes_down_in_each_state() {
    goes_down_in_each_state(&[], Duration::ZERO);
}

#[test]
fn a_connection_goes_down_in_each_state_after_slow_scripts() {
    goes_down_in_each_state(&[], SLOW_SCRIPT);
}

/// The kill switch goes with it.
const KILL_SWITCH: [&str; 2] = ["kill-switch=yes", "kill-switch-sign-in=yes"];

#[test]
fn a_connection_with_a_kill_switch_goes_down_in_each_state() {
    goes_down_in_each_state(&KILL_SWITCH, Duration::ZERO);
}

#[test]
fn a_connection_with_a_kill_switch_goes_down_in_each_state_after_slow_scripts() {
    goes_down_in_each_state(&KILL_SWITCH, SLOW_SCRIPT);
}

#[test]
fn a_connection_that_is_deleted_goes_down() {
    for settings in [&[][..], &KILL_SWITCH] {
        let (mut lab, _) = home(settings);
        for (moment, script) in [
            (Moment::Connected, SLOW_SCRIPT),
            (Moment::JustLost, SLOW_SCRIPT),
            (Moment::Retrying, Duration::ZERO),
            (Moment::ScreenLocked, SLOW_SCRIPT),
            (Moment::NewLogin, SLOW_SCRIPT),
            (Moment::RenewedLogin, Duration::ZERO),
        ] {
            end_by("delete", moment, script, &mut lab);
            assert_eq!(
                lab.client.check(["nft", "list", "tables"]),
                "",
                "{moment:?}"
            );
            lab.import("udp", 443);
            for setting in settings {
                lab.modify("+vpn.data", setting);
            }
        }
    }
}

#[test]
fn a_networkmanager_that_restarts_takes_the_connection_down_in_each_state() {
    let (mut lab, before) = home(&[]);
    for moment in [
        Moment::FirstLogin,
        Moment::JustLost,
        Moment::Retrying,
        Moment::NoNetwork,
        Moment::ScreenLocked,
        Moment::NewLogin,
        Moment::RenewedLogin,
    ] {
        let up = bring_to(moment, &mut lab);
        let mut watch = Stopwatch::start();
        lab.client.signal("NetworkManager", Signal::TERM);
        let ended = watch.wait_for(SOON, || {
            let left = lab.client.processes_called("NetworkManager");
            left.is_empty().then_some(())
        });
        assert!(ended.is_some(), "{moment:?}\n{}", lab.journal());
        is_gone(&lab, "NetworkManager ends", moment, Duration::ZERO, watch);
        if let Some(up) = up {
            up.abandon();
        }
        // The device that was disconnected by hand comes up with the next NetworkManager.
        lab.start_network_manager();
        if moment != Moment::NoNetwork {
            recover_from(moment, &mut lab);
        }
        lab.assert_clean(&before);
    }
}

/// The service, held up at its start until the test lets it go on, as on a computer that is busy.
pub(crate) struct HeldService<'a>(&'a Lab);

impl<'a> HeldService<'a> {
    const HOLD: &'static str = "cd /run/lab
rm -f service-started service-goes-on
cat >held-service <<'END'
#!/bin/sh
touch /run/lab/service-started
until [ -e /run/lab/service-goes-on ]; do sleep 0.05; done
umount -n -l /usr/libexec/nm-aws-client-vpn-service
exec /usr/libexec/nm-aws-client-vpn-service \"$@\"
END
chmod 755 held-service
mount -n --bind held-service /usr/libexec/nm-aws-client-vpn-service";

    pub(crate) fn hold(lab: &'a Lab) -> Self {
        lab.client.check(["sh", "-ec", Self::HOLD]);
        Self(lab)
    }

    /// Waits until NetworkManager has started it.
    pub(crate) fn has_started(&self) {
        eventually("NetworkManager starts the service", SOON, || {
            let started = ["test", "-e", "/run/lab/service-started"];
            self.0.client.run(started).status.success().then_some(())
        });
    }

    pub(crate) fn let_go(self) {
        let line = ["touch", "/run/lab/service-goes-on"];
        self.0.client.check(line);
    }
}

/// NetworkManager goes on with a connection that is being taken down as soon as its service is there.
#[test]
fn a_connection_goes_down_although_its_service_has_not_heard_of_it_yet() {
    let (lab, before) = home(&[]);
    // While the scripts run, and when all is over.
    for script in [SLOW_SCRIPT, Duration::ZERO] {
        let service = HeldService::hold(&lab);
        let states = lab.vpn_states().len();
        let scripts = lab.pre_down_calls().len();
        lab.set_pre_down_delay(script);
        let up = lab.begin_up();
        service.has_started();
        let mut command = lab.client.command("nmcli");
        command.args(["--wait", "300", "connection", "down", "vpn"]);
        let mut nmcli = lab.client.spawn_logged("nmcli", command);
        if script.is_zero() {
            assert!(
                nmcli.entrance.wait().unwrap().success(),
                "{}",
                lab.journal()
            );
        } else {
            eventually("the scripts run", SOON, || {
                (lab.pre_down_calls().len() > scripts).then_some(())
            });
        }
        service.let_go();
        let ended = eventually("nmcli ends", SOON, || nmcli.entrance.try_wait().unwrap());
        assert!(ended.success(), "{}", lab.journal());
        eventually("the service ends", SOON, || {
            let left = lab.client.run(["pgrep", "-f", "[-]-bus-name"]);
            (!left.status.success()).then_some(())
        });
        let was_up = |seen: &VpnState| seen.state == state::ACTIVATED && seen.reason <= 1;
        let states = &lab.vpn_states()[states..];
        assert!(!states.iter().any(was_up), "{states:?}\n{}", lab.journal());
        assert_eq!(pages_opened(&lab), 0);
        up.abandon();
        lab.set_pre_down_delay(Duration::ZERO);
        lab.assert_clean(&before);
    }
}
