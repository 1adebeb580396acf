//! The window around whatever is shown: a title bar with Cancel, and what Escape does.

use adw::prelude::*;
use aws_client_vpn_i18n::gettext;
use gtk4::glib;
use std::cell::RefCell;
use std::rc::Rc;

/// Of the window, in pixels.
const WIDTH: i32 = 400;

/// The window.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    window: adw::Window,
    title: adw::WindowTitle,
    bar: adw::HeaderBar,
    place: adw::Bin,
}

impl Frame {
    /// Makes it, not yet visible. `cancel` is called for each way of leaving it.
    pub(crate) fn new(cancel: impl Fn() + 'static) -> Self {
        let cancel = Rc::new(cancel);
        let title = adw::WindowTitle::new("", "");
        let button = gtk4::Button::with_mnemonic(&gettext!("_Cancel"));
        button.connect_clicked(glib::clone!(
            #[strong]
            cancel,
            move |_| cancel()
        ));
        let bar = adw::HeaderBar::builder()
            .title_widget(&title)
            .show_start_title_buttons(false)
            .show_end_title_buttons(false)
            .build();
        bar.add_css_class("flat");
        bar.pack_start(&button);
        let place = adw::Bin::new();
        let content = gtk4::Box::new(gtk4::Orientation::Vertical, 0);
        content.append(&bar);
        content.append(&place);
        let window = adw::Window::builder()
            .default_width(WIDTH)
            .resizable(false)
            .icon_name("network-vpn")
            .content(&content)
            .build();
        window.connect_close_request(glib::clone!(
            #[strong]
            cancel,
            move |_| {
                cancel();
                // The dialog closes it, by its end.
                glib::Propagation::Stop
            }
        ));
        let escape = gtk4::ShortcutController::new();
        escape.add_shortcut(gtk4::Shortcut::new(
            Some(gtk4::KeyvalTrigger::new(
                gtk4::gdk::Key::Escape,
                gtk4::gdk::ModifierType::empty(),
            )),
            Some(gtk4::CallbackAction::new(move |_, _| {
                cancel();
                glib::Propagation::Stop
            })),
        ));
        window.add_controller(escape);
        Self {
            window,
            title,
            bar,
            place,
        }
    }

    /// Does something when the window has the keyboard, or at once: without it, a desktop lets nobody
    /// put anything on the clipboard.
    pub(crate) fn when_active(&self, act: impl FnOnce() + 'static) {
        if self.window.is_active() {
            act();
            return;
        }
        let act = RefCell::new(Some(act));
        self.window.connect_is_active_notify(move |window| {
            if window.is_active()
                && let Some(act) = act.take()
            {
                act();
            }
        });
    }

    /// Shows `page`, and the window if it is not there yet. It does not push itself in front: the
    /// person may be typing a password into the browser. `action` is what the page is for; the
    /// return key presses it.
    pub(crate) fn present(
        &self,
        title: &str,
        page: &impl IsA<gtk4::Widget>,
        action: Option<&gtk4::Button>,
    ) {
        if let Some(action) = action {
            self.bar.pack_end(action);
        }
        self.window.set_default_widget(action);
        self.window.set_title(Some(title));
        self.title.set_title(title);
        self.place.set_child(Some(page));
        self.window.set_visible(true);
    }
}

/// A text that is centred and never cut off.
pub(crate) fn sentence(text: &str, class: &str) -> gtk4::Label {
    let label = gtk4::Label::builder()
        .label(text)
        .wrap(true)
        .wrap_mode(gtk4::pango::WrapMode::WordChar)
        .justify(gtk4::Justification::Center)
        .build();
    label.add_css_class(class);
    label
}
