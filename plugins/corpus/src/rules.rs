//! Filters that are lists of rules: each rule has a value, which is a stat, and the first rule that a
//! text breaks is the reason why it goes, which is a stat, too.

use djhost_sdk::prelude::*;
use djhost_sdk::{Params, STATS};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// A filter of rules over the text. [`signature`] and [`process`] make an operator of it.
pub(crate) trait Rules: Params {
    /// The key of the stat with the reason, which is empty if the text stays.
    const REASON: &'static str;

    /// The keys of those values that are whole numbers.
    const WHOLE: &'static [&'static str] = &[];

    /// The keys of the values, one for each rule that has a value.
    fn stats(&self) -> Vec<Cow<'static, str>>;

    /// Tells `verdict` of the rules, in their order, until it says to stop.
    fn judge(&mut self, row: Row<'_>, verdict: &mut Verdict<'_>) -> ControlFlow<()>;
}

/// What the rules say of a text.
#[derive(Debug)]
pub(crate) struct Verdict<'a> {
    /// Whether the values of all rules are wanted, also of those after the first that is broken.
    all: bool,
    values: &'a mut [f64],
    reason: Option<Cow<'static, str>>,
    rejected: Option<String>,
}

impl Verdict<'_> {
    /// Whether someone reads the values.
    pub(crate) fn wants_values(&self) -> bool {
        self.all
    }

    /// Puts the row into quarantine.
    pub(crate) fn reject(&mut self, reason: String) {
        self.rejected = Some(reason);
    }

    /// Notes the value of a rule, by its number in [`Rules::stats`], and the reason if the text breaks
    /// it. Stops if no more is wanted.
    pub(crate) fn rule(
        &mut self,
        number: usize,
        value: f64,
        broken: bool,
        reason: impl Into<Cow<'static, str>>,
    ) -> ControlFlow<()> {
        self.values[number] = value;
        self.check(broken, reason)
    }

    /// A further rule about a value that is noted.
    pub(crate) fn check(
        &mut self,
        broken: bool,
        reason: impl Into<Cow<'static, str>>,
    ) -> ControlFlow<()> {
        if broken && self.reason.is_none() {
            self.reason = Some(reason.into());
        }
        if self.reason.is_some() && !self.all {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// The signature of the filter.
pub(crate) fn signature<T: Rules>(op: &T, reads: Vec<Input>) -> Signature {
    let computed = |key: Cow<'static, str>| {
        let whole = T::WHOLE.contains(&key.as_ref());
        Computed::new(
            key,
            if whole {
                ColumnType::S64
            } else {
                ColumnType::F64
            },
        )
    };
    let values = op.stats().into_iter().map(computed);
    let reason = Computed::new(T::REASON, ColumnType::Utf8);
    Signature {
        reads,
        writes_stats: values.chain([reason]).collect(),
        ..Signature::default()
    }
}

/// Judges the rows of a batch with one field.
pub(crate) fn process<T: Rules>(
    op: &mut T,
    common: &Common,
    batch: &Batch,
) -> Result<Output, OpError> {
    let keys = op.stats();
    let rows = batch.rows();
    // Stats that all rows have go back as they came. `1..`: the text.
    let given = |key: &str| {
        let named = |field: &&Field| {
            field
                .path
                .strip_prefix(STATS)
                .and_then(|rest| rest.strip_prefix('.'))
                == Some(key)
        };
        batch.fields[1..].iter().find(named)
    };
    let all = keys.iter().any(|key| common.wants(key));
    let known = given(T::REASON).and_then(|field| field.values.texts());
    let known_values: Vec<Option<&Column>> = keys
        .iter()
        .map(|key| given(key).map(|field| &field.values))
        .collect();
    let mut keep = Vec::with_capacity(rows);
    let mut reasons = Texts::with_capacity(rows, 0);
    let mut columns: Vec<Vec<f64>> = keys.iter().map(|_| Vec::with_capacity(rows)).collect();
    let mut values = vec![0.0; keys.len()];
    let mut rejected = Vec::new();
    for row in 0..rows {
        let known_value = |i: usize| known_values[i].and_then(|column| column.number(row));
        let known_reason = known.and_then(|reasons| reasons.get(row));
        values.fill(0.0);
        let mut verdict = Verdict {
            all,
            values: &mut values,
            reason: None,
            rejected: None,
        };
        let reason = match known_reason {
            Some(reason) if (0..keys.len()).all(|i| known_value(i).is_some()) => {
                Cow::Borrowed(reason)
            }
            _ => {
                let _ = op.judge(batch.row(row), &mut verdict);
                if let Some(reason) = verdict.rejected.take() {
                    rejected.push(Rejection {
                        row: row as u32,
                        reason,
                    });
                }
                verdict.reason.take().unwrap_or_default()
            }
        };
        let is_rejected = rejected
            .last()
            .is_some_and(|last: &Rejection| last.row == row as u32);
        keep.push(u8::from(reason.is_empty() && !is_rejected));
        reasons.push(known_reason.unwrap_or(&reason));
        for (i, column) in columns.iter_mut().enumerate() {
            column.push(known_value(i).unwrap_or(values[i]));
        }
    }
    let mut stats = Vec::with_capacity(keys.len() + 1);
    if all {
        let values = keys.into_iter().zip(columns);
        stats.extend(values.map(|(key, values)| {
            Field {
                values: match T::WHOLE.contains(&key.as_ref()) {
                    true => Column::S64(
                        values
                            .into_iter()
                            .map(|v| v as i64)
                            .collect::<Vec<_>>()
                            .into(),
                    ),
                    false => Column::F64(values.into()),
                },
                path: key.into_owned(),
            }
        }));
    }
    stats.push(Field {
        path: T::REASON.into(),
        values: Column::Utf8(reasons),
    });
    Ok(Output::Filtered {
        keep,
        stats,
        rejected,
    })
}

/// `part / whole`; 0 for nothing of nothing.
pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Whether a value is above a limit; without one, or with 0, there is no limit.
pub(crate) fn above(value: f64, limit: Option<f64>) -> bool {
    limit.is_some_and(|limit| limit != 0.0 && value > limit)
}

/// Whether a value is below a limit; without one, or with 0, there is no limit.
pub(crate) fn below(value: f64, limit: Option<f64>) -> bool {
    limit.is_some_and(|limit| limit != 0.0 && value < limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{C4ParagraphFilter, GopherQualityFilter};
    use djhost_sdk::operator;

    #[test]
    fn stats_that_a_row_has_decide_and_go_back() {
        let mut op = Runner::new(operator!(C4ParagraphFilter), "{}").unwrap();
        let mut batch = Runner::text_batch(&["short", "short"]);
        let stat = |key: &str, values| Field {
            path: format!("{STATS}.{key}"),
            values,
        };
        let mut reasons = Texts::default();
        reasons.push("");
        reasons.push("known");
        batch.fields.extend([
            stat("c4_paragraphs", Column::S64(vec![7, 1].into())),
            stat("c4_paragraph_reason", Column::Utf8(reasons)),
        ]);
        let Output::Filtered { keep, stats, .. } = op.process(&batch).unwrap() else {
            panic!("a filter filters");
        };
        assert_eq!(keep, [1, 0]);
        assert_eq!(stats[0].values.number(0), Some(7.0));
        assert_eq!(stats[1].values.texts().unwrap().value(1), "known");
    }

    #[test]
    fn values_that_nobody_reads_are_left_out() {
        let text = "# # # ... one two";
        let judge = |params: &str| {
            let mut op = Runner::new(operator!(GopherQualityFilter), params).unwrap();
            op.filter(&[text])
        };
        let (all, none) = (judge("{}"), judge(r#"{"wanted_stats": []}"#));
        assert_eq!((all.keep, all.stats.len()), (vec![false], 9));
        // After the first rule that is broken, too.
        assert_eq!(all.stats[2].values.number(0), Some(0.5));
        assert_eq!((none.keep, none.stats.len()), (vec![false], 1));
        assert_eq!(
            none.stats[0].values.texts().unwrap().value(0),
            "gopher_short_doc"
        );
    }
}
