//! Records what a global op did with the rows of a partition.

use std::collections::HashMap;

use anyhow::{Context, Result};
use arrow::array::{Array, StringArray, UInt32Array, UInt64Array};

use super::{Ordinals, Tracing};
use crate::checkpoint::Traced;
use crate::exec::quarantine::Destination;
use crate::rundir::trace::{Entries, Fate, TraceWriter};

/// Entries that are made at a time.
const AT_ONCE: usize = 32 << 10;

/// Finds the ids of rows by their number in the dataset, in the key files of all partitions.
pub(crate) struct RowIds<'a> {
    /// Reads the ids of a partition's rows; None if its key file has none.
    read: &'a dyn Fn(usize) -> Result<Option<Vec<u64>>>,
    /// The number of each partition's first row.
    starts: Vec<u64>,
    held: HashMap<usize, Vec<u64>>,
    rows: usize,
    /// Rows whose ids fit the memory.
    most: usize,
}

impl<'a> RowIds<'a> {
    /// `rows` are the numbers of rows of all partitions; ids take at most `memory` bytes, and those
    /// of one partition.
    pub(crate) fn new(
        rows: impl Iterator<Item = u64>,
        memory: usize,
        read: &'a dyn Fn(usize) -> Result<Option<Vec<u64>>>,
    ) -> Self {
        let starts = rows.scan(0, |next, rows| {
            let start = *next;
            *next += rows;
            Some(start)
        });
        Self {
            read,
            starts: starts.collect(),
            held: HashMap::new(),
            rows: 0,
            most: memory / 8,
        }
    }

    /// The ids of a partition; None if its key file has none.
    fn of(&mut self, partition: usize) -> Result<Option<&[u64]>> {
        if !self.held.contains_key(&partition) {
            let Some(ids) = (self.read)(partition)? else {
                return Ok(None);
            };
            if self.rows + ids.len() > self.most {
                self.held.clear();
                self.rows = 0;
            }
            self.rows += ids.len();
            self.held.insert(partition, ids);
        }
        Ok(self.held.get(&partition).map(Vec::as_slice))
    }

    /// The id of row `number` of the dataset.
    fn get(&mut self, number: u64) -> Result<Option<u64>> {
        let partition = self
            .starts
            .partition_point(|start| *start <= number)
            .saturating_sub(1);
        let row = number - self.starts[partition];
        Ok(self
            .of(partition)?
            .and_then(|ids| ids.get(row as usize).copied()))
    }
}

/// Records rows of a partition that op `to.task.0` took out: those that `dropped` has, with what is
/// known of why, and those for
/// which another row stands, each with its number in the dataset. None if the key file, which an
/// attempt without a trace made, does not say which rows they are.
pub(crate) fn record(
    tracing: &Tracing,
    to: Destination<'_>,
    ids: &mut RowIds<'_>,
    (dropped, why): (Vec<u32>, &dyn Fn(u32) -> Option<String>),
    (fate, stood_for): (Fate, Vec<(u32, u64)>),
) -> Result<Option<Traced>> {
    let (op, partition, key) = to.task;
    let Some(own) = ids.of(partition)? else {
        return Ok(None);
    };
    let own = own.to_vec();
    let pieces = Ordinals::default().of(&own);
    let path = to.paths.trace_file(op, partition, key.as_str());
    let create = || to.storage.create(&path);
    let mut writer = TraceWriter::new(&tracing.stats);
    let entries = |fate: Fate, rows: &mut dyn Iterator<Item = u32>| -> Result<Entries> {
        let rows: Vec<usize> = rows.map(|row| row as usize).collect();
        let id = |row: &usize| {
            own.get(*row)
                .copied()
                .context("internal error: keys without rows")
        };
        let all: Vec<u64> = rows.iter().map(id).collect::<Result<_>>()?;
        let pieces = pieces.as_ref().map(|pieces| {
            let numbers = rows.iter().map(|row| pieces[*row]);
            numbers
                .map(|n| (n > 0).then_some(n))
                .collect::<UInt32Array>()
        });
        Ok(Entries::new(Some(op), fate, UInt64Array::from(all)).pieces(pieces))
    };
    for some in dropped.chunks(AT_ONCE) {
        let rows = entries(Fate::Dropped, &mut some.iter().copied())?;
        let reasons: StringArray = some.iter().map(|row| why(*row)).collect();
        writer.add(match reasons.null_count() == reasons.len() {
            true => rows,
            false => rows.reasons(reasons),
        });
        writer.relieve(create)?;
    }
    for some in stood_for.chunks(AT_ONCE) {
        // By ascending partners: where not all ids fit the memory, each partition's are read once.
        let mut order: Vec<usize> = (0..some.len()).collect();
        order.sort_unstable_by_key(|at| some[*at].1);
        let mut partners = vec![None; some.len()];
        for at in order {
            partners[at] = ids.get(some[at].1)?;
        }
        let rows = entries(fate, &mut some.iter().map(|(row, _)| *row))?;
        writer.add(rows.partners(UInt64Array::from(partners)));
        writer.relieve(create)?;
    }
    let mut name = None;
    if let Some((file, _)) = writer.finish(create)? {
        file.commit()?;
        name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
    }
    Ok(Some(Traced {
        name,
        ops: op..op + 1,
        all: tracing.all,
    }))
}
