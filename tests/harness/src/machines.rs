//! How the two machines of a lab are furnished: file system, cable, browser.

use crate::endpoint::{DNS, NODES};
use crate::world::{TARGET_INSIDE, World};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// The lab's file with the seconds that [`PRE_DOWN`] takes.
pub(crate) const PRE_DOWN_DELAY: &str = "pre-down-delay";
/// The lab's log of the calls of [`PRE_DOWN`].
pub(crate) const PRE_DOWN_LOG: &str = "pre-down";
/// A dispatcher script that NetworkManager waits for before it takes a connection down. Most
/// computers have one, so that a connection stays in "deactivating" for a while.
const PRE_DOWN: &str = "#!/bin/sh\n\
    echo \"$1 $2 $CONNECTION_ID\" >>/run/lab/logs/pre-down.log\n\
    sleep \"$(cat /run/lab/pre-down-delay 2>/dev/null || echo 0)\"\n";

/// Shell that makes the client's file system its own.
pub(crate) fn client_setup(product: bool) -> String {
    let usr = if product {
        format!(
            "mount -t overlay overlay -o lowerdir={TARGET_INSIDE}/stage/usr:/usr /usr\n\
             systemd-sysusers /usr/lib/sysusers.d/nm-aws-client-vpn.conf\n\
             install -d -m 711 /run/nm-aws-client-vpn\n"
        )
    } else {
        String::new()
    };
    let connections = connections("");
    let scripts = "/etc/NetworkManager/dispatcher.d/pre-down.d";
    format!(
        "mkdir /run/overlay/etc /run/overlay/work\n\
         mount -t overlay overlay \
         -o lowerdir=/etc,upperdir=/run/overlay/etc,workdir=/run/overlay/work /etc\n\
         mount -t tmpfs -o mode=700 tmpfs /var/lib/NetworkManager\n\
         mount -t tmpfs -o mode=1777 tmpfs /dev/shm\n\
         hostname acv-client\n\
         echo '127.0.0.1 localhost acv-client' >/etc/hosts\n\
         rm -f /etc/resolv.conf\n\
         echo 'nameserver {DNS}' >/etc/resolv.conf\n\
         rm -rf /etc/NetworkManager\n\
         {connections}\
         mkdir -p {scripts}\n\
         cat >{scripts}/50-lab <<'END'\n{PRE_DOWN}END\n\
         chmod 755 {scripts}/50-lab\n{usr}"
    )
}

/// Shell that writes what NetworkManager knows of the cables, in the file system at `root`.
pub(crate) fn connections(root: &str) -> String {
    let directory = format!("{root}/etc/NetworkManager/system-connections");
    format!(
        "mkdir -p {directory}\n\
         cat >{directory}/base.nmconnection <<'END'\n\
         [connection]\nid=base\nuuid=11111111-1111-4111-8111-111111111111\ntype=ethernet\n\
         interface-name=eth0\nautoconnect=true\n\
         [ipv4]\nmethod=manual\naddress1=192.0.2.10/24,192.0.2.254\ndns={DNS};\n\
         [ipv6]\nmethod=disabled\n\
         END\n\
         cat >{directory}/other.nmconnection <<'END'\n\
         [connection]\nid=other\nuuid=22222222-2222-4222-8222-222222222222\ntype=ethernet\n\
         interface-name=eth1\nautoconnect=false\n\
         [ipv4]\nmethod=manual\naddress1=198.51.100.10/24,198.51.100.254\ndns={DNS};\n\
         [ipv6]\nmethod=disabled\n\
         END\n\
         chmod 600 {directory}/*.nmconnection\n"
    )
}

/// A cable between the two, and the server's addresses on it.
pub(crate) fn cable(client: &World, server: &World) {
    plug(client, server, "eth0");
    give_addresses(server);
}

/// The server's addresses on the cable, whose end is `eth0`.
pub(crate) fn give_addresses(server: &World) {
    let addresses = NODES
        .iter()
        .copied()
        .chain([DNS, "192.0.2.80", "192.0.2.254"]);
    for address in addresses {
        let address = format!("{address}/24");
        server.check(["ip", "address", "add", &address, "dev", "eth0"]);
    }
    server.check(["ip", "link", "set", "eth0", "up"]);
}

/// A second one, to another network; the server is a router there.
pub(crate) fn second_cable(client: &World, server: &World) {
    plug(client, server, "eth1");
    server.check(["ip", "address", "add", "198.51.100.254/24", "dev", "eth1"]);
    server.check(["ip", "link", "set", "eth1", "up"]);
}

fn plug(client: &World, server: &World, name: &str) {
    let peer = server.init().to_string();
    let mut command = Command::new("nsenter");
    // The peer's namespace is named by a process number as seen from outside.
    command
        .args([
            "-t",
            &client.init().to_string(),
            "--net",
            "ip",
            "link",
            "add",
            name,
        ])
        .args(["type", "veth", "peer", "name", name, "netns", &peer]);
    let output = command.output().expect("nsenter (util-linux) can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Lets every user of a machine write into the shared directory.
pub(crate) fn let_everybody_write(dir: &Path) {
    for part in ["", "logs"] {
        fs::set_permissions(dir.join(part), fs::Permissions::from_mode(0o777))
            .expect("the directory is ours");
    }
}

/// What the auth dialog finds as browser.
pub(crate) fn write_browser(dir: &Path) {
    let script = "#!/bin/sh\n\
        # Called as xdg-open URL or gio open URL.\n\
        for url; do :; done\n\
        read -r plan </run/lab/browser.json\n\
        case $plan in *missing*) exit 3 ;; esac\n\
        setsid /run/lab-programs/lab-tool browser \"$url\" \
        </dev/null >>/run/lab/logs/browser.log 2>&1 &\n";
    for name in ["xdg-open", "gio"] {
        let path = dir.join("bin").join(name);
        fs::write(&path, script).expect("the lab is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    }
}
