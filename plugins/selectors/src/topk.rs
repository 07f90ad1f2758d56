//! `topk_specified_field_selector`

use crate::order::{self, Values};
use crate::value;
use djhost_sdk::prelude::*;

/// Keeps the rows with the greatest (or smallest) values of a field.
///
/// Numbers compare by size, digit by digit, and so do strings that spell numbers; a list counts as
/// its mean. Other strings compare as strings, or by time if all of them spell points in time
/// (`2024-05-01`, `2024-05-01T10:00:00+02:00`) or all of them spell durations (`PT90S`, `P1DT2H`).
/// In a field with several kinds of values numbers come first, then strings, then rows without a
/// value (`NaN` is none), whatever `reverse` says. Among equal values the earlier rows win. If both
/// `top_ratio` and `topk` are set, the smaller number holds; if neither is, all rows stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TopkSpecifiedFieldSelector {
    /// The path of the field, names joined by dots; `__dj__stats__.KEY` is a stat. Empty: all rows
    /// stay.
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
        Self {
            field_key: String::new(),
            top_ratio: None,
            topk: None,
            reverse: true,
        }
    }
}

impl Operator for TopkSpecifiedFieldSelector {
    const NAME: &'static str = "topk_specified_field_selector";
    const TRAITS: Traits = Traits::NONE.json_constants();
    const KIND: Kind = Kind::Selector;

    fn prepare(&mut self) -> Result<(), String> {
        value::check_ratio("top_ratio", self.top_ratio)?;
        value::check_positive("topk", self.topk)
    }

    fn signature(&self, _common: &Common) -> Signature {
        Signature {
            reads: value::input(&self.field_key).into_iter().collect(),
            ..Signature::default()
        }
    }

    fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
        Ok(order::keys(batch, &self.field_key))
    }

    fn select(&mut self, _common: &Common, keys: &Column) -> Result<Vec<u8>, OpError> {
        let values = Values::of(keys, &self.field_key)?;
        let rows = values.len();
        let number = value::allowed(self.top_ratio, self.topk, rows)
            .filter(|_| !self.field_key.is_empty() && rows > 1);
        let Some(number) = number.filter(|&number| number < rows) else {
            return Ok(vec![1; rows]);
        };
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.select_nth_unstable_by(number, |&a, &b| {
            let (a_first, b_first) = if self.reverse { (b, a) } else { (a, b) };
            values
                .kind(a)
                .cmp(&values.kind(b))
                .then_with(|| values.compare(a_first, b_first))
                .then(a.cmp(&b))
        });
        Ok(value::flags(rows, order.into_iter().take(number))
            .into_iter()
            .map(u8::from)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    const ROWS: [&str; 5] = [
        r#"{"a": {"n": 2}}"#,
        r#"{"a": {"n": "7"}}"#,
        r#"{"a": {"n": [1, 3]}}"#,
        r#"{"a": {"n": null}}"#,
        r#"{"a": {"n": 9.5}}"#,
    ];

    fn keep(params: &str) -> Vec<bool> {
        Runner::new(operator!(TopkSpecifiedFieldSelector), params)
            .unwrap()
            .select_json(&ROWS)
            .unwrap()
    }

    #[test]
    fn the_greatest_stay_and_earlier_rows_win() {
        assert_eq!(
            keep(r#"{"field_key": "a.n", "topk": 3}"#),
            [true, true, false, false, true]
        );
        assert_eq!(
            keep(r#"{"field_key": "a.n", "topk": 3, "reverse": false}"#),
            [true, true, true, false, false]
        );
        assert_eq!(
            keep(r#"{"field_key": "a.n", "top_ratio": 0.5}"#),
            [false, true, false, false, true]
        );
    }

    #[test]
    fn dates_and_names_have_an_order() {
        let keep = |params: &str, rows: &[&str]| {
            Runner::new(operator!(TopkSpecifiedFieldSelector), params)
                .unwrap()
                .select_json(rows)
                .unwrap()
        };
        let rows = [
            r#"{"d": "2019-05-01"}"#,
            r#"{"d": "2024-05-01"}"#,
            r#"{"d": null}"#,
        ];
        assert_eq!(
            keep(r#"{"field_key": "d", "topk": 1}"#, &rows),
            [false, true, false]
        );
        assert_eq!(
            keep(r#"{"field_key": "d", "topk": 1, "reverse": false}"#, &rows),
            [true, false, false]
        );
        // Texts come after numbers in both directions.
        let rows = [
            r#"{"d": "zebra"}"#,
            r#"{"d": 2}"#,
            r#"{"d": "10"}"#,
            r#"{"d": "ant"}"#,
            "{}",
        ];
        assert_eq!(
            keep(r#"{"field_key": "d", "topk": 3}"#, &rows),
            [true, true, true, false, false]
        );
        assert_eq!(
            keep(r#"{"field_key": "d", "topk": 3, "reverse": false}"#, &rows),
            [false, true, true, true, false]
        );
    }

    #[test]
    fn nothing_set_keeps_all() {
        assert_eq!(keep(r#"{"field_key": "a.n"}"#), [true; 5]);
        assert_eq!(keep(r#"{"topk": 1}"#), [true; 5]);
        assert_eq!(keep(r#"{"field_key": "a.n", "topk": 50}"#), [true; 5]);
    }
}
