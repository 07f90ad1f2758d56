//! The plan for people: what `djhost plan` prints.

mod ops;

pub(crate) use ops::limit_or_value;

use std::fmt::Write;

use super::advice::{JobFacts, advice};
use super::{End, Prepared};
use crate::config::Strategy;
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
    let config = &resolved.config;
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!(
        "job        {}  in {}",
        resolved.dirs.job_id,
        resolved.dirs.run_dir.display()
    ));
    line(format!(
        "dataset    {}  ({}, {})",
        resolved.sources.join(" "),
        counted(prepared.dataset.files.len() as u64, "file"),
        bytes(prepared.dataset.bytes())
    ));
    line(format!("export     {}", prepared.target.path.display()));
    line(format!("workers    {}", config.workers()));
    line(format!("partitions {}", partitions));
    why.iter().for_each(|why| line(format!("           {why}")));
    if let Some(reused) = reused {
        line(format!("reuses     {reused}"));
    }
    line(String::new());
    ops::lines(&plan.ops).into_iter().for_each(&mut line);
    line(String::new());
    line(format!(
        "checkpoints ({}, {}/{})",
        config.strategy().word(),
        config.intermediate_storage.format.word(),
        config.intermediate_storage.compression().word()
    ));
    let mut any = false;
    for segment in &plan.segments {
        for op in &segment.stored {
            any = true;
            let op = &plan.ops[*op];
            let why = op
                .checkpoint
                .as_deref()
                .unwrap_or("the global op after it needs these rows again");
            line(format!("  after op {} {}: {why}", op.index, op.name));
        }
        if let End::Keys(op) = segment.end {
            any = true;
            let what = if plan.ops[op].is_grouper() {
                "its keys, and the rows that it makes"
            } else {
                "its keys and what it keeps"
            };
            line(format!(
                "  at op {op} {}: {what}, always",
                plan.ops[op].name
            ));
        }
    }
    if config.strategy() == Strategy::Adaptive {
        line("  adaptive: after an op when losing the work since the last checkpoint would cost more than storing the rows, as measured while".into());
        line("  the job runs; what stands above is for the first partitions".into());
    } else if !any {
        line("  none".into());
    }
    // Global ops store their keys and masks with every strategy: there is nothing to advise about
    // them.
    let names: Vec<&str> = plan
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
    if !advice.is_empty() && config.strategy() != Strategy::Adaptive {
        line(String::new());
        line("advice".into());
        advice.iter().for_each(|a| line(format!("  {a}")));
    }
    for note in resolved
        .notes
        .iter()
        .chain(&plan.notes)
        .chain(&prepared.dataset.notes)
        .chain(unmet)
    {
        line(format!("note: {note}"));
    }
    out
}
