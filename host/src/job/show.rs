//! Progress as text, for terminals and pipes.

use std::fmt::Write;

use crate::event::{JobProgress, JobState, OpProgress, PartitionProgress};
use crate::job::mapping::PartitionState;

/// Up to this many partitions are listed one by one; of more, only those that run or failed, unless details are asked for.
const LISTED: usize = 16;

/// Width of the progress bar.
const BAR: usize = 32;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Use terminal colours. They never carry meaning alone.
    pub colour: bool,
}

impl Style {
    /// Text only.
    pub fn plain() -> Self {
        Self { colour: false }
    }

    /// Colours if stdout is a terminal and `NO_COLOR` is not set.
    pub fn for_stdout() -> Self {
        Self { colour: std::io::IsTerminal::is_terminal(&std::io::stdout()) && std::env::var_os("NO_COLOR").is_none() }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// `text` in the colour of a state.
    pub fn state(self, state: JobState, text: &str) -> String {
        let code = match state {
            JobState::Running => "36",
            JobState::Completed => "32",
            JobState::Stopping | JobState::Stopped => "33",
            JobState::Failed | JobState::Died => "31",
        };
        self.paint(code, text)
    }
}

/// The whole job as lines of text.
pub fn render(p: &JobProgress, detailed: bool, style: Style) -> String {
    let mut out = String::new();
    header(&mut out, p, style);
    progress(&mut out, p, style);
    partitions(&mut out, p, detailed, style);
    ops(&mut out, "Ops", &p.ops, style);
    if detailed {
        details(&mut out, p, style);
    }
    if !p.quarantine.is_empty() {
        heading(&mut out, style, "Quarantine");
        let rows = p.quarantine.iter().map(|(reason, rows)| vec![count(*rows), reason.clone()]).collect();
        table(&mut out, &["rows", "reason"], "rl", rows);
    }
    footer(&mut out, p, style);
    out
}

fn header(out: &mut String, p: &JobProgress, style: Style) {
    let _ = writeln!(out, "{} {}", style.bold(&format!("Job {}", p.job_id)), style.state(p.status, &p.status.to_string()));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {name:<12}{value}");
        }
    };
    line("dataset", &p.dataset_path);
    line("export", &p.export_path);
    line("directory", &p.work_dir);
    if let Some(start) = p.start_time {
        let mut times = format!("started {}", time(start));
        if let Some(end) = p.end_time {
            let said = if p.status == JobState::Died { "last sign of life" } else { "ended" };
            let _ = write!(times, ", {said} {}", time(end));
        }
        let _ = write!(times, ", {} at work", seconds(p.duration));
        line("time", &times);
    }
    let mut attempt = p.attempt.to_string();
    if let Some(pid) = p.process_id.filter(|_| p.status.is_running()) {
        let _ = write!(attempt, ", process {pid}");
    }
    line("attempt", &attempt);
}

fn progress(out: &mut String, p: &JobProgress, style: Style) {
    heading(out, style, "Progress");
    let c = &p.partitions;
    let _ = writeln!(out, "  {} {:>5.1} %", bar(p.fraction, BAR), 100.0 * p.fraction);
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<12}{value}");
    };
    line("partitions", format!("{} done, {} running, {} waiting, {} failed, {} in all", c.done, c.running, c.waiting, c.failed, c.total));
    let of = p.rows.total.map(|t| format!(" of {}", count(t))).unwrap_or_default();
    line("rows", format!("{}{of} read, {} out, {} in quarantine", count(p.rows.read), count(p.rows.output), count(p.rows.quarantined)));
    if p.rates.rows_per_second > 0.0 {
        let eta = p.eta_seconds.map(|s| format!(", about {} to go", seconds(s))).unwrap_or_default();
        line("speed", format!("{} rows/s, {}/s{eta}", count(p.rates.rows_per_second as u64), bytes(p.rates.bytes_per_second as u64)));
    }
    let k = &p.checkpoints;
    if k.saved + k.resumed + k.discarded > 0 {
        let mut text = format!("{} ({}, {} to write)", k.saved, bytes(k.bytes), seconds(k.seconds));
        if k.resumed > 0 {
            let _ = write!(text, ", {} continued from one", partitions_text(k.resumed));
        }
        if k.discarded > 0 {
            let _ = write!(text, ", {} unusable", k.discarded);
        }
        line("checkpoints", text);
    }
}

fn partitions(out: &mut String, p: &JobProgress, detailed: bool, style: Style) {
    if p.partition.is_empty() {
        return;
    }
    heading(out, style, "Partitions");
    let all = detailed || p.partition.len() <= LISTED;
    let worth = |q: &&PartitionProgress| all || matches!(q.state, PartitionState::Processing | PartitionState::Failed);
    let shown: Vec<_> = p.partition.iter().filter(worth).collect();
    let rows = shown.iter().map(|q| partition_row(q)).collect();
    table(out, &["id", "state", "done", "rows in", "rows out", "checkpoints", "now"], "rlrrrrl", rows);
    if shown.len() < p.partition.len() {
        let _ = writeln!(out, "  and {} more that are done or wait (`--detailed` lists them)", p.partition.len() - shown.len());
    }
}

fn partition_row(q: &PartitionProgress) -> Vec<String> {
    let mut now = match (&q.current_op, q.current_ops) {
        (Some(op), Some((first, last))) if first < last => format!("op {} {} (stage of ops {first} to {last})", op.index, op.name),
        (Some(op), _) => format!("op {} {}", op.index, op.name),
        (None, Some((first, last))) => format!("stage of ops {first} to {last}"),
        (None, None) => String::new(),
    };
    if q.retries > 0 {
        let _ = write!(now, "{}retry {}", if now.is_empty() { "" } else { ", " }, q.retries);
    }
    if let Some(error) = &q.error_message {
        now.clone_from(error);
    }
    let checkpoints = if q.checkpoints.is_empty() { "-".to_owned() } else { q.checkpoints.len().to_string() };
    vec![
        q.partition_id.to_string(),
        q.state.to_string(),
        format!("{:.0} %", 100.0 * q.fraction),
        count(q.rows_in),
        q.rows_out.map_or_else(|| "-".to_owned(), count),
        checkpoints,
        now,
    ]
}

fn ops(out: &mut String, title: &str, ops: &[OpProgress], style: Style) {
    if ops.iter().all(|op| op.partitions_done == 0) {
        return;
    }
    heading(out, style, title);
    let rows = ops.iter().map(|op| {
        let t = &op.totals;
        if op.partitions_done == 0 {
            let mut row = vec![t.index.to_string(), t.name.clone()];
            row.resize(9, "-".to_owned());
            return row;
        }
        vec![
            t.index.to_string(),
            t.name.clone(),
            count(t.rows_in),
            count(t.rows_out),
            format!("{:.1} %", 100.0 * op.reduction_ratio),
            count(t.quarantined),
            format!("{:.2}", t.wall_seconds),
            count(op.throughput as u64),
            format!("{:.1}", t.mb_per_cpu_second),
        ]
    });
    table(
        out,
        &["op", "name", "rows in", "rows out", "reduction", "quarantine", "seconds", "rows/s", "MB/CPU s"],
        "rlrrrrrrr",
        rows.collect(),
    );
}

fn details(out: &mut String, p: &JobProgress, style: Style) {
    for q in &p.partition {
        ops(out, &format!("Partition {}: ops", q.partition_id), &q.ops, style);
        if q.checkpoints.is_empty() {
            continue;
        }
        heading(out, style, &format!("Partition {}: checkpoints", q.partition_id));
        let rows = q
            .checkpoints
            .iter()
            .map(|c| vec![c.op.index.to_string(), c.op.name.clone(), count(c.rows), bytes(c.bytes), seconds(c.seconds), time(c.time)])
            .collect();
        table(out, &["op", "after", "rows", "size", "to write", "saved"], "rlrrrl", rows);
    }
}

fn footer(out: &mut String, p: &JobProgress, style: Style) {
    let why = p.error_message.as_deref().unwrap_or_default();
    let _ = match p.status {
        JobState::Failed => writeln!(out, "\n{}: {why}", style.state(p.status, "failed")),
        JobState::Died => {
            writeln!(out, "\n{}: the process ended without a word, killed or with the machine", style.state(p.status, "died"))
        }
        JobState::Stopped => writeln!(out, "\n{}", style.state(p.status, if why.is_empty() { "stopped" } else { why })),
        _ => Ok(()),
    };
    if let Some(command) = &p.resumption_command {
        let _ = writeln!(out, "to continue: `{command}`");
    }
}

fn heading(out: &mut String, style: Style, title: &str) {
    let _ = writeln!(out, "\n{}", style.bold(title));
}

/// Columns under headers, two spaces apart, `r`ight or `l`eft aligned, indented.
pub fn table(out: &mut String, headers: &[&str], align: &str, rows: Vec<Vec<String>>) {
    let mut lines = vec![headers.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..headers.len()).map(width).collect();
    for line in &lines {
        let mut text = String::new();
        for ((cell, width), side) in line.iter().zip(&widths).zip(align.chars()) {
            let _ = if side == 'r' { write!(text, "  {cell:>width$}") } else { write!(text, "  {cell:<width$}") };
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }
}

fn partitions_text(n: usize) -> String {
    if n == 1 { "1 partition".to_owned() } else { format!("{n} partitions") }
}

/// `[####----]`
pub fn bar(fraction: f64, width: usize) -> String {
    let full = ((fraction.clamp(0.0, 1.0) * width as f64) as usize).min(width);
    format!("[{}{}]", "#".repeat(full), "-".repeat(width - full))
}

/// `1,234,567`
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `12.3 MB`, in powers of 1000.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.95 {
            return if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `0.42 s`, `12.3 s`, `3m 05s`, `2h 05m`.
pub fn seconds(s: f64) -> String {
    match s {
        s if s < 0.995 => format!("{s:.2} s"),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3599.5 => format!("{}m {:02}s", s.round() as u64 / 60, s.round() as u64 % 60),
        s => format!("{}h {:02}m", (s / 60.0).round() as u64 / 60, (s / 60.0).round() as u64 % 60),
    }
}

/// `2026-01-01 12:00:00 UTC`
pub fn time(seconds: f64) -> String {
    jiff::Timestamp::from_microsecond((seconds * 1e6) as i64)
        .map_or_else(|_| "?".to_owned(), |t| t.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 999, 1000, 999_960, 12_345_678].map(bytes), ["0 B", "999 B", "1.0 kB", "1.0 MB", "12.3 MB"]);
        assert_eq!([0.0, 0.42, 12.34, 59.96, 185.0, 7500.0].map(seconds), ["0.00 s", "0.42 s", "12.3 s", "1m 00s", "3m 05s", "2h 05m"]);
        assert_eq!([0.0, 0.5, 1.0, 2.0].map(|f| bar(f, 4)), ["[----]", "[##--]", "[####]", "[####]"]);
    }
}
