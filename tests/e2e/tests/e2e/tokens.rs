//! Signing in with a key on a security token (PKCS #11), played by SoftHSM.

use crate::{SOON, assert_failed, assert_up, endpoint, reason, take_down};
use aws_client_vpn_harness::{Lab, SecretScan, Snapshot, typed};
use serde_json::Value;

/// Where the token keeps what it holds; the account that OpenVPN runs as may read it.
const STORE: &str = "/run/token";
const PIN: &str = "pin-7Q2mX9vB4kL8";
/// Its key and certificate.
const ID: &str = "01";

/// A client with a token that p11-kit knows, and a profile without certificate, as AWS exports it.
fn desk(forms: &[Value]) -> (Lab, Snapshot) {
    let lab = Lab::start(&endpoint(&["--sign-in=certificate", "--key-form=absent"]));
    lab.set_typed(forms);
    let ready = lab.endpoint_events().wait("ready", SOON);
    let path = |name: &str| ready[name].as_str().unwrap().to_owned();
    let script = format!(
        "set -e\n\
         umask 022\n\
         mkdir -p {STORE} /etc/softhsm /etc/pkcs11/modules\n\
         printf 'directories.tokendir = {STORE}\\nobjectstore.backend = file\\n' \
             >/etc/softhsm/softhsm2.conf\n\
         chmod 755 /etc/softhsm\n\
         chmod 644 /etc/softhsm/softhsm2.conf\n\
         printf 'module: /usr/lib/softhsm/libsofthsm2.so\\n' \
             >/etc/pkcs11/modules/softhsm2.module\n\
         softhsm2-util --init-token --free --label Work --so-pin 5555 --pin {PIN}\n\
         softhsm2-util --import {key} --token Work --label ada --id {ID} --pin {PIN}\n\
         openssl x509 -in {certificate} -outform DER -out {STORE}/certificate.der\n\
         pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label Work --pin {PIN} \
             --write-object {STORE}/certificate.der --type cert --id {ID} --label ada\n\
         chown -R nm-aws-client-vpn {STORE}\n",
        key = path("client_key"),
        certificate = path("client_certificate"),
    );
    lab.client.check(["sh", "-c", &script]);
    let shown = lab.client.check([
        "/usr/libexec/nm-aws-client-vpn/openvpn",
        "--show-pkcs11-ids",
        "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so",
    ]);
    let id = shown
        .lines()
        .find_map(|line| line.trim().strip_prefix("Serialized id:"))
        .unwrap_or_else(|| panic!("no certificate on the token: {shown}"))
        .trim();
    // The user adds one line to the profile that AWS exports.
    let profile = path("profile");
    let line = format!("echo \"pkcs11-id '\"'{id}'\"'\" >>{profile}");
    lab.client.check(["sh", "-c", &line]);
    lab.import("udp", 443);
    let before = lab.snapshot();
    (lab, before)
}

fn pin(text: &str) -> Value {
    typed(&[("pkcs11-pin", text)])
}

#[test]
fn a_key_on_a_token_is_used_with_its_pin() {
    let (lab, before) = desk(&[pin(PIN)]);
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    // The PIN is kept.
    assert_up(&lab, &lab.up());
    let forms = lab.agent.as_ref().unwrap().events.named("form");
    assert_eq!(forms.len(), 1);
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn a_wrong_pin_is_asked_for_again() {
    let (lab, before) = desk(&[pin("000000"), pin(PIN)]);
    let mut scan = SecretScan::new();
    scan.add("PIN", PIN);
    assert_up(&lab, &lab.up());
    scan.processes_of(&lab.client);
    scan.files_below(lab.dir(), "logs", &[]);
    scan.files_below(&lab.client.root(), "etc", &[]);
    scan.files_below(&lab.client.root(), "run/nm-aws-client-vpn", &[]);
    assert_eq!(scan.findings(), [], "the PIN was found");
    take_down(&lab, &before);
}

#[test]
fn a_module_that_is_not_the_system_s_is_never_loaded() {
    let (lab, before) = desk(&[pin(PIN)]);
    lab.modify("+vpn.data", "pkcs11-provider=evil");
    let up = lab.up();
    let words = ["PKCS #11 module 'evil'"];
    assert_failed(&lab, &up, reason::UNKNOWN, &words, &before);
}

#[test]
fn a_token_that_is_not_there_is_named() {
    let (lab, _) = desk(&[pin(PIN)]);
    lab.client.check(["rm", "-rf", STORE]);
    lab.client.check(["mkdir", STORE]);
    let before = lab.snapshot();
    let up = lab.up();
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &["token"], &before);
}
