//! Certificates for one test run, made by the `openssl` program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// A directory with an authority, a server and a client certificate.
#[derive(Debug)]
pub struct Certificates {
    directory: TempDir,
}

impl Certificates {
    /// The certificates of this test program, made at the first call.
    ///
    /// When `openssl` is missing or fails.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Certificates> = OnceLock::new();
        SHARED.get_or_init(Self::make)
    }

    /// The path of one of `ca`, `server`, `client` (certificates), `server-key`, `client-key`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.pem"))
    }

    fn make() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        openssl(
            path,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=authority -keyout ca-key.pem -out ca.pem",
        );
        for (name, usage) in [("server", "serverAuth"), ("client", "clientAuth")] {
            let extensions = format!("extendedKeyUsage={usage}\nkeyUsage=digitalSignature\n");
            std::fs::write(path.join("extensions"), extensions).expect("a file can be written");
            openssl(
                path,
                &format!(
                    "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}-key.pem -out request.pem"
                ),
            );
            openssl(
                path,
                &format!(
                    "x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 -extfile extensions -out {name}.pem"
                ),
            );
        }
        Self { directory }
    }
}

fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .expect("the openssl program; `make deps` installs it");
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
