//! Progress as text, for terminals and pipes.

use std::fmt::Write;

use super::progress::{JobProgress, JobState, OpProgress, PartitionProgress};
use super::reasons::Reasons;
use crate::rundir::mapping::PartitionState;
use crate::term::{
    Cell, Color, Column, Style, Table, about, bytes, count, counted, cut_start, seconds, time, wrap,
};

/// If there are more partitions, only those that run or failed are listed, unless details are asked
/// for.
const LISTED: usize = 16;

/// Width of the progress bar if there is room.
const BAR: usize = 32;

/// Number of quarantine reasons that are listed unless details are asked for.
const REASONS: usize = 10;

/// Width of the names of lines.
const NAME: usize = 14;

/// Returns the colour of a state.
pub fn color(state: JobState) -> Color {
    match state {
        JobState::Running => Color::Cyan,
        JobState::Completed => Color::Green,
        JobState::Stopping | JobState::Stopped => Color::Yellow,
        JobState::Failed | JobState::Died => Color::Red,
    }
}

/// Returns the progress of a job as lines of text, as `djhost monitor` prints them.
pub fn render(p: &JobProgress, detailed: bool, style: Style) -> String {
    let mut out = String::new();
    header(&mut out, p, style);
    progress(&mut out, p, style);
    partitions(&mut out, p, detailed, style);
    ops(&mut out, "Ops", &p.ops, style);
    if detailed {
        details(&mut out, p, style);
    }
    quarantine(&mut out, p, detailed, style);
    footer(&mut out, p, style);
    out
}

/// Returns what [`render`] does, for a program whose standard output is a terminal or something
/// else: in its width and with colours, or plain.
pub fn progress_text(progress: &JobProgress, detailed: bool, on_terminal: bool) -> String {
    let style = match on_terminal {
        true => Style::for_stdout(),
        false => Style::plain(),
    };
    render(progress, detailed, style)
}

/// Adds `  name        value`. A long value continues on further lines below its beginning.
fn line(out: &mut String, name: &str, value: &str, style: Style) {
    let room = style
        .width
        .map_or(usize::MAX, |width| width.saturating_sub(NAME).max(20));
    for (i, part) in wrap(value, room).iter().enumerate() {
        let _ = writeln!(out, "  {:<12}{part}", if i == 0 { name } else { "" });
    }
}

/// Adds `  name        path`. Of a long path, the end is shown.
fn path(out: &mut String, name: &str, value: &str, style: Style) {
    if !value.is_empty() {
        let room = style
            .width
            .map_or(usize::MAX, |width| width.saturating_sub(NAME).max(20));
        let _ = writeln!(out, "  {name:<12}{}", cut_start(value, room));
    }
}

fn header(out: &mut String, p: &JobProgress, style: Style) {
    let _ = writeln!(
        out,
        "{} {}",
        style.bold(&format!("Job {}", p.job_id)),
        style.paint(color(p.status), &p.status.to_string())
    );
    path(out, "dataset", &p.dataset_path, style);
    path(out, "export", &p.export_path, style);
    path(out, "directory", &p.work_dir, style);
    if let Some(start) = p.start_time {
        let mut times = format!("started {}", time(start));
        if let Some(end) = p.end_time {
            let said = if p.status == JobState::Died {
                "last sign of life"
            } else {
                "ended"
            };
            let _ = write!(times, ", {said} {}", time(end));
        }
        let _ = write!(times, ", {} at work", seconds(p.duration));
        line(out, "time", &times, style);
    }
    let mut attempt = p.attempt.to_string();
    if let Some(pid) = p.process_id.filter(|_| p.status.is_running()) {
        let _ = write!(attempt, ", process {pid}");
    }
    line(out, "attempt", &attempt, style);
}

/// Returns `2 of 8 done, 1 running, 5 waiting`, without the states that no partition is in.
pub fn partition_counts(p: &JobProgress) -> String {
    let c = &p.partitions;
    let mut text = format!("{} of {} done", count(c.done as u64), count(c.total as u64));
    for (n, what) in [
        (c.running, "running"),
        (c.waiting, "waiting"),
        (c.failed, "failed"),
    ] {
        if n > 0 {
            let _ = write!(text, ", {} {what}", count(n as u64));
        }
    }
    text
}

/// Returns `, about 3 min to go`, or nothing if the time left is unknown or below half a second.
pub fn to_go(p: &JobProgress) -> String {
    p.eta_seconds
        .filter(|s| *s >= 0.5)
        .map(|s| format!(", about {} to go", about(s)))
        .unwrap_or_default()
}

fn progress(out: &mut String, p: &JobProgress, style: Style) {
    heading(out, style, "Progress");
    let room = style
        .width
        .map_or(BAR, |width| width.saturating_sub(12).clamp(4, BAR));
    let _ = writeln!(
        out,
        "  {} {:>5.1} %",
        style.paint(color(p.status), &bar(p.fraction, room)),
        100.0 * p.fraction
    );
    line(out, "partitions", &partition_counts(p), style);
    let of = p
        .rows
        .total
        .map(|t| format!(" of {}", count(t)))
        .unwrap_or_default();
    let rows = format!(
        "{}{of} read, {} out, {} in quarantine",
        count(p.rows.read),
        count(p.rows.output),
        count(p.rows.quarantined)
    );
    line(out, "rows", &rows, style);
    if p.rates.rows_per_second > 0.0 {
        let rates = format!(
            "{} rows/s, {}/s",
            count(p.rates.rows_per_second as u64),
            bytes(p.rates.bytes_per_second as u64)
        );
        line(out, "speed", &format!("{rates}{}", to_go(p)), style);
    }
    let k = &p.checkpoints;
    if k.saved + k.resumed + k.discarded > 0 {
        let mut text = format!(
            "{} ({}, {} to write)",
            k.saved,
            bytes(k.bytes),
            seconds(k.seconds)
        );
        if k.resumed > 0 {
            let _ = write!(
                text,
                ", {} continued from one",
                counted(k.resumed as u64, "partition")
            );
        }
        if k.discarded > 0 {
            let _ = write!(text, ", {} unusable", k.discarded);
        }
        line(out, "checkpoints", &text, style);
    }
}

fn partitions(out: &mut String, p: &JobProgress, detailed: bool, style: Style) {
    if p.partition.is_empty() {
        return;
    }
    heading(out, style, "Partitions");
    let all = detailed || p.partition.len() <= LISTED;
    let worth = |q: &&PartitionProgress| {
        all || matches!(q.state, PartitionState::Processing | PartitionState::Failed)
    };
    let shown: Vec<_> = p.partition.iter().filter(worth).collect();
    let mut table = Table::new(vec![
        Column::right("id"),
        Column::left("state"),
        Column::right("done"),
        Column::right("rows in").goes(2),
        Column::right("rows out").goes(3),
        Column::right("checkpoints").goes(4),
        Column::left("now").shrinks(16),
    ]);
    shown.iter().for_each(|q| table.row(partition_row(q)));
    *out += &table.render(style);
    if shown.len() < p.partition.len() {
        let more = p.partition.len() - shown.len();
        line_of(
            out,
            &format!("and {more} more that are done or wait (`--detailed` lists them)"),
            style,
        );
    }
}

/// Adds a sentence below a table.
fn line_of(out: &mut String, text: &str, style: Style) {
    for part in wrap(
        text,
        style
            .width
            .map_or(usize::MAX, |width| width.saturating_sub(2).max(20)),
    ) {
        let _ = writeln!(out, "  {part}");
    }
}

fn partition_row(q: &PartitionProgress) -> Vec<Cell> {
    let mut now = match (&q.current_op, q.current_ops) {
        (Some(op), Some((first, last))) if first < last => format!(
            "op {} {} (stage of ops {first} to {last})",
            op.index, op.name
        ),
        (Some(op), _) => format!("op {} {}", op.index, op.name),
        (None, Some((first, last))) if first < last => format!("stage of ops {first} to {last}"),
        (None, Some((first, _))) => format!("stage of op {first}"),
        (None, None) => String::new(),
    };
    if let (Some(node), PartitionState::Processing) = (&q.node, q.state) {
        let worker = q.worker.unwrap_or_default();
        let _ = write!(
            now,
            "{}worker {worker} on {node}",
            if now.is_empty() { "" } else { ", " }
        );
    }
    if q.retries > 0 {
        let _ = write!(
            now,
            "{}retry {}",
            if now.is_empty() { "" } else { ", " },
            q.retries
        );
    }
    if let Some(error) = &q.error_message {
        now = error.lines().collect::<Vec<_>>().join(" ");
    }
    let checkpoints = if q.checkpoints.is_empty() {
        "-".to_owned()
    } else {
        q.checkpoints.len().to_string()
    };
    let color = match q.state {
        PartitionState::Processing => Color::Cyan,
        PartitionState::Completed => Color::Green,
        PartitionState::Failed => Color::Red,
        PartitionState::Pending => Color::Dim,
    };
    vec![
        q.partition_id.to_string().into(),
        Cell::painted(q.state.to_string(), color),
        format!("{:.0} %", 100.0 * q.fraction).into(),
        count(q.rows_in).into(),
        q.rows_out.map_or_else(|| "-".to_owned(), count).into(),
        checkpoints.into(),
        now.into(),
    ]
}

fn ops(out: &mut String, title: &str, ops: &[OpProgress], style: Style) {
    if ops.iter().all(|op| op.partitions_done == 0) {
        return;
    }
    heading(out, style, title);
    let mut table = Table::new(vec![
        Column::right("op").goes(2),
        Column::left("name"),
        Column::right("rows in").goes(3),
        Column::right("rows out"),
        Column::right("reduction").goes(1),
        Column::right("quarantine").goes(4),
        Column::right("seconds").goes(5),
        Column::right("rows/s").goes(7),
        Column::right("MB/CPU s").goes(6),
    ]);
    for op in ops {
        let t = &op.totals;
        if op.partitions_done == 0 {
            let mut row = vec![t.index.to_string().into(), t.name.as_str().into()];
            row.resize(9, "-".into());
            table.row(row);
            continue;
        }
        let quarantined = count(t.quarantined);
        table.row(vec![
            t.index.to_string().into(),
            t.name.as_str().into(),
            count(t.rows_in).into(),
            count(t.rows_out).into(),
            format!("{:.1} %", 100.0 * op.reduction_ratio).into(),
            if t.quarantined > 0 {
                Cell::painted(quarantined, Color::Yellow)
            } else {
                quarantined.into()
            },
            format!("{:.2}", t.wall_seconds).into(),
            count(op.throughput as u64).into(),
            format!("{:.1}", t.mb_per_cpu_second).into(),
        ]);
    }
    *out += &table.render(style);
}

fn details(out: &mut String, p: &JobProgress, style: Style) {
    for q in &p.partition {
        ops(
            out,
            &format!("Partition {}: ops", q.partition_id),
            &q.ops,
            style,
        );
        if q.checkpoints.is_empty() {
            continue;
        }
        heading(
            out,
            style,
            &format!("Partition {}: checkpoints", q.partition_id),
        );
        let mut table = Table::new(vec![
            Column::right("op").goes(1),
            Column::left("after"),
            Column::right("rows"),
            Column::right("size"),
            Column::right("to write").goes(2),
            Column::left("saved").goes(3),
        ]);
        for c in &q.checkpoints {
            table.row(vec![
                c.op.index.to_string().into(),
                c.op.name.as_str().into(),
                count(c.rows).into(),
                bytes(c.bytes).into(),
                seconds(c.seconds).into(),
                time(c.time).into(),
            ]);
        }
        *out += &table.render(style);
    }
}

fn quarantine(out: &mut String, p: &JobProgress, detailed: bool, style: Style) {
    if p.quarantine.is_empty() {
        return;
    }
    heading(out, style, "Quarantine");
    let mut reasons = Reasons::default();
    p.quarantine
        .iter()
        .for_each(|(reason, rows)| reasons.add((), reason, *rows));
    let reasons = reasons.commonest_first();
    let shown = if detailed { reasons.len() } else { REASONS };
    let mut table = Table::new(vec![
        Column::right("rows"),
        Column::left("reason").shrinks(20),
    ]);
    for ((), reason, rows) in reasons.iter().take(shown) {
        table.row(vec![count(*rows).into(), reason.as_str().into()]);
    }
    *out += &table.render(style);
    if reasons.len() > shown {
        line_of(
            out,
            &format!(
                "and {} more (`djhost quarantine {}` lists them)",
                counted((reasons.len() - shown) as u64, "reason"),
                p.job_id
            ),
            style,
        );
    }
}

fn footer(out: &mut String, p: &JobProgress, style: Style) {
    let why = p.error_message.as_deref().unwrap_or_default();
    let (word, rest) = match p.status {
        JobState::Failed => ("failed", format!(": {why}")),
        JobState::Died => (
            "died",
            ": the process was killed, or the machine went down".to_owned(),
        ),
        JobState::Stopped => (
            "stopped",
            why.strip_prefix("stopped").unwrap_or_default().to_owned(),
        ),
        _ => ("", String::new()),
    };
    if !word.is_empty() {
        let lines = wrap(&format!("{word}{rest}"), style.width.unwrap_or(usize::MAX));
        let text = lines.join("\n");
        let _ = writeln!(
            out,
            "\n{}{}",
            style.paint(color(p.status), word),
            &text[word.len()..]
        );
    }
    if let Some(command) = &p.resumption_command {
        let _ = writeln!(out, "to continue: `{command}`");
    }
}

fn heading(out: &mut String, style: Style, title: &str) {
    let _ = writeln!(out, "\n{}", style.bold(title));
}

/// Returns a bar such as `[####----]`.
pub fn bar(fraction: f64, width: usize) -> String {
    let full = ((fraction.clamp(0.0, 1.0) * width as f64) as usize).min(width);
    format!("[{}{}]", "#".repeat(full), "-".repeat(width - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_full_as_the_job_is_done() {
        assert_eq!(
            [0.0, 0.5, 1.0, 2.0].map(|f| bar(f, 4)),
            ["[----]", "[##--]", "[####]", "[####]"]
        );
    }
}
