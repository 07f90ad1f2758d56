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
    with_params_of(op, of_params)
}

/// The names of the parameters that bound a stat from below and from above, by the stat's key.
pub(crate) fn bound_params(op: &PlannedOp) -> BTreeMap<String, [Option<String>; 2]> {
    with_params_of(op, |params, keys| {
        let mut found: BTreeMap<String, [Option<String>; 2]> = BTreeMap::new();
        for (name, side, key) in bounding(params, keys) {
            found.entry(key).or_default()[side] = Some(name);
        }
        found
    })
}

fn with_params_of<T: Default>(
    op: &PlannedOp,
    look: impl FnOnce(&Map<String, Value>, &[&str]) -> T,
) -> T {
    let Ok(Value::Object(params)) = serde_json::from_str(op.pool.params()) else {
        return T::default();
    };
    if op.kind() != Kind::Filter {
        return T::default();
    }
    let stats = op.pool.signature().writes_stats.iter();
    let stats = stats.filter(|stat| matches!(stat.ty, FieldType::F64 | FieldType::S64));
    let keys: Vec<&str> = stats.map(|stat| stat.path.as_str()).collect();
    look(&params, &keys)
}

/// The parameters that bound stats: name, 0 for the least or 1 for the greatest, the stat's key.
fn bounding(params: &Map<String, Value>, keys: &[&str]) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    for (name, _) in params.iter().filter(|(_, value)| value.is_number()) {
        let (side, rest) = match (name.strip_prefix("min_"), name.strip_prefix("max_")) {
            (Some(rest), _) => (0, rest),
            (_, Some(rest)) => (1, rest),
            _ => continue,
        };
        let both = |other: &str| params.contains_key(&format!("{other}_{rest}"));
        let key = match keys {
            // One of a pair, or the only one: not `min_repeat_sentence_length` beside `max_len`.
            [only] if both(["max", "min"][side]) || bounds_alone(params) => *only,
            several => match several.iter().find(|key| key.ends_with(rest)) {
                Some(key) => *key,
                None => continue,
            },
        };
        found.push((name.clone(), side, key.to_owned()));
    }
    found
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
    for (name, side, key) in bounding(params, keys) {
        let number = params.get(&name).and_then(Value::as_f64);
        let Some(number) = number.filter(|number| number.abs() < UNBOUNDED) else {
            continue;
        };
        let bounds = found.entry(key).or_insert(empty);
        match side {
            0 => bounds.min = Some(number),
            _ => bounds.max = Some(number),
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
