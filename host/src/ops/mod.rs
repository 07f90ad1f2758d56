//! Operators as data: their descriptions, parameters, examples and signatures, from the built-in
//! packs and from plugins.
//! `djhost ops list` and `show` print them, and the Python package makes functions of them.

mod example;
mod given;

use anyhow::Result;
use serde_json::{Map, Value};

use crate::config::{check_params, common_params};
use crate::error::UserErrors;
use crate::wasm::absent::absent;
use crate::wasm::packs::packs;
use crate::wasm::{Grants, Kind, Limits, OpEntry, Registry, Signature};

pub(crate) use example::Example;
pub use given::Given;
pub(crate) use given::given;

/// Describes the operators `names`, each as an object with `name`, `kind`, `summary`, `cost`,
/// `params_schema`, `source`,
/// `digest`, `wit_version`, `needs` (`media`, `files`, `models`), `imports` (services of the host), and `example` and `signature`, which are null if there are none. Fails with a
/// [`UserError`](crate::error::UserError) if a plugin cannot be used or there is no such operator.
pub fn describe(given: &Given, names: &[&str]) -> Result<Vec<Value>> {
    let registry = given.load(names)?;
    let each = |name: &&str| to_json_in_full(registry.get(name, "")?);
    names.iter().map(each).collect()
}

/// Describes the operators of plugins, without examples and signatures. No built-in pack is loaded.
pub fn describe_plugins(given: &Given) -> Result<Vec<Value>> {
    Ok(given.load(&[])?.iter().map(to_json).collect())
}

/// Returns the names of the built-in operators, sorted. Loads nothing.
pub fn built_in() -> Vec<&'static str> {
    let mut names: Vec<&str> = packs()
        .flat_map(|pack| pack.operators.iter().copied())
        .collect();
    names.sort_unstable();
    names
}

/// Returns what is known about an operator of Data-Juicer that djhost lacks: why, and what to do
/// instead.
pub fn lacking(name: &str) -> Option<String> {
    let known = absent(name)?;
    Some(format!(
        "djhost lacks Data-Juicer's `{name}`: {}; {}",
        known.why, known.instead
    ))
}

/// Returns what an operator and its component say about themselves.
pub(crate) fn to_json(entry: &OpEntry) -> Value {
    let c = &entry.component;
    serde_json::json!({
        "name": entry.descriptor.name, "kind": entry.descriptor.kind, "summary": entry.descriptor.summary, "cost": entry.descriptor.cost,
        "params_schema": entry.descriptor.params_schema, "source": c.source.to_string(), "digest": c.digest, "wit_version": c.wit_version,
        "needs": entry.descriptor.needs.names().collect::<Vec<_>>(), "imports": c.services().collect::<Vec<_>>(),
    })
}

/// Returns [`to_json`] with the operator's example and its signature for default parameters.
pub(crate) fn to_json_in_full(entry: &OpEntry) -> Result<Value> {
    let mut json = to_json(entry);
    json["example"] = serde_json::to_value(Example::of(entry)?)?;
    // An operator that has parameters without defaults has no signature to show.
    json["signature"] = match signature(entry) {
        Ok(signature) => serde_json::to_value(signature)?,
        Err(_) => Value::Null,
    };
    Ok(json)
}

/// Returns the kind that recipes see. An operator named as a deduplicator or grouper is one,
/// whatever kind it is implemented as.
pub(crate) fn listed_as(entry: &OpEntry) -> Kind {
    let named = [Kind::Deduplicator, Kind::Grouper]
        .into_iter()
        .find(|kind| {
            entry
                .descriptor
                .name
                .ends_with(&format!("_{}", kind.as_str()))
        });
    named.unwrap_or(entry.descriptor.kind)
}

/// Returns what the operator reads and writes with its default parameters.
pub(crate) fn signature(entry: &OpEntry) -> Result<Signature> {
    let params = full_params(entry, &Map::new())?;
    let pool =
        Registry::default().pool(entry, &params, Limits::default(), Grants::default(), 0, "")?;
    Ok(pool.signature().clone())
}

/// Returns the parameters for an operator's `create`: checked, with the schema's defaults and the
/// common parameters.
pub(crate) fn full_params(
    entry: &OpEntry,
    params: &Map<String, Value>,
) -> Result<Map<String, Value>, UserErrors> {
    // The check knows the flags and the seed among the common parameters. Keys of fields are set by
    // recipes.
    let (keys, own): (Map<_, _>, Map<_, _>) = params
        .clone()
        .into_iter()
        .partition(|(name, _)| is_key(entry, name));
    let checked = check_params(&entry.descriptor.params_schema, &own, |name| {
        format!("--params {name}")
    })
    .map_err(UserErrors)?;
    let mut full = common_params(checked);
    full.extend(keys);
    Ok(full)
}

/// The common parameters that name fields.
const KEYS: [&str; 5] = [
    "text_key",
    "image_key",
    "image_bytes_key",
    "audio_key",
    "video_key",
];

fn is_key(entry: &OpEntry, name: &str) -> bool {
    let declared = entry
        .descriptor
        .params_schema
        .get("properties")
        .is_some_and(|p| p.get(name).is_some());
    !declared && KEYS.contains(&name)
}
