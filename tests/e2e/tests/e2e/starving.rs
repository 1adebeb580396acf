//! Whoever has something to say without end (a local program, an OpenVPN that was taken over)
//! holds nobody else up.

use crate::interruptions::SERVICE;
use crate::{SOON, assert_up, lab, reason, service_s_name, state};
use aws_client_vpn_harness::{Lab, Options, Stopwatch, VpnState, eventually};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One flood at a time: several take the whole processor from everything.
static FLOOD: Mutex<()> = Mutex::new(());

/// `nmcli connection down` takes milliseconds; beside a flood on a busy machine, no more than this.
const PROMPT: Duration = Duration::from_secs(20);

#[track_caller]
fn goes_down_promptly(lab: &Lab) {
    let mut command = lab.client.command("nmcli");
    command.args(["--wait", "300", "connection", "down", "vpn"]);
    let mut watch = Stopwatch::start();
    let mut nmcli = lab.client.spawn_logged("nmcli", command);
    let ended = watch.wait_for(SOON * 3, || (!nmcli.is_running()).then_some(()));
    let status = ended.map(|()| nmcli.entrance.wait().unwrap());
    assert!(
        status.is_some_and(|status| status.success()),
        "{status:?}\n{}",
        lab.journal()
    );
    let gone = watch.wait_for(SOON, || {
        lab.client
            .processes_called(SERVICE)
            .is_empty()
            .then_some(())
    });
    assert!(gone.is_some(), "the service runs on\n{}", lab.journal());
    let took = watch.look();
    eprintln!("down took {took:?}");
    assert!(took < PROMPT, "{took:?}\n{}", lab.journal());
}

#[test]
fn signals_of_logind_without_end_do_not_hold_up_the_end() {
    let _alone = FLOOD.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut lab, before) = lab(&Options {
        logind: true,
        ..Options::default()
    });
    assert_up(&lab, &lab.up());
    let flood = lab.flood("logind");
    // What they may hide is seen all the same.
    lab.logind().lock();
    eventually("the lock is seen", SOON, || {
        lab.journal().contains("the screen is locked").then_some(())
    });
    goes_down_promptly(&lab);
    drop(flood);
    lab.assert_clean(&before);
}

#[test]
fn questions_for_the_end_of_a_sign_in_do_not_hold_up_the_end() {
    let _alone = FLOOD.lock().unwrap_or_else(PoisonError::into_inner);
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    let flood = lab.flood(&service_s_name(&lab));
    goes_down_promptly(&lab);
    drop(flood);
    lab.assert_clean(&before);
}

#[test]
fn lines_of_openvpn_without_end_do_not_hold_up_the_end() {
    let _alone = FLOOD.lock().unwrap_or_else(PoisonError::into_inner);
    let (lab, before) = lab(&Options::default());
    lab.client.check([
        "mount",
        "--no-mtab",
        "--bind",
        "/run/lab-programs/lab-tool",
        "/usr/libexec/nm-aws-client-vpn/openvpn",
    ]);
    let up = lab.begin_up();
    eventually("the lines come", SOON, || {
        lab.journal().contains("openvpn: babble").then_some(())
    });
    goes_down_promptly(&lab);
    lab.assert_clean(&before);
    up.abandon();

    // Nor the time limit: nobody has to take it down.
    lab.modify("+vpn.data", "connect-timeout=20");
    let up = lab.up();
    assert!(!up.success);
    let end = lab.vpn_ended(SOON);
    let failed = VpnState {
        state: state::FAILED,
        reason: reason::UNKNOWN,
    };
    assert_eq!(end, failed, "{}", lab.journal());
    lab.assert_clean(&before);
}
