//! Data-Juicer's own monitor, stopper and job list, pointed at run directories of djhost.
//!
//! They need Python and some 600 MB of packages, so they are installed only where that is asked for; see `harness/python.rs`.

#[cfg(target_os = "linux")]
mod data_juicer;
#[cfg(target_os = "linux")]
#[path = "../harness/python.rs"]
mod python;
