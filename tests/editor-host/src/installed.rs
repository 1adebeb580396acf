//! The libraries that cargo built, laid out as `make install` does.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What cargo calls a library, and what it is called when it is installed.
const LIBRARIES: [(&str, &str); 3] = [
    (
        "libnm_vpn_plugin_aws_client_vpn.so",
        "libnm-vpn-plugin-aws-client-vpn.so",
    ),
    (
        "libnm_gtk4_vpn_plugin_aws_client_vpn_editor.so",
        "libnm-gtk4-vpn-plugin-aws-client-vpn-editor.so",
    ),
    (
        "libnm_vpn_plugin_aws_client_vpn_editor.so",
        "libnm-vpn-plugin-aws-client-vpn-editor.so",
    ),
];

/// A directory with the libraries that were built along with this program.
pub struct Installed(tempfile::TempDir);

impl Installed {
    /// Copies them.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for (built, name) in LIBRARIES {
            if let Some(library) = find(built) {
                let path = directory.path().join(name);
                fs::copy(library, &path).expect("copied");
                fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("own file");
            }
        }
        Self(directory)
    }

    /// The plugin.
    #[must_use]
    pub fn plugin(&self) -> PathBuf {
        self.0.path().join(LIBRARIES[0].1)
    }

    /// Where they are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.0.path()
    }
}

impl Default for Installed {
    fn default() -> Self {
        Self::new()
    }
}

/// A library beside this program, or where cargo keeps the dependencies of examples.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let directory = program.parent()?;
    [
        directory.to_owned(),
        directory.join("../deps"),
        directory.join("deps"),
    ]
    .into_iter()
    .map(|directory| directory.join(name))
    .find(|path| path.is_file())
}
