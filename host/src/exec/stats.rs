//! Values of stats as numbers, and those of the result of which the recipe expects something.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};

use crate::checkpoint::Distribution;
use crate::data::Batch;

/// Calls `each` with the row and value of all numbers; with none if `values` are not numbers.
pub(crate) fn each_number(values: &ArrayRef, each: &mut impl FnMut(usize, f64)) {
    if let Some(numbers) = values.as_primitive_opt::<Float64Type>() {
        let known = numbers.iter().enumerate();
        known.for_each(|(row, n)| n.into_iter().for_each(|n| each(row, n)));
    } else if let Some(numbers) = values.as_primitive_opt::<Int64Type>() {
        let known = numbers.iter().enumerate();
        known.for_each(|(row, n)| n.into_iter().for_each(|n| each(row, n as f64)));
    }
}

/// Adds the stats `keys` of rows that go into the export.
pub(crate) fn observe(all: &mut BTreeMap<String, Distribution>, keys: &[String], rows: &Batch) {
    for key in keys {
        if let Some(stat) = rows.stats.iter().find(|stat| stat.key == *key) {
            let values = all.entry(key.clone()).or_default();
            each_number(&stat.data, &mut |_, number| {
                if number.is_finite() {
                    values.add(number);
                }
            });
        }
    }
}
