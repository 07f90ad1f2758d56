//! Tasks in other processes: what is said to them ([`protocol`]), and a [`Pool`] of processes of
//! this machine. What such a process does is in `run/worker`.

mod pool;
pub(crate) mod protocol;
mod worker;

pub(crate) use pool::{Launch, Pool};
