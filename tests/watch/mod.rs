//! Watching and stopping a job from other processes.

#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod web;
