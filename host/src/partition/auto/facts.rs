//! What auto mode decides from: a sample of rows, the operators, the dataset, the machine and the
//! options.

use super::modality::Modality;

/// One sampled row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SampledRow {
    /// Its bytes in the dataset: of a JSON line, or of the uncompressed values for Parquet and
    /// Arrow.
    pub bytes: u64,
    /// Unicode code points of the text.
    pub text_chars: u64,
    /// See [`Modality::of_row`].
    pub modality: Modality,
}

/// Returns how many rows to sample of a columnar dataset with `rows` rows: Data-Juicer's numbers,
/// but at least 100. The caller takes them at even distances over the whole dataset.
pub(crate) fn sample_rows(rows: u64) -> u64 {
    match rows {
        0..1_000 => rows,
        1_000..100_000 => (rows / 100).max(100),
        _ => (rows / 1_000).min(10_000),
    }
}

/// How many operators of each cost class a pipeline has (`cost` of the WIT's descriptor).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OpCosts {
    /// Operators at memory speed.
    pub light: usize,
    /// Operators at tens of MB/s.
    pub medium: usize,
    /// Operators at less than about 10 MB/s.
    pub heavy: usize,
}

impl OpCosts {
    /// Returns Data-Juicer's linear score: 1 for an empty pipeline. The slower the pipeline, the
    /// smaller partitions should be, because a failure loses time, not bytes. At most 4, so that a
    /// long recipe of light filters does not lead to tiny partitions.
    pub(crate) fn complexity(&self) -> f64 {
        (1.0 + 0.3 * self.heavy as f64 + 0.2 * self.medium as f64 + 0.1 * self.light as f64)
            .min(4.0)
    }
}

/// The number of rows in a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowCount {
    /// Counted, or stored in the files.
    Exact(u64),
    /// Estimated from a part of the dataset.
    About(u64),
}

impl RowCount {
    /// Returns the number, exact or not.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Exact(rows) | Self::About(rows) => rows,
        }
    }
}

/// What is known about the dataset without reading it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DatasetSize {
    /// Bytes on disk.
    pub bytes: u64,
    /// Number of rows; None if it must be estimated from the sample.
    pub rows: Option<RowCount>,
    /// Average bytes of a row, if the files say it better than the sample.
    pub row_bytes: Option<f64>,
}

/// The resources of the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Machine {
    /// Number of worker threads.
    pub workers: usize,
    /// Bytes of memory available, the smaller of the system's and the container's limit; None if
    /// unknown.
    pub memory: Option<u64>,
}

/// The options under `partition` that apply to auto mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AutoOptions {
    /// `target_size_mb`.
    pub target_size_mb: u64,
    /// `max_size_mb`: the limit if there is no sample.
    pub max_size_mb: u64,
    /// `size`: rows per partition if there is no sample.
    pub size: Option<u64>,
    /// `num_of_partitions` as a number: at most this many partitions.
    pub most: Option<u64>,
}
