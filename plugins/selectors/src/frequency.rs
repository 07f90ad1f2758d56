//! `frequency_specified_field_selector`

use crate::value;
use djhost_sdk::prelude::*;
use serde_json::Value;
use std::collections::HashMap;

/// Keeps the rows with the most (or least) frequent values of a field.
///
/// If both `top_ratio` and `topk` are set, the smaller number of values holds; if neither is, all
/// rows stay. Among equally frequent values the one that comes first wins.
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
        match value::of(row)? {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(format!("s{text}")),
            Value::Bool(flag) => Ok(format!("n{}", u8::from(flag))),
            Value::Number(number) => match number.as_f64() {
                // Integers that a float holds exactly get one spelling.
                Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => {
                    Ok(format!("n{}", float as i64))
                }
                _ => Ok(format!("n{number}")),
            },
            Value::Array(_) | Value::Object(_) => Err(Reject(format!(
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
