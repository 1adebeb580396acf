//! A program with GTK 4 that opens the editor as GNOME Settings does: for the tests, and to look at
//! it: `cargo run -p aws-client-vpn-editor-host --example host_gtk4 show saml`.

use aws_client_vpn_editor_host::scenarios::{self, Toolkit};
use aws_client_vpn_libnm::Toolkit as Kind;
use gtk4::prelude::*;

struct Gtk4;

impl Toolkit for Gtk4 {
    const KIND: Kind = Kind::Gtk4;

    fn start() {
        gtk4::init().expect("a display");
    }

    fn children(widget: &glib::Object) -> Vec<glib::Object> {
        let first = widget
            .downcast_ref::<gtk4::Widget>()
            .and_then(gtk4::Widget::first_child);
        std::iter::successors(first, |child| child.next_sibling())
            .map(|child| child.upcast())
            .collect()
    }

    fn hold_and_release(widget: &glib::Object) {
        let place = gtk4::Box::new(gtk4::Orientation::Vertical, 0);
        let widget = widget.downcast_ref::<gtk4::Widget>().expect("a widget");
        place.append(widget);
        place.remove(widget);
    }

    fn choose(target: &glib::Object, index: u32) {
        target.set_property("selected", index);
    }

    fn show(widget: &glib::Object, is_dark: bool) {
        if let Some(settings) = gtk4::Settings::default() {
            settings.set_gtk_application_prefer_dark_theme(is_dark);
        }
        // As GNOME Settings 43 has it.
        let name = gtk4::Entry::builder()
            .text("Company VPN")
            .hexpand(true)
            .build();
        let page = gtk4::Box::builder()
            .orientation(gtk4::Orientation::Vertical)
            .spacing(10)
            .margin_top(12)
            .margin_bottom(12)
            .margin_start(50)
            .margin_end(50)
            .build();
        page.append(&name);
        page.append(widget.downcast_ref::<gtk4::Widget>().expect("a widget"));
        let window = gtk4::Window::builder()
            .title("Company VPN")
            .resizable(false)
            .default_width(500)
            .default_height(600)
            .child(&page)
            .build();
        let main_loop = glib::MainLoop::new(None, false);
        let end = main_loop.clone();
        window.connect_close_request(move |_| {
            end.quit();
            glib::Propagation::Proceed
        });
        window.present();
        main_loop.run();
    }
}

fn main() {
    scenarios::main::<Gtk4>();
}
