//! Tasks in other processes: what is said to them ([`protocol`]), and a [`Pool`] of processes, which
//! are on this machine (`processes`) or on the nodes of a Ray cluster (`cluster`). What such a
//! process does is in `run/worker`.

pub(crate) mod cluster;
mod pool;
mod processes;
pub(crate) mod protocol;
mod worker;

pub(crate) use cluster::{Cluster, Room, Settings, Tree};
pub(crate) use pool::{Hands, Launch, Pool};
pub(crate) use processes::Division;
