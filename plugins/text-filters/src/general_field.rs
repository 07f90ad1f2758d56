//! `general_field_filter`

use crate::evaluate::holds;
use crate::expression::{Expr, Parsed, parse};
use crate::field;
use djhost_sdk::json::Value;
use djhost_sdk::prelude::*;

/// Keeps rows of which a condition over their fields is true.
///
/// The condition is written as in Python: fields (`num`, `meta.lang`, `__dj__stats__.text_len`),
/// numbers, strings, `True`, `False`, `None`, lists, tuples and sets, compared with `<`, `<=`, `>`,
/// `>=`, `==`, `!=`, `in` and `not in`, also in chains, and joined by `and`, `or`, `not` and
/// parentheses. A field that is missing is `None`; comparisons with it are false, and `not in` is
/// true. Numbers are compared digit by digit, `Infinity` is above them all, and `NaN` is above, below
/// and equal to nothing. A row whose values cannot be compared goes to quarantine.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GeneralFieldFilter {
    /// The condition, such as `10 < num <= 30 and text != 'nothing here'`. Empty: all rows stay.
    pub filter_condition: String,
    #[serde(skip)]
    parsed: Option<Parsed>,
}

const STAT: &str = "general_field_filter_condition";

impl GeneralFieldFilter {
    fn fields(&self) -> &[String] {
        self.parsed.as_ref().map_or(&[], |parsed| &parsed.fields)
    }
}

/// Whether the condition holds for a row.
fn test<'a>(root: &Expr, row: Row<'a>, values: &mut [Value<'a>]) -> Result<bool, Reject> {
    for (i, value) in values.iter_mut().enumerate() {
        *value = field::value(row, i)?;
    }
    holds(root, values).map_err(|reason| Reject(format!("`filter_condition`: {reason}")))
}

impl Operator for GeneralFieldFilter {
    const NAME: &'static str = "general_field_filter";
    const TRAITS: Traits = Traits::NONE.json_constants();
    const KIND: Kind = Kind::Filter;

    fn prepare(&mut self) -> Result<(), String> {
        let condition = self.filter_condition.trim();
        if !condition.is_empty() {
            self.parsed = Some(
                parse(condition)
                    .map_err(|error| format!("`filter_condition` `{condition}`: {error}"))?,
            );
        }
        Ok(())
    }

    fn signature(&self, _common: &Common) -> Signature {
        let stat = self
            .parsed
            .as_ref()
            .map(|_| Computed::new(STAT, ColumnType::Boolean));
        field::signature(self.fields(), stat.into_iter().collect())
    }

    fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let Some(Parsed { root, fields }) = &self.parsed else {
            return Ok(field::judge(batch, |_, _| Ok(true)));
        };
        // A stat that the rows already have follows the fields that the condition reads.
        let known = batch.fields[fields.len()..]
            .iter()
            .find(|field| field.path.ends_with(STAT))
            .map(|field| &field.values);
        let mut values = vec![Value::Null; fields.len()];
        let mut answer = field::judge(batch, |number, row| {
            match known.and_then(|known| known.number(number)) {
                Some(flag) => Ok(flag != 0.0),
                None => test(root, row, &mut values),
            }
        });
        if let Output::Filtered { keep, stats, .. } = &mut answer {
            stats.push(Field {
                path: STAT.into(),
                values: Column::Boolean(keep.clone().into()),
            });
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::{Filtered, operator};

    const ROW: &str = r#"{"num": 20, "text": "hello", "flag": true, "m": {"a": 3, "l": ["x", 1]}, "n": null, "f": 2.5}"#;

    fn answer(condition: &str) -> Filtered {
        let params = serde_json::json!({ "filter_condition": condition }).to_string();
        Runner::new(operator!(GeneralFieldFilter), &params)
            .unwrap()
            .filter_json(&[ROW])
    }

    #[test]
    fn conditions_are_pythons() {
        for condition in [
            "10 < num <= 30 and text != 'nothing here' and m.a == 3",
            "not num < 10 or missing == 1",
            "'ell' in text and text not in ['a', 'b']",
            "'x' in m.l and 1.0 in m.l and 'a' in m",
            "flag == 1 and flag",
            "missing not in [1] and not missing == None and not n != 1",
            "-num < -19.5 < +f",
            "(1, 2) < (1, 3) and [1] < [1, 0] and {1} < {2, 1} and not {1} < {2}",
            "'Z' < 'a' < 'b'",
            "(num == 20) == True",
            "num",
            "m.a.deeper not in (1,) and text.upper not in (1,)",
            "",
        ] {
            let answer = answer(condition);
            assert_eq!(
                (answer.keep, answer.rejected),
                (vec![true], vec![]),
                "{condition}"
            );
        }
        for condition in [
            "num > 30",
            "text == 'a' or n",
            "n == None",
            "not text",
            "missing in [None]",
            "1 < num < 5",
            "[1] == (1,)",
            "()",
        ] {
            assert_eq!(answer(condition).keep, [false], "{condition}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_rejected() {
        for (condition, reason) in [
            ("text < 3", "a string cannot be compared with a number"),
            ("num in text", "a number cannot be in a string"),
            ("1 in num", "a number cannot be in a number"),
            ("m.l in {1}", "a list cannot be in a set"),
            ("-text == 1", "`-` stands before what is not a number"),
        ] {
            assert_eq!(
                answer(condition).rejected,
                [Rejection {
                    row: 0,
                    reason: format!("`filter_condition`: {reason}")
                }],
                "{condition}"
            );
        }
    }

    #[test]
    fn numbers_that_no_double_holds() {
        let keep = |condition: &str, values: &[&str]| {
            let params = serde_json::json!({ "filter_condition": condition }).to_string();
            let batch = Batch {
                row_ids: (0..values.len() as u64).collect(),
                fields: vec![Field {
                    path: "v".into(),
                    values: Column::Json(values.iter().copied().collect()),
                }],
            };
            let mut op = Runner::new(operator!(GeneralFieldFilter), &params).unwrap();
            match op.process(&batch).unwrap() {
                Output::Filtered { keep, rejected, .. } if rejected.is_empty() => keep,
                other => panic!("{other:?}"),
            }
        };
        let values = [
            "Infinity",
            "-Infinity",
            "NaN",
            "1e400",
            "-1e400",
            "0",
            "null",
        ];
        assert_eq!(keep("v > 0", &values), [1, 0, 0, 1, 0, 0, 0]);
        assert_eq!(keep("not v > 0", &values), [0, 1, 1, 0, 1, 1, 1]);
        assert_eq!(keep("v", &values), [1, 1, 1, 1, 1, 0, 0]);
        assert_eq!(keep("-v < +0", &values[..6]), [1, 0, 0, 1, 0, 0]);
        let values = [
            "9007199254740992.50",
            "9007199254740992",
            "9007199254740993.0",
        ];
        assert_eq!(keep("v > 9007199254740992", &values), [1, 0, 1]);
        assert_eq!(keep("v == 9007199254740993", &values), [0, 0, 1]);
    }

    #[test]
    fn a_stat_that_a_row_has_is_used_and_kept() {
        let mut op = Runner::new(
            operator!(GeneralFieldFilter),
            r#"{"filter_condition": "num == 1"}"#,
        )
        .unwrap();
        let rows = [
            r#"{"num": 2, "__dj__stats__": {"general_field_filter_condition": true}}"#,
            r#"{"num": 1}"#,
            r#"{"num": 3}"#,
        ];
        let out = op.filter_json(&rows);
        assert_eq!(out.keep, [true, true, false]);
        assert_eq!(out.stat(STAT), [Some(1.0), Some(1.0), Some(0.0)]);
    }

    #[test]
    fn a_wrong_condition_is_refused() {
        let error = Runner::new(
            operator!(GeneralFieldFilter),
            r#"{"filter_condition": "num =< 3"}"#,
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.starts_with(
                "`filter_condition` `num =< 3`: at character 5, `=< 3`: expected `and`"
            ),
            "{error}"
        );
    }
}
