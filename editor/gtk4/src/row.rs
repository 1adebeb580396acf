//! A row: the label of a field, its widget, and what is wrong with it.

use aws_client_vpn_core::profile::Inline;
use aws_client_vpn_editor_form::{Field, Kind, Page, Row, Value, file};
use aws_client_vpn_words::{self as words, text};
use gtk4::prelude::*;
use std::cell::{OnceCell, RefCell};
use std::rc::{Rc, Weak};

/// The place of a field, with its widgets once it has been shown.
pub(crate) struct RowWidgets {
    field: Field,
    root: gtk4::ListBoxRow,
    body: OnceCell<Body>,
    page: Weak<Page>,
    labels: gtk4::SizeGroup,
}

/// The widgets of a field.
struct Body {
    input: Input,
    complaint: gtk4::Box,
    problem: gtk4::Label,
    tooltip: String,
}

/// What a field is filled in with.
enum Input {
    Plain(gtk4::Widget),
    Content {
        root: gtk4::Widget,
        summary: gtk4::Label,
        choose: gtk4::Button,
        remove: gtk4::Button,
    },
}

impl RowWidgets {
    pub(crate) fn new(field: Field, page: &Weak<Page>, labels: &gtk4::SizeGroup) -> Self {
        let root = gtk4::ListBoxRow::builder()
            .activatable(false)
            .selectable(false)
            .focusable(false)
            .visible(false)
            .build();
        Self {
            field,
            root,
            body: OnceCell::new(),
            page: page.clone(),
            labels: labels.clone(),
        }
    }

    pub(crate) fn root(&self) -> &gtk4::ListBoxRow {
        &self.root
    }

    /// Shows how the field is now.
    pub(crate) fn show(&self, row: &Row, value: &Value) {
        self.root.set_visible(row.is_shown);
        if row.is_shown {
            let body = self.body.get_or_init(|| self.fill(value));
            body.show(row);
        }
    }

    fn fill(&self, value: &Value) -> Body {
        let kind = self.field.kind();
        let tooltip = words::translate(self.field.tooltip());
        let input = Input::new(self.field, value, &self.page);
        let label = gtk4::Label::builder()
            .label(words::translate(self.field.label()))
            .use_underline(true)
            .xalign(0.0)
            .wrap(!matches!(kind, Kind::Text(_) | Kind::Secret))
            .mnemonic_widget(input.target())
            .tooltip_text(&tooltip)
            .build();
        let line = gtk4::Box::new(gtk4::Orientation::Horizontal, 12);
        match kind {
            // An entry fills its line, whatever else stands at its end.
            Kind::Text(_) | Kind::Secret => self.labels.add_widget(&label),
            Kind::Lines => {
                line.set_orientation(gtk4::Orientation::Vertical);
                line.set_spacing(6);
            }
            Kind::Number(_) | Kind::Choice(_) | Kind::Switch | Kind::Content(_) => {
                label.set_hexpand(true);
            }
        }
        match &input {
            Input::Plain(_) => line.append(&label),
            Input::Content { summary, .. } => {
                let told = gtk4::Box::new(gtk4::Orientation::Vertical, 3);
                told.set_valign(gtk4::Align::Center);
                told.append(&label);
                told.append(summary);
                line.append(&told);
            }
        }
        line.append(input.widget());

        let problem = gtk4::Label::builder()
            .xalign(0.0)
            .wrap(true)
            .wrap_mode(gtk4::pango::WrapMode::WordChar)
            .css_classes(["caption"])
            .build();
        // Red letters alone would be hard to read in the dark, and nothing to the colour-blind.
        let sign = gtk4::Image::from_icon_name("dialog-error-symbolic");
        sign.add_css_class("error");
        let complaint = gtk4::Box::new(gtk4::Orientation::Horizontal, 6);
        complaint.append(&sign);
        complaint.append(&problem);
        let body = gtk4::Box::builder()
            .orientation(gtk4::Orientation::Vertical)
            .spacing(4)
            .margin_top(8)
            .margin_bottom(8)
            .margin_start(12)
            .margin_end(12)
            .build();
        body.append(&line);
        body.append(&complaint);
        self.root.set_child(Some(&body));
        Body {
            input,
            complaint,
            problem,
            tooltip,
        }
    }
}

impl Body {
    fn show(&self, row: &Row) {
        let widget = self.input.widget();
        widget.set_sensitive(row.is_sensitive);
        if let Input::Content {
            summary,
            choose,
            remove,
            ..
        } = &self.input
        {
            let lines: Vec<String> = row.summary.lines.iter().map(words::of).collect();
            summary.set_label(&lines.join("\n"));
            summary.set_visible(row.is_filled);
            if row.summary.is_warning {
                summary.add_css_class("warning");
            } else {
                summary.remove_css_class("warning");
            }
            remove.set_visible(row.is_filled);
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
        if problem.is_some() {
            target.add_css_class("error");
        } else {
            target.remove_css_class("error");
        }
        self.problem
            .set_label(problem.as_deref().unwrap_or_default());
        self.complaint.set_visible(problem.is_some());
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

    fn entry(
        field: Field,
        value: &Value,
        placeholder: &'static str,
        page: &Weak<Page>,
        is_number: bool,
    ) -> Self {
        let entry = gtk4::Entry::builder()
            .text(value.text())
            .placeholder_text(words::translate(placeholder))
            .valign(gtk4::Align::Center)
            .hexpand(!is_number)
            .width_chars(if is_number { 9 } else { 18 })
            .build();
        if is_number {
            entry.set_input_purpose(gtk4::InputPurpose::Digits);
        }
        let page = page.clone();
        entry.connect_changed(move |entry| {
            if let Some(page) = page.upgrade() {
                page.fill_in(field, Value::Text(entry.text().into()));
            }
        });
        Self::Plain(entry.upcast())
    }

    fn secret(field: Field, value: &Value, page: &Weak<Page>) -> Self {
        let entry = gtk4::PasswordEntry::builder()
            .show_peek_icon(true)
            .valign(gtk4::Align::Center)
            .hexpand(true)
            .width_chars(18)
            .build();
        entry.set_text(value.text());
        let page = page.clone();
        entry.connect_changed(move |entry| {
            if let Some(page) = page.upgrade() {
                page.fill_in(field, Value::Secret(entry.text().as_str().into()));
            }
        });
        Self::Plain(entry.upcast())
    }

    fn choice(
        field: Field,
        value: &Value,
        choices: &'static [&'static str],
        page: &Weak<Page>,
    ) -> Self {
        let choices: Vec<String> = choices.iter().map(|text| words::translate(text)).collect();
        let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
        let drop_down = gtk4::DropDown::from_strings(&choices);
        drop_down.set_valign(gtk4::Align::Center);
        let index = u32::try_from(value.choice()).unwrap_or(gtk4::INVALID_LIST_POSITION);
        drop_down.set_selected(index);
        let page = page.clone();
        drop_down.connect_selected_notify(move |drop_down| {
            if let Some(page) = page.upgrade() {
                page.fill_in(field, Value::Choice(drop_down.selected() as usize));
            }
        });
        Self::Plain(drop_down.upcast())
    }

    fn switch(field: Field, value: &Value, page: &Weak<Page>) -> Self {
        let switch = gtk4::Switch::builder()
            .active(value.is_on())
            .valign(gtk4::Align::Center)
            .halign(gtk4::Align::End)
            .build();
        let page = page.clone();
        switch.connect_active_notify(move |switch| {
            if let Some(page) = page.upgrade() {
                page.fill_in(field, Value::Switch(switch.is_active()));
            }
        });
        Self::Plain(switch.upcast())
    }

    fn lines(field: Field, value: &Value, page: &Weak<Page>) -> Self {
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
        view.buffer().set_text(value.text());
        let page = page.clone();
        view.buffer().connect_changed(move |buffer| {
            if let Some(page) = page.upgrade() {
                let (start, end) = buffer.bounds();
                page.fill_in(field, Value::Text(buffer.text(&start, &end, false).into()));
            }
        });
        view.add_css_class("frame");
        Self::Plain(view.upcast())
    }

    fn content(field: Field, inline: Inline, page: &Weak<Page>) -> Self {
        let summary = gtk4::Label::builder()
            .xalign(0.0)
            .wrap(true)
            .wrap_mode(gtk4::pango::WrapMode::WordChar)
            .css_classes(["caption", "dim-label"])
            .build();
        let choose = gtk4::Button::builder().valign(gtk4::Align::Center).build();
        let weak = page.clone();
        // A chooser lives as long as somebody holds it.
        let open = Rc::new(RefCell::new(None));
        choose.connect_clicked(move |button| {
            let chooser = choose_file(field, inline, button, &weak, &open);
            chooser.show();
            open.replace(Some(chooser));
        });

        let remove = gtk4::Button::builder()
            .label(text!("Remove"))
            .valign(gtk4::Align::Center)
            .build();
        let page = page.clone();
        remove.connect_clicked(move |_| {
            if let Some(page) = page.upgrade() {
                page.clear(field);
            }
        });

        let root = gtk4::Box::new(gtk4::Orientation::Horizontal, 6);
        root.append(&choose);
        root.append(&remove);
        Self::Content {
            root: root.upcast(),
            summary,
            choose,
            remove,
        }
    }

    /// What stands in the row.
    fn widget(&self) -> &gtk4::Widget {
        match self {
            Self::Plain(widget) => widget,
            Self::Content { root, .. } => root,
        }
    }

    /// What the label leads to, and what is marked if it is wrong.
    fn target(&self) -> &gtk4::Widget {
        match self {
            Self::Plain(widget) => widget,
            Self::Content { choose, .. } => choose.upcast_ref(),
        }
    }
}

/// A chooser for the file of a field.
fn choose_file(
    field: Field,
    inline: Inline,
    button: &gtk4::Button,
    page: &Weak<Page>,
    open: &Rc<RefCell<Option<gtk4::FileChooserNative>>>,
) -> gtk4::FileChooserNative {
    let window = button.root().and_downcast::<gtk4::Window>();
    let title = words::translate(field.label()).replace('_', "");
    let chooser = gtk4::FileChooserNative::new(
        Some(&title),
        window.as_ref(),
        gtk4::FileChooserAction::Open,
        None,
        None,
    );
    chooser.set_modal(true);
    let all = text!("All files");
    for (name, patterns) in [
        (words::translate(file::kind(inline)), file::patterns(inline)),
        (all, &["*"] as &[&str]),
    ] {
        let filter = gtk4::FileFilter::new();
        filter.set_name(Some(&name));
        for pattern in patterns {
            filter.add_pattern(pattern);
        }
        chooser.add_filter(&filter);
    }
    let (page, open) = (page.clone(), Rc::downgrade(open));
    chooser.connect_response(move |chooser, response| {
        let path = chooser.file().and_then(|file| file.path());
        if let (gtk4::ResponseType::Accept, Some(path), Some(page)) =
            (response, path, page.upgrade())
        {
            page.read_file(field, &path);
        }
        if let Some(open) = open.upgrade() {
            open.replace(None);
        }
    });
    chooser
}
