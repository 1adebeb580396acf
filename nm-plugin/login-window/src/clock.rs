//! The time that is left, right each second.

use adw::prelude::*;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_sign_in::window::Countdown;
use gtk4::glib;
use std::time::{Duration, Instant};

/// A clock on a page. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Clock {
    widget: gtk4::Box,
    ticking: Option<glib::SourceId>,
}

impl Clock {
    /// A clock that shows `time_left` as a bar, too.
    pub(crate) fn with_bar(time_left: Duration) -> Self {
        let bar = gtk4::ProgressBar::builder()
            .margin_top(6)
            .accessible_role(gtk4::AccessibleRole::Presentation)
            .build();
        Self::start(time_left, Some(bar))
    }

    /// A clock of `time_left` in words.
    pub(crate) fn plain(time_left: Duration) -> Self {
        Self::start(time_left, None)
    }

    pub(crate) fn widget(&self) -> &gtk4::Box {
        &self.widget
    }

    fn start(time_left: Duration, bar: Option<gtk4::ProgressBar>) -> Self {
        let widget = gtk4::Box::new(gtk4::Orientation::Vertical, 12);
        let left = gtk4::Label::new(None);
        for class in ["caption", "numeric", "dim-label"] {
            left.add_css_class(class);
        }
        if let Some(bar) = &bar {
            widget.append(bar);
        }
        widget.append(&left);
        let countdown = Countdown::new(Instant::now(), time_left);
        let show = move || {
            let now = Instant::now();
            // TRANSLATORS: {time} is minutes and seconds: 4:05.
            left.set_label(&gettext!("{time} left", time = countdown.clock(now)));
            let is_short = countdown.is_short(now);
            if let Some(bar) = &bar {
                bar.set_fraction(countdown.fraction(now));
                if is_short {
                    bar.add_css_class("warning");
                }
            }
            if is_short {
                left.remove_css_class("dim-label");
                left.add_css_class("warning");
            }
        };
        show();
        let ticking = glib::timeout_add_seconds_local(1, move || {
            show();
            glib::ControlFlow::Continue
        });
        Self {
            widget,
            ticking: Some(ticking),
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        if let Some(ticking) = self.ticking.take() {
            ticking.remove();
        }
    }
}
