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

mod describe;
mod scalar;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use serde_json::{Map, Value};

use super::invalid_value::InvalidValue;
use super::recipe::{COMMON_FLAGS, user_error};
use super::value::{ANY, OptionType};
use crate::error::{UserError, did_you_mean};
use scalar::{integer, length_fits, natural, number, plain, same};

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

    /// Checks one value and returns it in canonical form. Mistakes inside of it go to `errors`.
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
        self.check_type(schema, keywords, value, path, depth, errors)
    }

    /// Checks the `type` of a value and the keywords that go with it.
    fn check_type(
        &self,
        schema: &'a Value,
        keywords: &'a Map<String, Value>,
        value: Value,
        path: &str,
        depth: usize,
        errors: &mut Vec<UserError>,
    ) -> Result<Value, InvalidValue> {
        let expected = || InvalidValue::expected(self.describe(schema, 0), &value);
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
            Some(&"integer") => integer(keywords, &value).ok_or_else(expected),
            Some(&"number") => number(keywords, &value).ok_or_else(expected),
            Some(&"boolean") => bool::read(&value, ANY).map(Value::from),
            Some(&"string") => match &value {
                Value::String(text) if length_fits(keywords, "Length", text.chars().count()) => {
                    Ok(value)
                }
                Value::Number(_) | Value::Bool(_) => {
                    Err(InvalidValue::expected("a text", &value).hint("put the value in quotes"))
                }
                _ => Err(expected()),
            },
            Some(&"array") => match &value {
                Value::Array(items) if length_fits(keywords, "Items", items.len()) => {
                    self.items(keywords, items, path, depth, errors)
                }
                _ => Err(expected()),
            },
            Some(&"object") => match &value {
                Value::Object(fields) => Ok(Value::Object(
                    self.object(schema, fields, path, depth, errors),
                )),
                _ => Err(expected()),
            },
            _ => Err(expected()),
        }
    }

    /// Checks a value against the choices of `anyOf` or `oneOf`.
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

    /// Checks the items of a list.
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
