//! `specified_numeric_field_filter`

use crate::field;
use djhost_sdk::json::{Number, Value};
use djhost_sdk::prelude::*;
use std::cmp::Ordering;

/// Keeps rows where the number in a field lies in a range.
///
/// A string counts as the number that it spells. Numbers are compared digit by digit, of any size;
/// `Infinity` lies above them all, and `NaN` in no range. Rows without a number go, also with
/// `reversed_range`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecifiedNumericFieldFilter {
    /// The path of the field, names joined by dots. Empty: all rows stay.
    pub field_key: String,
    /// The least value. By default 1 - 2^63, Data-Juicer's `-sys.maxsize`: rows with smaller numbers
    /// go. `null`: no limit.
    pub min_value: Option<serde_json::Number>,
    /// The greatest value. By default 2^63 - 1, Data-Juicer's `sys.maxsize`: rows with greater
    /// numbers go. `null`: no limit.
    pub max_value: Option<serde_json::Number>,
    /// Data-Juicer's rule: the numbers 0 and false do not count as numbers, so their rows go.
    pub drop_zero: bool,
    /// The bounds, to compare with.
    #[serde(skip)]
    range: (Option<Number<'static>>, Option<Number<'static>>),
}

impl Default for SpecifiedNumericFieldFilter {
    fn default() -> Self {
        Self {
            field_key: String::new(),
            min_value: Some((-i64::MAX).into()),
            max_value: Some(i64::MAX.into()),
            drop_zero: false,
            range: (None, None),
        }
    }
}

impl Operator for SpecifiedNumericFieldFilter {
    const NAME: &'static str = "specified_numeric_field_filter";
    const TRAITS: Traits = Traits::NONE.json_constants();
    const KIND: Kind = Kind::Filter;

    fn prepare(&mut self) -> Result<(), String> {
        let bound = |value: &Option<serde_json::Number>| Number::parse(value.as_ref()?.to_string());
        self.range = (bound(&self.min_value), bound(&self.max_value));
        Ok(())
    }

    fn signature(&self, _common: &Common) -> Signature {
        let path = (!self.field_key.is_empty()).then(|| self.field_key.clone());
        field::signature(path.as_slice(), Vec::new())
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        Ok(field::judge(batch, |_, row| {
            if self.field_key.is_empty() {
                return Ok(true);
            }
            let value = field::value(row, 0)?;
            let number = match &value {
                Value::String(text) => spelled(text.as_str()),
                Value::List(list) if !list.is_empty() => {
                    return Err(Reject(format!(
                        "`{}` is a list, not a number",
                        self.field_key
                    )));
                }
                Value::Object(object) if !object.is_empty() => {
                    return Err(Reject(format!(
                        "`{}` is an object, not a number",
                        self.field_key
                    )));
                }
                other => other
                    .number()
                    .filter(|number| !number.is_zero() || !self.drop_zero),
            };
            Ok(number.is_some_and(|number| self.keeps(common, &number)))
        }))
    }
}

impl SpecifiedNumericFieldFilter {
    /// Like [`Common::keeps`], but exact.
    fn keeps(&self, common: &Common, number: &Number<'_>) -> bool {
        let closed = |flag: bool| flag != common.reversed_range;
        let lies = |bound: &Option<Number<'_>>, inside: Ordering, is_closed: bool| {
            let Some(bound) = bound else {
                return !number.is_nan();
            };
            match number.compare(bound) {
                Some(Ordering::Equal) => closed(is_closed),
                order => order == Some(inside),
            }
        };
        let (min, max) = &self.range;
        let above = lies(min, Ordering::Greater, common.min_closed_interval);
        let below = lies(max, Ordering::Less, common.max_closed_interval);
        (above && below) != common.reversed_range
    }
}

/// What Python's `int` or `float` makes of a string.
fn spelled(text: &str) -> Option<Number<'static>> {
    let text = djhost_sdk::text::strip(text);
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let mut plain = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            // Only between digits.
            '_' if digit(at.checked_sub(1)) && digit(Some(at + 1)) => {}
            c => plain.push(c),
        }
    }
    Number::parse(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn keep(params: &str, values: &[&str]) -> Vec<bool> {
        let rows: Vec<String> = values
            .iter()
            .map(|value| format!(r#"{{"m": {{"n": {value}}}}}"#))
            .collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        Runner::new(operator!(SpecifiedNumericFieldFilter), params)
            .unwrap()
            .filter_json(&rows)
            .keep
    }

    #[test]
    fn numbers_and_what_spells_one_are_compared() {
        let values = [
            "1",
            "2.5",
            r#"" 1_0 ""#,
            r#""1__0""#,
            r#""1e1""#,
            r#""x""#,
            r#""""#,
            "true",
            "null",
            "[]",
            "11",
            r#""nan""#,
        ];
        let params = r#"{"field_key": "m.n", "min_value": 1, "max_value": 10}"#;
        assert_eq!(
            keep(params, &values),
            [
                true, true, true, false, true, false, false, true, false, false, false, false
            ]
        );
    }

    #[test]
    fn zero_is_a_number_unless_wanted_otherwise() {
        let values = ["0", "0.0", "false", r#""0""#];
        assert_eq!(keep(r#"{"field_key": "m.n"}"#, &values), [true; 4]);
        assert_eq!(
            keep(r#"{"field_key": "m.n", "drop_zero": true}"#, &values),
            [false, false, false, true]
        );
    }

    #[test]
    fn large_whole_numbers_are_compared_exactly() {
        let values = [
            "9007199254740991",
            "9007199254740992",
            "9007199254740993",
            r#""9007199254740993""#,
            "9007199254740992.0",
            "1e300",
        ];
        let keep = |bounds: &str| keep(&format!(r#"{{"field_key": "m.n", {bounds}}}"#), &values);
        assert_eq!(
            keep(r#""min_value": 9007199254740992, "min_closed_interval": false"#),
            [false, false, true, true, false, false]
        );
        assert_eq!(
            keep(r#""max_value": 9007199254740992"#),
            [true, true, false, false, true, false]
        );
        assert_eq!(
            keep(r#""min_value": 9007199254740993, "max_value": 1e301"#),
            [false, false, true, true, false, true]
        );
    }

    /// Of values that serde_json does not read.
    fn keep_raw(params: &str, values: &[&str]) -> Vec<u8> {
        let batch = Batch {
            row_ids: (0..values.len() as u64).collect(),
            fields: vec![Field {
                path: "n".into(),
                values: Column::Json(values.iter().copied().collect()),
            }],
        };
        let params = format!(r#"{{"field_key": "n", {params}}}"#);
        let mut op = Runner::new(operator!(SpecifiedNumericFieldFilter), &params).unwrap();
        match op.process(&batch).unwrap() {
            Output::Filtered { keep, rejected, .. } if rejected.is_empty() => keep,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn decimals_are_compared_exactly() {
        let values = [
            "9007199254740992.50",
            "9007199254740992.00",
            "9007199254740991.9999999",
        ];
        assert_eq!(
            keep_raw(r#""max_value": 9007199254740992"#, &values),
            [0, 1, 1]
        );
        assert_eq!(
            keep_raw(r#""min_value": 9007199254740992"#, &values),
            [1, 1, 0]
        );
        let values = ["0.1", "0.10000000000000000001", "0.09999999999999999999"];
        assert_eq!(keep_raw(r#""min_value": 0.1"#, &values), [1, 1, 0]);
        assert_eq!(keep_raw(r#""max_value": 0.1"#, &values), [1, 0, 1]);
    }

    #[test]
    fn the_limits_are_those_that_are_said() {
        let values = [
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "1e19",
            "Infinity",
            "-Infinity",
            "-9223372036854775807",
            "-9223372036854775808",
            r#""inf""#,
            "NaN",
            r#""nan""#,
        ];
        assert_eq!(
            keep_raw(r#""drop_zero": false"#, &values),
            [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
        );
        assert_eq!(
            keep_raw(r#""min_value": null, "max_value": null"#, &values),
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
        );
        assert_eq!(
            keep_raw(r#""min_value": 0, "max_value": null"#, &values),
            [1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0]
        );
        assert_eq!(
            keep_raw(
                r#""min_value": 0, "max_value": 1, "reversed_range": true"#,
                &values
            ),
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
        );
    }

    #[test]
    fn a_list_is_rejected() {
        let mut op = Runner::new(
            operator!(SpecifiedNumericFieldFilter),
            r#"{"field_key": "n"}"#,
        )
        .unwrap();
        let out = op.filter_json(&[r#"{"n": [1]}"#, r#"{"n": 1}"#]);
        assert_eq!(out.keep, [false, true]);
        assert_eq!(
            out.rejected,
            [Rejection {
                row: 0,
                reason: "`n` is a list, not a number".into()
            }]
        );
    }
}
