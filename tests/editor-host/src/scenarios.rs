//! What a host does with an editor, whatever its toolkit: looks at it, types into it, saves, and
//! closes it; and what it must not do and the editor has to withstand.

use crate::installed::Installed;
use crate::{Editor, Host, Imported, SERVICE, resident_kib};
use aws_client_vpn_libnm::ffi::{NMConnection, NMVpnEditor};
use aws_client_vpn_libnm::library::EDITOR_FACTORY;
use aws_client_vpn_libnm::{Toolkit as Kind, VpnEditor};
use aws_client_vpn_profile::keys::REMOTE;
use glib::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::rc::Rc;

/// The toolkit's part of a host.
pub trait Toolkit {
    /// Which one.
    const KIND: Kind;

    /// Starts it.
    fn start();

    /// The widgets in a widget.
    fn children(widget: &glib::Object) -> Vec<glib::Object>;

    /// Puts the widget where a host puts it, and takes it away again.
    fn hold_and_release(widget: &glib::Object);

    /// Picks one of the choices of a field.
    fn choose(target: &glib::Object, index: u32);

    /// Shows the widget in a window until the program is ended.
    fn show(widget: &glib::Object, is_dark: bool);
}

const ROOT: &str = include_str!("../../../nm-plugin/core/profile/tests/certificates/root.pem");
const CLIENT: &str = include_str!("../../../nm-plugin/core/profile/tests/certificates/client.pem");

/// A profile with all that an editor shows.
#[must_use]
pub fn profile(sign_in: &str) -> String {
    let mut text = format!(
        "client\ndev tun\nproto udp\n\
         remote cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com 443\n\
         remote-random-hostname\nremote-cert-tls server\ncipher AES-256-GCM\nreneg-sec 0\n\
         verify-x509-name server.example name\nmssfix 1400\nkeepalive 10 60\n<ca>\n{ROOT}</ca>\n"
    );
    if sign_in.contains("saml") {
        text.push_str("auth-federate\n");
    }
    if sign_in.contains("password") {
        text.push_str("auth-user-pass\nstatic-challenge \"Enter MFA code\" 1\n");
    }
    if sign_in.contains("certificate") {
        text.push_str(&format!(
            "<cert>\n{CLIENT}</cert>\n<key>\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nU0VDUkVU\n\
             -----END ENCRYPTED PRIVATE KEY-----\n</key>\n"
        ));
    }
    text
}

fn imported(host: &Host, sign_in: &str) -> Imported {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("Company VPN.ovpn");
    std::fs::write(&path, profile(sign_in)).expect("written");
    host.import(&path).expect("imported")
}

/// Does what the arguments of the program say.
pub fn main<T: Toolkit>() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let installed = Installed::new();
    let host = Host::with(&installed.plugin());
    T::start();
    match words.as_slice() {
        ["use"] => {
            shows_edits_and_saves::<T>(&host);
            withstands_wrong_callers::<T>(&host, &installed);
            println!("ok");
        }
        ["cycles", number] => {
            let growth = cycles::<T>(&host, number.parse().expect("a number"));
            println!("{growth}");
        }
        ["show", sign_in, rest @ ..] => {
            let connection = match *sign_in {
                "new" => Imported::vpn("new", SERVICE, &BTreeMap::new()),
                sign_in => imported(&host, sign_in),
            };
            let editor = host.editor(&connection).expect("an editor");
            let widget = editor.widget().expect("a widget");
            if rest.contains(&"advanced") {
                unfold::<T>(&widget);
            }
            if rest.contains(&"wrong") {
                unfold::<T>(&widget);
                set::<T>(&widget, "_Endpoint", "https://vpn.example/");
                set::<T>(&widget, "_MTU (bytes)", "12");
            }
            T::show(&widget, rest.contains(&"dark"));
        }
        other => panic!("{other:?}: use | cycles NUMBER | show SIGN-IN [advanced] [wrong] [dark]"),
    }
}

fn shows_edits_and_saves<T: Toolkit>(host: &Host) {
    let connection = imported(host, "password certificate");
    let before = connection.read();
    let editor = host.editor(&connection).expect("an editor");
    let widget = editor.widget().expect("a widget");
    assert_eq!(
        editor.widget().as_ref(),
        Some(&widget),
        "the same each time"
    );
    let changed = Rc::new(Cell::new(0));
    let count = Rc::clone(&changed);
    editor.object().connect_local("changed", false, move |_| {
        count.set(count.get() + 1);
        None
    });

    // Nothing was touched.
    editor.update(&connection).expect("saved");
    assert!(connection.read().data() == before.data());
    assert!(connection.read().secrets() == before.secrets());
    assert_eq!(changed.get(), 0);

    // Something wrong is said, at the field and to the host, and nothing is saved.
    set::<T>(&widget, "_Endpoint", "not a name");
    assert!(changed.get() > 0, "the host is told");
    let error = editor.update(&connection).expect_err("refused");
    assert!(error.message().starts_with("Endpoint: "), "{error}");
    assert!(connection.read().data() == before.data());
    let said = "“a” is neither a port nor a protocol.";
    assert!(labels::<T>(&widget).contains(&said.to_owned()));
    set::<T>(&widget, "_Endpoint", "vpn.example");
    assert!(!labels::<T>(&widget).contains(&said.to_owned()));

    // What is right is saved, with what it asks for and nothing else.
    set::<T>(&widget, "P_ort", "1194");
    editor.update(&connection).expect("saved");
    let mut expected = before.data();
    expected.insert(REMOTE.to_owned(), "vpn.example 1194 udp".to_owned());
    assert!(connection.read().data() == expected);
    assert_eq!(connection.read().timeout(), before.timeout());

    // What is folded away shows itself as soon as something in it is wrong.
    unfold::<T>(&widget);
    set::<T>(&widget, "_MTU (bytes)", "12");
    fold::<T>(&widget, false);
    editor.update(&connection).expect_err("refused");
    set::<T>(&widget, "P_ort", "443");
    assert!(expander::<T>(&widget).property::<bool>("expanded"));

    // What has nothing to do with another way to sign in goes, also when a host shows all widgets.
    assert!(labels::<T>(&widget).contains(&"_Password".to_owned()));
    let sign_in = target::<T>(&widget, "_Sign in with").expect("a field");
    T::choose(&sign_in, 0);
    T::hold_and_release(&widget);
    assert!(!labels::<T>(&widget).contains(&"_Password".to_owned()));
    T::choose(&sign_in, 3);
    assert!(labels::<T>(&widget).contains(&"_Password".to_owned()));

    // Each label leads to its widget, which is how a screen reader knows its name.
    for title in [
        "_Endpoint",
        "P_rotocol",
        "_Password",
        "Private ke_y",
        "_Further directives",
    ] {
        assert!(target::<T>(&widget, title).is_some(), "{title}");
    }
    T::hold_and_release(&widget);
}

fn withstands_wrong_callers<T: Toolkit>(host: &Host, installed: &Installed) {
    let connection = imported(host, "saml");
    let editor = host.editor(&connection).expect("an editor");
    let interface = *editor
        .object()
        .interface::<VpnEditor>()
        .expect("it is an editor")
        .as_ref();
    let update = interface.update_connection.expect("it has one");
    let raw = editor.object().as_ptr();
    let mut error = ptr::null_mut();
    // SAFETY: null and an object of another class are what the entry must withstand.
    unsafe {
        for wrong in [ptr::null_mut(), raw.cast::<NMConnection>()] {
            assert_eq!(update(raw, wrong, &raw mut error), 0);
            assert!(!error.is_null(), "it says why");
            glib::ffi::g_clear_error(&raw mut error);
            assert_eq!(update(raw, wrong, ptr::null_mut()), 0);
        }
    }

    // The way in that the plugin uses.
    let path = installed.directory().join(T::KIND.library_name());
    let path = CString::new(path.as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: the library is open already; the symbol has this type.
    let factory = unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY);
        let symbol = libc::dlsym(library, EDITOR_FACTORY.as_ptr());
        assert!(!symbol.is_null(), "the factory");
        std::mem::transmute::<
            *mut libc::c_void,
            unsafe extern "C" fn(
                *mut libc::c_void,
                *mut NMConnection,
                *mut *mut glib::ffi::GError,
            ) -> *mut NMVpnEditor,
        >(symbol)
    };
    // SAFETY: as above.
    unsafe {
        for wrong in [ptr::null_mut(), raw.cast::<NMConnection>()] {
            assert!(factory(ptr::null_mut(), wrong, &raw mut error).is_null());
            assert!(!error.is_null(), "it says why");
            glib::ffi::g_clear_error(&raw mut error);
            assert!(factory(ptr::null_mut(), wrong, ptr::null_mut()).is_null());
        }
    }

    // A connection with nothing in it, and one whose items make no sense.
    let nothing = Imported::vpn("new", SERVICE, &BTreeMap::new());
    let error = host.editor(&nothing).expect("an editor").update(&nothing);
    assert!(error.expect_err("refused").message().contains("Endpoint"));
    let odd = BTreeMap::from([(REMOTE, "\u{1}"), ("ca", "\\x"), ("options", "\\")])
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let odd = Imported::vpn("odd", SERVICE, &odd);
    let editor = host.editor(&odd).expect("an editor");
    editor.update(&odd).expect_err("refused");
    T::hold_and_release(&editor.widget().expect("a widget"));
}

/// Opens and closes editors; returns by how much the host grew, in KiB.
fn cycles<T: Toolkit>(host: &Host, number: u32) -> u64 {
    let connection = imported(host, "saml");
    let cycle = || {
        let editor: Editor = host.editor(&connection).expect("an editor");
        let widget = editor.widget().expect("a widget");
        T::hold_and_release(&widget);
        editor.update(&connection).expect("saved");
    };
    // What is made once is there after a few.
    (0..100).for_each(|_| cycle());
    let before = resident_kib();
    (0..number).for_each(|_| cycle());
    resident_kib().saturating_sub(before)
}

fn all<T: Toolkit>(widget: &glib::Object) -> Vec<glib::Object> {
    descend::<T>(widget, |_| true)
}

/// The widget and those in it, as long as they are wanted.
fn descend<T: Toolkit>(
    widget: &glib::Object,
    is_wanted: impl Fn(&glib::Object) -> bool,
) -> Vec<glib::Object> {
    let mut found = vec![widget.clone()];
    let mut next = 0;
    while let Some(widget) = found.get(next).cloned() {
        found.extend(T::children(&widget).into_iter().filter(&is_wanted));
        next += 1;
    }
    found
}

/// The texts of the labels that can be seen.
fn labels<T: Toolkit>(widget: &glib::Object) -> Vec<String> {
    descend::<T>(widget, |widget| widget.property("visible"))
        .iter()
        .filter(|widget| widget.type_().name() == "GtkLabel")
        .map(|widget| widget.property::<String>("label"))
        .collect()
}

fn expander<T: Toolkit>(widget: &glib::Object) -> glib::Object {
    all::<T>(widget)
        .into_iter()
        .find(|widget| widget.type_().name() == "GtkExpander")
        .expect("an expander")
}

fn fold<T: Toolkit>(widget: &glib::Object, is_open: bool) {
    expander::<T>(widget).set_property("expanded", is_open);
}

fn unfold<T: Toolkit>(widget: &glib::Object) {
    fold::<T>(widget, true);
}

/// What the label with this title leads to.
fn target<T: Toolkit>(widget: &glib::Object, title: &str) -> Option<glib::Object> {
    all::<T>(widget)
        .iter()
        .filter(|widget| widget.type_().name() == "GtkLabel")
        .find(|widget| widget.property::<String>("label") == title)?
        .property::<Option<glib::Object>>("mnemonic-widget")
}

/// Types a text into the field with this title.
fn set<T: Toolkit>(widget: &glib::Object, title: &str, text: &str) {
    let target = target::<T>(widget, title).unwrap_or_else(|| panic!("no field {title}"));
    target.set_property("text", text);
}
