//! `range_specified_field_selector`

use crate::order::{self, Values};
use crate::value;
use djhost_sdk::prelude::*;

/// Keeps the rows whose rank by the value of a field lies in a range.
///
/// Numbers compare by size, digit by digit, and so do strings that spell numbers; a list counts as
/// its mean. Other strings compare as strings, or by time if all of them spell points in time
/// (`2024-05-01`, `2024-05-01T10:00:00+02:00`) or all of them spell durations (`PT90S`, `P1DT2H`).
/// In a field with several kinds of values rows without a value (`NaN` is none) come first, then
/// strings, then numbers. If percentile and rank of one bound are both set, the narrower holds; if a
/// bound is not set at all, all rows stay.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RangeSpecifiedFieldSelector {
    /// The path of the field, names joined by dots; `__dj__stats__.KEY` is a stat. Empty: all rows
    /// stay.
    pub field_key: String,
    /// Rows above this share of the ranks are kept.
    #[schemars(range(min = 0, max = 1))]
    pub lower_percentile: Option<f64>,
    /// Rows up to this share of the ranks are kept.
    #[schemars(range(min = 0, max = 1))]
    pub upper_percentile: Option<f64>,
    /// Rows above this rank are kept; the smallest value has rank 1.
    #[schemars(range(min = 1))]
    pub lower_rank: Option<u64>,
    /// Rows up to this rank are kept.
    #[schemars(range(min = 1))]
    pub upper_rank: Option<u64>,
}

impl Operator for RangeSpecifiedFieldSelector {
    const NAME: &'static str = "range_specified_field_selector";
    const TRAITS: Traits = Traits::NONE.json_constants();
    const KIND: Kind = Kind::Selector;

    fn prepare(&mut self) -> Result<(), String> {
        value::check_ratio("lower_percentile", self.lower_percentile)?;
        value::check_ratio("upper_percentile", self.upper_percentile)?;
        value::check_positive("lower_rank", self.lower_rank)?;
        value::check_positive("upper_rank", self.upper_rank)
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
        let share = |percentile: f64| (percentile * rows as f64) as usize;
        let rank = |rank: u64| usize::try_from(rank).unwrap_or(usize::MAX);
        let lower = self
            .lower_percentile
            .map(share)
            .into_iter()
            .chain(self.lower_rank.map(rank))
            .max();
        let upper = self
            .upper_percentile
            .map(share)
            .into_iter()
            .chain(self.upper_rank.map(rank))
            .min();
        let (Some(lower), Some(upper), true) =
            (lower, upper, rows > 1 && !self.field_key.is_empty())
        else {
            return Ok(vec![1; rows]);
        };
        let upper = upper.min(rows).max(lower);
        let upwards = |a: u32, b: u32| {
            values
                .kind(b)
                .cmp(&values.kind(a))
                .then_with(|| values.compare(a, b))
        };
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.sort_unstable_by(|&a, &b| upwards(a, b).then(a.cmp(&b)));
        order.truncate(upper);
        // Data-Juicer takes the greatest of the rest; among equal values at the lower bound the
        // earlier rows stay.
        order.sort_unstable_by(|&a, &b| upwards(b, a).then(a.cmp(&b)));
        order.truncate(upper.saturating_sub(lower));
        Ok(value::flags(rows, order)
            .into_iter()
            .map(u8::from)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn keep(params: &str) -> Vec<bool> {
        let rows = [
            r#"{"n": 5}"#,
            r#"{"n": 1}"#,
            r#"{"n": 3}"#,
            r#"{"n": 3}"#,
            r#"{"n": 4}"#,
        ];
        Runner::new(operator!(RangeSpecifiedFieldSelector), params)
            .unwrap()
            .select_json(&rows)
            .unwrap()
    }

    #[test]
    fn ranks_above_the_lower_up_to_the_upper_bound() {
        assert_eq!(
            keep(r#"{"field_key": "n", "lower_rank": 1, "upper_rank": 4}"#),
            [false, false, true, true, true]
        );
        assert_eq!(
            keep(r#"{"field_key": "n", "lower_percentile": 0.2, "upper_percentile": 0.8}"#),
            [false, false, true, true, true]
        );
        assert_eq!(
            keep(r#"{"field_key": "n", "lower_rank": 4, "upper_rank": 2}"#),
            [false; 5]
        );
    }

    #[test]
    fn among_equals_at_a_bound_the_earlier_row_stays() {
        assert_eq!(
            keep(r#"{"field_key": "n", "lower_rank": 2, "upper_rank": 3}"#),
            [false, false, true, false, false]
        );
        assert_eq!(
            keep(r#"{"field_key": "n", "lower_rank": 1, "upper_rank": 2}"#),
            [false, false, true, false, false]
        );
    }

    #[test]
    fn dates_are_ranked() {
        let rows = [
            r#"{"d": "2024-05-01"}"#,
            r#"{"d": "2019-05-01"}"#,
            r#"{"d": "2021-05-01"}"#,
            "{}",
        ];
        let params = r#"{"field_key": "d", "lower_rank": 2, "upper_rank": 4}"#;
        let keep = Runner::new(operator!(RangeSpecifiedFieldSelector), params)
            .unwrap()
            .select_json(&rows)
            .unwrap();
        assert_eq!(keep, [true, false, true, false]);
    }

    #[test]
    fn a_bound_that_is_not_set_keeps_all() {
        assert_eq!(keep(r#"{"field_key": "n", "lower_rank": 2}"#), [true; 5]);
        assert_eq!(keep(r#"{"lower_rank": 2, "upper_rank": 3}"#), [true; 5]);
    }
}
