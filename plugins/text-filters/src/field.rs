//! Filters by the value of a field: reads it, and compares values as Python does.

use djhost_sdk::json::{Value, members};
use djhost_sdk::prelude::*;
use std::cmp::Ordering;

/// The signature of a filter that reads these fields as JSON and computes these stats.
pub(crate) fn signature(paths: &[String], stats: Vec<Computed>) -> Signature {
    let reads = paths
        .iter()
        .map(|path| Input::optional(path, ColumnType::Json))
        .collect();
    Signature {
        reads,
        writes_stats: stats,
        ..Signature::default()
    }
}

/// Field number `field` of the row, null if it is missing.
pub(crate) fn value(row: Row<'_>, field: usize) -> Result<Value<'_>, Reject> {
    row.text(field).map_or(Ok(Value::Null), |json| {
        Value::read(json).map_err(|wrong| Reject(format!("`{}` {wrong}", row.path(field))))
    })
}

/// A filter's answer without stats: calls `test` for each row with its position in the batch.
pub(crate) fn judge<'b>(
    batch: &'b Batch,
    mut test: impl FnMut(usize, Row<'b>) -> Result<bool, Reject>,
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

/// Python's `==` for what JSON can hold: 1, 1.0 and true are equal. Numbers are equal digit by
/// digit, and `NaN` is equal to nothing.
pub(crate) fn equal(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let (a, b) = (members(a), members(b));
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
        }
        (Value::String(a), Value::String(b)) => a.as_str() == b.as_str(),
        (Value::Null, Value::Null) => true,
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.compare(&b) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn equal(a: &serde_json::Value, b: &serde_json::Value) -> bool {
        super::equal(&a.into(), &b.into())
    }

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
        let order = |a: serde_json::Value, b: serde_json::Value| {
            let (a, b) = (Value::from(&a), Value::from(&b));
            a.number().unwrap().compare(&b.number().unwrap()).unwrap()
        };
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

    #[test]
    fn what_json_does_not_have_is_equal_to_nothing_else() {
        let read = |json| Value::read(json).unwrap();
        for a in [
            "null",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e400",
            "1e401",
            "0",
        ] {
            for b in [
                "null",
                "NaN",
                "Infinity",
                "-Infinity",
                "1e400",
                "1e401",
                "0",
            ] {
                let expected = a == b && a != "NaN";
                assert_eq!(super::equal(&read(a), &read(b)), expected, "{a} {b}");
            }
        }
        let spellings = [
            r#"{"a":[1.0],"b":"\u00e9"}"#,
            r#"{"b":"é","a":[2],"a":[1.00]}"#,
        ];
        assert!(super::equal(&read(spellings[0]), &read(spellings[1])));
    }
}
