//! A ruleset that was saved with a kill switch in it, as guides to nftables have people do, and that is
//! loaded when another one is on, or none.

use super::{LIFT, OUTSIDE, assert_stopped, guarded, is_let_out, mark_of, reaches, tables};
use crate::{SOON, assert_up, endpoint, take_down};
use aws_client_vpn_harness::{Lab, eventually};

const LOAD: [&str; 3] = ["nft", "-f", "/run/lab/saved.nft"];

fn doctor(lab: &Lab, as_whom: &[&str], arguments: &[&str]) -> String {
    let doctor = ["aws-client-vpn", "doctor"];
    let line = as_whom.iter().chain(&doctor).chain(arguments);
    let output = lab.client.run(line);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn one_that_no_connection_has_turned_on_is_named_and_lifted_by_whatever_lifts_one() {
    let (lab, before) = guarded(&endpoint(&["--sign-in=certificate"]), &["kill-switch=yes"]);
    assert_up(&lab, &lab.up());
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    lab.client
        .check(["sh", "-c", "nft list ruleset >/run/lab/saved.nft"]);
    // While one is on, it stays what it is, whether or not the file begins with a flush.
    for flush in ["", "nft flush ruleset; "] {
        let load = format!("{flush}nft -f /run/lab/saved.nft; nft list ruleset");
        lab.client.check(["sh", "-ec", &load]);
        eventually("it is put right", SOON, || {
            (lab.client.check(["nft", "list", "ruleset"]) == rules).then_some(())
        });
    }
    assert!(doctor(&lab, &[], &[]).contains("on, for a connection that is up"));
    take_down(&lab, &before);
    assert!(doctor(&lab, &[], &[]).contains("blocks no traffic"));
    let nobody = ["setpriv", "--reuid=65534", "--clear-groups"];
    let service = "/usr/libexec/nm-aws-client-vpn-service";
    type Lifted<'a> = &'a dyn Fn();
    let fix: Lifted<'_> = &|| {
        let said = doctor(&lab, &[], &[]);
        assert!(said.contains("no connection has turned it on"), "{said}");
        // Somebody else is not shown what the kernel has, and does not claim to know.
        let said = doctor(&lab, &nobody, &[]);
        assert!(said.contains("only root can see"), "{said}");
        let said = doctor(&lab, &[], &["--fix"]);
        assert!(said.contains("blocks no traffic"), "{said}");
    };
    let lift: Lifted<'_> = &|| drop(lab.client.check(LIFT));
    let unit: Lifted<'_> = &|| drop(lab.client.check([service, "--lift-deleted-kill-switches"]));
    for lifted in [fix, lift, unit] {
        lab.client.check(LOAD);
        assert_stopped(&lab);
        lifted();
        is_let_out(&lab);
        assert_eq!(tables(&lab), "");
    }
    // Connecting does, too, whether or not the connection has a kill switch of its own.
    for is_guarded in ["yes", "no"] {
        lab.modify("+vpn.data", &format!("kill-switch={is_guarded}"));
        lab.client.check(LOAD);
        assert_stopped(&lab);
        assert_up(&lab, &lab.up());
        assert_eq!(reaches(&lab, OUTSIDE), is_guarded == "no");
        take_down(&lab, &before);
        is_let_out(&lab);
        assert_eq!(tables(&lab), "");
    }
}

#[test]
fn one_that_is_on_comes_back_when_its_mark_was_deleted() {
    let (lab, before) = guarded(&endpoint(&["--sign-in=certificate"]), &["kill-switch=yes"]);
    assert_up(&lab, &lab.up());
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    lab.client
        .check(["rm", "-r", "/run/nm-aws-client-vpn/kill-switch"]);
    // Nothing tells this one whose it is.
    lab.client.check(LIFT);
    eventually("it is on again, and known to be", SOON, || {
        let is_back = lab.client.check(["nft", "list", "ruleset"]) == rules;
        (is_back && mark_of(&lab, "vpn").is_some()).then_some(())
    });
    assert_stopped(&lab);
    assert!(!lab.client.run(LIFT).status.success());
    take_down(&lab, &before);
    is_let_out(&lab);
    assert_eq!(tables(&lab), "");
}
