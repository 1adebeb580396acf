//! The auth dialog at the other end of standard input and output.

use aws_client_vpn_core::window::{Gesture, Lines, View};
use std::fs::File;
use std::io::{self, Write};
use std::rc::Rc;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// The way from and to the dialog.
#[derive(Debug)]
pub(crate) struct Pipe {
    views: mpsc::UnboundedReceiver<View>,
    gestures: Gestures,
}

/// The way to the dialog.
#[derive(Debug, Clone)]
pub(crate) struct Gestures(Rc<File>);

impl Pipe {
    /// Takes the streams and begins to read.
    ///
    /// # Errors
    /// When descriptors or threads are exhausted.
    pub(crate) fn open() -> io::Result<Self> {
        let answers = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?.into();
        // GTK, its modules and drivers print what they like.
        rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
        let (sender, views) = mpsc::unbounded_channel();
        // A thread, so that reading holds up no drawing.
        std::thread::Builder::new()
            .name("dialog".to_owned())
            .spawn(move || read(&sender))?;
        Ok(Self {
            views,
            gestures: Gestures(Rc::new(answers)),
        })
    }

    /// What is to be shown next; `None` when the dialog is gone.
    pub(crate) async fn view(&mut self) -> Option<View> {
        self.views.recv().await
    }

    pub(crate) fn gestures(&self) -> Gestures {
        self.gestures.clone()
    }
}

impl Gestures {
    /// Tells the dialog. If it is gone, so is the window in a moment.
    pub(crate) fn send(&self, gesture: &Gesture) {
        drop((&*self.0).write_all(gesture.to_line().expose().as_bytes()));
    }
}

fn read(views: &mpsc::UnboundedSender<View>) {
    let mut buffer = Zeroizing::new([0; 4096]);
    let mut lines = Lines::default();
    loop {
        let read = match rustix::io::read(io::stdin(), &mut *buffer) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(0) | Err(_) => return,
            Ok(length) => &buffer[..length],
        };
        let Ok(complete) = lines.push(read) else {
            return;
        };
        // A view that only a newer dialog knows is left out.
        for view in complete.iter().filter_map(View::from_line) {
            if views.send(view).is_err() {
                return;
            }
        }
    }
}
