//! The three standard streams, made safe before anything else runs.
//!
//! Standard output is a protocol: one stray line of a library or a child spoils the answer.
//! Standard error may be a pipe that nobody reads (gnome-shell closes it right away), which kills
//! a child that writes to it. So both are kept in private descriptors that no child inherits, and
//! what stands at their numbers is `/dev/null`.

use rustix::io::fcntl_dupfd_cloexec;
use std::fs::File;
use std::io;

/// The streams as the agent passed them.
#[derive(Debug)]
pub(crate) struct Streams {
    /// Standard output: for the answer and nothing else.
    pub(crate) answer: File,
    /// standard error, if anybody reads them.
    pub(crate) stderr: File,
}

impl Streams {
    /// Takes the streams away from everything else in this process and its children.
    pub(crate) fn take() -> io::Result<Self> {
        let answer = fcntl_dupfd_cloexec(io::stdout(), 3)?.into();
        let stderr = fcntl_dupfd_cloexec(io::stderr(), 3)?.into();
        let null = File::options().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        Ok(Self { answer, stderr })
    }
}
