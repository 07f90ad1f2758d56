//! Data-Juicer's own monitor, stopper and job list, pointed at run directories of djhost.
//!
//! A separate suite, `cargo test --test compat`: it needs Python and some 600 MB of packages, which
//! `harness/python.rs` installs.

#[cfg(target_os = "linux")]
mod data_juicer;
#[cfg(target_os = "linux")]
#[path = "../harness/python.rs"]
mod python;
