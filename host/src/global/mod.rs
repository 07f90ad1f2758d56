//! Ops that need all rows before any can pass: deduplicators, selectors and groupers. Only keys are
//! brought together here; the rows stay in their partitions and get a mask each, or are gathered by
//! the groups found here.

mod bloom;
mod buckets;
mod clusters;
mod crew;
mod dedup;
mod duplicates;
mod groups;
mod hamming;
mod joined;
mod key_counts;
mod keys;
mod mask;
pub(crate) mod shuffle;

pub(crate) use bloom::look_up;
pub(crate) use clusters::Clustered;
pub use crew::Crew;
pub use dedup::{first_of_groups, first_of_keys};
pub use duplicates::Duplicates;
pub(crate) use groups::{EachMember, Groups, group};
pub use hamming::first_of_near;
pub use key_counts::count_keys;
pub use keys::{KeyTable, KeysWriter};
pub(crate) use mask::Counts;
pub use mask::Mask;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use arrow::array::{Array, ArrayRef};
use dedup::{groups_of, numbers};
use hamming::groups_of_near;
use shuffle::Finish;

use crate::plan::PlannedOp;
use crate::wasm::Kind;

/// Reads the keys of a partition, for each pass anew, so that they are never in memory together.
pub(crate) type Tables<'a> = &'a (dyn Fn(usize) -> Result<KeyTable> + Sync);

/// Decides which rows of each partition the global op `op` keeps, and counts keys if it does so.
/// The memory of `crew` bounds the tables of fingerprints and keys; the rest goes to files in
/// `scratch`. Adds the rows that a deduplicator removes to `found`. Returns the masks, and the bytes
/// of the tables.
pub(crate) fn resolve(
    op: &PlannedOp,
    partitions: usize,
    tables: Tables<'_>,
    crew: &Crew,
    scratch: &Path,
    found: &mut Duplicates,
) -> Result<(Vec<Mask>, usize)> {
    let memory = crew.memory;
    let mut masks = Vec::with_capacity(partitions);
    let mut shape = None;
    for p in 0..partitions {
        let table = tables(p)?;
        masks.push(Mask::new(op.index, table.accepted()));
        if let Some(here) = table.shape() {
            ensure!(
                *shape.get_or_insert(here) == here,
                "op `{}` gave fingerprints of different shapes for different partitions",
                op.name
            );
        }
    }
    let used = match op.kind() {
        Kind::Deduplicator if op.pool.counts_keys() => {
            count_keys(tables, &mut masks, memory, scratch)?
        }
        Kind::Deduplicator if op.pool.seen().is_some() => see(op, tables, &mut masks)?,
        Kind::Deduplicator if !op.pool.clusters().is_default() => {
            let Some(shape) = shape else {
                return Ok((masks, 0));
            };
            let (mut groups, used) = match op.pool.hamming_distance() {
                Some(distance) => groups_of_near(tables, &masks, distance, memory)?,
                None => groups_of(tables, &masks, shape, crew)?,
            };
            let (start, wanted) = (numbers(&masks).0, op.pool.clusters());
            used + clusters::choose(&mut groups, wanted, tables, &mut masks, &start, found)?
        }
        Kind::Deduplicator => match (shape, op.pool.hamming_distance()) {
            (Some(_), Some(distance)) => {
                first_of_near(tables, &mut masks, distance, memory, found)?
            }
            (Some((width, 1)), None) => first_of_keys(tables, &mut masks, width, crew, found)?,
            (Some(shape), None) => first_of_groups(tables, &mut masks, shape, crew, found)?,
            (None, _) => 0,
        },
        Kind::Selector => select(op, partitions, tables, &mut masks)?,
        Kind::Filter | Kind::Mapper | Kind::Grouper => anyhow::bail!(
            "internal error: op `{}` does not choose among rows",
            op.name
        ),
    };
    Ok((masks, used))
}

/// The same where the keys were looked through in pieces.
pub(crate) fn resolve_shuffled(
    op: &PlannedOp,
    shuffled: &Finish<'_>,
    tables: Tables<'_>,
    found: &mut Duplicates,
) -> Result<(Vec<Mask>, usize)> {
    let mut masks = shuffled.masks(op.index)?;
    let wanted = op.pool.clusters();
    let used = if op.pool.counts_keys() {
        shuffled.counted(&mut masks, tables)?
    } else if wanted.is_default() && !shuffled.joins() {
        shuffled.first(&mut masks, found)?
    } else {
        let mut joined = shuffled.joined(&masks)?;
        let start = first_rows(&masks);
        joined.bytes()
            + match wanted.is_default() {
                true => {
                    joined.keep_first(&mut masks, &start, found);
                    0
                }
                false => clusters::choose(&mut joined, wanted, tables, &mut masks, &start, found)?,
            }
    };
    Ok((masks, used))
}

/// The number of each partition's first row.
pub(crate) fn first_rows(masks: &[Mask]) -> Vec<u64> {
    numbers(masks).0
}

/// Looks up the keys of all rows. Says so if there are more than the filter was made for.
fn see(op: &PlannedOp, tables: Tables<'_>, masks: &mut [Mask]) -> Result<usize> {
    let wanted = op
        .pool
        .seen()
        .context("internal error: nothing to look up")?;
    let (used, known) = look_up(tables, masks, wanted)?;
    if known > wanted.expected_keys {
        tracing::warn!(
            "op {} `{}` has seen {} different keys, more than `expected_keys`, {}: in the end up to {:.1} % of new keys were taken for known ones, \
             not {} %; raise `expected_keys`",
            op.index,
            op.name,
            crate::term::count(known),
            crate::term::count(wanted.expected_keys),
            100.0 * wanted.rate_with(known),
            100.0 * wanted.false_positive_rate
        );
    }
    Ok(used)
}

/// Finds the groups of grouper `op`. Calls `each(partition, rows, groups, members)` for each
/// partition in order; `rows` is the number of its rows with a key, and `members` calls a function
/// with each of its rows that is in a group of an earlier row, and the number of that row in the
/// dataset. Returns the bytes of the tables.
pub(crate) fn resolve_groups(
    partitions: usize,
    tables: Tables<'_>,
    memory: usize,
    scratch: &Path,
    mut each: impl FnMut(usize, u64, Groups, EachMember<'_>) -> Result<()>,
) -> Result<usize> {
    let mut accepted = Vec::with_capacity(partitions);
    for p in 0..partitions {
        accepted.push(Mask::new(0, tables(p)?.accepted()));
    }
    group(tables, &accepted, memory, scratch, |p, groups, members| {
        each(p, accepted[p].count() as u64, groups, members)
    })
}

/// Asks the selector once, with the keys of all rows that were not rejected. Returns the bytes of
/// the keys, too.
fn select(
    op: &PlannedOp,
    partitions: usize,
    tables: Tables<'_>,
    masks: &mut [Mask],
) -> Result<usize> {
    let mut keys: Vec<ArrayRef> = Vec::new();
    for (p, mask) in masks.iter().enumerate().take(partitions) {
        let Some(column) = tables(p)?.key_column()? else {
            continue;
        };
        let good = arrow::array::BooleanArray::new(mask.bits(), None);
        keys.push(arrow::compute::filter(&column, &good)?);
    }
    if keys.is_empty() {
        return Ok(0);
    }
    let all = crate::data::views::concat_views(&keys).context("keys of different types")?;
    let mut chosen = op.pool.select(&all)?.into_iter();
    ensure!(
        chosen.len() == all.len(),
        "op `{}` chose among {} of {} rows",
        op.name,
        chosen.len(),
        all.len()
    );
    for mask in masks.iter_mut() {
        let mut left_out = Vec::new();
        for row in mask.kept() {
            if !chosen.next().context("fewer choices than rows")? {
                left_out.push(row as u32);
            }
        }
        mask.clear_all(&left_out);
    }
    Ok(all.get_array_memory_size())
}
