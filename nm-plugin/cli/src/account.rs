//! The account that runs this.

use std::process::Command;

/// The name of the account that runs this, from wherever accounts are.
pub(crate) fn own_name() -> Option<String> {
    let output = Command::new("id").arg("-un").output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?;
    let name = name.trim_end();
    (output.status.success() && !name.is_empty()).then(|| name.to_owned())
}
