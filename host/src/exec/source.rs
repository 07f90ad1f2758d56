//! Where the rows of a task come from: the dataset or a checkpoint.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use arrow::array::BooleanArray;

use super::context::TaskContext;
use crate::checkpoint::{Account, Manifest, Refetch, Stored};
use crate::config::OnError;
use crate::data::{
    BadRow, Batch, Column, Partition, ReadField, ReadOptions, STATS, Stat, extract, read,
};
use crate::global::Mask;

/// Rows of a partition that are available without running an op.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// The checkpoint that contains them; None: the input.
    pub rows: Option<Manifest>,
    /// The masks of global ops that still apply to them, in order.
    pub masks: Vec<Mask>,
    /// The account of the rows up to here, including the masks.
    pub account: Account,
}

/// A batch as it arrives.
pub(crate) struct Incoming {
    pub(crate) batch: Batch,
    pub(crate) bad: Vec<BadRow>,
    pub(crate) bytes: u64,
    /// Records of the input that the recipe does not ask for.
    pub(crate) passed_over: BTreeMap<String, u64>,
    /// Number of the file, and lines of it.
    pub(crate) lines: Option<(usize, u64)>,
    /// Whether it comes from the input, and so counts as read. Rows of a group that lack what a
    /// later op requires are bad, too.
    pub(crate) fresh: bool,
    /// What to do with the bad rows.
    pub(crate) on_error: OnError,
}

impl Incoming {
    /// Rows that another task passes on.
    pub(crate) fn passed(batch: Batch) -> Self {
        Self {
            batch,
            bad: Vec::new(),
            bytes: 0,
            passed_over: BTreeMap::new(),
            lines: None,
            fresh: false,
            on_error: OnError::Quarantine,
        }
    }
}

/// Opens the source. `fields` are extracted from the rows. The first `skip` rows of a checkpoint are
/// left out.
pub(crate) fn open<'a>(
    env: &'a TaskContext<'_>,
    partition: &Partition,
    base: &'a Base,
    fields: Vec<ReadField>,
    skip: u64,
) -> Result<Box<dyn Iterator<Item = Result<Incoming>> + 'a>> {
    let on_error = env.on_error;
    let stats: Vec<String> = env.plan.input_stats().map(str::to_owned).collect();
    let incoming: Box<dyn Iterator<Item = Result<Incoming>>> = match &base.rows {
        None => {
            let options = ReadOptions {
                fields,
                ..env.read.clone()
            };
            Box::new(read(env.dataset, partition, &options)?.map(move |block| {
                let mut block = block?;
                lift_stats(&mut block.batch, &stats);
                Ok(Incoming {
                    batch: block.batch,
                    bad: block.bad,
                    bytes: block.bytes,
                    passed_over: block.passed_over,
                    lines: block.lines,
                    fresh: true,
                    on_error,
                })
            }))
        }
        Some(manifest) => {
            let at = manifest.data.clone();
            // Not every group has the fields that ops after the grouper require.
            let may_be_bad = fields.iter().any(|field| field.required);
            let stored = Refetch::new(
                env.dataset,
                without_first(env.store.open_rows(manifest)?, skip),
                env.read.batch_bytes,
            );
            Box::new(stored.map(move |batch| {
                let mut batch = batch.with_context(|| format!("cannot read checkpoint `{at}`"))?;
                let mut bad = Vec::new();
                if let Some(raw) = &batch.raw {
                    let extracted = extract(raw, &fields)?;
                    ensure!(
                        may_be_bad || extracted.bad.is_empty(),
                        "checkpoint `{at}` holds a row that cannot be read: {}",
                        extracted.bad[0].1
                    );
                    batch.columns = extracted.columns;
                    (batch, bad) = without_bad(batch, extracted.bad)?;
                }
                let known = batch.stats.len();
                let mut stored = std::mem::take(&mut batch.stats);
                lift_stats(&mut batch, &stats);
                // Values that ops computed take precedence over those in the row.
                batch
                    .stats
                    .retain(|s| !stored.iter().any(|k| k.key == s.key));
                stored.append(&mut batch.stats);
                batch.stats = stored;
                debug_assert!(batch.stats.len() >= known);
                Ok(Incoming {
                    batch,
                    bad,
                    bytes: 0,
                    passed_over: BTreeMap::new(),
                    lines: None,
                    fresh: false,
                    on_error,
                })
            }))
        }
    };
    if base.masks.is_empty() {
        return Ok(incoming);
    }
    Ok(Box::new(incoming.map(|next| {
        let mut next = next?;
        // Rows that the reader refused were set aside when the keys were made.
        next.bad.clear();
        next.fresh = false;
        Ok(next)
    })))
}

/// The rows after the first `skip`.
fn without_first(
    batches: impl Iterator<Item = Result<Stored>>,
    mut skip: u64,
) -> impl Iterator<Item = Result<Stored>> {
    batches.filter_map(move |batch| {
        let skipped = |stored: Stored| {
            let rows = stored.batch.rows() as u64;
            let first = skip.min(rows);
            skip -= first;
            (first < rows).then(|| stored.from(first as usize))
        };
        batch.map(skipped).transpose()
    })
}

/// Splits a batch of JSON rows into the rows that `extract` found good, and the bad ones.
pub(crate) fn without_bad(batch: Batch, bad: Vec<(u32, String)>) -> Result<(Batch, Vec<BadRow>)> {
    if bad.is_empty() {
        return Ok((batch, Vec::new()));
    }
    let mut good = vec![true; batch.rows()];
    let rows = bad.into_iter().map(|(row, reason)| {
        let row = row as usize;
        good[row] = false;
        let raw = batch
            .raw
            .as_ref()
            .map(|raw| raw.value(row).to_vec())
            .unwrap_or_default();
        let id = batch.ids.value(row);
        BadRow { id, raw, reason }
    });
    let rows = rows.collect();
    Ok((batch.filter(&BooleanArray::from(good))?, rows))
}

/// Moves stats that rows already have from the fields to the stats.
fn lift_stats(batch: &mut Batch, keys: &[String]) {
    use arrow::array::Array;
    for key in keys {
        let path = format!("{STATS}.{key}");
        let data = match batch.columns.iter().position(|c| c.path == path) {
            Some(at) => Some(batch.columns.remove(at)).map(|c: Column| c.data),
            None if batch.raw.is_none() => batch.field(&path),
            None => None,
        };
        if let Some(data) = data.filter(|d| d.null_count() < d.len()) {
            batch.stats.push(Stat {
                key: key.clone(),
                data,
            });
        }
    }
}
