//! The manifest beside a file of rows, keys or output: without it the file does not exist.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::PartInfo;
use crate::plan::lineage_key::Key;
use crate::rundir::events::OpDone;

/// Version of the manifests and of the files they stand for. Another version is not used.
pub(crate) const FORMAT_VERSION: u32 = 3;

/// What a manifest stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Artifact {
    /// The rows of a partition after an op.
    Rows,
    /// The keys of a partition's rows for a global op.
    Keys,
    /// What a global op keeps of a partition's rows.
    Mask,
    /// The finished rows of a partition, in the export's format.
    Part,
}

/// Rows that one task put into quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuarantineFile {
    /// Name in `quarantine/`.
    pub name: String,
    /// Rows in it.
    pub rows: u64,
}

/// The bytes that a partition was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputContent {
    /// The key of the partition's input.
    pub key: crate::plan::lineage_key::Key,
    /// xxh3-128 of its slices one after the other, hex.
    pub checksum: String,
}

/// What became of the rows of a partition from the input up to here: every manifest carries the
/// whole account, so that a resumed job's ledger is exact whatever was redone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    /// Rows found in the input, bad ones included.
    pub read: u64,
    /// Lines of each slice, for line numbers in quarantine.
    pub lines: BTreeMap<usize, u64>,
    /// Bytes of input read.
    pub input_bytes: u64,
    /// Rows that the reader refused.
    pub bad: u64,
    /// What each op did, by its index.
    pub ops: BTreeMap<usize, OpDone>,
    /// What the input was when it was read; None where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputContent>,
    /// Where the rows in quarantine are.
    pub quarantine: Vec<QuarantineFile>,
}

impl Account {
    /// The numbers of one op, to add to.
    pub(crate) fn op(&mut self, partition: usize, index: usize, name: &str) -> &mut OpDone {
        self.ops.entry(index).or_insert_with(|| OpDone {
            partition_id: partition,
            op: crate::rundir::events::OpRef::new(index, name),
            ..OpDone::default()
        })
    }
}

/// One committed file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// What it is.
    pub artifact: Artifact,
    /// What was done to which input.
    pub key: Key,
    /// The last op whose work is in it; None = the input itself.
    pub op: Option<usize>,
    /// The partition.
    pub partition: usize,
    /// Name of the data file, beside the manifest.
    pub data: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// xxh3-128 of the data file, hex.
    pub checksum: String,
    /// What became of all rows of the partition up to here.
    pub account: Account,
    /// Rows: how they are stored, for instance `parquet/snappy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Rows: CPU seconds that encoding and writing them took.
    #[serde(default)]
    pub write_seconds: f64,
    /// Parts: what assembling needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<PartInfo>,
}
