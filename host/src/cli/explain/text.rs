//! Explanations for people.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::json;

use super::diff::{diff, shown as one_line};
use crate::cli::again::dataset_again;
use crate::data::ReadOptions;
use crate::jobs::{Entry, Near, Trace, TracedOp, number, shown};
use crate::run::dropped::reason;
use crate::run::explain::{
    Did, End, Explained, Judged, Located, Step, all_located, read_row, readable, row_text,
};
use crate::rundir::RunPaths;
use crate::term::{Color, Style, cut_end, wrap};

/// Characters of a row that are shown.
const ROW: usize = 160;

/// The way of a row.
pub(super) fn way(explained: &Explained, style: Style) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", style.bold(&place(&explained.row)));
    let _ = writeln!(out, "  {}\n", cut_end(&one_line(&explained.text), ROW));
    let names = explained.steps.iter().map(|step| step.name.chars().count());
    let width = names.max().unwrap_or(0);
    for step in &explained.steps {
        write_step(&mut out, step, width, style);
    }
    let end = match explained.end {
        End::Written => style.paint(Color::Green, "it is in the result"),
        End::Gone => style.paint(Color::Yellow, "it is not in the result"),
        End::Quarantined => style.paint(Color::Red, "it is in quarantine"),
        End::Unknown => "where it is now is not known".to_owned(),
    };
    let _ = writeln!(out, "\n{end}");
    if explained.steps.iter().any(|step| step.recomputed) {
        out.push_str("computed again from the input for this answer: what mappers changed, and the stats of filters\n");
    }
    let room = style.width.unwrap_or(usize::MAX);
    for note in &explained.notes {
        for line in wrap(&format!("note: {note}"), room) {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

fn place(row: &Located) -> String {
    match row.line {
        Some(line) => format!("{}:{line}, row_id {}", one_line(&row.file), row.row_id),
        None => format!("{}, row_id {}", one_line(&row.file), row.row_id),
    }
}

fn write_step(out: &mut String, step: &Step, width: usize, style: Style) {
    let number = step.op.map(|op| op.to_string()).unwrap_or_default();
    let moved = step
        .position
        .map(|at| format!(" (number {at} in the recipe)"))
        .unwrap_or_default();
    for (piece, did) in step.did.iter().enumerate() {
        let head = match piece {
            0 => format!("{number:>3}  {:width$}  ", step.name),
            _ => format!("{:>3}  {:width$}  ", "", ""),
        };
        let which = match step.did.len() {
            1 => String::new(),
            _ => format!("row {}: ", piece + 1),
        };
        let moved = if piece == 0 { moved.as_str() } else { "" };
        let _ = writeln!(out, "{head}{which}{}{moved}", said(did, style));
        for line in details(did, style) {
            let _ = writeln!(out, "     {:width$}  {line}", "");
        }
    }
}

fn said(did: &Did, style: Style) -> String {
    match did {
        Did::Kept { stats, left_out } => match left_out.is_empty() {
            true => format!("keeps it{}", colon(stats)),
            false => format!(
                "keeps it{}, decided without {} (`trace: stats` records it)",
                colon(stats),
                left_out.join(", ")
            ),
        },
        Did::Dropped {
            reason: Some(reason),
            ..
        } => format!(
            "{} {}",
            style.paint(Color::Yellow, "drops it:"),
            one_line(reason)
        ),
        Did::Dropped { stats, .. } => {
            format!("{}{}", style.paint(Color::Yellow, "drops it"), colon(stats))
        }
        Did::Unchanged => "changes nothing".into(),
        Did::Changed { fields } => {
            let names: Vec<String> = fields
                .iter()
                .map(|f| format!("`{}`", one_line(&f.field)))
                .collect();
            format!("changes {}", names.join(", "))
        }
        Did::Made { rows } => format!("makes {rows} rows of it"),
        Did::Merged { partner, alike, .. } => {
            let which = match partner {
                Some(row) => format!("{} is like it and stays", place(row)),
                None => "another row is like it and stays".to_owned(),
            };
            let alike = match alike {
                Some(share) => format!(" ({:.0} % of their words in common)", 100.0 * share),
                None => String::new(),
            };
            format!("{} {which}{alike}", style.paint(Color::Yellow, "drops it:"))
        }
        Did::Grouped { partner } => match partner {
            Some(row) => format!("puts it into the group of {}", place(row)),
            None => "puts it into the group of an earlier row".into(),
        },
        Did::Quarantined { reason } => format!(
            "{} {}",
            style.paint(Color::Red, "cannot process it:"),
            one_line(reason)
        ),
        Did::Unknown { reason } => format!("not known: {reason}"),
    }
}

fn details(did: &Did, style: Style) -> Vec<String> {
    match did {
        Did::Changed { fields } => fields
            .iter()
            .map(|field| diff(&field.before, &field.after, style))
            .collect(),
        Did::Merged {
            text: Some(text), ..
        } => vec![cut_end(&one_line(text), ROW)],
        _ => Vec::new(),
    }
}

fn colon(stats: &[Judged]) -> String {
    let all: Vec<String> = stats.iter().map(judged).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(": {}", all.join("; ")),
    }
}

/// `num_words 2, at least 3 demanded (1 too few)`.
fn judged(stat: &Judged) -> String {
    let mut text = format!("{} {}", stat.stat, one_line(&shown(&stat.value)));
    if let Some(demand) = &stat.demand {
        let _ = write!(text, " (demanded: {demand}");
        match stat.margin {
            Some(margin) if margin < 0.0 => {
                let _ = write!(text, "; off by {})", number(-margin));
            }
            Some(margin) => {
                let _ = write!(text, "; {} to spare)", number(margin));
            }
            None => text.push(')'),
        }
    }
    text
}

/// Examples of what an op did.
pub(super) fn examples(
    paths: &RunPaths,
    trace: &Trace,
    op: &TracedOp,
    most: usize,
    json: bool,
    style: Style,
) -> Result<String> {
    let mapper = op.kind == "mapper";
    let near = trace.closest(op, most)?;
    let mut samples = if mapper {
        trace.samples(op.op)?
    } else {
        Vec::new()
    };
    samples.truncate(most);
    let (dataset, _unpacked) = readable(&dataset_again(paths)?, paths)?;
    let of_near = near
        .iter()
        .flat_map(|near| [Some(near.entry.row_id), near.entry.partner]);
    let of_samples = samples.iter().map(|entry| Some(entry.row_id));
    let located = all_located(&dataset, of_near.chain(of_samples).flatten());
    let row = |id: u64| -> Result<(Located, String)> {
        let located = located.get(&id).cloned();
        let located = located.context("internal error: a row that was not located")?;
        let text = match read_row(&dataset, id, &ReadOptions::new(Vec::new()))? {
            Some(Ok(row)) => row_text(&row, 0)?,
            Some(Err(bad)) => String::from_utf8_lossy(&bad.raw).into_owned(),
            None => String::new(),
        };
        Ok((located, text))
    };
    if json {
        let mut all = Vec::new();
        for Near { entry, stat } in &near {
            let (located, text) = row(entry.row_id)?;
            all.push(json!({ "row": located, "fate": entry.fate.word(), "reason": reason(Some(op), entry), "partner": entry.partner,
                "stats": entry.stats.iter().cloned().collect::<serde_json::Map<_, _>>(), "margin": stat.as_ref().map(|s| s.2), "text": text }));
        }
        for Entry { row_id, change, .. } in &samples {
            let [field, before, after] = change.clone().unwrap_or_default();
            all.push(json!({ "row": row(*row_id)?.0, "fate": "changed", "field": field, "before": before, "after": after }));
        }
        return Ok(serde_json::to_string_pretty(&all)? + "\n");
    }
    let mut out = String::new();
    let demands: Vec<String> = op
        .stats
        .iter()
        .filter_map(|key| Some(format!("{key} {}", op.demand(key)?)))
        .collect();
    let demands = match demands.is_empty() {
        true => String::new(),
        false => format!(", demands {}", demands.join(", ")),
    };
    let _ = writeln!(
        out,
        "{}{demands}",
        style.bold(&format!("op {} {}", op.op, op.name))
    );
    for Near { entry, .. } in &near {
        let (located, text) = row(entry.row_id)?;
        let why = match entry.partner {
            Some(id) => format!("{} {}", entry.fate.word(), place(&row(id)?.0)),
            None => reason(Some(op), entry),
        };
        let _ = writeln!(out, "\n{}  {}", place(&located), one_line(&why));
        let _ = writeln!(out, "  {}", cut_end(&one_line(&text), ROW));
    }
    for Entry { row_id, change, .. } in &samples {
        let [field, before, after] = change.clone().unwrap_or_default();
        let _ = writeln!(out, "\n{}  `{}`", place(&row(*row_id)?.0), one_line(&field));
        let _ = writeln!(out, "  {}", diff(&before, &after, style));
    }
    if near.is_empty() && samples.is_empty() {
        out.push_str(match (mapper, trace.document().samples) {
            (true, 0) => {
                "the job kept no samples of what mappers change: `trace_samples` says how many\n"
            }
            (true, _) => "it changed no row of which the trace has a sample, and dropped none\n",
            _ => "it dropped no row\n",
        });
    }
    Ok(out)
}
