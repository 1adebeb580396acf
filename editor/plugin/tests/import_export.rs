//! The built library through libnm's own loader and calls.

use aws_client_vpn_editor_host::{
    self as host, Host, Imported, ca, certificate_free_profile, saml_profile,
};
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn libnm_loads_the_library_and_sees_what_it_can() {
    use glib::prelude::*;
    let host = Host::new();
    assert_eq!(host.capabilities(), 1 | 2 | 4);
    assert_eq!(host.plugin.property::<String>("name"), "AWS Client VPN");
    assert_eq!(host.plugin.property::<String>("service"), host::SERVICE);
    assert!(!host.plugin.property::<String>("description").is_empty());
}

#[test]
fn an_imported_connection_has_all_that_networkmanager_needs() {
    let directory = Directory::new();
    let connection = Host::new()
        .import(&directory.file("Company VPN.ovpn", &saml_profile()))
        .expect("imported");

    let read = connection.read();
    assert_eq!(read.id().as_deref(), Some("Company VPN"));
    assert_eq!(read.service_type().as_deref(), Some(SERVICE_TYPE));
    assert_eq!(read.timeout(), 600);
    assert!(read.is_persistent(), "it outlives its network");
    assert_eq!(connection.property("ipv4", "method"), "auto");
    assert_eq!(connection.property("ipv6", "method"), "auto");
    let data = read.data();
    assert_eq!(
        data.get("saml-response-flags").map(String::as_str),
        Some("3")
    );
    for (key, value) in &data {
        assert!(
            !value.contains(['\n', '\r']),
            "{key} has more than one line"
        );
        assert!(!value.contains("/tmp"), "{key} names a file");
    }
    connection.verify().expect("NetworkManager accepts it");
}

#[test]
fn import_export_import_is_the_same_connection() {
    let (host, directory) = (Host::new(), Directory::new());
    for (name, text) in [
        ("saml", saml_profile()),
        (
            "certificate",
            format!(
                "{}<cert>\n{}</cert>\n<key>\n{}</key>\n",
                certificate_free_profile(),
                ca(),
                private_key()
            ),
        ),
        (
            "password",
            format!("{}auth-user-pass\n", certificate_free_profile()),
        ),
    ] {
        let first = host
            .import(&directory.file(&format!("{name}.ovpn"), &text))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        fs::create_dir(directory.path(name)).expect("a directory");
        let exported = directory.path(name).join(format!("{name}.ovpn"));
        host.export(&exported, &first)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let second = host
            .import(&exported)
            .unwrap_or_else(|error| panic!("{name}: {error}"));

        assert_eq!(first.read().data(), second.read().data(), "{name}");
        assert_eq!(first.read().secrets(), second.read().secrets(), "{name}");
        assert_eq!(first.read().id(), second.read().id(), "{name}");
    }
}

#[test]
fn a_private_key_is_a_secret_and_only_the_user_may_read_its_export() {
    let (host, directory) = (Host::new(), Directory::new());
    let text = format!(
        "{}<cert>\n{}</cert>\n<key>\n{}</key>\n",
        certificate_free_profile(),
        ca(),
        private_key()
    );
    let connection = host
        .import(&directory.file("a.ovpn", &text))
        .expect("imported");
    let key_line = "S0VZ".repeat(4);
    for (name, value) in connection.read().data() {
        assert!(
            !value.contains(&key_line),
            "{name} shows the key to every user of the bus"
        );
    }
    assert!(!connection.read().secrets().is_empty());

    let exported = directory.file("b.ovpn", "something older, readable by all");
    fs::set_permissions(&exported, fs::Permissions::from_mode(0o644)).expect("own file");
    host.export(&exported, &connection).expect("exported");
    assert!(
        fs::read_to_string(&exported)
            .expect("text")
            .contains(&key_line)
    );
    assert_eq!(
        fs::metadata(&exported).expect("there").permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        directory.names(),
        ["a.ovpn", "b.ovpn"],
        "no temporary file is left"
    );
}

#[test]
fn certificate_files_are_read_beside_the_profile_and_kept() {
    let (host, directory) = (Host::new(), Directory::new());
    let inline = certificate_free_profile();
    let (before, rest) = inline.split_once("<ca>").expect("there is one");
    let (_, after) = rest.split_once("</ca>\n").expect("there is one");
    let by_path = format!("{before}ca company-ca.crt\n{after}auth-federate\n");
    let profile = directory.file("a.ovpn", &by_path);

    let error = host
        .import(&profile)
        .map(|_| ())
        .expect_err("the file is not there");
    assert!(error.message().contains("company-ca.crt"), "{error}");
    assert!(error.message().contains("Line 11"), "{error}");

    directory.file("company-ca.crt", &ca());
    let from_file = host.import(&profile).expect("imported");
    let from_text = host
        .import(&directory.file("b.ovpn", &saml_profile()))
        .expect("imported");
    assert_eq!(from_file.read().data(), from_text.read().data());

    fs::remove_file(directory.path("company-ca.crt")).expect("own file");
    assert_eq!(
        Command::new("mkfifo")
            .arg(directory.path("company-ca.crt"))
            .status()
            .expect("runs")
            .code(),
        Some(0)
    );
    let error = host
        .import(&profile)
        .map(|_| ())
        .expect_err("a pipe is no certificate");
    assert!(error.message().contains("not a regular file"), "{error}");
}

/// Each form in which people have a profile; what each of them is, `core` tests.
#[test]
fn a_profile_as_people_have_it_is_imported_or_says_all_that_has_to_be_done() {
    let host = Host::new();
    let forms = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../nm-plugin/core/profile/tests/fixtures/forms");
    let mut seen = 0;
    for entry in fs::read_dir(forms).expect("the forms") {
        let path = entry.expect("a form").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if !name.ends_with(".ovpn") {
            continue;
        }
        seen += 1;
        match (&*name, host.import(&path)) {
            ("many-faults.ovpn", Err(error)) => {
                assert_eq!(error.message().lines().count(), 5, "{error}");
            }
            // This program shows no editor, as nmcli does not.
            (name, Err(error)) => {
                assert!(name.starts_with("mutual-"), "{name}: {error}");
                let lines = "Add the lines 'cert client1.crt' and 'key client1.key'";
                assert!(error.message().contains(lines), "{name}: {error}");
            }
            (name, Ok(connection)) => {
                assert!(!name.starts_with("mutual-"), "{name}");
                connection.verify().expect("NetworkManager accepts it");
            }
        }
    }
    assert_eq!(seen, 16);
}

#[test]
fn what_is_no_aws_profile_is_declined_with_a_reason() {
    let (host, directory) = (Host::new(), Directory::new());
    let other = "client\ndev tun\nremote vpn.example.org 1194 udp\nauth-user-pass\n";
    let broken = format!("{}plugin /tmp/evil.so\n", saml_profile());
    for (name, bytes, reason) in [
        ("other.ovpn", other.as_bytes().to_vec(), "AWS"),
        (
            "wireguard.conf",
            b"[Interface]\nPrivateKey = abc\n".to_vec(),
            "AWS",
        ),
        ("empty.ovpn", Vec::new(), "AWS"),
        ("broken.ovpn", broken.into_bytes(), "plugin"),
        ("latin1.ovpn", b"remote caf\xe9 443\n".to_vec(), "AWS"),
        (
            "large.ovpn",
            vec![b'#'; 1024 * 1024 + 1],
            "larger than 1024 KiB",
        ),
    ] {
        let path = directory.path(name);
        fs::write(&path, bytes).expect("written");
        let error = host.import(&path).map(|_| ()).expect_err(name);
        assert!(error.message().contains(reason), "{name}: {error}");
        // nmcli and the settings programs name the file themselves.
        assert!(!error.message().contains(name), "{name}: {error}");
        assert!(!host.import_silently(&path));
    }
    for (path, reason) in [
        (directory.path("missing.ovpn"), "The file does not exist"),
        (directory.path("."), "not a regular file"),
        (PathBuf::from("/dev/zero"), "not a regular file"),
    ] {
        let error = host.import(&path).map(|_| ()).expect_err("cannot be read");
        assert!(
            error.message().contains(reason),
            "{}: {error}",
            path.display()
        );
    }
}

#[test]
fn an_export_that_cannot_be_says_why_and_changes_nothing() {
    let (host, directory) = (Host::new(), Directory::new());
    let connection = host
        .import(&directory.file("a.ovpn", &saml_profile()))
        .expect("imported");

    for (path, reason) in [
        (directory.path("missing/b.ovpn"), "directory does not exist"),
        (directory.path("."), "not a regular file"),
        (PathBuf::from("/dev/null"), "not a regular file"),
    ] {
        let error = host
            .export(&path, &connection)
            .expect_err("cannot be written");
        assert!(
            error.message().contains(reason),
            "{}: {error}",
            path.display()
        );
    }

    let openvpn = "org.freedesktop.NetworkManager.openvpn";
    for (service, reason) in [
        (openvpn, "not an AWS Client VPN"),
        (host::SERVICE, "exported"),
    ] {
        let other = Imported::vpn("other", service, &BTreeMap::new());
        let error = host
            .export(&directory.path("c.ovpn"), &other)
            .expect_err("nothing to export");
        assert!(error.message().contains(reason), "{error}");
    }
    assert_eq!(directory.names(), ["a.ovpn"]);
}

#[test]
fn an_export_leaves_a_link_and_its_target() {
    let (host, directory) = (Host::new(), Directory::new());
    let connection = host
        .import(&directory.file("a.ovpn", &saml_profile()))
        .expect("imported");
    let target = directory.file("target", "precious");
    symlink(&target, directory.path("link.ovpn")).expect("a link");
    let link = directory.path("link.ovpn");
    let error = host.export(&link, &connection).expect_err("a link");
    assert!(error.message().contains("not a regular file"), "{error}");
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&target).expect("text"), "precious");
}

#[test]
fn a_file_name_is_suggested_and_the_lack_of_an_editor_is_no_fault() {
    let (host, directory) = (Host::new(), Directory::new());
    let connection = host
        .import(&directory.file("a.ovpn", &saml_profile()))
        .expect("imported");
    assert_eq!(
        host.suggested_filename(&connection).as_deref(),
        Some("a.ovpn")
    );
    let error = host.editor(&connection).expect_err("there is none yet");
    assert!(error.matches(glib::FileError::Noent), "{error:?}");
}

#[test]
fn the_library_exports_one_symbol_and_needs_no_toolkit() {
    let symbols = output("nm", &["-D", "--defined-only", "--format=posix"]);
    let names: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["nm_vpn_editor_plugin_factory"]);

    let dynamic = output("readelf", &["-d"]);
    let needed: Vec<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    assert!(needed.contains(&"libnm.so.0"), "{needed:?}");
    for library in needed {
        assert!(
            [
                "libnm.so",
                "libglib-2.0.so",
                "libgobject-2.0.so",
                "libgio-2.0.so",
                "libc.so",
                "libgcc_s.so",
                "ld-linux"
            ]
            .iter()
            .any(|known| library.starts_with(known)),
            "the library pulls {library} into every settings program"
        );
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .arg(host::library())
        .output()
        .expect("runs");
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

fn private_key() -> String {
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        "S0VZS0VZ".repeat(8)
    )
}

/// A directory with files of a test.
struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path() as &Path)
            .expect("a directory")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}
