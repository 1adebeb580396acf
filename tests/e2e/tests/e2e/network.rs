//! Addresses and routes of a connection that is up.

use crate::{SOON, assert_up, endpoint, lab, take_down};
use aws_client_vpn_harness::{Browser, Lab, Options, eventually, wait_for};
use serde_json::json;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_split_tunnel_takes_its_networks_only() {
    let (lab, before) = lab(&endpoint(&["--route=10.99.0.0/16", "--route=10.7.0.0/16"]));
    assert_up(&lab, &lab.up());
    let routes = lab.client.check(["ip", "route"]);
    for network in ["10.99.0.0/16", "10.7.0.0/16"] {
        let route = routes.lines().find(|line| line.starts_with(network));
        assert!(
            route.is_some_and(|route| route.contains("dev awsvpn")),
            "{routes}"
        );
    }
    let default: Vec<_> = routes
        .lines()
        .filter(|line| line.starts_with("default"))
        .collect();
    assert!(
        default.len() == 1 && default[0].contains("dev eth0"),
        "{routes}"
    );
    // The endpoint itself is reached beside the tunnel, whatever the routes say.
    let node = lab.client.check(["ip", "route", "get", "192.0.2.1"]);
    assert!(node.contains("dev eth0"), "{node}");
    let address = lab
        .client
        .check(["sh", "-c", "ip -4 -o address | grep awsvpn"]);
    assert!(
        address.contains("10.88.0.") && address.contains("/27"),
        "{address}"
    );
    take_down(&lab, &before);
}

#[test]
fn a_full_tunnel_takes_everything() {
    let (lab, before) = lab(&endpoint(&["--full-tunnel"]));
    assert_up(&lab, &lab.up());
    let elsewhere = lab.client.check(["ip", "route", "get", "203.0.113.7"]);
    assert!(elsewhere.contains("dev awsvpn"), "{elsewhere}");
    let node = lab.client.check(["ip", "route", "get", "192.0.2.1"]);
    assert!(node.contains("dev eth0"), "{node}");
    let told = "takes all of IPv4 into the tunnel, and nothing of IPv6";
    assert!(lab.journal().contains(told), "{}", lab.journal());
    take_down(&lab, &before);
}

/// A lab whose profile was edited by its user before it was imported.
fn edited(options: &Options, lines: &str) -> Lab {
    let lab = Lab::start(options);
    lab.import_with("udp", 443, lines);
    lab
}

fn routes_of_the_tunnel(lab: &Lab, family: &str) -> String {
    let all = lab.client.check(["ip", family, "route"]);
    let of_the_tunnel = all.lines().filter(|line| line.contains("dev awsvpn"));
    of_the_tunnel.collect::<Vec<_>>().join("\n")
}

fn way_to(lab: &Lab, address: &str) -> String {
    let output = lab.client.run(["ip", "route", "get", address]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// NetworkManager says that a connection is up a moment before it writes its name servers down.
#[track_caller]
fn names_come(lab: &Lab, expected: bool, what: &str) {
    eventually(&format!("{what}: names come: {expected}"), SOON, || {
        let servers = lab.client.check(["cat", "/etc/resolv.conf"]);
        (servers.contains("10.99.0.2") == expected).then_some(())
    });
}

#[test]
fn a_dual_stack_split_tunnel_takes_the_networks_of_both_families() {
    let (lab, before) = lab(&endpoint(&[
        "--ipv6",
        "--route=10.99.0.0/16",
        "--route=fd00:99::/32",
    ]));
    assert_up(&lab, &lab.up());
    lab.ipv6_traffic_flows();
    let routes = routes_of_the_tunnel(&lab, "-6");
    assert!(routes.contains("fd00:99::/32"), "{routes}");
    assert!(!routes.contains("default"), "{routes}");
    assert!(!way_to(&lab, "2001:db8::7").contains("awsvpn"));
    take_down(&lab, &before);
}

#[test]
fn a_dual_stack_full_tunnel_takes_everything_of_both_families() {
    let (lab, before) = lab(&endpoint(&["--ipv6", "--full-tunnel"]));
    assert_up(&lab, &lab.up());
    lab.ipv6_traffic_flows();
    for elsewhere in ["203.0.113.7", "2001:db8::7"] {
        let way = way_to(&lab, elsewhere);
        assert!(way.contains("dev awsvpn"), "{elsewhere}: {way}");
    }
    assert!(way_to(&lab, "192.0.2.1").contains("dev eth0"));
    take_down(&lab, &before);
}

#[test]
fn each_way_to_redirect_the_gateway_is_understood() {
    let (mut lab, before) = lab(&endpoint(&["--ipv6"]));
    for (pushed, ipv4, ipv6) in [
        ("redirect-gateway", true, false),
        ("redirect-gateway def1", true, false),
        ("redirect-gateway autolocal def1", true, false),
        ("redirect-gateway def1 ipv6", true, true),
        ("redirect-gateway ipv6 !ipv4", false, true),
        ("redirect-private def1", false, false),
        ("route 0.0.0.0 0.0.0.0", true, false),
        ("route-ipv6 ::/0", false, true),
    ] {
        lab.endpoint()
            .command(&json!({"push": [pushed, "route 10.99.0.0 255.255.0.0"]}));
        assert_up(&lab, &lab.up());
        // An IPv6 address is looked for duplicates before its routes count.
        let through = |address| way_to(&lab, address).contains("dev awsvpn");
        let as_meant = || through("203.0.113.7") == ipv4 && through("2001:db8::7") == ipv6;
        let is_so = wait_for(SOON, || as_meant().then_some(()));
        assert!(is_so.is_some(), "{pushed}: {}", lab.journal());
        assert!(way_to(&lab, "192.0.2.1").contains("dev eth0"), "{pushed}");
        take_down(&lab, &before);
    }
}

#[test]
fn a_profile_can_refuse_what_is_pushed() {
    let options = endpoint(&["--route=10.99.0.0/16", "--route=10.7.0.0/16"]);
    for (lines, own, pushed, names) in [
        (
            "route-nopull\nroute 10.99.0.0 255.255.0.0\n",
            "10.99.0.0/16",
            false,
            false,
        ),
        (
            "pull-filter ignore \"route 10.7\"\n",
            "10.99.0.0/16",
            false,
            true,
        ),
        (
            "pull-filter accept \"route 10.7\"\n",
            "10.7.0.0/16",
            true,
            true,
        ),
    ] {
        let lab = edited(&options, lines);
        assert_up(&lab, &lab.up());
        let routes = routes_of_the_tunnel(&lab, "-4");
        assert!(routes.contains(own), "{lines}: {routes}");
        assert_eq!(routes.contains("10.7.0.0/16"), pushed, "{lines}: {routes}");
        names_come(&lab, names, lines);
    }
}

#[test]
fn what_the_user_sets_goes_before_what_is_pushed() {
    let (lab, before) = lab(&endpoint(&["--full-tunnel"]));
    for (settings, everything, names) in [
        (
            &[
                ("ipv4.never-default", "yes"),
                ("ipv4.routes", "10.99.0.0/16"),
            ][..],
            false,
            true,
        ),
        (
            &[
                ("ipv4.never-default", "no"),
                ("ipv4.ignore-auto-dns", "yes"),
            ][..],
            true,
            false,
        ),
    ] {
        for (setting, value) in settings {
            lab.modify(setting, value);
        }
        assert_up(&lab, &lab.up());
        assert_eq!(
            way_to(&lab, "203.0.113.7").contains("dev awsvpn"),
            everything,
            "{settings:?}"
        );
        names_come(&lab, names, &format!("{settings:?}"));
        take_down(&lab, &before);
    }
}

#[test]
fn pushed_routes_can_be_ignored_for_one_s_own() {
    let (lab, before) = lab(&endpoint(&["--route=10.99.0.0/16", "--route=10.7.0.0/16"]));
    lab.modify("ipv4.ignore-auto-routes", "yes");
    lab.modify("ipv4.routes", "10.99.0.0/24");
    assert_up(&lab, &lab.up());
    let routes = routes_of_the_tunnel(&lab, "-4");
    assert!(
        routes.contains("10.99.0.0/24") && !routes.contains("10.7.0.0"),
        "{routes}"
    );
    take_down(&lab, &before);
}

#[test]
fn the_interface_has_the_mtu_that_is_pushed() {
    let (lab, before) = lab(&endpoint(&["--tun-mtu=1400"]));
    assert_up(&lab, &lab.up());
    let link = lab.client.check(["sh", "-c", "ip link show | grep awsvpn"]);
    assert!(link.contains("mtu 1400"), "{link}\n{}", lab.journal());
    take_down(&lab, &before);
}

/// The server's machine takes no packet of more than 1300 bytes, and nobody is told so.
#[test]
fn ten_megabytes_pass_a_path_of_1300_bytes_that_drops_what_is_larger() {
    let (lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "mssfix=1280");
    lab.server
        .check(["ip", "link", "set", "eth0", "mtu", "1300"]);
    assert_up(&lab, &lab.up());
    ten_megabytes_pass(&lab);
    take_down(&lab, &before);
}

/// As most paths are that are narrower than their ends: who sends too much is told so.
#[test]
fn ten_megabytes_pass_a_path_of_1300_bytes_that_says_so() {
    let (lab, before) = lab(&Options::default());
    lab.client
        .check(["ip", "link", "set", "eth0", "mtu", "1300"]);
    lab.server
        .check(["ip", "link", "set", "eth0", "mtu", "1300"]);
    assert_up(&lab, &lab.up());
    ten_megabytes_pass(&lab);
    take_down(&lab, &before);
}

#[track_caller]
fn ten_megabytes_pass(lab: &Lab) {
    let mut server = lab.server.command("iperf3");
    server.args(["--server", "--bind", "10.99.0.2"]);
    let _server = lab.server.spawn_logged("iperf3", server);
    aws_client_vpn_harness::eventually("the server of iperf3 listens", SOON, || {
        let listening = lab.server.check(["ss", "-Hltn", "sport", "=", ":5201"]);
        (!listening.is_empty()).then_some(())
    });
    for direction in [None, Some("--reverse")] {
        let started = Instant::now();
        let mut client = lab.client.command("timeout");
        client
            .args(["300", "iperf3", "--client", "10.99.0.2", "--bytes", "10M"])
            .args(direction)
            .stdout(Stdio::piped());
        let output = client.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{direction:?}: stalls\n{text}");
        eprintln!("10 MB {direction:?} in {:?}", started.elapsed());
    }
}

/// The route to the network behind the tunnel, as the kernel shows it.
fn route_inside(lab: &Lab) -> String {
    lab.client.check(["ip", "route", "show", "10.99.0.0/16"])
}

#[test]
fn routes_that_another_program_changes_are_put_back_as_they_were() {
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    let route = route_inside(&lab);
    assert!(route.contains("dev awsvpn0"), "{route}");
    eventually("the service has seen the routes", SOON, || {
        lab.journal()
            .contains("that are looked after")
            .then_some(())
    });
    let began = Instant::now();
    // Taken away, and led elsewhere.
    for change in ["del", "replace"] {
        let words = route.split_whitespace();
        let metric: Vec<&str> = words.skip_while(|word| *word != "metric").take(2).collect();
        let mut line = vec!["ip", "route", change, "10.99.0.0/16"];
        if change == "replace" {
            line.extend(["via", "192.0.2.254", "dev", "eth0"]);
        }
        line.extend(&metric);
        lab.client.check(line);
        eventually("the route is put back", SOON, || {
            (route_inside(&lab) == route).then_some(())
        });
        lab.traffic_flows();
    }
    assert!(lab.journal().contains("is put back"), "{}", lab.journal());
    // Somebody insists: it is said once, and left alone for a while.
    eventually("it is left alone", SOON, || {
        drop(lab.client.run(["ip", "route", "del", "10.99.0.0/16"]));
        lab.journal().contains("again and again").then_some(())
    });
    let put_back = lab.journal().matches("is put back").count();
    // Three times a minute at most.
    let most = 3 * (1 + usize::try_from(began.elapsed().as_secs() / 60).unwrap());
    assert!(put_back <= most, "{put_back} times");
    assert_eq!(lab.journal().matches("again and again").count(), 1);
    assert_eq!(route_inside(&lab), "");
    // Its turn comes although nothing changes.
    eventually("the route is put back after a minute", SOON + SOON, || {
        (route_inside(&lab) == route).then_some(())
    });
    take_down(&lab, &before);
}

#[test]
fn routes_are_kept_while_the_page_of_a_renewal_is_open() {
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    let route = route_inside(&lab);
    eventually("the service has seen the routes", SOON, || {
        lab.journal()
            .contains("that are looked after")
            .then_some(())
    });
    lab.browser_did("done", SOON);
    lab.forget_browser_events();
    lab.set_browser(&Browser::Closed);
    lab.client.check(["aws-client-vpn", "renew", "vpn"]);
    lab.browser_did("opened", SOON);
    lab.client.check(["ip", "route", "del", "10.99.0.0/16"]);
    eventually("the route is put back", SOON, || {
        (route_inside(&lab) == route).then_some(())
    });
    lab.traffic_flows();
    take_down(&lab, &before);
    lab.set_browser(&Browser::Scripted);
}

/// The addresses of the tunnel's interface and the routes into it, but for what IPv6 has on each link.
fn of_the_tunnel(lab: &Lab) -> String {
    lab.client.check([
        "sh",
        "-c",
        "(ip -oneline address show dev awsvpn0 | sed 's/\\\\.*//'
        for family in -4 -6; do ip $family route show table all dev awsvpn0; done) |
            grep -v -e multicast -e anycast -e 'fe80:' || true",
    ])
}

/// The interface goes down and comes up, and loses its addresses.
#[track_caller]
fn outlives_its_interface_going_down(lab: &Lab, outside: &str) {
    eventually("the service has seen the routes", SOON, || {
        lab.journal()
            .contains("that are looked after")
            .then_some(())
    });
    let mut settled = of_the_tunnel(lab);
    eventually("its addresses and routes stay as they are", SOON, || {
        let before = std::mem::replace(&mut settled, of_the_tunnel(lab));
        std::thread::sleep(Duration::from_secs(1));
        (settled == before).then_some(())
    });
    let down_and_up = "ip link set awsvpn0 down; ip link set awsvpn0 up";
    let down_for_a_while = "ip link set awsvpn0 down; sleep 2; ip link set awsvpn0 up";
    for change in [
        down_and_up,
        down_for_a_while,
        down_for_a_while,
        "ip address flush dev awsvpn0",
    ] {
        lab.client.check(["sh", "-c", change]);
        let is_as_before = wait_for(SOON, || (of_the_tunnel(lab) == settled).then_some(()));
        assert!(
            is_as_before.is_some(),
            "{change}: not as before: {settled}\nbut: {}\n{}",
            of_the_tunnel(lab),
            lab.journal()
        );
        assert!(way_to(lab, outside).contains("dev awsvpn0"), "{change}");
        lab.traffic_flows();
    }
    let journal = lab.journal();
    assert!(!journal.contains("again and again"), "{journal}");
}

#[test]
fn a_split_tunnel_outlives_its_interface_going_down() {
    let options = ["--ipv6", "--route=10.99.0.0/16", "--route=fd00:99::/32"];
    let (lab, before) = lab(&endpoint(&options));
    assert_up(&lab, &lab.up());
    outlives_its_interface_going_down(&lab, "10.99.0.2");
    lab.ipv6_traffic_flows();
    take_down(&lab, &before);
    // What goes with a connection that is taken down was taken by nobody.
    let put_back = lab.journal().matches("put back").count();
    for _ in 0..3 {
        assert_up(&lab, &lab.up());
        take_down(&lab, &before);
    }
    assert_eq!(lab.journal().matches("put back").count(), put_back);
}

#[test]
fn a_full_tunnel_that_stops_what_is_outside_outlives_its_interface_going_down() {
    let (lab, before) = lab(&endpoint(&["--full-tunnel"]));
    for setting in ["kill-switch=yes", "enforce-routes=yes"] {
        lab.modify("+vpn.data", setting);
    }
    assert_up(&lab, &lab.up());
    outlives_its_interface_going_down(&lab, "203.0.113.7");
    take_down(&lab, &before);
}

#[test]
fn routes_are_not_kept_where_the_user_says_so() {
    let (lab, before) = lab(&Options::default());
    lab.modify("+vpn.data", "keep-routes=no");
    assert_up(&lab, &lab.up());
    lab.client.check(["ip", "route", "del", "10.99.0.0/16"]);
    // In the time in which the other test's route comes back.
    let _ = wait_for(Duration::from_secs(2), || {
        assert_eq!(route_inside(&lab), "");
        None::<()>
    });
    assert!(!lab.journal().contains("put back"));
    take_down(&lab, &before);
}

#[test]
fn an_endpoint_of_aws_is_found_under_a_random_label_whatever_the_profile_says() {
    let (lab, before) = lab(&Options::default());
    lab.modify("-vpn.data", "remote-random-hostname");
    let data = lab.client.check([
        "nmcli",
        "--get-values",
        "vpn.data",
        "connection",
        "show",
        "vpn",
    ]);
    assert!(!data.contains("remote-random-hostname"), "{data}");
    assert_up(&lab, &lab.up());
    let lookups = lab.endpoint_events().named("lookup");
    let names = lookups.iter().filter_map(|lookup| lookup["name"].as_str());
    let labels: Vec<_> = names
        .filter_map(|name| name.split_once(".cvpn-endpoint-"))
        .map(|(label, _)| label)
        .collect();
    assert!(
        !labels.is_empty() && labels.iter().all(|label| label.len() > 8),
        "{lookups:?}"
    );
    take_down(&lab, &before);
}

/// As at home with IPv6, and then at a hotel without.
#[test]
fn an_endpoint_of_both_families_is_reached_where_a_network_has_only_the_other() {
    let (lab, _) = lab(&endpoint(&["--auth-token"]));
    lab.server.check([
        "sh",
        "-ec",
        "echo 0 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6
        ip -6 address add 2001:db8:1::1/64 dev eth0 nodad",
    ]);
    let mut relay = lab.server.command("socat");
    relay.args([
        "-T600",
        "UDP6-LISTEN:443,bind=[2001:db8:1::1],fork,reuseaddr",
        "UDP4:192.0.2.1:443",
    ]);
    let _relay = lab.server.spawn_logged("relay", relay);
    lab.client.check([
        "sh",
        "-ec",
        "echo 0 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6
        printf '2001:db8:1::1 both.example\n192.0.2.1 both.example\n' >>/etc/hosts
        nmcli connection modify base ipv6.method manual ipv6.addresses 2001:db8:1::10/64
        nmcli --wait 300 connection up base",
    ]);
    eventually("the relay is there", SOON, || {
        let listening = lab.server.check(["ss", "-Hlun", "sport", "=", ":443"]);
        let ping = ["ping", "-c", "1", "-W", "1", "2001:db8:1::1"];
        let is_there = listening.contains("2001:db8:1::1") && lab.client.run(ping).status.success();
        is_there.then_some(())
    });
    lab.modify("+vpn.data", "remote=both.example 443 udp");
    lab.modify("-vpn.data", "remote-random-hostname");
    assert_up(&lab, &lab.up());
    let connects_to = |address: &str| {
        let words = format!("connecting to both.example at {address} port 443");
        lab.journal().contains(&words)
    };
    assert!(connects_to("2001:db8:1::1"), "{}", lab.journal());
    lab.client.check([
        "sh",
        "-ec",
        "nmcli connection modify base ipv6.method disabled ipv6.addresses ''
        nmcli --wait 300 device reapply eth0",
    ]);
    eventually("it is reached over IPv4", SOON * 2, || {
        (connects_to("192.0.2.1") && lab.has_traffic()).then_some(())
    });
    assert!(lab.down().status.success());
}

#[test]
fn the_second_endpoint_of_a_profile_is_reached_where_the_first_has_no_address() {
    let (lab, before) = lab(&Options::default());
    let aws = "cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com";
    // A comma ends an item of nmcli's.
    let remotes = format!("remote=nowhere.example 443 udp\\, {aws} 443 udp");
    lab.modify("+vpn.data", &remotes);
    assert_up(&lab, &lab.up());
    assert!(
        lab.journal().contains("could not find an address"),
        "{}",
        lab.journal()
    );
    take_down(&lab, &before);
}
