//! What a person is asked for, when, how often, and what becomes of the answer.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{self, Timeouts};
use aws_client_vpn_session::management::{self, Command};
use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::session::{Effect, Failure, FailureReason, Input, Session};
use aws_client_vpn_sign_in::refusal::RefusalReason;
use aws_client_vpn_sign_in::retry_reason::RetryReason;
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const HOST: &str = "a.clientvpn.eu-central-1.amazonaws.com";
const CA: &str = "<ca>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n";
const CERT: &str =
    "<cert>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</cert>\n";
const ENCRYPTED_KEY: &str = "<key>\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nTUlJ\n\
     -----END ENCRYPTED PRIVATE KEY-----\n</key>\n";
const KEY: &str = "<key>\n-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n</key>\n";
const NEED: &str = ">PASSWORD:Need 'Auth' username/password";
const NEED_CODE: &str = ">PASSWORD:Need 'Auth' username/password SC:1,code";
const NEED_KEY: &str = ">PASSWORD:Need 'Private Key' password";
const NEED_PIN: &str = ">PASSWORD:Need 'Work token' password";
const REFUSED: &str = ">PASSWORD:Verification Failed: 'Auth' ['Invalid username or password']";
const RESTART: [&str; 2] = [
    ">STATE:1,RECONNECTING,auth-failure,,,,,",
    ">HOLD:Waiting for hold release:1",
];
const BAD_KEY: &str = ">STATE:1,RECONNECTING,private-key-password-failure,,,,,";
const HOLD: &str = ">HOLD:Waiting for hold release:0";

/// What a session asked for.
#[derive(Debug)]
struct Asked {
    message: String,
    hints: Vec<String>,
}

struct Simulation {
    session: Session,
    now: Instant,
    asked: Vec<Asked>,
    failures: Vec<Failure>,
}

impl Simulation {
    fn begin(profile: &str, user_name: &str, interactive: bool, secrets: &[(&str, &str)]) -> Self {
        let text = format!("client\nremote {HOST} 443 udp\n{profile}\n{CA}");
        let profile = Profile::parse(&text, &mut |_| Err(String::new()))
            .unwrap()
            .profile;
        let mut data = settings::to_data(&profile);
        data.insert("username".to_owned(), user_name.to_owned());
        let profile = settings::from_settings(&data, &settings::to_secrets(&profile)).unwrap();
        let timeouts = Timeouts {
            connect: Duration::from_secs(60),
            login: Duration::from_secs(600),
            ..Timeouts::default()
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "there is no other way to begin a made-up clock"
        )]
        let now = Instant::now();
        let session = Session::new(profile, timeouts, interactive, own(secrets), now);
        let (asked, failures) = (Vec::new(), Vec::new());
        let mut simulation = Self {
            session,
            now,
            asked,
            failures,
        };
        simulation.collect();
        simulation.input(Input::Resolved {
            host: HOST.to_owned(),
            result: Ok(vec![IpAddr::from([10, 77, 0, 1])]),
        });
        simulation
    }

    fn input(&mut self, input: Input) -> Vec<String> {
        self.session.handle(input, self.now);
        self.collect()
    }

    fn lines(&mut self, lines: &[&str]) -> Vec<String> {
        let input = |line: &&str| Input::Management(management::decode(line));
        lines
            .iter()
            .flat_map(|line| self.input(input(line)))
            .filter(|done| !done.ends_with(" on") && !done.starts_with("echo"))
            .collect()
    }

    fn give(&mut self, secrets: &[(&str, &str)]) -> Vec<String> {
        assert!(self.session.expects_secrets());
        self.input(Input::NewSecrets(own(secrets)))
    }

    fn after(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        self.input(Input::TimePassed)
    }

    fn up(&mut self) -> Vec<String> {
        self.lines(&[&format!(">REMOTE:{HOST},443,udp")]);
        self.lines(&[
            ">UPDOWN:UP",
            ">UPDOWN:ENV,ifconfig_local=10.88.0.2",
            ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
            ">UPDOWN:ENV,route_vpn_gateway=10.88.0.1",
            ">UPDOWN:ENV,END",
            ">STATE:1,CONNECTED,SUCCESS,10.88.0.2,10.77.0.2,443,,",
        ])
    }

    fn collect(&mut self) -> Vec<String> {
        let mut did = Vec::new();
        while let Some(effect) = self.session.poll_effect() {
            did.push(match effect {
                Effect::Send(Command::Password { password, .. }) => {
                    format!("password {}", password.expose())
                }
                Effect::Send(command) => {
                    let line = command.encode().unwrap();
                    line.expose().trim_end().replace('"', "")
                }
                Effect::RequestSecrets { message, hints } => {
                    self.asked.push(Asked { message, hints });
                    "ask".to_owned()
                }
                Effect::Fail(failure) => {
                    self.failures.push(failure);
                    "fail".to_owned()
                }
                Effect::Configure(_) => "configure".to_owned(),
                Effect::Note(text) | Effect::NoteOfEndpoint(text) => {
                    for secret in ["hunter", "123456", "passphrase!", "9999"] {
                        assert!(!text.contains(secret), "{text}");
                    }
                    continue;
                }
                Effect::Announce(_)
                | Effect::Resolve { .. }
                | Effect::Launch
                | Effect::Terminate
                | Effect::SignInExpires { .. }
                | Effect::Kill
                | Effect::CleanUp
                | Effect::StartRenewal
                | Effect::SendToRenewal(_)
                | Effect::EndRenewal
                | Effect::RefuseRenewal
                | Effect::Finish => continue,
            });
        }
        did
    }

    /// The bare names among the hints of the last request: what nmcli would ask for.
    fn wanted(&self) -> Vec<&str> {
        let hints = &self.asked.last().unwrap().hints;
        let bare = hints.iter().filter(|hint| !hint.starts_with("x-"));
        bare.map(String::as_str).collect()
    }

    #[track_caller]
    fn failed(&self, words: &str) {
        assert_eq!(self.failures.len(), 1);
        assert_eq!(self.failures[0].reason(), FailureReason::LoginFailed);
        let text = self.failures[0].to_string();
        assert!(text.contains(words), "{text}");
    }
}

fn own(secrets: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::from(*value));
    secrets.iter().map(own).collect()
}

#[test]
fn name_and_password_are_asked_for_together_before_openvpn_begins() {
    let mut simulation = Simulation::begin("auth-user-pass", "", true, &[]);
    assert_eq!(simulation.lines(&[HOLD]), ["ask"]);
    assert_eq!(simulation.wanted(), ["username", "password"]);
    let message = &simulation.asked[0].message;
    assert_eq!(
        message,
        "Enter your user name and your password to connect."
    );
    // A person may take longer than the endpoint may.
    assert_eq!(simulation.after(100), [""; 0]);
    let did = simulation.give(&[("username", "ada"), ("password", "hunter2")]);
    assert_eq!(did, ["hold release"]);
    assert_eq!(
        simulation.lines(&[NEED]),
        ["username Auth ada", "password hunter2"]
    );
    assert_eq!(simulation.up(), ["configure"]);
}

#[test]
fn what_the_person_does_not_want_kept_comes_in_disguise() {
    let mut simulation = Simulation::begin("auth-user-pass", "ada", true, &[]);
    assert_eq!(simulation.lines(&[HOLD]), ["ask"]);
    let did = simulation.give(&[("saml-response", "typed-once\tpassword\thunter2")]);
    assert_eq!(did, ["hold release"]);
    assert_eq!(
        simulation.lines(&[NEED]),
        ["username Auth ada", "password hunter2"]
    );
}

#[test]
fn nobody_is_asked_for_what_networkmanager_sent_along() {
    let secrets = [("password", "hunter2"), ("challenge-response", "")];
    let mut simulation = Simulation::begin("auth-user-pass", "ada", false, &secrets);
    assert_eq!(simulation.lines(&[HOLD]), ["hold release"]);
    assert_eq!(
        simulation.lines(&[NEED]),
        ["username Auth ada", "password hunter2"]
    );
}

#[test]
fn a_one_time_code_goes_along_with_the_password_and_counts_once() {
    let profile = "auth-user-pass\nstatic-challenge 'Enter MFA code' 1";
    let mut simulation = Simulation::begin(profile, "ada", true, &[("password", "pass")]);
    assert_eq!(simulation.lines(&[HOLD]), ["ask"]);
    assert_eq!(simulation.wanted(), ["challenge-response"]);
    assert_eq!(simulation.asked[0].message, "Enter MFA code");
    assert!(
        simulation.asked[0]
            .hints
            .iter()
            .any(|hint| hint.contains("echo"))
    );
    simulation.give(&[("challenge-response", "123456")]);
    let sent = ["username Auth ada", "password SCRV1:cGFzcw==:MTIzNDU2"];
    assert_eq!(simulation.lines(&[NEED_CODE]), sent);
    simulation.up();
    // A new connection needs a new code; nobody is asked before OpenVPN really wants it.
    let lost = [
        ">STATE:2,RECONNECTING,ping-restart,,,,,",
        ">HOLD:Waiting for hold release:1",
    ];
    assert_eq!(simulation.lines(&lost), ["hold release"]);
    assert_eq!(simulation.lines(&[NEED_CODE]), ["ask"]);
    assert_eq!(simulation.wanted(), ["challenge-response"]);
    let did = simulation.give(&[("challenge-response", "654321")]);
    assert_eq!(
        did,
        ["username Auth ada", "password SCRV1:cGFzcw==:NjU0MzIx"]
    );
}

#[test]
fn a_wrong_password_is_asked_for_again_three_times_in_all() {
    let mut simulation = Simulation::begin("auth-user-pass", "", true, &[]);
    simulation.lines(&[HOLD]);
    for (number, password) in ["hunter1", "hunter2", "hunter3"].into_iter().enumerate() {
        let did = simulation.give(&[("username", "ada"), ("password", password)]);
        assert_eq!(did, ["hold release"]);
        simulation.lines(&[NEED]);
        if number < 2 {
            assert_eq!(simulation.lines(&[REFUSED]), [""; 0]);
            assert_eq!(simulation.lines(&RESTART), ["ask"]);
            // A kept password must not answer this; the name may.
            let asked = simulation.asked.last().unwrap();
            assert!(
                asked
                    .hints
                    .contains(&"x-aws-client-vpn-refused:password".to_owned())
            );
            assert!(!asked.hints.iter().any(|hint| hint.ends_with(":username")));
            assert!(asked.message.contains("Invalid username or password"));
            // For the dialog, which says it in the user's language.
            let again = asked
                .hints
                .iter()
                .find_map(|hint| RetryReason::from_hint(hint));
            let reason = RefusalReason::Given("Invalid username or password".to_owned());
            assert_eq!(again, Some(RetryReason::Refused { reason }));
            assert_eq!(simulation.wanted(), ["username", "password"]);
        }
    }
    assert_eq!(simulation.lines(&[REFUSED]), ["fail"]);
    simulation.failed("Invalid username or password");
}

#[test]
fn the_right_password_after_a_wrong_one() {
    let mut simulation =
        Simulation::begin("auth-user-pass", "ada", true, &[("password", "hunter1")]);
    assert_eq!(simulation.lines(&[HOLD, NEED]).len(), 3);
    simulation.lines(&[REFUSED]);
    assert_eq!(simulation.lines(&RESTART), ["ask"]);
    assert_eq!(
        simulation.give(&[("password", "hunter2")]),
        ["hold release"]
    );
    assert_eq!(
        simulation.lines(&[NEED]),
        ["username Auth ada", "password hunter2"]
    );
    assert_eq!(simulation.up(), ["configure"]);
}

#[test]
fn what_was_refused_is_never_sent_twice() {
    let mut simulation =
        Simulation::begin("auth-user-pass", "ada", true, &[("password", "hunter1")]);
    simulation.lines(&[HOLD, NEED, REFUSED]);
    assert_eq!(simulation.lines(&RESTART), ["ask"]);
    assert_eq!(simulation.give(&[("password", "hunter1")]), ["fail"]);
    simulation.failed("was refused before");
}

#[test]
fn a_wrong_password_ends_it_where_nobody_can_be_asked() {
    let mut simulation =
        Simulation::begin("auth-user-pass", "ada", false, &[("password", "hunter1")]);
    simulation.lines(&[HOLD, NEED]);
    assert_eq!(simulation.lines(&[REFUSED]), ["fail"]);
    let mut simulation = Simulation::begin("auth-user-pass", "ada", false, &[]);
    assert_eq!(simulation.lines(&[HOLD]), ["fail"]);
    simulation.failed("your password");
}

#[test]
fn what_nobody_can_be_asked_for_is_said_in_the_user_s_language() {
    let profile = "auth-user-pass\nstatic-challenge \"Code?\" 1";
    let mut simulation = Simulation::begin(profile, "", false, &[]);
    simulation.lines(&[HOLD]);
    simulation.failed("needs your user name, your password and your one-time code, but");
    let said = simulation.failures[0].message().in_language(&|text| {
        let text = text.replace(" and ", " und ").replace("your", "Ihr");
        text.replace("one-time code", "Einmalcode")
    });
    assert!(
        said.contains("Ihr user name, Ihr password und Ihr Einmalcode"),
        "{said}"
    );
}

#[test]
fn an_agent_that_gives_nothing_ends_it() {
    let mut simulation = Simulation::begin("auth-user-pass", "ada", true, &[]);
    simulation.lines(&[HOLD]);
    assert_eq!(simulation.give(&[("password", "")]), ["fail"]);
    simulation.failed("a password");
}

#[test]
fn a_question_of_the_endpoint_is_passed_on_and_its_answer_goes_to_the_same_node() {
    let question = ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R,E:sid/1:YWRh:Enter: code']";
    let mut simulation =
        Simulation::begin("auth-user-pass", "ada", true, &[("password", "hunter2")]);
    simulation.lines(&[HOLD, NEED]);
    assert_eq!(simulation.lines(&[question]), ["ask"]);
    assert_eq!(simulation.wanted(), ["challenge-response"]);
    assert_eq!(simulation.asked[0].message, "Enter: code");
    assert!(
        simulation.asked[0]
            .hints
            .iter()
            .all(|hint| !hint.contains("sid"))
    );
    assert_eq!(simulation.lines(&RESTART), [""; 0]);
    assert_eq!(
        simulation.give(&[("challenge-response", "123456")]),
        ["hold release"]
    );
    let sent = ["username Auth ada", "password CRV1::sid/1::123456"];
    assert_eq!(simulation.lines(&[NEED]), sent);
    // A wrong code leads to another question, not to another password.
    assert_eq!(simulation.lines(&[REFUSED]), [""; 0]);
    assert_eq!(simulation.lines(&RESTART), ["hold release"]);
    assert_eq!(
        simulation.lines(&[NEED]),
        ["username Auth ada", "password hunter2"]
    );
    assert_eq!(simulation.lines(&[question]), ["ask"]);
    assert!(simulation.asked[1].message.contains("refused"));
    simulation.lines(&RESTART);
    simulation.give(&[("challenge-response", "654321")]);
    simulation.lines(&[NEED]);
    assert_eq!(simulation.up(), ["configure"]);
    // A renegotiation takes the answer that made the connection.
    let sent = ["username Auth ada", "password CRV1::sid/1::654321"];
    assert_eq!(simulation.lines(&[NEED]), sent);
}

#[test]
fn a_question_that_takes_no_answer_is_answered_with_nothing() {
    let question = ">PASSWORD:Verification Failed: 'Auth' ['CRV1::sid:YWRh:Welcome']";
    let mut simulation =
        Simulation::begin("auth-user-pass", "ada", true, &[("password", "hunter2")]);
    simulation.lines(&[HOLD, NEED]);
    assert_eq!(simulation.lines(&[question]), [""; 0]);
    assert_eq!(simulation.lines(&RESTART), ["hold release"]);
    let sent = ["username Auth ada", "password CRV1::sid::"];
    assert_eq!(simulation.lines(&[NEED]), sent);
}

#[test]
fn an_endpoint_that_asks_on_and_on_is_given_up() {
    let question = ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:sid:YWRh:More?']";
    let mut simulation =
        Simulation::begin("auth-user-pass", "ada", true, &[("password", "hunter2")]);
    simulation.lines(&[HOLD, NEED]);
    let mut rounds = 0;
    while simulation.failures.is_empty() {
        simulation.lines(&[question]);
        if simulation.session.expects_secrets() {
            simulation.lines(&RESTART);
            simulation.give(&[("challenge-response", "123456")]);
            simulation.lines(&[NEED]);
        }
        rounds += 1;
        assert!(rounds < 20, "it goes on for ever");
    }
    assert_eq!(rounds, 9);
    simulation.failed("keeps asking further questions");
}

#[test]
fn openvpn_that_begins_again_while_a_person_is_asked_asks_for_itself() {
    let profile = "auth-user-pass\nstatic-challenge \"Code?\" 1";
    let mut simulation = Simulation::begin(profile, "ada", true, &[("password", "hunter2")]);
    simulation.lines(&[HOLD]);
    simulation.give(&[("challenge-response", "1")]);
    // The code counts once.
    simulation.lines(&[NEED]);
    simulation.up();
    let lost = ">STATE:1,RECONNECTING,ping-restart,,,,,";
    simulation.lines(&[lost, HOLD]);
    assert_eq!(simulation.lines(&[NEED]), ["ask"]);
    simulation.lines(&[lost, HOLD]);
    assert_eq!(
        simulation.give(&[("challenge-response", "2")]),
        ["hold release"]
    );
    assert_eq!(
        simulation.lines(&[NEED]),
        ["username Auth ada", "password SCRV1:aHVudGVyMg==:Mg=="]
    );
}

#[test]
fn what_is_asked_inside_a_tunnel_that_is_up_is_answered_inside_it() {
    let profile = "auth-user-pass\nstatic-challenge \"Code?\" 1";
    let mut simulation = Simulation::begin(profile, "ada", true, &[("password", "hunter2")]);
    simulation.lines(&[HOLD]);
    simulation.give(&[("challenge-response", "1")]);
    simulation.lines(&[NEED]);
    simulation.up();
    // The keys are to be renewed, and the code counts once.
    assert_eq!(simulation.lines(&[NEED]), ["ask"]);
    assert!(!simulation.session.is_up());
    assert_eq!(
        simulation.give(&[("challenge-response", "2")])[..2],
        ["username Auth ada", "password SCRV1:aHVudGVyMg==:Mg=="]
    );
    assert!(
        simulation.session.is_up(),
        "OpenVPN does not say so once more"
    );
    simulation.after(3600);
    assert!(simulation.failures.is_empty(), "{:?}", simulation.failures);
}

#[test]
fn a_page_that_is_open_is_replaced_where_the_endpoint_wants_a_new_sign_in_meanwhile() {
    let mut simulation = Simulation::begin("auth-federate", "", true, &[]);
    simulation.lines(&[HOLD, NEED]);
    let challenge =
        ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:sid:YWRh:https://idp.example/']";
    simulation.lines(&[challenge]);
    simulation.lines(&RESTART);
    simulation.give(&[("saml-response", "PHNhbWw%2B")]);
    simulation.up();
    simulation.input(Input::Renew);
    simulation.input(Input::RenewalSaid(management::decode(challenge)));
    assert!(simulation.session.expects_secrets());
    simulation.lines(&[REFUSED]);
    assert!(!simulation.session.expects_secrets());
    simulation.lines(&RESTART);
    simulation.lines(&[NEED, challenge]);
    simulation.input(Input::VpnState(VpnState::Activated));
    assert!(simulation.session.expects_secrets());
    assert!(simulation.failures.is_empty());
}

#[test]
fn a_passphrase_is_asked_for_before_the_browser_is_opened() {
    let profile = format!("auth-federate\n{CERT}{ENCRYPTED_KEY}");
    let mut simulation = Simulation::begin(&profile, "", true, &[]);
    assert_eq!(simulation.lines(&[HOLD]), ["ask"]);
    assert_eq!(simulation.wanted(), ["key-passphrase"]);
    assert_eq!(
        simulation.give(&[("key-passphrase", "passphrase!")]),
        ["hold release"]
    );
    assert_eq!(simulation.lines(&[NEED_KEY]), ["password passphrase!"]);
    assert_eq!(
        simulation.lines(&[NEED]),
        ["username Auth N/A", "password ACS::35001"]
    );
}

#[test]
fn a_wrong_passphrase_is_asked_for_again_whatever_openvpn_says_of_it() {
    let profile = format!("{CERT}{ENCRYPTED_KEY}");
    let mut simulation =
        Simulation::begin(&profile, "", true, &[("key-passphrase", "passphrase!")]);
    assert_eq!(
        simulation.lines(&[HOLD, NEED_KEY]),
        ["hold release", "password passphrase!"]
    );
    // With and without the line that says so: OpenSSL has several errors for it.
    simulation.lines(&[">PASSWORD:Verification Failed: 'Private Key'", BAD_KEY]);
    assert_eq!(simulation.lines(&[HOLD]), ["ask"]);
    assert!(
        simulation.asked[0]
            .message
            .starts_with("The passphrase of the private key is incorrect.")
    );
    assert_eq!(
        simulation.give(&[("key-passphrase", "passphrase!2")]),
        ["hold release"]
    );
    simulation.lines(&[NEED_KEY]);
    assert_eq!(simulation.lines(&[BAD_KEY, HOLD]), ["ask"]);
    simulation.give(&[("key-passphrase", "passphrase!3")]);
    simulation.lines(&[NEED_KEY]);
    assert_eq!(simulation.lines(&[BAD_KEY]), ["fail"]);
    simulation.failed("passphrase of the private key is incorrect");
}

#[test]
fn a_pkcs12_file_tells_only_through_openvpn_that_it_has_a_passphrase() {
    let mut simulation = Simulation::begin("<pkcs12>\nTUlJ\n</pkcs12>", "", true, &[]);
    assert_eq!(simulation.lines(&[HOLD]), ["hold release"]);
    assert_eq!(simulation.lines(&[NEED_KEY]), ["ask"]);
    assert_eq!(simulation.wanted(), ["key-passphrase"]);
    assert_eq!(
        simulation.give(&[("key-passphrase", "passphrase!")]),
        ["password passphrase!"]
    );
}

#[test]
fn a_key_that_openvpn_cannot_use_ends_it_at_once() {
    let mut simulation = Simulation::begin(&format!("{CERT}{KEY}"), "", true, &[]);
    simulation.lines(&[HOLD]);
    let log = ">LOG:1,N,Cannot load private key file [[INLINE]]";
    assert_eq!(simulation.lines(&[log, BAD_KEY]), ["fail"]);
    simulation.failed("Cannot load private key file");
}

#[test]
fn a_certificate_that_the_endpoint_refuses_is_not_offered_again() {
    let mut simulation = Simulation::begin(&format!("{CERT}{KEY}"), "", true, &[]);
    simulation.lines(&[HOLD]);
    let restart = ">STATE:1,RECONNECTING,tls-error,,,,,";
    // Something else went wrong: another attempt.
    let other = ">LOG:1,N,OpenSSL: error:0A00010B:SSL routines::wrong version number";
    assert_eq!(simulation.lines(&[other, restart, HOLD]), ["hold release"]);
    let alert =
        ">LOG:1,N,OpenSSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert 48";
    assert_eq!(simulation.lines(&[alert, restart]), ["fail"]);
    simulation.failed("refused the client certificate: unknown ca.");
}

#[test]
fn silence_after_the_certificate_is_told_from_silence_of_the_network() {
    let mut simulation = Simulation::begin(&format!("{CERT}{KEY}"), "", true, &[]);
    simulation.lines(&[HOLD, ">LOG:1,I,VERIFY OK: depth=0, CN=server"]);
    assert_eq!(simulation.after(60), ["fail"]);
    simulation.failed("refused the client certificate");
}

/// It asks for a sign-in once it has accepted the certificate.
#[test]
fn silence_after_a_sign_in_is_not_about_the_certificate() {
    let profile = format!("auth-federate\n{CERT}{KEY}");
    let mut simulation = Simulation::begin(&profile, "", true, &[]);
    let met = ">LOG:1,I,VERIFY OK: depth=0, CN=server";
    let challenge =
        ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:sid:YWRh:https://idp.example/']";
    simulation.lines(&[HOLD, met, NEED, challenge]);
    simulation.lines(&RESTART);
    simulation.give(&[("saml-response", "PHNhbWw%2B")]);
    simulation.lines(&[NEED, met]);
    assert_eq!(simulation.after(60), ["fail"]);
    let text = simulation.failures[0].to_string();
    assert!(!text.contains("certificate"), "{text}");
}

/// OpenVPN says it once, when it loads the certificate; the endpoint may accept it.
#[test]
fn a_certificate_that_is_out_of_date_is_named_once_the_endpoint_does_not_accept_it() {
    let met = ">LOG:1,I,VERIFY OK: depth=0, CN=server";
    let restart = ">STATE:1,RECONNECTING,tls-error,,,,,";
    let alert =
        ">LOG:1,N,OpenSSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert 48";
    let remedy = "Ask your administrator for a new one";
    for (warning, words) in [
        ("has expired!", ["which has expired", remedy]),
        (
            "is not yet valid!",
            ["which is not yet valid", "Check the date and time"],
        ),
    ] {
        let warning = format!(">LOG:1,W,WARNING: Your certificate {warning}");
        let begin = || {
            let mut simulation = Simulation::begin(&format!("{CERT}{KEY}"), "", true, &[]);
            let lines = [HOLD, &warning, met, restart, HOLD];
            assert_eq!(simulation.lines(&lines), ["hold release"; 2]);
            simulation
        };
        let mut ignored = begin();
        assert_eq!(ignored.after(60), ["fail"]);
        let mut refused = begin();
        assert_eq!(refused.lines(&[alert, restart]), ["fail"]);
        for word in words {
            ignored.failed(word);
            refused.failed(word);
        }
    }
    // Nothing has answered that could have refused it.
    let mut simulation = Simulation::begin(&format!("{CERT}{KEY}"), "", true, &[]);
    simulation.lines(&[HOLD, ">LOG:1,W,WARNING: Your certificate has expired!"]);
    assert_eq!(simulation.after(60), ["fail"]);
    let text = simulation.failures[0].to_string();
    assert!(text.contains("did not answer"), "{text}");
}

/// The clock was wrong when OpenVPN loaded it, or the endpoint does not look at the date.
#[test]
fn a_certificate_that_the_endpoint_has_accepted_is_not_called_out_of_date_later() {
    let met = ">LOG:1,I,VERIFY OK: depth=0, CN=server";
    let warning = ">LOG:1,W,WARNING: Your certificate is not yet valid!";
    let restart = ">STATE:1,RECONNECTING,tls-error,,,,,";
    let mut up = Simulation::begin(&format!("{CERT}{KEY}"), "", true, &[]);
    up.lines(&[HOLD, warning, met]);
    assert_eq!(up.up(), ["configure"]);
    up.input(Input::VpnState(VpnState::Activated));
    up.lines(&[">STATE:1,RECONNECTING,ping-restart,,,,,", HOLD]);
    up.lines(&[met, restart, HOLD]);
    // NetworkManager is told that the tunnel is lost, and then that the connection is.
    assert_eq!(up.after(24 * 3600), ["configure"]);
    assert_eq!(up.after(24 * 3600), ["fail"]);
    // It looks at the password once it has accepted the certificate.
    let profile = format!("auth-user-pass\n{CERT}{KEY}");
    let mut judged = Simulation::begin(&profile, "ada", true, &[("password", "hunter2")]);
    judged.lines(&[HOLD, warning, met, NEED, REFUSED]);
    judged.lines(&RESTART);
    judged.give(&[("password", "hunter3")]);
    judged.lines(&[NEED, met]);
    assert_eq!(judged.after(60), ["fail"]);
    for simulation in [up, judged] {
        simulation.failed("it refused the client certificate");
    }
}

/// Over TCP a node hangs, and resets the connection once it has seen the certificate.
#[test]
fn an_endpoint_that_broke_off_after_the_certificate_is_remembered_at_the_next_attempt() {
    let met = ">LOG:1,I,VERIFY OK: depth=0, CN=server";
    let reset = ">STATE:1,RECONNECTING,connection-reset,,,,,";
    let mut simulation = Simulation::begin(&format!("{CERT}{KEY}"), "", true, &[]);
    simulation.lines(&[HOLD, met, reset, HOLD]);
    assert_eq!(simulation.after(60), ["fail"]);
    simulation.failed("refused the client certificate");
    // A reset by something on the way says nothing about the certificate.
    let mut simulation = Simulation::begin(&format!("{CERT}{KEY}"), "", true, &[]);
    simulation.lines(&[HOLD, reset, HOLD]);
    assert_eq!(simulation.after(60), ["fail"]);
    let message = simulation.failures[0].to_string();
    assert!(message.contains("did not answer within 60 s"), "{message}");
}

#[test]
fn an_encryption_that_is_too_old_is_not_taken_for_a_wrong_passphrase() {
    let secrets = [("key-passphrase", "passphrase!")];
    let mut simulation = Simulation::begin("<pkcs12>\nTUlJ\n</pkcs12>", "", true, &secrets);
    simulation.lines(&[HOLD, NEED_KEY]);
    let logs = [
        ">LOG:1,N,OpenSSL: error:0308010C:digital envelope routines::unsupported:RC2-40-CBC",
        ">LOG:1,N,Cannot load certificate file [[INLINE]]",
    ];
    simulation.lines(&logs);
    assert_eq!(simulation.lines(&[BAD_KEY]), ["fail"]);
    simulation.failed("RC2-40-CBC");
}

#[test]
fn a_pin_is_asked_for_and_a_wrong_one_is_not_sent_again() {
    let mut simulation = Simulation::begin(
        "pkcs11-id pkcs11:id=%01",
        "",
        true,
        &[("pkcs11-pin", "9999")],
    );
    assert_eq!(simulation.lines(&[HOLD]), ["hold release"]);
    assert_eq!(simulation.lines(&[NEED_PIN]), ["password 9999"]);
    // pkcs11-helper asks again when it was wrong, and says nothing else.
    assert_eq!(simulation.lines(&[NEED_PIN]), ["ask"]);
    assert_eq!(simulation.wanted(), ["pkcs11-pin"]);
    assert_eq!(
        simulation.give(&[("pkcs11-pin", "99991")]),
        ["password 99991"]
    );
    assert_eq!(simulation.lines(&[NEED_PIN]), ["ask"]);
    simulation.give(&[("pkcs11-pin", "99992")]);
    assert_eq!(simulation.lines(&[NEED_PIN]), ["fail"]);
    simulation.failed("locks itself");
    let mut simulation = Simulation::begin("pkcs11-id pkcs11:id=%01", "", true, &[]);
    assert_eq!(simulation.lines(&[HOLD]), ["ask"]);
    assert_eq!(simulation.give(&[("pkcs11-pin", "9999")]), ["hold release"]);
}

/// One that wants its PIN for each signature.
#[test]
fn a_pin_that_is_asked_for_in_each_phase_is_sent_in_each() {
    let mut simulation = Simulation::begin(
        "auth-federate\npkcs11-id pkcs11:id=%01",
        "",
        true,
        &[("pkcs11-pin", "9999")],
    );
    simulation.lines(&[HOLD]);
    assert_eq!(simulation.lines(&[NEED_PIN]), ["password 9999"]);
    let reply = second_phase(&mut simulation);
    assert_eq!(simulation.lines(&[NEED_PIN]), ["password 9999"]);
    assert_eq!(simulation.lines(&[NEED]), reply);
    simulation.up();
    assert!(simulation.failures.is_empty(), "{:?}", simulation.failures);
    // A wrong one is still not sent twice: nothing has answered in between.
    let mut simulation = Simulation::begin(
        "auth-federate\npkcs11-id pkcs11:id=%01",
        "",
        true,
        &[("pkcs11-pin", "9999")],
    );
    simulation.lines(&[HOLD, NEED_PIN]);
    simulation.lines(&[">STATE:1,RECONNECTING,tls-error,,,,,", HOLD]);
    assert_eq!(simulation.lines(&[NEED_PIN]), ["ask"]);
}

/// What a person has said in the browser is not lost while they are asked for a PIN.
#[test]
fn what_is_asked_for_in_the_second_phase_opens_no_second_page() {
    for begins_again in [false, true] {
        let mut simulation = Simulation::begin(
            "auth-federate\npkcs11-id pkcs11:id=%01",
            "",
            true,
            &[("pkcs11-pin", "9999")],
        );
        simulation.lines(&[HOLD, NEED_PIN]);
        let reply = second_phase(&mut simulation);
        simulation.lines(&[NEED_PIN]);
        assert_eq!(simulation.lines(&[NEED_PIN]), ["ask"]);
        if begins_again {
            simulation.lines(&[">STATE:1,RECONNECTING,tls-error,,,,,", HOLD]);
            simulation.give(&[("pkcs11-pin", "12345")]);
            assert_eq!(simulation.lines(&[NEED_PIN]), ["password 12345"]);
        } else {
            assert_eq!(
                simulation.give(&[("pkcs11-pin", "12345")]),
                ["password 12345"]
            );
        }
        assert_eq!(simulation.lines(&[NEED]), reply);
    }
}

/// Goes on to the second phase after a login, and returns what is sent in it.
fn second_phase(simulation: &mut Simulation) -> [&'static str; 2] {
    simulation.lines(&[NEED]);
    simulation
        .lines(&[">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:sid:YWRh:https://idp.example/']"]);
    simulation.lines(&RESTART);
    simulation.give(&[("saml-response", "PHNhbWw%2B")]);
    ["username Auth N/A", "password CRV1::sid::PHNhbWw%2B"]
}

#[test]
fn a_token_that_is_not_there_is_named() {
    let mut simulation = Simulation::begin(
        "pkcs11-id pkcs11:id=%01",
        "",
        true,
        &[("pkcs11-pin", "9999")],
    );
    simulation.lines(&[HOLD]);
    let line = ">NEED-OK:Need 'token-insertion-request' confirmation \
                MSG:Please insert Work token";
    assert_eq!(
        simulation.lines(&[line]),
        ["needok token-insertion-request cancel", "fail"]
    );
    simulation.failed("Please insert Work token");
}

#[test]
fn a_slow_person_is_asked_again_and_given_up_at_last() {
    let mut simulation = Simulation::begin("auth-user-pass", "ada", true, &[]);
    simulation.lines(&[HOLD]);
    assert_eq!(simulation.after(109), [""; 0]);
    for _ in 0..4 {
        assert_eq!(simulation.after(110), ["ask"]);
    }
    assert!(
        simulation
            .asked
            .iter()
            .all(|asked| asked.hints[0] == "password")
    );
    assert_eq!(simulation.after(110), ["fail"]);
    simulation.failed("within 10 min");
}
