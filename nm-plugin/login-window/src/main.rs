//! The window that the auth dialog opens beside a login.
//!
//! A thin shell of GTK around [`aws_client_vpn_sign_in::window`], which says what it is told and what
//! it tells. It is the dialog's child: what it shows comes in on standard input, what the person
//! does goes out on standard output, and when standard input ends, the window goes.

mod clock;
mod form;
mod frame;
mod login;
mod pipe;

use crate::form::FormPage;
use crate::frame::Frame;
use crate::login::LoginPage;
use crate::pipe::{Pipe, UserActions};
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_sign_in::window::{Screen, UserAction};
use gtk4::glib;
use rustix::process::DumpableBehavior;
use std::cell::RefCell;
use std::process::ExitCode;

/// By which a desktop finds the name and icon of a window.
const APPLICATION: &str = "org.freedesktop.NetworkManager.AwsClientVpn.Login";

fn main() -> ExitCode {
    // What is typed here is in no core dump, and no other process of this user reads it. A kernel
    // that cannot do that still shows the window.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let (Ok(()), Ok(mut pipe)) = (adw::init(), Pipe::open()) else {
        // No display; the dialog goes on without a window.
        return ExitCode::FAILURE;
    };
    i18n::init_library();
    glib::set_prgname(Some(APPLICATION));
    glib::set_application_name("AWS Client VPN");
    let main_loop = glib::MainLoop::new(None, false);
    glib::spawn_future_local(glib::clone!(
        #[strong]
        main_loop,
        async move {
            let shown = Shown::new(pipe.actions());
            while let Some(screen) = pipe.screen().await {
                shown.show(screen);
            }
            main_loop.quit();
        }
    ));
    main_loop.run();
    ExitCode::SUCCESS
}

/// What is on the screen.
struct Shown {
    frame: Frame,
    actions: UserActions,
    login: RefCell<Option<LoginPage>>,
    form: RefCell<Option<FormPage>>,
    screen: RefCell<Option<Screen>>,
}

impl Shown {
    fn new(actions: UserActions) -> Self {
        let cancel = actions.clone();
        Self {
            frame: Frame::new(move || cancel.send(&UserAction::Cancel)),
            actions,
            login: RefCell::new(None),
            form: RefCell::new(None),
            screen: RefCell::new(None),
        }
    }

    fn show(&self, screen: Screen) {
        let is_there = |shown: &Screen| screen.is_same_as(shown);
        if screen == Screen::KeepOpen || self.screen.borrow().as_ref().is_some_and(is_there) {
            return;
        }
        if screen == Screen::CopyLink {
            if let Some(page) = &*self.login.borrow() {
                self.frame.when_active(page.link_copier());
            }
            return;
        }
        self.screen.replace(Some(screen.clone()));
        match screen {
            // A notification tells of it.
            Screen::Queue { .. } | Screen::KeepOpen | Screen::CopyLink => {}
            Screen::Login {
                connection,
                url,
                time_left,
            } => {
                let page = LoginPage::new(&connection, &url, time_left, self.actions.clone());
                self.frame
                    .present(&gettext!("Sign In"), page.widget(), None);
                page.rest();
                self.login.replace(Some(page));
            }
            Screen::Form { connection, form } => {
                let page = FormPage::new(&connection, &form, self.actions.clone());
                self.frame
                    .present(&gettext!("Sign In"), page.widget(), Some(page.action()));
                page.focus();
                self.form.replace(Some(page));
            }
            Screen::NoBrowser { reason } => {
                if let Some(page) = &*self.login.borrow() {
                    page.tell_that_no_browser_opened(&reason);
                }
            }
        }
    }
}
