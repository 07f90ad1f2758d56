//! Counts values that the export's format cannot hold as they are, so that nothing changes
//! silently. `host/FORMATS.md` has the table.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often values had to be written differently, by field and reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Losses(BTreeMap<String, BTreeMap<Loss, u64>>);

/// The reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Loss {
    /// NaN or infinite, written to JSON.
    Constant,
    /// Bytes, written to JSON.
    Bytes,
    /// A JSON number whose absolute value is outside a double's range.
    OutOfRange,
    /// A whole number beyond 64 bits, written to a column.
    Wide,
    /// A lone surrogate, written to a column.
    Surrogate,
    /// A number in a table with leading zeros or a plus sign, which JSON does not have.
    Spelling,
    /// A value of several of one key, written to a column.
    Repeated,
    /// A value in whose place stats are written.
    Replaced,
    /// A JSON value that an operator made, in a column that the input does not have.
    JsonText,
}

impl Losses {
    /// Adds `count` of `loss` in `field`.
    pub(crate) fn add(&mut self, field: &str, loss: Loss, count: u64) {
        if count > 0 {
            *self
                .0
                .entry(field.to_owned())
                .or_default()
                .entry(loss)
                .or_default() += count;
        }
    }

    /// Adds the counts of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (field, losses) in &other.0 {
            losses
                .iter()
                .for_each(|(loss, count)| self.add(field, *loss, *count));
        }
    }

    /// Keeps the entries for which `keep` returns true.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str, Loss) -> bool) {
        self.0
            .iter_mut()
            .for_each(|(field, losses)| losses.retain(|loss, _| keep(field, *loss)));
        self.0.retain(|_, losses| !losses.is_empty());
    }

    /// One sentence for each field and reason.
    pub(crate) fn notes(&self) -> Vec<String> {
        let each = self.0.iter().flat_map(|(field, losses)| {
            losses
                .iter()
                .map(move |(loss, count)| (field, *loss, *count))
        });
        each.map(|(field, loss, count)| format!("field `{field}`: {}", loss.sentence(count)))
            .collect()
    }
}

impl Loss {
    fn sentence(self, count: u64) -> String {
        let (are, numbers) = if count == 1 {
            ("is", "number")
        } else {
            ("are", "numbers")
        };
        let values = if count == 1 { "value" } else { "values" };
        match self {
            Self::Constant => format!(
                "{count} {values} {are} NaN or infinite, which standard JSON does not have: written as `NaN`, `Infinity` and `-Infinity`, which Python, \
                 pyarrow, pandas, DuckDB and jq read"
            ),
            Self::Bytes => {
                format!("{count} {values} of bytes {are} written to JSON as hexadecimal digits")
            }
            Self::OutOfRange => format!(
                "{count} {numbers} {are} out of the range of a double: written as infinite or as 0"
            ),
            Self::Wide => format!(
                "{count} whole {numbers} {are} beyond 64 bits: all values of the column are written as text"
            ),
            Self::Spelling => format!(
                "{count} {numbers} in a table had leading zeros or a plus sign, which JSON does not have: read without them, \
                 as pandas does (`007` is 7)"
            ),
            Self::Repeated => {
                let (s, its) = if count == 1 {
                    ("s", "its")
                } else {
                    ("", "their")
                };
                format!(
                    "{count} {values} stand{s} before another one of the same key in {its} object: a column has room for the last one only"
                )
            }
            Self::Replaced => {
                let (was, no, its) = if count == 1 {
                    ("was", "no object", "its")
                } else {
                    ("were", "no objects", "their")
                };
                format!(
                    "{count} {values} {was} {no}: the stats of operators are written in {its} place (`keep_stats_in_res_ds`)"
                )
            }
            Self::Surrogate => {
                let hold = if count == 1 { "holds" } else { "hold" };
                format!(
                    "{count} {values} {hold} a lone surrogate, which is no Unicode: it is written as U+FFFD"
                )
            }
            Self::JsonText => format!(
                "{count} JSON {values} of an operator {are} written as text, as the input has no such column: export as `.jsonl` for lists and \
                 objects"
            ),
        }
    }
}
