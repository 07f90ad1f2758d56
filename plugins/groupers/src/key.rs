//! `key_value_grouper`

use djhost_sdk::json::{Value, members};
use djhost_sdk::prelude::*;

/// Makes one row of all rows that have the same values in some fields: each field becomes the list
/// of their values.
///
/// Values are equal if they are of one kind and say the same: numbers digit by digit, of any size
/// (1.0, 1.00 and 1e0, but not the whole number 1), objects with the members in any order. `NaN` is
/// equal to itself.
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
    const TRAITS: Traits = Traits::NONE.json_constants();

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
                    let value = Value::read(text)
                        .map_err(|wrong| Reject(format!("`{}` {wrong}", self.keys()[field])))?;
                    write_value(&value, out);
                }
                (Some(text), _) => write_string(text, out),
            }
            out.push('\n');
        }
        Ok(())
    }
}

/// Appends the value in the one form that all its spellings have. Numbers are equal as Python's are
/// printed: 1 is not 1.0, which is 1e0, and 0.0 is not -0.0.
fn write_value(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_whole() => out.push_str(match number.as_str() {
            "-0" => "0",
            whole => whole,
        }),
        // With an exponent always, so it is like no whole number.
        Value::Number(number) => {
            if number.is_zero() && number.as_str().starts_with('-') {
                out.push('-');
            }
            number.write_key(out);
        }
        Value::String(text) => write_string(text.as_str(), out),
        Value::List(list) => {
            out.push('[');
            for value in list {
                write_value(value, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (key, value) in members(object) {
                write_string(key, out);
                out.push(':');
                write_value(value, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
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

    /// The group of each value, by the first one with its key.
    fn groups_of(values: &[&str]) -> Vec<usize> {
        let keys: Vec<String> = values
            .iter()
            .map(|json| {
                let mut key = String::new();
                write_value(&Value::read(json).unwrap(), &mut key);
                key
            })
            .collect();
        let first = |key: &String| keys.iter().position(|other| other == key).unwrap();
        keys.iter().map(first).collect()
    }

    #[test]
    fn integers_of_any_size_are_compared_exactly() {
        let values = [
            "12345678901234567890123",
            "12345678901234567890124",
            "-0",
            "0",
        ];
        assert_eq!(groups_of(&values), [0, 1, 2, 2]);
    }

    #[test]
    fn decimals_of_any_length_are_compared_exactly() {
        let values = [
            "123456789012345678.11",
            "123456789012345678.12",
            "123456789012345678.110",
            "0.1",
            "0.10",
            "1e-1",
            "0.1000000000000000055",
            "1e400",
            "1e401",
            "0.0",
            "-0.0",
            "0e7",
        ];
        assert_eq!(groups_of(&values), [0, 1, 0, 3, 3, 3, 6, 7, 8, 9, 10, 9]);
    }

    #[test]
    fn constants_are_values_of_their_own() {
        let constants = [
            "null",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e400",
            "\"NaN\"",
            "NaN",
        ];
        let expected = [0, 1, 2, 3, 4, 5, 1];
        assert_eq!(groups_of(&constants), expected);
        for (before, behind) in [("[1, ", "]"), ("{\"a\": ", "}")] {
            let nested = constants.map(|value| format!("{before}{value}{behind}"));
            assert_eq!(
                groups_of(&nested.each_ref().map(|value| &value[..])),
                expected
            );
        }
    }

    #[test]
    fn members_may_come_in_any_order() {
        let values = [
            r#"{"a":1,"b":{"c":2,"d":[3]}}"#,
            r#"{ "b" : {"d":[3],"c":2}, "\u0061" : 1 }"#,
            r#"{"a":0,"a":1,"b":{"c":2,"d":[3]}}"#,
            r#"{"a":1,"b":{"c":2,"d":[3],"e":null}}"#,
            r#"{"a":1,"b":{"c":[3],"d":2}}"#,
            "[1,2]",
            "[12]",
            "{}",
            "[]",
            "[[]]",
        ];
        assert_eq!(groups_of(&values), [0, 0, 0, 3, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn a_path_must_have_parts() {
        let error =
            Runner::new(operator!(KeyValueGrouper), r#"{"group_by_keys": ["a..b"]}"#).unwrap_err();
        assert!(error.to_string().contains("`group_by_keys`"), "{error}");
    }
}
