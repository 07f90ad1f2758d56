//! Executes the plan: tasks on threads, of this process or of others, each applying a segment's ops
//! to the rows of one partition, from where they are stored to where they are stored next.

pub(crate) mod apply;
pub(crate) mod apply_masks;
pub(crate) mod barrier_task;
pub(crate) mod breaker;
pub(crate) mod chain;
pub(crate) mod context;
pub(crate) mod determinism;
pub(crate) mod elsewhere;
pub(crate) mod executor;
pub(crate) mod gather;
pub(crate) mod group_task;
pub(crate) mod index;
pub(crate) mod isolate;
pub(crate) mod listed;
pub(crate) mod meter;
mod needed;
pub(crate) mod placement;
pub(crate) mod places;
pub(crate) mod quarantine;
pub(crate) mod queue;
pub(crate) mod rank;
pub(crate) mod reasons;
pub(crate) mod reconcile;
pub(crate) mod resolve;
pub(crate) mod rewrite;
pub(crate) mod scheduler;
pub(crate) mod segment;
pub(crate) mod shuffle;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod stage;
pub(crate) mod stats;
pub(crate) mod task;
pub(crate) mod trace;
pub(crate) mod workers;

pub(crate) use breaker::{Ratios, Seen};
pub(crate) use context::TaskContext;
pub(crate) use determinism::Determinism;
pub(crate) use executor::{Executor, Steps, Threads};
pub(crate) use index::{Held, Index};
pub use listed::TaskList;
pub(crate) use meter::Tally;
pub(crate) use queue::guarded;
pub(crate) use scheduler::{Watcher, Workers};
