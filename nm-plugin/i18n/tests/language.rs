//! Texts come out of a real catalogue, in a language that the environment names, whatever the
//! encoding of the locale. In a process of its own: locale and catalogue are the process's.
#![expect(clippy::unwrap_used, reason = "a test")]

use aws_client_vpn_i18n::{
    DOMAIN, gettext, init_library_at, init_program, localize, ngettext, translate,
};
use aws_client_vpn_text::gettext_noop;
use aws_client_vpn_text::message::Localize;
use std::path::Path;
use std::process::Command;

const CATALOGUE: &str = r#"
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "{who} signs in"
msgstr "Anmeldung für {who}"

msgid "{count} day"
msgid_plural "{count} days"
msgstr[0] "{count} Tag"
msgstr[1] "{count} Tage"

msgid "it is {0}"
msgstr "Es ist {0}"

msgid "broken"
msgstr "entzwei"
"#;

#[derive(Debug, thiserror::Error, Localize)]
enum Failure {
    #[error("it is {0}")]
    Is(&'static str),
}

/// This program runs itself, because the environment has to be there when the process begins.
#[test]
fn the_users_language_is_spoken() {
    if std::env::var_os("AWS_CLIENT_VPN_WORDS_INNER").is_some() {
        return inner();
    }
    let directory = tempfile::tempdir().unwrap();
    compile(directory.path());
    for locale in ["C.UTF-8", "en_US.ISO-8859-1", "C"] {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_users_language_is_spoken"])
            .env("AWS_CLIENT_VPN_WORDS_INNER", directory.path())
            .env("LC_ALL", locale)
            .env("LANGUAGE", "de")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&status.stdout);
        let passed = status.status.success() && said.contains("1 passed");
        assert!(passed, "{locale}: {said}");
    }
}

fn compile(directory: &Path) {
    let messages = directory.join("de/LC_MESSAGES");
    std::fs::create_dir_all(&messages).unwrap();
    std::fs::write(directory.join("de.po"), CATALOGUE).unwrap();
    let status = Command::new("msgfmt")
        .arg("-o")
        .arg(messages.join(format!("{DOMAIN}.mo")))
        .arg(directory.join("de.po"))
        .status()
        .unwrap();
    assert!(status.success());
}

fn inner() {
    let directory = std::env::var_os("AWS_CLIENT_VPN_WORDS_INNER").unwrap();
    init_program();
    init_library_at(Path::new(&directory));
    let failure = Failure::Is(gettext_noop!("broken"));
    assert_eq!(failure.to_string(), "it is broken");
    let said = [
        gettext!("{who} signs in", who = "Zoë"),
        ngettext!(1, "{count} day", "{count} days"),
        ngettext!(5_000_000_001, "{count} day", "{count} days"),
        localize(&failure),
        translate("not in the catalogue"),
        translate(""),
    ];
    let german = [
        "Anmeldung für Zoë",
        "1 Tag",
        "5000000001 Tage",
        "Es ist entzwei",
        "not in the catalogue",
        "",
    ];
    let english = [
        "Zoë signs in",
        "1 day",
        "5000000001 days",
        "it is broken",
        "not in the catalogue",
        "",
    ];
    // A locale that is not installed counts as "C", in which nothing is translated.
    let expected = match std::env::var("LC_ALL").as_deref() {
        Ok("C.UTF-8") => german,
        _ => english,
    };
    assert_eq!(said, expected);
}
