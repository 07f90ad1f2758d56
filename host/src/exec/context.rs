//! What all tasks of a job share.

use super::breaker::{Breaker, Ratios};
use super::lines::KnownLines;
use super::meter::Tally;
use super::quarantine::{self, Quarantine};
use super::trace::{Recorder, Tracing};
use crate::checkpoint::{Chains, Store};
use crate::config::OnError;
use crate::data::{Dataset, ExportOptions, Partition, ReadOptions};
use crate::plan::Plan;
use crate::rundir::StopFlag;
use crate::rundir::events::EventLog;

/// What all tasks of a job share.
pub(crate) struct TaskContext<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The keys of all partitions.
    pub chains: &'a Chains,
    /// The dataset.
    pub dataset: &'a Dataset,
    /// Its partitions.
    pub partitions: &'a [Partition],
    /// The lines that are known of it.
    pub lines: KnownLines,
    /// How the input is read; the fields are those of the first ops.
    pub read: ReadOptions,
    /// Where results are kept.
    pub store: Store,
    /// Where results are stored.
    pub export: ExportOptions,
    /// Extension of the parts.
    pub part_extension: &'static str,
    /// The events.
    pub log: &'a EventLog,
    /// Set when the job must stop.
    pub stop: &'a StopFlag,
    /// Rows and bytes so far.
    pub tally: &'a Tally,
    /// What happens to rows that the reader refuses.
    pub on_error: OnError,
    /// Shares of unusable rows above which the job fails.
    pub ratios: Ratios,
    /// The attempt of the job, from 1.
    pub attempt: u32,
    /// The stats of the result of which the recipe expects something.
    pub expected: Vec<String>,
    /// What is recorded of rows; None: nothing.
    pub trace: Option<Tracing>,
}

impl<'a> TaskContext<'a> {
    /// The rows that a task sets aside, and what it records.
    pub(crate) fn quarantine(&'a self) -> Quarantine<'a> {
        Quarantine::new(self.breaker(), Recorder::new(self.trace.as_ref()))
    }

    pub(crate) fn breaker(&'a self) -> Breaker<'a> {
        Breaker {
            tally: self.tally,
            ratios: self.ratios,
            dataset: self.dataset,
            stop: self.stop,
            partitions: self.partitions,
            lines: &self.lines,
            most_bytes: quarantine::most_bytes(self.read.max_row_bytes),
        }
    }
}
