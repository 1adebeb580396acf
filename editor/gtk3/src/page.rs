//! The groups of the page under their headings, as nm-connection-editor's own pages have them.

use crate::row::RowWidgets;
use aws_client_vpn_editor_form::{Field, GROUPS, Group, GroupState, Page, Row, Value, Widgets};
use aws_client_vpn_words as words;
use gtk::prelude::*;
use std::collections::BTreeMap;
use std::rc::Weak;

/// The page does not make a window taller than this; more of it is scrolled.
const HEIGHT_LIMIT: i32 = 480;

/// The widgets of a page.
pub(crate) struct PageWidgets {
    root: gtk::ScrolledWindow,
    rows: BTreeMap<Field, RowWidgets>,
    groups: BTreeMap<&'static str, GroupWidgets>,
}

/// The widgets of a group.
struct GroupWidgets {
    root: gtk::Widget,
    expander: Option<gtk::Expander>,
}

impl PageWidgets {
    pub(crate) fn new(page: &Weak<Page>) -> Self {
        let column = gtk::Box::builder()
            .orientation(gtk::Orientation::Vertical)
            .spacing(18)
            .margin(12)
            .build();
        // Widgets of the same kind are equally wide in all groups.
        let labels = gtk::SizeGroup::new(gtk::SizeGroupMode::Horizontal);
        let mut rows = BTreeMap::new();
        let mut groups = BTreeMap::new();
        for group in GROUPS {
            let grid = gtk::Grid::builder()
                .row_spacing(6)
                .column_spacing(12)
                .margin_start(12)
                .build();
            for (index, field) in (0_i32..).zip(group.fields) {
                let row = RowWidgets::new(*field, page, &grid, index * 2, &labels);
                rows.insert(*field, row);
            }
            let widgets = GroupWidgets::new(group, &grid, page);
            column.add(&widgets.root);
            groups.insert(group.title, widgets);
        }
        let root = gtk::ScrolledWindow::builder()
            .hscrollbar_policy(gtk::PolicyType::Never)
            .propagate_natural_height(true)
            .max_content_height(HEIGHT_LIMIT)
            .build();
        root.add(&column);
        // The host shows everything in it; what is hidden now says so itself.
        root.show_all();
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
            set_shown(&widgets.root, state.is_shown);
            if let Some(expander) = widgets.expander.as_ref().filter(|_| state.has_problem) {
                expander.set_expanded(true);
            }
        }
    }
}

impl GroupWidgets {
    fn new(group: &'static Group, grid: &gtk::Grid, page: &Weak<Page>) -> Self {
        let title = gtk::Label::builder()
            .label(words::translate(group.title))
            .xalign(0.0)
            .build();
        let bold = gtk::pango::AttrList::new();
        bold.insert(gtk::pango::AttrInt::new_weight(gtk::pango::Weight::Bold));
        title.set_attributes(Some(&bold));
        if group.is_advanced {
            grid.set_margin_top(6);
            let expander = gtk::Expander::new(None);
            expander.set_label_widget(Some(&title));
            expander.add(grid);
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
        let root = gtk::Box::new(gtk::Orientation::Vertical, 6);
        root.add(&title);
        root.add(grid);
        Self {
            root: root.upcast(),
            expander: None,
        }
    }
}

/// Shows or hides a widget, also when the host shows all widgets later.
pub(crate) fn set_shown(widget: &impl IsA<gtk::Widget>, is_shown: bool) {
    widget.set_no_show_all(!is_shown);
    widget.set_visible(is_shown);
}
