//! Records partitions while they run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::checkpoint::Manifest;
use crate::exec::Watcher;
use crate::run::progress::Bar;
use crate::rundir::events::{Event, EventLog, now};
use crate::rundir::{DatasetMapping, RunPaths};

/// Hears about partitions from the scheduler and updates dataset mapping, events and progress bar.
pub(crate) struct MappingWatcher<'a> {
    /// The mapping, and when each partition began.
    pub(super) state: Mutex<(DatasetMapping, BTreeMap<usize, Instant>)>,
    pub(super) log: &'a EventLog,
    pub(super) bar: &'a Bar,
    pub(super) paths: &'a RunPaths,
}

impl Watcher for MappingWatcher<'_> {
    fn started(&self, partition: usize) {
        let mut state = self.state.lock().expect("no panic while held");
        state.1.insert(partition, Instant::now());
        state.0.started(partition, now());
        self.save(&state.0);
    }

    fn completed(&self, partition: usize, manifest: &Manifest) {
        let mut state = self.state.lock().expect("no panic while held");
        let duration = state
            .1
            .get(&partition)
            .map_or(0.0, |s| s.elapsed().as_secs_f64());
        self.log.emit(Event::PartitionCompleted {
            partition_id: partition,
            duration,
            input_rows: manifest.account.read,
            output_rows: manifest.rows,
            output_bytes: manifest.bytes,
            output_path: manifest.data.clone(),
            taken_over: false,
        });
        self.bar.done.fetch_add(1, Ordering::Relaxed);
        state
            .0
            .completed(partition, now(), manifest.account.read, manifest.rows);
        self.save(&state.0);
    }

    fn failed(&self, partition: usize, error: &anyhow::Error) {
        let mut state = self.state.lock().expect("no panic while held");
        state.0.failed(partition, now(), format!("{error:#}"));
        self.save(&state.0);
    }
}

impl MappingWatcher<'_> {
    fn save(&self, mapping: &DatasetMapping) {
        if let Err(error) = mapping.save(self.paths) {
            tracing::warn!("{error:#}");
        }
    }
}
