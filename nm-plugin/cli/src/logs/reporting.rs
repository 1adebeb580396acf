//! Shows a report to its writer, and puts it into a file if that is wanted.

use super::{attempt_log, report};
use crate::Failure;
use crate::answer::{Answer, Outcome};
use crate::command_line::Logs;
use crate::doctor;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_profile_file::file;
use std::io::{self, Write};
use std::path::Path;

/// Shows the report that `options` ask for, and writes it to `path` if the answer is yes.
pub(crate) async fn write_report(options: &Logs, path: &Path) -> Result<Answer, Failure> {
    let log = attempt_log(options).await?;
    let mut versions = log.head;
    // It names the connection.
    if let Some(first) = versions.first_mut() {
        *first = format!("aws-client-vpn {}", env!("CARGO_PKG_VERSION"));
    }
    versions.push(std::env::consts::ARCH.to_owned());
    versions.extend(doctor::openvpn_version().await);
    let report = report(&versions, &log.entries, options.without_addresses);
    if !is_wanted(&report, path) {
        let fields = serde_json::json!({ "report": report, "file": null });
        let text = gettext!("Nothing was written.") + "\n";
        let why = "The report was not confirmed with 'yes', so it was not written.".to_owned();
        return Ok(Answer::not_done(Outcome::Cancelled, why, text, fields));
    }
    file::write(path, &report)?;
    let fields = serde_json::json!({ "report": report, "file": path.to_string_lossy() });
    let text = gettext!(
        "The report is in {file}. Add what you know at its end, and attach it to an issue.",
        file = path.display()
    );
    Ok(Answer::done(text + "\n", fields))
}

/// Shows the report and asks. Whoever gives no answer does not want it.
fn is_wanted(report: &str, path: &Path) -> bool {
    let question = gettext!(
        "Write this report to {file}? Type 'yes' to confirm: ",
        file = path.display()
    );
    // Beside the answer, which programs may read.
    drop(write!(io::stderr(), "{report}\n{question}"));
    let mut answer = String::new();
    let is_read = io::stdin().read_line(&mut answer).is_ok();
    let answer = answer.trim().to_lowercase();
    is_read && (answer == "yes" || answer == gettext!("yes"))
}
