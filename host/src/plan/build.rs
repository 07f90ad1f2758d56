//! Builds a plan from a resolved configuration.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;

use super::grants::{comes_with_djhost, grant, host_path};
use super::lineage_key::KeyBuilder;
use super::names::unknown_op;
use super::order;
use super::refreshed::refreshed;
use super::segments::{cut, positions};
use super::stats::{self, StatsFrom, is_in};
use super::{Earlier, Expect, Plan, PlannedOp, expect};
use crate::config::{
    AnalysisMode, Config, OpHost, OpSpec, Resolved, TraceMode, canonical_json, check_params,
    is_field_key, is_filled_by_data_juicer,
};
use crate::data::{FieldType, ReadField, STATS};
use crate::error::{UserError, UserErrors};
use crate::remote::address::is_address;
use crate::term::{bytes, count};
use crate::wasm::contract::ROW;
use crate::wasm::{Computed, Kind, Limits, Registry, Seen};

/// Resolves every op, checks its parameters, creates an instance of it, and lays out segments and
/// checkpoints. Puts the ops of `resolved` in the order in which they run. Fails with all mistakes
/// at once.
pub(crate) fn build(resolved: &mut Resolved, registry: &Registry) -> Result<Plan> {
    let mut errors = Vec::new();
    let mut ops: Vec<PlannedOp> = Vec::new();
    let mut unread = Vec::new();
    for spec in &resolved.ops {
        match planned(resolved, registry, spec, &mut unread) {
            Ok(op) => ops.push(op),
            Err(error) => match error.downcast::<UserErrors>() {
                Ok(several) => errors.extend(several.0),
                Err(error) => errors.push(error.downcast::<UserError>()?),
            },
        }
    }
    let mut reordered = Vec::new();
    if errors.is_empty() {
        reordered = order::reorder(&resolved.config, &mut resolved.ops, &mut ops);
    }
    let names: Vec<String> = resolved.ops.iter().map(|o| o.name.clone()).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let traced = resolved.config.trace_ops.0.iter();
    if let Some(unknown) = traced.into_iter().find(|name| !names.contains(name)) {
        errors.push(unknown_op(&resolved.place("trace_ops"), unknown, &known));
    }
    match positions(&resolved.config, &names) {
        Ok(reasons) if errors.is_empty() => ops
            .iter_mut()
            .zip(reasons)
            .for_each(|(op, reason)| op.checkpoint = reason),
        Ok(_) => {}
        Err(error) => errors.push(error),
    }
    rank_as_others_read(&mut ops);
    errors.extend(type_conflicts(&ops));
    let analysis = match resolved.config.analysis {
        AnalysisMode::Off => None,
        _ => Some(resolved.config.analysis_ratio),
    };
    let expect = expect::read(resolved, &ops).unwrap_or_else(|wrong| {
        errors.extend(wrong);
        Expect::default()
    });
    let (unknown, stale) = stats::reads(&ops, resolved.config.reuse_input_stats);
    errors.extend(unknown);
    if !errors.is_empty() {
        return Err(UserErrors(errors).into());
    }
    stats::decide(&mut ops, resolved.config.reuse_input_stats);
    let config = &resolved.config;
    let are_kept = config.keep_stats_in_res_ds || config.trace == TraceMode::Stats;
    stats::leave_out(&mut ops, are_kept || analysis.is_some(), &expect.stats());
    if let Some(ratio) = analysis {
        // What they do to rows is another thing.
        for op in &mut ops {
            let key = KeyBuilder::new("op-analysis").with(op.identity.as_str());
            op.identity = key.number(ratio.to_bits()).key();
        }
    }
    let refreshed = refreshed(&ops);
    ops.iter_mut()
        .zip(refreshed)
        .for_each(|(op, fields)| op.refreshes = fields);
    let segments = cut(&ops);
    let fields = fields(&ops, true);
    let overwritten = if resolved.config.keep_stats_in_res_ds {
        stats::overwritten(&ops)
    } else {
        Vec::new()
    };
    let notes = registry
        .notes()
        .iter()
        .cloned()
        .chain(unread)
        .chain(behind_groupers(&ops))
        .chain(stale)
        .chain(overwritten)
        .collect();
    Ok(Plan {
        ops,
        segments,
        fields,
        notes,
        analysis,
        order: reordered,
        expect,
        earlier: Vec::new(),
    })
}

/// Plans one op. Adds what the user should know about its parameters to `notes`.
pub(super) fn planned(
    resolved: &Resolved,
    registry: &Registry,
    spec: &OpSpec,
    notes: &mut Vec<String>,
) -> Result<PlannedOp> {
    let config = &resolved.config;
    let entry = registry.get(&spec.name, &spec.place)?;
    let schema = &entry.descriptor.params_schema;
    let spec = &with_lists_that_ship(spec, comes_with_djhost(entry), notes);
    let params = without_unread_fields(spec, schema, notes);
    let checked =
        check_params(schema, &params, |param| spec.place_of(param)).map_err(UserErrors)?;
    let limits = limits(config, &spec.host);
    let params = spec.guest_params(config, checked);
    let granted = grant(resolved, entry, spec, &params)?;
    let pool = registry.pool(
        entry,
        &params,
        limits,
        granted.grants,
        spec.host.seed.unwrap_or(config.seed),
        &spec.place,
    )?;
    if let Some(seen) = pool.seen() {
        fits(
            seen,
            config.resolver_memory_mb,
            &spec.place_of("expected_keys"),
        )?;
    }
    let on_error = spec.host.on_error.unwrap_or_else(|| config.on_error());
    let component = pool.component();
    let mut identity = KeyBuilder::new("op-identity")
        .with(&spec.name)
        .with(canonical_json(&serde_json::Value::Object(params)))
        .with(&component.digest)
        .with(&component.wit_version)
        .with(on_error.word())
        // More memory or time should also bring back rows that the op could not process before.
        .number(limits.memory as u64)
        .number(limits.time.as_millis() as u64)
        .number(limits.row_time.as_millis() as u64)
        .number(limits.ratio.to_bits())
        .number(limits.row_output as u64);
    if pool.descriptor().kind == Kind::Grouper {
        // If stats are kept, those of a group's rows become a field of the group.
        identity = identity.number(config.keep_stats_in_res_ds.into());
    }
    if let Some(granted) = granted.identity {
        identity = identity.with(granted.as_str());
    }
    let job_output = spec
        .host
        .job_output_mb
        .unwrap_or(config.op_limits.job_output_mb);
    Ok(PlannedOp {
        index: spec.index,
        position: spec.index,
        name: spec.name.clone(),
        place: spec.place.clone(),
        pool,
        on_error,
        job_output: job_output << 20,
        fallbacks: Vec::new(),
        identity: identity.key(),
        stats_from: None,
        wanted_stats: None,
        refreshes: Vec::new(),
        checkpoint: None,
    })
}

/// Fails if the filter of an operator that looks up keys is larger than the user allows.
fn fits(seen: &Seen, megabytes: u64, place: &str) -> Result<()> {
    if seen.bytes() <= megabytes << 20 {
        return Ok(());
    }
    let message = format!(
        "a Bloom filter for {} keys with a rate of false positives of {} takes {}, more than `resolver_memory_mb`, {megabytes}",
        count(seen.expected_keys),
        seen.false_positive_rate,
        bytes(seen.bytes())
    );
    let enough = seen.bytes().div_ceil(1 << 20);
    Err(UserError::new(place, message)
        .hint(format!(
            "set `resolver_memory_mb: {enough}` or more, expect fewer keys, or allow more false positives"
        ))
        .into())
}

/// Returns `spec` without directories of word lists that are not there, into which Data-Juicer
/// downloads the lists that ship with djhost.
fn with_lists_that_ship<'s>(
    spec: &'s OpSpec,
    comes_with_djhost: bool,
    notes: &mut Vec<String>,
) -> Cow<'s, OpSpec> {
    let is_missing = |(name, value): (&String, &serde_json::Value)| {
        let path = value.as_str().filter(|path| !path.is_empty())?;
        let is_filled = comes_with_djhost && is_filled_by_data_juicer(name) && !is_address(path);
        (is_filled && host_path(path).symlink_metadata().is_err())
            .then(|| (name.clone(), path.to_owned()))
    };
    let missing: Vec<(String, String)> = spec.params.iter().filter_map(is_missing).collect();
    if missing.is_empty() {
        return Cow::Borrowed(spec);
    }
    let mut spec = spec.clone();
    for (name, path) in missing {
        spec.params.remove(&name);
        notes.push(format!(
            "{}: there is no `{}`, into which Data-Juicer would download its lists: `{}` uses those that ship with djhost",
            spec.place_of(&name),
            path.escape_debug(),
            spec.name
        ));
    }
    Cow::Owned(spec)
}

/// Returns the parameters of `spec` without names of fields that the operator does not read.
/// Data-Juicer accepts these for any operator; only the schema says whether this one reads them.
fn without_unread_fields(
    spec: &OpSpec,
    schema: &serde_json::Value,
    notes: &mut Vec<String>,
) -> serde_json::Map<String, serde_json::Value> {
    let mut params = spec.params.clone();
    params.retain(|name, _| {
        let unread = is_field_key(name)
            && schema
                .get("properties")
                .is_none_or(|p| p.get(name).is_none());
        if unread {
            notes.push(format!(
                "{}: has no effect: `{}` does not read that field",
                spec.place_of(name),
                spec.name
            ));
        }
        !unread
    });
    params
}

/// Returns the limits of one op: its own where the recipe gives them, else those of all ops.
fn limits(config: &Config, host: &OpHost) -> Limits {
    let all = &config.op_limits;
    let batch = (config.batch_size_kb as usize) << 10;
    let ratio = host.output_ratio.unwrap_or(all.output_ratio);
    let row_output = (host.row_output_kb.unwrap_or(all.row_output_kb) as usize) << 10;
    Limits {
        memory: (host.memory_mb.unwrap_or(all.memory_mb) as usize) << 20,
        time: Duration::from_secs_f64(host.timeout_s.unwrap_or(all.timeout_s)),
        row_time: Duration::from_secs_f64(host.row_timeout_s.unwrap_or(all.row_timeout_s)),
        reply: (ratio * batch as f64) as usize + row_output,
        ratio,
        row_output,
        batch,
    }
}

/// Gives the rows that op `op` cannot process to the operator of the same name in `registry`, with
/// the same parameters, limits and grants.
pub(crate) fn add_fallback(
    plan: &mut Plan,
    resolved: &Resolved,
    registry: &Registry,
    op: usize,
) -> Result<()> {
    let mut fallback = planned(resolved, registry, &resolved.ops[op], &mut Vec::new())?;
    let planned = &plan.ops[op];
    if fallback.kind() != planned.kind() || fallback.pool.signature() != planned.pool.signature() {
        let source = &fallback.pool.component().source;
        return Err(UserError::new(
            &planned.place,
            format!("`{}` of {source} reads and writes other fields than that of {}", planned.name, planned.pool.component().source),
        )
        .hint("a build that takes over rows must have the same signature; for another one run the recipe again")
        .into());
    }
    fallback.pool.give_stats(planned.stats_from.is_some());
    if let Some(wanted) = &planned.wanted_stats {
        fallback.pool.want_stats(wanted.clone());
    }
    let identities = plan.ops.iter().map(|op| op.identity.clone()).collect();
    plan.earlier.push(Earlier { identities, op });
    let planned = &mut plan.ops[op];
    planned.identity = KeyBuilder::new("fallback")
        .with(planned.identity.as_str())
        .with(fallback.identity.as_str())
        .key();
    planned.fallbacks.push(fallback.pool);
    Ok(())
}

/// Returns the fields that must be extracted from rows for these ops: all that they read or write,
/// and the stats that they get from the input. With `with_required`, a field is required if an op
/// requires it and no earlier op writes it. Ops after one that changes the shape of rows read the
/// new rows and do not count.
pub(crate) fn fields(ops: &[PlannedOp], with_required: bool) -> Vec<ReadField> {
    let mut fields: Vec<ReadField> = Vec::new();
    let mut written: Vec<&str> = Vec::new();
    let mut add = |path: &str, ty: FieldType, required: bool| match fields
        .iter_mut()
        .find(|f| f.path == path)
    {
        Some(field) => field.required |= required,
        None => fields.push(ReadField {
            path: path.to_owned(),
            ty,
            required,
        }),
    };
    let ops = ops
        .split_inclusive(|op| op.changes_shape())
        .next()
        .unwrap_or_default();
    for op in ops {
        let signature = op.pool.signature();
        for read in signature.reads.iter().filter(|read| read.path != ROW) {
            add(
                &read.path,
                read.ty,
                with_required && read.required && !written.iter().any(|w| is_in(&read.path, w)),
            );
        }
        for write in signature.writes.iter().filter(|write| write.path != ROW) {
            add(&write.path, write.ty, false);
            written.push(&write.path);
        }
    }
    for stat in stats_of_input(ops) {
        add(&format!("{STATS}.{}", stat.path), stat.ty, false);
    }
    fields
}

/// Returns the stats that these ops get from the rows of the input.
pub(crate) fn stats_of_input(ops: &[PlannedOp]) -> impl Iterator<Item = &Computed> {
    ops.iter()
        .filter(|op| op.stats_from == Some(StatsFrom::Input))
        .flat_map(|op| &op.pool.signature().writes_stats)
}

/// Returns notes about ops after a grouper: fields are lists there, and an op that requires another
/// type gets no row.
fn behind_groupers(ops: &[PlannedOp]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut grouper: Option<&PlannedOp> = None;
    let mut written: Vec<&str> = Vec::new();
    for op in ops {
        let signature = op.pool.signature();
        let lists = |ty| {
            matches!(
                ty,
                FieldType::Json
                    | FieldType::Utf8List
                    | FieldType::F64List
                    | FieldType::S64List
                    | FieldType::BytesList
                    | FieldType::Vector(_)
            )
        };
        let unmet = signature.reads.iter().find(|r| {
            r.required && r.path != ROW && !lists(r.ty) && !written.contains(&r.path.as_str())
        });
        if let (Some(grouper), Some(read)) = (grouper, unmet) {
            notes.push(format!(
                "op {} `{}` needs `{}` as {}, but behind op {} `{}` every field is a list: all rows will go to quarantine. Put it before the \
                 grouper, or a `naive_reverse_grouper` between them",
                op.index,
                op.name,
                read.path,
                read.ty.name(),
                grouper.index,
                grouper.name
            ));
        }
        if op.changes_shape() {
            grouper = op.is_grouper().then_some(op);
            written.clear();
        }
        written.extend(signature.writes.iter().map(|write| write.path.as_str()));
    }
    notes
}

/// The field by which an op compares duplicates has the type that it has for other ops.
fn rank_as_others_read(ops: &mut [PlannedOp]) {
    for at in 0..ops.len() {
        let Some(field) = ops[at].pool.clusters().reads().map(|read| read.path) else {
            continue;
        };
        let others = ops.iter().enumerate().filter(|(other, _)| *other != at);
        let mut used = others.flat_map(|(_, op)| {
            let signature = op.pool.signature();
            let reads = signature.reads.iter().map(|read| (&read.path, read.ty));
            reads.chain(signature.writes.iter().map(|write| (&write.path, write.ty)))
        });
        let ty = used.find(|(path, _)| **path == field);
        if let Some((_, ty)) = ty {
            ops[at].pool.rank_as(ty);
        }
    }
}

/// Whether `op` reads as `ty` what `writer`, an op before it, has told each row about its cluster: any
/// number will do.
fn reads_cluster(op: &PlannedOp, path: &str, ty: FieldType, writer: &PlannedOp) -> bool {
    let writes = |op: &PlannedOp| op.pool.signature().writes.iter().any(|w| w.path == path);
    ty == FieldType::Json && !writes(op) && writer.pool.clusters().writes().any(|w| w.path == path)
}

/// Returns an error for each field that ops read or write in two types.
fn type_conflicts(ops: &[PlannedOp]) -> Vec<UserError> {
    let mut seen: Vec<(&str, FieldType, &PlannedOp)> = Vec::new();
    let mut errors = Vec::new();
    for op in ops {
        let signature = op.pool.signature();
        let writes = |inner: &str, outer: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        for outer in signature.writes.iter().filter(|w| w.ty != FieldType::Json) {
            if let Some(inner) = signature
                .writes
                .iter()
                .find(|w| writes(&w.path, &outer.path))
            {
                let message = format!(
                    "this op writes `{}` as {}, and `{}` in it",
                    outer.path,
                    outer.ty.name(),
                    inner.path
                );
                errors.push(
                    UserError::new(&op.place, message)
                        .hint(format!("it comes from {}", op.pool.component().source)),
                );
            }
        }
        let uses = signature
            .reads
            .iter()
            .map(|r| (r.path.as_str(), r.ty))
            .chain(signature.writes.iter().map(|w| (w.path.as_str(), w.ty)));
        for (path, ty) in uses {
            match seen.iter().find(|(p, ..)| *p == path) {
                Some((_, _, first)) if reads_cluster(op, path, ty, first) => {}
                Some((_, before, first)) if *before != ty => errors.push(
                    UserError::new(
                        &op.place,
                        format!(
                            "this op uses the field `{path}` as {}, but `{}` as {}",
                            ty.name(),
                            first.name,
                            before.name()
                        ),
                    )
                    .hint("put them into two recipes, one after the other"),
                ),
                Some(_) => {}
                None => seen.push((path, ty, op)),
            }
        }
        if op.changes_shape() {
            seen.clear();
        }
    }
    errors
}
