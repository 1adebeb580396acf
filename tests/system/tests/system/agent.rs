//! Our agent as a unit of the user's service manager.

use crate::await_end;
use aws_client_vpn_harness::{eventually, wait_for};
use aws_client_vpn_system::{SOON, System};

const UNIT: &str = "nm-aws-client-vpn-agent.service";

#[test]
fn the_agent_starts_with_the_session_and_again_when_it_is_killed_and_connects_at_the_next() {
    let system = System::start();
    let ada = system.log_in("ada");
    let main = || {
        let main = ada.check([
            "systemctl",
            "--user",
            "show",
            "--property=MainPID",
            "--value",
            UNIT,
        ]);
        main.trim().parse::<u32>().ok().filter(|&pid| pid > 0)
    };
    let first = eventually("the agent runs", SOON, main);
    ada.check(["systemctl", "--user", "kill", "--signal=KILL", UNIT]);
    let second = eventually("it runs again", SOON, || main().filter(|&pid| pid != first));
    ada.check(["systemctl", "--user", "restart", UNIT]);
    eventually("it was restarted", SOON, || {
        main().filter(|&pid| pid != second)
    });
    ada.import("udp", 443);
    ada.connects();
    ada.check(["aws-client-vpn", "at-login", "vpn", "on"]);
    // What the agents of this session have kept is there for those of the next one.
    // (As `loginctl enable-linger`, which asks udev, too.)
    let linger = "mkdir -p /var/lib/systemd/linger; touch /var/lib/systemd/linger/ada";
    system.client.check(["sh", "-ec", linger]);
    ada.log_out();
    eventually("it ends with the session", SOON, || {
        let running = system.client.processes_called("nm-aws-client-vpn-agent");
        running.is_empty().then_some(())
    });
    let down = ["nmcli", "--wait", "300", "connection", "down", "vpn"];
    system.client.check(down);
    await_end(&system);
    let _ada = system.log_in("ada");
    let connected = wait_for(SOON, || system.has_traffic().then_some(()));
    assert!(connected.is_some(), "{}", system.story());
    // Another NetworkManager calls the network as the one before did.
    system
        .client
        .check(["systemctl", "restart", "NetworkManager"]);
    await_end(&system);
    let connected = wait_for(SOON, || system.has_traffic().then_some(()));
    assert!(connected.is_some(), "{}", system.story());
}
