//! People read German where their locale is German, programs read English everywhere. In a process
//! of its own, which is started with the locale: it is the process's.
#![expect(clippy::unwrap_used, reason = "a test")]

use aws_client_vpn_cli::doctor::{Clock, Facts, NameFile, NetworkManager, diagnose};
use aws_client_vpn_cli::status::{Connection, State, Status, Way};
use aws_client_vpn_cli::waiting::Waiting;
use aws_client_vpn_i18n::{DOMAIN, init_library_at, init_program, localize};
use aws_client_vpn_profile::settings::summary;
use aws_client_vpn_profile::waiting::WaitsFor;
use aws_client_vpn_sign_in::rights::Rights;
use aws_client_vpn_text::message::Localize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

const INNER: &str = "AWS_CLIENT_VPN_CLI_CATALOGUE";

#[test]
fn people_read_german_and_programs_english() {
    if let Some(directory) = std::env::var_os(INNER) {
        init_program();
        init_library_at(Path::new(&directory));
        return inner();
    }
    let directory = tempfile::tempdir().unwrap();
    let messages = directory.path().join("de/LC_MESSAGES");
    std::fs::create_dir_all(&messages).unwrap();
    let status = Command::new("msgfmt")
        .arg("-o")
        .arg(messages.join(format!("{DOMAIN}.mo")))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../po/de.po"))
        .status()
        .unwrap();
    assert!(status.success());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "people_read_german_and_programs_english"])
        .env(INNER, directory.path())
        .env("LC_ALL", "C.UTF-8")
        .env("LANGUAGE", "de")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn inner() {
    status_in_german();
    doctor_in_german();
    import_in_german();
}

fn import_in_german() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("work.ovpn");
    let profile = "remote x.clientvpn.eu-north-1.amazonaws.com 443\ncert mine.pem\n";
    std::fs::write(&file, profile).unwrap();
    let why = aws_client_vpn_profile_file::read(&file).unwrap_err();
    let english = "'cert': mine.pem cannot be read. The file does not exist. Put the file beside";
    let german = "„cert“: mine.pem kann nicht gelesen werden. Die Datei gibt es nicht. Legen Sie";
    let (program, person) = (why.message().to_string(), localize(&why));
    assert!(program.contains(english), "{program}");
    assert!(person.contains(german), "{person}");
}

fn status_in_german() {
    let off = Connection {
        name: "alt".to_owned(),
        uuid: "2-3".to_owned(),
        state: State::Off,
        waits_for: None,
        since: None,
        endpoint: None,
        sign_in: None,
        sign_in_ends: None,
        addresses: Vec::new(),
        domains: Vec::new(),
        name_servers: Vec::new(),
        last_failure: None,
        problem: summary(&BTreeMap::new()).err().map(|why| why.message()),
    };
    let up = Connection {
        name: "Arbeit".to_owned(),
        uuid: "1-2".to_owned(),
        state: State::Up,
        waits_for: None,
        since: Some(1_795_539_601),
        endpoint: Some("host.example".to_owned()),
        sign_in: Some(Way::Saml),
        sign_in_ends: Some(1_795_568_401),
        addresses: vec!["10.0.0.2/27".to_owned()],
        domains: Vec::new(),
        name_servers: Vec::new(),
        last_failure: None,
        problem: None,
    };
    let lost = Connection {
        name: "alle".to_owned(),
        uuid: "3-4".to_owned(),
        state: State::Connecting,
        waits_for: Some(Waiting {
            what: WaitsFor::Person,
            user: Some("ada".to_owned()),
            is_own: false,
        }),
        problem: None,
        ..off.clone()
    };
    let status = Status {
        connections: vec![up, off, lost],
    };
    assert_eq!(
        status.to_string(),
        "Arbeit\n  \
         Zustand          verbunden, gestartet 2026-11-24 17:00:01 UTC\n  \
         Endpunkt         host.example\n  \
         Anmeldung        Single Sign-on im Browser, gilt bis 2026-11-25 01:00:01 UTC\n  \
         Adressen         10.0.0.2/27\n  \
         UUID             1-2\n\n\
         alt\n  \
         Zustand          aus\n  \
         Problem          Die Einstellung „remote“ fehlt. Fügen Sie sie hinzu: nmcli connection \
         modify NAME +vpn.data remote=WERT\n  \
         UUID             2-3\n\n\
         alle\n  \
         Zustand          wird verbunden\n  \
         jetzt            Warten, bis ada am Rechner ist und sich wieder anmeldet (die letzte Anmeldung \
         ist von dieser Person). Um sich selbst anzumelden, verbinden Sie sie nach diesem Befehl \
         neu: aws-client-vpn disconnect NAME\n  \
         UUID             3-4\n"
    );
    let json = serde_json::to_value(&status).unwrap();
    let [up, off] = [&json["connections"][0], &json["connections"][1]];
    assert_eq!(up["state"], "up");
    assert_eq!(up["sign_in"], "saml");
    assert_eq!(
        off["problem"],
        "The setting 'remote' is missing. Add it: nmcli connection modify NAME +vpn.data remote=VALUE"
    );
    let none = Status {
        connections: Vec::new(),
    };
    assert!(none.to_string().starts_with("Es gibt noch keine "));
}

fn doctor_in_german() {
    let diagnosis = diagnose(&Facts {
        user: 1000,
        name_file: Some(NameFile::default()),
        network_manager: Some(Ok(NetworkManager {
            version: "1.42.4".to_owned(),
            rights: Some(Rights::ALL),
            dns_mode: "systemd-resolved".to_owned(),
            rc_manager: "unmanaged".to_owned(),
            ..NetworkManager::default()
        })),
        tun: true,
        clock: Clock {
            now: 1_795_539_601,
            installed: 0,
            synchronized: Some(false),
        },
        opener: Some("xdg-open"),
        kill_switch_left_over: Some(false),
        has_display: true,
        ..Facts::default()
    });
    let text = diagnosis.to_string();
    let lines: Vec<&str> = text.lines().collect();
    for line in [
        "gut      NetworkManager     NetworkManager 1.42.4",
        "PROBLEM  Konto              Das Konto von OpenVPN, nm-aws-client-vpn, fehlt",
        "                            -> sudo systemd-sysusers /usr/lib/sysusers.d/nm-aws-client-vpn.conf",
        "PROBLEM  OpenVPN            Das OpenVPN aus dem Paket fehlt",
        "                            -> Installieren Sie das Paket erneut",
        "gut      Kill-Switch        sperrt keinen Verkehr",
        "Warnung  Uhr                2026-11-24 17:00:01 UTC, nicht über das Netz synchronisiert",
    ] {
        assert!(lines.contains(&line), "{line:?} is not in\n{text}");
    }
    assert_eq!(
        lines.last(),
        Some(&"Es gibt 7 Probleme. Außerdem gibt es 2 Warnungen."),
        "{text}"
    );
    let json = serde_json::to_value(&diagnosis).unwrap();
    let account = &json["findings"][5];
    assert_eq!(account["check"], "account");
    assert_eq!(account["verdict"], "problem");
    assert_eq!(
        account["seen"],
        "OpenVPN's account nm-aws-client-vpn is missing"
    );
    assert_eq!(json["findings"][0]["remedy"], serde_json::Value::Null);
}
