//! Writes the template and brings each translation up to it (`make words`).

use aws_client_vpn_po::{catalogue, root, texts};
use std::error::Error;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = root().join("po");
    let template = directory.join(catalogue::TEMPLATE);
    std::fs::write(&template, catalogue::template(&texts(&root())?))?;
    let languages = std::fs::read_to_string(directory.join("LINGUAS"))?;
    for language in languages.lines() {
        let status = Command::new("msgmerge")
            .args([
                "--quiet",
                "--update",
                "--backup=none",
                "--no-fuzzy-matching",
            ])
            .args(["--no-wrap", "--sort-output"])
            .arg(directory.join(format!("{language}.po")))
            .arg(&template)
            .status()?;
        if !status.success() {
            return Err(format!("msgmerge failed for {language}: {status}").into());
        }
    }
    Ok(())
}
