//! Single values against the keywords of a schema.

use serde_json::{Map, Value};

use crate::config::value::whole;

/// Returns whether a JSON value has a schema type without conversion.
pub(super) fn natural(kind: &str, value: &Value) -> bool {
    match (kind, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("string", Value::String(_)) => true,
        ("array", Value::Array(_)) | ("object", Value::Object(_)) => true,
        ("number", Value::Number(_)) => true,
        ("integer", number) => whole(number).is_some(),
        _ => false,
    }
}

pub(super) fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.is_number() && b.is_number() && a.as_f64() == b.as_f64())
}

pub(super) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn integer(keywords: &Map<String, Value>, value: &Value) -> Option<Value> {
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

pub(super) fn number(keywords: &Map<String, Value>, value: &Value) -> Option<Value> {
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

pub(super) fn length_fits(keywords: &Map<String, Value>, what: &str, length: usize) -> bool {
    let bound = |end: &str| {
        keywords
            .get(&format!("{end}{what}"))
            .and_then(Value::as_u64)
            .map(|n| n as usize)
    };
    bound("min").is_none_or(|n| length >= n) && bound("max").is_none_or(|n| length <= n)
}
