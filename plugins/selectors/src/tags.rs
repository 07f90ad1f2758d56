//! `tags_specified_field_selector`

use crate::value;
use djhost_sdk::json::Value;
use djhost_sdk::prelude::*;

/// Keeps the rows where a field is one of some strings.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TagsSpecifiedFieldSelector {
    /// The path of the field, names joined by dots. Its values must be strings, numbers or nothing.
    /// Empty: all rows stay.
    pub field_key: String,
    /// The strings, compared exactly.
    pub target_tags: Vec<String>,
}

impl Selector for TagsSpecifiedFieldSelector {
    const NAME: &'static str = "tags_specified_field_selector";
    const TRAITS: Traits = Traits::NONE.json_constants();
    type Key = i64;

    fn prepare(&mut self) -> Result<(), String> {
        match self.target_tags.is_empty() {
            true => Err("`target_tags` is empty: it must name at least one string".into()),
            false => Ok(()),
        }
    }

    fn input(&self, _common: &Common) -> Option<Input> {
        value::input(&self.field_key)
    }

    fn key(&mut self, row: Row<'_>) -> Result<i64, Reject> {
        if self.field_key.is_empty() {
            return Ok(1);
        }
        match value::of(row)? {
            Value::String(text) => Ok(self
                .target_tags
                .iter()
                .any(|tag| tag == text.as_str())
                .into()),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(0),
            Value::List(_) | Value::Object(_) => Err(Reject(format!(
                "`{}` is not a string, a number or nothing",
                self.field_key
            ))),
        }
    }

    fn select(&mut self, _common: &Common, keys: &[i64]) -> Result<Vec<bool>, String> {
        Ok(keys
            .iter()
            .map(|&key| key == 1 || keys.len() == 1)
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn keep(params: &str, rows: &[&str]) -> Vec<bool> {
        Runner::new(operator!(TagsSpecifiedFieldSelector), params)
            .unwrap()
            .select_json(rows)
            .unwrap()
    }

    #[test]
    fn only_equal_strings_stay() {
        let rows = [
            r#"{"m": {"s": "en"}}"#,
            r#"{"m": {"s": "EN"}}"#,
            r#"{"m": {"s": 1}}"#,
            r#"{"m": {"s": "de"}}"#,
            "{}",
        ];
        assert_eq!(
            keep(
                r#"{"field_key": "m.s", "target_tags": ["de", "en", "1"]}"#,
                &rows
            ),
            [true, false, false, true, false]
        );
        assert_eq!(keep(r#"{"target_tags": ["x"]}"#, &rows), [true; 5]);
        assert_eq!(
            keep(r#"{"field_key": "m.s", "target_tags": ["x"]}"#, &rows[..1]),
            [true]
        );
    }

    #[test]
    fn without_tags_it_is_refused() {
        let error = Runner::new(
            operator!(TagsSpecifiedFieldSelector),
            r#"{"field_key": "x"}"#,
        )
        .unwrap_err();
        assert!(
            error.to_string().contains("`target_tags` is empty"),
            "{error}"
        );
    }
}
