//! The built libraries in a program with this toolkit, on a display of the test's own.

use aws_client_vpn_editor_host::display::Display;
use aws_client_vpn_editor_host::installed;
use std::path::PathBuf;
use std::process::Command;

/// The example that cargo built along with this test.
fn host() -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let folder = test.parent().and_then(|deps| deps.parent());
    folder.expect("two folders").join("examples/host_gtk4")
}

#[test]
fn a_host_edits_a_connection_and_nothing_it_does_wrong_ends_it() {
    let said = Display::new().run(Command::new(host()).arg("use"));
    assert_eq!(said, "ok\n");
}

#[test]
fn ten_thousand_editors_leave_nothing_behind() {
    let said = Display::new().run(Command::new(host()).args(["cycles", "10000"]));
    let growth: u64 = said.trim().parse().expect("a number");
    // One leaked GObject per editor would be a megabyte or more.
    assert!(
        growth < 1024,
        "10,000 editors grew the host by {growth} KiB"
    );
}

#[test]
fn the_library_exports_one_symbol_and_links_one_toolkit() {
    let library = installed::find("libnm_gtk4_vpn_plugin_aws_client_vpn_editor.so").expect("built");
    let output = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .arg(&library)
            .output()
            .expect("runs");
        assert!(output.status.success(), "{program}");
        String::from_utf8(output.stdout).expect("text")
    };
    let symbols = output("nm", &["-D", "--defined-only", "--format=posix"]);
    let names: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["nm_vpn_editor_factory_aws_client_vpn"]);
    // With all that its libraries bring along.
    let loaded = output("ldd", &[]);
    let has = |name: &str| loaded.lines().any(|line| line.trim().starts_with(name));
    assert!(has("libgtk-4.so"), "{loaded}");
    assert!(!has("libgtk-3.so"), "{loaded}");
    assert!(!has("libadwaita"), "{loaded}");
}
