//! The page of what only the person knows: user name, password, code, passphrase, PIN.
//!
//! What may be sent and where to go next is decided in [`FormState`].

use crate::clock::Clock;
use crate::frame::sentence;
use crate::pipe::UserActions;
use adw::prelude::*;
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_sign_in::form::{CredentialForm, Field};
use aws_client_vpn_sign_in::window::{FormState, UserAction};
use aws_client_vpn_text::secret::Secret;
use gtk4::glib;
use std::cell::RefCell;
use std::rc::Rc;

/// The page.
#[derive(Debug)]
pub(crate) struct FormPage {
    page: gtk4::Box,
    state: Rc<State>,
    _clock: Clock,
}

/// What the rows and the button share.
#[derive(Debug)]
struct State {
    entries: RefCell<FormState>,
    rows: Vec<adw::EntryRow>,
    connect: gtk4::Button,
    actions: UserActions,
}

impl FormPage {
    /// The page of `form`, which `connection` needs.
    pub(crate) fn new(connection: &str, form: &CredentialForm, actions: UserActions) -> Self {
        let connect = gtk4::Button::with_mnemonic(&gettext!("C_onnect"));
        connect.add_css_class("suggested-action");
        connect.set_sensitive(false);
        let state = Rc::new(State {
            entries: RefCell::new(FormState::new(form)),
            rows: form.fields.iter().map(row).collect(),
            connect,
            actions,
        });
        let group = adw::PreferencesGroup::builder().margin_top(6).build();
        for (place, row) in state.rows.iter().enumerate() {
            group.add(row);
            row.connect_changed(glib::clone!(
                #[strong]
                state,
                move |row| state.typed(place, row)
            ));
            row.connect_entry_activated(glib::clone!(
                #[strong]
                state,
                move |_| state.go_on()
            ));
        }
        if state.entries.borrow().offers_to_remember() {
            group.add(&remember_row(&state));
        }
        state.connect.connect_clicked(glib::clone!(
            #[strong]
            state,
            move |_| state.go_on()
        ));

        let clock = Clock::plain(form.time_left);
        let page = gtk4::Box::builder()
            .orientation(gtk4::Orientation::Vertical)
            .spacing(12)
            .margin_start(24)
            .margin_end(24)
            .margin_bottom(24)
            .build();
        page.append(&sentence(connection, "title-2"));
        page.append(&reason(form));
        page.append(&group);
        page.append(clock.widget());
        Self {
            page,
            state,
            _clock: clock,
        }
    }

    pub(crate) fn widget(&self) -> &gtk4::Box {
        &self.page
    }

    pub(crate) fn action(&self) -> &gtk4::Button {
        &self.state.connect
    }

    /// Typing goes into the first row.
    pub(crate) fn focus(&self) {
        if let Some(row) = self.state.rows.first() {
            row.grab_focus();
        }
    }
}

impl State {
    fn typed(&self, place: usize, row: &adw::EntryRow) {
        let mut entries = self.entries.borrow_mut();
        entries.set(place, Secret::new(row.text().into()));
        let is_unusable = entries.all().get(place).is_some_and(|e| e.is_unusable());
        if is_unusable {
            row.add_css_class("error");
        } else {
            row.remove_css_class("error");
        }
        self.connect.set_sensitive(entries.answer().is_some());
    }

    /// Sends the answer, or leads to what is missing.
    fn go_on(&self) {
        let entries = self.entries.borrow();
        if let Some(answer) = entries.answer() {
            self.connect.set_sensitive(false);
            for row in &self.rows {
                row.set_sensitive(false);
            }
            self.actions.send(&UserAction::Answer(answer));
        } else if let Some(row) = entries.next_empty().and_then(|place| self.rows.get(place)) {
            row.grab_focus();
        }
    }
}

/// Why the window is there.
fn reason(form: &CredentialForm) -> gtk4::Label {
    let again = form.message.as_deref().filter(|_| form.is_repeated());
    match again {
        Some(message) => sentence(message, "error"),
        None => sentence(&gettext!("Sign in to connect."), "body"),
    }
}

fn row(field: &Field) -> adw::EntryRow {
    let row = if field.masked {
        adw::PasswordEntryRow::new().upcast()
    } else {
        adw::EntryRow::new()
    };
    let title = field.question.clone();
    let title = title.unwrap_or_else(|| i18n::translate(field.credential.label()));
    row.set_use_markup(false);
    row.set_title(title.trim_end_matches([':', ' ']));
    row
}

fn remember_row(state: &Rc<State>) -> adw::ActionRow {
    let switch = gtk4::Switch::builder()
        .active(true)
        .valign(gtk4::Align::Center)
        .build();
    switch.connect_active_notify(glib::clone!(
        #[strong]
        state,
        move |switch| state.entries.borrow_mut().set_remember(switch.is_active())
    ));
    let one_time = state.entries.borrow().all().iter().any(|e| !e.field.kept);
    let row = adw::ActionRow::builder()
        .title(gettext!("_Remember"))
        .use_underline(true)
        .activatable_widget(&switch)
        .build();
    row.set_subtitle(&if one_time {
        gettext!("In your keyring, but not the one-time code")
    } else {
        gettext!("In your keyring")
    });
    row.add_suffix(&switch);
    row
}
