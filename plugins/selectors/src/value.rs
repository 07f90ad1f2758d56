//! The value of a field as a key.

use djhost_sdk::prelude::*;
use serde_json::Value;

/// The input for `field_key`; none for an empty one.
pub(crate) fn input(field_key: &str) -> Option<Input> {
    (!field_key.is_empty()).then(|| Input::optional(field_key, ColumnType::Json))
}

/// The value of the row's field, which is null where it is missing.
pub(crate) fn of(row: Row<'_>) -> Result<Value, Reject> {
    match row.text(0) {
        None => Ok(Value::Null),
        Some(json) => serde_json::from_str(json).map_err(|error| Reject(format!("the field is not JSON: {error}"))),
    }
}

/// The value as a number, as Data-Juicer's selectors take it: a list is its mean, a string what it spells, and whatever is no number is
/// `missing`.
pub(crate) fn number(value: &Value, missing: f64) -> f64 {
    fn add(value: &Value, sum: &mut f64, count: &mut usize) -> Option<()> {
        match value {
            Value::Array(list) => return list.iter().try_for_each(|element| add(element, sum, count)),
            Value::Number(number) => *sum += number.as_f64()?,
            Value::Bool(flag) => *sum += f64::from(u8::from(*flag)),
            _ => return None,
        }
        *count += 1;
        Some(())
    }
    if let Value::String(text) = value {
        return text.trim().parse().unwrap_or(missing);
    }
    let (mut sum, mut count) = (0.0, 0);
    match add(value, &mut sum, &mut count) {
        Some(()) if count > 0 => sum / count as f64,
        _ => missing,
    }
}

/// A number below and above which nothing counts: Python's `sys.maxsize`.
pub(crate) const MAX: f64 = i64::MAX as f64;

/// How many of `all` a ratio and a number allow together; None if neither is set. A ratio of 0 counts as not set, as in Data-Juicer.
pub(crate) fn allowed(ratio: Option<f64>, number: Option<u64>, all: usize) -> Option<usize> {
    let by_ratio = ratio.filter(|&ratio| ratio != 0.0).map(|ratio| (ratio * all as f64) as usize);
    let number = number.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    match (by_ratio, number) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// Checks that a ratio lies in 0..=1.
pub(crate) fn check_ratio(name: &str, ratio: Option<f64>) -> Result<(), String> {
    match ratio {
        Some(ratio) if !(0.0..=1.0).contains(&ratio) => Err(format!("`{name}` is {ratio}: it must be between 0 and 1")),
        _ => Ok(()),
    }
}

/// Checks that a number is at least 1.
pub(crate) fn check_positive(name: &str, number: Option<u64>) -> Result<(), String> {
    match number {
        Some(0) => Err(format!("`{name}` is 0: it must be at least 1")),
        _ => Ok(()),
    }
}

/// Flags for the rows in `chosen` among `rows`.
pub(crate) fn flags(rows: usize, chosen: impl IntoIterator<Item = u32>) -> Vec<bool> {
    let mut keep = vec![false; rows];
    chosen.into_iter().for_each(|row| keep[row as usize] = true);
    keep
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_sorts_of_values() {
        let cases =
            [("3", 3.0), ("true", 1.0), (r#"" 2.5 ""#, 2.5), ("[1, 2, [3, 6]]", 3.0), ("[]", -1.0), ("null", -1.0), (r#""x""#, -1.0)];
        for (json, expected) in cases {
            assert_eq!(number(&serde_json::from_str(json).unwrap(), -1.0), expected, "{json}");
        }
    }
}
