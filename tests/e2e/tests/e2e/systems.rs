//! Systems that are set up in other ways: images, and those without systemd. In every lab `/usr` is
//! read-only, and there is no logind unless a test asks for it.

use crate::{assert_up, endpoint, lab, take_down};
use aws_client_vpn_harness::Lab;
use serde_json::Value;

/// As an image has it: accounts in its own file (nss-altfiles), which the account programs of this
/// machine do not see, and nothing made below `/run`.
const IMAGE: &str = "
    usr=/run/overlay/image/usr
    mkdir -p $usr/lib /run/overlay/below
    sed -n 's/^nm-aws-client-vpn:/&/p' /etc/passwd >$usr/lib/passwd
    test -s $usr/lib/passwd
    sed -i '/^nm-aws-client-vpn:/d' /etc/passwd
    # Beside what the lab laid over /usr, not upon it: the kernel stacks two overlays, no more.
    mount -n --bind / /run/overlay/below
    mount -n -t overlay overlay \
        -o lowerdir=$usr:/run/lab-target/stage/usr:/run/overlay/below/usr /usr
    rmdir /run/nm-aws-client-vpn
    ! touch /usr/lib/x 2>/dev/null";

#[test]
fn an_image_with_accounts_of_its_own_and_an_empty_run_connects() {
    let (lab, _) = lab(&endpoint(&[]));
    lab.modify("+vpn.data", "kill-switch=yes");
    // With the directory in /run, which is there again afterwards.
    let before = lab.snapshot();
    lab.client.check(["sh", "-ec", IMAGE]);
    assert_eq!(account(&lab)["verdict"], "good");
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    let mode = lab
        .client
        .check(["stat", "--format=%a %U", "/run/nm-aws-client-vpn"]);
    assert_eq!(mode.trim(), "711 root");
}

/// What the doctor says of the account.
fn account(lab: &Lab) -> Value {
    let output = lab.client.run(["aws-client-vpn", "doctor", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = found["findings"].as_array().unwrap();
    let account = findings.iter().find(|one| one["check"] == "account");
    account.unwrap().clone()
}

/// A program and the library that it needs, each in a directory of the store, as NixOS has them:
/// the linker finds the library by what the program says, and nowhere else.
const STORE: &str = r#"
    mkdir /run/overlay/image /run/overlay/root
    store=/nix/store library=/nix/store/a-library/lib program=/nix/store/b-program/bin
    mkdir -p /run/overlay/image$library /run/overlay/image$program
    cd /run/overlay/image$store
    echo 'const char *word(void) { return "from the store"; }' >/tmp/library.c
    echo 'int puts(const char *); const char *word(void); int main(void) { return puts(word()) < 0; }' \
        >/tmp/program.c
    cc -shared -fPIC -o a-library/lib/libword.so /tmp/library.c
    cc -o b-program/bin/program /tmp/program.c -La-library/lib -lword -Wl,-rpath,$library
    mount -n -t overlay overlay -o lowerdir=/run/overlay/image:/ /run/overlay/root
    for directory in usr etc dev proc; do
        mount -n --rbind /$directory /run/overlay/root/$directory
    done
    chroot /run/overlay/root setpriv --reuid=nm-aws-client-vpn --clear-groups \
        /usr/libexec/nm-aws-client-vpn-service --confined-openvpn $program/program 2>&1"#;

#[test]
fn a_confined_openvpn_finds_its_libraries_in_a_store() {
    let (lab, _) = lab(&endpoint(&[]));
    let said = lab.client.check(["sh", "-ec", STORE]);
    assert_eq!(said, "from the store\n");
}
