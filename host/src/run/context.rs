//! What the tasks of a job share, as its recipe has it.

use super::{Prepared, trace};
use crate::checkpoint::{Chains, Store};
use crate::config::StorageFormat;
use crate::data::{Dataset, Partition, ReadOptions};
use crate::exec::lines::KnownLines;
use crate::exec::{Ratios, Tally, TaskContext};
use crate::rundir::events::EventLog;
use crate::rundir::{RunPaths, StopFlag};

/// What a recipe does not say.
pub(super) struct Shared<'c> {
    pub(super) prepared: &'c Prepared,
    pub(super) paths: &'c RunPaths,
    pub(super) log: &'c EventLog,
    pub(super) stop: &'c StopFlag,
    /// Number of the attempt, from 1.
    pub(super) attempt: u32,
    /// The dataset, every file of which can be read in pieces.
    pub(super) dataset: &'c Dataset,
    /// Its partitions.
    pub(super) partitions: &'c [Partition],
    pub(super) chains: &'c Chains,
    pub(super) tally: &'c Tally,
}

impl<'c> Shared<'c> {
    /// Returns what all tasks share.
    pub(super) fn context(self) -> TaskContext<'c> {
        let (prepared, plan) = (self.prepared, &self.prepared.plan);
        let config = &prepared.resolved.config;
        let batch_bytes = (config.batch_size_kb as usize) << 10;
        let reader = config
            .max_unreadable_ratio
            .unwrap_or(config.max_quarantine_ratio.max(0.5));
        let mut storage = config.intermediate_storage.clone();
        if !prepared.export.fits_parquet() {
            // For example a union: the input has such a column, and an op turns it into something
            // else.
            storage.format = StorageFormat::Arrow;
        }
        TaskContext {
            plan,
            chains: self.chains,
            dataset: self.dataset,
            partitions: self.partitions,
            lines: KnownLines::default(),
            read: ReadOptions {
                fields: Vec::new(),
                batch_bytes,
                max_row_bytes: ((config.max_row_mb as usize) << 20)
                    .min(ReadOptions::MAX_ROW_BYTES.max(1 << 30)),
                as_json: prepared.export.makes_json(),
                schema: prepared.export.schema().cloned(),
                columns: None,
            },
            store: Store::new(
                self.paths.clone(),
                self.paths.storage(),
                &storage,
                batch_bytes,
            ),
            export: prepared.export.clone(),
            part_extension: if self.dataset.is_columnar() && !plan.makes_json_rows() {
                "arrow"
            } else {
                "jsonl"
            },
            log: self.log,
            stop: self.stop,
            tally: self.tally,
            on_error: config.on_error(),
            ratios: Ratios {
                operators: config.max_quarantine_ratio,
                reader,
            },
            attempt: self.attempt,
            expected: plan.expect.stats(),
            trace: trace::tracing(prepared),
        }
    }
}
