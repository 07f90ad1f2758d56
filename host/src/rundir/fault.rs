//! Deliberate faults for the crash tests: `DJHOST_TEST_FAULT=kill@disk:17`, `fail@disk:17`,
//! `kill@event:checkpoint_save:3`.
//!
//! `kill` ends the process as `SIGKILL` does, at the n-th call of [`disk`] (before every operation
//! that decides what survives a power cut) or right after the n-th event of a type. `fail` turns
//! that call into an I/O error. Counts start at 1 and cover all threads. Without the variable, a
//! call costs one atomic load.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The environment variable that asks for a fault.
pub const VARIABLE: &str = "DJHOST_TEST_FAULT";

struct Fault {
    kill: bool,
    /// `disk` or an event type.
    at: String,
    left: AtomicU64,
}

impl Fault {
    /// Parses `kill@disk:17`; None for anything else.
    fn parse(text: &str) -> Option<Self> {
        let (what, place) = text.split_once('@')?;
        let (at, n) = place.rsplit_once(':')?;
        let at = at.strip_prefix("event:").unwrap_or(at).to_owned();
        let kill = match what {
            "kill" => true,
            "fail" => false,
            _ => return None,
        };
        Some(Self {
            kill,
            at,
            left: AtomicU64::new(n.parse().ok()?),
        })
    }

    /// Counts a call at `at` and returns whether the fault is due now.
    fn is_due(&self, at: &str) -> bool {
        self.at == at && self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

fn fault() -> Option<&'static Fault> {
    static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
    FAULT
        .get_or_init(|| Fault::parse(&std::env::var(VARIABLE).ok()?))
        .as_ref()
}

fn die() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    // The signal may take a moment to arrive.
    loop {
        std::thread::park();
    }
}

/// Called before every operation that decides what survives.
pub fn disk() -> io::Result<()> {
    match fault().filter(|f| f.is_due("disk")) {
        Some(fault) if fault.kill => die(),
        Some(_) => Err(io::Error::other("the disk failed on purpose")),
        None => Ok(()),
    }
}

/// Called after an event was written; `line` is its line in the file.
pub fn event(line: &[u8]) {
    let Some(fault) = fault().filter(|f| f.kill && f.at != "disk") else {
        return;
    };
    let named = format!("\"event_type\":\"{}\"", fault.at);
    if memchr::memmem::find(line, named.as_bytes()).is_some() && fault.is_due(&fault.at) {
        die();
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn a_fault_comes_once_at_its_number() {
        let fault = Fault::parse("kill@event:op_start:2").unwrap();
        assert!(fault.kill);
        assert_eq!(
            [false, true, false],
            [0; 3].map(|_| fault.is_due("op_start"))
        );
        assert!(!Fault::parse("fail@disk:1").unwrap().is_due("op_start"));
        assert!(Fault::parse("kill").is_none() && Fault::parse("stop@disk:1").is_none());
    }
}
