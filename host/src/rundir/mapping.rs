//! `metadata/dataset_mapping.json`: the dataset and its partitions, in the shape that Data-Juicer's
//! monitor reads.

use std::fmt;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::events::now;
use super::paths::RunPaths;
use crate::rundir::own_files::read_document;

/// Version of the file format.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// The state of a partition, with Data-Juicer's names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartitionState {
    /// It waits for a worker or a barrier.
    #[default]
    Pending,
    /// A worker processes it.
    Processing,
    /// Its last stage is committed.
    Completed,
    /// It failed and is not retried in this attempt.
    Failed,
}

impl fmt::Display for PartitionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "waiting",
            Self::Processing => "running",
            Self::Completed => "done",
            Self::Failed => "failed",
        })
    }
}

/// One partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartitionEntry {
    /// Number of the partition, from 0.
    pub partition_id: usize,
    /// Its state.
    pub processing_status: PartitionState,
    /// Input rows; 0 until they are counted.
    pub sample_count: u64,
    /// When its first task started, seconds since 1970.
    pub processing_start_time: Option<f64>,
    /// When it ended, seconds since 1970.
    pub processing_end_time: Option<f64>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Bytes of its input (a field of ours).
    pub input_bytes: u64,
    /// Rows that left its last stage (a field of ours).
    pub output_rows: Option<u64>,
}

/// The content of the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatasetMapping {
    /// [`FORMAT_VERSION`] (a field of ours).
    pub format_version: u32,
    /// Path of the dataset.
    pub original_dataset_path: String,
    /// Input rows of all partitions that are counted so far.
    pub original_dataset_size: u64,
    /// Whether all partitions are counted (a field of ours).
    pub size_is_exact: bool,
    /// Rows of the largest partition that is counted so far.
    pub partition_size: u64,
    /// Sorted by id.
    pub partitions: Vec<PartitionEntry>,
}

impl DatasetMapping {
    /// Creates the mapping of a dataset whose partitions have the given `(input_bytes, rows)`; rows
    /// are None until they are counted.
    pub fn new(
        dataset_path: impl Into<String>,
        partitions: impl IntoIterator<Item = (u64, Option<u64>)>,
    ) -> Self {
        let partitions: Vec<_> = partitions.into_iter().collect();
        let mut mapping = Self {
            format_version: FORMAT_VERSION,
            original_dataset_path: dataset_path.into(),
            size_is_exact: partitions.iter().all(|(_, rows)| rows.is_some()),
            partitions: partitions
                .into_iter()
                .enumerate()
                .map(|(partition_id, (input_bytes, rows))| PartitionEntry {
                    partition_id,
                    input_bytes,
                    sample_count: rows.unwrap_or(0),
                    ..PartitionEntry::default()
                })
                .collect(),
            ..Self::default()
        };
        mapping.count();
        mapping
    }

    /// Records that a partition has been in work since `time`.
    pub fn started(&mut self, partition: usize, time: f64) {
        let entry = &mut self.partitions[partition];
        entry.processing_status = PartitionState::Processing;
        entry.processing_start_time.get_or_insert(time);
        entry.processing_end_time = None;
        entry.error_message = None;
    }

    /// Records that a partition is done.
    pub fn completed(&mut self, partition: usize, time: f64, input_rows: u64, output_rows: u64) {
        let entry = &mut self.partitions[partition];
        entry.processing_status = PartitionState::Completed;
        entry.processing_end_time = Some(time);
        entry.sample_count = input_rows;
        entry.output_rows = Some(output_rows);
    }

    /// Records that an earlier attempt completed a partition, with the times from `earlier`, the
    /// mapping of that attempt.
    pub fn taken_over(
        &mut self,
        partition: usize,
        earlier: Option<&Self>,
        input_rows: u64,
        output_rows: u64,
    ) {
        let then = earlier
            .and_then(|e| e.partitions.get(partition))
            .cloned()
            .unwrap_or_default();
        let end = then.processing_end_time.unwrap_or_else(now);
        self.completed(partition, end, input_rows, output_rows);
        self.partitions[partition].processing_start_time = then.processing_start_time.or(Some(end));
    }

    /// Records that a partition failed.
    pub fn failed(&mut self, partition: usize, time: f64, error: impl Into<String>) {
        let entry = &mut self.partitions[partition];
        entry.processing_status = PartitionState::Failed;
        entry.processing_end_time = Some(time);
        entry.error_message = Some(error.into());
    }

    /// Sums up the partitions: once for each file, because a job may have many partitions.
    fn count(&mut self) {
        self.size_is_exact |= self
            .partitions
            .iter()
            .all(|p| p.processing_status == PartitionState::Completed);
        self.original_dataset_size = self.partitions.iter().map(|p| p.sample_count).sum();
        self.partition_size = self
            .partitions
            .iter()
            .map(|p| p.sample_count)
            .max()
            .unwrap_or(0);
    }

    /// The content of the file, with the sums of today.
    pub(crate) fn json(&mut self) -> Result<Vec<u8>> {
        self.count();
        let mut json = serde_json::to_vec(self)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Replaces the file by `json` without waiting for the disk (see [`Storage::replace`]): it only
    /// shows progress, and nothing depends on it.
    pub(crate) fn write(json: &[u8], paths: &RunPaths) -> Result<()> {
        paths.storage().replace(&paths.dataset_mapping(), json)
    }

    /// Replaces the file.
    pub fn save(&mut self, paths: &RunPaths) -> Result<()> {
        Self::write(&self.json()?, paths)
    }

    /// Reads the file; returns None if there is none.
    pub fn load(paths: &RunPaths) -> Result<Option<Self>> {
        let path = paths.dataset_mapping();
        match read_document(&path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).with_context(|| {
                format!("`{}` is not a dataset mapping", path.display())
            })?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }
}
