//! `specified_numeric_field_filter`

use crate::field;
use djhost_sdk::prelude::*;
use serde_json::{Number, Value};
use std::cmp::Ordering;

/// Keeps rows where the number in a field lies in a range.
///
/// A string counts as the number that it spells. Whole numbers of 64 bits are compared exactly.
/// Rows without a number go, also with `reversed_range`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecifiedNumericFieldFilter {
    /// The path of the field, names joined by dots. Empty: all rows stay.
    pub field_key: String,
    /// The least value.
    pub min_value: Number,
    /// The greatest value.
    pub max_value: Number,
    /// Data-Juicer's rule: the numbers 0 and false do not count as numbers, so their rows go.
    pub drop_zero: bool,
}

impl Default for SpecifiedNumericFieldFilter {
    fn default() -> Self {
        let bound = |value: f64| Number::from_f64(value).unwrap_or_else(|| 0.into());
        let max = i64::MAX as f64;
        Self {
            field_key: String::new(),
            min_value: bound(-max),
            max_value: bound(max),
            drop_zero: false,
        }
    }
}

impl Operator for SpecifiedNumericFieldFilter {
    const NAME: &'static str = "specified_numeric_field_filter";
    const KIND: Kind = Kind::Filter;

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
                Value::String(text) => spelled(text),
                Value::Array(list) if !list.is_empty() => {
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
                other => field::number(other)
                    .filter(|number| number.as_f64() != Some(0.0) || !self.drop_zero)
                    .map(Spelled::Number),
            };
            Ok(number.is_some_and(|number| self.keeps(common, &number)))
        }))
    }
}

impl SpecifiedNumericFieldFilter {
    /// Like [`Common::keeps`], but exact.
    fn keeps(&self, common: &Common, number: &Spelled) -> bool {
        let closed = |flag: bool| flag != common.reversed_range;
        let above = match number.order(&self.min_value) {
            Some(Ordering::Equal) => closed(common.min_closed_interval),
            order => order == Some(Ordering::Greater),
        };
        let below = match number.order(&self.max_value) {
            Some(Ordering::Equal) => closed(common.max_closed_interval),
            order => order == Some(Ordering::Less),
        };
        (above && below) != common.reversed_range
    }
}

/// A number in Python's sense.
enum Spelled {
    Number(Number),
    /// `inf`, `-inf` and `nan`.
    NotFinite(f64),
}

impl Spelled {
    fn order(&self, bound: &Number) -> Option<Ordering> {
        match self {
            Self::Number(number) => field::compare(number, bound),
            Self::NotFinite(number) => number.partial_cmp(&bound.as_f64()?),
        }
    }
}

/// What Python's `int` or `float` makes of a string.
fn spelled(text: &str) -> Option<Spelled> {
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
    if let Some(whole) = plain
        .parse::<i64>()
        .ok()
        .map(Number::from)
        .or_else(|| plain.parse::<u64>().ok().map(Number::from))
    {
        return Some(Spelled::Number(whole));
    }
    let number = plain.parse::<f64>().ok()?;
    Some(Number::from_f64(number).map_or(Spelled::NotFinite(number), Spelled::Number))
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
