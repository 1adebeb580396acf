//! The page of a login in the browser: which connection waits for which site, and how long still.

use crate::clock::Clock;
use crate::frame::sentence;
use crate::pipe::UserActions;
use adw::prelude::*;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_sign_in::window::{UserAction, site};
use gtk4::glib;
use std::time::Duration;
use url::Url;

/// How long a button says that the link was copied.
const COPIED_TIME: Duration = Duration::from_secs(2);

/// The page.
#[derive(Debug)]
pub(crate) struct LoginPage {
    page: gtk4::Box,
    icon: gtk4::Image,
    heading: gtk4::Label,
    text: gtk4::Label,
    copy: gtk4::Button,
    _clock: Clock,
}

impl LoginPage {
    /// The page for the login of `connection` at `url`.
    pub(crate) fn new(
        connection: &str,
        url: &Url,
        time_left: Duration,
        actions: UserActions,
    ) -> Self {
        let icon = gtk4::Image::builder()
            .icon_name("network-vpn-symbolic")
            .pixel_size(64)
            .margin_bottom(6)
            .accessible_role(gtk4::AccessibleRole::Presentation)
            .build();
        icon.add_css_class("accent");
        let heading = sentence(connection, "title-2");
        let text = sentence(
            &gettext!(
                "Sign in at {site} in your browser. This window closes when you are done.",
                site = site(url),
            ),
            "body",
        );
        let copy = gtk4::Button::with_mnemonic(&gettext!("Copy _Link"));
        let address = url.to_string();
        copy.connect_clicked(move |button| copy_link(button, &address));
        let open = gtk4::Button::with_mnemonic(&gettext!("_Open Again"));
        open.connect_clicked(move |button| {
            let token = activation_token(button);
            actions.send(&UserAction::OpenAgain { token });
        });
        let buttons = gtk4::Box::builder()
            .spacing(12)
            .homogeneous(true)
            .margin_top(12)
            .build();
        buttons.append(&copy);
        buttons.append(&open);

        let page = gtk4::Box::builder()
            .orientation(gtk4::Orientation::Vertical)
            .spacing(12)
            .margin_start(24)
            .margin_end(24)
            .margin_bottom(24)
            .focusable(true)
            .build();
        page.append(&icon);
        page.append(&heading);
        page.append(&text);
        let clock = Clock::with_bar(time_left);
        page.append(clock.widget());
        page.append(&buttons);
        Self {
            page,
            icon,
            heading,
            text,
            copy,
            _clock: clock,
        }
    }

    pub(crate) fn widget(&self) -> &gtk4::Box {
        &self.page
    }

    /// Lets no key press anything before the person has chosen it: a window may get the keyboard in
    /// the middle of a word that is typed into the browser.
    pub(crate) fn rest(&self) {
        self.page.grab_focus();
    }

    /// What puts the link on the clipboard.
    pub(crate) fn link_copier(&self) -> impl FnOnce() + 'static {
        let copy = self.copy.clone();
        move || copy.emit_clicked()
    }

    /// Says that it is up to the person to open the page.
    pub(crate) fn tell_that_no_browser_opened(&self, reason: &str) {
        self.icon.set_icon_name(Some("dialog-warning-symbolic"));
        self.icon.remove_css_class("accent");
        self.icon.add_css_class("warning");
        self.heading.set_label(&gettext!("No Browser Opened"));
        let advice = gettext!("Copy the link and open it in a browser on this computer.");
        self.text.set_label(&[&advice, reason].join("\n\n"));
        self.copy.add_css_class("suggested-action");
        self.copy.grab_focus();
    }
}

/// With which the browser may come in front of the window whose button was pressed.
fn activation_token(button: &gtk4::Button) -> Option<String> {
    let context = button.display().app_launch_context();
    let token = context.startup_notify_id(None::<&gtk4::gio::AppInfo>, &[])?;
    Some(token.into())
}

/// Puts the link on the clipboard and says so on the button for a moment.
fn copy_link(button: &gtk4::Button, address: &str) {
    button.clipboard().set_text(address);
    button.set_label(&gettext!("Copied"));
    glib::timeout_add_local_once(
        COPIED_TIME,
        glib::clone!(
            #[weak]
            button,
            move || button.set_label(&gettext!("Copy _Link"))
        ),
    );
}
