//! Applies the decisions of global ops to the rows of a base before a step's ops: removes rows, and
//! gives ops that are called again what was found of their keys, and the rows that a deduplicator keeps their clusters.

use std::sync::Arc;

use anyhow::{Result, ensure};
use arrow::array::{ArrayRef, BooleanArray, Float64Builder, Int64Array, ListBuilder};

use super::apply::update_all;
use super::breaker::Breaker;
use super::chain::Chain;
use super::quarantine::Quarantine;
use super::source::Base;
use crate::checkpoint::Account;
use crate::data::{Batch, Column};
use crate::global::{Clustered, Counts, Mask};
use crate::plan::Plan;
use crate::rundir::events::EventLog;
use crate::wasm::contract::COUNTS;
use crate::wasm::{Clusters, Update};

/// The masks of a base, applied batch by batch.
pub(crate) struct Masked<'a> {
    ops: Vec<Decided<'a>>,
}

struct Decided<'a> {
    mask: &'a Mask,
    /// Number of rows that have arrived.
    at: usize,
    counting: Option<Counting<'a>>,
    named: Option<Named<'a>>,
}

/// An op that gives the rows that it keeps fields.
struct Named<'a> {
    wanted: &'a Clusters,
    clusters: &'a Clustered,
    /// Number of kept rows that have arrived.
    at: usize,
}

/// An op that counts keys, with an instance for its calls with counts.
struct Counting<'a> {
    chain: Chain<'a>,
    /// The field in which it gets them.
    field: &'static str,
    counts: &'a Counts,
    /// Its quarantine, if the account of the base already includes those rows: another global op
    /// has seen the rows that it made.
    known: Option<Quarantine<'a>>,
}

impl<'a> Masked<'a> {
    /// For the rows of `base`, starting with the first.
    pub(crate) fn new(
        plan: &'a Plan,
        base: &'a Base,
        partition: usize,
        log: &'a EventLog,
        breaker: Breaker<'a>,
    ) -> Result<Self> {
        let last = base.masks.len().saturating_sub(1);
        let ops = base.masks.iter().enumerate().map(|(i, mask)| {
            let counting = match &mask.counts {
                Some(counts) => Some(Counting {
                    field: plan.ops[mask.op].pool.field_of_found().unwrap_or(COUNTS),
                    chain: Chain::quiet(&plan.ops[mask.op..=mask.op], partition, log)?,
                    counts,
                    known: (i < last).then(|| Quarantine::unheard(breaker)),
                }),
                None => None,
            };
            let named = mask.clusters.as_ref().map(|clusters| Named {
                wanted: plan.ops[mask.op].pool.clusters(),
                clusters,
                at: 0,
            });
            Ok(Decided {
                mask,
                at: 0,
                counting,
                named,
            })
        });
        Ok(Self {
            ops: ops.collect::<Result<_>>()?,
        })
    }

    /// For rows of a base without masks.
    pub(crate) fn none() -> Self {
        Self { ops: Vec::new() }
    }

    /// Applies the masks to the next rows of the base.
    pub(crate) fn process(
        &mut self,
        batch: Batch,
        quarantine: &mut Quarantine<'_>,
    ) -> Result<Vec<Batch>> {
        let mut batches = vec![batch];
        for op in &mut self.ops {
            let mut out = Vec::with_capacity(batches.len());
            for batch in batches {
                op.process(batch, quarantine, &mut out)?;
            }
            batches = out;
        }
        Ok(batches)
    }

    /// Adds the cost of the calls with counts, and their rows in quarantine, to the account.
    pub(crate) fn finish(self, partition: usize, account: &mut Account) {
        for counting in self.ops.into_iter().filter_map(|op| op.counting) {
            let known = counting.known.is_some();
            for done in counting.chain.done() {
                let total = account.op(partition, done.op.index, &done.op.name);
                total.duration += done.duration;
                total.cpu_seconds += done.cpu_seconds;
                total.peak_memory = total.peak_memory.max(done.peak_memory);
                if !known {
                    total.traps += done.traps;
                    total.output_beyond += done.output_beyond;
                    total.quarantined_rows += done.quarantined_rows;
                    total.output_rows -= done.quarantined_rows;
                }
            }
        }
    }
}

impl Decided<'_> {
    fn process(
        &mut self,
        mut batch: Batch,
        quarantine: &mut Quarantine<'_>,
        out: &mut Vec<Batch>,
    ) -> Result<()> {
        let (at, rows) = (self.at, batch.rows());
        ensure!(
            at + rows <= self.mask.rows(),
            "op {} has decided on {} rows, but there are more",
            self.mask.op,
            self.mask.rows()
        );
        self.at += rows;
        let keep = self.mask.slice(at, rows);
        if let Some(counting) = &self.counting {
            batch.columns.push(Column::new(
                counting.field,
                column(counting.counts, at, rows),
            ));
        }
        if keep.count_set_bits() < rows {
            batch = batch.filter(&BooleanArray::new(keep, None))?;
        }
        if let Some(named) = &mut self.named {
            named.give(&mut batch)?;
        }
        match &mut self.counting {
            None => out.push(batch),
            Some(counting) => {
                let made = match &mut counting.known {
                    Some(known) => counting.chain.process(batch, known)?,
                    None => counting.chain.process(batch, quarantine)?,
                };
                let field = counting.field;
                out.extend(made.into_iter().map(|batch| without(batch, field)));
            }
        }
        Ok(())
    }
}

impl Named<'_> {
    /// Gives the next rows that stay their fields.
    fn give(&mut self, batch: &mut Batch) -> Result<()> {
        let range = self.at..self.at + batch.rows();
        self.at = range.end;
        let update = |path: &String, values: Int64Array| Update {
            path: path.clone(),
            rows: None,
            values: Arc::new(values),
            json: false,
        };
        let (wanted, clusters) = (self.wanted, self.clusters);
        let ids = wanted.id_field.iter().map(|path| {
            let ids = clusters.ids[range.clone()].iter();
            update(path, ids.map(|id| *id as i64).collect())
        });
        let sizes = wanted.size_field.iter().map(|path| {
            let sizes = clusters.sizes[range.clone()].iter();
            update(path, sizes.map(|size| i64::from(*size)).collect())
        });
        update_all(batch, ids.chain(sizes).collect())?;
        Ok(())
    }
}

fn column(counts: &Counts, start: usize, rows: usize) -> ArrayRef {
    let mut lists = ListBuilder::new(Float64Builder::new());
    for row in start..start + rows {
        lists.append_value(counts.of(row).iter().map(|count| Some(f64::from(*count))));
    }
    Arc::new(lists.finish())
}

fn without(mut batch: Batch, field: &str) -> Batch {
    batch.columns.retain(|column| column.path != field);
    batch
}
