//! Records partitions while they run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::mapping_file::MappingFile;
use crate::checkpoint::Manifest;
use crate::exec::Watcher;
use crate::run::progress::Bar;
use crate::rundir::events::{Event, EventLog, now};

/// Hears about partitions from the scheduler and updates dataset mapping, events and progress bar.
pub(crate) struct MappingWatcher<'a> {
    pub(super) file: MappingFile,
    /// When each partition in work began.
    pub(super) began: Mutex<BTreeMap<usize, Instant>>,
    pub(super) log: &'a EventLog,
    pub(super) bar: &'a Bar,
}

impl Watcher for MappingWatcher<'_> {
    fn started(&self, partition: usize) {
        let mut began = self.began.lock().expect("no panic while held");
        began.insert(partition, Instant::now());
        drop(began);
        self.file
            .change(|mapping| mapping.started(partition, now()));
    }

    fn completed(&self, partition: usize, manifest: &Manifest) {
        let began = self
            .began
            .lock()
            .expect("no panic while held")
            .remove(&partition);
        self.log.emit(Event::PartitionCompleted {
            partition_id: partition,
            duration: began.map_or(0.0, |began| began.elapsed().as_secs_f64()),
            input_rows: manifest.account.read,
            output_rows: manifest.rows,
            output_bytes: manifest.bytes,
            output_path: manifest.data.clone(),
            taken_over: false,
        });
        self.bar.done.fetch_add(1, Ordering::Relaxed);
        self.file.change(|mapping| {
            mapping.completed(partition, now(), manifest.account.read, manifest.rows);
        });
    }

    fn kept(&self, _: &Manifest) {
        // It was recorded when the attempt began.
    }

    fn lost(&self, partition: usize) {
        self.bar.done.fetch_sub(1, Ordering::Relaxed);
        self.started(partition);
    }

    fn failed(&self, partition: usize, error: &anyhow::Error) {
        self.file
            .change(|mapping| mapping.failed(partition, now(), format!("{error:#}")));
    }
}
