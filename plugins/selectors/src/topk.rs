//! `topk_specified_field_selector`

use crate::value;
use djhost_sdk::prelude::*;

/// Keeps the rows with the greatest (or smallest) values of a field.
///
/// A list counts as its mean, a string as the number that it spells; rows without a number come last. Among equal values the earlier rows
/// win. If both `top_ratio` and `topk` are set, the smaller number holds; if neither is, all rows stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TopkSpecifiedFieldSelector {
    /// The path of the field, names joined by dots; `__dj__stats__.KEY` is a stat. Empty: all rows stay.
    pub field_key: String,
    /// The share of rows to keep.
    #[schemars(range(min = 0, max = 1))]
    pub top_ratio: Option<f64>,
    /// The number of rows to keep.
    #[schemars(range(min = 1))]
    pub topk: Option<u64>,
    /// Whether the greatest values are kept, not the smallest.
    pub reverse: bool,
}

impl Default for TopkSpecifiedFieldSelector {
    fn default() -> Self {
        Self { field_key: String::new(), top_ratio: None, topk: None, reverse: true }
    }
}

impl Selector for TopkSpecifiedFieldSelector {
    const NAME: &'static str = "topk_specified_field_selector";
    type Key = f64;

    fn prepare(&mut self) -> Result<(), String> {
        value::check_ratio("top_ratio", self.top_ratio)?;
        value::check_positive("topk", self.topk)
    }

    fn input(&self, _common: &Common) -> Option<Input> {
        value::input(&self.field_key)
    }

    fn key(&mut self, row: Row<'_>) -> Result<f64, Reject> {
        if self.field_key.is_empty() {
            return Ok(0.0);
        }
        // The greatest value is put first by a change of sign, so that `select` sorts upwards in both cases.
        let sign = if self.reverse { -1.0 } else { 1.0 };
        Ok(sign * value::number(&value::of(row)?, sign * value::MAX))
    }

    fn select(&mut self, _common: &Common, keys: &[f64]) -> Result<Vec<bool>, String> {
        let rows = keys.len();
        let number = value::allowed(self.top_ratio, self.topk, rows).filter(|_| !self.field_key.is_empty() && rows > 1);
        let Some(number) = number.filter(|&number| number < rows) else { return Ok(vec![true; rows]) };
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.select_nth_unstable_by(number, |&a, &b| keys[a as usize].total_cmp(&keys[b as usize]).then(a.cmp(&b)));
        Ok(value::flags(rows, order.into_iter().take(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    const ROWS: [&str; 5] =
        [r#"{"a": {"n": 2}}"#, r#"{"a": {"n": "7"}}"#, r#"{"a": {"n": [1, 3]}}"#, r#"{"a": {"n": null}}"#, r#"{"a": {"n": 9.5}}"#];

    fn keep(params: &str) -> Vec<bool> {
        Runner::new(operator!(TopkSpecifiedFieldSelector), params).unwrap().select_json(&ROWS).unwrap()
    }

    #[test]
    fn the_greatest_stay_and_earlier_rows_win() {
        assert_eq!(keep(r#"{"field_key": "a.n", "topk": 3}"#), [true, true, false, false, true]);
        assert_eq!(keep(r#"{"field_key": "a.n", "topk": 3, "reverse": false}"#), [true, true, true, false, false]);
        assert_eq!(keep(r#"{"field_key": "a.n", "top_ratio": 0.5}"#), [false, true, false, false, true]);
    }

    #[test]
    fn nothing_set_keeps_all() {
        assert_eq!(keep(r#"{"field_key": "a.n"}"#), [true; 5]);
        assert_eq!(keep(r#"{"topk": 1}"#), [true; 5]);
        assert_eq!(keep(r#"{"field_key": "a.n", "topk": 50}"#), [true; 5]);
    }
}
