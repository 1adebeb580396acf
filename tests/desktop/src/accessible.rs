//! What a program shows, as a tree of things with a role, a name and states.

use crate::role::Role;
use aws_client_vpn_harness::wait_for;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;
use zbus::blocking::Connection;
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue, Type};

/// A program that draws on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// Deeper than any window nests.
const DEPTH: usize = 60;

/// Where each program shows itself as a whole.
const ROOT: &str = "/org/a11y/atspi/accessible/root";
const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const ACTION: &str = "org.a11y.atspi.Action";
const COMPONENT: &str = "org.a11y.atspi.Component";
const EDITABLE_TEXT: &str = "org.a11y.atspi.EditableText";
const TEXT: &str = "org.a11y.atspi.Text";

/// One thing that a program shows.
#[derive(Debug, Clone)]
pub struct Accessible {
    bus: Connection,
    owner: String,
    path: OwnedObjectPath,
    /// Whether its program uses GTK 4, which knows neither where its windows are nor, in the
    /// versions up to 4.8, what of them is on the screen.
    is_gtk4: bool,
}

/// Where something is, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extents {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

/// What positions are counted from (`AtspiCoordType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Corner {
    Screen = 0,
    Window = 1,
}

/// States of AT-SPI, by their bits.
mod state {
    pub(super) const CHECKED: u32 = 4;
    pub(super) const SENSITIVE: u32 = 24;
    pub(super) const SHOWING: u32 = 25;
}

impl Accessible {
    /// The root of all programs on `bus`, the bus of AT-SPI.
    #[must_use]
    pub fn root(bus: Connection) -> Self {
        Self {
            bus,
            owner: "org.a11y.atspi.Registry".to_owned(),
            path: ROOT.try_into().expect("this is a path"),
            is_gtk4: false,
        }
    }

    /// One thing of the program `owner`.
    fn of(&self, owner: String, path: OwnedObjectPath) -> Self {
        let mut other = Self {
            bus: self.bus.clone(),
            owner,
            path,
            is_gtk4: self.is_gtk4,
        };
        if other.owner != self.owner {
            other.is_gtk4 = other.program_uses_gtk4();
        }
        other
    }

    fn program_uses_gtk4(&self) -> bool {
        let program = Self {
            path: ROOT.try_into().expect("this is a path"),
            ..self.clone()
        };
        let interface = "org.a11y.atspi.Application";
        let toolkit: Option<String> = program.property(interface, "ToolkitName");
        let version: Option<String> = program.property(interface, "Version");
        toolkit.is_some_and(|toolkit| toolkit == "GTK")
            && version.is_some_and(|version| version.starts_with("4."))
    }

    /// Whether [`Self::extents`] can only be told from the corner of the window.
    pub(crate) fn is_gtk4(&self) -> bool {
        self.is_gtk4
    }

    /// What it is called; empty if it has gone.
    #[must_use]
    pub fn name(&self) -> String {
        self.property(ACCESSIBLE, "Name").unwrap_or_default()
    }

    /// Whether both are the same thing.
    fn is_same(&self, other: &Self) -> bool {
        self.owner == other.owner && self.path == other.path
    }

    /// Whether `other` is somewhere below it.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.search(|node| node.is_same(other)).is_some()
    }

    /// What is said about it besides, as a tooltip says it.
    #[must_use]
    pub fn description(&self) -> String {
        self.property(ACCESSIBLE, "Description").unwrap_or_default()
    }

    /// Whether that is what it is called, by its name or else its tooltip. GTK 4.8 puts a button's label behind its name, and the
    /// mnemonic's underline into it: `_Cancel Cancel`.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let own = self.name();
        own == name
            || own.replace('_', "") == format!("{name} {name}")
            || own.is_empty() && self.description() == name
    }

    /// Whether it is of this kind.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.role() == Some(role as u32)
    }

    /// Whether it is on the screen.
    #[must_use]
    pub fn is_showing(&self) -> bool {
        self.has(state::SHOWING)
            || self.is_gtk4
                && self
                    .extents(Corner::Window)
                    .is_some_and(|at| at.width > 0 && at.height > 0)
    }

    /// Whether it can be used.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.has(state::SENSITIVE)
    }

    /// Whether it is ticked, or on.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.has(state::CHECKED)
    }

    /// Where it is, from the corner of the screen or of its window.
    pub(crate) fn extents(&self, from: Corner) -> Option<Extents> {
        let (x, y, width, height) = self.call(COMPONENT, "GetExtents", &(from as u32,))?;
        Some(Extents {
            x,
            y,
            width,
            height,
        })
    }

    /// The point in its middle, if its program knows where on the screen it is.
    #[must_use]
    pub fn middle(&self) -> Option<(i32, i32)> {
        self.middle_from(Corner::Screen)
    }

    /// The point in its middle, counted from the corner of its window.
    #[must_use]
    pub fn middle_in_window(&self) -> Option<(i32, i32)> {
        self.middle_from(Corner::Window)
    }

    fn middle_from(&self, corner: Corner) -> Option<(i32, i32)> {
        let at = self.extents(corner).filter(|at| at.width > 0)?;
        Some((at.x + at.width / 2, at.y + at.height / 2))
    }

    /// The text it holds.
    #[must_use]
    pub fn text(&self) -> String {
        // GTK 4.8 does not know -1 as the end.
        let length: Option<i32> = self.property(TEXT, "CharacterCount");
        length
            .and_then(|length| self.call(TEXT, "GetText", &(0_i32, length)))
            .unwrap_or_default()
    }

    /// Replaces the text it holds, as an input method does.
    #[track_caller]
    pub fn set_text(&self, text: &str) {
        let done: Option<bool> = self.call(EDITABLE_TEXT, "SetTextContents", &(text,));
        assert!(done == Some(true), "cannot type into\n{}", self.describe());
    }

    /// Does what a press of it does.
    #[track_caller]
    pub fn press(&self) {
        let done: Option<bool> = self.call(ACTION, "DoAction", &(0_i32,));
        assert!(done == Some(true), "cannot press\n{}", self.describe());
    }

    /// What it consists of.
    #[must_use]
    pub fn children(&self) -> Vec<Self> {
        let children: Option<Vec<(String, OwnedObjectPath)>> =
            self.call(ACCESSIBLE, "GetChildren", &());
        children
            .unwrap_or_default()
            .into_iter()
            .map(|(owner, path)| self.of(owner, path))
            .collect()
    }

    /// The first thing below it, nearest first, for which `wanted` holds.
    #[must_use]
    pub fn search(&self, wanted: impl Fn(&Self) -> bool) -> Option<Self> {
        let mut level = VecDeque::from([(0, self.clone())]);
        while let Some((depth, node)) = level.pop_front() {
            for child in node.children() {
                if wanted(&child) {
                    return Some(child);
                }
                if depth < DEPTH {
                    level.push_back((depth + 1, child));
                }
            }
        }
        None
    }

    /// The first thing below it that is on the screen, of this kind and with this name.
    #[must_use]
    pub fn find(&self, role: Role, name: &str) -> Option<Self> {
        self.search(|node| node.is(role) && node.is_called(name) && node.is_showing())
    }

    /// As [`Self::find`]; waits until there is one.
    #[track_caller]
    pub fn wait(&self, role: Role, name: &str) -> Self {
        self.wait_any(role, &[name])
    }

    /// As [`Self::wait`], with any of these names.
    #[track_caller]
    pub fn wait_any(&self, role: Role, names: &[&str]) -> Self {
        self.wait_for(&format!("{role:?} {}", names.join(" or ")), |node| {
            node.is(role) && names.iter().any(|name| node.is_called(name)) && node.is_showing()
        })
    }

    /// Waits until there is something below it for which `wanted` holds.
    #[track_caller]
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Self) -> bool) -> Self {
        match wait_for(LIMIT, || self.search(&wanted)) {
            Some(node) => node,
            None => panic!("{what}: not within {LIMIT:?}\n{}", self.describe()),
        }
    }

    /// Waits until it holds.
    #[track_caller]
    pub fn wait_until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        if wait_for(LIMIT, || condition(self).then_some(())).is_none() {
            panic!("{what}: not within {LIMIT:?}\n{}", self.describe());
        }
    }

    /// All that it consists of, a line for each, for a message.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        self.describe_into(&mut text, 0);
        text
    }

    fn describe_into(&self, text: &mut String, depth: usize) {
        let role: String = self
            .call(ACCESSIBLE, "GetRoleName", &())
            .unwrap_or_else(|| "gone".to_owned());
        let mut notes = String::new();
        for (is, note) in [
            (!self.is_showing(), " hidden"),
            (!self.is_sensitive(), " insensitive"),
            (self.is_checked(), " checked"),
        ] {
            if is {
                notes.push_str(note);
            }
        }
        let content = self.text();
        if !content.is_empty() {
            write!(notes, " = {content:?}").expect("a String takes all");
        }
        let indent = "  ".repeat(depth);
        writeln!(text, "{indent}{role} {:?}{notes}", self.name()).expect("a String takes all");
        if depth < DEPTH {
            for child in self.children() {
                child.describe_into(text, depth + 1);
            }
        }
    }

    fn role(&self) -> Option<u32> {
        self.call(ACCESSIBLE, "GetRole", &())
    }

    fn has(&self, state: u32) -> bool {
        let states: Option<Vec<u32>> = self.call(ACCESSIBLE, "GetState", &());
        let word = states.and_then(|words| words.get((state / 32) as usize).copied());
        word.is_some_and(|word| word & (1 << (state % 32)) != 0)
    }

    fn property<T: TryFrom<OwnedValue>>(&self, interface: &str, name: &str) -> Option<T> {
        let properties = "org.freedesktop.DBus.Properties";
        let value: OwnedValue = self.call(properties, "Get", &(interface, name))?;
        T::try_from(value).ok()
    }

    /// What is shown can go away at any moment: a call that fails has no result.
    fn call<B, R>(&self, interface: &str, method: &str, body: &B) -> Option<R>
    where
        B: serde::Serialize + DynamicType,
        R: for<'de> serde::Deserialize<'de> + Type,
    {
        let answer = self.bus.call_method(
            Some(self.owner.as_str()),
            &self.path,
            Some(interface),
            method,
            body,
        );
        answer.ok()?.body().deserialize().ok()
    }
}
