//! The report at the end of a run: where the rows went, op by op.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use crate::data::Exported;
use crate::exec::workers::Room;
use crate::plan::{Plan, PlannedOp};
use crate::rundir::summary::Finding;
use crate::rundir::{JobSummary, Ledger};
use crate::sanitize;
use crate::term::{
    Cell, Color, Column, Style, Table, USUAL_WIDTH, bytes, count, counted, say, seconds, wrap,
};

/// Rows that tell something of a recipe: of fewer, filters often drop none. The summary has the
/// findings of any job.
const ENOUGH_ROWS: u64 = 1000;
/// Kinds of records that are told; the summary has all.
const MOST_KINDS: usize = 6;

/// Prints the table of ops and the totals to standard error.
pub(crate) fn print(summary: &JobSummary, plan: &Plan, exported: &Exported, quiet: bool) {
    let style = Style::for_stderr();
    if !quiet {
        say(&table(summary).render(Style {
            width: Some(style.width.unwrap_or(USUAL_WIDTH)),
            ..style
        }));
    }
    say(&totals(summary, plan, exported, style));
    if !quiet && (summary.ledger.output == 0 || summary.ledger.read >= ENOUGH_ROWS) {
        say(&worth_a_look(&summary.findings, style));
    }
}

/// Returns what deserves a look, in few lines: one for each kind that several ops have in common.
/// What was warned of already is left out.
fn worth_a_look(findings: &[Finding], style: Style) -> String {
    let mut lines = Vec::new();
    for (kind, what) in [
        ("empty_result", ""),
        ("dropped_nothing", "dropped nothing"),
        ("changed_nothing", "changed nothing"),
        (
            "constant_stat",
            "compute a stat that is the same for all rows",
        ),
    ] {
        let of_kind: Vec<&Finding> = findings.iter().filter(|f| f.kind == kind).collect();
        match of_kind[..] {
            [] => {}
            [one] => lines.push(one.message.clone()),
            _ => {
                let ops: Vec<String> = of_kind
                    .iter()
                    .filter_map(|f| f.op)
                    .map(|op| op.to_string())
                    .collect();
                lines.push(format!("ops {} {what}", ops.join(", ")));
            }
        }
    }
    let room = style.width.unwrap_or(usize::MAX);
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let head = if number == 0 { "worth a look: " } else { "" };
        for text in wrap(&format!("{head}{line}"), room) {
            let _ = writeln!(out, "{}", style.paint(Color::Dim, &text));
        }
    }
    out
}

/// Who works on partitions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Crew {
    /// So many threads.
    Threads(usize),
    /// So many threads in so many other processes.
    Processes(usize, usize),
    /// Workers on a cluster.
    Cluster(Room),
}

impl Crew {
    fn text(self) -> String {
        let workers = |n: usize| counted(n as u64, "worker");
        match self {
            Self::Threads(threads) => workers(threads),
            Self::Processes(threads, 1) => format!("{} in another process", workers(threads)),
            Self::Processes(threads, n) => format!("{} in {n} processes", workers(threads)),
            Self::Cluster(room) => format!(
                "{} of {} on a Ray cluster of {}",
                workers(room.workers),
                counted(room.cpus as u64, "CPU"),
                counted(room.nodes as u64, "node")
            ),
        }
    }
}

/// Prints what the job will do and what it takes over from earlier attempts.
pub(crate) fn start(summary: &JobSummary, plan: &Plan, crew: Crew, reused: Option<&str>) {
    let attempt = match summary.attempts.len() {
        0 | 1 => String::new(),
        n => format!(", attempt {n}"),
    };
    let (totals, ops) = (&summary.totals, counted(plan.ops.len() as u64, "op"));
    let parts = [
        bytes(totals.input_bytes),
        counted(totals.partitions as u64, "partition"),
        crew.text(),
    ];
    let begins = format!(
        "job {}{attempt}: {ops} on {}",
        summary.job_id,
        parts.join(", ")
    );
    let reuses = reused.map(|reused| format!("reuses what is there, {reused}"));
    let room = Style::for_stderr().width.unwrap_or(usize::MAX);
    for line in [Some(begins), reuses]
        .into_iter()
        .flatten()
        .chain(plan.order.iter().cloned())
        .flat_map(|text| wrap(&text, room))
    {
        say(&format!("{line}\n"));
    }
}

/// Returns a table with one line per op. If there is little room, row counts stay longest.
fn table(summary: &JobSummary) -> Table {
    let cpu: f64 = summary.ops.iter().map(|o| o.cpu_seconds).sum();
    let any_bad = summary.ops.iter().any(|op| op.quarantined > 0);
    let any_trap = summary.ops.iter().any(|op| op.traps > 0);
    let mut columns = vec![
        Column::right("#").goes(3),
        Column::left("op"),
        Column::right("rows in").goes(4),
        Column::right("rows out"),
        Column::right("removed").goes(1),
    ];
    columns.extend(any_bad.then_some(Column::right("quarantined").goes(2)));
    columns.extend([
        Column::right("CPU s").goes(5),
        Column::right("share").goes(6),
        Column::right("MB/CPU s").goes(7),
    ]);
    columns.extend(any_trap.then_some(Column::right("failed calls").goes(8)));
    columns.push(Column::right("peak MB").goes(9));
    let mut table = Table::new(columns);
    let warn = |n: u64| {
        if n > 0 {
            Cell::painted(count(n), Color::Yellow)
        } else {
            count(n).into()
        }
    };
    for op in &summary.ops {
        // Rows in quarantine have a column of their own.
        let removed = (op.rows_in + op.created).saturating_sub(op.rows_out + op.quarantined);
        let share = if cpu > 0.0 {
            100.0 * op.cpu_seconds / cpu
        } else {
            0.0
        };
        let mut row: Vec<Cell> = vec![
            op.index.to_string().into(),
            op.name.as_str().into(),
            count(op.rows_in).into(),
            count(op.rows_out).into(),
            count(removed).into(),
        ];
        row.extend(any_bad.then(|| warn(op.quarantined)));
        row.extend([
            Cell::from(format!(
                "{:.*}",
                if op.cpu_seconds < 99.995 { 2 } else { 0 },
                op.cpu_seconds
            )),
            format!("{share:.0}%").into(),
            format!("{:.0}", op.mb_per_cpu_second).into(),
        ]);
        row.extend(any_trap.then(|| warn(op.traps)));
        row.push(format!("{:.1}", op.peak_memory as f64 / 1e6).into());
        table.row(row);
    }
    table
}

/// Returns `113 rows read, 22 dropped, 91 written`, without counts that are zero. `grouped` is how
/// many of the merged rows went into groups.
pub fn rows_line(ledger: &Ledger, grouped: u64) -> String {
    let sum = |map: &BTreeMap<usize, u64>| map.values().sum::<u64>();
    let mut parts = vec![format!("{} read", counted(ledger.read, "row"))];
    for (n, what) in [
        (sum(&ledger.created), "created"),
        (sum(&ledger.dropped), "dropped"),
        (
            sum(&ledger.merged) - grouped,
            if sum(&ledger.merged) - grouped == 1 {
                "merged as a duplicate"
            } else {
                "merged as duplicates"
            },
        ),
        (grouped, "merged into groups"),
        (ledger.quarantined, "in quarantine"),
    ] {
        if n > 0 {
            parts.push(format!("{} {what}", count(n)));
        }
    }
    parts.push(format!("{} written", count(ledger.output)));
    parts.join(", ")
}

/// Returns `7 other records were not asked for: 4 request, 2 metadata, 1 warcinfo`, if there are any.
fn passed_over(ledger: &Ledger) -> Option<String> {
    let all: u64 = ledger.passed_over.values().sum();
    let mut kinds: Vec<(&String, &u64)> = ledger.passed_over.iter().collect();
    kinds.sort_by_key(|(kind, n)| (Reverse(**n), *kind));
    let mut parts: Vec<String> = kinds
        .iter()
        .take(MOST_KINDS)
        .map(|(kind, n)| format!("{} {}", count(**n), sanitize::printable(kind)))
        .collect();
    if kinds.len() > MOST_KINDS {
        let more = kinds.len() - MOST_KINDS;
        parts.push(counted(more as u64, "more kind"));
    }
    let other = match all {
        0 => return None,
        1 => "1 other record was".to_owned(),
        n => format!("{} other records were", count(n)),
    };
    let parts = parts.join("; ");
    Some(format!("{other} not asked for: {parts}"))
}

/// Returns size, time, CPU time and memory of the job. Times cover all attempts, like those in the
/// table.
fn usage_line(summary: &JobSummary) -> String {
    let (totals, compiling) = (&summary.totals, summary.totals.compile_seconds);
    let time = summary.duration.unwrap_or(0.0) + compiling;
    let mut out = bytes(totals.input_bytes);
    match summary.attempts.len() {
        0 | 1 => {
            let _ = write!(out, " in {}", seconds(time));
            let at_work = time - compiling;
            if at_work > 0.0 {
                let _ = write!(
                    out,
                    " ({}/s)",
                    bytes((totals.input_bytes as f64 / at_work) as u64)
                );
            }
        }
        n => {
            let _ = write!(out, " in {n} attempts of {} together", seconds(time));
        }
    }
    if compiling >= 0.1 {
        let _ = write!(
            out,
            ", {} of it to compile operators for the first time",
            seconds(compiling)
        );
    }
    // For an attempt that was killed, only the time of its ops is known.
    let killed = summary
        .attempts
        .iter()
        .any(|attempt| attempt.end_time.is_none());
    let of_ops: f64 = summary.ops.iter().map(|op| op.cpu_seconds).sum();
    let (least, cpu) = if killed {
        ("at least ", totals.cpu_seconds.max(of_ops))
    } else {
        ("", totals.cpu_seconds)
    };
    let _ = write!(
        out,
        ", {least}{} of CPU time, peak memory {}",
        seconds(cpu),
        bytes(totals.peak_memory)
    );
    out
}

fn totals(summary: &JobSummary, plan: &Plan, exported: &Exported, style: Style) -> String {
    let ledger = &summary.ledger;
    let grouped: u64 = ledger
        .merged
        .iter()
        .filter(|(op, _)| plan.ops.get(**op).is_some_and(PlannedOp::is_grouper))
        .map(|(_, n)| n)
        .sum();
    // In a log, each sentence is one line.
    let room = style.width.unwrap_or(usize::MAX);
    let mut out = String::new();
    for line in wrap(&rows_line(ledger, grouped), room) {
        let _ = writeln!(out, "{}", style.bold(&line));
    }
    for line in passed_over(ledger).iter().flat_map(|text| wrap(text, room)) {
        let _ = writeln!(out, "{line}");
    }
    for line in wrap(&usage_line(summary), room) {
        let _ = writeln!(out, "{line}");
    }
    if ledger.quarantined > 0 {
        let _ = writeln!(
            out,
            "{}: {}/quarantine",
            style.paint(Color::Yellow, "quarantine"),
            summary.work_dir
        );
    }
    let published = exported.published.iter().map(|file| &file.path);
    let on_disk = exported
        .files
        .iter()
        .filter(|_| exported.published.is_empty());
    for file in published.chain(on_disk) {
        let _ = writeln!(out, "{}", file.display());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rundir::RunPaths;
    use crate::rundir::events::{OpDone, OpRef};

    fn summary() -> JobSummary {
        let paths = RunPaths::new("j");
        let mut summary =
            JobSummary::start(&paths, "j", 1, &paths.events("20260101_000000", 0)).unwrap();
        for (i, name) in [
            "whitespace_normalization_mapper",
            "specified_numeric_field_filter",
        ]
        .into_iter()
        .enumerate()
        {
            summary.add_op(&OpDone {
                op: OpRef::new(i, name),
                input_rows: 12_345_678,
                output_rows: 12_345_670,
                quarantined_rows: 3,
                traps: 2,
                cpu_seconds: 4321.5,
                input_bytes: 1 << 40,
                peak_memory: 250 << 20,
                ..OpDone::default()
            });
        }
        summary.ledger.read = 12_345_678;
        summary.ledger.output = 12_345_662;
        summary
    }

    #[test]
    fn no_line_of_the_table_is_wider_than_the_terminal() {
        let (summary, least) = (summary(), 40);
        for width in least..200 {
            let text = table(&summary).render(Style {
                colour: false,
                width: Some(width),
            });
            assert!(
                text.lines().all(|line| crate::term::width(line) <= width),
                "{width}:\n{text}"
            );
            assert!(
                text.contains("rows out") && text.contains("12,345,670"),
                "{width}:\n{text}"
            );
        }
        let text = table(&summary).render(Style {
            colour: false,
            width: Some(80),
        });
        for column in ["#", "removed", "quarantined"] {
            assert!(
                text.lines().next().unwrap().contains(column),
                "{column} is not in:\n{text}"
            );
        }
        // Of 8 rows that are missing 3 are in quarantine.
        let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert!(row.windows(2).any(|pair| pair == ["5", "3"]), "{text}");
    }

    #[test]
    fn findings_of_one_kind_are_one_line() {
        let finding = |kind: &str, op| Finding {
            kind: kind.into(),
            op: Some(op),
            message: format!("op {op} is odd"),
        };
        let findings = [
            finding("dropped_nothing", 1),
            finding("changed_nothing", 2),
            finding("dropped_nothing", 7),
            finding("dropped_everything", 8),
        ];
        assert_eq!(
            worth_a_look(&findings, Style::plain()),
            "worth a look: ops 1, 7 dropped nothing\nop 2 is odd\n"
        );
        assert_eq!(worth_a_look(&[], Style::plain()), "");
    }

    #[test]
    fn one_row_is_one_row() {
        let ledger = Ledger {
            read: 1,
            output: 0,
            merged: BTreeMap::from([(2, 1)]),
            ..Ledger::default()
        };
        assert_eq!(
            rows_line(&ledger, 0),
            "1 row read, 1 merged as a duplicate, 0 written"
        );
        let ledger = Ledger {
            read: 1200,
            output: 1000,
            dropped: BTreeMap::from([(0, 200)]),
            ..Ledger::default()
        };
        assert_eq!(
            rows_line(&ledger, 0),
            "1,200 rows read, 200 dropped, 1,000 written"
        );
    }

    #[test]
    fn the_times_of_several_attempts_add_up() {
        let mut summary = summary();
        summary.totals.cpu_seconds = 10.0;
        summary.totals.compile_seconds = 2.0;
        let attempt = summary.attempts[0].clone();
        summary.attempts = vec![attempt.clone(), attempt.clone()];
        (summary.attempts[0].start_time, summary.attempts[0].end_time) = (0.0, Some(60.0));
        (summary.attempts[1].start_time, summary.attempts[1].end_time) = (100.0, Some(118.0));
        summary.duration = Some(78.0);
        let line = usage_line(&summary);
        assert!(
            line.contains("in 2 attempts of 1 min 20 s together, 2.0 s of it to compile"),
            "{line}"
        );
        assert!(line.contains(", 10 s of CPU time"), "{line}");
        // An attempt was killed: its time is known only as far as its ops tell.
        summary.attempts[0].end_time = None;
        assert!(
            usage_line(&summary).contains(", at least 2 h 24 min of CPU time"),
            "{}",
            usage_line(&summary)
        );
    }
}
