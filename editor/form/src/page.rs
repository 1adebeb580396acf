//! The page behind the widgets: what an edit does, whatever the toolkit.

use crate::field::{Field, GROUPS, Group, Value};
use crate::file;
use crate::form::{Form, Row};
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_libnm::guard::guarded_silently;
use aws_client_vpn_text::message;
use std::cell::{Cell, OnceCell, Ref, RefCell};
use std::path::Path;
use std::rc::{Rc, Weak};

/// The widgets of a page, whatever their toolkit.
pub(crate) trait Widgets: 'static {
    /// The widget that the host shows.
    fn root(&self) -> glib::Object;

    /// Shows how a field is now. Its widgets are made when it is first shown, with `value` in
    /// them: most connections need few of the fields.
    fn show_row(&self, field: Field, row: &Row, value: &Value);

    /// Shows how a group is now.
    fn show_group(&self, group: &'static Group, state: GroupState);
}

/// What is to be seen of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupState {
    /// Whether it is there at all: a field of it is.
    pub(crate) is_shown: bool,
    /// Whether something in it is wrong, so that it must not be folded away.
    pub(crate) has_problem: bool,
}

/// The page of a connection.
pub(crate) struct Page {
    form: RefCell<Form>,
    widgets: OnceCell<Box<dyn Widgets>>,
    changed: RefCell<Option<Box<dyn Fn()>>>,
    is_unfolded: Cell<bool>,
}

impl Page {
    /// A page with the widgets that are made for it. What they are connected to holds the page
    /// weakly: it lives as long as the host's editor.
    pub(crate) fn new<W: Widgets>(form: Form, widgets: impl FnOnce(&Weak<Self>) -> W) -> Rc<Self> {
        let page = Rc::new(Self {
            form: RefCell::new(form),
            widgets: OnceCell::new(),
            changed: RefCell::new(None),
            is_unfolded: Cell::new(false),
        });
        let widgets = widgets(&Rc::downgrade(&page));
        // A new page has none yet.
        let _ = page.widgets.set(Box::new(widgets));
        page.refresh();
        page
    }

    /// What is filled in.
    pub(crate) fn form(&self) -> Ref<'_, Form> {
        self.form.borrow()
    }

    /// The widget that the host shows.
    pub(crate) fn root(&self) -> Option<glib::Object> {
        Some(self.widgets.get()?.root())
    }

    /// What is called after each edit.
    pub(crate) fn connect_changed(&self, changed: impl Fn() + 'static) {
        self.changed.replace(Some(Box::new(changed)));
    }

    /// What was folded away is to be seen. Called by the toolkit, which is C: a panic must not reach it.
    pub(crate) fn unfold(&self) {
        guarded_silently((), || {
            if !self.is_unfolded.replace(true) {
                self.refresh();
            }
        });
    }

    /// Changes the form, shows what follows from it, and tells the host. Called by the toolkit, too.
    fn edit(&self, edit: impl FnOnce(&mut Form)) {
        guarded_silently((), || self.edit_unguarded(edit));
    }

    fn edit_unguarded(&self, edit: impl FnOnce(&mut Form)) {
        // A widget that is set while another one is shown has nothing new to say.
        let Ok(mut form) = self.form.try_borrow_mut() else {
            return;
        };
        edit(&mut form);
        drop(form);
        self.refresh();
        if let Some(changed) = &*self.changed.borrow() {
            changed();
        }
    }

    fn refresh(&self) {
        let Some(widgets) = self.widgets.get() else {
            return;
        };
        let now = glib::DateTime::now_utc().map_or(0, |now| now.to_unix());
        let rows = self.form.borrow().rows(now);
        for group in GROUPS {
            let group_rows = || group.fields.iter().filter_map(|field| rows.get(field));
            let state = GroupState {
                is_shown: group_rows().any(|row| row.is_shown),
                has_problem: group_rows().any(|row| row.problem.is_some()),
            };
            // May unfold it.
            widgets.show_group(group, state);
            if !group.is_advanced || self.is_unfolded.get() {
                let form = self.form.borrow();
                for field in group.fields {
                    if let Some(row) = rows.get(field) {
                        widgets.show_row(*field, row, form.value(*field));
                    }
                }
            }
        }
    }
}

/// What a field is called.
pub struct Title {
    /// With an underscore before the letter that leads to it.
    pub label: String,
    /// Without.
    pub name: String,
    /// What a person may want to know about it.
    pub tooltip: String,
}

/// A field of a page, to which its widgets say what a user does. They hold the page weakly.
#[derive(Clone)]
pub struct PageField {
    field: Field,
    page: Weak<Page>,
}

impl PageField {
    pub(crate) fn new(field: Field, page: &Weak<Page>) -> Self {
        Self {
            field,
            page: page.clone(),
        }
    }

    pub(crate) fn field(&self) -> Field {
        self.field
    }

    /// What it is called.
    pub(crate) fn title(&self) -> Title {
        let label = i18n::translate(self.field.label());
        Title {
            name: label.replace('_', ""),
            label,
            tooltip: i18n::translate(self.field.tooltip()),
        }
    }

    /// A user filled it in.
    pub fn fill_in(&self, value: Value) {
        self.edit(|form| form.set(self.field, value));
    }

    /// A user took away what it holds.
    pub(crate) fn clear(&self) {
        self.edit(|form| form.clear(self.field));
    }

    /// A user chose a file: it is read at once, and its path is not kept.
    pub(crate) fn read_file(&self, path: &Path) {
        self.edit(|form| match file::read_bytes(path) {
            Ok(bytes) => form.set_file(self.field, &bytes),
            Err(reason) => form.refuse_file(
                self.field,
                message!("The file cannot be read. {reason}", reason = reason),
            ),
        });
    }

    fn edit(&self, edit: impl FnOnce(&mut Form)) {
        if let Some(page) = self.page.upgrade() {
            page.edit(edit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct NoWidgets;

    impl Widgets for NoWidgets {
        fn root(&self) -> glib::Object {
            glib::Object::new()
        }

        fn show_row(&self, _field: Field, _row: &Row, _value: &Value) {}

        fn show_group(&self, _group: &'static Group, _state: GroupState) {}
    }

    #[test]
    fn a_panic_in_an_edit_does_not_reach_the_toolkit() {
        let form = Form::new(BTreeMap::new(), BTreeMap::new());
        let page = Page::new(form, |_| NoWidgets);
        let changes = Rc::new(Cell::new(0));
        let counted = Rc::clone(&changes);
        page.connect_changed(move || counted.set(counted.get() + 1));
        let field = PageField::new(Field::Endpoint, &Rc::downgrade(&page));
        field.edit(|_| panic!("on purpose"));
        assert_eq!(changes.get(), 0);
        // The page goes on.
        field.fill_in(Value::Text("vpn.example".to_owned()));
        assert_eq!(changes.get(), 1);
    }
}
