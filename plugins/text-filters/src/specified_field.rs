//! `specified_field_filter`

use crate::field;
use djhost_sdk::json;
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
    /// The same, to compare with.
    #[serde(skip)]
    targets: Vec<json::Value<'static>>,
}

impl Operator for SpecifiedFieldFilter {
    const NAME: &'static str = "specified_field_filter";
    const TRAITS: Traits = Traits::NONE.json_constants();
    const KIND: Kind = Kind::Filter;

    fn prepare(&mut self) -> Result<(), String> {
        self.targets = self.target_value.iter().map(json::Value::from).collect();
        Ok(())
    }

    fn signature(&self, _common: &Common) -> Signature {
        let path = (!self.field_key.is_empty()).then(|| self.field_key.clone());
        field::signature(path.as_slice(), Vec::new())
    }

    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let among = |value: &json::Value<'_>| {
            self.targets
                .iter()
                .any(|target| field::equal(value, target))
        };
        Ok(field::judge(batch, |_, row| {
            if self.field_key.is_empty() || self.target_value.is_empty() {
                return Ok(true);
            }
            let keep = match field::value(row, 0)? {
                json::Value::List(list) => list.iter().all(among),
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
    fn nothing_is_not_a_number_that_is_not_finite() {
        let params = r#"{"field_key": "v", "target_value": [null, 9007199254740993]}"#;
        let values = [
            Some("NaN"),
            Some("Infinity"),
            None,
            Some("9007199254740993.00"),
            Some("9007199254740992"),
            Some("[9007199254740993.5]"),
            Some("[null]"),
        ];
        let batch = Batch {
            row_ids: (0..values.len() as u64).collect(),
            fields: vec![Field {
                path: "v".into(),
                values: Column::Json(values.into_iter().collect()),
            }],
        };
        let mut op = Runner::new(operator!(SpecifiedFieldFilter), params).unwrap();
        let Ok(Output::Filtered { keep, .. }) = op.process(&batch) else {
            panic!("it answers with flags");
        };
        assert_eq!(keep, [0, 0, 1, 1, 0, 0, 1]);
    }

    #[test]
    fn without_field_or_values_all_stay() {
        assert_eq!(keep(r#"{"target_value": ["en"]}"#), [true; 6]);
        assert_eq!(keep(r#"{"field_key": "m.s"}"#), [true; 6]);
    }
}
