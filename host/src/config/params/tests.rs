use super::*;
use serde_json::json;

fn check(schema: Value, params: Value) -> Result<Value, Vec<String>> {
    check_params(&schema, params.as_object().unwrap(), |p| p.to_owned())
        .map(Value::Object)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn schema(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

#[test]
fn defaults_are_filled_in_and_numbers_get_the_schema_type() {
    let s = schema(
        json!({"min": {"type": "number", "default": 0, "minimum": 0}, "len": {"type": "integer", "format": "uint64", "default": 1}}),
    );
    assert_eq!(
        check(s.clone(), json!({})),
        Ok(json!({"min": 0.0, "len": 1}))
    );
    assert_eq!(
        check(s.clone(), json!({"len": 1e9, "min": 1})),
        Ok(json!({"min": 1.0, "len": 1_000_000_000}))
    );
    assert_eq!(
        check(s.clone(), json!({"len": 9_223_372_036_854_775_807_u64})),
        Ok(json!({"min": 0.0, "len": i64::MAX}))
    );
    assert_eq!(
        check(s, json!({"len": null})),
        Ok(json!({"min": 0.0, "len": 1}))
    );
}

#[test]
fn every_mistake_is_reported_with_what_is_valid() {
    let s = schema(json!({
        "min_len": {"type": "integer", "minimum": 0},
        "mode": {"type": "string", "enum": ["exact", "fuzzy"]},
        "pairs": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    }));
    let errors = check(
        s,
        json!({"min_len": -1, "mode": "exat", "pairs": ["a", 5], "max_len": 3}),
    )
    .unwrap_err();
    assert_eq!(
        errors,
        [
            "min_len: expected a whole number of at least 0, got `-1`",
            "mode: unknown value `exat`\n  hint: did you mean `exact`? valid values: `exact`, `fuzzy`",
            "pairs[1]: expected a text, got `5`\n  hint: put the value in quotes",
            "max_len: there is no parameter `max_len`\n  hint: did you mean `min_len`? parameters: `min_len`, `mode`, `pairs`",
        ]
    );
}

#[test]
fn optional_and_mixed_types_as_schemars_writes_them() {
    let s = json!({
        "type": "object",
        "properties": {
            "limit": {"type": ["integer", "null"], "default": null},
            "repl": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}], "default": ""},
            "hash": {"$ref": "#/$defs/Hash", "default": "md5"},
            "then": {"anyOf": [{"$ref": "#/$defs/Hash"}, {"type": "null"}], "default": null},
            "n": {"anyOf": [{"type": "number"}, {"type": "integer"}, {"type": "string"}], "default": 3},
        },
        "$defs": {"Hash": {"oneOf": [{"const": "md5", "description": "x"}, {"type": "string", "const": "xxh3"}]}},
    });
    assert_eq!(
        check(s.clone(), json!({})),
        Ok(json!({"limit": null, "repl": "", "hash": "md5", "then": null, "n": 3.0}))
    );
    let given = json!({"limit": 5, "repl": ["a"], "hash": "xxh3", "then": "md5", "n": "x"});
    assert_eq!(check(s.clone(), given.clone()), Ok(given));
    let errors = check(
        s,
        json!({"limit": "x", "repl": 7, "hash": "md4", "then": "md4"}),
    )
    .unwrap_err();
    assert_eq!(
        errors,
        [
            "limit: expected a whole number or null, got the text `x`",
            "repl: expected a text or a list (each a text), got `7`",
            "hash: unknown value `md4`\n  hint: did you mean `md5`? valid values: `md5`, `xxh3`",
            "then: unknown value `md4`\n  hint: did you mean `md5`? valid values: `md5`, `xxh3`",
        ]
    );
}

#[test]
fn a_required_parameter_must_be_there() {
    let s = json!({"type": "object", "properties": {"field": {"type": "string"}}, "required": ["field"]});
    assert_eq!(
        check(s, json!({})).unwrap_err(),
        ["field: the parameter is missing and has no default\n  hint: expected a text"]
    );
}

#[test]
fn common_parameters_need_no_schema_but_a_type() {
    let s = schema(json!({}));
    assert_eq!(
        check(s.clone(), json!({"reversed_range": "yes", "seed": 7})),
        Ok(json!({"reversed_range": true, "seed": 7}))
    );
    assert_eq!(
        check(s, json!({"min_closed_interval": 3})).unwrap_err(),
        ["min_closed_interval: expected true or false, got `3`"]
    );
}

#[test]
fn circular_references_end() {
    let s = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/A"}}});
    assert!(check(s, json!({"a": 1})).is_ok());
    let s = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}]}}});
    assert!(check(s, json!({"a": 1})).is_err());
}

#[test]
fn canonical_json_does_not_depend_on_the_order_of_keys() {
    assert_eq!(
        canonical_json(&json!({"b": [1, {"z": "\"", "y": null}], "a": 1.0})),
        r#"{"a":1.0,"b":[1,{"y":null,"z":"\""}]}"#
    );
}
