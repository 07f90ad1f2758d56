//! The ops of an analysis.

use anyhow::Result;

use super::build::planned;
use crate::config::{AnalysisMode, OpHost, OpSpec, Resolved};
use crate::data::FieldType;
use crate::error::UserError;
use crate::wasm::{Kind, Registry};

/// Puts the ops of an analysis in place of those of the recipe, and says in its notes what is left
/// out. Fails if no filter is left.
pub(crate) fn choose(resolved: &mut Resolved, registry: &Registry) -> Result<()> {
    match resolved.config.analysis {
        AnalysisMode::Off => return Ok(()),
        AnalysisMode::Recipe => leave_out(resolved, registry),
        AnalysisMode::Auto => resolved.ops = text_filters(resolved, registry),
    }
    let kind = |op: &OpSpec| Some(registry.get(&op.name, &op.place).ok()?.descriptor.kind);
    let is_unknown = |op: &OpSpec| kind(op).is_none();
    let ops = &mut resolved.ops;
    if !ops
        .iter()
        .any(|op| kind(op) == Some(Kind::Filter) || is_unknown(op))
    {
        return Err(UserError::new("process", "there is no filter whose stats could be computed")
            .hint("put filters into `process`, or take all that need only the text: `djhost analyze --auto`")
            .into());
    }
    ops.iter_mut()
        .enumerate()
        .for_each(|(at, op)| op.index = at);
    Ok(())
}

/// Keeps filters and mappers: whether rows are duplicates, or chosen, is no stat of a row. An unknown
/// operator stays, for its message.
fn leave_out(resolved: &mut Resolved, registry: &Registry) {
    let mut left_out = Vec::new();
    resolved.ops.retain(|op| {
        let global = registry
            .get(&op.name, &op.place)
            .is_ok_and(|entry| entry.descriptor.kind.is_global());
        if global {
            left_out.push(format!("`{}`", op.name));
        }
        !global
    });
    if !left_out.is_empty() {
        resolved.notes.push(format!(
            "the analysis leaves out {}: they compare rows and compute no stat of one",
            left_out.join(", ")
        ));
    }
}

/// All filters that read the text and nothing else, and need no file and no parameter.
fn text_filters(resolved: &Resolved, registry: &Registry) -> Vec<OpSpec> {
    let filters = registry
        .iter()
        .filter(|op| op.descriptor.kind == Kind::Filter);
    let mut names: Vec<&str> = filters.map(|op| op.descriptor.name.as_str()).collect();
    names.sort_unstable();
    let spec = |name: &str| OpSpec {
        index: 0,
        name: name.to_owned(),
        params: serde_json::Map::new(),
        host: OpHost::default(),
        place: format!("--auto: {name}"),
        param_places: Default::default(),
    };
    let reads_text = |spec: &OpSpec| {
        planned(resolved, registry, spec, &mut Vec::new()).is_ok_and(|op| {
            let signature = op.pool.signature();
            let number = |ty| matches!(ty, FieldType::F64 | FieldType::S64);
            matches!(&signature.reads[..], [read] if read.path == resolved.config.text_key() && read.ty == FieldType::Utf8)
                && signature.writes.is_empty()
                && signature.writes_stats.iter().any(|stat| number(stat.ty))
        })
    };
    names.into_iter().map(spec).filter(reads_text).collect()
}
