//! A connection lives through a working day: networks that go and come, a lid that is closed, an
//! endpoint that loses a node. Each test prints a line of a table: how long until what is shown is
//! true, until packets flow again, and how many pages the browser opened.

use crate::{SOON, assert_up, endpoint, lab, state, take_down};
use aws_client_vpn_harness::{Browser, Lab, Options, Snapshot, Stopwatch, eventually, wait_for};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What is shown has to be true after this time, on a machine that does not stand still.
const TRUTH: Duration = Duration::from_secs(45);
/// A reconnect, its attempts at addresses that are dead, and a login by a program.
const BACK: Duration = Duration::from_secs(180);

/// A lab with a connection that is up, and somebody at the computer.
fn at_work(flags: &[&str]) -> (Lab, Snapshot) {
    let options = Options {
        logind: true,
        ..endpoint(flags)
    };
    let (lab, before) = lab(&options);
    assert_up(&lab, &lab.up());
    // nmcli may say so before what is noted here does.
    eventually("it is noted that the connection is up", SOON, || {
        let last = lab.vpn_states().last().copied();
        last.filter(|last| last.state == state::ACTIVATED)
    });
    lab.forget_browser_events();
    (lab, before)
}

/// From the moment at which something happens to the connection.
struct Episode {
    what: &'static str,
    began: Instant,
    watch: Stopwatch,
    states: usize,
    truth: Option<Duration>,
}

impl Episode {
    fn begin(lab: &Lab, what: &'static str) -> Self {
        Self {
            what,
            began: Instant::now(),
            watch: Stopwatch::start(),
            states: lab.vpn_states().len(),
            truth: None,
        }
    }

    /// NetworkManager says that the connection is being made.
    #[track_caller]
    fn is_shown(&mut self, lab: &Lab) {
        let before = self.states;
        let shown = self.watch.wait_for(BACK, || {
            let states = lab.vpn_states();
            let since = states.get(before..).unwrap_or_default();
            let truth = |seen: &aws_client_vpn_harness::VpnState| seen.state != state::ACTIVATED;
            since.iter().any(truth).then_some(())
        });
        assert!(
            shown.is_some(),
            "{}: never shown\n{}",
            self.what,
            lab.journal()
        );
        let took = self.watch.look();
        assert!(took < TRUTH, "{}: shown after {took:?}", self.what);
        self.truth = Some(took);
    }

    /// Packets flow, and NetworkManager says so.
    #[track_caller]
    fn is_over(&self, lab: &Lab, pages: usize) {
        let back = wait_for(BACK, || {
            let states = lab.vpn_states();
            let is_up = states
                .last()
                .is_some_and(|last| last.state == state::ACTIVATED);
            (is_up && lab.has_traffic()).then_some(())
        });
        let took = self.began.elapsed();
        assert!(
            back.is_some(),
            "{}: not back\n{:?}\n{}\n{}",
            self.what,
            lab.vpn_states(),
            lab.client.check(["ip", "route"]),
            lab.journal()
        );
        let opened = pages_opened(lab);
        let truth = match self.truth {
            Some(truth) => format!("{:.1}", truth.as_secs_f32()),
            None => "-".to_owned(),
        };
        eprintln!(
            "| {} | {truth} | {:.1} | {opened} |",
            self.what,
            took.as_secs_f32()
        );
        assert_eq!(opened, pages, "{}: {:?}", self.what, lab.browser_events());
        assert_eq!(lab.warnings(), [""; 0]);
    }

    fn no_state_changed(&self, lab: &Lab) {
        let states = lab.vpn_states();
        assert_eq!(states.get(self.states..), Some(&[][..]), "{}", self.what);
    }
}

pub(crate) fn pages_opened(lab: &Lab) -> usize {
    let events = lab.browser_events();
    events
        .iter()
        .filter(|event| event["event"] == "opened")
        .count()
}

/// The journal of the service says `words`.
#[track_caller]
fn it_says(lab: &Lab, words: &str) {
    let said = wait_for(BACK, || lab.journal().contains(words).then_some(()));
    assert!(said.is_some(), "never said {words:?}\n{}", lab.journal());
}

/// Looks at something again and again, until `seconds` of the episode are over.
fn for_the_time_of(seconds: u64, episode: &Episode, check: impl Fn()) {
    let rest = Duration::from_secs(seconds).saturating_sub(episode.began.elapsed());
    let _ = wait_for(rest, || {
        check();
        None::<()>
    });
}

fn node_of(lab: &Lab) -> u64 {
    let connected = lab.endpoint_events().named("connected");
    connected
        .last()
        .and_then(|event| event["node"].as_u64())
        .unwrap()
}

/// After 20 s of silence OpenVPN takes a connection for lost; with a second between two pings, what
/// is over sooner than this is no loss.
const BRIEF: Duration = Duration::from_secs(17);

/// What `happens` is brief and costs nothing. A machine that stands still may make it last too long,
/// and then it is something else.
#[track_caller]
fn costs_nothing(
    what: &'static str,
    happens: impl Fn(&mut Lab, &Episode),
) -> (Lab, Episode, Snapshot) {
    for _ in 0..5 {
        let (mut lab, before) = at_work(&[]);
        let episode = Episode::begin(&lab, what);
        happens(&mut lab, &episode);
        let answered = wait_for(BACK, || lab.has_traffic().then_some(()));
        if episode.began.elapsed() < BRIEF || answered.is_none() {
            episode.is_over(&lab, 0);
            return (lab, episode, before);
        }
        eprintln!("{what}: it has taken {:?}", episode.began.elapsed());
    }
    panic!("{what}: this machine stands still all the time");
}

#[test]
fn an_outage_of_ten_seconds_goes_by_unnoticed() {
    let (lab, episode, before) = costs_nothing("outage of 10 s", |lab, episode| {
        lab.cut();
        for_the_time_of(10, episode, || assert!(!lab.has_traffic()));
        lab.mend();
    });
    episode.no_state_changed(&lab);
    take_down(&lab, &before);
}

#[test]
fn an_outage_of_a_minute_costs_one_login() {
    let (lab, before) = at_work(&[]);
    outage_of_a_minute(&lab, "outage of 60 s, no token", 1);
    take_down(&lab, &before);
}

#[test]
fn an_outage_of_a_minute_costs_nothing_where_the_endpoint_gives_tokens() {
    let (lab, before) = at_work(&["--auth-token"]);
    outage_of_a_minute(&lab, "outage of 60 s, token", 0);
    assert!(!lab.endpoint_events().named("came-back").is_empty());
    take_down(&lab, &before);
}

fn outage_of_a_minute(lab: &Lab, what: &'static str, pages: usize) {
    let mut episode = Episode::begin(lab, what);
    lab.cut();
    episode.is_shown(lab);
    // The endpoint forgets its client after 30 s; addresses and routes stay meanwhile.
    for_the_time_of(60, &episode, || {
        let routes = lab.client.check(["ip", "route"]);
        assert!(routes.contains("10.99.0.0/16 "), "{routes}");
        assert_eq!(pages_opened(lab), 0, "a page without a network");
    });
    lab.mend();
    episode.is_over(lab, pages);
}

#[test]
fn another_address_of_the_computer_costs_nothing() {
    let (lab, before) = at_work(&[]);
    let episode = Episode::begin(&lab, "another address");
    for arguments in [
        &[
            "connection",
            "modify",
            "base",
            "ipv4.addresses",
            "192.0.2.77/24",
        ][..],
        &["device", "reapply", "eth0"],
    ] {
        let line = ["nmcli"].into_iter().chain(arguments.iter().copied());
        lab.client.check(line);
    }
    episode.is_over(&lab, 0);
    episode.no_state_changed(&lab);
    let addresses = lab.client.check(["ip", "-4", "address", "show", "eth0"]);
    assert!(addresses.contains("192.0.2.77") && !addresses.contains("192.0.2.10/"));
    drop(before);
    assert!(lab.down().status.success());
}

#[test]
fn another_interface_costs_nothing() {
    let (lab, _) = at_work(&[]);
    lab.second_cable();
    let episode = Episode::begin(&lab, "cable pulled, other network there");
    lab.client
        .check(["nmcli", "--wait", "300", "device", "disconnect", "eth0"]);
    episode.is_over(&lab, 0);
    let way = lab.client.check(["ip", "route", "get", "192.0.2.1"]);
    assert!(way.contains("dev eth1"), "{way}");
    assert!(lab.down().status.success());
}

/// A full tunnel would take OpenVPN's own packets: the way to the endpoint follows the network.
#[test]
fn a_full_tunnel_moves_to_another_interface_and_to_another_router() {
    let (lab, _) = at_work(&["--full-tunnel"]);
    lab.second_cable();
    let episode = Episode::begin(&lab, "cable pulled, other network there, full tunnel");
    lab.client
        .check(["nmcli", "--wait", "300", "device", "disconnect", "eth0"]);
    episode.is_over(&lab, 0);
    let episode = Episode::begin(&lab, "the same interface in another network, full tunnel");
    let before = "ip address delete 198.51.100.254/24 dev eth1";
    let now = "ip address add 203.0.113.254/24 dev eth1";
    lab.server.check(["sh", "-ec", &format!("{now}; {before}")]);
    let line = "nmcli connection modify other ipv4.addresses 203.0.113.10/24 \
                    ipv4.gateway 203.0.113.254
                nmcli --wait 300 connection up other";
    lab.client.check(["sh", "-ec", line]);
    episode.is_over(&lab, 0);
    // Which of its two addresses that is, the endpoint's name server chooses.
    let endpoint = format!("192.0.2.{}", node_of(&lab));
    eventually("the endpoint is reached by the new router", SOON, || {
        let way = lab.client.check(["ip", "route", "get", &endpoint]);
        way.contains("via 203.0.113.254 dev eth1").then_some(())
    });
    assert!(lab.down().status.success());
    eventually("no route to the endpoint is left", SOON, || {
        let left = lab.client.check(["ip", "route", "show", "proto", "201"]);
        left.is_empty().then_some(())
    });
}

/// With `sudo aws-client-vpn connect`, it is root who has signed in, and who has no session.
#[test]
fn who_has_signed_in_as_root_is_asked_again_in_another_session() {
    let (mut lab, before) = at_work(&[]);
    lab.logind().leave();
    lab.logind().become_user("nobody", 65534);
    lab.logind().arrive();
    let episode = Episode::begin(&lab, "thrown out, after a sign-in as root");
    lab.endpoint().command(&json!({"kick": "all"}));
    episode.is_over(&lab, 1);
    take_down(&lab, &before);
}

/// As the customer's VPN in the company's: `redirect-gateway def1` of one that is behind our tunnel.
#[test]
fn a_tunnel_inside_ours_that_takes_everything_does_not_take_the_way_to_the_endpoint() {
    let (lab, _) = at_work(&["--full-tunnel"]);
    let episode = Episode::begin(&lab, "the endpoint is behind a router");
    let line = "nmcli connection modify base ipv4.addresses 192.0.2.10/32 ipv4.gateway 192.0.2.254
                nmcli --wait 300 connection up base";
    lab.client.check(["sh", "-ec", line]);
    episode.is_over(&lab, 0);
    let episode = Episode::begin(&lab, "a tunnel inside ours that takes everything");
    let inside = "ip tuntap add inside mode tun
                  ip address add 10.51.0.2/24 dev inside
                  ip link set inside up
                  ip route add 10.99.0.2 dev awsvpn0
                  ip route add 0.0.0.0/1 via 10.51.0.1 dev inside
                  ip route add 128.0.0.0/1 via 10.51.0.1 dev inside";
    lab.client.check(["sh", "-ec", inside]);
    for_the_time_of(5, &episode, || {
        let endpoint = format!("192.0.2.{}", node_of(&lab));
        let way = lab.client.check(["ip", "route", "get", &endpoint]);
        assert!(way.contains("dev eth0"), "{way}");
    });
    episode.is_over(&lab, 0);
    assert!(lab.down().status.success());
}

#[test]
fn a_time_without_any_network_is_waited_out() {
    let (lab, _) = at_work(&[]);
    let mut episode = Episode::begin(&lab, "no network for 45 s, then another one");
    lab.client
        .check(["nmcli", "--wait", "300", "device", "disconnect", "eth0"]);
    episode.is_shown(&lab);
    it_says(&lab, "waiting for a network");
    for_the_time_of(45, &episode, || {
        assert_eq!(pages_opened(&lab), 0, "a page without a network");
    });
    lab.second_cable();
    episode.is_over(&lab, 1);
    assert!(lab.down().status.success());
}

#[test]
fn a_short_sleep_costs_nothing() {
    let (lab, _, before) = costs_nothing("sleep of 8 s", |lab, _| {
        sleep_and_wake(lab, Duration::from_secs(8));
    });
    take_down(&lab, &before);
}

#[test]
fn after_a_long_sleep_the_login_waits_for_the_screen_to_be_unlocked() {
    let (mut lab, before) = at_work(&[]);
    let episode = Episode::begin(&lab, "sleep of 45 s, screen unlocked 60 s after it began");
    lab.logind().lock();
    it_says(&lab, "the screen is locked");
    sleep_and_wake(&mut lab, Duration::from_secs(45));
    it_says(&lab, "waiting for the screen to be unlocked");
    for_the_time_of(60, &episode, || {
        assert_eq!(pages_opened(&lab), 0, "a page behind a locked screen");
    });
    lab.logind().unlock();
    episode.is_over(&lab, 1);
    take_down(&lab, &before);
}

/// NetworkManager leaves devices of the lab's kind alone when it sleeps, so what else a sleep is
/// has to be done here: no packet goes in or out, and OpenVPN does not run. The service does: in a
/// real sleep the clock of its watchdog stands still, too, which no signal can do.
pub(crate) fn sleep_and_wake(lab: &mut Lab, length: Duration) {
    let is = |lab: &Lab, wanted: &str| {
        let general = lab.client.check(["nmcli", "-t", "-f", "STATE", "general"]);
        general.starts_with(wanted).then_some(())
    };
    lab.logind().sleep();
    eventually("NetworkManager sleeps", SOON, || is(lab, "asleep"));
    const OPENVPN: &str = "nm-aws-client-vpn/openvpn";
    lab.cut();
    lab.client.signal(OPENVPN, Signal::STOP);
    let _ = wait_for(length, || None::<()>);
    lab.client.signal(OPENVPN, Signal::CONT);
    lab.mend();
    lab.logind().wake();
    eventually("NetworkManager is awake", SOON, || is(lab, "connected"));
}

#[test]
fn a_login_waits_for_somebody_who_can_see_it() {
    let (mut lab, before) = at_work(&[]);
    lab.logind().leave();
    it_says(&lab, "nobody is there who could sign in");
    let mut episode = Episode::begin(&lab, "thrown out while nobody is there for 15 s");
    lab.endpoint().command(&json!({"kick": "all"}));
    episode.is_shown(&lab);
    it_says(&lab, "waiting for somebody to be there");
    for_the_time_of(15, &episode, || {
        assert_eq!(pages_opened(&lab), 0, "a page that nobody sees");
    });
    lab.logind().arrive();
    episode.is_over(&lab, 1);
    take_down(&lab, &before);
}

#[test]
fn a_login_waits_for_an_agent_that_is_registered_after_the_screen_is_unlocked() {
    let (mut lab, before) = at_work(&[]);
    lab.logind().lock();
    it_says(&lab, "the screen is locked");
    // As gnome-shell's, it is away while the screen is locked.
    lab.stop_agent();
    let mut episode = Episode::begin(&lab, "thrown out, agent 20 s after unlocking");
    lab.endpoint().command(&json!({"kick": "all"}));
    episode.is_shown(&lab);
    it_says(&lab, "waiting for the screen to be unlocked");
    lab.logind().unlock();
    comes_with_the_agent(&mut lab, &episode);
    take_down(&lab, &before);
}

#[test]
fn a_login_waits_for_the_agent_of_a_session_that_starts_slowly() {
    let (mut lab, before) = at_work(&[]);
    lab.stop_agent();
    lab.logind().leave();
    it_says(&lab, "nobody is there who could sign in");
    let mut episode = Episode::begin(&lab, "thrown out, agent 20 s after the person logged in");
    lab.endpoint().command(&json!({"kick": "all"}));
    episode.is_shown(&lab);
    it_says(&lab, "waiting for somebody to be there");
    lab.logind().arrive();
    comes_with_the_agent(&mut lab, &episode);
    take_down(&lab, &before);
}

#[test]
fn a_login_waits_for_an_agent_that_restarts() {
    let (mut lab, before) = at_work(&[]);
    lab.stop_agent();
    let episode = Episode::begin(&lab, "thrown out while there is no agent for 20 s");
    lab.endpoint().command(&json!({"kick": "all"}));
    comes_with_the_agent(&mut lab, &episode);
    take_down(&lab, &before);
}

/// The page opens once the agent is there, 20 s from now.
fn comes_with_the_agent(lab: &mut Lab, episode: &Episode) {
    it_says(lab, "waiting for the desktop to be ready for a login");
    let _ = wait_for(Duration::from_secs(20), || {
        assert_eq!(pages_opened(lab), 0, "a page that nobody was asked to open");
        None::<()>
    });
    lab.start_agent();
    episode.is_over(lab, 1);
}

#[test]
fn a_node_that_is_lost_costs_one_login_at_another() {
    let (mut lab, before) = at_work(&[]);
    lose_the_node(&mut lab, "node lost, no token", 1);
    take_down(&lab, &before);
}

#[test]
fn a_node_that_is_lost_costs_nothing_where_the_endpoint_gives_tokens() {
    let (mut lab, before) = at_work(&["--auth-token"]);
    lose_the_node(&mut lab, "node lost, token", 0);
    take_down(&lab, &before);
}

fn lose_the_node(lab: &mut Lab, what: &'static str, pages: usize) {
    let lost = node_of(lab);
    let mut episode = Episode::begin(lab, what);
    lab.endpoint().command(&json!({ "stop_node": lost }));
    episode.is_shown(lab);
    episode.is_over(lab, pages);
    assert_ne!(node_of(lab), lost);
}

#[test]
fn a_token_that_is_refused_costs_one_login() {
    let (mut lab, before) = at_work(&["--auth-token"]);
    lab.endpoint()
        .command(&json!({"set": {"accept_tokens": false}}));
    let episode = Episode::begin(&lab, "thrown out, token refused");
    lab.endpoint().command(&json!({"kick": "all"}));
    let refused = lab.endpoint_events().clone();
    refused.wait("refused", SOON);
    episode.is_over(&lab, 1);
    take_down(&lab, &before);
}

#[test]
fn an_endpoint_that_throws_everybody_out_opens_no_storm_of_pages() {
    let (mut lab, _) = at_work(&[]);
    let episode = Episode::begin(&lab, "thrown out twice a second for 40 s");
    let events = lab.endpoint_events().clone();
    let mut thrown_out = 0;
    while episode.began.elapsed() < Duration::from_secs(40) {
        lab.endpoint().command(&json!({"kick": "all"}));
        thrown_out += 1;
        let _ = wait_for(Duration::from_millis(500), || None::<()>);
    }
    assert!(
        thrown_out > 20 && pages_opened(&lab) == 1,
        "{:?}",
        lab.browser_events()
    );
    // The second login comes a minute after the first.
    episode.is_over(&lab, 2);
    assert_eq!(events.named("accepted").len(), 3);
    assert!(lab.down().status.success());
}

#[test]
fn the_end_of_a_sign_in_is_told_and_a_button_renews_it() {
    let options = Options {
        logind: true,
        ..Options::default()
    };
    let lab = Lab::start(&options);
    // The lab's private name server knows no identity provider, as a company's does.
    lab.import_with("udp", 443, "pull-filter ignore \"dhcp-option DNS\"\n");
    let mut desktop = lab.desktop();
    let before = lab.snapshot();
    lab.modify("+vpn.data", "session-length = 40s");
    assert_up(&lab, &lab.up());
    lab.forget_browser_events();
    let ends_after = |what: &str, before: u64| {
        eventually(what, SOON, || {
            let status = lab.client.check(["aws-client-vpn", "status", "--json"]);
            let status: Value = serde_json::from_str(&status).unwrap();
            let ends = status["connections"][0]["sign_in_ends"].as_u64();
            ends.filter(|&ends| ends > before)
        })
    };
    let first_end = ends_after("the end is known", 0);
    let shown = desktop.notifications.wait("notification", BACK);
    assert_eq!(shown["summary"], "vpn: your sign-in expires in 1 minute");
    assert_eq!(shown["actions"], json!(["renew", "Renew"]));
    assert_eq!(shown["by_agent"], true, "GNOME takes it away");
    assert_eq!(pages_opened(&lab), 0, "a page that nobody asked for");
    // The person takes a while; meanwhile the tunnel stays.
    lab.set_browser(&Browser::Waiting);
    let episode = Episode::begin(&lab, "renewed by the button of the notification");
    desktop.press("renew");
    eventually("the page is open", SOON, || {
        (pages_opened(&lab) == 1).then_some(())
    });
    lab.no_packet_is_lost();
    lab.browser_goes_on();
    lab.browser_did("done", SOON);
    let answered = Instant::now();
    // The browser is done before the endpoint has its answer.
    let second_end = ends_after("the sign-in is renewed", first_end);
    episode.is_over(&lab, 1);
    eprintln!(
        "traffic {:.1} s after the answer",
        answered.elapsed().as_secs_f32()
    );
    // The other way to the same.
    let episode = Episode::begin(&lab, "renewed by `aws-client-vpn renew`");
    let said = lab.client.check(["aws-client-vpn", "renew"]);
    assert!(said.contains("The browser opens"), "{said}");
    eventually("the second page is open", SOON, || {
        (pages_opened(&lab) == 2).then_some(())
    });
    ends_after("the sign-in is renewed once more", second_end);
    episode.is_over(&lab, 2);
    take_down(&lab, &before);
    let none = lab.client.run(["aws-client-vpn", "renew"]);
    let said = String::from_utf8_lossy(&none.stderr);
    assert!(
        said.contains("No AWS Client VPN connection is active"),
        "{said}"
    );
}

#[test]
fn nobody_else_renews_a_sign_in() {
    let options = Options {
        logind: true,
        ..Options::default()
    };
    let (lab, before) = lab(&options);
    assert_up(&lab, &lab.up());
    lab.forget_browser_events();
    let stranger = [
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "aws-client-vpn",
    ];
    let renew = lab
        .client
        .run(stranger.iter().chain(["renew", "vpn"].iter()));
    let said = String::from_utf8_lossy(&renew.stderr);
    assert_eq!(renew.status.code(), Some(6), "{said}");
    assert!(
        said.contains("Only the user who signed in, or root"),
        "{said}"
    );
    assert_eq!(pages_opened(&lab), 0);
    lab.traffic_flows();
    take_down(&lab, &before);
}

#[test]
fn a_networkmanager_that_restarts_leaves_nothing_and_connects_again() {
    let (mut lab, before) = at_work(&[]);
    let began = Instant::now();
    lab.stop_network_manager();
    eventually("all processes end", SOON, || {
        let left = ["nm-aws-client-vpn-service", "nm-aws-client-vpn/openvpn"]
            .iter()
            .flat_map(|name| lab.client.processes_called(name))
            .count();
        (left == 0).then_some(())
    });
    let truth = began.elapsed();
    lab.start_network_manager();
    lab.assert_clean(&before);
    assert_up(&lab, &lab.up());
    eprintln!(
        "| NetworkManager restarts, the user connects again | {:.1} | {:.1} | {} |",
        truth.as_secs_f32(),
        began.elapsed().as_secs_f32(),
        pages_opened(&lab)
    );
    take_down(&lab, &before);
}

#[test]
fn a_user_name_in_the_profile_makes_nobody_absent() {
    let options = Options {
        logind: true,
        ..endpoint(&[])
    };
    let (mut lab, before) = lab(&options);
    // What the user is called at work is no login of this computer.
    lab.modify("vpn.user-name", "ada@corp.example");
    assert_up(&lab, &lab.up());
    // The browser may take longer than the tunnel.
    lab.browser_did("done", SOON);
    lab.forget_browser_events();
    let lost = Episode::begin(&lab, "a user name in the profile");
    lab.endpoint().command(&json!({"kick": "all"}));
    lab.browser_did("done", BACK);
    lost.is_over(&lab, 1);
    // A page is for the person at the screen still.
    lab.logind().lock();
    lab.endpoint().command(&json!({"kick": "all"}));
    eventually("the lock is waited for", SOON, || {
        let waits = "waiting for the screen to be unlocked";
        lab.journal().contains(waits).then_some(())
    });
    take_down(&lab, &before);
}
