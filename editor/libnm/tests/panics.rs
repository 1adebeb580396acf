//! A plugin and an editor that panic in everything they do, called through libnm: the host gets
//! errors and lives on.
#![expect(unsafe_code, reason = "the host's side of a C interface")]

use aws_client_vpn_libnm::{
    Connection, VpnEditor, VpnEditorImpl, VpnEditorPlugin, VpnEditorPluginImpl, editor,
    editor_plugin, ffi,
};
use glib::ffi::{GError, gboolean};
use glib::prelude::*;
use glib::subclass::prelude::*;
use glib::translate::from_glib_full;
use std::ffi::c_char;
use std::path::Path;
use std::ptr;

glib::wrapper! {
    struct Panicking(ObjectSubclass<PanickingClass>) @implements VpnEditorPlugin;
}

#[derive(Default)]
struct PanickingClass;

#[glib::object_subclass]
impl ObjectSubclass for PanickingClass {
    const NAME: &'static str = "PanickingEditorPlugin";
    type Type = Panicking;
    type Interfaces = (VpnEditorPlugin,);
}

impl ObjectImpl for PanickingClass {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: std::sync::OnceLock<Vec<glib::ParamSpec>> = std::sync::OnceLock::new();
        PROPERTIES.get_or_init(|| {
            ["name", "description", "service"]
                .map(glib::ParamSpecOverride::for_interface::<VpnEditorPlugin>)
                .into()
        })
    }

    fn property(&self, _id: usize, _property: &glib::ParamSpec) -> glib::Value {
        "panicking".to_value()
    }
}

impl VpnEditorPluginImpl for PanickingClass {
    fn editor(&self, _connection: &Connection) -> Result<VpnEditor, glib::Error> {
        panic!("on purpose")
    }

    fn import(&self, _path: &Path) -> Result<Connection, glib::Error> {
        panic!("on purpose")
    }

    fn export(&self, _path: &Path, _connection: &Connection) -> Result<(), glib::Error> {
        panic!("on purpose")
    }

    fn suggested_filename(&self, _connection: &Connection) -> Option<String> {
        panic!("on purpose")
    }
}

glib::wrapper! {
    struct PanickingEditor(ObjectSubclass<PanickingEditorClass>) @implements VpnEditor;
}

#[derive(Default)]
struct PanickingEditorClass;

#[glib::object_subclass]
impl ObjectSubclass for PanickingEditorClass {
    const NAME: &'static str = "PanickingEditor";
    type Type = PanickingEditor;
    type Interfaces = (VpnEditor,);
}

impl ObjectImpl for PanickingEditorClass {}

impl VpnEditorImpl for PanickingEditorClass {
    fn widget(&self) -> Option<glib::Object> {
        panic!("on purpose")
    }

    fn update(&self, _connection: &Connection) -> Result<(), glib::Error> {
        panic!("on purpose")
    }
}

type Interface = ffi::NMVpnEditorPluginInterface;

#[test]
fn an_editor_that_panics_is_an_error_or_nothing() {
    let made: PanickingEditor = glib::Object::new();
    let raw = made.upcast_ref::<VpnEditor>().as_ptr();
    let interface = *made.interface::<VpnEditor>().expect("an editor").as_ref();
    // SAFETY: a new object, unref'd below.
    let connection = unsafe { ffi::nm_simple_connection_new() };
    // SAFETY, for each: the vtable's own entries, with a live editor and connection; and the
    // factory as the plugin calls it.
    unsafe {
        assert!((interface.get_widget.expect("set"))(raw).is_null());
        let update = interface.update_connection.expect("set");
        assert!(failed(|error| update(raw, connection, error) == 0).contains("mistake"));
        assert_eq!(
            update(raw, connection, ptr::null_mut()),
            0,
            "no error wanted"
        );
        let panicking =
            |_: &Connection| -> Result<PanickingEditor, glib::Error> { panic!("on purpose") };
        assert!(
            failed(|error| editor::factory(connection, error, panicking).is_null())
                .contains("mistake")
        );
        glib::gobject_ffi::g_object_unref(connection.cast());
    }
}

#[test]
fn each_panic_is_an_error_or_nothing() {
    let plugin = new(|| glib::Object::new::<Panicking>()).expect("an object");
    let raw = plugin.as_ptr();
    let interface = vtable(&plugin);
    // SAFETY: a new object, unref'd below.
    let connection = unsafe { ffi::nm_simple_connection_new() };

    // SAFETY, for each: the vtable's own entries, with a live plugin and connection.
    unsafe {
        let import = interface.import_from_file.expect("set");
        assert!(failed(|error| import(raw, c"/x".as_ptr(), error).is_null()).contains("mistake"));
        let export = interface.export_to_file.expect("set");
        assert!(
            failed(|error| export(raw, c"/x".as_ptr(), connection, error) == 0).contains("mistake")
        );
        let editor = interface.get_editor.expect("set");
        assert!(failed(|error| editor(raw, connection, error).is_null()).contains("mistake"));
        assert!((interface.get_suggested_filename.expect("set"))(raw, connection).is_null());

        assert!(
            import(raw, c"/x".as_ptr(), ptr::null_mut()).is_null(),
            "no error wanted"
        );
        glib::gobject_ffi::g_object_unref(connection.cast());
    }
}

#[test]
fn wrong_arguments_are_errors() {
    let plugin = new(|| glib::Object::new::<Panicking>()).expect("an object");
    let raw = plugin.as_ptr();
    let interface = vtable(&plugin);
    let export: unsafe extern "C" fn(_, *const c_char, _, _) -> gboolean =
        interface.export_to_file.expect("set");

    // SAFETY, for each: null and objects of another class are what the entries must withstand.
    unsafe {
        let import = interface.import_from_file.expect("set");
        assert!(failed(|error| import(raw, ptr::null(), error).is_null()).contains("no file"));
        assert!(
            failed(|error| export(raw, c"/x".as_ptr(), ptr::null_mut(), error) == 0)
                .contains("there is none")
        );
        // A plugin is no connection.
        assert!(
            failed(|error| export(raw, c"/x".as_ptr(), raw.cast(), error) == 0)
                .contains("another kind")
        );
        let suggested_filename = interface.get_suggested_filename.expect("set");
        assert!(suggested_filename(raw, ptr::null_mut()).is_null());
    }
}

#[test]
fn a_factory_that_panics_returns_an_error() {
    let error = new(|| panic!("on purpose"))
        .map(|_| ())
        .expect_err("a panic");
    assert!(error.message().contains("mistake"), "{error}");
}

fn new(make: impl FnOnce() -> Panicking) -> Result<VpnEditorPlugin, glib::Error> {
    let mut error = ptr::null_mut();
    // SAFETY: `error` is writable; object and error are ours.
    unsafe {
        let plugin = editor_plugin::factory(&raw mut error, make);
        if plugin.is_null() {
            Err(from_glib_full(error))
        } else {
            Ok(from_glib_full(plugin))
        }
    }
}

fn vtable(plugin: &VpnEditorPlugin) -> Interface {
    let class = plugin
        .interface::<VpnEditorPlugin>()
        .expect("it implements the interface");
    *class.as_ref()
}

/// The message of the call's error.
fn failed(call: impl FnOnce(*mut *mut GError) -> bool) -> String {
    let mut error = ptr::null_mut();
    assert!(call(&raw mut error), "the call reports failure");
    assert!(!error.is_null(), "and why");
    // SAFETY: set by the callee, owned by us.
    let error: glib::Error = unsafe { from_glib_full(error) };
    error.message().to_owned()
}
