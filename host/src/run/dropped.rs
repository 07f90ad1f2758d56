//! The rows that are not in the export, as they are in the input, with what the trace knows of
//! them, for `djhost dropped`.

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Prepared;
use super::explain::{readable, row_text};
use crate::data::batch::split_id;
use crate::data::{Dataset, ReadOptions, read};
use crate::jobs::Trace;
use crate::partition::{SplitBy, split};
use crate::rundir::trace::{Entry, Fate, TracedOp};

/// The ways out, except for the export.
pub(crate) const GONE: [Fate; 4] = [
    Fate::Dropped,
    Fate::Merged,
    Fate::Grouped,
    Fate::Quarantined,
];

/// A row that is not in the export.
#[derive(Debug, Clone, Serialize)]
pub struct Dropped {
    /// Its id.
    pub row_id: u64,
    /// Which of several rows with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<u32>,
    /// Its file.
    pub file: String,
    /// Its byte offset (JSON rows) or number from 0 (Parquet, Arrow) in the file.
    pub offset: u64,
    /// The op, in the order in which ops ran; None: the reader.
    pub op: Option<usize>,
    /// Its name.
    pub op_name: String,
    /// What the op did: `dropped`, `merged`, `grouped`, `quarantined`.
    pub fate: &'static str,
    /// Why, in words.
    pub reason: String,
    /// `row_id` of the row that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<u64>,
    /// The stats that the op computed.
    pub stats: serde_json::Map<String, Value>,
    /// The row as it is in the input; a string if it is no JSON; None if it is not there any more.
    pub row: Option<Box<RawValue>>,
}

/// Calls `each` with all rows that `op` (None: any op, or the reader) took out, by ascending ids.
/// Holds the entries of these rows in memory, some 200 bytes each.
pub fn each_dropped(
    prepared: &Prepared,
    trace: &Trace,
    op: Option<usize>,
    mut each: impl FnMut(Dropped) -> Result<()>,
) -> Result<u64> {
    let mut entries: Vec<Entry> = Vec::new();
    trace.each(op, &GONE, |entry| {
        entries.push(entry);
        Ok(true)
    })?;
    entries.sort_by_key(|entry| (entry.row_id, entry.op, entry.piece));
    let (dataset, _unpacked) = readable(&prepared.dataset, trace.paths())?;
    let options = ReadOptions {
        max_row_bytes: (prepared.resolved.config.max_row_mb as usize) << 20,
        ..ReadOptions::new(Vec::new())
    };
    let total = entries.len() as u64;
    let mut left = entries.into_iter().peekable();
    for part in split(&dataset, SplitBy::Count(1))? {
        for block in read(&dataset, &part, &options)? {
            if left.peek().is_none() {
                break;
            }
            let block = block?;
            let mut bad = block.bad.iter().peekable();
            let ids = block.batch.ids.values();
            let last = ids.last().copied().max(block.bad.last().map(|row| row.id));
            while let Some(entry) = left.next_if(|entry| Some(entry.row_id) <= last) {
                while bad.next_if(|row| row.id < entry.row_id).is_some() {}
                let row = match (ids.binary_search(&entry.row_id), bad.peek()) {
                    (Ok(row), _) => Some(row_text(&block.batch, row)?),
                    (Err(_), Some(bad)) if bad.id == entry.row_id => {
                        let text = String::from_utf8_lossy(&bad.raw);
                        Some(match serde_json::from_str::<&RawValue>(&text) {
                            Ok(_) => text.into_owned(),
                            Err(_) => serde_json::to_string(&text)?,
                        })
                    }
                    _ => None,
                };
                each(dropped(&dataset, trace, entry, row))?;
            }
        }
    }
    // The input has become shorter.
    for entry in left {
        each(dropped(&dataset, trace, entry, None))?;
    }
    Ok(total)
}

fn dropped(dataset: &Dataset, trace: &Trace, entry: Entry, row: Option<String>) -> Dropped {
    let (file, offset) = split_id(entry.row_id);
    let op = entry.op.and_then(|op| trace.document().ops.get(op));
    Dropped {
        row_id: entry.row_id,
        piece: entry.piece,
        file: dataset
            .files
            .get(file)
            .map(|f| f.shown().to_string())
            .unwrap_or_default(),
        offset,
        op: entry.op,
        op_name: op.map_or_else(|| "reader".to_owned(), |op| op.name.clone()),
        fate: entry.fate.word(),
        reason: reason(op, &entry),
        partner: entry.partner,
        stats: entry.stats.into_iter().collect(),
        row: row.and_then(|text| RawValue::from_string(text).ok()),
    }
}

/// Why a row went, in words.
pub(crate) fn reason(op: Option<&TracedOp>, entry: &Entry) -> String {
    use crate::jobs::{number, shown};
    match (entry.fate, &entry.reason, entry.partner) {
        (Fate::Quarantined | Fate::Dropped, Some(reason), _) => reason.clone(),
        (Fate::Merged, _, Some(partner)) => format!("the row with the id {partner} is like it"),
        (Fate::Grouped, _, Some(partner)) => {
            format!("it is in the group of the row with the id {partner}")
        }
        (Fate::Merged, _, None) => "another row is like it".into(),
        _ => {
            if let Some((op, (key, stat, margin))) =
                op.and_then(|op| Some((op, op.decided(entry)?)))
            {
                let demand = op.demand(&key).unwrap_or_default();
                return format!(
                    "{key} is {}, demanded is {demand} (off by {})",
                    number(stat),
                    number(-margin)
                );
            }
            let stats = entry
                .stats
                .iter()
                .map(|(key, value)| format!("{key} is {}", shown(value)));
            let stats: Vec<String> = stats.collect();
            match stats.is_empty() {
                true => "not chosen".into(),
                false => stats.join(", "),
            }
        }
    }
}
