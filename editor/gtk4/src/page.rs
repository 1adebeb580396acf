//! The groups of the page as lists of rows.

use crate::row::RowWidgets;
use aws_client_vpn_editor_form::{Field, GROUPS, Group, GroupState, Page, Row, Value, Widgets};
use aws_client_vpn_words as words;
use gtk4::prelude::*;
use std::collections::BTreeMap;
use std::rc::Weak;

/// GNOME Settings neither scrolls a page nor lets its window be resized: the page does not make it
/// taller than this.
const HEIGHT_LIMIT: i32 = 560;

/// The widgets of a page.
pub(crate) struct PageWidgets {
    root: gtk4::ScrolledWindow,
    rows: BTreeMap<Field, RowWidgets>,
    groups: BTreeMap<&'static str, GroupWidgets>,
}

/// The widgets of a group.
struct GroupWidgets {
    root: gtk4::Widget,
    expander: Option<gtk4::Expander>,
}

impl PageWidgets {
    pub(crate) fn new(page: &Weak<Page>) -> Self {
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
        // Entries begin at the same place in all groups.
        let labels = gtk4::SizeGroup::new(gtk4::SizeGroupMode::Horizontal);
        let mut rows = BTreeMap::new();
        let mut groups = BTreeMap::new();
        for group in GROUPS {
            // A list in a card, with the style of libadwaita where the host has it.
            let list = gtk4::ListBox::builder()
                .selection_mode(gtk4::SelectionMode::None)
                .css_classes(["boxed-list", "frame"])
                .build();
            for field in group.fields {
                let row = RowWidgets::new(*field, page, &labels);
                list.append(row.root());
                rows.insert(*field, row);
            }
            let widgets = GroupWidgets::new(group, &list, page);
            column.append(&widgets.root);
            groups.insert(group.title, widgets);
        }
        let root = gtk4::ScrolledWindow::builder()
            .hscrollbar_policy(gtk4::PolicyType::Never)
            .propagate_natural_height(true)
            .max_content_height(HEIGHT_LIMIT)
            .vexpand(true)
            .child(&column)
            .build();
        Self { root, rows, groups }
    }
}

impl Widgets for PageWidgets {
    fn root(&self) -> glib::Object {
        self.root.clone().upcast()
    }

    fn show_row(&self, field: Field, row: &Row, value: &Value) {
        if let Some(widgets) = self.rows.get(&field) {
            widgets.show(row, value);
        }
    }

    fn show_group(&self, group: &'static Group, state: GroupState) {
        if let Some(widgets) = self.groups.get(group.title) {
            widgets.root.set_visible(state.is_shown);
            if let Some(expander) = widgets.expander.as_ref().filter(|_| state.has_problem) {
                expander.set_expanded(true);
            }
        }
    }
}

impl GroupWidgets {
    fn new(group: &'static Group, list: &gtk4::ListBox, page: &Weak<Page>) -> Self {
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
            let page = page.clone();
            expander.connect_expanded_notify(move |_| {
                if let Some(page) = page.upgrade() {
                    page.unfold();
                }
            });
            return Self {
                root: expander.clone().upcast(),
                expander: Some(expander),
            };
        }
        let root = gtk4::Box::new(gtk4::Orientation::Vertical, 6);
        root.append(&title);
        root.append(list);
        Self {
            root: root.upcast(),
            expander: None,
        }
    }
}
