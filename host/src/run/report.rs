//! What is printed at the end of a run: where the rows went, op by op.

use std::fmt::Write;

use crate::dataset::Exported;
use crate::job::JobSummary;
use crate::plan::{Plan, PlannedOp};

/// Prints the table of ops and the totals to standard error.
pub(super) fn print(summary: &JobSummary, plan: &Plan, exported: &Exported, quiet: bool) {
    if !quiet {
        eprint!("{}", table(summary));
    }
    eprint!("{}", totals(summary, plan, exported));
}

/// One line per op.
fn table(summary: &JobSummary) -> String {
    let name_width = summary.ops.iter().map(|o| o.name.len()).max().unwrap_or(0).max(2);
    let cpu: f64 = summary.ops.iter().map(|o| o.cpu_seconds).sum();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:>3} {:name_width$} {:>11} {:>11} {:>9} {:>8} {:>8} {:>6} {:>8}",
        "#", "op", "rows in", "rows out", "removed", "MB/CPU s", "CPU s", "share", "peak MB"
    );
    for op in &summary.ops {
        let removed = op.rows_in + op.created - op.rows_out.min(op.rows_in + op.created);
        let share = if cpu > 0.0 { 100.0 * op.cpu_seconds / cpu } else { 0.0 };
        let _ = write!(
            out,
            "{:>3} {:name_width$} {:>11} {:>11} {:>9} {:>8.0} {:>8.2} {:>5.0}% {:>8.1}",
            op.index,
            op.name,
            op.rows_in,
            op.rows_out,
            removed,
            op.mb_per_cpu_second,
            op.cpu_seconds,
            share,
            op.peak_memory as f64 / 1e6
        );
        if op.quarantined > 0 {
            let _ = write!(out, "  {} quarantined", op.quarantined);
        }
        if op.traps > 0 {
            let _ = write!(out, ", {} calls failed", op.traps);
        }
        out.push('\n');
    }
    out
}

fn totals(summary: &JobSummary, plan: &Plan, exported: &Exported) -> String {
    let ledger = &summary.ledger;
    let sum = |map: &std::collections::BTreeMap<usize, u64>| map.values().sum::<u64>();
    let grouped: u64 = ledger.merged.iter().filter(|(op, _)| plan.ops.get(**op).is_some_and(PlannedOp::is_grouper)).map(|(_, n)| n).sum();
    let mut parts = vec![format!("{} rows read", ledger.read)];
    for (count, what) in [
        (sum(&ledger.created), "created"),
        (sum(&ledger.dropped), "dropped"),
        (sum(&ledger.merged) - grouped, "merged as duplicates"),
        (grouped, "merged into groups"),
        (ledger.quarantined, "in quarantine"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.push(format!("{} written", ledger.output));
    let mut out = format!("{}\n", parts.join(", "));
    let seconds = summary.duration.unwrap_or(0.0);
    let mb = summary.totals.input_bytes as f64 / 1e6;
    let rate = if seconds > 0.0 { mb / seconds } else { 0.0 };
    // A job that went on did a part of its work before: nothing is known of how long that took if it was killed.
    let time = match summary.attempts.len() {
        0 | 1 => format!("in {seconds:.2} s ({rate:.0} MB/s, "),
        attempts => format!("in {attempts} attempts ("),
    };
    let (cpu, peak) = (summary.totals.cpu_seconds, summary.totals.peak_memory as f64 / 1e6);
    let _ = writeln!(out, "{mb:.1} MB {time}{cpu:.2} CPU s, peak memory {peak:.0} MB)");
    if ledger.quarantined > 0 {
        let _ = writeln!(out, "quarantine: {}/quarantine", summary.work_dir);
    }
    for file in &exported.files {
        let _ = writeln!(out, "{}", file.display());
    }
    out
}
