//! The editor object that a host gets: libnm's side of a page.
#![expect(
    missing_docs,
    reason = "glib's macro makes a method without documentation"
)]

use crate::connection;
use crate::page::Page;
use crate::toolkit::Toolkit;
use crate::widgets::PageWidgets;
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_libnm::guard::plugin_error;
use aws_client_vpn_libnm::{Connection, VpnEditor, VpnEditorImpl, ffi};
use glib::prelude::*;
use glib::subclass::prelude::*;
use std::cell::OnceCell;
use std::rc::Rc;

glib::wrapper! {
    /// An editor for one connection.
    pub struct Editor(ObjectSubclass<EditorClass>) @implements VpnEditor;
}

impl Editor {
    /// An editor of `connection` with the widgets of a toolkit.
    pub fn new<T: Toolkit>(connection: &Connection) -> Result<Self, glib::Error> {
        T::init()
            .map_err(|error| plugin_error(ffi::NM_VPN_PLUGIN_ERROR_FAILED, &error.to_string()))?;
        i18n::init_library();
        let editor: Self = glib::Object::new();
        let page = Page::new(connection::open(connection), PageWidgets::<T>::new);
        let weak = editor.downgrade();
        page.connect_changed(move || {
            if let Some(editor) = weak.upgrade() {
                // The host sees whether it can be saved.
                editor.emit_by_name::<()>("changed", &[]);
            }
        });
        // A new object has none yet.
        let _ = editor.imp().page.set(page);
        Ok(editor)
    }
}

/// The editor's class. Each library with an editor has it, and no program opens two of them.
#[derive(Default)]
pub struct EditorClass {
    page: OnceCell<Rc<Page>>,
}

#[glib::object_subclass]
impl ObjectSubclass for EditorClass {
    const NAME: &'static str = "AwsClientVpnEditor";
    type Type = Editor;
    type Interfaces = (VpnEditor,);
}

impl ObjectImpl for EditorClass {}

impl VpnEditorImpl for EditorClass {
    fn widget(&self) -> Option<glib::Object> {
        self.page.get()?.root()
    }

    fn update(&self, connection: &Connection) -> Result<(), glib::Error> {
        match self.page.get() {
            Some(page) => connection::save(&page.form(), connection),
            None => Ok(()),
        }
    }
}
