//! Recipes as values, for programs that hold them in memory.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::params::check_params;
use super::recipe::read_process;
use super::yaml::Document;
use crate::error::{UserError, UserErrors};

/// Reads a recipe as it is written: no defaults, no environment, keys in their order. Fails with
/// all mistakes of the text; whether the options exist is seen when it is resolved.
pub fn read_values(recipe: &Path) -> Result<Map<String, Value>, UserErrors> {
    let document = Document::read(recipe).map_err(UserErrors)?;
    if document.problems.is_empty() {
        Ok(document.root)
    } else {
        Err(UserErrors(document.problems))
    }
}

/// Checks one entry of `process` against the schema of its operator: the parameters, and the
/// settings for the host that every entry may have (`text_key`, `on_error`, `limits`, …). The place
/// of a mistake is `NAME.PARAMETER`.
pub fn check_entry(
    name: &str,
    params: &Map<String, Value>,
    schema: &Value,
) -> Result<(), UserErrors> {
    let process = json!([{ name: params }]);
    let place = |path: &str| path.trim_start_matches("[0].").to_owned();
    let mut errors: Vec<UserError> = Vec::new();
    for op in read_process(&process, &[], &place, &mut errors, &mut Vec::new()) {
        let checked = check_params(schema, &op.params, |param| op.place_of(param));
        errors.extend(checked.err().into_iter().flatten());
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(UserErrors(errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_parameters_and_settings_of_the_host() {
        let schema = json!({"type": "object", "properties": {"min_len": {"type": "integer", "default": 10}}});
        let check = |params: Value| {
            let Value::Object(params) = params else {
                unreachable!()
            };
            check_entry("text_length_filter", &params, &schema).map_err(|e| e.to_string())
        };
        let good = json!({"min_len": 5, "text_key": "body", "on_error": "fail", "reversed_range": true, "limits": {"memory_mb": 64}});
        assert_eq!(check(good), Ok(()));
        let error = check(json!({"min_lne": 5, "limits": {"memory": 1}})).unwrap_err();
        for part in [
            "text_length_filter.min_lne: there is no parameter `min_lne`",
            "did you mean `min_len`",
            "text_length_filter.limits.memory",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_recipe_is_read_as_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.yaml");
        std::fs::write(
            &path,
            "np: 2\nprocess:\n  - a_filter: {min: 1.0}\n  - b_mapper:\n",
        )
        .unwrap();
        let expected =
            json!({"np": 2, "process": [{"a_filter": {"min": 1.0}}, {"b_mapper": null}]});
        assert_eq!(Value::Object(read_values(&path).unwrap()), expected);
        std::fs::write(&path, "np: 2\nnp: 3\n").unwrap();
        assert!(
            read_values(&path)
                .unwrap_err()
                .to_string()
                .contains("given twice")
        );
    }
}
