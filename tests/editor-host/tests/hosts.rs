//! The built libraries in a program with each toolkit, on a display of the test's own.
//!
//! Both toolkits are in one program of tests, so that the two that take long run at the same time.

use aws_client_vpn_editor_host::display::Display;
use aws_client_vpn_editor_host::installed;
use aws_client_vpn_libnm::Toolkit;
use std::path::PathBuf;
use std::process::Command;

/// Makes a test for each toolkit of each function.
macro_rules! for_each_toolkit {
    ($($test:ident),+ $(,)?) => {
        mod gtk3 {
            $(#[test]
            fn $test() {
                super::$test(super::Toolkit::Gtk3);
            })+
        }

        mod gtk4 {
            $(#[test]
            fn $test() {
                super::$test(super::Toolkit::Gtk4);
            })+
        }
    };
}

for_each_toolkit! {
    a_host_edits_a_connection_and_nothing_it_does_wrong_ends_it,
    ten_thousand_editors_leave_nothing_behind,
    the_library_exports_one_symbol_and_links_one_toolkit,
}

fn a_host_edits_a_connection_and_nothing_it_does_wrong_ends_it(toolkit: Toolkit) {
    let said = Display::new().run(Command::new(host(toolkit)).arg("use"));
    assert_eq!(said, "ok\n");
}

fn ten_thousand_editors_leave_nothing_behind(toolkit: Toolkit) {
    let said = Display::new().run(Command::new(host(toolkit)).args(["cycles", "10000"]));
    let growth: u64 = said.trim().parse().expect("a number");
    // One leaked GObject per editor would be a megabyte or more.
    assert!(
        growth < 1024,
        "10,000 editors grew the host by {growth} KiB"
    );
}

fn the_library_exports_one_symbol_and_links_one_toolkit(toolkit: Toolkit) {
    // As cargo calls it.
    let name = toolkit.library_name().replace('-', "_");
    let library = installed::find(&name).expect("built");
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
    let (own, other) = match toolkit {
        Toolkit::Gtk3 => ("libgtk-3.so", "libgtk-4.so"),
        Toolkit::Gtk4 => ("libgtk-4.so", "libgtk-3.so"),
    };
    assert!(has(own), "{loaded}");
    assert!(!has(other), "{loaded}");
    assert!(!has("libadwaita"), "{loaded}");
}

/// The example that cargo built along with this test.
fn host(toolkit: Toolkit) -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let directory = test.parent().and_then(|deps| deps.parent());
    directory.expect("two directories").join(match toolkit {
        Toolkit::Gtk3 => "examples/host_gtk3",
        Toolkit::Gtk4 => "examples/host_gtk4",
    })
}
