//! `specified_field_filter`

use crate::field;
use djhost_sdk::prelude::*;
use serde_json::Value;

/// Keeps rows where a field has one of some values.
///
/// Of a list all elements must be among the values. With `reversed_range` the other rows stay.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecifiedFieldFilter {
    /// The path of the field, names joined by dots. Empty: all rows stay.
    pub field_key: String,
    /// The values. None: all rows stay.
    pub target_value: Vec<Value>,
}

impl Operator for SpecifiedFieldFilter {
    const NAME: &'static str = "specified_field_filter";
    const KIND: Kind = Kind::Filter;

    fn signature(&self, _common: &Common) -> Signature {
        let path = (!self.field_key.is_empty()).then(|| self.field_key.clone());
        field::signature(path.as_slice(), Vec::new())
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let among = |value: &Value| {
            self.target_value
                .iter()
                .any(|target| field::equal(value, target))
        };
        Ok(field::judge(batch, |_, row| {
            if self.field_key.is_empty() || self.target_value.is_empty() {
                return Ok(true);
            }
            let keep = match field::value(row, 0)? {
                Value::Array(list) => list.iter().all(among),
                value => among(&value),
            };
            Ok(keep != common.reversed_range)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    const ROWS: [&str; 6] = [
        r#"{"m": {"s": "en"}}"#,
        r#"{"m": {"s": 1.0}}"#,
        r#"{"m": {"s": ["en", 1]}}"#,
        r#"{"m": {"s": ["en", "de"]}}"#,
        "{}",
        r#"{"m": {"s": []}}"#,
    ];

    fn keep(params: &str) -> Vec<bool> {
        Runner::new(operator!(SpecifiedFieldFilter), params)
            .unwrap()
            .filter_json(&ROWS)
            .keep
    }

    #[test]
    fn all_elements_must_be_among_the_values() {
        assert_eq!(
            keep(r#"{"field_key": "m.s", "target_value": ["en", 1]}"#),
            [true, true, true, false, false, true]
        );
        let reversed = r#"{"field_key": "m.s", "target_value": ["en", 1], "reversed_range": true}"#;
        assert_eq!(keep(reversed), [false, false, false, true, true, false]);
        assert_eq!(
            keep(r#"{"field_key": "m.s", "target_value": [null]}"#),
            [false, false, false, false, true, true]
        );
    }

    #[test]
    fn without_field_or_values_all_stay() {
        assert_eq!(keep(r#"{"target_value": ["en"]}"#), [true; 6]);
        assert_eq!(keep(r#"{"field_key": "m.s"}"#), [true; 6]);
    }
}
