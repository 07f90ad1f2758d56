//! Operators that get the rows which an op of the recipe cannot process: what `djhost quarantine
//! JOB retry` asked for. They are kept in the run directory, component and all, so that every later
//! attempt at the job does the same.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Prepared;
use crate::error::UserError;
use crate::plan;
use crate::plan::lineage_key::Key;
use crate::rundir::checksummed_json::{seal, unseal};
use crate::rundir::{RunPaths, Storage};
use crate::wasm::{Registry, Replace, Source};

/// One use of an operator in place of one that fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fallback {
    /// The op of the recipe.
    op: usize,
    /// Its name, which is that of the operator that takes its place.
    name: String,
    /// What the op was when this was asked for, fallbacks before this one included: it is of no use
    /// for another one.
    of: Key,
    /// Where the component came from, for the user.
    source: String,
    /// Its copy, in `metadata/fallbacks/`; none is a built-in one.
    file: Option<String>,
}

/// What `quarantine retry` asks for.
#[derive(Debug, Clone, Default)]
pub struct Retry {
    /// The ops whose rows are tried again, by index, rising.
    pub ops: Vec<usize>,
    /// Whether all other ops that `plugins` has operators for get them too.
    pub and_others: bool,
    /// Where their operators come from; none: the recipe's own.
    pub plugins: Option<PathBuf>,
}

/// Attaches what earlier attempts asked for. Whatever does not belong to today's recipe is passed
/// over with a word.
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

/// Attaches what is asked for now, and keeps it. All mistakes of the user come before anything is
/// written.
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
    // Whoever names a directory for it wants what is there; of the recipe's own, what the recipe
    // takes.
    let replace = if retry.plugins.is_some() {
        Replace::All
    } else {
        Replace::These(&prepared.resolved.config.allow_override.0)
    };
    let registry = Registry::load(&dirs, replace)?;
    let component = |op: usize| {
        registry
            .get(&prepared.plan.ops[op].name, "--plugins")
            .ok()
            .map(|entry| std::sync::Arc::clone(&entry.component))
    };
    let is_file = |op: usize| component(op).is_some_and(|c| matches!(c.source, Source::File(_)));
    let ops: Vec<usize> = match &retry.plugins {
        // A row that one op can process now must get past the later ones, too.
        Some(_) if retry.and_others => (0..prepared.plan.ops.len())
            .filter(|op| is_file(*op))
            .collect(),
        Some(_) => retry
            .ops
            .iter()
            .copied()
            .filter(|op| is_file(*op))
            .collect(),
        None => retry.ops.clone(),
    };
    if !retry.ops.iter().any(|op| ops.contains(op)) {
        let names: Vec<String> = retry
            .ops
            .iter()
            .map(|op| format!("`{}`", prepared.plan.ops[*op].name))
            .collect();
        let dir = retry.plugins.clone().unwrap_or_default();
        return Err(UserError::new(
            "--plugins",
            format!(
                "no component in `{}` has the operator {}",
                dir.display(),
                names.join(" or ")
            ),
        )
        .hint("give the directory with another build of it")
        .into());
    }
    let components: Vec<_> = ops.iter().map(|op| component(*op)).collect();
    let mut copies = Vec::new();
    for (op, component) in ops.into_iter().zip(components) {
        let (name, of) = (
            prepared.plan.ops[op].name.clone(),
            prepared.plan.ops[op].identity.clone(),
        );
        let component = component.context("internal error: an operator of the plan has gone")?;
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
            name,
            of,
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
