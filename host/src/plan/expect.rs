//! What the recipe's `expect` demands of the result, checked against the ops of the plan.

use serde_json::{Map, Value};

use super::PlannedOp;
use super::names::unknown_op;
use crate::config::Resolved;
use crate::data::FieldType;
use crate::error::{UserError, did_you_mean};

/// What must hold when the job is done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expect {
    /// Whether nothing is exported if something does not hold.
    pub block_export: bool,
    /// The demands, in the order of the recipe.
    pub demands: Vec<Demand>,
}

/// One of them: a number must be in a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Its key in the recipe.
    pub key: String,
    /// The number.
    pub what: What,
    /// The least that it may be.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

/// A number of a job that is done.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Rows of the input.
    RowsIn,
    /// Rows of the result.
    RowsOut,
    /// The share of the rows of the input that are in the result.
    Kept,
    /// The share of the rows of the input that are in quarantine.
    Quarantined,
    /// The share of the rows that came to the op and that it dropped or merged.
    Dropped(usize),
    /// A value of a stat, by its key, among the rows of the result: below or at it is this share of
    /// the rows.
    Stat(String, f64),
}

/// The keys, for messages.
const KEYS: [&str; 7] = [
    "rows_in",
    "rows_out",
    "kept",
    "quarantined",
    "dropped.OP",
    "stat.KEY.p50",
    "block_export",
];

impl Expect {
    /// The stats of the result that something is expected of.
    pub fn stats(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for demand in &self.demands {
            if let What::Stat(key, _) = &demand.what
                && !keys.contains(key)
            {
                keys.push(key.clone());
            }
        }
        keys
    }
}

/// Reads `expect`. Returns all mistakes.
pub(super) fn read(resolved: &Resolved, ops: &[PlannedOp]) -> Result<Expect, Vec<UserError>> {
    let place = |key: &str| match key {
        "" => resolved.place("expect"),
        key => format!("{}.{key}", resolved.place("expect")),
    };
    let demands = match &resolved.config.expect.0 {
        Value::Null => return Ok(Expect::default()),
        Value::Object(demands) => demands,
        other => {
            let message = format!("`{other}` is no mapping");
            let hint = "for instance `expect: {rows_out: {min: 1000}}`";
            return Err(vec![UserError::new(place(""), message).hint(hint)]);
        }
    };
    let (mut expect, mut errors) = (Expect::default(), Vec::new());
    // `dropped: {OP: …}` and `stat: {KEY: {p50: …}}` may be nested.
    let mut flat = Vec::new();
    for (key, value) in demands {
        flatten(key, value, &mut flat);
    }
    for (key, value) in flat {
        if key == "block_export" {
            match value {
                Value::Bool(block) => expect.block_export = *block,
                other => errors.push(
                    UserError::new(place(&key), format!("`{other}` is not valid"))
                        .hint("valid are `true` and `false`"),
                ),
            }
            continue;
        }
        match (what(&place(&key), &key, ops), range(&place(&key), value)) {
            (Ok(what), Ok((min, max))) => expect.demands.push(Demand {
                key,
                what,
                min,
                max,
            }),
            (what, range) => {
                errors.extend(what.err());
                errors.extend(range.err());
            }
        }
    }
    match errors.is_empty() {
        true => Ok(expect),
        false => Err(errors),
    }
}

fn flatten<'v>(key: &str, value: &'v Value, flat: &mut Vec<(String, &'v Value)>) {
    match value {
        Value::Object(inner) if !is_range(inner) => {
            for (name, value) in inner {
                flatten(&format!("{key}.{name}"), value, flat);
            }
        }
        _ => flat.push((key.to_owned(), value)),
    }
}

/// Whether it is `{min, max}` of numbers: a stat has a `min` and `max`, too, which are ranges.
fn is_range(value: &Map<String, Value>) -> bool {
    value
        .iter()
        .all(|(key, value)| (key == "min" || key == "max") && !value.is_object())
}

fn what(place: &str, key: &str, ops: &[PlannedOp]) -> Result<What, UserError> {
    match key {
        "rows_in" => return Ok(What::RowsIn),
        "rows_out" => return Ok(What::RowsOut),
        "kept" => return Ok(What::Kept),
        "quarantined" => return Ok(What::Quarantined),
        _ => {}
    }
    if let Some(name) = key.strip_prefix("dropped.") {
        let names: Vec<&str> = ops.iter().map(|op| op.name.as_str()).collect();
        let found: Vec<&PlannedOp> = ops.iter().filter(|op| op.name == name).collect();
        return match found[..] {
            [] => Err(unknown_op(place, name, &names)),
            [op] => Ok(What::Dropped(op.index)),
            _ => Err(
                UserError::new(place, format!("the recipe has several ops called `{name}`"))
                    .hint("expect something of `rows_out` or `kept` instead"),
            ),
        };
    }
    if let Some(rest) = key.strip_prefix("stat.") {
        return stat(place, rest, ops);
    }
    let error = UserError::new(place, format!("nothing is known as `{key}`"));
    Err(match did_you_mean(key, KEYS) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("known are `{}`", KEYS.join("`, `"))),
    })
}

/// `num_words.p50`
fn stat(place: &str, rest: &str, ops: &[PlannedOp]) -> Result<What, UserError> {
    let mut places = rest.match_indices('.');
    let Some((key, share)) = places.find_map(|(dot, _)| {
        let share = share_of(&rest[dot + 1..])?;
        Some((&rest[..dot], share))
    }) else {
        let key = rest.split('.').next().unwrap_or(rest);
        return Err(UserError::new(place, format!("`{rest}` names no value of a stat"))
            .hint(format!("for instance `stat.{key}.p50`; valid are `min`, `max`, and percentiles such as `p5` and `p99.9`")));
    };
    let computes = |op: &&PlannedOp| {
        let stats = &op.pool.signature().writes_stats;
        stats
            .iter()
            .any(|s| s.path == key && matches!(s.ty, FieldType::F64 | FieldType::S64))
    };
    let Some(op) = ops.iter().rev().find(computes) else {
        let numbers = ops.iter().flat_map(|op| &op.pool.signature().writes_stats);
        let keys: Vec<&str> = numbers
            .filter(|s| matches!(s.ty, FieldType::F64 | FieldType::S64))
            .map(|s| s.path.as_str())
            .collect();
        let message = format!("no op of this recipe computes a number `{key}`");
        let error = UserError::new(place, message);
        return Err(match did_you_mean(key, keys.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if keys.is_empty() => error.hint("none of its ops computes stats"),
            None => error.hint(format!("its stats are `{}`", keys.join("`, `"))),
        });
    };
    if let Some(later) = ops[op.index + 1..].iter().find(|op| op.changes_shape()) {
        let message = format!(
            "rows have no stat `{key}` any more behind op {} `{}`, which makes other rows",
            later.index, later.name
        );
        return Err(
            UserError::new(place, message).hint("put a filter that computes it behind that op")
        );
    }
    Ok(What::Stat(key.to_owned(), share))
}

/// The share of the rows that are below a value of a stat: `p50`, `min`.
fn share_of(value: &str) -> Option<f64> {
    match value {
        "min" => Some(0.0),
        "max" => Some(1.0),
        _ => {
            let percent = value.strip_prefix('p')?.parse::<f64>().ok()?;
            (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
        }
    }
}

fn range(place: &str, value: &Value) -> Result<(Option<f64>, Option<f64>), UserError> {
    let hint = "give the least, the greatest, or both: `{min: 1, max: 2}`";
    let wrong = |message: String| UserError::new(place, message).hint(hint);
    let Value::Object(range) = value else {
        return Err(wrong(format!("`{value}` is no range")));
    };
    let end = |name: &str| match range.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_f64()
            .map(Some)
            .ok_or_else(|| wrong(format!("`{name}` is `{value}`, which is no number"))),
    };
    match (end("min")?, end("max")?) {
        (None, None) => Err(wrong("neither `min` nor `max` is given".into())),
        (Some(min), Some(max)) if min > max => {
            Err(wrong(format!("`min` {min} is greater than `max` {max}")))
        }
        ends => Ok(ends),
    }
}
