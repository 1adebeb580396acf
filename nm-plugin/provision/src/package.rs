//! What an administrator hands out: a keyfile, or a package of one keyfile.
//!
//! The package puts it where NetworkManager looks for connections of packages, which no user's
//! change is written to: `/usr/lib/NetworkManager/system-connections`.

use crate::release::{ProvisionError, Release};
use aws_client_vpn_profile::keyfile::holds_secrets;
use aws_client_vpn_profile_file::file;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Where connections of packages are.
const CONNECTIONS: &str = "usr/lib/NetworkManager/system-connections";

/// The keyfile itself, readable for its owner only.
pub(crate) fn write_keyfile(release: &Release, output: &Path) -> Result<String, ProvisionError> {
    let path = output.join(format!("{}.nmconnection", release.slug));
    file::write(&path, &release.keyfile)?;
    Ok(path.display().to_string())
}

fn package_name(release: &Release) -> String {
    format!("aws-client-vpn-profile-{}", release.slug)
}

/// What only one package on a machine can be: the one of this connection, whatever it is called.
fn connection(release: &Release) -> String {
    format!("aws-client-vpn-connection-{}", release.uuid)
}

/// Runs after the package is installed or replaced. Without a running NetworkManager, the next one
/// finds everything in its place.
fn after_installation(release: &Release) -> String {
    format!(
        "aws-client-vpn-provision update /{CONNECTIONS}/{}.nmconnection || :\n\
         {AFTER_REMOVAL}",
        release.slug
    )
}

const AFTER_REMOVAL: &str = "nmcli connection reload >/dev/null 2>&1 || :\n";

/// A Debian package.
pub(crate) fn build_deb(release: &Release, output: &Path) -> Result<String, ProvisionError> {
    let (name, connection) = (package_name(release), connection(release));
    let work = tempfile::tempdir().map_err(ProvisionError::file(Path::new("/tmp")))?;
    let tree = work.path().join("tree");
    let control = format!(
        "Package: {name}\nVersion: {}\nArchitecture: all\nSection: net\nPriority: optional\n\
         Maintainer: the administrators of this network <root@localhost>\n\
         Depends: network-manager-aws-client-vpn\n\
         Provides: {connection}\nConflicts: {connection}\nReplaces: {connection}\n\
         Description: AWS Client VPN connection {}\n \
         For all users of this machine.\n",
        release.version, release.name
    );
    let scripts = [
        ("postinst", after_installation(release)),
        ("postrm", AFTER_REMOVAL.to_owned()),
    ];
    for directory in ["DEBIAN", CONNECTIONS] {
        make_directory(&tree, directory)?;
    }
    write_open(&tree.join("DEBIAN/control"), &control, 0o644)?;
    for (script, text) in scripts {
        let text = format!("#!/bin/sh\nset -e\n{text}");
        write_open(&tree.join("DEBIAN").join(script), &text, 0o755)?;
    }
    file::write(
        &tree
            .join(CONNECTIONS)
            .join(format!("{}.nmconnection", release.slug)),
        &release.keyfile,
    )?;
    let built = work
        .path()
        .join(format!("{name}_{}_all.deb", release.version));
    let mut command = Command::new("dpkg-deb");
    command
        .args(["--root-owner-group", "--build"])
        .arg(&tree)
        .arg(&built);
    run("dpkg-deb", command)?;
    hand_out(release, &built, output)
}

/// An RPM package.
pub(crate) fn build_rpm(release: &Release, output: &Path) -> Result<String, ProvisionError> {
    let (name, connection) = (package_name(release), connection(release));
    let work = tempfile::tempdir().map_err(ProvisionError::file(Path::new("/tmp")))?;
    let keyfile = format!("{}.nmconnection", release.slug);
    make_directory(work.path(), "SOURCES")?;
    file::write(
        &work.path().join("SOURCES").join(&keyfile),
        &release.keyfile,
    )?;
    let visible_name = release.name.replace('%', "%%");
    let spec = format!(
        "Name: {name}\nVersion: {}\nRelease: 1\nSummary: AWS Client VPN connection {visible_name}\n\
         License: LicenseRef-not-for-distribution\nBuildArch: noarch\nSource0: {keyfile}\n\
         Requires: NetworkManager-aws-client-vpn\n\
         Provides: {connection} = %{{version}}\nConflicts: {connection}\n\n\
         %description\nFor all users of this machine.\n\n\
         %install\ninstall -D -m 600 %{{SOURCE0}} %{{buildroot}}/{CONNECTIONS}/{keyfile}\n\n\
         %post\n{}\n%postun\n{AFTER_REMOVAL}\n\
         %files\n%attr(600,root,root) /{CONNECTIONS}/{keyfile}\n",
        release.version,
        after_installation(release),
    );
    let path = work.path().join("package.spec");
    write_open(&path, &spec, 0o644)?;
    let mut command = Command::new("rpmbuild");
    command
        .args(["-bb", "--quiet"])
        .args(["--define", &format!("_topdir {}", work.path().display())])
        .args(["--define", "_buildhost localhost"])
        .arg(&path);
    run("rpmbuild", command)?;
    let built = work
        .path()
        .join("RPMS/noarch")
        .join(format!("{name}-{}-1.noarch.rpm", release.version));
    hand_out(release, &built, output)
}

/// Puts what was built in a directory of our own where the administrator wants it. With a private key
/// in it, it is the administrator's alone, who decides who may have it.
fn hand_out(release: &Release, built: &Path, output: &Path) -> Result<String, ProvisionError> {
    let mode = if holds_secrets(&release.keyfile) {
        0o600
    } else {
        0o644
    };
    let bytes = fs::read(built).map_err(ProvisionError::file(built))?;
    let package = output.join(built.file_name().unwrap_or_default());
    file::write_with_mode(&package, &bytes, mode)?;
    Ok(package.display().to_string())
}

fn make_directory(tree: &Path, directory: &str) -> Result<(), ProvisionError> {
    let path = tree.join(directory);
    fs::create_dir_all(&path).map_err(ProvisionError::file(&path))?;
    // The package has these directories, whatever the administrator's own files are like.
    let mut path = path.as_path();
    while path.starts_with(tree) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
            .map_err(ProvisionError::file(path))?;
        path = path.parent().unwrap_or(Path::new("/"));
    }
    Ok(())
}

fn write_open(path: &Path, text: &str, mode: u32) -> Result<(), ProvisionError> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(ProvisionError::file(path))
}

fn run(program: &'static str, mut command: Command) -> Result<(), ProvisionError> {
    let output = command.output();
    let output = output.map_err(|reason| ProvisionError::NoProgram { program, reason })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ProvisionError::Program { program, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::process::Output;
    use zeroize::Zeroizing;

    fn release(version: &str, secrets: &str) -> Release {
        Release {
            slug: "work".to_owned(),
            name: "Work 50%".to_owned(),
            uuid: "4b3f0d5e-0000-5000-8000-000000000001".to_owned(),
            version: version.to_owned(),
            keyfile: Zeroizing::new(format!("[connection]\nid=Work 50%\n{secrets}")),
        }
    }

    fn output_of(program: &str, arguments: &[&str]) -> String {
        let output: Output = Command::new(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn mode(path: &str) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_debian_package_brings_the_connection_for_root_only() {
        let directory = tempfile::tempdir().unwrap();
        let deb = build_deb(&release("1.2", ""), directory.path()).unwrap();
        assert!(
            deb.ends_with("/aws-client-vpn-profile-work_1.2_all.deb"),
            "{deb}"
        );
        let files = output_of("dpkg-deb", &["--contents", &deb]);
        let line = files.lines().find(|line| line.contains(".nmconnection"));
        let line = line.expect(&files);
        assert!(line.starts_with("-rw------- root/root"), "{line}");
        assert!(
            line.ends_with("./usr/lib/NetworkManager/system-connections/work.nmconnection"),
            "{line}"
        );
        let needs = output_of("dpkg-deb", &["--field", &deb, "Depends", "Version"]);
        assert_eq!(
            needs,
            "Depends: network-manager-aws-client-vpn\nVersion: 1.2\n"
        );
        assert_eq!(mode(&deb), 0o644);
    }

    #[test]
    fn two_packages_of_one_connection_are_not_installed_side_by_side() {
        let directory = tempfile::tempdir().unwrap();
        let older = build_deb(&release("1", ""), directory.path()).unwrap();
        let renamed = Release {
            slug: "office".to_owned(),
            ..release("2", "")
        };
        let newer = build_deb(&renamed, directory.path()).unwrap();
        let of_another = Release {
            slug: "lab".to_owned(),
            uuid: "4b3f0d5e-0000-5000-8000-000000000002".to_owned(),
            ..release("2", "")
        };
        let other = build_deb(&of_another, directory.path()).unwrap();
        // A machine that has the older one, as far as dpkg knows.
        let database = directory.path().join("dpkg");
        for part in ["info", "updates"] {
            fs::create_dir_all(database.join(part)).unwrap();
        }
        let control = output_of("dpkg-deb", &["--field", &older]);
        let (package, rest) = control.split_once('\n').unwrap();
        let status = format!("{package}\nStatus: install ok installed\n{rest}");
        fs::write(database.join("status"), status).unwrap();
        fs::write(
            database.join("info/aws-client-vpn-profile-work.list"),
            "/.\n",
        )
        .unwrap();
        let install = |deb: &str| {
            Command::new("dpkg")
                .arg(format!("--admindir={}", database.display()))
                .args(["--no-act", "--force-depends", "--install", deb])
                .output()
                .unwrap()
        };
        let refused = install(&newer);
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && why.contains("conflict"),
            "{why}"
        );
        let other = install(&other);
        assert!(other.status.success(), "{other:?}");
    }

    /// Root may write into a user's directory, and what it makes there is not that user's.
    #[test]
    fn what_lies_in_the_way_is_neither_written_into_nor_followed() {
        let directory = tempfile::tempdir().unwrap();
        let release = release("1", "\n[vpn-secrets]\nkey=PRIVATE\n");
        for make in [write_keyfile, build_deb] {
            let path = make(&release, directory.path()).unwrap();
            fs::write(&path, "before").unwrap();
            let mut opened_before = fs::File::open(&path).unwrap();
            assert_eq!(make(&release, directory.path()).unwrap(), path);
            let mut read = String::new();
            opened_before.read_to_string(&mut read).unwrap();
            assert_eq!(read, "before");
            assert_eq!(mode(&path), 0o600);

            let target = directory.path().join("precious");
            fs::write(&target, "precious").unwrap();
            fs::remove_file(&path).unwrap();
            symlink(&target, &path).unwrap();
            let refused = make(&release, directory.path()).unwrap_err().to_string();
            assert!(refused.ends_with("It is not a regular file."), "{refused}");
            assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        }
    }

    #[test]
    fn a_package_with_a_key_in_it_is_not_for_everybody() {
        let directory = tempfile::tempdir().unwrap();
        let older = build_deb(&release("1", ""), directory.path()).unwrap();
        let deb = build_deb(
            &release("1", "\n[vpn-secrets]\nkey=PRIVATE\n"),
            directory.path(),
        );
        let deb = deb.unwrap();
        assert_eq!(deb, older);
        assert_eq!(mode(&deb), 0o600);
    }
}
