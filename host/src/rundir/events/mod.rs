//! What happened in a job: a closed set of past facts, one JSON object per line. The runner only
//! emits; monitor, stop and report only read.

mod kind;
mod log;
mod read;

pub use kind::*;
pub use log::EventLog;
pub use read::{EventLogs, read_events};

/// Seconds since 1970, as every time in the files of a run directory; whole microseconds, which
/// JSON numbers carry exactly.
pub fn now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.0, |d| d.as_micros() as f64 / 1e6)
}
