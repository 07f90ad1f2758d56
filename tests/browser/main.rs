//! The page of `djhost report` and `djhost monitor --web` in a browser.
//!
//! A separate suite, `cargo test --test browser`: it needs Playwright, which `harness/python.rs`
//! installs, and Chromium: the machine's own, or else the one of Playwright or Debian.

#[cfg(target_os = "linux")]
mod chromium;
#[cfg(target_os = "linux")]
mod page;
#[cfg(target_os = "linux")]
#[path = "../harness/python.rs"]
mod python;
