//! Which PKCS #11 module OpenVPN loads for a security token.
//!
//! A module is code that runs in OpenVPN, so a profile can never say where one is: it may name one
//! of those that the computer's administrator has installed, or leave the choice to p11-kit, whose
//! setting up is the administrator's too. OpenVPN has no privilege, and no home directory in which
//! p11-kit could find settings of somebody else.

use aws_client_vpn_text::message::Localize;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The module of p11-kit, which stands for all that p11-kit is set up with.
const P11_KIT_PROXY: &str = "p11-kit-proxy";
/// Where distributions put modules. In `*` stands the name of an architecture.
const DIRECTORIES: [&str; 9] = [
    "/usr/lib/*/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/pkcs11",
    "/usr/lib/*",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib/pkcs11",
    "/usr/lib/*/softhsm",
    "/usr/lib64/softhsm",
];
/// In directories with other libraries too, only this one is a module.
const SHARED_DIRECTORIES: [&str; 3] = ["/usr/lib/*", "/usr/lib64", "/usr/lib"];

/// No module can be used.
#[derive(Debug, Error, Localize)]
pub(crate) enum ModuleError {
    /// None of this name is installed.
    // TRANSLATORS: Follows “OpenVPN could not be started:”
    #[error(
        "there is no PKCS #11 module '{0}' on this computer; install p11-kit, or the package of \
         the token's manufacturer"
    )]
    NotFound(String),
    /// Somebody who is not root could put another in its place.
    // TRANSLATORS: Follows “OpenVPN could not be started:”
    #[error(
        "the PKCS #11 module {path} could be changed by somebody who is not root, so it is not used",
        path = path.display()
    )]
    NotRoots {
        /// The file.
        path: PathBuf,
    },
    // TRANSLATORS: Follows “OpenVPN could not be started:”
    #[error("the path of the PKCS #11 module is not UTF-8")]
    NotText,
    /// A file cannot be looked at.
    // TRANSLATORS: Follows “OpenVPN could not be started:”
    #[error("the PKCS #11 module {path} cannot be read: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The path of the module with this name, or of p11-kit's.
pub(crate) fn find(name: Option<&str>) -> Result<String, ModuleError> {
    let name = name.unwrap_or(P11_KIT_PROXY);
    find_below(Path::new("/"), name, 0)
}

/// As [`find`], with another root directory and owner.
fn find_below(root: &Path, name: &str, owner: u32) -> Result<String, ModuleError> {
    let file = format!("{}.so", name.trim_end_matches(".so"));
    for pattern in DIRECTORIES {
        if SHARED_DIRECTORIES.contains(&pattern) && file != format!("{P11_KIT_PROXY}.so") {
            continue;
        }
        for directory in directories(root, pattern) {
            let path = directory.join(&file);
            if path.is_file() {
                // OpenVPN is given the file itself, not a link that may point elsewhere later.
                let path = std::fs::canonicalize(&path)
                    .map_err(|source| ModuleError::Unreadable { path, source })?;
                check_owner(&path, owner)?;
                return path
                    .into_os_string()
                    .into_string()
                    .map_err(|_| ModuleError::NotText);
            }
        }
    }
    Err(ModuleError::NotFound(name.to_owned()))
}

/// The directories that a pattern stands for, in the order of their names.
fn directories(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let pattern = pattern.trim_start_matches('/');
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![root.join(pattern)];
    };
    let Ok(entries) = std::fs::read_dir(root.join(before)) else {
        return Vec::new();
    };
    let is_architecture = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.contains("-linux-"))
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_architecture)
        .map(|path| path.join(after.trim_start_matches('/')))
        .collect();
    found.sort();
    found
}

/// Nobody but `owner` may be able to change the file or a directory on the way to it.
fn check_owner(path: &Path, owner: u32) -> Result<(), ModuleError> {
    for place in path.ancestors() {
        let metadata = std::fs::metadata(place).map_err(|source| ModuleError::Unreadable {
            path: place.to_owned(),
            source,
        })?;
        let is_safe_directory = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        let is_writable = metadata.mode() & 0o022 != 0 && !is_safe_directory;
        if is_writable || !matches!(metadata.uid(), uid if uid == owner || uid == 0) {
            return Err(ModuleError::NotRoots {
                path: path.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn root_with(modules: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for module in modules {
            let path = root.path().join(module);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    fn find_in(root: &tempfile::TempDir, name: &str) -> Result<String, ModuleError> {
        let owner = rustix::process::geteuid().as_raw();
        let found = find_below(root.path(), name, owner)?;
        let inside = found.strip_prefix(root.path().to_str().unwrap());
        Ok(inside.unwrap_or(&found).to_owned())
    }

    #[test]
    fn modules_are_found_where_distributions_put_them() {
        let root = root_with(&[
            "usr/lib/x86_64-linux-gnu/p11-kit-proxy.so",
            "usr/lib/x86_64-linux-gnu/libevil.so",
            "usr/lib/x86_64-linux-gnu/pkcs11/opensc-pkcs11.so",
            "usr/lib64/pkcs11/vendor.so",
        ]);
        for (name, path) in [
            (
                "p11-kit-proxy",
                "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so",
            ),
            (
                "opensc-pkcs11",
                "/usr/lib/x86_64-linux-gnu/pkcs11/opensc-pkcs11.so",
            ),
            (
                "opensc-pkcs11.so",
                "/usr/lib/x86_64-linux-gnu/pkcs11/opensc-pkcs11.so",
            ),
            ("vendor", "/usr/lib64/pkcs11/vendor.so"),
        ] {
            assert_eq!(find_in(&root, name).unwrap(), path);
        }
        for name in ["libevil", "none"] {
            let error = find_in(&root, name).unwrap_err();
            assert!(matches!(error, ModuleError::NotFound(_)), "{name}: {error}");
        }
    }

    #[test]
    fn a_module_that_others_could_replace_is_not_used() {
        let root = root_with(&["usr/lib64/pkcs11/vendor.so"]);
        for place in [
            "usr/lib64/pkcs11/vendor.so",
            "usr/lib64/pkcs11",
            "usr/lib64",
        ] {
            let path = root.path().join(place);
            let before = fs::metadata(&path).unwrap().permissions();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
            let error = find_in(&root, "vendor").unwrap_err();
            assert!(
                matches!(error, ModuleError::NotRoots { .. }),
                "{place}: {error}"
            );
            fs::set_permissions(&path, before).unwrap();
            assert!(find_in(&root, "vendor").is_ok());
        }
    }

    #[test]
    fn a_link_is_judged_by_what_it_points_to() {
        let root = root_with(&["usr/lib64/pkcs11/real.so", "home/evil.so"]);
        let evil = root.path().join("home/evil.so");
        fs::set_permissions(&evil, fs::Permissions::from_mode(0o666)).unwrap();
        let link = root.path().join("usr/lib64/pkcs11/vendor.so");
        std::os::unix::fs::symlink(&evil, &link).unwrap();
        assert!(matches!(
            find_in(&root, "vendor"),
            Err(ModuleError::NotRoots { .. })
        ));
    }
}
