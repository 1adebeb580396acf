//! The widgets of a page, whatever their toolkit: which there are, what they say, and when they are
//! to be seen.

use crate::field::{Field, GROUPS, Group, Kind, Value};
use crate::file;
use crate::form::Row;
use crate::page::{GroupState, Page, PageField, Widgets};
use crate::toolkit::{Content, Input, Parts, Question, Toolkit};
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_profile::parts::InlineFile;
use glib::prelude::*;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::{Rc, Weak};

/// The widgets of a page.
pub(crate) struct PageWidgets<T: Toolkit> {
    toolkit: T,
    groups: BTreeMap<&'static str, T::Group>,
    rows: BTreeMap<Field, RowWidgets<T>>,
}

/// The place of a field, with its widgets once it has been shown.
struct RowWidgets<T: Toolkit> {
    field: PageField,
    place: T::Place,
    body: OnceCell<Body<T>>,
}

/// The widgets of a field.
struct Body<T: Toolkit> {
    input: Input<T>,
    parts: Parts<T>,
    tooltip: String,
}

impl<T: Toolkit> PageWidgets<T> {
    /// The widgets of a page that shows nothing yet.
    pub(crate) fn new(page: &Weak<Page>) -> Self {
        let toolkit = T::new();
        let mut groups = BTreeMap::new();
        let mut rows = BTreeMap::new();
        for group in GROUPS {
            let unfolded = group.is_advanced.then(|| {
                let page = page.clone();
                move || {
                    if let Some(page) = page.upgrade() {
                        page.unfold();
                    }
                }
            });
            let widgets = toolkit.add_group(&i18n::translate(group.title), unfolded);
            for (above, field) in (0..).zip(group.fields) {
                let row = RowWidgets {
                    field: PageField::new(*field, page),
                    place: toolkit.add_place(&widgets, above),
                    body: OnceCell::new(),
                };
                rows.insert(*field, row);
            }
            groups.insert(group.title, widgets);
        }
        Self {
            toolkit,
            groups,
            rows,
        }
    }
}

impl<T: Toolkit> Widgets for PageWidgets<T> {
    fn root(&self) -> glib::Object {
        self.toolkit.root()
    }

    fn show_row(&self, field: Field, row: &Row, value: &Value) {
        if let Some(widgets) = self.rows.get(&field) {
            widgets.show(row, value);
        }
    }

    fn show_group(&self, group: &'static Group, state: GroupState) {
        if let Some(widgets) = self.groups.get(group.title) {
            T::show_group(widgets, state.is_shown);
            if state.has_problem {
                T::unfold(widgets);
            }
        }
    }
}

impl<T: Toolkit> RowWidgets<T> {
    /// Shows how the field is now.
    fn show(&self, row: &Row, value: &Value) {
        if row.is_shown {
            self.body.get_or_init(|| self.fill(value));
        }
        if let Some(body) = self.body.get() {
            body.show(row);
        }
    }

    fn fill(&self, value: &Value) -> Body<T> {
        let kind = self.field.field().kind();
        let title = self.field.title();
        let input = input(self.field.clone(), kind, value);
        let parts = T::fill(&self.place, kind, &title, &input);
        Body {
            input,
            parts,
            tooltip: title.tooltip,
        }
    }
}

impl<T: Toolkit> Body<T> {
    fn show(&self, row: &Row) {
        for widget in &self.parts.shown {
            T::set_shown(widget, row.is_shown);
        }
        self.input.root.set_property("sensitive", row.is_sensitive);
        if let Some(content) = &self.input.content {
            content.show(row);
        }

        let problem = row.problem.as_ref().map(i18n::localize);
        let target = &self.input.target;
        // A screen reader says the tooltip after the name.
        target.set_property("tooltip-text", problem.as_ref().unwrap_or(&self.tooltip));
        T::set_class(target, "error", problem.is_some());
        set_label(&self.parts.problem, problem.as_deref().unwrap_or_default());
        T::set_shown(&self.parts.error, problem.is_some());
    }
}

impl<T: Toolkit> Content<T> {
    fn show(&self, row: &Row) {
        let lines: Vec<String> = row.summary.lines.iter().map(i18n::localize).collect();
        set_label(&self.summary, &lines.join("\n"));
        T::set_class(self.summary.upcast_ref(), "warning", row.summary.is_warning);
        T::set_shown(self.summary.upcast_ref(), row.is_filled);
        T::set_shown(self.remove.upcast_ref(), row.is_filled);
        let choose = if row.is_filled {
            gettext!("Replace…")
        } else {
            gettext!("Choose…")
        };
        set_label(&self.choose, &choose);
    }
}

/// What a label or a button says.
fn set_label(widget: &impl ObjectExt, text: &str) {
    widget.set_property("label", text);
}

fn input<T: Toolkit>(field: PageField, kind: Kind, value: &Value) -> Input<T> {
    let entry = |placeholder, is_number, field| {
        T::entry(
            value.text(),
            &i18n::translate(placeholder),
            is_number,
            field,
        )
    };
    match kind {
        Kind::Text(placeholder) => entry(placeholder, false, field),
        Kind::Number(placeholder) => entry(placeholder, true, field),
        Kind::Secret => T::secret(value.text(), field),
        Kind::Choice(choices) => {
            let choices: Vec<String> = choices.iter().map(|text| i18n::translate(text)).collect();
            T::choice(&choices, u32::try_from(value.choice()).ok(), field)
        }
        Kind::Switch => T::switch(value.is_on(), field),
        Kind::Lines => T::lines(value.text(), field),
        Kind::Content(inline) => content(field, inline),
    }
}

fn content<T: Toolkit>(field: PageField, inline: InlineFile) -> Input<T> {
    let choose = T::button();
    let (kind, patterns) = file::kind(inline);
    let question = Question {
        title: field.title().name,
        filters: [
            (i18n::translate(kind), patterns),
            (gettext!("All files"), &["*"]),
        ],
    };
    let chosen = field.clone();
    let open = Rc::new(RefCell::new(None));
    T::connect_clicked(&choose, move |button| {
        let (field, held) = (chosen.clone(), Rc::downgrade(&open));
        let answered = move |path: Option<&Path>| {
            if let Some(path) = path {
                field.read_file(path);
            }
            if let Some(open) = held.upgrade() {
                open.replace(None);
            }
        };
        open.replace(Some(T::ask_for_file(button, &question, answered)));
    });

    let remove = T::button();
    set_label(&remove, &gettext!("Remove"));
    T::connect_clicked(&remove, move |_| field.clear());

    let content = Content {
        summary: T::summary(),
        choose,
        remove,
    };
    Input {
        root: T::content(&content),
        target: content.choose.upcast_ref().clone(),
        content: Some(content),
    }
}
