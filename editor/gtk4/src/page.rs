//! The page: its groups as lists of rows, and what an edit does to them.

use crate::row::Row;
use aws_client_vpn_editor_form::{Field, Form, GROUPS, Group, Value};
use aws_client_vpn_words as words;
use gtk4::prelude::*;
use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The page of a connection.
pub(crate) struct Page {
    root: gtk4::Box,
    form: RefCell<Form>,
    groups: Vec<Section>,
    rows: BTreeMap<Field, Row>,
    changed: RefCell<Option<Box<dyn Fn()>>>,
    chooser: RefCell<Option<gtk4::FileChooserNative>>,
}

/// The widgets of a group.
struct Section {
    group: &'static Group,
    root: gtk4::Widget,
    expander: Option<gtk4::Expander>,
}

impl Page {
    pub(crate) fn new(form: Form) -> Rc<Self> {
        Rc::new_cyclic(|page| {
            let root = gtk4::Box::builder()
                .orientation(gtk4::Orientation::Vertical)
                .spacing(18)
                .margin_top(12)
                .margin_bottom(12)
                .margin_start(12)
                .margin_end(12)
                .build();
            let mut rows = BTreeMap::new();
            let mut groups = Vec::new();
            for group in GROUPS {
                let list = gtk4::ListBox::builder()
                    .selection_mode(gtk4::SelectionMode::None)
                    .css_classes(["boxed-list", "frame"])
                    .build();
                for field in group.fields {
                    let row = Row::new(*field, form.value(*field), page);
                    list.append(row.widget());
                    rows.insert(*field, row);
                }
                let section = Section::new(group, &list);
                root.append(&section.root);
                groups.push(section);
            }
            let page = Self {
                root,
                form: RefCell::new(form),
                groups,
                rows,
                changed: RefCell::new(None),
                chooser: RefCell::new(None),
            };
            page.refresh();
            page
        })
    }

    /// What the host shows.
    pub(crate) fn widget(&self) -> &gtk4::Box {
        &self.root
    }

    pub(crate) fn form(&self) -> Ref<'_, Form> {
        self.form.borrow()
    }

    /// What is called after each edit.
    pub(crate) fn connect_changed(&self, changed: impl Fn() + 'static) {
        self.changed.replace(Some(Box::new(changed)));
    }

    /// A user filled a field in.
    pub(crate) fn fill_in(&self, field: Field, value: Value) {
        self.edit(|form| form.set(field, value));
    }

    /// Changes the form, shows what follows from it, and tells the host.
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Form)) {
        edit(&mut self.form.borrow_mut());
        self.refresh();
        if let Some(changed) = &*self.changed.borrow() {
            changed();
        }
    }

    /// Keeps a file chooser alive while it is open.
    pub(crate) fn hold(&self, chooser: Option<gtk4::FileChooserNative>) {
        self.chooser.replace(chooser);
    }

    fn refresh(&self) {
        let now = glib::DateTime::now_utc().map_or(0, |now| now.to_unix());
        let states = self.form.borrow().rows(now);
        for (field, row) in &self.rows {
            if let Some(state) = states.get(field) {
                row.show(state);
            }
        }
        for section in &self.groups {
            let fields = || {
                section
                    .group
                    .fields
                    .iter()
                    .filter_map(|field| states.get(field))
            };
            section
                .root
                .set_visible(fields().any(|state| state.is_shown));
            if let Some(expander) = &section.expander
                && fields().any(|state| state.problem.is_some())
            {
                expander.set_expanded(true);
            }
        }
    }
}

impl Section {
    fn new(group: &'static Group, list: &gtk4::ListBox) -> Self {
        let title = gtk4::Label::builder()
            .label(words::translate(group.title))
            .xalign(0.0)
            .css_classes(["heading"])
            .build();
        if group.is_advanced {
            list.set_margin_top(6);
            let expander = gtk4::Expander::builder()
                .label_widget(&title)
                .child(list)
                .build();
            return Self {
                group,
                root: expander.clone().upcast(),
                expander: Some(expander),
            };
        }
        let root = gtk4::Box::new(gtk4::Orientation::Vertical, 6);
        root.append(&title);
        root.append(list);
        Self {
            group,
            root: root.upcast(),
            expander: None,
        }
    }
}
