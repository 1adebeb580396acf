//! Display, bus, files and catalogue for the application, in a directory that goes with them.

use crate::INSIDE;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const ROOT: &str = include_str!("../../../../nm-plugin/core/profile/tests/certificates/root.pem");
const CLIENT: &str =
    include_str!("../../../../nm-plugin/core/profile/tests/certificates/client.pem");
const EXPIRED: &str =
    include_str!("../../../../nm-plugin/core/profile/tests/certificates/expired.pem");
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n";

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts a program that writes a line when it is ready, and returns that line.
fn start(program: &str, arguments: &[&str]) -> (Running, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error} (see packaging/debian-packages.txt)"));
    let stdout = child.stdout.take().unwrap();
    let running = Running(child);
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    assert!(!line.trim().is_empty(), "{program} did not start");
    (running, line.trim().to_owned())
}

/// Runs this program as the application in `language`.
pub(crate) fn run(language: &str) {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    write_profiles(directory);
    write_catalogue(directory);
    write_icons(directory);
    let (_display, number) = start(
        "Xvfb",
        &[
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1024x900x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ],
    );
    // Its socket goes with the directory.
    let socket = format!("--address=unix:path={}/bus", directory.display());
    let (_bus, address) = start(
        "dbus-daemon",
        &["--session", "--nofork", "--print-address=1", &socket],
    );
    let data = format!(
        "{}:/usr/local/share:/usr/share",
        directory.join("share").display()
    );
    let status = Command::new(std::env::current_exe().unwrap())
        .env(INSIDE, language)
        .env("AWS_CLIENT_VPN_APP_DIRECTORY", directory)
        .env("DISPLAY", format!(":{number}"))
        .env("GDK_BACKEND", "x11")
        .env("GSK_RENDERER", "cairo")
        .env("GTK_A11Y", "none")
        .env("G_DEBUG", "fatal-criticals")
        .env("GSETTINGS_BACKEND", "memory")
        .env("HOME", directory)
        .env("XDG_RUNTIME_DIR", directory)
        .env("XDG_DATA_DIRS", data)
        .env("DBUS_SESSION_BUS_ADDRESS", &address)
        .env("DBUS_SYSTEM_BUS_ADDRESS", &address)
        .env("LC_ALL", "C.UTF-8")
        .env("LANGUAGE", language)
        .status()
        .unwrap();
    assert!(status.success(), "in {language}: {status}");
}

fn write_profiles(directory: &Path) {
    let remote = "remote cvpn-endpoint-0123.prod.clientvpn.eu-north-1.amazonaws.com 443";
    let common = format!("client\n{remote}\nproto udp\n");
    let ca = format!("<ca>\n{ROOT}</ca>\n");
    let own = format!("<cert>\n{CLIENT}</cert>\n<key>\n{KEY}</key>\n");
    let mine = directory.join("mine");
    fs::create_dir(&mine).unwrap();
    for (name, text) in [
        ("client1.crt", CLIENT),
        ("client1.key", KEY),
        ("nothing.txt", "nothing"),
    ] {
        fs::write(mine.join(name), text).unwrap();
    }
    for (name, text) in [
        (
            "saml",
            format!("{common}route-delay 5\nauth-federate\n{ca}"),
        ),
        (
            "certificate",
            format!("{common}route-delay 5\npush-peer-info\n{ca}{own}"),
        ),
        (
            "password",
            format!("{common}auth-user-pass\nstatic-challenge Code 1\n{ca}"),
        ),
        (
            "expired",
            format!("{common}auth-federate\n<ca>\n{EXPIRED}</ca>\n"),
        ),
        ("mutual", format!("{common}{ca}")),
        ("mine/mutual", format!("{common}{ca}")),
        ("other-vpn", "client\nremote vpn.example 1194\n".to_owned()),
        ("evil", "auth-federate\nup /bin/sh\n".to_owned()),
    ] {
        fs::write(directory.join(format!("{name}.ovpn")), text).unwrap();
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn write_catalogue(directory: &Path) {
    let messages = directory.join("locale/de/LC_MESSAGES");
    fs::create_dir_all(&messages).unwrap();
    let status = Command::new("msgfmt")
        .arg("-o")
        .arg(messages.join(format!("{}.mo", aws_client_vpn_i18n::DOMAIN)))
        .arg(repository().join("po/de.po"))
        .status()
        .unwrap();
    assert!(status.success());
}

fn write_icons(directory: &Path) {
    let icons = directory.join("share/icons/hicolor/scalable/apps");
    fs::create_dir_all(&icons).unwrap();
    for icon in repository().join("service-files/icons").read_dir().unwrap() {
        let icon = icon.unwrap();
        fs::copy(icon.path(), icons.join(icon.file_name())).unwrap();
    }
}
