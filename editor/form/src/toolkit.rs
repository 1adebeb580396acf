//! What a page needs of a toolkit: it makes widgets and sets what they show.
//!
//! Nothing is decided there: which widgets there are, what they say and when they are to be seen
//! is the same in both toolkits (`widgets.rs`), and so are the properties of GTK that say it.

use crate::field::Kind;
use crate::page::{PageField, Title};
use glib::object::{Cast, IsA, ObjectType};
use std::path::Path;

/// A toolkit, and the page that it has made.
pub trait Toolkit: Sized + 'static {
    /// Any widget.
    type Widget: ObjectType;
    /// Shows a text.
    type Label: IsA<Self::Widget>;
    /// Can be pressed.
    type Button: IsA<Self::Widget>;
    /// Lets a person choose a file. Lives as long as it is held.
    type Chooser: 'static;
    /// Fields under a heading.
    type Group;
    /// Where the widgets of a field go once it is shown.
    type Place;

    /// Lets the bindings know that the host has started the toolkit.
    fn init() -> Result<(), glib::BoolError>;

    /// An empty page.
    fn new() -> Self;

    /// The widget that the host shows.
    fn root(&self) -> glib::Object;

    /// Puts a group at the end of the page. One that is folded away gets what to call when a
    /// person unfolds it.
    fn add_group(&self, heading: &str, unfolded: Option<impl Fn() + 'static>) -> Self::Group;

    /// Shows or hides a group.
    fn show_group(group: &Self::Group, is_shown: bool);

    /// Unfolds a group that can be folded away.
    fn unfold(group: &Self::Group);

    /// A place for a field at the end of a group, which has as many as `above` already.
    fn add_place(&self, group: &Self::Group, above: i32) -> Self::Place;

    /// Puts the widgets of a field in their place.
    fn fill(place: &Self::Place, kind: Kind, title: &Title, input: &Input<Self>) -> Parts<Self>;

    /// A line of text, with what is shown while it is empty.
    fn entry(text: &str, placeholder: &str, is_number: bool, field: PageField) -> Input<Self>;

    /// A line of text that is not to be read over a shoulder.
    fn secret(text: &str, field: PageField) -> Input<Self>;

    /// One of several texts.
    fn choice(choices: &[String], chosen: Option<u32>, field: PageField) -> Input<Self>;

    /// On or off.
    fn switch(is_on: bool, field: PageField) -> Input<Self>;

    /// Several lines of text.
    fn lines(text: &str, field: PageField) -> Input<Self>;

    /// What is told of a file.
    fn summary() -> Self::Label;

    /// The widgets of a file in one, or those of them that do not go beside the title.
    fn content(content: &Content<Self>) -> Self::Widget;

    /// A button, with nothing on it yet.
    fn button() -> Self::Button;

    /// Calls `clicked` with the button whenever it is pressed.
    fn connect_clicked(button: &Self::Button, clicked: impl Fn(&Self::Button) + 'static);

    /// Asks for a file, in a window before that of the button; calls `answered` with its path, or
    /// without one if the person gave up.
    fn ask_for_file(
        button: &Self::Button,
        question: &Question,
        answered: impl Fn(Option<&Path>) + 'static,
    ) -> Self::Chooser;

    /// Shows or hides a widget, also when the host shows all widgets later.
    fn set_shown(widget: &Self::Widget, is_shown: bool);

    /// Marks a widget with a class of the theme, or takes the mark away.
    fn set_class(widget: &Self::Widget, class: &str, is_set: bool);
}

/// What a field is filled in with.
pub struct Input<T: Toolkit> {
    /// What stands in the row.
    pub root: T::Widget,
    /// What the title leads to, and what is marked if it is wrong.
    pub target: T::Widget,
    /// Of a field that holds a file.
    pub content: Option<Content<T>>,
}

impl<T: Toolkit> Input<T> {
    /// A widget that is filled in, and stands in the row.
    pub fn of(widget: &impl IsA<T::Widget>) -> Self {
        Self::within(widget, widget)
    }

    /// A widget that is filled in, within the one that stands in the row.
    pub fn within(root: &impl IsA<T::Widget>, target: &impl IsA<T::Widget>) -> Self {
        Self {
            root: root.upcast_ref().clone(),
            target: target.upcast_ref().clone(),
            content: None,
        }
    }
}

/// The widgets of a field that holds a file.
pub struct Content<T: Toolkit> {
    /// What is told of the file.
    pub summary: T::Label,
    /// Asks for another one.
    pub choose: T::Button,
    /// Takes it away.
    pub remove: T::Button,
}

/// The widgets of a field in their place.
pub struct Parts<T: Toolkit> {
    /// The widgets that come and go with the field.
    pub shown: Vec<T::Widget>,
    /// Is there only if something is wrong.
    pub error: T::Widget,
    /// What is wrong, in words, within `error`.
    pub problem: T::Label,
}

/// Which file is asked for.
pub struct Question {
    /// Over the window.
    pub title: String,
    /// What the files are called that may be meant, and patterns of their names. The first is for
    /// those that are wanted.
    pub filters: [(String, &'static [&'static str]); 2],
}
