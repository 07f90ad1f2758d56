//! Buckets: datasets in them and exports to them, with a whole store that speaks S3.
//!
//! A separate suite, `cargo test --test s3`: it needs Python and moto's server, which `harness/python.rs` installs.

#[cfg(target_os = "linux")]
mod exporting;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod proxy;
#[cfg(target_os = "linux")]
#[path = "../harness/python.rs"]
mod python;
#[cfg(target_os = "linux")]
mod reading;
#[cfg(target_os = "linux")]
mod resuming;
#[cfg(target_os = "linux")]
mod rundirs;
#[cfg(target_os = "linux")]
mod store;
#[cfg(target_os = "linux")]
mod tls;
