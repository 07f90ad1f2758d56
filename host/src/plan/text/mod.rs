//! The plan for people: what `djhost plan` prints.

mod ops;

pub(crate) use ops::limit_or_value;

use super::advice::{JobFacts, advice};
use super::{End, Prepared};
use crate::config::{Place, Resolved, Strategy};
use crate::term::{bytes, counted};

/// Returns the lines about the job: dataset, ops, components, checkpoints, advice, notes.
pub(crate) fn text(
    prepared: &Prepared,
    partitions: usize,
    why: &[String],
    reused: Option<&str>,
    unmet: &[String],
) -> String {
    let (resolved, plan) = (&prepared.resolved, &prepared.plan);
    let mut lines = job(prepared, partitions, why, reused);
    lines.push(String::new());
    lines.extend(ops::lines(&plan.ops));
    lines.push(String::new());
    lines.extend(checkpoints(prepared));
    lines.extend(advice_lines(prepared));
    lines.extend(
        resolved
            .notes
            .iter()
            .chain(&plan.order)
            .chain(&plan.notes)
            .chain(&prepared.dataset.notes)
            .chain(unmet)
            .map(|note| format!("note: {note}")),
    );
    lines.into_iter().map(|line| line + "\n").collect()
}

fn job(
    prepared: &Prepared,
    partitions: usize,
    why: &[String],
    reused: Option<&str>,
) -> Vec<String> {
    let resolved = &prepared.resolved;
    let mut lines = vec![
        format!(
            "job        {}  in {}",
            resolved.dirs.job_id,
            resolved
                .dirs
                .run_address
                .as_ref()
                .unwrap_or(&resolved.dirs.run_dir)
                .display()
        ),
        format!(
            "dataset    {}  ({}, {})",
            resolved.sources.join(" "),
            counted(prepared.dataset.files.len() as u64, "file"),
            bytes(prepared.dataset.bytes())
        ),
        format!("export     {}", prepared.target.shown()),
        format!("workers    {}", workers(resolved)),
        format!("partitions {partitions}"),
    ];
    lines.extend(why.iter().map(|why| format!("           {why}")));
    lines.extend(reused.map(|reused| format!("reuses     {reused}")));
    lines
}

/// Who works on partitions, and why they.
fn workers(resolved: &Resolved) -> String {
    let why = resolved.place.why.as_ref();
    let who = match &resolved.place.place {
        Place::Here => {
            return match why {
                Some(why) => format!("{}, on this machine: {why}", resolved.config.workers()),
                None => resolved.config.workers().to_string(),
            };
        }
        Place::Cluster(address) => format!("those of the Ray cluster `{address}`"),
        Place::Submit { url, .. } => {
            format!("those of the Ray cluster behind `{url}`, which runs the whole job")
        }
    };
    match why {
        Some(why) => format!("{who}: {why}"),
        None => who,
    }
}

fn checkpoints(prepared: &Prepared) -> Vec<String> {
    let (config, plan) = (&prepared.resolved.config, &prepared.plan);
    let mut lines = vec![format!(
        "checkpoints ({}, {}/{})",
        config.strategy().word(),
        config.intermediate_storage.format.word(),
        config.intermediate_storage.compression().word()
    )];
    for segment in &plan.segments {
        for op in segment.stored.iter().map(|op| &plan.ops[*op]) {
            let why = op
                .checkpoint
                .as_deref()
                .unwrap_or("the global op after it needs these rows again");
            lines.push(format!("  after op {} {}: {why}", op.index, op.name));
        }
        if let End::Keys(op) = segment.end {
            let what = if plan.ops[op].is_grouper() {
                "its keys, and the rows that it makes"
            } else {
                "its keys and what it keeps"
            };
            let name = &plan.ops[op].name;
            lines.push(format!("  at op {op} {name}: {what}, always"));
        }
    }
    if config.strategy() == Strategy::Adaptive {
        lines.push("  adaptive: after an op when losing the work since the last checkpoint would cost more than storing the rows, as measured while".into());
        lines.push("  the job runs; the list above is for the first partitions".into());
    } else if lines.len() == 1 {
        lines.push("  none".into());
    }
    lines
}

/// Returns an empty line, a heading and the advice, or nothing if there is none.
fn advice_lines(prepared: &Prepared) -> Vec<String> {
    let config = &prepared.resolved.config;
    // Global ops store their keys and masks with every strategy: there is nothing to advise about
    // them.
    let names: Vec<&str> = prepared
        .plan
        .ops
        .iter()
        .map(|o| {
            if o.is_global() {
                "(global op)"
            } else {
                o.name.as_str()
            }
        })
        .collect();
    let facts = JobFacts {
        ops: &names,
        strategy: config.strategy(),
        n_ops: config.checkpoint.n_ops,
        op_names: &config.checkpoint.op_names.0,
        seconds: None,
    };
    let advice = advice(&facts);
    if advice.is_empty() || config.strategy() == Strategy::Adaptive {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "advice".into()];
    lines.extend(advice.iter().map(|a| format!("  {a}")));
    lines
}
