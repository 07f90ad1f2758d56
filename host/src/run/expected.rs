//! Checks what the recipe expects of the result.

use std::collections::BTreeMap;

use crate::checkpoint::Distribution;
use crate::jobs::number;
use crate::plan::{Demand, Expect, What};
use crate::rundir::Ledger;
use crate::rundir::summary::{Expected, OpTotals};

/// Checks each demand against the accounts of a job.
pub(super) fn check(
    expect: &Expect,
    ledger: &Ledger,
    ops: &[OpTotals],
    observed: &BTreeMap<String, Distribution>,
) -> Vec<Expected> {
    let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
    let value = |what: &What| match what {
        What::RowsIn => Some(ledger.read as f64),
        What::RowsOut => Some(ledger.output as f64),
        What::Kept => share(ledger.output, ledger.read),
        What::Quarantined => share(ledger.quarantined, ledger.read),
        What::Dropped(op) => {
            let of = |map: &BTreeMap<usize, u64>| map.get(op).copied().unwrap_or(0);
            let came = ops.iter().find(|o| o.index == *op).map_or(0, |o| o.rows_in);
            share(of(&ledger.dropped) + of(&ledger.merged), came)
        }
        What::Stat(key, below) => observed.get(key)?.quantile(*below),
    };
    let checked = |demand: &Demand| {
        let value = value(&demand.what);
        let (min, max) = (demand.min, demand.max);
        Expected {
            key: demand.key.clone(),
            min,
            max,
            value,
            // Without any row there is nothing that could be as demanded.
            is_met: value
                .is_some_and(|v| min.is_none_or(|min| v >= min) && max.is_none_or(|max| v <= max)),
        }
    };
    expect.demands.iter().map(checked).collect()
}

/// A sentence for each demand that is not met.
pub(super) fn unmet(expected: &[Expected]) -> Vec<String> {
    let sentence = |demand: &Expected| {
        let wanted = match (demand.min, demand.max) {
            (Some(min), Some(max)) => format!("{} to {}", number(min), number(max)),
            (Some(min), None) => format!("at least {}", number(min)),
            (None, Some(max)) => format!("at most {}", number(max)),
            (None, None) => "anything".to_owned(),
        };
        let is = match demand.value {
            Some(value) => format!("it is {}", number(value)),
            None => "there is no row to tell".to_owned(),
        };
        format!("`{}` is expected to be {wanted}, and {is}", demand.key)
    };
    expected
        .iter()
        .filter(|demand| !demand.is_met)
        .map(sentence)
        .collect()
}
