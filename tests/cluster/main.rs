//! Jobs on Ray clusters of several nodes on this machine: the same bytes as by threads, whoever is
//! killed.
//!
//! A separate suite, `cargo test --test cluster`: it needs Python and Ray, which `harness/python.rs`
//! installs.

#[cfg(target_os = "linux")]
mod buckets;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "the other suites use all of it")]
#[path = "../crash"]
mod crash {
    pub(crate) mod bench;
}
#[cfg(target_os = "linux")]
mod errors;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "the other suites use all of it")]
#[path = "../harness/mod.rs"]
mod harness;
#[cfg(target_os = "linux")]
mod job;
#[cfg(target_os = "linux")]
mod jobs;
#[cfg(target_os = "linux")]
mod links;
#[cfg(target_os = "linux")]
mod pieces;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "another suite uses all of it")]
#[path = "../s3/proxy.rs"]
mod proxy;
#[cfg(target_os = "linux")]
#[path = "../harness/python.rs"]
mod python;
#[cfg(target_os = "linux")]
mod ray;
#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "another suite uses all of it")]
#[path = "../s3/store.rs"]
mod store;
#[cfg(target_os = "linux")]
mod submit;
