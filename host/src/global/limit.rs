//! How many rows can come to a global op.
//!
//! Rows of one partition are always numbered by 32 bits, and equal texts are found by these numbers.
//! Where rows are joined to groups, or keys counted, the rows of all partitions have one row of
//! numbers, of 32 bits, too: with 64 the tables of billions of rows would be twice as large.

use anyhow::Result;

use crate::error::UserError;
use crate::plan::PlannedOp;
use crate::wasm::Kind;

/// The most rows that are numbered together: the last numbers of 32 bits say that there is no row.
pub(crate) const MOST_ROWS: u64 = u32::MAX as u64 - 1;

/// Whether `op`, of which a row has keys of `shape` (bytes, and how many), numbers the rows of all
/// partitions together. For those without keys of a shape it does not matter.
pub(crate) fn numbers_all(op: &PlannedOp, shape: Option<(usize, usize)>) -> bool {
    let has_bands = shape.is_some_and(|(_, per_row)| per_row > 1);
    match op.kind() {
        Kind::Grouper => true,
        Kind::Deduplicator if op.pool.seen().is_some() => false,
        Kind::Deduplicator => {
            let pool = &op.pool;
            let joins = pool.hamming_distance().is_some() || !pool.clusters().is_default();
            pool.counts_keys() || joins || has_bands
        }
        Kind::Filter | Kind::Mapper | Kind::Selector => false,
    }
}

/// Fails if more than `most` rows come to op `op`, called `name`: `rows` so far.
pub(crate) fn check(rows: u64, most: u64, (op, name): (usize, &str)) -> Result<()> {
    if rows <= most {
        return Ok(());
    }
    let count = crate::term::count;
    let message = format!(
        "more than {} rows come to op {op} `{name}`, which can compare no more with each other",
        count(most)
    );
    Err(UserError::new(format!("process[{op}]"), message)
        .hint("drop rows before it, for instance equal ones by `document_deduplicator`, which can have any number, or run a job for each part of the dataset")
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_more_than_can_be_numbered_is_refused_by_name() {
        let of = |rows| check(rows, 1_000, (3, "document_minhash_deduplicator"));
        of(0).unwrap();
        of(1_000).unwrap();
        let said = format!("{:#}", of(1_001).unwrap_err());
        for part in [
            "process[3]",
            "more than 1,000 rows",
            "op 3 `document_minhash_deduplicator`",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(of(u64::MAX).unwrap_err().is::<UserError>());
        assert!(u32::try_from(MOST_ROWS + 1).is_ok());
    }
}
