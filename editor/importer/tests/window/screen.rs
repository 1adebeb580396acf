//! What a person sees and does, in the widgets of the windows.

use adw::prelude::*;
use aws_client_vpn_importer::window::Window;
use gtk::{gio, glib};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The machine may be loaded.
const LIMIT: Duration = Duration::from_secs(180);

pub(crate) struct Screen {
    application: adw::Application,
    directory: PathBuf,
    pictures: PathBuf,
    language: String,
}

impl Screen {
    pub(crate) fn new(application: adw::Application, directory: &Path, language: &str) -> Self {
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots/importer");
        std::fs::create_dir_all(&pictures).unwrap();
        // Every window is shut by the test; the application goes on between them.
        std::mem::forget(application.hold());
        Self {
            application,
            directory: directory.to_owned(),
            pictures,
            language: language.to_owned(),
        }
    }

    fn window(&self) -> Window {
        Window::new(&self.application)
    }

    /// A window without a profile.
    pub(crate) fn welcome(&self) -> gtk::Window {
        let window = self.window();
        window.present();
        window.widget().clone().upcast()
    }

    pub(crate) fn open(&self, profile: &str) -> gtk::Window {
        self.open_at(profile, 560)
    }

    /// As on a phone.
    pub(crate) fn open_narrow(&self, profile: &str) -> gtk::Window {
        self.open_at(profile, 360)
    }

    fn open_at(&self, profile: &str, width: i32) -> gtk::Window {
        let window = self.window();
        window.widget().set_default_size(width, 860);
        let file = self.directory.join(format!("{profile}.ovpn"));
        window.open(&gio::File::for_path(file));
        window.present();
        window.widget().clone().upcast()
    }

    fn wait<T>(&self, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + LIMIT;
        // Wakes the loop up, so that the limit is looked at.
        let tick =
            glib::timeout_add_local(Duration::from_millis(20), || glib::ControlFlow::Continue);
        let found = loop {
            if let Some(found) = found() {
                break Some(found);
            }
            if Instant::now() > end {
                break None;
            }
            glib::MainContext::default().iteration(true);
        };
        tick.remove();
        found.unwrap_or_else(|| panic!("{what} did not come"))
    }

    pub(crate) fn wait_for(&self, window: &gtk::Window, text: &str) {
        let seen = || {
            texts(window.upcast_ref())
                .iter()
                .any(|seen| seen.contains(text))
        };
        self.wait(&format!("'{text}'"), || seen().then_some(()));
    }

    pub(crate) fn wait_for_dialog(&self, parent: &gtk::Window) -> gtk::Window {
        self.wait("a dialog", || {
            let windows = gtk::Window::list_toplevels().into_iter();
            let mut windows = windows.filter_map(|window| window.downcast::<gtk::Window>().ok());
            windows.find(|window| window.transient_for().as_ref() == Some(parent))
        })
    }

    /// As Enter does.
    pub(crate) fn press_default(&self, window: &gtk::Window) {
        let button = window.default_widget().expect("Enter does nothing");
        assert!(
            button.is_visible() && button.is_sensitive(),
            "Enter does nothing"
        );
        assert!(button.activate());
    }

    /// A key, from the keyboard.
    pub(crate) fn key(&self, window: &gtk::Window, key: &str) {
        self.settle(window);
        let title = window.title().unwrap_or_default();
        // There is no window manager that would give it the keyboard.
        let mut xdotool = Command::new("xdotool")
            .args(["search", "--onlyvisible", "--name", &title])
            .args(["windowfocus", "--sync"])
            // To whatever has the keyboard, as the server does it.
            .args(["key", "--window", "0", "--clearmodifiers", key])
            .spawn()
            .expect("xdotool (packaging/debian-packages.txt)");
        let status = self.wait("the key", || xdotool.try_wait().unwrap());
        assert!(status.success(), "{key} in {title}");
    }

    /// Lets go of a file over the window.
    pub(crate) fn drop_file(&self, window: &gtk::Window, name: &str) {
        let controllers = window.observe_controllers();
        let target = (0..controllers.n_items())
            .find_map(|index| controllers.item(index)?.downcast::<gtk::DropTarget>().ok())
            .expect("nothing can be dropped here");
        let file = gio::File::for_path(self.directory.join(name));
        let files = gtk::gdk::FileList::from_array(&[file]);
        let taken: bool =
            target.emit_by_name("drop", &[&glib::BoxedValue(files.to_value()), &0.0, &0.0]);
        assert!(taken);
    }

    pub(crate) fn default_is_sensitive(&self, window: &gtk::Window) -> bool {
        window
            .default_widget()
            .is_some_and(|button| button.is_sensitive())
    }

    pub(crate) fn type_name(&self, window: &gtk::Window, name: &str) {
        find::<adw::EntryRow>(window.upcast_ref(), &|_| true)
            .expect("no field for the name")
            .set_text(name);
    }

    pub(crate) fn choose(&self, window: &gtk::Window, choice: &str) {
        let position = |row: &adw::ComboRow| {
            let model = row.model()?.downcast::<gtk::StringList>().ok()?;
            (0..model.n_items()).find(|index| model.string(*index).as_deref() == Some(choice))
        };
        let row = find::<adw::ComboRow>(window.upcast_ref(), &|row| position(row).is_some())
            .expect("no such choice");
        row.set_selected(position(&row).unwrap());
    }

    /// As a click on the row does, whose switch is off.
    pub(crate) fn switch_on(&self, window: &gtk::Window, row: &str) {
        let is_row = |it: &adw::ActionRow| it.title() == row;
        let row = find::<adw::ActionRow>(window.upcast_ref(), &is_row).expect("no such row");
        let switch = row.activatable_widget().and_downcast::<gtk::Switch>();
        let switch = switch.expect("no switch");
        assert!(!switch.is_active());
        ActionRowExt::activate(&row);
        // It moves first.
        self.wait("the switch is on", || switch.is_active().then_some(()));
    }

    pub(crate) fn close(&self, window: &gtk::Window) {
        window.close();
        self.wait_for_end(window);
    }

    pub(crate) fn wait_for_end(&self, window: &gtk::Window) {
        self.wait("the end of the window", || {
            (!window.is_visible()).then_some(())
        });
    }

    /// Every visible text is whole and inside its window.
    pub(crate) fn expect_uncut(&self, window: &gtk::Window) {
        self.settle(window);
        let width = window.width() as f32;
        for label in all::<gtk::Label>(window.upcast_ref()) {
            if !label.is_mapped() || label.text().is_empty() {
                continue;
            }
            let text = label.text();
            // A title may be short of room between two buttons; the content may not.
            let is_title = label.ancestor(adw::WindowTitle::static_type()).is_some();
            assert!(
                is_title || !label.layout().is_ellipsized(),
                "cut off: {text}"
            );
            let bounds = label.compute_bounds(window).unwrap();
            let (left, right) = (bounds.x(), bounds.x() + bounds.width());
            assert!(
                left >= 0.0 && right <= width,
                "{left}..{right} of {width}: {text}"
            );
        }
    }

    /// Pictures of the newest window, light and dark.
    pub(crate) fn picture(&self, name: &str) {
        let manager = adw::StyleManager::default();
        for (scheme, suffix) in [
            (adw::ColorScheme::ForceDark, "dark"),
            (adw::ColorScheme::ForceLight, "light"),
        ] {
            manager.set_color_scheme(scheme);
            let windows = gtk::Window::list_toplevels().into_iter();
            let windows = windows.filter_map(|window| window.downcast::<gtk::Window>().ok());
            let mut windows = windows.filter(|window| window.is_mapped());
            let is_dialog = |window: &gtk::Window| window.transient_for().is_some();
            let first = windows.next().expect("no window");
            let window = windows.find(is_dialog).unwrap_or(first);
            self.settle(&window);
            let file = format!("{name}-{}-{suffix}.png", self.language);
            save(&window, &self.pictures.join(file));
        }
    }

    /// Until it is drawn as it will stay: sizes are known and no animation runs.
    fn settle(&self, window: &gtk::Window) {
        self.wait("the window", || {
            (window.is_mapped() && window.width() > 0).then_some(())
        });
        let frames = std::rc::Rc::new(std::cell::Cell::new(0));
        window.add_tick_callback({
            let frames = frames.clone();
            move |_, _| {
                frames.set(frames.get() + 1);
                glib::ControlFlow::from(frames.get() < 30)
            }
        });
        self.wait("thirty frames", || (frames.get() >= 30).then_some(()));
    }
}

fn save(window: &gtk::Window, file: &Path) {
    let (width, height) = (f64::from(window.width()), f64::from(window.height()));
    let paintable = gtk::WidgetPaintable::new(Some(window));
    let snapshot = gtk::Snapshot::new();
    paintable.snapshot(&snapshot, width, height);
    let node = snapshot.to_node().expect("an empty window");
    let renderer = window.renderer().expect("no renderer");
    renderer
        .render_texture(node, None)
        .save_to_png(file)
        .unwrap();
}

fn all<T: IsA<gtk::Widget>>(widget: &gtk::Widget) -> Vec<T> {
    let mut found: Vec<T> = widget.clone().downcast().into_iter().collect();
    let mut child = widget.first_child();
    while let Some(widget) = child {
        found.extend(all(&widget));
        child = widget.next_sibling();
    }
    found
}

fn find<T: IsA<gtk::Widget>>(widget: &gtk::Widget, wanted: &dyn Fn(&T) -> bool) -> Option<T> {
    all(widget).into_iter().find(wanted)
}

/// The texts of a window as they are written, mnemonics and all.
fn texts(widget: &gtk::Widget) -> Vec<String> {
    let labels = all::<gtk::Label>(widget).into_iter();
    let labels = labels.filter(|label| label.is_visible());
    let labels = labels.flat_map(|label| [label.text().to_string(), label.label().to_string()]);
    let entries = all::<gtk::Text>(widget).into_iter();
    labels
        .chain(entries.map(|entry| entry.text().to_string()))
        .collect()
}
