//! `frequency_specified_field_selector`

use crate::value;
use djhost_sdk::json::Value;
use djhost_sdk::prelude::*;
use std::collections::HashMap;

/// Keeps the rows with the most (or least) frequent values of a field.
///
/// If both `top_ratio` and `topk` are set, the smaller number of values holds; if neither is, all
/// rows stay. Among equally frequent values the one that comes first wins. Numbers are compared
/// digit by digit, of any size: 1, 1.0 and true are one value, and so are all `NaN`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FrequencySpecifiedFieldSelector {
    /// The path of the field, names joined by dots. Its values must be strings, numbers or nothing.
    /// Empty: all rows stay.
    pub field_key: String,
    /// The share of different values to keep.
    #[schemars(range(min = 0, max = 1))]
    pub top_ratio: Option<f64>,
    /// The number of different values to keep.
    #[schemars(range(min = 1))]
    pub topk: Option<u64>,
    /// Whether the most frequent values are kept, not the least.
    pub reverse: bool,
}

impl Default for FrequencySpecifiedFieldSelector {
    fn default() -> Self {
        Self {
            field_key: String::new(),
            top_ratio: None,
            topk: None,
            reverse: true,
        }
    }
}

impl Selector for FrequencySpecifiedFieldSelector {
    const NAME: &'static str = "frequency_specified_field_selector";
    const TRAITS: Traits = Traits::NONE.json_constants();
    type Key = String;

    fn prepare(&mut self) -> Result<(), String> {
        value::check_ratio("top_ratio", self.top_ratio)?;
        value::check_positive("topk", self.topk)
    }

    fn input(&self, _common: &Common) -> Option<Input> {
        value::input(&self.field_key)
    }

    /// A letter for the type, and the value: keys are equal if the values are in Python, where `1`,
    /// `1.0` and `True` are one.
    fn key(&mut self, row: Row<'_>) -> Result<String, Reject> {
        if self.field_key.is_empty() {
            return Ok(String::new());
        }
        let value = value::of(row)?;
        match (&value, value.number()) {
            (_, Some(number)) => {
                let mut key = "n".to_owned();
                number.write_key(&mut key);
                Ok(key)
            }
            (Value::Null, _) => Ok(String::new()),
            (Value::String(text), _) => Ok(format!("s{}", text.as_str())),
            _ => Err(Reject(format!(
                "`{}` is not a string, a number or nothing",
                self.field_key
            ))),
        }
    }

    fn select(&mut self, _common: &Common, keys: &[String]) -> Result<Vec<bool>, String> {
        let rows = keys.len();
        if rows <= 1 || self.field_key.is_empty() {
            return Ok(vec![true; rows]);
        }
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        // Index of each value and its frequency, in the order of first occurrence.
        let mut values: Vec<(usize, usize)> = Vec::new();
        let value_of_row: Vec<usize> = keys
            .iter()
            .map(|key| {
                let number = *numbers.entry(key).or_insert_with(|| {
                    values.push((values.len(), 0));
                    values.len() - 1
                });
                values[number].1 += 1;
                number
            })
            .collect();
        let Some(number) = value::allowed(self.top_ratio, self.topk, values.len()) else {
            return Ok(vec![true; rows]);
        };
        let mut kept = vec![false; values.len()];
        values.sort_by(|a, b| {
            if self.reverse {
                b.1.cmp(&a.1)
            } else {
                a.1.cmp(&b.1)
            }
        });
        values
            .iter()
            .take(number)
            .for_each(|&(value, _)| kept[value] = true);
        Ok(value_of_row.into_iter().map(|value| kept[value]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    const ROWS: [&str; 7] = [
        r#"{"s": "x"}"#,
        r#"{"s": 1}"#,
        r#"{"s": "1"}"#,
        r#"{"s": 1.0}"#,
        r#"{"s": null}"#,
        r#"{"s": true}"#,
        r#"{"t": 0}"#,
    ];

    fn keep(params: &str) -> Vec<bool> {
        Runner::new(operator!(FrequencySpecifiedFieldSelector), params)
            .unwrap()
            .select_json(&ROWS)
            .unwrap()
    }

    #[test]
    fn values_are_equal_as_in_python() {
        assert_eq!(
            keep(r#"{"field_key": "s", "topk": 1}"#),
            [false, true, false, true, false, true, false]
        );
        assert_eq!(
            keep(r#"{"field_key": "s", "topk": 2}"#),
            [false, true, false, true, true, true, true]
        );
    }

    #[test]
    fn numbers_are_told_apart_digit_by_digit() {
        let mut op = FrequencySpecifiedFieldSelector {
            field_key: "s".into(),
            ..Default::default()
        };
        let mut key = |json: &str| {
            let batch = Batch {
                row_ids: vec![0],
                fields: vec![Field {
                    path: "s".into(),
                    values: Column::Json([json].into_iter().collect()),
                }],
            };
            op.key(batch.row(0))
        };
        let distinct = [
            "123456789012345678.11",
            "123456789012345678.12",
            "9007199254740993",
            "9007199254740992",
            "0.1",
            "0.1000000000000000055",
            "1e400",
            "1e401",
            "Infinity",
            "-Infinity",
            "NaN",
            "\"NaN\"",
            "0",
        ];
        for (i, a) in distinct.iter().enumerate() {
            for (j, b) in distinct.iter().enumerate() {
                assert_eq!(key(a).unwrap() == key(b).unwrap(), i == j, "{a} {b}");
            }
            assert_ne!(key(a).unwrap(), "", "{a} is not nothing");
        }
        for (a, b) in [("0", "-0.0"), ("1", "true"), ("10", "1e1"), ("0.10", "0.1")] {
            assert_eq!(key(a).unwrap(), key(b).unwrap(), "{a} {b}");
        }
        assert_eq!(
            key(r#""\ud800""#).unwrap_err().0,
            "`s` holds a lone surrogate"
        );
    }

    #[test]
    fn the_least_frequent_and_the_first_of_equals() {
        assert_eq!(
            keep(r#"{"field_key": "s", "topk": 1, "reverse": false}"#),
            [true, false, false, false, false, false, false]
        );
        assert_eq!(
            keep(r#"{"field_key": "s", "top_ratio": 0.5, "reverse": false}"#),
            [true, false, true, false, false, false, false]
        );
        assert_eq!(keep(r#"{"field_key": "s"}"#), [true; 7]);
    }
}
