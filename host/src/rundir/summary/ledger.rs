//! The ledger: it accounts for every row of the input.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::rundir::events::OpDone;

/// Where every input row went. `read = output + dropped + merged + quarantined - created`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// Rows (lines, records) found in the input, bad ones included.
    pub read: u64,
    /// Rows in the export.
    pub output: u64,
    /// Rows dropped by filters and selectors, per op (0-based index over the recipe).
    pub dropped: BTreeMap<usize, u64>,
    /// Rows dropped because an equal or similar row is kept, per op.
    pub merged: BTreeMap<usize, u64>,
    /// Rows in quarantine, from the reader and all ops.
    pub quarantined: u64,
    /// Rows made beyond one per input row, per op.
    pub created: BTreeMap<usize, u64>,
    /// Records of WARC files that did not become rows, because the recipe does not ask for them: by
    /// type (`request`), those of pages with their media type (`response, image/png`). No rows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passed_over: BTreeMap<String, u64>,
}

impl Ledger {
    /// Checks that every row is accounted for. The error shows the sum.
    pub fn check_balance(&self) -> Result<()> {
        let sum = |map: &BTreeMap<usize, u64>| map.values().map(|n| u128::from(*n)).sum::<u128>();
        let (dropped, merged, created) =
            (sum(&self.dropped), sum(&self.merged), sum(&self.created));
        let inn = u128::from(self.read) + created;
        let out = u128::from(self.output) + dropped + merged + u128::from(self.quarantined);
        if inn != out {
            bail!(
                "the row ledger does not balance: {} read + {created} created = {inn}, but {} written + {dropped} dropped + {merged} merged + {} quarantined = {out}",
                self.read,
                self.output,
                self.quarantined
            );
        }
        Ok(())
    }

    /// Adds what one op did to one partition, its quarantined rows included.
    pub fn add_op(&mut self, done: &OpDone) {
        let enter = |map: &mut BTreeMap<usize, u64>, n: u64| {
            if n > 0 {
                *map.entry(done.op.index).or_default() += n;
            }
        };
        // Rows that did not leave the op and were neither merged nor quarantined were dropped.
        let dropped = (done.input_rows + done.created_rows)
            .saturating_sub(done.output_rows + done.merged_rows + done.quarantined_rows);
        enter(&mut self.dropped, dropped);
        enter(&mut self.merged, done.merged_rows);
        enter(&mut self.created, done.created_rows);
        self.quarantined += done.quarantined_rows;
    }
}
