//! An analysis for the terminal, and the recipe that it suggests.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::config::Resolved;
use crate::jobs::number;
use crate::report::{Analysis, Document};
use crate::sanitize::printable;
use crate::term::{Column, Style, Table, count, counted};

/// Pairs of stats that are told if they go together this much.
const STRONG: f64 = 0.5;
/// Lines of pairs.
const PAIRS: usize = 12;
/// Stats of groups that are shown.
const STATS_OF_GROUPS: usize = 12;

/// What is printed.
pub(super) fn text(
    document: &Document,
    style: Style,
    recipe: Option<&Path>,
    page: Option<&Path>,
) -> String {
    let Some(analysis) = &document.analysis else {
        return String::new();
    };
    let mut out = String::new();
    let looked_at = document
        .stats
        .iter()
        .map(|stat| stat.count)
        .max()
        .unwrap_or(0);
    let of = match analysis.ratio < 1.0 {
        true => format!(" of {}", counted(document.job.rows_read, "row")),
        false => String::new(),
    };
    let _ = writeln!(
        out,
        "{}{of}, of which all filters together would keep {} ({})\n",
        counted(looked_at, "row"),
        count(analysis.kept_by_all),
        share(analysis.kept_by_all, looked_at)
    );
    out += &stats(document, style);
    out += &overlap(analysis, looked_at, style);
    out += &correlation(analysis, style);
    out += &groups(analysis, style);
    out += &suggestions(analysis, style);
    for note in &document.notes {
        let _ = writeln!(out, "note: {note}");
    }
    if let Some(path) = recipe {
        let _ = writeln!(out, "recipe with these bounds: {}", path.display());
    }
    if let Some(path) = page {
        let _ = writeln!(out, "page: {}", path.display());
    }
    let _ = writeln!(
        out,
        "all of it as a page: djhost report {}",
        document.job.work_dir
    );
    out
}

fn share(part: u64, all: u64) -> String {
    format!("{:.1} %", 100.0 * part as f64 / (all as f64).max(1.0))
}

fn stats(document: &Document, style: Style) -> String {
    let mut table = Table::new(vec![
        Column::left("stat"),
        Column::left("op").goes(8),
        Column::right("rows").goes(3),
        Column::right("mean"),
        Column::right("deviation").goes(2),
        Column::right("min").goes(4),
        Column::right("5 %").goes(5),
        Column::right("50 %"),
        Column::right("95 %").goes(6),
        Column::right("max").goes(7),
        Column::right("would keep").goes(1),
    ]);
    for stat in &document.stats {
        let at = |share: f64| {
            let found = stat
                .percentiles
                .iter()
                .find(|(known, _)| (known - share).abs() < 1e-9);
            found.map(|(_, value)| number(*value)).unwrap_or_default()
        };
        table.row(vec![
            printable(&stat.key).into(),
            stat.name.as_str().into(),
            count(stat.count).into(),
            number(stat.mean).into(),
            number(stat.deviation).into(),
            number(stat.min).into(),
            at(0.05).into(),
            at(0.5).into(),
            at(0.95).into(),
            number(stat.max).into(),
            share(stat.kept, stat.count).into(),
        ]);
    }
    table.render(style) + "\n"
}

fn overlap(analysis: &Analysis, rows: u64, style: Style) -> String {
    let overlap = &analysis.overlap;
    let mut table = Table::new(vec![
        Column::left("would drop"),
        Column::right("rows"),
        Column::right("share"),
        Column::right("only it").goes(1),
        Column::left("mostly with").goes(2),
    ]);
    let mut any = false;
    for (at, (_, name)) in overlap.ops.iter().enumerate() {
        let own = overlap.both[at][at];
        if own == 0 {
            continue;
        }
        any = true;
        let mut others: Vec<(u64, &str)> = (0..overlap.ops.len())
            .filter(|other| *other != at && overlap.both[at][*other] > 0)
            .map(|other| (overlap.both[at][other], overlap.ops[other].1.as_str()))
            .collect();
        others.sort_by_key(|(n, name)| (std::cmp::Reverse(*n), *name));
        let with = others
            .first()
            .map(|(n, name)| format!("{name} ({})", share(*n, own)));
        table.row(vec![
            name.as_str().into(),
            count(own).into(),
            share(own, rows).into(),
            count(overlap.alone[at]).into(),
            with.unwrap_or_default().into(),
        ]);
    }
    if !any {
        return "no filter would drop a row\n\n".to_owned();
    }
    let estimate = overlap
        .estimate
        .iter()
        .map(|why| format!("estimated {why}\n"));
    table.render(style) + &estimate.collect::<String>() + "\n"
}

fn correlation(analysis: &Analysis, style: Style) -> String {
    let found = &analysis.correlation;
    let mut pairs: Vec<(f64, &str, &str)> = Vec::new();
    for (a, (_, first)) in found.stats.iter().enumerate() {
        for (b, (_, second)) in found.stats.iter().enumerate().skip(a + 1) {
            if let Some(r) = found.coefficients[a][b].filter(|r| r.abs() >= STRONG) {
                pairs.push((r, first, second));
            }
        }
    }
    if pairs.is_empty() {
        return String::new();
    }
    pairs.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let mut table = Table::new(vec![
        Column::left("go together"),
        Column::left(""),
        Column::right("correlation"),
    ]);
    for (r, first, second) in pairs.into_iter().take(PAIRS) {
        table.row(vec![
            printable(first).into(),
            printable(second).into(),
            format!("{r:.2}").into(),
        ]);
    }
    table.render(style) + "\n"
}

fn groups(analysis: &Analysis, style: Style) -> String {
    let Some(groups) = &analysis.groups else {
        return String::new();
    };
    let mut out = String::new();
    for (at, (_, key)) in groups.stats.iter().enumerate().take(STATS_OF_GROUPS) {
        let mut table = Table::new(vec![
            Column::left("value"),
            Column::right("rows"),
            Column::right("mean"),
            Column::right("5 %").goes(2),
            Column::right("50 %"),
            Column::right("95 %").goes(3),
            Column::right("would keep").goes(1),
        ]);
        for group in &groups.groups {
            if let Some((rows, kept, mean, [low, middle, high])) = group.stats[at] {
                table.row(vec![
                    printable(&group.value).replace('\n', " ").into(),
                    count(rows).into(),
                    number(mean).into(),
                    number(low).into(),
                    number(middle).into(),
                    number(high).into(),
                    share(kept, rows).into(),
                ]);
            }
        }
        let title = format!("{} by {}", printable(key), printable(&groups.field));
        out += &format!("{}\n{}\n", style.bold(&title), table.render(style));
    }
    out
}

fn suggestions(analysis: &Analysis, style: Style) -> String {
    if analysis.suggestions.is_empty() {
        return String::new();
    }
    let mut table = Table::new(vec![
        Column::left("op"),
        Column::left("bounds"),
        Column::right("keeps").goes(1),
    ]);
    for found in &analysis.suggestions {
        let bounds = found
            .params
            .iter()
            .map(|(name, bound)| format!("{name}: {}", exact(*bound)));
        table.row(vec![
            found.name.as_str().into(),
            bounds.collect::<Vec<_>>().join(", ").into(),
            format!("{:.1} %", 100.0 * found.share).into(),
        ]);
    }
    let title = format!("to keep {} %, each alone", number(100.0 * analysis.keep));
    format!("{}\n{}\n", style.bold(&title), table.render(style))
}

/// A bound as a parameter takes it: whole numbers without a point, else all digits.
fn exact(bound: f64) -> Value {
    match bound.fract() == 0.0 && bound.abs() < 9e15 {
        true => json!(bound as i64),
        false => json!(bound),
    }
}

/// A recipe: the one that was analysed, with the suggested bounds.
pub(super) fn recipe(document: &Document, resolved: &Resolved) -> Result<String> {
    let suggestions = document
        .analysis
        .iter()
        .flat_map(|analysis| &analysis.suggestions);
    let mut bounds: Vec<Map<String, Value>> = vec![Map::new(); resolved.ops.len()];
    for found in suggestions {
        if let Some(params) = bounds.get_mut(found.op) {
            let each = found.params.iter();
            params.extend(each.map(|(name, bound)| (name.clone(), exact(*bound))));
        }
    }
    // In the order in which the analysis ran them.
    let process: Vec<Value> = resolved
        .ops
        .iter()
        .zip(bounds)
        .map(|(op, bounds)| {
            let mut params = op.params.clone();
            params.extend(bounds);
            json!({ op.name.clone(): params })
        })
        .collect();
    let config = &resolved.config;
    let sources = match &resolved.sources[..] {
        [one] => json!(one),
        several => json!(several),
    };
    let mut recipe = json!({
        "dataset_path": sources,
        "export_path": "outputs/filtered.jsonl",
    });
    if config.text_key() != "text" {
        recipe["text_keys"] = json!(config.text_key());
    }
    let keep = document
        .analysis
        .as_ref()
        .map_or(0.0, |analysis| 100.0 * analysis.keep);
    Ok(format!(
        "# Bounds that keep {} % of {} each, found by `djhost analyze`.\n{}{}",
        number(keep),
        counted(
            document
                .stats
                .iter()
                .map(|stat| stat.count)
                .max()
                .unwrap_or(0),
            "row"
        ),
        serde_yaml::to_string(&recipe)?,
        serde_yaml::to_string(&json!({ "process": process }))?
    ))
}
