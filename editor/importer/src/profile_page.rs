//! The page with a profile: what it is, what to call it, for whom.

use crate::network_manager::ExistingConnection;
use crate::presentation::{Group, Row};
use adw::prelude::*;
use aws_client_vpn_i18n::gettext;

/// What the user has chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// A connection with this name.
    Add {
        /// Never empty.
        name: String,
        /// Not for this user alone.
        for_all: bool,
        /// Whether it comes up by itself.
        at_login: bool,
    },
    /// The connection with this place in the list of those that are there.
    Update(usize),
}

/// The page.
pub(crate) struct ProfilePage {
    page: adw::PreferencesPage,
    /// What is chosen for a new connection.
    new: adw::PreferencesGroup,
    name: adw::EntryRow,
    audience: adw::ComboRow,
    at_login: gtk::Switch,
    existing: Option<adw::ComboRow>,
    existing_count: usize,
}

const FOR_ALL: u32 = 1;

impl ProfilePage {
    /// `name` is the suggestion, `existing` the connections to the same endpoint.
    pub(crate) fn new(name: &str, groups: &[Group], existing: &[ExistingConnection]) -> Self {
        let page = adw::PreferencesPage::new();
        let connection = adw::PreferencesGroup::new();
        let update = update_row(existing);
        if let Some(row) = &update {
            let group = adw::PreferencesGroup::builder()
                .title(gettext!("Already Set Up"))
                .description(gettext!(
                    "An update keeps the name, your own settings and saved passwords."
                ))
                .build();
            group.add(row);
            page.add(&group);
        }
        let entry = adw::EntryRow::builder()
            .title(gettext!("_Name"))
            .use_underline(true)
            .text(name)
            .activates_default(true)
            .build();
        connection.add(&entry);
        let audience = choice_row(
            &gettext!("A_vailable To"),
            &[
                // TRANSLATORS: One of the choices of “Available To”.
                &gettext!("Only Me"),
                &gettext!("All Users of This Computer"),
            ],
        );
        connection.add(&audience);
        let at_login = gtk::Switch::builder().valign(gtk::Align::Center).build();
        let row = adw::ActionRow::builder()
            .title(gettext!("Connect when I _log in"))
            .use_underline(true)
            .activatable_widget(&at_login)
            .build();
        row.add_suffix(&at_login);
        connection.add(&row);
        page.add(&connection);
        for group in groups {
            page.add(&group_widget(group));
        }
        Self {
            page,
            new: connection,
            name: entry,
            audience,
            at_login,
            existing: update,
            existing_count: existing.len(),
        }
    }

    pub(crate) fn widget(&self) -> &gtk::Widget {
        self.page.upcast_ref()
    }

    /// What is chosen; `None` while the name is missing.
    pub(crate) fn choice(&self) -> Option<Choice> {
        let selected = self.existing.as_ref().map(|row| row.selected() as usize);
        if let Some(index) = selected.filter(|index| *index < self.existing_count) {
            return Some(Choice::Update(index));
        }
        let name = self.name.text().trim().to_owned();
        (!name.is_empty()).then(|| Choice::Add {
            name,
            for_all: self.audience.selected() == FOR_ALL,
            at_login: self.at_login.is_active(),
        })
    }

    /// Calls `changed` whenever the choice may be another one.
    pub(crate) fn connect_changed(&self, changed: impl Fn() + Clone + 'static) {
        self.name.connect_changed({
            let changed = changed.clone();
            move |_| changed()
        });
        if let Some(row) = &self.existing {
            row.connect_selected_notify(move |_| changed());
        }
    }

    /// What belongs to a new connection cannot be chosen when a connection is updated.
    pub(crate) fn show_choice(&self, choice: Option<&Choice>) {
        let updates = matches!(choice, Some(Choice::Update(_)));
        self.new.set_visible(!updates);
        match choice {
            None => self.name.add_css_class("error"),
            Some(_) => self.name.remove_css_class("error"),
        }
    }
}

/// Offers to update a connection; the first one is what most people want.
fn update_row(existing: &[ExistingConnection]) -> Option<adw::ComboRow> {
    if existing.is_empty() {
        return None;
    }
    let mut choices: Vec<String> = existing
        .iter()
        .map(|one| gettext!("Update “{name}”", name = one.name))
        .collect();
    choices.push(gettext!("Add as Another Connection"));
    let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
    // TRANSLATORS: Which connection is updated.
    let row = choice_row(&gettext!("_With This Profile"), &choices);
    // Names may be long.
    row.set_use_subtitle(true);
    Some(row)
}

fn choice_row(title: &str, choices: &[&str]) -> adw::ComboRow {
    adw::ComboRow::builder()
        .title(title)
        .use_underline(true)
        .model(&gtk::StringList::new(choices))
        .build()
}

fn group_widget(group: &Group) -> adw::PreferencesGroup {
    let widget = adw::PreferencesGroup::builder()
        .title(escape(&group.title))
        .description(escape(&group.description))
        .build();
    for row in &group.rows {
        let row = row_widget(row);
        if group.of_properties {
            row.add_css_class("property");
        }
        widget.add(&row);
    }
    widget
}

fn row_widget(row: &Row) -> adw::ActionRow {
    let widget = adw::ActionRow::builder()
        .title(escape(&row.title))
        .subtitle(escape(&row.text))
        .title_lines(0)
        .subtitle_lines(0)
        .build();
    if row.is_warning {
        let icon = gtk::Image::builder()
            .icon_name("dialog-warning-symbolic")
            .css_classes(["warning"])
            .tooltip_text(gettext!("Warning"))
            .build();
        widget.add_prefix(&icon);
    }
    widget
}

/// Titles are markup.
fn escape(text: &str) -> gtk::glib::GString {
    gtk::glib::markup_escape_text(text)
}
