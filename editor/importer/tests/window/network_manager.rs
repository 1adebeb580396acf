//! A NetworkManager that is played: it keeps what it is told, and tells what the test says.

use aws_client_vpn_importer::connection::Settings;
use gtk::gio::{self, DBusConnection, DBusMethodInvocation};
use gtk::glib::Variant;
use gtk::glib::variant::{FromVariant, ObjectPath, ToVariant};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const NAME: &str = "org.freedesktop.NetworkManager";
const PATH: &str = "/org/freedesktop/NetworkManager";
const CONNECTION_PATH: &str = "/org/freedesktop/NetworkManager/Settings/7";
const ACTIVE_PATH: &str = "/org/freedesktop/NetworkManager/ActiveConnection/9";
/// Of the connection that is kept.
pub(crate) const UUID: &str = "6b0c6a3e-0000-4000-8000-000000000001";

const INTERFACES: &str = r#"<node>
<interface name="org.freedesktop.NetworkManager">
  <method name="ActivateConnection">
    <arg type="o" direction="in"/><arg type="o" direction="in"/><arg type="o" direction="in"/>
    <arg type="o" direction="out"/>
  </method>
  <method name="DeactivateConnection"><arg type="o" direction="in"/></method>
</interface>
<interface name="org.freedesktop.NetworkManager.Settings">
  <method name="ListConnections"><arg type="ao" direction="out"/></method>
  <method name="AddConnection2">
    <arg type="a{sa{sv}}" direction="in"/><arg type="u" direction="in"/>
    <arg type="a{sv}" direction="in"/>
    <arg type="o" direction="out"/><arg type="a{sv}" direction="out"/>
  </method>
</interface>
<interface name="org.freedesktop.NetworkManager.Settings.Connection">
  <method name="GetSettings"><arg type="a{sa{sv}}" direction="out"/></method>
  <method name="GetSecrets">
    <arg type="s" direction="in"/><arg type="a{sa{sv}}" direction="out"/>
  </method>
  <method name="Update2">
    <arg type="a{sa{sv}}" direction="in"/><arg type="u" direction="in"/>
    <arg type="a{sv}" direction="in"/><arg type="a{sv}" direction="out"/>
  </method>
</interface>
</node>"#;

#[derive(Default)]
struct Play {
    kept: Option<Settings>,
    added: Option<Settings>,
    updated: Option<Settings>,
    denies: bool,
    withholds: bool,
}

pub(crate) struct Played {
    bus: DBusConnection,
    play: Rc<RefCell<Play>>,
}

/// Settings, for the test to look at.
pub(crate) struct Told(Settings);

impl Told {
    fn property<T: FromVariant>(&self, setting: &str, name: &str) -> Option<T> {
        self.0.get(setting)?.get(name)?.get()
    }

    pub(crate) fn name(&self) -> String {
        self.property("connection", "id").unwrap()
    }

    pub(crate) fn uuid(&self) -> String {
        self.property("connection", "uuid").unwrap()
    }

    pub(crate) fn permissions(&self) -> Vec<String> {
        self.property("connection", "permissions").unwrap()
    }

    pub(crate) fn data(&self, key: &str) -> Option<String> {
        let mut data: BTreeMap<String, String> = self.property("vpn", "data")?;
        data.remove(key)
    }

    pub(crate) fn secret(&self, key: &str) -> Option<String> {
        let mut secrets: BTreeMap<String, String> = self.property("vpn", "secrets")?;
        secrets.remove(key)
    }
}

impl Played {
    pub(crate) fn on_system_bus() -> Self {
        let address = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap();
        let flags = gio::DBusConnectionFlags::AUTHENTICATION_CLIENT
            | gio::DBusConnectionFlags::MESSAGE_BUS_CONNECTION;
        let none = gio::Cancellable::NONE;
        let bus = DBusConnection::for_address_sync(&address, flags, None, none).unwrap();
        let play = Rc::new(RefCell::new(Play::default()));
        let node = gio::DBusNodeInfo::for_xml(INTERFACES).unwrap();
        for interface in ["", ".Settings", ".Settings.Connection"] {
            let path = match interface {
                "" => PATH.to_owned(),
                ".Settings" => format!("{PATH}/Settings"),
                _ => CONNECTION_PATH.to_owned(),
            };
            let info = node
                .lookup_interface(&format!("{NAME}{interface}"))
                .unwrap();
            let play = play.clone();
            bus.register_object(&path, &info)
                .method_call(move |bus, _, _, _, method, parameters, invocation| {
                    answer(
                        &bus,
                        &mut play.borrow_mut(),
                        method,
                        &parameters,
                        invocation,
                    );
                })
                .build()
                .unwrap();
        }
        gio::bus_own_name_on_connection(
            &bus,
            NAME,
            gio::BusNameOwnerFlags::NONE,
            |_, _| {},
            |_, _| panic!("no name on the bus"),
        );
        Self { bus, play }
    }

    pub(crate) fn added(&self) -> Told {
        Told(self.play.borrow().added.clone().expect("nothing was added"))
    }

    pub(crate) fn updated(&self) -> Told {
        Told(
            self.play
                .borrow()
                .updated
                .clone()
                .expect("nothing was updated"),
        )
    }

    pub(crate) fn forget(&self) {
        self.play.replace(Play::default());
    }

    pub(crate) fn deny(&self) {
        self.play.borrow_mut().denies = true;
    }

    /// No agent answers, so no secrets are given out.
    pub(crate) fn withhold(&self) {
        self.play.borrow_mut().withholds = true;
    }

    /// There is a connection to `host`.
    pub(crate) fn keep_one(&self, name: &str, host: &str) {
        let data = BTreeMap::from([
            ("remote", format!("{host} 1194 tcp")),
            ("sign-in", "password".to_owned()),
            ("login-timeout", "120".to_owned()),
        ]);
        let service = "org.freedesktop.NetworkManager.aws-client-vpn";
        let setting = |properties: Vec<(&str, Variant)>| {
            let named = properties
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value));
            named.collect::<BTreeMap<String, Variant>>()
        };
        let kept = BTreeMap::from([
            (
                "connection".to_owned(),
                setting(vec![
                    ("id", name.to_variant()),
                    ("uuid", UUID.to_variant()),
                    ("type", "vpn".to_variant()),
                ]),
            ),
            (
                "vpn".to_owned(),
                setting(vec![
                    ("service-type", service.to_variant()),
                    ("data", data.to_variant()),
                ]),
            ),
        ]);
        self.play.borrow_mut().kept = Some(kept);
    }

    /// The state of the connection that was activated.
    pub(crate) fn tell(&self, state: u32, reason: u32) {
        tell(&self.bus, state, reason);
    }
}

fn tell(bus: &DBusConnection, state: u32, reason: u32) {
    let interface = "org.freedesktop.NetworkManager.VPN.Connection";
    let parameters = (state, reason).to_variant();
    bus.emit_signal(
        None,
        ACTIVE_PATH,
        interface,
        "VpnStateChanged",
        Some(&parameters),
    )
    .unwrap();
}

fn answer(
    bus: &DBusConnection,
    play: &mut Play,
    method: &str,
    parameters: &Variant,
    invocation: DBusMethodInvocation,
) {
    let path = |path: &str| ObjectPath::try_from(path.to_owned()).unwrap();
    let settings = || parameters.child_value(0).get::<Settings>().unwrap();
    let nothing = BTreeMap::<String, Variant>::new();
    if play.denies && matches!(method, "AddConnection2" | "Update2") {
        let name = "org.freedesktop.NetworkManager.Settings.PermissionDenied";
        invocation.return_dbus_error(name, "Insufficient privileges");
        return;
    }
    if play.withholds && method == "GetSecrets" {
        let name = "org.freedesktop.NetworkManager.AgentManager.NoSecrets";
        invocation.return_dbus_error(name, "No agents were available for this request.");
        return;
    }
    let reply = match method {
        "ListConnections" => {
            let paths: Vec<ObjectPath> = play.kept.iter().map(|_| path(CONNECTION_PATH)).collect();
            (paths,).to_variant()
        }
        "GetSettings" => (play.kept.clone().unwrap_or_default(),).to_variant(),
        "GetSecrets" => {
            let secrets = BTreeMap::from([("password", "kept")]).to_variant();
            let vpn = BTreeMap::from([("secrets", secrets)]);
            (BTreeMap::from([("vpn", vpn)]),).to_variant()
        }
        "AddConnection2" => {
            play.added = Some(settings());
            (path(CONNECTION_PATH), nothing).to_variant()
        }
        "Update2" => {
            play.updated = Some(settings());
            (nothing,).to_variant()
        }
        "ActivateConnection" => {
            // Told before the reply, as a fast service would.
            tell(bus, 2, 0);
            (path(ACTIVE_PATH),).to_variant()
        }
        _ => ().to_variant(),
    };
    invocation.return_value(Some(&reply));
}
