//! The part of the plan about operators: what each does and may do, and which component it comes
//! from.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::plan::PlannedOp;
use crate::sanitize::printable;
use crate::term::{bytes, count, seconds};
use crate::wasm::contract::ROW;
use crate::wasm::{GrantedModel, Seen};

/// Returns the lines about the ops, then one for each component.
pub(crate) fn lines(ops: &[PlannedOp]) -> Vec<String> {
    let mut lines = vec!["ops".to_owned()];
    for op in ops {
        lines.push(format!(
            "{:>4} {}  {}, {}",
            op.index,
            op.name,
            op.kind().as_str(),
            op.pool.descriptor().cost.as_str()
        ));
        let limits = op.pool.limits();
        let may = format!(
            "may use {} MiB, {} per batch, {} per row; {}",
            limits.memory >> 20,
            seconds(limits.time.as_secs_f64()),
            seconds(limits.row_time.as_secs_f64()),
            op.pool.grants()
        );
        let filter = op.pool.seen().map(bloom_filter).into_iter();
        let models = op.pool.grants().models.iter().map(lent);
        let about = [own_params(op), fields(op), may]
            .into_iter()
            .chain(needs(op))
            .chain(models)
            .chain(filter);
        lines.extend(about.map(|line| format!("       {line}")));
    }
    lines.extend([String::new(), "components".to_owned()]);
    lines.extend(components(ops));
    lines
}

/// What the operator says that it needs beyond its batches; the lines about grants say what of that it
/// has. None if it needs nothing.
fn needs(op: &PlannedOp) -> Option<String> {
    let needs: Vec<&str> = op.pool.descriptor().needs.names().collect();
    (!needs.is_empty()).then(|| format!("needs {}", needs.join(", ")))
}

/// A model that it is lent, and the memory that this takes once for all workers.
fn lent(granted: &GrantedModel) -> String {
    let model = &granted.model;
    let runtime = model
        .info
        .runtime
        .as_ref()
        .map_or_else(String::new, |version| {
            format!(", computed by ONNX Runtime {}", printable(version))
        });
    format!(
        "is lent the {} `{}` (`{}`): {}, {} of memory for all workers, sha256 {}…{runtime}",
        model.info.kind.noun(),
        granted.place().escape_debug(),
        granted.parameter,
        bytes(model.info.bytes),
        bytes(model.info.resident),
        &model.digest[..12]
    )
}

/// The memory that the host takes to look up keys.
fn bloom_filter(seen: &Seen) -> String {
    format!(
        "looks up keys in a Bloom filter of {}: {} of them, with a rate of false positives of {}",
        bytes(seen.bytes()),
        count(seen.expected_keys),
        seen.false_positive_rate
    )
}

/// A parameter's value for people: the numbers that programs write for want of a limit are words,
/// but not where the schema takes `null`, so that every number is a limit.
pub(crate) fn limit_or_value(value: &Value, schema: &Value) -> String {
    let takes_null = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|ty| ty == "null"),
        _ => false,
    };
    let is_none = match value.as_i64() {
        Some(whole) => whole == i64::MAX || whole == i64::MIN,
        None => value
            .as_f64()
            .is_some_and(|number| number.abs() >= i64::MAX as f64),
    };
    if value.is_number() && is_none && !takes_null {
        "unlimited".to_owned()
    } else {
        value.to_string()
    }
}

/// Returns the parameters that the operator itself declares, with their values.
fn own_params(op: &PlannedOp) -> String {
    let given: Map<String, Value> = serde_json::from_str(op.pool.params()).unwrap_or_default();
    let properties = op
        .pool
        .descriptor()
        .params_schema
        .get("properties")
        .and_then(Value::as_object);
    let own = given
        .iter()
        .filter_map(|(name, value)| Some((name, value, properties?.get(name)?)));
    let own: Vec<String> = own
        .map(|(name, value, schema)| format!("{name}={}", limit_or_value(value, schema)))
        .collect();
    if own.is_empty() {
        "no parameters".to_owned()
    } else {
        own.join(" ")
    }
}

/// Returns what it reads and writes.
fn fields(op: &PlannedOp) -> String {
    let signature = op.pool.signature();
    if op.pool.signature().whole_rows {
        return "reads and writes whole rows".to_owned();
    }
    let list = |what: &str, fields: Vec<String>| {
        (!fields.is_empty()).then(|| format!("{what} {}", fields.join(", ")))
    };
    let optional = |required: bool| if required { "" } else { ", if there" };
    let reads = signature.reads.iter().filter(|r| r.path != ROW);
    let parts = [
        list(
            "reads",
            reads
                .map(|r| format!("`{}` ({}{})", r.path, r.ty.name(), optional(r.required)))
                .collect(),
        ),
        list(
            "writes",
            signature
                .writes
                .iter()
                .map(|w| format!("`{}` ({})", w.path, w.ty.name()))
                .collect(),
        ),
        list(
            "computes the stats",
            signature
                .writes_stats
                .iter()
                .map(|w| format!("`{}` ({})", w.path, w.ty.name()))
                .collect(),
        ),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "reads and writes no fields".to_owned()
    } else {
        parts.join("; ")
    }
}

/// Returns a line for each component, with its ops.
fn components(ops: &[PlannedOp]) -> Vec<String> {
    let mut of: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    for op in ops {
        for component in std::iter::once(&op.pool)
            .chain(&op.fallbacks)
            .map(|pool| pool.component())
        {
            let guard = if component.is_interruptible() {
                "interruptible"
            } else {
                "trusted, no interruption checks"
            };
            let services: String = component
                .services()
                .map(|import| format!(", imports `{import}`"))
                .collect();
            let from = format!(
                "{} (sha256 {}…, {} bytes, contract {}, {guard}{services})",
                component.source,
                &component.digest[..12],
                component.bytes,
                component.wit_version,
            );
            let next = of.len();
            let (_, indexes) = of.entry(from).or_insert((next, Vec::new()));
            indexes.push(op.index.to_string());
        }
    }
    let mut lines: Vec<(usize, String)> = of
        .into_iter()
        .map(|(from, (first, indexes))| {
            let noun = if indexes.len() == 1 { "op" } else { "ops" };
            (
                first,
                format!("  {noun} {} from {from}", indexes.join(", ")),
            )
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}
