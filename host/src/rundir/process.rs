//! Identifies processes beyond their pid, which the system may have given to another process since.

use serde::{Deserialize, Serialize};

/// One process of this machine. The start time tells it from later processes with the same pid, the
/// boot id from those before a reboot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id.
    pub pid: u32,
    /// Start time in clock ticks since boot (`/proc/PID/stat`, field 22); 0 if the system does not
    /// tell.
    pub start_ticks: u64,
    /// `/proc/sys/kernel/random/boot_id`; empty if the system does not tell.
    pub boot_id: String,
}

/// The signals that djhost sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: asks it to stop.
    Terminate,
    /// SIGKILL: ends it at once.
    Kill,
}

impl ProcessId {
    /// Returns this process.
    pub fn current() -> Self {
        let pid = std::process::id();
        Self {
            pid,
            start_ticks: start_ticks(pid).unwrap_or(0),
            boot_id: boot_id(),
        }
    }

    /// Returns the process that has `pid` now, if there is one.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self {
            pid,
            start_ticks: start_ticks(pid)?,
            boot_id: boot_id(),
        })
    }

    /// Returns whether this very process still runs. A zombie does not count.
    pub fn is_alive(&self) -> bool {
        self.start_ticks != 0
            && self.boot_id == boot_id()
            && start_ticks(self.pid) == Some(self.start_ticks)
    }

    /// Sends `signal` to this very process; returns false if it has ended. The pid is pinned before
    /// the start time is compared, so a later process with the same pid never gets the signal.
    #[cfg(target_os = "linux")]
    pub fn signal(&self, signal: Signal) -> std::io::Result<bool> {
        use rustix::process::{Pid, PidfdFlags, Signal as Sig, pidfd_open, pidfd_send_signal};
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return Ok(false);
        };
        let pinned = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pinned) => pinned,
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if !self.is_alive() {
            return Ok(false);
        }
        let signal = match signal {
            Signal::Terminate => Sig::TERM,
            Signal::Kill => Sig::KILL,
        };
        match pidfd_send_signal(&pinned, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends nothing: without `/proc` and pidfds, a process cannot be told from a later one with
    /// its pid.
    #[cfg(not(target_os = "linux"))]
    pub fn signal(&self, _signal: Signal) -> std::io::Result<bool> {
        Ok(false)
    }
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// Reads field 22 of `/proc/PID/stat`; None if there is no such process or it is a zombie. The
/// second field, the command in parentheses, may hold anything, so fields are counted from the last
/// parenthesis.
fn start_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Returns the name of this machine. The pid in a lock file only means something together with it.
pub fn host_name() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME"));
    name.map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_the_same_pid_and_another_start_time_is_not_signalled() {
        let mut child = std::process::Command::new("sleep")
            .arg("600")
            .spawn()
            .unwrap();
        let real = ProcessId::of(child.id()).unwrap();
        let earlier = ProcessId {
            start_ticks: real.start_ticks - 1,
            ..real.clone()
        };
        let before_boot = ProcessId {
            boot_id: "another".into(),
            ..real.clone()
        };
        assert!(!earlier.signal(Signal::Kill).unwrap());
        assert!(!before_boot.signal(Signal::Kill).unwrap());
        assert!(
            child.try_wait().unwrap().is_none(),
            "the stranger was signalled"
        );
        assert!(real.is_alive());
        assert!(real.signal(Signal::Kill).unwrap());
        child.wait().unwrap();
        assert!(!real.is_alive());
        assert!(!real.signal(Signal::Kill).unwrap());
    }
}
