//! Filters by the value of a field: reads it, and compares values as Python does.

use djhost_sdk::prelude::*;
use serde_json::{Number, Value};
use std::cmp::Ordering;

/// The signature of a filter that reads these fields as JSON and computes these stats.
pub(crate) fn signature(paths: &[String], stats: Vec<Computed>) -> Signature {
    let reads = paths
        .iter()
        .map(|path| Input::optional(path, ColumnType::Json))
        .collect();
    Signature {
        reads,
        writes: Vec::new(),
        writes_stats: stats,
    }
}

/// Field number `field` of the row, null if it is missing.
pub(crate) fn value(row: Row<'_>, field: usize) -> Result<Value, Reject> {
    match row.text(field) {
        None => Ok(Value::Null),
        Some(json) => serde_json::from_str(json)
            .map_err(|error| Reject(format!("the field is not JSON: {error}"))),
    }
}

/// A filter's answer without stats: calls `test` for each row with its position in the batch.
pub(crate) fn judge(
    batch: &Batch,
    mut test: impl FnMut(usize, Row<'_>) -> Result<bool, Reject>,
) -> Output {
    let mut rejected = Vec::new();
    let mut judge = |row: usize| {
        test(row, batch.row(row)).unwrap_or_else(|Reject(reason)| {
            rejected.push(Rejection {
                row: row as u32,
                reason,
            });
            false
        })
    };
    let keep = (0..batch.rows()).map(|row| judge(row).into()).collect();
    Output::Filtered {
        keep,
        stats: Vec::new(),
        rejected,
    }
}

/// The value as a number, if it is a number or a flag.
pub(crate) fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(flag) => Some(u8::from(*flag).into()),
        Value::Number(number) => Some(number.clone()),
        _ => None,
    }
}

/// Python's `==` for what JSON can hold: 1, 1.0 and true are equal.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(k, v)| b.get(k).is_some_and(|other| equal(v, other)))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => compare(&a, &b) == Some(Ordering::Equal),
            (None, None) => a == b,
            _ => false,
        },
    }
}

/// Compares exactly, including integers with floats.
pub(crate) fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => with_float(a, b.as_f64()?),
        (None, Some(b)) => with_float(b, a.as_f64()?).map(Ordering::reverse),
        (None, None) => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// Compares an integer of at most 65 bits with a float.
fn with_float(a: i128, b: f64) -> Option<Ordering> {
    // The cast truncates, and saturates values too large for i128, which are beyond all `a`.
    let whole = b as i128;
    (!b.is_nan()).then(|| {
        a.cmp(&whole)
            .then_with(|| 0.0.partial_cmp(&(b - b.trunc())).unwrap_or(Ordering::Equal))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_equal_as_in_python() {
        for (a, b) in [
            (json!(1), json!(1.0)),
            (json!(true), json!(1)),
            (json!([1, {"a": false}]), json!([1.0, {"a": 0}])),
            (json!(null), json!(null)),
        ] {
            assert!(equal(&a, &b), "{a} {b}");
        }
        let distinct = [
            (json!("1"), json!(1)),
            (json!(null), json!(0)),
            (json!([1]), json!(1)),
            (
                json!(9_007_199_254_740_993u64),
                json!(9_007_199_254_740_992.0),
            ),
        ];
        for (a, b) in distinct {
            assert!(!equal(&a, &b), "{a} {b}");
        }
    }

    #[test]
    fn integers_and_floats_are_compared_exactly() {
        let order =
            |a: Value, b: Value| compare(&number(&a).unwrap(), &number(&b).unwrap()).unwrap();
        assert_eq!(order(json!(-1), json!(-1.5)), Ordering::Greater);
        assert_eq!(order(json!(1), json!(1.5)), Ordering::Less);
        assert_eq!(order(json!(1e300), json!(u64::MAX)), Ordering::Greater);
        assert_eq!(
            order(
                json!(9_007_199_254_740_993u64),
                json!(9_007_199_254_740_992.0)
            ),
            Ordering::Greater
        );
    }
}
