//! A row: the label of a field, its widget, and what is wrong with it.

use crate::page::set_shown;
use aws_client_vpn_core::profile::Inline;
use aws_client_vpn_editor_form::{Field, Kind, Page, Row, Value, file};
use aws_client_vpn_words::{self as words, text};
use gtk::prelude::*;
use std::cell::{OnceCell, RefCell};
use std::rc::{Rc, Weak};

/// The place of a field, with its widgets once it has been shown.
pub(crate) struct RowWidgets {
    field: Field,
    body: OnceCell<Body>,
    page: Weak<Page>,
    grid: gtk::Grid,
    line: i32,
    labels: gtk::SizeGroup,
}

/// The widgets of a field.
struct Body {
    label: gtk::Label,
    input: Input,
    complaint: gtk::Box,
    problem: gtk::Label,
    tooltip: String,
}

/// What a field is filled in with.
enum Input {
    Plain {
        root: gtk::Widget,
        target: gtk::Widget,
    },
    Content {
        root: gtk::Widget,
        summary: gtk::Label,
        choose: gtk::Button,
        remove: gtk::Button,
    },
}

impl RowWidgets {
    /// The field has two lines of the grid, the other one for what is wrong with it.
    pub(crate) fn new(
        field: Field,
        page: &Weak<Page>,
        grid: &gtk::Grid,
        line: i32,
        labels: &gtk::SizeGroup,
    ) -> Self {
        Self {
            field,
            body: OnceCell::new(),
            page: page.clone(),
            grid: grid.clone(),
            line,
            labels: labels.clone(),
        }
    }

    /// Shows how the field is now.
    pub(crate) fn show(&self, row: &Row, value: &Value) {
        if row.is_shown {
            self.body.get_or_init(|| self.fill(value));
        }
        if let Some(body) = self.body.get() {
            body.show(row);
        }
    }

    fn fill(&self, value: &Value) -> Body {
        let tooltip = words::translate(self.field.tooltip());
        let input = Input::new(self.field, value, &self.page);
        let is_tall = matches!(self.field.kind(), Kind::Lines | Kind::Content(_));
        let label = gtk::Label::builder()
            .label(words::translate(self.field.label()))
            .use_underline(true)
            .xalign(0.0)
            .valign(if is_tall {
                gtk::Align::Start
            } else {
                gtk::Align::Center
            })
            .wrap(true)
            .max_width_chars(26)
            .mnemonic_widget(input.target())
            .tooltip_text(&tooltip)
            .build();
        // GTK 3 tells what names a widget only as a relation, which not all that read the screen
        // follow.
        if let Some(accessible) = input.target().accessible() {
            let name = words::translate(self.field.label()).replace('_', "");
            accessible.set_name(&name);
        }
        let problem = gtk::Label::builder()
            .xalign(0.0)
            .wrap(true)
            .wrap_mode(gtk::pango::WrapMode::WordChar)
            .max_width_chars(40)
            .build();
        // Red letters alone would be hard to read in the dark, and nothing to the colour-blind.
        let sign = gtk::Image::from_icon_name(Some("dialog-error-symbolic"), gtk::IconSize::Button);
        sign.style_context().add_class("error");
        let complaint = gtk::Box::new(gtk::Orientation::Horizontal, 6);
        complaint.add(&sign);
        complaint.add(&problem);
        complaint.show_all();
        self.labels.add_widget(&label);
        self.grid.attach(&label, 0, self.line, 1, 1);
        self.grid.attach(input.root(), 1, self.line, 1, 1);
        self.grid.attach(&complaint, 1, self.line + 1, 1, 1);
        Body {
            label,
            input,
            complaint,
            problem,
            tooltip,
        }
    }
}

impl Body {
    fn show(&self, row: &Row) {
        set_shown(&self.label, row.is_shown);
        set_shown(self.input.root(), row.is_shown);
        self.input.root().set_sensitive(row.is_sensitive);
        if let Input::Content {
            summary,
            choose,
            remove,
            ..
        } = &self.input
        {
            let lines: Vec<String> = row.summary.lines.iter().map(words::of).collect();
            summary.set_label(&lines.join("\n"));
            set_class(summary, "warning", row.summary.is_warning);
            set_shown(summary, row.is_filled);
            set_shown(remove, row.is_filled);
            choose.set_label(&if row.is_filled {
                text!("Replace…")
            } else {
                text!("Choose…")
            });
        }

        let problem = row.problem.as_ref().map(words::of);
        let target = self.input.target();
        // A screen reader says the tooltip after the name.
        target.set_tooltip_text(Some(problem.as_ref().unwrap_or(&self.tooltip)));
        set_class(target, "error", problem.is_some());
        self.problem
            .set_label(problem.as_deref().unwrap_or_default());
        set_shown(&self.complaint, problem.is_some());
    }
}

fn set_class(widget: &impl IsA<gtk::Widget>, class: &str, is_set: bool) {
    let style = widget.style_context();
    if is_set {
        style.add_class(class);
    } else {
        style.remove_class(class);
    }
}

impl Input {
    fn new(field: Field, value: &Value, page: &Weak<Page>) -> Self {
        match field.kind() {
            Kind::Text(placeholder) => Self::entry(field, value, placeholder, page, false),
            Kind::Number(placeholder) => Self::entry(field, value, placeholder, page, true),
            Kind::Secret => Self::secret(field, value, page),
            Kind::Choice(choices) => Self::choice(field, value, choices, page),
            Kind::Switch => Self::switch(field, value, page),
            Kind::Lines => Self::lines(field, value, page),
            Kind::Content(inline) => Self::content(field, inline, page),
        }
    }

    fn plain(root: &impl IsA<gtk::Widget>) -> Self {
        Self::Plain {
            root: root.clone().upcast(),
            target: root.clone().upcast(),
        }
    }

    fn entry(
        field: Field,
        value: &Value,
        placeholder: &'static str,
        page: &Weak<Page>,
        is_number: bool,
    ) -> Self {
        let entry = gtk::Entry::builder()
            .text(value.text())
            .placeholder_text(words::translate(placeholder))
            .hexpand(true)
            .build();
        if is_number {
            entry.set_input_purpose(gtk::InputPurpose::Digits);
        }
        let page = page.clone();
        entry.connect_changed(move |entry| {
            if let Some(page) = page.upgrade() {
                page.fill_in(field, Value::Text(entry.text().into()));
            }
        });
        Self::plain(&entry)
    }

    fn secret(field: Field, value: &Value, page: &Weak<Page>) -> Self {
        let entry = gtk::Entry::builder()
            .text(value.text())
            .visibility(false)
            .input_purpose(gtk::InputPurpose::Password)
            .hexpand(true)
            .build();
        let side = gtk::EntryIconPosition::Secondary;
        entry.set_icon_from_icon_name(side, Some("view-reveal-symbolic"));
        entry.set_icon_tooltip_text(side, Some(&text!("Show what is typed")));
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
        let page = page.clone();
        entry.connect_changed(move |entry| {
            if let Some(page) = page.upgrade() {
                page.fill_in(field, Value::Secret(entry.text().as_str().into()));
            }
        });
        Self::plain(&entry)
    }

    fn choice(
        field: Field,
        value: &Value,
        choices: &'static [&'static str],
        page: &Weak<Page>,
    ) -> Self {
        let combo = gtk::ComboBoxText::new();
        combo.set_hexpand(true);
        // Whoever scrolls the page over it means the page.
        combo.connect_scroll_event(|combo, _| {
            combo.stop_signal_emission_by_name("scroll-event");
            glib::Propagation::Proceed
        });
        for choice in choices {
            combo.append_text(&words::translate(choice));
        }
        combo.set_active(u32::try_from(value.choice()).ok());
        let page = page.clone();
        combo.connect_changed(move |combo| {
            if let Some(page) = page.upgrade() {
                let index = combo.active().map_or(usize::MAX, |index| index as usize);
                page.fill_in(field, Value::Choice(index));
            }
        });
        Self::plain(&combo)
    }

    fn switch(field: Field, value: &Value, page: &Weak<Page>) -> Self {
        let switch = gtk::Switch::builder()
            .active(value.is_on())
            .halign(gtk::Align::Start)
            .valign(gtk::Align::Center)
            .build();
        let page = page.clone();
        switch.connect_active_notify(move |switch| {
            if let Some(page) = page.upgrade() {
                page.fill_in(field, Value::Switch(switch.is_active()));
            }
        });
        Self::plain(&switch)
    }

    fn lines(field: Field, value: &Value, page: &Weak<Page>) -> Self {
        let view = gtk::TextView::builder()
            .monospace(true)
            .accepts_tab(false)
            .wrap_mode(gtk::WrapMode::WordChar)
            .left_margin(6)
            .right_margin(6)
            .top_margin(6)
            .bottom_margin(6)
            .build();
        let page = page.clone();
        if let Some(buffer) = view.buffer() {
            buffer.set_text(value.text());
            buffer.connect_changed(move |buffer| {
                if let Some(page) = page.upgrade() {
                    let (start, end) = buffer.bounds();
                    let text = buffer.text(&start, &end, false).unwrap_or_default();
                    page.fill_in(field, Value::Text(text.into()));
                }
            });
        }
        let root = gtk::ScrolledWindow::builder()
            .shadow_type(gtk::ShadowType::In)
            .min_content_height(110)
            .hexpand(true)
            .build();
        root.add(&view);
        root.show_all();
        Self::Plain {
            root: root.upcast(),
            target: view.upcast(),
        }
    }

    fn content(field: Field, inline: Inline, page: &Weak<Page>) -> Self {
        let summary = gtk::Label::builder()
            .xalign(0.0)
            .wrap(true)
            .wrap_mode(gtk::pango::WrapMode::WordChar)
            .max_width_chars(32)
            .hexpand(true)
            .build();
        let choose = gtk::Button::builder().valign(gtk::Align::Center).build();
        let weak = page.clone();
        // A chooser lives as long as somebody holds it.
        let open = Rc::new(RefCell::new(None));
        choose.connect_clicked(move |button| {
            let chooser = choose_file(field, inline, button, &weak, &open);
            chooser.show();
            open.replace(Some(chooser));
        });

        let remove = gtk::Button::builder()
            .label(text!("Remove"))
            .valign(gtk::Align::Center)
            .build();
        let page = page.clone();
        remove.connect_clicked(move |_| {
            if let Some(page) = page.upgrade() {
                page.clear(field);
            }
        });

        // One below the other: beside the buttons a subject would be a narrow column.
        let buttons = gtk::Box::new(gtk::Orientation::Horizontal, 6);
        buttons.add(&choose);
        buttons.add(&remove);
        let root = gtk::Box::new(gtk::Orientation::Vertical, 6);
        root.add(&summary);
        root.add(&buttons);
        root.show_all();
        Self::Content {
            root: root.upcast(),
            summary,
            choose,
            remove,
        }
    }

    /// What stands in the row.
    fn root(&self) -> &gtk::Widget {
        match self {
            Self::Plain { root, .. } | Self::Content { root, .. } => root,
        }
    }

    /// What the label leads to, and what is marked if it is wrong.
    fn target(&self) -> &gtk::Widget {
        match self {
            Self::Plain { target, .. } => target,
            Self::Content { choose, .. } => choose.upcast_ref(),
        }
    }
}

/// A chooser for the file of a field.
fn choose_file(
    field: Field,
    inline: Inline,
    button: &gtk::Button,
    page: &Weak<Page>,
    open: &Rc<RefCell<Option<gtk::FileChooserNative>>>,
) -> gtk::FileChooserNative {
    let window = button
        .toplevel()
        .and_then(|top| top.downcast::<gtk::Window>().ok());
    let title = words::translate(field.label()).replace('_', "");
    let chooser = gtk::FileChooserNative::new(
        Some(&title),
        window.as_ref(),
        gtk::FileChooserAction::Open,
        None,
        None,
    );
    chooser.set_modal(true);
    let all = text!("All files");
    for (name, patterns) in [
        (words::translate(file::kind(inline)), file::patterns(inline)),
        (all, &["*"] as &[&str]),
    ] {
        let filter = gtk::FileFilter::new();
        filter.set_name(Some(&name));
        for pattern in patterns {
            filter.add_pattern(pattern);
        }
        chooser.add_filter(filter);
    }
    let (page, open) = (page.clone(), Rc::downgrade(open));
    chooser.connect_response(move |chooser, response| {
        if let (gtk::ResponseType::Accept, Some(path), Some(page)) =
            (response, chooser.filename(), page.upgrade())
        {
            page.read_file(field, &path);
        }
        if let Some(open) = open.upgrade() {
            open.replace(None);
        }
    });
    chooser
}
