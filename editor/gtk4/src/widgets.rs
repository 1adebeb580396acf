//! The page's widgets in GTK 4: lists of rows in cards, as GNOME Settings' own pages have them.

use aws_client_vpn_editor_form::toolkit::{Content, Input, Parts, Question};
use aws_client_vpn_editor_form::{Kind, PageField, Title, Toolkit, Value};
use gtk4::prelude::*;
use std::path::Path;

/// GNOME Settings neither scrolls a page nor lets its window be resized: the page does not make it
/// taller than this.
const HEIGHT_LIMIT: i32 = 560;

/// A page.
pub(crate) struct Gtk4 {
    root: gtk4::ScrolledWindow,
    column: gtk4::Box,
    labels: gtk4::SizeGroup,
}

/// A list under its heading.
pub(crate) struct Group {
    root: gtk4::Widget,
    list: gtk4::ListBox,
    expander: Option<gtk4::Expander>,
}

/// A row of a list, hidden until it is filled.
pub(crate) struct Place {
    row: gtk4::ListBoxRow,
    labels: gtk4::SizeGroup,
}

impl Toolkit for Gtk4 {
    type Widget = gtk4::Widget;
    type Label = gtk4::Label;
    type Button = gtk4::Button;
    type Chooser = gtk4::FileChooserNative;
    type Group = Group;
    type Place = Place;

    fn init() -> Result<(), glib::BoolError> {
        gtk4::init()
    }

    fn new() -> Self {
        // The margins leave room for the shadow of the lists and for the scroll bar; the host has
        // margins of its own.
        let column = gtk4::Box::builder()
            .orientation(gtk4::Orientation::Vertical)
            .spacing(18)
            .margin_top(6)
            .margin_bottom(12)
            .margin_start(3)
            .margin_end(12)
            .build();
        let root = gtk4::ScrolledWindow::builder()
            .hscrollbar_policy(gtk4::PolicyType::Never)
            .propagate_natural_height(true)
            .max_content_height(HEIGHT_LIMIT)
            .vexpand(true)
            .child(&column)
            .build();
        // Entries begin at the same place in all groups.
        let labels = gtk4::SizeGroup::new(gtk4::SizeGroupMode::Horizontal);
        Self {
            root,
            column,
            labels,
        }
    }

    fn root(&self) -> glib::Object {
        self.root.clone().upcast()
    }

    fn add_group(&self, heading: &str, unfolded: Option<impl Fn() + 'static>) -> Group {
        let heading = gtk4::Label::builder()
            .label(heading)
            .xalign(0.0)
            .css_classes(["heading"])
            .build();
        // A list in a card, with the style of libadwaita where the host has it.
        let list = gtk4::ListBox::builder()
            .selection_mode(gtk4::SelectionMode::None)
            .css_classes(["boxed-list", "frame"])
            .build();
        let expander = unfolded.map(|unfolded| {
            list.set_margin_top(6);
            let expander = gtk4::Expander::builder()
                .label_widget(&heading)
                .child(&list)
                .build();
            expander.connect_expanded_notify(move |_| unfolded());
            expander
        });
        let root: gtk4::Widget = if let Some(expander) = &expander {
            expander.clone().upcast()
        } else {
            let root = gtk4::Box::new(gtk4::Orientation::Vertical, 6);
            root.append(&heading);
            root.append(&list);
            root.upcast()
        };
        self.column.append(&root);
        Group {
            root,
            list,
            expander,
        }
    }

    fn show_group(group: &Group, is_shown: bool) {
        group.root.set_visible(is_shown);
    }

    fn unfold(group: &Group) {
        if let Some(expander) = &group.expander {
            expander.set_expanded(true);
        }
    }

    fn add_place(&self, group: &Group, _above: i32) -> Place {
        let row = gtk4::ListBoxRow::builder()
            .activatable(false)
            .selectable(false)
            .focusable(false)
            .visible(false)
            .build();
        group.list.append(&row);
        Place {
            row,
            labels: self.labels.clone(),
        }
    }

    fn fill(place: &Place, kind: Kind, title: &Title, input: &Input<Self>) -> Parts<Self> {
        let label = gtk4::Label::builder()
            .label(&title.label)
            .use_underline(true)
            .xalign(0.0)
            .wrap(!matches!(kind, Kind::Text(_) | Kind::Secret))
            .mnemonic_widget(&input.target)
            .tooltip_text(&title.tooltip)
            .build();
        let line = gtk4::Box::new(gtk4::Orientation::Horizontal, 12);
        match kind {
            // An entry fills its line, whatever else stands at its end.
            Kind::Text(_) | Kind::Secret => place.labels.add_widget(&label),
            Kind::Lines => {
                line.set_orientation(gtk4::Orientation::Vertical);
                line.set_spacing(6);
            }
            Kind::Number(_) | Kind::Choice(_) | Kind::Switch | Kind::Content(_) => {
                label.set_hexpand(true);
            }
        }
        if let Some(content) = &input.content {
            let told = gtk4::Box::new(gtk4::Orientation::Vertical, 3);
            told.set_valign(gtk4::Align::Center);
            told.append(&label);
            told.append(&content.summary);
            line.append(&told);
        } else {
            line.append(&label);
        }
        line.append(&input.root);

        let problem = gtk4::Label::builder()
            .xalign(0.0)
            .wrap(true)
            .wrap_mode(gtk4::pango::WrapMode::WordChar)
            .css_classes(["caption"])
            .build();
        // Red letters alone would be hard to read in the dark, and nothing to the colour-blind.
        let sign = gtk4::Image::from_icon_name("dialog-error-symbolic");
        sign.add_css_class("error");
        let error = gtk4::Box::new(gtk4::Orientation::Horizontal, 6);
        error.append(&sign);
        error.append(&problem);
        let body = gtk4::Box::builder()
            .orientation(gtk4::Orientation::Vertical)
            .spacing(4)
            .margin_top(8)
            .margin_bottom(8)
            .margin_start(12)
            .margin_end(12)
            .build();
        body.append(&line);
        body.append(&error);
        place.row.set_child(Some(&body));
        Parts {
            shown: vec![place.row.clone().upcast()],
            error: error.upcast(),
            problem,
        }
    }

    fn entry(text: &str, placeholder: &str, is_number: bool, field: PageField) -> Input<Self> {
        let entry = gtk4::Entry::builder()
            .text(text)
            .placeholder_text(placeholder)
            .valign(gtk4::Align::Center)
            .hexpand(!is_number)
            .width_chars(if is_number { 9 } else { 18 })
            .build();
        if is_number {
            entry.set_input_purpose(gtk4::InputPurpose::Digits);
        }
        entry.connect_changed(move |entry| field.fill_in(Value::Text(entry.text().into())));
        Input::of(&entry)
    }

    fn secret(text: &str, field: PageField) -> Input<Self> {
        let entry = gtk4::PasswordEntry::builder()
            .show_peek_icon(true)
            .valign(gtk4::Align::Center)
            .hexpand(true)
            .width_chars(18)
            .build();
        entry.set_text(text);
        entry.connect_changed(move |entry| {
            field.fill_in(Value::Secret(entry.text().as_str().into()));
        });
        Input::of(&entry)
    }

    fn choice(choices: &[String], chosen: Option<u32>, field: PageField) -> Input<Self> {
        let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
        let drop_down = gtk4::DropDown::from_strings(&choices);
        drop_down.set_valign(gtk4::Align::Center);
        drop_down.set_selected(chosen.unwrap_or(gtk4::INVALID_LIST_POSITION));
        drop_down.connect_selected_notify(move |drop_down| {
            field.fill_in(Value::Choice(drop_down.selected() as usize));
        });
        Input::of(&drop_down)
    }

    fn switch(is_on: bool, field: PageField) -> Input<Self> {
        let switch = gtk4::Switch::builder()
            .active(is_on)
            .valign(gtk4::Align::Center)
            .halign(gtk4::Align::End)
            .build();
        switch.connect_active_notify(move |switch| {
            field.fill_in(Value::Switch(switch.is_active()));
        });
        Input::of(&switch)
    }

    fn lines(text: &str, field: PageField) -> Input<Self> {
        let view = gtk4::TextView::builder()
            .monospace(true)
            .accepts_tab(false)
            .wrap_mode(gtk4::WrapMode::WordChar)
            .top_margin(6)
            .bottom_margin(6)
            .left_margin(6)
            .right_margin(6)
            .height_request(110)
            .build();
        view.buffer().set_text(text);
        view.buffer().connect_changed(move |buffer| {
            let (start, end) = buffer.bounds();
            field.fill_in(Value::Text(buffer.text(&start, &end, false).into()));
        });
        view.add_css_class("frame");
        Input::of(&view)
    }

    fn summary() -> gtk4::Label {
        gtk4::Label::builder()
            .xalign(0.0)
            .wrap(true)
            .wrap_mode(gtk4::pango::WrapMode::WordChar)
            .css_classes(["caption", "dim-label"])
            .build()
    }

    /// The summary goes below the title.
    fn content(content: &Content<Self>) -> gtk4::Widget {
        let root = gtk4::Box::new(gtk4::Orientation::Horizontal, 6);
        root.append(&content.choose);
        root.append(&content.remove);
        root.upcast()
    }

    fn button() -> gtk4::Button {
        gtk4::Button::builder().valign(gtk4::Align::Center).build()
    }

    fn connect_clicked(button: &gtk4::Button, clicked: impl Fn(&gtk4::Button) + 'static) {
        button.connect_clicked(clicked);
    }

    fn ask_for_file(
        button: &gtk4::Button,
        question: &Question,
        answered: impl Fn(Option<&Path>) + 'static,
    ) -> gtk4::FileChooserNative {
        let chooser = gtk4::FileChooserNative::new(
            Some(&question.title),
            button.root().and_downcast::<gtk4::Window>().as_ref(),
            gtk4::FileChooserAction::Open,
            None,
            None,
        );
        chooser.set_modal(true);
        for (name, patterns) in &question.filters {
            let filter = gtk4::FileFilter::new();
            filter.set_name(Some(name));
            for pattern in *patterns {
                filter.add_pattern(pattern);
            }
            chooser.add_filter(&filter);
        }
        chooser.connect_response(move |chooser, response| {
            let is_chosen = response == gtk4::ResponseType::Accept;
            let file = chooser.file().filter(|_| is_chosen);
            answered(file.and_then(|file| file.path()).as_deref());
        });
        chooser.show();
        chooser
    }

    fn set_shown(widget: &gtk4::Widget, is_shown: bool) {
        widget.set_visible(is_shown);
    }

    fn set_class(widget: &gtk4::Widget, class: &str, is_set: bool) {
        if is_set {
            widget.add_css_class(class);
        } else {
            widget.remove_css_class(class);
        }
    }
}
