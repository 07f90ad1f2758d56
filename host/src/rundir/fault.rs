//! Faults on purpose, for the crash tests, in the variable `DJHOST_TEST_FAULT`:
//!
//! - `kill@disk:17`: the process ends as by `SIGKILL`, at the 17th call of the storage;
//! - `fail@disk:17`: that call is an I/O error;
//! - `panic@disk:17`: the thread that makes that call panics, as by a mistake in djhost;
//! - `full@disk:17`: from that call on nothing more can be created or written, as on a full disk;
//! - `kill@disk:rename:parts/:2` (`fail`, `panic`, `full`): the same at the second [`Operation`] of this
//!   name on a path that has `parts/` in it; `full` goes for this operation then;
//! - `hold@disk:rename:parts/:FILE`: each such call waits until FILE is there, as on a disk that hangs;
//! - `kill@event:checkpoint_save:3`: the process ends right after the third such event;
//! - `list@FILE`: nothing happens, but all calls are appended to the file: `rename<tab>path`.
//!
//! Numbers are counted from 1, over all threads. A write that fails or is killed has written half of its bytes.
//! Without the variable a call costs one load.
//!
//! It is for one process. Of those that run tasks for it, the first, second, … that is started gets
//! the first, second, … of the faults in `DJHOST_TEST_WORKER_FAULTS`, which `;` divides.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The environment variable that asks for a fault.
pub const VARIABLE: &str = "DJHOST_TEST_FAULT";

/// The environment variable that asks for faults of processes that run tasks.
pub const OF_WORKERS: &str = "DJHOST_TEST_WORKER_FAULTS";

/// Returns the fault of the process number `number`, from 1, that runs tasks.
pub(crate) fn of_worker(number: usize) -> Option<String> {
    let all = std::env::var(OF_WORKERS).ok()?;
    let fault = all.split(';').nth(number.checked_sub(1)?)?;
    (!fault.is_empty()).then(|| fault.to_owned())
}

/// The calls that decide what a crash leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Making an empty file.
    Create,
    /// Giving bytes to a file.
    Write,
    /// Waiting until a file's bytes are on the disk.
    Sync,
    /// Giving a file its name.
    Rename,
    /// Taking a name away.
    Remove,
    /// Waiting until the names in a directory are on the disk.
    SyncDir,
}

impl Operation {
    /// Every operation with its name.
    pub const NAMES: [(&str, Self); 6] = [
        ("create", Self::Create),
        ("write", Self::Write),
        ("sync", Self::Sync),
        ("rename", Self::Rename),
        ("remove", Self::Remove),
        ("sync_dir", Self::SyncDir),
    ];

    fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, operation)| *operation == self)
            .map_or("", |(name, _)| name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Kill,
    Fail,
    Panic,
    Full,
    /// Until this file is there.
    Hold(PathBuf),
}

enum At {
    Event(String),
    /// Calls of one operation, or any; on paths that have this in them.
    Disk(Option<Operation>, String),
}

struct Fault {
    what: What,
    at: At,
    /// The number of its moment, or the first of them.
    number: u64,
    seen: AtomicU64,
}

impl Fault {
    /// Parses `kill@disk:17`; None for anything else.
    fn parse(text: &str) -> Option<Self> {
        let (what, place) = text.split_once('@')?;
        let (at, moment) = place.rsplit_once(':')?;
        let (what, number) = match what {
            "kill" => (What::Kill, moment),
            "fail" => (What::Fail, moment),
            "panic" => (What::Panic, moment),
            "full" => (What::Full, moment),
            "hold" => (What::Hold(PathBuf::from(moment)), "1"),
            _ => return None,
        };
        let at = match at.split_once(':') {
            Some(("event", event)) => At::Event(event.to_owned()),
            Some(("disk", call)) => {
                let (name, path) = call.split_once(':')?;
                let (_, operation) = Operation::NAMES.iter().find(|(known, _)| *known == name)?;
                At::Disk(Some(*operation), path.to_owned())
            }
            None if at == "disk" => At::Disk(None, String::new()),
            _ => return None,
        };
        Some(Self {
            what,
            at,
            number: number.parse().ok()?,
            seen: AtomicU64::new(0),
        })
    }

    /// Whether this call of the storage is the moment.
    fn is_due_at(&self, operation: Operation, path: &Path) -> bool {
        let At::Disk(only, place) = &self.at else {
            return false;
        };
        if only.is_some_and(|only| only != operation)
            || !path.to_string_lossy().contains(place.as_str())
        {
            return false;
        }
        let number = self.count();
        match &self.what {
            // What takes room, or what was asked for.
            What::Full => {
                let takes_room = matches!(operation, Operation::Create | Operation::Write);
                number >= self.number && (takes_room || only.is_some())
            }
            What::Hold(_) => true,
            What::Kill | What::Fail | What::Panic => number == self.number,
        }
    }

    /// Whether this event is the moment.
    fn is_due_after(&self, line: &[u8]) -> bool {
        let At::Event(event) = &self.at else {
            return false;
        };
        let named = format!("\"event_type\":\"{event}\"");
        self.what == What::Kill
            && memchr::memmem::find(line, named.as_bytes()).is_some()
            && self.count() == self.number
    }

    fn count(&self) -> u64 {
        self.seen.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What happens then, which has to do with `half` of the call; does not return from a kill or a
    /// panic.
    fn strike(&self, half: impl FnOnce()) -> io::Result<()> {
        if let What::Hold(until) = &self.what {
            while !until.exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
            return Ok(());
        }
        half();
        Err(match &self.what {
            What::Kill => die(),
            What::Panic => panic!("on purpose, at a call of the storage"),
            What::Full => rustix::io::Errno::NOSPC.into(),
            What::Fail | What::Hold(_) => io::Error::other("the disk failed on purpose"),
        })
    }
}

enum Asked {
    Fault(Fault),
    List(File),
}

fn asked() -> Option<&'static Asked> {
    static ASKED: OnceLock<Option<Asked>> = OnceLock::new();
    ASKED
        .get_or_init(|| {
            let text = std::env::var(VARIABLE).ok()?;
            match text.strip_prefix("list@") {
                Some(file) => File::options()
                    .append(true)
                    .create(true)
                    .open(file)
                    .ok()
                    .map(Asked::List),
                None => Fault::parse(&text).map(Asked::Fault),
            }
        })
        .as_ref()
}

fn die() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    // The signal may take a moment to arrive.
    loop {
        std::thread::park();
    }
}

/// Before a call of the storage: Err if it does not take place. `half` is done of it before.
pub fn disk(operation: Operation, path: &Path, half: impl FnOnce()) -> io::Result<()> {
    match asked() {
        None => Ok(()),
        Some(Asked::Fault(fault)) if fault.is_due_at(operation, path) => fault.strike(half),
        Some(Asked::Fault(_)) => Ok(()),
        Some(Asked::List(file)) => {
            let line = format!("{}\t{}\n", operation.name(), path.display());
            { file }.write_all(line.as_bytes())
        }
    }
}

/// Called after an event was written; `line` is its line in the file.
pub fn event(line: &[u8]) {
    if let Some(Asked::Fault(fault)) = asked()
        && fault.is_due_after(line)
    {
        // A kill, which leaves no result.
        let _ = fault.strike(|| ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_comes_once_at_its_number() {
        let fault = Fault::parse("kill@event:op_start:2").unwrap();
        assert_eq!(
            [false, true, false, false],
            [0; 4].map(|_| fault.is_due_after(b"{\"event_type\":\"op_start\"}"))
        );
        assert!(!fault.is_due_after(b"{\"event_type\":\"op_complete\"}"));
        assert!(!fault.is_due_at(Operation::Sync, Path::new("a")));
        assert!(Fault::parse("panic@disk:write::3").is_some());
        for bad in ["kill", "stop@disk:1", "kill@disk:x", "kill@disk:move:a:1"] {
            assert!(Fault::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn calls_are_told_apart() {
        use Operation::*;
        let due = |text: &str| {
            let fault = Fault::parse(text).unwrap();
            [
                (Sync, "a/x"),
                (Write, "a/x"),
                (Write, "b/x"),
                (Write, "a/y"),
                (Rename, "a/x"),
            ]
            .map(|(operation, path)| fault.is_due_at(operation, Path::new(path)))
        };
        assert_eq!(due("fail@disk:2"), [false, true, false, false, false]);
        assert_eq!(
            due("fail@disk:write:a/:2"),
            [false, false, false, true, false]
        );
        assert_eq!(
            due("fail@disk:write::3"),
            [false, false, false, true, false]
        );
        assert_eq!(due("full@disk:3"), [false, false, true, true, false]);
        assert_eq!(
            due("hold@disk:write:a/:/tmp/go"),
            [false, true, false, true, false]
        );
        assert_eq!(
            due("full@disk:write:a/:1"),
            [false, true, false, true, false]
        );
    }
}
