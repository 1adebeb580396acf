//! JSON lines that a tool or the endpoint prints, kept as they come.

use crate::wait::wait_for;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One event.
pub type Event = Value;

/// All events of one program so far.
#[derive(Debug, Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    /// Collects what `stream` prints until it ends.
    pub(crate) fn of(stream: impl Read + Send + 'static) -> Self {
        let events = Self::default();
        let collected = events.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { break };
                if let Ok(event) = serde_json::from_str(&line) {
                    collected.0.lock().expect("not poisoned").push(event);
                }
            }
        });
        events
    }

    /// All of them, in order.
    #[must_use]
    pub fn all(&self) -> Vec<Event> {
        self.0.lock().expect("not poisoned").clone()
    }

    /// How many there are; give it to [`Self::wait_after`] to leave these out.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.lock().expect("not poisoned").len()
    }

    /// The events of the kind `name`.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<Event> {
        let events = self.0.lock().expect("not poisoned");
        let named = events.iter().filter(|event| event["event"] == name);
        named.cloned().collect()
    }

    /// Takes the first event out for which `wanted` holds; whether there was one.
    pub(crate) fn take(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        let mut events = self.0.lock().expect("not poisoned");
        let place = events.iter().position(wanted);
        place.map(|place| events.remove(place)).is_some()
    }

    /// Waits for an event of the kind `name`.
    #[track_caller]
    pub fn wait(&self, name: &str, limit: Duration) -> Event {
        self.wait_after(0, name, limit)
    }

    /// As [`Self::wait`], without the first `count`.
    #[track_caller]
    pub fn wait_after(&self, count: usize, name: &str, limit: Duration) -> Event {
        let found = wait_for(limit, || {
            let events = self.0.lock().expect("not poisoned");
            events
                .iter()
                .skip(count)
                .find(|event| event["event"] == name)
                .cloned()
        });
        match found {
            Some(event) => event,
            None => panic!(
                "no event {name:?} within {limit:?}; there were {:#?}",
                self.all()
            ),
        }
    }
}
