//! Operators that process the rows on which an op of the recipe fails, as `djhost quarantine JOB
//! retry` asks for. They are stored in the run directory together with their components, so that
//! every later attempt does the same.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Prepared;
use crate::error::UserError;
use crate::plan::lineage_key::Key;
use crate::plan::{self, Plan};
use crate::rundir::checksummed_json::{seal, unseal};
use crate::rundir::{RunPaths, Storage};
use crate::wasm::{OpEntry, Registry, Replace, Source};

/// An operator that is used for the rows on which an op fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fallback {
    /// Index of the op in the recipe.
    op: usize,
    /// The name of the op, and of the operator that replaces it.
    name: String,
    /// Identity of the op, including earlier fallbacks, when this was asked for. It must not be
    /// used for any other op.
    of: Key,
    /// Where the component came from, for messages.
    source: String,
    /// Name of its copy in `metadata/fallbacks/`; None if it is built in.
    file: Option<String>,
}

/// What `djhost quarantine JOB retry` asks for.
#[derive(Debug, Clone, Default)]
pub struct Retry {
    /// Indices of the ops whose rows are tried again, ascending.
    pub ops: Vec<usize>,
    /// Whether to replace every other op, too, for which `plugins` has an operator.
    pub and_others: bool,
    /// Where the operators come from; None for those of the recipe.
    pub plugins: Option<PathBuf>,
}

/// Attaches the fallbacks of earlier attempts to the plan. Those that do not fit today's recipe are
/// skipped with a warning.
pub(crate) fn attach(prepared: &mut Prepared, paths: &RunPaths) -> Result<Vec<Fallback>> {
    let path = paths.fallbacks();
    let kept: Vec<Fallback> = match std::fs::read(&path) {
        Ok(bytes) => unseal(&bytes).with_context(|| format!("cannot read `{}`", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    };
    let mut used = Vec::new();
    for fallback in kept {
        let same = prepared
            .plan
            .ops
            .get(fallback.op)
            .is_some_and(|op| op.name == fallback.name && op.identity == fallback.of);
        if !same {
            tracing::warn!(
                "op {} `{}` has changed since `quarantine retry`: its rows are not given to {}",
                fallback.op,
                fallback.name,
                fallback.source
            );
            continue;
        }
        let registry = match &fallback.file {
            Some(file) => Registry::load(&[paths.fallback_components().join(file)], Replace::All)?,
            None => Registry::load_for(&[], Replace::All, &[&fallback.name])?,
        };
        plan::add_fallback(
            &mut prepared.plan,
            &prepared.resolved,
            &registry,
            fallback.op,
        )?;
        used.push(fallback);
    }
    Ok(used)
}

/// Attaches what is asked for now and stores it. Every mistake of the user is reported before
/// anything is written.
pub(crate) fn add(
    prepared: &mut Prepared,
    retry: &Retry,
    mut kept: Vec<Fallback>,
    paths: &RunPaths,
) -> Result<()> {
    let own: Vec<PathBuf> = prepared
        .resolved
        .config
        .plugins
        .0
        .iter()
        .map(PathBuf::from)
        .collect();
    let dirs = retry.plugins.clone().map_or(own, |dir| vec![dir]);
    // With a directory given, its operators win; without one, the recipe decides.
    let replace = if retry.plugins.is_some() {
        Replace::All
    } else {
        Replace::These(&prepared.resolved.config.allow_override.0)
    };
    let registry = Registry::load(&dirs, replace)?;
    let ops = ops_to_replace(&prepared.plan, retry, &registry)?;
    let mut copies = Vec::new();
    for op in ops {
        let component = &entry(&prepared.plan, &registry, op)
            .context("internal error: an operator of the plan is missing")?
            .component;
        let file = match &component.source {
            Source::File(path) => {
                let file = format!("{}.wasm", component.digest);
                copies.push((path.clone(), file.clone()));
                Some(file)
            }
            Source::Builtin(_) => None,
        };
        kept.push(Fallback {
            op,
            name: prepared.plan.ops[op].name.clone(),
            of: prepared.plan.ops[op].identity.clone(),
            source: component.source.to_string(),
            file,
        });
        plan::add_fallback(&mut prepared.plan, &prepared.resolved, &registry, op)?;
    }
    let storage = Storage::new();
    let dir = paths.fallback_components();
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create `{}`", dir.display()))?;
    for (from, file) in copies {
        let bytes =
            std::fs::read(&from).with_context(|| format!("cannot read `{}`", from.display()))?;
        storage.write_atomic(&dir.join(file), &bytes)?;
    }
    storage.write_atomic(&paths.fallbacks(), &seal(&kept)?)
}

/// Returns the operator in `registry` for op `op` of the plan.
fn entry<'r>(plan: &Plan, registry: &'r Registry, op: usize) -> Option<&'r OpEntry> {
    registry.get(&plan.ops[op].name, "--plugins").ok()
}

/// Returns the ops that get a fallback from `registry`, ascending. Fails if none of those asked for
/// does.
fn ops_to_replace(plan: &Plan, retry: &Retry, registry: &Registry) -> Result<Vec<usize>> {
    let Some(dir) = &retry.plugins else {
        return Ok(retry.ops.clone());
    };
    let is_file = |op: &usize| {
        entry(plan, registry, *op)
            .is_some_and(|entry| matches!(entry.component.source, Source::File(_)))
    };
    let ops: Vec<usize> = if retry.and_others {
        // A row that one op can process now must also get past the later ops.
        (0..plan.ops.len()).filter(is_file).collect()
    } else {
        retry.ops.iter().copied().filter(is_file).collect()
    };
    if retry.ops.iter().any(|op| ops.contains(op)) {
        return Ok(ops);
    }
    let names: Vec<String> = retry
        .ops
        .iter()
        .map(|op| format!("`{}`", plan.ops[*op].name))
        .collect();
    Err(UserError::new(
        "--plugins",
        format!(
            "no component in `{}` has the operator {}",
            dir.display(),
            names.join(" or ")
        ),
    )
    .hint("give the directory with another build of it")
    .into())
}
