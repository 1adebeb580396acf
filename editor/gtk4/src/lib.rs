//! The editor in GTK 4, for GNOME Settings.
//!
//! What the page shows and checks is decided in `editor/form`; here are only the widgets. The
//! library is opened by the plugin, inside a program that has GTK 4 already.

mod widgets;

use aws_client_vpn_editor_form::Editor;

aws_client_vpn_libnm::editor_factory!(Editor::new::<widgets::Gtk4>);
