//! A line of `quarantine/*.jsonl`: a row that could not be processed, where it came from, and why.
//! Tasks write it; `djhost quarantine` and `djhost ops run` read it.

use std::borrow::Cow;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

/// One row in quarantine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct QuarantineEntry<'a> {
    /// Path of its file in the dataset.
    pub(crate) file: Cow<'a, str>,
    /// Line of the file on which the row begins, from 1. For columnar files, the number of the row,
    /// from 1; for WARC files its position in the file, in bytes, as in CDX indexes. None where it is far
    /// from the file's beginning, until all partitions are done.
    #[serde(default)]
    pub(crate) line: Option<u64>,
    /// Until then: the line within the partition's part of the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) line_in_partition: Option<u64>,
    /// Byte offset of the row in the file (for a packed file, in its content), or number of the row,
    /// both from 0. None for rows that were converted from another format to JSON: their place in
    /// the file is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<u64>,
    /// Its id in batches.
    #[serde(default)]
    pub(crate) row_id: u64,
    /// The op that could not process it; None if it was the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation_idx: Option<usize>,
    /// The name of that op.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation_name: Option<Cow<'a, str>>,
    /// Why it could not be processed.
    pub(crate) reason: Cow<'a, str>,
    /// The attempt of the job that put it here.
    pub(crate) attempt: u32,
    /// The row as it was then; bytes that are not UTF-8 are replaced.
    pub(crate) row: Cow<'a, str>,
    /// All its bytes, in base64, if some were replaced in `row`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) row_base64: Option<String>,
}

impl QuarantineEntry<'_> {
    /// Returns the values of `row` and `row_base64`: its text, and its bytes if they are not UTF-8.
    pub(crate) fn forms(row: &[u8]) -> (Cow<'_, str>, Option<String>) {
        (
            String::from_utf8_lossy(row),
            std::str::from_utf8(row)
                .is_err()
                .then(|| BASE64.encode(row)),
        )
    }

    /// Returns the row byte for byte. Fails if the file is damaged.
    pub(crate) fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        Ok(match &self.row_base64 {
            Some(bytes) => Cow::Owned(BASE64.decode(bytes)?),
            None => Cow::Borrowed(self.row.as_bytes()),
        })
    }

    /// Returns `FILE:LINE`, or `FILE:byte OFFSET` as long as the line is not known.
    pub(crate) fn place(&self) -> String {
        match (self.line, self.offset) {
            (Some(line), _) => format!("{}:{line}", self.file),
            (None, Some(offset)) => format!("{}:byte {offset}", self.file),
            (None, None) => self.file.to_string(),
        }
    }

    /// Returns `op 3 NAME` or `reader`.
    pub(crate) fn who(&self) -> String {
        match (self.operation_idx, &self.operation_name) {
            (Some(op), Some(name)) => format!("op {op} {name}"),
            _ => "reader".to_owned(),
        }
    }

    /// Returns whether this row is from the op that `--op` names (by name, by index, or `reader`).
    pub(crate) fn is_of(&self, op: &str) -> bool {
        match self.operation_idx {
            None => op == "reader",
            Some(index) => self.operation_name.as_deref() == Some(op) || op.parse() == Ok(index),
        }
    }
}

/// Calls `each` with every entry of a file and its line until it returns false. Returns true if it
/// never did.
pub(crate) fn for_each_entry(
    path: &Path,
    mut each: impl FnMut(QuarantineEntry<'_>, &str) -> Result<bool>,
) -> Result<bool> {
    let at = || format!("cannot read `{}`", path.display());
    let file = std::fs::File::open(path).with_context(at)?;
    for line in BufReader::with_capacity(256 << 10, file).lines() {
        let line = line.with_context(at)?;
        if !each(serde_json::from_str(&line).with_context(at)?, &line)? {
            return Ok(false);
        }
    }
    Ok(true)
}
