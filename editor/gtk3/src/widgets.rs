//! The page's widgets in GTK 3: groups under their headings, as nm-connection-editor's own pages
//! have them.

use aws_client_vpn_editor_form::toolkit::{Content, Input, Parts, Question};
use aws_client_vpn_editor_form::{Kind, PageField, Title, Toolkit, Value};
use aws_client_vpn_i18n::gettext;
use gtk::prelude::*;
use std::path::Path;

/// The page does not make a window taller than this; more of it is scrolled.
const HEIGHT_LIMIT: i32 = 480;

/// A page.
pub(crate) struct Gtk3 {
    root: gtk::ScrolledWindow,
    column: gtk::Box,
    labels: gtk::SizeGroup,
}

/// A grid under its heading.
pub(crate) struct Group {
    root: gtk::Widget,
    grid: gtk::Grid,
    expander: Option<gtk::Expander>,
}

/// Two lines of a grid, the second one for what is wrong with the field.
pub(crate) struct Place {
    grid: gtk::Grid,
    line: i32,
    labels: gtk::SizeGroup,
}

impl Toolkit for Gtk3 {
    type Widget = gtk::Widget;
    type Label = gtk::Label;
    type Button = gtk::Button;
    type Chooser = gtk::FileChooserNative;
    type Group = Group;
    type Place = Place;

    fn init() -> Result<(), glib::BoolError> {
        gtk::init()
    }

    fn new() -> Self {
        let column = gtk::Box::builder()
            .orientation(gtk::Orientation::Vertical)
            .spacing(18)
            .margin(12)
            .build();
        let root = gtk::ScrolledWindow::builder()
            .hscrollbar_policy(gtk::PolicyType::Never)
            .propagate_natural_height(true)
            .max_content_height(HEIGHT_LIMIT)
            .build();
        root.add(&column);
        root.show_all();
        // Widgets of the same kind are equally wide in all groups.
        let labels = gtk::SizeGroup::new(gtk::SizeGroupMode::Horizontal);
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
        let heading = gtk::Label::builder().label(heading).xalign(0.0).build();
        let bold = gtk::pango::AttrList::new();
        bold.insert(gtk::pango::AttrInt::new_weight(gtk::pango::Weight::Bold));
        heading.set_attributes(Some(&bold));
        let grid = gtk::Grid::builder()
            .row_spacing(6)
            .column_spacing(12)
            .margin_start(12)
            .build();
        let expander = unfolded.map(|unfolded| {
            grid.set_margin_top(6);
            let expander = gtk::Expander::new(None);
            expander.set_label_widget(Some(&heading));
            expander.add(&grid);
            expander.connect_expanded_notify(move |_| unfolded());
            expander
        });
        let root: gtk::Widget = if let Some(expander) = &expander {
            expander.clone().upcast()
        } else {
            let root = gtk::Box::new(gtk::Orientation::Vertical, 6);
            root.add(&heading);
            root.add(&grid);
            root.upcast()
        };
        self.column.add(&root);
        // The host shows everything in it; what is hidden later says so itself.
        root.show_all();
        Group {
            root,
            grid,
            expander,
        }
    }

    fn show_group(group: &Group, is_shown: bool) {
        Self::set_shown(&group.root, is_shown);
    }

    fn unfold(group: &Group) {
        if let Some(expander) = &group.expander {
            expander.set_expanded(true);
        }
    }

    fn add_place(&self, group: &Group, above: i32) -> Place {
        Place {
            grid: group.grid.clone(),
            line: above * 2,
            labels: self.labels.clone(),
        }
    }

    fn fill(place: &Place, kind: Kind, title: &Title, input: &Input<Self>) -> Parts<Self> {
        let is_tall = matches!(kind, Kind::Lines | Kind::Content(_));
        let label = gtk::Label::builder()
            .label(&title.label)
            .use_underline(true)
            .xalign(0.0)
            .valign(if is_tall {
                gtk::Align::Start
            } else {
                gtk::Align::Center
            })
            .wrap(true)
            .max_width_chars(26)
            .mnemonic_widget(&input.target)
            .tooltip_text(&title.tooltip)
            .build();
        // GTK 3 tells what names a widget only as a relation, which not all that read the screen
        // follow.
        if let Some(accessible) = input.target.accessible() {
            accessible.set_name(&title.name);
        }
        let problem = gtk::Label::builder()
            .xalign(0.0)
            .wrap(true)
            .wrap_mode(gtk::pango::WrapMode::WordChar)
            .max_width_chars(40)
            .build();
        // Red letters alone would be hard to read in the dark, and nothing to the colour-blind.
        let sign = gtk::Image::from_icon_name(Some("dialog-error-symbolic"), gtk::IconSize::Button);
        Self::set_class(sign.upcast_ref(), "error", true);
        let error = gtk::Box::new(gtk::Orientation::Horizontal, 6);
        error.add(&sign);
        error.add(&problem);
        error.show_all();
        place.labels.add_widget(&label);
        place.grid.attach(&label, 0, place.line, 1, 1);
        place.grid.attach(&input.root, 1, place.line, 1, 1);
        place.grid.attach(&error, 1, place.line + 1, 1, 1);
        Parts {
            shown: vec![label.upcast(), input.root.clone()],
            error: error.upcast(),
            problem,
        }
    }

    fn entry(text: &str, placeholder: &str, is_number: bool, field: PageField) -> Input<Self> {
        let entry = gtk::Entry::builder()
            .text(text)
            .placeholder_text(placeholder)
            .hexpand(true)
            .build();
        if is_number {
            entry.set_input_purpose(gtk::InputPurpose::Digits);
        }
        entry.connect_changed(move |entry| field.fill_in(Value::Text(entry.text().into())));
        Input::of(&entry)
    }

    fn secret(text: &str, field: PageField) -> Input<Self> {
        let entry = gtk::Entry::builder()
            .text(text)
            .visibility(false)
            .input_purpose(gtk::InputPurpose::Password)
            .hexpand(true)
            .build();
        let side = gtk::EntryIconPosition::Secondary;
        entry.set_icon_from_icon_name(side, Some("view-reveal-symbolic"));
        entry.set_icon_tooltip_text(side, Some(&gettext!("Show what is typed")));
        entry.connect_icon_press(|entry, side, _| {
            let is_shown = !entry.property::<bool>("visibility");
            entry.set_visibility(is_shown);
            entry.set_icon_from_icon_name(
                side,
                Some(if is_shown {
                    "view-conceal-symbolic"
                } else {
                    "view-reveal-symbolic"
                }),
            );
        });
        entry.connect_changed(move |entry| {
            field.fill_in(Value::Secret(entry.text().as_str().into()));
        });
        Input::of(&entry)
    }

    fn choice(choices: &[String], chosen: Option<u32>, field: PageField) -> Input<Self> {
        let combo = gtk::ComboBoxText::new();
        combo.set_hexpand(true);
        // Whoever scrolls the page over it means the page.
        combo.connect_scroll_event(|combo, _| {
            combo.stop_signal_emission_by_name("scroll-event");
            glib::Propagation::Proceed
        });
        for choice in choices {
            combo.append_text(choice);
        }
        combo.set_active(chosen);
        combo.connect_changed(move |combo| {
            let index = combo.active().map_or(usize::MAX, |index| index as usize);
            field.fill_in(Value::Choice(index));
        });
        Input::of(&combo)
    }

    fn switch(is_on: bool, field: PageField) -> Input<Self> {
        let switch = gtk::Switch::builder()
            .active(is_on)
            .halign(gtk::Align::Start)
            .valign(gtk::Align::Center)
            .build();
        switch.connect_active_notify(move |switch| {
            field.fill_in(Value::Switch(switch.is_active()));
        });
        Input::of(&switch)
    }

    fn lines(text: &str, field: PageField) -> Input<Self> {
        let view = gtk::TextView::builder()
            .monospace(true)
            .accepts_tab(false)
            .wrap_mode(gtk::WrapMode::WordChar)
            .left_margin(6)
            .right_margin(6)
            .top_margin(6)
            .bottom_margin(6)
            .build();
        if let Some(buffer) = view.buffer() {
            buffer.set_text(text);
            buffer.connect_changed(move |buffer| {
                let (start, end) = buffer.bounds();
                let text = buffer.text(&start, &end, false).unwrap_or_default();
                field.fill_in(Value::Text(text.into()));
            });
        }
        let root = gtk::ScrolledWindow::builder()
            .shadow_type(gtk::ShadowType::In)
            .min_content_height(110)
            .hexpand(true)
            .build();
        root.add(&view);
        root.show_all();
        Input::within(&root, &view)
    }

    fn summary() -> gtk::Label {
        gtk::Label::builder()
            .xalign(0.0)
            .wrap(true)
            .wrap_mode(gtk::pango::WrapMode::WordChar)
            .max_width_chars(32)
            .hexpand(true)
            .build()
    }

    /// Text and buttons, one below the other: beside the buttons a subject would be a narrow
    /// column.
    fn content(content: &Content<Self>) -> gtk::Widget {
        let buttons = gtk::Box::new(gtk::Orientation::Horizontal, 6);
        buttons.add(&content.choose);
        buttons.add(&content.remove);
        let root = gtk::Box::new(gtk::Orientation::Vertical, 6);
        root.add(&content.summary);
        root.add(&buttons);
        root.show_all();
        root.upcast()
    }

    fn button() -> gtk::Button {
        gtk::Button::builder().valign(gtk::Align::Center).build()
    }

    fn connect_clicked(button: &gtk::Button, clicked: impl Fn(&gtk::Button) + 'static) {
        button.connect_clicked(clicked);
    }

    fn ask_for_file(
        button: &gtk::Button,
        question: &Question,
        answered: impl Fn(Option<&Path>) + 'static,
    ) -> gtk::FileChooserNative {
        let window = button
            .toplevel()
            .and_then(|top| top.downcast::<gtk::Window>().ok());
        let chooser = gtk::FileChooserNative::new(
            Some(&question.title),
            window.as_ref(),
            gtk::FileChooserAction::Open,
            None,
            None,
        );
        chooser.set_modal(true);
        for (name, patterns) in &question.filters {
            let filter = gtk::FileFilter::new();
            filter.set_name(Some(name));
            for pattern in *patterns {
                filter.add_pattern(pattern);
            }
            chooser.add_filter(filter);
        }
        chooser.connect_response(move |chooser, response| {
            let is_chosen = response == gtk::ResponseType::Accept;
            answered(chooser.filename().filter(|_| is_chosen).as_deref());
        });
        chooser.show();
        chooser
    }

    fn set_shown(widget: &gtk::Widget, is_shown: bool) {
        widget.set_no_show_all(!is_shown);
        widget.set_visible(is_shown);
    }

    fn set_class(widget: &gtk::Widget, class: &str, is_set: bool) {
        let style = widget.style_context();
        if is_set {
            style.add_class(class);
        } else {
            style.remove_class(class);
        }
    }
}
