//! Installs the packages of `make deb` and `make rpm` in clean systems of several Debian releases,
//! uses them there under that system's own NetworkManager, and takes them away again.
//!
//! `packages SUITE…` takes the systems that packaging/test/make-root.sh has made. Each test has
//! machines of its own; what it writes goes to memory.

mod deb;
mod files;
mod fleet;
mod rpm;

use aws_client_vpn_harness::{Lab, Options, Tools};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let suites: Vec<String> = std::env::args().skip(1).collect();
    if suites.is_empty() {
        eprintln!("usage: packages SUITE… (make packages-test does it)");
        return ExitCode::FAILURE;
    }
    for suite in &suites {
        let system = Tools::locate().target.join("package-roots").join(suite);
        assert!(system.join(".made").exists(), "{suite} is not there");
        deb::life_of_the_packages(suite, &system);
        deb::from_the_earlier_release_and_back(suite, &system);
        fleet::life_of_a_provisioned_connection(suite, &system);
    }
    // rpm is the same everywhere; once will do.
    if let Some(suite) = suites.first() {
        let system = Tools::locate().target.join("package-roots").join(suite);
        rpm::life_of_the_package(suite, &system);
    }
    ExitCode::SUCCESS
}

/// A client that runs the system in `root`, without the product, beside the emulated endpoint.
fn lab(root: &Path) -> Lab {
    Lab::start(&Options {
        product: false,
        system: Some(root.to_owned()),
        ..Options::default()
    })
}

/// The package file in `target/dist` whose name is `name` and then a version, as the client sees it.
fn packages(name: &str) -> Vec<String> {
    packages_in("dist", name)
}

/// The package file in that directory of `target`.
fn packages_in(directory: &str, name: &str) -> Vec<String> {
    let entries = std::fs::read_dir(Tools::locate().target.join(directory))
        .expect("what make packages-test makes before is there");
    let is_wanted = |file: &String| {
        let version = file.strip_prefix(name).unwrap_or_default();
        version.starts_with(|first: char| first.is_ascii_digit())
            && !file.ends_with(".src.rpm")
            && (file.ends_with(".deb") || file.ends_with(".rpm"))
    };
    let found: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(is_wanted)
        .map(|file| format!("/run/lab-target/{directory}/{file}"))
        .collect();
    assert_eq!(
        found.len(),
        1,
        "target/{directory} has to hold one {name}…: {found:?}"
    );
    found
}

/// Tells of a step that has succeeded.
fn step(suite: &str, what: &str) {
    println!("{suite}: {what}");
}

/// Connects with a login in the browser, and sends a packet through the tunnel.
#[track_caller]
fn connects(lab: &Lab) {
    let up = lab.up();
    assert!(
        up.success,
        "{}\n{:?}\n{}",
        up.text,
        lab.browser_events(),
        lab.journal()
    );
    lab.traffic_flows();
}

#[track_caller]
fn goes_down(lab: &Lab) {
    let down = lab.down();
    assert!(down.status.success(), "nmcli failed:\n{}", lab.journal());
}

#[track_caller]
fn connects_again(lab: &Lab) {
    goes_down(lab);
    connects(lab);
}
