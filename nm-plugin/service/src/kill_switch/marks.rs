//! The marks: what each activation wants of the firewall, in a file that all others read.
//!
//! A service keeps its mark locked as long as it lives, so that the mark of a killed service can be
//! recognised. Whoever changes a mark, or the rules, has the lock of all meanwhile.

use aws_client_vpn_profile::kill_switch_mark::MarkName;
use aws_client_vpn_profile::well_known::KILL_SWITCH_MARKS;
use aws_client_vpn_session::kill_switch::FirewallPolicy;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another service may take for a change, which takes it a millisecond.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// How many marks are read, and how much of each.
const MOST_MARKS: usize = 256;
const LONGEST_MARK: u64 = 64 * 1024;

/// The directory of the marks.
#[derive(Debug)]
pub(super) struct Marks {
    directory: PathBuf,
}

/// Guard of the lock on marks and rules.
#[derive(Debug)]
pub(super) struct Leave {
    _lock: File,
}

/// The marks that were found.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) found: Vec<Found>,
    /// Whether there is nothing else: a later version may have marks that this one does not know.
    pub(super) is_whole: bool,
}

/// A mark that was found.
#[derive(Debug)]
pub(super) struct Found {
    path: PathBuf,
    /// The connection that it is of.
    pub(super) uuid: String,
    /// What that connection wants.
    pub(super) policy: FirewallPolicy,
    /// Whether the service that left it still runs.
    pub(super) is_alive: bool,
}

impl Marks {
    /// The marks of this machine.
    pub(super) fn of_this_machine() -> Self {
        Self {
            directory: PathBuf::from(KILL_SWITCH_MARKS),
        }
    }

    /// Waits, for a while, until nobody else changes anything.
    pub(super) fn lock(&self) -> io::Result<Leave> {
        // The directory above stays, so that whoever waits waits for the same as all.
        let parent = self.directory.parent().unwrap_or(Path::new("/"));
        make_directory(parent, 0o711)?;
        let lock = File::open(parent)?;
        for _ in 0..LOCK_TRIES {
            match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Leave { _lock: lock }),
                Err(Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::other("another service does not come to an end"))
    }

    /// Makes this process's mark for the connection `uuid`.
    pub(super) fn make(&self, uuid: &str, policy: &FirewallPolicy, _: &Leave) -> io::Result<Mark> {
        make_directory(&self.directory, 0o755)?;
        let name = MarkName {
            uuid: uuid.to_owned(),
            pid: std::process::id(),
            is_closed: policy.stops_the_rest,
        };
        // Nobody else may lock it, or it would look as if its service ran.
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.directory.join(name.to_string()))?;
        file.try_lock()?;
        let mut mark = Mark {
            directory: self.directory.clone(),
            name,
            file,
        };
        mark.write(policy)?;
        Ok(mark)
    }

    /// All marks but `own`. Those of services that are gone and stopped nothing are removed.
    pub(super) fn others(&self, own: Option<&Mark>, leave: &Leave) -> io::Result<List> {
        let mut list = self.all(leave)?;
        list.found.retain(|found| {
            if own.is_some_and(|own| found.is(own)) {
                return false;
            }
            let counts = found.is_alive || found.policy.stops_the_rest;
            if !counts {
                drop(found.remove());
            }
            counts
        });
        Ok(list)
    }

    /// All marks. Nothing is removed. That there are none is said only where that was seen: whoever
    /// believes it lifts what others block.
    pub(super) fn all(&self, _: &Leave) -> io::Result<List> {
        let mut list = List {
            is_whole: true,
            ..List::default()
        };
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(list),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            match name.and_then(MarkName::parse) {
                Some(name) if list.found.len() < MOST_MARKS => {
                    list.found.extend(Found::read(path, name));
                }
                Some(_) | None => list.is_whole = false,
            }
        }
        // The same order for all, so that the same marks make the same rules.
        list.found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(list)
    }

    /// Takes the directory away if nothing is in it any more.
    pub(super) fn tidy(&self, _: &Leave) {
        drop(fs::remove_dir(&self.directory));
    }
}

impl Found {
    /// `None` if it has gone meanwhile.
    fn read(path: PathBuf, name: MarkName) -> Option<Self> {
        let mut text = String::new();
        let is_alive = match File::open(&path) {
            Ok(file) => {
                // What cannot be read is not whole, and lets nothing through.
                drop((&file).take(LONGEST_MARK).read_to_string(&mut text));
                // Whoever cannot look has not seen that its service is gone.
                file.try_lock_shared().is_err()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            // Its name still says whether it stops the rest.
            Err(_) => true,
        };
        let policy = FirewallPolicy::from_mark(name.is_closed, &text);
        Some(Self {
            path,
            uuid: name.uuid,
            policy: if is_alive {
                policy
            } else {
                policy.of_a_process_that_is_gone()
            },
            is_alive,
        })
    }

    /// Whether it has become this process's own.
    pub(super) fn is(&self, own: &Mark) -> bool {
        self.path == own.path()
    }

    /// Takes the mark away.
    pub(super) fn remove(&self) -> io::Result<()> {
        remove(&self.path)
    }
}

/// The mark of this process.
#[derive(Debug)]
pub(super) struct Mark {
    directory: PathBuf,
    name: MarkName,
    file: File,
}

impl Mark {
    fn path(&self) -> PathBuf {
        self.directory.join(self.name.to_string())
    }

    /// Whether the others find it; whoever may do so may have deleted it.
    pub(super) fn is_there(&self) -> bool {
        let file = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let found = fs::metadata(self.path()).map(file);
        found.is_ok_and(|found| self.file.metadata().map(file).is_ok_and(|own| own == found))
    }

    /// Writes it again.
    pub(super) fn write(&mut self, policy: &FirewallPolicy) -> io::Result<()> {
        let text = policy.to_mark();
        self.file.write_all_at(text.as_bytes(), 0)?;
        // What is left of a longer one comes after the end, and counts for nothing.
        self.file
            .set_len(text.len().try_into().unwrap_or(LONGEST_MARK))?;
        if self.name.is_closed != policy.stops_the_rest {
            let before = self.path();
            self.name.is_closed = policy.stops_the_rest;
            fs::rename(before, self.path())?;
        }
        Ok(())
    }

    /// Takes it away.
    pub(super) fn remove(self) -> io::Result<()> {
        remove(&self.path())
    }
}

fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    impl Marks {
        pub(in super::super) fn in_directory(directory: &Path) -> Self {
            Self {
                directory: directory.to_owned(),
            }
        }
    }

    fn stops() -> FirewallPolicy {
        FirewallPolicy {
            stops_the_rest: true,
            web: true,
            ..FirewallPolicy::default()
        }
    }

    #[test]
    fn a_mark_outlives_its_service_only_if_it_stops_something() {
        let parent = tempfile::tempdir().unwrap();
        let marks = Marks::in_directory(&parent.path().join("marks"));
        let leave = marks.lock().unwrap();
        let stopping = marks.make("one", &stops(), &leave).unwrap();
        let open = marks
            .make("two", &FirewallPolicy::default(), &leave)
            .unwrap();
        let seen = |own: Option<&Mark>| {
            let found = marks.others(own, &leave).unwrap().found;
            let seen = found.iter().map(|found| {
                let Found {
                    uuid,
                    policy,
                    is_alive,
                    ..
                } = found;
                (uuid.clone(), policy.web, *is_alive)
            });
            seen.collect::<Vec<_>>()
        };
        let (one, two) = ("one".to_owned(), "two".to_owned());
        assert_eq!(seen(None), [(one.clone(), true, true), (two, false, true)]);
        assert_eq!(seen(Some(&open)), [(one.clone(), true, true)]);
        // Both services are gone: nobody signs in any more.
        drop((stopping, open));
        // A child that another test starts keeps the locks until it runs its program.
        let until = Instant::now() + Duration::from_secs(20);
        while seen(None).iter().any(|(_, _, is_alive)| *is_alive) && Instant::now() < until {
            std::thread::sleep(LOCK_PAUSE);
        }
        assert_eq!(seen(None), [(one, false, false)]);
        assert_eq!(
            fs::read_dir(parent.path().join("marks")).unwrap().count(),
            1
        );
        marks.others(None, &leave).unwrap().found[0]
            .remove()
            .unwrap();
        marks.tidy(&leave);
        assert!(!parent.path().join("marks").exists());
    }

    #[test]
    fn what_cannot_be_read_is_no_sign_that_there_is_no_mark() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("marks");
        let marks = Marks::in_directory(&directory);
        let leave = marks.lock().unwrap();
        let seen = || {
            let list = marks.others(None, &leave).unwrap();
            let found = list.found.iter();
            let found = found.map(|found| (found.policy.stops_the_rest, found.is_alive));
            (found.collect::<Vec<_>>(), list.is_whole)
        };
        assert_eq!(seen(), (vec![], true));
        // It cannot be listed.
        fs::write(&directory, "").unwrap();
        marks.others(None, &leave).unwrap_err();
        fs::remove_file(&directory).unwrap();
        // They cannot be opened, and the name says what they are.
        fs::create_dir(&directory).unwrap();
        for name in ["one.7.closed", "two.7"] {
            std::os::unix::fs::symlink(name, directory.join(name)).unwrap();
        }
        assert_eq!(seen(), (vec![(true, true), (false, true)], true));
        // One of a later version.
        fs::write(directory.join("one.7.half-closed"), "").unwrap();
        assert_eq!(seen(), (vec![(true, true), (false, true)], false));
    }

    #[test]
    fn whoever_only_looks_removes_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let marks = Marks::in_directory(&parent.path().join("marks"));
        let leave = marks.lock().unwrap();
        let open = FirewallPolicy::default();
        drop(marks.make("one", &open, &leave).unwrap());
        for _ in 0..2 {
            assert_eq!(marks.all(&leave).unwrap().found.len(), 1);
        }
    }

    #[test]
    fn another_file_with_the_name_of_a_mark_is_not_the_mark() {
        let parent = tempfile::tempdir().unwrap();
        let marks = Marks::in_directory(&parent.path().join("marks"));
        let leave = marks.lock().unwrap();
        let mark = marks.make("one", &stops(), &leave).unwrap();
        assert!(mark.is_there());
        fs::remove_file(mark.path()).unwrap();
        assert!(!mark.is_there());
        fs::write(mark.path(), "").unwrap();
        assert!(!mark.is_there());
    }

    #[test]
    fn a_mark_that_becomes_shorter_has_no_rest_of_the_longer_one() {
        let parent = tempfile::tempdir().unwrap();
        let marks = Marks::in_directory(&parent.path().join("marks"));
        let leave = marks.lock().unwrap();
        let long = FirewallPolicy {
            device: Some("awsvpn0".to_owned()),
            ..stops()
        };
        let mut mark = marks.make("one", &long, &leave).unwrap();
        mark.write(&stops()).unwrap();
        let text = fs::read_to_string(mark.path()).unwrap();
        assert_eq!(text, stops().to_mark());
    }

    #[test]
    fn a_lock_that_is_not_let_go_is_not_waited_for_without_end() {
        let parent = tempfile::tempdir().unwrap();
        let marks = Marks::in_directory(&parent.path().join("marks"));
        let leave = marks.lock().unwrap();
        assert!(marks.lock().is_err());
        drop(leave);
        assert!(marks.lock().is_ok());
    }
}
