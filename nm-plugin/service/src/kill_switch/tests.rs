//! On the real nftables, in a network namespace of each test's own.

use super::*;
use crate::tests::own_network::{in_its_own_network, shell, without_descriptors};
use aws_client_vpn_profile::parts::Transport;
use aws_client_vpn_session::kill_switch::Endpoint;
use std::path::Path;
use std::process::Command;

const STEP: Duration = Duration::from_secs(120);

fn nft(line: &str) -> String {
    let output = Command::new("nft").arg(line).output().unwrap();
    assert!(output.status.success(), "nft {line}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn needs(address: &str) -> FirewallPolicy {
    FirewallPolicy {
        device: Some("awsvpn7".to_owned()),
        endpoints: vec![Endpoint {
            address: address.parse().unwrap(),
            port: 443,
            transport: Transport::Udp,
        }],
        ..FirewallPolicy::default()
    }
}

impl KillSwitch {
    /// A kill switch whose marks are in `directory`.
    pub(crate) fn in_directory(
        uuid: &str,
        options: Option<KillSwitchOptions>,
        directory: &Path,
    ) -> Self {
        Self {
            marks: Marks::in_directory(&directory.join("marks")),
            ..Self::new(uuid, options)
        }
    }
}

fn kill_switch(uuid: &str, is_wanted: bool, directory: &Path) -> KillSwitch {
    let options = is_wanted.then(KillSwitchOptions::default);
    let mut made = KillSwitch::in_directory(uuid, options, directory);
    made.begin().unwrap();
    made
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(STEP * 3, test).await.unwrap() });
}

/// Nobody else changes anything for a while.
async fn assert_quiet(kill_switch: &mut KillSwitch) {
    let while_ = Duration::from_millis(500);
    let disturbed = tokio::time::timeout(while_, kill_switch.disturbed()).await;
    assert!(disturbed.is_err(), "its own change is somebody else's");
}

async fn assert_disturbed(kill_switch: &mut KillSwitch) {
    tokio::time::timeout(STEP, kill_switch.disturbed())
        .await
        .unwrap();
}

#[test]
fn a_change_of_our_own_is_no_disturbance_and_a_foreign_one_is_put_right_once() {
    in_its_own_network(module_path!(), "foreign_changes");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn foreign_changes() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let transactions = Transactions::watch();
        let mut one = kill_switch("one", true, directory.path());
        assert_eq!(transactions.count(), 0, "nothing is stopped");
        one.close(needs("203.0.113.1")).unwrap();
        one.close(needs("203.0.113.1")).unwrap();
        one.follow(needs("203.0.113.1")).unwrap();
        assert_quiet(&mut one).await;
        assert_eq!(transactions.count(), 1);
        let rules = nft("list ruleset");
        assert!(
            rules.contains("ip daddr 203.0.113.1 udp dport 443 accept"),
            "{rules}"
        );
        one.follow(needs("203.0.113.2")).unwrap();
        assert_quiet(&mut one).await;
        // Another of our services.
        let mut two = kill_switch("two", true, directory.path());
        two.close(needs("203.0.113.3")).unwrap();
        assert_quiet(&mut one).await;
        let rules = nft("list ruleset");
        transactions.count();
        for line in [
            "flush ruleset",
            "delete table inet aws-client-vpn-kill-switch",
            "insert rule inet aws-client-vpn-kill-switch output accept",
        ] {
            nft(line);
            assert_disturbed(&mut one).await;
            assert_disturbed(&mut two).await;
            assert_eq!(transactions.count(), 1);
            one.follow(needs("203.0.113.2")).unwrap();
            two.follow(needs("203.0.113.3")).unwrap();
            assert_eq!(nft("list ruleset"), rules, "{line}");
            assert_eq!(transactions.count(), 1, "{line} is put right once");
            assert_quiet(&mut one).await;
            assert_quiet(&mut two).await;
            assert_eq!(transactions.count(), 0);
        }
        // Somebody else's change right after one of ours is seen.
        one.follow(needs("203.0.113.4")).unwrap();
        nft("flush ruleset");
        assert_disturbed(&mut one).await;
        one.follow(needs("203.0.113.4")).unwrap();
        assert!(nft("list ruleset").contains("203.0.113.4"));
        // What others do with tables of their own is their business.
        nft("add table inet other");
        assert_quiet(&mut one).await;
        // One whose mark somebody has deleted, and whose rules another service therefore takes away.
        std::fs::remove_dir_all(directory.path().join("marks")).unwrap();
        two.follow(needs("203.0.113.5")).unwrap();
        assert_disturbed(&mut one).await;
        one.follow(needs("203.0.113.4")).unwrap();
        let rules = nft("list ruleset");
        assert!(
            rules.contains("203.0.113.4") && rules.contains("203.0.113.5"),
            "{rules}"
        );
        assert_quiet(&mut one).await;
        one.open().unwrap();
        two.open().unwrap();
        assert_eq!(nft("list tables"), "table inet other\n");
        assert!(!directory.path().join("marks").exists());
    });
}

/// Counts the transactions of nftables, whoever makes them.
struct Transactions(rustix::fd::OwnedFd);

impl Transactions {
    fn watch() -> Self {
        Self(nftables::listening().unwrap())
    }

    /// How many there were since it was asked last.
    fn count(&self) -> usize {
        let mut buffer = [0; 32 * 1024];
        let mut count = 0;
        while let Ok((read, _)) =
            rustix::net::recv(&self.0, &mut buffer, rustix::net::RecvFlags::empty())
        {
            let mut rest = &buffer[..read];
            while let Some((header, _)) = rest.split_first_chunk::<6>() {
                let length = u32::from_ne_bytes(header[..4].try_into().unwrap());
                // NFT_MSG_NEWGEN
                count += usize::from(header[4..] == 0x0a0f_u16.to_ne_bytes());
                rest = &rest[(length as usize).next_multiple_of(4).min(rest.len())..];
            }
        }
        count
    }
}

#[test]
fn what_is_refused_leaves_mark_and_rules_and_says_nothing_of_the_next() {
    in_its_own_network(module_path!(), "refusals");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn refusals() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let mut one = kill_switch("one", true, directory.path());
        one.close(needs("203.0.113.1")).unwrap();
        let rules = nft("list ruleset");
        // With a socket that may change nothing, the kernel answers with an error for each message.
        one.nftables = Some(Nftables::open().unwrap());
        let may = rustix::thread::capabilities(None).unwrap();
        let none = rustix::thread::CapabilitySets {
            effective: rustix::thread::CapabilitySet::empty(),
            ..may
        };
        rustix::thread::set_capabilities(None, none).unwrap();
        let refused = one.follow(needs("203.0.113.2"));
        assert!(
            matches!(refused, Err(KillSwitchError::Refused(_))),
            "{refused:?}"
        );
        rustix::thread::set_capabilities(None, may).unwrap();
        assert_eq!(nft("list ruleset"), rules);
        one.follow(needs("203.0.113.2")).unwrap();
        assert!(nft("list ruleset").contains("203.0.113.2"));
        // Nor does it turn off one whose mark somebody has deleted and whose rules are gone with it.
        std::fs::remove_dir_all(directory.path().join("marks")).unwrap();
        let mut two = kill_switch("two", true, directory.path());
        two.close(needs("203.0.113.3")).unwrap();
        assert!(!nft("list ruleset").contains("203.0.113.2"));
        assert_disturbed(&mut one).await;
        one.nftables = Some(Nftables::open().unwrap());
        rustix::thread::set_capabilities(None, none).unwrap();
        let refused = one.follow(needs("203.0.113.2"));
        assert!(
            matches!(refused, Err(KillSwitchError::Refused(_))),
            "{refused:?}"
        );
        rustix::thread::set_capabilities(None, may).unwrap();
        assert!(one.is_closed());
        one.follow(needs("203.0.113.2")).unwrap();
        assert!(nft("list ruleset").contains("203.0.113.2"));
        two.open().unwrap();
        assert!(nft("list ruleset").contains("reject"));
    });
}

#[test]
fn marks_that_cannot_be_read_are_no_reason_to_lift_anything() {
    in_its_own_network(module_path!(), "unreadable");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn unreadable() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("marks");
    let marks = Marks::in_directory(&path);
    nft("add table inet aws-client-vpn-kill-switch");
    // No directory, one with a mark that cannot be opened, one with something of a later version.
    std::fs::write(&path, "").unwrap();
    lift_in(&marks, |_| true).unwrap_err();
    let mut one = KillSwitch::in_directory("one", None, directory.path());
    one.begin().unwrap_err();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let closed = path.join("two.7.closed");
    std::os::unix::fs::symlink("two.7.closed", &closed).unwrap();
    assert_eq!(
        lift_in(&marks, |_| true).unwrap(),
        Lifted { over: 0, wanted: 1 }
    );
    std::fs::rename(closed, path.join("two.7.half-closed")).unwrap();
    assert_eq!(lift_in(&marks, |_| true).unwrap(), Lifted::default());
    one.begin().unwrap();
    one.open().unwrap();
    assert!(nft("list tables").contains("aws-client-vpn-kill-switch"));
}

#[test]
fn networks_that_the_kernel_does_not_tell_stay_and_are_looked_for_again() {
    in_its_own_network(module_path!(), "untold_networks");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn untold_networks() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let options = KillSwitchOptions {
            lan: true,
            ..KillSwitchOptions::default()
        };
        let mut one = KillSwitch::in_directory("one", Some(options), directory.path());
        one.begin().unwrap();
        shell(
            "ip link add lan type veth peer name other && ip link set lan up && ip link set other up && \
             ip address add 192.0.2.7/24 dev lan",
        );
        one.close(needs("203.0.113.1")).unwrap();
        assert!(nft("list ruleset").contains("192.0.2.0/24"));
        assert_eq!(one.due(), None);
        without_descriptors(|| one.networks_changed());
        assert!(one.due().is_some());
        one.follow(needs("203.0.113.2")).unwrap();
        assert!(nft("list ruleset").contains("192.0.2.0/24"));
        shell("ip address flush dev lan");
        one.look_again_at = Some(Instant::now());
        one.follow(needs("203.0.113.2")).unwrap();
        assert!(!nft("list ruleset").contains("192.0.2.0/24"));
        assert_eq!(one.due(), None);
    });
}

#[test]
fn whoever_comes_goes_or_is_killed_the_rules_follow_from_who_is_there() {
    in_its_own_network(module_path!(), "comings_and_goings");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn comings_and_goings() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let lets = |address: &str| nft("list ruleset").contains(address);
        let stops = || nft("list ruleset").contains("reject");
        // One without a kill switch stops nothing.
        let mut open = kill_switch("open", false, directory.path());
        open.follow(needs("203.0.113.1")).unwrap();
        assert!(!stops());
        // It is let through by those that come after it, and those that come before it.
        let mut one = kill_switch("one", true, directory.path());
        assert!(!stops());
        one.close(needs("203.0.113.2")).unwrap();
        assert!(stops() && lets("203.0.113.1") && lets("203.0.113.2"));
        let mut two = kill_switch("two", true, directory.path());
        two.close(needs("203.0.113.3")).unwrap();
        open.follow(needs("203.0.113.4")).unwrap();
        assert!(lets("203.0.113.3") && lets("203.0.113.4") && !lets("203.0.113.1"));
        // The last that stops the rest ends it.
        one.open().unwrap();
        assert!(stops() && !lets("203.0.113.2"));
        // One is killed with a browser let out; the next that does anything stops that.
        two.follow(FirewallPolicy {
            web: true,
            ..needs("203.0.113.3")
        })
        .unwrap();
        assert!(lets("tcp dport @open-tcp accept") && lets(" 80 expires "));
        // As long as it lives, it sees to it that they stay open; else they close by themselves.
        let transactions = Transactions::watch();
        let lets_web = || FirewallPolicy {
            web: true,
            ..needs("203.0.113.3")
        };
        two.follow(lets_web()).unwrap();
        assert_eq!(transactions.count(), 0);
        let due = two.due().expect("they have to be opened again");
        assert!(due < Instant::now() + OPENING_LIFETIME);
        two.renew_at = Some(Instant::now());
        two.follow(lets_web()).unwrap();
        assert_eq!(transactions.count(), 1);
        assert!(two.due() >= Some(due), "and later once more");
        drop(two);
        open.follow(needs("203.0.113.5")).unwrap();
        assert!(
            stops()
                && !lets("@open")
                && !lets("expires")
                && lets("203.0.113.3")
                && lets("203.0.113.5")
        );
        // It comes again, and fails: all is as it was.
        let before = nft("list ruleset");
        let mut two = kill_switch("two", true, directory.path());
        assert!(two.was_left_closed() && two.is_closed());
        assert_eq!(
            two.known_addresses(),
            ["203.0.113.3".parse::<IpAddr>().unwrap()]
        );
        two.follow(FirewallPolicy {
            names: true,
            ..needs("203.0.113.6")
        })
        .unwrap();
        assert!(
            stops()
                && lets("udp dport @open-udp accept")
                && lets(" 53 expires ")
                && !lets(" 80 expires ")
                && lets("203.0.113.6")
        );
        two.leave(false).unwrap();
        assert_eq!(nft("list ruleset"), before);
        assert_eq!(two.due(), None);
        // The next activation takes it over while the process of this one still runs, and the user
        // takes it down.
        let mut again = kill_switch("two", true, directory.path());
        assert!(again.was_left_closed() && again.is_closed());
        again.leave(false).unwrap();
        let mut unwanted = kill_switch("two", true, directory.path());
        unwanted.free().unwrap();
        assert!(!stops());
        drop((two, again, unwanted));
        // One that was killed.
        let mut two = kill_switch("two", true, directory.path());
        two.close(needs("203.0.113.3")).unwrap();
        drop(two);
        // The user does not want it any more, and says so in the settings.
        let mut two = kill_switch("two", false, directory.path());
        assert!(!stops());
        two.open().unwrap();
        open.open().unwrap();
        assert!(!directory.path().join("marks").exists());
    });
}

#[test]
fn what_is_over_is_lifted_and_what_is_wanted_is_not() {
    in_its_own_network(module_path!(), "lifting");
}

#[test]
#[ignore = "run by the test before, in a network namespace"]
fn lifting() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let marks = Marks::in_directory(&directory.path().join("marks"));
        assert_eq!(lift_in(&marks, |_| true).unwrap(), Lifted::default());
        let mut one = kill_switch("one", true, directory.path());
        one.close(needs("203.0.113.1")).unwrap();
        let mut two = kill_switch("two", true, directory.path());
        two.close(needs("203.0.113.2")).unwrap();
        assert_eq!(
            lift_in(&marks, |_| true).unwrap(),
            Lifted { over: 0, wanted: 2 }
        );
        drop(two);
        assert_eq!(
            lift_in(&marks, |uuid| uuid == "one").unwrap(),
            Lifted { over: 0, wanted: 1 }
        );
        assert_eq!(
            lift_in(&marks, |_| true).unwrap(),
            Lifted { over: 1, wanted: 1 }
        );
        let rules = nft("list ruleset");
        assert!(
            rules.contains("203.0.113.1") && !rules.contains("203.0.113.2"),
            "{rules}"
        );
        drop(one);
        assert_eq!(
            lift_in(&marks, |_| true).unwrap(),
            Lifted { over: 1, wanted: 0 }
        );
        assert_eq!(nft("list tables"), "");
        // One that nobody wants, as from a saved ruleset: whoever lifts any takes it away, and so does
        // the next that begins.
        let load = || nft("add table inet aws-client-vpn-kill-switch");
        load();
        let nobody_s = Lifted { over: 1, wanted: 0 };
        assert_eq!(lift_in(&marks, |_| false).unwrap(), nobody_s);
        assert_eq!(lift_in(&marks, |_| false).unwrap(), Lifted::default());
        load();
        let mut one = kill_switch("one", false, directory.path());
        assert_eq!(nft("list tables"), "");
        // That of one that is on is somebody's.
        let mut two = kill_switch("two", true, directory.path());
        two.close(needs("203.0.113.2")).unwrap();
        let rules = nft("list ruleset");
        drop(kill_switch("three", false, directory.path()));
        assert_eq!(lift_in(&marks, |_| false).unwrap().over, 0);
        assert_eq!(nft("list ruleset"), rules);
        two.open().unwrap();
        one.open().unwrap();
        assert_eq!(nft("list tables"), "");
    });
}
