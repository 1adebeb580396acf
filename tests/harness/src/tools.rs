//! Where the programs under test and the harness's own are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Set by `make test`, which tests the whole workspace.
const WORKSPACE_IS_BUILT: &str = "WORKSPACE_IS_BUILT";

/// The build outputs that a lab needs.
#[derive(Debug)]
pub struct Tools {
    /// The workspace's target directory.
    pub target: PathBuf,
    /// Where the test programs are: `target/debug`, or where the running one is.
    pub programs: PathBuf,
    /// The tree that `make stage` makes; laid over the client's `/`.
    pub stage: PathBuf,
}

impl Tools {
    /// Finds them all, and builds the test programs if cargo is running us.
    pub fn locate() -> &'static Self {
        static TOOLS: OnceLock<Tools> = OnceLock::new();
        TOOLS.get_or_init(|| {
            assert!(
                rustix::process::geteuid().is_root(),
                "end-to-end tests need root, to make network namespaces of their own"
            );
            let tools = Self::find();
            tools.build("aws-client-vpn-harness", "lab-tool");
            tools
        })
    }

    /// Makes sure that the program of the emulated endpoint is there.
    pub(crate) fn need_endpoint(&self) {
        static BUILT: OnceLock<()> = OnceLock::new();
        BUILT.get_or_init(|| self.build("aws-client-vpn-endpoint", "aws-client-vpn-endpoint"));
    }

    fn find() -> Self {
        let running = std::env::current_exe().expect("/proc is there");
        // target/debug/deps/e2e-0123 or target/debug/demo
        let mut programs = running.parent().unwrap_or(Path::new("/")).to_owned();
        if programs.ends_with("deps") {
            programs.pop();
        }
        let target = programs.parent().unwrap_or(Path::new("/")).to_owned();
        let stage = target.join("stage");
        Self {
            target,
            programs,
            stage,
        }
    }

    /// Whether `make stage` has put the product there.
    #[must_use]
    pub fn product_is_staged(&self) -> bool {
        self.stage.join("usr").is_dir()
    }

    /// `cargo test -p` builds the programs of no other crate, so they are asked for here. `cargo test
    /// --workspace` has built them all, with other features of the libraries: each would be built twice.
    fn build(&self, package: &str, program: &str) {
        let cargo = std::env::var_os("CARGO");
        if let Some(cargo) = cargo.filter(|_| std::env::var_os(WORKSPACE_IS_BUILT).is_none()) {
            let mut command = Command::new(cargo);
            command
                .args(["build", "--locked", "--bins", "--package", package])
                .current_dir(env!("CARGO_MANIFEST_DIR"));
            if self.programs.ends_with("release") {
                command.arg("--release");
            }
            let status = command.status().expect("cargo can be run");
            assert!(status.success(), "{package} does not build");
        }
        let path = self.programs.join(program);
        assert!(
            path.is_file(),
            "{} is missing: run `make e2e`",
            path.display()
        );
    }
}
