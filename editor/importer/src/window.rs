//! A window: a profile on its way from a file to a connection that is up.

use crate::APPLICATION_ID;
use crate::connection;
use crate::network_manager::{self, Activation, ExistingConnection, NetworkManagerError, Stored};
use crate::presentation::{self, DateFormat};
use crate::profile_page::{Choice, ProfilePage};
use adw::prelude::*;
use aws_client_vpn_attempt::progress::Progress;
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_profile::ovpn::{Incomplete, ParsedProfile};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile_file::certificate_files::{CertificateError, Chosen};
use aws_client_vpn_profile_file::{self as profile_file, ImportError};
use gtk::glib::{self, clone};
use gtk::{gdk, gio};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// A file on a network that does not answer.
const READ_LIMIT: Duration = Duration::from_secs(20);
/// Longer than a sign-in may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(20 * 60);

/// The window; it lives as long as it is open.
#[derive(Clone)]
pub struct Window(Rc<Inner>);

struct Inner {
    window: adw::ApplicationWindow,
    header: adw::HeaderBar,
    title: adw::WindowTitle,
    cancel: gtk::Button,
    accept: gtk::Button,
    body: adw::Bin,
    state: RefCell<State>,
}

/// What the window is about.
#[derive(Default)]
enum State {
    /// Nothing yet, or a file that is of no use.
    #[default]
    Empty,
    /// A profile that lacks the user's certificate.
    Incomplete(Rc<MissingFiles>),
    /// A profile that can be added.
    Offered(Rc<LoadedProfile>),
    /// A connection that is there now.
    Stored {
        name: String,
        stored: Stored,
        activation: Option<Activation>,
    },
}

struct LoadedProfile {
    profile: Profile,
    existing: Vec<ExistingConnection>,
    page: ProfilePage,
}

/// A profile without its certificate, and what has been chosen of it.
struct MissingFiles {
    path: PathBuf,
    profile: Box<Incomplete>,
    chosen: RefCell<Chosen>,
}

impl Window {
    /// A window that asks for a profile.
    pub fn new(application: &adw::Application) -> Self {
        let title = adw::WindowTitle::new("AWS Client VPN", "");
        let cancel = gtk::Button::with_mnemonic(&gettext!("_Cancel"));
        cancel.set_action_name(Some("window.close"));
        let accept = gtk::Button::with_mnemonic(&gettext!("_Add"));
        accept.add_css_class("suggested-action");
        let header = adw::HeaderBar::builder().title_widget(&title).build();
        header.pack_start(&cancel);
        header.pack_end(&accept);
        let body = adw::Bin::builder().vexpand(true).build();
        let content = gtk::Box::new(gtk::Orientation::Vertical, 0);
        content.append(&header);
        content.append(&body);
        let window = adw::ApplicationWindow::builder()
            .application(application)
            .title("AWS Client VPN")
            .default_width(560)
            .default_height(680)
            .width_request(340)
            .height_request(300)
            .content(&content)
            .build();
        let inner = Rc::new(Inner {
            window,
            header,
            title,
            cancel,
            accept,
            body,
            state: RefCell::default(),
        });
        inner.connect();
        inner.show_welcome();
        Self(inner)
    }

    /// Shows it.
    pub fn present(&self) {
        self.0.window.present();
    }

    /// The widget.
    pub fn widget(&self) -> &adw::ApplicationWindow {
        &self.0.window
    }

    /// Shows what is in a file.
    pub fn open(&self, file: &gio::File) {
        self.0.open(file);
    }
}

impl Inner {
    fn connect(self: &Rc<Self>) {
        // The window keeps what belongs to it; when it is destroyed, so are its handlers.
        self.window.connect_destroy({
            let inner = self.clone();
            move |_| drop(inner.state.take())
        });
        self.accept.connect_clicked(clone!(
            #[weak(rename_to = inner)]
            self,
            move |_| inner.accept()
        ));
        let action = |name: &str, activate: fn(&Rc<Self>)| {
            let on_activate = clone!(
                #[weak(rename_to = inner)]
                self,
                move |_: &adw::ApplicationWindow, _: &_, _: Option<&_>| activate(&inner)
            );
            gio::ActionEntry::builder(name)
                .activate(on_activate)
                .build()
        };
        self.window.add_action_entries([
            action("open", Self::choose_file),
            action("certificate", Self::choose_certificate),
            action("connect", Self::activate),
            action("disconnect", Self::break_off),
        ]);

        let target = gtk::DropTarget::new(gdk::FileList::static_type(), gdk::DragAction::COPY);
        target.connect_drop(clone!(
            #[weak(rename_to = inner)]
            self,
            #[upgrade_or]
            false,
            move |_, value, _, _| {
                let files = value.get::<gdk::FileList>().map(|list| list.files());
                let files = files.unwrap_or_default();
                inner.take_files(&files);
                !files.is_empty()
            }
        ));
        self.window.add_controller(target);
    }

    /// Does what takes time beside the main loop's other work.
    fn spawn(self: &Rc<Self>, work: impl AsyncFnOnce(Rc<Self>) + 'static) {
        let inner = self.clone();
        glib::spawn_future_local(async move { work(inner).await });
    }

    /// `title` is what the desktop calls the window.
    fn show(&self, page: &impl IsA<gtk::Widget>, title: &str) {
        self.window.set_title(Some(title));
        self.title.set_subtitle("");
        self.show_dialog_buttons(false);
        // GTK would go on with widgets that are gone.
        self.window.set_default_widget(gtk::Widget::NONE);
        GtkWindowExt::set_focus(&self.window, gtk::Widget::NONE);
        self.body.set_child(Some(page));
    }

    /// "Cancel" stands where otherwise the window is closed.
    fn show_dialog_buttons(&self, shown: bool) {
        self.cancel.set_visible(shown);
        self.accept.set_visible(shown);
        self.header.set_show_start_title_buttons(!shown);
        self.header.set_show_end_title_buttons(!shown);
    }

    /// A page with little more than a sentence; Enter presses its first button.
    fn show_status(&self, icon: &str, title: &str, text: &str, child: &impl IsA<gtk::Widget>) {
        let page = adw::StatusPage::builder()
            .icon_name(icon)
            .title(glib::markup_escape_text(title))
            .description(glib::markup_escape_text(text))
            .child(child)
            .build();
        self.show(&page, title);
        let child = child.upcast_ref::<gtk::Widget>();
        let is_button = |widget: &gtk::Widget| widget.is::<gtk::Button>();
        let first = child.first_child().filter(is_button);
        let button = first.or_else(|| Some(child.clone()).filter(is_button));
        self.window.set_default_widget(button.as_ref());
        if let Some(button) = button {
            button.grab_focus();
        }
    }

    fn show_welcome(&self) {
        self.show_status(
            APPLICATION_ID,
            &gettext!("Add an AWS Client VPN"),
            &gettext!(
                "Open the profile that your administrator gave you, a file that ends in “.ovpn”, \
                 or drop it here."
            ),
            &button(&gettext!("_Open Profile…"), "win.open", true),
        );
    }

    /// A dialog that offers files with certain endings first.
    fn chooser(&self, title: &str, kind: &str, endings: &[&str]) -> gtk::FileChooserNative {
        let filter = gtk::FileFilter::new();
        filter.set_name(Some(kind));
        for ending in endings {
            filter.add_suffix(ending);
        }
        let all = gtk::FileFilter::new();
        all.set_name(Some(&gettext!("All Files")));
        all.add_pattern("*");
        let chooser = gtk::FileChooserNative::builder()
            .title(title)
            .transient_for(&self.window)
            .modal(true)
            .action(gtk::FileChooserAction::Open)
            .accept_label(gettext!("_Open"))
            .cancel_label(gettext!("_Cancel"))
            .build();
        chooser.add_filter(&filter);
        chooser.add_filter(&all);
        chooser
    }

    fn choose_file(self: &Rc<Self>) {
        let title = gettext!("Open Profile");
        let chooser = self.chooser(&title, &gettext!("VPN Profiles"), &["ovpn", "conf"]);
        self.spawn(async move |inner| {
            if chooser.run_future().await == gtk::ResponseType::Accept
                && let Some(file) = chooser.file()
            {
                inner.open(&file);
            }
        });
    }

    fn choose_certificate(self: &Rc<Self>) {
        let endings = ["crt", "cer", "pem", "key", "p12", "pfx"];
        let title = gettext!("Choose Your Certificate and Key");
        let chooser = self.chooser(&title, &gettext!("Certificates and Keys"), &endings);
        chooser.set_select_multiple(true);
        self.spawn(async move |inner| {
            if chooser.run_future().await == gtk::ResponseType::Accept {
                let files: Vec<gio::File> = chooser
                    .files()
                    .iter::<gio::File>()
                    .filter_map(Result::ok)
                    .collect();
                inner.take_files(&files);
            }
        });
    }

    /// Files that were dropped or chosen: a profile, or what the profile before lacks.
    fn take_files(self: &Rc<Self>, files: &[gio::File]) {
        let missing = match &*self.state.borrow() {
            State::Incomplete(missing) => Some(missing.clone()),
            State::Empty | State::Offered(_) | State::Stored { .. } => None,
        };
        let is_profile = |file: &gio::File| {
            let name = file.basename().unwrap_or_default();
            name.extension().is_some_and(|ending| ending == "ovpn")
        };
        match (missing, files.first()) {
            (Some(missing), Some(first)) if !is_profile(first) => {
                let paths: Vec<PathBuf> = files.iter().filter_map(gio::File::path).collect();
                self.spawn(async move |inner| inner.complete(missing, paths).await);
            }
            (_, Some(first)) => self.open(first),
            (_, None) => {}
        }
    }

    async fn complete(self: Rc<Self>, missing: Rc<MissingFiles>, paths: Vec<PathBuf>) {
        let mut chosen = missing.chosen.borrow().clone();
        let work = gio::spawn_blocking(move || {
            let added = paths.iter().try_for_each(|path| chosen.add(path));
            (chosen, added)
        });
        let Ok(Ok((chosen, added))) = glib::future_with_timeout(READ_LIMIT, work).await else {
            return;
        };
        let files = chosen.files();
        missing.chosen.replace(chosen);
        let completed = match (added, files) {
            (Err(error), _) => Err(error),
            (Ok(()), None) => return self.show_missing(&missing, None),
            (Ok(()), Some(files)) => files.complete(&missing.profile),
        };
        match completed {
            Ok(imported) => self.offer(&missing.path, imported).await,
            Err(error) => self.show_missing(&missing, Some(&error)),
        }
    }

    fn show_missing(&self, missing: &Rc<MissingFiles>, error: Option<&CertificateError>) {
        let shown = presentation::missing_certificate(&missing.chosen.borrow(), error);
        self.show_status(
            "dialog-password-symbolic",
            &shown.title,
            &shown.text,
            &buttons(
                &button(&gettext!("_Choose Files…"), "win.certificate", true),
                &button(&gettext!("_Open Another Profile…"), "win.open", false),
            ),
        );
        self.title
            .set_subtitle(&profile_file::file_name(&missing.path));
        self.state.replace(State::Incomplete(missing.clone()));
    }

    fn open(self: &Rc<Self>, file: &gio::File) {
        let Some(path) = file.path() else {
            self.show_refusal(&presentation::Refusal {
                title: gettext!("This File Cannot Be Read"),
                // TRANSLATORS: It is the file.
                text: gettext!("Copy it to this computer first."),
            });
            return;
        };
        self.spawn(async move |inner| inner.read(path).await);
    }

    async fn read(self: Rc<Self>, path: PathBuf) {
        let work = gio::spawn_blocking({
            let path = path.clone();
            move || profile_file::read(&path)
        });
        let read = match glib::future_with_timeout(READ_LIMIT, work).await {
            Ok(Ok(read)) => read,
            Ok(Err(_)) | Err(_) => Err(ImportError::File {
                path: path.clone(),
                reason: std::io::Error::from(std::io::ErrorKind::TimedOut).into(),
            }),
        };
        match read {
            Ok(imported) => self.offer(&path, imported).await,
            Err(ImportError::NoCertificate { path, reason }) => {
                match reason.with_what_is_beside() {
                    Some(imported) => self.offer(&path, imported).await,
                    None => self.show_missing(
                        &Rc::new(MissingFiles {
                            path,
                            profile: reason.profile,
                            chosen: RefCell::default(),
                        }),
                        None,
                    ),
                }
            }
            Err(error) => {
                self.show_refusal(&presentation::refusal(&error));
                self.title.set_subtitle(&profile_file::file_name(&path));
            }
        }
    }

    async fn offer(self: &Rc<Self>, path: &Path, imported: ParsedProfile) {
        let name = profile_file::connection_name(path);
        let now = glib::DateTime::now_local();
        let format = DateFormat {
            now: now.map_or(0, |now| now.to_unix()),
            day: &day,
        };
        let groups = presentation::groups(&imported, &format);
        // If NetworkManager does not answer, adding will say so.
        let existing = network_manager::existing(&imported.profile).await;
        let existing = existing.unwrap_or_default();
        let page = ProfilePage::new(&name, &groups, &existing);
        let loaded = Rc::new(LoadedProfile {
            profile: imported.profile,
            existing,
            page,
        });
        self.show(loaded.page.widget(), &name);
        self.title.set_subtitle(&name);
        self.show_dialog_buttons(true);
        self.window.set_default_widget(Some(&self.accept));
        loaded.page.connect_changed(clone!(
            #[weak(rename_to = inner)]
            self,
            #[weak]
            loaded,
            move || inner.choice_changed(&loaded)
        ));
        self.choice_changed(&loaded);
        self.accept.grab_focus();
        self.state.replace(State::Offered(loaded));
    }

    fn choice_changed(&self, loaded: &LoadedProfile) {
        let choice = loaded.page.choice();
        loaded.page.show_choice(choice.as_ref());
        self.accept.set_sensitive(choice.is_some());
        self.accept.set_label(&match choice {
            Some(Choice::Update(_)) => gettext!("_Update"),
            Some(Choice::Add { .. }) | None => gettext!("_Add"),
        });
    }

    fn show_refusal(&self, refusal: &presentation::Refusal) {
        self.state.take();
        self.show_status(
            "dialog-warning-symbolic",
            &refusal.title,
            &refusal.text,
            &button(&gettext!("_Open Another Profile…"), "win.open", false),
        );
    }

    fn accept(self: &Rc<Self>) {
        let State::Offered(loaded) = &*self.state.borrow() else {
            return;
        };
        let Some(choice) = loaded.page.choice() else {
            return;
        };
        let loaded = loaded.clone();
        self.accept.set_sensitive(false);
        self.spawn(async move |inner| {
            let outcome = inner.store(&loaded, choice).await;
            inner.choice_changed(&loaded);
            match outcome {
                Ok((name, stored)) => inner.show_stored(name, stored),
                Err(error) => inner.show_error(&error),
            }
        });
    }

    async fn store(
        &self,
        loaded: &LoadedProfile,
        choice: Choice,
    ) -> Result<(String, Stored), NetworkManagerError> {
        match choice {
            Choice::Update(index) => {
                let Some(old) = loaded.existing.get(index) else {
                    return Err(NetworkManagerError::TimedOut);
                };
                let stored = network_manager::update(old, &loaded.profile).await?;
                Ok((old.name.clone(), stored))
            }
            Choice::Add {
                name,
                for_all,
                at_login,
            } => {
                let user = glib::user_name().to_string_lossy().into_owned();
                let user = (!for_all).then_some(user);
                let uuid = glib::uuid_string_random();
                let user = user.as_deref();
                let settings = connection::new(&name, &uuid, user, at_login, &loaded.profile);
                let stored = network_manager::add(&settings).await?;
                Ok((name, stored))
            }
        }
    }

    fn show_error(&self, error: &NetworkManagerError) {
        let dialog = adw::MessageDialog::builder()
            .transient_for(&self.window)
            .modal(true)
            .heading(gettext!("The Connection Was Not Saved"))
            .body(i18n::localize(error))
            .default_response("close")
            .close_response("close")
            .build();
        dialog.add_response("close", &gettext!("_Close"));
        dialog.present();
    }

    fn show_stored(&self, name: String, stored: Stored) {
        self.show_status(
            "object-select-symbolic",
            &gettext!("“{name}” Is Ready", name = name),
            &gettext!("You can connect and disconnect at any time in the network menu."),
            &buttons(
                &button(&gettext!("C_onnect Now"), "win.connect", true),
                // TRANSLATORS: A button that closes the window once the connection is made.
                &button(&gettext!("_Done"), "window.close", false),
            ),
        );
        self.state.replace(State::Stored {
            name,
            stored,
            activation: None,
        });
    }

    fn activate(self: &Rc<Self>) {
        let State::Stored { stored, .. } = &*self.state.borrow() else {
            return;
        };
        let stored = stored.clone();
        self.show_working(&gettext!("Preparing…"));
        self.spawn(async move |inner| inner.connect_and_watch(stored).await);
    }

    async fn connect_and_watch(self: Rc<Self>, stored: Stored) {
        let on_progress = clone!(
            #[weak(rename_to = inner)]
            self,
            move |progress| inner.show_progress(&progress)
        );
        match network_manager::activate(&stored, on_progress).await {
            Ok(begun) => {
                if let State::Stored { activation, .. } = &mut *self.state.borrow_mut() {
                    *activation = Some(begun);
                }
            }
            Err(error) => {
                self.show_progress(&Progress::Failed(i18n::localize(&error)));
                return;
            }
        }
        glib::timeout_future(CONNECT_LIMIT).await;
        if self.working_page().is_some() {
            self.show_progress(&Progress::Failed(gettext!(
                "Connecting is taking longer than usual. The network menu shows whether it \
                 succeeds."
            )));
        }
    }

    fn name(&self) -> String {
        match &*self.state.borrow() {
            State::Stored { name, .. } => name.clone(),
            State::Empty | State::Incomplete(_) | State::Offered(_) => String::new(),
        }
    }

    fn show_progress(&self, progress: &Progress) {
        match progress {
            Progress::Working(what) => self.show_working(what),
            Progress::Connected => self.show_status(
                "network-vpn-symbolic",
                &gettext!("Connected"),
                &gettext!(
                    "“{name}” is connected. Disconnect it in the network menu.",
                    name = self.name()
                ),
                &buttons(
                    &button(&gettext!("_Done"), "window.close", true),
                    &button(&gettext!("_Disconnect"), "win.disconnect", false),
                ),
            ),
            Progress::SwitchedOff => self.show_status(
                "network-vpn-symbolic",
                &gettext!("Not Connected"),
                &gettext!("The connection was disconnected."),
                &buttons(
                    &button(&gettext!("C_onnect Now"), "win.connect", false),
                    &button(&gettext!("_Done"), "window.close", true),
                ),
            ),
            Progress::Failed(why) => self.show_status(
                "dialog-warning-symbolic",
                &gettext!("Not Connected"),
                why,
                &buttons(
                    &button(&gettext!("_Try Again"), "win.connect", true),
                    &button(&gettext!("_Done"), "window.close", false),
                ),
            ),
        }
    }

    fn show_working(&self, what: &str) {
        if let Some(page) = self.working_page() {
            page.set_description(Some(&glib::markup_escape_text(what)));
            return;
        }
        let spinner = gtk::Spinner::builder()
            .spinning(true)
            .width_request(32)
            .height_request(32)
            .build();
        let stop = button(&gettext!("_Cancel"), "win.disconnect", false);
        let child = gtk::Box::new(gtk::Orientation::Vertical, 24);
        child.append(&spinner);
        child.append(&stop);
        child.set_widget_name(WORKING);
        self.show_status(
            "network-vpn-symbolic",
            &gettext!("Connecting to “{name}”", name = self.name()),
            what,
            &child,
        );
        stop.grab_focus();
    }

    /// The page that waits, if it is the one that is shown.
    fn working_page(&self) -> Option<adw::StatusPage> {
        let page = self.body.child().and_downcast::<adw::StatusPage>()?;
        let child = page.child()?;
        (child.widget_name() == WORKING).then_some(page)
    }

    /// NetworkManager's report of the end changes the page.
    fn break_off(self: &Rc<Self>) {
        let taken = match &mut *self.state.borrow_mut() {
            State::Stored { activation, .. } => activation.take(),
            State::Empty | State::Incomplete(_) | State::Offered(_) => None,
        };
        self.spawn(async move |inner| {
            let failed = match &taken {
                Some(activation) => network_manager::deactivate(activation).await.err(),
                None => None,
            };
            inner.show_progress(&match failed {
                Some(error) => Progress::Failed(i18n::localize(&error)),
                None => Progress::SwitchedOff,
            });
        });
    }
}

/// The name of what is on the page that waits.
const WORKING: &str = "working";

fn button(label: &str, action: &str, suggested: bool) -> gtk::Button {
    let button = gtk::Button::builder()
        .label(label)
        .use_underline(true)
        .action_name(action)
        .halign(gtk::Align::Center)
        .css_classes(["pill"])
        .build();
    if suggested {
        button.add_css_class("suggested-action");
    }
    button
}

/// Two buttons, the first above the second.
fn buttons(first: &gtk::Button, second: &gtk::Button) -> gtk::Box {
    let both = gtk::Box::builder()
        .orientation(gtk::Orientation::Vertical)
        .spacing(12)
        .halign(gtk::Align::Center)
        .build();
    for button in [first, second] {
        button.set_halign(gtk::Align::Fill);
        both.append(button);
    }
    both
}

/// A day as the language of the texts writes it, which may be another one than that of the
/// system's dates.
fn day(seconds: i64) -> String {
    let Ok(day) = glib::DateTime::from_unix_local(seconds) else {
        return String::new();
    };
    let month = match day.month() {
        1 => gettext!("January"),
        2 => gettext!("February"),
        3 => gettext!("March"),
        4 => gettext!("April"),
        // TRANSLATORS: The month.
        5 => gettext!("May"),
        6 => gettext!("June"),
        7 => gettext!("July"),
        8 => gettext!("August"),
        9 => gettext!("September"),
        10 => gettext!("October"),
        11 => gettext!("November"),
        _ => gettext!("December"),
    };
    gettext!(
        // TRANSLATORS: A date; {month} is the name of a month. Change the order as your language
        // has it.
        "{month} {day}, {year}",
        month = month,
        day = day.day_of_month(),
        year = day.year()
    )
}
