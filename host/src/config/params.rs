//! Checks the parameters of an operator against its JSON Schema.
//!
//! Covers the subset of JSON Schema that `schemars` 1.x generates from Rust structs: `type`,
//! `properties`, `required`, `additionalProperties`, `default`, `enum`, `const`, bounds, `items`,
//! `prefixItems`, `anyOf`, `oneOf`, `allOf`, `$ref` into the schema itself, and integer `format`s.
//! Other keywords are ignored; the operator itself has the last word when it is created.
//!
//! Written by hand: a validator (`jsonschema` 0.61, with some 75 crates of its own) only says
//! whether a value is valid. This code also fills in defaults, converts a value to the declared
//! type (`1e9` to an integer), and names the nearest valid choice in its messages.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::invalid_value::InvalidValue;
use super::recipe::{COMMON_FLAGS, user_error};
use super::value::{ANY, OptionType, whole};
use crate::error::{UserError, did_you_mean};

/// References may form a cycle; no real parameter is this deep.
const MAX_DEPTH: usize = 32;

/// Steps for one call of [`check_params`]: hundreds of times what a real schema needs. Schemas come
/// from plugins, and a cycle with two choices would otherwise branch without end.
const MAX_STEPS: u32 = 100_000;

/// Checks `params` and returns them in canonical form: in the order of the schema, with defaults,
/// and with numbers in the type of the schema (`1` for a float becomes `1.0`, `1e9` for an integer
/// `1000000000`). `place` returns the place of a parameter such as `min_len` or `polygon[2]`.
///
/// A parameter that is `null` counts as not given unless the schema allows null. The common
/// parameters of the WIT's `create` are accepted for every operator and are in the result if they
/// were given.
pub fn check_params(
    schema: &Value,
    params: &Map<String, Value>,
    place: impl Fn(&str) -> String,
) -> Result<Map<String, Value>, Vec<UserError>> {
    let root = Schema {
        root: schema,
        place: &place,
        steps: Cell::new(MAX_STEPS),
    };
    let mut errors = Vec::new();
    let mut own = params.clone();
    let mut common = Map::new();
    let declared = |name: &str| {
        schema
            .get("properties")
            .is_some_and(|p| p.get(name).is_some())
    };
    for name in COMMON_FLAGS.iter().map(|(name, _)| *name).chain(["seed"]) {
        if declared(name) {
            continue;
        }
        let Some(value) = own.remove(name).filter(|v| !v.is_null()) else {
            continue;
        };
        let read = if name == "seed" {
            u64::read(&value, ANY).map(Value::from)
        } else {
            bool::read(&value, ANY).map(Value::from)
        };
        match read {
            Ok(value) => drop(common.insert(name.to_owned(), value)),
            Err(wrong) => errors.push(user_error(place(name), wrong)),
        }
    }
    let object = root.object(schema, &own, "", 0, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut checked = object;
    checked.extend(common);
    Ok(checked)
}

/// Returns the same text for equal values: keys are sorted, and there are no blanks.
pub fn canonical_json(value: &Value) -> String {
    match value {
        Value::Array(items) => format!(
            "[{}]",
            items
                .iter()
                .map(canonical_json)
                .collect::<Vec<_>>()
                .join(",")
        ),
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let fields: Vec<String> = keys
                .into_iter()
                .map(|k| format!("{}:{}", Value::from(k.as_str()), canonical_json(&map[k])))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        scalar => scalar.to_string(),
    }
}

struct Schema<'a> {
    root: &'a Value,
    place: &'a dyn Fn(&str) -> String,
    steps: Cell<u32>,
}

impl<'a> Schema<'a> {
    /// Checks the fields of a mapping. Adds each mistake to `errors`, with its own place.
    fn object(
        &self,
        schema: &'a Value,
        given: &Map<String, Value>,
        path: &str,
        depth: usize,
        errors: &mut Vec<UserError>,
    ) -> Map<String, Value> {
        let none = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let open = matches!(
            schema.get("additionalProperties"),
            Some(Value::Bool(true) | Value::Object(_))
        );
        let mut result = Map::new();
        for (name, property) in properties {
            let at = field(path, name);
            match given.get(name) {
                Some(value) if !value.is_null() || self.types(property, 0).contains(&"null") => {
                    match self.check(property, value, &at, depth + 1, errors) {
                        Ok(value) => drop(result.insert(name.clone(), value)),
                        Err(wrong) => errors.push(user_error((self.place)(&at), wrong)),
                    }
                }
                _ => {
                    if let Some(default) = property.get("default") {
                        // A default in another spelling (`1` for a float) must have the same
                        // canonical form as the user's value.
                        let canonical =
                            self.check(property, default, &at, depth + 1, &mut Vec::new());
                        result.insert(name.clone(), canonical.unwrap_or_else(|_| default.clone()));
                    } else if schema
                        .get("required")
                        .and_then(Value::as_array)
                        .is_some_and(|r| r.iter().any(|n| n == name.as_str()))
                    {
                        let error = UserError::new(
                            (self.place)(&at),
                            "the parameter is missing and has no default",
                        );
                        errors.push(error.hint(format!("expected {}", self.describe(property, 0))));
                    }
                }
            }
        }
        for (name, value) in given
            .iter()
            .filter(|(name, _)| !properties.contains_key(*name))
        {
            let at = field(path, name);
            match schema.get("additionalProperties") {
                Some(extra @ Value::Object(_)) => {
                    match self.check(extra, value, &at, depth + 1, errors) {
                        Ok(value) => drop(result.insert(name.clone(), value)),
                        Err(wrong) => errors.push(user_error((self.place)(&at), wrong)),
                    }
                }
                _ if open => drop(result.insert(name.clone(), value.clone())),
                _ => errors.push(user_error((self.place)(&at), unknown(name, properties))),
            }
        }
        result
    }

    fn check(
        &self,
        schema: &'a Value,
        value: &Value,
        path: &str,
        depth: usize,
        errors: &mut Vec<UserError>,
    ) -> Result<Value, InvalidValue> {
        if depth > MAX_DEPTH || !self.step() {
            return Err(InvalidValue::new(
                "the schema of the operator is nested too deeply",
            ));
        }
        let schema = self.follow(schema);
        let Some(keywords) = schema.as_object() else {
            return if schema == &Value::Bool(false) {
                Err(InvalidValue::new("is not allowed"))
            } else {
                Ok(value.clone())
            };
        };
        let mut value = value.clone();
        for part in keywords
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            value = self.check(part, &value, path, depth + 1, errors)?;
        }
        for kind in ["anyOf", "oneOf"] {
            if let Some(choices) = keywords.get(kind).and_then(Value::as_array) {
                value = self.any_of(schema, choices, &value, path, depth, errors)?;
            }
        }
        if let Some(constant) = keywords.get("const")
            && !same(constant, &value)
        {
            return Err(InvalidValue::expected(
                format!("`{}`", plain(constant)),
                &value,
            ));
        }
        if let Some(valid) = keywords.get("enum").and_then(Value::as_array) {
            return match (valid.iter().find(|v| same(v, &value)), &value) {
                (Some(found), _) => Ok(found.clone()),
                (None, Value::String(s)) if valid.iter().all(Value::is_string) => Err(
                    InvalidValue::choice(s, valid.iter().filter_map(Value::as_str)),
                ),
                (None, _) => Err(InvalidValue::expected(self.describe(schema, 0), &value)),
            };
        }
        let types: Vec<&str> = match keywords.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => return Ok(value),
        };
        // If several types are allowed, the type of the value comes first: `["string", "integer"]`
        // keeps 5 a number.
        let own = types.iter().find(|t| natural(t, &value)).or(types.first());
        match own {
            Some(&"null") if value.is_null() => Ok(value),
            Some(&"integer") => integer(keywords, &value)
                .ok_or_else(|| InvalidValue::expected(self.describe(schema, 0), &value)),
            Some(&"number") => number(keywords, &value)
                .ok_or_else(|| InvalidValue::expected(self.describe(schema, 0), &value)),
            Some(&"boolean") => bool::read(&value, ANY).map(Value::from),
            Some(&"string") => match &value {
                Value::String(text) if length_fits(keywords, "Length", text.chars().count()) => {
                    Ok(value)
                }
                Value::Number(_) | Value::Bool(_) => {
                    Err(InvalidValue::expected("a text", &value).hint("put the value in quotes"))
                }
                _ => Err(InvalidValue::expected(self.describe(schema, 0), &value)),
            },
            Some(&"array") => match &value {
                Value::Array(items) if length_fits(keywords, "Items", items.len()) => {
                    self.items(keywords, items, path, depth, errors)
                }
                _ => Err(InvalidValue::expected(self.describe(schema, 0), &value)),
            },
            Some(&"object") => match &value {
                Value::Object(fields) => Ok(Value::Object(
                    self.object(schema, fields, path, depth, errors),
                )),
                _ => Err(InvalidValue::expected(self.describe(schema, 0), &value)),
            },
            _ => Err(InvalidValue::expected(self.describe(schema, 0), &value)),
        }
    }

    fn any_of(
        &self,
        schema: &'a Value,
        choices: &'a [Value],
        value: &Value,
        path: &str,
        depth: usize,
        errors: &mut Vec<UserError>,
    ) -> Result<Value, InvalidValue> {
        // Try the value's own type first, so that the result for `anyOf: [number, integer]` and the
        // like does not depend on the order.
        let natural_first =
            |choice: &&Value| !self.types(choice, 0).iter().any(|t| natural(t, value));
        let mut sorted: Vec<&Value> = choices.iter().collect();
        sorted.sort_by_key(natural_first);
        let mut reasons = Vec::new();
        for choice in sorted {
            let mut inner = Vec::new();
            match self.check(choice, value, path, depth + 1, &mut inner) {
                Ok(value) if inner.is_empty() => return Ok(value),
                Ok(_) => reasons.push((choice, Err(inner))),
                Err(wrong) => reasons.push((choice, Ok(wrong))),
            }
        }
        // Enums with comments become lists of constants.
        let words: Vec<&str> = choices
            .iter()
            .filter_map(|c| self.follow(c).get("const")?.as_str())
            .collect();
        if let (Value::String(text), false) = (value, words.is_empty()) {
            return Err(InvalidValue::choice(text, words));
        }
        // If only one choice is of the value's kind, its message is the most useful.
        let mut fitting = reasons
            .into_iter()
            .filter(|(choice, _)| self.types(choice, 0).iter().any(|t| natural(t, value)));
        match (fitting.next(), fitting.next()) {
            (Some((_, Ok(wrong))), None) => Err(wrong),
            (Some((_, Err(inner))), None) => {
                errors.extend(inner);
                Ok(value.clone())
            }
            _ => Err(InvalidValue::expected(self.describe(schema, 0), value)),
        }
    }

    fn items(
        &self,
        keywords: &'a Map<String, Value>,
        items: &[Value],
        path: &str,
        depth: usize,
        errors: &mut Vec<UserError>,
    ) -> Result<Value, InvalidValue> {
        let prefix = keywords
            .get("prefixItems")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let mut checked = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let Some(schema) = prefix.get(i).or_else(|| keywords.get("items")) else {
                checked.push(item.clone());
                continue;
            };
            let at = format!("{path}[{i}]");
            match self.check(schema, item, &at, depth + 1, errors) {
                Ok(value) => checked.push(value),
                Err(wrong) => errors.push(user_error((self.place)(&at), wrong)),
            }
        }
        Ok(Value::Array(checked))
    }

    /// Takes one step; returns false when none is left.
    fn step(&self) -> bool {
        self.steps.set(self.steps.get().saturating_sub(1));
        self.steps.get() > 0
    }

    fn follow(&self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        for _ in 0..MAX_DEPTH {
            let target = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix('#'))
                .and_then(|p| self.root.pointer(p));
            match target {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    /// Returns the types that a schema allows, those of its choices included.
    fn types(&self, schema: &'a Value, depth: usize) -> Vec<&'a str> {
        let schema = self.follow(schema);
        let mut types = match schema.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if depth < MAX_DEPTH && types.is_empty() && self.step() {
            let choices = ["anyOf", "oneOf"]
                .iter()
                .filter_map(|k| schema.get(k)?.as_array())
                .flatten();
            types.extend(choices.flat_map(|c| self.types(c, depth + 1)));
        }
        types
    }

    /// Returns what a schema asks for: `a whole number of at least 0`.
    fn describe(&self, schema: &'a Value, depth: usize) -> String {
        let schema = self.follow(schema);
        let Some(keywords) = schema.as_object().filter(|_| depth < 8 && self.step()) else {
            return "any value".into();
        };
        if let Some(valid) = keywords.get("enum").and_then(Value::as_array) {
            return valid
                .iter()
                .map(|v| format!("`{}`", plain(v)))
                .collect::<Vec<_>>()
                .join(" | ");
        }
        if let Some(constant) = keywords.get("const") {
            return format!("`{}`", plain(constant));
        }
        let choices: Vec<&Value> = ["anyOf", "oneOf"]
            .iter()
            .filter_map(|k| keywords.get(*k)?.as_array())
            .flatten()
            .collect();
        if !choices.is_empty() {
            return choices
                .iter()
                .map(|c| self.describe(c, depth + 1))
                .collect::<Vec<_>>()
                .join(" or ");
        }
        let one = |kind: &&str| match *kind {
            "integer" => format!("a whole number{}", bounds_text(keywords)),
            "number" => format!("a number{}", bounds_text(keywords)),
            "boolean" => "true or false".into(),
            "string" => format!("a text{}", length_text(keywords, "Length", "characters")),
            "null" => "null".into(),
            "object" => "a mapping".into(),
            "array" => {
                let of = match keywords.get("items") {
                    Some(items @ Value::Object(_)) => {
                        format!(" (each {})", self.describe(items, depth + 1))
                    }
                    _ => String::new(),
                };
                format!("a list{}{of}", length_text(keywords, "Items", "entries"))
            }
            other => format!("a value of type `{other}`"),
        };
        let types = self.types(schema, 0);
        if types.is_empty() {
            "any value".into()
        } else {
            types.iter().map(one).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn field(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn unknown(name: &str, properties: &Map<String, Value>) -> InvalidValue {
    let wrong = InvalidValue::new(format!("there is no parameter `{name}`"));
    if properties.is_empty() {
        return wrong.hint("there are no parameters");
    }
    let list = properties
        .keys()
        .map(|k| format!("`{k}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match did_you_mean(name, properties.keys().map(String::as_str)) {
        Some(near) => wrong.hint(format!("did you mean `{near}`? parameters: {list}")),
        None => wrong.hint(format!("parameters: {list}")),
    }
}

/// Returns whether a JSON value has a schema type without conversion.
fn natural(kind: &str, value: &Value) -> bool {
    match (kind, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("string", Value::String(_)) => true,
        ("array", Value::Array(_)) | ("object", Value::Object(_)) => true,
        ("number", Value::Number(_)) => true,
        ("integer", number) => whole(number).is_some(),
        _ => false,
    }
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.is_number() && b.is_number() && a.as_f64() == b.as_f64())
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn integer(keywords: &Map<String, Value>, value: &Value) -> Option<Value> {
    let n = whole(value)?;
    let (least, most) = match keywords.get("format").and_then(Value::as_str) {
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint" | "uint64") => (0, u64::MAX.into()),
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int" | "int64") => (i64::MIN.into(), i64::MAX.into()),
        _ => (i128::from(i64::MIN), i128::from(u64::MAX)),
    };
    if n < least || n > most || !in_bounds(keywords, n as f64) {
        return None;
    }
    i64::try_from(n)
        .map(Value::from)
        .or_else(|_| u64::try_from(n).map(Value::from))
        .ok()
}

fn number(keywords: &Map<String, Value>, value: &Value) -> Option<Value> {
    let n = value.as_number()?.as_f64()?;
    // 1 and 1.0 are the same parameter. A number that a double cannot hold exactly stays as it was
    // given.
    let is_exact = whole(value).is_none_or(|whole| n as i128 == whole);
    in_bounds(keywords, n).then(|| if is_exact { n.into() } else { value.clone() })
}

fn in_bounds(keywords: &Map<String, Value>, n: f64) -> bool {
    let bound = |key: &str| keywords.get(key).and_then(Value::as_f64);
    bound("minimum").is_none_or(|b| n >= b)
        && bound("maximum").is_none_or(|b| n <= b)
        && bound("exclusiveMinimum").is_none_or(|b| n > b)
        && bound("exclusiveMaximum").is_none_or(|b| n < b)
}

fn bounds_text(keywords: &Map<String, Value>) -> String {
    let parts: Vec<String> = [
        ("minimum", "of at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "of at most"),
        ("exclusiveMaximum", "below"),
    ]
    .iter()
    .filter_map(|(key, word)| Some(format!("{word} {}", keywords.get(*key)?)))
    .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" {}", parts.join(" and "))
    }
}

fn length_fits(keywords: &Map<String, Value>, what: &str, length: usize) -> bool {
    let bound = |end: &str| {
        keywords
            .get(&format!("{end}{what}"))
            .and_then(Value::as_u64)
            .map(|n| n as usize)
    };
    bound("min").is_none_or(|n| length >= n) && bound("max").is_none_or(|n| length <= n)
}

fn length_text(keywords: &Map<String, Value>, what: &str, unit: &str) -> String {
    let bound = |end: &str| {
        keywords
            .get(&format!("{end}{what}"))
            .and_then(Value::as_u64)
    };
    match (bound("min"), bound("max")) {
        (Some(a), Some(b)) if a == b => format!(" of {a} {unit}"),
        (Some(a), Some(b)) => format!(" of {a} to {b} {unit}"),
        (Some(a), None) => format!(" of at least {a} {unit}"),
        (None, Some(b)) => format!(" of at most {b} {unit}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
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
}
