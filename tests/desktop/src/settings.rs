//! GNOME Settings' page for networks, used as a person uses it.

use crate::accessible::Accessible;
use crate::desktop::Desktop;
use crate::role::Role;
use aws_client_vpn_harness::Process;

/// The button that adds a VPN, as GNOME 43 calls it, and as GNOME 48 does.
const ADD: [&str; 2] = ["Add connection", "Add VPN"];
/// The button that opens the editor of a connection, likewise.
const OPTIONS: [&str; 2] = ["Options…", "VPN Options"];

/// The open page.
#[derive(Debug)]
pub struct NetworkSettings<'desktop, 'world> {
    desktop: &'desktop Desktop<'world>,
    program: Process,
    shown: Accessible,
}

impl<'desktop, 'world> NetworkSettings<'desktop, 'world> {
    /// Starts GNOME Settings at that page.
    #[track_caller]
    #[must_use]
    pub fn open(desktop: &'desktop Desktop<'world>) -> Self {
        let program = desktop.start("gnome-control-center", &["network"]);
        let shown = desktop.program("gnome-control-center");
        let settings = Self {
            desktop,
            program,
            shown,
        };
        settings.shown.wait_any(Role::Button, &ADD);
        settings
    }

    /// Whether it runs, which it does not after a crash.
    pub fn is_running(&mut self) -> bool {
        self.program.is_running()
    }

    /// Ends it, whatever it shows.
    pub fn close(mut self) {
        self.program.kill();
    }

    /// Adds a VPN with "Import from file…", up to the editor that opens with it.
    #[track_caller]
    #[must_use]
    pub fn import(&self, file: &str) -> ConnectionEditor<'desktop, 'world> {
        self.desktop.click(&self.shown.wait_any(Role::Button, &ADD));
        let import = self.shown.wait(Role::Label, "Import from file…");
        self.desktop.await_window_of(&self.shown, &import);
        self.desktop.click(&import);
        self.desktop
            .choose_file(&self.shown, "Select file to import", file);
        self.editor("Add")
    }

    /// Opens the editor of the VPN `name`.
    #[track_caller]
    #[must_use]
    pub fn edit(&self, name: &str) -> ConnectionEditor<'desktop, 'world> {
        let is_row =
            |node: &Accessible| node.is(Role::ListItem) && node.find(Role::Label, name).is_some();
        let row = self.shown.wait_for(&format!("the row of {name}"), is_row);
        self.desktop.click(&row.wait_any(Role::Button, &OPTIONS));
        self.editor("Apply")
    }

    /// The editor that opens, with the button that saves.
    #[track_caller]
    fn editor(&self, save: &'static str) -> ConnectionEditor<'desktop, 'world> {
        let button = self.shown.wait(Role::Button, save);
        let window = self.desktop.await_window_of(&self.shown, &button);
        // It may begin with what NetworkManager knows of every connection.
        self.desktop.click(&window.wait(Role::Label, "Identity"));
        ConnectionEditor {
            desktop: self.desktop,
            window,
            save,
        }
    }
}

/// The editor of a connection, in the window of its host.
#[derive(Debug)]
pub struct ConnectionEditor<'desktop, 'world> {
    desktop: &'desktop Desktop<'world>,
    window: Accessible,
    save: &'static str,
}

impl<'desktop, 'world> ConnectionEditor<'desktop, 'world> {
    /// The editor in `window`, with a button `save`.
    #[must_use]
    pub fn new(desktop: &'desktop Desktop<'world>, window: Accessible, save: &'static str) -> Self {
        Self {
            desktop,
            window,
            save,
        }
    }

    /// What it shows.
    #[must_use]
    pub fn window(&self) -> &Accessible {
        &self.window
    }

    /// The text that a field holds.
    #[track_caller]
    #[must_use]
    pub fn text(&self, field: &str) -> String {
        self.field(field).text()
    }

    /// Clicks into a field and types.
    #[track_caller]
    pub fn type_into(&self, field: &str, text: &str) {
        self.desktop.type_into(&self.field(field), text);
    }

    /// Waits until the button that saves can be pressed, or cannot.
    #[track_caller]
    pub fn await_can_save(&self, can: bool) {
        let what = format!("{} is sensitive: {can}", self.save);
        self.window.wait_until(&what, |window| {
            let button = window.find(Role::Button, self.save);
            button.is_some_and(|button| button.is_sensitive() == can)
        });
    }

    /// Clicks at the button that saves; waits until the window is gone.
    #[track_caller]
    pub fn save(self) {
        self.await_can_save(true);
        self.desktop
            .click(&self.window.wait(Role::Button, self.save));
        self.window
            .wait_until("the editor closes", |window| !window.is_showing());
    }

    /// Clicks at Cancel; waits until the window is gone.
    #[track_caller]
    pub fn cancel(self) {
        self.desktop
            .click(&self.window.wait(Role::Button, "Cancel"));
        self.window
            .wait_until("the editor closes", |window| !window.is_showing());
    }

    #[track_caller]
    fn field(&self, name: &str) -> Accessible {
        let is_field = |node: &Accessible| {
            [Role::Text, Role::Entry, Role::SpinButton]
                .iter()
                .any(|role| node.is(*role))
                && node.is_called(name)
                && node.is_showing()
        };
        self.window.wait_for(&format!("the field {name}"), is_field)
    }
}
