//! The ranges in which a filter's parameters demand its stats to be, for people: how far was a row
//! from staying?
//!
//! Operators do not declare which parameter bounds which stat. Those of Data-Juicer, and with them
//! the built-in ones, name them `min_…` and `max_…`; where an operator computes several stats, the
//! rest of the name is the end of the stat's: `min_width` bounds `image_width`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::PlannedOp;
use crate::data::FieldType;
use crate::rundir::trace::Bounds;
use crate::wasm::Kind;

/// Numbers from here on mean "no bound": defaults like the largest whole number.
const UNBOUNDED: f64 = 9e15;

/// The bounds by the stat's key; none for another kind of op, or other names.
pub(crate) fn bounds(op: &PlannedOp) -> BTreeMap<String, Bounds> {
    let Ok(Value::Object(params)) = serde_json::from_str(op.pool.params()) else {
        return BTreeMap::new();
    };
    if op.kind() != Kind::Filter {
        return BTreeMap::new();
    }
    let stats = op.pool.signature().writes_stats.iter();
    let stats = stats.filter(|stat| matches!(stat.ty, FieldType::F64 | FieldType::S64));
    let keys: Vec<&str> = stats.map(|stat| stat.path.as_str()).collect();
    of_params(&params, &keys)
}

fn of_params(params: &Map<String, Value>, keys: &[&str]) -> BTreeMap<String, Bounds> {
    let flag = |name: &str, default| params.get(name).and_then(Value::as_bool).unwrap_or(default);
    let empty = Bounds {
        min: None,
        max: None,
        min_closed: flag("min_closed_interval", true),
        max_closed: flag("max_closed_interval", true),
        reversed: flag("reversed_range", false),
    };
    let mut found: BTreeMap<String, Bounds> = BTreeMap::new();
    for (name, value) in params {
        let Some(number) = value.as_f64().filter(|number| number.abs() < UNBOUNDED) else {
            continue;
        };
        let (is_min, rest) = match (name.strip_prefix("min_"), name.strip_prefix("max_")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => continue,
        };
        let both = |other: &str| params.contains_key(&format!("{other}_{rest}"));
        let key = match keys {
            // One of a pair, or the only one: not `min_repeat_sentence_length` beside `max_len`.
            [only] if both(if is_min { "max" } else { "min" }) || bounds_alone(params) => *only,
            several => match several.iter().find(|key| key.ends_with(rest)) {
                Some(key) => *key,
                None => continue,
            },
        };
        let bounds = found.entry(key.to_owned()).or_insert(empty);
        match is_min {
            true => bounds.min = Some(number),
            false => bounds.max = Some(number),
        }
    }
    found
}

/// Whether only one parameter can be a bound.
fn bounds_alone(params: &Map<String, Value>) -> bool {
    let names = params.iter().filter(|(name, value)| {
        value.is_number() && (name.starts_with("min_") || name.starts_with("max_"))
    });
    names.count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(params: Value, keys: &[&str]) -> Vec<(String, Option<f64>, Option<f64>)> {
        let bounds = of_params(params.as_object().unwrap(), keys);
        bounds
            .into_iter()
            .map(|(key, b)| (key, b.min, b.max))
            .collect()
    }

    #[test]
    fn parameters_bound_the_stats_that_they_are_named_after() {
        use serde_json::json;
        assert_eq!(
            found(
                json!({"min_len": 10, "max_len": i64::MAX, "tokenization": false}),
                &["text_len"]
            ),
            [("text_len".to_owned(), Some(10.0), None)]
        );
        assert_eq!(
            found(
                json!({"min_width": 1, "max_width": 2, "min_height": 3, "lang": "en"}),
                &["image_width", "image_height"]
            ),
            [
                ("image_height".to_owned(), Some(3.0), None),
                ("image_width".to_owned(), Some(1.0), Some(2.0))
            ]
        );
        assert_eq!(
            found(json!({"min_score": 0.8, "lang": "en"}), &["lang_score"]),
            [("lang_score".to_owned(), Some(0.8), None)]
        );
        assert_eq!(found(json!({"lang": "en"}), &["lang_score"]), []);
    }
}
