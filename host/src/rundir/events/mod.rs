//! What happened in a job: a closed set of events, one JSON object per line. The runner only writes
//! them; monitor, stop and report only read them.

mod kind;
mod log;
mod message;
mod read;
mod record;

pub use kind::*;
pub(crate) use log::Doer;
pub use log::EventLog;
pub use read::{EventLogs, read_events};
pub use record::{Metrics, Record};

/// Returns the current time in seconds since 1970, as in every file of a run directory. It has
/// whole microseconds, which a JSON number holds exactly.
pub fn now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.0, |d| d.as_micros() as f64 / 1e6)
}
