//! Filters over rows.

use crate::batch::{
    Batch, Computed, Cost, Field, Input, Kind, OpError, Output, Reject, Rejection, Row, Signature,
};
use crate::column::{Column, ColumnType, Numbers, Texts};
use crate::op::{Entry, Instance, Of, create, descriptor};
use crate::params::{Common, Params};
use crate::traits::Traits;

/// A stat: a number that a filter computes per row, kept under `__dj__stats__` with the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The key, Data-Juicer's where it has the stat.
    pub key: &'static str,
    /// Whether it is written as an integer.
    pub integer: bool,
}

impl Stat {
    /// A stat written as an integer; exact up to 2^53.
    pub const fn integer(key: &'static str) -> Self {
        Self { key, integer: true }
    }

    /// A stat written as a float.
    pub const fn float(key: &'static str) -> Self {
        Self {
            key,
            integer: false,
        }
    }
}

/// A filter that judges a row by one number computed from its text.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Keeps texts with few exclamation marks.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct ExclamationFilter {
///     /// The most that a text may have.
///     max_num: u32,
/// }
///
/// impl TextFilter for ExclamationFilter {
///     const NAME: &'static str = "exclamation_filter";
///     const STAT: Stat = Stat::integer("exclamations");
///
///     fn stat(&mut self, text: &str) -> Result<f64, Reject> {
///         Ok(text.bytes().filter(|&b| b == b'!').count() as f64)
///     }
///
///     fn range(&self) -> (f64, f64) {
///         (0.0, self.max_num.into())
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(ExclamationFilter), r#"{"max_num": 2}"#).unwrap();
/// let out = runner.filter(&["Hello!", "Buy! Buy! Buy!"]);
/// assert_eq!(out.keep, [true, false]);
/// assert_eq!(out.stat("exclamations"), [Some(1.0), Some(3.0)]);
/// ```
pub trait TextFilter: Params {
    /// The name that recipes use.
    const NAME: &'static str;
    /// The stat it computes.
    const STAT: Stat;
    /// The work per row.
    const COST: Cost = Cost::Light;
    /// What it can do beyond its kind.
    const TRAITS: Traits = Traits::NONE;

    /// Checks the parameters and builds what does not change from row to row.
    ///
    /// # Errors
    /// A sentence that names the parameter and says what is valid.
    fn prepare(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// The stat that it computes with these parameters: by default `STAT`.
    fn writes(&self) -> Stat {
        Self::STAT
    }

    /// The stat of one text.
    ///
    /// # Errors
    /// A text that cannot be judged goes to quarantine with the reason.
    fn stat(&mut self, text: &str) -> Result<f64, Reject>;

    /// Two numbers between which the stat of the text is certain to be, themselves included, if they
    /// cost much less than the stat; None if [`stat`](Self::stat) could not judge the text.
    ///
    /// Used where no one reads the stat, which only an operator that
    /// [leaves out stats](Traits::leaves_out_stats) is told: a text is kept or dropped without the stat
    /// if both numbers are in the range.
    fn bounds(&mut self, text: &str) -> Option<(f64, f64)> {
        let _ = text;
        None
    }

    /// Minimum and maximum of the stats to keep. The common parameters decide whether these belong
    /// to the range.
    fn range(&self) -> (f64, f64);
}

/// A filter that computes several stats, or reads other fields than the text, or keeps by another
/// rule than a range.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Keeps answers that are longer than their question.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct ChattyFilter {}
///
/// impl Filter for ChattyFilter {
///     const NAME: &'static str = "chatty_filter";
///     const STATS: &'static [Stat] = &[Stat::integer("query_len"), Stat::integer("response_len")];
///
///     fn inputs(&self, _common: &Common) -> Vec<Input> {
///         vec![Input::required("query", ColumnType::Utf8), Input::required("response", ColumnType::Utf8)]
///     }
///
///     fn stats(&mut self, row: Row<'_>, stats: &mut [f64]) -> Result<(), Reject> {
///         stats[0] = row.text(0).unwrap_or_default().len() as f64;
///         stats[1] = row.text(1).unwrap_or_default().len() as f64;
///         Ok(())
///     }
///
///     fn keep(&self, _common: &Common, stats: &[f64]) -> bool {
///         stats[1] > stats[0]
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(ChattyFilter), "{}").unwrap();
/// let out = runner.filter_json(&[r#"{"query": "Why?", "response": "Because."}"#, r#"{"query": "Why not?", "response": "No."}"#]);
/// assert_eq!(out.keep, [true, false]);
/// ```
pub trait Filter: Params {
    /// The name that recipes use.
    const NAME: &'static str;
    /// The stats it computes.
    const STATS: &'static [Stat];
    /// The work per row.
    const COST: Cost = Cost::Light;
    /// What it can do beyond its kind.
    const TRAITS: Traits = Traits::NONE;

    /// Checks the parameters and builds what does not change from row to row.
    ///
    /// # Errors
    /// A sentence that names the parameter and says what is valid.
    fn prepare(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// The fields it reads, by default the text; the row has them by their number in this list.
    fn inputs(&self, common: &Common) -> Vec<Input> {
        vec![Input::required(&common.text_key, ColumnType::Utf8)]
    }

    /// Fills in the stats of one row, in the order of `STATS`. Not called for rows that already
    /// have all of them.
    ///
    /// # Errors
    /// A row that cannot be judged goes to quarantine with the reason.
    fn stats(&mut self, row: Row<'_>, stats: &mut [f64]) -> Result<(), Reject>;

    /// Whether a row with these stats stays.
    fn keep(&self, common: &Common, stats: &[f64]) -> bool;
}

/// The filter's signature: inputs, and the keys of its stats.
fn signature(reads: Vec<Input>, stats: &[Stat]) -> Signature {
    let computed = |stat: &Stat| {
        Computed::new(
            stat.key,
            if stat.integer {
                ColumnType::S64
            } else {
                ColumnType::F64
            },
        )
    };
    Signature {
        reads,
        writes: Vec::new(),
        writes_stats: stats.iter().map(computed).collect(),
        whole_rows: false,
    }
}

/// Computes the stats of each row, or takes those that it already has, and judges it by them.
fn judge(
    batch: &Batch,
    wanted: &[Stat],
    inputs: usize,
    mut compute: impl FnMut(usize, &mut [f64]) -> Result<(), Reject>,
    keep_test: impl Fn(&[f64]) -> bool,
) -> Output {
    let rows = batch.rows();
    let given: Vec<Option<&Column>> = wanted
        .iter()
        .map(|stat| present(batch, inputs, stat.key))
        .collect();
    let mut computed: Vec<Vec<f64>> = wanted.iter().map(|_| Vec::with_capacity(rows)).collect();
    let mut keep = Vec::with_capacity(rows);
    let mut rejected = Vec::new();
    let mut stats = vec![0.0; wanted.len()];
    for row in 0..rows {
        let known = |k: usize| given[k].and_then(|column| column.number(row));
        let all_known = !wanted.is_empty() && (0..wanted.len()).all(|k| known(k).is_some());
        let judged = if all_known {
            Ok(())
        } else {
            compute(row, &mut stats)
        };
        for (k, stat) in stats.iter_mut().enumerate() {
            *stat = known(k).unwrap_or(*stat);
            computed[k].push(*stat);
        }
        match judged {
            Ok(()) => keep.push(u8::from(keep_test(&stats))),
            Err(Reject(reason)) => {
                rejected.push(Rejection {
                    row: row as u32,
                    reason,
                });
                keep.push(0);
            }
        }
    }
    let column = |stat: &Stat, values: Vec<f64>| match stat.integer {
        true => Column::S64(Numbers::from(
            values.into_iter().map(|v| v as i64).collect::<Vec<_>>(),
        )),
        false => Column::F64(values.into()),
    };
    let stats = wanted
        .iter()
        .zip(computed)
        .map(|(s, values)| Field {
            path: s.key.into(),
            values: column(s, values),
        })
        .collect();
    Output::Filtered {
        keep,
        stats,
        rejected,
    }
}

/// The stats under `key` that the rows already have. They follow the inputs.
fn present<'a>(batch: &'a Batch, inputs: usize, key: &str) -> Option<&'a Column> {
    let named = |field: &&Field| {
        field
            .path
            .strip_prefix(crate::STATS)
            .and_then(|rest| rest.strip_prefix('.'))
            == Some(key)
    };
    batch.fields[inputs.min(batch.fields.len())..]
        .iter()
        .find(named)
        .map(|field| &field.values)
}

struct OneStat<T> {
    op: T,
    common: Common,
    trials: Trials,
}

/// Whether to try bounds before the stat: not where they decide too seldom, as in a narrow range.
#[derive(Default)]
struct Trials {
    /// Trials without a decision, in a row.
    failed: u32,
    /// Texts for which bounds are not tried.
    pause: u32,
}

impl Trials {
    /// After this many trials in vain there is a pause of that many texts, before one more trial.
    const VAIN: u32 = 4;
    const PAUSE: u32 = 32;

    /// Whether to try the next text.
    fn next(&mut self) -> bool {
        let paused = self.pause > 0;
        self.pause = self.pause.saturating_sub(1);
        !paused
    }

    fn note(&mut self, decided: bool) {
        self.failed = if decided { 0 } else { self.failed + 1 };
        if self.failed >= Self::VAIN {
            (self.failed, self.pause) = (Self::VAIN - 1, Self::PAUSE);
        }
    }
}

impl<T: TextFilter> OneStat<T> {
    /// Judges each row as its stat would, and leaves the stat out.
    fn decide(&mut self, batch: &Batch, texts: &Texts) -> Output {
        let (min, max) = self.op.range();
        let given = present(batch, 1, self.op.writes().key);
        let mut keep = Vec::with_capacity(batch.rows());
        let mut rejected = Vec::new();
        for row in 0..batch.rows() {
            let known = given.and_then(|column| column.number(row));
            let like_stat = match known {
                Some(stat) => Ok(stat),
                None => self.like_stat(texts.value(row), min, max),
            };
            keep.push(match like_stat {
                Ok(number) => u8::from(self.common.keeps(number, min, max)),
                Err(Reject(reason)) => {
                    let row = row as u32;
                    rejected.push(Rejection { row, reason });
                    0
                }
            });
        }
        Output::Filtered {
            keep,
            stats: Vec::new(),
            rejected,
        }
    }

    /// The stat, or a number for which the decision is the same.
    fn like_stat(&mut self, text: &str, min: f64, max: f64) -> Result<f64, Reject> {
        if self.trials.next() {
            let within = |number| self.common.within(number, min, max);
            let decisive = self
                .op
                .bounds(text)
                .filter(|&(low, high)| within(low) && within(high));
            self.trials.note(decisive.is_some());
            if let Some((_, high)) = decisive {
                return Ok(high);
            }
        }
        self.op.stat(text)
    }
}

impl<T: TextFilter> Instance for OneStat<T> {
    fn signature(&self) -> Signature {
        signature(
            vec![Input::required(&self.common.text_key, ColumnType::Utf8)],
            &[self.op.writes()],
        )
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        let (min, max) = self.op.range();
        let wanted = [self.op.writes()];
        if !self.common.wants(wanted[0].key) {
            return Ok(self.decide(batch, texts));
        }
        let compute = |row: usize, stats: &mut [f64]| {
            stats[0] = self.op.stat(texts.value(row))?;
            Ok(())
        };
        Ok(judge(batch, &wanted, 1, compute, |stats| {
            self.common.keeps(stats[0], min, max)
        }))
    }
}

struct Rows<T> {
    op: T,
    common: Common,
}

impl<T: Filter> Instance for Rows<T> {
    fn signature(&self) -> Signature {
        signature(self.op.inputs(&self.common), T::STATS)
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        let inputs = self.op.inputs(&self.common).len();
        let op = std::cell::RefCell::new(&mut self.op);
        let compute = |row: usize, stats: &mut [f64]| op.borrow_mut().stats(batch.row(row), stats);
        Ok(judge(batch, T::STATS, inputs, compute, |stats| {
            op.borrow().keep(&self.common, stats)
        }))
    }
}

/// Makes the [`Entry`] of a [`TextFilter`].
#[doc(hidden)]
pub trait TextFilterEntry {
    fn entry(&self) -> Entry;
}

impl<T: TextFilter> TextFilterEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, Kind::Filter, T::COST, T::TRAITS),
            create: |params| {
                create(params, T::prepare, |op, common| OneStat {
                    op,
                    common,
                    trials: Trials::default(),
                })
            },
        }
    }
}

/// Makes the [`Entry`] of a [`Filter`].
#[doc(hidden)]
pub trait FilterEntry {
    fn entry(&self) -> Entry;
}

impl<T: Filter> FilterEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, Kind::Filter, T::COST, T::TRAITS),
            create: |params| create(params, T::prepare, |op, common| Rows { op, common }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Trials;

    #[test]
    fn bounds_that_never_decide_are_seldom_tried() {
        let tried = |decided: fn(usize) -> bool| {
            let mut trials = Trials::default();
            let tries = |text: &usize| {
                let try_it = trials.next();
                if try_it {
                    trials.note(decided(*text));
                }
                try_it
            };
            (0..1000).filter(tries).count()
        };
        assert_eq!(tried(|_| true), 1000);
        assert_eq!(tried(|text| text % 4 == 0), 1000);
        assert!(tried(|_| false) < 40);
        // It notices when they decide again.
        assert!(tried(|text| text > 500) > 450);
    }
}
