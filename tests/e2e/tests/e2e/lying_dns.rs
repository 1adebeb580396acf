//! A name server that lies about the endpoint: no lie ends in a hang, and none in a tunnel.

use crate::{SOON, assert_failed, lab, reason};
use aws_client_vpn_harness::{Lab, Options, Process, Snapshot, eventually};

/// Where the liar is.
const LIAR: &str = "192.0.2.54";

/// A client that asks a name server which has `answer` for every name of AWS's.
fn deceived(answer: &str) -> (Lab, Snapshot, Process) {
    let (lab, _) = lab(&Options::default());
    let address = format!("{LIAR}/24");
    lab.server
        .check(["ip", "address", "add", &address, "dev", "eth0"]);
    let mut liar = lab.server.command("dnsmasq");
    liar.args(["--keep-in-foreground", "--no-resolv", "--no-hosts"])
        .args(["--bind-interfaces", "--conf-file=/dev/null", "--user=root"])
        .arg("--pid-file=/run/liar.pid")
        .arg(format!("--listen-address={LIAR}"))
        .arg(format!("--address=/amazonaws.com/{answer}"));
    let liar = lab.server.spawn_logged("liar", liar);
    for line in [
        ["connection", "modify", "base", "ipv4.dns", LIAR].as_slice(),
        [
            "connection",
            "modify",
            "vpn",
            "+vpn.data",
            "connect-timeout=15",
        ]
        .as_slice(),
        ["device", "reapply", "eth0"].as_slice(),
    ] {
        lab.client.check(["nmcli"].iter().chain(line));
    }
    eventually("the client asks the liar", SOON, || {
        let servers = lab.client.check(["cat", "/etc/resolv.conf"]);
        let output = lab.server.run(["sh", "-c", "test -e /run/liar.pid"]);
        (servers.contains(LIAR) && output.status.success()).then_some(())
    });
    let before = lab.snapshot();
    (lab, before, liar)
}

#[test]
fn a_wrong_address_of_the_endpoint_is_given_up_in_time() {
    // Nobody's, a private one, this computer's own, none.
    for answer in ["192.0.2.77", "10.66.66.66", "127.0.0.1", "0.0.0.0"] {
        let (lab, before, _liar) = deceived(answer);
        let up = lab.up();
        assert_failed(
            &lab,
            &up,
            reason::UNKNOWN,
            &["did not answer within 15"],
            &before,
        );
    }
}

#[test]
fn a_name_server_that_denies_the_endpoint_is_believed_with_words() {
    let (lab, before, _liar) = deceived("");
    let up = lab.up();
    let words = ["could not be found", "Check the network"];
    assert_failed(&lab, &up, reason::UNKNOWN, &words, &before);
}
