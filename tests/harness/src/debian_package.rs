//! Debian packages that the tests use and that must not be installed on this machine, as they
//! would take something over: only downloaded, and unpacked into the target directory, where the
//! machines of a lab see it.

use crate::tools::Tools;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Unpacks the package `name` into the directory of that name below the target directory, unless it is
/// there already. `version` is shell that prints which version; without it, the newest.
pub(crate) fn unpack(name: &str, version: Option<&str>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = Tools::locate().target.join(name);
    if directory.join("usr").is_dir() {
        return;
    }
    let wanted = version.map_or_else(|| name.to_owned(), |version| format!("{name}=$({version})"));
    let script = format!(
        "mkdir -p \"${{1%/*}}\"\n\
         work=$(mktemp -d \"$1.XXXXXX\")\n\
         trap 'rm -rf \"$work\"' EXIT\n\
         cd \"$work\"\n\
         apt-get download -q \"{wanted}\"\n\
         dpkg-deb -x {name}_*.deb tree\n\
         # Whoever comes in between finds all or nothing; another may have been faster.\n\
         mv -T tree \"$1\" || [ -d \"$1/usr\" ]\n"
    );
    let unpacked = Command::new("sh")
        .args(["-ec", &script, "sh"])
        .arg(&directory)
        .status();
    assert!(
        unpacked.is_ok_and(|status| status.success()),
        "{name} could not be fetched from the Debian mirror into {}",
        Path::display(&directory),
    );
}
