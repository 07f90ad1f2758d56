//! `key_value_grouper`

use djhost_sdk::prelude::*;
use serde_json::Value;
use std::fmt::Write;

/// Makes one row of all rows that have the same values in some fields: each field becomes the list
/// of their values.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KeyValueGrouper {
    /// Paths of the fields, names joined by dots; `__dj__stats__.KEY` is a stat. None: the text. A
    /// row without a field has `null` there.
    pub group_by_keys: Option<Vec<String>>,
}

impl KeyValueGrouper {
    fn keys(&self) -> &[String] {
        self.group_by_keys.as_deref().unwrap_or_default()
    }
}

impl Grouper for KeyValueGrouper {
    const NAME: &'static str = "key_value_grouper";

    fn prepare(&mut self) -> Result<(), String> {
        match self
            .keys()
            .iter()
            .any(|key| key.split('.').any(str::is_empty))
        {
            true => Err("`group_by_keys` has a path that is empty or has an empty part".into()),
            false => Ok(()),
        }
    }

    fn inputs(&self, common: &Common) -> Vec<Input> {
        // The text has the type that other operators ask for: a field has one type in a recipe.
        let input = |key: &String| match *key == common.text_key {
            true => Input::optional(key, ColumnType::Utf8),
            false => Input::optional(key, ColumnType::Json),
        };
        match self.keys() {
            [] => vec![Input::required(&common.text_key, ColumnType::Utf8)],
            keys => keys.iter().map(input).collect(),
        }
    }

    fn key(&mut self, row: Row<'_>, out: &mut String) -> Result<(), Reject> {
        if self.keys().is_empty() {
            out.push_str(row.text(0).unwrap_or_default());
            return Ok(());
        }
        for field in 0..self.keys().len() {
            match (row.text(field), row.column(field)) {
                (None, _) => out.push_str("null"),
                (Some(text), Column::Json(_)) => {
                    let value = serde_json::from_str(text).map_err(|error| {
                        format!("`{}` cannot be compared: {error}", self.keys()[field])
                    })?;
                    write_value(text.trim(), &value, out);
                }
                (Some(text), _) => write_value("", &Value::from(text), out),
            }
            out.push('\n');
        }
        Ok(())
    }
}

/// Appends the value in a canonical form. Numbers are equal if Python prints them equally: 1 is not
/// 1.0, but 1e0 is. `text` is its spelling in the row.
fn write_value(text: &str, value: &Value, out: &mut String) {
    let whole = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    match value {
        // An integer of any size.
        Value::Number(_) if !text.is_empty() && whole(text) => {
            out.push_str(if text == "-0" { "0" } else { text })
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => drop(write!(out, "{float:?}")),
            _ => drop(write!(out, "{number}")),
        },
        other => drop(write!(out, "{other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn groups(params: &str, rows: &[&str]) -> Vec<Vec<usize>> {
        Runner::new(operator!(KeyValueGrouper), params)
            .unwrap()
            .group_json(rows)
            .unwrap()
    }

    #[test]
    fn by_the_text_if_nothing_is_said() {
        let rows = [
            r#"{"text": "a"}"#,
            r#"{"text": "b", "n": 1}"#,
            r#"{"text": "a", "n": 2}"#,
        ];
        assert_eq!(groups("{}", &rows), [vec![0, 2], vec![1]]);
        assert_eq!(
            groups(r#"{"group_by_keys": []}"#, &rows),
            [vec![0, 2], vec![1]]
        );
        assert_eq!(
            groups(r#"{"group_by_keys": ["text"]}"#, &rows),
            [vec![0, 2], vec![1]]
        );
    }

    #[test]
    fn values_are_told_apart_by_what_they_are() {
        let rows = [
            r#"{"m": {"v": 1}}"#,
            r#"{"m": {"v": 1.0}}"#,
            r#"{"m": {"v": "1"}}"#,
            r#"{"m": {"v": true}}"#,
            r#"{"m": {"v": null}}"#,
            "{}",
            r#"{"m": {"v": 1e0}}"#,
            r#"{"m": {"v": [1, "a"]}}"#,
            r#"{"m": {"v": [1,"\u0061"]}}"#,
        ];
        assert_eq!(
            groups(r#"{"group_by_keys": ["m.v"]}"#, &rows),
            [
                vec![0],
                vec![1, 6],
                vec![2],
                vec![3],
                vec![4, 5],
                vec![7, 8]
            ]
        );
    }

    #[test]
    fn several_fields_do_not_run_into_each_other() {
        let rows = [
            r#"{"a": "x\n\"y", "b": "z"}"#,
            r#"{"a": "x", "b": "\"y\nz"}"#,
            r#"{"b": "z", "a": "x\n\"y"}"#,
        ];
        assert_eq!(
            groups(r#"{"group_by_keys": ["a", "b"]}"#, &rows),
            [vec![0, 2], vec![1]]
        );
    }

    #[test]
    fn integers_of_any_size_are_compared_exactly() {
        let rows = [
            r#"{"a": 12345678901234567890123}"#,
            r#"{"a": 12345678901234567890124}"#,
            r#"{"a": -0}"#,
            r#"{"a": 0}"#,
        ];
        let mut op = KeyValueGrouper {
            group_by_keys: Some(vec!["a".into()]),
        };
        op.prepare().unwrap();
        let mut keys = Vec::new();
        for row in rows {
            let text = row[6..].trim_end_matches('}');
            let mut key = String::new();
            write_value(text, &serde_json::from_str(text).unwrap(), &mut key);
            keys.push(key);
        }
        assert_ne!(keys[0], keys[1]);
        assert_eq!(keys[2], keys[3]);
    }

    #[test]
    fn a_path_must_have_parts() {
        let error =
            Runner::new(operator!(KeyValueGrouper), r#"{"group_by_keys": ["a..b"]}"#).unwrap_err();
        assert!(error.to_string().contains("`group_by_keys`"), "{error}");
    }
}
