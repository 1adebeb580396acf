//! NetworkManager's activations of VPN connections, as far as they are looked at: what became of
//! those that the person signed in to, why they failed, and what endpoints say.
//!
//! That takes questions to NetworkManager, so it is a task of its own.

use crate::banner::{Banner, Banners};
use crate::notification::Notices;
use crate::outcome::{Outcome, Outcomes};
use aws_client_vpn_secret_agent::terminal::Terminal;
use aws_client_vpn_text::printable::printable;
use std::rc::Rc;
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use zbus::Connection;

/// How many events may wait; what comes beyond is left out.
const QUEUE: usize = 64;

/// What there is to take note of.
#[derive(Debug)]
pub(crate) enum Event {
    /// Somebody signs in to the connection at this path.
    Expected(String),
    /// The activation at this path is in another state, for a reason.
    State(String, u32, u32),
}

/// Follows the activations that it is given.
pub(crate) struct Follower {
    bus: Connection,
    terminal: Option<Rc<Terminal>>,
    notices: Notices,
    outcomes: Outcomes,
    banners: Banners,
}

impl Follower {
    /// Starts the task, which ends when nobody can send to it any more.
    pub(crate) fn start(
        bus: Connection,
        terminal: Option<Rc<Terminal>>,
        notices: Notices,
    ) -> mpsc::Sender<Event> {
        let (sender, mut events) = mpsc::channel(QUEUE);
        let mut follower = Self {
            bus,
            terminal,
            notices,
            outcomes: Outcomes::default(),
            banners: Banners::default(),
        };
        spawn_local(async move {
            while let Some(event) = events.recv().await {
                follower.take_note(event).await;
            }
        });
        sender
    }

    async fn take_note(&mut self, event: Event) {
        match event {
            Event::Expected(path) => self.outcomes.expect(&path),
            Event::State(activation, state, reason) => {
                let (outcomes, banners) = (&mut self.outcomes, &mut self.banners);
                let outcome = outcomes.heard(&self.bus, &activation, state, reason).await;
                let banner = banners.heard(&self.bus, &activation, state, reason).await;
                if let Some(outcome) = outcome {
                    self.tell(outcome);
                }
                if let Some(banner) = banner {
                    self.show(banner);
                }
            }
        }
    }

    fn tell(&self, outcome: Outcome) {
        match &self.terminal {
            Some(terminal) if outcome.was_expected => terminal.say(&printable(&outcome.line())),
            Some(_) => {}
            // In the background, what the desktop does not know.
            None => {
                if let Outcome {
                    name,
                    reason: Some(reason),
                    ..
                } = outcome
                {
                    let notices = self.notices.clone();
                    spawn_local(async move { notices.show_failure(name, reason).await });
                }
            }
        }
    }

    fn show(&self, banner: Banner) {
        match &self.terminal {
            Some(terminal) => {
                terminal.say(&printable(&format!("{}: {}", banner.name, banner.text)));
            }
            None => {
                let notices = self.notices.clone();
                spawn_local(async move { notices.show_banner(banner).await });
            }
        }
    }
}
