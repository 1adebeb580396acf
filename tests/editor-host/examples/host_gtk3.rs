//! A program with GTK 3 that opens the editor as nm-connection-editor does: for the tests, and to
//! look at it: `cargo run -p aws-client-vpn-editor-host --example host_gtk3 show saml`.

use aws_client_vpn_editor_host::scenarios::{self, Toolkit};
use aws_client_vpn_libnm::Toolkit as Kind;
use gtk::prelude::*;

struct Gtk3;

impl Toolkit for Gtk3 {
    const KIND: Kind = Kind::Gtk3;

    fn start() {
        gtk::init().expect("a display");
    }

    fn children(widget: &glib::Object) -> Vec<glib::Object> {
        widget
            .downcast_ref::<gtk::Container>()
            .map(|container| container.children())
            .unwrap_or_default()
            .into_iter()
            .map(|child| child.upcast())
            .collect()
    }

    fn hold_and_release(widget: &glib::Object) {
        let place = gtk::Box::new(gtk::Orientation::Vertical, 0);
        let widget = widget.downcast_ref::<gtk::Widget>().expect("a widget");
        place.add(widget);
        place.show_all();
        place.remove(widget);
    }

    fn choose(target: &glib::Object, index: u32) {
        target.set_property("active", i32::try_from(index).expect("a small number"));
    }

    fn show(widget: &glib::Object, is_dark: bool) {
        if let Some(settings) = gtk::Settings::default() {
            settings.set_gtk_application_prefer_dark_theme(is_dark);
        }
        let window = gtk::Window::new(gtk::WindowType::Toplevel);
        window.set_title("Company VPN");
        window.set_default_size(600, 700);
        window.add(widget.downcast_ref::<gtk::Widget>().expect("a widget"));
        window.connect_delete_event(|_, _| {
            gtk::main_quit();
            glib::Propagation::Proceed
        });
        window.show_all();
        gtk::main();
    }
}

fn main() {
    scenarios::main::<Gtk3>();
}
