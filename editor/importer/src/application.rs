//! The program: one process for all its windows, one window for each profile.

use crate::APPLICATION_ID;
use crate::window::Window;
use adw::prelude::*;
use aws_client_vpn_i18n as i18n;
use gtk::gio;

/// The application, not yet running.
#[must_use]
pub fn new() -> adw::Application {
    let application = adw::Application::builder()
        .application_id(APPLICATION_ID)
        .flags(gio::ApplicationFlags::HANDLES_OPEN)
        .build();
    application.connect_startup(|application| {
        i18n::init_library();
        gtk::Window::set_default_icon_name(APPLICATION_ID);
        for (action, keys) in [
            ("window.close", &["<Control>w", "Escape"][..]),
            ("win.open", &["<Control>o"]),
            ("app.quit", &["<Control>q"]),
        ] {
            application.set_accels_for_action(action, keys);
        }
        let quit = gio::ActionEntry::builder("quit")
            .activate(|application: &adw::Application, _, _| application.quit())
            .build();
        application.add_action_entries([quit]);
    });
    application.connect_activate(|application| {
        Window::new(application).present();
    });
    application.connect_open(|application, files, _hint| {
        for file in files {
            let window = Window::new(application);
            window.open(file);
            window.present();
        }
    });
    application
}
