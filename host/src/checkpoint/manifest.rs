//! The manifest next to a file of rows, keys or output: without it the file does not exist.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use crate::data::PartInfo;
use crate::plan::lineage_key::Key;
use crate::rundir::events::OpDone;

/// Version of the manifests and of the files they describe. Other versions are ignored.
pub(crate) const FORMAT_VERSION: u32 = 3;

/// The kind of file that a manifest describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Artifact {
    /// The rows of a partition after an op.
    Rows,
    /// The keys of a partition's rows for a global op.
    Keys,
    /// The rows of a partition that a global op keeps.
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
    /// Rows of which only the line within the partition is known until all partitions are done.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unplaced: u64,
}

fn is_none(rows: &u64) -> bool {
    *rows == 0
}

/// What the trace knows of one task's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Traced {
    /// Name of its file in `trace/`; None: no row has an entry.
    pub name: Option<String>,
    /// The ops of which the task did the work.
    pub ops: std::ops::Range<usize>,
    /// Whether rows that filters keep have entries, too.
    pub all: bool,
}

/// The input bytes of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputContent {
    /// The key of the partition's input.
    pub key: crate::plan::lineage_key::Key,
    /// xxh3-128 of its concatenated slices, in hex.
    pub checksum: String,
}

/// The account of a partition's rows from the input up to here. Every manifest has the whole
/// account, so a resumed job's ledger is exact whatever was redone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    /// Rows found in the input, including bad ones.
    pub read: u64,
    /// Lines of the partition's slice of a file, by the file's number, where it is not all of the file: so
    /// lines of later partitions are known without reading it again.
    pub lines: BTreeMap<usize, u64>,
    /// Bytes of input read.
    pub input_bytes: u64,
    /// Rows that the reader refused.
    pub bad: u64,
    /// Records of the input that the recipe does not ask for, by what they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub passed_over: BTreeMap<String, u64>,
    /// The numbers of each op, by its index.
    pub ops: BTreeMap<usize, OpDone>,
    /// The input as it was when it was read; None if that is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputContent>,
    /// The files of rows in quarantine.
    pub quarantine: Vec<QuarantineFile>,
    /// What tasks have written to the trace. An op without an entry here was done without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Traced>,
    /// Of a part: the stats of its rows of which the recipe expects something.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub observed: BTreeMap<String, Distribution>,
}

impl Account {
    /// Adds records that the recipe does not ask for.
    pub(crate) fn pass_over(&mut self, records: BTreeMap<String, u64>) {
        for (kind, n) in records {
            *self.passed_over.entry(kind).or_default() += n;
        }
    }

    /// The numbers of one op, for adding to.
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
    /// The kind of file.
    pub artifact: Artifact,
    /// The lineage key: what was done to which input.
    pub key: Key,
    /// The last op applied; None: the input itself.
    pub op: Option<usize>,
    /// The partition.
    pub partition: usize,
    /// Name of the data file, next to the manifest.
    pub data: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// xxh3-128 of the data file, in hex.
    pub checksum: String,
    /// The account of the partition up to here.
    pub account: Account,
    /// For rows: how they are stored, for instance `parquet/snappy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// For rows: CPU seconds of encoding and writing.
    #[serde(default)]
    pub write_seconds: f64,
    /// For parts: what assembling needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<PartInfo>,
}

impl Manifest {
    /// The op that the file belongs to; 0 for a part.
    pub(crate) fn place(&self) -> usize {
        match self.artifact {
            Artifact::Part => 0,
            _ => self.op.unwrap_or(0),
        }
    }

    /// Returns the path of the data file in `dir`. An error if the manifest names none that is there:
    /// a name from a file must not lead elsewhere.
    pub(crate) fn data_in(&self, dir: &Path) -> Result<PathBuf> {
        if self.data.is_empty() || self.data.contains('/') {
            bail!("the manifest names no file");
        }
        Ok(dir.join(&self.data))
    }

    /// Checks the size of the data file in `dir`.
    pub(crate) fn check_bytes(&self, dir: &Path, bytes: u64) -> Result<()> {
        if bytes != self.bytes {
            let path = self.data_in(dir)?;
            bail!(
                "`{}` has {bytes} bytes instead of {}",
                path.display(),
                self.bytes
            );
        }
        Ok(())
    }
}
