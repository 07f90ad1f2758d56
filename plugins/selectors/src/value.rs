//! Uses the value of a field as a key.

use djhost_sdk::json::Value;
use djhost_sdk::prelude::*;

/// The input for `field_key`; None for an empty one.
pub(crate) fn input(field_key: &str) -> Option<Input> {
    (!field_key.is_empty()).then(|| Input::optional(field_key, ColumnType::Json))
}

/// The value of the row's field, null if it is missing.
pub(crate) fn of(row: Row<'_>) -> Result<Value<'_>, Reject> {
    row.text(0)
        .map_or(Ok(Value::Null), |json| parse(json, row.path(0)))
}

/// The value that a JSON text of the field `path` stands for.
pub(crate) fn parse<'a>(json: &'a str, path: &str) -> Result<Value<'a>, Reject> {
    Value::read(json).map_err(|wrong| Reject(format!("`{path}` {wrong}")))
}

/// The mean of the numbers in a list, including nested lists, as Data-Juicer's selectors compute
/// it; None for an empty list or one with other values.
pub(crate) fn mean(list: &Value<'_>) -> Option<f64> {
    fn add(value: &Value<'_>, sum: &mut f64, count: &mut usize) -> Option<()> {
        match value {
            Value::List(list) => {
                return list.iter().try_for_each(|element| add(element, sum, count));
            }
            other => *sum += other.number()?.as_f64(),
        }
        *count += 1;
        Some(())
    }
    let (mut sum, mut count) = (0.0, 0);
    add(list, &mut sum, &mut count)?;
    (count > 0).then(|| sum / count as f64)
}

/// How many of `all` a ratio and a number allow together; None if neither is set. A ratio of 0
/// counts as not set, as in Data-Juicer.
pub(crate) fn allowed(ratio: Option<f64>, number: Option<u64>, all: usize) -> Option<usize> {
    let by_ratio = ratio
        .filter(|&ratio| ratio != 0.0)
        .map(|ratio| (ratio * all as f64) as usize);
    let number = number.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    match (by_ratio, number) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// Checks that a ratio lies in 0..=1.
pub(crate) fn check_ratio(name: &str, ratio: Option<f64>) -> Result<(), String> {
    match ratio {
        Some(ratio) if !(0.0..=1.0).contains(&ratio) => {
            Err(format!("`{name}` is {ratio}: it must be between 0 and 1"))
        }
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

/// Flags for `rows` rows, set for those in `chosen`.
pub(crate) fn flags(rows: usize, chosen: impl IntoIterator<Item = u32>) -> Vec<bool> {
    let mut keep = vec![false; rows];
    chosen.into_iter().for_each(|row| keep[row as usize] = true);
    keep
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_lists() {
        for (json, expected) in [
            ("[1, 2, [3, 6]]", Some(3.0)),
            ("[true, 2]", Some(1.5)),
            ("[]", None),
            (r#"[1, "2"]"#, None),
            ("[1, Infinity]", Some(f64::INFINITY)),
            ("{}", None),
        ] {
            assert_eq!(mean(&Value::read(json).unwrap()), expected, "{json}");
        }
    }
}
