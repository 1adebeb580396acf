//! The editor in GTK 4, for GNOME Settings.
//!
//! What the page shows and checks is decided in `editor/form`; here are only the widgets. The
//! library is opened by the plugin, inside a program that has GTK 4 already.

mod page;
mod row;

use aws_client_vpn_editor_form::connection;
use aws_client_vpn_libnm::{
    Connection, VpnEditor, VpnEditorExt, VpnEditorImpl, editor, ffi, guard::plugin_error,
};
use aws_client_vpn_words as words;
use glib::prelude::*;
use glib::subclass::prelude::*;
use page::Page;
use std::cell::OnceCell;
use std::rc::Rc;

/// The plugin's way in; the only symbol of the library.
///
/// # Safety
/// For the plugin only: `connection` is null or a live GObject, `error` is null or points to a
/// `GError *` that may be written.
#[expect(unsafe_code, reason = "a C entry point")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nm_vpn_editor_factory_aws_client_vpn(
    _plugin: *mut ffi::NMVpnEditorPlugin,
    connection: *mut ffi::NMConnection,
    error: *mut *mut glib::ffi::GError,
) -> *mut ffi::NMVpnEditor {
    // SAFETY: passed on.
    unsafe { editor::factory(connection, error, Editor::new) }
}

glib::wrapper! {
    /// The editor object.
    struct Editor(ObjectSubclass<EditorClass>) @implements VpnEditor;
}

impl Editor {
    fn new(connection: &Connection) -> Result<Self, glib::Error> {
        // The host has done it for itself; this lets the bindings know.
        gtk4::init()
            .map_err(|error| plugin_error(ffi::NM_VPN_PLUGIN_ERROR_FAILED, &error.to_string()))?;
        words::bind();
        let editor: Self = glib::Object::new();
        let page = Page::new(connection::open(connection));
        let weak = editor.downgrade();
        page.connect_changed(move || {
            if let Some(editor) = weak.upgrade() {
                editor.emit_changed();
            }
        });
        // A new object has none yet.
        let _ = editor.imp().page.set(page);
        Ok(editor)
    }
}

/// The editor's class.
#[derive(Default)]
struct EditorClass {
    page: OnceCell<Rc<Page>>,
}

#[glib::object_subclass]
impl ObjectSubclass for EditorClass {
    const NAME: &'static str = "AwsClientVpnEditorGtk4";
    type Type = Editor;
    type Interfaces = (VpnEditor,);
}

impl ObjectImpl for EditorClass {}

impl VpnEditorImpl for EditorClass {
    fn widget(&self) -> Option<glib::Object> {
        Some(self.page.get()?.widget().clone().upcast())
    }

    fn update(&self, connection: &Connection) -> Result<(), glib::Error> {
        match self.page.get() {
            Some(page) => connection::save(&page.form(), connection),
            None => Ok(()),
        }
    }
}
